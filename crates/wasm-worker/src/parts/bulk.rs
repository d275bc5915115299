//! A short way for functions that carry bytes.
//!
//! The runtime's own dynamic value of a list has an element for every byte, at some 45 ns each.
//! Functions of the most common types with bytes in them are called through the runtime's typed
//! functions instead. Which types are common is owned here; everything else goes the long way.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use wasmtime::Store;
use wasmtime::component::types::ComponentFunc;
use wasmtime::component::{ComponentNamedList, Func, Lift, LinkerInstance, Lower, Type};

use super::convert::Unfit;
use super::link::Target;
use super::remote::CallFailed;
use super::served::Failure;
use super::value::Value;

/// A function of a part, called with values.
pub(super) type BulkCall<T> =
    Arc<dyn for<'a> Fn(&'a mut Store<T>, Vec<Value>) -> Called<'a> + Send + Sync>;

type Called<'a> = Pin<Box<dyn Future<Output = Result<Vec<Value>, Failure>> + Send + 'a>>;

/// Types that take the short way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Bytes,
}

/// What a function returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answered {
    Nothing,
    Plain(Kind),
    /// A value or a text that says what went wrong.
    Fallible(Option<Kind>),
}

fn kind(of: &Type) -> Option<Kind> {
    match of {
        Type::U32 => Some(Kind::Number),
        Type::String => Some(Kind::Text),
        Type::List(list) if matches!(list.ty(), Type::U8) => Some(Kind::Bytes),
        _ => None,
    }
}

fn answered(function: &ComponentFunc) -> Option<Answered> {
    let mut results = function.results();
    let Some(result) = results.next() else {
        return Some(Answered::Nothing);
    };
    match &result {
        Type::Result(result) => {
            result.err().filter(|error| matches!(error, Type::String))?;
            match result.ok() {
                None => Some(Answered::Fallible(None)),
                Some(value) => kind(&value).map(|kind| Answered::Fallible(Some(kind))),
            }
        }
        plain => kind(plain).map(Answered::Plain),
    }
}

/// A type that has one way to be a [`Value`].
trait Plain: Sized + Send + Sync + 'static {
    fn into_value(self) -> Value;
    fn of(value: Value) -> Option<Self>;
}

impl Plain for u32 {
    fn into_value(self) -> Value {
        Value::Unsigned(self.into())
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Unsigned(number) => number.try_into().ok(),
            _ => None,
        }
    }
}

impl Plain for String {
    fn into_value(self) -> Value {
        Value::Text(self)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl Plain for Vec<u8> {
    fn into_value(self) -> Value {
        Value::Bytes(self)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }
}

/// The parameters of a function.
trait Arguments: Sized + Send + Sync + 'static {
    fn into_values(self) -> Vec<Value>;
    fn of(values: Vec<Value>) -> Option<Self>;
}

impl Arguments for () {
    fn into_values(self) -> Vec<Value> {
        Vec::new()
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        values.is_empty().then_some(())
    }
}

impl<A: Plain> Arguments for (A,) {
    fn into_values(self) -> Vec<Value> {
        vec![self.0.into_value()]
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        let [value] = <[Value; 1]>::try_from(values).ok()?;
        Some((A::of(value)?,))
    }
}

impl<A: Plain, B: Plain> Arguments for (A, B) {
    fn into_values(self) -> Vec<Value> {
        vec![self.0.into_value(), self.1.into_value()]
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        let [one, other] = <[Value; 2]>::try_from(values).ok()?;
        Some((A::of(one)?, B::of(other)?))
    }
}

/// The result of a function.
trait Answer: Sized + Send + Sync + 'static {
    fn into_values(self) -> Vec<Value>;
    fn of(values: Vec<Value>) -> Option<Self>;

    /// The failure as an error that the caller can handle, when there is room for it.
    fn failed(failed: &CallFailed) -> Option<Self> {
        let _ = failed;
        None
    }
}

impl Answer for () {
    fn into_values(self) -> Vec<Value> {
        Vec::new()
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        values.is_empty().then_some(())
    }
}

impl<K: Plain> Answer for (K,) {
    fn into_values(self) -> Vec<Value> {
        vec![self.0.into_value()]
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        <(K,) as Arguments>::of(values)
    }
}

impl<K: Plain> Answer for (Result<K, String>,) {
    fn into_values(self) -> Vec<Value> {
        let (number, value) = match self.0 {
            Ok(value) => (0, value.into_value()),
            Err(text) => (1, Value::Text(text)),
        };
        vec![Value::Case(number, Some(Box::new(value)))]
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        let [value] = <[Value; 1]>::try_from(values).ok()?;
        match value {
            Value::Case(0, Some(value)) => Some((Ok(K::of(*value)?),)),
            Value::Case(1, Some(value)) => Some((Err(Plain::of(*value)?),)),
            _ => None,
        }
    }

    fn failed(failed: &CallFailed) -> Option<Self> {
        Some((Err(failed.to_string()),))
    }
}

impl Answer for (Result<(), String>,) {
    fn into_values(self) -> Vec<Value> {
        vec![match self.0 {
            Ok(()) => Value::Case(0, None),
            Err(text) => Value::Case(1, Some(Box::new(Value::Text(text)))),
        }]
    }

    fn of(values: Vec<Value>) -> Option<Self> {
        let [value] = <[Value; 1]>::try_from(values).ok()?;
        match value {
            Value::Case(0, None) => Some((Ok(()),)),
            Value::Case(1, Some(value)) => Some((Err(Plain::of(*value)?),)),
            _ => None,
        }
    }

    fn failed(failed: &CallFailed) -> Option<Self> {
        Some((Err(failed.to_string()),))
    }
}

/// Calls `$action::<P, R, T>` for the results that are worth the short way with parameters `$P`.
macro_rules! with_answer {
    (bytes, $answered:expr, $P:ty, $action:ident, $arguments:tt) => {
        match $answered {
            Answered::Plain(Kind::Bytes) => Some($action::<$P, (Vec<u8>,), T> $arguments),
            Answered::Fallible(Some(Kind::Bytes)) => {
                Some($action::<$P, (Result<Vec<u8>, String>,), T> $arguments)
            }
            _ => None,
        }
    };
    (any, $answered:expr, $P:ty, $action:ident, $arguments:tt) => {
        match $answered {
            Answered::Nothing => Some($action::<$P, (), T> $arguments),
            Answered::Plain(Kind::Number) => Some($action::<$P, (u32,), T> $arguments),
            Answered::Plain(Kind::Text) => Some($action::<$P, (String,), T> $arguments),
            Answered::Fallible(None) => {
                Some($action::<$P, (Result<(), String>,), T> $arguments)
            }
            Answered::Fallible(Some(Kind::Number)) => {
                Some($action::<$P, (Result<u32, String>,), T> $arguments)
            }
            Answered::Fallible(Some(Kind::Text)) => {
                Some($action::<$P, (Result<String, String>,), T> $arguments)
            }
            bytes => with_answer!(bytes, bytes, $P, $action, $arguments),
        }
    };
}

/// Calls `$action::<P, R, T>` with the types of `$function`, if they take the short way.
macro_rules! with_types {
    ($function:expr, $action:ident, $arguments:tt) => {{
        let parameters: Option<Vec<Kind>> = $function.params().map(|(_, of)| kind(&of)).collect();
        let answered = answered($function).filter(|_| !$function.async_());
        match (parameters.as_deref(), answered) {
            (Some([]), Some(answered)) => {
                with_answer!(bytes, answered, (), $action, $arguments)
            }
            (Some([Kind::Number]), Some(answered)) => {
                with_answer!(bytes, answered, (u32,), $action, $arguments)
            }
            (Some([Kind::Text]), Some(answered)) => {
                with_answer!(bytes, answered, (String,), $action, $arguments)
            }
            (Some([Kind::Bytes]), Some(answered)) => {
                with_answer!(any, answered, (Vec<u8>,), $action, $arguments)
            }
            (Some([Kind::Text, Kind::Bytes]), Some(answered)) => {
                with_answer!(any, answered, (String, Vec<u8>), $action, $arguments)
            }
            _ => None,
        }
    }};
}

/// Defines a function that goes the short way; `None` when its types do not.
pub(super) fn link<T: Send + 'static>(
    to: &mut LinkerInstance<'_, T>,
    function: &ComponentFunc,
    target: &Target,
) -> Option<wasmtime::Result<()>> {
    with_types!(function, link_typed, (to, target.clone()))
}

fn link_typed<P, R, T>(to: &mut LinkerInstance<'_, T>, target: Target) -> wasmtime::Result<()>
where
    P: Arguments + ComponentNamedList + Lift,
    R: Answer + ComponentNamedList + Lower,
    T: Send + 'static,
{
    let name = target.function().to_owned();
    to.func_wrap_async(&name, move |_, arguments: P| {
        let target = target.clone();
        Box::new(async move {
            let called = target.call(arguments.into_values()).await;
            let answer = called.and_then(|values| R::of(values).ok_or_else(Target::nonsense));
            answer.or_else(|failed| R::failed(&failed).ok_or_else(|| target.trap(&failed)))
        })
    })
}

/// A function of a part that goes the short way; `None` when its types do not.
pub(super) fn callable<T: Send + 'static>(
    function: &Func,
    store: &Store<T>,
) -> Option<BulkCall<T>> {
    let types = function.ty(store);
    with_types!(&types, callable_typed, (function, store)).flatten()
}

fn callable_typed<P, R, T>(function: &Func, store: &Store<T>) -> Option<BulkCall<T>>
where
    P: Arguments + ComponentNamedList + Lower,
    R: Answer + ComponentNamedList + Lift,
    T: Send + 'static,
{
    let typed = function.typed::<P, R>(store).ok()?;
    Some(Arc::new(move |store, values| {
        Box::pin(async move {
            let arguments = P::of(values).ok_or(Unfit::Type)?;
            let answer = typed.call_async(store, arguments).await;
            Ok(answer.map_err(Failure::Trap)?.into_values())
        })
    }))
}
