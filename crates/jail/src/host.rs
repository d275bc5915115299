//! What this host lacks of what a jail is made of, found out without building one.
//!
//! Only layers that a caller may accept to be missing are looked for here: those are left out of
//! what is built, and whoever finishes the jail is asked. Any other layer that is missing makes
//! the building fail.

use std::fs;
use std::ops::Range;
use std::sync::OnceLock;

use atoll_types::{Layer, LayerReport, LayerState};
use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetError,
    Scope,
};
use rustix::process::{Resource, getrlimit, setrlimit};

use crate::ablation::{self, Part};
use crate::cgroup::{self, Hierarchies};
use crate::launcher::identity;
use crate::sys;

/// The newest interface whose rights are used: scopes came with version 6 (Linux 6.12).
const LANDLOCK: i32 = ABI::V6 as i32;

/// The first one with all rights to files and TCP (Linux 6.10).
const LANDLOCK_WITHOUT_SCOPES: i32 = ABI::V5 as i32;

/// What a jail can have here.
pub(crate) struct Host {
    pub(crate) hierarchies: Hierarchies,
    /// The version of Landlock's interface to use; 0 for none.
    pub(crate) landlock: i32,
    /// Whether jails get user ids of their own.
    pub(crate) own_users: bool,
    /// Whether zygotes and their copies get such ids, too.
    pub(crate) copy_users: bool,
    /// Whether the launcher can keep a program from executing others: see `sys::map_low_page`.
    pub(crate) low_page: bool,
    /// The layers that are not in force, or not all of them is, each with the reason.
    pub(crate) lacks: Vec<LayerReport>,
}

/// Looks once. Groups of owners that died are removed on the way, and this process may open as many
/// files as it can be allowed from then on: a sandbox that waits takes about twenty.
pub(crate) fn host() -> &'static Host {
    static FOUND: OnceLock<Host> = OnceLock::new();
    FOUND.get_or_init(|| {
        let hierarchies = Hierarchies::probe();
        hierarchies
            .slices()
            .iter()
            .for_each(|slice| cgroup::sweep(slice));
        allow_open_files();
        Host::with(hierarchies, landlock_version(), own_users())
    })
}

fn allow_open_files() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    // With fewer, sandboxes are refused once there are too many, which says why.
    let _ = setrlimit(Resource::Nofile, limit);
}

impl Host {
    fn with(hierarchies: Hierarchies, landlock: i32, own_users: bool) -> Self {
        let mut lacks = Vec::new();
        let mut lack = |layer, detail| lacks.push(missing(layer, detail));
        if !own_users {
            lack(
                Layer::OwnUser,
                "the program has the user id and the groups of whoever runs Atoll; ids of its own \
                 take root"
                    .to_owned(),
            );
        }
        let is = match landlock {
            0 => "this kernel has none".to_owned(),
            version => format!("this kernel has version {version}"),
        };
        if landlock < LANDLOCK_WITHOUT_SCOPES {
            let detail = format!("version 5 (Linux 6.10) is needed; {is}, which is used");
            lack(Layer::Landlock, detail);
        }
        if landlock < LANDLOCK {
            let detail = format!("Landlock version 6 (Linux 6.12) is needed; {is}");
            lack(Layer::LandlockScopes, detail);
        }
        for (layer, detail) in hierarchies.missing() {
            lack(layer, detail);
        }
        Self {
            hierarchies,
            landlock,
            own_users,
            copy_users: own_users && has_ids(&identity::ZYGOTES),
            low_page: low_page(),
            lacks,
        }
    }

    pub(crate) fn is_without(&self, layer: Layer) -> bool {
        self.lacks.iter().any(|report| report.layer == layer)
    }
}

/// Whether jails can have user ids of their own: for root, unless a container left it without them.
fn own_users() -> bool {
    rustix::process::geteuid().is_root() && has_ids(&identity::RANGE)
}

/// Whether this process has all users and groups of a range to give.
fn has_ids(range: &Range<u64>) -> bool {
    let mapped = |file: &str| fs::read_to_string(file).is_ok_and(|map| maps(&map, range));
    mapped("/proc/self/uid_map") && mapped("/proc/self/gid_map")
}

/// Whether a launcher can map the lowest page, and no program can.
fn low_page() -> bool {
    let raw = rustix::thread::CapabilitySet::SYS_RAWIO;
    let own = rustix::thread::capabilities(None);
    own.is_ok_and(|own| own.effective.contains(raw))
        // Root of a container has it too, and the kernel does not mean that.
        && fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| maps(&map, &EVERY_ID))
        && sys::low_page_is_protected().unwrap_or(false)
}

/// What only the first user namespace maps.
const EVERY_ID: Range<u64> = 0..4_294_967_295;

/// Whether a map of ids (user_namespaces(7)) has all of a range.
fn maps(map: &str, range: &Range<u64>) -> bool {
    map.lines().any(|line| {
        let mut fields = line.split_whitespace().map(|field| field.parse::<u64>());
        match (fields.next(), fields.next(), fields.next()) {
            (Some(Ok(first)), Some(Ok(_)), Some(Ok(count))) => {
                first <= range.start && range.end <= first.saturating_add(count)
            }
            _ => false,
        }
    })
}

/// The newest version of Landlock's interface that both this kernel and Atoll know.
fn landlock_version() -> i32 {
    (1..=LANDLOCK)
        .rev()
        .find(|version| {
            let ruleset = landlock_ruleset((*version).into());
            ruleset.and_then(Ruleset::create).is_ok()
        })
        .unwrap_or(0)
}

/// Everything that a version of Landlock's interface can restrict, all of it required.
pub(crate) fn landlock_ruleset(version: ABI) -> Result<Ruleset, RulesetError> {
    let mut ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    let (files, scopes) = (Part::Landlock, Part::LandlockScopes);
    // With both left out only the look at the host asks, and that is for all there is.
    let rules = !ablation::is_off(files) || ablation::is_off(scopes);
    if rules {
        ruleset = ruleset.handle_access(AccessFs::from_all(version))?;
    }
    if rules && version >= ABI::V4 {
        ruleset = ruleset.handle_access(AccessNet::from_all(version))?;
    }
    if version >= ABI::V6 && !ablation::is_off(scopes) {
        ruleset = ruleset.scope(Scope::from_all(version))?;
    }
    Ok(ruleset)
}

fn missing(layer: Layer, detail: String) -> LayerReport {
    LayerReport {
        layer,
        state: LayerState::Missing,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(hierarchies: Hierarchies, landlock: i32, own_users: bool) -> Vec<Layer> {
        let host = Host::with(hierarchies, landlock, own_users);
        host.lacks.into_iter().map(|report| report.layer).collect()
    }

    #[test]
    fn containers_may_leave_root_without_the_ids() {
        assert!(maps("         0          0 4294967295\n", &identity::RANGE));
        assert!(!maps("0 1000 1\n1 100000 65536\n", &identity::RANGE));
        assert!(!maps("", &identity::RANGE));
        assert!(maps("0 5 1\n1000 7 18446744073709551615", &(1000..2000)));
        // Enough for jails, and too few for zygotes.
        let few = "0 0 1610612736\n1610612736 1610612736 8388608\n";
        assert!(maps(few, &identity::RANGE) && !maps(few, &identity::ZYGOTES));
        assert!(maps("0 0 4294967295\n", &identity::ZYGOTES));
    }

    #[test]
    fn everything_that_a_poor_host_lacks_can_be_accepted_and_is_named() {
        let nothing = || Hierarchies::None("there are none".to_owned());
        let lacks = lacking(nothing(), 0, false);
        assert_eq!(lacks, Layer::DISPENSABLE);
        let lacks = lacking(nothing(), 5, true);
        assert_eq!(lacks, Layer::DISPENSABLE[2..]);
        // Records keep 256 bytes of a detail.
        for report in Host::with(nothing(), 2, false).lacks {
            assert!(report.detail.len() < 200, "{report:?}");
        }
    }
}
