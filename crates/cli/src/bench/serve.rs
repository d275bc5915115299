//! The runtime's own HTTP server as a peer: a program that answers nothing, asked over one
//! connection that stays.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::samples::{Row, Samples};

/// Answers every request with an empty response.
const PROGRAM: &str = include_str!("nothing-http.wat");

/// How long the server may take for anything.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long until it is asked again whether it listens.
const PAUSE: Duration = Duration::from_millis(20);

/// The most bytes of an answer: headers without a body.
const ANSWER_BYTES_MAX: usize = 4 << 10;

/// `wasmtime serve`, and a connection to it. Each request has an instance of its own there.
pub(super) struct Server {
    process: Child,
    stream: TcpStream,
    samples: Samples,
}

impl Server {
    /// Starts it on a port of this machine alone.
    pub(super) fn start(wasmtime: &Path, place: &Path) -> io::Result<Self> {
        let program = place.join("nothing-http.wat");
        std::fs::write(&program, PROGRAM)?;
        // Nobody else on this machine is likely to take the port between the two.
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let said = place.join("serve.log");
        let mut process = Command::new(wasmtime)
            .args(["serve", "--addr", &free.to_string()])
            .arg(&program)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?)
            .spawn()?;
        match connect(&mut process, free) {
            Ok(stream) => Ok(Self {
                process,
                stream,
                samples: Samples::default(),
            }),
            Err(error) => {
                end(&mut process);
                let said = std::fs::read_to_string(&said).unwrap_or_default();
                Err(io::Error::other(format!("{error}; it said: {said}")))
            }
        }
    }

    /// Asks so many times, one after the other.
    pub(super) fn measure(&mut self, count: u32) -> io::Result<()> {
        for _ in 0..count {
            let began = Instant::now();
            self.stream
                .write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
            answer(&mut self.stream)?;
            let taken = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.samples.add(taken);
        }
        Ok(())
    }

    pub(super) fn row(&self) -> Row {
        self.samples
            .row("instance", "wasmtime serve", "nothing, over HTTP")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

fn end(process: &mut Child) {
    // One that has ended already is as good.
    let _ = process.kill();
    let _ = process.wait();
}

/// Waits until the server listens, and connects to it.
fn connect(process: &mut Child, address: SocketAddr) -> io::Result<TcpStream> {
    let began = Instant::now();
    loop {
        match TcpStream::connect(address) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                return Ok(stream);
            }
            Err(error) if began.elapsed() > PATIENCE => return Err(error),
            Err(_) => {}
        }
        if let Some(status) = process.try_wait()? {
            return Err(io::Error::other(format!("it ended with {status}")));
        }
        std::thread::sleep(PAUSE);
    }
}

/// Reads an answer without a body to its end.
fn answer(stream: &mut TcpStream) -> io::Result<()> {
    let mut answer = Vec::new();
    let mut piece = [0; 1024];
    loop {
        let count = stream.read(&mut piece)?;
        if count == 0 || answer.len() > ANSWER_BYTES_MAX {
            return Err(io::Error::other("the server did not answer"));
        }
        answer.extend_from_slice(piece.get(..count).unwrap_or_default());
        let text = String::from_utf8_lossy(&answer).to_ascii_lowercase();
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        if !head.starts_with("http/1.1 200") {
            return Err(io::Error::other(format!("the server answered {head}")));
        }
        let is_chunked = head.contains("transfer-encoding: chunked");
        if !is_chunked || body.ends_with("0\r\n\r\n") {
            return Ok(());
        }
    }
}
