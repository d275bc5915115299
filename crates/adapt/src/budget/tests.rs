use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;

use super::*;

fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn now(budget: &Budget, bytes: u64) -> Reservation {
    match poll(pin!(budget.reserve(bytes))) {
        Poll::Ready(Ok(reservation)) => reservation,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_set_aside_comes_back() {
    let budget = Budget::new(800);
    let mut one = now(&budget, 300);
    let two = now(&budget, 400);
    assert_eq!(budget.report().reserved_bytes, 700);
    assert!(one.grow(400));
    assert!(!one.grow(401), "that is all there is");
    one.shrink(100);
    assert_eq!((one.bytes(), budget.report().reserved_bytes), (100, 500));
    drop((one, two));
    let report = budget.report();
    assert_eq!((report.reserved_bytes, report.reservations), (0, 0));
}

#[test]
fn who_came_first_starts_first() {
    let budget = Budget::new(800);
    let running = now(&budget, 600);
    let mut large = pin!(budget.reserve(500));
    let mut small = pin!(budget.reserve(10));
    assert!(poll(large.as_mut()).is_pending());
    assert!(poll(small.as_mut()).is_pending(), "though there is room");
    drop(running);
    assert!(matches!(poll(large), Poll::Ready(Ok(_))));
    assert!(matches!(poll(small), Poll::Ready(Ok(_))));
}

#[test]
fn who_gave_up_keeps_nobody_waiting_and_nothing() {
    let budget = Budget::new(800);
    let running = now(&budget, 600);
    let mut small = pin!(budget.reserve(10));
    {
        let mut large = pin!(budget.reserve(500));
        assert!(poll(large.as_mut()).is_pending());
        assert!(poll(small.as_mut()).is_pending());
    }
    drop(running);
    let Poll::Ready(Ok(small)) = poll(small) else {
        panic!("the place of whoever left is the next one's");
    };
    assert_eq!(budget.report().reserved_bytes, small.bytes());
}

#[test]
fn who_gives_up_lets_the_next_start_at_once() {
    let budget = Budget::new(800);
    let _running = now(&budget, 600);
    let mut small = pin!(budget.reserve(10));
    {
        let mut large = pin!(budget.reserve(500));
        assert!(poll(large.as_mut()).is_pending());
        assert!(poll(small.as_mut()).is_pending());
    }
    assert!(matches!(poll(small), Poll::Ready(Ok(_))));
    assert_eq!(budget.report().waiting, 0);
}

#[test]
fn what_runs_may_grow_into_memory_that_nobody_may_start_with() {
    let budget = Budget::new(800);
    let mut running = now(&budget, 700);
    assert!(poll(pin!(budget.reserve(1))).is_pending());
    assert!(running.grow(800));
}

#[test]
fn what_can_never_start_is_told_so() {
    let budget = Budget::new(800);
    let Poll::Ready(Err(too_large)) = poll(pin!(budget.reserve(701))) else {
        panic!("it waits for ever");
    };
    assert_eq!(too_large.most_bytes, 700);
}

#[derive(Debug, Clone)]
enum Act {
    Reserve(u64),
    Grow(usize, u64),
    Shrink(usize, u64),
    Drop(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (1..900_u64).prop_map(Act::Reserve),
        (any::<usize>(), 1..1000_u64).prop_map(|(which, bytes)| Act::Grow(which, bytes)),
        (any::<usize>(), 1..1000_u64).prop_map(|(which, bytes)| Act::Shrink(which, bytes)),
        any::<usize>().prop_map(Act::Drop),
    ]
}

proptest! {
    #[test]
    fn never_more_is_set_aside_than_there_is(acts in proptest::collection::vec(act(), 0..200)) {
        let budget = Budget::new(1000);
        let mut held: Vec<Reservation> = Vec::new();
        for act in acts {
            let count = held.len().max(1);
            match act {
                Act::Reserve(bytes) => {
                    if let Poll::Ready(Ok(one)) = poll(pin!(budget.reserve(bytes))) {
                        held.push(one);
                    }
                }
                Act::Grow(which, bytes) => {
                    if let Some(one) = held.get_mut(which % count) {
                        let before = one.bytes();
                        let grew = one.grow(bytes);
                        prop_assert_eq!(one.bytes(), if grew { before.max(bytes) } else { before });
                    }
                }
                Act::Shrink(which, bytes) => {
                    if let Some(one) = held.get_mut(which % count) {
                        let before = one.bytes();
                        one.shrink(bytes);
                        prop_assert_eq!(one.bytes(), before.min(bytes));
                    }
                }
                Act::Drop(which) => {
                    if which % count < held.len() {
                        held.swap_remove(which % count);
                    }
                }
            }
            let report = budget.report();
            prop_assert!(report.reserved_bytes <= report.capacity_bytes);
            let held_bytes: u64 = held.iter().map(Reservation::bytes).sum();
            prop_assert_eq!(report.reserved_bytes, held_bytes);
            prop_assert_eq!(report.reservations, held.len() as u64);
        }
    }
}
