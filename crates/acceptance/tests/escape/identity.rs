//! Cases T: the host's clocks and names.

use crate::case::Expected::{Denied, Harmless, Invisible};
use crate::case::{Case, Expected, hold};

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);

const CASES: &[Case] = &[
    Case::new(
        "t01_clocks.py",
        &[
            ("settimeofday", NOT_PERMITTED),
            ("clock_settime", NOT_PERMITTED),
            ("clock_settime by python", NOT_PERMITTED),
            ("adjtimex", NOT_PERMITTED),
            ("clock_adjtime", NOT_PERMITTED),
            ("unshare time", NOT_PERMITTED),
            ("offsets", Denied(&["EACCES"])),
            ("hardware clock", Invisible),
            ("wake the host", Denied(&["EINVAL"])),
            ("read the clock", Harmless),
        ],
    ),
    Case::new(
        "t03_names.py",
        &[
            ("sethostname", NOT_PERMITTED),
            ("sethostname by number", NOT_PERMITTED),
            ("setdomainname", NOT_PERMITTED),
            ("by file", Invisible),
            ("read the name", Harmless),
        ],
    ),
];

#[test]
fn clocks_and_names_stay_as_they_are() {
    hold(CASES);
}
