//! What a Python program refers to and calls outside itself.

use atoll_types::Capability;
use ruff_python_ast::visitor::source_order::SourceOrderVisitor;
use ruff_python_ast::{Expr, ExprAttribute, ExprCall, ExprContext, ExprSubscript};
use ruff_text_size::Ranged;

use super::super::capabilities;
use super::super::fold::{self, Const};
use super::super::graph::Node;
use super::{Reader, Use};

/// The longest chain of attributes that is followed.
const CHAIN_MAX: usize = 32;

/// Methods of the built-in types: calling one on some object says nothing about a method of the
/// same name in the program.
const BUILT_IN_METHODS: [&str; 30] = [
    "add", "append", "clear", "close", "copy", "count", "decode", "discard", "encode", "extend",
    "find", "flush", "format", "get", "index", "insert", "items", "join", "keys", "pop", "put",
    "read", "remove", "replace", "send", "sort", "split", "update", "values", "write",
];

/// Functions that open a file by name, with the place of their mode and the mode they take
/// without one.
const OPENERS: [(&str, usize, &str); 17] = [
    ("builtins.open", 1, "r"),
    ("bz2.BZ2File", 1, "r"),
    ("bz2.open", 1, "r"),
    ("codecs.open", 1, "r"),
    ("gzip.GzipFile", 1, "r"),
    ("gzip.open", 1, "r"),
    ("h5py.File", 1, "r"),
    ("io.FileIO", 1, "r"),
    ("io.open", 1, "r"),
    ("lzma.LZMAFile", 1, "r"),
    ("lzma.open", 1, "r"),
    ("pathlib.Path().open", 0, "r"),
    ("shelve.open", 1, "c"),
    ("tarfile.open", 1, "r"),
    ("wave.open", 1, "r"),
    ("zipfile.PyZipFile", 1, "r"),
    ("zipfile.ZipFile", 1, "r"),
];

impl<'a> Reader<'a, '_> {
    /// Reads an expression that is used in a known way.
    pub(super) fn used(&mut self, expr: &'a Expr, how: Use) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load && how == Use::Base => {
                self.name(name.id.as_str(), how);
            }
            Expr::Name(name) if name.ctx == ExprContext::Load => {
                self.name(name.id.as_str(), how);
                for path in self.names.paths(expr) {
                    self.path(&path, how, expr);
                }
            }
            Expr::Attribute(attribute) => {
                let paths = self.names.paths(expr);
                self.attribute(attribute, how, &paths);
            }
            Expr::Call(call) => self.call(expr, call, how),
            Expr::Subscript(subscript) => self.subscript(expr, subscript, how),
            _ => self.visit_expr(expr),
        }
    }

    /// Reads the function of a call, with the paths that are not noted yet.
    fn used_function(&mut self, function: &'a Expr, paths: &[String]) {
        match function {
            Expr::Name(name) => {
                self.name(name.id.as_str(), Use::Called);
                for path in paths {
                    self.path(path, Use::Called, function);
                }
            }
            Expr::Attribute(attribute) => self.attribute(attribute, Use::Called, paths),
            _ => self.used(function, Use::Called),
        }
    }

    /// Notes a name for the call graph.
    fn name(&mut self, name: &'a str, how: Use) {
        self.findings.instructions += 1;
        if !self.names.is_callable(name) {
            return;
        }
        self.graph.call(self.frame.node, Node::Function(name));
        if how == Use::Called && self.frame.node == Node::Function(name) {
            self.frame.calls_itself = true;
        }
    }

    /// Notes a path the program leads to.
    pub(super) fn path(&mut self, path: &str, how: Use, place: &impl Ranged) {
        // What a call returned was noted at the call, unless a row is about what it returns.
        let noted = path.rfind("()").map_or(0, |end| {
            path.get(..end).unwrap_or_default().replace("()", "").len()
        });
        if let Some((row, given)) = capabilities::lookup(path)
            && row.len() > noted
        {
            for capability in *given {
                self.findings.capability(*capability);
            }
            if given.iter().any(|capability| is_outward(*capability)) && !is_constant(path) {
                let name = path.split("()").next().unwrap_or(path);
                self.findings
                    .host_call(name.trim_start_matches("builtins."));
            }
        }
        if how != Use::Value || self.in_annotation || path.ends_with("()") {
            return;
        }
        // Handed around, a module can be used for all it offers. What a class offers is told by
        // the names of its methods instead.
        if !is_class(path) {
            for (_, given) in capabilities::below(path) {
                for capability in *given {
                    self.findings.capability(*capability);
                }
            }
        }
        match path {
            "builtins" => self.problem(place, "the module builtins is handed around"),
            "builtins.eval"
            | "builtins.exec"
            | "builtins.compile"
            | "builtins.__import__"
            | "importlib.import_module" => {
                let name = path.rsplit('.').next().unwrap_or(path);
                self.problem(place, &format!("{name} is handed around as a value"));
            }
            _ => {}
        }
    }

    fn attribute(&mut self, attribute: &'a ExprAttribute, how: Use, paths: &[String]) {
        // A chain is walked down here and not by recursion, so that each is looked up once.
        let mut chain = 1;
        let mut last = attribute;
        self.attribute_name(last);
        while let Expr::Attribute(inner) = &*last.value {
            chain += 1;
            last = inner;
            self.attribute_name(last);
        }
        self.findings.instructions += chain as u64;
        self.method(attribute, how);
        let base = &*last.value;
        if chain <= CHAIN_MAX {
            for path in paths {
                self.path(path, how, attribute);
            }
        } else if !self.names.paths(base).is_empty() {
            self.problem(attribute, "a chain of attributes is too long to follow");
        }
        self.used(base, Use::Base);
    }

    /// Notes an attribute that leads into the interpreter, whatever it belongs to.
    pub(super) fn inner_attribute(&mut self, name: &str, place: &impl Ranged) {
        if capabilities::INNER_ATTRIBUTES.binary_search(&name).is_ok() {
            self.findings.capability(Capability::Introspection);
            if capabilities::ESCAPES.contains(&name) {
                let message = format!("{name} leads to everything in the interpreter");
                self.problem(place, &message);
            }
        }
    }

    /// Attribute names that matter whatever they belong to.
    fn attribute_name(&mut self, attribute: &'a ExprAttribute) {
        let name = attribute.attr.as_str();
        self.inner_attribute(name, attribute);
        let start = capabilities::METHODS.partition_point(|row| row.0 < name);
        let rows = capabilities::METHODS.get(start..).unwrap_or_default();
        for (_, module, capability) in rows.iter().take_while(|row| row.0 == name) {
            if self.imported.contains(*module) {
                self.findings.capability(*capability);
            }
        }
    }

    /// Notes a method for the call graph.
    fn method(&mut self, attribute: &'a ExprAttribute, how: Use) {
        let name = attribute.attr.as_str();
        let base = attribute.value.as_name_expr().map(|base| base.id.as_str());
        match (base, self.frame.class) {
            (Some("self" | "cls"), Some(class)) => {
                self.graph
                    .call(self.frame.node, Node::OwnMethod { class, name });
                if how == Use::Called && self.frame.node == (Node::Method { class, name }) {
                    self.frame.calls_itself = true;
                }
            }
            _ if how != Use::Called || BUILT_IN_METHODS.contains(&name) => {}
            _ if is_super(&attribute.value) => {}
            _ => self.graph.call(self.frame.node, Node::AnyMethod(name)),
        }
    }

    fn subscript(&mut self, expr: &'a Expr, subscript: &'a ExprSubscript, how: Use) {
        self.findings.instructions += 1;
        if subscript.ctx == ExprContext::Load {
            let spaces = self.names.paths(&subscript.value);
            let is_namespace = spaces.iter().any(|path| {
                path == "builtins" || path == "sys.modules" || path.ends_with(".__dict__")
            });
            if is_namespace {
                let key = fold::constant(&subscript.slice, self.names).and_then(Const::into_text);
                if key.is_none() {
                    self.findings.capability(Capability::DynamicCode);
                    self.problem(expr, "a name is looked up by a computed key");
                }
                for path in self.names.paths(expr) {
                    self.path(&path, how, expr);
                }
            }
        }
        self.used(&subscript.value, Use::Base);
        self.visit_expr(&subscript.slice);
    }

    fn call(&mut self, expr: &'a Expr, call: &'a ExprCall, how: Use) {
        if is_exit(&call.func) {
            self.leaves_loops();
        }
        let functions = self.names.paths(&call.func);
        let mut first_argument = Use::Value;
        let mut is_noted = false;
        for function in &functions {
            match function.as_str() {
                "builtins.eval" | "builtins.exec" | "builtins.compile" => self.evaluate(call),
                "builtins.__import__"
                | "importlib.import_module"
                | "importlib.__import__"
                | "pkgutil.resolve_name" => {
                    let name = self.text_argument(call, "name", 0);
                    if name.is_none() {
                        // What it most likely is, besides that it may be any.
                        let guess = self.guessed_argument(call, "name", 0);
                        guess.iter().for_each(|module| self.module(module));
                    }
                    let name = name.map(|name| name.replace(':', "."));
                    self.imported_by_call(name, call);
                    is_noted = functions.len() == 1;
                }
                "builtins.getattr" | "builtins.hasattr" => {
                    first_argument = self.get_attribute(call, function);
                    is_noted = functions.len() == 1;
                }
                "builtins.setattr" | "builtins.delattr" => {
                    is_noted = functions.len() == 1 && self.sets_plain_attribute(call);
                }
                "operator.attrgetter" | "operator.methodcaller" => {
                    is_noted = functions.len() == 1 && self.gets_plain_attributes(call);
                }
                function => {
                    if let Some(mode) = self.opened_mode(call, function) {
                        self.open(function, mode.as_deref());
                        is_noted = functions.len() == 1;
                    }
                }
            }
        }
        self.note_call(call, &functions);
        self.note_template(call);
        if !functions.is_empty() {
            for path in self.names.result_paths(call, &functions) {
                if !path.ends_with("()") {
                    self.path(&path, how, expr);
                }
            }
        }
        self.findings.instructions += 1;
        // What was noted in detail is only walked through.
        let functions = if is_noted { &[] } else { functions.as_slice() };
        self.used_function(&call.func, functions);
        for (index, argument) in call.arguments.args.iter().enumerate() {
            let how = if index == 0 {
                first_argument
            } else {
                Use::Value
            };
            self.used(argument, how);
        }
        for keyword in &call.arguments.keywords {
            self.visit_keyword(keyword);
        }
    }

    fn text_argument(&self, call: &ExprCall, name: &str, position: usize) -> Option<String> {
        let argument = call.arguments.find_argument_value(name, position)?;
        fold::constant(argument, self.names)?.into_text()
    }

    fn guessed_argument(&self, call: &ExprCall, name: &str, position: usize) -> Option<String> {
        let argument = call.arguments.find_argument_value(name, position)?;
        fold::guess(argument, self.names)?.into_text()
    }

    /// `eval`, `exec` and `compile`: fine when the text is constant, for then it was read too.
    fn evaluate(&mut self, call: &'a ExprCall) {
        self.findings.capability(Capability::DynamicCode);
        let argument = call.arguments.find_argument_value("source", 0);
        let text = argument
            .and_then(|argument| fold::constant(argument, self.names))
            .and_then(Const::into_text);
        if !text.is_some_and(|text| self.inner_texts.contains(&text)) {
            self.problem(call, "the program runs text that it computes");
        }
    }

    /// `getattr(value, name)`; says how its first argument is used.
    fn get_attribute(&mut self, call: &'a ExprCall, function: &str) -> Use {
        let Some(name) = self.text_argument(call, "name", 1) else {
            let value = call.arguments.find_positional(0);
            let is_module = value.is_none_or(|value| !self.names.paths(value).is_empty());
            if !is_module && self.has_plain_name(call) {
                return Use::Value;
            }
            if let Some(guess) = self.guessed_argument(call, "name", 1) {
                self.inner_attribute(&guess, call);
            }
            self.findings.capability(Capability::Introspection);
            if is_module && function == "builtins.getattr" {
                self.problem(
                    call,
                    "an attribute of a module is looked up by a computed name",
                );
            }
            return Use::Value;
        };
        self.inner_attribute(&name, call);
        Use::Base
    }

    /// Whether the attribute that a call names in its second argument is certainly a plain one.
    fn has_plain_name(&self, call: &ExprCall) -> bool {
        let is_whole = !call.arguments.args.iter().any(Expr::is_starred_expr)
            && call.arguments.keywords.is_empty();
        let Some(name) = call.arguments.find_positional(1).filter(|_| is_whole) else {
            return false;
        };
        match self.names.choices(name) {
            Some(names) => names.iter().all(|name| is_plain(name)),
            None => fold::prefix(name, self.names).is_some_and(|prefix| {
                capabilities::is_plain_prefix(&prefix, !self.names.is_open())
            }),
        }
    }

    /// Whether `setattr` or `delattr` changes a plain attribute of something that is no module.
    fn sets_plain_attribute(&self, call: &ExprCall) -> bool {
        let value = call.arguments.find_positional(0);
        let is_module = value.is_none_or(|value| !self.names.paths(value).is_empty());
        !is_module && self.has_plain_name(call)
    }

    /// Whether the attribute that `attrgetter` or `methodcaller` is for is certainly a plain one.
    fn gets_plain_attributes(&self, call: &ExprCall) -> bool {
        let [name] = &*call.arguments.args else {
            return false;
        };
        let names = self.names.choices(name).unwrap_or_default();
        let mut parts = names.iter().flat_map(|name| name.split('.')).peekable();
        call.arguments.keywords.is_empty() && parts.peek().is_some() && parts.all(is_plain)
    }

    /// `template.format(...)` reaches the attributes that the template names.
    fn note_template(&mut self, call: &'a ExprCall) {
        let Some(method) = call.func.as_attribute_expr() else {
            return;
        };
        if !matches!(method.attr.as_str(), "format" | "format_map" | "vformat") {
            return;
        }
        let first = call.arguments.args.first();
        for template in [Some(&*method.value), first].into_iter().flatten() {
            let Some(template) = fold::guess(template, self.names).and_then(Const::into_text)
            else {
                continue;
            };
            let mut parts = template.split(['{', '}', '.', '[', ']', '!', ':']);
            if parts.any(|part| capabilities::INNER_ATTRIBUTES.binary_search(&part).is_ok()) {
                self.findings.capability(Capability::Introspection);
            }
        }
    }

    /// The mode of a call that opens a file: `None` when it opens none, `Some(None)` when the
    /// mode is computed.
    fn opened_mode(&self, call: &ExprCall, function: &str) -> Option<Option<String>> {
        let (_, position, default) = OPENERS
            .iter()
            .find(|(opener, ..)| *opener == function)
            .copied()?;
        let is_unpacked = call.arguments.args.iter().any(Expr::is_starred_expr)
            || call
                .arguments
                .keywords
                .iter()
                .any(|keyword| keyword.arg.is_none());
        let mode = call.arguments.find_argument_value("mode", position);
        Some(match mode {
            Some(mode) => fold::constant(mode, self.names).and_then(Const::into_text),
            None if is_unpacked => None,
            None => Some(default.to_owned()),
        })
    }

    fn open(&mut self, function: &str, mode: Option<&str>) {
        // A mode that cannot be told may be any.
        let mode = mode.unwrap_or("r+");
        if !mode.contains(['w', 'a', 'x', 'c', 'n']) || mode.contains('+') {
            self.findings.capability(Capability::FilesRead);
        }
        if mode.contains(['w', 'a', 'x', 'c', 'n', '+']) {
            self.findings.capability(Capability::FilesWrite);
        }
        let name = function.replace("()", "");
        self.findings
            .host_call(name.trim_start_matches("builtins."));
        if let Some((_, given)) = capabilities::lookup(function) {
            // Opening a shelf, say, does more than reading and writing.
            for capability in *given {
                if !matches!(capability, Capability::FilesRead | Capability::FilesWrite) {
                    self.findings.capability(*capability);
                }
            }
        }
    }
}

/// Whether an attribute of this name is a plain one, which does nothing by its name alone.
fn is_plain(name: &str) -> bool {
    let is_method = capabilities::METHODS.iter().any(|row| row.0 == name);
    capabilities::is_plain_attribute(name) && !is_method
}

/// Whether a capability reaches the operating system, so that the call belongs to the host calls.
fn is_outward(capability: Capability) -> bool {
    match capability {
        Capability::FilesRead
        | Capability::FilesWrite
        | Capability::Network
        | Capability::Processes
        | Capability::Threads
        | Capability::NativeCode
        | Capability::Environment
        | Capability::Time
        | Capability::Randomness
        | Capability::SystemInformation
        | Capability::SystemChange => true,
        Capability::DynamicCode
        | Capability::UnsafeDeserialization
        | Capability::Introspection
        | Capability::Unanalyzed => false,
    }
}

/// Whether the last name of a path is spelled like a constant, such as `socket.AF_INET`.
fn is_constant(path: &str) -> bool {
    path.rsplit('.').next().is_some_and(|name| {
        name.contains('_')
            && name
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
    })
}

/// Whether the last name of a path is spelled like a class.
fn is_class(path: &str) -> bool {
    path.rsplit('.')
        .next()
        .is_some_and(|name| name.starts_with(|c: char| c.is_ascii_uppercase()))
}

fn is_super(expr: &Expr) -> bool {
    let function = expr.as_call_expr().map(|call| &*call.func);
    function
        .and_then(Expr::as_name_expr)
        .is_some_and(|name| name.id.as_str() == "super")
}

/// `exit()`, `quit()`, `sys.exit()` and `os._exit()`.
fn is_exit(function: &Expr) -> bool {
    match function {
        Expr::Name(name) => matches!(name.id.as_str(), "exit" | "quit"),
        Expr::Attribute(attribute) => {
            matches!(attribute.attr.as_str(), "exit" | "_exit" | "abort")
        }
        _ => false,
    }
}
