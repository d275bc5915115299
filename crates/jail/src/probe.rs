//! Which layers this host can enforce, found out by building a jail and running a program in it.

use atoll_types::calls::CallRules;
use atoll_types::{Layer, LayerReport, LayerState, Limits};

use crate::helper::helper_binary;
use crate::host::host;
use crate::jail::{Command, Jail, JailError, JailSpec, LAYERS, Root, layers};
use crate::plan::{Bind, ProgramEnd};
use crate::seccomp::Profile;

/// Tries every layer. Takes some milliseconds; must not be called from an async task.
#[must_use]
pub fn probe() -> Vec<LayerReport> {
    let missing = match std::thread::spawn(try_everything).join() {
        Ok(Ok(())) => return with_every_profile(),
        Ok(Err(missing)) => missing,
        Err(_) => vec![report(
            Layer::UserNamespace,
            "the probe failed unexpectedly",
        )],
    };
    LAYERS
        .iter()
        .map(|(layer, _)| {
            let found = missing.iter().find(|report| report.layer == *layer);
            found
                .cloned()
                .unwrap_or_else(|| not_reached(*layer, &missing))
        })
        .collect()
}

/// What the layers of a jail say, and of system calls what every profile says.
fn with_every_profile() -> Vec<LayerReport> {
    let mut layers = layers(PROFILE);
    let seccomp = layers
        .iter_mut()
        .find(|report| report.layer == Layer::Seccomp);
    if let Some(report) = seccomp {
        let profiles = Profile::ALL.map(|profile| profile.describe());
        report.detail = profiles.join("; ");
    }
    layers
}

fn try_everything() -> Result<(), Vec<LayerReport>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            vec![report(
                Layer::UserNamespace,
                &format!("no runtime: {error}"),
            )]
        })?;
    runtime
        .block_on(run_something())
        .map_err(|error| match error {
            JailError::NotEnforceable(missing) => missing,
            other => vec![report(Layer::UserNamespace, &other.to_string())],
        })
}

/// The one that needs most of the host.
const PROFILE: Profile = Profile::Strict;

/// Room for a program that does nothing.
const LIMITS: Limits = Limits {
    wall_time_ms: 5_000,
    cpu_time_ms: 1_000,
    cpu_percent: 100,
    memory_bytes: 32 << 20,
    processes: 4,
    disk_bytes: 1 << 20,
    disk_files: 16,
    output_bytes: 1 << 10,
    open_files: 16,
};

/// Runs the launcher itself, which does nothing when its standard input is not its socket.
async fn run_something() -> Result<(), JailError> {
    let spec = JailSpec {
        name: "probe".to_owned(),
        root: Root {
            binds: vec![Bind {
                host: helper_binary("atoll-launcher")?,
                guest: "program".into(),
            }],
            proc: true,
            devices: true,
            ..Root::default()
        },
    };
    // What is missing is reported, not refused.
    let accepted = Layer::DISPENSABLE.into();
    let mut jail = Jail::begin(&spec)?.finish(LIMITS, &accepted).await?;
    let command = Command {
        path: b"/program".to_vec(),
        arguments: vec![b"program".to_vec()],
        environment: Vec::new(),
        files: Vec::new(),
        descriptors: Vec::new(),
        profile: PROFILE,
        calls: CallRules::default(),
    };
    let streams = jail.start(command).await?;
    drop(streams.stdin);
    let ended = jail.wait().await;
    let removed = jail.destroy().await;
    match (ended, removed) {
        (Some(ProgramEnd::Exited(_)), Ok(())) => Ok(()),
        (ended, removed) => {
            let found = std::io::Error::other(format!("{ended:?}, {removed:?}"));
            Err(JailError::Internal(
                "run a program in a jail".to_owned(),
                found,
            ))
        }
    }
}

/// What can be said about a layer that was not reached because an earlier one failed.
fn not_reached(layer: Layer, missing: &[LayerReport]) -> LayerReport {
    if let Some(lacking) = host().lacks.iter().find(|report| report.layer == layer) {
        return lacking.clone();
    }
    let first = missing
        .first()
        .map_or("another layer", |report| report.layer.name());
    report(layer, &format!("not tried, because {first} is missing"))
}

fn report(layer: Layer, detail: &str) -> LayerReport {
    LayerReport {
        layer,
        state: LayerState::Missing,
        detail: detail.to_owned(),
    }
}
