//! Clones of one snapshot are different machines, and show a program the machine that it has.

use std::collections::BTreeSet;

use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Domain, Ending, Job};
use atoll_types::{Layer, Limits, ProgramKind};

use crate::support::{backend, job, run, run_in, runtime, spec};

/// Everything that must not be the same in two clones, one a line.
const WHO: &str = r#"
import os, random, time, uuid
print(open('/dev/urandom', 'rb').read(16).hex())
print(os.urandom(16).hex())
print(random.random())
print(uuid.uuid4())
print(hash('a text'))
print(open('/proc/sys/kernel/random/uuid').read().strip()
      if os.path.exists('/proc/sys/kernel/random/uuid') else uuid.uuid4())
print(hex(id(object())))
print(time.time_ns())
"#;

#[test]
fn clones_have_nothing_random_in_common() {
    let Some(backend) = backend() else { return };
    runtime().block_on(async {
        let mut seen: Vec<Vec<String>> = Vec::new();
        for number in 0..6 {
            let spec = spec("vm-clone", ProgramKind::Python, limits());
            // A sandbox that has waited and one that has not.
            let sandbox = if number % 2 == 0 {
                backend.create(spec).await
            } else {
                let mut sandbox = backend.create_warm(spec).await.unwrap();
                sandbox.rehearse().await.unwrap();
                Ok(sandbox)
            };
            let ran = run_in(sandbox.unwrap(), job(ProgramKind::Python, WHO)).await;
            assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
            assert_eq!((ran.limit, ran.stderr.as_str()), (None, ""), "{ran:?}");
            seen.push(ran.stdout.lines().map(str::to_owned).collect());
        }
        let lines = seen[0].len();
        for line in 0..lines {
            let values: BTreeSet<&String> = seen.iter().map(|clone| &clone[line]).collect();
            assert_eq!(values.len(), seen.len(), "line {line} of {seen:#?}");
        }
    });
}

/// Interpreters are copies of one then, as at the level `process`: of what `WHO` prints, they have
/// the hash of a text in common, and where an object lies.
#[test]
fn only_clones_that_one_tenant_shares_have_a_hash_seed_in_common() {
    const HASH: usize = 4;
    const ADDRESS: usize = 6;
    let Some(backend) = backend() else { return };
    runtime().block_on(async {
        let mut seen: Vec<Vec<String>> = Vec::new();
        for (number, tenant) in ["one", "one", "other"].into_iter().enumerate() {
            let mut spec = spec("vm-clone", ProgramKind::Python, limits());
            spec.environment.tenant = tenant.parse().unwrap();
            spec.tenancy.domain = Domain::Tenant(tenant.parse().unwrap());
            // A sandbox that has waited and two that have not.
            let sandbox = match number {
                1 => backend.create_warm(spec).await,
                _ => backend.create(spec).await,
            };
            let ran = run_in(sandbox.unwrap(), job(ProgramKind::Python, WHO)).await;
            assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
            seen.push(ran.stdout.lines().map(str::to_owned).collect());
        }
        assert_eq!(seen[0][HASH], seen[1][HASH]);
        assert_ne!(seen[0][HASH], seen[2][HASH]);
        for line in (0..seen[0].len()).filter(|line| ![HASH, ADDRESS].contains(line)) {
            let values: BTreeSet<&String> = seen.iter().map(|clone| &clone[line]).collect();
            assert_eq!(values.len(), seen.len(), "line {line} of {seen:#?}");
        }
    });
}

/// Whether an interpreter waits already makes no difference to what only one that starts can see.
#[test]
fn what_an_interpreter_starts_with_is_not_overlooked_by_one_that_waits() {
    let Some(backend) = backend() else { return };
    runtime().block_on(async {
        let text = "import sys; print(sys.flags.optimize)";
        let variable = (b"PYTHONOPTIMIZE".to_vec(), b"1".to_vec());
        for environment in [vec![], vec![variable]] {
            let expected = format!("{}\n", environment.len());
            let job = Job {
                environment,
                ..job(ProgramKind::Python, text)
            };
            let spec = spec("vm-flags", ProgramKind::Python, limits());
            let sandbox = backend.create_warm(spec).await.unwrap();
            let ran = run_in(sandbox, job).await;
            assert_eq!(ran.ending, Ending::Exited(0), "{ran:?}");
            assert_eq!(ran.stdout, expected, "{ran:?}");
        }
    });
}

#[test]
fn clocks_do_not_go_in_large_steps() {
    let Some(backend) = backend() else { return };
    let text = "import time; print(time.clock_getres(time.CLOCK_MONOTONIC) < 1e-4)";
    let ran = runtime().block_on(run(&backend, ProgramKind::Python, text));
    assert_eq!(ran.stdout, "True\n", "{ran:?}");
}

#[test]
fn a_clone_knows_the_time() {
    let Some(backend) = backend() else { return };
    runtime().block_on(async {
        let now = || {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
            now.unwrap().as_secs_f64()
        };
        for _ in 0..2 {
            let before = now();
            let text = "import time; print(time.time())";
            let ran = run(&backend, ProgramKind::Python, text).await;
            let told: f64 = ran.stdout.trim().parse().unwrap();
            assert!(before - 1.0 < told && told < now() + 1.0, "{before} {told}");
        }
    });
}

#[test]
fn a_program_sees_a_machine_of_its_own() {
    let Some(backend) = backend() else { return };
    let text = "uname -r; nproc; sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; \
                ls /sys /proc/1 > /dev/null 2>&1; cat /proc/net/dev 2>/dev/null | grep -c eth";
    let small = Limits {
        memory_bytes: 64 << 20,
        ..limits()
    };
    runtime().block_on(async {
        let sandbox = backend.create(spec("vm-small", ProgramKind::Shell, small));
        let ran = run_in(sandbox.await.unwrap(), job(ProgramKind::Shell, text)).await;
        let own = rustix::system::uname();
        assert!(
            !ran.stdout.contains(&*own.release().to_string_lossy()),
            "{ran:?}"
        );
        assert!(ran.enforcement.is_enforced(Layer::OwnKernel), "{ran:?}");
        assert_eq!(ran.stdout.lines().nth(1), Some("1"), "{ran:?}");
    });
}
