//! Turns a WASI preview 1 command into a component.
//!
//!     componentize MODULE COMPONENT
//!
//! The adapter, a small module that speaks preview 1 on one side and preview 2 on the other, comes
//! with the runtime that Atoll uses.

use std::error::Error;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
};
use wit_component::ComponentEncoder;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(module), Some(component), None) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: componentize MODULE COMPONENT".into());
    };
    let encoded = ComponentEncoder::default()
        .module(&std::fs::read(module)?)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER,
        )?
        .validate(true)
        .encode()?;
    std::fs::write(component, encoded)?;
    Ok(())
}
