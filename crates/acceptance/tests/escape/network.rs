//! Cases N: the host's network, its sockets, and their configuration.

use crate::case::Expected::{Denied, Harmless, Invisible};
use crate::case::{Case, Expected, hold};

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);
const NO_FAMILY: Expected = Denied(&["EAFNOSUPPORT"]);

const CASES: &[Case] = &[
    Case::new(
        "n01_loopback.py",
        &[
            ("tcp", NO_FAMILY),
            ("tcp, version 6", NO_FAMILY),
            ("tcp, mapped", NO_FAMILY),
            ("udp", NO_FAMILY),
            ("icmp", NO_FAMILY),
            ("ping", NO_FAMILY),
            ("sctp", NO_FAMILY),
            ("names of interfaces", NO_FAMILY),
            ("pair", Harmless),
        ],
    ),
    Case::new(
        "n02_names.py",
        &[
            ("a name", Denied(&["gaierror"])),
            ("servers of names", Invisible),
            ("a server of names", NO_FAMILY),
            ("metadata", NO_FAMILY),
            ("metadata, version 6", NO_FAMILY),
            ("/run/nscd/socket", Invisible),
            ("/run/systemd/resolve/io.systemd.Resolve", Invisible),
        ],
    ),
    Case::new(
        "n04_unix_sockets.py",
        &[
            ("abstract name", Denied(&["ECONNREFUSED"])),
            ("path", Invisible),
            ("/run/docker.sock", Invisible),
            ("/var/run/docker.sock", Invisible),
            ("/run/containerd/containerd.sock", Invisible),
            ("/run/dbus/system_bus_socket", Invisible),
            ("/run/systemd/private", Invisible),
            ("/dev/log", Invisible),
            ("own abstract name", Harmless),
            ("own path", Harmless),
        ],
    ),
    Case::new(
        "n08_configuration.py",
        &[
            ("netlink route", NO_FAMILY),
            ("netlink netfilter", NO_FAMILY),
            ("netlink audit", NO_FAMILY),
            ("netlink xfrm", NO_FAMILY),
            ("netlink generic", NO_FAMILY),
            ("bring an interface up", Denied(&["ENOTTY"])),
            ("read an interface", Denied(&["ENOTTY"])),
            ("add a route", Denied(&["ENOTTY"])),
            ("add a bridge", Denied(&["ENOTTY"])),
            ("capture", NO_FAMILY),
            ("mark packets", NOT_PERMITTED),
            ("bind to a device", Harmless),
            ("force a buffer", NOT_PERMITTED),
            ("ask for the type", Harmless),
        ],
    ),
];

#[test]
fn no_socket_of_the_host_is_reached() {
    hold(CASES);
}
