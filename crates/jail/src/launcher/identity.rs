//! User ids: which ids of the host a jail's processes have.

use std::fs;
use std::io;
use std::ops::Range;

use crate::plan::GUEST_ID;

/// First of the host ids given to jails: far above what distributions hand to users, services and
/// containers. Two for each process id, so ids in use never collide: below
/// `BASE + 2 * 4_194_304`, the largest process id there can be.
pub(crate) const BASE: u32 = 0x6000_0000;

/// All of them.
pub(crate) const RANGE: Range<u64> = BASE as u64..BASE as u64 + 2 * 4_194_304;

/// Writes the id maps of the user namespace of `pid`.
///
/// With privileges the jail gets two host ids of its own: one for its first process (0 inside),
/// one for the program ([`GUEST_ID`] inside). Without, the caller's own id is all there is to map.
pub(super) fn write_maps(pid: i32, own_users: bool) -> io::Result<()> {
    let write = |file: &str, text: &str| fs::write(format!("/proc/{pid}/{file}"), text);
    if own_users {
        let first = BASE + 2 * pid.unsigned_abs();
        let map = format!("0 {first} 1\n{GUEST_ID} {} 1\n", first + 1);
        write("uid_map", &map)?;
        return write("gid_map", &map);
    }
    // The kernel asks for this before an unprivileged process may map groups.
    write("setgroups", "deny")?;
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    write("uid_map", &format!("{GUEST_ID} {} 1\n", user.as_raw()))?;
    write("gid_map", &format!("{GUEST_ID} {} 1\n", group.as_raw()))
}
