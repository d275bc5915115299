//! Follows the imports of core modules through the wiring of the component around them.
//!
//! Owns the index spaces it takes: instances, functions, core functions, core instances. What it
//! cannot follow it leaves unknown.

use std::collections::BTreeMap;

use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentTypeRef, ExternalKind,
    Instance, Payload,
};

use super::Callee;

/// Entries of one index space.
const INDEXES_MAX: usize = 1_000_000;

/// What is known about the outermost component.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    /// Names of imported instances; other instances have none.
    instances: Vec<Option<String>>,
    functions: Vec<Option<Callee>>,
    core_functions: Vec<Option<Callee>>,
    core_instances: Vec<BTreeMap<String, Callee>>,
    /// What each module is instantiated with: module, name of the argument, core instance.
    arguments: Vec<(u32, String, u32)>,
}

impl Wiring {
    /// The function that an import of a module is wired to.
    pub(super) fn callee(&self, module: u32, from: &str, name: &str) -> Option<Callee> {
        let mut arguments = self.arguments.iter();
        let (_, _, instance) =
            arguments.find(|(index, argument, _)| *index == module && argument == from)?;
        let instance = self.core_instances.get(*instance as usize)?;
        instance.get(name).cloned()
    }

    /// Reads one piece of the outermost component; `None` when there is too much or it is damaged.
    pub(super) fn read(&mut self, payload: &Payload<'_>) -> Option<()> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.clone() {
                    let import = import.ok()?;
                    match import.ty {
                        ComponentTypeRef::Instance(_) => {
                            self.instances.push(Some(import.name.name.to_owned()));
                        }
                        ComponentTypeRef::Func(_) => {
                            let name = import.name.name.to_owned();
                            self.functions.push(Some((name.clone(), name)));
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentInstanceSection(section) => {
                for instance in section.clone() {
                    instance.ok()?;
                    self.instances.push(None);
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.clone() {
                    // An export gives what it exports another index.
                    let export = export.ok()?;
                    let index = export.index as usize;
                    match export.kind {
                        ComponentExternalKind::Instance => {
                            let again = self.instances.get(index).cloned().flatten();
                            self.instances.push(again);
                        }
                        ComponentExternalKind::Func => {
                            let again = self.functions.get(index).cloned().flatten();
                            self.functions.push(again);
                        }
                        _ => {}
                    }
                }
            }
            Payload::ComponentAliasSection(section) => {
                for alias in section.clone() {
                    self.alias(&alias.ok()?);
                }
            }
            Payload::ComponentCanonicalSection(section) => {
                for function in section.clone() {
                    self.canonical(&function.ok()?);
                }
            }
            Payload::InstanceSection(section) => {
                for instance in section.clone() {
                    self.core_instance(&instance.ok()?);
                }
            }
            _ => {}
        }
        let spaces = [
            self.instances.len(),
            self.functions.len(),
            self.core_functions.len(),
            self.core_instances.len(),
            self.arguments.len(),
        ];
        spaces
            .iter()
            .all(|length| *length <= INDEXES_MAX)
            .then_some(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'_>) {
        match alias {
            ComponentAlias::InstanceExport {
                kind,
                instance_index,
                name,
            } => match kind {
                ComponentExternalKind::Func => {
                    let instance = self.instances.get(*instance_index as usize);
                    let interface = instance.cloned().flatten();
                    self.functions
                        .push(interface.map(|interface| (interface, (*name).to_owned())));
                }
                ComponentExternalKind::Instance => self.instances.push(None),
                _ => {}
            },
            ComponentAlias::CoreInstanceExport {
                kind: ExternalKind::Func | ExternalKind::FuncExact,
                instance_index,
                name,
            } => {
                let instance = self.core_instances.get(*instance_index as usize);
                let callee = instance.and_then(|instance| instance.get(*name)).cloned();
                self.core_functions.push(callee);
            }
            _ => {}
        }
    }

    fn canonical(&mut self, function: &CanonicalFunction) {
        match function {
            CanonicalFunction::Lift { .. } => self.functions.push(None),
            CanonicalFunction::Lower { func_index, .. } => {
                let callee = self.functions.get(*func_index as usize).cloned().flatten();
                self.core_functions.push(callee);
            }
            // All others make core functions.
            _ => self.core_functions.push(None),
        }
    }

    fn core_instance(&mut self, instance: &Instance<'_>) {
        let mut exports = BTreeMap::new();
        match instance {
            Instance::Instantiate { module_index, args } => {
                for argument in args {
                    let name = argument.name.to_owned();
                    self.arguments.push((*module_index, name, argument.index));
                }
            }
            Instance::FromExports(items) => {
                for item in items {
                    let callee = self.core_functions.get(item.index as usize);
                    if item.kind == ExternalKind::Func
                        && let Some(callee) = callee.cloned().flatten()
                    {
                        exports.insert(item.name.to_owned(), callee);
                    }
                }
            }
        }
        self.core_instances.push(exports);
    }
}
