//! What the runtime does alone, in this process and without a wall around it: the yardstick for
//! `atoll bench instance`.
//!
//! `raw-wasmtime COUNT THREADS` instantiates a module, calls it and throws it away, COUNT times on
//! each of THREADS threads, and prints one JSON object.
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

use std::time::Instant;

use wasmtime::{
    Config, Engine, InstanceAllocationStrategy, Linker, Module, PoolingAllocationConfig, Store,
};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default| {
        arguments
            .next()
            .map_or(default, |text| text.parse().unwrap())
    };
    let (count, threads) = (number(10_000), number(1));
    let mut pool = PoolingAllocationConfig::new();
    pool.linear_memory_keep_resident(64 << 10);
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).unwrap();
    let text = "(module (memory 1) (func (export \"_start\")))";
    let module = Module::new(&engine, text).unwrap();
    let linker: Linker<()> = Linker::new(&engine);
    let instance = linker.instantiate_pre(&module).unwrap();
    let run = || {
        let mut store = Store::new(&engine, ());
        store.set_epoch_deadline(1);
        let instance = instance.instantiate(&mut store).unwrap();
        let entry = instance
            .get_typed_func::<(), ()>(&mut store, "_start")
            .unwrap();
        entry.call(&mut store, ()).unwrap();
    };
    (0..count / 10).for_each(|_| run());
    let began = Instant::now();
    let cpu_began = cpu_us();
    let samples: Vec<u128> = std::thread::scope(|scope| {
        let work = || {
            let sample = |_| {
                let began = Instant::now();
                run();
                began.elapsed().as_nanos()
            };
            (0..count).map(sample).collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap());
        ended.flatten().collect()
    });
    let (elapsed, cpu) = (began.elapsed(), cpu_us() - cpu_began);
    let mut sorted = samples;
    sorted.sort_unstable();
    let at = |part: usize| sorted[(sorted.len() - 1) * part / 1000] as f64 / 1000.0;
    println!(
        "{{\"n\":{},\"p50_us\":{},\"p99_us\":{},\"max_us\":{},\"per_second\":{:.0},\
         \"cpu_us_each\":{:.2}}}",
        sorted.len(),
        at(500),
        at(990),
        at(1000),
        sorted.len() as f64 / elapsed.as_secs_f64(),
        cpu as f64 / sorted.len() as f64
    );
}

/// CPU time of this process, in microseconds.
fn cpu_us() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec * 1_000_000 + time.tv_nsec / 1000
}
