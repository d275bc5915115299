//! Parts in other processes, which may die.

use std::sync::Arc;
use std::time::{Duration, Instant};

use wasmtime::component::Val;

use crate::harness::{
    DEADLINE, Process, Runtime, blocking_channel, channel, executor, serve_if_asked,
};

/// Leads the process that [`Process::start`] starts to this test, where it serves.
const ARGUMENTS: [&str; 4] = [
    "--exact",
    "processes::a_part_in_another_process_works",
    "--test-threads=1",
    "--nocapture",
];

#[test]
fn a_part_in_another_process_works() {
    serve_if_asked();
    executor().block_on(async {
        let (_process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new().remote(Arc::new(channel(socket))).await;
        app.assert_works().await;
        assert_eq!(app.number("sum-loop", 3).await, 0);
        assert_eq!(app.number("echo-loop", 3).await, 192);
        assert_eq!(app.number("many", 100_000).await, 100_000);
    });
}

#[test]
fn a_socket_that_blocks_does_as_well() {
    executor().block_on(async {
        let (_process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new()
            .remote(Arc::new(blocking_channel(socket)))
            .await;
        app.assert_works().await;
        assert_eq!(app.number("many", 1_000_000).await, 1_000_000);
    });
}

#[test]
fn traps_and_loops_in_another_process_are_errors() {
    executor().block_on(async {
        let (_process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new().remote(Arc::new(channel(socket))).await;
        assert!(app.error(2).await.starts_with("the part trapped: "));
        app.assert_works().await;
        assert_eq!(
            app.error(3).await,
            "the part did not answer within 500 ms and was stopped"
        );
        app.assert_works().await;
        let error = app.call("plain", &[Val::U32(2)]).await.unwrap_err();
        let error = error.root_cause().to_string();
        assert!(error.contains("has no room for an error"), "{error}");
    });
}

#[test]
fn more_than_a_frame_is_an_error_and_not_the_end() {
    executor().block_on(async {
        let (_process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new().remote(Arc::new(channel(socket))).await;
        let error = app.call("many", &[Val::U32(20 << 20)]).await.unwrap_err();
        let error = error.root_cause().to_string();
        assert!(error.contains("a frame has at most"), "{error}");
    });
}

#[test]
fn a_process_that_is_killed_between_calls_is_an_error() {
    executor().block_on(async {
        let (mut process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new().remote(Arc::new(channel(socket))).await;
        app.assert_works().await;
        process.child.kill().unwrap();
        process.child.wait().unwrap();
        let text = app.error(0).await;
        assert!(
            text.starts_with("the process of the part is gone: "),
            "{text}"
        );
        let again = Instant::now();
        app.error(0).await;
        assert!(again.elapsed() < DEADLINE);
    });
}

#[test]
fn a_process_that_is_killed_inside_a_call_is_an_error() {
    executor().block_on(async {
        let (mut process, socket) = Process::start(&ARGUMENTS);
        let mut app = Runtime::new().remote(Arc::new(channel(socket))).await;
        app.assert_works().await;
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            process.child.kill().unwrap();
            process
        });
        // Left alone, the part would be stopped for its loop, and the text would be another.
        let text = app.error(3).await;
        assert!(
            text.starts_with("the process of the part is gone: "),
            "{text}"
        );
        drop(killer.join().unwrap());
    });
}
