//! What the tests share: a backend, a runtime, and jobs.

use std::future::Future;
use std::path::PathBuf;
use std::sync::OnceLock;

use atoll_sandbox::Backend as _;
use atoll_sandbox_oci::OciBackend;

/// gVisor, whose platform is found out once.
pub(crate) fn gvisor() -> OciBackend {
    let backend = OciBackend::gvisor();
    backend.keep_in(state_dir());
    backend
}

fn state_dir() -> &'static PathBuf {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("state");
        std::fs::create_dir_all(&directory).unwrap();
        directory
    })
}

/// Runs to the end of a future.
pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(future)
}
