//! Text that is shown: what could steer a terminal, or look like another line, is written out.

use std::fmt::{self, Display, Write};

/// Shows text with control characters (line breaks and tabs among them), marks that turn the
/// direction of writing and characters without a shape written as `\n` or `\u{1b}`.
///
/// Names come from files. Everything of this crate that shows names does so by this: errors,
/// graphs, plans, reports and ledgers.
///
/// ```
/// use longshore::error::escaped;
///
/// assert_eq!(escaped("conv\u{1b}[2J\n1 \u{202e}ä").to_string(), "conv\\u{1b}[2J\\n1 \\u{202e}ä");
/// ```
pub fn escaped<T: Display>(text: T) -> Escaped<T> {
    Escaped(text)
}

/// Text as [`escaped`] shows it.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T>(T);

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

/// Shows the lines of another library's message as one.
pub(super) fn one_line(text: &str) -> Escaped<String> {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    Escaped(lines.join(" "))
}

struct Escaping<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some((at, found)) = rest.char_indices().find(|(_, c)| is_unsafe(*c)) {
            let (plain, behind) = rest.split_at(at);
            self.0.write_str(plain)?;
            write!(self.0, "{}", found.escape_default())?;
            rest = behind.get(found.len_utf8()..).unwrap_or_default();
        }
        self.0.write_str(rest)
    }
}

/// Tells whether a character is not shown as itself.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            // Invisible: soft hyphen, Arabic letter mark, Hangul and Mongolian fillers.
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{ffa0}'
            // Without width, and the marks of direction.
            | '\u{200b}'..='\u{200f}'
            // Line and paragraph separators, embeddings and overrides.
            | '\u{2028}'..='\u{202e}'
            // Invisible operators, isolates.
            | '\u{2060}'..='\u{206f}'
            // Byte order mark, anchors of annotations.
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags: text that nobody sees.
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        for c in (0..=u32::from(char::MAX)).filter_map(char::from_u32) {
            let shown = escaped(format!("a{c}b")).to_string();
            assert!(shown.starts_with('a') && shown.ends_with('b'));
            assert!(!shown.chars().any(char::is_control), "{shown:?}");
            let is_kept = shown == format!("a{c}b");
            assert!(is_kept || is_unsafe(c), "{shown:?}");
        }
        for name in ["conv1/kernel:0", "ä ß 漢字 עברית العربية 🙂", "\\u{1b}", "'\"`$"]
        {
            assert_eq!(escaped(name).to_string(), name);
        }
        // What is shown twice is shown as once.
        let once = escaped("\u{9b}2J\r\u{2066}").to_string();
        assert_eq!(once, "\\u{9b}2J\\r\\u{2066}");
        assert_eq!(escaped(&once).to_string(), once);
    }

    #[test]
    fn messages_of_several_lines_become_one() {
        assert_eq!(
            one_line("a\n\n  caused by:\r\n\tb\u{1b}\n").to_string(),
            "a caused by: b\\u{1b}"
        );
    }
}
