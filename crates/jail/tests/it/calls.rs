//! Rules for calls, held at the system calls of real programs.

use std::time::{Duration, Instant};

use atoll_jail::{Command, Jail, JailError, ProgramEnd};
use atoll_types::calls::{Call, CallAudit, CallCounts, CallRules};

use crate::support::{LIMITS, PROFILE, block_on, create, python, read_all, shell, spec};

struct Ran {
    end: Option<ProgramEnd>,
    stdout: String,
    stderr: String,
    audit: Option<CallAudit>,
    violation: Option<String>,
}

fn rules(rules: &[&str], audit: bool) -> CallRules {
    CallRules {
        rules: rules.iter().map(|text| text.parse().unwrap()).collect(),
        audit,
    }
}

fn run(name: &str, rules: CallRules, command: Command) -> Ran {
    let command = Command {
        calls: rules,
        ..command
    };
    block_on(async {
        let mut jail = create(&spec(name), LIMITS).await.unwrap();
        let streams = jail.start(command).await.unwrap();
        drop(streams.stdin);
        let readers = [streams.stdout, streams.stderr]
            .map(|stream| std::thread::spawn(move || read_all(stream)));
        let end = tokio::time::timeout(Duration::from_secs(180), jail.wait())
            .await
            .unwrap();
        let audit = jail.audit();
        let violation = jail.violation().map(|violation| {
            assert!(violation.by_rule, "{violation:?}");
            violation.what
        });
        jail.destroy().await.unwrap();
        let [stdout, stderr] = readers.map(|reader| reader.join().unwrap());
        Ran {
            end,
            stdout,
            stderr,
            audit,
            violation,
        }
    })
}

/// Threads of this process with a name.
fn threads(name: &str) -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .flatten()
        .filter(|task| {
            std::fs::read_to_string(task.path().join("comm"))
                .is_ok_and(|comm| comm.trim_end() == name)
        })
        .count()
}

#[test]
fn an_open_is_denied_with_the_error_of_the_rule() {
    let script = "
import errno, os
for path in ['/etc/secret', '../etc/secret', '/work/link', '/etc/./x/../secret',
             '/proc/self/root/etc/secret']:
    if path == '/work/link': os.symlink('/etc/secret', path)
    try: print(path, open(path).read())
    except OSError as error: print(errno.errorcode[error.errno])
open('/work/mine', 'w').write('kept')
print(open('mine').read())
";
    let mut spec_with_secret = spec("denied");
    spec_with_secret
        .root
        .texts
        .push(("etc/secret".into(), "told".to_owned()));
    let command = Command {
        calls: rules(&["deny=EIO file.open /etc/secret"], false),
        ..python(script)
    };
    let ran = crate::support::run_in(&spec_with_secret, LIMITS, command);
    assert_eq!(ran.end, Some(ProgramEnd::Exited(0)), "{ran:?}");
    assert_eq!(ran.stdout, "EIO\nEIO\nEIO\nEIO\nEIO\nkept\n", "{ran:?}");
}

#[test]
fn without_rules_nobody_listens() {
    let script = "grep Seccomp_filters /proc/self/status; true";
    let ran = run("none", CallRules::default(), shell(script));
    assert!(ran.audit.is_none() && ran.violation.is_none());
    assert_eq!(ran.stdout, "Seccomp_filters:\t1\n", "{}", ran.stderr);
    let ran = run(
        "some",
        rules(&["deny=EPERM network.connect"], false),
        shell(script),
    );
    assert_eq!(ran.stdout, "Seccomp_filters:\t2\n", "{}", ran.stderr);
}

#[test]
fn a_call_is_delayed() {
    let script = "
import os, time
began = time.monotonic()
os.mkdir('a')
print(time.monotonic() - began >= 0.2, os.path.isdir('a'))
began = time.monotonic()
os.rmdir('a')
print(time.monotonic() - began >= 0.2, os.path.isdir('a'))
";
    let delays = [
        "delay=200ms file.make-directory /work/*",
        "delay=200ms file.remove",
    ];
    let began = Instant::now();
    let ran = run("delayed", rules(&delays, true), python(script));
    assert_eq!(ran.stdout, "True True\nTrue False\n", "{}", ran.stderr);
    assert!(began.elapsed() >= Duration::from_millis(400));
    let counts = ran.audit.unwrap().counts;
    assert_eq!(counts[&Call::FileMakeDirectory].delayed, 1);
    assert_eq!(counts[&Call::FileRemove].delayed, 1);
}

#[test]
fn a_trap_ends_everything_at_once() {
    let script = "echo before; /bin/true; sleep 100 & wait; echo after";
    let began = Instant::now();
    let ran = run(
        "trap",
        rules(&["trap after=1 program.*"], false),
        shell(script),
    );
    assert_eq!((ran.end, ran.stdout.as_str()), (None, "before\n"));
    let violation = ran.violation.unwrap();
    assert!(violation.contains("program.execute"), "{violation}");
    assert!(began.elapsed() < Duration::from_secs(30));
    let trapped = run(
        "trap-path",
        rules(&["trap file.remove /work/precious"], true),
        python("import os; open('precious', 'w').close(); os.unlink('precious')"),
    );
    let violation = trapped.violation.unwrap();
    assert!(
        violation.contains("file.remove /work/precious"),
        "{violation}"
    );
    assert_eq!(trapped.audit.unwrap().counts[&Call::FileRemove].trapped, 1);
}

#[test]
fn a_program_that_is_trapped_before_it_is_known_to_run_has_run() {
    for _ in 0..20 {
        let ran = run("early", rules(&["trap file.open"], false), shell("true"));
        assert_eq!(ran.end, None);
        assert!(ran.violation.unwrap().contains("file.open"));
    }
}

#[test]
fn calls_are_counted_and_recorded() {
    let script = "
import os, socket, subprocess, threading
open('a', 'w').close()
os.rename('a', 'b'); os.link('b', 'c'); os.symlink('b', 'd'); os.unlink('c')
thread = threading.Thread(target=lambda: open('b').close()); thread.start(); thread.join()
subprocess.run(['/bin/true'])
socket.socket(socket.AF_UNIX).close()
os.kill(os.getpid(), 0)
";
    let ran = run(
        "audit",
        rules(&["allow process.start"], true),
        python(script),
    );
    assert_eq!(ran.end, Some(ProgramEnd::Exited(0)), "{}", ran.stderr);
    let audit = ran.audit.unwrap();
    let allowed = |call| {
        audit
            .counts
            .get(&call)
            .map_or(0, |counts: &CallCounts| counts.allowed)
    };
    for (call, wanted) in [
        (Call::FileRename, 1),
        (Call::FileLink, 2),
        (Call::FileRemove, 1),
        (Call::ProgramExecute, 1),
        (Call::NetworkOpen, 1),
        (Call::ProcessSignal, 1),
    ] {
        assert_eq!(allowed(call), wanted, "{call}: {audit:?}");
    }
    // One that a signal came before is made, and seen, again.
    assert!(allowed(Call::ProcessStart) >= 2, "{audit:?}");
    let record = |call, argument: &str| {
        audit.records.iter().any(|record| {
            let text = record
                .argument
                .as_ref()
                .map(|argument| argument.data.as_str());
            record.call == call && text == Some(argument) && record.verdict == "allow"
        })
    };
    assert!(record(Call::FileOpen, "/work/a"), "{audit:?}");
    assert!(record(Call::FileRemove, "/work/c"), "{audit:?}");
    assert!(record(Call::ProgramExecute, "/bin/true"), "{audit:?}");
    let times: Vec<u64> = audit
        .records
        .iter()
        .map(|record| record.since_start_us)
        .collect();
    assert!(times.is_sorted() && times.last() > Some(&0));
}

/// A shell's handler of signals does not restart calls, and children end while it forks others.
#[test]
fn signals_of_children_do_not_disturb_calls() {
    let script = "n=0; while [ $n -lt 100 ]; do (true) & true | true > out; n=$((n+1)); done
wait; echo done";
    for audit in [
        CallRules::default(),
        rules(&["deny=EIO file.* /nowhere/**"], false),
        rules(&[], true),
    ] {
        let ran = run("signals", audit.clone(), shell(script));
        let said = (ran.stdout.as_str(), ran.stderr.as_str());
        assert_eq!(said, ("done\n", ""), "{audit:?}");
    }
}

/// What the program finds must not depend on who carries its calls out.
#[test]
fn calls_that_are_carried_out_look_like_the_kernels() {
    let script = include_str!("calls.py");
    let plain = run("plain", CallRules::default(), python(script));
    // No rule holds anything up, but every path has to be judged.
    let judged = rules(&["trap file.* /nowhere/**"], false);
    let judged = run("judged", judged, python(script));
    assert_eq!(plain.end, Some(ProgramEnd::Exited(0)), "{}", plain.stderr);
    assert!(plain.stdout.lines().count() > 60);
    assert_eq!(judged.stderr, plain.stderr);
    for (plain, judged) in plain.stdout.lines().zip(judged.stdout.lines()) {
        assert_eq!(judged, plain);
    }
    assert_eq!((judged.end, judged.stdout), (plain.end, plain.stdout));
}

/// A path that is relative to a descriptor, of which another thread makes another directory all
/// the time.
#[test]
fn a_directory_that_changes_after_it_was_judged_opens_nothing_else() {
    let tries: u32 = std::env::var("ATOLL_RACES").map_or(500, |text| text.parse().unwrap());
    let script = format!(
        r"
import os, sys, threading, time
sys.setswitchinterval(1e-5)
os.makedirs('safe/secret'); os.mkdir('closed'); open('safe/name', 'w').write('mine')
open('closed/name', 'w').write('told')
safe, closed = os.open('safe', os.O_PATH), os.open('closed', os.O_PATH)
where = os.dup(safe)
over = False
def flip():
    while not over: os.dup2(safe, where); os.dup2(closed, where)
thread = threading.Thread(target=flip); thread.start()
mine = told = denied = 0
for attempt in range({tries}):
    if time.process_time() > 4 and mine + denied: break
    try: opened = os.open('name', os.O_RDONLY, dir_fd=where)
    except PermissionError: denied += 1; continue
    text = os.read(opened, 10)
    os.close(opened)
    mine += text == b'mine'
    told += text == b'told'
over = True
thread.join()
print(mine + denied > 0, told)
"
    );
    let closed = rules(&["deny=EACCES after=1 file.open /work/closed/name"], false);
    let ran = run("directory", closed, python(&script));
    assert_eq!(ran.stdout, "True 0\n", "{}", ran.stderr);
}

/// Another process changes the path in memory that both share, while this one opens it. Looking at
/// the path and then letting the kernel look again would be fooled within a few tries. Threads of
/// an interpreter share its lock as well, and the one that opens might never have its turn.
#[test]
fn a_path_that_changes_after_it_was_judged_opens_nothing_else() {
    let tries: u32 = std::env::var("ATOLL_RACES").map_or(500, |text| text.parse().unwrap());
    let script = format!(
        r"
import ctypes, errno, mmap, os, signal, time
libc = ctypes.CDLL(None, use_errno=True)
allowed, secret = b'/work/mine\0', b'/etc/secret\0'
shared = mmap.mmap(-1, 4096)
path = (ctypes.c_char * 64).from_buffer(shared)
open('mine', 'w').write('mine')
def flip():
    shared[:len(allowed)] = allowed
    shared[:len(secret)] = secret
def swap():
    for target in ['/work/mine', '/etc/secret']:
        try: os.unlink('swap')
        except FileNotFoundError: pass
        os.symlink(target, 'swap')
        # Each of these calls is judged before the next one that is opened.
        time.sleep(0.001)
def beside(change):
    child = os.fork()
    while child == 0: change()
    return child
others = [beside(flip), beside(swap)]
mine = told = denied = 0
enough = time.monotonic() + 10
for attempt in range({tries}):
    if time.monotonic() > enough and mine + denied: break
    opened = libc.open(path if attempt % 2 else b'/work/swap', 0)
    if opened < 0:
        denied += ctypes.get_errno() == errno.EACCES
        continue
    text = os.read(opened, 10)
    os.close(opened)
    mine += text == b'mine'
    told += text == b'told'
for other in others:
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
print(mine + denied > 0, told)
"
    );
    let mut spec = spec("race");
    spec.root
        .texts
        .push(("etc/secret".into(), "told".to_owned()));
    let command = Command {
        calls: rules(&["deny=EACCES file.open /etc/secret"], false),
        ..python(&script)
    };
    let ran = crate::support::run_in(&spec, LIMITS, command);
    assert_eq!(ran.stdout, "True 0\n", "{ran:?}");
}

#[test]
fn children_and_other_programs_are_held_to_the_same_rules() {
    let script = "
import subprocess, os
print(subprocess.run(['cat', '/work/kept'], capture_output=True, text=True).stderr.strip())
child = os.fork()
if child == 0:
    try: open('/work/kept')
    except FileNotFoundError: os._exit(7)
    os._exit(1)
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
";
    let denied = rules(&["deny=ENOENT after=1 file.open /work/kept"], true);
    let script = format!("open('kept', 'w').close()\n{script}");
    let ran = run("children", denied, python(&script));
    assert_eq!(
        ran.stdout, "cat: /work/kept: No such file or directory\n7\n",
        "{}",
        ran.stderr
    );
    assert_eq!(ran.audit.unwrap().counts[&Call::FileOpen].denied, 2);
}

#[test]
fn compiled_programs_are_held_to_the_rules() {
    let source = r#"
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
static void *run(void *unused) { return unused; }
int main(void) {
    pthread_t thread;
    printf("%d\n", pthread_create(&thread, 0, run, 0));
    struct sockaddr_un there = {AF_UNIX, "/work/socket"};
    int made = socket(AF_UNIX, SOCK_STREAM, 0);
    int connected = connect(made, (void *)&there, sizeof there);
    printf("%d %d\n", connected, errno == ECONNREFUSED);
    int executed = execl("/bin/true", "true", (char *)0);
    printf("%d %d\n", executed, errno == ENOENT);
    return 0;
}
"#;
    let place = tempfile::tempdir().unwrap();
    let (code, program) = (place.path().join("a.c"), place.path().join("a"));
    std::fs::write(&code, source).unwrap();
    let compiled = std::process::Command::new("gcc")
        .args(["-static", "-pthread", "-o"])
        .args([&program, &code])
        .status();
    if !compiled.is_ok_and(|status| status.success()) {
        println!("there is no C compiler that links statically; not tested");
        return;
    }
    let command = Command {
        path: b"/work/a".to_vec(),
        arguments: vec![b"a".to_vec()],
        files: vec![atoll_jail::JailFile {
            name: b"a".to_vec(),
            content: std::fs::read(&program).unwrap().into(),
            executable: true,
        }],
        ..shell("")
    };
    let rules = rules(
        &[
            "deny=EAGAIN process.start",
            "deny=ECONNREFUSED network.connect",
            "deny=ENOENT program.execute",
        ],
        true,
    );
    let ran = run("compiled", rules, command);
    assert_eq!(ran.stdout, "11\n-1 1\n-1 1\n", "{}", ran.stderr);
    let audit = ran.audit.unwrap();
    assert_eq!(audit.counts[&Call::ProcessStart].denied, 1);
    let connected = audit
        .records
        .iter()
        .find(|record| record.call == Call::NetworkConnect);
    let address = connected.unwrap().argument.as_ref().unwrap();
    assert_eq!(address.data, "unix:/work/socket");
}

#[test]
fn a_program_that_ends_who_carries_out_its_calls_gains_nothing() {
    let script = "
import os, signal
open('mine', 'w').close()
print(sorted(name for name in os.listdir('/proc') if name.isdigit()) == [str(os.getpid())])
others = []
for number in range(2, 50):
    if number == os.getpid(): continue
    for name in ('mem', 'fd/3', 'root/etc/secret'):
        try: open(f'/proc/{number}/{name}', 'rb'); print('looked in')
        except OSError: pass
    try: os.kill(number, signal.SIGKILL); others.append(number)
    except ProcessLookupError: pass
print(len(others), flush=True)
try: print(open('/etc/secret').read())
except OSError as error: print(error)
";
    block_on(async {
        let mut spec = spec("hand");
        spec.root
            .texts
            .push(("etc/secret".into(), "told".to_owned()));
        let mut jail = create(&spec, LIMITS).await.unwrap();
        let command = Command {
            calls: rules(&["deny=EIO file.open /etc/secret"], false),
            ..python(script)
        };
        let streams = jail.start(command).await.unwrap();
        let end = jail.wait().await;
        let said = end.is_some().then(|| jail.audit());
        assert_eq!(end, None, "{said:?} {}", read_all(streams.stdout));
        let violation = jail.violation().unwrap();
        assert!(!violation.by_rule, "{violation:?}");
        jail.destroy().await.unwrap();
    });
}

#[test]
fn rules_that_cannot_be_held_start_nothing() {
    for rule in ["deny=EIO file.read", "trap program.execute /bin/sh"] {
        block_on(async {
            let mut jail = create(&spec("refused"), LIMITS).await.unwrap();
            let command = Command {
                calls: rules(&[rule], false),
                ..shell("echo ran")
            };
            let error = jail.start(command).await.unwrap_err();
            let JailError::NotEnforceable(missing) = error else {
                panic!("{error:?}");
            };
            assert!(missing[0].detail.contains(rule), "{missing:?}");
            jail.destroy().await.unwrap();
        });
    }
}

#[test]
fn a_renewed_jail_has_the_rules_of_its_next_program() {
    if !Jail::is_renewable() {
        return;
    }
    block_on(async {
        let beginning = Jail::begin_renewable(&spec("renewed")).unwrap();
        let mut jail = beginning
            .finish(LIMITS, &crate::support::accepted())
            .await
            .unwrap();
        for (rule, wanted) in [
            (Some("deny=EIO file.open /work/a"), "no\n"),
            (None, "yes\n"),
            (Some("deny=EIO file.open /work/a"), "no\n"),
        ] {
            let script = "(echo > a) 2> /dev/null && echo yes || echo no";
            let command = Command {
                calls: rules(rule.as_slice(), false),
                ..shell(script)
            };
            let streams = jail.start(command).await.unwrap();
            assert_eq!(jail.wait().await, Some(ProgramEnd::Exited(0)));
            assert_eq!(read_all(streams.stdout), wanted);
            jail.renew(LIMITS).await.unwrap();
        }
        jail.destroy().await.unwrap();
    });
}

#[test]
fn nothing_is_left_of_supervision() {
    let descriptors = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    run(
        "warm-up",
        rules(&["deny=EIO file.open /x"], true),
        shell("true"),
    );
    for _ in 0..10 {
        run(
            "leaves",
            rules(&["deny=EIO file.open /x"], true),
            shell("true"),
        );
    }
    // Other tests run beside this one.
    let until = Instant::now() + Duration::from_secs(20);
    while threads("calls") > 8 || descriptors() > 200 {
        assert!(
            Instant::now() < until,
            "{} {}",
            threads("calls"),
            descriptors()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(PROFILE, shell("").profile);
}
