//! What a machine's owner does from outside, for the sandbox inside.

use std::io;
use std::time::Duration;

use async_trait::async_trait;
use atoll_remote::Outside;
use atoll_sandbox::DestroyError;
use atoll_types::{Layer, LayerReport, LayerState, Level, LimitName, Limits, Usage};

use crate::machine::Machine;
use crate::size::Size;

/// How long an agent may take for an answer, on a busy host and emulated.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Layers that the guest's kernel is too old for. Inside the machine they would keep the program
/// from the agent's own few processes; around it they are in force, where the host has them.
pub(crate) const NOT_INSIDE: [Layer; 2] = [Layer::Landlock, Layer::LandlockScopes];

/// A machine in which an agent serves.
pub(crate) struct VmOutside {
    pub(crate) machine: Machine,
    pub(crate) size: Size,
    /// What the boundary is, for reports.
    pub(crate) boundary: String,
}

/// The layers of a sandbox in a machine: each is only in force when it is around the machine, too.
pub(crate) fn combine(
    around: &[LayerReport],
    inside: Vec<LayerReport>,
    boundary: &str,
) -> Vec<LayerReport> {
    let mut layers = Vec::with_capacity(around.len() + 1);
    layers.push(LayerReport {
        layer: Layer::OwnKernel,
        state: LayerState::Enforced,
        detail: boundary.to_owned(),
    });
    for outer in around {
        let inner = inside.iter().find(|report| report.layer == outer.layer);
        let mut report = outer.clone();
        let detail = match inner {
            None => format!("around the machine: {}", outer.detail),
            Some(inner) if outer.state == LayerState::Missing => {
                format!(
                    "around the machine: {}; inside: {}",
                    outer.detail, inner.detail
                )
            }
            Some(inner) if inner.state == LayerState::Missing => {
                if !NOT_INSIDE.contains(&inner.layer) {
                    report.state = LayerState::Missing;
                }
                format!(
                    "around the machine: {}; not inside: {}",
                    outer.detail, inner.detail
                )
            }
            Some(inner) => format!("{}, and around the machine", inner.detail),
        };
        report.detail = detail;
        layers.push(report);
    }
    layers
}

#[async_trait]
impl Outside for VmOutside {
    fn level(&self) -> Level {
        Level::Vm
    }

    fn layers(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        combine(self.machine.layers(), inside, &self.boundary)
    }

    fn set_limits(&self, limits: &Limits) -> io::Result<()> {
        if !self.size.holds(limits) {
            let text = "the machine is too small for these limits";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        self.machine.set_limits(self.size.around(limits))
    }

    fn restart_clock(&self) {
        self.machine.restart_clock();
    }

    fn memory_bytes(&self) -> u64 {
        self.machine.memory_bytes()
    }

    /// Time is what the host spent on the machine, emulation included. Memory and files are the
    /// guest's own count: from outside they cannot be told from the guest's kernel, and what it
    /// claims changes no limit, because those around the machine hold whatever it says.
    fn usage(&self, inside: Usage) -> Usage {
        let around = self.machine.usage();
        Usage {
            cpu_time_us: around.cpu_time_us,
            memory_peak_bytes: inside.memory_peak_bytes.min(around.memory_peak_bytes),
            ..inside
        }
    }

    fn limit_hit(&self) -> Option<LimitName> {
        self.machine.limit_hit()
    }

    fn kill(&self) {
        self.machine.kill();
    }

    fn last_words(&self) -> Option<String> {
        self.machine.last_words()
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    async fn destroy(&self) -> Result<(), DestroyError> {
        self.machine.destroy().await.map_err(|source| DestroyError {
            what: "the virtual machine's process and cgroups".to_owned(),
            source,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(layer: Layer, state: LayerState) -> LayerReport {
        LayerReport {
            layer,
            state,
            detail: "how".to_owned(),
        }
    }

    #[test]
    fn what_is_missing_on_either_side_is_missing() {
        use LayerState::{Enforced, Missing};
        let state = |layer, outer, inner| {
            let around = [report(layer, outer)];
            let layers = combine(&around, vec![report(layer, inner)], "a machine");
            layers
                .into_iter()
                .find(|it| it.layer == layer)
                .unwrap()
                .state
        };
        assert_eq!(state(Layer::Seccomp, Enforced, Enforced), Enforced);
        assert_eq!(state(Layer::Seccomp, Enforced, Missing), Missing);
        assert_eq!(state(Layer::MemoryLimit, Missing, Enforced), Missing);
        assert_eq!(state(Layer::Landlock, Enforced, Missing), Enforced);
        assert_eq!(state(Layer::Landlock, Missing, Enforced), Missing);
    }

    #[test]
    fn a_guest_cannot_claim_a_layer_that_nobody_has_around_it() {
        let claimed = vec![report(Layer::WasmInstance, LayerState::Enforced)];
        let layers = combine(&[], claimed, "a machine");
        assert_eq!(layers.len(), 1);
        assert_eq!(layers[0].layer, Layer::OwnKernel);
    }
}
