//! Provides what a program depends on: resolved, installed and locked ahead, into read-only layers
//! that all sandboxes share which need the same.
//!
//! ```text
//! program  -> Wanted     names and versions: a `# /// script` block, a requirements file, imports,
//!                        or a package.json. Pure, bounded; nothing else of the program is used
//!          -> Policy     allowed? denied? nearly the name of something well-known?
//!          -> Lock       uv or npm resolves, in a jail whose only way out is the registry
//!          -> Layer      the same tool installs what the lock names, in another such jail; what it
//!                        leaves is copied from outside, hashed, and renamed into place
//! ```
//!
//! No code of a package runs on the way: wheels only, and no scripts of packages. The tools
//! themselves run sandboxed all the same, because what they unpack comes from strangers. Where the
//! sandbox cannot be made, nothing is installed.
//!
//! What a program is, and which of its imports are the standard library's or its own, is not known
//! here; neither is how a sandbox shows a layer to a program.

mod error;
mod files;
mod gate;
mod javascript;
mod layers;
mod lock;
mod manifest;
mod names;
mod progress;
mod provisioner;
mod python;
mod registry;
mod requirement;
mod resolutions;
mod sandbox;
mod script;
mod tools;
mod version;
mod wanted;
mod words;

pub use error::ProvisionError;
pub use layers::{Collected, Layer};
pub use lock::Package;
pub use names::{Distribution, distribution_of, resembles};
pub use progress::{Observer, Progress};
pub use provisioner::{InstallLimits, Options, Provisioner};
pub use registry::{Configured, Place, Registries, Registry, Upstream};
pub use requirement::{Requirement, normalize, requirements_file};
pub use script::{ScriptMetadata, script_metadata};
pub use tools::Tools;
pub use version::{Release, fits};
pub use wanted::{Allowed, Language, Policy, Source, Wanted};
