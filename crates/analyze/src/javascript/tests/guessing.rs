//! What is guessed and never trusted, which names are the program's own, and what it costs.

use super::super::bindings::Bindings;
use super::super::reader::Reader;
use super::super::{GRAMMAR, scopes};
use super::*;
use crate::findings::Findings;
use crate::tree;

#[test]
fn what_is_put_together_is_read_and_not_trusted() {
    for text in [
        "const part = 'child_'; require(part + 'process').exec('x')",
        "const kit = require('ssecorp_dlihc'.split('').reverse().join('')); kit.exec('x')",
        "const n = Buffer.from('Y2hpbGRfcHJvY2Vzcw==', 'base64').toString(); require(n).exec('x')",
        "const m = ['a', 'child_process']; const kit = require(m[1]); kit.exec('x')",
        "const t = 'process'; f(import(`child_${t}`))",
        "eval(\"require('child\" + \"_process').exec('x')\")",
        "const k = 'child_process'; process.getBuiltinModule(k).exec('x')",
        "const c = [99, 104, 105, 108, 100, 95, 112, 114, 111, 99, 101, 115, 115];\
         require(String.fromCharCode(...c)).exec('x')",
    ] {
        let found = read(text);
        assert!(found.capabilities.contains(&Processes), "{text}");
        assert!(!found.is_complete(), "{text}");
    }
    for text in [
        "const step = 'constr' + 'uctor'; ''[step][step]('return 1')()",
        "const make = (async () => {}).constructor; make('x')",
        "const Make = Object.getPrototypeOf(function* () {}).constructor; new Make('x')",
        "eval.call(null, 'x')",
        "const f = Function.bind(null)",
        "\\u0065val(x)",
        "const t = 'a()'; setTimeout(t, 1)",
        "Function('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', x)",
        "f(globalThis)",
        "const load = require; load(x)",
        "process.binding('spawn_sync')",
    ] {
        assert!(!read(text).is_complete(), "{text}");
    }
}

#[test]
fn modules_are_seen_under_other_names_and_spellings() {
    for text in [
        "const load = require; const kit = load('child_process'); kit.exec('x')",
        "function f() { const kit = load('child_process'); kit.exec('x') } const load = require",
        "import { createRequire as c } from 'module'; const l = c(u); l('child_process')",
        "require('child\\\n_process').exec('x')",
        "\\u0072equire('child_process').exec('x')",
        "require('child_process').\\u0065xec('x')",
        "function f() { const process = 3; } process.binding('x')",
        "{ let require = 3; } require('child_process').exec('x')",
        "var require; require('child_process').exec('x')",
        "function f(require = globalThis.q) {} require('child_process').exec('x')",
        "const x = { [require('child_process').exec('x')](require) {} }",
        "const require = 3; with (globalThis) { process.binding('x') }",
        "var module; module.require('child_process').exec('x')",
    ] {
        let found = read(text).capabilities;
        let is_seen = found.contains(&Processes) || found.contains(&NativeCode);
        assert!(is_seen, "{text}: {found:?}");
    }
}

#[test]
fn names_that_the_program_declares_are_its_own_there() {
    for text in [
        "function fetch(a) { return a } fetch(1)",
        "function each(self, key) { return self[key] }",
        "function f() { const self = this; return self[x] }",
        "class Proxy {} new Proxy()",
        "for (const fetch of [1]) fetch + 1",
        "try { f() } catch (process) { g(process) }",
        "import fetch from './own.js'; fetch()",
        "function f() { var fetch = 3; return fetch }",
    ] {
        let found = read(text);
        assert!(found.is_complete(), "{text}: {:?}", found.problems);
        let is_seen = [Network, Processes, Introspection, NativeCode]
            .iter()
            .any(|one| found.capabilities.contains(one));
        assert!(!is_seen, "{text}: {:?}", found.capabilities);
    }
    for text in [
        "{ const fetch = 1 } fetch('x')",
        "function f(fetch) {} fetch('x')",
        "if (x) { function fetch() {} } fetch('x')",
        "var fetch; fetch('x')",
        "const o = { [fetch('x')](fetch) {} }",
        "const fetch = 1; with (globalThis) { fetch('x') }",
        "const self = globalThis; self.fetch('x')",
        "function f(fetch = fetch) {} f(fetch)",
        "for (const fetch of [1]) {} fetch('x')",
    ] {
        assert!(read(text).capabilities.contains(&Network), "{text}");
    }
}

#[test]
fn values_that_double_cost_no_more_than_their_programs_are_long() {
    for units in [4, 16, 64, 256, 1024] {
        let lines = |first: &str, line: &dyn Fn(usize) -> String| {
            let lines: String = (0..units).map(line).collect();
            format!("{first};\n{lines}")
        };
        for text in [
            lines("const a0 = 'x'", &|i| {
                format!("const a{} = a{i} + a{i}; require(a{i});\n", i + 1)
            }),
            lines("const a0 = 'x'", &|i| {
                format!("const a{} = `${{a{i}}}${{a{i}}}`;\n", i + 1)
            }),
            lines("const a0 = ['x']", &|i| {
                format!("const a{} = [a{i}, a{i}];\n", i + 1)
            }),
            lines("const a0 = 'xx'", &|i| {
                format!(
                    "const a{} = a{i}.replaceAll('x', a{i}); eval(a{i});\n",
                    i + 1
                )
            }),
            lines("const a0 = 'x y'", &|i| {
                format!(
                    "const a{} = a{i}.split(' ').join(a{i}); eval(a{i});\n",
                    i + 1
                )
            }),
            lines("const a = 'x'", &|i| {
                format!("o{}(a)\n", "[a".repeat(i % 40) + &"]".repeat(i % 40))
            }),
        ] {
            let script = tree::parse(GRAMMAR, text.as_bytes());
            let mut bindings = Bindings::new(&script, scopes::OwnNames::default());
            tree::walk(&script, script.tree().unwrap(), &mut bindings);
            let mut findings = Findings::default();
            let guesses = {
                let mut reader = Reader::new(&script, bindings, &mut findings);
                tree::walk(&script, script.tree().unwrap(), &mut reader);
                let guesses = &reader.bindings.guesses;
                (guesses.steps.get(), guesses.value_bytes.get())
            };
            let length = text.len() as u64;
            assert!(guesses.0 <= (64 * length).min(1 << 18), "{guesses:?}");
            assert!(guesses.1 <= (4096 * length).min(2 << 20), "{guesses:?}");
        }
    }
}
