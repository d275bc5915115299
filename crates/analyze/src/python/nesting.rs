//! Upper bounds for how deeply a Python program nests, found before it is parsed.
//!
//! Whatever walks or frees the parser's tree recurses once per level, so the depth must be known
//! to be harmless first. (The parser itself grows its stack on the heap, so there the bound only
//! saves memory.) A bound may be too high, never too low. There are two:
//!
//! [`Shape::of`] is for programs without syntax errors. One pass of the parser's own lexer counts:
//!
//! - Statements nest by indentation, and each level needs a wider indentation than the one around
//!   it. So no more levels exist than there are different indentation widths.
//! - Inside a logical line, every level of an expression takes at least one token that can nest
//!   (a bracket, an operator, a dot, a keyword such as `lambda`). Such tokens are counted per pair
//!   of brackets, and a comma starts the count of its brackets anew.
//!
//! [`bound_if_broken`] is for programs with syntax errors. There the parser's recovery may skip
//! what separates levels, so everything counts that could nest in any reading, wherever it stands.

use ruff_python_ast::token::TokenKind;
use ruff_python_parser::{Mode, lexer};

/// The most tokens that are parsed. About 40,000 lines; bounds the memory of the tree.
pub(super) const TOKENS_MAX: u32 = 400_000;

/// The deepest nesting that is parsed. CPython gives up at a few thousand levels itself.
pub(super) const DEPTH_MAX: u32 = 4_000;

/// What one pass over the tokens says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// If there is no syntax error, the program nests no deeper than this.
    AtMost(u32),
    /// Something does not lex, or brackets do not match, or a lambda has no colon.
    Broken,
    /// More tokens than [`TOKENS_MAX`].
    TooManyTokens,
}

impl Shape {
    /// Looks at a program's text.
    pub(super) fn of(text: &str) -> Self {
        match scan(text) {
            Self::AtMost(depth) => Self::AtMost(depth.saturating_add(indentation_widths(text))),
            other => other,
        }
    }
}

/// One pair of brackets, or the logical line outside all brackets.
#[derive(Default)]
struct Group {
    /// Nesting tokens since the last comma that separates.
    run: u32,
    /// `lambda`s whose colon has not come yet: their commas separate parameters, nothing else.
    open_lambdas: u32,
    /// Whether a `yield` was seen. Its value is a list of expressions, so a comma continues it.
    yields: bool,
    /// The token that opened the pair.
    opener: Option<TokenKind>,
}

impl Group {
    /// Whether a comma ends everything that came before it in this group.
    fn is_list(&self) -> bool {
        self.open_lambdas == 0 && !self.yields
    }
}

/// Counts the nesting tokens.
fn scan(text: &str) -> Shape {
    let mut lexer = lexer::lex(text, Mode::Module);
    let mut count = 0_u32;
    let mut depth_max = 0;
    let mut outer: Vec<Group> = Vec::new();
    let mut outer_runs = 0_u32;
    let mut group = Group::default();
    loop {
        let kind = lexer.next_token();
        count += 1;
        if count > TOKENS_MAX {
            return Shape::TooManyTokens;
        }
        match kind {
            TokenKind::EndOfFile => break,
            TokenKind::Unknown => return Shape::Broken,
            // The parser looks for the colon of a lambda beyond the end of the line.
            TokenKind::Newline if !outer.is_empty() || group.open_lambdas > 0 => {
                return Shape::Broken;
            }
            TokenKind::Newline => group = Group::default(),
            TokenKind::Lpar | TokenKind::Lsqb | TokenKind::Lbrace => {
                // Two: `a[1, 2]` is a subscript around a tuple.
                group.run += 2;
                outer_runs += group.run;
                let opened = Group {
                    opener: Some(kind),
                    ..Group::default()
                };
                outer.push(std::mem::replace(&mut group, opened));
            }
            TokenKind::Rpar | TokenKind::Rsqb | TokenKind::Rbrace => {
                let Some(around) = outer.pop() else {
                    return Shape::Broken;
                };
                if !closes(group.opener, kind) || group.open_lambdas > 0 {
                    return Shape::Broken;
                }
                outer_runs -= around.run;
                group = around;
            }
            TokenKind::Comma if group.is_list() => group.run = 0,
            TokenKind::Semi if group.is_list() && outer.is_empty() => group.run = 0,
            TokenKind::Lambda => {
                group.run += 1;
                group.open_lambdas += 1;
            }
            TokenKind::Colon => {
                group.run += 1;
                group.open_lambdas = group.open_lambdas.saturating_sub(1);
            }
            TokenKind::Yield => {
                // Two: the yield and the list of what it gives.
                group.run += 2;
                group.yields = true;
            }
            kind if cannot_nest(kind) => {}
            _ => group.run += 1,
        }
        depth_max = depth_max.max(outer_runs + group.run);
    }
    if outer.is_empty() && group.open_lambdas == 0 {
        Shape::AtMost(depth_max)
    } else {
        Shape::Broken
    }
}

fn closes(opener: Option<TokenKind>, closer: TokenKind) -> bool {
    matches!(
        (opener, closer),
        (Some(TokenKind::Lpar), TokenKind::Rpar)
            | (Some(TokenKind::Lsqb), TokenKind::Rsqb)
            | (Some(TokenKind::Lbrace), TokenKind::Rbrace)
    )
}

/// Tokens that are leaves of the tree or name a statement. All others count, also those that do
/// not nest today: a bound that is too high does no harm.
fn cannot_nest(kind: TokenKind) -> bool {
    matches!(
        kind,
        TokenKind::Name
            | TokenKind::Int
            | TokenKind::Float
            | TokenKind::Complex
            | TokenKind::String
            | TokenKind::FStringStart
            | TokenKind::FStringMiddle
            | TokenKind::FStringEnd
            | TokenKind::TStringStart
            | TokenKind::TStringMiddle
            | TokenKind::TStringEnd
            | TokenKind::Comment
            | TokenKind::NonLogicalNewline
            | TokenKind::Indent
            | TokenKind::Dedent
            | TokenKind::Comma
            | TokenKind::True
            | TokenKind::False
            | TokenKind::None
            | TokenKind::Ellipsis
            | TokenKind::Import
            | TokenKind::Return
            | TokenKind::Pass
            | TokenKind::Def
    )
}

/// How many different indentation widths the lines of a text have. A form feed starts the width
/// anew, as it does for Python.
fn indentation_widths(text: &str) -> u32 {
    const TABLE: usize = 4096;
    let mut seen = vec![false; TABLE];
    let mut widths = 0;
    let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
    for line in text.as_bytes().split(is_end) {
        let is_indent = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\x0C');
        let indent = line.iter().take_while(is_indent);
        let width = indent.fold(
            0,
            |width, byte| if *byte == b'\x0C' { 0 } else { width + 1 },
        );
        match seen.get_mut(width) {
            Some(true) => {}
            Some(first) => {
                *first = true;
                widths += 1;
            }
            // Too wide for the table: counted once for each line.
            None => widths += 1,
        }
    }
    widths
}

/// The bound for a program with syntax errors: every character and word that could nest in some
/// reading of the text, and every line that could open a block.
pub(super) fn bound_if_broken(text: &str) -> u32 {
    const WORDS: [&[u8]; 14] = [
        b"if", b"in", b"is", b"or", b"as", b"and", b"for", b"not", b"else", b"from", b"async",
        b"await", b"yield", b"lambda",
    ];
    let in_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    // In `1if` a number ends where the keyword begins.
    let is_counted = |word: &&[u8]| {
        WORDS.contains(word)
            || (word.first().is_some_and(u8::is_ascii_digit)
                && WORDS.iter().any(|keyword| word.ends_with(keyword)))
    };
    let characters = text
        .bytes()
        .filter(|byte| b"([{.:;+-*/%@&|^~<>=!\\".contains(byte))
        .count();
    let words = text
        .as_bytes()
        .split(|byte| !in_word(byte))
        .filter(is_counted)
        .count();
    // A bracket can make three levels (a subscript, a tuple, and what is missing in it), a `yield`
    // two.
    let brackets = text.bytes().filter(|byte| b"([{".contains(byte)).count();
    let yields = text.matches("yield").count();
    let blocks = text
        .split(['\n', '\r'])
        .filter(|line| line.starts_with([' ', '\t', '\x0C']))
        .count();
    let levels = characters
        .saturating_add(blocks)
        .saturating_add(words)
        .saturating_add(brackets.saturating_mul(2))
        .saturating_add(yields);
    u32::try_from(levels).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
