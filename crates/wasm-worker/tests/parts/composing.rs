//! Parts that share a store become one component.

use atoll_wasm_worker::parts::{ComposeError, Exported, Joint, Piece, compose};
use wasmtime::component::{Component, Linker, Val};

use crate::harness::{APP, CALC, EXPORT, IMPORT, Runtime, executor};

/// A part with a resource: it gives handles of counters and counts with them.
const COUNTERS: &str = r#"(component
    (type $counter (resource (rep i32)))
    (core func $new (canon resource.new $counter))
    (core module $code
        (import "" "new" (func $new (param i32) (result i32)))
        (func (export "open") (param i32) (result i32) (call $new (local.get 0)))
        (func (export "read") (param i32) (result i32) (local.get 0)))
    (core instance $code (instantiate $code (with "" (instance (export "new" (func $new))))))
    (func $open (param "at" u32) (result (own $counter))
        (canon lift (core func $code "open")))
    (func $read (param "of" (borrow $counter)) (result u32)
        (canon lift (core func $code "read")))
    (component $interface
        (import "type" (type $counter (sub resource)))
        (import "open-it" (func $open (param "at" u32) (result (own $counter))))
        (import "read-it" (func $read (param "of" (borrow $counter)) (result u32)))
        (export $exported "counter" (type $counter))
        (export "open" (func $open)
            (func (param "at" u32) (result (own $exported))))
        (export "read" (func $read)
            (func (param "of" (borrow $exported)) (result u32))))
    (instance $counters (instantiate $interface
        (with "type" (type $counter))
        (with "open-it" (func $open))
        (with "read-it" (func $read))))
    (export "acme:tools/counters" (instance $counters)))"#;

/// Opens a counter and reads it.
pub(crate) const READER: &str = r#"(component
    (import "acme:tools/counters" (instance $counters
        (export "counter" (type $counter (sub resource)))
        (export "open" (func (param "at" u32) (result (own $counter))))
        (export "read" (func (param "of" (borrow $counter)) (result u32)))))
    (core func $open (canon lower (func $counters "open")))
    (core func $read (canon lower (func $counters "read")))
    (core module $code
        (import "" "open" (func $open (param i32) (result i32)))
        (import "" "read" (func $read (param i32) (result i32)))
        (func (export "run") (param i32) (result i32)
            (call $read (call $open (local.get 0)))))
    (core instance $code (instantiate $code (with "" (instance
        (export "open" (func $open)) (export "read" (func $read))))))
    (func $run (param "at" u32) (result u32) (canon lift (core func $code "run")))
    (instance $run' (export "run" (func $run)))
    (export "acme:app/run" (instance $run')))"#;

#[test]
fn a_composed_program_works() {
    executor().block_on(async {
        let mut app = Runtime::new().linked().await;
        app.assert_works().await;
        assert_eq!(app.number("sum-loop", 3).await, 0);
        assert_eq!(app.number("echo-loop", 3).await, 192);
        assert_eq!(app.error(1).await, "no");
    });
}

#[test]
fn an_interface_with_resources_works_linked_and_is_refused_across_stores() {
    executor().block_on(async {
        let (counters, reader) = (
            wat::parse_str(COUNTERS).unwrap(),
            wat::parse_str(READER).unwrap(),
        );
        let pieces = [("counters", &counters), ("reader", &reader)];
        let pieces = pieces.map(|(name, bytes)| Piece { name, bytes });
        let joint = Joint {
            importer: 1,
            import: "acme:tools/counters",
            provider: 0,
            export: "acme:tools/counters",
        };
        let export = Exported {
            piece: 1,
            name: "acme:app/run",
        };
        let whole = compose(&pieces, &[joint], &[export]).unwrap();
        let runtime = Runtime::new();
        let component = Component::from_binary(&runtime.engine, &whole).unwrap();
        let mut app = runtime
            .start(&component, &Linker::new(&runtime.engine))
            .await;
        let read = app.call_of("acme:app/run", "run", &[Val::U32(7)]).await;
        assert_eq!(read.unwrap(), Val::U32(7));

        let component = runtime.component(READER);
        let mut linker = Linker::<()>::new(&runtime.engine);
        let served = runtime.served(COUNTERS, crate::harness::TERMS);
        let remote: std::sync::Arc<dyn atoll_wasm_worker::parts::Remote> =
            std::sync::Arc::new(atoll_wasm_worker::parts::Local::new(served));
        let name = "acme:tools/counters";
        let error = atoll_wasm_worker::parts::link_remote(
            &mut linker,
            &runtime.engine,
            &component,
            name,
            name,
            &remote,
        )
        .unwrap_err()
        .to_string();
        assert!(
            error.starts_with("acme:tools/counters cannot be called across stores: `"),
            "{error}"
        );
    });
}

#[test]
fn what_does_not_fit_is_named() {
    let (calc, app) = (wat::parse_str(CALC).unwrap(), wat::parse_str(APP).unwrap());
    let pieces = [("calc", &calc), ("app", &app)].map(|(name, bytes)| Piece { name, bytes });
    let joint = Joint {
        importer: 1,
        import: IMPORT,
        provider: 0,
        export: EXPORT,
    };
    let missing = Joint {
        export: "acme:tools/other",
        ..joint
    };
    let error = compose(&pieces, &[missing], &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("`app` cannot have acme:tools/calc@1.0.0 from `calc`: "),
        "{error}"
    );
    let unfit = Joint {
        export: "acme:tools/kinds",
        ..joint
    };
    let error = compose(&pieces, &[unfit], &[]).unwrap_err();
    assert!(matches!(error, ComposeError::Joint { .. }), "{error}");
    let far = Joint {
        provider: 5,
        ..joint
    };
    let error = compose(&pieces, &[far], &[]).unwrap_err();
    assert_eq!(error, ComposeError::NoPiece(5));
    let broken = Piece {
        name: "app",
        bytes: b"\0asm",
    };
    let error = compose(&[broken], &[], &[]).unwrap_err().to_string();
    assert!(
        error.starts_with("`app` cannot be read as a component: "),
        "{error}"
    );
}
