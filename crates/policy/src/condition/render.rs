//! Writes expressions back as text, in one canonical form.

use cel::IdedExpr;
use cel::common::ast::{CallExpr, Expr, LiteralValue, operators};

use crate::facts::Name;
use crate::text::fraction;

/// Two-operand operators as they are written.
const SYMBOLS: [(&str, &str); 14] = [
    (operators::LOGICAL_AND, "&&"),
    (operators::LOGICAL_OR, "||"),
    (operators::EQUALS, "=="),
    (operators::NOT_EQUALS, "!="),
    (operators::LESS, "<"),
    (operators::LESS_EQUALS, "<="),
    (operators::GREATER, ">"),
    (operators::GREATER_EQUALS, ">="),
    (operators::IN, "in"),
    (operators::ADD, "+"),
    (operators::SUBSTRACT, "-"),
    (operators::MULTIPLY, "*"),
    (operators::DIVIDE, "/"),
    (operators::MODULO, "%"),
];

/// How a two-operand operator is written.
pub(crate) fn symbol(operator: &str) -> Option<&'static str> {
    SYMBOLS
        .iter()
        .find(|(name, _)| *name == operator)
        .map(|(_, symbol)| *symbol)
}

/// The dotted name an expression spells, such as `risk.score`.
pub(crate) fn dotted(expression: &IdedExpr) -> Option<String> {
    match &expression.expr {
        Expr::Ident(name) => Some(name.clone()),
        Expr::Select(select) if !select.test => {
            Some(format!("{}.{}", dotted(&select.operand)?, select.field))
        }
        _ => None,
    }
}

/// The known name an expression is, if it is one.
pub(crate) fn name_of(expression: &IdedExpr) -> Option<&'static Name> {
    Name::find(&dotted(expression)?)
}

/// The expression as text. Equal text means equal meaning.
pub(crate) fn render(expression: &IdedExpr) -> String {
    match &expression.expr {
        Expr::Literal(literal) => render_literal(literal),
        Expr::List(list) => {
            let elements: Vec<String> = list.elements.iter().map(render).collect();
            format!("[{}]", elements.join(", "))
        }
        Expr::Call(call) => render_call(call),
        _ => dotted(expression).unwrap_or_else(|| "...".to_owned()),
    }
}

fn render_literal(literal: &LiteralValue) -> String {
    match literal {
        LiteralValue::Boolean(flag) => flag.inner().to_string(),
        LiteralValue::Double(number) => fraction(*number.inner()),
        LiteralValue::Int(whole) => whole.inner().to_string(),
        LiteralValue::String(text) => format!("{:?}", text.inner()),
        LiteralValue::UInt(whole) => format!("{}u", whole.inner()),
        LiteralValue::Bytes(_) | LiteralValue::Null => "...".to_owned(),
    }
}

fn render_call(call: &CallExpr) -> String {
    let name = call.func_name.as_str();
    match (&call.target, call.args.as_slice()) {
        (None, [only]) if name == operators::LOGICAL_NOT => format!("!{}", operand(only)),
        (None, [only]) if name == operators::NEGATE => format!("-{}", operand(only)),
        (None, [left, right]) if symbol(name).is_some() => {
            let symbol = symbol(name).unwrap_or_default();
            format!("{} {symbol} {}", operand(left), operand(right))
        }
        (None, [condition, yes, no]) if name == operators::CONDITIONAL => {
            let [condition, yes, no] = [condition, yes, no].map(operand);
            format!("{condition} ? {yes} : {no}")
        }
        (target, arguments) => {
            let arguments: Vec<String> = arguments.iter().map(render).collect();
            let target = target
                .as_ref()
                .map_or(String::new(), |target| operand(target) + ".");
            format!("{target}{name}({})", arguments.join(", "))
        }
    }
}

/// An operand, in parentheses when it has operators of its own.
fn operand(expression: &IdedExpr) -> String {
    let text = render(expression);
    match &expression.expr {
        Expr::Call(call) if symbol(&call.func_name).is_some() => format!("({text})"),
        Expr::Call(call) if call.func_name == operators::CONDITIONAL => format!("({text})"),
        _ => text,
    }
}
