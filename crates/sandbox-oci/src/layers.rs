//! What is enforced around a program in a container, layer by layer.

use atoll_types::{Layer, LayerReport, LayerState};

use crate::runtime::Platform;

/// The layers of one container.
#[derive(Debug, Clone)]
pub(crate) struct Layers {
    jail: Vec<LayerReport>,
    kernel: Kernel,
}

/// Whose kernel carries out the program's system calls.
#[derive(Debug, Clone)]
pub(crate) enum Kernel {
    /// gVisor's, which takes them over in this way.
    Own(Platform),
    /// The host's, as the runtime of this name lets it.
    Host(String),
}

/// Not in force at this level: the runtime builds mounts, which Landlock forbids whoever is held by
/// it.
const WITHOUT: [Layer; 2] = [Layer::Landlock, Layer::LandlockScopes];

impl Layers {
    /// The layers of a container in a jail that has such layers.
    pub(crate) fn new(jail: Vec<LayerReport>, kernel: Kernel) -> Self {
        let jail = jail
            .into_iter()
            .filter(|report| !WITHOUT.contains(&report.layer))
            .collect();
        Self { jail, kernel }
    }

    /// Those of the jail, the kernel's, and what is said from inside about layers that the jail
    /// does not have.
    pub(crate) fn with(&self, inside: Vec<LayerReport>) -> Vec<LayerReport> {
        let filter = inside.iter().find(|report| report.layer == Layer::Seccomp);
        let jail = self.jail.iter();
        let mut layers: Vec<LayerReport> = jail.map(|it| self.explain(it, filter)).collect();
        if let Kernel::Own(platform) = &self.kernel {
            layers.push(LayerReport {
                layer: Layer::OwnKernel,
                state: LayerState::Enforced,
                detail: format!(
                    "gVisor's kernel in user space, by its platform {platform}: {}",
                    platform.speed()
                ),
            });
        }
        for report in inside {
            if !layers.iter().any(|known| known.layer == report.layer) {
                layers.push(report);
            }
        }
        layers
    }

    /// The runtime adds to what the jail holds.
    fn explain(&self, report: &LayerReport, filter: Option<&LayerReport>) -> LayerReport {
        let mut report = report.clone();
        if report.state != LayerState::Enforced {
            return report;
        }
        match (report.layer, &self.kernel) {
            (Layer::Seccomp, Kernel::Own(_)) => {
                report.detail = format!(
                    "the program reaches no call of the host's kernel; gVisor filters its own; \
                     around it, {}",
                    report.detail
                );
            }
            (Layer::Seccomp, Kernel::Host(runtime)) => match filter {
                Some(filter) => {
                    report.detail = format!("{}; around it, {}", filter.detail, report.detail);
                }
                None => {
                    report.state = LayerState::Missing;
                    report.detail = format!(
                        "the program faces the host's kernel, and {runtime} filters nothing"
                    );
                }
            },
            (Layer::NoCapabilities, _) => {
                report.detail = "the program has none; those that the runtime keeps reach no \
                                 further than its jail"
                    .to_owned();
            }
            (Layer::UserNamespace, Kernel::Own(_)) => {
                report.detail =
                    "around the runtime: no capability in it means anything outside".to_owned();
            }
            (Layer::UserNamespace, Kernel::Host(runtime)) => {
                report.detail = format!(
                    "around {runtime}, which --runtime declares to be strong enough for this \
                     level: no capability in it means anything outside; the program faces the \
                     kernel that {runtime} gives it, without Landlock"
                );
            }
            (Layer::PrivateFiles, _) => {
                report.detail = "a tmpfs of the jail with limits on bytes and files".to_owned();
            }
            (Layer::MountNamespace | Layer::PidNamespace | Layer::NetworkNamespace, _) => {
                report.detail = format!("{}; the container has another inside", report.detail);
            }
            _ => {}
        }
        report
    }
}

/// The layer that a missing runtime leaves open.
pub(crate) fn missing_kernel(detail: &str) -> LayerReport {
    LayerReport {
        layer: Layer::OwnKernel,
        state: LayerState::Missing,
        detail: detail.to_owned(),
    }
}

/// The filter that a program has which faces the host's kernel.
pub(crate) fn filtered() -> LayerReport {
    LayerReport {
        layer: Layer::Seccomp,
        state: LayerState::Enforced,
        detail: "the filter that the program would have at the level process".to_owned(),
    }
}

/// What a jail lacks here and need not have.
pub(crate) fn not_needed() -> [Layer; 2] {
    WITHOUT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(layer: Layer, detail: &str) -> LayerReport {
        LayerReport {
            layer,
            state: LayerState::Enforced,
            detail: detail.to_owned(),
        }
    }

    #[test]
    fn what_is_said_from_inside_replaces_nothing() {
        let jail = vec![
            report(Layer::UtsNamespace, "jail"),
            report(Layer::Landlock, "jail"),
        ];
        let layers = Layers::new(jail, Kernel::Own(Platform::Ptrace));
        let inside = vec![
            report(Layer::UtsNamespace, "inside"),
            report(Layer::WasmInstance, "inside"),
        ];
        let all = layers.with(inside);
        let detail = |layer| {
            let found = all.iter().find(|report| report.layer == layer);
            found.map(|report| report.detail.as_str())
        };
        assert_eq!(detail(Layer::UtsNamespace), Some("jail"));
        assert_eq!(detail(Layer::WasmInstance), Some("inside"));
        assert_eq!(detail(Layer::Landlock), None);
        assert!(detail(Layer::OwnKernel).is_some_and(|text| text.contains("ptrace")));
    }

    #[test]
    fn only_a_kernel_of_its_own_is_reported_as_one() {
        let layers = Layers::new(Vec::new(), Kernel::Host("crun".to_owned()));
        assert!(layers.with(Vec::new()).is_empty());
    }

    #[test]
    fn a_program_that_faces_the_hosts_kernel_needs_a_filter() {
        let jail = vec![report(Layer::Seccomp, "jail")];
        let layers = Layers::new(jail, Kernel::Host("crun".to_owned()));
        let state = |inside| layers.with(inside).first().map(|report| report.state);
        assert_eq!(state(Vec::new()), Some(LayerState::Missing));
        assert_eq!(state(vec![filtered()]), Some(LayerState::Enforced));
    }
}
