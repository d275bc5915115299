//! `atoll doctor`: what this host can enforce.

use std::fmt::Write as _;

use atoll_engine::{Diagnosis, KvmDiagnosis, LevelDiagnosis};

use crate::args::{DoctorArgs, HostArgs};
use crate::error::CliError;
use crate::terminal::{BAD, BOLD, DIM, DOUBTFUL, GOOD, plain, print, section, styled};
use crate::{json, message};

pub(crate) async fn doctor(args: &DoctorArgs, host: HostArgs) -> Result<u8, CliError> {
    let engine = message::open(host, None)?;
    let diagnosis = engine.doctor().await;
    print(&if args.json {
        json::diagnosis(&diagnosis)
    } else {
        text(&diagnosis)
    })?;
    Ok(0)
}

fn text(diagnosis: &Diagnosis) -> String {
    let mut out = String::new();
    for level in &diagnosis.levels {
        write_level(&mut out, level);
    }
    let kinds = diagnosis.kinds.iter().map(|kind| {
        let able: Vec<&str> = kind
            .levels
            .iter()
            .filter_map(|(level, able)| able.is_ok().then_some(level.name()))
            .collect();
        if able.is_empty() {
            let why: Vec<String> = kind
                .levels
                .iter()
                .filter_map(|(level, able)| {
                    able.as_ref()
                        .err()
                        .map(|why| format!("{level}: {}", plain(why)))
                })
                .collect();
            format!(
                "{:<15} {} ({})",
                kind.kind.name(),
                styled(BAD, "nowhere"),
                why.join("; ")
            )
        } else {
            format!("{:<15} {}", kind.kind.name(), able.join(", "))
        }
    });
    section(&mut out, "Programs and the levels that can run them", kinds);
    section(
        &mut out,
        "Hardware virtualization (KVM)",
        kvm(&diagnosis.kvm),
    );
    let instructions = match &diagnosis.instructions {
        Ok(()) => styled(GOOD, "the processor counts them"),
        Err(why) => format!("{}: {}", styled(DOUBTFUL, "not counted"), plain(why)),
    };
    let trials = "trials go by CPU time".to_owned();
    section(&mut out, "Instructions", [instructions, trials]);
    let large = match &diagnosis.large_programs {
        Ok(()) => vec![styled(GOOD, "read in a jail")],
        Err(why) => vec![
            format!("{}: {}", styled(BAD, "not read"), plain(why)),
            "they count as not understood; install atoll-analyzer next to the atoll binary"
                .to_owned(),
        ],
    };
    section(&mut out, "Programs of unusual size", large);
    let state = match &diagnosis.state {
        Ok(path) => format!("{} {}", styled(GOOD, "usable"), plain(path)),
        Err(why) => format!("{} {}", styled(BAD, "unusable"), plain(why)),
    };
    section(&mut out, "State", [state]);
    out
}

fn write_level(out: &mut String, level: &LevelDiagnosis) {
    let word = if level.available {
        styled(GOOD, "available")
    } else {
        styled(BAD, "not available")
    };
    let name = styled(BOLD, level.level.name());
    let _ = writeln!(out, "{name}: {word}: {}", plain(&level.because));
    for mechanism in &level.mechanisms {
        let mark = if mechanism.available {
            styled(GOOD, "ok     ")
        } else {
            styled(BAD, "missing")
        };
        let detail = styled(DIM, &plain(&mechanism.detail));
        let _ = writeln!(out, "  {mark} {:<19} {detail}", mechanism.layer.name());
        if let Some(advice) = mechanism.advice {
            let _ = writeln!(out, "          {advice}");
        }
    }
}

fn kvm(diagnosis: &KvmDiagnosis) -> Vec<String> {
    match diagnosis {
        KvmDiagnosis::Usable { detail } => {
            vec![format!("{}: {}", styled(GOOD, "usable"), plain(detail))]
        }
        KvmDiagnosis::Unusable { detail, advice } => vec![
            format!("{}: {}", styled(BAD, "not usable"), plain(detail)),
            (*advice).to_owned(),
        ],
        KvmDiagnosis::NotChecked { detail, advice } => vec![
            format!("{}: {}", styled(DOUBTFUL, "not checked"), plain(detail)),
            (*advice).to_owned(),
        ],
    }
}
