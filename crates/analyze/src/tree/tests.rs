//! Tests of parsing and walking with both grammars.

use proptest::prelude::*;

use super::*;

const JAVASCRIPT: Grammar = Grammar {
    language: || tree_sitter_javascript::LANGUAGE.into(),
    filler: "\n;",
    filler_column: 1,
    stray_closer: "\n}",
};

const SHELL: Grammar = Grammar {
    language: || tree_sitter_bash::LANGUAGE.into(),
    filler: "\n:;",
    filler_column: 2,
    stray_closer: "",
};

/// Collects the kinds of named nodes and checks that every node entered is left.
#[derive(Default)]
struct Kinds {
    seen: Vec<&'static str>,
    open: usize,
    open_max: usize,
}

impl<'tree> Visitor<'tree> for Kinds {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        assert_eq!(place.parent.is_some(), self.open > 0);
        if node.is_named() {
            self.seen.push(
                node.language()
                    .node_kind_for_id(node.kind_id())
                    .map_or("?", leak),
            );
        }
        self.open += 1;
        self.open_max = self.open_max.max(self.open);
    }

    fn leave(&mut self, _: Node<'tree>, _: Place<'tree>) {
        self.open -= 1;
    }
}

fn leak(kind: &str) -> &'static str {
    Box::leak(kind.to_owned().into_boxed_str())
}

fn kinds(grammar: Grammar, source: &str) -> (Vec<&'static str>, Script) {
    let script = parse(grammar, source.as_bytes());
    let mut kinds = Kinds::default();
    if let Some(tree) = script.tree() {
        assert!(!tree.root_node().has_error(), "{source:?} was recovered");
        walk(&script, tree, &mut kinds);
        assert_eq!(kinds.open, 0);
    }
    (kinds.seen, script)
}

fn problems(grammar: Grammar, source: &str) -> Problems {
    kinds(grammar, source).1.problems
}

#[test]
fn sound_scripts_have_no_problems() {
    for source in [
        "",
        "\n",
        "// only a comment",
        "a",
        "a;",
        "let x = `b${c}d`",
        "/x/.test(y)\n",
        "#!/usr/bin/env node\nmain()",
        "do x(); while (y)",
        "f(async () => { for (;;) {} })",
    ] {
        assert_eq!(problems(JAVASCRIPT, source), [], "{source:?}");
    }
    for source in [
        "",
        "\n",
        "# only a comment",
        "a",
        "a &",
        "a | b | c | d\n",
        "case $x in a) b;; esac",
        "cat <<E\nfoo $x\nE\n",
        "f() { :; }\nf",
        "if a; then b; fi",
        ":(){ :|:& };:",
        "a=(1 2)\necho ${a[@]}",
        "[[ $a =~ ^x ]] && b",
        "for ((i=0;i<3;i++)); do x; done",
    ] {
        assert_eq!(problems(SHELL, source), [], "{source:?}");
    }
}

#[test]
fn fillers_are_not_part_of_the_program() {
    let (seen, _) = kinds(JAVASCRIPT, "a");
    assert_eq!(seen, ["program", "expression_statement", "identifier"]);
    let (seen, _) = kinds(SHELL, "a");
    assert_eq!(seen, ["program", "command", "command_name", "word"]);
    assert_eq!(kinds(SHELL, "").0, ["program"]);
}

#[test]
fn syntax_errors_have_their_line_and_spare_the_rest() {
    let (seen, script) = kinds(JAVASCRIPT, "first()\nlet x = ;\nwhile (y) { z() }\n");
    assert_eq!(script.problems, [(Some(2), "syntax error")]);
    assert!(seen.contains(&"while_statement"));
    let (seen, script) = kinds(SHELL, "first\n)\nwhile y; do z; done\n");
    assert_eq!(script.problems, [(Some(2), "syntax error")]);
    assert!(seen.contains(&"while_statement"));
}

#[test]
fn many_errors_leave_what_comes_before_them() {
    let source = format!("good one\n{}", "bad )\n".repeat(20));
    let (seen, script) = kinds(SHELL, &source);
    assert_eq!(script.problems.len(), 9);
    assert_eq!(seen.iter().filter(|kind| **kind == "command").count(), 1);
}

#[test]
fn an_end_inside_something_is_said() {
    let (seen, script) = kinds(SHELL, "first\n\nif a; then\n  b\n");
    let opened_here = "the script ends inside something that this line opens";
    assert_eq!(script.problems, [(Some(3), opened_here)]);
    assert!(seen.contains(&"command"));
    assert_eq!(problems(SHELL, "cat <<E\nfoo\n"), [(Some(1), opened_here)]);
    assert_eq!(
        problems(SHELL, "first\necho 'foo\n"),
        [(Some(2), "syntax error")]
    );

    let never_closed = "the script ends inside something that it opened and never closed";
    for source in [
        "if (a) {\n b()\n",
        "(function () {\n a(",
        "f(1,\n",
        "[",
        "{",
    ] {
        assert_eq!(
            problems(JAVASCRIPT, source),
            [(None, never_closed)],
            "{source:?}"
        );
    }
}

#[test]
fn an_end_in_the_middle_of_a_statement_is_said() {
    let message = "the script ends in the middle of a statement";
    assert_eq!(problems(JAVASCRIPT, "a()\nif (b)"), [(Some(2), message)]);
    assert_eq!(problems(SHELL, "a\nb |"), [(Some(2), message)]);
    assert_eq!(problems(SHELL, "a &&\n\n"), [(Some(1), message)]);
}

#[test]
fn text_is_what_was_written() {
    let source = "x = 'é€😀' // \u{a0}ü\n";
    let script = parse(JAVASCRIPT, source.as_bytes());
    let mut strings = Strings {
        script: &script,
        found: Vec::new(),
    };
    walk(&script, script.tree().unwrap(), &mut strings);
    assert_eq!(strings.found, ["'é€😀'"]);
    assert_eq!(script.problems, []);
}

struct Strings<'s> {
    script: &'s Script,
    found: Vec<String>,
}

impl<'tree> Visitor<'tree> for Strings<'_> {
    fn enter(&mut self, node: Node<'tree>, place: Place<'tree>) {
        if node.kind() == "string" {
            assert_eq!(place.field, Some("right"));
            assert_eq!(line(node), 1);
            self.found.push(self.script.text(node).into_owned());
        }
    }

    fn leave(&mut self, _: Node<'tree>, _: Place<'tree>) {}
}

#[test]
fn characters_beyond_the_tables_of_the_scanner_are_hidden_from_it() {
    assert_eq!(problems(SHELL, "echo {\u{a2cc3}}\n"), []);
    assert_eq!(hide_non_ascii("a\u{a2cc3}\u{a0}b".as_bytes()), b"azzzz  b");
    assert_eq!(hide_non_ascii(b"\xff{\xf2\xa2\xb3"), b"z{zzz");
}

#[test]
fn zero_bytes_are_said() {
    let message = "the script contains zero bytes";
    assert!(problems(SHELL, "ec\0ho x\n").contains(&(None, message)));
}

#[test]
fn nesting_beyond_the_bound_is_said_and_not_followed() {
    let source = format!("f()\n{}x{}\n", "[".repeat(100_000), "]".repeat(100_000));
    let script = parse(JAVASCRIPT, source.as_bytes());
    let mut kinds = Kinds::default();
    let walked = walk(&script, script.tree().unwrap(), &mut kinds);
    assert_eq!(script.problems, []);
    assert_eq!(walked.too_deep_line, Some(2));
    assert!(kinds.open_max <= 10_000);

    let source = format!("{}x{}\n", "$(".repeat(100_000), ")".repeat(100_000));
    let script = parse(SHELL, source.as_bytes());
    let walked = walk(&script, script.tree().unwrap(), &mut Kinds::default());
    assert_eq!(walked.too_deep_line, Some(1));
}

#[test]
fn unbalanced_brackets_are_given_up_cheaply() {
    for bracket in [
        "[ ",
        "(",
        "{ ",
        "${",
        "<<a\n",
        "$((",
        "a@(",
        "case x in ",
        "if ",
    ] {
        assert!(
            !problems(SHELL, &bracket.repeat(100_000)).is_empty(),
            "{bracket:?}"
        );
    }
    for bracket in ["[", "(", "{", "`${", "/*", "if(a)", "a?", "x=>", "<a>"] {
        assert!(
            !problems(JAVASCRIPT, &bracket.repeat(100_000)).is_empty(),
            "{bracket:?}"
        );
    }
}

/// Each of these made tree-sitter's own recovery take gigabytes or minutes at this size.
#[test]
fn texts_that_are_costly_to_recover_are_not_recovered() {
    for unit in ["a|", "1|", "}|", "\\||", "time |"] {
        assert!(!problems(SHELL, &unit.repeat(5_000)).is_empty(), "{unit:?}");
        // Sound, but with readings that fail only at the end of the text.
        let sound = format!("x=1\n{}a\n", unit.repeat(5_000));
        problems(SHELL, &sound);
    }
    for unit in [
        "+}", "!}", "x=>??", "x=>in ", "in x=>", "-&", "new }", "}if(a)", "${:",
    ] {
        assert!(
            !problems(JAVASCRIPT, &unit.repeat(5_000)).is_empty(),
            "{unit:?}"
        );
    }
}

#[test]
fn a_construct_with_too_many_readings_is_given_up() {
    let source = format!("{}x", "await +".repeat(5_000));
    assert_eq!(problems(JAVASCRIPT, &source), [(None, OUT_OF_BUDGET)]);
}

#[test]
fn a_script_beyond_the_size_bound_is_not_read() {
    let script = parse(SHELL, &vec![b'\n'; SOURCE_BYTES_MAX + 1]);
    assert!(script.tree().is_none());
    assert_eq!(script.problems.len(), 1);
}

/// Pieces of scripts, valid and not.
fn pieces() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "a",
        "1",
        "'",
        "\"",
        "`",
        "$",
        "${",
        "$(",
        "((",
        "))",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "=>",
        "=",
        "+",
        "!",
        "*",
        "@(",
        ":",
        "<",
        "<<a",
        "|",
        "||",
        "&",
        ";",
        ";;",
        "\n",
        "#",
        "\\",
        "if ",
        "then ",
        "fi ",
        "case ",
        "esac ",
        "for ",
        "do ",
        "done ",
        "while ",
        "f()",
        "/",
        "//",
        "/*",
        "*/",
        "async ",
        "function ",
        "class ",
        "await ",
        "x=>",
        "é",
        "\0",
    ]);
    prop::collection::vec(words, 0..80).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_pieces_are_parsed_without_recovery(source in pieces()) {
        kinds(JAVASCRIPT, &source);
        kinds(SHELL, &source);
    }

    #[test]
    fn any_bytes_are_taken(source: Vec<u8>) {
        for grammar in [JAVASCRIPT, SHELL] {
            let script = parse(grammar, &source);
            if let Some(tree) = script.tree() {
                walk(&script, tree, &mut Kinds::default());
            }
        }
    }
}
