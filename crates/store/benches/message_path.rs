//! What the store adds to the way of a message: each step, on a warm file, in microseconds.
//!
//! `cargo bench -p atoll-store [DIRECTORY]` measures in a new directory below DIRECTORY (the
//! current one if left out), so that the disk is the one asked for. It prints figures and decides
//! nothing.

#![allow(clippy::print_stdout, reason = "its output is what it is for")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a tool for developers"
)]

#[path = "../tests/it/sample.rs"]
mod sample;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use atoll_store::{Owner, Store};
use atoll_types::{EventKind, Told};

/// Enough for a 99th percentile of the steps that happen once for each message.
const MESSAGES: u64 = 5_000;
const PROCESSES: u64 = 300;

const CLOSE: &str = "close";
const LEAVE: &str = "leave";
const ONE_MESSAGE: [&str; 5] = ["open", "recover (nothing to do)", "arrive", "finish", "end"];

#[derive(Default)]
struct Steps(Vec<(&'static str, Vec<f64>)>);

impl Steps {
    async fn time<T>(&mut self, step: &'static str, work: impl Future<Output = T>) -> T {
        let start = Instant::now();
        let result = work.await;
        self.add(step, start.elapsed().as_secs_f64() * 1e6);
        result
    }

    fn add(&mut self, step: &'static str, microseconds: f64) {
        match self.0.iter_mut().find(|(name, _)| *name == step) {
            Some((_, times)) => times.push(microseconds),
            None => self.0.push((step, vec![microseconds])),
        }
    }

    fn print(mut self, title: &str) {
        println!("{title}");
        println!(
            "  {:28} {:>8} {:>8} {:>8}",
            "microseconds", "p50", "p90", "p99"
        );
        for (step, times) in &mut self.0 {
            times.sort_by(f64::total_cmp);
            let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
            println!(
                "  {step:28} {:8.0} {:8.0} {:8.0}",
                at(0.5),
                at(0.9),
                at(0.99)
            );
        }
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    if let [task, path, number] = arguments.as_slice()
        && [CLOSE, LEAVE].contains(&task.as_str())
    {
        runtime.block_on(one_message(task, Path::new(path), number.parse().unwrap()));
        return;
    }
    let directory = arguments
        .iter()
        .find(|argument| !argument.starts_with('-'))
        .map_or_else(|| PathBuf::from("."), PathBuf::from);
    let directory = tempfile::tempdir_in(directory).unwrap();
    let path = directory.path().join("store.db");
    runtime.block_on(many_messages(&path));
    one_message_each(CLOSE, &path, MESSAGES);
    one_message_each(LEAVE, &path, MESSAGES + PROCESSES);
}

/// One open store, many messages: 20 programs of 10 tenants, with an incident in 1 of 50.
async fn many_messages(path: &Path) {
    let store = Store::open(path).await.unwrap();
    let owner = Owner::this_process().unwrap();
    let mut steps = Steps::default();
    for number in 0..MESSAGES {
        let mut message = sample::accepted(
            number,
            &format!("tenant-{}", number % 10),
            &format!("program-{}", number % 20),
        );
        message.owner = owner.clone();
        let mut outcome = sample::outcome(&message);
        if let Some(profile) = &mut outcome.profile {
            let told = Told {
                plain: 9 << 20,
                given: 10 << 20,
            };
            profile.lesson.memory = Some(told);
            profile.lesson.cpu = Some(told);
        }
        let events: &[EventKind] = if number % 50 == 0 {
            &[EventKind::Crash]
        } else {
            &[]
        };
        let start = Instant::now();
        if number % 2 == 0 {
            steps.time("accept", store.accept(&message)).await.unwrap();
            let history = store.sender_history(&message.tenant, message.program);
            steps.time("sender_history", history).await.unwrap();
            let past = store.past(&message.tenant, message.program, 64);
            steps.time("past (64)", past).await.unwrap();
        } else {
            let arrive = store.arrive(&message, 64);
            steps.time("arrive (all three)", arrive).await.unwrap();
        }
        let finish = store.finish(&outcome, events, sample::ended(number));
        steps.time("finish", finish).await.unwrap();
        let total = if number % 2 == 0 {
            "message, step by step"
        } else {
            "message, with arrive"
        };
        steps.add(total, start.elapsed().as_secs_f64() * 1e6);
    }
    steps.print(&format!("one open store, {MESSAGES} messages"));
    store.close().await;
}

/// What one run of the command line does to a file that thousands of messages went through, each
/// in a process of its own.
fn one_message_each(task: &str, path: &Path, first: u64) {
    let mut steps = Steps::default();
    for number in first..first + PROCESSES {
        let output = Command::new(std::env::current_exe().unwrap())
            .arg(task)
            .arg(path)
            .arg(number.to_string())
            .output()
            .unwrap();
        assert!(output.status.success());
        let mut all = 0.0;
        for (step, text) in ONE_MESSAGE
            .iter()
            .zip(String::from_utf8_lossy(&output.stdout).lines())
        {
            let microseconds: f64 = text.parse().unwrap();
            steps.add(step, microseconds);
            all += microseconds;
        }
        steps.add("all", all);
    }
    steps.print(&format!(
        "{PROCESSES} processes, one message each, ended by {task}"
    ));
}

/// The steps of one message in a new process, each printed with a line.
async fn one_message(task: &str, path: &Path, number: u64) {
    let message = sample::accepted(number, "tenant-1", "program-1");
    let outcome = sample::outcome(&message);
    let mut steps = Steps::default();
    let [open, recover, arrive, finish, end] = ONE_MESSAGE;
    let store = steps.time(open, Store::open(path)).await.unwrap();
    let recovering = store.recover(Owner::is_alive, sample::ended(number));
    steps.time(recover, recovering).await.unwrap();
    let arriving = store.arrive(&message, 64);
    steps.time(arrive, arriving).await.unwrap();
    let finishing = store.finish(&outcome, &[], sample::ended(number));
    steps.time(finish, finishing).await.unwrap();
    if task == LEAVE {
        steps.time(end, store.leave()).await;
    } else {
        steps.time(end, store.close()).await;
    }
    for (_, times) in steps.0 {
        println!("{}", times[0]);
    }
}
