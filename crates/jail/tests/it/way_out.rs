//! Jails with one way out: what answers there is outside, and there is nothing else to reach.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::OwnedFd;

use atoll_jail::seccomp::Profile;
use atoll_jail::{Command, Jail, ProgramEnd};
use landlock::{AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _};

use crate::support::{LIMITS, accepted, block_on, create, python, read_all, spec};

const PORT: u16 = 3128;

/// Starts a script in a jail with a way out and answers its output, and what it said to whoever
/// holds the way out.
fn run(name: &str, script: &str) -> (String, String) {
    block_on(async {
        let beginning = Jail::begin_with_way_out(&spec(name), PORT).unwrap();
        let mut jail = beginning.finish(LIMITS, &accepted()).await.unwrap();
        let way_out: OwnedFd = jail.take_way_out().unwrap();
        assert!(jail.take_way_out().is_none());
        let command = Command {
            profile: Profile::Client,
            ..python(script)
        };
        let streams = jail.start(command).await.unwrap();
        drop(streams.stdin);
        let answering = std::thread::spawn(move || {
            let listener = TcpListener::from(way_out);
            listener.set_nonblocking(false).unwrap();
            let (mut stream, _) = listener.accept().unwrap();
            stream.write_all(b"from outside").unwrap();
            let mut said = String::new();
            stream.read_to_string(&mut said).unwrap();
            said
        });
        let output = std::thread::spawn(move || read_all(streams.stdout));
        let error = std::thread::spawn(move || read_all(streams.stderr));
        let end = jail.wait().await;
        jail.destroy().await.unwrap();
        let error = error.join().unwrap();
        assert_eq!(end, Some(ProgramEnd::Exited(0)), "{error}");
        (output.join().unwrap(), answering.join().unwrap())
    })
}

#[test]
fn the_way_out_is_the_only_one() {
    let host = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let host_port = host.local_addr().unwrap().port();
    let script = format!(
        r#"
import errno, socket
def tries(name, attempt):
    try:
        attempt()
        print(name, "worked")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
stream = socket.create_connection(("127.0.0.1", {PORT}))
print(stream.recv(100).decode())
stream.sendall(b"from inside")
stream.close()
tries("host", lambda: socket.create_connection(("127.0.0.1", {host_port})))
tries("beyond", lambda: socket.create_connection(("192.0.2.1", {PORT}), timeout=5))
tries("other", lambda: socket.create_connection(("127.0.0.1", {PORT} + 1)))
tries("datagram", lambda: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
tries("version 6", lambda: socket.socket(socket.AF_INET6))
tries("listen", lambda: socket.create_server(("127.0.0.1", 8000)))
"#
    );
    let (output, said) = run("way-out", &script);
    assert_eq!(said, "from inside");
    let lines: Vec<&str> = output.lines().collect();
    // Where Landlock does not know TCP the network namespace is what holds: nobody else is in it,
    // and who listens there is heard by the program alone.
    let (other, listen) = if landlock_knows_tcp() {
        ("EACCES", "EACCES")
    } else {
        ("ECONNREFUSED", "worked")
    };
    assert_eq!(
        lines,
        [
            "from outside",
            &format!("host {other}"),
            // Landlock lets this port through; the network namespace has no route.
            "beyond ENETUNREACH",
            &format!("other {other}"),
            "datagram ENETUNREACH",
            "version 6 EAFNOSUPPORT",
            &format!("listen {listen}"),
        ]
    );
}

/// Rules for TCP came with version 4 of its interface (Linux 6.7).
fn landlock_knows_tcp() -> bool {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let ruleset = ruleset.handle_access(AccessNet::ConnectTcp);
    ruleset.and_then(Ruleset::create).is_ok()
}

#[test]
fn other_jails_have_none() {
    block_on(async {
        let mut jail = create(&spec("no-way-out"), LIMITS).await.unwrap();
        assert!(jail.take_way_out().is_none());
        jail.destroy().await.unwrap();
    });
}
