//! What a Python interpreter loads to fork confined copies of itself.
//!
//! `atoll-sandbox-process` builds this crate once more, as a shared library, and hands it to the
//! interpreter as a file in memory. To the interpreter it is an extension module whose
//! initialisation takes as long as there is somebody to fork copies for; everything it does is in
//! `atoll-jail`. It uses nothing of the interpreter but the three functions that every extension
//! has to call around a fork, found by their names, so any version will do.
#![allow(
    unsafe_code,
    reason = "the interpreter calls it as C, and its functions are C's"
)]

use std::ffi::{CStr, c_void};
use std::io;
use std::ptr;

use atoll_jail::{Hooks, Served, serve_copies, sys};

/// Where the interpreter was given its end of the supervisor's socket.
const CONTROL: i32 = 3;

/// A function of the interpreter's without arguments.
type Hook = unsafe extern "C" fn();

struct Python {
    before: Hook,
    in_original: Hook,
    in_copy: Hook,
}

impl Python {
    fn find() -> io::Result<Self> {
        Ok(Self {
            before: find(c"PyOS_BeforeFork")?,
            in_original: find(c"PyOS_AfterFork_Parent")?,
            in_copy: find(c"PyOS_AfterFork_Child")?,
        })
    }
}

impl Hooks for Python {
    fn before(&self) {
        // SAFETY: this thread runs the interpreter and holds its lock.
        unsafe { (self.before)() }
    }

    fn in_original(&self) {
        // SAFETY: as above, and `before` has been called.
        unsafe { (self.in_original)() }
    }

    fn in_copy(&self) {
        // SAFETY: as above, and this is the copy's only thread.
        unsafe { (self.in_copy)() }
    }
}

fn find(name: &CStr) -> io::Result<Hook> {
    // SAFETY: the name is a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if found.is_null() {
        let name = name.to_string_lossy();
        return Err(io::Error::other(format!("the interpreter has no {name}")));
    }
    // SAFETY: Python documents these three as functions without arguments and result.
    Ok(unsafe { std::mem::transmute::<*mut c_void, Hook>(found) })
}

fn serve() -> io::Result<Served> {
    let python = Python::find()?;
    serve_copies(sys::take_descriptor(CONTROL)?, &python)
}

/// Forks copies of the process for as long as somebody may ask for them, and then ends it. In a
/// copy it answers that there is no module, with the program's descriptors in place of all others.
#[unsafe(no_mangle)]
pub extern "C" fn PyInit_atoll_zygote() -> *mut c_void {
    match serve() {
        Ok(Served::Copy) => ptr::null_mut(),
        Ok(Served::Done) => sys::exit_now(0),
        Err(error) => {
            let words = format!("failed to serve: {error}\n");
            // Whoever reads this shows it; nothing can be done about a failure here.
            let _ = io::Write::write_all(&mut io::stderr(), words.as_bytes());
            sys::exit_now(1)
        }
    }
}
