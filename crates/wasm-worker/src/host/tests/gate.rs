//! Every function of the host passes the gate.

use wasmtime::{Engine, ExternType, FuncType, Linker, Store, ValType};

use super::guest::{Run, block_on};
use crate::host::enter::Ended;
use crate::host::preview1::{self, Delays, MODULE};

/// The names and types of all functions of preview 1, as they are linked.
fn functions(delays: Delays) -> Vec<(String, FuncType)> {
    let engine = Engine::default();
    let mut linker = Linker::new(&engine);
    preview1::add_to_linker(&mut linker, delays).unwrap();
    let mut store = Store::new(&engine, Run::program(Vec::new()).guest());
    let all: Vec<_> = linker
        .iter(&mut store)
        .map(|(module, name, item)| (module.to_owned(), name.to_owned(), item))
        .collect();
    let function = |(module, name, item): (String, String, wasmtime::Extern)| {
        assert_eq!(module, MODULE);
        match item.ty(&store) {
            ExternType::Func(function) => (name, function),
            other => panic!("{name}: {other:?}"),
        }
    };
    all.into_iter().map(function).collect()
}

fn name_of(kind: &ValType) -> &'static str {
    match kind {
        ValType::I32 => "i32",
        ValType::I64 => "i64",
        other => panic!("{other:?}"),
    }
}

/// A command that calls one function with zeros.
fn calling(name: &str, function: &FuncType) -> String {
    let kinds: Vec<_> = function.params().map(|kind| name_of(&kind)).collect();
    let zeros: String = kinds
        .iter()
        .map(|kind| format!("({kind}.const 0)"))
        .collect();
    let drops = "drop ".repeat(function.results().len());
    let results = match function.results().len() {
        0 => "",
        _ => "(result i32)",
    };
    format!(
        r#"(module
             (import "{MODULE}" "{name}" (func $call (param {}) {results}))
             (memory (export "memory") 1)
             (func (export "_start") {zeros} call $call {drops}))"#,
        kinds.join(" ")
    )
}

#[test]
fn every_function_of_preview_1_passes_the_gate() {
    for delays in [Delays::Never, Delays::Possible] {
        let all = functions(delays);
        assert!(all.len() >= 45, "{}", all.len());
        for (name, function) in all {
            let mut run = Run::text(&calling(&name, &function)).rules(&["trap *"]);
            run.rules.audit = true;
            let ran = run.run();
            assert!(matches!(ran.ended(), Ended::Rule(..)), "{name}: {ran:?}");
            assert_eq!(ran.audit.unwrap().total(), 1, "{name}");
        }
    }
}

/// Whatever is called is delayed, and only once.
#[test]
fn every_function_of_preview_1_can_be_delayed() {
    for (name, function) in functions(Delays::Possible) {
        let mut run = Run::text(&calling(&name, &function)).rules(&["delay=3ms *"]);
        run.rules.audit = true;
        let began = std::time::Instant::now();
        let ran =
            block_on(async { tokio::time::timeout(PATIENCE, run.run_beside(async {})).await });
        let ran = ran.unwrap();
        assert!(began.elapsed().as_millis() >= 3, "{name}");
        let audit = ran.audit.unwrap();
        assert_eq!(
            (audit.total(), audit.records[0].verdict.as_str()),
            (1, "delay=3ms"),
            "{name}"
        );
    }
}

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);
