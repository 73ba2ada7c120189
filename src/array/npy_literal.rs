//! The Python literals that an `.npy` header is written in.

/// A Python literal.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Text(String),
    Bool(bool),
    None,
    /// An integer, or `None` in its place where it does not fit.
    Int(Option<i128>),
    /// A tuple, with the text it was written as.
    Tuple(Vec<Literal>, String),
    /// A list, with the text it was written as.
    List(Vec<Literal>, String),
    /// A dictionary in the order it was written.
    Dict(Vec<(Literal, Literal)>),
}

/// Deeper nesting than any dtype has, and shallower than the stack.
const MOST_DEPTH: usize = 32;

/// Parses one literal that fills the text but for white space.
///
/// The error says what was found and where, in words that follow the name of the text.
pub(super) fn parse(text: &str) -> Result<Literal, String> {
    let mut parser = Parser { text, at: 0 };
    let literal = parser.literal(0)?;
    parser.skip_space();
    if parser.at < text.len() {
        return Err(parser.unexpected("nothing more"));
    }
    Ok(literal)
}

struct Parser<'t> {
    text: &'t str,
    /// Always on a character boundary.
    at: usize,
}

impl<'t> Parser<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip_space(&mut self) {
        let rest = self.rest();
        let kept = rest.trim_start_matches([' ', '\t', '\n', '\r', '\x0c']);
        self.at += rest.len() - kept.len();
    }

    fn peek(&mut self) -> Option<char> {
        self.skip_space();
        self.rest().chars().next()
    }

    fn is_next(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn unexpected(&mut self, wanted: &str) -> String {
        match self.peek() {
            Some(found) => {
                format!("has {found:?} at position {} where {wanted} should be", self.at)
            }
            None => format!("ends at position {} where {wanted} should be", self.at),
        }
    }

    fn literal(&mut self, depth: usize) -> Result<Literal, String> {
        if depth > MOST_DEPTH {
            return Err(format!("nests deeper than {MOST_DEPTH} at position {}", self.at));
        }
        match self.peek() {
            Some('{') => self.dict(depth),
            Some('(') => {
                let start = self.at;
                let (items, is_tuple) = self.items(')', depth)?;
                match items.first() {
                    // Brackets round one value without a comma only group it.
                    Some(only) if !is_tuple => Ok(only.clone()),
                    _ => Ok(Literal::Tuple(items, self.since(start))),
                }
            }
            Some('[') => {
                let start = self.at;
                let (items, _) = self.items(']', depth)?;
                Ok(Literal::List(items, self.since(start)))
            }
            Some('\'' | '"') => self.string(),
            Some('-' | '+' | '0'..='9') => self.integer(),
            _ => self.word(),
        }
    }

    fn since(&self, start: usize) -> String {
        self.text.get(start..self.at).unwrap_or_default().to_owned()
    }

    fn dict(&mut self, depth: usize) -> Result<Literal, String> {
        self.is_next('{');
        let mut entries = Vec::new();
        while !self.is_next('}') {
            let key = self.literal(depth + 1)?;
            if !self.is_next(':') {
                return Err(self.unexpected("':'"));
            }
            entries.push((key, self.literal(depth + 1)?));
            if !self.is_next(',') && self.peek() != Some('}') {
                return Err(self.unexpected("',' or '}'"));
            }
        }
        Ok(Literal::Dict(entries))
    }

    /// Reads items up to `close` and tells whether there was a comma, or nothing at all.
    fn items(&mut self, close: char, depth: usize) -> Result<(Vec<Literal>, bool), String> {
        self.at += 1;
        let mut items = Vec::new();
        let mut has_comma = false;
        while !self.is_next(close) {
            items.push(self.literal(depth + 1)?);
            if self.is_next(',') {
                has_comma = true;
            } else if self.peek() != Some(close) {
                return Err(self.unexpected(&format!("',' or '{close}'")));
            }
        }
        let is_empty = items.is_empty();
        Ok((items, has_comma || is_empty))
    }

    fn string(&mut self) -> Result<Literal, String> {
        let start = self.at;
        let mut characters = self.rest().char_indices();
        let quote = characters.next().map(|(_, quote)| quote);
        let mut text = String::new();
        while let Some((offset, character)) = characters.next() {
            if Some(character) == quote {
                self.at = start + offset + character.len_utf8();
                return Ok(Literal::Text(text));
            }
            // Escapes only occur in field names, which are refused whatever they are.
            if character == '\\' {
                text.push(character);
                text.extend(characters.next().map(|(_, escaped)| escaped));
            } else {
                text.push(character);
            }
        }
        Err(format!("has a string at position {start} that does not end"))
    }

    fn integer(&mut self) -> Result<Literal, String> {
        let start = self.at;
        if matches!(self.peek(), Some('-' | '+')) {
            self.at += 1;
        }
        let rest = self.rest();
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits == 0 {
            return Err(self.unexpected("a digit"));
        }
        self.at += digits;
        let value = self.text.get(start..self.at).and_then(|digits| digits.parse().ok());
        // Python 2 wrote long integers as 3L.
        if self.rest().starts_with('L') {
            self.at += 1;
        }
        Ok(Literal::Int(value))
    }

    fn word(&mut self) -> Result<Literal, String> {
        for (word, literal) in [
            ("True", Literal::Bool(true)),
            ("False", Literal::Bool(false)),
            ("None", Literal::None),
        ] {
            let follows = self.rest().strip_prefix(word);
            if follows.is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric())) {
                self.at += word.len();
                return Ok(literal);
            }
        }
        Err(self.unexpected("a Python literal"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_parse() {
        let int = |value| Literal::Int(Some(value));
        assert_eq!(parse(" 3L "), Ok(int(3)));
        assert_eq!(parse("(3)"), Ok(int(3)));
        assert_eq!(parse("(3 ,)"), Ok(Literal::Tuple(vec![int(3)], "(3 ,)".into())));
        assert_eq!(parse("()"), Ok(Literal::Tuple(vec![], "()".into())));
        assert_eq!(
            parse("[-1,True,]"),
            Ok(Literal::List(vec![int(-1), Literal::Bool(true)], "[-1,True,]".into()))
        );
        assert_eq!(parse("\"it's\""), Ok(Literal::Text("it's".into())));
        assert_eq!(parse("{}"), Ok(Literal::Dict(vec![])));
        assert_eq!(parse(&"9".repeat(60)), Ok(Literal::Int(None)));
    }

    #[test]
    fn what_is_not_a_literal_is_said() {
        assert_eq!(parse("(1 2)").unwrap_err(), "has '2' at position 3 where ',' or ')' should be");
        assert_eq!(parse("{'a'").unwrap_err(), "ends at position 4 where ':' should be");
        assert_eq!(parse("'a").unwrap_err(), "has a string at position 0 that does not end");
        assert_eq!(
            parse("Truely").unwrap_err(),
            "has 'T' at position 0 where a Python literal should be"
        );
        assert_eq!(parse("1 1").unwrap_err(), "has '1' at position 2 where nothing more should be");
        assert!(parse(&"(".repeat(100_000)).unwrap_err().starts_with("nests deeper"));
        for text in ["", "(", "(,)", "[1", "-", "{1}", "é", "'é", "{'a': é}", "'\\"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
