//! Cases R: using more than was granted.

use atoll_acceptance::ISOLATION_POLICY;

use crate::case::Ending::Limit;
use crate::case::Expected::{Denied, Harmless, Invisible, Limited};
use crate::case::{Case, Expected, hold};

const NOT_PERMITTED: Expected = Denied(&["EPERM"]);

/// What Python makes of EPERM when a hard limit is to be raised.
const HARD_LIMIT: Expected = Denied(&["ValueError"]);

/// More memory than disk, so that it is the limit on the disk that is met.
const ROOMY: &[&str] = &["--memory", "1GiB"];

/// Memory and disk as they are without a prediction.
const USUAL_MEMORY: &[&str] = &["--memory", "256MiB"];

const CASES: &[Case] = &[
    Case::new(
        "r01_forks.py",
        &[
            ("a hundred and fifty children", Limited("processes")),
            ("a hundred and fifty zombies", Limited("processes")),
        ],
    ),
    Case::new(
        "r02_buffers_in_children.py",
        &[("forty children full of buffers", Limited("memory"))],
    )
    .ends(Limit("memory")),
    Case::new(
        "r02_little.py",
        &[("three hundred mebibytes", Limited("memory"))],
    )
    .options(USUAL_MEMORY)
    .ends(Limit("memory")),
    Case::new(
        "r02_many_memfds.py",
        &[("sixteen files in memory", Limited("memory"))],
    )
    .ends(Limit("memory")),
    Case::new(
        "r02_memfd.py",
        &[(
            "a file of four gibibytes in memory",
            Limited("size of a file"),
        )],
    ),
    Case::new(
        "r02_objects.py",
        &[
            ("two thousand timers", Limited("signals")),
            ("a hundred thousand maps", Limited("memory")),
            ("twenty thousand locks", Harmless),
            ("a thousand watches", Harmless),
            ("page tables", Limited("memory")),
        ],
    )
    .ends(Limit("memory")),
    Case::new(
        "r02_pipes.py",
        &[("buffers of pipes and sockets", Limited("open files"))],
    ),
    Case::new(
        "r02_populate.py",
        &[
            ("locked", Limited("locked memory")),
            ("huge pages", Denied(&["ENOMEM"])),
            ("mlockall", NOT_PERMITTED),
            ("mlock", Limited("locked memory")),
            ("four megabytes", Harmless),
            ("four gibibytes at once", Limited("memory")),
        ],
    )
    .ends(Limit("memory")),
    Case::new(
        "r02_shared_memory.py",
        &[
            ("shmget", NOT_PERMITTED),
            ("four gibibytes in /dev/shm", Limited("disk")),
        ],
    )
    .options(ROOMY),
    Case::new(
        "r03_busy.py",
        &[("forty busy processes", Limited("wall-time"))],
    )
    .options(&["--timeout", "2s"])
    .ends(Limit("wall-time")),
    Case::new(
        "r03_priorities.py",
        &[
            ("nice", NOT_PERMITTED),
            ("setpriority", Denied(&["EACCES"])),
            ("priority of others", NOT_PERMITTED),
            ("SCHED_FIFO", NOT_PERMITTED),
            ("SCHED_RR", NOT_PERMITTED),
            ("SCHED_DEADLINE", NOT_PERMITTED),
            ("scheduler of the first process", NOT_PERMITTED),
            ("input and output first", NOT_PERMITTED),
            ("a lower priority", Harmless),
            ("a thousand threads", Limited("processes")),
        ],
    ),
    Case::new("r03_share.py", &[("more than was granted", Invisible)]),
    Case::new(
        "r04_three_seconds.py",
        &[("three seconds", Limited("wall-time"))],
    )
    .options(&["--timeout", "1s"])
    .ends(Limit("wall-time")),
    Case::new("r04_deaf.py", &[("sleep for ever", Limited("wall-time"))])
        .options(&["--timeout", "2s"])
        .ends(Limit("wall-time")),
    Case::new("r04_stopped.py", &[("stop itself", Limited("wall-time"))])
        .options(&["--timeout", "2s"])
        .ends(Limit("wall-time")),
    Case::new(
        "r04_waiting.py",
        &[
            ("make a pipe", NOT_PERMITTED),
            ("read for ever", Limited("wall-time")),
        ],
    )
    .options(&["--timeout", "2s"])
    .ends(Limit("wall-time")),
    Case::new(
        "r05_descriptors.py",
        &[
            ("open", Limited("open files")),
            ("dup", Limited("open files")),
            ("pipe", Limited("open files")),
            ("socketpair", Limited("open files")),
            ("epoll", Limited("open files")),
            ("memfd", Limited("open files")),
            ("in flight", Limited("open files")),
            ("raise the limit", HARD_LIMIT),
            ("open one", Harmless),
        ],
    ),
    Case::new(
        "r05_bounds.py",
        &[
            ("three hundred descriptors", Limited("open files")),
            ("two thousand signals", Limited("signals")),
            ("a larger stack", HARD_LIMIT),
        ],
    ),
    Case::new(
        "r06_little.py",
        &[("seventeen mebibytes", Limited("output"))],
    )
    .ends(Limit("output")),
    Case::new("r06_flood.py", &[("flood", Limited("output"))]).ends(Limit("output")),
    Case::new("r06_flood_afterwards.py", &[("flood afterwards", Harmless)]),
];

#[test]
fn no_limit_is_exceeded() {
    hold(CASES);
}

/// processor time is held for its own sake, well before the clock on the wall.
#[test]
fn processor_time_is_held() {
    let policy = tempfile::NamedTempFile::new().unwrap();
    let usual = "cpu_time = { value = \"10s\"";
    assert!(ISOLATION_POLICY.contains(usual));
    let tight = ISOLATION_POLICY.replace(usual, "cpu_time = { value = \"1s\"");
    std::fs::write(policy.path(), tight).unwrap();
    let case = Case::new(
        "r03_time.py",
        &[("four seconds of processor time", Limited("cpu-time"))],
    )
    .ends(Limit("cpu-time"));
    let observed = case.observe_with(&["--policy", policy.path().to_str().unwrap()]);
    assert_eq!(case.faults(&observed), [""; 0]);
}
