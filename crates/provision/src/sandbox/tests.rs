use std::net::{Ipv4Addr, TcpListener};

use super::*;

/// A script of Python in the place of a tool.
async fn python(
    script: &str,
    registry: &Registry,
    limits: &InstallLimits,
) -> Result<Ran<Vec<String>>, ProvisionError> {
    let around = Surroundings {
        registry,
        upstream: None,
        limits,
        accept_missing: &BTreeSet::new(),
        until: Instant::now() + limits.wall_time,
    };
    let interpreter = Path::new("/usr/bin/python3");
    let job = Job {
        step: "try something",
        program: interpreter,
        arguments: ["-I", "-S", "-c", script].map(str::to_owned).into(),
        environment: vec![("A", "b".to_owned())],
        files: vec![("given", b"content".to_vec())],
        interpreter,
    };
    let list = |leavings: Leavings| {
        let paths = leavings.map(|left| String::from_utf8(left.path).unwrap());
        Ok(paths.collect())
    };
    run(job, &around, |_, _| {}, list).await
}

async fn output(script: &str, registry: &Registry) -> String {
    let ran = python(script, registry, &InstallLimits::default())
        .await
        .unwrap();
    assert!(ran.succeeded, "{}", ran.words);
    String::from_utf8(ran.output).unwrap()
}

fn registry(place: &str) -> Registry {
    Registry::at(&format!("https://{place}/")).unwrap()
}

/// Connects to each of the addresses that the host listens at.
const TRIES: &str = r#"
import errno, socket
def tries(name, attempt):
    try:
        attempt()
        print(name, "worked")
    except OSError as error:
        print(name, errno.errorcode.get(error.errno, error))
def connect(place):
    socket.create_connection(place, timeout=5).close()
def ask(place):
    stream = socket.create_connection(("127.0.0.1", 3128), timeout=10)
    stream.sendall(b"CONNECT %s HTTP/1.1\r\n\r\n" % place)
    print("gate", place.decode(), stream.recv(100).split()[1].decode())
"#;

#[tokio::test]
async fn nothing_but_the_registry_can_be_reached() {
    let served = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = served.local_addr().unwrap().port();
    let script = format!(
        r#"{TRIES}
tries("host", lambda: connect(("127.0.0.1", {port})))
tries("outside", lambda: connect(("192.0.2.1", 443)))
tries("local", lambda: connect(("127.0.0.1", 3129)))
tries("datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
tries("six", lambda: socket.socket(socket.AF_INET6))
tries("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
tries("unix", lambda: socket.socket(socket.AF_UNIX))
tries("listen", lambda: socket.create_server(("127.0.0.1", 0)))
ask(b"127.0.0.1:{port}")
ask(b"127.0.0.1:{}")
ask(b"localhost:{port}")
"#,
        port ^ 1
    );
    let said = output(&script, &registry(&format!("127.0.0.1:{port}"))).await;
    let expected = format!(
        "host EACCES\noutside EACCES\nlocal EACCES\ndatagram ENETUNREACH\nsix EAFNOSUPPORT\n\
         raw EPERM\nunix EAFNOSUPPORT\nlisten EACCES\ngate 127.0.0.1:{port} 200\n\
         gate 127.0.0.1:{} 403\ngate localhost:{port} 403\n",
        port ^ 1
    );
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_tool_sees_and_writes_only_what_it_needs() {
    let script = r#"
import os
print(sorted(os.environ))
print(sorted(os.listdir("/etc")), os.listdir("/work"), os.path.exists("/root"))
print(os.getuid(), os.getgroups(), len(os.listdir("/proc")) < 30)
for place in ["/usr/x", "/etc/x", "/x"]:
    try:
        open(place, "w")
        print(place, "was written")
    except OSError:
        pass
open("/work/left", "w").write("x")
"#;
    let limits = InstallLimits::default();
    let ran = python(script, &registry("registry.example"), &limits)
        .await
        .unwrap();
    let said = String::from_utf8(ran.output).unwrap();
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[0], "['A', 'HOME', 'LANG', 'PATH', 'TMPDIR']");
    assert!(lines[1].ends_with("['given'] False"), "{said}");
    assert!(
        !lines[1].contains("shadow") && !lines[1].contains("ssh"),
        "{said}"
    );
    assert!(
        lines[2].starts_with("1000 [") && lines[2].ends_with("True"),
        "{said}"
    );
    assert_eq!(lines.len(), 3, "{said}");
    assert_eq!(ran.taken.unwrap(), ["given", "left"]);
    // Every layer is in force, or the jail would not have been made.
    let enforced = |report: &&LayerReport| report.state == atoll_types::LayerState::Enforced;
    assert_eq!(ran.layers.iter().filter(enforced).count(), ran.layers.len());
}

#[tokio::test]
async fn time_memory_and_files_are_bounded() {
    let small = InstallLimits {
        wall_time: Duration::from_secs(2),
        layer_bytes: 1 << 20,
        download_bytes: 1 << 20,
        memory_bytes: 64 << 20,
        layer_files: 100,
    };
    let registry = registry("registry.example");
    for (script, code) in [
        ("import time; time.sleep(60)", "timeout"),
        ("while True: print('x' * 100000)", "too_large"),
        (
            "x = bytearray(1 << 30); x[::4096] = b'x' * len(x[::4096])",
            "too_large",
        ),
        ("open('/work/x', 'wb').write(bytes(1 << 28))", "too_large"),
        ("raise SystemExit(3)", "failed"),
    ] {
        match python(script, &registry, &small).await {
            Ok(ran) => assert!(!ran.succeeded && code == "failed", "{script} {}", ran.words),
            Err(error) => assert_eq!(error.code(), code, "{script}"),
        }
    }
}

#[tokio::test]
async fn what_a_tool_says_cannot_move_a_cursor() {
    let script = r#"
import sys
sys.stderr.write("\x1b[2Jred\x07\nDEBUG no\n" + "long" * 5000 + "\n")
"#;
    let limits = InstallLimits::default();
    let ran = python(script, &registry("registry.example"), &limits)
        .await
        .unwrap();
    assert!(ran.words.starts_with("[2Jred\n"), "{:.80}", ran.words);
    assert!(!ran.words.contains("DEBUG"));
}
