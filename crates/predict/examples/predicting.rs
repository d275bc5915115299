//! How long a prediction takes: of a program that nobody knows, of one whose runs are known, and of
//! one whose inputs follow a law. `cargo run --release -p atoll-predict --example predicting`.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Instant;

use atoll_predict::{Given, predict};
use atoll_types::{
    Analysis, Complexity, Dependency, DependencySource, ExecutionClass, Lesson, Level, Literal,
    Past, PastBounds, PastRun, ProgramKind, Status, Told, Usage,
};

const TIMES: u32 = 2_000;

fn main() {
    let fresh = Past::default();
    let bounds = vec![fared(); 100];
    let runs = |count: u64| (0..count).map(ran).collect::<Vec<_>>();
    let cases = [
        ("unknown, of a new tenant", fresh.clone()),
        (
            "unknown, of a tenant with 100 runs",
            Past {
                bounds: bounds.clone(),
                ..fresh
            },
        ),
        (
            "known by 200 runs of as many inputs",
            Past {
                runs: runs(200),
                bounds,
            },
        ),
    ];
    let (analysis, given) = (analysis(), Given::default());
    for (name, past) in cases {
        let mut taken: Vec<f64> = (0..TIMES)
            .map(|_| {
                let began = Instant::now();
                black_box(predict(&analysis, &given, black_box(&past), 1_000_000));
                began.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        taken.sort_by(f64::total_cmp);
        let at = |share: f64| {
            let index = (f64::from(TIMES - 1) * share) as usize;
            taken.get(index).copied().unwrap_or_default()
        };
        println!("{name}: p50 {:.1} us, p99 {:.1} us", at(0.5), at(0.99));
    }
}

fn fared() -> PastBounds {
    let told = Some(Told {
        plain: 9 << 20,
        given: 10 << 20,
    });
    PastBounds {
        level: Some(Level::Process),
        lesson: Lesson {
            input: 0,
            memory: told,
            cpu: told,
        },
        memory_bytes: 8 << 20,
        cpu_us: 30_000,
        at_least: false,
    }
}

fn ran(number: u64) -> PastRun {
    PastRun {
        usage: Usage {
            memory_peak_bytes: (8 << 20) + number * 1_000_000,
            cpu_time_us: 30_000 + number * 1_000,
            ..Usage::default()
        },
        status: Status::Exited,
        limit: None,
        unix_ms: number,
        level: Some(Level::Process),
        input: Some(1_000 * (number + 1)),
    }
}

fn analysis() -> Analysis {
    let names = [
        "argparse",
        "asyncio",
        "collections",
        "json",
        "numpy",
        "os",
        "re",
        "requests",
        "sys",
    ];
    Analysis {
        kind: ProgramKind::Python,
        code_bytes: 6_000,
        lines: 200,
        functions: 14,
        loops: 9,
        loop_nesting_max: 2,
        recursion: false,
        instructions: 1_800,
        literals: (1..20)
            .map(|value| Literal {
                role: "range".to_owned(),
                value,
            })
            .collect(),
        dependencies: names
            .map(|name| Dependency {
                name: name.to_owned(),
                source: DependencySource::StandardLibrary,
            })
            .into(),
        host_calls: BTreeSet::new(),
        disguised: BTreeSet::new(),
        capabilities: BTreeSet::new(),
        execution_class: ExecutionClass::Medium,
        complexity: Complexity::default(),
        declared_memory_bytes: None,
        problems: Vec::new(),
    }
}
