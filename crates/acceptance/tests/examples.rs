//! Every example does what its `expect.toml` states, and the network probe reaches nothing.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::net::TcpListener;

use atoll_acceptance::{Atoll, all_examples, repository};

#[test]
fn every_example_does_what_it_states() {
    let examples = all_examples().unwrap();
    assert!(
        examples.len() >= 12,
        "only {} examples were found",
        examples.len()
    );
    let mut failures = Vec::new();
    for example in &examples {
        // A state of its own: what one example does must not count against the next.
        let atoll = Atoll::locate().unwrap();
        let found = match example.run(&atoll) {
            Ok((report, finished)) => example.differences(&report, &finished).unwrap(),
            Err(problem) => vec![problem],
        };
        failures.extend(
            found
                .into_iter()
                .map(|text| format!("{}: {text}", example.name)),
        );
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn every_example_is_listed_in_the_index() {
    let index = std::fs::read_to_string(repository().join("examples/README.md")).unwrap();
    for example in all_examples().unwrap() {
        let link = format!("({}/)", example.name);
        assert!(
            index.contains(&link),
            "examples/README.md does not link {link}"
        );
    }
}

#[test]
fn a_listener_on_the_host_hears_nothing_from_a_program() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    // Without this the test would also pass when nothing can reach the listener at all.
    drop(std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    assert!(listener.accept().is_ok());

    let atoll = Atoll::locate().unwrap();
    let probe = repository().join("examples/host-probe/probe.py");
    let (report, _) = atoll
        .run_json([probe.as_os_str(), port.as_ref()], b"")
        .unwrap();
    let text = String::from_utf8(report.stdout()).unwrap();
    assert!(text.contains("nothing  loopback:"), "{text}");
    let heard = listener.accept();
    assert_eq!(heard.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[test]
fn only_an_empty_network_grant_is_decided() {
    let atoll = Atoll::locate().unwrap();
    let program = repository().join("examples/csv-report/report.py");
    let (report, finished) = atoll.run_json([program], b"").unwrap();
    assert_eq!(
        finished.code(),
        2,
        "the report's own usage error: {report:?}"
    );
    let decision = report.decision.unwrap();
    assert!(decision.network.is_empty());
    assert!(!decision.reasons.is_empty());
    assert!(!decision.rule.is_empty());
}
