//! Decides which components of a program share a store, and which run apart.
//!
//! A program may be made of several components, its **parts**: an application and the plug-ins and
//! libraries it imports. [`partition`] puts parts of the same trust into one store, where a call
//! costs as little as in one program, and parts of different trust into different stores or
//! processes, where a part that traps, loops or is taken over is not its caller's end. It weighs
//! risk against the calls it expects, and says why it did what.
//!
//! This crate is pure: no input or output, no clock, no randomness. [`read`] reads a component's
//! bytes, which are hostile; linking and calling are the worker's business. `docs/partitioning.md`
//! explains the rules to a user.

mod calls;
mod connect;
mod explain;
mod group;
mod interface;
mod outcome;
mod place;
mod program;
mod read;

pub use connect::ConnectError;
pub use interface::{Function, Handle, Import, Interface, Obstacle, Shape, Type, name_fits};
pub use outcome::{HostImport, Partition, PartitionError, Tie, TieCause};
pub use program::{
    Choice, Costs, Measured, Override, PARTS_MAX, Part, Program, Rules, Trust, Uncrossable,
};
pub use read::{COMPONENT_BYTES_MAX, NAME_BYTES_MAX, NAMES_MAX, ReadError, TYPES_MAX, read};

/// Decides for every part which store and which process it runs in, and for every import how it is
/// called. The same input always gives the same answer.
///
/// # Errors
/// When the parts do not fit together, an override cannot be kept, or an interface that cannot
/// cross would put different trust into one store and the rules refuse that.
pub fn partition(program: &Program, rules: &Rules) -> Result<Partition, PartitionError> {
    program.check(rules)?;
    let connected = connect::connect(program)?;
    let grouped = group::group(program, rules, &connected)?;
    outcome::check_imports(program, &connected, &grouped)?;
    let placed = place::place(program, rules, &connected, &grouped);
    Ok(outcome::report(
        program, rules, connected, &grouped, &placed,
    ))
}
