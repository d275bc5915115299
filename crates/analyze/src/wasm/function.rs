//! What the body of one WebAssembly function shows: loops, calls, numbers that size work.

use wasmparser::{
    BinaryReaderError, Catch, FunctionBody, Operator, OperatorsReader, OperatorsReaderAllocations,
};

/// Numbers noted in one function.
const LITERALS_MAX: usize = 256;

/// What the module says that matters in its functions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ModuleFacts {
    /// Functions that come before those with a body in the function index space.
    pub(super) imported_functions: u32,
    /// The imported function that ends the program.
    pub(super) exit_function: Option<u32>,
    /// Whether the module has exceptions, so that any call may leave a loop.
    pub(super) may_throw: bool,
}

/// What one body shows.
#[derive(Debug, Default)]
pub(super) struct BodyFacts {
    /// Operators, not counting the targets of branch tables.
    pub(super) operators: u64,
    pub(super) loops: u64,
    pub(super) loop_nesting_max: u32,
    /// Whether some loop is entered and never left.
    pub(super) has_endless_loop: bool,
    /// The functions it calls directly that have a body, numbered from 0.
    pub(super) callees: Vec<u32>,
    /// Roles and values of numbers that size work.
    pub(super) literals: Vec<(&'static str, u64)>,
}

/// Why a body could not be read.
pub(super) enum BodyError {
    Malformed(BinaryReaderError),
    /// It has more operators than were left to read.
    TooLong,
}

impl From<BinaryReaderError> for BodyError {
    fn from(error: BinaryReaderError) -> Self {
        Self::Malformed(error)
    }
}

/// Reads a body. `operators_left` is what may still be decoded in the whole program.
pub(super) fn read(
    body: &FunctionBody<'_>,
    allocations: OperatorsReaderAllocations,
    module: ModuleFacts,
    operators_left: &mut u64,
) -> Result<(BodyFacts, OperatorsReaderAllocations), BodyError> {
    let operators = body.get_binary_reader_for_operators()?;
    let mut operators = OperatorsReader::new_with_allocs(operators, allocations);
    let mut walk = Walk::new(module);
    while !operators.eof() {
        let operator = operators.read()?;
        let cost = match &operator {
            Operator::BrTable { targets } => u64::from(targets.len()) + 1,
            _ => 1,
        };
        *operators_left = operators_left.checked_sub(cost).ok_or(BodyError::TooLong)?;
        walk.facts.operators += 1;
        walk.operator(&operator)?;
    }
    operators.finish()?;
    Ok((walk.facts, operators.into_allocations()))
}

/// A construct that is open.
struct Frame {
    is_loop: bool,
    /// Whether the code before it can be reached.
    is_entered: bool,
    /// Whether the condition of an `if` without `else` can skip it.
    can_be_skipped: bool,
    /// Whether a reachable branch jumps to its end.
    is_branched_to: bool,
    /// The outermost frame that a reachable branch from inside jumps to.
    target_min: usize,
}

/// The constant that the last operators computed with.
#[derive(Clone, Copy)]
enum Constant {
    None,
    /// On top of the stack.
    Pushed(u64),
    /// Compared with something.
    Compared(u64),
}

struct Walk {
    facts: BodyFacts,
    module: ModuleFacts,
    /// Open constructs; the function itself comes first.
    frames: Vec<Frame>,
    loops_open: u32,
    /// Whether the current place can be reached.
    is_live: bool,
    constant: Constant,
}

impl Walk {
    fn new(module: ModuleFacts) -> Self {
        let mut walk = Self {
            facts: BodyFacts::default(),
            module,
            frames: Vec::new(),
            loops_open: 0,
            is_live: true,
            constant: Constant::None,
        };
        walk.open(false, false);
        walk
    }

    fn operator(&mut self, operator: &Operator<'_>) -> Result<(), BinaryReaderError> {
        let constant = std::mem::replace(&mut self.constant, Constant::None);
        match operator {
            Operator::Block { .. } | Operator::Try { .. } => self.open(false, false),
            Operator::If { .. } => self.open(false, true),
            Operator::Loop { .. } => self.open(true, false),
            Operator::TryTable { try_table } => {
                for catch in &try_table.catches {
                    self.branch(catch_label(catch));
                }
                self.open(false, false);
            }
            Operator::Else => self.alternative(true),
            Operator::Catch { .. } | Operator::CatchAll => self.alternative(false),
            Operator::End => self.close(),
            Operator::Delegate { .. } => {
                self.leave();
                self.close();
            }
            Operator::Br { relative_depth } => {
                self.branch(*relative_depth);
                self.is_live = false;
            }
            Operator::BrIf { relative_depth } => {
                self.note_loop_bound(*relative_depth, constant);
                self.branch(*relative_depth);
            }
            Operator::BrOnNull { relative_depth }
            | Operator::BrOnNonNull { relative_depth }
            | Operator::BrOnCast { relative_depth, .. }
            | Operator::BrOnCastFail { relative_depth, .. }
            | Operator::BrOnCastDescEq { relative_depth, .. }
            | Operator::BrOnCastDescEqFail { relative_depth, .. } => self.branch(*relative_depth),
            Operator::BrTable { targets } => {
                self.branch(targets.default());
                for target in targets.targets() {
                    self.branch(target?);
                }
                self.is_live = false;
            }
            operator => self.plain(operator, constant),
        }
        Ok(())
    }

    /// Operators that open or close nothing and name no label.
    fn plain(&mut self, operator: &Operator<'_>, constant: Constant) {
        match operator {
            Operator::Unreachable
            | Operator::Return
            | Operator::Throw { .. }
            | Operator::ThrowRef
            | Operator::Rethrow { .. }
            | Operator::ReturnCallIndirect { .. }
            | Operator::ReturnCallRef { .. } => {
                self.leave();
                self.is_live = false;
            }
            Operator::ReturnCall { function_index } => {
                self.call(*function_index);
                self.leave();
                self.is_live = false;
            }
            Operator::Call { function_index } => self.call(*function_index),
            // Other fibers may do anything before they come back.
            Operator::CallIndirect { .. } | Operator::CallRef { .. } => self.may_throw(),
            Operator::Resume { .. }
            | Operator::ResumeThrow { .. }
            | Operator::Suspend { .. }
            | Operator::Switch { .. } => self.leave(),
            Operator::I32Const { value } => self.push_constant(i64::from(*value)),
            Operator::I64Const { value } => self.push_constant(*value),
            Operator::MemoryGrow { .. } => {
                if let Constant::Pushed(pages) = constant {
                    self.note("memory.grow.pages", pages);
                }
            }
            operator => {
                if let (true, Constant::Pushed(bound)) = (is_comparison(operator), constant) {
                    self.constant = Constant::Compared(bound);
                }
            }
        }
    }

    fn open(&mut self, is_loop: bool, can_be_skipped: bool) {
        if is_loop {
            self.facts.loops += 1;
            self.loops_open += 1;
            self.facts.loop_nesting_max = self.facts.loop_nesting_max.max(self.loops_open);
        }
        self.frames.push(Frame {
            is_loop,
            is_entered: self.is_live,
            can_be_skipped,
            is_branched_to: false,
            target_min: usize::MAX,
        });
    }

    /// `else` or `catch`: the part before is over, the construct goes on.
    fn alternative(&mut self, is_else: bool) {
        if let Some(frame) = self.frames.last_mut() {
            frame.is_branched_to |= self.is_live;
            frame.can_be_skipped &= !is_else;
            self.is_live = frame.is_entered;
        }
    }

    fn close(&mut self) {
        let Some(frame) = self.frames.pop() else {
            return;
        };
        let index = self.frames.len();
        if frame.is_loop {
            self.loops_open -= 1;
            let is_left = self.is_live || frame.target_min < index;
            self.facts.has_endless_loop |= frame.is_entered && !is_left;
        } else {
            self.is_live |= frame.is_branched_to || (frame.can_be_skipped && frame.is_entered);
        }
        if let Some(parent) = self.frames.last_mut() {
            parent.target_min = parent.target_min.min(frame.target_min);
        }
    }

    /// A branch to the construct `relative_depth` levels up that may be taken.
    fn branch(&mut self, relative_depth: u32) {
        if !self.is_live {
            return;
        }
        let Some(target) = self.target(relative_depth) else {
            return;
        };
        if let Some(frame) = self.frames.get_mut(target) {
            frame.is_branched_to |= !frame.is_loop;
        }
        if let Some(top) = self.frames.last_mut() {
            top.target_min = top.target_min.min(target);
        }
    }

    fn target(&self, relative_depth: u32) -> Option<usize> {
        self.frames.len().checked_sub(relative_depth as usize + 1)
    }

    /// The function may be left here.
    fn leave(&mut self) {
        if self.is_live
            && let Some(top) = self.frames.last_mut()
        {
            top.target_min = 0;
        }
    }

    fn may_throw(&mut self) {
        if self.module.may_throw {
            self.leave();
        }
    }

    fn call(&mut self, function: u32) {
        self.may_throw();
        if let Some(callee) = function.checked_sub(self.module.imported_functions) {
            self.facts.callees.push(callee);
        } else if self.module.exit_function == Some(function) {
            self.leave();
        }
    }

    fn push_constant(&mut self, value: i64) {
        if let Ok(value) = u64::try_from(value) {
            self.constant = Constant::Pushed(value);
        }
    }

    /// A comparison with a constant that decides whether a loop goes round again bounds it.
    fn note_loop_bound(&mut self, relative_depth: u32, constant: Constant) {
        let target = self.target(relative_depth);
        let goes_round = target
            .and_then(|target| self.frames.get(target))
            .is_some_and(|frame| frame.is_loop);
        if let (true, Constant::Compared(bound)) = (goes_round, constant) {
            self.note("loop", bound);
        }
    }

    fn note(&mut self, role: &'static str, value: u64) {
        if value > 1 && self.facts.literals.len() < LITERALS_MAX {
            self.facts.literals.push((role, value));
        }
    }
}

/// The label that a clause of `try_table` branches to, counted from outside the construct.
fn catch_label(catch: &Catch) -> u32 {
    match catch {
        Catch::One { label, .. }
        | Catch::OneRef { label, .. }
        | Catch::All { label }
        | Catch::AllRef { label } => *label,
    }
}

fn is_comparison(operator: &Operator<'_>) -> bool {
    matches!(
        operator,
        Operator::I32Eq
            | Operator::I32Ne
            | Operator::I32LtS
            | Operator::I32LtU
            | Operator::I32GtS
            | Operator::I32GtU
            | Operator::I32LeS
            | Operator::I32LeU
            | Operator::I32GeS
            | Operator::I32GeU
            | Operator::I64Eq
            | Operator::I64Ne
            | Operator::I64LtS
            | Operator::I64LtU
            | Operator::I64GtS
            | Operator::I64GtU
            | Operator::I64LeS
            | Operator::I64LeU
            | Operator::I64GeS
            | Operator::I64GeU
    )
}
