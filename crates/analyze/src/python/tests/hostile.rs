//! Programs made to break the reader: deep, long, strangely encoded, or not Python at all.

use std::fmt::Write as _;

use atoll_types::ExecutionClass;
use proptest::prelude::*;

use super::*;
use crate::python::DEPTH_ON_CALLER;
use crate::python::nesting::DEPTH_MAX;

/// Seventy blocks around lines that are indented by seventy.
fn blocks_around(lines: &str) -> String {
    let mut text = String::new();
    for level in 0..70 {
        writeln!(text, "{}if a:", " ".repeat(level)).unwrap();
    }
    text + lines
}

/// Programs with `depth` blocks inside each other. Their size grows with the square of that.
fn nested_blocks(depth: usize) -> Vec<String> {
    let blocks = |header: &&str| {
        let mut text = String::new();
        for level in 0..depth {
            writeln!(text, "{}{header}", " ".repeat(level)).unwrap();
        }
        text + &" ".repeat(depth) + "pass\n"
    };
    let headers = ["if a:", "def f():", "class A:", "while a:", "match a:"];
    headers.iter().map(blocks).collect()
}

/// Programs whose expressions nest `depth` deep, in every way Python can.
fn nested(depth: usize) -> Vec<String> {
    let many = |part: &str| part.repeat(depth);
    vec![
        format!("x = {}1{}", many("("), many(")")),
        format!("x = {}1{}", many("["), many("]")),
        format!("x = {}1{}", many("{1:"), many("}")),
        format!("x = {}1{}", many("f("), many(")")),
        format!("x = {}1{}", many("f(a="), many(")")),
        format!("x = {}1", many("-")),
        format!("x = {}1", many("not ")),
        format!("x = {}1", many("1 + ")),
        format!("x = {}1", many("1 ** ")),
        format!("x = {}1", many("1 if a else ")),
        format!("x = {}1", many("lambda: ")),
        format!("x = a{}", many(".b")),
        format!("x = a{}", many("()")),
        format!("x = a{}", many("[0]")),
        format!("x = a{}", many(".b(c)")),
        format!("x = {}1{}", many("[y for y in "), many("]")),
        format!("@a{}\ndef f(): pass", many(".b()")),
        format!("match x:\n case {}1{}: pass", many("["), many("]")),
        format!("x = {}{}{}", many("f'{"), 1, many("}'")),
        format!("{}1", many("x if ")),
    ]
}

#[test]
fn nesting_up_to_the_bound_is_read() {
    // Each part of these programs counts at most four times in the bound.
    let expressions = nested(DEPTH_MAX as usize / 4 - 30);
    for text in expressions.into_iter().chain(nested_blocks(1000)) {
        let analysis = read(&text);
        let start: String = text.chars().take(40).collect();
        let mut problems = analysis.problems.iter();
        let is_refused = problems.any(|problem| problem.message.contains("not read"));
        assert!(!is_refused && analysis.instructions > 0, "{start}");
    }
    for link in ["-1", " + 1", ".b", " if a", " ** 2"] {
        let text = format!("x = a{}", link.repeat(DEPTH_MAX as usize - 10));
        assert!(read(&text).instructions > 1000, "{link}");
    }
}

/// Programs that make questions about names and constants go as deep as they may.
fn long_trails() -> Vec<String> {
    let mut texts = Vec::new();
    for link in [
        "N",
        "N + 'a'",
        "f'{N}'",
        "N[0:]",
        "(x := N)",
        "''.join([N])",
        "-N",
    ] {
        let mut text = "import os\nb0 = 'a'\n".to_owned();
        for number in (1..300).rev() {
            let value = link.replace('N', &format!("b{}", number - 1));
            writeln!(text, "b{number} = {value}").unwrap();
        }
        texts.push(text + "getattr(os, b299)\nrange(b299)\n");
    }
    for link in [
        "N.a",
        "N()",
        "N['a']",
        "getattr(N, 'a')",
        "(N or c)",
        "(N if c else d)",
    ] {
        let mut text = "import os\nb0 = os\n".to_owned();
        for number in (1..300).rev() {
            let value = link.replace('N', &format!("b{}", number - 1));
            writeln!(text, "b{number} = {value}").unwrap();
        }
        texts.push(text + "b299.a\n");
    }
    texts
}

#[test]
fn the_callers_stack_holds_what_is_read_on_it() {
    // The smallest stack a caller may have to spare: that of a test thread is 2 MiB.
    let reader = std::thread::Builder::new().stack_size(1024 * 1024);
    let reader = reader.spawn(|| {
        let depth = DEPTH_ON_CALLER as usize / 2;
        for text in nested(depth).into_iter().chain(nested_blocks(depth)) {
            read(&text);
        }
        for text in long_trails() {
            read(&text);
            let inside = " ".repeat(70) + &text.replace('\n', &format!("\n{}", " ".repeat(70)));
            read(blocks_around(&inside));
        }
    });
    reader.unwrap().join().unwrap();
}

#[test]
fn nesting_beyond_the_bound_is_refused() {
    for text in nested(100_000) {
        let analysis = read(&text);
        assert!(!analysis.is_complete());
        assert_eq!(analysis.execution_class, ExecutionClass::Unbounded);
    }
    let (line, message) = first_problem(format!(
        "x = {}{}",
        "(".repeat(100_000),
        ")".repeat(100_000)
    ));
    assert_eq!(
        (line, message.as_str()),
        (None, "nested deeper than 4000 levels; not read")
    );
    let (_, message) = first_problem("(".repeat(100_000));
    assert!(
        message.contains("brackets or quotes do not match"),
        "{message}"
    );
    let (_, message) = first_problem("a+".repeat(1_000_000) + "a");
    assert!(message.contains("tokens"), "{message}");
    let (_, message) = first_problem(" ".repeat(5 * 1024 * 1024));
    assert!(message.contains("MiB"), "{message}");
}

/// After a syntax error the parser can nest without brackets or indentation to show for it.
#[test]
fn trees_of_broken_programs_are_freed() {
    for part in [
        "yield \nfor \n match ",
        "for \n match x:\n",
        "class A\n match \n",
        "while \n  async match \n",
        "try:\n match y\n",
        "with \n match f'{a}'\n",
        "def f(\n):\n match x\n",
    ] {
        let analysis = read(part.repeat(20_000));
        assert!(!analysis.is_complete(), "{part}");
    }
}

#[test]
fn long_but_flat_programs_are_read() {
    for text in [
        "if a:\n x()\n".to_owned() + &"elif b:\n y()\n".repeat(20_000),
        format!("x = {}", "'a' ".repeat(50_000)),
        format!("x = [{}]", "1, ".repeat(50_000)),
        format!("x = [{}]", "(1, -2, f(3)),\n".repeat(20_000)),
        "x = 1\n".repeat(50_000),
        "import os\n".repeat(20_000),
        "def f(): f\n".repeat(20_000),
        "@a\n".repeat(20_000) + "def f(): pass",
    ] {
        let analysis = understood(&text);
        assert!(analysis.instructions > 10, "{}", analysis.instructions);
    }
}

#[test]
fn chains_of_names_do_not_take_long() {
    let mut names = String::from("a0 = 1\nb0 = os\nimport os\n");
    for number in 1..20_000 {
        let before = number - 1;
        writeln!(names, "a{number} = a{before} + a{before}").unwrap();
        writeln!(names, "b{number} = b{before} or b{before}").unwrap();
    }
    names += "range(a19999)\nb19999.system('x')\n";
    // Too long to follow is a fine answer, silence is not.
    let analysis = read(&names);
    assert!(!analysis.is_complete() || analysis.host_calls.contains("os.system"));

    let backwards: String = (0..5_000)
        .rev()
        .map(|number| format!("b{} = b{number}.c\n", number + 1))
        .collect();
    read(format!("import os\nb5000.x\n{backwards}b0 = os\n"));
}

#[test]
fn a_long_chain_does_not_hide_its_beginning() {
    for link in [".a", ".a()", "[0]", ".a[0]"] {
        let text = format!("import os\nos.environ{}\n", link.repeat(1000));
        let analysis = read(&text);
        let is_seen = analysis.capabilities.contains(&Capability::Environment);
        assert!(is_seen || !analysis.is_complete(), "{link}");
    }
}

#[test]
fn syntax_errors_are_located() {
    for (text, line) in [
        ("x = 1\ny = (\n", Some(3)),
        ("x = 1\nif x\n  pass\n", Some(2)),
        ("print 'old'\n", Some(1)),
        ("try:\n  pass\nexcept E, e as f:\n  pass\n", Some(3)),
        ("exec 'old'\n", Some(1)),
        ("x = 1\r\ny = )\r\n", Some(2)),
        ("x = 'abc\n", Some(1)),
        ("if a:\n  b\n c\n", Some(3)),
        ("x = 0777", Some(1)),
    ] {
        let problem = first_problem(text);
        assert!(
            problem.1.starts_with("syntax error: "),
            "{text}: {problem:?}"
        );
        assert_eq!(problem.0, line, "{text}: {problem:?}");
    }
}

#[test]
fn a_broken_program_is_read_as_far_as_it_goes() {
    let analysis = read("import os\nos.system('x')\nprint 'old'\nimport socket\n");
    assert!(analysis.capabilities.contains(&Capability::Processes));
    assert!(analysis.capabilities.contains(&Capability::Network));
    assert!(!analysis.is_complete());
}

#[test]
fn strange_text_is_read_as_python_reads_it() {
    for text in [
        "import os\r\nos.system('x')\r\n",
        "import os\ros.system('x')\r",
        "\x0Cimport os\n\x0Cos.system('x')\n",
        "\u{feff}import os\nos.system('x')",
        "# coding: utf-8\nimport os\nos.system('é')",
        "# coding: latin-1\nimport os\nos.system('x')",
        "if 1:\n\timport os\n\tos.system('x')",
        "import os\nos.\\\nsystem('x')",
    ] {
        assert!(
            understood(text).host_calls.contains("os.system"),
            "{text:?}"
        );
    }
    assert!(read(b"# coding: latin-1\nimport os\nos.system('\xE9')").is_complete());
}

#[test]
fn text_that_can_hide_code_is_not_read() {
    for text in [
        &b"x = 1\0\nimport os\n"[..],
        b"x = '\xFF'\n",
        b"# coding: utf-7\nx = 1\n",
        b"# coding: cp1252\nx = '\xE9'\n",
        b"\xEF\xBB\xBF# coding: latin-1\nx = 1\n",
    ] {
        let analysis = read(text);
        assert!(!analysis.is_complete());
        assert_eq!(analysis.instructions, 0);
    }
}

const PIECES: &[&str] = &[
    "import os",
    "os",
    ".system",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "=",
    ":",
    ",",
    "\n",
    "\n  ",
    "if ",
    "def f",
    "class A",
    "lambda ",
    "for x in ",
    "while ",
    "getattr",
    "exec",
    "eval",
    "__import__",
    "'os'",
    "'a'+",
    "*",
    "**",
    "+",
    "-",
    "1",
    "10",
    "range",
    "x",
    "y",
    "f'{",
    "}'",
    ":=",
    "return ",
    "yield ",
    "globals()",
    ".__dict__",
    "match x:",
    "case ",
    "@",
    "try:",
    "except ",
    "with ",
    "as ",
    "from os import ",
    "1e9",
    "<<",
    "'''",
    "\"",
    "#",
    "\\",
    "async ",
    "await ",
    "open",
    "join",
];

proptest! {
    #[test]
    fn programs_in_pieces_are_read(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..80)
    ) {
        let analysis = read(pieces.concat());
        let is_flagged = analysis.capabilities.contains(&Capability::Unanalyzed);
        prop_assert_eq!(is_flagged, !analysis.problems.is_empty());
    }

    #[test]
    fn repeated_pieces_are_read(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 1..6),
        times in 1..2000_usize,
    ) {
        read(pieces.concat().repeat(times));
    }
}
