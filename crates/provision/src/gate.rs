//! The gate: an HTTP proxy that lets connections through to the places of a registry alone.
//!
//! It stands outside of the sandbox and holds the only socket that anything inside can connect to.
//! Of HTTP it knows `CONNECT` (RFC 9110, 9.3.6): what travels is encrypted between the tool and the
//! registry. Names are looked up here; inside there is nothing to look them up with.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::registry::{Place, Upstream, parse_place};

/// Connections at once; further ones wait.
const CONNECTIONS_MAX: usize = 64;

/// The longest request and answer head, in bytes.
const HEAD_BYTES_MAX: usize = 8 << 10;

/// How long a request, a name or a connection may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Places and troubles that are kept for the report.
const NOTED_MAX: usize = 16;

/// What went through a gate, and what did not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// Places that were asked for and are not the registry's.
    pub(crate) refused: BTreeSet<String>,
    /// Why places of the registry could not be reached.
    pub(crate) troubles: BTreeSet<String>,
}

/// Whom a gate lets through.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub(crate) places: BTreeSet<Place>,
    pub(crate) upstream: Option<Upstream>,
    /// Bytes of all connections together, towards the sandbox.
    pub(crate) bytes_max: u64,
}

#[derive(Debug)]
struct Shared {
    rules: Rules,
    bytes: AtomicU64,
    exceeded: AtomicBool,
    report: Mutex<Report>,
    turns: Arc<Semaphore>,
}

/// An open gate. Dropping it closes it, and every connection through it.
#[derive(Debug)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
    _running: JoinSet<()>,
}

impl Gate {
    /// Answers at a listening socket that does not block. Has to be called inside a Tokio runtime.
    pub(crate) fn open(listener: OwnedFd, rules: Rules) -> io::Result<Self> {
        let listener = TcpListener::from_std(listener.into())?;
        let shared = Arc::new(Shared {
            rules,
            bytes: AtomicU64::new(0),
            exceeded: AtomicBool::new(false),
            report: Mutex::default(),
            turns: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
        });
        let mut running = JoinSet::new();
        running.spawn(answer_all(listener, Arc::clone(&shared)));
        Ok(Self {
            shared,
            _running: running,
        })
    }

    /// Bytes that went through towards the sandbox.
    pub(crate) fn bytes(&self) -> u64 {
        self.shared.bytes.load(Ordering::Relaxed)
    }

    /// Whether more was to come than is allowed.
    pub(crate) fn exceeded(&self) -> bool {
        self.shared.exceeded.load(Ordering::Relaxed)
    }

    /// What happened so far.
    pub(crate) fn report(&self) -> Report {
        let report = self.shared.report.lock();
        report.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn answer_all(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok(turn) = Arc::clone(&shared.turns).acquire_owned().await else {
            return;
        };
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((inside, _)) => {
                let shared = Arc::clone(&shared);
                connections.spawn(async move {
                    answer(inside, &shared).await;
                    drop(turn);
                });
            }
            // The connection was given up, or this process has too many files open.
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

async fn answer(mut inside: TcpStream, shared: &Shared) {
    let refusal = match outside(&mut inside, shared).await {
        Ok(outside) => {
            let agreed = b"HTTP/1.1 200 Connection established\r\n\r\n";
            if inside.write_all(agreed).await.is_ok() {
                carry(inside, outside, shared).await;
            }
            return;
        }
        Err(refusal) => refusal,
    };
    let (status, note) = match refusal {
        Refusal::Unclear => ("400 Bad Request", None),
        Refusal::NotAllowed(place) => ("403 Forbidden", Some((true, place))),
        Refusal::Trouble(trouble) => ("502 Bad Gateway", Some((false, trouble))),
    };
    if let Some((refused, text)) = note {
        let mut report = shared.report.lock().unwrap_or_else(PoisonError::into_inner);
        let list = if refused {
            &mut report.refused
        } else {
            &mut report.troubles
        };
        if list.len() < NOTED_MAX {
            list.insert(text);
        }
    }
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    let _ = inside.write_all(head.as_bytes()).await;
}

/// Why a connection is not made.
#[derive(Debug)]
enum Refusal {
    Unclear,
    NotAllowed(String),
    Trouble(String),
}

/// Reads what is asked for, and connects to it.
async fn outside(inside: &mut TcpStream, shared: &Shared) -> Result<TcpStream, Refusal> {
    let head = tokio::time::timeout(PATIENCE, read_head(inside)).await;
    let head = head.ok().and_then(Result::ok).ok_or(Refusal::Unclear)?;
    let place = requested(&head).map_err(|()| Refusal::Unclear)?;
    let (host, port) = &place;
    if !shared.rules.places.contains(&place) {
        return Err(Refusal::NotAllowed(format!("{host}:{port}")));
    }
    let connected = connect(&place, shared.rules.upstream.as_ref());
    match tokio::time::timeout(PATIENCE, connected).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Refusal::Trouble(format!("{host}:{port}: {error}"))),
        Err(_) => Err(Refusal::Trouble(format!("{host}:{port}: no answer"))),
    }
}

/// The place that a request is for. Anything but `CONNECT host:port HTTP/1.x` is unclear.
fn requested(head: &[u8]) -> Result<Place, ()> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = std::str::from_utf8(line).map_err(drop)?;
    let mut words = line.split(' ');
    match (words.next(), words.next(), words.next(), words.next()) {
        (Some("CONNECT"), Some(place), Some("HTTP/1.1" | "HTTP/1.0"), None) => {
            if !place.contains(':') {
                return Err(());
            }
            parse_place(place, 0).ok_or(())
        }
        _ => Err(()),
    }
}

/// Reads a head up to its empty line, byte by byte: what follows belongs to the tunnel.
async fn read_head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(256);
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        head.push(stream.read_u8().await?);
    }
    Ok(head)
}

async fn connect(place: &Place, upstream: Option<&Upstream>) -> io::Result<TcpStream> {
    let (host, port) = place;
    let Some(upstream) = upstream else {
        return TcpStream::connect((host.as_str(), *port)).await;
    };
    let (proxy, proxy_port) = &upstream.place;
    let mut stream = TcpStream::connect((proxy.as_str(), *proxy_port)).await?;
    let credentials = upstream
        .credentials
        .as_ref()
        .map_or_else(String::new, |known| {
            let encoded = base64::engine::general_purpose::STANDARD.encode(known);
            format!("Proxy-Authorization: Basic {encoded}\r\n")
        });
    let request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{credentials}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let head = read_head(&mut stream).await?;
    let status = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
    if status == b"200" {
        Ok(stream)
    } else {
        let status = String::from_utf8_lossy(status).into_owned();
        Err(io::Error::other(format!(
            "this host's proxy answers {status}"
        )))
    }
}

/// Carries bytes both ways until both ends have closed, or there are too many.
async fn carry(inside: TcpStream, outside: TcpStream, shared: &Shared) {
    let (mut inside_read, mut inside_write) = inside.into_split();
    let (mut outside_read, mut outside_write) = outside.into_split();
    let up = async move {
        let _ = tokio::io::copy(&mut inside_read, &mut outside_write).await;
        let _ = outside_write.shutdown().await;
    };
    let down = async move {
        let mut piece = vec![0; 32 << 10];
        while let Ok(count @ 1..) = outside_read.read(&mut piece).await {
            let before = shared.bytes.fetch_add(count as u64, Ordering::Relaxed);
            if before.saturating_add(count as u64) > shared.rules.bytes_max {
                shared.exceeded.store(true, Ordering::Relaxed);
                return;
            }
            let read = piece.get(..count).unwrap_or_default();
            if inside_write.write_all(read).await.is_err() {
                return;
            }
        }
        let _ = inside_write.shutdown().await;
    };
    // Once nothing more comes from the registry, nothing that is said to it counts.
    tokio::select! {
        () = down => {}
        () = async { up.await; std::future::pending::<()>().await } => {}
    }
}

#[cfg(test)]
mod tests;
