//! Functions, loops, recursion, size and the numbers that size work.

use atoll_types::ExecutionClass;

use super::*;

fn literals(text: &str) -> Vec<(String, u64)> {
    let literals = understood(text).literals.into_iter();
    literals
        .map(|literal| (literal.role, literal.value))
        .collect()
}

fn literal(text: &str) -> (String, u64) {
    let literals = literals(text);
    assert_eq!(literals.len(), 1, "{text}: {literals:?}");
    literals.into_iter().next().unwrap()
}

#[test]
fn an_empty_program_has_nothing() {
    for text in [
        "",
        "\n\n",
        "# nothing\n",
        "\"\"\"Nothing.\"\"\"\n",
        "\u{feff}pass",
    ] {
        let analysis = understood(text);
        assert_eq!(analysis.functions + analysis.loops, 0);
        assert!(analysis.capabilities.is_empty() && analysis.dependencies.is_empty());
        assert_eq!(analysis.execution_class, ExecutionClass::Trivial);
    }
}

#[test]
fn functions_and_loops_are_counted() {
    let text = "
def f(a, b=lambda: 1):
    for x in a:
        while x:
            y = [z for z in x for w in z]
    for x in a: pass
class A:
    async def g(self):
        async for x in y: pass
        return {a: b for a in c}
";
    let analysis = understood(text);
    assert_eq!(analysis.lines, 10);
    assert_eq!(analysis.functions, 3);
    assert_eq!(analysis.loops, 7);
    assert_eq!(analysis.loop_nesting_max, 4);
    assert!(analysis.instructions > 40);
}

#[test]
fn loops_around_a_function_are_not_its_own() {
    let text = "
for x in y:
    def f():
        for z in w: pass
    g = lambda: [a for a in b]
";
    assert_eq!(understood(text).loop_nesting_max, 1);
}

#[test]
fn recursion_is_found_by_name() {
    for text in [
        "def f(n): return 1 if n < 2 else f(n - 1)",
        "def f(n):\n if n: g(n)\ndef g(n): f(n - 1)",
        "def f(x): return list(map(f, x)) if x else []",
        "f = lambda n: n and f(n - 1)\ndef g(): f(1) if g else g()",
        "class A:\n def walk(self):\n  if self.next: self.next.walk()",
        "class A:\n def f(self): return self.g() if self else 1\n def g(self): return self.f()",
        "class A:\n def __init__(self, n):\n  self.b = A(n - 1) if n else None",
        "def f():\n def g(): return f() if f else 1\n return g()",
    ] {
        assert!(understood(text).recursion, "{text}");
        assert!(understood(text).execution_class >= ExecutionClass::Medium);
    }
}

#[test]
fn calls_that_do_not_come_back_are_not_recursion() {
    for text in [
        "def f(): g()\ndef g(): h()\ndef h(): print(1)\nf()",
        "class A:\n def append(self, x): self.items.append(x)",
        "class A:\n def run(self): super().run()",
        "class A:\n def f(self): pass\nclass B:\n def f(self): A.g()\n def h(self): self.f()",
        "class A:\n def __init__(self): pass\nclass B:\n def __init__(self): self.a = A()",
    ] {
        assert!(!understood(text).recursion, "{text}");
    }
}

#[test]
fn endless_loops_are_unbounded() {
    for text in [
        "while True: pass",
        "while 1:\n for x in y: break",
        "run = True\nwhile run: print(1)",
        "while not False:\n def f(): return 1",
        "import itertools\nfor i in itertools.count(): print(i)",
        "def f(): f()",
        "class A:\n def f(self):\n  self.f()",
    ] {
        assert_eq!(
            understood(text).execution_class,
            ExecutionClass::Unbounded,
            "{text}"
        );
    }
}

#[test]
fn loops_with_a_way_out_are_bounded() {
    for text in [
        "while True:\n if x: break",
        "def f():\n while True:\n  for x in y: return x",
        "def f():\n while True: yield 1",
        "while True:\n try: x()\n except E: raise",
        "import sys\nwhile True: sys.exit()",
        "while x: pass",
        "run = True\nwhile run: run = step()",
        "import itertools\nfor i in itertools.count():\n  if i > 3: break",
        "def f(n):\n if n: f(n - 1)",
    ] {
        assert!(
            understood(text).execution_class < ExecutionClass::Unbounded,
            "{text}"
        );
    }
}

#[test]
fn numbers_that_size_work_are_found() {
    for (text, role, value) in [
        ("range(10)", "range", 10),
        ("range(5, 25, 2)", "range", 10),
        ("range(1000, 0, -1)", "range", 1000),
        ("N = 10 ** 6\nfor i in range(N): pass", "range", 1_000_000),
        ("N = 1_000\nM = N * N\nrange(M)", "range", 1_000_000),
        ("range(int(1e6))", "range", 1_000_000),
        ("range(1 << 20)", "range", 1 << 20),
        ("range(1 << 60)", "range", 1 << 60),
        ("[0] * 500", "repeat", 500),
        ("500 * 'ab'", "repeat", 1000),
        ("[a, b, c] * (2 * 50)", "repeat", 300),
        ("x = b'\\0' * 2 ** 30", "repeat", 1 << 30),
        ("bytearray(x) * 500", "repeat", 500),
        ("bytearray(1024 * 1024)", "bytearray", 1 << 20),
        ("2 ** 1000000", "power.bits", 1_000_000),
        ("9 ** 9 ** 9", "power.bits", 3 * 387_420_489),
        ("1 << 100000", "shift.bits", 100_000),
        ("import time\ntime.sleep(2.5)", "sleep.milliseconds", 2500),
        (
            "from time import sleep as s\ns(3)",
            "sleep.milliseconds",
            3000,
        ),
        (
            "import numpy as np\nnp.zeros((1000, 2000))",
            "array",
            2_000_000,
        ),
        ("import math\nmath.factorial(50000)", "factorial", 50_000),
        ("i = 0\nwhile i < 5000: i += 1", "while", 5000),
    ] {
        assert_eq!(literal(text), (role.to_owned(), value), "{text}");
    }
}

#[test]
fn numbers_beyond_64_bits_saturate() {
    let found = literals("range(10 ** 100)");
    assert!(found.contains(&("range".to_owned(), u64::MAX)), "{found:?}");
    let found = literals("x = [0] * 10 ** 100");
    assert!(
        found.contains(&("repeat".to_owned(), u64::MAX)),
        "{found:?}"
    );
}

#[test]
fn numbers_that_are_not_known_are_not_guessed() {
    for text in [
        "range(n)",
        "n = 5\nn = 6\nrange(n)",
        "n = 5\nn += 1\nrange(n)",
        "def f(n): range(n)",
        "range(10, 0)",
        "x ** 2",
        "x * 3",
        "2 ** 10",
        "a = a + 1\nrange(a)",
        "a = b\nb = a\nrange(a)",
    ] {
        assert_eq!(literals(text), [], "{text}");
    }
}
