//! What counts as certain, what is only guessed, and what guessing may cost.

use Capability::*;

use super::super::collect::Collector;
use super::super::names::Names;
use super::super::{fold, parse};
use super::*;

/// Ways to give `name` another value, or to make it another name.
const REBINDINGS: &[&str] = &[
    "globals()['name'] = x",
    "globals().update(x)",
    "locals()['name'] = x",
    "vars()['name'] = x",
    "import __main__\n__main__.name = x",
    "import __main__ as m\nsetattr(m, 'na' + 'me', x)",
    "import sys\nsys.modules[__name__].name = x",
    "from sys import modules as m\nm['__ma' + 'in__'].name = x",
    "import sys\nsys._getframe().f_locals['name'] = x",
    "import builtins\nbuiltins.str = x",
    "import importlib\nimportlib.import_module(__name__).name = x",
    "import inspect\ninspect.currentframe().f_locals['name'] = x",
    "import own\nown.name = x",
    "setattr(x, 'name', y)",
    "setattr(x, y, z)",
    "for key in ('a', 'name'): setattr(x, key, y)",
    "getattr(f, x)['name'] = y",
    "g = getattr\ng(f, '__globals__')['name'] = y",
    "def f(): pass\nf.__globals__['name'] = y",
    "def f(): pass\nf.__code__ = y",
    "from operator import attrgetter as get\nget(x)(y)['name'] = z",
    "class M(type):\n def __prepare__(*a): return x\nclass A(metaclass=M): pass",
    "match f:\n case object(__globals__=g): g['name'] = y",
    "import string\nstring.Formatter().get_field(x, y, z)",
    "from near import *",
    "for name in x: pass",
    "name += x",
    "def f(name): pass",
    "def f():\n global name\n name = x",
    "with x as name: pass",
    "try: pass\nexcept E as name: pass",
    "import x as name",
    "class name: pass",
    "match x:\n case name: pass",
    "match x:\n case [*name]: pass",
    "[name := x]",
    "def f[name](): pass",
    "del name",
    "name, y = x",
    "[x for name in y]",
    "type name = x",
    "lambda name: x",
    "exec('name = x')",
    "breakpoint()",
];

#[test]
fn a_name_is_certain_only_when_nothing_else_can_bind_it() {
    let text = "name = 'system'\nimport os\ngetattr(os, name)()";
    assert!(read(text).is_complete());
    for rebinding in REBINDINGS {
        let text = format!("name = 'getcwd'\n{rebinding}\nimport os\ngetattr(os, name)()");
        assert!(!read(&text).is_complete(), "{text}");
        let text = format!("name = 'print(1)'\n{rebinding}\nexec(name)");
        assert!(!read(&text).is_complete(), "{text}");
    }
}

#[test]
fn wrong_values_are_not_certain() {
    for name in [
        "chr(10**40 % 7 + 100)",
        "str(2**200 - 2**200)",
        "str(True)",
        "f'{True}'",
        "f'{name!r}'",
        "f'{name:>9}'",
        "chr(len({1, 1}))",
        "''.join([*x])",
        "'É'.lower()",
        "'\\x1cget'.strip()",
        "b'get'.decode('utf-16')",
        "bytearray(b'get').decode()",
        "'get'.encode('utf-7').decode()",
        "base64.b64decode('Z2V0', altchars=b'+-').decode()",
        "base64.b64decode('Z2V0').decode()",
        "bytes.fromhex('676574').decode()",
        "'%s' % 'get'",
        "chr(sys.maxsize % 103)",
        "str(2.5 ** 3.3)",
        "['get', 'set'][0]",
    ] {
        let text = format!("import os, sys, base64\nname = 'get'\ngetattr(os, {name})");
        assert!(!read(&text).is_complete(), "{text}");
    }
    // Functions that the program has made its own compute what they like.
    for text in [
        "def chr(x): return 'system'\nimport os\ngetattr(os, chr(103) + 'etcwd')",
        "str = f\nimport os\ngetattr(os, str('getcwd'))",
        "map = f\nimport os\ngetattr(os, ''.join(map(chr, [103])))",
        "from near import reversed\nimport os\ngetattr(os, ''.join(reversed('dwcteg')))",
        "from near import *\nimport os\ngetattr(os, chr(103))",
    ] {
        assert!(!read(text).is_complete(), "{text}");
    }
}

#[test]
fn what_is_put_together_is_read_and_not_trusted() {
    for text in [
        "import base64\nb = 'aW1wb3J0IHNvY2tldA=='\nexec(base64.b64decode(b))",
        "text = 'tekcos tropmi'\nglobals()\nexec(text[::-1])",
        "codes = [105,109,112,111,114,116,32,115,111,99,107,101,116]\nexec(bytes(codes).decode())",
        "exec(' '.join('import|socket'.split('|')))",
        "exec(''.join(chr(c) for c in [105,109,112,111,114,116,32,115,111,99,107,101,116]))",
        "from binascii import unhexlify as u\nexec(u('696d706f727420736f636b6574'))",
        "parts = ('soc', 'ket')\n__import__(parts[0] + parts[1])",
        "__import__('sxoxcxkxextx'[::2]) if x else __import__(y)",
        "exec('import %s' % 'socket')",
        "globals()['x'] = 1\nname = 'import socket'\nexec(name)",
        "import codecs\nexec(codecs.decode('vzcbeg fbpxrg', 'rot13'))",
    ] {
        let found = read(text);
        assert!(found.capabilities.contains(&Network), "{text}");
        assert!(!found.is_complete(), "{text}");
    }
}

#[test]
fn names_that_are_the_programs_own_are_not_the_built_in_functions() {
    for text in [
        "def eval(x):\n  return eval(x[1:]) if x else 0\neval('ab')",
        "def f(exec):\n  return [exec, exec + 1]\nf(3)",
        "def f():\n  def compile(x):\n    return x\n  return compile",
        "for eval in [1, 2]:\n  print(eval)",
        "eval = lambda x: x\nprint(eval(3))",
        "print([exec for exec in range(3)])",
        "class eval:\n  pass\neval()",
        "def breakpoint(x): return x\nbreakpoint(3)",
    ] {
        let found = understood(text).capabilities;
        assert!(!found.contains(&DynamicCode), "{text}: {found:?}");
    }
    for text in [
        "eval('x' + y)\ndef eval(x): pass",
        "def eval(x): pass\ndel eval\neval(y)",
        "if y:\n  def eval(x): pass\neval(y)",
        "class A:\n  if y:\n    eval = 3\n  z = eval(y)",
        "def f():\n  global eval\n  del eval\ndef eval(x): pass\neval(y)",
        "class A:\n  def eval(self):\n    return eval(self.text)",
        "for eval in y:\n  pass\neval(z)",
        "for eval in y:\n  break\nelse:\n  eval(z)",
        "def eval(x, y=eval(z)): pass",
        "print([eval for x in [eval(y)]])",
        "def eval(x): pass\nglobals().pop('eval')\neval(y)",
        "def eval(x): pass\nimport __main__\ndel __main__.eval\neval(y)",
        "def eval(x): pass\ndel (eval, x)\neval(y)",
        "try:\n  pass\nexcept E as eval:\n  pass\neval(y)",
        "eval = 3\ntry:\n  x()\nexcept E as eval:\n  pass\neval(y)",
        "@now\ndef eval(x):\n  return eval(x)",
        "@eval\ndef eval(x): pass",
        "def f[eval](): return eval\neval(y)",
        "def eval[T: eval(y)](x): pass",
        "def f(): return eval(y)\nf()\ndef eval(x): pass",
        "eval += x",
        "def f(eval):\n  class A:\n    eval = eval\n    r = eval(y)",
        "def f(eval):\n  class A:\n    r = eval(y)\n    eval = 3",
        "def eval(x): pass\nfrom near import eval\neval(y)",
        "import near as eval\neval.f(y)\neval(z)",
        "from near import eval\neval(y)",
        "from near import *\ndef eval(x): pass\neval(y)",
        "class eval:\n  def __init_subclass__(cls): eval(y)\nclass B(eval): pass\n",
        "while y:\n  def eval(x): pass\neval(y)",
        "match y:\n  case eval: pass\neval(y)",
        "exec('del eval')\ndef eval(x): pass\neval(y)",
    ] {
        let found = read(text).capabilities;
        let is_seen = found.contains(&DynamicCode) || found.contains(&Unanalyzed);
        assert!(is_seen, "{text}: {found:?}");
    }
}

#[test]
fn names_of_attributes_are_judged_by_what_is_certain_of_them() {
    for text in [
        "getattr(x, f'visit_{kind}')",
        "getattr(x, 'visit_' + kind)",
        "getattr(x, 'visit_%s' % kind)",
        "getattr(x, 'load_{}'.format(kind))",
        "for name in ('a', 'b'): getattr(x, name)",
        "setattr(x, 'level', 3)",
        "FIELDS = ['a']\nprint([getattr(x, name) for name in FIELDS])",
        "from operator import attrgetter\nattrgetter('a.b')(x)",
        "import http\nhttp.HTTPStatus(404)",
    ] {
        assert_eq!(understood(text).capabilities, BTreeSet::new(), "{text}");
    }
    for text in [
        "getattr(x, kind)",
        "getattr(x, f'{kind}')",
        "getattr(x, f'_{kind}')",
        "getattr(x, f'__{kind}')",
        "getattr(x, f'f_{kind}')",
        "getattr(x, kind + 'visit_')",
        "class A:\n def __radd__(a, b): return c\ngetattr(x, 'visit_' + A())",
        "A = type('A', (), y)\ngetattr(x, 'visit_' + A())",
        "getattr(x, '{}visit'.format(kind))",
        "getattr(x, '{{}}{}'.format(kind))",
        "getattr(x, *names)",
        "for name in ('a', '__dict__'): getattr(x, name)",
        "for name in ('a', y): getattr(x, name)",
        "name = y\nfor name in ('a', 'b'): getattr(x, name)",
        "FIELDS = ['a']\nFIELDS.append(y)\nprint([getattr(x, name) for name in FIELDS])",
        "FIELDS = OTHER = ['a']\nOTHER[0] = y\nfor name in FIELDS: getattr(x, name)",
        "f(FIELDS := ['a'])\nfor name in FIELDS: getattr(x, name)",
        "setattr(x, '__class__', y)",
        "setattr(x, *y)",
        "from operator import attrgetter\nattrgetter(y)(x)",
        "from operator import attrgetter\nattrgetter('a.__dict__')(x)",
        "'{0.__init__.__globals__}'.format(x)",
        "text = '{p.__cl' + 'ass__.__mro__}'\nstr.format(text, p=x)",
        "match x:\n case object(__globals__=g): pass",
    ] {
        assert!(capabilities(text).contains(&Introspection), "{text}");
    }
}

/// What one program costs: steps and bytes of folding, bytes that are kept, steps of paths.
fn cost(text: &str) -> [u64; 4] {
    let program = parse(text).unwrap();
    let mut collector = Collector::default();
    collector.body(program.suite());
    let names = collector.into_names();
    let mut findings = crate::findings::Findings::default();
    let inner = std::collections::HashSet::new();
    let lines = super::super::source::Lines::One(1);
    let mut reader = super::super::reader::Reader::new(&names, lines, &inner, &mut findings);
    reader.body(program.suite());
    let spent = names.spent();
    [
        spent.fold_steps.get(),
        spent.value_bytes.get(),
        spent.kept_bytes.get(),
        spent.path_steps.get(),
    ]
}

/// Programs of so many units that ask for values twice as large each time, or for every way
/// through calls inside calls.
fn bombs(units: usize) -> Vec<String> {
    let lines = |first: &str, line: &dyn Fn(usize) -> String| {
        let lines: String = (0..units).map(line).collect();
        format!("import os, functools, base64\n{first}\n{lines}")
    };
    vec![
        lines("a0 = 'x'", &|i| {
            format!("a{} = a{i} + a{i}\ngetattr(o, a{i})\n", i + 1)
        }),
        lines("a0 = 'x'", &|i| {
            format!("a{} = f'{{a{i}}}{{a{i}}}'\ngetattr(o, a{i})\n", i + 1)
        }),
        lines("a0 = 'x'", &|i| {
            format!("a{} = '%s%s' % (a{i}, a{i})\n__import__(a{i})\n", i + 1)
        }),
        lines("a0 = ['x', 'y']", &|i| {
            format!("a{} = [a{i}, a{i}]\nf''.join(a{i})\n", i + 1)
        }),
        lines("a0 = 'aa'", &|i| {
            format!("a{} = a{i}.replace('a', 'aa')\nopen(a{i}, a{i})\n", i + 1)
        }),
        lines("a0 = 'a'", &|i| {
            format!("a{} = a{i}.join(a{i})\nopen(a{i}, a{i})\n", i + 1)
        }),
        lines("a0 = b'a'", &|i| {
            format!("a{} = a{i} * 2\nexec(a{i}.decode())\n", i + 1)
        }),
        lines(&format!("a = '{}'", "QUFB".repeat(900)), &|_| {
            "exec(base64.b64decode(a))\n".into()
        }),
        lines("g = getattr if x else functools.partial\na0 = os", &|i| {
            format!("a{} = g(a{i}, a{i}) or g(a{i})\ng(a{i}, 'system')\n", i + 1)
        }),
        lines(
            "g = getattr if x else functools.partial if y else vars",
            &|i| {
                let depth = i % 40;
                format!("{}os{}\n", "g(".repeat(depth), ", 'path')".repeat(depth))
            },
        ),
    ]
}

#[test]
fn values_that_double_cost_no_more_than_their_programs_are_long() {
    for units in [4, 16, 64, 256, 1024] {
        for text in bombs(units) {
            let [steps, bytes, kept, paths] = cost(&text);
            let length = text.len() as u64;
            let start = text.get(..80).unwrap_or(&text);
            assert!(
                steps <= (64 * length).min(1 << 20),
                "{steps} steps: {start}"
            );
            assert!(
                bytes <= (4096 * length).min(16 << 20),
                "{bytes} bytes: {start}"
            );
            assert!(kept <= 1 << 20, "{kept} bytes are kept: {start}");
            assert!(paths <= (1 << 16) + 8 * length, "{paths} paths: {start}");
        }
    }
}

#[test]
fn no_value_is_larger_than_a_text_may_be() {
    for text in [
        "'ab' * 5000",
        "'a'.replace('a', 'b' * 4000) + 'c' * 4000",
        "'-'.join('a' * 4000)",
        "'%s%s' % ('a' * 4000, 'b' * 4000)",
        "'{}{}'.format('a' * 4000, 'b' * 4000)",
        "'-'.join(['a' * 3000, 'b' * 3000])",
        "bytes([1]) * 5000",
        "('a ' * 2048).split()",
    ] {
        let program = parse(text).unwrap();
        let expr = &program
            .suite()
            .first()
            .unwrap()
            .as_expr_stmt()
            .unwrap()
            .value;
        let bytes = fold::guess(expr, &Names::default()).map_or(0, |value| value.bytes());
        assert!(bytes <= 64 * 1024, "{bytes}: {text}");
    }
}
