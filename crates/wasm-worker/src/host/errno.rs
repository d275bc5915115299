//! The errors that a guest's calls can end with.
//!
//! Owns the list, with the numbers of WASI preview 1, and the translation to preview 2 and from
//! the names that rules use.

use atoll_types::calls::ErrorName;
use wasmtime_wasi::p2::bindings::filesystem::types::ErrorCode;

/// Makes the enum, and the preview 2 code of each error, of one list.
macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $code:ident;)+) => {
        /// An error with its number in preview 1.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u16)]
        pub(crate) enum Errno {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Errno {
            /// The nearest error of preview 2.
            pub(crate) const fn code(self) -> ErrorCode {
                match self { $(Self::$name => ErrorCode::$code,)+ }
            }
        }
    };
}

errors! {
    /// Permission denied.
    Access = 2, Access;
    /// Address in use.
    AddressInUse = 3, Busy;
    /// Address not available.
    AddressNotAvailable = 4, NoSuchDevice;
    /// Address family not supported.
    AddressFamily = 5, Unsupported;
    /// Try again.
    TryAgain = 6, WouldBlock;
    /// Bad descriptor.
    BadDescriptor = 8, BadDescriptor;
    /// Busy.
    Busy = 10, Busy;
    /// Connection refused.
    ConnectionRefused = 14, Access;
    /// Connection reset.
    ConnectionReset = 15, Pipe;
    /// Quota exceeded.
    Quota = 19, Quota;
    /// File exists.
    Exists = 20, Exist;
    /// File too large.
    FileTooLarge = 22, FileTooLarge;
    /// No route to the host.
    HostUnreachable = 23, NoSuchDevice;
    /// Not valid UTF-8.
    IllegalBytes = 25, IllegalByteSequence;
    /// Interrupted.
    Interrupted = 27, Interrupted;
    /// Invalid argument.
    Invalid = 28, Invalid;
    /// Input/output error.
    InputOutput = 29, Io;
    /// Is a directory.
    IsDirectory = 31, IsDirectory;
    /// Too many symbolic links on the way.
    Loop = 32, Loop;
    /// Too many open files.
    TooManyFiles = 33, Quota;
    /// Name too long.
    NameTooLong = 37, NameTooLong;
    /// Network unreachable.
    NetworkUnreachable = 40, NoSuchDevice;
    /// No such file or directory.
    NotFound = 44, NoEntry;
    /// Out of memory.
    NoMemory = 48, InsufficientMemory;
    /// No space left.
    NoSpace = 51, InsufficientSpace;
    /// Function not implemented.
    NotImplemented = 52, Unsupported;
    /// Not a directory.
    NotDirectory = 54, NotDirectory;
    /// Directory not empty.
    NotEmpty = 55, NotEmpty;
    /// Not a socket.
    NotSocket = 57, Unsupported;
    /// Not supported.
    NotSupported = 58, Unsupported;
    /// Value too large.
    Overflow = 61, Overflow;
    /// Not permitted; also a path that leads out.
    NotPermitted = 63, NotPermitted;
    /// Nobody reads any more.
    BrokenPipe = 64, Pipe;
    /// Read-only.
    ReadOnly = 69, ReadOnly;
    /// Cannot be positioned.
    NotSeekable = 70, InvalidSeek;
    /// No such process.
    NoProcess = 71, Invalid;
    /// Timed out.
    TimedOut = 73, Io;
    /// Link to another file system.
    CrossDevice = 75, CrossDevice;
}

impl From<ErrorName> for Errno {
    fn from(name: ErrorName) -> Self {
        match name {
            ErrorName::NotPermitted => Self::NotPermitted,
            ErrorName::NotFound => Self::NotFound,
            ErrorName::NoProcess => Self::NoProcess,
            ErrorName::Interrupted => Self::Interrupted,
            ErrorName::InputOutput => Self::InputOutput,
            ErrorName::BadDescriptor => Self::BadDescriptor,
            ErrorName::TryAgain => Self::TryAgain,
            ErrorName::NoMemory => Self::NoMemory,
            ErrorName::Access => Self::Access,
            ErrorName::Busy => Self::Busy,
            ErrorName::Exists => Self::Exists,
            ErrorName::CrossDevice => Self::CrossDevice,
            ErrorName::NotDirectory => Self::NotDirectory,
            ErrorName::IsDirectory => Self::IsDirectory,
            ErrorName::Invalid => Self::Invalid,
            ErrorName::TooManyFiles => Self::TooManyFiles,
            ErrorName::FileTooLarge => Self::FileTooLarge,
            ErrorName::NoSpace => Self::NoSpace,
            ErrorName::ReadOnly => Self::ReadOnly,
            ErrorName::BrokenPipe => Self::BrokenPipe,
            ErrorName::NameTooLong => Self::NameTooLong,
            ErrorName::NotImplemented => Self::NotImplemented,
            ErrorName::NotEmpty => Self::NotEmpty,
            ErrorName::Loop => Self::Loop,
            ErrorName::NotSupported => Self::NotSupported,
            ErrorName::AddressFamily => Self::AddressFamily,
            ErrorName::AddressInUse => Self::AddressInUse,
            ErrorName::AddressNotAvailable => Self::AddressNotAvailable,
            ErrorName::NetworkUnreachable => Self::NetworkUnreachable,
            ErrorName::ConnectionReset => Self::ConnectionReset,
            ErrorName::TimedOut => Self::TimedOut,
            ErrorName::ConnectionRefused => Self::ConnectionRefused,
            ErrorName::HostUnreachable => Self::HostUnreachable,
            ErrorName::Quota => Self::Quota,
        }
    }
}
