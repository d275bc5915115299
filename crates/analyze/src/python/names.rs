//! What the names of a Python program stand for, as far as its text tells.
//!
//! Two questions are kept apart. What a name may stand for, as paths and as guesses, finds more
//! than the program has, never less. What a name certainly stands for is only answered when the
//! program has no other way to bind it ([`super::closed`]).
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

use super::fold::{self, Certainty, Const, Folding};
use super::{builtins, capabilities, stdlib};

/// Steps of folding that one program gets in all. Then everything else is unknown.
const FOLD_STEPS_MAX: u64 = 1 << 20;

/// Bytes of values that folding makes for one program in all, those it throws away included.
const VALUE_BYTES_MAX: u64 = 16 << 20;

/// Bytes of values that are kept for the names of one program.
const KEPT_BYTES_MAX: u64 = 1 << 20;

/// What looking for paths may cost in one program: so much, and so much more for each place where
/// a name is looked up. Then the program counts as too ambiguous.
const PATH_STEPS_MIN: u64 = 1 << 16;
const PATH_STEPS_PER_LOAD: u64 = 8;

/// The most paths one expression is taken to stand for.
const PATHS_MAX: usize = 32;

/// The most modules whose every name is imported. Each makes each unknown name dearer.
const STAR_MODULES_MAX: usize = 4;

/// The longest path that is followed, in bytes.
const PATH_BYTES_MAX: usize = 160;

/// How deep one question about an expression may go, through the values of names too.
const LEVELS_MAX: u32 = 128;

/// Functions whose result is told by what their first argument may stand for.
const FUNCTIONS_OF_PATHS: [&str; 3] = ["builtins.getattr", "builtins.vars", "functools.partial"];

/// The longest dotted name of a function that is known to compute something.
const IMPORTED_LINKS_MAX: usize = 4;

/// The most texts that one name is taken to be one of.
const CHOICES_MAX: usize = 256;

/// What a name is bound to in one place.
#[derive(Debug, Clone)]
enum Meaning<'a> {
    /// A module, or something imported from one.
    Path(String),
    /// The value of an expression.
    Value(&'a Expr),
    /// Each element of a collection.
    Element(&'a Expr),
}

/// Everything bound to one name.
#[derive(Debug, Default)]
struct Entry<'a> {
    meanings: Vec<Meaning<'a>>,
    /// Bindings in all, with those that have no meaning here (parameters, loop variables).
    bindings: u64,
    /// Places where the name is looked up, or where its value has another way in.
    loads: u64,
    /// Whether some attribute of this name is set, which binds the name if it is a module's.
    is_set_outside: bool,
    /// Whether a function or class of the program is among them.
    is_callable: bool,
    /// What was found out so far.
    paths: RefCell<Option<Vec<String>>>,
    certain: RefCell<Option<Option<Const>>>,
    guessed: RefCell<Option<Option<Const>>>,
}

/// What looking for values and paths has cost so far.
#[derive(Debug, Default)]
pub(super) struct Spent {
    pub(super) fold_steps: Cell<u64>,
    pub(super) value_bytes: Cell<u64>,
    pub(super) kept_bytes: Cell<u64>,
    pub(super) path_steps: Cell<u64>,
}

/// The names of one program.
#[derive(Debug, Default)]
pub(super) struct Names<'a> {
    entries: HashMap<&'a str, Entry<'a>>,
    star_modules: Vec<String>,
    has_star: bool,
    /// Built-in functions that the program can no longer reach by their name.
    own: Vec<&'static str>,
    /// Whether names may be bound in ways that the text does not show.
    is_open: bool,
    /// Places where any name is looked up.
    loads: u64,
    /// Whether `+` and `%` with a text on the left may be the program's own doing.
    has_own_operators: bool,
    spent: Spent,
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

    /// Binds a name to each element of a collection in turn.
    pub(super) fn bind_element(&mut self, name: &'a str, collection: &'a Expr) {
        let entry = self.entries.entry(name).or_default();
        entry.bindings += 1;
        entry.meanings.push(Meaning::Element(collection));
    }

    /// Notes that an attribute of this name is set or deleted: it may be that of a module.
    pub(super) fn bind_outside(&mut self, name: &'a str) {
        self.entries.entry(name).or_default().is_set_outside = true;
    }

    /// Whether names may be bound in ways that the text does not show.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Whether every name of some module may be among those of the program.
    pub(super) fn has_star(&self) -> bool {
        self.has_star
    }

    /// Whether the program binds a name itself.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.entries
            .get(name)
            .is_some_and(|entry| entry.bindings > 0)
    }

    /// Notes that a name is looked up, or that its value can be reached in another way.
    pub(super) fn note_load(&mut self, name: &'a str) {
        self.entries.entry(name).or_default().loads += 1;
        self.loads += 1;
    }

    /// Notes that names may be bound in ways that the text does not show, or may not.
    pub(super) fn set_open(&mut self, is_open: bool, has_own_operators: bool) {
        self.is_open = is_open;
        self.has_own_operators = has_own_operators;
        self.forget_certain();
    }

    fn forget_certain(&mut self) {
        for entry in self.entries.values_mut() {
            entry.certain.replace(None);
        }
    }

    /// Notes built-in functions that the program cannot reach by their name.
    pub(super) fn set_own(&mut self, own: Vec<&'static str>) {
        self.own = own;
    }

    /// Whether `+` and `%` on a text do what they do for texts.
    pub(super) fn has_plain_operators(&self) -> bool {
        !self.is_open && !self.has_own_operators
    }

    /// Whether a name certainly means the built-in function of that name.
    pub(super) fn is_certainly_built_in(&self, name: &str) -> bool {
        let is_bound = |entry: &Entry<'_>| entry.bindings > 0 || entry.is_set_outside;
        !self.is_open && !self.entries.get(name).is_some_and(is_bound)
    }

    /// What looking for values has cost.
    #[cfg(test)]
    pub(super) fn spent(&self) -> &Spent {
        &self.spent
    }

    /// Takes a step of folding off what the program gets.
    pub(super) fn charge_step(&self) -> Option<()> {
        charge(&self.spent.fold_steps, 1, FOLD_STEPS_MAX)
    }

    /// Takes the bytes of a value off what the program gets.
    pub(super) fn charge_bytes(&self, bytes: usize) -> Option<()> {
        charge(&self.spent.value_bytes, bytes as u64, VALUE_BYTES_MAX)
    }

    /// The path of a dotted name, without looking at values: only imports are followed.
    pub(super) fn imported_path(&self, expr: &Expr) -> Option<String> {
        let mut attributes = Vec::new();
        let mut expr = expr;
        while let Expr::Attribute(attribute) = expr {
            attributes.push(attribute.attr.as_str());
            expr = &attribute.value;
            if attributes.len() > IMPORTED_LINKS_MAX {
                return None;
            }
        }
        let entry = self.entries.get(expr.as_name_expr()?.id.as_str())?;
        let mut path = entry.meanings.iter().find_map(|meaning| match meaning {
            Meaning::Path(path) => Some(path.clone()),
            Meaning::Value(_) | Meaning::Element(_) => None,
        })?;
        for attribute in attributes.iter().rev() {
            path.push('.');
            path.push_str(attribute);
        }
        Some(path)
    }

    /// The texts that an expression is certainly one of.
    pub(super) fn choices(&self, expr: &Expr) -> Option<Vec<String>> {
        if let Some(text) = fold::constant(expr, self).and_then(Const::into_text) {
            return Some(vec![text]);
        }
        let name = expr.as_name_expr()?.id.as_str();
        let entry = self.certain_entry(name)?;
        let [Meaning::Element(collection)] = entry.meanings.as_slice() else {
            return None;
        };
        let elements = match self.literal(collection) {
            Expr::List(list) => &list.elts,
            Expr::Tuple(tuple) => &tuple.elts,
            Expr::Set(set) => &set.elts,
            _ => return None,
        };
        if elements.len() > CHOICES_MAX {
            return None;
        }
        let text = |element: &Expr| fold::constant(element, self)?.into_text();
        elements.iter().map(text).collect()
    }

    /// The literal that an expression is, or that the name it consists of stands for. A list that
    /// is reached in more than one place may have been changed.
    fn literal<'e>(&self, expr: &'e Expr) -> &'e Expr
    where
        'a: 'e,
    {
        let entry = expr
            .as_name_expr()
            .and_then(|name| self.certain_entry(name.id.as_str()));
        match entry.map(|entry| (entry.meanings.as_slice(), entry.loads)) {
            Some(([Meaning::Value(value @ Expr::Tuple(_))], _)) => value,
            Some(([Meaning::Value(value @ Expr::List(_))], 1)) => value,
            _ => expr,
        }
    }

    /// What is bound to a name that is bound in one place of the program and in no other way.
    fn certain_entry(&self, name: &str) -> Option<&Entry<'a>> {
        let entry = self.entries.get(name)?;
        let is_certain = entry.bindings == 1
            && !entry.is_set_outside
            && !self.is_open
            && !name.starts_with("__")
            && !builtins::contains(name);
        is_certain.then_some(entry)
    }

    /// Notes `from module import *`: any name may come from there.
    pub(super) fn bind_star(&mut self, module: &str) {
        self.has_star = true;
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

    /// The constant a name stands for: it is bound once in the whole program, to a constant. As a
    /// guess, other ways to bind it are not thought of.
    pub(super) fn constant(&self, name: &str, folding: &mut Folding<'_, '_>) -> Option<Const> {
        let (entry, cache) = match folding.certainty {
            Certainty::Certain => {
                let entry = self.certain_entry(name)?;
                (entry, &entry.certain)
            }
            Certainty::Guess => {
                let entry = self.entries.get(name)?;
                (entry, &entry.guessed)
            }
        };
        let value = match entry.meanings.as_slice() {
            [Meaning::Value(value)] if entry.bindings == 1 => *value,
            _ => return None,
        };
        if let Some(known) = &*cache.borrow() {
            return known.clone();
        }
        // A name that is being looked up stands for nothing, which ends `a = a + 1`.
        cache.replace(Some(None));
        let mut constant = folding.fold(value);
        let bytes = constant.as_ref().map_or(0, Const::bytes);
        if charge(&self.spent.kept_bytes, bytes as u64, KEPT_BYTES_MAX).is_none() {
            constant = None;
        }
        // Reaching a bound is no answer, so the next question may ask again.
        let is_answer = constant.is_some() || !folding.is_cut();
        cache.replace(is_answer.then(|| constant.clone()));
        constant
    }

    fn charge_paths(&self, steps: u64) -> bool {
        let most = PATH_STEPS_MIN.saturating_add(self.loads.saturating_mul(PATH_STEPS_PER_LOAD));
        charge(&self.spent.path_steps, steps, most).is_some()
    }

    /// Whether there are more paths than are followed. Looking for more would not help.
    fn has_too_many(&self, paths: &[String]) -> bool {
        let has_too_many = paths.len() > PATHS_MAX || !self.charge_paths(1);
        self.cut.set(self.cut.get() || has_too_many);
        has_too_many
    }

    fn paths_within(&self, expr: &Expr, levels: u32) -> Vec<String> {
        let has_steps = self.charge_paths(1);
        let Some(levels) = levels.checked_sub(1).filter(|_| has_steps) else {
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
        // Many paths make many more of what is looked up in them.
        if !self.charge_paths((paths.len() * paths.len()) as u64 / 2) {
            self.cut.set(true);
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
                    // What is in a collection was noted as handed around.
                    Meaning::Element(_) => {}
                }
            }
        }
        // Whatever the program binds the name to, the module may bind it again.
        let member = |module: &String| normal(Cow::Owned(format!("{module}.{name}")));
        paths.extend(self.star_modules.iter().map(member));
        // Whatever the program binds the name to, a `del` or another scope may bring this back.
        if name == "__builtins__" {
            paths.push("builtins".to_owned());
        } else if capabilities::is_builtin(name) && !self.own.contains(&name) {
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
            if self.has_too_many(&paths) {
                break;
            }
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
        // A name that is not certain is guessed: the reader says that it is not certain.
        let text = |position: usize| {
            let argument = call.arguments.find_positional(position)?;
            fold::guess(argument, self)?.into_text()
        };
        // Once for all functions, or calls inside calls would be looked at again and again.
        let needs_first = |function: &String| FUNCTIONS_OF_PATHS.contains(&function.as_str());
        let first = call.arguments.find_positional(0);
        let first = first
            .filter(|_| functions.iter().any(needs_first))
            .map(|argument| self.paths_within(argument, levels))
            .unwrap_or_default();
        let argument = || first.clone();
        let mut paths = Vec::new();
        for function in functions {
            if self.has_too_many(&paths) {
                break;
            }
            match function.as_str() {
                "builtins.getattr" => {
                    if let Some(name) = text(1) {
                        paths.extend(self.members(argument(), &name, levels));
                    }
                }
                "builtins.__import__" | "importlib.__import__" => {
                    // With a dotted name the outermost package is what comes back.
                    paths.extend(text(0).map(|name| top_level(&name).to_owned()));
                }
                "importlib.import_module" => paths.extend(text(0)),
                "pkgutil.resolve_name" => {
                    paths.extend(text(0).map(|name| name.replace(':', ".")));
                }
                "sys.modules.get" | "sys.modules.__getitem__" => paths.extend(text(0)),
                "builtins.vars" => paths.extend(
                    argument()
                        .into_iter()
                        .map(|path| format!("{path}.__dict__")),
                ),
                "functools.partial" => paths.extend(argument()),
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
        let key = fold::guess(&subscript.slice, self).and_then(Const::into_text);
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

/// Takes an amount off what is left of a bound; `None` when that is not enough.
fn charge(spent: &Cell<u64>, amount: u64, most: u64) -> Option<()> {
    let total = spent.get().saturating_add(amount);
    if total > most {
        return None;
    }
    spent.set(total);
    Some(())
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
