//! What a command is doing, on a terminal, when it takes longer than a second.

use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the line is drawn again.
const TICK: Duration = Duration::from_millis(120);

/// A line on standard error that is gone when this is dropped.
pub struct Progress {
    bar: ProgressBar,
    watch: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts the second after which a terminal shows a line; nothing else ever does.
    pub fn new() -> Self {
        if std::io::stderr().is_terminal() {
            Progress::on(ProgressDrawTarget::stderr(), PATIENCE)
        } else {
            Progress { bar: ProgressBar::hidden(), watch: None }
        }
    }

    fn on(target: ProgressDrawTarget, patience: Duration) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let (sender, receiver) = channel();
        let shown = bar.clone();
        let watch = thread::spawn(move || {
            if receiver.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                shown.set_draw_target(target);
                shown.enable_steady_tick(TICK);
            }
        });
        Progress { bar, watch: Some((sender, watch)) }
    }

    /// Says what is being done, for as long as it takes.
    pub fn stage(&self, what: &'static str) {
        self.bar.set_style(style("{spinner} {msg} ({elapsed})"));
        self.bar.set_message(what);
    }

    /// Says what is being done so many times.
    pub fn count(&self, what: &'static str, total: u64) {
        self.bar.set_style(style("{spinner} {msg} {wide_bar} {pos}/{len} ({eta} left)"));
        self.bar.set_message(what);
        self.bar.set_position(0);
        self.bar.set_length(total);
    }

    /// Counts one more.
    pub fn advance(&self) {
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((sender, watch)) = self.watch.take() {
            drop(sender);
            // It has nothing to panic about, and a command ends the same without its line.
            let _ = watch.join();
        }
        self.bar.finish_and_clear();
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::InMemoryTerm;

    fn on(terminal: &InMemoryTerm, patience: Duration) -> Progress {
        Progress::on(ProgressDrawTarget::term_like(Box::new(terminal.clone())), patience)
    }

    /// Waits until the terminal shows a text, as a thread draws it.
    fn shows(terminal: &InMemoryTerm, text: &str) -> bool {
        (0..500).any(|_| {
            thread::sleep(Duration::from_millis(10));
            terminal.contents().contains(text)
        })
    }

    #[test]
    fn what_is_quick_shows_nothing() {
        let terminal = InMemoryTerm::new(5, 80);
        let progress = on(&terminal, Duration::from_secs(3600));
        progress.stage("reading");
        progress.count("running", 2);
        progress.advance();
        assert_eq!(terminal.contents(), "");
        // It does not wait for the hour either.
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }

    #[test]
    fn what_is_slow_shows_a_line_until_it_is_done() {
        let terminal = InMemoryTerm::new(5, 80);
        let progress = on(&terminal, Duration::ZERO);
        progress.stage("reading");
        assert!(shows(&terminal, "reading ("), "{}", terminal.contents());
        progress.count("running", 7);
        progress.advance();
        progress.advance();
        assert!(shows(&terminal, " 2/7 ("), "{}", terminal.contents());
        drop(progress);
        assert_eq!(terminal.contents(), "");
    }
}
