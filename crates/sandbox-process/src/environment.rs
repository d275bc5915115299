//! What a program finds around it: the root directory, its variables, its command line.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use atoll_jail::seccomp::Profile;
use atoll_jail::{Bind, Command, JailFile, Root, WORK_DIRECTORY};
use atoll_sandbox::{CreateError, Environment, Job};
use atoll_types::ProgramKind;
use atoll_types::calls::CallRules;

use crate::ahead;
use crate::interpreter::Interpreters;
use crate::waiting;

/// Where installed third-party modules appear.
const DEPENDENCIES: &str = "dependencies";

/// Directories of the operating system; on most hosts all but the first are links into it.
const SYSTEM: [&str; 6] = ["usr", "bin", "sbin", "lib", "lib32", "lib64"];

/// Files under `/etc` that programs need and that tell nothing about the host.
const SETTINGS: [&str; 3] = ["etc/alternatives", "etc/ld.so.cache", "etc/ssl/certs"];

/// Small files that stand in for the host's own.
const TEXTS: [(&str, &str); 5] = [
    (
        "etc/passwd",
        "root:x:0:0:root:/:/bin/false\nguest:x:1000:1000:guest:/work:/bin/sh\n\
         nobody:x:65534:65534:nobody:/:/bin/false\n",
    ),
    ("etc/group", "root:x:0:\nguest:x:1000:\nnogroup:x:65534:\n"),
    ("etc/hosts", "127.0.0.1 localhost atoll\n::1 localhost\n"),
    (
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nhosts: files\n",
    ),
    ("etc/resolv.conf", ""),
];

/// The root directory for an environment.
pub(crate) fn root(
    interpreters: &Interpreters,
    environment: &Environment,
) -> Result<Root, CreateError> {
    let mut root = Root {
        proc: true,
        devices: true,
        ..Root::default()
    };
    for name in SYSTEM {
        let host = Path::new("/").join(name);
        match fs::read_link(&host) {
            Ok(target) => root.links.push((name.into(), target)),
            Err(_) if host.is_dir() => root.binds.push(bind(host, name)),
            Err(_) => {}
        }
    }
    for name in SETTINGS {
        let host = Path::new("/").join(name);
        if host.exists() {
            root.binds.push(bind(host, name));
        }
    }
    root.texts
        .extend(TEXTS.map(|(name, text)| (name.into(), text.to_owned())));
    if environment.kind == ProgramKind::Python {
        root.texts
            .push((waiting::SCRIPT_PLACE.into(), waiting::SCRIPT.to_owned()));
    }
    let interpreter = interpreters.for_program(environment.kind, b"");
    root.binds
        .extend(interpreter.and_then(prefix).map(|prefix| {
            let guest = prefix.strip_prefix("/").unwrap_or(&prefix).to_owned();
            Bind {
                host: prefix.clone(),
                guest,
            }
        }));
    if let Some(directory) = &environment.dependencies {
        let host = fs::canonicalize(directory).map_err(|error| dependencies(directory, &error))?;
        if !host.is_dir() {
            let error = std::io::ErrorKind::NotADirectory.into();
            return Err(dependencies(directory, &error));
        }
        root.binds.push(bind(host, DEPENDENCIES));
    }
    Ok(root)
}

fn bind(host: PathBuf, guest: &str) -> Bind {
    Bind {
        host,
        guest: guest.into(),
    }
}

fn dependencies(directory: &Path, error: &std::io::Error) -> CreateError {
    CreateError::Environment(format!(
        "the directory of dependencies {} cannot be used: {error}",
        directory.display()
    ))
}

/// The installation an interpreter belongs to, when the operating system's directories do not
/// already hold it: the directory above its `bin`.
fn prefix(interpreter: &Path) -> Option<PathBuf> {
    let held = SYSTEM
        .iter()
        .any(|name| interpreter.starts_with(Path::new("/").join(name)));
    if held {
        None
    } else {
        Some(interpreter.parent()?.parent()?.to_owned())
    }
}

/// How a job becomes a command line.
#[derive(Debug)]
pub struct CommandLine {
    interpreters: Interpreters,
    environment: Environment,
    profile: Profile,
}

impl CommandLine {
    /// For jobs in an environment, with the interpreters that were found.
    #[must_use]
    pub fn new(interpreters: &Interpreters, environment: Environment, profile: Profile) -> Self {
        Self {
            interpreters: interpreters.clone(),
            environment,
            profile,
        }
    }

    /// Which system calls the program may make.
    pub const fn profile(&self) -> Profile {
        self.profile
    }

    /// The command for a job. The program lies in the working directory under its own name, so
    /// that tracebacks and `sys.argv[0]` read as people expect.
    #[must_use]
    pub fn command(&self, job: Job) -> Command {
        let kind = self.environment.kind;
        let place = Path::new(WORK_DIRECTORY).join(&job.program.name);
        let place = place.as_os_str().as_bytes().to_vec();
        let first_line = job
            .program
            .bytes
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let interpreter = self.interpreters.for_program(kind, first_line);
        let path = interpreter.map_or_else(
            || place.clone(),
            |found| found.as_os_str().as_bytes().to_vec(),
        );
        let mut arguments = Vec::with_capacity(job.arguments.len() + 2);
        arguments.extend(interpreter.map(|_| path.clone()));
        arguments.push(place);
        arguments.extend(job.arguments);
        let program = JailFile {
            name: job.program.name.into_bytes(),
            content: job.program.bytes,
            executable: kind == ProgramKind::Native,
        };
        let files = job.files.into_iter().map(|file| JailFile {
            name: file.name,
            content: file.content,
            executable: false,
        });
        Command {
            path,
            arguments,
            environment: self.variables(job.environment),
            files: std::iter::once(program).chain(files).collect(),
            descriptors: Vec::new(),
            profile: self.profile,
            calls: job.calls,
        }
    }

    /// The command of a job that an interpreter goes through so that the first real one finds its
    /// memory ready.
    #[must_use]
    pub fn rehearsal(&self) -> Command {
        self.command(waiting::rehearsal(&self.environment.modules))
    }

    /// The command of an interpreter that waits for its program, with what [`Ends`] has for it;
    /// `None` where none can.
    ///
    /// [`Ends`]: crate::Ends
    #[must_use]
    pub fn waiting(&self, inner: Vec<OwnedFd>) -> Option<Command> {
        self.interpreter("alone", inner)
    }

    /// The command of an interpreter that forks copies of itself; `None` where nothing can.
    pub(crate) fn zygote(&self, library: OwnedFd, rehearsal: OwnedFd) -> Option<Command> {
        self.interpreter("copies", vec![library, rehearsal])
    }

    fn interpreter(&self, how: &str, descriptors: Vec<OwnedFd>) -> Option<Command> {
        if self.environment.kind != ProgramKind::Python {
            return None;
        }
        let interpreter = self.interpreters.for_program(ProgramKind::Python, b"")?;
        let path = interpreter.as_os_str().as_bytes().to_vec();
        let script = format!("/{}", waiting::SCRIPT_PLACE).into_bytes();
        let mut variables = self.variables(Vec::new());
        variables.retain(|variable| !variable.starts_with(b"PYTHONPATH="));
        variables.extend(ahead::ONE_THREAD.map(<[u8]>::to_vec));
        let modules = self.environment.modules.iter();
        let modules = modules.map(|name| name.as_bytes().to_vec());
        Some(Command {
            arguments: [path.clone(), script, how.into()]
                .into_iter()
                .chain(modules)
                .collect(),
            path,
            // Nothing of the dependencies may run in it: they are for the copies.
            environment: variables,
            files: Vec::new(),
            descriptors,
            profile: Profile::Zygote,
            calls: CallRules::default(),
        })
    }

    /// A small environment that tells nothing about the host, then the message's own variables,
    /// which win.
    fn variables(&self, own: Vec<(Vec<u8>, Vec<u8>)>) -> Vec<Vec<u8>> {
        let mut variables: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut set = |name: &[u8], value: &[u8]| {
            variables.retain(|(known, _)| known != name);
            variables.push((name.to_vec(), value.to_vec()));
        };
        set(b"PATH", b"/usr/local/bin:/usr/bin:/bin");
        set(b"HOME", WORK_DIRECTORY.as_bytes());
        set(b"TMPDIR", b"/tmp");
        set(b"LANG", b"C.UTF-8");
        match self.environment.kind {
            // Bytecode would be written for nobody: the sandbox is destroyed.
            ProgramKind::Python => set(b"PYTHONDONTWRITEBYTECODE", b"1"),
            ProgramKind::JavaScript => set(b"NODE_NO_WARNINGS", b"1"),
            _ => {}
        }
        if self.environment.dependencies.is_some() {
            let place = format!("/{DEPENDENCIES}");
            set(b"PYTHONPATH", place.as_bytes());
            set(
                b"NODE_PATH",
                format!("{place}:{place}/node_modules").as_bytes(),
            );
        }
        for (name, value) in own {
            set(&name, &value);
        }
        variables
            .into_iter()
            .map(|(mut name, value)| {
                name.push(b'=');
                name.extend(value);
                name
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use atoll_types::TenantId;

    use super::*;

    #[test]
    fn only_installations_outside_the_system_are_bound() {
        assert_eq!(prefix(Path::new("/usr/bin/python3.11")), None);
        assert_eq!(prefix(Path::new("/bin/sh")), None);
        let elsewhere = Path::new("/opt/python/3.13/bin/python3.13");
        assert_eq!(prefix(elsewhere), Some(PathBuf::from("/opt/python/3.13")));
    }

    #[test]
    fn the_messages_own_variables_win() {
        let environment = Environment {
            kind: ProgramKind::Python,
            dependencies: None,
            modules: BTreeSet::new(),
            tenant: TenantId::local(),
        };
        let line = CommandLine::new(&Interpreters::find(), environment, Profile::Strict);
        let own = vec![
            (b"HOME".to_vec(), b"/tmp".to_vec()),
            (b"A".to_vec(), b"1=2".to_vec()),
        ];
        let variables = line.variables(own);
        assert!(variables.contains(&b"HOME=/tmp".to_vec()));
        assert!(variables.contains(&b"A=1=2".to_vec()));
        assert_eq!(
            variables.iter().filter(|v| v.starts_with(b"HOME=")).count(),
            1
        );
    }
}
