//! The layout of a description: one line for each node, so that it reads and compares well.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// Lists and objects up to this depth have a line for each entry, deeper ones stand on one line.
const LINES: usize = 2;

/// Writes a value as JSON in lines, with a newline at the end.
pub(super) fn write(value: &impl Serialize) -> serde_json::Result<String> {
    let mut bytes = Vec::new();
    value.serialize(&mut Serializer::with_formatter(&mut bytes, Lines::default()))?;
    bytes.push(b'\n');
    String::from_utf8(bytes).map_err(serde::ser::Error::custom)
}

#[derive(Default)]
struct Lines {
    depth: usize,
    is_empty: bool,
}

impl Lines {
    fn open<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        writer.write_all(bracket)
    }

    fn close<W: io::Write + ?Sized>(&mut self, writer: &mut W, bracket: &[u8]) -> io::Result<()> {
        let has_lines = self.depth <= LINES && !self.is_empty;
        self.depth = self.depth.saturating_sub(1);
        self.is_empty = false;
        if has_lines {
            self.line(writer)?;
        }
        writer.write_all(bracket)
    }

    fn entry<W: io::Write + ?Sized>(&mut self, writer: &mut W, is_first: bool) -> io::Result<()> {
        self.is_empty = false;
        let has_lines = self.depth <= LINES;
        writer.write_all(match (is_first, has_lines) {
            (true, _) => b"",
            (false, true) => b",",
            (false, false) => b", ",
        })?;
        if has_lines { self.line(writer) } else { Ok(()) }
    }

    fn line<W: io::Write + ?Sized>(&self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| writer.write_all(b"  "))
    }
}

impl Formatter for Lines {
    fn begin_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"[")
    }

    fn end_array<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"]")
    }

    fn begin_array_value<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.entry(writer, first)
    }

    fn begin_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b"{")
    }

    fn end_object<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b"}")
    }

    fn begin_object_key<W: io::Write + ?Sized>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.entry(writer, first)
    }

    fn begin_object_value<W: io::Write + ?Sized>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn entries_have_lines_and_what_they_hold_has_none() {
        let value = json!({"a": 1, "b": [], "c": [{"d": [1, {"e": {}}]}, {}]});
        let expected = "{\n  \"a\": 1,\n  \"b\": [],\n  \"c\": [\n    {\"d\": [1, {\"e\": {}}]},\n    {}\n  ]\n}\n";
        assert_eq!(super::write(&value).unwrap(), expected);
    }
}
