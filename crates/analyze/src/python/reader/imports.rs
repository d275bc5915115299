//! What a Python program imports.

use atoll_types::DependencySource;
use ruff_python_ast::{StmtImport, StmtImportFrom};
use ruff_text_size::Ranged;

use super::super::names::top_level;
use super::super::{capabilities, stdlib};
use super::{Reader, Use};

impl<'a> Reader<'a, '_> {
    pub(super) fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            let module = alias.name.as_str();
            self.module(module);
            if self.class.is_some() {
                // The name is an attribute of the class as well, which is not followed.
                self.path(top_level(module), Use::Value, &import);
            }
        }
    }

    pub(super) fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        if import.level > 0 {
            for alias in &import.names {
                let name = if module.is_empty() {
                    alias.name.as_str()
                } else {
                    top_level(module)
                };
                self.findings.dependency(name, DependencySource::Local);
                if alias.name.as_str() == "*" {
                    self.problem(alias, "every name of a local module is imported");
                }
            }
            return;
        }
        self.module(module);
        for alias in &import.names {
            let name = alias.name.as_str();
            if name != "*" {
                let imported_as = if self.class.is_some() {
                    Use::Value
                } else {
                    Use::Alias
                };
                let path = format!("{module}.{name}");
                // Judged where they are called.
                let is_getter = matches!(&*path, "operator.attrgetter" | "operator.methodcaller");
                if !is_getter || imported_as == Use::Value {
                    self.path(&path, imported_as, alias);
                }
            } else if !stdlib::contains(top_level(module)) {
                let message = format!("every name of the third-party module {module} is imported");
                self.problem(alias, &message);
            }
        }
    }

    /// Notes that a module is imported, from the name as it is written.
    pub(super) fn module(&mut self, module: &str) {
        let root = top_level(module);
        if root.is_empty() || root == "__future__" || root == "__main__" {
            return;
        }
        let source = if stdlib::contains(root) {
            DependencySource::StandardLibrary
        } else {
            DependencySource::ThirdParty
        };
        self.findings.dependency(root, source);
        self.imported.insert(root.to_owned());
        // `_socket` offers what `socket` does.
        let plain = module.trim_start_matches('_');
        for path in [plain, top_level(plain)] {
            if let Some((_, given)) = capabilities::lookup(path) {
                for capability in *given {
                    self.findings.capability(*capability);
                }
            }
        }
        if matches!(root, "posix" | "nt" | "_io") {
            self.imported.insert("os".to_owned());
        }
    }

    /// A module imported by a call, with the name as far as it is a constant.
    pub(super) fn imported_by_call(&mut self, name: Option<String>, place: &impl Ranged) {
        match name {
            Some(name) if name.starts_with('.') => {
                let name = name.trim_start_matches('.');
                self.findings
                    .dependency(top_level(name), DependencySource::Local);
            }
            Some(name) => self.module(&name),
            None => {
                self.findings
                    .capability(atoll_types::Capability::DynamicCode);
                self.problem(place, "the name of an imported module is computed");
            }
        }
    }
}
