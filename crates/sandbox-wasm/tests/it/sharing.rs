//! Whose messages share a worker, and what they see of each other: nothing.

use std::collections::BTreeSet;
use std::time::Duration;

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Domain, Ending, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_sandbox_wasm::protocol::GuestEnd;
use atoll_types::{Content, Trust};
use rustix::process::Signal;

use crate::fixtures;
use crate::support::{Going, alone, block_on, in_time, job, module, processes, signal, tenant};

const GOOD: GuestEnd = GuestEnd::Exited {
    code: 0,
    limit: None,
};

#[test]
fn many_messages_in_one_worker_do_not_see_each_other() {
    block_on(async {
        let backend = WasmBackend::new();
        let everybody = tenant("everybody");
        let program = job(module(&fixtures::solitary()));
        let prepared = backend
            .prepare(program, &limits(), &accepted_by_environment())
            .await
            .unwrap();
        let mut messages = tokio::task::JoinSet::new();
        for number in 0..400_u32 {
            let (backend, prepared) = (backend.clone(), prepared.clone());
            let everybody = everybody.clone();
            messages.spawn(async move {
                let input = number.to_le_bytes().repeat(5000);
                let content = Content::from(input.clone());
                let finished = backend.run(&prepared, &content, &everybody).await.unwrap();
                assert_eq!(finished.end, Ok(GOOD), "{number}");
                assert!(finished.stdout == input, "{number}");
                assert_eq!(finished.stderr, b"");
            });
        }
        while let Some(done) = in_time(messages.join_next()).await {
            done.unwrap();
        }
        in_time(backend.close()).await;
    });
}

#[test]
fn messages_wait_beside_each_other_in_the_same_workers() {
    if !alone("sharing::messages_wait_beside_each_other_in_the_same_workers") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let program = module(&fixtures::solitary());
        let mut going = Vec::new();
        for _ in 0..100 {
            let one = Going::start(&backend, job(program.clone()), &tenant("a")).await;
            going.push(one);
        }
        let cores = std::thread::available_parallelism().unwrap().get();
        assert!(processes("serve").len() <= cores);
        // The last first, and each has its own.
        for (number, one) in going.iter().enumerate().rev() {
            one.write(format!("message {number}").as_bytes()).await;
        }
        for (number, mut one) in going.into_iter().enumerate() {
            assert_eq!(in_time(one.sandbox.wait()).await, Ending::Exited(0));
            let left: Vec<_> = one.sandbox.leavings().await.unwrap().collect();
            assert_eq!(left.len(), 1);
            assert_eq!(left[0].path, b"mark");
            assert_eq!(one.end().await.stdout, format!("message {number}"));
        }
        in_time(backend.close()).await;
    });
}

/// Runs one message to its end, if its worker can run.
async fn hello(backend: &WasmBackend, tenancy: &Tenancy) -> Ending {
    let program = module(&fixtures::hello());
    let going = Going::start(backend, job(program), tenancy).await;
    going.end().await.ending
}

#[test]
fn tenants_and_messages_have_workers_of_their_own() {
    if !alone("sharing::tenants_and_messages_have_workers_of_their_own") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let class = Tenancy {
            domain: Domain::Class(Trust::Trusted),
            messages_max: 1000,
        };
        let mut seen = BTreeSet::new();
        for tenancy in [&tenant("a"), &tenant("b"), &class] {
            assert_eq!(hello(&backend, tenancy).await, Ending::Exited(7));
            let before = seen.len();
            seen.extend(processes("serve"));
            assert!(seen.len() > before, "{tenancy:?} has no worker of its own");
        }
        // With all of these standing still, a message of its own goes on, and so does a tenant
        // that has none yet; a tenant that has one waits for it.
        for pid in &seen {
            signal(*pid, Signal::STOP);
        }
        assert_eq!(hello(&backend, &Tenancy::own()).await, Ending::Exited(7));
        assert_eq!(hello(&backend, &tenant("c")).await, Ending::Exited(7));
        let a = tenant("a");
        let short = Duration::from_millis(300);
        assert!(
            tokio::time::timeout(short, hello(&backend, &a))
                .await
                .is_err()
        );
        for pid in &seen {
            signal(*pid, Signal::CONT);
        }
        assert_eq!(hello(&backend, &a).await, Ending::Exited(7));
        in_time(backend.close()).await;
        assert_eq!(processes("serve"), Vec::<i32>::new());
    });
}

#[test]
fn a_message_of_its_own_leaves_no_worker() {
    if !alone("sharing::a_message_of_its_own_leaves_no_worker") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        for _ in 0..3 {
            assert_eq!(hello(&backend, &Tenancy::own()).await, Ending::Exited(7));
            assert_eq!(processes("serve"), Vec::<i32>::new());
        }
    });
}

#[test]
fn a_worker_is_replaced_when_it_has_served_enough() {
    if !alone("sharing::a_worker_is_replaced_when_it_has_served_enough") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        let tenancy = Tenancy {
            messages_max: 3,
            ..tenant("a")
        };
        let mut workers = Vec::new();
        for _ in 0..7 {
            assert_eq!(hello(&backend, &tenancy).await, Ending::Exited(7));
            // The one before may take a moment to go.
            let newest = processes("serve").into_iter().max().unwrap();
            workers.push(newest);
        }
        let distinct: BTreeSet<_> = workers.iter().collect();
        assert_eq!(distinct.len(), 3, "{workers:?}");
        assert_eq!(workers[0], workers[2]);
        assert_ne!(workers[2], workers[3]);
        assert_eq!(workers[3], workers[5]);
        in_time(backend.close()).await;
        assert_eq!(processes("serve"), Vec::<i32>::new());
    });
}

#[test]
fn files_are_there_after_their_worker_is_replaced() {
    block_on(async {
        let backend = WasmBackend::new();
        let tenancy = Tenancy {
            messages_max: 1,
            ..tenant("a")
        };
        let leaves = job(module(&fixtures::leave()));
        let mut first = Going::start(&backend, leaves, &tenancy).await;
        assert_eq!(in_time(first.sandbox.wait()).await, Ending::Exited(0));
        assert_eq!(hello(&backend, &tenancy).await, Ending::Exited(7));
        let left = in_time(first.sandbox.leavings()).await.unwrap();
        let paths: Vec<_> = left.map(|leaving| leaving.path).collect();
        assert_eq!(paths, [b"out.txt"]);
        first.end().await;
        in_time(backend.close()).await;
    });
}
