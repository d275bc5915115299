//! The way from what is wanted to a layer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use atoll_jail::Leavings;
use atoll_types::{Layer as JailLayer, LayerReport};

use crate::error::storage;
use crate::files::{make_own, make_private};
use crate::layers::{Collected, Layer, Layers, Taken, Wait};
use crate::lock::Lock;
use crate::manifest::{Manifest, take_over};
use crate::registry::{Registries, Registry};
use crate::resolutions::{Resolution, Resolutions, day_of};
use crate::sandbox::{Job, Ran, Surroundings, run};
use crate::tools::{Tools, Toolset};
use crate::version::fits;
use crate::wanted::{Policy, Wanted};
use crate::words::Failure;
use crate::{Language, Observer, Progress, ProvisionError, javascript, python};

/// How often a layer that was just made may be gone or damaged again before that is an error.
const BUILDS_MAX: usize = 4;

/// What one installation may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallLimits {
    /// Time from the first step to the last; 180 s by default.
    pub wall_time: Duration,
    /// Bytes that come from the registry in one step, as they travel; 512 MiB by default.
    pub download_bytes: u64,
    /// Bytes of all files of a layer; 1 GiB by default.
    pub layer_bytes: u64,
    /// Files of a layer; 50,000 by default.
    pub layer_files: u64,
    /// Memory of the tool, without its files; 1 GiB by default.
    pub memory_bytes: u64,
}

impl Default for InstallLimits {
    fn default() -> Self {
        Self {
            wall_time: Duration::from_secs(180),
            download_bytes: 512 << 20,
            layer_bytes: 1 << 30,
            layer_files: 50_000,
            memory_bytes: 1 << 30,
        }
    }
}

/// What a provisioner works with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The directory for layers and locks, which nobody else writes to. Made when it is needed.
    pub state: PathBuf,
    /// The tools and interpreters.
    pub tools: Tools,
    /// Where packages come from.
    pub registries: Registries,
    /// What one installation may take.
    pub limits: InstallLimits,
    /// Bytes of all layers together, those in use apart; 10 GiB by default. 0 keeps only what is
    /// in use.
    pub layers_bytes_max: u64,
    /// Layers of isolation that the sandbox of an installation may lack; none by default. Only
    /// those that [`atoll_types::Layer::DISPENSABLE`] names can be.
    pub accept_missing: BTreeSet<JailLayer>,
}

impl Options {
    /// Those of this host, with a state directory.
    #[must_use]
    pub fn of_host(state: PathBuf) -> Self {
        Self {
            state,
            tools: Tools::find(),
            registries: Registries::of_host(),
            limits: InstallLimits::default(),
            layers_bytes_max: 10 << 30,
            accept_missing: BTreeSet::new(),
        }
    }
}

/// Provides layers. Any number of them, in any number of processes, may share a state directory.
#[derive(Debug, Clone)]
pub struct Provisioner {
    options: Options,
    layers: Layers,
    resolutions: Resolutions,
}

/// What is known of a wish before anything is run for it.
struct Ground {
    tools: Toolset,
    registry: Registry,
    /// What its resolution is known under.
    key: blake3::Hash,
}

impl Provisioner {
    /// One with such options. Nothing is read or written yet.
    #[must_use]
    pub fn new(options: Options) -> Self {
        Self {
            layers: Layers::below(&options.state),
            resolutions: Resolutions::below(&options.state),
            options,
        }
    }

    /// The layer of what is wanted, if it was resolved today and is there. Runs no tool, asks
    /// nobody, and waits for nobody. `Ok(None)` says only that [`Self::provide`] is needed.
    ///
    /// # Errors
    /// What the policy or the interpreter refuses; a tool that is missing.
    pub fn known(&self, wanted: &Wanted, policy: &Policy) -> Result<Option<Layer>, ProvisionError> {
        let ground = self.ground(wanted, policy)?;
        let Some(resolution) = self.resolved_today(&ground.key) else {
            return Ok(None);
        };
        check_packages(&resolution.lock, wanted, policy)?;
        Ok(self.layers.known(&resolution.layer))
    }

    /// The layer of what is wanted, which is made if it is not there. `None` where nothing has to
    /// be installed. Has to be called inside a Tokio runtime with I/O and time.
    ///
    /// Dropping the future ends what was begun and leaves nothing behind but what is removed by
    /// the next who asks for the same.
    ///
    /// # Errors
    /// See [`ProvisionError`].
    pub async fn provide(
        &self,
        wanted: &Wanted,
        policy: &Policy,
        observer: &dyn Observer,
    ) -> Result<Option<Layer>, ProvisionError> {
        let ground = self.ground(wanted, policy)?;
        if wanted.requirements.is_empty() {
            return Ok(None);
        }
        let until = Instant::now() + self.options.limits.wall_time;
        let resolution = match self.resolved_today(&ground.key) {
            Some(resolution) => resolution,
            None => self.resolve(wanted, &ground, until, observer).await?,
        };
        check_packages(&resolution.lock, wanted, policy)?;
        let lock = &resolution.lock;
        let wait = Wait {
            observer,
            until,
            wall_time: self.options.limits.wall_time,
        };
        for built in 0..BUILDS_MAX {
            let site = match self.layers.take(&resolution.layer, wait).await? {
                Taken::Site(site) => site,
                Taken::Layer(layer) => {
                    if built > 0 {
                        // It is in use by now, and stays.
                        self.collect_garbage()?;
                    }
                    return Ok(Some(layer));
                }
            };
            let content = site.content();
            let install = self.install(wanted, lock, &ground, &content, until, observer);
            site.keep(&install.await?)?;
        }
        let gone = std::io::ErrorKind::InvalidData;
        Err(storage("keep a layer whole in", &self.options.state)(
            gone.into(),
        ))
    }

    /// Compares every file of a layer with what was written down when it was made. One that does
    /// not fit is made again for the next who asks.
    #[must_use]
    pub fn verify(&self, layer: &Layer) -> bool {
        self.layers.verify(layer)
    }

    /// Removes the layers that were not used for longest until the others fit, and what was left
    /// of installations that were killed. What is in use stays.
    ///
    /// # Errors
    /// [`ProvisionError::Storage`].
    pub fn collect_garbage(&self) -> Result<Collected, ProvisionError> {
        self.resolutions.collect();
        self.layers.collect(self.options.layers_bytes_max)
    }

    fn ground(&self, wanted: &Wanted, policy: &Policy) -> Result<Ground, ProvisionError> {
        policy.check_wanted(wanted)?;
        let language = wanted.language();
        let kept = self.kept()?;
        let tools = self.options.tools.identify(language, &kept)?;
        check_python(wanted, &tools)?;
        let registry = self.registry(language, &tools, &kept)?;
        let text = format!(
            "resolution 1\n{}{}\n{}",
            tools.identity(),
            registry.address(),
            wanted.text()
        );
        Ok(Ground {
            key: blake3::hash(text.as_bytes()),
            tools,
            registry,
        })
    }

    /// The directory for what tools say of themselves.
    fn kept(&self) -> Result<PathBuf, ProvisionError> {
        let state = &self.options.state;
        make_own(state).map_err(storage("use the state directory", state))?;
        let kept = state.join("tools");
        if !kept.is_dir() {
            make_private(&kept).map_err(storage("make", &kept))?;
        }
        Ok(kept)
    }

    fn registry(
        &self,
        language: Language,
        tools: &Toolset,
        kept: &Path,
    ) -> Result<Registry, ProvisionError> {
        let default = || tools.default_registry(language, kept);
        self.options.registries.of(language, default)
    }

    fn resolved_today(&self, key: &blake3::Hash) -> Option<Resolution> {
        let today = day_of(SystemTime::now());
        let known = self.resolutions.read(key);
        known.filter(|resolution| resolution.day == today)
    }

    fn surroundings<'a>(&'a self, ground: &'a Ground, until: Instant) -> Surroundings<'a> {
        Surroundings {
            registry: &ground.registry,
            upstream: self.options.registries.upstream.as_ref(),
            limits: &self.options.limits,
            accept_missing: &self.options.accept_missing,
            until,
        }
    }

    /// Has the tool resolve, unless a lock came along. Where the registry cannot be reached, what
    /// was resolved on an earlier day is used: its packages are locked all the same.
    async fn resolve(
        &self,
        wanted: &Wanted,
        ground: &Ground,
        until: Instant,
        observer: &dyn Observer,
    ) -> Result<Resolution, ProvisionError> {
        observer.progress(Progress::Resolving {
            requirements: wanted.requirements.len(),
        });
        let made = match &wanted.lock {
            Some(lock) => Lock::of_javascript(lock, ground.registry.host()),
            None => self.resolve_with_tool(wanted, ground, until).await,
        };
        let lock = match made {
            Ok(lock) => lock,
            Err(error @ ProvisionError::Unreachable { .. }) => {
                return self.resolutions.read(&ground.key).ok_or(error);
            }
            Err(error) => return Err(error),
        };
        let resolution = Resolution {
            day: day_of(SystemTime::now()),
            layer: layer_hash(wanted.language(), &ground.tools, &lock),
            lock,
        };
        self.resolutions.write(&ground.key, &resolution);
        Ok(resolution)
    }

    async fn resolve_with_tool(
        &self,
        wanted: &Wanted,
        ground: &Ground,
        until: Instant,
    ) -> Result<Lock, ProvisionError> {
        let around = self.surroundings(ground, until);
        let (tools, registry) = (&ground.tools, &ground.registry);
        match wanted.language() {
            Language::Python => {
                let job = python::resolve(wanted, tools, registry);
                let ran = self.run(job, &around, wanted, ground, |_, _| {}, |_| Ok(()));
                let output = ran.await?.output;
                Lock::of_python(&String::from_utf8_lossy(&output), &wanted.requirements)
            }
            Language::JavaScript => {
                let job = javascript::resolve(wanted, tools, registry);
                let ran = self.run(job, &around, wanted, ground, |_, _| {}, npm_lock);
                let text = ran.await?.taken.unwrap_or_default();
                Lock::of_javascript(&text, registry.host())
            }
        }
    }

    /// Has the tool install what a lock names, and copies what it leaves.
    async fn install(
        &self,
        wanted: &Wanted,
        lock: &Lock,
        ground: &Ground,
        content: &Path,
        until: Instant,
        observer: &dyn Observer,
    ) -> Result<Manifest, ProvisionError> {
        let around = self.surroundings(ground, until);
        let language = wanted.language();
        let (tools, registry) = (&ground.tools, &ground.registry);
        type IsDownload = fn(&str) -> bool;
        let (job, is_download, places): (_, IsDownload, _) = match language {
            Language::Python => (
                python::install(&lock.text, tools, registry),
                python::begins_download,
                ("content/", ""),
            ),
            Language::JavaScript => (
                javascript::install(wanted, &lock.text, tools, registry),
                javascript::ends_download,
                ("node_modules/", "node_modules/"),
            ),
        };
        let total = lock.packages.len();
        let mut done = 0;
        let mut shown = Instant::now();
        observer.progress(Progress::Downloading {
            done,
            total,
            bytes: 0,
        });
        let told = |line: Option<&str>, bytes| {
            let moved = line.is_some_and(is_download);
            done = total.min(done + usize::from(moved));
            if moved || line.is_none() || shown.elapsed() > Duration::from_millis(250) {
                shown = Instant::now();
                observer.progress(Progress::Downloading { done, total, bytes });
            }
        };
        let (content, limits) = (content.to_owned(), self.options.limits.clone());
        let packages = lock.packages.clone();
        let take = move |leavings: Leavings| {
            take_over(leavings, places, &content, language, &packages, &limits)
        };
        let ran = self.run(job, &around, wanted, ground, told, take).await?;
        observer.progress(Progress::Installing { total });
        ran.taken.ok_or_else(|| ProvisionError::Leftovers {
            language,
            problem: "nothing was left".to_owned(),
        })
    }

    /// Runs a tool that has to succeed.
    async fn run<T: Send + 'static>(
        &self,
        job: Job<'_>,
        around: &Surroundings<'_>,
        wanted: &Wanted,
        ground: &Ground,
        told: impl FnMut(Option<&str>, u64) + Send,
        take: impl FnOnce(Leavings) -> Result<T, ProvisionError> + Send + 'static,
    ) -> Result<Ran<T>, ProvisionError> {
        let step = job.step;
        let ran = run(job, around, told, take).await?;
        if ran.succeeded {
            return Ok(ran);
        }
        let release = ground.tools.release();
        let failure = Failure {
            wanted,
            registry: &ground.registry,
            step,
            words: &ran.words,
            report: &ran.report,
            python: &release.map_or_else(String::new, |release| release.to_string()),
        };
        Err(failure.error())
    }

    /// What would be in force in the sandbox of an installation on this host, found out by making
    /// one and running nothing but the tool's question for its own version.
    ///
    /// # Errors
    /// [`ProvisionError::Sandbox`] where it cannot be made, [`ProvisionError::NoTool`].
    pub async fn probe(&self, language: Language) -> Result<Vec<LayerReport>, ProvisionError> {
        let kept = self.kept()?;
        let tools = self.options.tools.identify(language, &kept)?;
        let ground = Ground {
            registry: self.registry(language, &tools, &kept)?,
            tools,
            key: blake3::hash(b""),
        };
        let until = Instant::now() + self.options.limits.wall_time;
        let around = self.surroundings(&ground, until);
        let job = Job {
            step: "ask a tool for its version",
            program: match language {
                Language::Python => &ground.tools.tool,
                Language::JavaScript => &ground.tools.interpreter,
            },
            arguments: vec!["--version".to_owned()],
            environment: Vec::new(),
            files: Vec::new(),
            interpreter: &ground.tools.interpreter,
        };
        Ok(run(job, &around, |_, _| {}, |_| Ok(())).await?.layers)
    }
}

fn check_python(wanted: &Wanted, tools: &Toolset) -> Result<(), ProvisionError> {
    let Some(specifiers) = &wanted.requires_python else {
        return Ok(());
    };
    let release = tools.release();
    let fitting = release.as_ref().and_then(|found| fits(specifiers, found));
    match fitting {
        Some(true) => Ok(()),
        Some(false) => Err(ProvisionError::PythonVersion {
            what: "the program".to_owned(),
            wanted: specifiers.clone(),
            found: release.map_or_else(String::new, |release| release.to_string()),
        }),
        None => Err(ProvisionError::Requirements {
            place: "the program's `# /// script` block",
            problem: format!("requires-python is {specifiers:?}; write it as in \">=3.9\""),
        }),
    }
}

/// Holds everything in a lock to the tenant's rules.
fn check_packages(lock: &Lock, wanted: &Wanted, policy: &Policy) -> Result<(), ProvisionError> {
    lock.packages.iter().try_for_each(|package| {
        let direct = wanted.names().any(|name| name == package.name);
        policy.check(&package.name, direct)
    })
}

/// The name of a layer: everything that its content depends on.
fn layer_hash(language: Language, tools: &Toolset, lock: &Lock) -> String {
    let text = format!(
        "layer 1\n{language}\n{}{}",
        tools.identity(),
        lock.canonical
    );
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// The lock that npm left.
fn npm_lock(leavings: Leavings) -> Result<Vec<u8>, ProvisionError> {
    use std::io::Read as _;
    let odd = |problem: &str| ProvisionError::Leftovers {
        language: Language::JavaScript,
        problem: problem.to_owned(),
    };
    for leaving in leavings {
        if leaving.path != javascript::LOCK.as_bytes() {
            continue;
        }
        let file = leaving.file.map_err(|_| odd("the lock is no plain file"))?;
        let mut text = Vec::new();
        let largest = crate::wanted::PACKAGE_LOCK_BYTES_MAX as u64;
        let read = file.content.take(largest).read_to_end(&mut text);
        return match read {
            Ok(_) => Ok(text),
            Err(_) => Err(odd("the lock cannot be read")),
        };
    }
    Err(odd("npm has made no lock"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An engine hands its work to whichever thread is free.
    #[test]
    fn what_provides_can_move_between_threads() {
        fn is_send<T: Send>(_: &T) {}
        let state = tempfile::tempdir().unwrap();
        let provisioner = Provisioner::new(Options::of_host(state.path().to_owned()));
        let wanted = Wanted::of_python(b"", Some(b"six"), &[]).unwrap().unwrap();
        let policy = Policy::default();
        is_send(&provisioner.provide(&wanted, &policy, &()));
        is_send(&provisioner.probe(Language::Python));
    }
}
