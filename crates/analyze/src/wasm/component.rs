//! How a component uses what it imports.
//!
//! Follows instances through the component's index space, to tell which functions of an imported
//! interface are really taken out of it. A toolchain lists a whole interface; only the functions
//! that are aliased can be called.

use std::collections::BTreeSet;

use wasmparser::{
    ComponentAlias, ComponentExternalKind, ComponentImport, ComponentInstance, ComponentTypeRef,
};

use super::Stop;

/// Imports of one component that are looked at.
const IMPORTS_MAX: usize = 1000;

/// Functions of one import that are listed; beyond that it counts as used whole.
const FUNCTIONS_MAX: usize = 256;

/// Something a component imports.
#[derive(Debug, Default)]
pub(super) struct Import {
    /// Its full name, such as `wasi:cli/stdout@0.2.0`.
    pub(super) name: String,
    /// Whether it is an interface, not a bare function, module or component.
    pub(super) is_instance: bool,
    /// The functions taken out of it.
    pub(super) functions: BTreeSet<String>,
    /// Whether it is handed on as a whole, so that any function may be called.
    pub(super) is_used_whole: bool,
}

/// The wiring of one component.
#[derive(Debug, Default)]
pub(super) struct Wiring {
    imports: Vec<Import>,
    /// The instance index space: for each instance the import it is, if it is one.
    instances: Vec<Option<usize>>,
    is_command: bool,
}

impl Wiring {
    pub(super) fn import(&mut self, import: &ComponentImport<'_>) -> Result<(), Stop> {
        // Types that are imported by themselves do nothing.
        if matches!(import.ty, ComponentTypeRef::Type(_)) {
            return Ok(());
        }
        if self.imports.len() >= IMPORTS_MAX {
            return Err(Stop::TooMuch("more than 1000 imports of one component"));
        }
        let is_instance = matches!(import.ty, ComponentTypeRef::Instance(_));
        if is_instance {
            self.instances.push(Some(self.imports.len()));
        }
        self.imports.push(Import {
            name: import.name.name.to_owned(),
            is_instance,
            ..Import::default()
        });
        Ok(())
    }

    pub(super) fn instance(&mut self, instance: &ComponentInstance<'_>) {
        match instance {
            ComponentInstance::Instantiate { args, .. } => {
                for argument in args {
                    self.hand_on(argument.kind, argument.index);
                }
            }
            ComponentInstance::FromExports(exports) => {
                for export in exports {
                    self.hand_on(export.kind, export.index);
                }
            }
        }
        self.instances.push(None);
    }

    pub(super) fn alias(&mut self, alias: &ComponentAlias<'_>) {
        let ComponentAlias::InstanceExport {
            kind,
            instance_index,
            name,
        } = alias
        else {
            return;
        };
        let import = self.instance_import(*instance_index);
        match kind {
            ComponentExternalKind::Func => {
                if let Some(import) = import {
                    if import.functions.len() < FUNCTIONS_MAX {
                        import.functions.insert((*name).to_owned());
                    } else {
                        import.is_used_whole = true;
                    }
                }
            }
            ComponentExternalKind::Type => {}
            ComponentExternalKind::Instance
            | ComponentExternalKind::Module
            | ComponentExternalKind::Component
            | ComponentExternalKind::Value => {
                if let Some(import) = import {
                    import.is_used_whole = true;
                }
                if matches!(kind, ComponentExternalKind::Instance) {
                    self.instances.push(None);
                }
            }
        }
    }

    pub(super) fn export(&mut self, name: &str, kind: ComponentExternalKind, index: u32) {
        self.hand_on(kind, index);
        if matches!(kind, ComponentExternalKind::Instance) {
            self.is_command |= name == "wasi:cli/run" || name.starts_with("wasi:cli/run@");
            // An export is an instance of its own in the index space.
            self.instances.push(None);
        }
    }

    /// Whether it exports what a command exports.
    pub(super) fn is_command(&self) -> bool {
        self.is_command
    }

    pub(super) fn into_imports(self) -> Vec<Import> {
        self.imports
    }

    fn hand_on(&mut self, kind: ComponentExternalKind, index: u32) {
        if matches!(kind, ComponentExternalKind::Instance)
            && let Some(import) = self.instance_import(index)
        {
            import.is_used_whole = true;
        }
    }

    fn instance_import(&mut self, index: u32) -> Option<&mut Import> {
        let import = (*self.instances.get(index as usize)?)?;
        self.imports.get_mut(import)
    }
}
