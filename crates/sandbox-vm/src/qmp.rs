//! Speaks QMP, the language of QEMU's monitor, over a socket.
//!
//! Owns one command and its answer at a time. QEMU may have been taken over by its guest: lines are
//! bounded, and so is the time for an answer.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use serde_json::{Value, json};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::time::timeout;

/// The longest line, in bytes. Those that are asked for have a few hundred.
const LINE_BYTES_MAX: usize = 64 << 10;

/// Events that are kept until somebody asks for them.
const EVENTS_MAX: usize = 64;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The monitor of one machine.
pub(crate) struct Qmp {
    socket: UnixStream,
    /// What has come and is no whole line yet.
    rest: Vec<u8>,
    lines: VecDeque<Vec<u8>>,
    events: VecDeque<Value>,
}

/// Why a machine did not do what it was told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QmpError {
    /// The socket failed, or its other end is gone.
    #[error("the virtual machine ended")]
    Gone(#[source] io::Error),
    /// It did not answer.
    #[error("the virtual machine did not answer within {} s", PATIENCE.as_secs())]
    Silent,
    /// It refused.
    #[error("the virtual machine refused {0}: {1}")]
    Refused(&'static str, String),
    /// It speaks something else.
    #[error("the virtual machine's monitor cannot be trusted: {0}")]
    Nonsense(&'static str),
}

impl Qmp {
    /// Takes a socket whose other end is a monitor, and waits until it takes commands.
    pub(crate) async fn new(socket: OwnedFd) -> Result<Self, QmpError> {
        let socket = std::os::unix::net::UnixStream::from(socket);
        let socket = socket
            .set_nonblocking(true)
            .and_then(|()| UnixStream::from_std(socket))
            .map_err(QmpError::Gone)?;
        let mut qmp = Self {
            socket,
            rest: Vec::new(),
            lines: VecDeque::new(),
            events: VecDeque::new(),
        };
        let greeting = qmp.value().await?;
        if greeting.get("QMP").is_none() {
            return Err(QmpError::Nonsense("it does not greet"));
        }
        qmp.execute("qmp_capabilities", Value::Null, None).await?;
        Ok(qmp)
    }

    /// Gives a command, with a descriptor for it, and waits for what it returns.
    pub(crate) async fn execute(
        &mut self,
        command: &'static str,
        arguments: Value,
        descriptor: Option<BorrowedFd<'_>>,
    ) -> Result<Value, QmpError> {
        let mut order = json!({ "execute": command });
        if let (Some(order), false) = (order.as_object_mut(), arguments.is_null()) {
            order.insert("arguments".to_owned(), arguments);
        }
        let bytes = order.to_string().into_bytes();
        self.send(&bytes, descriptor).await?;
        loop {
            let mut value = self.value().await?;
            if value.get("event").is_some() {
                self.keep(value);
                continue;
            }
            if let Some(returned) = value.get_mut("return") {
                return Ok(returned.take());
            }
            let why = value.pointer("/error/desc").and_then(Value::as_str);
            let why = why.ok_or(QmpError::Nonsense("it answers with something else"))?;
            return Err(QmpError::Refused(command, why.chars().take(200).collect()));
        }
    }

    /// The next line's value.
    async fn value(&mut self) -> Result<Value, QmpError> {
        let line = timeout(PATIENCE, self.line());
        let line = line.await.map_err(|_| QmpError::Silent)??;
        serde_json::from_slice(&line).map_err(|_| QmpError::Nonsense("it does not speak JSON"))
    }

    fn keep(&mut self, event: Value) {
        if self.events.len() == EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// Why the machine has ended, as far as it has told.
    pub(crate) fn shutdown_reason(&mut self) -> Option<String> {
        // Its end is known already; this is what it said before, whether or not anybody was told
        // that there is something to read.
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = rustix::io::read(self.socket.as_fd(), &mut piece) {
            if self.take(piece.get(..count).unwrap_or_default()).is_err() {
                return None;
            }
        }
        while let Some(line) = self.lines.pop_front() {
            if let Ok(value) = serde_json::from_slice::<Value>(&line)
                && value.get("event").is_some()
            {
                self.keep(value);
            }
        }
        let is_end = |event: &&Value| event.get("event").is_some_and(|name| name == "SHUTDOWN");
        let event = self.events.iter().rev().find(is_end)?;
        let reason = event.pointer("/data/reason").and_then(Value::as_str)?;
        Some(reason.chars().take(40).collect())
    }

    async fn line(&mut self) -> Result<Vec<u8>, QmpError> {
        loop {
            if let Some(line) = self.lines.pop_front() {
                return Ok(line);
            }
            self.socket.readable().await.map_err(QmpError::Gone)?;
            self.try_read()?;
        }
    }

    /// Reads what is there; whether there was something.
    fn try_read(&mut self) -> Result<bool, QmpError> {
        let mut piece = [0; 4096];
        let count = match self.socket.try_read(&mut piece) {
            Ok(0) => return Err(QmpError::Gone(io::ErrorKind::UnexpectedEof.into())),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(QmpError::Gone(error)),
        };
        self.take(piece.get(..count).unwrap_or_default())?;
        Ok(true)
    }

    /// Takes in what was read.
    fn take(&mut self, bytes: &[u8]) -> Result<(), QmpError> {
        for byte in bytes {
            if *byte == b'\n' {
                self.lines.push_back(std::mem::take(&mut self.rest));
            } else {
                self.rest.push(*byte);
            }
        }
        let kept = self.lines.iter().map(Vec::len).sum::<usize>() + self.rest.len();
        if kept > LINE_BYTES_MAX {
            return Err(QmpError::Nonsense("it says too much"));
        }
        Ok(())
    }

    async fn send(&self, bytes: &[u8], descriptor: Option<BorrowedFd<'_>>) -> Result<(), QmpError> {
        let mut rest = bytes;
        let mut descriptor = descriptor;
        while !rest.is_empty() {
            let ready = timeout(PATIENCE, self.socket.writable()).await;
            ready
                .map_err(|_| QmpError::Silent)?
                .map_err(QmpError::Gone)?;
            let sent = self.socket.try_io(Interest::WRITABLE, || {
                send_some(&self.socket, rest, descriptor)
            });
            match sent {
                Ok(count) => {
                    rest = rest.get(count..).unwrap_or_default();
                    descriptor = None;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(QmpError::Gone(error)),
            }
        }
        Ok(())
    }
}

fn send_some(
    socket: &UnixStream,
    bytes: &[u8],
    descriptor: Option<BorrowedFd<'_>>,
) -> io::Result<usize> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    let rights = descriptor.as_slice();
    if !rights.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(rights));
    }
    let sent = sendmsg(
        socket.as_fd(),
        &[IoSlice::new(bytes)],
        &mut ancillary,
        SendFlags::NOSIGNAL,
    );
    Ok(sent?)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn monitor(says: Vec<u8>) -> OwnedFd {
        let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
        std::thread::spawn(move || {
            // The other end may have heard enough before everything is said.
            let _ = theirs.write_all(&says);
            let _ = theirs.read_to_end(&mut Vec::new());
        });
        ours.into()
    }

    const GREETING: &str = "{\"QMP\": {}}\r\n{\"return\": {}}\r\n";

    #[tokio::test]
    async fn events_do_not_stand_in_for_answers() {
        let says = format!(
            "{GREETING}{{\"event\": \"RESUME\"}}\n{{\"return\": 7}}\n\
             {{\"error\": {{\"desc\": \"no\"}}}}\n\
             {{\"event\": \"SHUTDOWN\", \"data\": {{\"reason\": \"guest-reset\"}}}}\n"
        );
        let mut qmp = Qmp::new(monitor(says.into())).await.unwrap();
        assert_eq!(qmp.execute("a", Value::Null, None).await.unwrap(), 7);
        let refused = qmp.execute("b", Value::Null, None).await.unwrap_err();
        assert_eq!(refused.to_string(), "the virtual machine refused b: no");
        let reason = loop {
            if let Some(reason) = qmp.shutdown_reason() {
                break reason;
            }
            tokio::task::yield_now().await;
        };
        assert_eq!(reason, "guest-reset");
    }

    #[tokio::test]
    async fn a_monitor_that_floods_or_babbles_is_not_believed() {
        let flood = Qmp::new(monitor(vec![b'x'; 2 * LINE_BYTES_MAX])).await;
        assert!(matches!(flood, Err(QmpError::Nonsense(_))));
        let babble = Qmp::new(monitor(b"\xff\xfe\n".to_vec())).await;
        assert!(matches!(babble, Err(QmpError::Nonsense(_))));
        let other = Qmp::new(monitor(b"{}\n".to_vec())).await;
        assert!(matches!(other, Err(QmpError::Nonsense(_))));
    }
}
