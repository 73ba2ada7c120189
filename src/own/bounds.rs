//! What a source may cost, checked before it is parsed.
//!
//! The WGSL compiler bounds the depth of brackets itself, but follows chains of operators,
//! member accesses, `else if` and declarations by recursion as deep as the chain is long, and
//! takes time that grows with the square of a function's length. A source within these bounds
//! is compiled on a stack that holds the deepest chain (see [`super::stack`]).

/// The longest source, in bytes.
pub const MAX_SOURCE_BYTES: usize = 64 << 10;

/// The longest chain of operators, brackets and `else if` that one statement may have.
pub const MAX_CHAIN: u32 = 1000;

/// The most declarations at module scope: each may depend on another.
pub const MAX_DECLARATIONS: u32 = 1000;

/// What an `else` adds to a chain: the compiler's frames for it are the largest.
const ELSE_WEIGHT: u32 = 8;

/// Where a source goes beyond a bound.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Excess {
    /// The place, in bytes from the start.
    pub offset: usize,
    pub message: String,
}

/// Checks the bounds that [`MAX_CHAIN`] and [`MAX_DECLARATIONS`] name.
pub(super) fn check(source: &str) -> Result<(), Excess> {
    let mut scan = Scan::default();
    let mut rest = source.char_indices().peekable();
    let mut word = String::new();
    while let Some((offset, c)) = rest.next() {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            let ends = rest.peek().is_none_or(|&(_, next)| !next.is_alphanumeric() && next != '_');
            if ends {
                scan.word(offset, &word)?;
                word.clear();
            }
            continue;
        }
        match (c, rest.peek()) {
            ('/', Some((_, '/'))) => while rest.next().is_some_and(|(_, c)| !is_line_end(c)) {},
            ('/', Some((_, '*'))) => skip_block_comment(&mut rest),
            _ if c.is_whitespace() => {}
            _ => scan.symbol(offset, c)?,
        }
    }
    Ok(())
}

/// The characters that end a line in WGSL.
fn is_line_end(c: char) -> bool {
    matches!(c, '\u{a}'..='\u{d}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Skips a block comment, which may hold others; the `/` of its start has been taken.
fn skip_block_comment(rest: &mut impl Iterator<Item = (usize, char)>) {
    let mut depth = 0_usize;
    let mut before = '/';
    for (_, c) in rest {
        match (before, c) {
            ('/', '*') => depth += 1,
            ('*', '/') => depth -= 1,
            _ => {
                before = c;
                continue;
            }
        }
        if depth == 0 {
            return;
        }
        // The characters of one delimiter do not begin another.
        before = ' ';
    }
}

/// Chains, level by level of the brackets.
#[derive(Default)]
struct Scan {
    /// What the levels around the innermost one have.
    outer: Vec<u32>,
    /// The chain of the innermost level.
    chain: u32,
    /// All levels together.
    total: u32,
    declarations: u32,
    /// Whether a block was closed last: an `else` goes on with its chain, all else begins one.
    after_block: bool,
}

impl Scan {
    fn word(&mut self, offset: usize, word: &str) -> Result<(), Excess> {
        if word == "else" {
            self.after_block = false;
            return self.lengthen(offset, ELSE_WEIGHT);
        }
        self.go_on();
        Ok(())
    }

    fn symbol(&mut self, offset: usize, c: char) -> Result<(), Excess> {
        self.go_on();
        match c {
            '(' | '[' | '{' => {
                self.after_block = false;
                self.lengthen(offset, 1)?;
                self.outer.push(self.chain);
                self.chain = 0;
            }
            ')' | ']' | '}' => {
                self.total -= self.chain;
                // What closes without having been opened is for the parser to report.
                self.chain = self.outer.pop().unwrap_or_default();
                self.after_block = c == '}';
                if self.after_block {
                    self.count_declaration(offset)?;
                }
            }
            ';' => {
                self.restart();
                self.count_declaration(offset)?;
            }
            ',' => self.restart(),
            _ => self.lengthen(offset, 1)?,
        }
        Ok(())
    }

    /// Begins a new chain after a block.
    fn go_on(&mut self) {
        if std::mem::take(&mut self.after_block) {
            self.restart();
        }
    }

    fn restart(&mut self) {
        self.total -= self.chain;
        self.chain = 0;
    }

    fn lengthen(&mut self, offset: usize, by: u32) -> Result<(), Excess> {
        self.chain += by;
        self.total += by;
        if self.total <= MAX_CHAIN {
            return Ok(());
        }
        let message = format!(
            "operators, brackets and `else` are chained more than {MAX_CHAIN} deep here; \
             use a loop, or split the statement"
        );
        Err(Excess { offset, message })
    }

    fn count_declaration(&mut self, offset: usize) -> Result<(), Excess> {
        self.declarations += u32::from(self.outer.is_empty());
        if self.declarations <= MAX_DECLARATIONS {
            return Ok(());
        }
        let message = format!(
            "there are more than {MAX_DECLARATIONS} declarations at module scope; \
             put constants into an array, or into an input"
        );
        Err(Excess { offset, message })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(source: &str) -> Option<usize> {
        check(source).err().map(|excess| excess.offset)
    }

    #[test]
    fn chains_are_counted_to_the_end_of_their_statement() {
        let most = MAX_CHAIN as usize;
        let statement = |length: usize| format!("x = y{};", "+y".repeat(length));
        // The assignment is one of the chain.
        assert_eq!(offset(&statement(most - 1)), None);
        assert_eq!(offset(&statement(most)), Some("x = y".len() + 2 * (most - 1)));
        assert_eq!(offset(&statement(most / 2).repeat(10)), None);
        // An argument begins anew, but only within its call.
        assert_eq!(offset(&format!("f({}1)", "1, ".repeat(5000))), None);
        let calls = "f(1, 2) + ".repeat(most / 2);
        assert_eq!(offset(&format!("x{calls}")), None);
        assert_eq!(offset(&format!("x{calls}+")), Some(1 + calls.len()));
    }

    #[test]
    fn brackets_count_until_they_are_closed() {
        let most = MAX_CHAIN as usize;
        for bracket in ["(", "[", "{", "{(", "f["] {
            assert_eq!(offset(&bracket.repeat(most / bracket.len())), None, "{bracket}");
            assert!(offset(&bracket.repeat(most + 1)).is_some(), "{bracket}");
        }
        assert_eq!(offset(&"{ x; }".repeat(100)), None);
        assert_eq!(offset(&format!("{{{}}}", "{ x[1] = y; }".repeat(3000))), None);
        assert_eq!(offset(&")]}".repeat(100)), None, "the parser's to report");
    }

    #[test]
    fn an_else_goes_on_with_the_chain_of_its_if() {
        let chain = |links: usize| format!("{{ {} }}", "else if x {}".repeat(links));
        assert_eq!(offset(&chain(111)), None);
        assert!(offset(&chain(112)).is_some());
        assert_eq!(offset(&"{ if x {} else {} x = 1; }".repeat(500)), None);
        // What follows a block is another statement.
        assert_eq!(offset(&format!("{{{}}}", "if x {}".repeat(3000))), None);
    }

    #[test]
    fn declarations_are_counted_at_module_scope() {
        let most = MAX_DECLARATIONS as usize;
        assert_eq!(offset(&"const a = 1;".repeat(most)), None);
        assert_eq!(
            offset(&"const a = 1;".repeat(most + 1)),
            Some("const a = 1;".len() * most + 11)
        );
        assert!(offset(&"fn f() {}".repeat(most + 1)).is_some());
        assert_eq!(offset(&format!("fn f() {{ {} }}", "x = 1;".repeat(most + 1))), None);
    }

    #[test]
    fn comments_do_not_count_and_end_where_the_compiler_ends_them() {
        let long = "+".repeat(MAX_CHAIN as usize + 1);
        assert_eq!(offset(&format!("// {long}")), None);
        assert_eq!(offset(&format!("/* {long} /* {long} */ {long} */")), None);
        assert_eq!(offset(&format!("/* {long}")), None, "the parser's to report");
        for end in ['\n', '\r', '\u{85}', '\u{2028}'] {
            assert!(offset(&format!("// x{end}{long}")).is_some(), "{end:?}");
        }
        assert!(offset(&format!("/*/ x */{long}")).is_some());
        assert!(offset(&format!("/* /* */ */{long}")).is_some());
    }
}
