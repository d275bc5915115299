//! What a program reads and writes is its own, however its interpreter came to be.

use std::sync::Arc;

use atoll_sandbox::{Backend as _, Ending, Sandbox};
use atoll_sandbox_process::ProcessBackend;
use atoll_types::{IoUsage, SystemCalls};

use crate::warm::{job, specification};

const WORK: &str = "
import os
f = os.open('data', os.O_RDWR | os.O_CREAT)
for _ in range(1000): os.write(f, b'x' * 1000)
os.lseek(f, 0, 0)
while os.read(f, 4000): pass
";

async fn counted(mut sandbox: Box<dyn Sandbox>, script: &str) -> IoUsage {
    let streams = sandbox.start(job(script)).await.unwrap();
    assert_eq!(sandbox.wait().await, Ending::Exited(0));
    drop(streams);
    let io = sandbox.usage().io;
    sandbox.destroy().await.unwrap();
    io.unwrap()
}

#[test]
fn an_interpreter_that_waited_is_not_counted_with_its_program() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let backend = Arc::new(ProcessBackend::new());
    let warm = |script: &'static str| {
        let backend = Arc::clone(&backend);
        async move {
            let spec = specification(SystemCalls::Processes);
            let mut sandbox = backend.create_warm(spec).await.unwrap();
            sandbox.rehearse().await.unwrap();
            counted(sandbox, script).await
        }
    };
    let expect_work = |done: &IoUsage| {
        assert!((1000..1005).contains(&done.writes), "{done:?}");
        assert!(
            (1_000_000..1_001_000).contains(&done.written_bytes),
            "{done:?}"
        );
    };
    // Several of one interpreter, so that those before have been waited for. The first one may
    // still read a module that the interpreter had no need for yet.
    let mut least = u64::MAX;
    for _ in 0..3 {
        let done = runtime.block_on(warm(WORK));
        expect_work(&done);
        assert!((251..320).contains(&done.reads), "{done:?}");
        assert!((999_000..1_200_000).contains(&done.read_bytes), "{done:?}");
        least = least.min(done.reads);
        let nothing = runtime.block_on(warm(""));
        assert!(nothing.reads < 60 && nothing.writes < 5, "{nothing:?}");
    }
    // One that starts with it reads what it needs for that, as all do where there are no copies.
    let has_copies = rustix::process::geteuid().is_root();
    let cold = backend.create(specification(SystemCalls::Processes));
    let cold = runtime.block_on(cold).unwrap();
    let done = runtime.block_on(counted(cold, WORK));
    expect_work(&done);
    assert!(
        (least + u64::from(has_copies)..600).contains(&done.reads),
        "{done:?}, {least}"
    );
}
