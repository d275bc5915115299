//! Predicts how often a component calls the interfaces it imports, from its code alone.
//!
//! Every call in the code counts once for each run of the function around it, and ten times for
//! each loop around it, as compilers guess when they have no profile. What a module exports, what
//! its tables hold and its start function are taken to run once; the rest as often as it is
//! called. The reading is bounded: past [`OPERATORS_MAX`] operators nothing is predicted.
//!
//! Which import of a core module is which function of the component is followed through the wiring
//! of the outermost component, and by name inside it: tools name the imports of the core module
//! after the interface.

mod module;
mod wiring;

use std::collections::BTreeMap;

use wasmparser::{Encoding, Parser, Payload};

use crate::interface::Interface;

use self::module::ModuleCalls;
use self::wiring::Wiring;

/// Operators read in one component.
const OPERATORS_MAX: u64 = 20_000_000;

/// Core modules read in one component.
const MODULES_MAX: usize = 1_000;

/// A function of an imported interface: both names.
type Callee = (String, String);

/// Calls for one run into each of `imports`, in their order; `None` where nothing shows.
pub(crate) fn predict(component: &[u8], imports: &[Interface]) -> Vec<Option<f64>> {
    let calls = read(component, imports).unwrap_or_default();
    imports
        .iter()
        .map(|import| calls.get(import.name.as_str()).copied())
        .collect()
}

/// Calls by the name of the interface, or `None` when the component is too large to tell.
fn read(component: &[u8], imports: &[Interface]) -> Option<BTreeMap<String, f64>> {
    let mut wiring = Wiring::default();
    let mut modules = Vec::new();
    let mut open: Vec<Option<ModuleCalls>> = Vec::new();
    let mut operators_left = OPERATORS_MAX;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.ok()?;
        match &payload {
            Payload::Version { encoding, .. } => {
                let is_module = *encoding == Encoding::Module;
                let is_outermost = open.len() == 1;
                open.push(is_module.then(|| ModuleCalls::new(is_outermost)));
            }
            Payload::End(_) => {
                if let Some(module) = open.pop()? {
                    modules.push(module);
                }
                if modules.len() > MODULES_MAX {
                    return None;
                }
            }
            payload => {
                let is_outermost = open.len() == 1;
                match open.last_mut()? {
                    Some(module) => module.read(payload, &mut operators_left)?,
                    None if is_outermost => wiring.read(payload)?,
                    None => {}
                }
            }
        }
    }
    let mut calls = BTreeMap::new();
    let mut outermost = 0;
    for module in &modules {
        let index = module.is_outermost().then_some(outermost);
        outermost += u32::from(module.is_outermost());
        for ((from, name), count) in module.calls() {
            let wired = index.and_then(|index| wiring.callee(index, from, name));
            let interface = match wired {
                Some((interface, _)) => Some(interface),
                None => by_name(imports, from, name),
            };
            if let Some(interface) = interface {
                *calls.entry(interface).or_insert(0.0) += count;
            }
        }
    }
    Some(calls)
}

/// The imported interface that a core import names, when it has such a function.
fn by_name(imports: &[Interface], from: &str, name: &str) -> Option<String> {
    let named = imports.iter().find(|import| import.name == from);
    let named = named.filter(|import| import.function(name).is_some());
    named.map(|import| import.name.clone())
}

#[cfg(test)]
mod tests;
