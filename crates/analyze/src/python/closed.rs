//! Whether the names of a program are bound only where its text shows it.
//!
//! A program can also bind names through its namespaces (`globals()`, frames, its own module as an
//! object), and it can change what looking one up means (`__prepare__`). In a program that has any
//! way to do so, no name stands for a certain value. Attributes that are looked up or set by name
//! are such a way unless their names are certainly plain. Whether they are may rest on names in
//! turn: that is settled by supposing that nothing is open, for then the first step that opens
//! something would have to be one that is seen here.

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_expr, walk_pattern_keyword, walk_stmt,
};
use ruff_python_ast::{CmpOp, Expr, ExprCall, ExprCompare, ExprContext, PatternKeyword, Stmt};

use super::capabilities;
use super::fold;
use super::names::{Names, top_level};
use super::shadow;

/// Names and attributes that lead to namespaces, or change what they are. Sorted.
const WORDS: [&str; 48] = [
    "Formatter",
    "__builtins__",
    "__delattr__",
    "__delitem__",
    "__getattribute__",
    "__import__",
    "__loader__",
    "__main__",
    "__match_args__",
    "__module__",
    "__name__",
    "__prepare__",
    "__set_name__",
    "__setattr__",
    "__setitem__",
    "__spec__",
    "__traceback__",
    "_current_frames",
    "_getframe",
    "_getframemodulename",
    "builtins",
    "cell_contents",
    "currentframe",
    "dictConfig",
    "fileConfig",
    "get_field",
    "get_objects",
    "get_referents",
    "get_referrers",
    "getattr_static",
    "getmodule",
    "globals",
    "import_module",
    "locals",
    "locate",
    "make_dataclass",
    "meta_path",
    "modules",
    "new_class",
    "patch",
    "path_hooks",
    "reload",
    "resolve_name",
    "run_module",
    "run_path",
    "safeimport",
    "setprofile",
    "settrace",
];

/// Modules that hand out namespaces, frames or objects of the interpreter. Sorted.
const MODULES: [&str; 29] = [
    "__main__",
    "bdb",
    "builtins",
    "cProfile",
    "code",
    "codeop",
    "copyreg",
    "ctypes",
    "dill",
    "doctest",
    "gc",
    "imp",
    "importlib",
    "inspect",
    "jsonpickle",
    "marshal",
    "mock",
    "pdb",
    "pickle",
    "pkgutil",
    "profile",
    "pydoc",
    "rlcompleter",
    "runpy",
    "timeit",
    "trace",
    "traceback",
    "types",
    "zipimport",
];

/// Whether a name or attribute leads to namespaces.
fn is_way_in(name: &str) -> bool {
    WORDS.binary_search(&name).is_ok()
        || capabilities::INNER_ATTRIBUTES.binary_search(&name).is_ok()
}

/// Settles what can be relied on in a program of these bodies.
pub(super) fn settle<'a>(bodies: impl Iterator<Item = &'a [Stmt]> + Clone, names: &mut Names<'a>) {
    let mut scan = Scan::default();
    for body in bodies.clone() {
        scan.visit_body(body);
    }
    let mut is_open = scan.is_open || names.has_star();
    if !is_open {
        names.set_open(false, scan.has_own_operators);
        is_open = !scan.by_name.iter().all(|call| is_harmless(call, names));
    }
    let own = if is_open {
        Vec::new()
    } else {
        shadow::own_names(bodies)
    };
    // Whoever sits at the debugger can bind any name.
    is_open |= scan.uses_breakpoint && !own.contains(&"breakpoint");
    names.set_open(is_open, scan.has_own_operators);
    if !is_open {
        names.set_own(own);
    }
}

/// What a function does with an attribute whose name it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Access {
    Get,
    Set,
    /// Gets attributes by each of its arguments, later.
    Later,
}

fn access(function: &str) -> Option<Access> {
    match function {
        "getattr" | "hasattr" => Some(Access::Get),
        "setattr" | "delattr" => Some(Access::Set),
        "attrgetter" | "methodcaller" => Some(Access::Later),
        _ => None,
    }
}

/// The last name of a function that is called.
fn called_name(call: &ExprCall) -> Option<&str> {
    match &*call.func {
        Expr::Name(name) => Some(name.id.as_str()),
        Expr::Attribute(attribute) => Some(attribute.attr.as_str()),
        _ => None,
    }
}

/// Whether a call certainly reaches none but plain attributes.
fn is_harmless(call: &ExprCall, names: &Names<'_>) -> bool {
    let Some(access) = called_name(call).and_then(access) else {
        return false;
    };
    let arguments = &call.arguments;
    if arguments.args.iter().any(Expr::is_starred_expr) {
        return false;
    }
    if access == Access::Later {
        let arguments = arguments.args.iter();
        return arguments.clone().next().is_some()
            && arguments.take(1).all(|name| is_plain(name, access, names));
    }
    let name = arguments.find_positional(1);
    arguments.keywords.is_empty() && name.is_some_and(|name| is_plain(name, access, names))
}

fn is_plain(name: &Expr, access: Access, names: &Names<'_>) -> bool {
    if let Some(texts) = names.choices(name) {
        return texts.iter().flat_map(|text| text.split('.')).all(|text| {
            let binds = access == Access::Set && names.is_bound(text);
            capabilities::is_plain_attribute(text) && !is_way_in(text) && !binds
        });
    }
    access == Access::Get
        && fold::prefix(name, names).is_some_and(|prefix| {
            capabilities::is_plain_prefix(&prefix, true)
                && !WORDS.iter().any(|word| word.starts_with(&prefix))
        })
}

#[derive(Debug, Default)]
struct Scan<'a> {
    is_open: bool,
    /// Whether a class may have its own idea of `+` and `%` with a text on the left.
    has_own_operators: bool,
    uses_breakpoint: bool,
    /// Calls that reach attributes by name.
    by_name: Vec<&'a ExprCall>,
}

impl<'a> Scan<'a> {
    fn name(&mut self, name: &str) {
        self.is_open |=
            is_way_in(name) || matches!(name, "vars" | "type") || access(name).is_some();
        self.uses_breakpoint |= name == "breakpoint";
        self.has_own_operators |= matches!(name, "__radd__" | "__rmod__");
    }

    fn module(&mut self, module: &str) {
        self.is_open |= module
            .split('.')
            .any(|part| MODULES.binary_search(&part).is_ok() || part == "__main__");
    }

    fn call(&mut self, call: &'a ExprCall) {
        let is_type = matches!(&*call.func, Expr::Name(name) if name.id.as_str() == "type");
        if is_type && call.arguments.len() == 1 {
            // Only asks for a class.
        } else if called_name(call).and_then(access).is_some() {
            self.by_name.push(call);
            if let Expr::Attribute(attribute) = &*call.func {
                self.visit_expr(&attribute.value);
            }
        } else {
            self.visit_expr(&call.func);
        }
        self.visit_arguments(&call.arguments);
    }
}

impl<'a> SourceOrderVisitor<'a> for Scan<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Import(import) => {
                for alias in &import.names {
                    self.module(alias.name.as_str());
                }
            }
            Stmt::ImportFrom(import) => {
                let module = import.module.as_ref().map_or("", |module| module.as_str());
                self.module(module);
                for alias in &import.names {
                    // What reaches attributes by name is seen where it is called by that name.
                    let is_renamed = alias.asname.is_some();
                    let name = alias.name.as_str();
                    let is_access = access(name).is_some() && !is_renamed;
                    self.is_open |= name == "*";
                    self.module(top_level(name));
                    if !is_access {
                        self.name(name);
                    }
                }
            }
            Stmt::ClassDef(class) => {
                let keywords = class
                    .arguments
                    .iter()
                    .flat_map(|arguments| &arguments.keywords);
                self.is_open |= keywords.clone().next().is_some();
            }
            Stmt::FunctionDef(function) => self.name(function.name.as_str()),
            Stmt::If(branch) if is_main_check(&branch.test) => {
                self.visit_body(&branch.body);
                for clause in &branch.elif_else_clauses {
                    self.visit_elif_else_clause(clause);
                }
                return;
            }
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => self.name(name.id.as_str()),
            Expr::Attribute(attribute) => {
                // `type(self).__name__` is a text, and so is every other of these.
                let is_text =
                    attribute.attr.as_str() == "__name__" && attribute.ctx == ExprContext::Load;
                if !is_text {
                    self.name(attribute.attr.as_str());
                }
                walk_expr(self, expr);
            }
            Expr::StringLiteral(literal) => {
                let text = literal.value.to_str();
                self.has_own_operators |= matches!(text, "__radd__" | "__rmod__");
            }
            Expr::Call(call) => self.call(call),
            _ => walk_expr(self, expr),
        }
    }

    fn visit_pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        self.name(keyword.attr.as_str());
        walk_pattern_keyword(self, keyword);
    }
}

/// `__name__ == "__main__"`.
fn is_main_check(test: &Expr) -> bool {
    let Expr::Compare(ExprCompare {
        left,
        ops,
        comparators,
        ..
    }) = test
    else {
        return false;
    };
    let is_name = matches!(&**left, Expr::Name(name) if name.id.as_str() == "__name__");
    let is_main = matches!(
        &**comparators,
        [Expr::StringLiteral(text)] if text.value.to_str() == "__main__"
    );
    is_name && is_main && matches!(&**ops, [CmpOp::Eq])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_without_repetition() {
        assert!(WORDS.is_sorted_by(|left, right| left < right));
        assert!(MODULES.is_sorted_by(|left, right| left < right));
    }
}
