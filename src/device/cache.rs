//! What a runtime makes once, and other things beside it at the same time.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Result;

/// Values by key, each made by the first who asks for it.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    known: Mutex<HashMap<K, Entry<V>>>,
}

type Entry<V> = Arc<Mutex<Option<V>>>;

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Cache { known: Mutex::default() }
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// Returns the value of a key, making it if nobody has. Who wants the same key meanwhile waits;
    /// who wants another does not. What cannot be made is tried again by the next.
    pub(crate) fn get(&self, key: K, make: impl FnOnce() -> Result<V>) -> Result<V> {
        let entry = {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key).or_default())
        };
        let mut made = entry.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(value) = &*made {
            return Ok(value.clone());
        }
        let value = make()?;
        *made = Some(value.clone());
        Ok(value)
    }

    /// Counts the values that have been made.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let known = self.known.lock().unwrap();
        known.values().filter(|entry| entry.lock().unwrap().is_some()).count()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    #[test]
    fn values_are_made_once_and_side_by_side() {
        let cache = Cache::default();
        let made = AtomicUsize::new(0);
        // Passed only if both keys are being made at the same time.
        let both = Barrier::new(2);
        std::thread::scope(|scope| {
            for thread in 0..8 {
                let (cache, made, both) = (&cache, &made, &both);
                scope.spawn(move || {
                    let make = || {
                        both.wait();
                        made.fetch_add(1, Ordering::Relaxed);
                        Ok(thread % 2)
                    };
                    assert_eq!(cache.get(thread % 2, make).unwrap(), thread % 2);
                });
            }
        });
        assert_eq!((made.into_inner(), cache.len()), (2, 2));
    }

    #[test]
    fn what_fails_is_tried_again() {
        let cache = Cache::default();
        let fail = || {
            let (node, what, remedy) = ("n".to_owned(), "this".to_owned(), "wait".to_owned());
            Err(Error::Unsupported { node, what, remedy })
        };
        assert!(cache.get(1, fail).is_err());
        assert_eq!(cache.len(), 0);
        assert_eq!(cache.get(1, || Ok(5)).unwrap(), 5);
    }
}
