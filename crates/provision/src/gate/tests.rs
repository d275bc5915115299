use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;

/// A gate on the loopback interface, and its port.
async fn gate(places: &[u16], upstream: Option<u16>, bytes_max: u64) -> (Gate, u16) {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    listener.set_nonblocking(true).unwrap();
    let local = |port: &u16| ("127.0.0.1".to_owned(), *port);
    let rules = Rules {
        places: places.iter().map(local).collect(),
        upstream: upstream.map(|port| Upstream {
            place: local(&port),
            credentials: Some("me:secret".to_owned()),
        }),
        bytes_max,
    };
    (Gate::open(listener.into(), rules).unwrap(), port)
}

/// A server that answers one connection with as many bytes as it is asked for.
async fn server() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let count = stream.read_u32().await.unwrap();
            let _ = stream.write_all(&vec![7; count as usize]).await;
        }
    });
    port
}

async fn ask(gate: u16, request: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, gate))
        .await
        .unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_head(&mut stream).await.unwrap_or_default();
    (stream, String::from_utf8(head).unwrap())
}

fn connect_to(port: u16) -> String {
    format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n")
}

#[tokio::test]
async fn only_the_places_of_the_registry_are_let_through() {
    let (served, other) = (server().await, server().await);
    let (gate, port) = gate(&[served], None, 1 << 20).await;
    let (mut stream, head) = ask(port, &connect_to(served)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream.write_u32(1000).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, [7; 1000]);
    assert_eq!(gate.bytes(), 1000);

    let (_, head) = ask(port, &connect_to(other)).await;
    assert!(head.starts_with("HTTP/1.1 403"), "{head}");
    let refused = gate.report().refused;
    assert_eq!(refused, [format!("127.0.0.1:{other}")].into());
    for request in [
        format!("GET http://127.0.0.1:{served}/ HTTP/1.1\r\n\r\n"),
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n".to_owned(),
        format!("CONNECT me@127.0.0.1:{served} HTTP/1.1\r\n\r\n"),
        format!("CONNECT 127.0.0.1:{served} HTTP/1.1 x\r\n\r\n"),
        "\r\n\r\n".to_owned(),
    ] {
        let (_, head) = ask(port, &request).await;
        assert!(head.starts_with("HTTP/1.1 400"), "{request} {head}");
    }
}

#[tokio::test]
async fn too_many_bytes_close_the_connection() {
    let served = server().await;
    let (gate, port) = gate(&[served], None, 50_000).await;
    let (mut stream, _) = ask(port, &connect_to(served)).await;
    stream.write_u32(1_000_000).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(
        answer.len() <= 50_000 && gate.exceeded(),
        "{}",
        answer.len()
    );
}

#[tokio::test]
async fn what_cannot_be_reached_is_told() {
    // Nobody listens where a listener has just been.
    let gone = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = gone.local_addr().unwrap().port();
    drop(gone);
    let (gate, gate_port) = gate(&[port], None, 1000).await;
    let (_, head) = ask(gate_port, &connect_to(port)).await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
    assert_eq!(gate.report().troubles.len(), 1);
}

#[tokio::test]
async fn the_hosts_own_proxy_is_gone_through() {
    let served = server().await;
    let (_upstream, upstream_port) = gate(&[served], None, 1 << 20).await;
    let (_gate, port) = gate(&[served], Some(upstream_port), 1 << 20).await;
    let (mut stream, head) = ask(port, &connect_to(served)).await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    stream.write_u32(10).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, [7; 10]);
    // One that lets nothing through says so, and so does the gate.
    let (_closed, closed_port) = gate(&[], None, 1).await;
    let (gate, port) = gate(&[served], Some(closed_port), 1).await;
    let (_, head) = ask(port, &connect_to(served)).await;
    assert!(head.starts_with("HTTP/1.1 502"), "{head}");
    assert!(gate.report().troubles.first().unwrap().contains("403"));
}

proptest! {
    #[test]
    fn any_head_is_read_without_a_panic(head in prop::collection::vec(any::<u8>(), 0..100)) {
        let _ = requested(&head);
    }
}
