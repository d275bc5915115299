//! What a component imports and exports, as far as calls between components need it.
//!
//! Owns the types of functions, when two interfaces fit together, and what keeps an interface from
//! being called across stores. It does not read bytes.

use serde::{Deserialize, Serialize};

/// What a component asks for and offers.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Shape {
    /// What it imports, in its own order.
    pub imports: Vec<Import>,
    /// What it exports, in its own order.
    pub exports: Vec<Interface>,
}

/// An interface that a component imports.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Import {
    /// What is imported.
    pub interface: Interface,
    /// Calls into it for one run of the component, as its code suggests; `None` when the code does
    /// not tell.
    pub calls_predicted: Option<f64>,
}

/// A named set of functions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interface {
    /// Such as `acme:images/resize@1.2.0`.
    pub name: String,
    /// Its functions, sorted by name.
    pub functions: Vec<Function>,
    /// Why it cannot be called across stores; `None` when it can.
    pub obstacle: Option<Obstacle>,
}

/// A function of an interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Names and types of its parameters.
    pub parameters: Vec<(String, Type)>,
    /// What it returns.
    pub result: Option<Type>,
}

/// The type of a value. Named types are written out, so equal types are equal values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Type {
    /// `u32`, `string` and so on.
    Primitive(String),
    /// Any number of elements.
    List(Box<Type>),
    /// This many elements.
    FixedLengthList(Box<Type>, u32),
    /// Keys to values.
    Map(Box<Type>, Box<Type>),
    /// Named fields.
    Record(Vec<(String, Type)>),
    /// Fields without names.
    Tuple(Vec<Type>),
    /// One of several cases.
    Variant(Vec<(String, Option<Type>)>),
    /// One of several names.
    Enum(Vec<String>),
    /// Some of several names.
    Flags(Vec<String>),
    /// A value or none.
    Option(Box<Type>),
    /// A value or an error.
    Result(Option<Box<Type>>, Option<Box<Type>>),
    /// A handle that belongs to one store.
    Handle(Handle),
}

/// Values that mean something in one store only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Handle {
    /// A resource that is given away.
    Own,
    /// A resource that is lent.
    Borrow,
    /// A value that comes later.
    Future,
    /// Values that come one after another.
    Stream,
    /// Details of an error.
    ErrorContext,
}

impl Handle {
    const fn text(self) -> &'static str {
        match self {
            Self::Own => "an own handle of a resource",
            Self::Borrow => "a borrow handle of a resource",
            Self::Future => "a future",
            Self::Stream => "a stream",
            Self::ErrorContext => "an error context",
        }
    }
}

/// Why an interface cannot be called across stores.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Obstacle {
    /// It defines a resource.
    Resource(String),
    /// A function takes or gives a handle.
    Handle {
        /// The function.
        function: String,
        /// The kind of handle.
        handle: Handle,
    },
    /// The function is asynchronous.
    Async(String),
    /// It has something that is neither a function nor a type.
    Item(String),
    /// It is not an interface but a function, module or component of its own.
    NotAnInterface,
}

impl std::fmt::Display for Obstacle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Resource(name) => write!(f, "it defines the resource `{name}`"),
            Self::Handle { function, handle } => {
                write!(f, "`{function}` takes or gives {}", handle.text())
            }
            Self::Async(function) => write!(f, "`{function}` is asynchronous"),
            Self::Item(name) => write!(f, "`{name}` is neither a function nor a type"),
            Self::NotAnInterface => f.write_str("it is not an interface"),
        }
    }
}

impl Type {
    /// The first handle in the type, if there is one.
    pub(crate) fn handle(&self) -> Option<Handle> {
        match self {
            Self::Primitive(_) | Self::Enum(_) | Self::Flags(_) => None,
            Self::Handle(handle) => Some(*handle),
            Self::List(inner) | Self::FixedLengthList(inner, _) | Self::Option(inner) => {
                inner.handle()
            }
            Self::Map(key, value) => key.handle().or_else(|| value.handle()),
            Self::Record(fields) => fields.iter().find_map(|(_, field)| field.handle()),
            Self::Tuple(fields) => fields.iter().find_map(Self::handle),
            Self::Variant(cases) => cases
                .iter()
                .find_map(|(_, case)| case.as_ref().and_then(Self::handle)),
            Self::Result(value, error) => [value, error]
                .into_iter()
                .find_map(|inner| inner.as_ref().and_then(|inner| inner.handle())),
        }
    }
}

impl Interface {
    /// The function with this name.
    #[must_use]
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }

    /// What keeps `self`, as an import, from being provided by `provided`; `None` when it fits.
    /// Handles are compared by kind only: linking compares them in full.
    #[must_use]
    pub fn misfit(&self, provided: &Self) -> Option<String> {
        self.functions.iter().find_map(|wanted| {
            let name = &wanted.name;
            let Some(offered) = provided.function(name) else {
                return Some(format!("it has no function `{name}`"));
            };
            (wanted != offered).then(|| format!("the types of its function `{name}` differ"))
        })
    }
}

/// A name and its version, such as `acme:images/resize` and 1.2.0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Versioned<'a> {
    base: &'a str,
    version: Option<&'a str>,
}

fn versioned(name: &str) -> Versioned<'_> {
    match name.split_once('@') {
        Some((base, version)) => Versioned {
            base,
            version: Some(version),
        },
        None => Versioned {
            base: name,
            version: None,
        },
    }
}

/// Whether two names differ in nothing but their versions.
pub(crate) fn same_base(one: &str, other: &str) -> bool {
    versioned(one).base == versioned(other).base
}

/// Whether an interface of the name `offered` can stand for one of the name `wanted`: the same
/// name, and the same version or a later one that promises compatibility (Semantic Versioning 2.0:
/// the leftmost number that is not 0 is the same, and neither is a pre-release).
#[must_use]
pub fn name_fits(wanted: &str, offered: &str) -> bool {
    if wanted == offered {
        return true;
    }
    if !same_base(wanted, offered) {
        return false;
    }
    let numbers = |name| versioned(name).version.and_then(numbers);
    match (numbers(wanted), numbers(offered)) {
        (Some(wanted), Some(offered)) => offered >= wanted && track(wanted) == track(offered),
        _ => false,
    }
}

/// Major, minor and patch of a version that is not a pre-release.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let version = version.split_once('+').map_or(version, |(core, _)| core);
    let mut parts = version.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// Equal for versions that promise compatibility.
fn track([major, minor, patch]: [u64; 3]) -> [u64; 3] {
    match (major, minor) {
        (0, 0) => [0, 0, patch],
        (0, minor) => [0, minor, 0],
        (major, _) => [major, 0, 0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_compatible_versions_fit() {
        let fits = |wanted: &str, offered: &str| {
            name_fits(&format!("a:b/c@{wanted}"), &format!("a:b/c@{offered}"))
        };
        assert!(fits("1.2.0", "1.2.0"));
        assert!(fits("1.2.0", "1.3.1"));
        assert!(!fits("1.3.0", "1.2.9"));
        assert!(!fits("1.2.0", "2.2.0"));
        assert!(fits("0.2.0", "0.2.6"));
        assert!(!fits("0.2.0", "0.3.0"));
        assert!(!fits("0.0.1", "0.0.2"));
        assert!(fits("1.0.0-rc.1", "1.0.0-rc.1"));
        assert!(!fits("1.0.0-rc.1", "1.0.0"));
        assert!(!name_fits("a:b/c", "a:b/c@1.0.0"));
        assert!(!name_fits("a:b/c@1.0.0", "a:b/d@1.0.0"));
        assert!(name_fits("a:b/c", "a:b/c"));
    }

    #[test]
    fn handles_are_found_however_deep() {
        let deep = Type::Record(vec![(
            "x".to_owned(),
            Type::Result(
                None,
                Some(Box::new(Type::Variant(vec![(
                    "y".to_owned(),
                    Some(Type::Handle(Handle::Stream)),
                )]))),
            ),
        )]);
        assert_eq!(deep.handle(), Some(Handle::Stream));
        let plain = Type::List(Box::new(Type::Primitive("u8".to_owned())));
        assert_eq!(plain.handle(), None);
    }

    #[test]
    fn an_import_fits_what_offers_at_least_its_functions() {
        let function = |name: &str, result: &str| Function {
            name: name.to_owned(),
            parameters: Vec::new(),
            result: Some(Type::Primitive(result.to_owned())),
        };
        let interface = |functions: Vec<Function>| Interface {
            name: "a:b/c".to_owned(),
            functions,
            obstacle: None,
        };
        let wanted = interface(vec![function("f", "u32")]);
        let more = interface(vec![function("e", "u8"), function("f", "u32")]);
        assert_eq!(wanted.misfit(&more), None);
        let other = interface(vec![function("f", "u64")]);
        let reason = wanted.misfit(&other).unwrap();
        assert_eq!(reason, "the types of its function `f` differ");
        let reason = more.misfit(&wanted).unwrap();
        assert_eq!(reason, "it has no function `e`");
    }
}
