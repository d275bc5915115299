//! The attacks in sandboxes that waited for them, forked interpreters included: they fare no better
//! than in a sandbox that was made for them.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use atoll_engine::{
    Confinement, Engine, Flow, Observer, Options, PolicyText, PoolOptions, ProgramFile, Request,
    RunOptions, Stream, Submission, backends, now_unix_ms, random,
};
use atoll_types::{
    InputFile, Level, Limits, Message, Origin, Sharing, Status, Stdin, SystemCalls, TenantId, Usage,
};

const POLICY: &str = include_str!("../../../acceptance/src/isolation.toml");

/// Programs that take long on purpose, or are told by a variable what to do.
const LEFT_OUT: [&str; 12] = [
    "attempts.py",
    "k07_every_call.py",
    "k07_garbage.py",
    "next_job.py",
    "p05_ending.py",
    "r02_buffers_in_children.py",
    "r03_busy.py",
    "r03_share.py",
    "r03_time.py",
    "r04_deaf.py",
    "r04_stopped.py",
    "r04_waiting.py",
];

/// What the policy gives.
const LIMITS: Limits = Limits {
    wall_time_ms: 5_000,
    cpu_time_ms: 10_000,
    cpu_percent: 100,
    memory_bytes: 512 << 20,
    processes: 64,
    disk_bytes: 256 << 20,
    disk_files: 10_000,
    output_bytes: 16 << 20,
    open_files: 256,
};

struct Canaries {
    directory: tempfile::TempDir,
    tcp: TcpListener,
    _by_name: UnixListener,
}

impl Canaries {
    fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("canary-")
            .tempdir()
            .unwrap();
        fs::write(directory.path().join("canary"), "nobody may read this").unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let name = directory.path().file_name().unwrap().to_str().unwrap();
        let name = SocketAddr::from_abstract_name(name).unwrap();
        Self {
            tcp: TcpListener::bind("127.0.0.1:0").unwrap(),
            _by_name: UnixListener::bind_addr(&name).unwrap(),
            directory,
        }
    }

    fn arguments(&self) -> Vec<Vec<u8>> {
        let path = self.directory.path();
        let words = [
            "mark".to_owned(),
            path.join("canary").display().to_string(),
            self.tcp.local_addr().unwrap().port().to_string(),
            path.file_name().unwrap().to_str().unwrap().to_owned(),
            std::process::id().to_string(),
        ];
        words.map(String::into_bytes).into()
    }
}

fn programs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../acceptance/tests/escape/programs")
}

fn message(name: &str, canaries: &Canaries) -> Message {
    let read = |name: &str| fs::read(programs().join(name)).unwrap();
    let submission = Submission {
        program: ProgramFile {
            name: name.to_owned(),
            bytes: read(name).into(),
        },
        parts: atoll_types::Parts::default(),
        arguments: canaries.arguments(),
        sample: None,
        stdin: Stdin::Empty,
        files: vec![InputFile {
            name: b"attempts.py".to_vec(),
            content: read("attempts.py").into(),
        }],
        environment: Vec::new(),
        tenant: TenantId::new("local").unwrap(),
        origin: Origin::CommandLine,
    };
    let message = submission.into_message(now_unix_ms(), random().unwrap());
    message.unwrap()
}

/// The same for an interpreter that starts with its program.
fn started_with(name: &str, canaries: &Canaries) -> Message {
    Message {
        environment: vec![(b"LC_ALL".to_vec(), b"C.UTF-8".to_vec())],
        ..message(name, canaries)
    }
}

fn engine(place: &Path, pools: Option<PoolOptions>) -> Engine {
    engine_with(place, POLICY.to_owned(), pools)
}

fn engine_with(place: &Path, policy: String, pools: Option<PoolOptions>) -> Engine {
    let options = Options {
        state_dir: place.to_owned(),
        policy: PolicyText {
            name: "isolation".to_owned(),
            text: policy,
        },
        backends: backends(),
        pools,
        memory_bytes: None,
    };
    Engine::open(options).unwrap()
}

/// What came of each attempt, and how the program ended.
type Seen = (BTreeMap<String, String>, String);

async fn run(engine: &Engine, message: Message) -> Seen {
    run_as(engine, message).await.0
}

/// The same, and which message of its sandbox it was.
async fn run_as(engine: &Engine, message: Message) -> (Seen, u32) {
    let options = RunOptions {
        request: Request {
            wall_time_ms: Some(5_000),
            ..Request::default()
        },
        keep_output: true,
        ..RunOptions::default()
    };
    let never = pin!(std::future::pending());
    let report = engine.run(message, options, &mut Silent, never).await;
    let outcome = report.unwrap().outcome;
    assert_ne!(outcome.status, Status::Refused, "{:?}", outcome.reason);
    let ended = (outcome.exit_code, outcome.signal, outcome.limit);
    let mut seen = BTreeMap::new();
    for line in outcome.stdout.split(|byte| *byte == b'\n') {
        let line: serde_json::Value = serde_json::from_slice(line).unwrap_or_default();
        let attempts = line.get("attempts").and_then(|all| all.as_object());
        for (name, words) in attempts.into_iter().flatten() {
            seen.insert(name.clone(), words.as_str().unwrap().to_owned());
        }
    }
    let errors = String::from_utf8_lossy(&outcome.stderr);
    let errors: String = errors.chars().take(300).collect();
    let number = outcome.sandbox_message.unwrap();
    ((seen, format!("{ended:?} {errors}")), number)
}

/// The attacks, but for those that are left out.
fn attacks() -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(programs())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !LEFT_OUT.contains(&name.as_str()))
        .collect();
    names.sort();
    assert!(names.len() > 50, "{names:?}");
    names
}

/// Every attempt that came to something else than expected.
fn differences(name: &str, (expected, expected_end): &Seen, (seen, end): &Seen) -> Vec<String> {
    if (seen, end) != (expected, expected_end) {
        println!("{name}: {expected_end} to {end}");
    }
    let other = seen.iter().filter_map(|(attempt, words)| {
        let was = expected.get(attempt);
        (was != Some(words)).then(|| format!("{name}: {attempt}: {was:?} to {words}"))
    });
    let missing = expected.keys().filter(|name| !seen.contains_key(*name));
    let missing = missing.map(|attempt| format!("{name}: {attempt}: never tried: {end}"));
    other.chain(missing).collect()
}

/// Waits until a sandbox for such programs waits.
async fn until_one_waits(engine: &Engine) {
    for _ in 0..10_000 {
        if engine.pools().iter().any(|pool| pool.idle > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    unreachable!("no sandbox waits: {:?}", engine.pools());
}

#[tokio::test]
async fn attacks_fare_no_better_in_a_sandbox_that_waited_for_them() {
    let place = tempfile::tempdir().unwrap();
    let cold = engine(&place.path().join("cold"), None);
    let warm = engine(&place.path().join("warm"), Some(PoolOptions::default()));
    let canaries = Canaries::new();
    let names = attacks();
    let mut found = Vec::new();
    for name in &names {
        let message = || message(name, &canaries);
        let expected = run(&cold, message()).await;
        let confinement = Confinement {
            level: Level::Process,
            sharing: Sharing::Message,
            limits: LIMITS,
            system_calls: SystemCalls::Processes,
        };
        warm.keep_waiting(&message(), confinement, 2).await;
        until_one_waits(&warm).await;
        let seen = run(&warm, message()).await;
        found.extend(differences(name, &expected, &seen));
    }
    let hits: u64 = warm.pools().iter().map(|pool| pool.hits).sum();
    let text = fs::read_to_string(canaries.directory.path().join("canary")).unwrap();
    warm.close().await;
    cold.close().await;
    println!("{hits} of {} programs found a sandbox waiting", names.len());
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(hits as usize + 5 > names.len(), "only {hits} waited");
    assert_eq!(text, "nobody may read this");
}

/// Waits until what came back is renewed or gone.
async fn until_settled(engine: &Engine) {
    for _ in 0..10_000 {
        let pools = engine.pools();
        if pools.iter().all(|pool| pool.lent + pool.making == 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    unreachable!("pools stay busy: {:?}", engine.pools());
}

#[tokio::test]
async fn attacks_fare_no_better_in_a_sandbox_that_others_used_before() {
    if !rustix::process::geteuid().is_root() {
        // Nobody else has sandboxes that several messages share.
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let alone = engine(&place.path().join("alone"), None);
    let policy = format!("{POLICY}set.sharing = \"tenant\"\nset.messages_max = 1000\n");
    let options = Some(PoolOptions::default());
    let shared = engine_with(&place.path().join("shared"), policy, options);
    let canaries = Canaries::new();
    let (mut found, mut reused) = (Vec::new(), 0);
    let names = attacks();
    for name in &names {
        let message = || started_with(name, &canaries);
        let expected = run(&alone, message()).await;
        // The attack before may have cost its sandbox; this one is used once in any case.
        run(&shared, started_with("next_job.py", &canaries)).await;
        until_settled(&shared).await;
        let (seen, number) = run_as(&shared, message()).await;
        until_settled(&shared).await;
        found.extend(differences(name, &expected, &seen));
        reused += u32::from(number > 1);
    }
    let text = fs::read_to_string(canaries.directory.path().join("canary")).unwrap();
    let not_renewed: Vec<_> = shared
        .pools()
        .into_iter()
        .filter_map(|p| p.renewal_failure)
        .collect();
    shared.close().await;
    alone.close().await;
    println!(
        "{reused} of {} programs had a used sandbox; {not_renewed:?}",
        names.len()
    );
    assert!(found.is_empty(), "{}", found.join("\n"));
    assert!(reused as usize + 5 > names.len(), "only {reused} were");
    assert_eq!(text, "nobody may read this");
}

/// Output is kept and looked at in the end.
struct Silent;

#[async_trait]
impl Observer for Silent {
    async fn output(&mut self, _: Stream, _: &[u8]) -> Flow {
        Flow::Continue
    }

    fn progress(&mut self, _: &Usage) {}
}
