//! Reads a component's bytes into its [`Shape`].
//!
//! The bytes are hostile. The structure and the types are validated by `wasmparser`, which bounds
//! their number, size and nesting; the bodies of functions are not validated here, because nothing
//! is run here. What is written out of a type is bounded by [`TYPES_MAX`].

use wasmparser::component_types::{
    ComponentAnyTypeId, ComponentDefinedType, ComponentEntityType, ComponentFuncTypeId,
    ComponentInstanceType, ComponentValType,
};
use wasmparser::types::Types;
use wasmparser::{Encoding, Parser, Payload, ValidPayload, Validator, WasmFeatures};

use crate::calls;
use crate::interface::{Function, Handle, Import, Interface, Obstacle, Shape, Type};

/// The largest component that is read, in bytes.
pub const COMPONENT_BYTES_MAX: usize = 64 << 20;

/// Types written out for all imports and exports of one component.
pub const TYPES_MAX: usize = 100_000;

/// Imports and exports of one component, each.
pub const NAMES_MAX: usize = 1_000;

/// The longest name of an import or export, in bytes.
pub const NAME_BYTES_MAX: usize = 1 << 10;

/// Why a component was not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The bytes are not a component.
    #[error("it is not a valid component: {0}")]
    Invalid(String),
    /// The bytes are a core module.
    #[error(
        "it is a core module, not a component; make a component of it, for example with \
         `wasm-tools component new`"
    )]
    CoreModule,
    /// It has more of something than is read.
    #[error("it has more than {max} {what}; split it or give it as one program")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How many are read.
        max: usize,
    },
}

/// Reads what a component imports and exports, and predicts its calls.
///
/// # Errors
/// When the bytes are not a component, or one that is larger than anybody needs.
pub fn read(component: &[u8]) -> Result<Shape, ReadError> {
    if component.len() > COMPONENT_BYTES_MAX {
        return Err(ReadError::TooLarge {
            what: "bytes",
            max: COMPONENT_BYTES_MAX,
        });
    }
    let names = names(component)?;
    let mut reader = Reader {
        types: &names.types,
        types_left: TYPES_MAX,
    };
    let mut imports = Vec::new();
    for name in &names.imports {
        let item = names.types.as_ref().component_item_for_import(name);
        if let Some(interface) = item.map(|item| reader.item(name, &item.ty)).transpose()? {
            imports.extend(interface);
        }
    }
    let mut exports = Vec::new();
    for name in &names.exports {
        let item = names.types.as_ref().component_item_for_export(name);
        if let Some(interface) = item.map(|item| reader.item(name, &item.ty)).transpose()? {
            exports.extend(interface);
        }
    }
    let predicted = calls::predict(component, &imports);
    let imports = imports
        .into_iter()
        .zip(predicted)
        .map(|(interface, calls_predicted)| Import {
            interface,
            calls_predicted,
        })
        .collect();
    Ok(Shape { imports, exports })
}

/// What there is too much of in a name that is too long.
const NAME_BYTES: &str = "bytes in the name of an import or export";

struct Names {
    types: Types,
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Validates everything but function bodies, and lists the outermost names.
fn names(component: &[u8]) -> Result<Names, ReadError> {
    let mut validator = Validator::new_with_features(WasmFeatures::all());
    let (mut imports, mut exports) = (Vec::new(), Vec::new());
    let mut types = None;
    let mut depth = 0_u32;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| invalid(&error))?;
        match &payload {
            Payload::Version { encoding, .. } => {
                if depth == 0 && *encoding == Encoding::Module {
                    return Err(ReadError::CoreModule);
                }
                depth = depth.saturating_add(1);
            }
            Payload::ComponentImportSection(section) if depth == 1 => {
                for import in section.clone() {
                    let import = import.map_err(|error| invalid(&error))?;
                    at_most(import.name.name.len(), NAME_BYTES_MAX, NAME_BYTES)?;
                    imports.push(import.name.name.to_owned());
                    at_most(imports.len(), NAMES_MAX, "imports")?;
                }
            }
            Payload::ComponentExportSection(section) if depth == 1 => {
                for export in section.clone() {
                    let export = export.map_err(|error| invalid(&error))?;
                    at_most(export.name.name.len(), NAME_BYTES_MAX, NAME_BYTES)?;
                    exports.push(export.name.name.to_owned());
                    at_most(exports.len(), NAMES_MAX, "exports")?;
                }
            }
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        let valid = validator.payload(&payload);
        if let ValidPayload::End(all) = valid.map_err(|error| invalid(&error))? {
            types = Some(all);
        }
    }
    let types = types.ok_or_else(|| ReadError::Invalid("it is cut off".to_owned()))?;
    Ok(Names {
        types,
        imports,
        exports,
    })
}

fn invalid(error: &wasmparser::BinaryReaderError) -> ReadError {
    ReadError::Invalid(error.to_string())
}

const fn at_most(count: usize, max: usize, what: &'static str) -> Result<(), ReadError> {
    if count > max {
        return Err(ReadError::TooLarge { what, max });
    }
    Ok(())
}

struct Reader<'a> {
    types: &'a Types,
    types_left: usize,
}

impl Reader<'_> {
    /// An import or export as an interface; plain types are nothing that is called.
    fn item(
        &mut self,
        name: &str,
        item: &ComponentEntityType,
    ) -> Result<Option<Interface>, ReadError> {
        match item {
            ComponentEntityType::Instance(id) => {
                let types = self.types;
                self.interface(name, &types[*id]).map(Some)
            }
            ComponentEntityType::Type { created, .. } => {
                let is_resource = matches!(created, ComponentAnyTypeId::Resource(_));
                Ok(is_resource.then(|| Interface {
                    name: name.to_owned(),
                    functions: Vec::new(),
                    obstacle: Some(Obstacle::Resource(name.to_owned())),
                }))
            }
            ComponentEntityType::Func(id) => Ok(Some(Interface {
                name: name.to_owned(),
                functions: vec![self.function(name, *id)?],
                obstacle: Some(Obstacle::NotAnInterface),
            })),
            ComponentEntityType::Module(_)
            | ComponentEntityType::Value(_)
            | ComponentEntityType::Component(_) => Ok(Some(Interface {
                name: name.to_owned(),
                functions: Vec::new(),
                obstacle: Some(Obstacle::NotAnInterface),
            })),
        }
    }

    fn interface(
        &mut self,
        name: &str,
        instance: &ComponentInstanceType,
    ) -> Result<Interface, ReadError> {
        let mut functions = Vec::new();
        let mut obstacle = None;
        let mut note = |found: Option<Obstacle>| {
            if obstacle.is_none() {
                obstacle = found;
            }
        };
        for (name, item) in &instance.exports {
            match &item.ty {
                ComponentEntityType::Func(id) => {
                    let function = self.function(name, *id)?;
                    let is_async = self.types[*id].async_;
                    note(is_async.then(|| Obstacle::Async(name.clone())));
                    let types = function.parameters.iter().map(|(_, kind)| kind);
                    let mut handles = types.chain(&function.result).filter_map(Type::handle);
                    note(handles.next().map(|handle| Obstacle::Handle {
                        function: name.clone(),
                        handle,
                    }));
                    functions.push(function);
                }
                ComponentEntityType::Type { created, .. } => {
                    let is_resource = matches!(created, ComponentAnyTypeId::Resource(_));
                    note(is_resource.then(|| Obstacle::Resource(name.clone())));
                }
                ComponentEntityType::Module(_)
                | ComponentEntityType::Value(_)
                | ComponentEntityType::Instance(_)
                | ComponentEntityType::Component(_) => note(Some(Obstacle::Item(name.clone()))),
            }
        }
        functions.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Interface {
            name: name.to_owned(),
            functions,
            obstacle,
        })
    }

    fn function(&mut self, name: &str, id: ComponentFuncTypeId) -> Result<Function, ReadError> {
        let types = self.types;
        let function = &types[id];
        let mut parameters = Vec::with_capacity(function.params.len());
        for (name, kind) in &function.params {
            parameters.push((name.to_string(), self.value(*kind)?));
        }
        Ok(Function {
            name: name.to_owned(),
            parameters,
            result: self.optional(function.result)?,
        })
    }

    fn optional(&mut self, kind: Option<ComponentValType>) -> Result<Option<Type>, ReadError> {
        kind.map(|kind| self.value(kind)).transpose()
    }

    fn boxed(&mut self, kind: ComponentValType) -> Result<Box<Type>, ReadError> {
        self.value(kind).map(Box::new)
    }

    /// Writes a type out. The validator has bounded its nesting.
    fn value(&mut self, kind: ComponentValType) -> Result<Type, ReadError> {
        self.types_left = self.types_left.checked_sub(1).ok_or(ReadError::TooLarge {
            what: "types in its interfaces",
            max: TYPES_MAX,
        })?;
        let id = match kind {
            ComponentValType::Primitive(wasmparser::PrimitiveValType::ErrorContext) => {
                return Ok(Type::Handle(Handle::ErrorContext));
            }
            ComponentValType::Primitive(primitive) => {
                return Ok(Type::Primitive(primitive.to_string()));
            }
            ComponentValType::Type(id) => id,
        };
        let types = self.types;
        self.defined(&types[id])
    }

    fn defined(&mut self, kind: &ComponentDefinedType) -> Result<Type, ReadError> {
        Ok(match kind {
            ComponentDefinedType::Primitive(primitive) => {
                return self.value(ComponentValType::Primitive(*primitive));
            }
            ComponentDefinedType::Record(record) => {
                let mut fields = Vec::new();
                for (name, field) in &record.fields {
                    fields.push((name.to_string(), self.value(*field)?));
                }
                Type::Record(fields)
            }
            ComponentDefinedType::Variant(variant) => {
                let mut cases = Vec::new();
                for (name, case) in &variant.cases {
                    cases.push((name.to_string(), self.optional(case.ty)?));
                }
                Type::Variant(cases)
            }
            ComponentDefinedType::List { element, .. } => Type::List(self.boxed(*element)?),
            ComponentDefinedType::Map { key, value, .. } => {
                Type::Map(self.boxed(*key)?, self.boxed(*value)?)
            }
            ComponentDefinedType::FixedLengthList {
                element, length, ..
            } => Type::FixedLengthList(self.boxed(*element)?, *length),
            ComponentDefinedType::Tuple(tuple) => {
                let mut fields = Vec::new();
                for field in &tuple.types {
                    fields.push(self.value(*field)?);
                }
                Type::Tuple(fields)
            }
            ComponentDefinedType::Flags(names) => {
                Type::Flags(names.iter().map(ToString::to_string).collect())
            }
            ComponentDefinedType::Enum(names) => {
                Type::Enum(names.iter().map(ToString::to_string).collect())
            }
            ComponentDefinedType::Option { ty, .. } => Type::Option(self.boxed(*ty)?),
            ComponentDefinedType::Result { ok, err, .. } => Type::Result(
                self.optional(*ok)?.map(Box::new),
                self.optional(*err)?.map(Box::new),
            ),
            ComponentDefinedType::Own(_) => Type::Handle(Handle::Own),
            ComponentDefinedType::Borrow(_) => Type::Handle(Handle::Borrow),
            ComponentDefinedType::Future { .. } => Type::Handle(Handle::Future),
            ComponentDefinedType::Stream { .. } => Type::Handle(Handle::Stream),
        })
    }
}

#[cfg(test)]
mod tests;
