//! Judges each use of a name: what it lets the program do, and how much work it asks for.

use atoll_types::{Capability, DependencySource};
use tree_sitter::Node;

use super::chain::{Chain, Root};
use super::modules::{self, PROCESS_WHOLE};
use super::reader::Reader;
use super::{globals, numbers, string};
use crate::tree;

/// How a chain of names is used.
#[derive(Clone, Copy)]
pub(super) enum Use<'n, 'tree> {
    /// Its value is taken.
    Value,
    /// Its value is given a name that the first pass has followed.
    Bound,
    /// It is called, or made an object of.
    Called {
        arguments: &'n [Node<'tree>],
        is_new: bool,
    },
}

/// Links of a path that are listed as a host call.
const HOST_CALL_LINKS: usize = 3;

impl Reader<'_, '_> {
    /// Notes a module that the program asks for; `None` when its name is computed.
    pub(super) fn import(&mut self, specifier: Option<&str>, line: u64) {
        let Some(specifier) = specifier else {
            self.findings.capability(Capability::DynamicCode);
            self.findings
                .problem(Some(line), "the name of an imported module is computed");
            return;
        };
        if specifier.ends_with(".node") {
            self.findings.capability(Capability::NativeCode);
        }
        let canonical = modules::canonical(specifier);
        let top = canonical.split('.').next().unwrap_or_default();
        if specifier.starts_with(['.', '/']) || specifier.starts_with("file:") {
            self.findings.dependency(specifier, DependencySource::Local);
        } else if specifier.starts_with("data:") || specifier.contains("://") {
            self.findings.capability(Capability::DynamicCode);
            self.findings.problem(
                Some(line),
                "imports code from an address, which is not looked at",
            );
        } else if modules::built_in(top).is_some() || specifier.starts_with("node:") {
            self.findings
                .dependency(top, DependencySource::StandardLibrary);
        } else {
            let links = if specifier.starts_with('@') { 2 } else { 1 };
            let package: Vec<_> = specifier.split('/').take(links).collect();
            let package = package.join("/");
            self.note_all(modules::package(&package));
            self.findings
                .dependency(&package, DependencySource::ThirdParty);
        }
    }

    /// Judges one use of a chain.
    pub(super) fn use_chain(&mut self, chain: &Chain, how: Use<'_, '_>, line: u64) {
        if chain.is_cut {
            self.findings
                .problem(Some(line), "a chain of names is too long to follow");
        }
        self.use_properties(chain, how, line);
        for path in self.bindings.resolve(chain) {
            let links: Vec<&str> = path.split('.').collect();
            if let Some((top, rest)) = links.split_first() {
                self.use_path(top, rest, chain, how, line);
            }
        }
        if let Use::Called { arguments, .. } = how {
            self.note_size(chain, arguments);
        }
    }

    /// Properties that mean the same on any object.
    fn use_properties(&mut self, chain: &Chain, how: Use<'_, '_>, line: u64) {
        let properties = || chain.properties.iter().chain(&chain.rest);
        let is = |name: &str| properties().any(|property| property == name);
        if is("__proto__") {
            self.findings.capability(Capability::Introspection);
        }
        let constructors = properties().filter(|name| *name == "constructor").count();
        let called = matches!(how, Use::Called { is_new: false, .. });
        let last_is_constructor = properties()
            .last()
            .is_some_and(|name| name == "constructor");
        if constructors > 1
            || (called && last_is_constructor)
            || (constructors > 0 && chain.is_of_function)
        {
            // The constructor of a constructor is `Function`, which makes code out of text.
            self.findings.capability(Capability::Introspection);
            self.findings.capability(Capability::DynamicCode);
            self.findings
                .problem(Some(line), "makes code by way of a constructor");
        }
        self.has_way_to_end_timers |= is("unref") || is("clearInterval");
    }

    fn use_path(&mut self, top: &str, rest: &[&str], chain: &Chain, how: Use<'_, '_>, line: u64) {
        if let Use::Bound = how
            && !chain.is_computed
        {
            return;
        }
        match (top, rest) {
            _ if globals::is_global_object(top) && rest.is_empty() && matches!(how, Use::Value) => {
                self.dynamic(line, "the global object is handed around");
            }
            _ if globals::is_global_object(top) && chain.is_computed => {
                self.dynamic(line, "a global is looked up by a computed name");
            }
            ("require", []) | ("commonjs", ["require" | "constructor", ..]) => {
                let is_plain =
                    chain.root == Root::Name("require".to_owned()) && chain.properties.is_empty();
                self.use_require(how, is_plain, line);
            }
            ("process", ["getBuiltinModule", ..]) => {
                if let Use::Called { arguments, .. } = how {
                    let name = arguments
                        .first()
                        .and_then(|name| string(self.script, *name));
                    self.import(name.as_deref(), line);
                    let guess = || self.guess(*arguments.first()?);
                    let name = name.or_else(guess).unwrap_or_default();
                    self.note_all(modules::member(&modules::canonical(&name), &[]));
                }
            }
            ("process", ["binding" | "_linkedBinding", ..]) => {
                let message = "the inner parts of the interpreter can do anything";
                self.findings.problem(Some(line), message);
            }
            ("process", ["exit" | "reallyExit", ..]) => self.flow.leave_function(),
            ("process", []) => {
                self.note_all(&PROCESS_WHOLE);
                if chain.is_computed {
                    self.dynamic(line, "a member of process is looked up by a computed name");
                }
            }
            ("eval" | "Function", []) | ("vm", [_, ..]) => self.use_code(top, rest, how, line),
            ("eval", [_, ..]) | ("Function", ["apply" | "bind" | "call", ..]) => {
                self.dynamic(
                    line,
                    "a function that makes code out of text is handed around",
                );
            }
            ("Date", []) => self.use_date(how),
            ("setTimeout" | "setInterval", _) => self.use_timer(top, how, line),
            ("clearInterval", _) => self.has_way_to_end_timers = true,
            ("arguments", ["callee", ..]) => self.findings.recursion = true,
            _ => {}
        }
        self.use_host(top, rest, chain, how);
    }

    /// Capabilities and host calls from the tables.
    fn use_host(&mut self, top: &str, rest: &[&str], chain: &Chain, how: Use<'_, '_>) {
        let (capabilities, is_host) = match modules::built_in(top) {
            Some(module) if !module.is_divided => (module.capabilities, module.is_host),
            Some(_) if top == "crypto" && matches!(chain.root, Root::Name(_)) => {
                let capabilities = modules::member(top, rest);
                (capabilities, !capabilities.is_empty())
            }
            Some(module) => (modules::member(top, rest), module.is_host),
            None => {
                let capabilities = globals::capabilities(top, rest);
                (capabilities, !capabilities.is_empty())
            }
        };
        let is_stream = match how {
            Use::Called { arguments, .. } if top == "fs" => arguments
                .first()
                .is_some_and(|first| self.is_standard_stream(*first)),
            _ => false,
        };
        if !is_stream {
            self.note_all(capabilities);
        }
        let is_called = matches!(how, Use::Called { .. });
        if is_host
            && (is_called || !capabilities.is_empty())
            && !(top == "process" && rest.is_empty())
        {
            let links = std::iter::once(top).chain(rest.iter().copied());
            let path: Vec<_> = links.take(HOST_CALL_LINKS).collect();
            self.findings.host_call(&path.join("."));
        }
    }

    /// `require` itself: called with a constant it was noted as an import.
    /// Under another name, what becomes of the module is not followed.
    fn use_require(&mut self, how: Use<'_, '_>, is_plain: bool, line: u64) {
        match how {
            Use::Called { arguments, .. } => {
                let first = arguments.first();
                let name = first.and_then(|name| super::chain::joined(self.script, *name));
                self.import(name.as_deref(), line);
                let guess = || self.guess(*first?);
                let guessed = if name.is_none() { guess() } else { None };
                if let Some(name) = &guessed {
                    self.import(Some(name), line);
                }
                if let Some(name) = name.or(guessed)
                    && !(self.is_consumed && is_plain)
                {
                    let canonical = modules::canonical(&name);
                    let mut links = canonical.split('.');
                    let top = links.next().unwrap_or_default();
                    self.note_all(modules::member(top, &links.collect::<Vec<_>>()));
                }
            }
            Use::Value | Use::Bound => self.dynamic(line, "require is handed around as a value"),
        }
    }

    /// Functions that make code out of text.
    fn use_code(&mut self, top: &str, rest: &[&str], how: Use<'_, '_>, line: u64) {
        let makes_code =
            top != "vm" || modules::member(top, rest).contains(&Capability::DynamicCode);
        if !makes_code {
            return;
        }
        match how {
            Use::Called { arguments, .. } => {
                let code = if arguments.len() >= super::ARGUMENTS_MAX {
                    return self.dynamic(line, "a call has too many arguments to look at");
                } else if top == "Function" {
                    arguments.last()
                } else {
                    arguments.first()
                };
                if let Some(code) = code {
                    self.embed(*code, line);
                }
            }
            Use::Value | Use::Bound => {
                self.dynamic(
                    line,
                    "a function that makes code out of text is handed around",
                );
            }
        }
    }

    /// Text that runs as code.
    fn embed(&mut self, code: Node<'_>, line: u64) {
        match string(self.script, code) {
            Some(code) => self.embedded.push(code),
            None => {
                self.dynamic(line, "the program runs text that it computes");
                self.embedded.extend(self.guess(code));
            }
        }
    }

    /// The text that an expression most likely comes to.
    fn guess(&self, node: Node<'_>) -> Option<String> {
        self.bindings.guesses.text(self.script, node)
    }

    fn use_date(&mut self, how: Use<'_, '_>) {
        if let Use::Called { arguments, .. } = how
            && arguments.is_empty()
        {
            self.findings.capability(Capability::Time);
            self.findings.host_call("Date");
        }
    }

    fn use_timer(&mut self, top: &str, how: Use<'_, '_>, line: u64) {
        let Use::Called { arguments, .. } = how else {
            return;
        };
        self.has_interval |= top == "setInterval";
        if let Some(first) = arguments.first() {
            let is_text = matches!(first.kind(), "string" | "template_string")
                || super::chain::joined(self.script, *first).is_some()
                || self.guess(*first).is_some();
            if is_text {
                self.findings.capability(Capability::DynamicCode);
                self.embed(*first, line);
            }
        }
    }

    /// Whether an argument of `fs` names a standard stream, which is not a file.
    fn is_standard_stream(&self, argument: Node<'_>) -> bool {
        match argument.kind() {
            "number" => matches!(&*self.script.text(argument), "0" | "1" | "2"),
            "member_expression" => matches!(
                &*self.script.text(argument),
                "process.stdin.fd" | "process.stdout.fd" | "process.stderr.fd"
            ),
            _ => string(self.script, argument).is_some_and(|path| {
                matches!(
                    &*path,
                    "/dev/stdin" | "/dev/stdout" | "/dev/stderr" | "/dev/null"
                )
            }),
        }
    }

    /// Numbers among the arguments that size work.
    fn note_size(&mut self, chain: &Chain, arguments: &[Node<'_>]) {
        let name = match (&chain.root, chain.properties.last()) {
            (_, Some(property)) => property.as_str(),
            (Root::Name(name), None) => name.as_str(),
            _ => return,
        };
        let (role, position) = match name {
            "Array" | "ArrayBuffer" | "SharedArrayBuffer" if arguments.len() == 1 => ("array", 0),
            name if globals::is_typed_array(name) => ("array", 0),
            "alloc" | "allocUnsafe" | "allocUnsafeSlow" | "randomBytes" => ("bytes", 0),
            "repeat" | "padStart" | "padEnd" => ("repeat", 0),
            "pbkdf2" | "pbkdf2Sync" => ("rounds", 2),
            "setTimeout" | "setInterval" => ("sleep.milliseconds", 1),
            "wait" if chain.root == Root::Name("Atomics".to_owned()) => ("sleep.milliseconds", 3),
            "from" => return self.note_length(arguments),
            _ => return,
        };
        let value = arguments.get(position).and_then(|value| self.fold(*value));
        if let Some(value) = value {
            self.findings.literal(role, value);
        }
    }

    /// `Array.from({ length: 1000 })`.
    fn note_length(&mut self, arguments: &[Node<'_>]) {
        let Some(object) = arguments.first().filter(|first| first.kind() == "object") else {
            return;
        };
        let mut cursor = object.walk();
        for pair in object.named_children(&mut cursor).take(4) {
            let key = pair.child_by_field_name("key");
            if key.is_some_and(|key| &*self.script.text(key) == "length")
                && let Some(value) = pair.child_by_field_name("value")
                && let Some(length) = self.fold(value)
            {
                self.findings.literal("array", length);
            }
        }
    }

    /// The number an expression stands for.
    pub(super) fn fold(&self, node: Node<'_>) -> Option<u64> {
        numbers::fold(self.script, node, &|name| self.bindings.number(name))
    }

    pub(super) fn dynamic(&mut self, line: u64, message: &str) {
        self.findings.capability(Capability::DynamicCode);
        self.findings.problem(Some(line), message);
    }

    pub(super) fn note_all(&mut self, capabilities: &[Capability]) {
        for capability in capabilities {
            self.findings.capability(*capability);
        }
    }

    /// A text that names places where the system tells about itself.
    pub(super) fn note_place(&mut self, string_node: Node<'_>) {
        if let Some(text) = string(self.script, string_node)
            && ["/proc", "/sys", "/etc/passwd", "/etc/group", "/etc/shadow"]
                .iter()
                .any(|place| text.starts_with(place))
        {
            self.findings.capability(Capability::SystemInformation);
        }
    }

    /// The line of a node.
    pub(super) fn line(node: Node<'_>) -> u64 {
        tree::line(node)
    }
}
