//! Which built-in functions a program can no longer reach by their name, because the name is its
//! own wherever it stands.
//!
//! A name that a function binds is that function's own in all of its body. A name that the module
//! binds at its top level is the module's own from there on. Everywhere else it may be the
//! built-in function, and so it may in the whole program when it is deleted, declared `global`, or
//! bound in a way that ends by itself. Only asked of programs whose names are not open
//! ([`super::closed`]).

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_except_handler, walk_expr, walk_pattern, walk_stmt, walk_type_param,
};
use ruff_python_ast::{
    Alias, Comprehension, ExceptHandler, Expr, ExprContext, Identifier, Parameters, Pattern, Stmt,
    StmtClassDef, StmtFor, StmtFunctionDef, TypeParam,
};

use super::capabilities;
use super::comprehension::comprehension;

/// The names that mean the program's own things wherever they are used in one of the bodies, out
/// of the built-in functions of the capability table.
pub(super) fn own_names<'a>(bodies: impl Iterator<Item = &'a [Stmt]>) -> Vec<&'static str> {
    let mut used = Set::default();
    let mut reached = Set::default();
    for body in bodies {
        let mut reader = Reader::default();
        reader.visit_body(body);
        used.0 |= reader.used.0;
        reached.0 |= reader.reached.0;
    }
    (0..32)
        .filter(|index| used.has(*index) && !reached.has(*index))
        .filter_map(capabilities::builtin_at)
        .filter(|name| !name.starts_with("__"))
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

#[derive(Debug, Default)]
struct Reader {
    /// The names that are bound by the functions and comprehensions around the place.
    own: Set,
    /// What the module itself has bound for good when the place is reached.
    module: Set,
    /// Functions, classes and comprehensions around the place.
    scopes: u32,
    /// Names that are looked up at all, and those that may be built-in functions there.
    used: Set,
    reached: Set,
}

impl Reader {
    fn load(&mut self, name: &str) {
        self.used.insert(name);
        let mut set = Set::default();
        set.insert(name);
        self.reached.0 |= set.0 & !(self.own.0 | self.module.0);
    }

    /// Notes a name that the module has bound.
    fn bind(&mut self, name: &str) {
        if self.scopes == 0 {
            self.module.insert(name);
        }
    }

    fn bind_targets(&mut self, target: &Expr) {
        match target {
            Expr::Name(name) => self.bind(name.id.as_str()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.bind_targets(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.bind_targets(part)),
            _ => {}
        }
    }

    fn inside(&mut self, bound: Set, read: impl FnOnce(&mut Self)) {
        let own = self.own;
        self.own.0 |= bound.0;
        self.scopes += 1;
        read(self);
        self.scopes -= 1;
        self.own = own;
    }

    /// A part of the program that may be left out or left early.
    fn block(&mut self, read: impl FnOnce(&mut Self)) {
        let module = self.module;
        read(self);
        self.module = module;
    }

    fn function(&mut self, function: &StmtFunctionDef) {
        for decorator in &function.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        if let Some(parameters) = &function.type_params {
            self.visit_type_params(parameters);
        }
        self.outside_of_parameters(&function.parameters);
        if let Some(returns) = &function.returns {
            self.visit_expr(returns);
        }
        // A decorator may call the function before it has its name.
        if function.decorator_list.is_empty() {
            self.bind(function.name.as_str());
        }
        let mut bound = Bound::default();
        bound.parameters(&function.parameters);
        bound.visit_body(&function.body);
        self.inside(bound.names, |reader| reader.visit_body(&function.body));
        self.bind(function.name.as_str());
    }

    fn class(&mut self, class: &StmtClassDef) {
        for decorator in &class.decorator_list {
            self.visit_expr(&decorator.expression);
        }
        if let Some(parameters) = &class.type_params {
            self.visit_type_params(parameters);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        // What the body binds is not seen from the functions in it, and not even from the body
        // itself before it is bound. Until then the body looks past the functions around it.
        let mut bound = Bound::default();
        bound.visit_body(&class.body);
        let own = self.own;
        self.own.0 &= !bound.names.0;
        self.inside(Set::default(), |reader| reader.visit_body(&class.body));
        self.own = own;
        self.bind(class.name.as_str());
    }

    fn for_loop(&mut self, stmt: &StmtFor) {
        self.visit_expr(&stmt.iter);
        self.visit_expr(&stmt.target);
        // There may be nothing to go through.
        self.block(|reader| {
            reader.bind_targets(&stmt.target);
            reader.visit_body(&stmt.body);
        });
        self.block(|reader| reader.visit_body(&stmt.orelse));
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
            bound.targets(&clause.target);
        }
        self.inside(bound.names, |reader| {
            for clause in clauses {
                reader.visit_expr(&clause.target);
            }
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

    fn reach_imported(&mut self, aliases: &[Alias]) {
        for alias in aliases {
            let name = alias.asname.as_ref().unwrap_or(&alias.name);
            self.reached.insert(name.as_str());
        }
    }

    fn reach_all(&mut self, names: &[Identifier]) {
        for name in names {
            self.reached.insert(name.as_str());
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::Assign(assign) => {
                self.visit_expr(&assign.value);
                for target in &assign.targets {
                    self.visit_expr(target);
                }
                assign
                    .targets
                    .iter()
                    .for_each(|target| self.bind_targets(target));
            }
            Stmt::AugAssign(assign) => {
                self.visit_expr(&assign.value);
                self.visit_expr(&assign.target);
                if let Expr::Name(name) = &*assign.target {
                    self.load(name.id.as_str());
                }
            }
            Stmt::For(stmt) => self.for_loop(stmt),
            Stmt::Global(global) => self.reach_all(&global.names),
            Stmt::Nonlocal(nonlocal) => self.reach_all(&nonlocal.names),
            Stmt::Expr(_) | Stmt::Return(_) => walk_stmt(self, stmt),
            // What another module has by that name may be the built-in function.
            Stmt::Import(import) => self.reach_imported(&import.names),
            Stmt::ImportFrom(import) => self.reach_imported(&import.names),
            // Bodies one after the other: what one binds, the next may not have.
            _ => self.block(|reader| walk_stmt(reader, stmt)),
        }
    }

    fn visit_body(&mut self, body: &'a [Stmt]) {
        let is_whole = self.scopes == 0;
        let module = self.module;
        for stmt in body {
            self.visit_stmt(stmt);
        }
        if is_whole {
            self.module = module;
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => match name.ctx {
                ExprContext::Load => self.load(name.id.as_str()),
                ExprContext::Del => self.reached.insert(name.id.as_str()),
                _ => {}
            },
            Expr::Attribute(attribute) => {
                if attribute.ctx != ExprContext::Load {
                    // It may be the module's.
                    self.reached.insert(attribute.attr.as_str());
                }
                walk_expr(self, expr);
            }
            Expr::Lambda(lambda) => {
                let mut bound = Bound::default();
                if let Some(parameters) = &lambda.parameters {
                    self.outside_of_parameters(parameters);
                    bound.parameters(parameters);
                }
                self.inside(bound.names, |reader| reader.visit_expr(&lambda.body));
            }
            _ => match comprehension(expr) {
                Some((clauses, elements)) => self.comprehension(clauses, elements),
                None => walk_expr(self, expr),
            },
        }
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            // The name is taken away at the end of the handler.
            self.reached.insert(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.reached.insert(parameter.name().as_str());
        walk_type_param(self, parameter);
    }
}

/// Collects the names that a function binds itself.
#[derive(Debug, Default)]
struct Bound {
    names: Set,
}

impl Bound {
    fn parameters(&mut self, parameters: &Parameters) {
        for parameter in parameters.iter() {
            self.names.insert(parameter.name().as_str());
        }
    }

    /// Names in a target, and no others.
    fn targets(&mut self, target: &Expr) {
        match target {
            Expr::Name(name) => self.names.insert(name.id.as_str()),
            Expr::Tuple(tuple) => tuple.elts.iter().for_each(|part| self.targets(part)),
            Expr::List(list) => list.elts.iter().for_each(|part| self.targets(part)),
            Expr::Starred(starred) => self.targets(&starred.value),
            _ => {}
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Bound {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            // What is bound in there stays in there.
            Stmt::FunctionDef(function) => self.names.insert(function.name.as_str()),
            Stmt::ClassDef(class) => self.names.insert(class.name.as_str()),
            // What an import binds may be the built-in function.
            Stmt::Import(_) | Stmt::ImportFrom(_) => {}
            _ => walk_stmt(self, stmt),
        }
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx == ExprContext::Store => {
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

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        if let Pattern::MatchAs(pattern) = pattern
            && let Some(name) = &pattern.name
        {
            self.names.insert(name.as_str());
        }
        walk_pattern(self, pattern);
    }
}
