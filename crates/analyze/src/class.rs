//! tmp
use crate::findings::Findings;
use atoll_types::ExecutionClass;
pub(crate) fn judge(_findings: &Findings) -> ExecutionClass {
    ExecutionClass::Trivial
}
