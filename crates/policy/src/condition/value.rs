//! Binds the names of conditions to the facts of one message, in the shapes the evaluator wants.

use std::sync::Arc;

use cel::common::traits::{Container, Sizer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelString, LIST_TYPE, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use cel::{Context, Env, ExecutionError};

use crate::DecisionInput;
use crate::facts::{Fact, List, Name};

/// The facts of one message. Nothing is built before a condition asks for it.
pub(crate) struct Facts<'a>(pub(crate) DecisionInput<'a>);

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        Some(match Name::find(variable)?.value(&self.0) {
            // The evaluator's whole numbers are signed; nothing real is larger.
            Fact::Whole(whole) => {
                CowVal::owned(CelInt::from(i64::try_from(whole).unwrap_or(i64::MAX)))
            }
            Fact::Number(number) => CowVal::owned(CelDouble::from(number)),
            Fact::Text(text) => CowVal::owned(CelString::from(text)),
            Fact::Flag(flag) => CowVal::owned(CelBool::from(flag)),
            Fact::List(list) => CowVal::owned(ListValue(list)),
        })
    }
}

/// A context in which conditions see these facts.
pub(crate) fn bind<'a>(environment: &Arc<Env>, facts: &'a Facts<'a>) -> Context<'a, 'a> {
    let mut context = Context::with_env(Arc::clone(environment));
    context.set_variable_resolver(facts);
    context
}

/// A list that answers `in` and `size` where it lies, instead of being copied for each question.
#[derive(Debug, Clone, Copy)]
struct ListValue<'a>(List<'a>);

impl Val for ListValue<'_> {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &LIST_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Container for ListValue<'_> {
    fn contains(&self, value: &dyn Val) -> Result<bool, ExecutionError> {
        Ok(value
            .downcast_ref::<CelString>()
            .is_some_and(|text| self.0.has(text.inner())))
    }
}

impl Sizer for ListValue<'_> {
    fn size(&self) -> CelInt {
        CelInt::from(i64::try_from(self.0.len()).unwrap_or(i64::MAX))
    }
}
