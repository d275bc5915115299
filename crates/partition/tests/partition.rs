//! Programs and how they are split: single cases, and what holds for all of them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first surprise"
)]

use std::collections::{BTreeMap, BTreeSet};

use atoll_partition::{
    Choice, ConnectError, Handle, Import, Interface, Measured, Obstacle, Override, Part, Partition,
    PartitionError, Program, Rules, Shape, TieCause, Trust, Uncrossable, partition,
};
use atoll_types::{Basis, Means};
use proptest::prelude::*;

fn interface(name: &str) -> Interface {
    Interface {
        name: name.to_owned(),
        functions: Vec::new(),
        obstacle: None,
    }
}

fn import(name: &str, calls: Option<f64>) -> Import {
    Import {
        interface: interface(name),
        calls_predicted: calls,
    }
}

fn part(name: &str, source: &str, risk: f64) -> Part {
    Part {
        name: name.to_owned(),
        shape: Shape {
            imports: Vec::new(),
            exports: vec![interface(&format!("x:{name}/api"))],
        },
        trust: Trust {
            source: source.to_owned(),
            risk,
        },
        native_heavy: false,
    }
}

/// Parts, and calls between them: caller, callee, calls in one run.
fn program(parts: &[Part], calls: &[(&str, &str, f64)]) -> Program {
    let mut parts = parts.to_vec();
    for (caller, callee, count) in calls {
        let caller = parts.iter_mut().find(|part| part.name == *caller).unwrap();
        let name = format!("x:{callee}/api");
        caller.shape.imports.push(import(&name, Some(*count)));
    }
    Program {
        parts,
        host: vec!["wasi:".to_owned()],
        run_time_us: 1_000_000,
        ..Program::default()
    }
}

fn cannot_cross(program: &mut Program, caller: &str, callee: &str) {
    let part = program.parts.iter_mut().find(|part| part.name == caller);
    let name = format!("x:{callee}/api");
    let mut imports = part.unwrap().shape.imports.iter_mut();
    let import = imports.find(|import| import.interface.name == name);
    import.unwrap().interface.obstacle = Some(Obstacle::Handle {
        function: "open".to_owned(),
        handle: Handle::Own,
    });
}

fn split(program: &Program) -> Partition {
    partition(program, &Rules::default()).unwrap()
}

fn failure(program: &Program) -> PartitionError {
    partition(program, &Rules::default()).unwrap_err()
}

/// The stores as names.
fn stores(partition: &Partition) -> Vec<Vec<&str>> {
    let groups = partition.split.groups.iter();
    groups
        .map(|group| group.parts.iter().map(String::as_str).collect())
        .collect()
}

fn means(partition: &Partition, caller: &str, callee: &str) -> Means {
    let mut crossings = partition.split.crossings.iter();
    let found = crossings.find(|edge| edge.caller == caller && edge.callee == callee);
    found.unwrap().means
}

fn isolation(partition: &Partition, one: &str, other: &str) -> Means {
    let group = |name: &str| {
        let mut groups = partition.split.groups.iter();
        let named = |part: &String| part == name;
        groups
            .position(|group| group.parts.iter().any(named))
            .unwrap()
    };
    let (one, other) = (group(one), group(other));
    if one == other {
        Means::Linked
    } else if partition.split.groups[one].process == partition.split.groups[other].process {
        Means::OtherStore
    } else {
        Means::OtherProcess
    }
}

#[test]
fn the_same_trust_is_linked() {
    let parts = [part("app", "me", 0.1), part("lib", "me", 0.2)];
    let partition = split(&program(&parts, &[("app", "lib", 1e6)]));
    assert_eq!(stores(&partition), [["lib", "app"]]);
    assert_eq!(partition.split.groups[0].risk, 0.2);
    assert_eq!(means(&partition, "app", "lib"), Means::Linked);
    // A million calls of 10 ns.
    assert!((partition.split.cost_us_per_run - 10_000.0).abs() < 1e-6);
    assert!((partition.split.share_of_run - 0.0099).abs() < 1e-4);
}

#[test]
fn different_trust_runs_in_other_processes() {
    let parts = [part("app", "me", 0.1), part("plugin", "them", 0.3)];
    let partition = split(&program(&parts, &[("app", "plugin", 100.0)]));
    assert_eq!(stores(&partition), [["app"], ["plugin"]]);
    assert_eq!(means(&partition, "app", "plugin"), Means::OtherProcess);
    assert_eq!(partition.split.cost_us_per_run, 2_000.0);
    assert!(
        partition.reasons.iter().any(|reason| reason
            == "`app` calls `plugin` through x:plugin/api (100 calls in a run, predicted) in \
                another process, which costs 0.20 % of the run; their trust differs, and the risk \
                of 30 % is worth 150 %"),
        "{:#?}",
        partition.reasons
    );
}

#[test]
fn many_calls_at_little_risk_make_do_with_another_store() {
    let parts = [part("app", "me", 0.05), part("plugin", "them", 0.1)];
    let partition = split(&program(&parts, &[("app", "plugin", 1e6)]));
    assert_eq!(means(&partition, "app", "plugin"), Means::OtherStore);
    assert_eq!(
        partition.split.groups[0].process,
        partition.split.groups[1].process
    );
}

#[test]
fn no_number_of_calls_counts_at_high_risk() {
    let parts = [part("app", "me", 0.05), part("plugin", "them", 0.7)];
    let partition = split(&program(&parts, &[("app", "plugin", 1e9)]));
    assert_eq!(means(&partition, "app", "plugin"), Means::OtherProcess);
}

#[test]
fn a_risky_part_of_the_same_source_is_apart() {
    let parts = [part("app", "me", 0.1), part("lib", "me", 0.6)];
    let partition = split(&program(&parts, &[("app", "lib", 1e9)]));
    assert_eq!(means(&partition, "app", "lib"), Means::OtherProcess);
}

#[test]
fn measured_calls_count_more_than_predicted_ones() {
    let parts = [part("app", "me", 0.05), part("plugin", "them", 0.1)];
    let mut program = program(&parts, &[("app", "plugin", 1e6)]);
    program.history.push(Measured {
        caller: "app".to_owned(),
        interface: "x:plugin/api".to_owned(),
        calls_per_run: 3.0,
    });
    let partition = split(&program);
    assert_eq!(means(&partition, "app", "plugin"), Means::OtherProcess);
    assert_eq!(partition.split.crossings[0].basis, Basis::Measured);
    assert_eq!(partition.split.crossings[0].calls_per_run, 3.0);
}

#[test]
fn predictions_multiply_along_calls() {
    let parts = [
        part("app", "me", 0.1),
        part("lib", "me", 0.1),
        part("plugin", "them", 0.1),
    ];
    let partition = split(&program(
        &parts,
        &[("app", "lib", 10.0), ("lib", "plugin", 5.0)],
    ));
    assert_eq!(partition.split.crossings[1].calls_per_run, 50.0);
}

#[test]
fn what_cannot_cross_stays_together_and_is_said() {
    let parts = [part("app", "me", 0.1), part("plugin", "them", 0.9)];
    let mut program = program(&parts, &[("app", "plugin", 1.0)]);
    cannot_cross(&mut program, "app", "plugin");
    let partition = split(&program);
    assert_eq!(stores(&partition), [["plugin", "app"]]);
    assert_eq!(partition.split.groups[0].risk, 0.9);
    assert_eq!(partition.split.groups[0].sources, ["me", "them"]);
    assert_eq!(
        partition.kept_together[0].sentence(),
        "`app` and `plugin` share a store because x:plugin/api cannot be called across stores: \
         `open` takes or gives an own handle of a resource"
    );
    assert!(
        partition.reasons[1].ends_with(
            "an interface that cannot cross ties them together; all of it is held for as risky as \
             the worst of them, 90 %"
        ),
        "{:#?}",
        partition.reasons
    );

    let rules = Rules {
        uncrossable: Uncrossable::Refuse,
        ..Rules::default()
    };
    let error = atoll_partition::partition(&program, &rules).unwrap_err();
    assert!(matches!(error, PartitionError::Refused { .. }), "{error}");
}

#[test]
fn a_part_between_tied_parts_is_tied_too() {
    let parts = [
        part("app", "me", 0.1),
        part("filter", "them", 0.3),
        part("lib", "me", 0.1),
    ];
    let calls = [
        ("app", "lib", 1.0),
        ("app", "filter", 1.0),
        ("filter", "lib", 1.0),
    ];
    let mut program = program(&parts, &calls);
    // Without a tie, the library has a store of its own.
    let partition = split(&program);
    assert_eq!(isolation(&partition, "app", "lib"), Means::OtherStore);
    assert_eq!(isolation(&partition, "app", "filter"), Means::OtherProcess);
    cannot_cross(&mut program, "app", "lib");
    let partition = split(&program);
    assert_eq!(stores(&partition), [["lib", "filter", "app"]]);
    assert_eq!(partition.kept_together[1].cause, TieCause::Between);
}

#[test]
fn overrides_are_kept_or_refused() {
    let parts = [
        part("app", "me", 0.1),
        part("lib", "me", 0.1),
        part("plugin", "them", 0.9),
    ];
    let calls = [("app", "lib", 1.0), ("app", "plugin", 1.0)];
    let mut program = program(&parts, &calls);
    program.overrides = vec![Override::OwnStore("lib".to_owned())];
    assert_eq!(means(&split(&program), "app", "lib"), Means::OtherStore);
    program.overrides = vec![Override::OwnProcess("lib".to_owned())];
    assert_eq!(means(&split(&program), "app", "lib"), Means::OtherProcess);
    let together = Override::Together("app".to_owned(), "plugin".to_owned());
    program.overrides = vec![together.clone()];
    let partition = split(&program);
    assert_eq!(stores(&partition), [vec!["plugin", "app"], vec!["lib"]]);
    program.overrides = vec![together, Override::OwnProcess("plugin".to_owned())];
    let error = failure(&program).to_string();
    assert!(error.starts_with("`plugin` cannot be alone: "), "{error}");
    program.overrides = vec![Override::OwnStore("plug".to_owned())];
    assert_eq!(
        failure(&program).to_string(),
        "there is no part `plug`; the parts are app, lib, plugin"
    );
}

#[test]
fn a_native_part_that_is_rarely_called_has_its_own_store() {
    let mut native = part("codec", "me", 0.1);
    native.native_heavy = true;
    let parts = [part("app", "me", 0.1), native];
    let rare = split(&program(&parts, &[("app", "codec", 1_000.0)]));
    assert_eq!(means(&rare, "app", "codec"), Means::OtherStore);
    let often = split(&program(&parts, &[("app", "codec", 1e6)]));
    assert_eq!(means(&often, "app", "codec"), Means::Linked);
}

#[test]
fn imports_that_nobody_provides_are_named() {
    let app = part("app", "me", 0.1);
    let mut wanting = program(std::slice::from_ref(&app), &[]);
    wanting.parts[0].shape.imports = vec![import("wasi:io/poll@0.2.0", None)];
    assert_eq!(split(&wanting).host_imports.len(), 1);
    wanting.parts[0].shape.imports = vec![import("x:lib/api@1.2.0", None)];
    assert_eq!(
        failure(&wanting).to_string(),
        "`app` imports x:lib/api@1.2.0, which no part exports and the host does not provide; give \
         the part that exports it"
    );
    let mut lib = part("lib", "me", 0.1);
    lib.shape.exports = vec![interface("x:lib/api@2.0.0")];
    wanting.parts.push(lib.clone());
    assert_eq!(
        failure(&wanting).to_string(),
        "`app` imports x:lib/api@1.2.0, and `lib` exports x:lib/api@2.0.0, which is not \
         compatible; give a part with the same or a later compatible version"
    );
    wanting.parts[1].shape.exports = vec![interface("x:lib/api@1.4.0")];
    assert_eq!(
        split(&wanting).split.crossings[0].exported_as,
        "x:lib/api@1.4.0"
    );
}

#[test]
fn several_providers_need_a_choice() {
    let mut first = part("first", "me", 0.1);
    first.shape.exports = vec![interface("x:lib/api")];
    let mut second = part("second", "me", 0.1);
    second.shape.exports = vec![interface("x:lib/api")];
    let mut program = program(&[part("app", "me", 0.1), first, second], &[]);
    program.parts[0].shape.imports = vec![import("x:lib/api", None)];
    assert_eq!(
        failure(&program).to_string(),
        "`app` imports x:lib/api, which several parts export: `first`, `second`; choose one"
    );
    program.choices.push(Choice {
        importer: "app".to_owned(),
        interface: "x:lib/api".to_owned(),
        provider: "second".to_owned(),
    });
    assert_eq!(split(&program).split.crossings[0].callee, "second");
    program.choices[0].provider = "app".to_owned();
    let error = failure(&program);
    assert!(matches!(
        error,
        PartitionError::Connect(ConnectError::BadChoice { .. })
    ));
}

#[test]
fn one_store_has_one_provider_of_an_import() {
    let provider = |name: &str, source: &str| Part {
        shape: Shape {
            imports: Vec::new(),
            exports: vec![interface("x:lib/api")],
        },
        ..part(name, source, 0.4)
    };
    let parts = [
        part("app", "me", 0.1),
        part("lib", "me", 0.1),
        provider("first", "them"),
        provider("second", "others"),
    ];
    let mut program = program(&parts, &[("app", "lib", 1.0)]);
    for (importer, provider) in [(0, "first"), (1, "second")] {
        program.parts[importer]
            .shape
            .imports
            .push(import("x:lib/api", None));
        program.choices.push(Choice {
            importer: program.parts[importer].name.clone(),
            interface: "x:lib/api".to_owned(),
            provider: provider.to_owned(),
        });
    }
    assert_eq!(
        failure(&program).to_string(),
        "`app` and `lib` share a store and import x:lib/api from different parts; choose the same \
         for both, or give one of them a store of its own"
    );
    program.overrides.push(Override::OwnStore("lib".to_owned()));
    assert_eq!(split(&program).split.groups.len(), 4);
}

#[test]
fn an_answer_says_what_enters_and_leaves_a_store() {
    let parts = [
        part("app", "me", 0.1),
        part("lib", "me", 0.1),
        part("plugin", "them", 0.3),
    ];
    let calls = [
        ("app", "lib", 1.0),
        ("app", "plugin", 1.0),
        ("lib", "plugin", 1.0),
    ];
    let partition = split(&program(&parts, &calls));
    let [own, other] = &partition.split.groups[..] else {
        panic!("{partition:?}");
    };
    let callees = |edges: Vec<&atoll_types::Crossing>| -> Vec<String> {
        edges.iter().map(|edge| edge.callee.clone()).collect()
    };
    assert_eq!(callees(partition.split.inside(own).collect()), ["lib"]);
    assert_eq!(
        callees(partition.split.leaving(own).collect()),
        ["plugin", "plugin"]
    );
    assert_eq!(partition.split.entered(own), []);
    assert_eq!(partition.split.entered(other), [("plugin", "x:plugin/api")]);
}

#[test]
fn a_circle_of_imports_is_shown() {
    let parts = [
        part("app", "me", 0.1),
        part("a", "me", 0.1),
        part("b", "them", 0.1),
    ];
    let calls = [("app", "a", 1.0), ("a", "b", 1.0), ("b", "a", 1.0)];
    let error = failure(&program(&parts, &calls)).to_string();
    assert!(
        error.starts_with("parts import each other in a circle: a -> b -> a; "),
        "{error}"
    );
}

#[test]
fn inputs_out_of_range_are_refused() {
    let same = [part("app", "me", 0.1), part("app", "me", 0.1)];
    let risk = [part("app", "me", 1.5)];
    let nan = [part("app", "me", f64::NAN)];
    let many: Vec<Part> = (0..65).map(|n| part(&format!("p{n}"), "me", 0.1)).collect();
    for parts in [&[][..], &same, &risk, &nan, &many] {
        let error = failure(&program(parts, &[]));
        assert!(matches!(error, PartitionError::Invalid(_)), "{error}");
    }
    let calls = [("app", "lib", f64::INFINITY)];
    let parts = [part("app", "me", 0.1), part("lib", "me", 0.1)];
    assert!(matches!(
        failure(&program(&parts, &calls)),
        PartitionError::Invalid(_)
    ));
}

/// A program without circles: a part calls only parts with higher numbers.
fn programs() -> impl Strategy<Value = Program> {
    let part = (0..3_u8, 0.0..1.0_f64, prop::bool::weighted(0.2));
    let calls = prop_oneof![
        Just(None),
        (0.0..7.0_f64).prop_map(|e| Some(10_f64.powf(e)))
    ];
    let edge = (0..8_usize, 0..8_usize, calls, prop::bool::weighted(0.15));
    let demand = (0..3_u8, 0..8_usize, 0..8_usize);
    (
        prop::collection::vec(part, 1..8),
        prop::collection::vec(edge, 0..14),
        prop::collection::vec(demand, 0..2),
    )
        .prop_map(|(described, edges, demands)| {
            let count = described.len();
            let name = |index: usize| format!("p{}", index % count);
            let parts = described.iter().enumerate();
            let mut parts: Vec<Part> = parts
                .map(|(index, (source, risk, native_heavy))| Part {
                    native_heavy: *native_heavy,
                    ..part_of(&name(index), *source, *risk)
                })
                .collect();
            for (one, other, calls, is_tied) in edges {
                let (caller, callee) = (one % count, other % count);
                let interface = format!("x:{}/api", name(callee));
                let mut imports = parts[caller].shape.imports.iter();
                let known = imports.any(|import| import.interface.name == interface);
                if caller < callee && !known {
                    let mut import = import(&interface, calls);
                    import.interface.obstacle = is_tied.then_some(Obstacle::NotAnInterface);
                    parts[caller].shape.imports.push(import);
                }
            }
            let overrides = demands.iter().map(|(kind, one, other)| match kind {
                0 => Override::Together(name(*one), name(*other)),
                1 => Override::OwnStore(name(*one)),
                _ => Override::OwnProcess(name(*one)),
            });
            Program {
                parts,
                overrides: overrides.collect(),
                run_time_us: 50_000,
                ..Program::default()
            }
        })
}

fn part_of(name: &str, source: u8, risk: f64) -> Part {
    part(name, ["me", "them", "others"][usize::from(source)], risk)
}

/// Pairs that may be together whatever their trust, worked out in another way than the crate
/// does: grow the set of tied parts until nothing more lies between them.
fn tied(program: &Program) -> BTreeMap<String, BTreeSet<String>> {
    let names: Vec<String> = program.parts.iter().map(|part| part.name.clone()).collect();
    let calls = |from: &str, to: &str| {
        let part = program.parts.iter().find(|part| part.name == from).unwrap();
        let wanted = format!("x:{to}/api");
        let mut imports = part.shape.imports.iter();
        imports.any(|import| import.interface.name == wanted)
    };
    fn leads(from: &str, to: &str, names: &[String], calls: &dyn Fn(&str, &str) -> bool) -> bool {
        let mut next = names.iter().filter(|name| calls(from, name));
        next.any(|name| name == to || leads(name, to, names, calls))
    }
    let mut sets: Vec<BTreeSet<String>> = names.iter().map(|name| [name.clone()].into()).collect();
    let join = |sets: &mut Vec<BTreeSet<String>>, one: &str, other: &str| {
        let a = sets.iter().position(|set| set.contains(one)).unwrap();
        let a = sets.remove(a);
        if a.contains(other) {
            sets.push(a);
        } else {
            let b = sets.iter_mut().find(|set| set.contains(other)).unwrap();
            b.extend(a);
        }
    };
    for part in &program.parts {
        for import in &part.shape.imports {
            let callee = &import.interface.name[2..import.interface.name.len() - 4];
            if import.interface.obstacle.is_some() {
                join(&mut sets, &part.name, callee);
            }
        }
    }
    for demand in &program.overrides {
        if let Override::Together(one, other) = demand {
            join(&mut sets, one, other);
        }
    }
    loop {
        let mut found = None;
        for set in &sets {
            for name in names.iter().filter(|name| !set.contains(*name)) {
                let from = set.iter().any(|inside| leads(inside, name, &names, &calls));
                let back = set.iter().any(|inside| leads(name, inside, &names, &calls));
                if from && back {
                    found = Some((set.first().unwrap().clone(), name.clone()));
                }
            }
        }
        match found {
            Some((inside, between)) => join(&mut sets, &inside, &between),
            None => break,
        }
    }
    let set_of = |name: &String| sets.iter().find(|set| set.contains(name)).unwrap().clone();
    names
        .iter()
        .map(|name| (name.clone(), set_of(name)))
        .collect()
}

/// Whether no way of calls from `at` enters a store that it has left.
fn stays_out(
    partition: &Partition,
    at: &str,
    left: &mut Vec<usize>,
    group: &dyn Fn(&str) -> usize,
) -> bool {
    let here = group(at);
    let mut calls = partition
        .split
        .crossings
        .iter()
        .filter(|edge| edge.caller == at);
    calls.all(|edge| {
        let there = group(&edge.callee);
        if there == here {
            return stays_out(partition, &edge.callee, left, group);
        }
        if left.contains(&there) {
            return false;
        }
        left.push(here);
        let sound = stays_out(partition, &edge.callee, left, group);
        left.pop();
        sound
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// What holds for every program that can be split.
    #[test]
    fn every_partition_is_sound(program in programs()) {
        let rules = Rules::default();
        let Ok(partition) = atoll_partition::partition(&program, &rules) else {
            return Ok(());
        };
        // Every part is in one store.
        let groups = partition.split.groups.iter();
        let mut placed: Vec<&String> = groups.flat_map(|group| &group.parts).collect();
        placed.sort();
        placed.dedup();
        let all: usize = partition.split.groups.iter().map(|group| group.parts.len()).sum();
        prop_assert_eq!(placed.len(), program.parts.len());
        prop_assert_eq!(all, program.parts.len());
        // Different trust shares a store only where it is tied.
        let tied = tied(&program);
        let trust = |name: &str| &program.parts.iter().find(|p| p.name == name).unwrap().trust;
        for group in &partition.split.groups {
            for (index, one) in group.parts.iter().enumerate() {
                prop_assert!(trust(one).risk <= group.risk);
                for other in &group.parts[index + 1..] {
                    let same = trust(one).source == trust(other).source
                        && trust(one).risk.max(trust(other).risk) <= rules.risk_alone;
                    prop_assert!(same || tied[one].contains(other), "{} {}", one, other);
                }
            }
        }
        // Parts of a process are all below the threshold, or all in one store.
        for one in &partition.split.groups {
            for other in &partition.split.groups {
                if one != other && one.process == other.process {
                    prop_assert!(one.risk.max(other.risk) <= rules.risk_alone);
                }
            }
        }
        // Every import has one provider, and what cannot cross is linked.
        let imports: usize = program.parts.iter().map(|part| part.shape.imports.len()).sum();
        prop_assert_eq!(partition.split.crossings.len() + partition.host_imports.len(), imports);
        let mut cost = 0.0;
        for edge in &partition.split.crossings {
            prop_assert!(edge.cost_us_per_run >= 0.0);
            prop_assert_eq!(edge.means, isolation(&partition, &edge.caller, &edge.callee));
            cost += edge.cost_us_per_run;
            let part = program.parts.iter().find(|part| part.name == edge.caller).unwrap();
            let mut imports = part.shape.imports.iter();
            let import = imports.find(|i| i.interface.name == edge.interface).unwrap();
            if import.interface.obstacle.is_some() {
                prop_assert_eq!(edge.means, Means::Linked);
            }
        }
        prop_assert_eq!(cost, partition.split.cost_us_per_run);
        prop_assert!((0.0..=1.0).contains(&partition.split.share_of_run));
        // The same question has the same answer.
        prop_assert_eq!(&partition, &atoll_partition::partition(&program, &rules).unwrap());
    }

    /// No way of calls leaves a store and comes back: it would enter a store that waits.
    #[test]
    fn no_store_is_entered_while_it_waits(program in programs()) {
        let Ok(partition) = atoll_partition::partition(&program, &Rules::default()) else {
            return Ok(());
        };
        let group = |name: &str| {
            let mut groups = partition.split.groups.iter();
            groups.position(|group| group.parts.iter().any(|part| part == name)).unwrap()
        };
        for part in &program.parts {
            prop_assert!(stays_out(&partition, &part.name, &mut Vec::new(), &group));
        }
    }

    /// When the risk of any part rises, no two parts are isolated less than before.
    #[test]
    fn more_risk_never_means_less_isolation(
        program in programs(),
        which in any::<prop::sample::Index>(),
        more in 0.0..1.0_f64,
    ) {
        let Ok(before) = atoll_partition::partition(&program, &Rules::default()) else {
            return Ok(());
        };
        let mut riskier = program.clone();
        let part = which.index(riskier.parts.len());
        let risk = &mut riskier.parts[part].trust.risk;
        *risk += (1.0 - *risk) * more;
        let after = atoll_partition::partition(&riskier, &Rules::default()).unwrap();
        for one in &program.parts {
            for other in &program.parts {
                let (was, is) = (
                    isolation(&before, &one.name, &other.name),
                    isolation(&after, &one.name, &other.name),
                );
                prop_assert!(is >= was, "{} {}: {:?} to {:?}", one.name, other.name, was, is);
            }
        }
    }
}
