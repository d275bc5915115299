//! User ids: which ids of the host a jail's processes have.

use std::fs;
use std::io;
use std::ops::Range;

use crate::ablation::{self, Part};
use crate::plan::{GUEST_ID, Plan};

/// First of the host ids given to jails: far above what distributions hand to users, services and
/// containers. Two for each process id, so ids in use never collide: below
/// `BASE + 2 * 4_194_304`, the largest process id there can be.
pub(crate) const BASE: u32 = 0x6000_0000;

/// The user and group that own nothing, by convention.
const NOBODY: u32 = 65_534;

/// First of the host ids given to zygotes and their copies, and to container runtimes, above all of
/// those; [`ZYGOTE_IDS`] for each process id stay below the largest id there can be.
const ZYGOTE_BASE: u32 = 0x7000_0000;
const ZYGOTE_IDS: u32 = COPIES_MAX + 1;

/// The first id of a copy, inside its zygote's user namespace.
pub(crate) const FIRST_COPY: u32 = GUEST_ID;

/// Copies that one zygote may have at once.
pub(crate) const COPIES_MAX: u32 = 255;

/// All ids that are given to jails of one program.
pub(crate) const RANGE: Range<u64> = BASE as u64..BASE as u64 + 2 * 4_194_304;

/// All ids that are given to zygotes and their copies, and to container runtimes.
pub(crate) const ZYGOTES: Range<u64> =
    ZYGOTE_BASE as u64..ZYGOTE_BASE as u64 + ZYGOTE_IDS as u64 * 4_194_304;

/// Writes the id maps of the user namespace of `pid`.
///
/// With privileges the jail gets two host ids of its own: one for its first process (0 inside),
/// one for the program ([`GUEST_ID`] inside). A zygote is 0 itself, and there is one for each of
/// its copies. Without, the caller's own id is all there is to map.
pub(super) fn write_maps(pid: i32, plan: &Plan) -> io::Result<()> {
    if ablation::is_off(Part::UserNamespace) {
        return Ok(());
    }
    let write = |file: &str, text: &str| fs::write(format!("/proc/{pid}/{file}"), text);
    if plan.own_users {
        let (base, ids) = match plan.stays_root() {
            true => (ZYGOTE_BASE, ZYGOTE_IDS),
            false => (BASE, 2),
        };
        let first = if ablation::is_off(Part::OwnUser) {
            BASE
        } else {
            base + ids * pid.unsigned_abs()
        };
        // What is mapped beside user 0 begins with the same id for programs and copies.
        let map = if plan.runtime {
            // Container runtimes give some of their own processes the id of nobody.
            let (guest, nobody) = (first + 1, first + 2);
            format!("0 {first} 1\n{GUEST_ID} {guest} 1\n{NOBODY} {nobody} 1\n")
        } else {
            format!("0 {first} 1\n{GUEST_ID} {} {}\n", first + 1, ids - 1)
        };
        write("uid_map", &map)?;
        return write("gid_map", &map);
    }
    // The kernel asks for this before an unprivileged process may map groups.
    write("setgroups", "deny")?;
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    write("uid_map", &format!("{GUEST_ID} {} 1\n", user.as_raw()))?;
    write("gid_map", &format!("{GUEST_ID} {} 1\n", group.as_raw()))
}
