//! The first look at a parsed Python program: what each name is bound to.

use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, walk_except_handler, walk_expr, walk_parameter, walk_pattern, walk_stmt,
    walk_type_param,
};
use ruff_python_ast::{
    Comprehension, ExceptHandler, Expr, ExprContext, Parameter, Pattern, Stmt, StmtImport,
    StmtImportFrom, TypeParam,
};

use super::names::{Names, top_level};
use super::stdlib;

/// Collects the bindings of one or more bodies of code.
#[derive(Debug, Default)]
pub(super) struct Collector<'a> {
    names: Names<'a>,
    /// Whether the value at hand gets more than one name.
    has_more_targets: bool,
}

impl<'a> Collector<'a> {
    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        self.visit_body(body);
    }

    /// What was collected so far.
    pub(super) fn names(&self) -> &Names<'a> {
        &self.names
    }

    pub(super) fn into_names(self) -> Names<'a> {
        self.names
    }

    fn target(&mut self, target: &'a Expr, value: &'a Expr) {
        let parts = |expr: &'a Expr| match expr {
            Expr::Tuple(tuple) => Some(tuple.elts.as_slice()),
            Expr::List(list) => Some(list.elts.as_slice()),
            _ => None,
        };
        if let Expr::Name(name) = target {
            self.names.bind_value(name.id.as_str(), value);
            if value.is_list_expr() && self.has_more_targets {
                // The other names reach the same list.
                self.names.note_load(name.id.as_str());
            }
        } else if let (Some(targets), Some(values)) = (parts(target), parts(value))
            && targets.len() == values.len()
            && !targets.iter().chain(values).any(Expr::is_starred_expr)
        {
            for (target, value) in targets.iter().zip(values) {
                self.target(target, value);
            }
        } else {
            self.visit_expr(target);
        }
    }

    /// `for target in collection`, as a statement or in a comprehension.
    fn loop_target(&mut self, target: &'a Expr, collection: &'a Expr) {
        match target {
            Expr::Name(name) => self.names.bind_element(name.id.as_str(), collection),
            _ => self.visit_expr(target),
        }
    }

    fn import(&mut self, import: &'a StmtImport) {
        for alias in &import.names {
            let module = alias.name.as_str();
            match &alias.asname {
                Some(name) => self.names.bind_path(name.as_str(), module),
                None => self.names.bind_path(top_level(module), top_level(module)),
            }
        }
    }

    fn import_from(&mut self, import: &'a StmtImportFrom) {
        let module = import.module.as_ref().map_or("", |module| module.as_str());
        for alias in &import.names {
            let name = alias.asname.as_ref().unwrap_or(&alias.name).as_str();
            if import.level > 0 {
                self.names.bind_other(name);
            } else if name == "*" {
                // The table knows nothing of other modules, and the reader reports them.
                if stdlib::contains(top_level(module)) {
                    self.names.bind_star(module);
                }
            } else {
                let path = format!("{module}.{}", alias.name.as_str());
                self.names.bind_path(name, &path);
            }
        }
    }
}

impl<'a> SourceOrderVisitor<'a> for Collector<'a> {
    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::Assign(assign) => {
                self.has_more_targets = assign.targets.len() > 1;
                for target in &assign.targets {
                    self.target(target, &assign.value);
                }
                self.has_more_targets = false;
                self.visit_expr(&assign.value);
                return;
            }
            Stmt::AnnAssign(assign) => {
                if let (Expr::Name(name), Some(value)) = (&*assign.target, &assign.value) {
                    self.names.bind_value(name.id.as_str(), value);
                    self.visit_expr(value);
                    self.visit_expr(&assign.annotation);
                    return;
                }
            }
            Stmt::For(stmt) => {
                self.loop_target(&stmt.target, &stmt.iter);
                self.visit_expr(&stmt.iter);
                self.visit_body(&stmt.body);
                self.visit_body(&stmt.orelse);
                return;
            }
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::FunctionDef(function) => self.names.bind_callable(function.name.as_str()),
            Stmt::ClassDef(class) => self.names.bind_callable(class.name.as_str()),
            _ => {}
        }
        walk_stmt(self, stmt);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) => {
                if name.ctx == ExprContext::Load {
                    self.names.note_load(name.id.as_str());
                } else {
                    self.names.bind_other(name.id.as_str());
                }
            }
            Expr::Attribute(attribute) => {
                if attribute.ctx != ExprContext::Load {
                    self.names.bind_outside(attribute.attr.as_str());
                }
                walk_expr(self, expr);
            }
            Expr::Named(named) => {
                self.target(&named.target, &named.value);
                if let Expr::Name(name) = &*named.target {
                    // The value of the whole expression is another way in.
                    self.names.note_load(name.id.as_str());
                }
                self.visit_expr(&named.value);
            }
            _ => walk_expr(self, expr),
        }
    }

    fn visit_comprehension(&mut self, clause: &'a Comprehension) {
        self.loop_target(&clause.target, &clause.iter);
        self.visit_expr(&clause.iter);
        for condition in &clause.ifs {
            self.visit_expr(condition);
        }
    }

    fn visit_type_param(&mut self, parameter: &'a TypeParam) {
        self.names.bind_other(parameter.name().as_str());
        walk_type_param(self, parameter);
    }

    fn visit_parameter(&mut self, parameter: &'a Parameter) {
        self.names.bind_other(parameter.name.as_str());
        walk_parameter(self, parameter);
    }

    fn visit_except_handler(&mut self, handler: &'a ExceptHandler) {
        let ExceptHandler::ExceptHandler(inner) = handler;
        if let Some(name) = &inner.name {
            self.names.bind_other(name.as_str());
        }
        walk_except_handler(self, handler);
    }

    fn visit_pattern(&mut self, pattern: &'a Pattern) {
        let name = match pattern {
            Pattern::MatchAs(pattern) => pattern.name.as_ref(),
            Pattern::MatchStar(pattern) => pattern.name.as_ref(),
            Pattern::MatchMapping(pattern) => pattern.rest.as_ref(),
            _ => None,
        };
        if let Some(name) = name {
            self.names.bind_other(name.as_str());
        }
        walk_pattern(self, pattern);
    }
}
