//! Functions on paths. Each begins in a directory that is open, and cannot leave it.

use atoll_types::calls::Call;

use super::descriptor::{FLAGS_ALL, RIGHT_READ, RIGHT_WRITE, filestat, times};
use super::memory::Bytes;
use super::table::{Descriptor, Open, Table};
use super::{Calling, Done};
use crate::host::enter::{Argument, Failure};
use crate::host::errno::Errno;
use crate::host::files::{FileKind, NodeId, OpenOptions};

/// A path in the guest's memory.
#[derive(Debug, Clone, Copy)]
struct Pointer {
    directory: u32,
    at: u32,
    length: u32,
    /// How to look it up; the only flag is to follow a link at the end.
    flags: u32,
}

impl Pointer {
    const fn new(directory: u32, at: u32, length: u32) -> Self {
        Self {
            directory,
            at,
            length,
            flags: 0,
        }
    }

    const fn with_flags(self, flags: u32) -> Self {
        Self { flags, ..self }
    }

    const fn follow(&self) -> bool {
        self.flags & 1 != 0
    }

    fn read<'a>(
        &self,
        table: &Table,
        memory: &'a Bytes<'_>,
    ) -> Result<(NodeId, &'a [u8]), Failure> {
        if self.flags > 1 {
            return Err(Errno::Invalid.into());
        }
        let directory = table.directory(self.directory)?;
        Ok((directory, memory.text(self.at, self.length)?))
    }
}

impl Calling<'_> {
    /// Reads the path and passes the gate with it.
    fn enter_path(&mut self, call: Call, pointer: Pointer) -> Result<(NodeId, &[u8]), Failure> {
        match pointer.read(&self.guest.preview1.table, &self.memory) {
            Ok((directory, path)) => {
                let argument = Argument::Path(directory, path, pointer.follow());
                self.guest.enter(call, &[argument])?;
                Ok((directory, path))
            }
            Err(failure) => {
                self.guest.enter(call, &[])?;
                Err(failure)
            }
        }
    }

    fn enter_paths(
        &mut self,
        call: Call,
        old: Pointer,
        new: Pointer,
    ) -> Result<[(NodeId, &[u8]); 2], Failure> {
        let table = &self.guest.preview1.table;
        let both = old
            .read(table, &self.memory)
            .and_then(|first| Ok([first, new.read(table, &self.memory)?]));
        match both {
            Ok(both) => {
                let [(start, path), (new_start, new_path)] = both;
                let arguments = [
                    Argument::Path(start, path, old.follow()),
                    Argument::Path(new_start, new_path, new.follow()),
                ];
                self.guest.enter(call, &arguments)?;
                Ok(both)
            }
            Err(failure) => {
                self.guest.enter(call, &[])?;
                Err(failure)
            }
        }
    }

    pub(super) fn path_create_directory(&mut self, directory: u32, at: u32, length: u32) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, at, length);
        let (start, path) = self.enter_path(Call::FileMakeDirectory, pointer)?;
        files.lock().make_directory(start, path)?;
        Ok(())
    }

    pub(super) fn path_filestat_get(
        &mut self,
        directory: u32,
        follow: u32,
        at: u32,
        length: u32,
        answer: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, at, length).with_flags(follow);
        let (start, path) = self.enter_path(Call::FileStat, pointer)?;
        let stat = files.lock().stat_at(start, path, pointer.follow())?;
        self.memory.write(answer, &filestat(&stat))
    }

    #[expect(clippy::too_many_arguments, reason = "the interface has as many")]
    pub(super) fn path_filestat_set_times(
        &mut self,
        directory: u32,
        follow: u32,
        at: u32,
        length: u32,
        accessed: u64,
        modified: u64,
        flags: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, at, length).with_flags(follow);
        let (start, path) = self.enter_path(Call::FileChange, pointer)?;
        let times = times(accessed, modified, flags)?;
        files
            .lock()
            .set_times_at(start, path, pointer.follow(), times)?;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the interface has as many")]
    pub(super) fn path_link(
        &mut self,
        old_directory: u32,
        follow: u32,
        old: u32,
        old_length: u32,
        new_directory: u32,
        new: u32,
        new_length: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let old = Pointer::new(old_directory, old, old_length).with_flags(follow);
        let new = Pointer::new(new_directory, new, new_length);
        let [from, to] = self.enter_paths(Call::FileLink, old, new)?;
        files.lock().hard_link(from, old.follow(), to)?;
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "the interface has as many")]
    pub(super) fn path_open(
        &mut self,
        directory: u32,
        follow: u32,
        at: u32,
        length: u32,
        how: u32,
        rights: u64,
        _inheriting: u64,
        flags: u32,
        answer: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let has_rules = self.guest.gate.has_rules();
        let pointer = Pointer::new(directory, at, length).with_flags(follow);
        let (start, path) = self.enter_path(Call::FileOpen, pointer)?;
        let flags = u16::try_from(flags).map_err(|_| Errno::Invalid)?;
        if how & !0xf != 0 || flags & !FLAGS_ALL != 0 {
            return Err(Errno::Invalid.into());
        }
        let options = OpenOptions {
            follow: pointer.follow(),
            create: how & 1 != 0,
            directory: how & 2 != 0,
            exclusive: how & 4 != 0,
            truncate: how & 8 != 0,
            write: rights & RIGHT_WRITE != 0,
        };
        let mut files = files.lock();
        let node = files.open(start, path, options)?;
        let real = has_rules.then(|| files.real_path(start, path, pointer.follow()));
        let open = Open {
            node,
            is_directory: files.kind(node)? == FileKind::Directory,
            position: 0,
            rights: rights & (RIGHT_READ | RIGHT_WRITE),
            flags,
            path: real.flatten().map(Vec::into_boxed_slice),
        };
        drop(files);
        let number = self.guest.preview1.table.insert(Descriptor::Open(open))?;
        self.memory.write_u32(answer, number)
    }

    pub(super) fn path_readlink(
        &mut self,
        directory: u32,
        path: u32,
        length: u32,
        at: u32,
        size: u32,
        answer: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, path, length);
        let (start, path) = self.enter_path(Call::FileStat, pointer)?;
        let files = files.lock();
        let target = files.read_link(start, path)?;
        // Cut off without a word, as `readlink` does.
        let count = target.len().min(size as usize);
        self.memory
            .write(at, target.get(..count).unwrap_or_default())?;
        let count = u32::try_from(count).map_err(|_| Errno::Overflow)?;
        self.memory.write_u32(answer, count)
    }

    pub(super) fn path_remove_directory(&mut self, directory: u32, at: u32, length: u32) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, at, length);
        let (start, path) = self.enter_path(Call::FileRemove, pointer)?;
        files.lock().remove_directory(start, path)?;
        Ok(())
    }

    pub(super) fn path_rename(
        &mut self,
        old_directory: u32,
        old: u32,
        old_length: u32,
        new_directory: u32,
        new: u32,
        new_length: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let old = Pointer::new(old_directory, old, old_length);
        let new = Pointer::new(new_directory, new, new_length);
        let [from, to] = self.enter_paths(Call::FileRename, old, new)?;
        files.lock().rename(from, to)?;
        Ok(())
    }

    /// The target of a link is an argument as well: relative to the directory of the link.
    pub(super) fn path_symlink(
        &mut self,
        old: u32,
        old_length: u32,
        directory: u32,
        new: u32,
        new_length: u32,
    ) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, new, new_length);
        let (start, path) = match pointer.read(&self.guest.preview1.table, &self.memory) {
            Ok(read) => read,
            Err(failure) => {
                self.guest.enter(Call::FileLink, &[])?;
                return Err(failure);
            }
        };
        let target = self.memory.text(old, old_length)?;
        let beside = beside(path, target);
        let arguments = [
            Argument::Path(start, path, false),
            Argument::Path(start, &beside, false),
        ];
        self.guest.enter(Call::FileLink, &arguments)?;
        files.lock().make_link(target, start, path)?;
        Ok(())
    }

    pub(super) fn path_unlink_file(&mut self, directory: u32, at: u32, length: u32) -> Done {
        let files = self.guest.files.clone();
        let pointer = Pointer::new(directory, at, length);
        let (start, path) = self.enter_path(Call::FileRemove, pointer)?;
        files.lock().remove_file(start, path)?;
        Ok(())
    }
}

/// The path to the target of a link: from the directory that the link is in.
pub(crate) fn beside(link: &[u8], target: &[u8]) -> Vec<u8> {
    let end = link.iter().rposition(|byte| *byte == b'/');
    let directory = end.and_then(|end| link.get(..=end)).unwrap_or_default();
    [directory, target].concat()
}
