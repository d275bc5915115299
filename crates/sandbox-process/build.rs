//! Builds the shared library that interpreters load to fork copies of themselves.
//!
//! It is the workspace's own crate `atoll-zygote`, built a second time: everything else here is
//! linked statically, which a library that another program loads cannot be.

use std::env;
use std::error::Error;
use std::path::PathBuf;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    for source in ["../zygote", "../jail", "../types", "../../Cargo.lock"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let variable = |name: &str| env::var(name).map_err(|error| format!("{name}: {error}"));
    let (out, target) = (PathBuf::from(variable("OUT_DIR")?), variable("TARGET")?);
    let mut build = Command::new(variable("CARGO")?);
    build
        .args(["rustc", "--package", "atoll-zygote", "--lib", "--crate-type", "cdylib"])
        .args(["--release", "--locked", "--target", &target, "--target-dir"])
        .arg(&out)
        // Layers can be left out of copies where they can be left out of what they are copied from.
        .args(env::var_os("CARGO_FEATURE_ABLATION").map(|_| "--features=ablation"))
        // Nothing of the outer build: these would win over the flags below.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_BUILD_RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env("RUSTFLAGS", "-C target-feature=-crt-static -C panic=abort -C strip=symbols -C link-arg=-static-libgcc");
    let status = build.status()?;
    if !status.success() {
        return Err(format!("the library of atoll-zygote was not built: {status}").into());
    }
    let library = out.join(target).join("release/libatoll_zygote.so");
    println!(
        "cargo::rustc-env=ATOLL_ZYGOTE_LIBRARY={}",
        library.display()
    );
    Ok(())
}
