//! Messages that share a sandbox one after the other, in real ones of the level `process`. Only
//! root has such sandboxes.

use std::pin::pin;
use std::time::Duration;

use atoll_engine::{
    Engine, Options, OutputDirectory, PolicyText, PoolOptions, PoolReport, ProgramFile, Report,
    RunOptions, Submission, backends, now_unix_ms, random,
};
use atoll_types::{LimitName, Message, Origin, ProfileSource, Status, Stdin, TenantId};

use crate::{POLICY, Reader, message, message_of, run};

/// Lets messages of a tenant share a sandbox, apart from those of the tenant `alone`.
fn policy(messages_max: u32) -> String {
    let limits = POLICY
        .replace("\"64MiB\"", "\"128MiB\"")
        .replace("\"1KiB\"", "\"8MiB\"")
        .replace("disk_files = 10", "disk_files = 100")
        .replace(
            "wall_time = { value = \"10s\"",
            "wall_time = { value = \"3s\"",
        );
    let limits = limits.split("[[rule]]").next().unwrap();
    format!(
        r#"{limits}
[[rule]]
id = "alone"
when = 'tenant.id == "alone"'
because = "this tenant shares nothing"
set.level = "process"

[[rule]]
id = "together"
because = "messages of a tenant may follow each other"
set.level = "process"
set.sharing = "tenant"
set.messages_max = {messages_max}
"#
    )
}

struct World {
    engine: Engine,
    state: tempfile::TempDir,
}

impl World {
    /// `None` where no sandbox can be shared.
    fn new(messages_max: u32) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            return None;
        }
        let state = tempfile::tempdir().unwrap();
        let engine = Engine::open(Options {
            state_dir: state.path().join("state"),
            policy: PolicyText {
                name: "sharing.toml".to_owned(),
                text: policy(messages_max),
            },
            backends: backends(),
            pools: Some(PoolOptions::default()),
            memory_bytes: None,
        });
        Some(Self {
            engine: engine.unwrap(),
            state,
        })
    }

    /// Runs a message, and waits until its sandbox is back or gone.
    async fn send(&self, message: Message) -> Report {
        let report = run(&self.engine, message).await;
        assert!(report.warnings.is_empty(), "{report:?}");
        self.settle().await;
        report
    }

    async fn settle(&self) {
        for _ in 0..3_000 {
            let is_busy = |pool: &PoolReport| pool.lent + pool.making > 0;
            if !self.engine.pools().iter().any(is_busy) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        unreachable!("pools stay busy: {:?}", self.engine.pools());
    }

    fn reuses(&self) -> u64 {
        let pools = self.engine.pools();
        let failed: Vec<_> = pools.iter().map(|p| &p.renewal_failure).collect();
        assert!(failed.iter().all(|why| why.is_none()), "{failed:?}");
        pools.iter().map(|pool| pool.reuses).sum()
    }
}

fn number(report: &Report) -> u32 {
    report.outcome.sandbox_message.unwrap()
}

fn stdout(report: &Report) -> String {
    String::from_utf8(report.outcome.stdout.clone()).unwrap()
}

/// What the reasons say about the sandbox.
fn said(report: &Report) -> &str {
    let decision = report.outcome.decision.as_ref().unwrap();
    let reasons = decision.reasons.iter();
    let mut said = reasons.filter(|reason| reason.from == "sandbox");
    said.next().map_or("", |reason| &reason.text)
}

#[tokio::test]
async fn as_many_messages_share_a_sandbox_as_are_decided() {
    let Some(world) = World::new(2) else { return };
    // A sandbox keeps its user namespace as long as it lives.
    let look = "readlink /proc/self/ns/user; exit 3";
    let first = world.send(message(look)).await;
    assert_eq!(first.outcome.exit_code, Some(3), "{first:?}");
    assert_eq!((number(&first), world.reuses()), (1, 0));
    assert!(said(&first).contains("up to 2 messages"), "{first:?}");

    let second = world.send(message(look)).await;
    assert_eq!(
        (number(&second), world.reuses()),
        (2, 1),
        "{:?}",
        world.engine.pools()
    );
    assert_eq!(stdout(&second), stdout(&first));
    assert!(said(&second).contains("message 2 of up to 2"), "{second:?}");

    let third = world.send(message(look)).await;
    assert_eq!((number(&third), world.reuses()), (1, 1));
    assert_ne!(stdout(&third), stdout(&second));
    world.engine.close().await;
}

#[tokio::test]
async fn what_one_message_leaves_the_next_does_not_find() {
    let Some(world) = World::new(100) else { return };
    let look = r#"
pwd; umask; id; ulimit -a; cat /proc/self/limits
ls -lAn /work /tmp /dev/shm | awk '{ print $1, $3, $4, $5, $9 }'
set -- /proc/[0-9]*; echo $#; cat /proc/self/stat | cut -d ' ' -f 1,4,5,6
ls /proc/self/fd; cut -d ' ' -f 4-6 /proc/self/mountinfo; cat /proc/self/net/unix
flock -n /bin/sh echo unlocked; env; df -i /work | tail -n 1; df /tmp | tail -n 1
"#;
    let leave = r#"
for place in /work /tmp /dev/shm; do mkdir $place/left; head -c 100000 /dev/zero >$place/a; done
umask 0; chmod 777 /tmp; rm -f script.sh; mkfifo /work/pipe; ln -s / /tmp/link
flock /bin/sh sleep 1000 & sleep 1000 >/dev/null & setsid sleep 1000 &
(cd /tmp/left; setsid sh -c 'exec 0<&- 1>&- 2>&-; while :; do touch /work/late; done' & )
cd /dev/shm/left; sleep 0.2; ls -d /proc/[0-9]* | wc -l; flock -n /bin/sh echo unlocked || exit 5
"#;
    let fresh = world.send(message_of("other", look)).await;
    assert_eq!(fresh.outcome.status, Status::Exited, "{fresh:?}");
    assert!(stdout(&fresh).contains("\nunlocked\n"), "{fresh:?}");
    let leaving = world.send(message(leave)).await;
    assert_eq!(
        (leaving.outcome.exit_code, number(&leaving)),
        (Some(5), 1),
        "{leaving:?}"
    );
    assert!(
        stdout(&leaving).trim().parse::<u32>().unwrap() >= 6,
        "{leaving:?}"
    );
    for turn in 2..4 {
        let next = world.send(message(look)).await;
        assert_eq!(number(&next), turn, "{:?}", world.engine.pools());
        assert_eq!(stdout(&next), stdout(&fresh));
    }
    world.engine.close().await;
}

#[tokio::test]
async fn no_other_tenant_gets_a_sandbox_and_none_is_shared_unless_decided() {
    let Some(world) = World::new(100) else { return };
    for tenant in ["local", "other", "alone", "third", "alone", "alone"] {
        let report = world.send(message_of(tenant, "true")).await;
        assert_eq!(number(&report), 1, "{tenant}");
    }
    assert_eq!(world.reuses(), 0);
    for tenant in ["other", "local", "third"] {
        let report = world.send(message_of(tenant, "true")).await;
        assert_eq!(number(&report), 2, "{tenant}");
    }
    for pool in world.engine.pools() {
        let is_alone = pool.key.environment.tenant == TenantId::new("alone").unwrap();
        assert_eq!(pool.key.messages_max, if is_alone { 1 } else { 100 });
    }
    world.engine.close().await;
}

#[tokio::test]
async fn nothing_suspicious_is_shared() {
    let Some(world) = World::new(100) else { return };
    let bad = [
        ("kill -SEGV $$", Status::Signalled, None),
        ("kill -KILL $$", Status::Signalled, None),
        ("exec /sbin/pivot_root /tmp /tmp", Status::Signalled, None),
        (
            "head -c 100000 /dev/zero",
            Status::Limit,
            Some(LimitName::Output),
        ),
        (
            "head -c 400000000 /dev/zero | tail -c 300000000 >/dev/null",
            Status::Limit,
            Some(LimitName::Memory),
        ),
        (
            "head -c 9000000 /dev/zero >/tmp/a || exit 1",
            Status::Limit,
            Some(LimitName::Disk),
        ),
        ("sleep 100", Status::Limit, Some(LimitName::WallTime)),
    ];
    let mut reuses = 0;
    for (script, status, limit) in bad {
        assert_eq!(number(&world.send(message("true")).await), 1);
        let report = world.send(message(script)).await;
        let outcome = &report.outcome;
        assert_eq!(outcome.status, status, "{script}: {report:?}");
        assert_eq!(outcome.limit.map(|hit| hit.name), limit, "{script}");
        assert_eq!(number(&report), 2, "{script}");
        reuses += 1;
        assert_eq!(world.reuses(), reuses);
    }
    // Whoever interrupts a message does not know what it has done.
    world.send(message("true")).await;
    let options = RunOptions::default();
    let stop = pin!(tokio::time::sleep(Duration::from_millis(300)));
    let mut reader = Reader::default();
    let running = world
        .engine
        .run(message("sleep 100"), options, &mut reader, stop);
    let report = running.await.unwrap();
    assert_eq!(
        (report.outcome.status, number(&report)),
        (Status::Failed, 2)
    );
    world.settle().await;
    assert_eq!(number(&world.send(message("true")).await), 1);
    world.engine.close().await;
}

#[tokio::test]
async fn usage_and_files_are_those_of_one_message() {
    let Some(world) = World::new(100) else { return };
    let busy = "
head -c 60000000 /dev/zero | tail -c 60000000 | tail -c 1 >/dev/null
awk 'BEGIN { for (i = 0; i < 3000000; i++) a[i % 100] = i }'
head -c 4000000 /dev/zero >a; sleep 0.2 & sleep 0.2 & sleep 0.2 & sleep 0.2 & wait";
    let first = world.send(message(busy)).await.outcome.usage;
    let out = world.state.path().join("out");
    let options = RunOptions {
        output: Some(OutputDirectory::open(&out).unwrap()),
        ..RunOptions::default()
    };
    let never = pin!(std::future::pending());
    let mut reader = Reader::default();
    let running = world
        .engine
        .run(message("echo b >b"), options, &mut reader, never);
    let second = running.await.unwrap();
    assert_eq!(number(&second), 2, "{:?}", world.engine.pools());
    let files: Vec<_> = second.outcome.collection.unwrap().files;
    assert_eq!(files.len(), 1, "{files:?}");
    assert_eq!(files[0].name, b"b");
    let second = second.outcome.usage;
    assert!(first.memory_peak_bytes > 60_000_000, "{first:?}");
    assert!(second.memory_peak_bytes < 20_000_000, "{second:?}");
    assert!(
        second.cpu_time_us * 2 < first.cpu_time_us,
        "{first:?} {second:?}"
    );
    assert!(first.disk_bytes >= 4_000_000, "{first:?}");
    assert!(second.disk_bytes < 100_000, "{second:?}");
    world.settle().await;
    // A sandbox whose files were collected is shared like others.
    assert_eq!(number(&world.send(message("true")).await), 3);
    world.engine.close().await;
}

#[tokio::test]
async fn what_programs_read_and_write_is_remembered_and_expected() {
    let Some(world) = World::new(100) else { return };
    let busy = "i=0; while [ $i -lt 500 ]; do echo x; i=$((i + 1)); done >a";
    for _ in 0..3 {
        let io = world.send(message(busy)).await.outcome.usage.io.unwrap();
        assert!((500..520).contains(&io.writes), "{io:?}");
        assert!((1_000..2_000).contains(&io.written_bytes), "{io:?}");
        world.settle().await;
    }
    let profile = world.send(message(busy)).await.outcome.profile.unwrap();
    let expected = profile.io_intensity;
    for estimate in [&expected.operations, &expected.read_bytes] {
        assert_eq!(estimate.source, ProfileSource::History { runs: 3 });
    }
    let operations = expected.operations.quantiles;
    assert!((500..600).contains(&operations.p50), "{operations:?}");
    assert_eq!(
        (expected.network.operations, expected.network.bytes),
        (0, 0)
    );
    world.engine.close().await;
}

fn python(script: &str) -> Message {
    let submission = Submission {
        program: ProgramFile {
            name: "script.py".to_owned(),
            bytes: script.as_bytes().into(),
        },
        parts: atoll_types::Parts::default(),
        arguments: Vec::new(),
        sample: None,
        stdin: Stdin::Empty,
        files: Vec::new(),
        environment: Vec::new(),
        tenant: TenantId::local(),
        origin: Origin::CommandLine,
    };
    let message = submission.into_message(now_unix_ms(), random().unwrap());
    message.unwrap()
}

#[tokio::test]
async fn a_copy_of_an_interpreter_serves_one_message_and_an_interpreter_of_its_own_is_shared() {
    let Some(world) = World::new(100) else { return };
    let in_a_copy = "print(sum(range(10)))\n";
    let on_its_own = "# coding: utf-8\nprint(sum(range(10)))\n";
    for (script, expected) in [
        (in_a_copy, 1),
        (in_a_copy, 1),
        (on_its_own, 1),
        (in_a_copy, 1),
        (on_its_own, 2),
        (on_its_own, 3),
    ] {
        let report = world.send(python(script)).await;
        assert_eq!(stdout(&report), "45\n", "{report:?}");
        assert_eq!(number(&report), expected, "{script}");
        let alone = said(&report).contains("not one that");
        assert_eq!(alone, script == in_a_copy, "{report:?}");
    }
    assert_eq!(world.reuses(), 2);
    world.engine.close().await;
}

#[tokio::test]
async fn a_message_with_rules_for_calls_gets_a_sandbox_that_did_not_wait() {
    let Some(world) = World::new(100) else { return };
    let script = "(echo > kept) 2> /dev/null && echo written || echo denied";
    assert_eq!(stdout(&world.send(message(script)).await), "written\n");
    let mut options = RunOptions {
        keep_output: true,
        ..RunOptions::default()
    };
    let rule = "deny=EACCES file.open /work/kept".parse().unwrap();
    options.request.calls.rules.push(rule);
    let never = pin!(std::future::pending());
    let mut reader = Reader::default();
    let running = world
        .engine
        .run(message(script), options, &mut reader, never);
    let ruled = running.await.unwrap();
    assert_eq!(stdout(&ruled), "denied\n", "{ruled:?}");
    assert_eq!((number(&ruled), world.reuses()), (1, 0));
    assert!(ruled.warnings.is_empty(), "{ruled:?}");
    // The rules of one message are not those of the next.
    let next = world.send(message(script)).await;
    assert_eq!((stdout(&next).as_str(), number(&next)), ("written\n", 2));
    world.engine.close().await;
}
