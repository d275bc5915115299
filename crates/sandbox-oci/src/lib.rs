//! The level `gvisor`: containers of any OCI runtime, each in a jail of its own.
//!
//! This crate owns how a runtime is found, tried and told what a container is made of. What runs
//! in a container, how a jail is built, and which message comes here are not known.

mod bundle;
mod container;
mod platform;
mod runtime;

pub mod x {
    pub async fn probe() -> Result<(), String> {
        let runtime = crate::runtime::Runtime::find("runsc")?;
        let environment = atoll_sandbox::Environment {
            kind: atoll_types::ProgramKind::Shell,
            dependencies: None,
            modules: Default::default(),
            tenant: atoll_types::TenantId::local(),
        };
        let root = atoll_sandbox_process::root(&environment).map_err(|e| e.to_string())?;
        crate::platform::run_something(
            &runtime,
            Some(crate::runtime::Platform::Ptrace),
            &root,
            &Default::default(),
        )
        .await
    }
}
