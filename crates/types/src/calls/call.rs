//! The names of calls: a closed list, in families, each with the kind of its argument.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::InvalidCallRule;

/// What the argument of a call is, for conditions on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArgumentKind {
    /// It has none: a rule for it cannot have a condition.
    None,
    /// An absolute path as the program sees it, without `.`, `..` and empty parts.
    Path,
    /// An address: `192.0.2.1:80`, `[2001:db8::1]:80`, `unix:/run/socket`, `unix:@abstract`.
    Address,
    /// A host name.
    HostName,
}

/// Makes the enum and its tables of one list, so that they cannot differ.
macro_rules! calls {
    ($($(#[doc = $doc:literal])+ $variant:ident = $name:literal, $family:ident, $argument:ident;)+)
    => {
        /// Something that a program asks of its host.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Call {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Call {
            /// Every call.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$variant),+];

            /// The name used in rules, JSON and output.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// The family it belongs to.
            #[must_use]
            pub const fn family(self) -> CallFamily {
                match self { $(Self::$variant => CallFamily::$family,)+ }
            }

            /// What its argument is.
            #[must_use]
            pub const fn argument(self) -> ArgumentKind {
                match self { $(Self::$variant => ArgumentKind::$argument,)+ }
            }
        }
    };
}

calls! {
    /// Opens a file or directory, or creates a file.
    FileOpen = "file.open", File, Path;
    /// Reads from an open file.
    FileRead = "file.read", File, Path;
    /// Writes to an open file.
    FileWrite = "file.write", File, Path;
    /// Asks for the properties of a file, or where a symbolic link leads.
    FileStat = "file.stat", File, Path;
    /// Lists a directory.
    FileList = "file.list", File, Path;
    /// Changes a file's size, times or mode by its path.
    FileChange = "file.change", File, Path;
    /// Removes a file or directory.
    FileRemove = "file.remove", File, Path;
    /// Renames a file or directory. Its arguments are both paths.
    FileRename = "file.rename", File, Path;
    /// Makes a link, hard or symbolic. Its arguments are both paths.
    FileLink = "file.link", File, Path;
    /// Makes a directory.
    FileMakeDirectory = "file.make-directory", File, Path;
    /// Reads standard input.
    StreamRead = "stream.read", Stream, None;
    /// Writes standard output or standard error.
    StreamWrite = "stream.write", Stream, None;
    /// Makes a socket.
    NetworkOpen = "network.open", Network, None;
    /// Connects a socket.
    NetworkConnect = "network.connect", Network, Address;
    /// Gives a socket an address of its own.
    NetworkBind = "network.bind", Network, Address;
    /// Lets a socket take connections.
    NetworkListen = "network.listen", Network, None;
    /// Takes a connection.
    NetworkAccept = "network.accept", Network, None;
    /// Sends a message that names its receiver.
    NetworkSend = "network.send", Network, Address;
    /// Receives a message.
    NetworkReceive = "network.receive", Network, None;
    /// Looks up the addresses of a host.
    NetworkResolve = "network.resolve", Network, HostName;
    /// Becomes another program.
    ProgramExecute = "program.execute", Program, Path;
    /// Starts a process or a thread.
    ProcessStart = "process.start", Process, None;
    /// Sends a signal to a process.
    ProcessSignal = "process.signal", Process, None;
    /// Reads a clock.
    ClockRead = "clock.read", Clock, None;
    /// Waits for a time, or for something to become ready.
    ClockWait = "clock.wait", Clock, None;
    /// Asks for random bytes.
    RandomRead = "random.read", Random, None;
    /// Reads the environment or the arguments of the program.
    EnvironmentRead = "environment.read", Environment, None;
    /// Any other function of the host.
    HostOther = "host.other", Host, None;
}

impl Call {
    const fn bit(self) -> u64 {
        1 << (self as u8)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Call {
    type Err = InvalidCallRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|call| call.name() == text);
        named.ok_or_else(|| InvalidCallRule::unknown("call", text, Self::ALL.map(Self::name)))
    }
}

impl Serialize for Call {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Call {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Calls of one kind; a rule names all of them with `file.*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallFamily {
    /// Files and directories.
    File,
    /// Standard input, output and error.
    Stream,
    /// Sockets and names of hosts.
    Network,
    /// Other programs.
    Program,
    /// Other processes and threads.
    Process,
    /// Time.
    Clock,
    /// Random bytes.
    Random,
    /// Variables and arguments.
    Environment,
    /// What belongs nowhere else.
    Host,
}

impl CallFamily {
    /// Every family.
    pub const ALL: [Self; 9] = [
        Self::File,
        Self::Stream,
        Self::Network,
        Self::Program,
        Self::Process,
        Self::Clock,
        Self::Random,
        Self::Environment,
        Self::Host,
    ];

    /// The first part of the names of its calls.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Stream => "stream",
            Self::Network => "network",
            Self::Program => "program",
            Self::Process => "process",
            Self::Clock => "clock",
            Self::Random => "random",
            Self::Environment => "environment",
            Self::Host => "host",
        }
    }
}

/// How a rule names calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallSelector {
    /// `*`: every call.
    All,
    /// `file.*`: every call of a family.
    Family(CallFamily),
    /// `file.open`: this one.
    One(Call),
}

impl CallSelector {
    /// The calls that it names.
    #[must_use]
    pub fn calls(self) -> CallSet {
        let named = Call::ALL.into_iter().filter(|call| match self {
            Self::All => true,
            Self::Family(family) => call.family() == family,
            Self::One(one) => *call == one,
        });
        named.collect()
    }
}

impl fmt::Display for CallSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("*"),
            Self::Family(family) => write!(f, "{}.*", family.name()),
            Self::One(call) => f.write_str(call.name()),
        }
    }
}

impl FromStr for CallSelector {
    type Err = InvalidCallRule;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "*" {
            return Ok(Self::All);
        }
        let Some(family) = text.strip_suffix(".*") else {
            return text.parse().map(Self::One);
        };
        let mut families = CallFamily::ALL.into_iter();
        match families.find(|known| known.name() == family) {
            Some(family) => Ok(Self::Family(family)),
            None => {
                let names = CallFamily::ALL.map(CallFamily::name);
                Err(InvalidCallRule::unknown("family of calls", family, names))
            }
        }
    }
}

/// A set of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CallSet(u64);

impl CallSet {
    /// No call.
    pub const EMPTY: Self = Self(0);

    /// Every call.
    #[must_use]
    pub fn all() -> Self {
        CallSelector::All.calls()
    }

    /// Whether there is none in it.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a call is in it.
    #[must_use]
    pub const fn contains(self, call: Call) -> bool {
        self.0 & call.bit() != 0
    }

    /// What is in either.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// What is in both.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The calls in it, in the order of [`Call::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Call> {
        Call::ALL
            .into_iter()
            .filter(move |call| self.contains(*call))
    }
}

impl FromIterator<Call> for CallSet {
    fn from_iter<I: IntoIterator<Item = Call>>(calls: I) -> Self {
        Self(calls.into_iter().fold(0, |bits, call| bits | call.bit()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_begin_with_their_family_and_fit_in_a_set() {
        let mut names: Vec<_> = Call::ALL.map(Call::name).into();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Call::ALL.len());
        for call in Call::ALL {
            let family = format!("{}.", call.family().name());
            assert!(call.name().starts_with(&family), "{call}");
            assert_eq!(call.name().parse(), Ok(call));
            assert_eq!(
                CallSelector::One(call).calls().iter().collect::<Vec<_>>(),
                [call]
            );
        }
        assert_eq!(CallSet::all().iter().count(), Call::ALL.len());
    }

    #[test]
    fn a_family_names_its_calls_and_no_other() {
        for family in CallFamily::ALL {
            let text = format!("{}.*", family.name());
            let selector: CallSelector = text.parse().unwrap();
            assert_eq!(selector.to_string(), text);
            let calls = selector.calls();
            assert!(!calls.is_empty(), "{text}");
            for call in Call::ALL {
                assert_eq!(calls.contains(call), call.family() == family, "{call}");
            }
        }
        let error = "files.*".parse::<CallSelector>().unwrap_err().to_string();
        assert!(error.contains("`files`") && error.contains("file, stream"));
    }
}
