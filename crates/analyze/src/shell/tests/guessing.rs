//! What is guessed and never trusted, which names mean functions, and what it costs.

use super::super::reader::Reader;
use super::super::{GRAMMAR, Trust, functions};
use super::*;
use crate::findings::Findings;
use crate::tree;

#[test]
fn what_is_put_together_is_read_and_not_trusted() {
    for text in [
        "a=cu; b=rl; $a$b x",
        "a=cu; a=${a}rl; $a x",
        "a='curl -s x'; $a",
        "a=(curl x); \"${a[@]}\"",
        "set -- curl x; \"$@\"",
        "$(printf '\\143url') x",
        "a=$(echo curl); \"$a\" x",
        "$'\\x63url' x",
        "bash <<'E'\ncurl $x\nE",
        "bash <<< 'curl x'",
        "a='curl x'; eval \"$a\"",
        "${A:-curl} x",
        "a=xcurl; ${a:1:4} x",
        "a=curl; b=a; ${!b} x",
    ] {
        let found = read(text);
        assert!(found.capabilities.contains(&Network), "{text}");
        assert!(!found.is_complete(), "{text}");
    }
    for text in [
        "a=ls; unset a; $a x",
        "a=ls; declare -n b=a; b=curl; $a x",
        "a=ls; builtin read a; $a x",
        "a=ls; printf -v a curl; $a x",
        "a=ls; a=curl & $a x",
        "a=ls; $a",
        "IFS=x; a=lsxcurl; $a",
        "a='*'; $a",
        "echo() { curl x; }; $(echo ls) x",
        "read; $REPLY x",
    ] {
        assert!(!read(text).is_complete(), "{text}");
    }
}

#[test]
fn patterns_are_not_names() {
    for text in [
        "/usr/bin/cu?l x",
        "/bin/moun[t] none /x",
        "cur* x",
        "nohup /usr/bin/cu*l x",
        "env A=1 /usr/bin/[c]url x",
        "{curl,x}",
        "sh -c c*",
        "eval c*",
        "trap c* EXIT",
    ] {
        assert!(!read(text).is_complete(), "{text}");
    }
    for text in ["[ -n \"$x\" ]", "ls *.txt", "rm -- a?", "[[ $x == a* ]]"] {
        assert!(read(text).is_complete(), "{text}");
    }
}

#[test]
fn a_function_hides_a_command_only_where_it_is_there() {
    for text in [
        "curl() { :; }; curl x",
        "curl() { :; }\nf() { curl x; }\nf",
        "f() { curl() { :; }; curl x; }",
        "curl() { :; }; trap curl EXIT",
        "curl() { :; }; unset x; curl x",
    ] {
        let found = read(text);
        assert!(!found.capabilities.contains(&Network), "{text}");
        assert!(found.is_complete(), "{text}: {:?}", found.problems);
    }
    for text in [
        "curl x; curl() { :; }",
        "f() { curl x; }; f; curl() { :; }",
        "if x; then curl() { :; }; fi; curl x",
        "x && curl() { :; }; curl x",
        "(curl() { :; }); curl x",
        "curl() { :; } & curl x",
        "curl() { :; } | x; curl x",
        "f() { curl() { :; }; }; curl x",
        "curl() { :; }; command curl x",
        "curl() { :; }; unset -f curl; curl x",
        "curl() { :; }; unset curl; curl x",
        "curl() { :; }; unset \"$x\"; curl x",
        "curl() { :; }; builtin unset -f curl; curl x",
        "curl() { :; }; eval 'unset -f curl'; curl x",
        "trap 'curl x' EXIT; exit; curl() { :; }",
        "hash -p /usr/bin/curl ls; ls x",
        "enable -n echo; echo x",
    ] {
        let found = read(text);
        let is_seen = found.capabilities.contains(&Network) || !found.is_complete();
        assert!(is_seen, "{text}: {:?}", found.capabilities);
    }
}

#[test]
fn values_that_double_cost_no_more_than_their_scripts_are_long() {
    for units in [4, 16, 64, 256, 1024] {
        let lines = |first: &str, line: &dyn Fn(usize) -> String| {
            let lines: String = (0..units).map(line).collect();
            format!("{first}\n{lines}")
        };
        for text in [
            lines("a0=x", &|i| format!("a{}=$a{i}$a{i}; $a{i}\n", i + 1)),
            lines("a0='x y'", &|i| {
                format!("a{}=\"$a{i} $a{i}\"; $a{i}$a{i}\n", i + 1)
            }),
            lines("a0=(x y)", &|i| {
                format!("a{}=(${{a{i}[@]}} ${{a{i}[@]}}); $a{i}\n", i + 1)
            }),
            lines("a0=x", &|i| {
                format!("a{}=$(printf '%s%s' $a{i} $a{i}); $a{i}\n", i + 1)
            }),
            lines(&format!("a='{}'", "x y ".repeat(900)), &|_| {
                "$a$a\n".to_owned()
            }),
        ] {
            let script = tree::parse(GRAMMAR, text.as_bytes());
            let mut findings = Findings::default();
            let mut trust = Trust::default();
            let functions = functions::Functions::default();
            let source = text.as_bytes();
            let mut reader = Reader::new(&script, source, functions, &mut trust, &mut findings);
            if let Some(tree) = script.tree() {
                tree::walk(&script, tree, &mut reader);
            }
            let length = text.len() as u64;
            let spent = (reader.guesses.steps, reader.guesses.made_bytes);
            assert!(spent.0 <= 64 * length + 64, "{spent:?}");
            assert!(spent.1 <= (1 << 20) + (1 << 17), "{spent:?}");
        }
    }
}
