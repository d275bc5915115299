//! Components that share a store, as a compiler is given them.

use std::io;

use serde::{Deserialize, Serialize};

/// Components that are composed into one before they are compiled.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Bundle {
    /// The components. One that imports from another comes after it.
    pub pieces: Vec<BundlePiece>,
    /// Imports of one that another provides.
    pub joints: Vec<BundleJoint>,
    /// What the whole exports.
    pub exports: Vec<BundleExport>,
}

/// A component.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundlePiece {
    /// What errors call it.
    pub name: String,
    /// Its bytes.
    #[serde(with = "serde_bytes")]
    pub bytes: Vec<u8>,
}

/// An import of one piece that another provides. Pieces are numbered in their order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleJoint {
    /// The piece that imports.
    pub importer: u32,
    /// What it imports, as it names it.
    pub import: String,
    /// The piece that provides it.
    pub provider: u32,
    /// What that exports.
    pub export: String,
}

/// An export of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleExport {
    /// The piece that has it.
    pub piece: u32,
    /// Its name.
    pub name: String,
}

impl Bundle {
    /// The bytes that a compiler is given as the program.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidInput`] when it cannot be encoded.
    pub fn encode(&self) -> io::Result<Vec<u8>> {
        postcard::to_stdvec(self)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))
    }

    /// Reads what [`Bundle::encode`] made.
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] when the bytes are something else.
    pub fn decode(bytes: &[u8]) -> io::Result<Self> {
        match postcard::take_from_bytes(bytes) {
            Ok((bundle, [])) => Ok(bundle),
            Ok(_) | Err(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "not a bundle")),
        }
    }
}
