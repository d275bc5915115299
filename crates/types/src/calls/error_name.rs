//! The errors that a rule can let a call end with.

use std::fmt;
use std::str::FromStr;

use super::InvalidCallRule;

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $number:literal;)+) => {
        /// An error of POSIX, with the number that Linux gives it on x86-64 and aarch64.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ErrorName {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl ErrorName {
            /// Every error.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name used in rules, JSON and output.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The number of `errno`.
            #[must_use]
            pub const fn number(self) -> u16 {
                match self { $(Self::$variant => $number,)+ }
            }
        }
    };
}

errors! {
    /// Operation not permitted.
    NotPermitted = "EPERM", 1;
    /// No such file or directory.
    NotFound = "ENOENT", 2;
    /// No such process.
    NoProcess = "ESRCH", 3;
    /// Interrupted.
    Interrupted = "EINTR", 4;
    /// Input/output error.
    InputOutput = "EIO", 5;
    /// Bad file descriptor.
    BadDescriptor = "EBADF", 9;
    /// Try again.
    TryAgain = "EAGAIN", 11;
    /// Out of memory.
    NoMemory = "ENOMEM", 12;
    /// Permission denied.
    Access = "EACCES", 13;
    /// Device or resource busy.
    Busy = "EBUSY", 16;
    /// File exists.
    Exists = "EEXIST", 17;
    /// Link to another file system.
    CrossDevice = "EXDEV", 18;
    /// Not a directory.
    NotDirectory = "ENOTDIR", 20;
    /// Is a directory.
    IsDirectory = "EISDIR", 21;
    /// Invalid argument.
    Invalid = "EINVAL", 22;
    /// Too many open files.
    TooManyFiles = "EMFILE", 24;
    /// File too large.
    FileTooLarge = "EFBIG", 27;
    /// No space left.
    NoSpace = "ENOSPC", 28;
    /// Read-only file system.
    ReadOnly = "EROFS", 30;
    /// Broken pipe.
    BrokenPipe = "EPIPE", 32;
    /// Name too long.
    NameTooLong = "ENAMETOOLONG", 36;
    /// Function not implemented.
    NotImplemented = "ENOSYS", 38;
    /// Directory not empty.
    NotEmpty = "ENOTEMPTY", 39;
    /// Too many symbolic links.
    Loop = "ELOOP", 40;
    /// Operation not supported.
    NotSupported = "EOPNOTSUPP", 95;
    /// Address family not supported.
    AddressFamily = "EAFNOSUPPORT", 97;
    /// Address in use.
    AddressInUse = "EADDRINUSE", 98;
    /// Address not available.
    AddressNotAvailable = "EADDRNOTAVAIL", 99;
    /// Network unreachable.
    NetworkUnreachable = "ENETUNREACH", 101;
    /// Connection reset.
    ConnectionReset = "ECONNRESET", 104;
    /// Timed out.
    TimedOut = "ETIMEDOUT", 110;
    /// Connection refused.
    ConnectionRefused = "ECONNREFUSED", 111;
    /// No route to host.
    HostUnreachable = "EHOSTUNREACH", 113;
    /// Quota exceeded.
    Quota = "EDQUOT", 122;
}

impl fmt::Display for ErrorName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ErrorName {
    type Err = InvalidCallRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|error| error.name() == text);
        named.ok_or_else(|| InvalidCallRule::unknown("error", text, Self::ALL.map(Self::name)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_unique_and_the_system_knows_them() {
        for (index, error) in ErrorName::ALL.into_iter().enumerate() {
            assert_eq!(error.name().parse(), Ok(error));
            for other in &ErrorName::ALL[..index] {
                assert_ne!(error.number(), other.number(), "{error} and {other}");
            }
            let known = std::io::Error::from_raw_os_error(error.number().into()).to_string();
            assert!(!known.contains("Unknown") && !known.contains("No error"));
        }
    }
}
