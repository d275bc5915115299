//! Stands where the process that reads programs stands, and does what somebody would who had taken
//! it over, or what a broken one does: the program that it is given says what.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    missing_docs,
    reason = "a tool for tests, which may panic"
)]

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use atoll_analyzer::{ANSWER_BYTES_MAX, PROGRAM_DESCRIPTOR, to_answer};
use atoll_types::ProgramKind;

fn main() {
    let given = atoll_jail::sys::take_descriptor(PROGRAM_DESCRIPTOR).unwrap();
    let mut program = String::new();
    File::from(given).read_to_string(&mut program).unwrap();
    let (what, _) = program.split_once('\n').unwrap();
    match what {
        "spin" => spin(),
        "sleep" => std::thread::sleep(Duration::from_hours(1)),
        "abort" => std::process::abort(),
        "leave" => std::process::exit(3),
        "say nothing" => {}
        "say noise" => say(&[0x5a; 5000]),
        "say too much" => say(&vec![0; ANSWER_BYTES_MAX + 100]),
        "say and fail" => {
            say(&answer("pass\n"));
            std::process::exit(1);
        }
        "say and stay" => {
            say(&answer(&program));
            // Whoever waits for the end of what is said hears it.
            drop(atoll_jail::sys::take_descriptor(1).unwrap());
            spin();
        }
        "say another" => say(&answer("pass\n")),
        "say harmless" => say(&answer(&"#".repeat(program.len()))),
        "fill" => fill(),
        other => panic!("nobody knows how to {other}"),
    }
}

fn say(words: &[u8]) {
    let mut stdout = io::stdout().lock();
    // Nobody may be listening any more.
    let _ = stdout.write_all(words).and_then(|()| stdout.flush());
}

fn answer(program: &str) -> Vec<u8> {
    to_answer(&atoll_analyze::analyze(
        ProgramKind::Python,
        program.as_bytes(),
    ))
    .unwrap()
}

fn spin() -> ! {
    loop {
        std::hint::spin_loop();
    }
}

fn fill() {
    let mut held = Vec::new();
    loop {
        held.push(vec![1_u8; 1 << 20]);
        std::hint::black_box(&held);
    }
}
