use super::*;
use crate::read::read;

fn calls(text: &str) -> Vec<(String, Option<f64>)> {
    let shape = read(&wat::parse_str(text).unwrap()).unwrap();
    let imports = shape.imports.into_iter();
    imports
        .map(|import| (import.interface.name, import.calls_predicted))
        .collect()
}

/// A component whose function `run` has `body`; `$call` is the imported function.
fn caller(body: &str) -> String {
    format!(
        r#"(component
            (import "a:b/c" (instance $c (export "f" (func))))
            (core func $f (canon lower (func $c "f")))
            (core module $m
                (import "any" "name" (func $call))
                (func $twice call $call call $call)
                {body})
            (core instance $i (instantiate $m
                (with "any" (instance (export "name" (func $f)))))))"#
    )
}

fn predicted(body: &str) -> f64 {
    let calls = calls(&caller(body));
    assert_eq!(calls.len(), 1);
    calls[0].1.unwrap()
}

#[test]
fn a_call_in_straight_code_counts_once() {
    assert_eq!(predicted(r#"(func (export "run") call $call)"#), 1.0);
}

#[test]
fn code_that_nobody_runs_counts_nothing() {
    assert_eq!(predicted(r#"(func (export "run"))"#), 0.0);
}

#[test]
fn a_loop_counts_ten_times_and_loops_multiply() {
    let once = r#"(func (export "run") (loop call $call) call $call)"#;
    assert_eq!(predicted(once), 11.0);
    let nested = r#"(func (export "run") (loop (block (loop call $call))))"#;
    assert_eq!(predicted(nested), 100.0);
}

#[test]
fn calls_are_followed_through_functions() {
    let body = r#"(func (export "run") (loop call $twice))"#;
    assert_eq!(predicted(body), 20.0);
}

#[test]
fn recursion_ends() {
    let calls = predicted(r#"(func $r (export "run") (loop call $call call $r))"#);
    assert!(calls >= 10.0 && calls.is_finite(), "{calls}");
}

#[test]
fn an_import_is_found_by_name_where_wiring_cannot_be_followed() {
    // What tools make for functions with strings: the import goes through a module of its own.
    let text = r#"(component
        (import "a:b/c" (instance $c (export "f" (func))))
        (core module $shim (func (export "0")))
        (core instance $shim (instantiate $shim))
        (core module $m
            (import "a:b/c" "f" (func $f))
            (func (export "run") (loop call $f)))
        (core instance $i (instantiate $m
            (with "a:b/c" (instance (export "f" (func $shim "0")))))))"#;
    assert_eq!(calls(text), [("a:b/c".to_owned(), Some(10.0))]);
}

#[test]
fn an_import_that_nothing_shows_is_unknown() {
    let text = r#"(component (import "a:b/c" (instance (export "f" (func)))))"#;
    assert_eq!(calls(text), [("a:b/c".to_owned(), None)]);
}

#[test]
fn damaged_bytes_predict_nothing() {
    let bytes = wat::parse_str(caller("")).unwrap();
    for length in 0..bytes.len() {
        predict(&bytes[..length], &[]);
    }
    assert!(read(&[]).is_err());
}
