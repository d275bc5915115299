//! Makes a module of a table of attempts: each calls one function of preview 1, and says in a line
//! of JSON with which error it was answered.

use std::fmt::Write as _;

/// The names of preview 1's errors, by number.
const ERRORS: [&str; 78] = [
    "ok",
    "E2BIG",
    "EACCES",
    "EADDRINUSE",
    "EADDRNOTAVAIL",
    "EAFNOSUPPORT",
    "EAGAIN",
    "EALREADY",
    "EBADF",
    "EBADMSG",
    "EBUSY",
    "ECANCELED",
    "ECHILD",
    "ECONNABORTED",
    "ECONNREFUSED",
    "ECONNRESET",
    "EDEADLK",
    "EDESTADDRREQ",
    "EDOM",
    "EDQUOT",
    "EEXIST",
    "EFAULT",
    "EFBIG",
    "EHOSTUNREACH",
    "EIDRM",
    "EILSEQ",
    "EINPROGRESS",
    "EINTR",
    "EINVAL",
    "EIO",
    "EISCONN",
    "EISDIR",
    "ELOOP",
    "EMFILE",
    "EMLINK",
    "EMSGSIZE",
    "EMULTIHOP",
    "ENAMETOOLONG",
    "ENETDOWN",
    "ENETRESET",
    "ENETUNREACH",
    "ENFILE",
    "ENOBUFS",
    "ENODEV",
    "ENOENT",
    "ENOEXEC",
    "ENOLCK",
    "ENOLINK",
    "ENOMEM",
    "ENOMSG",
    "ENOPROTOOPT",
    "ENOSPC",
    "ENOSYS",
    "ENOTCONN",
    "ENOTDIR",
    "ENOTEMPTY",
    "ENOTRECOVERABLE",
    "ENOTSOCK",
    "ENOTSUP",
    "ENOTTY",
    "ENXIO",
    "EOVERFLOW",
    "EOWNERDEAD",
    "EPERM",
    "EPIPE",
    "EPROTO",
    "EPROTONOSUPPORT",
    "EPROTOTYPE",
    "ERANGE",
    "EROFS",
    "ESPIPE",
    "ESRCH",
    "ESTALE",
    "ETIMEDOUT",
    "ETXTBSY",
    "EXDEV",
    "ENOTCAPABLE",
    // Not one of them: there was no error, and the answer is another one.
    "another answer",
];

/// Functions of preview 1 that answer with an error, and what they are passed: `i` for 32 bits, `I`
/// for 64.
const FUNCTIONS: [(&str, &str); 45] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
    ("sock_accept", "iii"),
    ("sock_recv", "iiiiii"),
    ("sock_send", "iiiii"),
    ("sock_shutdown", "ii"),
];

/// Where answers go.
pub(crate) const SCRATCH: i64 = 512;

/// Where a descriptor goes that has been opened.
pub(crate) const OPENED: i64 = 640;

/// One buffer with five letters in it, one for a hundred more, and a subscription to a clock that
/// ends in a millisecond.
pub(crate) const LETTERS: i64 = 256;
pub(crate) const ROOM: i64 = 264;
pub(crate) const SUBSCRIPTION: i64 = 304;

/// Where nothing else is: for answers of any size.
pub(crate) const FREE: i64 = 2304;

/// What is in memory for all attempts.
const DATA: &str = r#"
    (data (i32.const 256) "\00\04\00\00\05\00\00\00" "\00\08\00\00\64\00\00\00")
    (data (i32.const 1024) "hello")
    (data (i32.const 304) "\07\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
      "\01\00\00\00\00\00\00\00\40\42\0f\00\00\00\00\00")
"#;

/// An argument of a call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Argument {
    /// A number, of 32 or 64 bits as the function has it.
    Number(i64),
    /// Bytes in memory: their place and their length, two arguments.
    Text(&'static str),
    /// The descriptor that a call before answered with.
    Opened,
}

use Argument::{Number, Opened, Text};

/// One call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attempt {
    pub(crate) name: &'static str,
    function: &'static str,
    arguments: &'static [Argument],
    answer: Option<i64>,
}

impl Attempt {
    pub(crate) const fn new(
        name: &'static str,
        function: &'static str,
        arguments: &'static [Argument],
    ) -> Self {
        Self {
            name,
            function,
            arguments,
            answer: None,
        }
    }

    /// What it must answer, where [`SCRATCH`] is passed.
    pub(crate) const fn gives(mut self, answer: i64) -> Self {
        self.answer = Some(answer);
        self
    }
}

/// The imports of a module that calls all of preview 1, and its memory.
pub(crate) fn head(pages: u32) -> String {
    let mut text = String::from("(module\n");
    for (name, parameters) in FUNCTIONS {
        let types = parameters.chars().map(|kind| match kind {
            'i' => " i32",
            _ => " i64",
        });
        let types: String = types.collect();
        writeln!(
            text,
            r#"(import "wasi_snapshot_preview1" "{name}"
                 (func ${name} (param{types}) (result i32)))"#
        )
        .unwrap();
    }
    text.push_str(r#"(import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))"#);
    writeln!(text, r#"(memory (export "memory") {pages})"#).unwrap();
    text
}

/// Prints pieces of memory, one after the other.
fn print(text: &mut String, pieces: &[(String, String)]) {
    for (place, length) in pieces {
        writeln!(
            text,
            "(i32.store (i32.const 480) {place}) (i32.store (i32.const 484) {length})
             (drop (call $fd_write (i32.const 1) (i32.const 480) (i32.const 1) (i32.const 488)))"
        )
        .unwrap();
    }
}

/// The module that makes all attempts, one after the other, and exits with 0.
pub(crate) fn module(attempts: &[Attempt]) -> Vec<u8> {
    const NAMES: usize = 4096;
    const NAME_BYTES: usize = 24;
    let mut text = head(3);
    let mut data = DATA.to_owned();
    for (number, name) in ERRORS.iter().enumerate() {
        let at = NAMES + number * NAME_BYTES;
        let quoted = format!("{name}\\22}}}}\\0a");
        let length = name.len() + 4;
        writeln!(
            data,
            r#"(data (i32.const {at}) "\{length:02x}\00\00\00{quoted}")"#
        )
        .unwrap();
    }
    let mut next = 16 << 10;
    let mut put = |bytes: &str| {
        let at = next;
        next += bytes.len();
        let escaped: String = bytes.bytes().map(|byte| format!("\\{byte:02x}")).collect();
        writeln!(data, r#"(data (i32.const {at}) "{escaped}")"#).unwrap();
        (at, bytes.len())
    };
    let mut body = String::new();
    for attempt in attempts {
        let (_, parameters) = FUNCTIONS
            .iter()
            .find(|(name, _)| *name == attempt.function)
            .unwrap();
        let mut kinds = parameters.chars();
        let mut passed = String::new();
        let mut pass = |value: String| {
            let kind = if kinds.next() == Some('I') { 64 } else { 32 };
            write!(passed, " (i{kind}.const {value})").unwrap();
        };
        let mut opened = false;
        for argument in attempt.arguments {
            match argument {
                Number(value) => pass(value.to_string()),
                Text(bytes) => {
                    let (at, length) = put(bytes);
                    pass(at.to_string());
                    pass(length.to_string());
                }
                Opened => {
                    pass("@".to_owned());
                    opened = true;
                }
            }
        }
        if opened {
            let held = format!("(i32.load (i32.const {OPENED}))");
            passed = passed.replace("(i32.const @)", &held);
        }
        assert!(kinds.next().is_none(), "{attempt:?}");
        let line = format!("{{\"attempts\": {{\"{}\": \"", attempt.name);
        let (at, length) = put(&line);
        writeln!(
            body,
            "(local.set $error (call ${}{passed}))",
            attempt.function
        )
        .unwrap();
        if let Some(answer) = attempt.answer {
            let wrong = ERRORS.len() - 1;
            writeln!(
                body,
                "(if (i32.and (i32.eqz (local.get $error))
                     (i32.ne (i32.load (i32.const {SCRATCH})) (i32.const {answer})))
                   (then (local.set $error (i32.const {wrong}))))"
            )
            .unwrap();
        }
        let place = "(i32.add (i32.const 4096) (i32.mul (local.get $error) (i32.const 24)))";
        let name = format!("(i32.add {place} (i32.const 4))");
        print(
            &mut body,
            &[
                (format!("(i32.const {at})"), format!("(i32.const {length})")),
                (name, format!("(i32.load {place})")),
            ],
        );
    }
    assert!(next < 3 << 16, "{next}");
    write!(
        text,
        "{data}(func (export \"_start\") (local $error i32)\n{body}))"
    )
    .unwrap();
    wat::parse_str(text).unwrap()
}
