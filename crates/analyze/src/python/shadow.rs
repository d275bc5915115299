//! Which built-in functions a program can no longer reach by their name, because the name is its
//! own wherever it uses it.
//!
//! A name that a function binds is that function's own in all of its body. A name that the module
//! binds at its top level is the module's own from there on, unless it is deleted somewhere.
//! Everything else may still be the built-in function, and so may a name of the module in a program
//! that reaches into namespaces.

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_except_handler, walk_expr, walk_pattern, walk_stmt,
};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprContext, Parameters, Pattern, Stmt, StmtFunctionDef,
};

use super::capabilities;

/// The names that mean the program's own things wherever they are used in one of the bodies, out
/// of the built-in functions of the capability table.
pub(super) fn own_names<'a>(bodies: impl Iterator<Item = &'a [Stmt]>) -> Vec<&'static str> {
    let mut used = Set::default();
    let mut reached = Set::default();
    let mut of_module = Set::default();
    let mut is_open = false;
    for body in bodies {
        let mut reader = Reader::default();
        reader.visit_body(body);
        used.0 |= reader.used.0;
        reached.0 |= reader.reached.0 | reader.unbound.0;
        of_module.0 |= reader.of_module.0;
        is_open |= reader.is_open;
    }
    if is_open {
        reached.0 |= of_module.0;
    }
    let own = |index: &usize| used.has(*index) && !reached.has(*index);
    (0..32)
        .filter(own)
        .filter_map(capabilities::builtin_at)
        .collect()
}

/// A set of built-in functions, by their place in the table.
#[derive(Debug, Default, Clone, Copy)]
struct Set(u32);

impl Set {
    fn insert(&mut self, name: &str) {
        if let Some(index) = capabilities::builtin_index(name) {
            self.0 |= 1 << index;
        }
    }

    fn has(self, index: usize) -> bool {
        self.0 & (1 << index) != 0
    }
}

/// A scope around the place that is read.
#[derive(Debug, Clone, Copy)]
struct Scope {
    /// The names that it binds.
    bound: Set,
    /// Whether it is the body of a class, which functions inside do not see.
    is_class: bool,
}

#[derive(Debug, Default)]
struct Reader {
    scopes: Vec<Scope>,
    /// What the module itself has bound so far.
    module: Set,
    /// Blocks around the place at the top level that may not be entered.
    blocks: u32,
    /// Names that are looked up at all, those that may be built-in functions there, and those that
    /// some statement makes unknown.
    used: Set,
    reached: Set,
    unbound: Set,
    /// Names that are the program's own because the module binds them.
    of_module: Set,
    /// Whether the program reaches into namespaces, where it can take away what it bound.
    is_open: bool,
}

impl Reader {
    fn load(&mut self, name: &str) {
        self.is_open |= matches!(name, "globals" | "locals" | "vars" | "delattr");
        let Some(index) = capabilities::builtin_index(name) else {
            return;
        };
        self.used.0 |= 1 << index;
        let innermost = self.scopes.len().saturating_sub(1);
        for (place, scope) in self.scopes.iter().enumerate().rev() {
            if !scope.bound.has(index) {
                continue;
            }
            if !scope.is_class {
                return;
            }
            if place == innermost {
                // A class body may look further when its own name is not bound yet.
                self.reached.0 |= 1 << index;
                return;
            }
        }
        if self.module.has(index) {
            self.of_module.0 |= 1 << index;
        } else {
            self.reached.0 |= 1 << index;
        }
    }

    /// Notes a name that the module has bound for good.
    fn bind_in_module(&mut self, name: &str) {
        if self.scopes.is_empty() && self.blocks == 0 {
            self.module.insert(name);
        }
    }

    fn inside(&mut self, bound: Set, is_class: bool, read: impl FnOnce(&mut Self)) {
        self.scopes.push(Scope { bound, is_class });
        read(self);
        self.scopes.pop();
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        self.outside_of_parameters(&function.parameters);
        if let Some(returns) = &function.returns {
            self.visit_expr(returns);
        }
        self.bind_in_module(function.name.as_str());
        let mut bound = Bound::default();
        bound.parameters(&function.parameters);
        bound.visit_body(&function.body);
        self.unbound.0 |= bound.declared.0;
        self.inside(bound.names, false, |reader| {
            reader.visit_body(&function.body);
        });
    }

    /// Defaults and annotations are evaluated around the function.
    fn outside_of_parameters(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter() {
            if let Some(default) = parameter.default() {
                self.visit_expr(default);
            }
            if let Some(annotation) = parameter.annotation() {
                self.visit_expr(annotation);
            }
        }
    }

    fn comprehension(&mut self, clauses: &[Comprehension], elements: [Option<&Expr>; 2]) {
        let Some((first, rest)) = clauses.split_first() else {
            return;
        };
        // The first collection is evaluated around the comprehension.
        self.visit_expr(&first.iter);
        let mut bound = Bound::default();
        for clause in clauses {
            bound.visit_expr(&clause.target);
        }
        self.inside(bound.names, false, |reader| {
            for clause in rest {
                reader.visit_expr(&clause.iter);
            }
            for condition in clauses.iter().flat_map(|clause| &clause.ifs) {
                reader.visit_expr(condition);
            }
            for element in elements.into_iter().flatten() {
                reader.visit_expr(element);
            }
        });
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => {
                for decorator in &class.decorator_list {
                    self.visit_expr(&decorator.expression);
                }
                if let Some(arguments) = &class.arguments {
                    self.visit_arguments(arguments);
                }
                let mut bound = Bound::default();
                bound.visit_body(&class.body);
                self.unbound.0 |= bound.declared.0;
                self.inside(bound.names, true, |reader| reader.visit_body(&class.body));
                self.bind_in_module(class.name.as_str());
            }
            Stmt::Assign(assign) => {
                self.visit_expr(&assign.value);
                for target in &assign.targets {
                    self.visit_expr(target);
                    if let Expr::Name(name) = target {
                        self.bind_in_module(name.id.as_str());
                    }
                }
            }
            Stmt::Delete(delete) => {
                let mut targets: Vec<&Expr> = delete.targets.iter().collect();
                while let Some(target) = targets.pop() {
                    match target {
                        Expr::Tuple(tuple) => targets.extend(&tuple.elts),
                        Expr::List(list) => targets.extend(&list.elts),
                        Expr::Name(name) => self.unbound.insert(name.id.as_str()),
                        Expr::Attribute(attribute) => self.unbound.insert(attribute.attr.as_str()),
                        _ => {}
                    }
                }
                walk_stmt(self, stmt);
            }
            Stmt::For(stmt) => {
                self.visit_expr(&stmt.iter);
                let before = self.module;
                if self.scopes.is_empty() {
                    let mut bound = Bound::default();
                    bound.visit_expr(&stmt.target);
                    self.module.0 |= bound.names.0;
                }
                self.visit_expr(&stmt.target);
                self.blocks += 1;
                self.visit_body(&stmt.body);
                // There may have been nothing to go through.
                self.module = before;
                self.visit_body(&stmt.orelse);
                self.blocks -= 1;
            }
            Stmt::Expr(_) => walk_stmt(self, stmt),
            _ => {
                self.blocks += 1;
                walk_stmt(self, stmt);
                self.blocks -= 1;
            }
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Load => self.load(name.id.as_str()),
            Expr::Attribute(attribute) => {
                self.is_open |= matches!(
                    attribute.attr.as_str(),
                    "__dict__" | "__delattr__" | "__globals__" | "f_globals" | "modules"
                );
                walk_expr(self, expr);
            }
            Expr::Lambda(lambda) => {
                let mut bound = Bound::default();
                if let Some(parameters) = &lambda.parameters {
                    self.outside_of_parameters(parameters);
                    bound.parameters(parameters);
                }
                bound.visit_expr(&lambda.body);
                self.inside(bound.names, false, |reader| reader.visit_expr(&lambda.body));
            }
            Expr::ListComp(inner) => {
                self.comprehension(&inner.generators, [Some(&inner.elt), None]);
            }
            Expr::SetComp(inner) => self.comprehension(&inner.generators, [Some(&inner.elt), None]),
            Expr::Generator(inner) => {
                self.comprehension(&inner.generators, [Some(&inner.elt), None]);
            }
            Expr::DictComp(inner) => {
                let elements = [inner.key.as_deref(), Some(&*inner.value)];
                self.comprehension(&inner.generators, elements);
            }
            _ => walk_expr(self, expr),
        }
    }
}

/// Collects the names that one scope binds itself.
#[derive(Debug, Default)]
struct Bound {
    names: Set,
    /// Names that the scope takes from elsewhere, and may bind or delete there.
    declared: Set,
}

impl Bound {
    fn parameters(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter() {
            self.names.insert(parameter.name().as_str());
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Bound {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // What is bound in there stays in there.
            Stmt::FunctionDef(function) => self.names.insert(function.name.as_str()),
            Stmt::ClassDef(class) => self.names.insert(class.name.as_str()),
            Stmt::Global(global) => {
                for name in &global.names {
                    self.declared.insert(name.as_str());
                }
            }
            Stmt::Nonlocal(nonlocal) => {
                for name in &nonlocal.names {
                    self.declared.insert(name.as_str());
                }
            }
            Stmt::Import(_) | Stmt::ImportFrom(_) => {}
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                self.names.insert(name.id.as_str());
            }
            Expr::Lambda(_)
            | Expr::ListComp(_)
            | Expr::SetComp(_)
            | Expr::Generator(_)
            | Expr::DictComp(_) => {}
            _ => walk_expr(self, expr),
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.names.insert(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchAs(pattern) = pattern
            && let Some(name) = &pattern.name
        {
            self.names.insert(name.as_str());
        }
        walk_pattern(self, pattern);
    }
}
