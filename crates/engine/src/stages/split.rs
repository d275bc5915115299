//! Which parts of a program share a store, and which run apart.

use atoll_partition::{
    Choice, Override, Part, Program, Rules, Shape, Trust, Uncrossable, partition, read,
};
use atoll_types::{Alone, Content, Decision, Level, Message, Profile, Reason, Risk};

use crate::way::Halt;

/// Interfaces that WebAssembly programs find at this level without any part.
const PROVIDED: &str = "wasi:";

/// Splits a program that has parts, and notes in the decision how and why.
pub(crate) fn split(
    message: &Message,
    risk: &Risk,
    profile: &Profile,
    decision: &mut Decision,
) -> Result<(), Halt> {
    if message.parts.is_empty() {
        return Ok(());
    }
    if decision.level != Level::Instance {
        return Err(Halt::refused(format!(
            "a program with parts can only run at the level instance, and the level {} was decided",
            decision.level
        )));
    }
    let (program, rules) = question(message, risk, profile)?;
    let answer = partition(&program, &rules).map_err(|error| Halt::refused(error.to_string()))?;
    if answer.split.entry.is_none() {
        return Err(Halt::refused(format!(
            "`{}` is not a command: it does not export wasi:cli/run",
            message.program.part_name()
        )));
    }
    let processes = answer.split.groups.iter().map(|group| group.process);
    let processes = processes.max().unwrap_or(0).saturating_add(1) as u64;
    if processes > u64::from(decision.limits.processes) {
        return Err(Halt::refused(format!(
            "the parts of the program need {processes} processes, and the limit is {}",
            decision.limits.processes
        )));
    }
    let reasons = answer.reasons.into_iter().map(|text| Reason {
        from: "parts".to_owned(),
        text,
    });
    decision.reasons.extend(reasons);
    if answer.split.groups.len() > 1 && !decision.calls.is_empty() {
        return Err(Halt::refused(
            "rules for calls can only be held in one store, and the parts of the program would \
             have several; keep them together (--together), or decide without rules for calls"
                .to_owned(),
        ));
    }
    decision.split = Some(answer.split);
    Ok(())
}

/// What is asked: the application first, then its parts.
fn question(message: &Message, risk: &Risk, profile: &Profile) -> Result<(Program, Rules), Halt> {
    let trust = |source: Option<&String>, own: Option<f64>| Trust {
        source: source.map_or_else(|| message.tenant.to_string(), Clone::clone),
        risk: own.unwrap_or(risk.score),
    };
    let name = message.program.part_name();
    let application = Part {
        name: name.to_owned(),
        shape: shape(name, &message.program.bytes)?,
        trust: trust(None, None),
        native_heavy: false,
    };
    let mut parts = vec![application];
    let mut overrides = Vec::new();
    for part in &message.parts.parts {
        let name = &part.program.name;
        parts.push(Part {
            name: name.clone(),
            shape: shape(name, &part.program.bytes)?,
            trust: trust(part.trust.as_ref(), part.risk),
            native_heavy: part.native,
        });
        match part.alone {
            Some(Alone::Store) => overrides.push(Override::OwnStore(name.clone())),
            Some(Alone::Process) => overrides.push(Override::OwnProcess(name.clone())),
            None => {}
        }
    }
    let together = message.parts.together.iter();
    overrides.extend(together.map(|(one, other)| Override::Together(one.clone(), other.clone())));
    let choices = message.parts.provided.iter().map(|provided| Choice {
        importer: provided.importer.clone(),
        interface: provided.interface.clone(),
        provider: provided.provider.clone(),
    });
    let program = Program {
        parts,
        host: vec![PROVIDED.to_owned()],
        choices: choices.collect(),
        overrides,
        history: Vec::new(),
        run_time_us: profile.cpu_demand.quantiles.p50,
    };
    let uncrossable = if message.parts.refuse_mixed {
        Uncrossable::Refuse
    } else {
        Uncrossable::Link
    };
    let rules = Rules {
        uncrossable,
        ..Rules::default()
    };
    Ok((program, rules))
}

fn shape(name: &str, component: &Content) -> Result<Shape, Halt> {
    read(component)
        .map_err(|error| Halt::refused(format!("the part `{name}` cannot be used: {error}")))
}
