//! A part that fails is an error of its caller, not its end.

use std::sync::Arc;
use std::time::Instant;

use atoll_wasm_worker::parts::{AfterTrap, CallFailed, Remote, Terms, Value, link_remote};
use wasmtime::component::{Linker, Val};

use crate::harness::{CALC, DEADLINE, EXPORT, Runtime, TERMS, executor};

#[test]
fn a_linked_part_takes_its_caller_along() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let mut app = runtime.linked().await;
        app.assert_works().await;
        let ended = app.call("check", &[Val::U32(2)]).await;
        assert!(ended.is_err());
        // This is what other stores are for.
        assert!(app.call("add", &[Val::U32(1), Val::U32(1)]).await.is_err());
    });
}

#[test]
fn an_error_of_the_part_arrives_as_it_is() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        assert_eq!(app.error(1).await, "no");
        app.assert_works().await;
    });
}

#[test]
fn a_trap_is_an_error_and_the_caller_goes_on() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        assert_eq!(
            app.error(2).await,
            "the part trapped: wasm trap: wasm `unreachable` instruction executed"
        );
        app.assert_works().await;
    });
}

#[test]
fn a_loop_is_an_error_and_the_caller_goes_on() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        let began = Instant::now();
        assert_eq!(
            app.error(3).await,
            "the part did not answer within 500 ms and was stopped"
        );
        assert!(began.elapsed() < DEADLINE * 10, "{:?}", began.elapsed());
        app.assert_works().await;
    });
}

#[test]
fn a_part_begins_anew_after_a_trap() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        let count = Val::Result(Ok(Some(Box::new(Val::U32(1)))));
        assert_eq!(app.call("check", &[Val::U32(4)]).await.unwrap(), count);
        let count = Val::Result(Ok(Some(Box::new(Val::U32(2)))));
        assert_eq!(app.call("check", &[Val::U32(4)]).await.unwrap(), count);
        app.error(2).await;
        let count = Val::Result(Ok(Some(Box::new(Val::U32(1)))));
        assert_eq!(app.call("check", &[Val::U32(4)]).await.unwrap(), count);
    });
}

#[test]
fn a_part_that_may_not_begin_anew_stays_down() {
    executor().block_on(async {
        let terms = Terms {
            after_trap: AfterTrap::Restart { times_max: 1 },
            ..TERMS
        };
        let mut app = Runtime::new().other_store(terms).await;
        app.error(2).await;
        app.assert_works().await;
        app.error(2).await;
        let text = app.error(0).await;
        assert!(
            text.starts_with("the part is not started again after it failed: the part trapped"),
            "{text}"
        );
        let terms = Terms {
            after_trap: AfterTrap::Stop,
            ..TERMS
        };
        let mut app = Runtime::new().other_store(terms).await;
        app.error(2).await;
        assert!(
            app.error(0)
                .await
                .starts_with("the part is not started again")
        );
    });
}

#[test]
fn where_the_type_has_no_room_the_caller_traps_with_the_reason() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        let error = app.call("plain", &[Val::U32(2)]).await.unwrap_err();
        assert_eq!(
            error.root_cause().to_string(),
            "the call of acme:tools/calc@1.1.0#plain failed, and its type has no room for an \
             error (only a function that returns a result has): the part trapped: wasm trap: wasm \
             `unreachable` instruction executed"
        );
    });
}

#[test]
fn a_result_without_an_error_value_is_an_error_too() {
    executor().block_on(async {
        let mut app = Runtime::new().other_store(TERMS).await;
        let failed = app.call("none", &[Val::U32(2)]).await.unwrap();
        assert_eq!(failed, Val::Result(Err(None)));
        app.assert_works().await;
    });
}

/// A caller of `acme:tools/kinds`, whose errors are not texts.
const KINDS: &str = r#"(component
    (import "acme:tools/kinds" (instance $kinds
        (type $bad' (enum "denied" "other"))
        (export "bad" (type $bad (eq $bad')))
        (type $worse' (variant (case "code" u32) (case "internal" string)))
        (export "worse" (type $worse (eq $worse')))
        (type $deaf' (enum "alpha" "beta"))
        (export "deaf-kind" (type $deaf (eq $deaf')))
        (export "enum" (func (param "x" u32) (result (result u32 (error $bad)))))
        (export "variant" (func (param "x" u32) (result (result u32 (error $worse)))))
        (export "deaf" (func (param "x" u32) (result (result u32 (error $deaf)))))))
    (core module $memory
        (memory (export "memory") 4)
        (global $next (mut i32) (i32.const 64))
        (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
            (global.set $next (i32.and
                (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
                (i32.sub (i32.const 0) (local.get $align))))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get $size))))
        (func (export "reset") (param i32) (global.set $next (i32.const 64))))
    (core instance $memory (instantiate $memory))
    (alias core export $memory "memory" (core memory $mem))
    (alias core export $memory "realloc" (core func $realloc))
    (core func $enum (canon lower (func $kinds "enum") (memory $mem) (realloc $realloc)))
    (core func $variant (canon lower (func $kinds "variant") (memory $mem) (realloc $realloc)))
    (core func $deaf (canon lower (func $kinds "deaf") (memory $mem) (realloc $realloc)))
    (core module $code
        (import "" "enum" (func $enum (param i32 i32)))
        (import "" "variant" (func $variant (param i32 i32)))
        (import "" "deaf" (func $deaf (param i32 i32)))
        (func (export "enum") (param i32) (result i32)
            (call $enum (local.get 0) (i32.const 32)) (i32.const 32))
        (func (export "variant") (param i32) (result i32)
            (call $variant (local.get 0) (i32.const 32)) (i32.const 32))
        (func (export "deaf") (param i32) (result i32)
            (call $deaf (local.get 0) (i32.const 32)) (i32.const 32)))
    (core instance $code (instantiate $code (with "" (instance
        (export "enum" (func $enum)) (export "variant" (func $variant)) (export "deaf" (func $deaf))))))
    (alias export $kinds "bad" (type $enum-error))
    (export $enum-named "enum-error" (type $enum-error))
    (alias export $kinds "worse" (type $variant-error))
    (export $variant-named "variant-error" (type $variant-error))
    (alias export $kinds "deaf-kind" (type $deaf-error))
    (export $deaf-named "deaf-error" (type $deaf-error))
    (func $enum-again (param "x" u32) (result (result u32 (error $enum-named)))
        (canon lift (core func $code "enum") (memory $mem)))
    (func $variant-again (param "x" u32) (result (result u32 (error $variant-named)))
        (canon lift (core func $code "variant") (memory $mem)))
    (func $deaf-again (param "x" u32) (result (result u32 (error $deaf-named)))
        (canon lift (core func $code "deaf") (memory $mem)))
    (instance $again
        (export "enum" (func $enum-again))
        (export "variant" (func $variant-again))
        (export "deaf" (func $deaf-again)))
    (export "acme:app/kinds" (instance $again)))"#;

#[test]
fn errors_that_are_not_texts_have_a_case_for_it() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let remote: Arc<dyn Remote> = Arc::new(atoll_wasm_worker::parts::Local::new(
            runtime.served(CALC, TERMS),
        ));
        let component = runtime.component(KINDS);
        let mut linker = Linker::new(&runtime.engine);
        let name = "acme:tools/kinds";
        link_remote(
            &mut linker,
            &runtime.engine,
            &component,
            name,
            name,
            &remote,
        )
        .unwrap();
        let mut app = runtime.start(&component, &linker).await;
        let failed = app.call_of("acme:app/kinds", "enum", &[Val::U32(2)]).await;
        let other = Val::Enum("other".to_owned());
        assert_eq!(failed.unwrap(), Val::Result(Err(Some(Box::new(other)))));
        let failed = app
            .call_of("acme:app/kinds", "variant", &[Val::U32(2)])
            .await;
        let Val::Result(Err(Some(error))) = failed.unwrap() else {
            panic!("the call did not fail");
        };
        let Val::Variant(case, Some(text)) = *error else {
            panic!("{error:?}");
        };
        assert_eq!(case, "internal");
        assert!(matches!(*text, Val::String(text) if text.starts_with("the part trapped")));
        let failed = app.call_of("acme:app/kinds", "deaf", &[Val::U32(2)]).await;
        assert!(failed.is_err());
    });
}

#[test]
fn a_call_that_is_abandoned_does_not_leave_a_part_half_way() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let mut served = runtime.served(CALC, TERMS);
        let call = served.call(EXPORT, "plain", vec![Value::Unsigned(3)]);
        let _ = tokio::time::timeout(DEADLINE / 10, call).await;
        let sum = served.call(EXPORT, "add", vec![Value::Unsigned(1), Value::Unsigned(2)]);
        assert_eq!(sum.await.unwrap(), [Value::Unsigned(3)]);
    });
}

#[test]
fn what_is_not_offered_and_what_does_not_fit_leave_the_part_as_it_was() {
    executor().block_on(async {
        let runtime = Runtime::new();
        let mut served = runtime.served(CALC, TERMS);
        let missing = served.call(EXPORT, "divide", Vec::new()).await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "the part does not export acme:tools/calc@1.1.0#divide"
        );
        let wrong = [
            vec![],
            vec![Value::Unsigned(1)],
            vec![Value::Unsigned(1), Value::Text("2".to_owned())],
            vec![Value::Unsigned(1), Value::Unsigned(1 << 40)],
        ];
        for arguments in wrong {
            let failed = served.call(EXPORT, "add", arguments).await.unwrap_err();
            assert!(matches!(failed, CallFailed::Unfit(_)), "{failed}");
        }
        let failed = served
            .call(EXPORT, "sum", vec![Value::Text(String::new())])
            .await;
        assert!(matches!(failed, Err(CallFailed::Unfit(_))));
        assert_eq!(served.failures(), 0);
    });
}
