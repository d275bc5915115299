//! Identifiers: newtypes, so that a tenant is never passed where a message is meant.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Names one message; time-ordered, so listings sort by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(uuid::Uuid);

impl MessageId {
    /// Builds an id from the arrival time and 80 random bits (UUID version 7, RFC 9562).
    ///
    /// Both are passed in, so that this crate needs neither a clock nor a source of randomness.
    #[must_use]
    pub fn new(unix_time_ms: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(unix_time_ms, &random).into_uuid())
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        uuid::Uuid::parse_str(text)
            .map(Self)
            .map_err(|_| InvalidId {
                what: "message id",
                rule: "a UUID such as `atoll history` prints",
            })
    }
}

/// An identifier that does not have the required shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what}: expected {rule}")]
pub struct InvalidId {
    /// What was being parsed.
    pub what: &'static str,
    /// The shape that would have been accepted.
    pub rule: &'static str,
}

/// Names a sender. 1 to 64 characters of `a-z A-Z 0-9 . _ -`, starting with a letter or digit, so
/// that it can stand in file names, cgroup names and metrics without escaping.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

impl TenantId {
    /// The longest accepted name, in bytes.
    pub const LENGTH_MAX: usize = 64;

    /// Checks and wraps a name.
    ///
    /// # Errors
    /// When the name is empty, too long, or has characters outside the accepted set.
    pub fn new(name: &str) -> Result<Self, InvalidId> {
        let starts_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
        let characters_fit = name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if starts_well && characters_fit && name.len() <= Self::LENGTH_MAX {
            Ok(Self(name.to_owned()))
        } else {
            Err(InvalidId {
                what: "tenant name",
                rule: "1 to 64 letters, digits, '.', '_' or '-', starting with a letter or digit",
            })
        }
    }

    /// The tenant of messages that name none.
    #[must_use]
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TenantId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for TenantId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(&text)
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

/// The BLAKE3 hash of a program's bytes: its identity in history and caches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProgramHash([u8; 32]);

impl ProgramHash {
    /// Hashes program bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Wraps a hash that was computed before, such as one read back from the store.
    #[must_use]
    pub const fn from_bytes(hash: [u8; 32]) -> Self {
        Self(hash)
    }

    /// The raw hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProgramHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ProgramHash {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        blake3::Hash::from_hex(text)
            .map(|hash| Self(*hash.as_bytes()))
            .map_err(|_| InvalidId {
                what: "program hash",
                rule: "64 hexadecimal digits",
            })
    }
}

impl Serialize for ProgramHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ProgramHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenant_names_are_checked() {
        for good in ["a", "team-7", "A.b_c", &"x".repeat(64)] {
            assert!(TenantId::new(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            ".hidden",
            "a/b",
            "a b",
            "ä",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(TenantId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_hash_survives_its_text_form() {
        let hash = ProgramHash::of(b"print('hi')\n");
        assert_eq!(hash.to_string().parse::<ProgramHash>().unwrap(), hash);
        assert_eq!(hash.to_string().len(), 64);
        assert!("abc".parse::<ProgramHash>().is_err());
    }

    #[test]
    fn later_messages_sort_after_earlier_ones() {
        let early = MessageId::new(1_000, [0xff; 10]);
        let late = MessageId::new(1_001, [0; 10]);
        assert!(early < late);
        assert!(early.to_string() < late.to_string());
        assert_eq!(early.to_string().parse::<MessageId>().unwrap(), early);
    }
}
