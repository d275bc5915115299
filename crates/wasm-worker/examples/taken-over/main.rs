//! Stands where a worker or a compiler stands, and tries what somebody would who had taken it over.
//!
//! Tests put it in their place. What it tries, and whether it closes itself in first as they do, is
//! written at the end of its own file: `taken-over:confined:NAME,NAME`. Each attempt is answered
//! with `ok` or the name of an error, in the words in which its supervisor hears of failures. By
//! hand, outside of any jail, `taken-over alone NAME,NAME` prints what each comes to there, and
//! `taken-over count worker` which system calls are left to a worker.
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    missing_docs,
    reason = "a tool for tests"
)]

mod attempts;
#[path = "../../src/confine.rs"]
mod confine;
#[path = "../../src/descriptors.rs"]
mod descriptors;

use std::fs::{self, File};
use std::io::Write;
use std::process::Command;

use atoll_sandbox_wasm::protocol::{CompileStatus, NOTICE_BYTES_MAX, Notice, write_frame};

use confine::{Part, confine};

/// Begins what was written behind the program.
const MARK: &str = "taken-over:";

/// One more than the last system call that kernels have.
const CALLS_END: i64 = 480;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[1..] {
        ["serve"] => {
            let [socket] = descriptors::take().unwrap();
            let reason = told(Part::Worker);
            let mut frame = Vec::new();
            write_frame(&mut frame, &Notice::Failed { reason }, NOTICE_BYTES_MAX).unwrap();
            File::from(socket).write_all(&frame).unwrap();
        }
        ["compile"] => {
            let [_request, status, _code] = descriptors::take().unwrap();
            let reason = told(Part::Compiler);
            let mut frame = Vec::new();
            write_frame(
                &mut frame,
                &CompileStatus::Failed { reason },
                NOTICE_BYTES_MAX,
            )
            .unwrap();
            File::from(status).write_all(&frame).unwrap();
        }
        ["alone", names] => println!("{}", attempts::all(names)),
        ["count", part] => count(part),
        ["call", part, number] => {
            confine(part_named(part)).unwrap();
            let answer = attempts::call(number.parse().unwrap(), [-1; 6]);
            std::process::exit(answer.err().map_or(0, |error| error & 0xff));
        }
        _ => panic!("it is started by tests"),
    }
}

/// Does what is written behind the program, and says what came of it.
fn told(part: Part) -> String {
    let own = fs::read("/atoll-wasm-worker").unwrap();
    let tail = String::from_utf8_lossy(&own[own.len().saturating_sub(4096)..]).into_owned();
    let (_, orders) = tail.rsplit_once(MARK).unwrap();
    let (how, names) = orders.trim_end().split_once(':').unwrap();
    if how == "confined" {
        confine(part).unwrap();
    }
    attempts::all(names)
}

fn part_named(name: &str) -> Part {
    match name {
        "worker" => Part::Worker,
        _ => Part::Compiler,
    }
}

/// Tries every system call, each in a process of its own, and prints the numbers of those that
/// neither fail with `EPERM` nor end the process with `SIGSYS`.
fn count(part: &str) {
    use std::os::unix::process::ExitStatusExt;
    let own = std::env::current_exe().unwrap();
    let left = (0..CALLS_END).filter(|number| {
        // It jumps to wherever the stack says, and may stay there for ever; the filter has it.
        if *number == libc::SYS_rt_sigreturn {
            return true;
        }
        let mut command = Command::new(&own);
        command.args(["call", part, &number.to_string()]);
        let status = command.status().unwrap();
        status.signal() != Some(libc::SIGSYS) && status.code() != Some(libc::EPERM)
    });
    let left: Vec<String> = left.map(|number| number.to_string()).collect();
    println!("{}", left.join(" "));
}
