//! Interpreters as WebAssembly components: which are installed, and what their programs can import.
//!
//! They are built apart from Atoll (`make runtimes`) and found beside its helper programs, in a
//! directory with a manifest. Their bytes are not trusted either: they are compiled and run like
//! any other program, and their scripts are data to them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use atoll_jail::helper_binary;
use atoll_types::{Analysis, Capability, DependencySource, Limits, ProgramKind};
use serde::Deserialize;

/// The manifest, from where helper programs are found.
const MANIFEST: &str = "runtimes/runtimes.json";

/// What compiling an interpreter may take: it is many times as large as other programs.
pub(crate) const COMPILING: Limits = Limits {
    wall_time_ms: 300_000,
    cpu_time_ms: 300_000,
    cpu_percent: 100,
    memory_bytes: 3 << 30,
    processes: 1,
    disk_bytes: 1 << 20,
    disk_files: 16,
    output_bytes: 1 << 10,
    open_files: 32,
};

/// What no program on WebAssembly can do.
const LACKING: [Capability; 4] = [
    Capability::Network,
    Capability::Processes,
    Capability::Threads,
    Capability::NativeCode,
];

/// An interpreter that is installed.
#[derive(Debug)]
pub(crate) struct Interpreter {
    program: PathBuf,
    /// The hash that the manifest gives, which stands for the bytes.
    pub(crate) hash: Vec<u8>,
    modules: BTreeSet<String>,
}

impl Interpreter {
    /// Its component.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        fs::read(&self.program)
    }

    /// Whether it has what a program imports, and can do what the program does.
    ///
    /// # Errors
    /// What is missing, as the end of a sentence that begins with the program.
    pub(crate) fn suits(&self, analysis: &Analysis) -> Result<(), String> {
        for dependency in &analysis.dependencies {
            let missing = match dependency.source {
                DependencySource::Local => false,
                DependencySource::StandardLibrary => !self.has(&dependency.name),
                DependencySource::ThirdParty => true,
            };
            if missing {
                return Err(format!(
                    "imports {}, which WebAssembly lacks",
                    dependency.name
                ));
            }
        }
        let wanted = analysis.capabilities.iter();
        let lacking = wanted.filter(|capability| LACKING.contains(capability));
        match lacking.map(|capability| capability.name()).next() {
            Some(name) => Err(format!("needs {name}, which WebAssembly lacks")),
            None => Ok(()),
        }
    }

    fn has(&self, module: &str) -> bool {
        let module = module.strip_prefix("node:").unwrap_or(module);
        self.modules.contains(module)
    }
}

/// Those that are installed; looked for once.
#[derive(Debug, Default)]
pub(crate) struct Interpreters {
    found: OnceLock<Result<Found, String>>,
}

#[derive(Debug, Default)]
struct Found {
    python: Option<Arc<Interpreter>>,
    javascript: Option<Arc<Interpreter>>,
}

impl Interpreters {
    /// The interpreter for a kind of program.
    ///
    /// # Errors
    /// A sentence for the user, when there is none.
    pub(crate) fn get(&self, kind: ProgramKind) -> Result<&Arc<Interpreter>, String> {
        let found = self.found.get_or_init(find).as_ref();
        let found = found.map_err(|why| {
            format!("{why}; a {kind} program needs the process level or a stronger one")
        })?;
        let interpreter = match kind {
            ProgramKind::Python => &found.python,
            ProgramKind::JavaScript => &found.javascript,
            ProgramKind::Shell
            | ProgramKind::Native
            | ProgramKind::WasmModule
            | ProgramKind::WasmComponent => &None,
        };
        interpreter.as_ref().ok_or_else(|| {
            format!(
                "the instance level runs WebAssembly, and there is no interpreter for it; a {kind} \
                 program needs the process level or a stronger one"
            )
        })
    }
}

#[derive(Deserialize)]
struct Manifest {
    interface: Interface,
    runtimes: Vec<Entry>,
}

#[derive(Deserialize)]
struct Interface {
    package: String,
    version: String,
}

#[derive(Deserialize)]
struct Entry {
    language: String,
    file: String,
    sha256: String,
    modules: String,
}

/// The interface that interpreters export, as this version calls it.
const PACKAGE: &str = "atoll:runner";
const VERSION: &str = "0.2.0";

fn find() -> Result<Found, String> {
    let manifest = helper_binary(MANIFEST).map_err(|_| {
        "the instance level runs WebAssembly, and no interpreters for it are installed (`make \
         runtimes` builds them)"
            .to_owned()
    })?;
    let failed = |error: &dyn std::fmt::Display| {
        format!(
            "the interpreters of {} cannot be used: {error}",
            manifest.display()
        )
    };
    let text = fs::read(&manifest).map_err(|error| failed(&error))?;
    let parsed: Manifest = serde_json::from_slice(&text).map_err(|error| failed(&error))?;
    if (
        parsed.interface.package.as_str(),
        parsed.interface.version.as_str(),
    ) != (PACKAGE, VERSION)
    {
        return Err(failed(&format!(
            "they are for {} {}, and this version needs {PACKAGE} {VERSION}; build them again",
            parsed.interface.package, parsed.interface.version
        )));
    }
    let directory = manifest.parent().unwrap_or(Path::new("/"));
    let mut found = Found::default();
    for entry in parsed.runtimes {
        let modules = fs::read_to_string(directory.join(&entry.modules));
        let modules = modules.map_err(|error| failed(&error))?;
        let interpreter = Some(Arc::new(Interpreter {
            program: directory.join(&entry.file),
            hash: entry.sha256.into_bytes(),
            modules: modules.lines().map(str::to_owned).collect(),
        }));
        match entry.language.as_str() {
            "python" => found.python = interpreter,
            "javascript" => found.javascript = interpreter,
            _ => {}
        }
    }
    Ok(found)
}
