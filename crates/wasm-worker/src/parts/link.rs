//! The caller's side: functions that send their arguments elsewhere.
//!
//! Owns what becomes of a call that has no answer. Its caller must be able to go on, and only a
//! `result` tells a caller that something went wrong: see [`ERROR_CASES`]. Where the type has no
//! room for that, the call traps with a text that names the function and says what happened;
//! making up a value would be worse.

use std::sync::Arc;

use wasmtime::Engine;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, Type, Val};

use super::bulk;
use super::convert::{Left, from_value, obstacle, to_value};
use super::remote::{CallFailed, Remote};
use super::value::Value;

/// Cases of an error's enum or variant that stand for "the part did not answer", the best first. A
/// case of a variant must have no payload or a text. An error that is a text is the text itself,
/// and an error without a payload is just an error.
pub const ERROR_CASES: [&str; 8] = [
    "part-failed",
    "unavailable",
    "internal-error",
    "internal",
    "failed",
    "other",
    "unknown",
    "io",
];

/// One function on the other side.
#[derive(Clone)]
pub(super) struct Target(Arc<Place>);

struct Place {
    remote: Arc<dyn Remote>,
    interface: String,
    function: String,
}

impl Target {
    pub(super) fn function(&self) -> &str {
        &self.0.function
    }

    pub(super) async fn call(&self, arguments: Vec<Value>) -> Result<Vec<Value>, CallFailed> {
        let place = &self.0;
        let call = place
            .remote
            .call(&place.interface, &place.function, arguments);
        call.await
    }

    /// What an answer is that is not of the function's type.
    pub(super) fn nonsense() -> CallFailed {
        CallFailed::Gone("its answer is not of the type that the function returns".to_owned())
    }

    /// What the caller traps with when its type has no room for an error.
    pub(super) fn trap(&self, failed: &CallFailed) -> wasmtime::Error {
        let Place {
            interface,
            function,
            ..
        } = &*self.0;
        wasmtime::Error::msg(format!(
            "the call of {interface}#{function} failed, and its type has no room for an error \
             (only a function that returns a result has): {failed}"
        ))
    }
}

/// Gives `linker` the interface that `component` imports by the name `interface`. Its functions
/// call `remote`, where the interface is called `exported_as`.
///
/// # Errors
/// When the component does not import the interface, or it cannot cross (see
/// `atoll_partition::Obstacle`); the linker's own errors.
pub fn link_remote<T: Send + 'static>(
    linker: &mut Linker<T>,
    engine: &Engine,
    component: &Component,
    interface: &str,
    exported_as: &str,
    remote: &Arc<dyn Remote>,
) -> wasmtime::Result<()> {
    let types = component.component_type();
    let import = types.get_import(engine, interface).map(|import| import.ty);
    let Some(ComponentItem::ComponentInstance(functions)) = import else {
        let text = format!("the component does not import an interface {interface}");
        return Err(wasmtime::Error::msg(text));
    };
    let mut instance = linker.instance(interface)?;
    for (name, item) in functions.exports(engine) {
        match item.ty {
            ComponentItem::ComponentFunc(function) => {
                check(interface, name, &function)?;
                let target = Target(Arc::new(Place {
                    remote: Arc::clone(remote),
                    interface: exported_as.to_owned(),
                    function: name.to_owned(),
                }));
                match bulk::link(&mut instance, &function, &target) {
                    Some(linked) => linked?,
                    None => link_dynamic(&mut instance, target)?,
                }
            }
            // Types other than resources are nothing that is linked.
            ComponentItem::Type(_) => {}
            _ => return Err(cannot_cross(interface, name, "something of one store only")),
        }
    }
    Ok(())
}

fn check(interface: &str, name: &str, function: &ComponentFunc) -> wasmtime::Result<()> {
    let parameters = function.params().map(|(_, kind)| kind);
    let found = parameters
        .chain(function.results())
        .find_map(|kind| obstacle(&kind));
    let found = found.or(function.async_().then_some("later answer"));
    match found {
        Some(what) => Err(cannot_cross(interface, name, what)),
        None => Ok(()),
    }
}

fn cannot_cross(interface: &str, name: &str, what: &str) -> wasmtime::Error {
    wasmtime::Error::msg(format!(
        "{interface} cannot be called across stores: `{name}` is or has a {what}; link its parts \
         into one store"
    ))
}

fn link_dynamic<T: Send + 'static>(
    instance: &mut LinkerInstance<'_, T>,
    target: Target,
) -> wasmtime::Result<()> {
    let name = target.function().to_owned();
    instance.func_new_async(&name, move |_, function, arguments, results| {
        let target = target.clone();
        Box::new(async move {
            let answer = match values(&function, arguments) {
                Ok(arguments) => target.call(arguments).await,
                Err(unfit) => Err(unfit),
            };
            let kinds: Vec<Type> = function.results().collect();
            let vals = answer.and_then(|values| vals(&kinds, values));
            match vals.or_else(|failed| in_place(&kinds, &failed).ok_or(failed)) {
                Ok(vals) => {
                    for (place, val) in results.iter_mut().zip(vals) {
                        *place = val;
                    }
                    Ok(())
                }
                Err(failed) => Err(target.trap(&failed)),
            }
        })
    })
}

fn values(function: &ComponentFunc, arguments: &[Val]) -> Result<Vec<Value>, CallFailed> {
    let mut left = Left::whole();
    let kinds = function.params().map(|(_, kind)| kind);
    arguments
        .iter()
        .zip(kinds)
        .map(|(val, kind)| to_value(val, &kind, &mut left))
        .collect::<Result<_, _>>()
        .map_err(|unfit| CallFailed::Unfit(unfit.to_string()))
}

fn vals(kinds: &[Type], values: Vec<Value>) -> Result<Vec<Val>, CallFailed> {
    if values.len() != kinds.len() {
        return Err(Target::nonsense());
    }
    let values = values.into_iter().zip(kinds);
    values
        .map(|(value, kind)| from_value(value, kind).map_err(|_| Target::nonsense()))
        .collect()
}

/// The failure as a value of the function's result, if that has room for it.
fn in_place(kinds: &[Type], failed: &CallFailed) -> Option<Vec<Val>> {
    let [Type::Result(result)] = kinds else {
        return None;
    };
    let error = match result.err() {
        None => None,
        Some(kind) => Some(Box::new(error(&kind, failed)?)),
    };
    Some(vec![Val::Result(Err(error))])
}

fn error(kind: &Type, failed: &CallFailed) -> Option<Val> {
    match kind {
        Type::String => Some(Val::String(failed.to_string())),
        Type::Enum(names) => {
            let has = |name: &&&str| names.names().any(|known| known == **name);
            let name = ERROR_CASES.iter().find(has)?;
            Some(Val::Enum((*name).to_owned()))
        }
        Type::Variant(variant) => ERROR_CASES.iter().find_map(|name| {
            let case = variant.cases().find(|case| case.name == *name)?;
            let payload = match case.ty {
                None => None,
                Some(Type::String) => Some(Box::new(Val::String(failed.to_string()))),
                Some(_) => return None,
            };
            Some(Val::Variant((*name).to_owned(), payload))
        }),
        _ => None,
    }
}
