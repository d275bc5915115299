//! What is decided about components is what can be done with them.

use std::sync::Arc;

use atoll_partition::{Part, Partition, Program, Rules, Trust, partition, read};
use atoll_types::{Basis, Means};
use atoll_wasm_worker::parts::Local;

use crate::harness::{APP, App, CALC, EXPORT, IMPORT, Runtime, TERMS, executor};

/// Decides about the application and its part, from their bytes.
fn decide(source: &str, risk: f64) -> Partition {
    let part = |name: &str, text: &str, source: &str, risk: f64| Part {
        name: name.to_owned(),
        shape: read(&wat::parse_str(text).unwrap()).unwrap(),
        trust: Trust {
            source: source.to_owned(),
            risk,
        },
        native_heavy: false,
    };
    let program = Program {
        parts: vec![
            part("app", APP, "me", 0.1),
            part("calc", CALC, source, risk),
        ],
        run_time_us: 10_000,
        ..Program::default()
    };
    partition(&program, &Rules::default()).unwrap()
}

/// Links the application to its part in the way that was decided.
async fn carry_out(runtime: &Runtime, partition: &Partition) -> App {
    let [crossing] = &partition.split.crossings[..] else {
        panic!("{partition:?}");
    };
    assert_eq!(crossing.interface, IMPORT);
    assert_eq!(crossing.exported_as, EXPORT);
    match crossing.means {
        Means::Linked => runtime.linked().await,
        Means::OtherStore => runtime.other_store(TERMS).await,
        Means::OtherProcess => {
            let (ours, mut theirs) = tokio::io::duplex(1 << 16);
            let part = Local::new(runtime.served(CALC, TERMS));
            tokio::spawn(async move { atoll_wasm_worker::parts::serve(&mut theirs, &part).await });
            let channel = atoll_wasm_worker::parts::Channel::new(ours, TERMS.deadline * 4);
            runtime.remote(Arc::new(channel)).await
        }
    }
}

#[test]
fn a_decision_can_be_carried_out() {
    executor().block_on(async {
        let cases = [
            ("me", 0.1, Means::Linked),
            ("them", 0.1, Means::OtherProcess),
            ("them", 0.9, Means::OtherProcess),
        ];
        for (source, risk, means) in cases {
            let partition = decide(source, risk);
            assert_eq!(
                partition.split.crossings[0].means, means,
                "{:#?}",
                partition.reasons
            );
            let runtime = Runtime::new();
            let mut app = carry_out(&runtime, &partition).await;
            app.assert_works().await;
        }
    });
}

#[test]
fn calls_are_predicted_from_the_code_of_a_real_component() {
    let partition = decide("them", 0.1);
    let crossing = &partition.split.crossings[0];
    // Six functions pass a call on, and three have a loop.
    assert_eq!(crossing.calls_per_run, 36.0);
    assert_eq!(crossing.basis, Basis::Predicted);
}

#[test]
fn a_part_with_resources_is_tied_to_its_caller() {
    let shape = read(&wat::parse_str(crate::composing::READER).unwrap()).unwrap();
    let obstacle = shape.imports[0].interface.obstacle.clone().unwrap();
    assert_eq!(obstacle.to_string(), "it defines the resource `counter`");
}
