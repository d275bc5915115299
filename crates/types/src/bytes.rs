//! Bytes in JSON: text where it is text, base64 where it is not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// How the bytes of an [`EncodedBytes`] are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// The bytes are valid UTF-8 and stand as they are.
    #[serde(rename = "utf-8")]
    Utf8,
    /// Standard base64 with padding (RFC 4648, section 4).
    Base64,
}

/// Bytes that survive JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncodedBytes {
    /// The text form.
    pub data: String,
    /// How to get the bytes back.
    pub encoding: Encoding,
}

impl EncodedBytes {
    /// Encodes bytes: as text when they are UTF-8, else as base64.
    #[must_use]
    pub fn encode(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self {
                data: text.to_owned(),
                encoding: Encoding::Utf8,
            },
            Err(_) => Self {
                data: STANDARD.encode(bytes),
                encoding: Encoding::Base64,
            },
        }
    }

    /// The bytes back; `None` when the base64 is broken.
    #[must_use]
    pub fn decode(&self) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Utf8 => Some(self.data.clone().into_bytes()),
            Encoding::Base64 => STANDARD.decode(&self.data).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_survive(bytes: Vec<u8>) {
            let encoded = EncodedBytes::encode(&bytes);
            let text = serde_json::to_string(&encoded).unwrap();
            let back: EncodedBytes = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(back.decode().unwrap(), bytes);
        }
    }
}
