//! How long things take, told and never judged. Run with `--ignored --nocapture`.

use std::io::Write as _;
use std::time::{Duration, Instant};

use atoll_sandbox::{Backend, OutputEnd, Sandbox, SandboxSpec};
use atoll_types::ProgramKind;

use crate::support::{gvisor, job, run, spec};

const TIMES: usize = 30;

#[test]
#[ignore = "figures, not promises"]
fn warm_containers() {
    for (kind, name, text) in [
        (ProgramKind::Python, "hello.py", "print('hello')"),
        (ProgramKind::Shell, "hello.sh", "echo hello"),
    ] {
        run(async {
            let backend = gvisor();
            // The platform is found out before.
            let first = backend.create_warm(figure_spec(kind)).await.unwrap();
            first.destroy().await.unwrap();
            let mut figures = Figures::default();
            for _ in 0..TIMES {
                let begun = Instant::now();
                let mut sandbox = backend.create_warm(figure_spec(kind)).await.unwrap();
                figures.create.push(begun.elapsed());
                let begun = Instant::now();
                sandbox.rehearse().await.unwrap();
                figures.rehearse.push(begun.elapsed());
                let begun = Instant::now();
                let output = first_output(sandbox.as_mut(), kind, name, text).await;
                figures.output.push(begun.elapsed());
                assert_eq!(output, b"hello\n");
                sandbox.wait().await;
                figures.end.push(begun.elapsed());
                figures.memory_bytes = sandbox.usage().memory_peak_bytes;
                let begun = Instant::now();
                sandbox.destroy().await.unwrap();
                figures.destroy.push(begun.elapsed());
            }
            figures.tell(name);
        });
    }
}

/// With all processors, of which `ATOLL_CPU_PERCENT` may leave less.
fn figure_spec(kind: ProgramKind) -> SandboxSpec {
    let share = std::env::var("ATOLL_CPU_PERCENT").ok();
    let mut spec = spec(kind);
    spec.limits.cpu_percent = share.and_then(|it| it.parse().ok()).unwrap_or(1_000);
    spec
}

async fn first_output(
    sandbox: &mut dyn Sandbox,
    kind: ProgramKind,
    name: &str,
    text: &str,
) -> Vec<u8> {
    let streams = sandbox.start(job(kind, name, text)).await.unwrap();
    let OutputEnd::Pieces(mut stdout) = streams.stdout else {
        panic!("output comes in pieces");
    };
    stdout.recv().await.unwrap_or_default()
}

#[derive(Default)]
struct Figures {
    create: Vec<Duration>,
    rehearse: Vec<Duration>,
    output: Vec<Duration>,
    end: Vec<Duration>,
    destroy: Vec<Duration>,
    memory_bytes: u64,
}

impl Figures {
    fn tell(self, name: &str) {
        let mut out = std::io::stdout().lock();
        writeln!(
            out,
            "{name} ({TIMES} times), memory {} KiB",
            self.memory_bytes >> 10
        )
        .unwrap();
        for (what, mut times) in [
            ("create", self.create),
            ("rehearse", self.rehearse),
            ("request to output", self.output),
            ("request to end", self.end),
            ("destroy", self.destroy),
        ] {
            times.sort();
            let (p50, max) = (times[times.len() / 2], times[times.len() - 1]);
            let (min, p90) = (times[0], times[times.len() * 9 / 10]);
            writeln!(
                out,
                "  {what}: p50 {p50:?}, p90 {p90:?}, min {min:?}, max {max:?}"
            )
            .unwrap();
        }
    }
}
