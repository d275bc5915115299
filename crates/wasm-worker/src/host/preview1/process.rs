//! Arguments, variables, clocks, randomness, the end; and sockets, of which there are none.

use atoll_types::calls::Call;
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Calling, Done};
use crate::host::RANDOM_BYTES_MAX;
use crate::host::enter::{Failure, Wait};
use crate::host::errno::Errno;
use crate::host::wall_clock;

/// Random bytes between two chances for other guests to go on.
const RANDOM_PIECE_BYTES: usize = 256 << 10;

const REALTIME: u32 = 0;
const MONOTONIC: u32 = 1;

impl Calling<'_> {
    pub(super) fn args_get(&mut self, pointers: u32, bytes: u32) -> Done {
        self.guest.enter(Call::EnvironmentRead, &[])?;
        let all = self.guest.arguments.iter();
        let all = all.map(|argument| (argument.as_str(), None));
        write_strings(&mut self.memory, pointers, bytes, all)
    }

    pub(super) fn args_sizes_get(&mut self, count: u32, size: u32) -> Done {
        self.guest.enter(Call::EnvironmentRead, &[])?;
        let all = &self.guest.arguments;
        let bytes = all.iter().map(|argument| argument.len().saturating_add(1));
        write_sizes(&mut self.memory, (count, size), all.len(), bytes.sum())
    }

    pub(super) fn environ_get(&mut self, pointers: u32, bytes: u32) -> Done {
        self.guest.enter(Call::EnvironmentRead, &[])?;
        let all = self.guest.environment.iter();
        let all = all.map(|(name, value)| (name.as_str(), Some(value.as_str())));
        write_strings(&mut self.memory, pointers, bytes, all)
    }

    pub(super) fn environ_sizes_get(&mut self, count: u32, size: u32) -> Done {
        self.guest.enter(Call::EnvironmentRead, &[])?;
        let all = &self.guest.environment;
        let bytes = all
            .iter()
            .map(|(name, value)| name.len().saturating_add(value.len()).saturating_add(2));
        write_sizes(&mut self.memory, (count, size), all.len(), bytes.sum())
    }

    pub(super) fn clock_res_get(&mut self, clock: u32, answer: u32) -> Done {
        self.guest.enter(Call::ClockRead, &[])?;
        known(clock)?;
        self.memory.write_u64(answer, 1)
    }

    pub(super) fn clock_time_get(&mut self, clock: u32, _precision: u64, answer: u32) -> Done {
        self.guest.enter(Call::ClockRead, &[])?;
        known(clock)?;
        let now = match clock {
            REALTIME => wall_clock(),
            _ => self.monotonic(),
        };
        self.memory.write_u64(answer, now)
    }

    /// Nanoseconds since the guest began.
    pub(super) fn monotonic(&self) -> u64 {
        u64::try_from(self.guest.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    pub(super) fn random_get(&mut self, at: u32, length: u32) -> Done {
        self.guest.enter(Call::RandomRead, &[])?;
        if u64::from(length) > RANDOM_BYTES_MAX {
            return Err(Errno::Invalid.into());
        }
        let buffer = self.memory.slice_mut(at, length)?;
        let done = self.guest.preview1.progress;
        let end = done.saturating_add(RANDOM_PIECE_BYTES).min(buffer.len());
        if let Some(piece) = buffer.get_mut(done..end) {
            fill(piece)?;
        }
        if end < length as usize {
            self.guest.preview1.progress = end;
            return Err(Failure::Wait(Wait::default()));
        }
        Ok(())
    }

    pub(super) fn sched_yield(&mut self) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        if self.guest.preview1.progress == 0 {
            self.guest.preview1.progress = 1;
            return Err(Failure::Wait(Wait::default()));
        }
        Ok(())
    }

    pub(super) fn proc_raise(&mut self, _signal: u32) -> Done {
        self.guest.enter(Call::ProcessSignal, &[])?;
        Err(Errno::NotSupported.into())
    }

    /// Ends the guest. Preview 1 leaves exit codes above 125 to the host; native programs may use
    /// all of them, so the same program compiled to WebAssembly may as well.
    pub(super) fn proc_exit(&mut self, code: i32) -> Done {
        match self.guest.enter(Call::HostOther, &[]) {
            Ok(()) | Err(Failure::Errno(_)) => {}
            Err(other) => return Err(other),
        }
        Err(Failure::Stop(wasmtime_wasi::I32Exit(code).into()))
    }

    pub(super) fn sock_accept(&mut self, descriptor: u32, _flags: u32, _answer: u32) -> Done {
        self.no_socket(Call::NetworkAccept, descriptor)
    }

    pub(super) fn sock_recv(
        &mut self,
        descriptor: u32,
        _data: u32,
        _data_count: u32,
        _flags: u32,
        _size: u32,
        _answer: u32,
    ) -> Done {
        self.no_socket(Call::NetworkReceive, descriptor)
    }

    pub(super) fn sock_send(
        &mut self,
        descriptor: u32,
        _data: u32,
        _data_count: u32,
        _flags: u32,
        _size: u32,
    ) -> Done {
        self.no_socket(Call::NetworkSend, descriptor)
    }

    pub(super) fn sock_shutdown(&mut self, descriptor: u32, _how: u32) -> Done {
        self.no_socket(Call::HostOther, descriptor)
    }

    fn no_socket(&mut self, call: Call, descriptor: u32) -> Done {
        self.guest.enter(call, &[])?;
        self.guest.preview1.table.get(descriptor)?;
        Err(Errno::NotSocket.into())
    }
}

fn known(clock: u32) -> Result<(), Errno> {
    match clock {
        REALTIME | MONOTONIC => Ok(()),
        // Processor time would tell a guest about its neighbours.
        2 | 3 => Err(Errno::BadDescriptor),
        _ => Err(Errno::Invalid),
    }
}

fn fill(mut buffer: &mut [u8]) -> Result<(), Errno> {
    while !buffer.is_empty() {
        let filled = match getrandom(&mut *buffer, GetRandomFlags::empty()) {
            Ok(filled) => filled,
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => return Err(Errno::InputOutput),
        };
        buffer = buffer.get_mut(filled..).unwrap_or_default();
    }
    Ok(())
}

fn write_sizes(
    memory: &mut super::Bytes<'_>,
    (count_at, size_at): (u32, u32),
    count: usize,
    size: usize,
) -> Done {
    let number = |value: usize| u32::try_from(value).map_err(|_| Errno::Overflow);
    memory.write_u32(count_at, number(count)?)?;
    memory.write_u32(size_at, number(size)?)
}

/// Writes strings one after the other, each with a NUL behind it, and a pointer to each.
fn write_strings<'a>(
    memory: &mut super::Bytes<'_>,
    mut pointers: u32,
    mut at: u32,
    all: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Done {
    for (first, second) in all {
        memory.write_u32(pointers, at)?;
        pointers = pointers.saturating_add(4);
        let mut put = |bytes: &[u8]| -> Done {
            memory.write(at, bytes)?;
            let length = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
            at = at.checked_add(length).ok_or(Errno::Overflow)?;
            Ok(())
        };
        put(first.as_bytes())?;
        if let Some(second) = second {
            put(b"=")?;
            put(second.as_bytes())?;
        }
        put(&[0])?;
    }
    Ok(())
}
