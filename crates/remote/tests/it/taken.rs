//! An agent that says whatever a test wants, and a boundary that notes how it is treated.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use async_trait::async_trait;
use atoll_frame::{FrameReader, write_frame};
use atoll_remote::protocol::{
    Begin, Hello, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, Surroundings, VERSION,
};
use atoll_remote::{Agent, AgentError, Outside, Remote};
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{DestroyError, Job};
use atoll_types::{LayerReport, Level, Limits, Program, ProgramHash, ProgramKind, SystemCalls};

/// Long enough for what is said, short enough to wait for what is not.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// The agent's end of the stream.
pub(crate) struct Taken {
    stream: UnixStream,
    frames: FrameReader,
}

impl Taken {
    pub(crate) fn say(&mut self, notice: &Notice) {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, notice, usize::MAX).unwrap();
        self.say_bytes(&bytes);
    }

    /// Whether anybody listens does not matter.
    pub(crate) fn say_bytes(&mut self, bytes: &[u8]) {
        let _ = self.stream.write_all(bytes);
    }

    /// The next order; `None` once the host is gone.
    pub(crate) fn hear(&mut self) -> Option<Order> {
        let mut bytes = [0; 4096];
        loop {
            if let Some(order) = self.frames.next_frame().unwrap() {
                return Some(order);
            }
            match self.stream.read(&mut bytes) {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.frames.push(&bytes[..count]),
            }
        }
    }

    pub(crate) fn greet(&mut self) {
        self.say(&hello(VERSION));
    }

    /// All that comes before a job.
    pub(crate) fn become_ready(&mut self) {
        self.greet();
        assert!(matches!(self.hear(), Some(Order::Begin(_))));
        self.say(&Notice::Ready { layers: Vec::new() });
    }

    /// All that comes before a program's end.
    pub(crate) fn start(&mut self) {
        self.become_ready();
        assert!(matches!(self.hear(), Some(Order::Run(_))));
        self.say(&Notice::Started);
    }

    pub(crate) fn close(self) {
        self.stream.shutdown(Shutdown::Both).unwrap();
    }

    /// One that nobody hears.
    pub(crate) fn none() -> Self {
        Self {
            stream: UnixStream::pair().unwrap().0,
            frames: FrameReader::new(ORDER_BYTES_MAX),
        }
    }

    /// Says nothing until the host is gone.
    pub(crate) fn sulk(mut self) {
        while self.hear().is_some() {}
    }
}

pub(crate) fn hello(version: u32) -> Notice {
    Notice::Hello(Hello {
        version,
        kernel: "None 1.0".to_owned(),
        memory_bytes: 1,
        processors: 1,
    })
}

/// An agent that does this, and the host's end of its stream.
pub(crate) fn agent(does: impl FnOnce(Taken) + Send + 'static) -> (UnixStream, JoinHandle<()>) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let frames = FrameReader::new(ORDER_BYTES_MAX);
    let taken = Taken {
        stream: theirs,
        frames,
    };
    (ours, std::thread::spawn(move || does(taken)))
}

pub(crate) async fn meet(stream: &UnixStream) -> Result<Agent, AgentError> {
    let end = || stream.try_clone().unwrap().into();
    Agent::meet(end(), end(), PATIENCE).await
}

pub(crate) fn begin(limits: Limits) -> Begin {
    Begin {
        id: "hostile".to_owned(),
        identity: None,
        volume: None,
        surroundings: Surroundings {
            kind: ProgramKind::Shell,
            dependencies: None,
            modules: Default::default(),
        },
        limits,
        system_calls: SystemCalls::Processes,
        accept_missing: Default::default(),
        is_warm: false,
        practises: false,
        is_fresh: false,
    }
}

/// A sandbox whose agent has said what comes before a job.
pub(crate) async fn sandbox(stream: UnixStream) -> (Remote, Arc<AtomicU32>) {
    let mut agent = meet(&stream).await.unwrap();
    let few = Limits {
        output_bytes: 1 << 20,
        disk_bytes: 1 << 20,
        disk_files: 4,
        ..limits()
    };
    agent.begin(begin(few)).await.unwrap();
    let kills = Arc::new(AtomicU32::new(0));
    let outside = Noted {
        stream,
        kills: Arc::clone(&kills),
    };
    (Remote::new(agent, Box::new(outside)), kills)
}

pub(crate) fn job() -> Job {
    Job {
        program: Program {
            name: "program".to_owned(),
            kind: ProgramKind::Shell,
            hash: ProgramHash::of(b"true"),
            bytes: b"true"[..].into(),
        },
        arguments: Vec::new(),
        files: Vec::new(),
        environment: Vec::new(),
        parts: None,
        calls: Default::default(),
    }
}

/// A boundary whose end is the end of the stream.
struct Noted {
    stream: UnixStream,
    kills: Arc<AtomicU32>,
}

#[async_trait]
impl Outside for Noted {
    fn level(&self) -> Level {
        Level::Vm
    }

    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        inside
    }

    fn set_limits(&self, _limits: &Limits) -> std::io::Result<()> {
        Ok(())
    }

    fn kill(&self) {
        self.kills.fetch_add(1, Ordering::Relaxed);
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    fn last_words(&self) -> Option<String> {
        None
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn destroy(&self) -> Result<(), DestroyError> {
        let _ = self.stream.shutdown(Shutdown::Both);
        Ok(())
    }
}

/// A frame that claims a length and has none.
pub(crate) fn claim(length: u32) -> Vec<u8> {
    [length.to_le_bytes().as_slice(), b"x"].concat()
}

pub(crate) const TOO_LARGE: u32 = NOTICE_BYTES_MAX as u32 + 1;
