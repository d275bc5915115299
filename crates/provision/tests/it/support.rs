//! A provisioner with a state directory of its own, and what it told.

use std::path::Path;
use std::sync::Mutex;

use atoll_provision::{
    Layer, Observer, Options, Policy, Progress, ProvisionError, Provisioner, Wanted,
};
use tempfile::TempDir;

/// Whether this machine is said to have no network.
pub(crate) fn offline() -> bool {
    let offline = std::env::var_os("ATOLL_OFFLINE").is_some_and(|value| value == "1");
    if offline {
        eprintln!("left out: ATOLL_OFFLINE says that there is no network");
    }
    offline
}

pub(crate) struct Place {
    pub(crate) state: TempDir,
    pub(crate) provisioner: Provisioner,
}

pub(crate) fn place() -> Place {
    place_with(|_| {})
}

pub(crate) fn place_with(change: impl FnOnce(&mut Options)) -> Place {
    let state = tempfile::tempdir().unwrap();
    let mut options = Options::of_host(state.path().to_owned());
    change(&mut options);
    let provisioner = Provisioner::new(options);
    Place { state, provisioner }
}

impl Place {
    pub(crate) async fn provide(&self, wanted: &Wanted) -> Result<Layer, ProvisionError> {
        let policy = Policy::default();
        let layer = self.provisioner.provide(wanted, &policy, &()).await?;
        Ok(layer.expect("something is wanted"))
    }

    /// The error's stable word, for something that cannot be had.
    pub(crate) async fn code(&self, wanted: &Wanted) -> String {
        match self.provide(wanted).await {
            Ok(layer) => panic!("{:?} was provided", layer.packages()),
            Err(error) => {
                eprintln!("{error}\n    {:?}", error.detail());
                self.is_clean();
                error.code().to_owned()
            }
        }
    }

    /// That nothing half-made is left.
    pub(crate) fn is_clean(&self) {
        let building = self.state.path().join("building");
        if building.exists() {
            assert_eq!(std::fs::read_dir(building).unwrap().count(), 0);
        }
    }
}

pub(crate) fn requirements(text: &str) -> Wanted {
    let wanted = Wanted::of_python(b"", Some(text.as_bytes()), &[]);
    wanted.unwrap().unwrap()
}

pub(crate) fn package_json(dependencies: &str) -> Wanted {
    let text = format!(r#"{{"name": "program", "dependencies": {dependencies}}}"#);
    let wanted = Wanted::of_javascript(text.as_bytes(), None);
    wanted.unwrap().unwrap()
}

/// Remembers what it is told.
#[derive(Default)]
pub(crate) struct Told(pub(crate) Mutex<Vec<Progress>>);

impl Observer for Told {
    fn progress(&self, progress: Progress) {
        self.0.lock().unwrap().push(progress);
    }
}

/// Runs an interpreter with a layer and answers what it says.
pub(crate) fn says(program: &str, variable: &str, place: &Path, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env(variable, place)
        .current_dir("/")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
