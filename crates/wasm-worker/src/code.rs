//! Loads compiled programs from files in memory, without copying them.
//!
//! The one place where bytes become machine code. They come from the supervisor, which has them
//! from a compiler and holds them sealed, so that nobody can change what has been checked. The
//! runtime checks that they were compiled for this version, these settings and this processor.
#![allow(
    unsafe_code,
    reason = "mapping a file and running code from it cannot be expressed in safe code"
)]

use std::ffi::c_void;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::ptr::{self, NonNull};

use rustix::fs::{SealFlags, fcntl_get_seals};
use rustix::mm::{MapFlags, MprotectFlags, ProtFlags, mmap, mprotect};
use wasmtime::component::Component;
use wasmtime::{CustomCodeMemory, Engine, Module};

/// Makes mapped code executable, and nothing else that is mapped.
#[derive(Debug)]
pub(crate) struct Executable;

/// The size of a page on every processor that the runtime supports at present.
const PAGE_BYTES: usize = 4096;

impl CustomCodeMemory for Executable {
    fn required_alignment(&self) -> usize {
        PAGE_BYTES
    }

    fn publish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        protect(start, length, MprotectFlags::READ | MprotectFlags::EXEC)
    }

    fn unpublish_executable(&self, start: *const u8, length: usize) -> wasmtime::Result<()> {
        protect(start, length, MprotectFlags::READ)
    }
}

fn protect(start: *const u8, length: usize, flags: MprotectFlags) -> wasmtime::Result<()> {
    // SAFETY: the runtime calls this with the code section of something it has loaded; it becomes
    // executable and is never writable.
    unsafe { mprotect(start.cast_mut().cast::<c_void>(), length, flags)? };
    Ok(())
}

/// Loads a compiled core module.
pub(crate) fn module(engine: &Engine, file: OwnedFd) -> wasmtime::Result<Module> {
    check_sealed(&file)?;
    // SAFETY: the supervisor vouches for the content, and its seals keep it as it is.
    unsafe { Module::deserialize_open_file(engine, File::from(file)) }
}

/// Loads a compiled component. It stays mapped as long as the worker lives, which is replaced when
/// it has loaded many.
pub(crate) fn component(engine: &Engine, file: OwnedFd) -> wasmtime::Result<Component> {
    check_sealed(&file)?;
    let file = File::from(file);
    let length = usize::try_from(file.metadata()?.len())?;
    // SAFETY: a new mapping of a file that cannot change or shrink; the kernel chooses where.
    let start = unsafe {
        mmap(
            ptr::null_mut(),
            length,
            ProtFlags::READ,
            MapFlags::PRIVATE,
            &file,
            0,
        )?
    };
    let Some(start) = NonNull::new(start.cast::<u8>()) else {
        return Err(io::Error::from(io::ErrorKind::AddrNotAvailable).into());
    };
    let code = NonNull::slice_from_raw_parts(start, length);
    // SAFETY: as for a module; nothing ever unmaps or writes this memory.
    unsafe { Component::deserialize_raw(engine, code) }
}

/// What has been checked must not change any more.
fn check_sealed(file: &OwnedFd) -> wasmtime::Result<()> {
    let seals = SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE;
    if fcntl_get_seals(file)?.contains(seals) {
        Ok(())
    } else {
        Err(wasmtime::Error::msg("compiled code that is not sealed"))
    }
}
