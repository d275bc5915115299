//! Messages and outcomes as the engine would make them.

use std::collections::BTreeSet;

use atoll_store::{Accepted, Owner};
use atoll_types::calls::CallRules;
use atoll_types::{
    Analysis, Basis, Capability, Complexity, ComplexityPart, Confidence, Crossing, Decision,
    Dependency, DependencySource, Enforcement, ExecutionClass, Group, Layer, LayerReport,
    LayerState, Lesson, Level, Limits, Literal, Means, MessageId, Origin, Outcome, Profile,
    ProfileSource, ProgramHash, ProgramKind, Quantiles, Reason, ResourceEstimate, Risk, RiskPart,
    SecurityFlag, Sharing, Split, Status, SystemCalls, TenantId, Timings, Usage,
};

/// 2026-01-01 00:00:00 UTC.
pub(crate) const START_UNIX_MS: u64 = 1_767_225_600_000;

/// The id of the `number`th message.
pub(crate) fn id(number: u64) -> MessageId {
    let mut random = [0x5a; 10];
    random[2..].copy_from_slice(&number.to_be_bytes());
    MessageId::new(START_UNIX_MS + number, random)
}

pub(crate) fn tenant(name: &str) -> TenantId {
    TenantId::new(name).unwrap()
}

pub(crate) fn program(name: &str) -> ProgramHash {
    ProgramHash::of(name.as_bytes())
}

/// The `number`th message, one a second.
pub(crate) fn accepted(number: u64, sender: &str, name: &str) -> Accepted {
    Accepted {
        id: id(number),
        tenant: tenant(sender),
        origin: Origin::CommandLine,
        program: program(name),
        program_name: name.to_owned(),
        kind: ProgramKind::Python,
        received_unix_ms: START_UNIX_MS + number * 1_000,
        owner: Owner {
            pid: 4_242,
            start_ticks: 99,
            boot_id: "a boot".to_owned(),
        },
    }
}

/// A plain exit of an accepted message, with every part there is.
pub(crate) fn outcome(message: &Accepted) -> Outcome {
    Outcome {
        id: message.id,
        tenant: message.tenant.clone(),
        program: message.program,
        program_name: message.program_name.clone(),
        status: Status::Exited,
        exit_code: Some(0),
        signal: None,
        limit: None,
        reason: None,
        sandbox_message: None,
        stdout: b"what the program printed".to_vec(),
        stderr: Vec::new(),
        truncated: false,
        collection: None,
        analysis: Some(analysis()),
        risk: Some(risk()),
        profile: Some(profile()),
        decision: Some(decision()),
        enforcement: Some(enforcement()),
        calls: None,
        adaptation: None,
        trial: None,
        usage: Usage {
            wall_time_us: 31_000,
            cpu_time_us: 24_000,
            memory_peak_bytes: 9 << 20,
            output_bytes: 24,
            disk_bytes: 0,
            processes_peak: 1,
            io: Some(atoll_types::IoUsage {
                reads: 60,
                writes: 2,
                read_bytes: 600_000,
                written_bytes: 24,
            }),
        },
        timings_us: timings(),
    }
}

pub(crate) fn ended(number: u64) -> u64 {
    START_UNIX_MS + number * 1_000 + 31
}

fn analysis() -> Analysis {
    let dependency = |name: &str| Dependency {
        name: name.to_owned(),
        source: DependencySource::StandardLibrary,
    };
    let part = |name: &str, points| ComplexityPart {
        name: name.to_owned(),
        points,
        points_max: 20.0,
        because: format!("{points} of what there was to count"),
    };
    Analysis {
        kind: ProgramKind::Python,
        code_bytes: 6_214,
        lines: 200,
        functions: 14,
        loops: 9,
        loop_nesting_max: 2,
        recursion: false,
        instructions: 1_877,
        literals: (1..9)
            .map(|value| Literal {
                role: "range".to_owned(),
                value: value * 100,
            })
            .collect(),
        dependencies: ["collections", "csv", "json", "pathlib", "statistics", "sys"]
            .map(dependency)
            .into(),
        host_calls: ["open", "pathlib.Path.read_text", "sys.argv"]
            .map(str::to_owned)
            .into(),
        capabilities: BTreeSet::from([Capability::FilesRead, Capability::FilesWrite]),
        disguised: BTreeSet::new(),
        execution_class: ExecutionClass::Short,
        complexity: Complexity::from_parts(vec![
            part("code size", 6.5),
            part("loops", 7.25),
            part("recursion", 0.0),
            part("dependencies", 4.5),
            part("capabilities", 2.75),
        ]),
        declared_memory_bytes: None,
        problems: Vec::new(),
    }
}

fn risk() -> Risk {
    let part = |name: &str, value| RiskPart {
        name: name.to_owned(),
        value,
        because: "nothing was held against the sender or the program before".to_owned(),
    };
    Risk {
        score: 0.15625,
        parts: vec![
            part("origin", 0.125),
            part("history of the tenant", 0.0),
            part("history of the program", 0.0),
            part("novelty", 0.03125),
            part("bursts", 0.0),
            part("analysis", 0.0),
        ],
    }
}

fn profile() -> Profile {
    let estimate = |p50| ResourceEstimate {
        quantiles: Quantiles {
            p50,
            p90: p50 * 2,
            p99: p50 * 4,
        },
        confidence: Confidence::Medium,
        source: ProfileSource::Table {
            rows: vec!["python".to_owned(), "csv".to_owned()],
        },
    };
    Profile {
        cpu_demand: estimate(30_000),
        memory_footprint: estimate(12 << 20),
        io_intensity: atoll_types::IoIntensity::without_network(
            estimate(4_096),
            estimate(4_096),
            estimate(4_096),
        ),
        security_flags: vec![SecurityFlag {
            name: "files-read-and-write".to_owned(),
            capabilities: BTreeSet::from([Capability::FilesRead, Capability::FilesWrite]),
            because: "it may read a file and write its content to another".to_owned(),
        }],
        dependencies: BTreeSet::from([Dependency {
            name: "csv".to_owned(),
            source: DependencySource::StandardLibrary,
        }]),
        lesson: Lesson::default(),
    }
}

pub(crate) fn decision() -> Decision {
    Decision {
        level: Level::Process,
        sharing: Sharing::Message,
        messages_max: 1,
        limits: Limits {
            wall_time_ms: 10_000,
            cpu_time_ms: 10_000,
            cpu_percent: 100,
            memory_bytes: 256 << 20,
            processes: 32,
            disk_bytes: 64 << 20,
            disk_files: 1_024,
            output_bytes: 1 << 20,
            open_files: 64,
        },
        system_calls: SystemCalls::Strict,
        network: Vec::new(),
        calls: CallRules {
            rules: vec!["deny=EACCES file.open /etc/**".parse().unwrap()],
            audit: true,
        },
        accept_missing: BTreeSet::from([Layer::CpuLimit]),
        trial_ms: 300,
        split: Some(split()),
        rule: "scripts".to_owned(),
        reasons: vec![Reason {
            from: "rule".to_owned(),
            text: "scripts run in a process of their own, without a network".to_owned(),
        }],
    }
}

fn split() -> Split {
    let group = |name: &str, process| Group {
        parts: vec![name.to_owned()],
        process,
        risk: 0.25,
        sources: vec!["acme".to_owned()],
    };
    Split {
        groups: vec![group("app", 0), group("codec", 1)],
        crossings: vec![Crossing {
            caller: "app".to_owned(),
            callee: "codec".to_owned(),
            interface: "acme:images/codec@1.0.0".to_owned(),
            exported_as: "acme:images/codec@1.2.0".to_owned(),
            means: Means::OtherProcess,
            calls_per_run: 10.0,
            basis: Basis::Predicted,
            cost_us_per_run: 200.0,
        }],
        cost_us_per_run: 200.0,
        share_of_run: 0.125,
        entry: Some("wasi:cli/run@0.2.6".to_owned()),
    }
}

fn enforcement() -> Enforcement {
    let layers = [
        Layer::UserNamespace,
        Layer::MountNamespace,
        Layer::PidNamespace,
        Layer::NetworkNamespace,
        Layer::IpcNamespace,
        Layer::UtsNamespace,
        Layer::ReadOnlyRoot,
        Layer::PrivateFiles,
        Layer::NoCapabilities,
        Layer::NoNewPrivileges,
        Layer::Seccomp,
        Layer::Landlock,
        Layer::ResourceLimits,
        Layer::MemoryLimit,
        Layer::ProcessLimit,
        Layer::CpuLimit,
        Layer::ClosedDescriptors,
    ];
    let report = |layer| LayerReport {
        layer,
        state: LayerState::Enforced,
        detail: "in force, by the mechanism this text would name".to_owned(),
    };
    Enforcement {
        level: Level::Process,
        layers: layers.map(report).into(),
    }
}

fn timings() -> Timings {
    let stages = [
        "analyze", "risk", "predict", "decide", "take", "run", "destroy",
    ];
    Timings {
        stages: stages.map(|stage| (stage.to_owned(), 123)).into(),
        total: 33_333,
    }
}
