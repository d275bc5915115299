//! The second look at a parsed Program in Python: functions, loops, recursion and size here; names
//! that lead out of the program in [`calls`]; numbers that size work in [`work`].

mod calls;
mod imports;
mod work;

use std::collections::HashSet;

use atoll_types::Capability;
use ruff_python_ast::visitor::source_order::{
    SourceOrderVisitor, TraversalSignal, walk_comprehension, walk_expr, walk_pattern_keyword,
    walk_stmt,
};
use ruff_python_ast::{
    AnyNodeRef, Comprehension, Expr, ExprContext, PatternKeyword, Stmt, StmtAssign, StmtClassDef,
    StmtFor, StmtFunctionDef, StmtWhile,
};
use ruff_text_size::Ranged;

use super::comprehension::comprehension;
use super::fold;
use super::graph::{CallGraph, Node};
use super::names::Names;
use super::source::Lines;
use crate::findings::Findings;

/// Where the system tells about itself.
const PLACES: [&str; 6] = [
    "/proc",
    "/sys",
    "/etc/passwd",
    "/etc/group",
    "/etc/shadow",
    "/etc/os-release",
];

/// How an expression is used by the one around it. It decides what a reference to a module means:
/// a module that is handed around can be used for anything it offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// Handed on: to a call, into a container, out of a function.
    Value,
    /// Only bound to a name, which is followed.
    Alias,
    /// Called on the spot.
    Called,
    /// Only there for one of its attributes or keys.
    Base,
}

/// A loop that is being read.
#[derive(Debug, Default)]
struct Loop {
    /// Whether its condition can never end it.
    is_endless: bool,
    /// Whether a `break` leaves it.
    breaks: bool,
    /// Whether something in it leaves the whole function (or waits for a caller).
    leaves: bool,
}

/// A function that is being read, or the code outside all functions.
#[derive(Debug)]
struct Frame<'a> {
    node: Node<'a>,
    /// The class around the function, when it is a method.
    class: Option<u32>,
    loops: Vec<Loop>,
    /// Loops and comprehensions around the current expression.
    loop_depth: u32,
    /// Whether the function calls itself, and whether anything in it is conditional.
    calls_itself: bool,
    is_conditional: bool,
}

impl<'a> Frame<'a> {
    fn new(node: Node<'a>, class: Option<u32>) -> Self {
        Self {
            node,
            class,
            loops: Vec::new(),
            loop_depth: 0,
            calls_itself: false,
            is_conditional: false,
        }
    }
}

/// Reads one program.
pub(super) struct Reader<'a, 'f> {
    names: &'f Names<'a>,
    findings: &'f mut Findings,
    lines: Lines<'a>,
    /// Texts given to `exec` and the like that are read along with the program.
    inner_texts: &'f HashSet<String>,
    graph: CallGraph<'a>,
    frame: Frame<'a>,
    outer_frames: Vec<Frame<'a>>,
    /// The class whose body is being read, outside its methods.
    class: Option<u32>,
    classes: u32,
    /// Whether a type annotation is being read: what it names is not used.
    in_annotation: bool,
    /// Top-level modules the program imports, for methods that are known by name alone.
    imported: HashSet<String>,
}

impl<'a, 'f> Reader<'a, 'f> {
    pub(super) fn new(
        names: &'f Names<'a>,
        lines: Lines<'a>,
        inner_texts: &'f HashSet<String>,
        findings: &'f mut Findings,
    ) -> Self {
        Self {
            names,
            findings,
            lines,
            inner_texts,
            graph: CallGraph::default(),
            frame: Frame::new(Node::Module, None),
            outer_frames: Vec::new(),
            class: None,
            classes: 0,
            in_annotation: false,
            imported: HashSet::new(),
        }
    }

    /// Reads a body of code.
    pub(super) fn body(&mut self, body: &'a [Stmt]) {
        self.visit_body(body);
    }

    /// Reads further code that belongs to the program, with lines of its own.
    pub(super) fn inner_body(&mut self, body: &'a [Stmt], lines: Lines<'a>) {
        self.lines = lines;
        self.visit_body(body);
    }

    /// Judges what needs the whole program.
    pub(super) fn finish(mut self) {
        self.findings.recursion |= self.graph.has_cycle();
        if self.names.was_cut() {
            self.findings.problem(
                None,
                "a name or expression is too long or too ambiguous to follow",
            );
        }
    }

    fn problem(&mut self, place: &impl Ranged, message: &str) {
        let line = self.lines.line_of(place.start().to_usize());
        self.findings.problem(Some(line), message);
    }

    fn function(&mut self, function: &'a StmtFunctionDef) {
        self.findings.functions += 1;
        let name = function.name.as_str();
        let node = match self.class {
            Some(class) => Node::Method { class, name },
            None => Node::Function(name),
        };
        self.graph.define(node);
        // Decorators, defaults and annotations are evaluated where the function is defined.
        for decorator in &function.decorator_list {
            self.visit_decorator(decorator);
        }
        if let Some(parameters) = &function.type_params {
            self.visit_type_params(parameters);
        }
        self.visit_parameters(&function.parameters);
        if let Some(returns) = &function.returns {
            self.visit_annotation(returns);
        }
        let class = self.class.take();
        let frame = std::mem::replace(&mut self.frame, Frame::new(node, class));
        self.outer_frames.push(frame);
        self.visit_body(&function.body);
        if let Some(outer) = self.outer_frames.pop() {
            let inner = std::mem::replace(&mut self.frame, outer);
            if inner.calls_itself && !inner.is_conditional {
                self.findings.endless_loop = true;
            }
        }
        self.class = class;
    }

    fn class(&mut self, class: &'a StmtClassDef) {
        for decorator in &class.decorator_list {
            self.visit_decorator(decorator);
        }
        if let Some(parameters) = &class.type_params {
            self.visit_type_params(parameters);
        }
        if let Some(arguments) = &class.arguments {
            self.visit_arguments(arguments);
        }
        self.classes += 1;
        let number = self.classes;
        let constructor = Node::Method {
            class: number,
            name: "__init__",
        };
        self.graph
            .call(Node::Function(class.name.as_str()), constructor);
        let outer = self.class.replace(number);
        self.visit_body(&class.body);
        self.class = outer;
    }

    fn for_loop(&mut self, stmt: &'a StmtFor) {
        self.visit_expr(&stmt.iter);
        let is_endless = self.is_endless_iterator(&stmt.iter);
        self.enter_loop(is_endless);
        self.visit_expr(&stmt.target);
        self.visit_body(&stmt.body);
        self.leave_loop();
        self.visit_body(&stmt.orelse);
    }

    fn while_loop(&mut self, stmt: &'a StmtWhile) {
        let test = fold::guess(&stmt.test, self.names);
        self.enter_loop(test.is_some_and(|test| test.is_true()));
        self.note_loop_bound(&stmt.test);
        self.visit_expr(&stmt.test);
        self.visit_body(&stmt.body);
        self.leave_loop();
        self.visit_body(&stmt.orelse);
    }

    fn enter_loop(&mut self, is_endless: bool) {
        self.frame.loops.push(Loop {
            is_endless,
            ..Loop::default()
        });
        self.deepen(1);
    }

    fn leave_loop(&mut self) {
        self.frame.loop_depth -= 1;
        if let Some(ended) = self.frame.loops.pop()
            && ended.is_endless
            && !ended.breaks
            && !ended.leaves
        {
            self.findings.endless_loop = true;
        }
    }

    fn deepen(&mut self, loops: u32) {
        self.findings.loops += u64::from(loops);
        self.frame.loop_depth += loops;
        self.frame.is_conditional = true;
        self.findings.loop_nesting(self.frame.loop_depth);
    }

    /// Something here leaves all loops of the function.
    fn leaves_loops(&mut self) {
        for ended in self.frame.loops.iter_mut().rev() {
            if ended.leaves {
                // Then the loops around it are marked already.
                break;
            }
            ended.leaves = true;
        }
    }

    /// A text that names a place where the system tells about itself.
    fn note_place(&mut self, text: &str) {
        let is_place = |place: &&str| {
            let rest = text.strip_prefix(place);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if PLACES.iter().any(is_place) {
            self.findings.capability(Capability::SystemInformation);
        }
    }

    /// `itertools.count()`, `cycle(...)` and `repeat(x)` never end by themselves.
    fn is_endless_iterator(&self, iterator: &Expr) -> bool {
        let Expr::Call(call) = iterator else {
            return false;
        };
        self.names
            .paths(&call.func)
            .iter()
            .any(|path| match path.as_str() {
                "itertools.count" | "itertools.cycle" => true,
                "itertools.repeat" => call.arguments.len() == 1,
                _ => false,
            })
    }

    /// A comprehension: its clauses are loops around its element.
    fn comprehension(&mut self, clauses: &'a [Comprehension], elements: [Option<&'a Expr>; 2]) {
        self.findings.instructions += 1;
        let loops = u32::try_from(clauses.len()).unwrap_or(u32::MAX);
        self.deepen(loops);
        for element in elements.into_iter().flatten() {
            self.visit_expr(element);
        }
        for clause in clauses {
            walk_comprehension(self, clause);
        }
        self.frame.loop_depth -= loops;
    }

    fn assign(&mut self, assign: &'a StmtAssign) {
        self.findings.instructions += 1;
        // In a class body a name is also an attribute of the class, which is not followed.
        let is_alias = self.class.is_none() && assign.targets.iter().all(Expr::is_name_expr);
        for target in &assign.targets {
            self.visit_expr(target);
        }
        self.used(
            &assign.value,
            if is_alias { Use::Alias } else { Use::Value },
        );
    }
}

impl<'a> SourceOrderVisitor<'a> for Reader<'a, '_> {
    fn enter_node(&mut self, _node: AnyNodeRef<'a>) -> TraversalSignal {
        self.findings.instructions += 1;
        TraversalSignal::Traverse
    }

    fn visit_stmt(&mut self, stmt: &'a Stmt) {
        match stmt {
            Stmt::FunctionDef(function) => self.function(function),
            Stmt::ClassDef(class) => self.class(class),
            Stmt::For(stmt) => self.for_loop(stmt),
            Stmt::While(stmt) => self.while_loop(stmt),
            Stmt::Assign(assign) => return self.assign(assign),
            Stmt::Import(import) => self.import(import),
            Stmt::ImportFrom(import) => self.import_from(import),
            Stmt::AugAssign(assign) => {
                // The other side gets to see what the name stands for.
                for path in self.names.paths(&assign.target) {
                    self.path(&path, Use::Value, stmt);
                }
                return walk_stmt(self, stmt);
            }
            Stmt::Break(_) => {
                if let Some(ended) = self.frame.loops.last_mut() {
                    ended.breaks = true;
                }
            }
            Stmt::Return(_) | Stmt::Raise(_) => {
                self.leaves_loops();
                return walk_stmt(self, stmt);
            }
            Stmt::If(_) | Stmt::Match(_) | Stmt::Try(_) | Stmt::Assert(_) => {
                self.frame.is_conditional = true;
                return walk_stmt(self, stmt);
            }
            _ => return walk_stmt(self, stmt),
        }
        self.findings.instructions += 1;
    }

    fn visit_pattern_keyword(&mut self, keyword: &'a PatternKeyword) {
        // `case object(__globals__=names)` reads the attribute.
        self.inner_attribute(keyword.attr.as_str(), keyword);
        walk_pattern_keyword(self, keyword);
    }

    fn visit_annotation(&mut self, annotation: &'a Expr) {
        let outer = std::mem::replace(&mut self.in_annotation, true);
        self.visit_expr(annotation);
        self.in_annotation = outer;
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Name(name) if name.ctx != ExprContext::Load => {
                self.findings.instructions += 1;
            }
            Expr::Name(_) | Expr::Attribute(_) | Expr::Call(_) | Expr::Subscript(_) => {
                self.used(expr, Use::Value);
            }
            Expr::Lambda(_) => {
                self.findings.functions += 1;
                // A lambda runs later, so what it does in a loop here does not leave that loop.
                let loops = std::mem::take(&mut self.frame.loops);
                let depth = std::mem::take(&mut self.frame.loop_depth);
                walk_expr(self, expr);
                self.frame.loops = loops;
                self.frame.loop_depth = depth;
            }
            Expr::BinOp(operation) => {
                self.note_operation(operation);
                walk_expr(self, expr);
            }
            Expr::StringLiteral(literal) => {
                self.note_place(literal.value.to_str());
                walk_expr(self, expr);
            }
            Expr::Yield(_) | Expr::YieldFrom(_) => {
                self.leaves_loops();
                walk_expr(self, expr);
            }
            Expr::If(_) | Expr::BoolOp(_) => {
                self.frame.is_conditional = true;
                walk_expr(self, expr);
            }
            Expr::Named(named) if self.class.is_none() && named.target.is_name_expr() => {
                self.findings.instructions += 2;
                self.used(&named.value, Use::Alias);
            }
            _ => match comprehension(expr) {
                Some((clauses, elements)) => self.comprehension(clauses, elements),
                None => walk_expr(self, expr),
            },
        }
    }
}
