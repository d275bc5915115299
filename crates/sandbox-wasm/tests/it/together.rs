//! Messages that use up what they may have, beside others that go on.

use std::time::{Duration, Instant};

use atoll_sandbox::conformance::{accepted_by_environment, limits};
use atoll_sandbox::{Backend, Ending, Tenancy};
use atoll_sandbox_wasm::WasmBackend;
use atoll_types::{Layer, LimitName, Limits, Program};

use crate::fixtures;
use crate::support::{Going, Ran, alone, block_on, in_time, job, module, processes, tenant};

fn within(wall_time_ms: u64) -> Limits {
    Limits {
        wall_time_ms,
        ..limits()
    }
}

async fn go(backend: &WasmBackend, program: &Program, limits: Limits) -> Going {
    Going::with(backend, job(program.clone()), &tenant("a"), limits).await
}

async fn compile(backend: &WasmBackend, program: &Program) {
    let accepted = accepted_by_environment();
    let limits = limits();
    let prepared = backend.prepare(job(program.clone()), &limits, &accepted);
    Box::pin(in_time(prepared)).await.unwrap();
}

#[test]
fn each_ends_as_its_limit_says_and_others_go_on() {
    block_on(async {
        let backend = WasmBackend::new();
        let small = Limits {
            memory_bytes: 16 << 20,
            ..within(20_000)
        };
        let few = Limits {
            cpu_time_ms: 200,
            ..within(20_000)
        };
        let (endless, hello) = (module(&fixtures::endless()), module(&fixtures::hello()));
        // Compiled by now, so that each limit bounds the program alone.
        for text in [
            fixtures::endless(),
            fixtures::sleep(60_000),
            fixtures::copy(),
            fixtures::greedy(),
            fixtures::hello(),
        ] {
            Box::pin(compile(&backend, &module(&text))).await;
        }
        let going = [
            go(&backend, &endless, within(1500)).await,
            go(&backend, &module(&fixtures::sleep(60_000)), within(1500)).await,
            go(&backend, &module(&fixtures::copy()), within(1500)).await,
            go(&backend, &module(&fixtures::greedy()), small).await,
            go(&backend, &endless, few).await,
        ];
        let began = Instant::now();
        let mut beside = 0;
        // At least some, where a processor is emulated and each takes long.
        while beside < 3 || began.elapsed() < Duration::from_millis(1000) {
            let ran = go(&backend, &hello, limits()).await.end().await;
            assert_eq!((ran.ending, ran.limit), (Ending::Exited(7), None));
            assert_eq!(ran.stdout, "hello\n");
            beside += 1;
        }
        println!("{beside} messages went on beside five");
        let mut ends = Vec::new();
        for one in going {
            ends.push(one.end_with_input_open().await);
        }
        let [spun, slept, waited, grew, worked] = ends.as_slice() else {
            panic!("{ends:?}");
        };
        for ran in [spun, slept, waited] {
            assert!(matches!(ran.ending, Ending::Trapped(_)), "{ran:?}");
            assert_eq!(ran.limit, Some(LimitName::WallTime), "{ran:?}");
            assert!(ran.usage.wall_time_us >= 1_500_000, "{ran:?}");
        }
        for ran in [slept, waited] {
            assert!(ran.usage.cpu_time_us < 100_000, "{ran:?}");
        }
        assert_eq!(grew.ending, Ending::Exited(5));
        assert_eq!(grew.limit, Some(LimitName::Memory));
        assert!(grew.usage.memory_peak_bytes <= 16 << 20, "{grew:?}");
        assert_eq!(worked.limit, Some(LimitName::CpuTime), "{worked:?}");
        assert!(worked.usage.cpu_time_us >= 200_000, "{worked:?}");
        in_time(backend.close()).await;
    });
}

/// Prints how far past its deadline a loop lives; the machine decides that.
#[test]
fn loops_end_soon_after_their_deadlines() {
    block_on(async {
        let backend = WasmBackend::new();
        let endless = module(&fixtures::endless());
        Box::pin(compile(&backend, &endless)).await;
        let mut late_us = Vec::new();
        for _ in 0..50 {
            let ran = go(&backend, &endless, within(50)).await.end().await;
            assert_eq!(ran.limit, Some(LimitName::WallTime), "{ran:?}");
            late_us.push(ran.usage.wall_time_us.checked_sub(50_000).unwrap());
        }
        late_us.sort_unstable();
        let (p50, max) = (late_us[25], late_us[49]);
        println!("a loop lived {p50} us (p50), {max} us (max of 50) past its deadline");
        in_time(backend.close()).await;
    });
}

#[test]
fn a_message_is_stopped_whatever_it_does() {
    if !alone("together::a_message_is_stopped_whatever_it_does") {
        return;
    }
    block_on(async {
        let backend = WasmBackend::new();
        for text in [
            fixtures::endless(),
            fixtures::sleep(60_000),
            fixtures::copy(),
        ] {
            let mut one = go(&backend, &module(&text), limits()).await;
            let workers = processes("serve");
            one.sandbox.stop();
            let ran = one.end_with_input_open().await;
            assert_eq!(ran.ending, Ending::Signalled(9), "{text}");
            let after = processes("serve");
            assert!(workers.iter().all(|pid| after.contains(pid)));
        }
        in_time(backend.close()).await;
    });
}

async fn grows(tenancy: &Tenancy, memory_bytes: u64, raised: Option<u64>) -> std::io::Result<Ran> {
    let backend = WasmBackend::new();
    let limits = Limits {
        memory_bytes,
        ..limits()
    };
    // 64 MiB.
    let program = job(module(&fixtures::grow_when_told(1024)));
    let mut one = Going::with(&backend, program, tenancy, limits).await;
    if let Some(memory_bytes) = raised {
        let raised = Limits {
            memory_bytes,
            ..limits
        };
        one.sandbox.set_limits(&raised)?;
    }
    one.write(b"now").await;
    let ran = one.end().await;
    in_time(backend.close()).await;
    Ok(ran)
}

#[test]
fn memory_is_raised_and_lowered_while_a_message_runs() {
    block_on(async {
        for tenancy in [tenant("a"), Tenancy::own()] {
            let is_own = tenancy == Tenancy::own();
            let ran = grows(&tenancy, 32 << 20, None).await.unwrap();
            assert_eq!(ran.limit, Some(LimitName::Memory), "{ran:?}");
            let raised = grows(&tenancy, 32 << 20, Some(128 << 20)).await;
            if is_own && accepted_by_environment().contains(&Layer::MemoryLimit) {
                // Nobody holds the memory of a worker there, so nobody can change its bound.
                assert!(raised.is_err());
                continue;
            }
            let ran = raised.unwrap();
            assert_eq!((ran.ending, ran.limit), (Ending::Exited(0), None));
            let ran = grows(&tenancy, 128 << 20, Some(32 << 20)).await.unwrap();
            assert_eq!(ran.limit, Some(LimitName::Memory), "{ran:?}");
        }
    });
}
