//! Installs what a message's program depends on, ahead of its run.
//!
//! Owns the question of what a program asks for, and whether policy lets its tenant have it; how
//! packages become a layer is `provision`'s.

use std::path::{Path, PathBuf};

use atoll_policy::AllowedPackages;
use atoll_provision::{
    Allowed, Layer, Observer, Options, Policy as Packages, ProvisionError, Provisioner, Wanted,
};
use atoll_types::{Analysis, DependencySource, Message, ProgramKind};

use crate::{Engine, EngineError, stages};

/// Where layers and locks are below the state directory of an ordinary user.
const PLACE: &str = "packages";

/// Where they are for root. Sandboxes have users of their own, who cannot go through the state
/// directory, and what comes from a registry can be had again.
const PLACE_OF_ROOT: &str = "/var/cache/atoll-packages";

/// Why nothing was installed.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// History cannot be read, so nobody knows who asks.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// What the program depends on cannot be had.
    #[error("failed to install what the program depends on")]
    Provision(#[from] ProvisionError),
    /// There is nothing of the kind for this program.
    #[error(
        "packages are installed for Python and JavaScript programs, and this is a {kind} program; \
         leave --install out"
    )]
    Kind {
        /// What the program is.
        kind: ProgramKind,
    },
}

impl Engine {
    /// Installs what a message's program depends on, as far as policy lets its tenant have it, or
    /// finds it installed. `None` where it depends on nothing. While the layer is held, nobody
    /// removes it; its path is what [`RunOptions::dependencies`](crate::RunOptions::dependencies)
    /// takes.
    ///
    /// # Errors
    /// [`InstallError`]; nothing was installed then.
    pub async fn install(
        &self,
        message: &Message,
        observer: &dyn Observer,
    ) -> Result<Option<Layer>, InstallError> {
        let analysis = stages::analyze(self, &message.program).await;
        let Some(wanted) = wanted(message, &analysis)? else {
            return Ok(None);
        };
        let store = self.store().await?;
        let history = store
            .sender_history(&message.tenant, message.program.hash)
            .await
            .map_err(EngineError::from)?;
        let trust = self.policy.trust(&message.tenant, &history);
        let packages = self.policy.packages(&message.tenant, trust);
        let packages = Packages {
            allowed: match packages.allowed {
                AllowedPackages::None => Allowed::None,
                AllowedPackages::Any => Allowed::Any,
                AllowedPackages::These(names) => Allowed::These(names),
            },
            denied: packages.denied,
            not_mistaken: packages.meant,
        };
        let provisioner = Provisioner::new(Options::of_host(place(&self.state_dir)));
        if let Some(layer) = provisioner.known(&wanted, &packages)? {
            return Ok(Some(layer));
        }
        Ok(Box::pin(provisioner.provide(&wanted, &packages, observer)).await?)
    }
}

fn place(state_dir: &Path) -> PathBuf {
    match rustix::process::geteuid().is_root() {
        true => PLACE_OF_ROOT.into(),
        false => state_dir.join(PLACE),
    }
}

/// What a program asks for, by what it brings along and by what reading it found.
fn wanted(message: &Message, analysis: &Analysis) -> Result<Option<Wanted>, InstallError> {
    let file = |name: &[u8]| {
        let mut files = message.files.iter();
        files
            .find(|file| file.name == name)
            .map(|file| &*file.content)
    };
    let third_party: Vec<&str> = analysis
        .dependencies
        .iter()
        .filter(|it| it.source == DependencySource::ThirdParty)
        .map(|it| it.name.as_str())
        .collect();
    match message.program.kind {
        ProgramKind::Python => {
            let requirements = file(b"requirements.txt");
            let program = &message.program.bytes;
            Ok(Wanted::of_python(program, requirements, &third_party)?)
        }
        ProgramKind::JavaScript => match file(b"package.json") {
            Some(package) => Ok(Wanted::of_javascript(package, file(b"package-lock.json"))?),
            None => Ok(None),
        },
        kind => Err(InstallError::Kind { kind }),
    }
}
