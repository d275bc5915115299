//! What the names of a Python program stand for, as far as its text tells.
//!
//! Scopes and the order of assignments are ignored: a name stands for everything that is bound to
//! it anywhere. That finds more meanings than the program has, never fewer. A meaning is written
//! as a dotted path from a module, such as `os.environ.get`; the result of a call is written with
//! brackets, such as `socket.socket()`. Only paths that the capability table or the standard
//! library know are kept.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use ruff_python_ast::{Expr, ExprCall, ExprSubscript};

use super::fold::{self, Const};
use super::{capabilities, stdlib};

/// The most paths one expression is taken to stand for.
const PATHS_MAX: usize = 32;

/// The longest path that is followed, in bytes.
const PATH_BYTES_MAX: usize = 160;

/// How many steps one question about an expression may take. Bounds its recursion as well.
const STEPS_MAX: u32 = 128;

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
}

/// The names of one program.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    entries: HashMap<&'a str, Entry<'a>>,
    star_modules: Vec<String>,
    known_paths: RefCell<HashMap<&'a str, Rc<[String]>>>,
    known_constants: RefCell<HashMap<&'a str, Option<Const>>>,
    cut: Cell<bool>,
}

impl<'a> Names<'a> {
    /// Binds a name to a module path.
    pub(super) fn bind_path(&mut self, name: &'a str, path: &str) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        let path = normal(path);
        if is_relevant(&path) {
            entry.meanings.push(Meaning::Path(path));
        }
    }

    /// Binds a name to the value of an expression.
    pub(super) fn bind_value(&mut self, name: &'a str, value: &'a Expr) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        entry.meanings.push(Meaning::Value(value));
    }

    /// Binds a name to something that is not followed.
    pub(super) fn bind_other(&mut self, name: &'a str) {
        self.entries.entry(name).or_default().bindings += 1;
    }

    /// Notes `from module import *`: any name may come from there.
    pub(super) fn bind_star(&mut self, module: &str) {
        if self.star_modules.len() < PATHS_MAX {
            self.star_modules.push(module.to_owned());
        } else {
            self.cut.set(true);
        }
    }

    /// Whether some name had more meanings than were followed.
    pub(super) fn was_cut(&self) -> bool {
        self.cut.get()
    }

    /// The paths an expression may stand for.
    pub(super) fn paths(&self, expr: &Expr) -> Vec<String> {
        self.paths_within(expr, STEPS_MAX)
    }

    /// The constant a name stands for: it is bound once in the whole program, to a constant.
    pub(super) fn constant(&self, name: &str, steps: &mut u32) -> Option<Const> {
        if let Some(known) = self.known_constants.borrow().get(name) {
            return known.clone();
        }
        let (key, entry) = self.entries.get_key_value(name)?;
        let value = match entry.meanings.as_slice() {
            [Meaning::Value(value)] if entry.bindings == 1 => *value,
            _ => return None,
        };
        // A name that is being looked up stands for nothing, which ends `a = a + 1`.
        self.known_constants.borrow_mut().insert(key, None);
        let constant = fold::within(value, self, steps);
        if constant.is_none() && *steps == 0 {
            // Out of steps is no answer, so the next question may ask again.
            self.known_constants.borrow_mut().remove(name);
        } else {
            self.known_constants
                .borrow_mut()
                .insert(key, constant.clone());
        }
        constant
    }

    fn paths_within(&self, expr: &Expr, steps: u32) -> Vec<String> {
        let Some(steps) = steps.checked_sub(1) else {
            self.cut.set(true);
            return Vec::new();
        };
        let mut paths = match expr {
            Expr::Name(name) => self.paths_of_name(name.id.as_str(), steps),
            Expr::Attribute(attribute) => {
                let attr = attribute.attr.as_str();
                let base = self.paths_within(&attribute.value, steps);
                self.members(base, attr, steps)
            }
            Expr::Call(call) => self.paths_of_call(call, steps),
            Expr::Subscript(subscript) => self.paths_of_subscript(subscript, steps),
            Expr::If(either) => {
                let mut paths = self.paths_within(&either.body, steps);
                paths.extend(self.paths_within(&either.orelse, steps));
                paths
            }
            Expr::BoolOp(either) => either
                .values
                .iter()
                .take(PATHS_MAX)
                .flat_map(|value| self.paths_within(value, steps))
                .collect(),
            Expr::Named(named) => self.paths_within(&named.value, steps),
            Expr::Await(awaited) => self.paths_within(&awaited.value, steps),
            _ => Vec::new(),
        };
        paths.sort_unstable();
        paths.dedup();
        if paths.len() > PATHS_MAX {
            self.cut.set(true);
            paths.truncate(PATHS_MAX);
        }
        paths
    }

    fn paths_of_name(&self, name: &str, steps: u32) -> Vec<String> {
        if let Some(known) = self.known_paths.borrow().get(name) {
            return known.to_vec();
        }
        let mut paths = Vec::new();
        let entry = self.entries.get_key_value(name);
        if let Some((key, entry)) = entry {
            self.known_paths.borrow_mut().insert(key, Rc::from([]));
            for meaning in &entry.meanings {
                match meaning {
                    Meaning::Path(path) => paths.push(path.clone()),
                    Meaning::Value(value) => paths.extend(self.paths_within(value, steps)),
                }
            }
        } else {
            let member = |module: &String| normal(&format!("{module}.{name}"));
            paths.extend(self.star_modules.iter().map(member));
        }
        // Whatever the program binds the name to, a `del` or another scope may bring this back.
        if name == "__builtins__" {
            paths.push("builtins".to_owned());
        } else {
            let builtin = format!("builtins.{name}");
            if capabilities::is_listed(&builtin) {
                paths.push(builtin);
            }
        }
        paths.retain(|path| is_relevant(path));
        if let Some((key, _)) = entry {
            paths.sort_unstable();
            paths.dedup();
            self.known_paths
                .borrow_mut()
                .insert(key, Rc::from(paths.as_slice()));
        }
        paths
    }

    /// The paths of an attribute (or a key of a namespace dictionary) of each of the bases.
    fn members(&self, bases: Vec<String>, name: &str, steps: u32) -> Vec<String> {
        let mut paths = Vec::new();
        for base in bases {
            if base == "__main__" {
                paths.extend(self.paths_of_name(name, steps));
            } else if base.len() + name.len() < PATH_BYTES_MAX {
                let path = normal(&format!("{base}.{name}"));
                if is_relevant(&path) {
                    paths.push(path);
                }
            }
        }
        paths
    }

    fn paths_of_call(&self, call: &ExprCall, steps: u32) -> Vec<String> {
        let text = |position: usize| {
            let argument = call.arguments.find_positional(position)?;
            fold::constant(argument, self)?.into_text()
        };
        let argument = |position: usize| {
            call.arguments
                .find_positional(position)
                .map(|argument| self.paths_within(argument, steps))
                .unwrap_or_default()
        };
        let mut paths = Vec::new();
        for function in self.paths_within(&call.func, steps) {
            match function.as_str() {
                "builtins.getattr" => {
                    if let Some(name) = text(1) {
                        paths.extend(self.members(argument(0), &name, steps));
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
                        paths.extend(self.members(vec![base], &name, steps));
                    }
                }
                path if path.len() + 2 < PATH_BYTES_MAX => paths.push(format!("{path}()")),
                _ => {}
            }
        }
        paths.retain(|path| is_relevant(path));
        paths
    }

    fn paths_of_subscript(&self, subscript: &ExprSubscript, steps: u32) -> Vec<String> {
        let bases = self.paths_within(&subscript.value, steps);
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
                paths.push(normal(&key));
            } else if base == "builtins" {
                paths.extend(self.members(vec![base], &key, steps));
            } else if let Some(namespace) = base.strip_suffix(".__dict__") {
                paths.extend(self.members(vec![namespace.to_owned()], &key, steps));
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
fn normal(path: &str) -> String {
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
    for component in path.split('.') {
        if HOLDERS.contains(&component.trim_start_matches('_')) {
            start = offset;
        }
        offset += component.len() + 1;
    }
    let path = path.get(start..).unwrap_or(path);
    let (root, rest) = match path.split_once('.') {
        Some((root, rest)) => (root, Some(rest)),
        None => (path, None),
    };
    let root = match root {
        "__main__" | "__future__" | "__builtins__" => root,
        root => root.trim_start_matches('_'),
    };
    let root = match root {
        "posix" | "nt" => "os",
        "__builtins__" => "builtins",
        root => root,
    };
    match rest {
        Some(rest) => format!("{root}.{rest}"),
        None => root.to_owned(),
    }
}

/// Whether a path can matter: the table knows its module, or it is in the standard library (which
/// may hold one that the table knows).
fn is_relevant(path: &str) -> bool {
    let root = top_level(path);
    root == "__main__"
        || capabilities::is_root(root)
        || (!path.contains('(') && stdlib::contains(root))
}
