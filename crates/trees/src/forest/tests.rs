use super::*;
use crate::tree::tests::split;
use crate::tree::{Node, Side};

fn model(quantile: f64, initial: f64, nodes: &[Node]) -> Model {
    Model {
        quantile,
        initial,
        trees: vec![Tree::new(nodes, 2).unwrap()],
    }
}

fn names() -> Vec<String> {
    vec!["loops".to_owned(), "bytes".to_owned()]
}

#[test]
fn quantiles_that_cross_are_put_in_order() {
    let nodes = [split(0, 1.0, Side::Left), Node::Leaf(0.0), Node::Leaf(5.0)];
    let models = vec![model(0.5, 1.0, &nodes), model(0.9, 2.0, &[Node::Leaf(0.0)])];
    let forest = Forest::new(names(), models).unwrap();
    let bound = forest.bind(&["loops", "bytes"]).unwrap();
    assert_eq!(bound.values(&[0.0, 0.0]).unwrap(), [1.0, 2.0]);
    assert_eq!(bound.values(&[2.0, 0.0]).unwrap(), [2.0, 6.0]);
}

#[test]
fn a_forest_is_not_used_on_other_features() {
    let forest = Forest::new(names(), vec![model(0.5, 1.0, &[Node::Leaf(0.0)])]).unwrap();
    let swapped = forest.bind(&["bytes", "loops"]).unwrap_err();
    assert!(
        swapped
            .to_string()
            .contains("feature 0 is \"bytes\" here and \"loops\"")
    );
    let counts = BindError::Count {
        given: 1,
        trained: 2,
    };
    assert_eq!(forest.bind(&["loops"]).unwrap_err(), counts);
    assert!(forest.bind(&["loops", "bytes", "more"]).is_err());
    let bound = forest.bind(&["loops", "bytes"]).unwrap();
    assert_eq!(
        bound.values(&[1.0]),
        Err(RowError {
            given: 1,
            features: 2
        })
    );
}

#[test]
fn parts_that_do_not_fit_are_no_forest() {
    let leaf = [Node::Leaf(0.0)];
    let second = [split(1, 1.0, Side::Left), Node::Leaf(0.0), Node::Leaf(5.0)];
    let one = vec!["loops".to_owned()];
    for (features, models, error) in [
        (
            vec![],
            vec![model(0.5, 0.0, &leaf)],
            ForestError::Features(0),
        ),
        (one.clone(), vec![], ForestError::Models(0)),
        (
            one.clone(),
            vec![model(0.5, 0.0, &second)],
            ForestError::Unnamed(0.5),
        ),
        (
            one.clone(),
            vec![model(0.5, f64::INFINITY, &leaf)],
            ForestError::Initial(0.5),
        ),
        (
            one,
            vec![model(1.5, 0.0, &leaf)],
            ForestError::Quantile(1.5),
        ),
    ] {
        assert_eq!(Forest::new(features, models), Err(error));
    }
}

#[test]
fn a_shift_moves_every_prediction() {
    let mut model = model(0.5, 1.0, &[Node::Leaf(0.5)]);
    model.shift(0.25);
    model.shift(f64::NAN);
    assert_eq!(model.value(&[]), 1.75);
}

#[test]
fn a_correction_can_differ_between_kinds_of_rows() {
    let mut model = model(0.9, 1.0, &[Node::Leaf(0.0)]);
    model
        .shift_steps(1, &[(0.0, 10.0), (1.0, 20.0)], 30.0)
        .unwrap();
    for (row, value) in [
        ([0.0, 0.0], 11.0),
        ([0.0, 1.0], 21.0),
        ([0.0, 2.0], 31.0),
        ([0.0, f32::NAN], 31.0),
    ] {
        assert!((model.value(&row) - value).abs() < 1e-9, "{row:?}");
    }
    assert!(
        model
            .shift_steps(0, &[(1.0, 0.0), (1.0, 0.0)], 0.0)
            .is_err()
    );
    assert!(model.shift_steps(0, &[(1.0, f32::NAN)], 0.0).is_err());
    assert!(model.shift_steps(0, &[], 1.0).is_ok());
}
