//! Turns a WASI preview 1 module into a component.
//!
//!     componentize MODULE COMPONENT                   a command (wasi:cli/command)
//!     componentize MODULE COMPONENT WIT WORLD         a library whose exports are that world's
//!
//! The adapter, a small module that speaks preview 1 on one side and preview 2 on the other, comes
//! with the runtime that Atoll uses.

use std::error::Error;
use std::path::Path;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
    WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (module, component, adapter) = match arguments.as_slice() {
        [module, component] => (
            std::fs::read(module)?,
            component,
            WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        ),
        [module, component, wit, world] => (
            with_world(std::fs::read(module)?, Path::new(wit), world)?,
            component,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        ),
        _ => return Err("usage: componentize MODULE COMPONENT [WIT WORLD]".into()),
    };
    let encoded = ComponentEncoder::default()
        .module(&module)?
        .adapter(WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter)?
        .validate(true)
        .encode()?;
    std::fs::write(component, encoded)?;
    Ok(())
}

/// The module with a section that says what its exports mean.
fn with_world(mut module: Vec<u8>, wit: &Path, world: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_path(wit)?;
    let world = resolve.select_world(&[package], Some(world))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
    Ok(module)
}
