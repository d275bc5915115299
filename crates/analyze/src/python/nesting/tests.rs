//! Holds the bound against the trees the parser really makes.

use proptest::prelude::*;
use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_expr, walk_pattern, walk_stmt,
};
use ruff_python_ast::{Expr, Pattern, Stmt};

use super::*;

/// Levels that every tree has: a class, a statement in its line, the innermost leaf, and one for a
/// list of comparisons or conditions that are flat.
const LEVELS_OF_A_LEAF: u32 = 5;

#[derive(Default)]
struct Depth {
    now: u32,
    deepest: u32,
}

impl Depth {
    fn enter(&mut self) {
        self.now += 1;
        self.deepest = self.deepest.max(self.now);
    }
}

impl<'a> SourceOrderVisitor<'a> for Depth {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        self.enter();
        walk_stmt(self, stmt);
        self.now -= 1;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        self.enter();
        walk_expr(self, expr);
        self.now -= 1;
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        self.enter();
        walk_pattern(self, pattern);
        self.now -= 1;
    }
}

/// How deeply the parser's tree of a text really nests, and whether it has errors.
fn tree_depth(text: &str) -> (u32, bool) {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(256 * 1024 * 1024)
            .spawn_scoped(scope, || {
                let program = crate::python::parse(text).unwrap();
                let mut depth = Depth::default();
                depth.visit_body(program.suite());
                (depth.deepest, program.has_invalid_syntax())
            })
            .unwrap()
            .join()
            .unwrap()
    })
}

fn assert_bounded(text: &str) {
    let (depth, is_broken) = tree_depth(text);
    let bound = match Shape::of(text) {
        _ if is_broken => bound_if_broken(text),
        Shape::AtMost(bound) => bound,
        shape => panic!("{shape:?} without a syntax error: {text:?}"),
    };
    assert!(
        depth <= bound + LEVELS_OF_A_LEAF,
        "{depth} > {bound}: {text:?}"
    );
}

#[test]
fn everything_that_nests_is_counted() {
    let repeated = |part: &str| part.repeat(500);
    let texts = [
        format!("x = {}1{}", repeated("("), repeated(")")),
        format!("x = {}1{}", repeated("[1, "), repeated("]")),
        format!("x = {}1{}", repeated("{1: "), repeated("}")),
        format!("x = {}1", repeated("-")),
        format!("x = {}1", repeated("not ")),
        format!("x = {}1", repeated("2 ** ")),
        format!("x = {}1", repeated("1 + ")),
        format!("x = {}1", repeated("a if b else ")),
        format!("x = {}1", repeated("lambda: ")),
        format!("x = {}1", repeated("lambda a, b=1: ")),
        format!("x = {}1", repeated("lambda a=lambda: 1, b=2: ")),
        format!("x = {}1", repeated("await ")),
        format!("x = {}1", repeated("yield a, ")),
        format!("x = a{}", repeated(".b")),
        format!("x = a{}", repeated("(1)")),
        format!("x = a{}", repeated("[1]")),
        format!("x = {}1{}", repeated("a[1:"), repeated("]")),
        format!("x = {}1{}", repeated("f'{"), repeated("}'")),
        format!("x = {}1{}", repeated("f(*"), repeated(")")),
        format!("x = {}1{}", repeated("f(a=1, b="), repeated(")")),
        format!("x = f'{{1:{}2{}}}'", repeated("{1:"), repeated("}")),
        format!("match x:\n case {}1{}: pass", repeated("["), repeated("]")),
        format!(
            "match x:\n case {}y{}: pass",
            repeated("A(b="),
            repeated(")")
        ),
        format!("match x:\n case a{}: pass", repeated(".b")),
        format!("@a{}\ndef f(): pass", repeated(".b")),
        format!("{} x", repeated("async ")),
        format!("{}x", repeated("if a: ")),
        format!("{}x = 1", repeated("a := ")),
        (0..500)
            .map(|depth| format!("{}if a:\n", " ".repeat(depth)))
            .collect(),
        (0..500)
            .map(|depth| format!("{}match a:\n", "\t".repeat(depth)))
            .collect(),
    ];
    for text in texts {
        assert_bounded(&text);
    }
}

#[test]
fn ordinary_programs_have_low_bounds() {
    let table = format!(
        "x = [\n{}]\n",
        "    (1, 'a', -2.5, f(1, 2)),\n".repeat(5000)
    );
    let chain = "if a == 1:\n  f(1)\n".to_owned() + &"elif a == 2:\n  f(2)\n".repeat(5000);
    let texts = format!("x = ({})", "'a' ".repeat(5000));
    let handlers = format!("x = {{{}}}", "'a': lambda a, b: a + b,\n".repeat(5000));
    for text in [table, chain, texts, handlers] {
        let Shape::AtMost(bound) = Shape::of(&text) else {
            panic!("refused");
        };
        assert!(bound < 20, "{bound}");
        assert_bounded(&text);
    }
}

#[test]
fn hostile_programs_have_high_bounds() {
    let many = 100_000;
    for text in [
        format!("{}{}", "(".repeat(many), ")".repeat(many)),
        format!("x = {}1", "-".repeat(many)),
        format!("x = {}1", "not ".repeat(many)),
        format!("x = {}1", "lambda:".repeat(many)),
        format!("x = a{}", ".a".repeat(many)),
    ] {
        assert!(matches!(Shape::of(&text), Shape::AtMost(bound) if bound >= 100_000));
    }
    assert_eq!(Shape::of(&"a+".repeat(1_000_000)), Shape::TooManyTokens);
    assert_eq!(Shape::of(&"a\n".repeat(many * 4)), Shape::TooManyTokens);
    assert!(bound_if_broken(&"(".repeat(many)) >= 100_000);
}

#[test]
fn text_that_does_not_lex_is_broken() {
    for text in ["(", "f(1", "x = (1]\n", "f'{", "lambda x\n", "x = $"] {
        assert_eq!(Shape::of(text), Shape::Broken, "{text:?}");
    }
    assert_eq!(bound_if_broken("0xfor 1if 1else 1"), 3);
}

/// Pieces that make programs which are mostly broken, in many different ways.
const PIECES: &[&str] = &[
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "+",
    "-",
    "**",
    "not ",
    "await ",
    "lambda ",
    "lambda:",
    ":",
    ",",
    "if ",
    " else ",
    "yield ",
    "*",
    ".",
    "a",
    " b ",
    "1",
    "=",
    ":=",
    "for ",
    " in ",
    "is ",
    "and ",
    "f'{",
    "}'",
    "f\"",
    "\"",
    "'",
    "f'''",
    "'''",
    "!r",
    "!",
    ";",
    "\n",
    "\n ",
    "\n  ",
    "\n    ",
    "\n\t",
    "\n        ",
    "\\\n",
    "#",
    "def f(",
    "class A",
    "match ",
    "case ",
    "async ",
    "with ",
    "try:",
    "except ",
    "@",
    "->",
    "import ",
    "from ",
    "return ",
    "del ",
    "~",
    "<",
    "x ",
    "|",
    "é",
];

proptest! {
    #[test]
    fn no_tree_is_deeper_than_its_bound(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..120)
    ) {
        assert_bounded(&pieces.concat());
    }

    /// The same piece again and again goes deeper than chance does.
    #[test]
    fn no_repetition_is_deeper_than_its_bound(
        start in proptest::collection::vec(proptest::sample::select(PIECES), 0..6),
        again in proptest::collection::vec(proptest::sample::select(PIECES), 1..6),
        end in proptest::collection::vec(proptest::sample::select(PIECES), 0..6),
        times in 1..200_usize,
    ) {
        let text = format!("{}{}{}", start.concat(), again.concat().repeat(times), end.concat());
        assert_bounded(&text);
    }
}
