//! A compiled filter: made once for each profile, sent to whoever it is to bind, installed there.
//!
//! Owns the form in which a filter travels. What it allows is the business of the profile.

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, OnceLock};

use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::compile::{Action, FilterError, Rule, compile};
use super::profile::{Profile, rules};
use crate::ablation::{self, Part};
use crate::sys::{self, Instruction};

/// A filter that is ready to be installed.
///
/// It is kept as the kernel has it in memory, so that sending and receiving it copies bytes and
/// does nothing else: that happens while somebody waits for a program to start.
#[derive(Clone, PartialEq, Eq)]
pub struct Filter {
    bytes: Arc<[u8]>,
    allowed: u16,
}

/// `struct sock_filter`: operation, two jumps, operand.
const INSTRUCTION_BYTES: usize = 8;

impl Filter {
    /// The filter of a profile, compiled when it is first asked for.
    ///
    /// # Errors
    /// When the profile's rules contradict each other.
    pub fn of(profile: Profile) -> Result<Self, FilterError> {
        static COMPILED: [OnceLock<Result<Filter, FilterError>>; Profile::ALL.len()] =
            [const { OnceLock::new() }; Profile::ALL.len()];
        let make = || {
            let (rules, otherwise) = rules(profile);
            Self::new(&rules, &otherwise)
        };
        let index = Profile::ALL.iter().position(|known| *known == profile);
        match index.and_then(|index| COMPILED.get(index)) {
            Some(place) => place.get_or_init(make).clone(),
            None => make(),
        }
    }

    /// Compiles every profile's filter, so that nobody has to wait for it later.
    pub(crate) fn prepare() {
        for profile in Profile::ALL {
            // Whoever asks for one that cannot be compiled is told then.
            let _ = Self::of(profile);
        }
    }

    /// Compiles rules; calls without a rule get `otherwise`.
    ///
    /// # Errors
    /// As for [`compile`].
    pub fn new(rules: &[Rule], otherwise: &Action) -> Result<Self, FilterError> {
        let program = compile(rules, otherwise)?;
        let allowed = rules.iter().filter(|rule| rule.action.is_allowed()).count();
        Ok(Self {
            bytes: program.iter().flat_map(Instruction::to_bytes).collect(),
            allowed: u16::try_from(allowed).unwrap_or(u16::MAX),
        })
    }

    /// How many system calls have a rule that lets them pass, always or with some arguments.
    #[must_use]
    pub const fn allowed(&self) -> u16 {
        self.allowed
    }

    /// Installs the filter on this process, all threads included. It cannot be removed.
    ///
    /// # Errors
    /// The kernel's answer to seccomp(2).
    pub fn install(&self) -> io::Result<()> {
        if ablation::is_off(Part::Seccomp) {
            return Ok(());
        }
        sys::install_filter(&self.program())
    }

    /// Installs the filter on this thread; calls that are to be asked about come through the
    /// descriptor.
    ///
    /// # Errors
    /// The kernel's answer to seccomp(2); `EINVAL` before Linux 5.19.
    pub fn install_asking(&self) -> io::Result<OwnedFd> {
        sys::install_asking_filter(&self.program())
    }

    fn program(&self) -> Vec<Instruction> {
        let (instructions, _) = self.bytes.as_chunks::<INSTRUCTION_BYTES>();
        instructions.iter().map(Instruction::from_bytes).collect()
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("allowed", &self.allowed)
            .field("instructions", &(self.bytes.len() / INSTRUCTION_BYTES))
            .finish()
    }
}

/// The number of allowed calls, then the instructions.
impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let allowed = self.allowed.to_le_bytes();
        serializer.serialize_bytes(&[allowed.as_slice(), &self.bytes].concat())
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(FilterBytes)
    }
}

struct FilterBytes;

impl Visitor<'_> for FilterBytes {
    type Value = Filter;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a compiled filter")
    }

    fn visit_bytes<E: serde::de::Error>(self, bytes: &[u8]) -> Result<Filter, E> {
        let Some((allowed, program)) = bytes.split_first_chunk::<2>() else {
            return Err(E::invalid_length(bytes.len(), &self));
        };
        if !program.len().is_multiple_of(INSTRUCTION_BYTES) {
            return Err(E::invalid_length(bytes.len(), &self));
        }
        Ok(Filter {
            bytes: program.into(),
            allowed: u16::from_le_bytes(*allowed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_arrives_as_it_was_sent() {
        for profile in Profile::ALL {
            let filter = Filter::of(profile).unwrap();
            let sent = postcard::to_stdvec(&filter).unwrap();
            assert_eq!(postcard::from_bytes::<Filter>(&sent).unwrap(), filter);
            let cut = &sent[..sent.len() - 1];
            assert!(postcard::from_bytes::<Filter>(cut).is_err());
            let (rules, otherwise) = rules(profile);
            let program = compile(&rules, &otherwise).unwrap();
            let (instructions, _) = filter.bytes.as_chunks::<INSTRUCTION_BYTES>();
            let arrived: Vec<_> = instructions.iter().map(Instruction::from_bytes).collect();
            assert_eq!(arrived, program);
        }
    }
}
