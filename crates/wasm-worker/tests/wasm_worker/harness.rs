//! Starts the real worker and the real compiler, and speaks their protocol as a supervisor does.
//!
//! There is no jail around them here; what the jail adds is tested where the jail is.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, IoSlice, Read, Seek, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use atoll_sandbox_wasm::protocol::{
    self, CompileReport, CompileRequest, CompileStatus, FrameReader, GuestEnd, GuestKind,
    GuestLimits, GuestUsage, NOTICE_BYTES_MAX, Notice, ORDER_BYTES_MAX, Order, OutputStream,
    PIECE_BYTES_MAX, Settings, write_frame, write_request,
};
use atoll_types::LimitName;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use tempfile::TempDir;

/// For how long a worker may say nothing.
const SILENCE: Duration = Duration::from_secs(60);

/// One program, to be run once.
#[derive(Clone)]
pub(crate) struct Run {
    pub(crate) run: protocol::Run,
    kind: GuestKind,
    program: Vec<u8>,
    files: Vec<(Vec<u8>, Vec<u8>)>,
    stdin: Option<Vec<u8>>,
}

/// Everything that came out of one message.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How it ended, or why it could not begin.
    end: Option<Result<GuestEnd, String>>,
    pub(crate) usage: GuestUsage,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: String,
    /// What it left, in the order in which it was told.
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

/// A worker, and what it has said that nobody has asked for yet.
pub(crate) struct Worker {
    pub(crate) child: Child,
    socket: Option<UnixStream>,
    reader: FrameReader,
    said: VecDeque<Notice>,
    next: u64,
}

/// What a compiler came to.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) report: CompileReport,
    pub(crate) exit: ExitStatus,
    pub(crate) code: Vec<u8>,
}

impl Run {
    pub(crate) fn module(text: &str) -> Self {
        Self::new(GuestKind::Module, wat::parse_str(text).unwrap())
    }

    pub(crate) fn component(text: &str) -> Self {
        Self::new(GuestKind::Component, wat::parse_str(text).unwrap())
    }

    pub(crate) fn new(kind: GuestKind, program: Vec<u8>) -> Self {
        let limits = GuestLimits {
            memory_bytes: 64 << 20,
            table_elements: 4 << 20,
            instances: 256,
            tables: 256,
            memories: 64,
            disk_bytes: 16 << 20,
            disk_files: 100,
            open_files: 50,
            output_bytes: 32 << 20,
            cpu_time_us: 60_000_000,
            wall_time_us: 60_000_000,
            host_calls: u64::MAX,
            memory_patience_us: 0,
        };
        let run = protocol::Run {
            message: 0,
            program: 0,
            name: "test.wasm".to_owned(),
            script: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            input: Vec::new(),
            input_ends: true,
            keeps_files: true,
            calls: Default::default(),
            limits,
            links: protocol::Links::default(),
        };
        Self {
            run,
            kind,
            program,
            files: Vec::new(),
            stdin: None,
        }
    }

    pub(crate) fn arguments(mut self, arguments: &[&str]) -> Self {
        let bytes = arguments.iter().map(|text| text.as_bytes().to_vec());
        self.run.arguments = bytes.map(Into::into).collect();
        self
    }

    /// Standard input that is handed over in pieces, each when the guest waits for it.
    pub(crate) fn stdin(mut self, bytes: &[u8]) -> Self {
        self.run.input_ends = false;
        self.stdin = Some(bytes.to_vec());
        self
    }

    pub(crate) fn file(mut self, name: &str, bytes: &[u8]) -> Self {
        self.files.push((name.into(), bytes.to_vec()));
        self
    }

    pub(crate) fn limits(mut self, change: impl FnOnce(&mut GuestLimits)) -> Self {
        change(&mut self.run.limits);
        self
    }

    /// Runs it in a worker of its own, to its end and to the worker's.
    pub(crate) fn finish(self) -> Outcome {
        let mut worker = Worker::start();
        let outcome = worker.run(self);
        assert_eq!(worker.close().code(), Some(0), "{outcome:?}");
        outcome
    }
}

/// Compiles a program in a process of its own.
pub(crate) fn compile(kind: GuestKind, program: &[u8]) -> Compiled {
    let place = TempDir::new().unwrap();
    let [request, status, code] = ["request", "status", "code"].map(|name| place.path().join(name));
    let mut file = File::create(&request).unwrap();
    write_request(&mut file, CompileRequest { kind }, program).unwrap();
    let output = worker_command(r#"exec "$0" compile 3<"$1" 4>"$2" 5>"$3""#)
        .args([&request, &status, &code])
        .output()
        .unwrap();
    assert!(output.stdout.is_empty(), "{output:?}");
    let mut reader = FrameReader::new(NOTICE_BYTES_MAX);
    reader.push(&fs::read(status).unwrap());
    let mut report = CompileReport::default();
    while let Some(status) = reader.next_frame().unwrap() {
        report.accept(status).unwrap();
    }
    Compiled {
        report,
        exit: output.status,
        code: fs::read(code).unwrap(),
    }
}

/// The shell places the descriptors.
fn worker_command(script: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(env!("CARGO_BIN_EXE_atoll-wasm-worker"))
        .env_clear()
        .env("SECRET_OF_THE_HOST", "must not reach a guest")
        .stdin(Stdio::null());
    command
}

impl Compiled {
    /// The code, or why there is none.
    pub(crate) fn code(self) -> Result<Vec<u8>, String> {
        assert_eq!(self.exit.code(), Some(0), "{:?}", self.report);
        assert!(self.report.confined.is_some_and(|calls| calls > 0));
        match self.report.end {
            Some(CompileStatus::Compiled { bytes }) => {
                assert_eq!(bytes, self.code.len() as u64);
                Ok(self.code)
            }
            Some(CompileStatus::Refused { reason }) => {
                assert!(self.code.is_empty());
                Err(reason)
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Worker {
    pub(crate) fn start() -> Self {
        Self::with(Settings {
            guests_max: 8,
            memory_bytes: 1 << 30,
            reserves: true,
        })
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let (own, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        own.set_read_timeout(Some(SILENCE)).unwrap();
        let child = worker_command(r#"exec "$0" serve 3<&0 0</dev/null"#)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut worker = Self {
            child,
            socket: Some(own),
            reader: FrameReader::new(NOTICE_BYTES_MAX),
            said: VecDeque::new(),
            next: 1,
        };
        worker.order(&Order::Begin(settings));
        let first = worker.hear();
        assert!(
            matches!(first, Notice::Confined { system_calls } if system_calls > 0),
            "{first:?}"
        );
        worker
    }

    fn socket(&self) -> &UnixStream {
        self.socket.as_ref().unwrap()
    }

    pub(crate) fn order(&mut self, order: &Order) {
        let mut frame = Vec::new();
        write_frame(&mut frame, order, ORDER_BYTES_MAX).unwrap();
        self.bytes(&frame);
    }

    /// Sends bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.socket().write_all(bytes).unwrap();
    }

    /// The next thing it says, now.
    pub(crate) fn hear(&mut self) -> Notice {
        let mut bytes = vec![0; 64 << 10];
        loop {
            if let Some(notice) = self.reader.next_frame().unwrap() {
                return notice;
            }
            let count = self.socket().read(&mut bytes).unwrap();
            if count == 0 {
                let end = self.end();
                panic!("the worker is gone: {end:?}, after {:?}", self.said);
            }
            self.reader.push(&bytes[..count]);
        }
    }

    /// The next thing that it says which fits; the rest stays for later.
    fn hear_if(&mut self, fits: impl Fn(&Notice) -> bool) -> Notice {
        if let Some(at) = self.said.iter().position(&fits) {
            return self.said.remove(at).unwrap();
        }
        loop {
            let notice = self.hear();
            if fits(&notice) {
                return notice;
            }
            self.said.push_back(notice);
        }
    }

    /// Loads compiled code under a new number.
    pub(crate) fn load(&mut self, kind: GuestKind, code: &[u8]) -> Result<u64, String> {
        self.load_file(kind, sealed(code))
    }

    pub(crate) fn load_file(&mut self, kind: GuestKind, code: OwnedFd) -> Result<u64, String> {
        let number = self.number();
        let load = Order::Load {
            program: number,
            kind,
        };
        let mut frame = Vec::new();
        write_frame(&mut frame, &load, ORDER_BYTES_MAX).unwrap();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [code.as_fd()];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let parts = [IoSlice::new(&frame)];
        let sent = sendmsg(self.socket(), &parts, &mut ancillary, SendFlags::empty());
        assert_eq!(sent, Ok(frame.len()));
        let answer = self.hear_if(|notice| match notice {
            Notice::Loaded { program } | Notice::Unusable { program, .. } => *program == number,
            _ => false,
        });
        match answer {
            Notice::Unusable { reason, .. } => Err(reason),
            _ => Ok(number),
        }
    }

    fn number(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    /// Compiles, loads and runs.
    pub(crate) fn run(&mut self, run: Run) -> Outcome {
        match self.start_run(&run) {
            Ok(message) => self.finish(message, run.stdin),
            Err(reason) => Outcome {
                end: Some(Err(reason)),
                ..Outcome::default()
            },
        }
    }

    /// Compiles and loads, and orders it to run; the number it has then.
    pub(crate) fn start_run(&mut self, run: &Run) -> Result<u64, String> {
        let code = compile(run.kind, &run.program).code()?;
        let program = self.load(run.kind, &code)?;
        Ok(self.start_loaded(run, program))
    }

    /// Orders a loaded program to run.
    pub(crate) fn start_loaded(&mut self, run: &Run, program: u64) -> u64 {
        let message = self.number();
        for (name, bytes) in &run.files {
            let give = |piece: &[u8]| Order::Give {
                message,
                name: name.clone(),
                bytes: piece.to_vec(),
            };
            if bytes.is_empty() {
                self.order(&give(b""));
            }
            for piece in bytes.chunks(PIECE_BYTES_MAX) {
                self.order(&give(piece));
            }
        }
        self.order(&Order::Run(Box::new(protocol::Run {
            message,
            program,
            ..run.run.clone()
        })));
        message
    }

    /// Stays with a message until its end, and takes its files.
    pub(crate) fn finish(&mut self, message: u64, stdin: Option<Vec<u8>>) -> Outcome {
        let stdin = stdin.unwrap_or_default();
        let mut pieces = stdin.chunks(PIECE_BYTES_MAX);
        let mut outcome = Outcome::default();
        let mut stderr = Vec::new();
        while outcome.end.is_none() {
            match self.hear_if(|notice| message_of(notice) == Some(message)) {
                Notice::Output { stream, bytes, .. } => match stream {
                    OutputStream::Stdout => outcome.stdout.extend(bytes),
                    OutputStream::Stderr => stderr.extend(bytes),
                },
                Notice::WantsInput { .. } => {
                    let piece = pieces.next();
                    self.order(&Order::Input {
                        message,
                        bytes: piece.unwrap_or_default().to_vec(),
                        ends: piece.is_none(),
                    });
                }
                Notice::Ended { end, usage, .. } => {
                    outcome.end = Some(Ok(end));
                    outcome.usage = usage;
                }
                Notice::Progress { .. } | Notice::WantsMemory { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        outcome.stderr = String::from_utf8(stderr).unwrap();
        outcome.files = self.collect(message);
        outcome
    }

    /// The files that a message has left.
    pub(crate) fn collect(&mut self, message: u64) -> Vec<(String, Vec<u8>)> {
        self.order(&Order::Collect { message });
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        let mut expected = 0;
        loop {
            match self.hear_if(|notice| message_of(notice) == Some(message)) {
                Notice::Left { path, bytes, .. } => {
                    expected += bytes.unwrap_or(0);
                    files.push((String::from_utf8(path).unwrap(), Vec::new()));
                }
                Notice::LeftBytes { bytes, .. } => files.last_mut().unwrap().1.extend(bytes),
                Notice::Collected { .. } => break,
                other => panic!("{other:?}"),
            }
        }
        let found: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
        assert_eq!(found as u64, expected);
        files
    }

    /// Waits until a message asks for input.
    pub(crate) fn wait_for_question(&mut self, message: u64) {
        self.hear_if(|notice| *notice == Notice::WantsInput { message });
    }

    /// Waits until a message says that it goes on.
    pub(crate) fn wait_for_progress(&mut self, message: u64) -> GuestUsage {
        let notice = self.hear_if(
            |notice| matches!(notice, Notice::Progress { message: found, .. } if *found == message),
        );
        match notice {
            Notice::Progress { usage, .. } => usage,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until a message asks for more memory; how much it would have then.
    pub(crate) fn wait_for_wish(&mut self, message: u64) -> u64 {
        let notice = self.hear_if(|notice| {
            matches!(notice, Notice::WantsMemory { message: found, .. } if *found == message)
        });
        match notice {
            Notice::WantsMemory { bytes, .. } => bytes,
            other => panic!("{other:?}"),
        }
    }

    /// Closes the socket and waits for the end.
    pub(crate) fn close(&mut self) -> ExitStatus {
        self.socket = None;
        self.child.wait().unwrap()
    }

    /// Waits for the end of a worker that ends by itself, and says what it wrote then.
    pub(crate) fn end(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        let mut text = String::new();
        let stderr = self.child.stderr.as_mut().unwrap();
        stderr.read_to_string(&mut text).unwrap();
        (status, text)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that has ended cannot be killed again.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whose a notice is.
fn message_of(notice: &Notice) -> Option<u64> {
    match notice {
        Notice::Output { message, .. }
        | Notice::WantsInput { message }
        | Notice::WantsMemory { message, .. }
        | Notice::Progress { message, .. }
        | Notice::Called { message, .. }
        | Notice::Ended { message, .. }
        | Notice::Left { message, .. }
        | Notice::LeftBytes { message, .. }
        | Notice::Collected { message } => Some(*message),
        Notice::Confined { .. }
        | Notice::Loaded { .. }
        | Notice::Waiting { .. }
        | Notice::Unusable { .. }
        | Notice::Failed { .. } => None,
    }
}

/// Memory with this content.
pub(crate) fn unsealed(code: &[u8]) -> OwnedFd {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let mut file = File::from(memfd_create("code", flags).unwrap());
    file.write_all(code).unwrap();
    file.rewind().unwrap();
    file.into()
}

/// Memory with this content that nobody can change.
pub(crate) fn sealed(code: &[u8]) -> OwnedFd {
    let file = unsealed(code);
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    fcntl_add_seals(&file, seals)
        .map_err(io::Error::from)
        .unwrap();
    file
}

impl Outcome {
    /// How the guest ended.
    pub(crate) fn end(&self) -> &GuestEnd {
        match &self.end {
            Some(Ok(end)) => end,
            other => panic!("not run: {other:?}"),
        }
    }

    /// Checks that the program ended by itself.
    pub(crate) fn assert_exited(&self, expected: i32) {
        let GuestEnd::Exited { code, .. } = self.end() else {
            panic!("not exited: {self:?}");
        };
        assert_eq!(*code, expected, "{self:?}");
    }

    /// The reason of a refusal, by the compiler, when it was loaded, or when it was to start.
    pub(crate) fn refusal(&self) -> &str {
        assert!(self.stdout.is_empty(), "{self:?}");
        match &self.end {
            Some(Err(reason) | Ok(GuestEnd::Refused { reason })) => reason,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Whether it could not begin.
    pub(crate) fn is_refused(&self) -> bool {
        matches!(self.end, Some(Err(_) | Ok(GuestEnd::Refused { .. })))
    }

    /// The text and the limit of a trap.
    pub(crate) fn trap(&self) -> (&str, Option<LimitName>) {
        let GuestEnd::Trapped { text, limit } = self.end() else {
            panic!("not trapped: {self:?}");
        };
        (text, *limit)
    }
}
