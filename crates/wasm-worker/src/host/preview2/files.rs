//! `wasi:filesystem` over the guest's own files.

use atoll_types::calls::Call;
use wasmtime::StoreContextMut;
use wasmtime::component::{
    ComponentNamedList, Lift, Linker, LinkerInstance, Lower, Resource, ResourceType,
};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::bindings::clocks::wall_clock::Datetime;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, ErrorCode,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream};

use super::file_streams::{FileInput, FileOutput, Held, HostError};
use super::gates;
use crate::host::enter::{Argument, Ended, Failure};
use crate::host::errno::Errno;
use crate::host::files::{FileKind, NodeId, OpenOptions, Stat};
use crate::host::{DIRECTORIES, Guest, SharedFiles, wall_clock};

/// The name of the interface, in the newest version that is compatible with all before.
const TYPES: &str = "wasi:filesystem/types@0.2.12";
const PREOPENS: &str = "wasi:filesystem/preopens@0.2.12";

/// The most that one read gives.
const READ_BYTES_MAX: u64 = 1 << 20;

/// Where listing a directory begins: behind `.` and `..`, which this interface leaves out.
const FIRST_COOKIE: u64 = 2;

/// An open file or directory.
pub(super) struct Descriptor {
    _held: Held,
    node: NodeId,
    flags: DescriptorFlags,
    is_directory: bool,
    /// The path that rules see; known only when there are rules.
    path: Option<Box<[u8]>>,
}

/// A directory that is being listed.
pub(super) struct Listing {
    _held: Held,
    node: NodeId,
    cookie: u64,
}

type Handle = Resource<Descriptor>;
type Answer<T> = Result<T, Failure>;

/// The target of a call, copied out of the table.
#[derive(Clone)]
struct Target {
    files: SharedFiles,
    node: NodeId,
    flags: DescriptorFlags,
    is_directory: bool,
}

impl Target {
    fn directory(&self) -> Result<NodeId, Errno> {
        if self.is_directory {
            Ok(self.node)
        } else {
            Err(Errno::NotDirectory)
        }
    }

    fn readable(&self) -> Result<NodeId, Errno> {
        match (
            self.is_directory,
            self.flags.contains(DescriptorFlags::READ),
        ) {
            (true, _) => Err(Errno::IsDirectory),
            (false, true) => Ok(self.node),
            (false, false) => Err(Errno::BadDescriptor),
        }
    }

    fn writable(&self) -> Result<NodeId, Errno> {
        match (
            self.is_directory,
            self.flags.contains(DescriptorFlags::WRITE),
        ) {
            (true, _) => Err(Errno::IsDirectory),
            (false, true) => Ok(self.node),
            (false, false) => Err(Errno::BadDescriptor),
        }
    }
}

impl Guest {
    fn target(&mut self, handle: &Handle) -> Answer<Target> {
        let files = self.files.clone();
        let found = self.ctx().table.get(handle).map_err(stop)?;
        Ok(Target {
            files,
            node: found.node,
            flags: found.flags,
            is_directory: found.is_directory,
        })
    }

    /// Passes the gate with something open.
    fn enter_open(&mut self, call: Call, handle: &Handle) -> Answer<Target> {
        let target = self.target(handle)?;
        let Self {
            gate,
            files,
            component,
            ..
        } = self;
        let found = component.as_ref().map(|state| state.table.get(handle));
        let path = found
            .and_then(Result::ok)
            .and_then(|found| found.path.as_deref());
        gate.enter(files, call, &[Argument::Open(path)])?;
        Ok(target)
    }

    /// Passes the gate with a path.
    fn enter_at(
        &mut self,
        call: Call,
        handle: &Handle,
        path: &str,
        follow: bool,
    ) -> Answer<Target> {
        let target = self.target(handle)?;
        self.enter(
            call,
            &[Argument::Path(target.node, path.as_bytes(), follow)],
        )?;
        target.directory()?;
        Ok(target)
    }

    fn add_descriptor(
        &mut self,
        held: Held,
        node: NodeId,
        flags: DescriptorFlags,
        path: Option<Vec<u8>>,
    ) -> Answer<Handle> {
        let is_directory = self.files.lock().kind(node)? == FileKind::Directory;
        let path = path.map(Vec::into_boxed_slice);
        let descriptor = Descriptor {
            _held: held,
            node,
            flags,
            is_directory,
            path,
        };
        self.ctx().table.push(descriptor).map_err(stop)
    }

    /// Notes that a stream belongs to a file, for rules.
    fn note_stream(&mut self, stream: u32, handle: &Handle) {
        if !self.gate.has_rules() {
            return;
        }
        if let Some(state) = &mut self.component {
            let found = state.table.get(handle).ok();
            let path = found.and_then(|found| found.path.clone());
            state.paths.insert(stream, path);
        }
    }
}

fn stop(error: wasmtime::component::ResourceTableError) -> Failure {
    Failure::Stop(error.into())
}

/// Adds a function that can fail with the error of a file.
fn add<P, T>(
    instance: &mut LinkerInstance<'_, Guest>,
    name: &str,
    call: impl Fn(&mut Guest, &P) -> Answer<T> + Copy + Send + Sync + 'static,
) -> wasmtime::Result<()>
where
    P: ComponentNamedList + Lift + Send + Sync + 'static,
    T: Send + 'static,
    (Result<T, ErrorCode>,): ComponentNamedList + Lower + 'static,
{
    instance.func_wrap_async(name, move |store: StoreContextMut<'_, Guest>, params: P| {
        Box::new(async move {
            let answer = gates::answer(store, move |guest| call(guest, &params)).await?;
            Ok((answer.map_err(Errno::code),))
        })
    })
}

/// Adds `wasi:filesystem/types` and `wasi:filesystem/preopens`.
pub(super) fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut types = linker.instance(TYPES)?;
    types.resource(
        "descriptor",
        ResourceType::host::<Descriptor>(),
        |mut store, handle| {
            let guest: &mut Guest = store.data_mut();
            guest.ctx().table.delete(Handle::new_own(handle))?;
            Ok(())
        },
    )?;
    types.resource(
        "directory-entry-stream",
        ResourceType::host::<Listing>(),
        |mut store, handle| {
            let guest: &mut Guest = store.data_mut();
            guest
                .ctx()
                .table
                .delete(Resource::<Listing>::new_own(handle))?;
            Ok(())
        },
    )?;
    add_streams(&mut types)?;
    add_data(&mut types)?;
    add_properties(&mut types)?;
    add_paths(&mut types)?;
    add_changes(&mut types)?;
    let mut preopens = linker.instance(PREOPENS)?;
    preopens.func_wrap_async(
        "get-directories",
        |store: StoreContextMut<'_, Guest>, (): ()| {
            Box::new(async move {
                let given = gates::answer(store, |guest| {
                    guest.enter(Call::HostOther, &[])?;
                    directories(guest)
                });
                Ok((given.await?.map_err(|_| Ended::Denied(Call::HostOther))?,))
            })
        },
    )
}

fn directories(guest: &mut Guest) -> Answer<Vec<(Handle, String)>> {
    let flags = DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY;
    let given = DIRECTORIES.iter().map(|(name, node)| {
        let path = guest
            .gate
            .has_rules()
            .then(|| guest.files.lock().path_of(*node));
        let held = Held::new(&guest.files, *node)?;
        let handle = guest.add_descriptor(held, *node, flags, path.flatten())?;
        Ok((handle, (*name).to_owned()))
    });
    given.collect()
}

fn add_streams(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    add(
        types,
        "[method]descriptor.read-via-stream",
        |guest, (handle, offset): &(Handle, u64)| {
            let target = guest.enter_open(Call::FileRead, handle)?;
            let held = Held::new(&target.files, target.readable()?)?;
            let stream: DynInputStream = Box::new(FileInput::new(held, *offset));
            let stream = guest.ctx().table.push(stream).map_err(stop)?;
            guest.note_stream(stream.rep(), handle);
            Ok(stream)
        },
    )?;
    let output = |guest: &mut Guest, handle: &Handle, position| {
        let target = guest.enter_open(Call::FileWrite, handle)?;
        let held = Held::new(&target.files, target.writable()?)?;
        let stream: DynOutputStream = Box::new(FileOutput::new(held, position));
        let stream = guest.ctx().table.push(stream).map_err(stop)?;
        guest.note_stream(stream.rep(), handle);
        Ok(stream)
    };
    add(
        types,
        "[method]descriptor.write-via-stream",
        move |guest, (handle, offset): &(Handle, u64)| output(guest, handle, Some(*offset)),
    )?;
    add(
        types,
        "[method]descriptor.append-via-stream",
        move |guest, (handle,): &(Handle,)| output(guest, handle, None),
    )?;
    types.func_wrap_async(
        "filesystem-error-code",
        |store: StoreContextMut<'_, Guest>, (error,): (Resource<wasmtime::Error>,)| {
            Box::new(async move {
                let code = gates::answer(store, move |guest| {
                    guest.enter(Call::HostOther, &[])?;
                    let error = guest.ctx().table.get(&error).map_err(stop)?;
                    Ok(error.downcast_ref().map(|HostError(errno)| errno.code()))
                });
                Ok((code.await?.map_err(|_| Ended::Denied(Call::HostOther))?,))
            })
        },
    )
}

fn add_data(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    add(
        types,
        "[method]descriptor.read",
        |guest, (handle, count, offset): &(Handle, u64, u64)| {
            let target = guest.enter_open(Call::FileRead, handle)?;
            let node = target.readable()?;
            let mut files = target.files.lock();
            let rest = files.stat(node)?.size.saturating_sub(*offset);
            let count = (*count).min(READ_BYTES_MAX).min(rest);
            let mut buffer = vec![0; usize::try_from(count).map_err(|_| Errno::Overflow)?];
            let read = files.read(node, *offset, &mut buffer)?;
            buffer.truncate(read);
            Ok((buffer, count == rest))
        },
    )?;
    add(
        types,
        "[method]descriptor.write",
        |guest, (handle, bytes, offset): &(Handle, Vec<u8>, u64)| {
            let target = guest.enter_open(Call::FileWrite, handle)?;
            let node = target.writable()?;
            Ok(target.files.lock().write(node, *offset, bytes)? as u64)
        },
    )?;
    add(
        types,
        "[method]descriptor.set-size",
        |guest, (handle, size): &(Handle, u64)| {
            let target = guest.enter_open(Call::FileChange, handle)?;
            let node = target.writable()?;
            Ok(target.files.lock().set_size(node, *size)?)
        },
    )?;
    add(
        types,
        "[method]descriptor.advise",
        |guest, (handle, _, _, _): &(Handle, u64, u64, Advice)| {
            let target = guest.enter_open(Call::HostOther, handle)?;
            if target.is_directory {
                return Err(Errno::BadDescriptor.into());
            }
            Ok(())
        },
    )?;
    // Memory is always as good as it gets.
    for name in ["[method]descriptor.sync", "[method]descriptor.sync-data"] {
        add(types, name, |guest, (handle,): &(Handle,)| {
            guest.enter_open(Call::HostOther, handle)?;
            Ok(())
        })?;
    }
    Ok(())
}

fn add_properties(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    add(
        types,
        "[method]descriptor.get-flags",
        |guest, (handle,): &(Handle,)| Ok(guest.enter_open(Call::HostOther, handle)?.flags),
    )?;
    add(
        types,
        "[method]descriptor.get-type",
        |guest, (handle,): &(Handle,)| {
            let target = guest.enter_open(Call::HostOther, handle)?;
            Ok(descriptor_type(target.files.lock().kind(target.node)?))
        },
    )?;
    add(
        types,
        "[method]descriptor.stat",
        |guest, (handle,): &(Handle,)| {
            let target = guest.enter_open(Call::FileStat, handle)?;
            Ok(properties(&target.files.lock().stat(target.node)?))
        },
    )?;
    add(
        types,
        "[method]descriptor.set-times",
        |guest, (handle, accessed, modified): &(Handle, NewTimestamp, NewTimestamp)| {
            let target = guest.enter_open(Call::FileChange, handle)?;
            let (accessed, modified) = (time(accessed)?, time(modified)?);
            Ok(target
                .files
                .lock()
                .set_times(target.node, accessed, modified)?)
        },
    )?;
    add(
        types,
        "[method]descriptor.metadata-hash",
        |guest, (handle,): &(Handle,)| {
            let target = guest.enter_open(Call::FileStat, handle)?;
            Ok(hash(&target.files.lock().stat(target.node)?))
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.is-same-object",
        |store: StoreContextMut<'_, Guest>, (one, other): (Handle, Handle)| {
            Box::new(async move {
                let same = gates::answer(store, move |guest| {
                    guest.enter(Call::HostOther, &[])?;
                    Ok(guest.target(&one)?.node == guest.target(&other)?.node)
                });
                Ok((same.await?.map_err(|_| Ended::Denied(Call::HostOther))?,))
            })
        },
    )
}

fn add_paths(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    add(
        types,
        "[method]descriptor.open-at",
        |guest, params: &(Handle, PathFlags, String, OpenFlags, DescriptorFlags)| {
            let (handle, lookup, path, how, flags) = params;
            let follow = follows(*lookup);
            let target = guest.enter_at(Call::FileOpen, handle, path, follow)?;
            open(guest, &target, path, follow, (*how, *flags))
        },
    )?;
    add(
        types,
        "[method]descriptor.stat-at",
        |guest, (handle, lookup, path): &(Handle, PathFlags, String)| {
            let follow = follows(*lookup);
            let target = guest.enter_at(Call::FileStat, handle, path, follow)?;
            let stat = target
                .files
                .lock()
                .stat_at(target.node, path.as_bytes(), follow)?;
            Ok(properties(&stat))
        },
    )?;
    add(
        types,
        "[method]descriptor.metadata-hash-at",
        |guest, (handle, lookup, path): &(Handle, PathFlags, String)| {
            let follow = follows(*lookup);
            let target = guest.enter_at(Call::FileStat, handle, path, follow)?;
            let stat = target
                .files
                .lock()
                .stat_at(target.node, path.as_bytes(), follow)?;
            Ok(hash(&stat))
        },
    )?;
    add(
        types,
        "[method]descriptor.readlink-at",
        |guest, (handle, path): &(Handle, String)| {
            let target = guest.enter_at(Call::FileStat, handle, path, false)?;
            let files = target.files.lock();
            let link = files.read_link(target.node, path.as_bytes())?;
            let text = std::str::from_utf8(link).map_err(|_| Errno::IllegalBytes)?;
            Ok(text.to_owned())
        },
    )?;
    add(
        types,
        "[method]descriptor.read-directory",
        |guest, (handle,): &(Handle,)| {
            let target = guest.enter_open(Call::FileList, handle)?;
            let node = target.directory()?;
            let listing = Listing {
                _held: Held::new(&target.files, node)?,
                node,
                cookie: FIRST_COOKIE,
            };
            guest.ctx().table.push(listing).map_err(stop)
        },
    )?;
    add(
        types,
        "[method]directory-entry-stream.read-directory-entry",
        |guest, (listing,): &(Resource<Listing>,)| {
            guest.enter(Call::HostOther, &[])?;
            next_entry(guest, listing)
        },
    )
}

fn open(
    guest: &mut Guest,
    target: &Target,
    path: &str,
    follow: bool,
    (how, flags): (OpenFlags, DescriptorFlags),
) -> Answer<Handle> {
    let options = OpenOptions {
        follow,
        create: how.contains(OpenFlags::CREATE),
        exclusive: how.contains(OpenFlags::EXCLUSIVE),
        truncate: how.contains(OpenFlags::TRUNCATE),
        directory: how.contains(OpenFlags::DIRECTORY),
        write: flags.contains(DescriptorFlags::WRITE),
    };
    let path = path.as_bytes();
    let mut files = target.files.lock();
    let node = files.open(target.node, path, options)?;
    let real = guest
        .gate
        .has_rules()
        .then(|| files.real_path(target.node, path, follow));
    drop(files);
    let held = Held::opened(&target.files, node);
    guest.add_descriptor(held, node, flags, real.flatten())
}

fn next_entry(guest: &mut Guest, listing: &Resource<Listing>) -> Answer<Option<DirectoryEntry>> {
    let files = guest.files.clone();
    let listing = guest.ctx().table.get_mut(listing).map_err(stop)?;
    let files = files.lock();
    let Some(entry) = files.list(listing.node, listing.cookie)?.next() else {
        return Ok(None);
    };
    listing.cookie = entry.next_cookie;
    let name = std::str::from_utf8(&entry.name).map_err(|_| Errno::IllegalBytes)?;
    Ok(Some(DirectoryEntry {
        type_: descriptor_type(entry.kind),
        name: name.to_owned(),
    }))
}

fn add_changes(types: &mut LinkerInstance<'_, Guest>) -> wasmtime::Result<()> {
    add(
        types,
        "[method]descriptor.create-directory-at",
        |guest, (handle, path): &(Handle, String)| {
            let target = guest.enter_at(Call::FileMakeDirectory, handle, path, false)?;
            Ok(target
                .files
                .lock()
                .make_directory(target.node, path.as_bytes())?)
        },
    )?;
    add(
        types,
        "[method]descriptor.set-times-at",
        |guest, params: &(Handle, PathFlags, String, NewTimestamp, NewTimestamp)| {
            let (handle, lookup, path, accessed, modified) = params;
            let follow = follows(*lookup);
            let target = guest.enter_at(Call::FileChange, handle, path, follow)?;
            let times = (time(accessed)?, time(modified)?);
            let mut files = target.files.lock();
            Ok(files.set_times_at(target.node, path.as_bytes(), follow, times)?)
        },
    )?;
    add(
        types,
        "[method]descriptor.remove-directory-at",
        |guest, (handle, path): &(Handle, String)| {
            let target = guest.enter_at(Call::FileRemove, handle, path, false)?;
            Ok(target
                .files
                .lock()
                .remove_directory(target.node, path.as_bytes())?)
        },
    )?;
    add(
        types,
        "[method]descriptor.unlink-file-at",
        |guest, (handle, path): &(Handle, String)| {
            let target = guest.enter_at(Call::FileRemove, handle, path, false)?;
            Ok(target
                .files
                .lock()
                .remove_file(target.node, path.as_bytes())?)
        },
    )?;
    add(
        types,
        "[method]descriptor.link-at",
        |guest, params: &(Handle, PathFlags, String, Handle, String)| {
            let (handle, lookup, old, new_handle, new) = params;
            let follow = follows(*lookup);
            let (from, to) = (guest.target(handle)?, guest.target(new_handle)?);
            let arguments = [
                Argument::Path(from.node, old.as_bytes(), follow),
                Argument::Path(to.node, new.as_bytes(), false),
            ];
            guest.enter(Call::FileLink, &arguments)?;
            let old = (from.directory()?, old.as_bytes());
            let new = (to.directory()?, new.as_bytes());
            Ok(guest.files.lock().hard_link(old, follow, new)?)
        },
    )?;
    add(
        types,
        "[method]descriptor.symlink-at",
        |guest, (handle, link, path): &(Handle, String, String)| {
            let target = guest.target(handle)?;
            let beside = crate::host::preview1::beside(path.as_bytes(), link.as_bytes());
            let arguments = [
                Argument::Path(target.node, path.as_bytes(), false),
                Argument::Path(target.node, &beside, false),
            ];
            guest.enter(Call::FileLink, &arguments)?;
            let node = target.directory()?;
            let mut files = target.files.lock();
            Ok(files.make_link(link.as_bytes(), node, path.as_bytes())?)
        },
    )?;
    add(
        types,
        "[method]descriptor.rename-at",
        |guest, (handle, old, new_handle, new): &(Handle, String, Handle, String)| {
            let (from, to) = (guest.target(handle)?, guest.target(new_handle)?);
            let arguments = [
                Argument::Path(from.node, old.as_bytes(), false),
                Argument::Path(to.node, new.as_bytes(), false),
            ];
            guest.enter(Call::FileRename, &arguments)?;
            let old = (from.directory()?, old.as_bytes());
            let new = (to.directory()?, new.as_bytes());
            Ok(guest.files.lock().rename(old, new)?)
        },
    )
}

fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

const fn descriptor_type(kind: FileKind) -> DescriptorType {
    match kind {
        FileKind::Directory => DescriptorType::Directory,
        FileKind::File => DescriptorType::RegularFile,
        FileKind::Link => DescriptorType::SymbolicLink,
    }
}

const NANOSECONDS: u64 = 1_000_000_000;

fn properties(stat: &Stat) -> DescriptorStat {
    let datetime = |time: u64| {
        Some(Datetime {
            seconds: time / NANOSECONDS,
            nanoseconds: u32::try_from(time % NANOSECONDS).unwrap_or(0),
        })
    };
    DescriptorStat {
        type_: descriptor_type(stat.kind),
        link_count: stat.links,
        size: stat.size,
        data_access_timestamp: datetime(stat.accessed),
        data_modification_timestamp: datetime(stat.modified),
        status_change_timestamp: datetime(stat.changed),
    }
}

const fn hash(stat: &Stat) -> MetadataHashValue {
    MetadataHashValue {
        lower: stat.inode,
        upper: 1,
    }
}

fn time(time: &NewTimestamp) -> Result<Option<u64>, Errno> {
    match time {
        NewTimestamp::NoChange => Ok(None),
        NewTimestamp::Now => Ok(Some(wall_clock())),
        NewTimestamp::Timestamp(time) => {
            let seconds = time.seconds.checked_mul(NANOSECONDS);
            let sum = seconds.and_then(|sum| sum.checked_add(time.nanoseconds.into()));
            sum.map(Some).ok_or(Errno::Overflow)
        }
    }
}
