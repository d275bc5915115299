//! Programs made of several components, by every way that their parts can call each other.

use atoll_partition::{Override, Part, Partition, Rules, Trust, partition, read};
use atoll_sandbox::conformance::limits;
use atoll_sandbox::{Backend, Ending, Job, JobParts, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{LimitName, Limits, Means, Program, ProgramKind};
use rustix::process::Signal;

use crate::support::{
    Going, Ran, alone, block_on, in_time, job, processes, program, signal, tenant,
};

const APP: &str = include_str!("parts/app.wat");
const CALC: &str = include_str!("parts/calc.wat");
const PRINTING: &str = include_str!("parts/printing.wat");

/// Every way of a call, the least isolated first.
const WAYS: [Means; 3] = [Means::Linked, Means::OtherStore, Means::OtherProcess];

fn component(name: &str, text: &str) -> Program {
    Program {
        name: format!("{name}.wasm"),
        ..program(ProgramKind::WasmComponent, wat::parse_str(text).unwrap())
    }
}

/// A command that imports the part, calls it as `steps` say, and fails when they answer 1.
fn app(steps: &str) -> Program {
    component("app", &APP.replace("(;STEPS;)", steps))
}

/// Decides that the application calls the part in this way.
fn decided(app: &Program, calc: &Program, means: Means) -> Partition {
    let part = |program: &Program, source: &str| Part {
        name: program.part_name().to_owned(),
        shape: read(&program.bytes).unwrap(),
        trust: Trust {
            source: source.to_owned(),
            risk: 0.1,
        },
        native_heavy: false,
    };
    let source = match means {
        Means::Linked | Means::OtherStore => "me",
        Means::OtherProcess => "them",
    };
    let overrides = match means {
        Means::OtherStore => vec![Override::OwnStore("calc".to_owned())],
        Means::Linked | Means::OtherProcess => Vec::new(),
    };
    let asked = atoll_partition::Program {
        parts: vec![part(app, "me"), part(calc, source)],
        host: vec!["wasi:".to_owned()],
        overrides,
        run_time_us: 1_000_000,
        ..atoll_partition::Program::default()
    };
    let decided = partition(&asked, &Rules::default()).unwrap();
    assert_eq!(decided.split.crossings[0].means, means, "{decided:#?}");
    decided
}

fn split(app: Program, calc: &str, means: Means) -> Job {
    let calc = Program {
        name: "calc".to_owned(),
        ..component("calc", calc)
    };
    let split = decided(&app, &calc, means).split;
    let parts = JobParts {
        programs: vec![calc],
        split,
    };
    Job {
        parts: Some(Box::new(parts)),
        ..job(app)
    }
}

/// Runs an application with the part, in a worker of its tenant.
fn run(steps: &str, calc: &str, means: Means, limits: Limits) -> Ran {
    run_in(steps, calc, means, limits, &tenant("a"))
}

fn run_in(steps: &str, calc: &str, means: Means, limits: Limits, tenancy: &Tenancy) -> Ran {
    block_on(async {
        let backend = WasmBackend::new();
        let job = split(app(steps), calc, means);
        let ran = Going::with(&backend, job, tenancy, limits)
            .await
            .end()
            .await;
        in_time(backend.close()).await;
        ran
    })
}

const ADDS: &str = "(i32.ne (call $add (i32.const 2) (i32.const 40)) (i32.const 42))";

#[test]
fn parts_call_each_other_by_every_way() {
    for means in WAYS {
        for tenancy in [tenant("a"), Tenancy::own()] {
            let ran = run_in(ADDS, CALC, means, limits(), &tenancy);
            assert_eq!(
                (&ran.ending, ran.limit),
                (&Ending::Exited(0), None),
                "{means:?}"
            );
            let processes = if means == Means::OtherProcess { 2 } else { 1 };
            assert_eq!(ran.usage.processes_peak, processes);
            assert!(ran.usage.cpu_time_us > 0 && ran.usage.memory_peak_bytes >= 3 * 65_536);
        }
    }
    // A wrong sum would have been noticed.
    let wrong = "(i32.ne (call $add (i32.const 2) (i32.const 2)) (i32.const 5))";
    let ran = run(wrong, CALC, Means::OtherProcess, limits());
    assert_eq!(ran.ending, Ending::Exited(1));
}

/// The part fails (an error, `misbehaves`), and is there again with an empty memory.
fn survives(misbehaves: u32) -> String {
    format!(
        "(if (i32.ne (call $value (i32.const 0)) (i32.const 1)) (then (return (i32.const 1))))
         (if (i32.ne (call $value (i32.const 0)) (i32.const 2)) (then (return (i32.const 1))))
         (if (i32.eqz (call $fails (i32.const {misbehaves}))) (then (return (i32.const 1))))
         (i32.ne (call $value (i32.const 0)) (i32.const 1))"
    )
}

#[test]
fn a_part_that_traps_gives_its_caller_an_error() {
    for means in [Means::OtherStore, Means::OtherProcess] {
        let ran = run(&survives(2), CALC, means, limits());
        assert_eq!(
            (&ran.ending, ran.limit),
            (&Ending::Exited(0), None),
            "{means:?}"
        );
    }
    let ran = run(&survives(2), CALC, Means::Linked, limits());
    assert!(
        matches!(ran.ending, Ending::Trapped(_)),
        "linked parts share a fate"
    );
}

#[test]
fn a_part_that_never_ends_gives_its_caller_an_error() {
    for means in [Means::OtherStore, Means::OtherProcess] {
        let short = Limits {
            wall_time_ms: 4_000,
            ..limits()
        };
        let ran = run(&survives(3), CALC, means, short);
        assert_eq!(
            (&ran.ending, ran.limit),
            (&Ending::Exited(0), None),
            "{means:?}"
        );
        assert!(ran.usage.wall_time_us >= 2_000_000 && ran.usage.cpu_time_us >= 1_000_000);
    }
}

#[test]
fn a_part_that_takes_too_much_memory_gives_its_caller_an_error() {
    for means in [Means::OtherStore, Means::OtherProcess] {
        let small = Limits {
            memory_bytes: 40 << 20,
            ..limits()
        };
        let ran = run(&survives(4), CALC, means, small);
        assert_eq!(ran.ending, Ending::Exited(0), "{means:?}");
        assert!(ran.usage.memory_peak_bytes <= 40 << 20, "{:?}", ran.usage);
    }
}

#[test]
fn a_failure_that_has_no_place_in_the_answer_is_a_trap_that_says_so() {
    let silent = r#"(component
      (core module $code
        (func (export "add") (param i32 i32) (result i32) unreachable)
        (memory (export "memory") 1)
        (func (export "check") (param i32) (result i32) unreachable))
      (core instance $code (instantiate $code))
      (func $add (param "a" u32) (param "b" u32) (result u32)
        (canon lift (core func $code "add")))
      (alias core export $code "memory" (core memory $memory))
      (func $check (param "x" u32) (result (result u32 (error string)))
        (canon lift (core func $code "check") (memory $memory)))
      (instance $calc (export "add" (func $add)) (export "check" (func $check)))
      (export "acme:tools/calc@1.0.0" (instance $calc)))"#;
    for means in [Means::OtherStore, Means::OtherProcess] {
        let ran = run(ADDS, silent, means, limits());
        let Ending::Trapped(text) = &ran.ending else {
            panic!("{ran:?}");
        };
        assert!(text.contains("acme:tools/calc@1.0.0#add failed"), "{text}");
        assert!(text.contains("the part trapped"), "{text}");
    }
}

#[test]
fn what_a_part_writes_is_the_messages_output() {
    for means in WAYS {
        let ran = run(ADDS, PRINTING, means, limits());
        assert_eq!(
            (&ran.ending, ran.limit),
            (&Ending::Exited(0), None),
            "{means:?}"
        );
        assert_eq!(ran.stdout, "from the part\n", "{means:?}");
    }
}

#[test]
fn a_part_whose_process_is_killed_gives_its_caller_an_error() {
    if !alone("parts::a_part_whose_process_is_killed_gives_its_caller_an_error") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        // The part is asked until it fails.
        let steps = "(loop $again (br_if $again (i32.eqz (call $fails (i32.const 0)))))
            (i32.eqz (call $fails (i32.const 0)))";
        let job = split(app(steps), CALC, Means::OtherProcess);
        let before = Going::start(&backend, crate::support::job(app_alone()), &tenant("a")).await;
        before.end().await;
        let own = processes("serve");
        let going = Going::start(&backend, job, &tenant("a")).await;
        let theirs: Vec<i32> = processes("serve")
            .into_iter()
            .filter(|pid| !own.contains(pid))
            .collect();
        // That of the program was made first.
        assert_eq!(theirs.len(), 2, "{own:?} {theirs:?}");
        signal(theirs[1], Signal::KILL);
        let ran = going.end().await;
        assert_eq!((&ran.ending, ran.limit), (&Ending::Exited(0), None));
        in_time(backend.close()).await;
        assert_eq!(processes("serve"), Vec::<i32>::new());
    });
}

/// A command without parts.
fn app_alone() -> Program {
    component(
        "alone",
        r#"(component
          (core module $main (func (export "run") (result i32) (i32.const 0)))
          (core instance $main (instantiate $main))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
    )
}

/// A part that answers with a number.
fn answering(number: usize) -> String {
    format!(
        r#"(component
          (core module $part (memory (export "memory") 1)
            (func (export "f") (result i32) (i32.const {number})))
          (core instance $part (instantiate $part))
          (func $f (result u32) (canon lift (core func $part "f")))
          (instance (export "acme:many/p{number}") (export "f" (func $f))))"#
    )
}

/// A command that adds up what so many parts answer, and fails when the sum is wrong.
fn adding(parts: usize) -> String {
    let each = |text: &dyn Fn(usize) -> String| (0..parts).map(text).collect::<String>();
    let imports = each(&|n| {
        format!(
            r#"(import "acme:many/p{n}" (instance $p{n} (export "f" (func (result u32)))))
            (core func $l{n} (canon lower (func $p{n} "f")))"#
        )
    });
    let functions = each(&|n| format!(r#"(import "p" "f{n}" (func $f{n} (result i32)))"#));
    let sum = each(&|n| format!("(local.set $sum (i32.add (local.get $sum) (call $f{n})))"));
    let given = each(&|n| format!(r#"(export "f{n}" (func $l{n}))"#));
    let right: usize = (0..parts).sum();
    format!(
        r#"(component {imports}
          (core module $main {functions} (memory 1)
            (func (export "run") (result i32) (local $sum i32)
              {sum} (i32.ne (local.get $sum) (i32.const {right}))))
          (core instance $main (instantiate $main (with "p" (instance {given}))))
          (func $run (result (result)) (canon lift (core func $main "run")))
          (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#
    )
}

/// As many as a program may have, itself included.
#[test]
fn sixty_four_parts_share_a_store() {
    let app = component("app", &adding(63));
    let named = |number: usize| Program {
        name: format!("p{number}"),
        ..component("part", &answering(number))
    };
    let programs: Vec<Program> = (0..63).map(named).collect();
    let part = |program: &Program| Part {
        name: program.part_name().to_owned(),
        shape: read(&program.bytes).unwrap(),
        trust: Trust {
            source: "me".to_owned(),
            risk: 0.1,
        },
        native_heavy: false,
    };
    let asked = atoll_partition::Program {
        parts: std::iter::once(&app).chain(&programs).map(part).collect(),
        host: vec!["wasi:".to_owned()],
        run_time_us: 1_000_000,
        ..atoll_partition::Program::default()
    };
    let split = partition(&asked, &Rules::default()).unwrap().split;
    assert_eq!(split.groups.len(), 1, "{split:#?}");
    let job = Job {
        parts: Some(Box::new(JobParts { programs, split })),
        ..job(app)
    };
    block_on(async {
        let backend = WasmBackend::new();
        let going = Going::with(&backend, job, &tenant("a"), limits()).await;
        let ran = going.end().await;
        assert_eq!((&ran.ending, ran.limit), (&Ending::Exited(0), None));
        in_time(backend.close()).await;
    });
}

#[test]
fn limits_and_stops_hold_while_a_part_runs() {
    let endless = "(call $fails (i32.const 3))";
    for means in WAYS {
        let short = Limits {
            cpu_time_ms: 600,
            ..limits()
        };
        let ran = run(endless, CALC, means, short);
        // Where the part runs apart, its end is an error for its caller, which has used little.
        match means {
            Means::Linked | Means::OtherStore => {
                assert_eq!(ran.limit, Some(LimitName::CpuTime), "{means:?} {ran:?}");
            }
            Means::OtherProcess => assert_eq!(ran.ending, Ending::Exited(1), "{ran:?}"),
        }
        block_on(async {
            let backend = WasmBackend::new();
            let job = split(app(endless), CALC, means);
            let mut going = Going::start(&backend, job, &tenant("a")).await;
            going.sandbox.stop();
            let ran = going.end().await;
            assert_eq!(ran.ending, Ending::Signalled(9), "{means:?}");
            in_time(backend.close()).await;
        });
    }
}

#[test]
fn no_process_is_left_of_parts() {
    if !alone("parts::no_process_is_left_of_parts") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        for drops in [true, false] {
            let job = split(
                app("(call $fails (i32.const 3))"),
                CALC,
                Means::OtherProcess,
            );
            let going = Going::start(&backend, job, &Tenancy::own()).await;
            assert_eq!(processes("serve").len(), 2);
            if drops {
                drop(going);
            } else {
                in_time(going.sandbox.destroy()).await.unwrap();
            }
            for _ in 0..500 {
                if processes("serve").is_empty() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            assert_eq!(processes("serve"), Vec::<i32>::new(), "{drops}");
        }
        in_time(backend.close()).await;
    });
}
