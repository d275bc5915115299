//! What starting and calling costs. Run by name, with `--ignored --nocapture`.

use std::time::{Duration, Instant};

use wasmtime::component::Component;
use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, Linker, Module, PoolingAllocationConfig, Store,
};
use wasmtime_wasi::p2::bindings::CommandPre;

use super::components::HELLO;
use super::guest::{Run, block_on};
use super::programs;
use crate::host::preview1::{self, Delays};
use crate::host::preview2;

const ROUNDS: usize = 3000;
const CALLS: u32 = 1_000_000;

fn engine() -> Engine {
    let mut config = Config::new();
    let mut pool = PoolingAllocationConfig::default();
    pool.max_memory_size(64 << 20);
    pool.linear_memory_keep_resident(256 << 10);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    Engine::new(&config).unwrap()
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_nanos();
    println!("{name:48} median {:>8} ns  90 % {:>8} ns", at(50), at(90));
}

fn time_module(name: &str, program: &[u8]) {
    let engine = engine();
    let mut linker = Linker::new(&engine);
    preview1::add_to_linker(&mut linker, Delays::Never).unwrap();
    let before = linker
        .instantiate_pre(&Module::new(&engine, program).unwrap())
        .unwrap();
    let run = Run::program(program.to_vec());
    let mut times = Vec::new();
    block_on(async {
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let mut store = Store::new(&engine, run.guest());
            store.limiter_async(|guest| &mut guest.limiter);
            let instance = before.instantiate_async(&mut store).await.unwrap();
            let entry = instance
                .get_typed_func::<(), ()>(&mut store, "_start")
                .unwrap();
            let _ = entry.call_async(&mut store, ()).await;
            drop(store);
            times.push(began.elapsed());
        }
    });
    report(name, times);
}

fn time_component(name: &str, program: &[u8]) {
    let engine = engine();
    let mut linker = wasmtime::component::Linker::new(&engine);
    preview2::add_to_linker(&mut linker).unwrap();
    let component = Component::new(&engine, program).unwrap();
    let before = CommandPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
    let run = Run::program(program.to_vec());
    let mut times = Vec::new();
    block_on(async {
        for _ in 0..ROUNDS {
            let began = Instant::now();
            let mut store = Store::new(&engine, run.guest());
            store.limiter_async(|guest| &mut guest.limiter);
            let command = before.instantiate_async(&mut store).await.unwrap();
            let _ = command.wasi_cli_run().call_run(&mut store).await;
            drop(store);
            times.push(began.elapsed());
        }
    });
    report(name, times);
}

#[test]
#[ignore = "measures; run it alone"]
fn starting() {
    let empty = wat::parse_str(r#"(module (func (export "_start")))"#).unwrap();
    time_module("a module without imports", &empty);
    let hello = wat::parse_str(
        r#"(module
             (import "wasi_snapshot_preview1" "fd_write"
               (func $write (param i32 i32 i32 i32) (result i32)))
             (memory (export "memory") 1)
             (data (i32.const 0) "\08\00\00\00\06\00\00\00hello\n")
             (func (export "_start")
               (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32)))))"#,
    );
    time_module("hello by fd_write", &hello.unwrap());
    if let Some(program) = programs::built("hello.c") {
        time_module("hello in C", &program);
    }
    time_component("hello as a component", &wat::parse_str(HELLO).unwrap());
    if let Some(program) = programs::built_component("hello.c") {
        time_component("hello in C as a component", &program);
    }
}

fn time_calls(name: &str, call: &str, delays: Delays, rules: &[&str], audit: bool) {
    let text = format!(
        r#"(module
             (import "wasi_snapshot_preview1" "fd_write"
               (func $write (param i32 i32 i32 i32) (result i32)))
             (import "wasi_snapshot_preview1" "clock_time_get"
               (func $clock (param i32 i64 i32) (result i32)))
             (memory (export "memory") 1)
             (data (i32.const 0) "\08\00\00\00\01\00\00\00x")
             (func (export "_start") (local $n i32)
               (loop $more
                 (drop {call})
                 (local.set $n (i32.add (local.get $n) (i32.const 1)))
                 (br_if $more (i32.lt_u (local.get $n) (i32.const {CALLS}))))))"#
    );
    let engine = engine();
    let mut linker = Linker::new(&engine);
    preview1::add_to_linker(&mut linker, delays).unwrap();
    let before = linker
        .instantiate_pre(&Module::new(&engine, text).unwrap())
        .unwrap();
    let mut best = Duration::MAX;
    block_on(async {
        for _ in 0..5 {
            let mut run = Run::program(Vec::new()).rules(rules);
            run.rules.audit = audit;
            let mut store = Store::new(&engine, run.guest());
            let instance = before.instantiate_async(&mut store).await.unwrap();
            let entry = instance
                .get_typed_func::<(), ()>(&mut store, "_start")
                .unwrap();
            let began = Instant::now();
            entry.call_async(&mut store, ()).await.unwrap();
            best = best.min(began.elapsed());
        }
    });
    let each = best.as_secs_f64() * 1e9 / f64::from(CALLS);
    println!("{name:48} {each:>6.1} ns");
}

#[test]
#[ignore = "measures; run it alone"]
fn calling() {
    const CLOCK: &str = "(call $clock (i32.const 1) (i64.const 0) (i32.const 32))";
    const WRITE: &str = "(call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 32))";
    for (name, call) in [("clock_time_get", CLOCK), ("fd_write of one byte", WRITE)] {
        let other = ["deny=EIO file.remove"];
        let named = ["deny=EIO after=100000000 clock.read,stream.write"];
        time_calls(
            &format!("{name}, no rules"),
            call,
            Delays::Never,
            &[],
            false,
        );
        let delays = Delays::Possible;
        time_calls(
            &format!("{name}, linked for delays"),
            call,
            delays,
            &[],
            false,
        );
        time_calls(
            &format!("{name}, rules for others"),
            call,
            delays,
            &other,
            false,
        );
        time_calls(
            &format!("{name}, a rule for it"),
            call,
            delays,
            &named,
            false,
        );
        time_calls(&format!("{name}, audited"), call, delays, &other, true);
    }
}
