//! Commands that run a program given in their arguments: other shells and other languages.

use super::words::Word;

/// What an interpreter is asked to run.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Program<'w> {
    /// Nothing: it only tells about itself.
    Nothing,
    /// This text.
    Text(&'w Word),
    /// The file of this name.
    File(&'w Word),
    /// What it reads from standard input.
    Input,
}

/// Whether the command is a shell.
pub(super) fn is_shell(name: &str) -> bool {
    matches!(
        name,
        "sh" | "bash" | "dash" | "ash" | "ksh" | "mksh" | "zsh" | "rbash"
    )
}

/// Whether the command interprets another language.
pub(super) fn is_language(name: &str) -> bool {
    let stem = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    matches!(
        stem,
        "python"
            | "perl"
            | "ruby"
            | "node"
            | "nodejs"
            | "php"
            | "lua"
            | "tclsh"
            | "deno"
            | "bun"
            | "pypy"
            | "Rscript"
            | "julia"
            | "java"
            | "guile"
            | "osascript"
            | "expect"
            | "qjs"
    )
}

/// Whether the command is an awk.
pub(super) fn is_awk(name: &str) -> bool {
    matches!(name, "awk" | "gawk" | "mawk" | "nawk" | "original-awk")
}

/// What a shell or another language's interpreter runs with these arguments.
pub(super) fn program<'w>(name: &str, arguments: &'w [Word]) -> Program<'w> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let option = word.text.as_str();
        if !word.is_option() || word.is_computed {
            return Program::File(word);
        }
        match option {
            "--version" | "-V" | "--help" => return Program::Nothing,
            "-v" if !is_shell(name) => return Program::Nothing,
            "--" => return words.next().map_or(Program::Input, Program::File),
            "-m" if !is_shell(name) => return words.next().map_or(Program::Input, Program::File),
            "--eval" | "--print" => return words.next().map_or(Program::Nothing, Program::Text),
            "-W" | "-X" | "--init-file" | "--rcfile" => {
                words.next();
            }
            _ if option.starts_with("--") => {}
            // The name of a shell option follows: `-euo pipefail`.
            _ if is_shell(name) && option.contains(['o', 'O']) && !option.contains('c') => {
                words.next();
            }
            // Single letters may be put together: `-ec`.
            _ if runs_text(name, option) => {
                return words.next().map_or(Program::Nothing, Program::Text);
            }
            _ if is_shell(name) && option.contains('s') => return Program::Input,
            _ => {}
        }
    }
    Program::Input
}

/// Whether the option says that a program text follows.
fn runs_text(name: &str, option: &str) -> bool {
    let letters = option.trim_start_matches('-');
    if is_shell(name) {
        letters.contains('c')
    } else {
        letters.starts_with(['c', 'e', 'E', 'r', 'p']) || letters.ends_with(['c', 'e'])
    }
}

/// What the text of an awk program reaches for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AwkReach {
    pub(super) runs_commands: bool,
    pub(super) writes_files: bool,
    pub(super) reads_files: bool,
}

/// Looks for the ways out of an awk program. Where its texts and patterns cannot be told from its
/// code for certain, it may see too much.
pub(super) fn awk_reach(program: &str) -> AwkReach {
    let code = awk_code(program);
    let program = code.as_deref().unwrap_or(program);
    let mut previous = ' ';
    let mut pipes = false;
    let mut characters = program.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        // `||` is logic, `|&` and `|` run a command.
        pipes |= character == '|' && previous != '|' && next != Some('|');
        previous = character;
    }
    let prints_to_file = program.split("print").skip(1).any(|after| {
        after
            .split(['\n', ';', '}'])
            .next()
            .unwrap_or_default()
            .contains('>')
    });
    // `@name()` calls a function by the name in a variable, `@load` and `@include` bring in code.
    AwkReach {
        runs_commands: pipes || program.contains("system") || program.contains('@'),
        writes_files: prints_to_file,
        reads_files: program.contains("getline"),
    }
}

/// An awk program without its texts, patterns and comments. `None` when they cannot be told from
/// the rest for certain: a slash begins a pattern in some places and divides in others.
fn awk_code(program: &str) -> Option<String> {
    let mut code = String::new();
    // The last character that is not white space.
    let mut last = '\n';
    let mut characters = program.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                skip_to(&mut characters, '"')?;
                code.push_str("\"\"");
            }
            '#' => {
                let is_comment_over = characters.by_ref().any(|next| next == '\n');
                if is_comment_over {
                    code.push('\n');
                }
            }
            '/' if matches!(
                last,
                '\n' | '{' | '}' | ';' | '(' | ',' | '!' | '~' | '&' | '|'
            ) =>
            {
                skip_to(&mut characters, '/')?;
                code.push_str(" 0 ");
            }
            // After these it divides.
            '/' if last.is_ascii_digit() || last == ']' => code.push('/'),
            '/' => return None,
            // What it does to the next character depends on the place.
            '\\' => return None,
            other => code.push(other),
        }
        last = match character {
            '/' | '"' => ')',
            '#' => '\n',
            ' ' | '\t' | '\r' => last,
            other => other,
        };
    }
    Some(code)
}

/// Skips what stands before the end of a text or pattern. `None` when the end is not certain.
fn skip_to(characters: &mut std::str::Chars<'_>, end: char) -> Option<()> {
    let mut is_in_brackets = false;
    let mut previous = end;
    loop {
        let next = characters.next()?;
        let before = std::mem::replace(&mut previous, next);
        match next {
            // Some take a slash in brackets for the end, some do not; where brackets end is no
            // plainer when there is more in them than letters.
            '\n' => return None,
            '\\' | '[' | '/' if is_in_brackets => return None,
            ']' if matches!(before, '[' | '^') => return None,
            '\\' => {
                previous = characters.next().filter(|next| *next != '\n')?;
            }
            next if next == end => return Some(()),
            '[' if end == '/' => is_in_brackets = true,
            ']' => is_in_brackets = false,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str) -> Word {
        Word {
            text: text.to_owned(),
            is_computed: false,
            ..Word::default()
        }
    }

    #[test]
    fn programs_are_found_among_the_options() {
        let of = |name: &str, command: &str| {
            let words: Vec<Word> = command.split(' ').map(word).collect();
            match program(name, &words) {
                Program::Text(text) => format!("text {}", text.text),
                Program::File(file) => format!("file {}", file.text),
                other => format!("{other:?}"),
            }
        };
        assert_eq!(of("sh", "-c ls"), "text ls");
        assert_eq!(of("bash", "-euo pipefail -c ls"), "text ls");
        assert_eq!(of("bash", "-lc ls"), "text ls");
        assert_eq!(of("sh", "./run.sh now"), "file ./run.sh");
        assert_eq!(of("bash", "-s now"), "Input");
        assert_eq!(of("python3", "-c print()"), "text print()");
        assert_eq!(of("python3", "-u tool.py"), "file tool.py");
        assert_eq!(of("python3", "-m http.server"), "file http.server");
        assert_eq!(of("perl", "-ne print"), "text print");
        assert_eq!(of("node", "--version"), "Nothing");
    }

    #[test]
    fn awk_programs_reach_out_or_not() {
        let none = AwkReach::default();
        assert_eq!(awk_reach("{ print $1, $2 } a || b"), none);
        assert_eq!(awk_reach("$4 >= 400 { print $1 }"), none);
        for text in [
            "$1 == 1 || $1 == 3 { print \"a|b\" }",
            "{ print \"the system (\" $1 \")\" }",
            "/[|]/ { n++ } END { print n \" | system(x)\" }",
            "/a\\/b|c/ { n++ } # | sh",
        ] {
            assert_eq!(awk_reach(text), none, "{text}");
        }
        for text in [
            "{ print \"id\" | \"sh\" }",
            "{ print \"a\\\"b\" | \"sh\" }",
            "{ x = a / \"b\" | \"sh\"; y = 1 / 2 }",
            "{ x = 4 / \"b\" | \"sh\" / 2 }",
            "{ x = (1) / 2; print \"id\" | \"sh\"; y = 1 / 2 }",
            "{ print $1 /2; print | \"sh\" /2 }",
            "# a \" b\n{ print | \"sh\" } # \"",
            "/[/]/ { print | \"sh\" } /[/]/",
            "/[]/\"]/ { print | \"sh\" } /\"/",
            "/[[:alpha:]/\"]/ { print | \"sh\" } /\"/",
            "{ x = $/\"/ | \"sh\" }",
            "{ system (\"id\") }",
            "{ system\\\n(\"id\") }",
            "{ f = \"system\"; @f(\"id\") }",
        ] {
            assert!(awk_reach(text).runs_commands, "{text}");
        }
        assert!(awk_reach("{ system(\"id\") }").runs_commands);
        assert!(awk_reach("{ print | \"sh\" }").runs_commands);
        assert!(awk_reach("{ print $1 > \"out\" }").writes_files);
        assert!(awk_reach("{ getline x < \"in\" }").reads_files);
    }
}
