//! Copies of one interpreter: what they share, and what they must not.

use atoll_sandbox::{Backend as _, Ending, Sandbox};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::{SystemCalls, TenantId};

use crate::warm::{Shown, finish, job, specification};

/// Prints numbers that nobody else may draw.
const RANDOM: &str = "import os, random, secrets, tempfile, uuid\n\
    print(random.random(), uuid.uuid4(), secrets.token_hex(), os.urandom(8).hex())";

async fn warm(backend: &ProcessBackend, tenant: &str) -> Box<dyn Sandbox> {
    let mut spec = specification(SystemCalls::Processes);
    spec.environment.tenant = TenantId::new(tenant).unwrap();
    backend.create_warm(spec).await.unwrap()
}

async fn run(backend: &ProcessBackend, tenant: &str, script: &str) -> Shown {
    finish(warm(backend, tenant).await, script).await
}

fn block_on(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(test);
}

#[test]
fn copies_draw_random_numbers_of_their_own() {
    block_on(async {
        let backend = ProcessBackend::new();
        let one = run(&backend, "one", RANDOM).await.stdout;
        let other = run(&backend, "one", RANDOM).await.stdout;
        assert_eq!(one.split(' ').count(), 4, "{one}");
        for (one, other) in one.split(' ').zip(other.split(' ')) {
            assert_ne!(one, other);
        }
    });
}

#[test]
fn tenants_have_interpreters_of_their_own() {
    if !rustix::process::geteuid().is_root() {
        // Without ids to give there are no copies.
        return;
    }
    block_on(async {
        let backend = ProcessBackend::new();
        let script = "print(hash('a'), id(len))";
        let one = run(&backend, "one", script).await.stdout;
        // This is what copies share, and why no two tenants do.
        assert_eq!(run(&backend, "one", script).await.stdout, one);
        let other = run(&backend, "other", script).await.stdout;
        assert_ne!(one.split(' ').next(), other.split(' ').next());
    });
}

#[test]
fn copies_see_nothing_of_each_other() {
    if !rustix::process::geteuid().is_root() {
        // Without ids to give there are no copies.
        return;
    }
    block_on(async {
        let backend = ProcessBackend::new();
        // All of them live at the same time.
        let first = warm(&backend, "one").await;
        let second = warm(&backend, "one").await;
        let third = warm(&backend, "one").await;
        let leave = "import os\n\
            for d in ('/work', '/tmp', '/dev/shm'): open(d + '/left', 'w').write('x')\n\
            print(os.getuid())";
        let look = "import os, socket\n\
            print(os.getuid())\n\
            print([d for d in ('/work', '/tmp', '/dev/shm') if os.path.exists(d + '/left')])\n\
            seen = sorted(n for n in os.listdir('/proc') if n.isdigit())\n\
            print(seen, os.getpid(), os.getppid())\n\
            print(sorted(os.listdir('/proc/self/fd')))\n\
            print(open('/proc/self/cgroup').read().count(':/\\n') > 0)\n\
            try: os.kill(-1, 9)\n\
            except OSError as error: print(error.errno)";
        let one = finish(first, leave).await.stdout;
        let other = finish(second, look).await;
        let lines: Vec<&str> = other.stdout.lines().collect();
        assert_ne!(lines.first(), one.lines().next().as_ref(), "{other:?}");
        // The fourth descriptor is that of the listing itself.
        let expected = ["[]", "['2'] 2 0", "['0', '1', '2', '3']", "True", "3"];
        assert_eq!(lines.get(1..), Some(&expected[..]), "{other:?}");
        let survivor = finish(third, "print('unharmed')").await;
        assert_eq!(survivor.stdout, "unharmed\n");
    });
}

#[test]
fn a_copy_that_is_ended_takes_no_other_with_it() {
    block_on(async {
        let backend = ProcessBackend::new();
        let mut first = warm(&backend, "one").await;
        let second = warm(&backend, "one").await;
        first.stop();
        first.destroy().await.unwrap();
        assert_eq!(finish(second, "print(1)").await.stdout, "1\n");
        assert_eq!(run(&backend, "one", "print(2)").await.stdout, "2\n");
    });
}

#[test]
fn many_copies_live_at_once_and_each_serves() {
    block_on(async {
        let backend = ProcessBackend::new();
        let mut waiting = Vec::new();
        // More than the descriptors that each of their programs may open.
        for _ in 0..80 {
            waiting.push(warm(&backend, "one").await);
        }
        for (number, sandbox) in waiting.into_iter().enumerate() {
            let shown = finish(sandbox, &format!("print({number})")).await;
            assert_eq!(shown.stdout, format!("{number}\n"), "{shown:?}");
        }
    });
}

#[test]
fn a_copy_is_not_charged_for_what_an_earlier_one_used() {
    block_on(async {
        let backend = ProcessBackend::new();
        let greedy = "b = bytearray(100 << 20)\nprint(sum(range(3_000_000)))";
        let mut peaks = Vec::new();
        for script in [greedy, "print(1)", greedy, "print(2)"] {
            let mut sandbox = warm(&backend, "one").await;
            let streams = sandbox.start(job(script)).await.unwrap();
            drop(streams.stdin);
            assert_eq!(sandbox.wait().await, Ending::Exited(0), "{script}");
            let usage = sandbox.usage();
            peaks.push((usage.memory_peak_bytes, usage.cpu_time_us));
            sandbox.destroy().await.unwrap();
        }
        let [first, second, third, fourth] = peaks[..] else {
            panic!("{peaks:?}");
        };
        for (greedy, modest) in [(first, second), (third, fourth)] {
            assert!(greedy.0 > 100 << 20, "{peaks:?}");
            assert!(modest.0 < 50 << 20, "{peaks:?}");
            assert!(modest.1 < greedy.1, "{peaks:?}");
        }
    });
}
