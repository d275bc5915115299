//! The four kinds of comprehensions, which differ only in what they make.

use ruff_python_ast::{Comprehension, Expr};

/// The clauses of a comprehension, and what it makes for each turn: an element, or a key and its
/// value.
pub(super) fn comprehension(expr: &Expr) -> Option<(&[Comprehension], [Option<&Expr>; 2])> {
    Some(match expr {
        Expr::ListComp(inner) => (&inner.generators, [Some(&inner.elt), None]),
        Expr::SetComp(inner) => (&inner.generators, [Some(&inner.elt), None]),
        Expr::Generator(inner) => (&inner.generators, [Some(&inner.elt), None]),
        Expr::DictComp(inner) => {
            let elements = [inner.key.as_deref(), Some(&*inner.value)];
            (&inner.generators, elements)
        }
        _ => return None,
    })
}
