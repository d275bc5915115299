//! What analysis costs: `find DIR -name '*.py' | measure-analysis ROUNDS [apart]` prints a row for
//! each program whose path it reads: kind, bytes, and the median and 95th percentile in
//! microseconds of reading it in this process, and in another, taking turns.
//!
//! Owns the measuring alone. The bound on what is read in Atoll's own process was chosen with it.
#![allow(clippy::print_stdout, reason = "a tool for developers")]

use std::error::Error;
use std::io::BufRead as _;
use std::path::Path;
use std::time::{Duration, Instant};

use atoll_analyze::{analyze, recognise};
use atoll_analyzer::Apart;
use atoll_types::Content;

type Failed = Box<dyn Error + Send + Sync>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let mut arguments = std::env::args().skip(1);
    let rounds: usize = arguments.next().ok_or("how many rounds?")?.parse()?;
    let is_apart = arguments.next().is_some_and(|word| word == "apart");
    println!("kind\tbytes\there_us\there_p95_us\tapart_us\tapart_p95_us\tpath");
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        let name = Path::new(&path).file_name().unwrap_or_default();
        let Ok(bytes) = std::fs::read(&path) else {
            continue;
        };
        let Ok(kind) = recognise(&name.to_string_lossy(), &bytes) else {
            continue;
        };
        let program: Content = bytes.into();
        let (mut here, mut apart) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            let began = Instant::now();
            let found = analyze(kind, &program);
            here.push(began.elapsed());
            if is_apart {
                let began = Instant::now();
                let said = Apart::default().read(kind, &program).await?;
                apart.push(began.elapsed());
                if said != found {
                    return Err(format!("{path} is read otherwise in another process").into());
                }
            }
        }
        let (here, apart) = (shown(here), shown(apart));
        println!("{kind}\t{}\t{here}\t{apart}\t{path}", program.len());
    }
    Ok(())
}

/// Median and 95th percentile.
fn shown(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len().saturating_sub(1) * share / 100);
    let us = |share| at(share).map_or_else(|| "-".to_owned(), |time| time.as_micros().to_string());
    format!("{}\t{}", us(50), us(95))
}
