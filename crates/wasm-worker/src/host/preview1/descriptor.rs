//! Functions on what is open: files, directories and the three streams.

use std::task::{Context, Poll, Waker};

use atoll_types::calls::Call;

use super::memory::{Buffers, Bytes};
use super::table::{self, Descriptor, FIRST_DIRECTORY, Open};
use super::{Calling, Done};
use crate::host::Guest;
use crate::host::enter::{Argument, Ended, Failure, Wait};
use crate::host::errno::Errno;
use crate::host::files::{FileKind, NodeId, Stat};
use crate::host::streams::{Output, OutputError, OutputName};

const APPEND: u16 = 1;
const NONBLOCK: u16 = 4;
pub(super) const FLAGS_ALL: u16 = 0x1f;

/// Rights are only said, never asked for: what a descriptor can do follows from how it was opened.
const RIGHTS_ALL: u64 = (1 << 30) - 1;
pub(super) const RIGHT_READ: u64 = 1 << 1;
pub(super) const RIGHT_WRITE: u64 = 1 << 6;
const RIGHT_SEEK: u64 = 1 << 2;
const RIGHT_LIST: u64 = 1 << 14;
const RIGHT_PATH_SET_SIZE: u64 = 1 << 19;
const RIGHT_SET_SIZE: u64 = 1 << 22;
/// What toolchains expect of the directories that are there from the beginning: everything with
/// paths, listing, and times.
const RIGHTS_GIVEN: u64 = 0x00b7_fe00 | (1 << 24) | (1 << 25) | (1 << 26);
/// And of what is opened in them.
const RIGHTS_GIVEN_INHERITING: u64 = RIGHTS_GIVEN | 0x0860_01ff;

const FILETYPE_UNKNOWN: u8 = 0;
const FILETYPE_DIRECTORY: u8 = 3;

const ENTRY_HEADER_BYTES: usize = 24;

/// A file to read or write, copied out of the table.
struct Target {
    node: NodeId,
    position: u64,
    append: bool,
}

impl Calling<'_> {
    pub(super) fn fd_advise(&mut self, number: u32, offset: u64, length: u64, advice: u32) -> Done {
        self.enter_open(Call::HostOther, number)?;
        self.guest.preview1.table.file(number)?;
        if advice > 5 || offset.checked_add(length).is_none() {
            return Err(Errno::Invalid.into());
        }
        Ok(())
    }

    pub(super) fn fd_allocate(&mut self, number: u32, offset: u64, length: u64) -> Done {
        self.enter_open(Call::FileWrite, number)?;
        let node = self.guest.preview1.table.writable(number)?.node;
        let end = offset.checked_add(length).ok_or(Errno::FileTooLarge)?;
        if length == 0 {
            return Err(Errno::Invalid.into());
        }
        let mut files = self.guest.files.lock();
        if files.stat(node)?.size < end {
            files.set_size(node, end)?;
        }
        Ok(())
    }

    pub(super) fn fd_close(&mut self, number: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        if let Descriptor::Open(open) = self.guest.preview1.table.remove(number)? {
            self.guest.files.lock().close(open.node);
        }
        Ok(())
    }

    pub(super) fn fd_datasync(&mut self, number: u32) -> Done {
        self.fd_sync(number)
    }

    /// Memory is always as good as it gets.
    pub(super) fn fd_sync(&mut self, number: u32) -> Done {
        self.enter_open(Call::HostOther, number)?;
        self.guest.preview1.table.node(number)?;
        Ok(())
    }

    pub(super) fn fd_fdstat_get(&mut self, number: u32, answer: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        let (filetype, flags, base, inheriting) = match self.guest.preview1.table.get(number)? {
            Descriptor::Input => (FILETYPE_UNKNOWN, 0, RIGHT_READ, RIGHT_READ),
            Descriptor::Output(_) => (FILETYPE_UNKNOWN, 0, RIGHT_WRITE, RIGHT_WRITE),
            Descriptor::Given(_) => (FILETYPE_DIRECTORY, 0, RIGHTS_GIVEN, RIGHTS_GIVEN_INHERITING),
            Descriptor::Open(open) => {
                let kind = self.guest.files.lock().kind(open.node)?;
                let rights = rights(open);
                (filetype(kind), open.flags, rights, rights)
            }
        };
        let mut bytes = [0; 24];
        put(&mut bytes, 0, &[filetype]);
        put(&mut bytes, 2, &flags.to_le_bytes());
        put(&mut bytes, 8, &base.to_le_bytes());
        put(&mut bytes, 16, &inheriting.to_le_bytes());
        self.memory.write(answer, &bytes)
    }

    pub(super) fn fd_fdstat_set_flags(&mut self, number: u32, flags: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        let open = self.guest.preview1.table.file(number)?;
        let flags = u16::try_from(flags).map_err(|_| Errno::Invalid)?;
        if flags & !(APPEND | NONBLOCK) != 0 {
            return Err(Errno::Invalid.into());
        }
        open.flags = flags;
        Ok(())
    }

    pub(super) fn fd_fdstat_set_rights(&mut self, number: u32, _: u64, _: u64) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        self.guest.preview1.table.get(number)?;
        Err(Errno::NotSupported.into())
    }

    pub(super) fn fd_filestat_get(&mut self, number: u32, answer: u32) -> Done {
        self.enter_open(Call::FileStat, number)?;
        let bytes = match self.guest.preview1.table.get(number)? {
            Descriptor::Input | Descriptor::Output(_) => [0; 64],
            Descriptor::Given(_) | Descriptor::Open(_) => {
                let node = self.guest.preview1.table.node(number)?;
                filestat(&self.guest.files.lock().stat(node)?)
            }
        };
        self.memory.write(answer, &bytes)
    }

    pub(super) fn fd_filestat_set_size(&mut self, number: u32, size: u64) -> Done {
        self.enter_open(Call::FileChange, number)?;
        let node = self.guest.preview1.table.writable(number)?.node;
        self.guest.files.lock().set_size(node, size)?;
        Ok(())
    }

    pub(super) fn fd_filestat_set_times(
        &mut self,
        number: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Done {
        self.enter_open(Call::FileChange, number)?;
        let (accessed, modified) = times(accessed, modified, flags)?;
        let node = self.guest.preview1.table.node(number)?;
        self.guest
            .files
            .lock()
            .set_times(node, accessed, modified)?;
        Ok(())
    }

    pub(super) fn fd_prestat_get(&mut self, number: u32, answer: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        let name = self.given_name(number)?;
        self.memory.write_u32(answer, 0)?;
        let length = u32::try_from(name.len()).map_err(|_| Errno::Overflow)?;
        self.memory.write_u32(answer.saturating_add(4), length)
    }

    pub(super) fn fd_prestat_dir_name(&mut self, number: u32, at: u32, length: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        let name = self.given_name(number)?;
        if name.len() > length as usize {
            return Err(Errno::NameTooLong.into());
        }
        self.memory.write(at, name.as_bytes())
    }

    fn given_name(&self, number: u32) -> Result<&'static str, Errno> {
        match self.guest.preview1.table.get(number)? {
            Descriptor::Given(index) if number >= FIRST_DIRECTORY => table::given_name(*index),
            _ => Err(Errno::BadDescriptor),
        }
    }

    pub(super) fn fd_read(&mut self, number: u32, data: u32, count: u32, answer: u32) -> Done {
        if let Ok(Descriptor::Input) = self.guest.preview1.table.get(number) {
            return self.read_input(data, count, answer);
        }
        let (read, target) = self.read_file(number, data, count, None)?;
        if let Ok(open) = self.guest.preview1.table.file(number) {
            open.position = target.position.saturating_add(read.into());
        }
        self.memory.write_u32(answer, read)
    }

    pub(super) fn fd_pread(
        &mut self,
        number: u32,
        data: u32,
        count: u32,
        offset: u64,
        answer: u32,
    ) -> Done {
        let (read, _) = self.read_file(number, data, count, Some(offset))?;
        self.memory.write_u32(answer, read)
    }

    fn read_file(
        &mut self,
        number: u32,
        data: u32,
        count: u32,
        offset: Option<u64>,
    ) -> Result<(u32, Target), Failure> {
        self.enter_open(Call::FileRead, number)?;
        if offset.is_some() {
            self.seekable(number)?;
        }
        let target = match self.guest.preview1.table.get(number)? {
            Descriptor::Open(open) if open.is_directory => return Err(Errno::IsDirectory.into()),
            Descriptor::Given(_) => return Err(Errno::IsDirectory.into()),
            Descriptor::Open(open) if open.rights & RIGHT_READ != 0 => Target::of(open, offset),
            _ => return Err(Errno::BadDescriptor.into()),
        };
        let buffers = self.memory.buffers(data, count)?;
        let mut files = self.guest.files.lock();
        let mut total: u32 = 0;
        for (at, length) in buffers.iter() {
            let buffer = self.memory.slice_mut(at, length)?;
            let position = target.position.saturating_add(total.into());
            let read = files.read(target.node, position, buffer)?;
            let read = u32::try_from(read).map_err(|_| Errno::Overflow)?;
            total = total.checked_add(read).ok_or(Errno::Overflow)?;
            if read < length {
                break;
            }
        }
        Ok((total, target))
    }

    fn read_input(&mut self, data: u32, count: u32, answer: u32) -> Done {
        self.guest.enter(Call::StreamRead, &[])?;
        let buffers = self.memory.buffers(data, count)?;
        let Some((at, length)) = buffers.iter().find(|(_, length)| *length > 0) else {
            return self.memory.write_u32(answer, 0);
        };
        let mut context = Context::from_waker(Waker::noop());
        match self.guest.input.poll_take(&mut context, length as usize) {
            Poll::Ready(bytes) => {
                self.memory.write(at, &bytes)?;
                let read = u32::try_from(bytes.len()).map_err(|_| Errno::Overflow)?;
                self.memory.write_u32(answer, read)
            }
            Poll::Pending => Err(Failure::Wait(Wait {
                input: true,
                ..Wait::default()
            })),
        }
    }

    pub(super) fn fd_write(&mut self, number: u32, data: u32, count: u32, answer: u32) -> Done {
        if let Ok(Descriptor::Output(name)) = self.guest.preview1.table.get(number) {
            let name = *name;
            return self.write_output(name, data, count, answer);
        }
        let (written, target) = self.write_file(number, data, count, None)?;
        if let Ok(open) = self.guest.preview1.table.file(number) {
            open.position = target.position.saturating_add(written.into());
        }
        self.memory.write_u32(answer, written)
    }

    pub(super) fn fd_pwrite(
        &mut self,
        number: u32,
        data: u32,
        count: u32,
        offset: u64,
        answer: u32,
    ) -> Done {
        let (written, _) = self.write_file(number, data, count, Some(offset))?;
        self.memory.write_u32(answer, written)
    }

    fn write_file(
        &mut self,
        number: u32,
        data: u32,
        count: u32,
        offset: Option<u64>,
    ) -> Result<(u32, Target), Failure> {
        self.enter_open(Call::FileWrite, number)?;
        if offset.is_some() {
            self.seekable(number)?;
        }
        let mut target = Target::of(self.guest.preview1.table.writable(number)?, offset);
        let buffers = self.memory.buffers(data, count)?;
        let mut files = self.guest.files.lock();
        if target.append {
            // As on Linux, also for a write that names its place.
            target.position = files.stat(target.node)?.size;
        }
        let mut total: u32 = 0;
        for (at, length) in buffers.iter() {
            let bytes = self.memory.slice(at, length)?;
            let position = target.position.saturating_add(total.into());
            let written = match files.write(target.node, position, bytes) {
                Ok(written) => u32::try_from(written).map_err(|_| Errno::Overflow)?,
                // What fitted counts; the next call finds out that no more does.
                Err(Errno::NoSpace) if total > 0 => break,
                Err(error) => return Err(error.into()),
            };
            total = total.checked_add(written).ok_or(Errno::Overflow)?;
            if written < length {
                break;
            }
        }
        Ok((total, target))
    }

    /// Writes all of it, however long that takes: many programs do not look at what was written.
    fn write_output(&mut self, name: OutputName, data: u32, count: u32, answer: u32) -> Done {
        self.guest.enter(Call::StreamWrite, &[])?;
        let buffers = self.memory.buffers(data, count)?;
        let output = match name {
            OutputName::Output => &self.guest.output,
            OutputName::Error => &self.guest.error,
        };
        let progress = &mut self.guest.preview1.progress;
        match write_all(output, &self.memory, &buffers, progress)? {
            Poll::Ready(()) => {}
            Poll::Pending => {
                return Err(Failure::Wait(Wait {
                    output: name == OutputName::Output,
                    error: name == OutputName::Error,
                    ..Wait::default()
                }));
            }
        }
        let written = u32::try_from(*progress).map_err(|_| Errno::Overflow)?;
        self.memory.write_u32(answer, written)
    }

    pub(super) fn fd_readdir(
        &mut self,
        number: u32,
        at: u32,
        length: u32,
        cookie: u64,
        answer: u32,
    ) -> Done {
        self.enter_open(Call::FileList, number)?;
        let node = self.guest.preview1.table.directory(number)?;
        let files = self.guest.files.lock();
        let buffer = self.memory.slice_mut(at, length)?;
        let mut used = 0;
        for entry in files.list(node, cookie)? {
            let mut header = [0; ENTRY_HEADER_BYTES];
            put(&mut header, 0, &entry.next_cookie.to_le_bytes());
            put(&mut header, 8, &entry.inode.to_le_bytes());
            let name_length = u32::try_from(entry.name.len()).map_err(|_| Errno::Overflow)?;
            put(&mut header, 16, &name_length.to_le_bytes());
            put(&mut header, 20, &[filetype(entry.kind)]);
            for part in [header.as_slice(), &entry.name] {
                let room = buffer.get_mut(used..).unwrap_or_default();
                let fits = part.len().min(room.len());
                put(room, 0, part.get(..fits).unwrap_or_default());
                used = used.saturating_add(fits);
            }
            // An entry that is cut off tells the guest that there is more.
            if used >= buffer.len() {
                break;
            }
        }
        drop(files);
        let used = u32::try_from(used).map_err(|_| Errno::Overflow)?;
        self.memory.write_u32(answer, used)
    }

    pub(super) fn fd_renumber(&mut self, from: u32, to: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        let replaced = self.guest.preview1.table.renumber(from, to)?;
        if let Some(Descriptor::Open(open)) = replaced {
            self.guest.files.lock().close(open.node);
        }
        Ok(())
    }

    pub(super) fn fd_seek(&mut self, number: u32, offset: i64, whence: u32, answer: u32) -> Done {
        self.guest.enter(Call::HostOther, &[])?;
        self.seekable(number)?;
        let open = self.guest.preview1.table.file(number)?;
        let base = match whence {
            0 => 0,
            1 => open.position,
            2 => self.guest.files.lock().stat(open.node)?.size,
            _ => return Err(Errno::Invalid.into()),
        };
        let position = base.checked_add_signed(offset).ok_or(Errno::Invalid)?;
        if i64::try_from(position).is_err() {
            return Err(Errno::Invalid.into());
        }
        open.position = position;
        self.memory.write_u64(answer, position)
    }

    pub(super) fn fd_tell(&mut self, number: u32, answer: u32) -> Done {
        self.fd_seek(number, 0, 1, answer)
    }

    /// The streams have no position.
    fn seekable(&self, number: u32) -> Result<(), Errno> {
        match self.guest.preview1.table.get(number)? {
            Descriptor::Input | Descriptor::Output(_) => Err(Errno::NotSeekable),
            Descriptor::Given(_) | Descriptor::Open(_) => Ok(()),
        }
    }

    fn enter_open(&mut self, call: Call, number: u32) -> Result<(), Failure> {
        let Guest {
            gate,
            files,
            preview1,
            ..
        } = &mut *self.guest;
        let path = match preview1.table.get(number) {
            Ok(Descriptor::Open(open)) => open.path.as_deref(),
            Ok(Descriptor::Given(index)) => {
                let start = table::given(*index)?;
                return gate.enter(files, call, &[Argument::Path(start, b".", false)]);
            }
            Ok(Descriptor::Input | Descriptor::Output(_)) | Err(_) => None,
        };
        gate.enter(files, call, &[Argument::Open(path)])
    }
}

impl Target {
    fn of(open: &Open, offset: Option<u64>) -> Self {
        Self {
            node: open.node,
            position: offset.unwrap_or(open.position),
            append: open.flags & APPEND != 0,
        }
    }
}

/// Writes what is behind `progress`, and moves it on.
fn write_all(
    output: &Output,
    memory: &Bytes<'_>,
    buffers: &Buffers,
    progress: &mut usize,
) -> Result<Poll<()>, Failure> {
    let mut context = Context::from_waker(Waker::noop());
    let mut before = 0_usize;
    for (at, length) in buffers.iter() {
        let bytes = memory.slice(at, length)?;
        while let Some(rest) = bytes.get(progress.saturating_sub(before)..)
            && !rest.is_empty()
        {
            match output.poll_write(&mut context, rest) {
                Poll::Ready(Ok(written)) => *progress = progress.saturating_add(written),
                Poll::Ready(Err(OutputError::Closed)) => return Err(Errno::BrokenPipe.into()),
                Poll::Ready(Err(OutputError::Limit)) => return Err(Ended::Output.into()),
                Poll::Pending => return Ok(Poll::Pending),
            }
        }
        before = before.saturating_add(bytes.len());
    }
    Ok(Poll::Ready(()))
}

fn rights(open: &Open) -> u64 {
    let mut rights = RIGHTS_ALL;
    if open.is_directory {
        rights &= !(RIGHT_SEEK | RIGHT_SET_SIZE | RIGHT_PATH_SET_SIZE);
    }
    if open.rights & RIGHT_READ == 0 {
        rights &= !(RIGHT_READ | RIGHT_LIST);
    }
    if open.rights & RIGHT_WRITE == 0 {
        rights &= !RIGHT_WRITE;
    }
    rights
}

pub(super) const fn filetype(kind: FileKind) -> u8 {
    match kind {
        FileKind::Directory => FILETYPE_DIRECTORY,
        FileKind::File => 4,
        FileKind::Link => 7,
    }
}

pub(super) fn filestat(stat: &Stat) -> [u8; 64] {
    let mut bytes = [0; 64];
    put(&mut bytes, 0, &1_u64.to_le_bytes());
    put(&mut bytes, 8, &stat.inode.to_le_bytes());
    put(&mut bytes, 16, &[filetype(stat.kind)]);
    let numbers = [
        stat.links,
        stat.size,
        stat.accessed,
        stat.modified,
        stat.changed,
    ];
    for (index, number) in numbers.into_iter().enumerate() {
        put(&mut bytes, 24 + 8 * index, &number.to_le_bytes());
    }
    bytes
}

/// The times to set: `None` for those that stay.
pub(super) fn times(
    accessed: u64,
    modified: u64,
    flags: u32,
) -> Result<(Option<u64>, Option<u64>), Errno> {
    let one = |time, given: u32, now: u32| match (flags & given != 0, flags & now != 0) {
        (true, true) => Err(Errno::Invalid),
        (true, false) => Ok(Some(time)),
        (false, true) => Ok(Some(crate::host::wall_clock())),
        (false, false) => Ok(None),
    };
    if flags & !0xf != 0 {
        return Err(Errno::Invalid);
    }
    Ok((one(accessed, 1, 2)?, one(modified, 4, 8)?))
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(place) = bytes.get_mut(at..at.saturating_add(value.len())) {
        place.copy_from_slice(value);
    }
}
