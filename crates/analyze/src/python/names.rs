//! What the names of a Python program stand for, as far as its text tells.
//!
//! Scopes and the order of assignments are ignored: a name stands for everything that is bound to
//! it anywhere. That finds more meanings than the program has, never fewer. A meaning is written
//! as a dotted path from a module, such as `os.environ.get`; the result of a call is written with
//! brackets, such as `socket.socket()`. Only paths that the capability table or the standard
//! library know are kept.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use ruff_python_ast::{Expr, ExprCall, ExprSubscript};

use super::fold::{self, Const, Folding};
use super::{capabilities, stdlib};

/// The most paths one expression is taken to stand for.
const PATHS_MAX: usize = 32;

/// The most modules whose every name is imported. Each makes each unknown name dearer.
const STAR_MODULES_MAX: usize = 4;

/// The longest path that is followed, in bytes.
const PATH_BYTES_MAX: usize = 160;

/// How deep one question about an expression may go, through the values of names too.
const LEVELS_MAX: u32 = 128;

/// What a name is bound to in one place.
#[derive(Debug, Clone)]
enum Meaning<'a> {
    /// A module, or something imported from one.
    Path(String),
    /// The value of an expression.
    Value(&'a Expr),
}

/// Everything bound to one name.
#[derive(Debug, Default)]
struct Entry<'a> {
    meanings: Vec<Meaning<'a>>,
    /// Bindings in all, with those that have no meaning here (parameters, loop variables).
    bindings: u64,
    /// Whether a function or class of the program is among them.
    is_callable: bool,
    /// What was found out so far.
    paths: RefCell<Option<Vec<String>>>,
    constant: RefCell<Option<Option<Const>>>,
}

/// The names of one program.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    entries: HashMap<&'a str, Entry<'a>>,
    star_modules: Vec<String>,
    cut: Cell<bool>,
}

impl<'a> Names<'a> {
    /// Binds a name to a module path.
    pub(super) fn bind_path(&mut self, name: &'a str, path: &str) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        let path = normal(Cow::Borrowed(path));
        if is_relevant(&path) {
            entry.meanings.push(Meaning::Path(path));
        }
    }

    /// Binds a name to the value of an expression.
    pub(super) fn bind_value(&mut self, name: &'a str, value: &'a Expr) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        entry.is_callable |= value.is_lambda_expr();
        entry.meanings.push(Meaning::Value(value));
    }

    /// Binds a name to a function or class of the program.
    pub(super) fn bind_callable(&mut self, name: &'a str) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        entry.is_callable = true;
    }

    /// Binds a name to something that is not followed.
    pub(super) fn bind_other(&mut self, name: &'a str) {
        self.entries.entry(name).or_default().bindings += 1;
    }

    /// Notes `from module import *`: any name may come from there.
    pub(super) fn bind_star(&mut self, module: &str) {
        if self.star_modules.iter().any(|known| known == module) {
            return;
        }
        if self.star_modules.len() < STAR_MODULES_MAX {
            self.star_modules.push(module.to_owned());
        } else {
            self.cut.set(true);
        }
    }

    /// Whether some name had more meanings, or some expression more parts, than were followed.
    pub(super) fn was_cut(&self) -> bool {
        self.cut.get()
    }

    /// Whether a name may stand for a function or class of the program.
    pub(super) fn is_callable(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|entry| entry.is_callable)
    }

    /// The paths an expression may stand for.
    pub(super) fn paths(&self, expr: &Expr) -> Vec<String> {
        self.paths_within(expr, LEVELS_MAX)
    }

    /// The paths the result of a call may stand for, when its function may stand for these.
    pub(super) fn result_paths(&self, call: &ExprCall, functions: &[String]) -> Vec<String> {
        self.paths_of_call(call, functions, LEVELS_MAX)
    }

    /// The constant a name stands for: it is bound once in the whole program, to a constant.
    pub(super) fn constant(&self, name: &str, folding: &mut Folding<'_, '_>) -> Option<Const> {
        let entry = self.entries.get(name)?;
        let value = match entry.meanings.as_slice() {
            [Meaning::Value(value)] if entry.bindings == 1 => *value,
            _ => return None,
        };
        if let Some(known) = &*entry.constant.borrow() {
            return known.clone();
        }
        // A name that is being looked up stands for nothing, which ends `a = a + 1`.
        entry.constant.replace(Some(None));
        let constant = folding.fold(value);
        // Reaching a bound is no answer, so the next question may ask again.
        let is_answer = constant.is_some() || !folding.is_cut();
        entry.constant.replace(is_answer.then(|| constant.clone()));
        constant
    }

    fn paths_within(&self, expr: &Expr, levels: u32) -> Vec<String> {
        let Some(levels) = levels.checked_sub(1) else {
            self.cut.set(true);
            return Vec::new();
        };
        let mut paths = match expr {
            Expr::Name(name) => self.paths_of_name(name.id.as_str(), levels),
            Expr::Attribute(attribute) => {
                let attr = attribute.attr.as_str();
                let base = self.paths_within(&attribute.value, levels);
                self.members(base, attr, levels)
            }
            Expr::Call(call) => {
                let functions = self.paths_within(&call.func, levels);
                self.paths_of_call(call, &functions, levels)
            }
            Expr::Subscript(subscript) => self.paths_of_subscript(subscript, levels),
            Expr::If(either) => {
                let mut paths = self.paths_within(&either.body, levels);
                paths.extend(self.paths_within(&either.orelse, levels));
                paths
            }
            Expr::BoolOp(either) => either
                .values
                .iter()
                .take(PATHS_MAX)
                .flat_map(|value| self.paths_within(value, levels))
                .collect(),
            Expr::Named(named) => self.paths_within(&named.value, levels),
            Expr::Await(awaited) => self.paths_within(&awaited.value, levels),
            _ => Vec::new(),
        };
        if paths.len() > 1 {
            paths.sort_unstable();
            paths.dedup();
        }
        if paths.len() > PATHS_MAX {
            self.cut.set(true);
            paths.truncate(PATHS_MAX);
        }
        paths
    }

    fn paths_of_name(&self, name: &str, levels: u32) -> Vec<String> {
        let entry = self.entries.get(name);
        if let Some(entry) = entry
            && let Some(known) = &*entry.paths.borrow()
        {
            return known.clone();
        }
        let mut paths = Vec::new();
        if let Some(entry) = entry {
            entry.paths.replace(Some(Vec::new()));
            for meaning in &entry.meanings {
                match meaning {
                    Meaning::Path(path) => paths.push(path.clone()),
                    Meaning::Value(value) => paths.extend(self.paths_within(value, levels)),
                }
            }
        } else {
            let member = |module: &String| normal(Cow::Owned(format!("{module}.{name}")));
            paths.extend(self.star_modules.iter().map(member));
        }
        // Whatever the program binds the name to, a `del` or another scope may bring this back.
        if name == "__builtins__" {
            paths.push("builtins".to_owned());
        } else if capabilities::is_builtin(name) {
            paths.push(format!("builtins.{name}"));
        }
        if !paths.is_empty() {
            paths.retain(|path| is_relevant(path));
            paths.sort_unstable();
            paths.dedup();
        }
        if let Some(entry) = entry {
            entry.paths.replace(Some(paths.clone()));
        }
        paths
    }

    /// The paths of an attribute (or a key of a namespace dictionary) of each of the bases.
    fn members(&self, bases: Vec<String>, name: &str, levels: u32) -> Vec<String> {
        let mut paths = Vec::new();
        for base in bases {
            if base == "__main__" {
                paths.extend(self.paths_of_name(name, levels));
            } else if base.len() + name.len() < PATH_BYTES_MAX {
                let path = normal(Cow::Owned(format!("{base}.{name}")));
                if is_relevant(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }

    fn paths_of_call(&self, call: &ExprCall, functions: &[String], levels: u32) -> Vec<String> {
        let text = |position: usize| {
            let argument = call.arguments.find_positional(position)?;
            fold::constant(argument, self)?.into_text()
        };
        let argument = |position: usize| {
            call.arguments
                .find_positional(position)
                .map(|argument| self.paths_within(argument, levels))
                .unwrap_or_default()
        };
        let mut paths = Vec::new();
        for function in functions {
            match function.as_str() {
                "builtins.getattr" => {
                    if let Some(name) = text(1) {
                        paths.extend(self.members(argument(0), &name, levels));
                    }
                }
                "builtins.__import__" | "importlib.__import__" => {
                    // With a dotted name the outermost package is what comes back.
                    paths.extend(text(0).map(|name| top_level(&name).to_owned()));
                }
                "importlib.import_module" => paths.extend(text(0)),
                "sys.modules.get" | "sys.modules.__getitem__" => paths.extend(text(0)),
                "builtins.vars" => paths.extend(
                    argument(0)
                        .into_iter()
                        .map(|path| format!("{path}.__dict__")),
                ),
                "functools.partial" => paths.extend(argument(0)),
                "builtins.globals" | "builtins.locals" => {
                    paths.push("__main__.__dict__".to_owned());
                }
                path if path.ends_with(".__dict__.get") => {
                    let base = path.trim_end_matches(".__dict__.get").to_owned();
                    if let Some(name) = text(0) {
                        paths.extend(self.members(vec![base], &name, levels));
                    }
                }
                path if path.len() + 2 < PATH_BYTES_MAX => paths.push(format!("{path}()")),
                _ => {}
            }
        }
        paths.retain(|path| is_relevant(path));
        paths
    }

    fn paths_of_subscript(&self, subscript: &ExprSubscript, levels: u32) -> Vec<String> {
        let bases = self.paths_within(&subscript.value, levels);
        if bases.is_empty() {
            return bases;
        }
        let key = fold::constant(&subscript.slice, self).and_then(Const::into_text);
        let Some(key) = key else {
            return Vec::new();
        };
        let mut paths = Vec::new();
        for base in bases {
            if base == "sys.modules" {
                paths.push(normal(Cow::Borrowed(&key)));
            } else if base == "builtins" {
                paths.extend(self.members(vec![base], &key, levels));
            } else if let Some(namespace) = base.strip_suffix(".__dict__") {
                paths.extend(self.members(vec![namespace.to_owned()], &key, levels));
            }
        }
        paths.retain(|path| is_relevant(path));
        paths
    }
}

/// The first component of a dotted name.
pub(super) fn top_level(module: &str) -> &str {
    module.split('.').next().unwrap_or(module)
}

/// One spelling for paths that lead to the same thing.
///
/// Many modules of the standard library hold others (`random._os`, `logging.sys`), and the
/// accelerated halves carry an underscore (`_socket`), so a path starts anew at the last
/// component that names a module worth hiding.
fn normal(path: Cow<'_, str>) -> String {
    const HOLDERS: [&str; 10] = [
        "os",
        "sys",
        "builtins",
        "subprocess",
        "socket",
        "importlib",
        "ctypes",
        "posix",
        "nt",
        "shutil",
    ];
    let mut start = 0;
    let mut offset = 0;
    let mut before = "";
    for component in path.split('.') {
        let plain = component.trim_start_matches('_');
        // `socket.socket` is the class of that name.
        if plain != before && HOLDERS.contains(&plain) {
            start = offset;
        }
        before = plain;
        offset += component.len() + 1;
    }
    let tail = path.get(start..).unwrap_or(&path);
    let root = top_level(tail);
    let plain_root = match root {
        "__main__" | "__future__" => root,
        "__builtins__" => "builtins",
        root => match root.trim_start_matches('_') {
            "posix" | "nt" => "os",
            plain => plain,
        },
    };
    if start == 0 && plain_root == root {
        return path.into_owned();
    }
    format!("{plain_root}{}", tail.get(root.len()..).unwrap_or_default())
}

/// Whether a path can matter: the table knows its module, or it is in the standard library (which
/// may hold one that the table knows).
fn is_relevant(path: &str) -> bool {
    let root = top_level(path);
    root == "__main__"
        || capabilities::is_root(root)
        || (!path.contains('(') && stdlib::contains(root))
}
