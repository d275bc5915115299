//! Components that call WASI 0.2.

use super::guest::Run;

#[test]
fn the_answer_of_run_is_the_exit_code() {
    for answer in [0, 1] {
        let text = format!(
            r#"(component
              (core module $main (func (export "run") (result i32) (i32.const {answer})))
              (core instance $main (instantiate $main))
              (func $run (result (result)) (canon lift (core func $main "run")))
              (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
        );
        assert_eq!(Run::text(&text).run().code(), answer);
    }
}
