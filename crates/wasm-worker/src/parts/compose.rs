//! Makes one component of the parts that share a store.
//!
//! A call between composed parts costs as little as one inside a component, and interfaces with
//! resources work. The bytes are hostile, and the library that reads them is not made for that:
//! compose where a failure costs one program only, inside a jailed worker.

use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

/// A part.
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    /// What errors call it.
    pub name: &'a str,
    /// The component.
    pub bytes: &'a [u8],
}

/// An import of one piece that another provides. Pieces are numbered in their order.
#[derive(Debug, Clone, Copy)]
pub struct Joint<'a> {
    /// The piece that imports.
    pub importer: usize,
    /// The name of the import.
    pub import: &'a str,
    /// The piece that exports.
    pub provider: usize,
    /// The name of the export: the same, or that of a compatible version.
    pub export: &'a str,
}

/// What the whole exports.
#[derive(Debug, Clone, Copy)]
pub struct Exported<'a> {
    /// The piece that exports it.
    pub piece: usize,
    /// Its name.
    pub name: &'a str,
}

/// Why pieces do not make a component.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A piece is not a component.
    #[error("`{name}` cannot be read as a component: {why}")]
    Piece {
        /// The piece.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// A joint or an export names a piece that is not there.
    #[error("there is no piece {0}")]
    NoPiece(usize),
    /// A joint does not fit.
    #[error("`{importer}` cannot have {import} from `{provider}`: {why}")]
    Joint {
        /// The piece that imports.
        importer: String,
        /// What it imports.
        import: String,
        /// The piece that was to provide it.
        provider: String,
        /// What does not fit.
        why: String,
    },
    /// A piece does not export what the whole is to export.
    #[error("`{piece}` cannot give the whole {name}: {why}")]
    Export {
        /// The piece.
        piece: String,
        /// The name of the export.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The whole cannot be written.
    #[error("the parts cannot be put together: {0}")]
    Whole(String),
}

/// Composes `pieces`. Imports without a joint become imports of the whole, the same name only
/// once.
///
/// # Errors
/// When a piece is not a component, or something does not fit.
pub fn compose(
    pieces: &[Piece<'_>],
    joints: &[Joint<'_>],
    exports: &[Exported<'_>],
) -> Result<Vec<u8>, ComposeError> {
    let mut graph = CompositionGraph::new();
    let mut nodes = Vec::with_capacity(pieces.len());
    for (number, piece) in pieces.iter().enumerate() {
        let failed = |why: String| ComposeError::Piece {
            name: piece.name.to_owned(),
            why,
        };
        // Names of packages are identifiers, which names of pieces need not be.
        let name = format!("atoll:part{number}");
        let package = Package::from_bytes(&name, None, piece.bytes, graph.types_mut())
            .map_err(|error| failed(format!("{error:#}")))?;
        let package = graph
            .register_package(package)
            .map_err(|error| failed(error.to_string()))?;
        nodes.push(graph.instantiate(package));
    }
    let node = |number: usize| -> Result<(NodeId, &str), ComposeError> {
        let (node, piece) = (nodes.get(number), pieces.get(number));
        let found = node.zip(piece).map(|(node, piece)| (*node, piece.name));
        found.ok_or(ComposeError::NoPiece(number))
    };
    for joint in joints {
        let (importer, importer_name) = node(joint.importer)?;
        let (provider, provider_name) = node(joint.provider)?;
        let failed = |why: String| ComposeError::Joint {
            importer: importer_name.to_owned(),
            import: joint.import.to_owned(),
            provider: provider_name.to_owned(),
            why,
        };
        let export = graph
            .alias_instance_export(provider, joint.export)
            .map_err(|error| failed(error.to_string()))?;
        graph
            .set_instantiation_argument(importer, joint.import, export)
            .map_err(|error| failed(error.to_string()))?;
    }
    for export in exports {
        let (piece, piece_name) = node(export.piece)?;
        let failed = |why: String| ComposeError::Export {
            piece: piece_name.to_owned(),
            name: export.name.to_owned(),
            why,
        };
        let alias = graph
            .alias_instance_export(piece, export.name)
            .map_err(|error| failed(error.to_string()))?;
        graph
            .export(alias, export.name)
            .map_err(|error| failed(error.to_string()))?;
    }
    let options = EncodeOptions {
        // The runtime validates what it compiles.
        validate: false,
        ..EncodeOptions::default()
    };
    let whole = graph.encode(options);
    whole.map_err(|error| ComposeError::Whole(format!("{error:#}")))
}
