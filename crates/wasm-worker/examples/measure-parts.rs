//! Measures calls between two parts of a program by every way there is.
//!
//!     measure-parts
//!
//! Prints the median cost of a call, in nanoseconds. The parts are those of the tests. Nothing is
//! jailed here.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers ends at the first surprise"
)]

#[path = "../tests/parts/harness.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod harness;

use std::sync::Arc;
use std::time::{Duration, Instant};

use harness::{App, Process, Runtime, TERMS, blocking_channel, channel, executor, serve_if_asked};

/// Samples for one figure.
const SAMPLES: usize = 101;

/// How long one sample takes, about.
const SAMPLE: Duration = Duration::from_millis(5);

fn main() {
    serve_if_asked();
    executor().block_on(async {
        let runtime = Runtime::new();
        println!(
            "{:<34} {:>9} {:>9} {:>12}",
            "way", "add", "echo 64 B", "sum 4 KiB"
        );
        measure("linked", &mut runtime.linked().await).await;
        measure("other store", &mut runtime.other_store(TERMS).await).await;
        let (_process, socket) = Process::start(&[]);
        let mut app = runtime.remote(Arc::new(blocking_channel(socket))).await;
        measure("other process, socket that blocks", &mut app).await;
        let (_process, socket) = Process::start(&[]);
        let mut app = runtime.remote(Arc::new(channel(socket))).await;
        measure("other process, executor waits", &mut app).await;
    });
}

async fn measure(way: &str, app: &mut App) {
    let mut figures = Vec::new();
    for function in ["add-loop", "echo-loop", "sum-loop"] {
        figures.push(median(app, function).await);
    }
    let [add, echo, sum] = figures[..] else {
        panic!("there are three functions");
    };
    println!("{way:<34} {add:>9.0} {echo:>9.0} {sum:>12.0}");
}

/// Nanoseconds of one call inside a loop of the application.
async fn median(app: &mut App, function: &str) -> f64 {
    let mut times = 16;
    loop {
        let began = Instant::now();
        app.number(function, times).await;
        if began.elapsed() >= SAMPLE {
            break;
        }
        times *= 2;
    }
    let mut samples = Vec::with_capacity(SAMPLES);
    for _ in 0..SAMPLES {
        let began = Instant::now();
        app.number(function, times).await;
        samples.push(began.elapsed().as_nanos() as f64 / f64::from(times));
    }
    samples.sort_by(f64::total_cmp);
    samples[SAMPLES / 2]
}
