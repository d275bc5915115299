//! Workers that are gone, and what is left of everything.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use atoll_sandbox::{Backend, Ending, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use rustix::process::Signal;

use crate::fixtures;
use crate::support::{Going, alone, block_on, in_time, job, module, processes, signal, tenant};

#[test]
fn a_worker_that_is_killed_loses_its_own_messages_and_no_others() {
    if !alone("loss::a_worker_that_is_killed_loses_its_own_messages_and_no_others") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let program = module(&fixtures::copy());
        let mut lost = Vec::new();
        for _ in 0..3 {
            lost.push(Going::start(&backend, job(program.clone()), &tenant("a")).await);
        }
        let theirs: BTreeSet<_> = processes("serve").into_iter().collect();
        let other = Going::start(&backend, job(program.clone()), &tenant("b")).await;
        let own = Going::start(&backend, job(program.clone()), &Tenancy::own()).await;
        // Those of the first tenant may have become more meanwhile; all that were there go.
        for pid in &theirs {
            signal(*pid, Signal::KILL);
        }
        let mut endings = Vec::new();
        for one in lost {
            endings.push(one.end_with_input_open().await.ending);
        }
        // A second worker, made when the first was busy, may have had some of them.
        let is_lost = |ending: &Ending| matches!(ending, Ending::Lost(_));
        assert!(endings.iter().any(is_lost), "{endings:?}");
        for ending in endings.iter().filter(|ending| is_lost(ending)) {
            assert!(format!("{ending:?}").contains("signal 9"), "{ending:?}");
        }
        // The next message goes to a new worker at once.
        let next = Going::start(&backend, job(program), &tenant("a")).await;
        for (going, text) in [(next, "next"), (other, "other"), (own, "own")] {
            going.write(text.as_bytes()).await;
            let ran = going.end().await;
            assert_eq!((ran.ending, ran.stdout.as_str()), (Ending::Exited(0), text));
        }
        in_time(backend.close()).await;
    });
}

#[test]
fn a_worker_of_its_own_that_is_killed_is_a_signal() {
    if !alone("loss::a_worker_of_its_own_that_is_killed_is_a_signal") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let program = job(module(&fixtures::endless()));
        let going = Going::start(&backend, program, &Tenancy::own()).await;
        for pid in processes("serve") {
            signal(pid, Signal::KILL);
        }
        let ran = going.end().await;
        assert_eq!(ran.ending, Ending::Signalled(9));
    });
}

#[test]
fn messages_that_come_while_a_worker_dies_are_not_lost() {
    if !alone("loss::messages_that_come_while_a_worker_dies_are_not_lost") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let tenancy = tenant("a");
        let hello = module(&fixtures::hello());
        for _ in 0..5 {
            let ran = Going::start(&backend, job(hello.clone()), &tenancy).await;
            assert_eq!(ran.end().await.ending, Ending::Exited(7));
            let killed = processes("serve");
            for pid in &killed {
                signal(*pid, Signal::KILL);
            }
            // Its socket closes with its last thread. From then on nothing may go into it, though
            // its jail is still there.
            while killed
                .iter()
                .any(|pid| Path::new(&format!("/proc/{pid}")).exists())
            {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        in_time(backend.close()).await;
    });
}

/// Descriptors of this process, apart from the one that looks.
fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Directories below the node's slices whose names tell of this process.
fn groups() -> Vec<String> {
    fn look(at: &Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(at).into_iter().flatten().flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                found.push(entry.path().to_string_lossy().into_owned());
                look(&entry.path(), found);
            }
        }
    }
    let mut found = Vec::new();
    let root = Path::new("/sys/fs/cgroup");
    for controller in std::fs::read_dir(root).into_iter().flatten().flatten() {
        look(&controller.path().join("atoll"), &mut found);
    }
    look(&root.join("atoll"), &mut found);
    let own = format!("{}", std::process::id());
    found.retain(|path| path.contains(&own));
    found
}

async fn some_of_everything(backend: &WasmBackend) {
    let program = module(&fixtures::copy());
    let mut going = Vec::new();
    for tenancy in [tenant("a"), tenant("a"), tenant("b"), Tenancy::own()] {
        let one = Going::start(backend, job(program.clone()), &tenancy).await;
        one.write(b"some").await;
        going.push(one);
    }
    // One is dropped in the middle, one is destroyed, two come to their ends.
    drop(going.pop());
    let destroyed = going.pop().unwrap();
    in_time(destroyed.sandbox.destroy()).await.unwrap();
    for one in going {
        assert_eq!(one.end().await.stdout, "some");
    }
}

#[test]
fn nothing_is_left_after_close() {
    if !alone("loss::nothing_is_left_after_close") {
        return;
    }
    block_on(async {
        // What is made once and stays is there after the first round.
        let mut before = None;
        for _ in 0..3 {
            let backend = WasmBackend::new();
            some_of_everything(&backend).await;
            assert!(!processes("serve").is_empty());
            in_time(backend.close()).await;
            drop(backend);
            for _ in 0..500 {
                let is_more = before.is_some_and(|before| descriptors() > before);
                if processes("serve").is_empty() && groups().is_empty() && !is_more {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            assert_eq!(processes("serve"), Vec::<i32>::new());
            assert_eq!(processes("compile"), Vec::<i32>::new());
            assert_eq!(groups(), Vec::<String>::new());
            let now = descriptors();
            assert!(
                before.is_none_or(|before| now <= before),
                "{before:?} {now}"
            );
            before = before.or(Some(now));
        }
    });
}
