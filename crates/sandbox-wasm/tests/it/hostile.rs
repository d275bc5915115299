//! Calls of the host with arguments that no compiler makes, in one worker: every function of
//! preview 1, with every argument at the edges of what it can be. Each is answered or ends its own
//! guest, and the worker goes on. And what a backend holds of the host is the same afterwards.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::Limits;

use crate::fixtures;
use crate::support::{Going, alone, block_on, in_time, job, module, processes, tenant};

/// Every function that answers, and what it is passed: `i` for 32 bits, `I` for 64.
const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// Numbers, addresses and lengths at the edges of a memory of three pages, and of 32 bits.
const EDGES: [i64; 10] = [
    0,
    1,
    3,
    3 << 16,
    (3 << 16) - 1,
    (3 << 16) - 4,
    1 << 31,
    -1,
    -4,
    -65536,
];

/// A module that makes one of very many calls, whose number it reads, and how many it knows.
fn calls() -> (String, usize) {
    let mut text = String::from("(module\n");
    for (name, parameters) in FUNCTIONS {
        let types = parameters.chars().map(|kind| match kind {
            'i' => " i32",
            _ => " i64",
        });
        let types: String = types.collect();
        writeln!(
            text,
            r#"(import "wasi_snapshot_preview1" "{name}"
                 (func ${name} (param{types}) (result i32)))"#
        )
        .unwrap();
    }
    let mut count = 0;
    let mut functions = String::new();
    for (name, parameters) in FUNCTIONS {
        for at in 0..parameters.len() {
            for edge in EDGES {
                let arguments = parameters.chars().enumerate().map(|(index, kind)| {
                    let kind = if kind == 'I' { 64 } else { 32 };
                    let value = match index {
                        _ if index == at => edge,
                        // A directory, and otherwise what is short and inside.
                        0 => 3,
                        _ => 8,
                    };
                    format!(" (i{kind}.const {value})")
                });
                let arguments: String = arguments.collect();
                writeln!(
                    functions,
                    "(func $c{count} (drop (call ${name}{arguments})))"
                )
                .unwrap();
                count += 1;
            }
        }
    }
    let table: String = (0..count).map(|index| format!(" $c{index}")).collect();
    write!(
        text,
        r#"(memory (export "memory") 3) (table funcref (elem{table})) (type $call (func))
        {functions}
        (func (export "_start")
          (i32.store (i32.const 0) (i32.const 512)) (i32.store (i32.const 4) (i32.const 4))
          (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
          (call_indirect (type $call) (i32.load (i32.const 512)))))"#
    )
    .unwrap();
    (text, count)
}

#[test]
fn calls_at_the_edges_end_at_most_their_own_guest() {
    if !alone("hostile::calls_at_the_edges_end_at_most_their_own_guest") {
        return;
    }
    let (text, count) = calls();
    assert!(count > 1500, "{count}");
    let (mut answered, mut ended) = (0, 0);
    block_on(async {
        let (backend, tenancy) = (WasmBackend::new(), tenant("a"));
        let accepted = accepted_by_environment();
        // A call that waits for what never comes ends with its guest's time.
        let mut short = limits();
        short.wall_time_ms = 200;
        let [calls, hello] = [text, fixtures::hello()].map(|text| module(&text));
        // Compiling may take longer, and is done once.
        let patient = limits();
        let compiled = backend.prepare(job(calls.clone()), &patient, &accepted);
        compiled.await.unwrap();
        let calls = backend.prepare(job(calls), &short, &accepted).await;
        let calls = calls.unwrap();
        let hello = backend.prepare(job(hello), &limits(), &accepted).await;
        let hello = hello.unwrap();
        let mut workers = Vec::new();
        for number in 0..u32::try_from(count).unwrap() {
            let finished = backend.run(&calls, &number.to_le_bytes(), &tenancy).await;
            match finished.unwrap().end {
                Ok(GuestEnd::Exited { code: 0, .. }) => answered += 1,
                Ok(GuestEnd::Trapped { text, .. }) => {
                    let pointer = text.contains("a pointer that leads out of its memory");
                    let raised = text.contains("signal");
                    let time = text.contains("wall-time");
                    assert!(pointer || raised || time, "{number}: {text}");
                    ended += 1;
                }
                other => panic!("{number}: {other:?}"),
            }
            if workers.is_empty() {
                workers = processes("serve");
            }
        }
        let finished = backend.run(&hello, b"", &tenancy).await.unwrap();
        assert_eq!(finished.stdout, b"hello\n");
        let after = processes("serve");
        assert!(!workers.is_empty() && workers.iter().all(|pid| after.contains(pid)));
        in_time(backend.close()).await;
    });
    println!("{answered} calls were answered, {ended} ended their guest");
    assert!(answered > 500 && ended > 100);
}

/// What this process holds of the host: descriptors, children, mounts and control groups.
fn held() -> BTreeMap<&'static str, Vec<String>> {
    let names = |directory: &str| -> Vec<String> {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        let mut names: Vec<_> = entries
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    };
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let mounts = read("/proc/self/mountinfo");
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(4));
    let own = format!(".{}.", std::process::id());
    let groups = ["memory", "pids", "cpu", "freezer", "."].map(|hierarchy| {
        // Groups are named after the process that made them.
        let mut found = Vec::new();
        below(&Path::new("/sys/fs/cgroup").join(hierarchy), 3, &mut found);
        found.retain(|path| path.contains(&own));
        found
    });
    let namespaces = names("/proc/self/ns");
    let namespaces = namespaces.iter().map(|name| {
        let link = std::fs::read_link(format!("/proc/self/ns/{name}"));
        format!("{link:?}")
    });
    BTreeMap::from([
        ("descriptors", names("/proc/self/fd")),
        (
            "workers",
            processes("serve").iter().map(i32::to_string).collect(),
        ),
        (
            "compilers",
            processes("compile").iter().map(i32::to_string).collect(),
        ),
        ("mounts", points.map(str::to_owned).collect()),
        ("groups", groups.concat()),
        ("namespaces", namespaces.collect()),
    ])
}

fn below(directory: &Path, depth: u32, found: &mut Vec<String>) {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path().display().to_string());
            if depth > 0 {
                below(&entry.path(), depth - 1, found);
            }
        }
    }
}

#[test]
fn hostile_messages_leave_nothing_on_the_host() {
    if !alone("hostile::hostile_messages_leave_nothing_on_the_host") {
        return;
    }
    let programs = [
        fixtures::endless(),
        fixtures::greedy(),
        fixtures::crash(),
        fixtures::disk_filler(),
        fixtures::hello(),
    ]
    .map(|text| module(&text));
    let short = Limits {
        wall_time_ms: 100,
        memory_bytes: 64 << 20,
        ..limits()
    };
    block_on(async {
        let mut before = None;
        // The first round also makes what a process makes once.
        for round in 0..4 {
            let backend = WasmBackend::new();
            for program in &programs {
                // Compiling may take longer than a message may here.
                let (sent, accepted) = (job(program.clone()), accepted_by_environment());
                let compiled = backend.prepare(sent, &limits(), &accepted).await;
                compiled.unwrap();
                for tenancy in [tenant("a"), tenant("b"), Tenancy::own()] {
                    let sent = job(program.clone());
                    let going = Going::with(&backend, sent, &tenancy, short).await;
                    going.end().await;
                }
            }
            in_time(backend.close()).await;
            drop(backend);
            let known = before.get_or_insert_with(held);
            // What could not be removed at once is removed soon.
            let patience = Instant::now() + Duration::from_secs(10);
            while held() != *known && Instant::now() < patience {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let now = held();
            assert_eq!(*known, now, "after round {round}");
            assert!(now["workers"].is_empty() && now["compilers"].is_empty());
        }
    });
}
