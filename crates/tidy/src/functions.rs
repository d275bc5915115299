//! Finds functions in Rust source and counts their lines.
//!
//! A scan over tokens, not a parser: it knows comments, strings, characters and lifetimes, which
//! is all that stands between braces and a wrong count.

/// A function with a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The line of its `fn`, counted from 1.
    pub line: usize,
    /// Lines from `fn` to the closing brace, both included.
    pub lines: usize,
}

/// Every function with a body, in the order in which they end.
#[must_use]
pub fn functions(source: &str) -> Vec<Function> {
    let mut scan = Scan::default();
    for token in Tokens::new(source) {
        scan.take(token);
    }
    scan.found
}

/// Whether a keyword occurs outside comments and strings.
#[must_use]
pub fn uses_word(source: &str, word: &str) -> bool {
    Tokens::new(source).any(|token| matches!(token.what, What::Word(seen) if seen == word))
}

#[derive(Debug, Default)]
struct Scan {
    found: Vec<Function>,
    /// Functions whose body is open: name, line, and the brace depth outside the body.
    open: Vec<(String, usize, usize)>,
    /// A function whose name was read and whose body has not begun.
    pending: Option<(String, usize)>,
    after_fn: Option<usize>,
    depth: usize,
    /// Depth of `(` and `[`: a `;` inside them, as in `[u8; 4]`, ends nothing.
    grouping: usize,
}

impl Scan {
    fn take(&mut self, token: Token<'_>) {
        match token.what {
            What::Word("fn") => self.after_fn = Some(token.line),
            What::Word(name) => {
                if let Some(line) = self.after_fn.take() {
                    self.pending = Some((name.to_owned(), line));
                }
            }
            What::Punctuation(c) => {
                // `fn(` is a type, not a function.
                self.after_fn = None;
                self.punctuation(c, token.line);
            }
        }
    }

    fn punctuation(&mut self, c: char, line: usize) {
        match c {
            '(' | '[' => self.grouping += 1,
            ')' | ']' => self.grouping = self.grouping.saturating_sub(1),
            '{' => {
                if self.grouping == 0
                    && let Some((name, start)) = self.pending.take()
                {
                    self.open.push((name, start, self.depth));
                }
                self.depth += 1;
            }
            '}' => {
                self.depth = self.depth.saturating_sub(1);
                let ends = |open: &mut (String, usize, usize)| open.2 == self.depth;
                if let Some((name, start, _)) = self.open.pop_if(ends) {
                    let lines = line + 1 - start;
                    self.found.push(Function {
                        name,
                        line: start,
                        lines,
                    });
                }
            }
            ';' if self.grouping == 0 => self.pending = None,
            _ => {}
        }
    }
}

#[derive(Debug)]
struct Token<'a> {
    line: usize,
    what: What<'a>,
}

#[derive(Debug)]
enum What<'a> {
    Word(&'a str),
    Punctuation(char),
}

/// Words and punctuation of Rust source, without comments, strings and characters.
struct Tokens<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Tokens<'a> {
    fn new(source: &'a str) -> Self {
        Self {
            rest: source,
            line: 1,
        }
    }

    fn advance(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at_checked(bytes).unwrap_or((self.rest, ""));
        self.line += taken.matches('\n').count();
        self.rest = rest;
        taken
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while !self.rest.is_empty() {
            if self.rest.starts_with("/*") {
                depth += 1;
                self.advance(2);
            } else if self.rest.starts_with("*/") {
                depth -= 1;
                self.advance(2);
            } else {
                self.advance(width(self.rest));
            }
            if depth == 0 {
                return;
            }
        }
    }

    fn skip_string(&mut self) {
        self.advance(1);
        while let Some(c) = self.rest.chars().next() {
            match c {
                '\\' => {
                    self.advance(1);
                    self.advance(width(self.rest));
                }
                '"' => {
                    self.advance(1);
                    return;
                }
                _ => {
                    self.advance(c.len_utf8());
                }
            }
        }
    }

    fn skip_raw_string(&mut self, hashes: usize) {
        let end = format!("\"{}", "#".repeat(hashes));
        self.advance(hashes + 1);
        let length = self
            .rest
            .find(&end)
            .map_or(self.rest.len(), |at| at + end.len());
        self.advance(length);
    }

    /// `'x'` and `'\n'` are characters; `'a` is a lifetime and stays a word.
    fn skip_quote(&mut self) {
        let mut characters = self.rest.chars().skip(1);
        let first = characters.next();
        if first == Some('\\') {
            self.advance(2);
            self.advance(width(self.rest));
            let length = self.rest.find('\'').map_or(self.rest.len(), |at| at + 1);
            self.advance(length);
        } else if characters.next() == Some('\'') {
            self.advance(2 + first.map_or(0, char::len_utf8));
        } else {
            self.advance(1);
        }
    }

    fn word(&mut self) -> &'a str {
        let part = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest.find(|c| !part(c)).unwrap_or(self.rest.len());
        self.advance(length)
    }

    /// The hashes of a raw string that starts here, after its prefix.
    fn raw_hashes(&self) -> Option<usize> {
        let hashes = self.rest.chars().take_while(|c| *c == '#').count();
        let quoted = self.rest.get(hashes..)?.starts_with('"');
        quoted.then_some(hashes)
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let c = self.rest.chars().next()?;
            let line = self.line;
            if self.rest.starts_with("//") {
                let length = self.rest.find('\n').unwrap_or(self.rest.len());
                self.advance(length);
            } else if self.rest.starts_with("/*") {
                self.skip_block_comment();
            } else if c == '"' {
                self.skip_string();
            } else if c == '\'' {
                self.skip_quote();
            } else if c.is_alphanumeric() || c == '_' {
                let word = self.word();
                match self.raw_hashes() {
                    Some(hashes) if matches!(word, "r" | "br" | "cr") => {
                        self.skip_raw_string(hashes);
                    }
                    _ => {
                        return Some(Token {
                            line,
                            what: What::Word(word),
                        });
                    }
                }
            } else {
                self.advance(c.len_utf8());
                if !c.is_whitespace() {
                    return Some(Token {
                        line,
                        what: What::Punctuation(c),
                    });
                }
            }
        }
    }
}

fn width(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured(source: &str) -> Vec<(String, usize, usize)> {
        let found = functions(source).into_iter();
        found
            .map(|function| (function.name, function.line, function.lines))
            .collect()
    }

    #[test]
    fn counts_from_fn_to_closing_brace() {
        let source = "impl A {\n    fn b(&self) -> [u8; 4] {\n        c();\n    }\n}\nfn d() {}\n";
        assert_eq!(measured(source), [("b".into(), 2, 3), ("d".into(), 6, 1)]);
    }

    #[test]
    fn braces_in_text_do_not_count() {
        let source = concat!(
            "fn a<'x>() {\n",
            "    let _ = (\"}\", '}', '\\'', '\\u{7d}', r#\"}\"}\"#, b'}', b\"\\\"}\");\n",
            "    // }\n    /* } /* } */ */\n",
            "}\nfn b() {\n}\n"
        );
        assert_eq!(measured(source), [("a".into(), 1, 5), ("b".into(), 6, 2)]);
    }

    #[test]
    fn declarations_and_function_types_are_no_functions() {
        let source = "trait T {\n fn a(&self);\n}\nstruct S(fn(u8) -> u8);\nfn b() {}\n";
        assert_eq!(measured(source), [("b".into(), 5, 1)]);
    }

    #[test]
    fn nested_functions_are_counted_apart() {
        let source = "fn outer() {\n    fn inner() {\n    }\n}\n";
        assert_eq!(
            measured(source),
            [("inner".into(), 2, 2), ("outer".into(), 1, 4)]
        );
    }

    #[test]
    fn words_in_comments_and_strings_are_not_used() {
        assert!(!uses_word(
            "// unsafe\nlet a = \"unsafe\"; let unsafe_code = 1;",
            "unsafe"
        ));
        assert!(uses_word("unsafe { a() }", "unsafe"));
    }
}
