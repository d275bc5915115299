//! What `printf` and `echo` print, and what escape sequences stand for.

/// The text that escape sequences with a backslash stand for, as `printf` and `$'...'` know them.
/// `None` when a sequence is not known or makes no ASCII character.
pub(super) fn unescaped(text: &str) -> Option<String> {
    let mut made = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\\' {
            made.push(character);
            continue;
        }
        let kind = characters.next()?;
        let mut number = |radix: u32, digits: usize, first: u32| {
            let mut value = first;
            for _ in 0..digits {
                let Some(digit) = characters.peek().and_then(|next| next.to_digit(radix)) else {
                    break;
                };
                value = value * radix + digit;
                characters.next();
            }
            char::from_u32(value).filter(char::is_ascii)
        };
        made.push(match kind {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\x07',
            'b' => '\x08',
            'f' => '\x0C',
            'v' => '\x0B',
            'e' | 'E' => '\x1B',
            '\\' | '\'' | '"' | '?' => kind,
            'x' => number(16, 2, 0)?,
            'u' => number(16, 4, 0)?,
            'U' => number(16, 8, 0)?,
            '0'..='7' => number(8, if kind == '0' { 3 } else { 2 }, kind.to_digit(8)?)?,
            _ => return None,
        });
    }
    Some(made)
}

/// What the command prints, without the line breaks at the end, as a substitution takes it.
pub(super) fn printed(name: &str, arguments: &[String]) -> Option<String> {
    let text = match (name, arguments) {
        ("printf", [format, values @ ..]) if !format.starts_with('-') => formatted(format, values)?,
        ("echo", [first, words @ ..]) if first == "-e" => unescaped(&words.join(" "))?,
        ("echo", [first, words @ ..]) if first == "-n" => words.join(" "),
        ("echo", words) => {
            let text = words.join(" ");
            // Shells do not agree on what a backslash does here.
            if text.contains('\\') {
                return None;
            }
            text
        }
        _ => return None,
    };
    Some(text.trim_end_matches('\n').to_owned())
}

/// `printf` with the conversions `%s`, `%b` and `%%`.
fn formatted(format: &str, values: &[String]) -> Option<String> {
    let mut values = values.iter();
    let mut made = String::new();
    loop {
        let waiting = values.len();
        let mut pieces = format.split('%');
        made.push_str(&unescaped(pieces.next()?)?);
        while let Some(piece) = pieces.next() {
            if piece.is_empty() {
                made.push('%');
                made.push_str(&unescaped(pieces.next()?)?);
                continue;
            }
            let value = values.next().map_or("", String::as_str);
            let (conversion, rest) = piece.split_at_checked(1)?;
            match conversion {
                "s" => made.push_str(value),
                "b" => made.push_str(&unescaped(value)?),
                _ => return None,
            }
            made.push_str(&unescaped(rest)?);
        }
        // The format is used again while there are values for it.
        if values.len() == 0 || values.len() == waiting {
            return Some(made);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_known() {
        let of = |command: &str| {
            let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
            let (name, arguments) = words.split_first().unwrap();
            printed(name, arguments)
        };
        assert_eq!(of("echo curl x").unwrap(), "curl x");
        assert_eq!(of(r"printf \143\165\162\154").unwrap(), "curl");
        assert_eq!(of(r"printf \x69\x64\n").unwrap(), "id");
        assert_eq!(of("printf %s%s wg et").unwrap(), "wget");
        assert_eq!(of("printf %s a b c").unwrap(), "abc");
        assert_eq!(of("printf 100%%").unwrap(), "100%");
        assert_eq!(of("printf %d 3"), None);
        assert_eq!(of(r"echo \143"), None);
    }
}
