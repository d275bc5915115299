//! Says in sentences why a program is split as it is.

use atoll_types::Means;

use crate::connect::{Connected, Edge, bits};
use crate::group::{Grouped, is_pure, native_alone};
use crate::outcome::TieCause;
use crate::place::{Placed, process_cost, risk_of, worth};
use crate::program::{Override, Program, Rules};

/// One sentence for each thing that was decided.
pub(crate) fn reasons(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
    grouped: &Grouped,
    placed: &Placed,
) -> Vec<String> {
    let mut reasons = Vec::new();
    for tie in &grouped.ties {
        reasons.push(tie.sentence());
    }
    for store in &grouped.stores {
        reasons.extend(of_store(program, rules, grouped, *store));
    }
    for part in 0..program.parts.len() {
        reasons.extend(of_part(program, rules, connected, grouped, part));
    }
    for edge in &connected.edges {
        reasons.push(of_edge(program, rules, grouped, placed, edge));
    }
    reasons
}

fn names(program: &Program, set: u64) -> String {
    let names: Vec<String> = bits(set)
        .map(|part| format!("`{}`", program.name(part)))
        .collect();
    names.join(", ")
}

fn of_store(program: &Program, rules: &Rules, grouped: &Grouped, store: u64) -> Option<String> {
    if store.count_ones() < 2 {
        return None;
    }
    let names = names(program, store);
    if is_pure(program, rules, store) {
        return Some(format!(
            "{names} share a store because they have the same trust: a call between them costs as \
             little as inside one program, and a trap in one ends all"
        ));
    }
    let by_interface = grouped.ties.iter().any(|tie| {
        let inside = bits(store).any(|part| program.name(part) == tie.one);
        inside && tie.cause != TieCause::Override
    });
    let why = if by_interface {
        "an interface that cannot cross ties them together"
    } else {
        "that was demanded"
    };
    Some(format!(
        "{names} share a store although their trust differs, because {why}; all of it is held for \
         as risky as the worst of them, {}",
        percent(risk_of(program, store))
    ))
}

/// Why a part is not linked with others of its source.
fn of_part(
    program: &Program,
    rules: &Rules,
    connected: &Connected,
    grouped: &Grouped,
    part: usize,
) -> Option<String> {
    let name = program.name(part);
    let trust = program.trust(part)?;
    let store = Grouped::of(&grouped.stores, part);
    for demand in &program.overrides {
        match demand {
            Override::OwnStore(wanted) if wanted == name => {
                return Some(format!("`{name}` has a store of its own as demanded"));
            }
            Override::OwnProcess(wanted) if wanted == name => {
                return Some(format!("`{name}` has a process of its own as demanded"));
            }
            _ => {}
        }
    }
    if trust.risk > rules.risk_alone {
        return Some(format!(
            "`{name}` shares a process with no part that it is not tied to, because its risk of {} \
             is above {}",
            percent(trust.risk),
            percent(rules.risk_alone)
        ));
    }
    let class = grouped.class.get(part).copied().flatten()?;
    let mut others = (0..part).filter(|other| grouped.class.get(*other) == Some(&Some(class)));
    let other = others.find(|other| Grouped::of(&grouped.stores, *other) != store)?;
    if native_alone(program, rules, connected, part) && store.count_ones() == 1 {
        return Some(format!(
            "`{name}` has a store of its own because it is compiled from a language that does not \
             protect its memory and is rarely called: when it traps, its callers go on"
        ));
    }
    let other = program.name(other);
    Some(format!(
        "`{name}` has the trust of `{other}` but another store, because not the same parts of \
         other trust call both, or one of them is to be alone: a store that waits for an answer \
         cannot be entered again"
    ))
}

fn of_edge(
    program: &Program,
    rules: &Rules,
    grouped: &Grouped,
    placed: &Placed,
    edge: &Edge,
) -> String {
    let (caller, callee) = (program.name(edge.caller), program.name(edge.callee));
    let interface = &edge.interface;
    let calls = edge.calls_per_run;
    let basis = edge.basis.name();
    let head = format!("`{caller}` calls `{callee}` through {interface}");
    let tied = |part| Grouped::of(&grouped.tied, part);
    let risk = risk_of(program, tied(edge.caller) | tied(edge.callee));
    let cost = percent(process_cost(program, rules, edge));
    let tail = match placed.means(grouped, edge) {
        Means::Linked => "directly".to_owned(),
        Means::OtherStore => {
            let class = |part: usize| grouped.class.get(part).copied().flatten();
            let alike = class(edge.caller).is_some() && class(edge.caller) == class(edge.callee);
            if alike {
                "in another store: their trust is the same, so a process of its own would add \
                 nothing"
                    .to_owned()
            } else {
                format!(
                    "in another store of the same process: a process of its own would cost {cost} \
                     of the run on some way between them, and the risk of {} is worth {}",
                    percent(risk),
                    percent(worth(rules, risk))
                )
            }
        }
        Means::OtherProcess if risk >= rules.risk_alone => {
            format!(
                "in another process: at a risk of {} no cost counts",
                percent(risk)
            )
        }
        Means::OtherProcess if is_demanded(program, edge) => {
            "in another process as demanded".to_owned()
        }
        Means::OtherProcess => format!(
            "in another process, which costs {cost} of the run; their trust differs, and the risk \
             of {} is worth {}",
            percent(risk),
            percent(worth(rules, risk))
        ),
    };
    format!("{head} ({calls:.0} calls in a run, {basis}) {tail}")
}

fn is_demanded(program: &Program, edge: &Edge) -> bool {
    let ends = [program.name(edge.caller), program.name(edge.callee)];
    program
        .overrides
        .iter()
        .any(|demand| matches!(demand, Override::OwnProcess(name) if ends.contains(&name.as_str())))
}

fn percent(value: f64) -> String {
    if value.is_infinite() {
        return "any cost".to_owned();
    }
    let value = value * 100.0;
    if value > 0.0 && value < 1.0 {
        format!("{value:.2} %")
    } else {
        format!("{value:.0} %")
    }
}
