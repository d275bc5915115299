//! Checks a condition before it is ever evaluated: names, types, vocabulary and size.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, ListExpr, LiteralValue, operators};

use super::render::{dotted, symbol};
use crate::diagnostic::did_you_mean;
use crate::facts::{Kind, Name, Words};

/// The most nodes in one condition: far more than anybody writes, few enough that evaluating them
/// takes microseconds.
const NODES_MAX: usize = 200;

/// Something wrong with a node of the syntax tree.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) node: u64,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// The type of an expression.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Type {
    Whole,
    Number,
    Text(Words),
    Flag,
    List(Element),
}

/// The type of a list's elements.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Element {
    Number,
    Text(Words),
}

impl Type {
    const fn noun(self) -> &'static str {
        match self {
            Self::Whole => "a whole number",
            Self::Number => "a number",
            Self::Text(_) => "a text",
            Self::Flag => "true or false",
            Self::List(_) => "a list",
        }
    }

    const fn is_numeric(self) -> bool {
        matches!(self, Self::Whole | Self::Number)
    }
}

/// Everything wrong with a condition; empty when it may be evaluated.
pub(super) fn check(expression: &IdedExpr) -> Vec<Problem> {
    let mut checker = Checker {
        problems: Vec::new(),
        nodes: 0,
    };
    if let Some(found) = checker.type_of(expression)
        && found != Type::Flag
    {
        let message = format!(
            "a condition must be true or false, but this is {}",
            found.noun()
        );
        let help = "compare it with something: `risk.score >= 0.5`";
        checker.problem(leftmost(expression), message, Some(help.to_owned()));
    }
    checker.problems
}

struct Checker {
    problems: Vec<Problem>,
    nodes: usize,
}

impl Checker {
    fn problem(&mut self, node: u64, message: impl Into<String>, help: Option<String>) {
        self.problems.push(Problem {
            node,
            message: message.into(),
            help,
        });
    }

    /// The type of an expression; `None` when something in it was already complained about.
    fn type_of(&mut self, expression: &IdedExpr) -> Option<Type> {
        self.nodes += 1;
        if self.nodes > NODES_MAX {
            if self.nodes == NODES_MAX + 1 {
                let message = format!("the condition has more than {NODES_MAX} parts");
                let help = "split it into several rules".to_owned();
                self.problem(expression.id, message, Some(help));
            }
            return None;
        }
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression.id, literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::List(list) => self.list(expression.id, list),
            Expr::Call(call) => self.call(expression, call),
            Expr::Comprehension(_) => {
                let help = "ask for members one by one: `\"network\" in analysis.capabilities`";
                self.problem(
                    expression.id,
                    "conditions cannot loop over lists",
                    Some(help.to_owned()),
                );
                None
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.problem(expression.id, "conditions have no maps or structs", None);
                None
            }
        }
    }

    fn literal(&mut self, node: u64, literal: &LiteralValue) -> Option<Type> {
        match literal {
            LiteralValue::Boolean(_) => Some(Type::Flag),
            LiteralValue::Double(number) if number.inner().is_finite() => Some(Type::Number),
            LiteralValue::Int(_) => Some(Type::Whole),
            LiteralValue::String(_) => Some(Type::Text(Words::Any)),
            LiteralValue::Double(_) => {
                self.problem(node, "this number is too large", None);
                None
            }
            LiteralValue::UInt(_) => {
                let help = "write the number without `u`".to_owned();
                self.problem(node, "conditions have no unsigned numbers", Some(help));
                None
            }
            LiteralValue::Bytes(_) | LiteralValue::Null => {
                self.problem(node, "conditions have no bytes and no null", None);
                None
            }
        }
    }

    fn name(&mut self, expression: &IdedExpr) -> Option<Type> {
        let node = leftmost(expression);
        let Some(text) = dotted(expression) else {
            let message = "only names have members, such as `risk.score`";
            self.problem(node, message, None);
            return None;
        };
        if let Some(name) = Name::find(&text) {
            return Some(match name.kind {
                Kind::Whole(..) => Type::Whole,
                Kind::Number(_) => Type::Number,
                Kind::Text(words) => Type::Text(words),
                Kind::Flag(_) => Type::Flag,
                Kind::List(words) => Type::List(Element::Text(words)),
            });
        }
        let group = format!("{text}.");
        let members: Vec<&str> = Name::all()
            .filter_map(|name| name.text.strip_prefix(group.as_str()))
            .collect();
        if members.is_empty() {
            let help = did_you_mean(&text, Name::all().map(|name| name.text));
            self.problem(node, format!("unknown name `{text}`"), help);
        } else {
            let help = format!("`{text}` has: {}", members.join(", "));
            self.problem(node, format!("`{text}` is not a value"), Some(help));
        }
        None
    }

    fn list(&mut self, node: u64, list: &ListExpr) -> Option<Type> {
        let mut elements = Vec::new();
        for element in &list.elements {
            if !matches!(element.expr, Expr::Literal(_)) {
                self.problem(
                    leftmost(element),
                    "a list may hold only plain numbers or texts",
                    None,
                );
                return None;
            }
            elements.push(self.type_of(element)?);
        }
        if elements.iter().all(|element| element.is_numeric()) && !elements.is_empty() {
            Some(Type::List(Element::Number))
        } else if elements
            .iter()
            .all(|element| matches!(element, Type::Text(_)))
        {
            Some(Type::List(Element::Text(Words::Any)))
        } else {
            self.problem(node, "a list must hold only numbers or only texts", None);
            None
        }
    }

    fn call(&mut self, expression: &IdedExpr, call: &CallExpr) -> Option<Type> {
        let name = call.func_name.as_str();
        let node = expression.id;
        match (&call.target, call.args.as_slice()) {
            (None, [only]) if name == operators::LOGICAL_NOT => self.want(only, Type::Flag, "`!`"),
            (None, [only]) if name == operators::NEGATE => {
                let found = self.type_of(only)?;
                self.numeric(node, found, "-").then_some(found)
            }
            (None, [condition, yes, no]) if name == operators::CONDITIONAL => {
                let condition = self.want(condition, Type::Flag, "`? :`");
                let (yes, no) = (self.type_of(yes), self.type_of(no));
                condition?;
                if yes? != no? {
                    self.problem(node, "both results of `? :` must be of one type", None);
                    return None;
                }
                yes
            }
            (None, [left, right]) => match symbol(name) {
                Some(symbol) => self.operator(node, symbol, left, right),
                None => self.function(node, call),
            },
            _ => self.function(node, call),
        }
    }

    /// Checks that an operand has a type.
    fn want(&mut self, operand: &IdedExpr, wanted: Type, by: &str) -> Option<Type> {
        let found = self.type_of(operand)?;
        if found == wanted {
            return Some(found);
        }
        let message = format!("{by} needs {}, but this is {}", wanted.noun(), found.noun());
        self.problem(leftmost(operand), message, None);
        None
    }

    fn numeric(&mut self, node: u64, found: Type, symbol: &str) -> bool {
        if !found.is_numeric() {
            let message = format!("`{symbol}` needs numbers, but this is {}", found.noun());
            self.problem(node, message, None);
        }
        found.is_numeric()
    }

    fn operator(
        &mut self,
        node: u64,
        symbol: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Option<Type> {
        if matches!(symbol, "&&" | "||") {
            let by = format!("`{symbol}`");
            let left = self.want(left, Type::Flag, &by);
            let right = self.want(right, Type::Flag, &by);
            return left.and(right);
        }
        let types = (self.type_of(left), self.type_of(right));
        let (left_type, right_type) = (types.0?, types.1?);
        match symbol {
            "==" | "!=" => self.equality(node, (left, left_type), (right, right_type)),
            "in" => self.membership(node, (left, left_type), (right, right_type)),
            "<" | "<=" | ">" | ">=" => self.order(node, symbol, left_type, right_type),
            _ => self.arithmetic(node, symbol, left_type, right_type),
        }
    }

    fn equality(
        &mut self,
        node: u64,
        (left, left_type): (&IdedExpr, Type),
        (right, right_type): (&IdedExpr, Type),
    ) -> Option<Type> {
        match (left_type, right_type) {
            (Type::Text(words), Type::Text(others)) => {
                let known = self.vocabulary(right, words) & self.vocabulary(left, others);
                known.then_some(Type::Flag)
            }
            (Type::Flag, Type::Flag) => Some(Type::Flag),
            (left, right) if left.is_numeric() && right.is_numeric() => Some(Type::Flag),
            (Type::List(_), _) | (_, Type::List(_)) => {
                let help = "ask for one member: `\"network\" in analysis.capabilities`";
                self.problem(node, "lists cannot be compared", Some(help.to_owned()));
                None
            }
            (left, right) => self.mismatch(node, left, right),
        }
    }

    fn membership(
        &mut self,
        node: u64,
        (left, left_type): (&IdedExpr, Type),
        (right, right_type): (&IdedExpr, Type),
    ) -> Option<Type> {
        match (left_type, right_type) {
            (Type::Text(words), Type::List(Element::Text(others))) => {
                let elements = match &right.expr {
                    Expr::List(list) => list.elements.as_slice(),
                    _ => &[],
                };
                let known = elements.iter().fold(true, |known, element| {
                    known & self.vocabulary(element, words)
                });
                (known & self.vocabulary(left, others)).then_some(Type::Flag)
            }
            (left, Type::List(Element::Number)) if left.is_numeric() => Some(Type::Flag),
            (left, Type::List(_)) => {
                let message = format!("the list never has {} in it", left.noun());
                self.problem(node, message, None);
                None
            }
            (_, right) => {
                let message = format!("`in` needs a list on its right, not {}", right.noun());
                self.problem(node, message, None);
                None
            }
        }
    }

    fn order(&mut self, node: u64, symbol: &str, left: Type, right: Type) -> Option<Type> {
        if let (Type::Text(words), _) | (_, Type::Text(words)) = (left, right) {
            let help = match words {
                Words::Classes => Some("analysis.execution_class_rank"),
                Words::Confidences => Some("profile.confidence_rank"),
                Words::Trusts => Some("tenant.trust_rank"),
                _ => None,
            };
            let help = help.map(|name| format!("compare the rank: `{name}`"));
            self.problem(node, format!("`{symbol}` does not order texts"), help);
            return None;
        }
        let numeric = self.numeric(node, left, symbol) && self.numeric(node, right, symbol);
        numeric.then_some(Type::Flag)
    }

    fn arithmetic(&mut self, node: u64, symbol: &str, left: Type, right: Type) -> Option<Type> {
        if !(self.numeric(node, left, symbol) && self.numeric(node, right, symbol)) {
            return None;
        }
        if left != right {
            let help = "write whole numbers with a decimal point, or wrap them: `double(...)`";
            let message = format!("`{symbol}` cannot mix whole numbers and decimals");
            self.problem(node, message, Some(help.to_owned()));
            return None;
        }
        if symbol == "%" && left == Type::Number {
            self.problem(node, "`%` needs whole numbers", None);
            return None;
        }
        Some(left)
    }

    fn function(&mut self, node: u64, call: &CallExpr) -> Option<Type> {
        const FUNCTIONS: [&str; 5] = ["size", "contains", "startsWith", "endsWith", "double"];
        let name = call.func_name.as_str();
        let operands: Vec<&IdedExpr> = call
            .target
            .iter()
            .map(AsRef::as_ref)
            .chain(&call.args)
            .collect();
        if !FUNCTIONS.contains(&name) {
            let help = did_you_mean(name, FUNCTIONS)
                .unwrap_or_else(|| format!("there are: {}", FUNCTIONS.join(", ")));
            self.problem(node, format!("unknown function `{name}`"), Some(help));
            return None;
        }
        let mut types = Vec::new();
        for operand in operands {
            types.push(self.type_of(operand)?);
        }
        let is_member = call.target.is_some();
        match (name, is_member, types.as_slice()) {
            ("size", _, [Type::Text(_) | Type::List(_)]) => Some(Type::Whole),
            ("contains" | "startsWith" | "endsWith", true, [Type::Text(_), Type::Text(_)]) => {
                Some(Type::Flag)
            }
            ("double", false, [Type::Whole | Type::Number]) => Some(Type::Number),
            _ => {
                let shape = match name {
                    "size" => "size(LIST) or size(TEXT)".to_owned(),
                    "double" => "double(NUMBER)".to_owned(),
                    _ => format!("TEXT.{name}(TEXT)"),
                };
                let message = format!("`{name}` does not fit here");
                self.problem(node, message, Some(format!("write {shape}")));
                None
            }
        }
    }

    fn mismatch(&mut self, node: u64, left: Type, right: Type) -> Option<Type> {
        let message = format!("{} is never equal to {}", left.noun(), right.noun());
        self.problem(node, message, None);
        None
    }

    /// Checks a literal against the vocabulary of what it is compared with.
    fn vocabulary(&mut self, literal: &IdedExpr, words: Words) -> bool {
        let (Expr::Literal(LiteralValue::String(text)), Some(all)) = (&literal.expr, words.all())
        else {
            return true;
        };
        let text = text.inner();
        if all.contains(&text) {
            return true;
        }
        let help = did_you_mean(text, all.iter().copied())
            .unwrap_or_else(|| format!("there are: {}", all.join(", ")));
        let shown = text.escape_debug();
        let message = format!("unknown {} `{shown}`", words.noun());
        self.problem(literal.id, message, Some(help));
        false
    }
}

/// The node where an expression starts in the text.
fn leftmost(expression: &IdedExpr) -> u64 {
    match &expression.expr {
        Expr::Select(select) => leftmost(&select.operand),
        Expr::Call(call) => match (&call.target, call.args.as_slice()) {
            (Some(target), _) => leftmost(target),
            (None, [left, _]) if symbol(&call.func_name).is_some() => leftmost(left),
            _ => expression.id,
        },
        _ => expression.id,
    }
}
