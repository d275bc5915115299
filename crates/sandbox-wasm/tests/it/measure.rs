use crate::support::*;
use atoll_sandbox::conformance::limits;
use atoll_types::*;
use std::time::Instant;
#[test]
fn measure() {
    for p in std::env::var("MEASURE")
        .unwrap_or_default()
        .split(',')
        .filter(|p| !p.is_empty())
    {
        let b = std::fs::read(p).unwrap();
        let kind = if b[4] == 1 {
            ProgramKind::WasmModule
        } else {
            ProgramKind::WasmComponent
        };
        let prog = program(kind, b);
        let n = 200;
        let mut all: Vec<[u128; 4]> = Vec::new();
        for _ in 0..n {
            let prog = prog.clone();
            all.push(block_on(async {
                let t = Instant::now();
                let mut s = create(kind, limits()).await;
                let a = t.elapsed().as_micros();
                let st = s.start(job(prog)).await.unwrap();
                let b = t.elapsed().as_micros();
                drop(st.stdin);
                s.wait().await;
                let c = t.elapsed().as_micros();
                s.destroy().await.unwrap();
                [a, b, c, t.elapsed().as_micros()]
            }));
        }
        for (i, what) in ["create", "started", "ended", "destroyed"]
            .iter()
            .enumerate()
        {
            let mut v: Vec<u128> = all.iter().map(|x| x[i]).collect();
            v.sort();
            println!("{p} {what}: p50 {} p99 {} us", v[n / 2], v[n * 99 / 100]);
        }
    }
}
