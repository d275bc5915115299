//! Cases P: processes that outlive their program, or crash in odd ways.

use crate::case::Ending::{Exited, Signalled};
use crate::case::Expected::{Denied, Harmless, Invisible, Killed, Limited};
use crate::case::{Case, Ending, Expected, hold};
use crate::kernel::SIGSYS;

/// What Python makes of EPERM when a hard limit is to be raised.
const HARD_LIMIT: Expected = Denied(&["ValueError"]);

const CASES: &[Case] = &[
    Case::new("p01_daemon.py", &[("daemon", Harmless)]),
    Case::new(
        "p02_zombies.py",
        &[
            ("a thousand zombies", Limited("processes")),
            ("orphans", Harmless),
        ],
    ),
    Case::new(
        "p03_orphans.py",
        &[
            ("a hundred orphans", Harmless),
            ("zombies that stay", Invisible),
            ("be left others' children", Harmless),
        ],
    ),
    Case::new(
        "p04_exec_chain.py",
        &[
            ("replaced itself 500 times", Harmless),
            ("take the name", Denied(&["EACCES"])),
        ],
    ),
    Case::new(
        "p05_crashes.py",
        &[
            ("abort", Killed(6)),
            ("read of null", Killed(11)),
            ("write far away", Killed(11)),
            ("SIGSEGV", Killed(11)),
            ("SIGBUS", Killed(7)),
            ("SIGILL", Killed(4)),
            ("SIGFPE", Killed(8)),
            ("SIGKILL", Killed(9)),
            ("SIGXCPU", Killed(24)),
            ("SIGTRAP", Killed(5)),
            ("SIGSYS", Killed(SIGSYS)),
            ("core files", HARD_LIMIT),
            ("own files", Invisible),
        ],
    ),
];

#[test]
fn processes_end_with_their_program() {
    hold(CASES);
}

/// P-05: what ends the program is reported as it was. SIGKILL is missing: it is how limits end one.
#[test]
fn the_end_of_a_program_is_reported_as_it_was() {
    const ENDINGS: [(&[&str], Ending); 9] = [
        (&["--env", "ENDING=exit 0"], Exited(0)),
        (&["--env", "ENDING=exit 1"], Exited(1)),
        (&["--env", "ENDING=exit 124"], Exited(124)),
        (&["--env", "ENDING=exit 255"], Exited(255)),
        (&["--env", "ENDING=signal 6"], Signalled(6)),
        (&["--env", "ENDING=signal 11"], Signalled(11)),
        (&["--env", "ENDING=signal 15"], Signalled(15)),
        (&["--env", "ENDING=signal 31"], Signalled(31)),
        (&["--env", "ENDING=signal 64"], Signalled(64)),
    ];
    for (options, ending) in ENDINGS {
        let case = Case::new("p05_ending.py", &[])
            .options(options)
            .ends(ending);
        let faults = case.faults(&case.observe());
        // That it began is all the program says, and no outcome of an attempt.
        assert_eq!(faults, ["end: nobody expects this attempt"], "{options:?}");
    }
}
