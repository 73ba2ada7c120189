//! How long a name can be that events keep.

/// How many bytes of a label or of a scope's path an event keeps; what is longer ends in `…`.
pub const NAME_BYTES: usize = 256;

const ELLIPSIS: char = '…';

/// Shortens a name to what events keep of it.
pub(crate) fn bounded(name: &str) -> String {
    if name.len() <= NAME_BYTES {
        return name.to_owned();
    }
    let most = NAME_BYTES - ELLIPSIS.len_utf8();
    let kept = (0..=most).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    let mut short = String::with_capacity(NAME_BYTES);
    short.push_str(&name[..kept]);
    short.push(ELLIPSIS);
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_between_characters() {
        for longest in ["x".repeat(NAME_BYTES), "ä".repeat(NAME_BYTES / 2)] {
            assert_eq!(bounded(&longest), longest);
        }
        for (letter, kept) in [("x", 253), ("ä", 126), ("木", 84), ("🚢", 63)] {
            let short = bounded(&letter.repeat(NAME_BYTES + 1));
            assert_eq!(short, letter.repeat(kept) + "…");
            assert!(short.len() <= NAME_BYTES);
        }
    }
}
