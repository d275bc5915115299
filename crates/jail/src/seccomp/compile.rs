//! From rules to a BPF program: a binary decision tree over system call numbers.
//!
//! A linear list of 80 comparisons costs about three times as much to install and up to ten times
//! as much to evaluate as a tree of depth seven, and the filter runs at every system call.

use std::collections::BTreeMap;

use libc::c_long;

use crate::sys::Instruction;

/// What happens to a system call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The kernel carries it out.
    Allow,
    /// It fails with this error number.
    Errno(u16),
    /// The whole process ends with `SIGSYS`: a violation nobody can overlook.
    Kill,
    /// Allowed when any of the tests holds, otherwise fails with the error number.
    AllowIf(Vec<Test>, u16),
    /// It waits until somebody outside has said what becomes of it.
    Ask,
}

impl Action {
    /// Whether some call with this action is carried out.
    #[must_use]
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allow | Self::AllowIf(..))
    }

    /// It fails with an error number of libc's.
    #[must_use]
    pub fn errno(number: i32) -> Self {
        Self::Errno(half(number))
    }

    /// It is allowed when any of the tests holds, and fails with an error number of libc's
    /// otherwise.
    #[must_use]
    pub fn allow_if(tests: Vec<Test>, otherwise: i32) -> Self {
        Self::AllowIf(tests, half(otherwise))
    }
}

/// Error numbers go down to the kernel in 16 bits; they are small.
fn half(errno: i32) -> u16 {
    u16::try_from(errno).unwrap_or(libc::EPERM.unsigned_abs() as u16)
}

/// A comparison of one argument: `argument & mask == value`, on the low 32 bits or on all 64.
///
/// The kernel passes 64-bit registers; a caller could hide bits in the upper half of an argument
/// that the kernel then truncates. Tests on the low half match what the kernel sees for arguments
/// of type `int`; [`Test::whole`] must be used where the kernel sees all 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Test {
    argument: u8,
    mask: u64,
    value: u64,
    whole: bool,
}

impl Test {
    /// What it means, written down a second time and as plainly as possible.
    #[cfg(test)]
    pub(crate) fn holds(&self, arguments: &[u64; 6]) -> bool {
        let argument = arguments[usize::from(self.argument)];
        let seen = if self.whole {
            argument
        } else {
            argument & 0xffff_ffff
        };
        seen & self.mask == self.value
    }

    /// Compares the low 32 bits of argument `argument` (0 to 5).
    #[must_use]
    pub const fn low(argument: u8, mask: u32, value: u32) -> Self {
        Self {
            argument,
            mask: mask as u64,
            value: value as u64,
            whole: false,
        }
    }

    /// Compares all 64 bits of argument `argument` (0 to 5).
    #[must_use]
    pub const fn whole(argument: u8, mask: u64, value: u64) -> Self {
        Self {
            argument,
            mask,
            value,
            whole: true,
        }
    }
}

/// One system call and what happens to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The number on this architecture.
    pub number: u32,
    /// What happens.
    pub action: Action,
}

impl Rule {
    /// The same for each of some calls, numbered as libc numbers them.
    pub fn each(calls: &[c_long], action: &Action) -> impl Iterator<Item = Self> {
        calls.iter().filter_map(|call| {
            Some(Self {
                number: u32::try_from(*call).ok()?,
                action: action.clone(),
            })
        })
    }
}

/// Why rules could not be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// Two rules name the same call.
    #[error("system call {0} has two rules")]
    Duplicate(u32),
    /// A test names an argument beyond the sixth.
    #[error("a rule for system call {0} tests argument {1}; there are only 0 to 5")]
    Argument(u32, u8),
    /// The kernel takes at most 4096 instructions.
    #[error("the filter has {0} instructions; the kernel takes at most 4096")]
    TooLong(usize),
}

const INSTRUCTIONS_MAX: usize = 4096;

// Operations of classic BPF (linux/bpf_common.h).
const LOAD: u16 = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND: u16 = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP: u16 = 0x05; // BPF_JMP | BPF_JA
const JUMP_EQUAL: u16 = 0x15; // BPF_JMP | BPF_JEQ | BPF_K
const JUMP_AT_LEAST: u16 = 0x35; // BPF_JMP | BPF_JGE | BPF_K
const RETURN: u16 = 0x06; // BPF_RET | BPF_K

// Return values (linux/seccomp.h).
const RETURN_KILL: u32 = 0x8000_0000;
const RETURN_ERRNO: u32 = 0x0005_0000;
const RETURN_ASK: u32 = 0x7fc0_0000;
const RETURN_ALLOW: u32 = 0x7fff_0000;

// Offsets into struct seccomp_data (linux/seccomp.h).
const NUMBER_OFFSET: u32 = 0;
const ARCHITECTURE_OFFSET: u32 = 4;
const ARGUMENTS_OFFSET: u32 = 16;

/// From linux/audit.h.
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// The x32 calls of x86-64 have this bit set; none of them is ever allowed.
const X32_BIT: u32 = 0x4000_0000;

/// Compiles rules into a program. Calls without a rule get `otherwise`; calls of another
/// architecture end the process.
///
/// # Errors
/// When the rules contradict each other or the program gets too long.
pub fn compile(rules: &[Rule], otherwise: &Action) -> Result<Vec<Instruction>, FilterError> {
    let ranges = ranges(rules, otherwise)?;
    let mut program = vec![
        instruction(LOAD, ARCHITECTURE_OFFSET),
        jump(JUMP_EQUAL, ARCHITECTURE, 1, 0),
        instruction(RETURN, RETURN_KILL),
        instruction(LOAD, NUMBER_OFFSET),
        jump(JUMP_AT_LEAST, X32_BIT, 0, 1),
        instruction(RETURN, RETURN_KILL),
    ];
    program.extend(tree(&ranges));
    if program.len() > INSTRUCTIONS_MAX {
        return Err(FilterError::TooLong(program.len()));
    }
    Ok(program)
}

/// The first number of a range of calls that share an action.
type Range = (u32, Action);

/// Merges rules and the gaps between them into ranges that cover every number.
fn ranges(rules: &[Rule], otherwise: &Action) -> Result<Vec<Range>, FilterError> {
    let mut by_number = BTreeMap::new();
    for rule in rules {
        if let Action::AllowIf(tests, _) = &rule.action
            && let Some(test) = tests.iter().find(|test| test.argument > 5)
        {
            return Err(FilterError::Argument(rule.number, test.argument));
        }
        if by_number.insert(rule.number, &rule.action).is_some() {
            return Err(FilterError::Duplicate(rule.number));
        }
    }
    let mut ranges: Vec<Range> = vec![(0, otherwise.clone())];
    for (number, action) in by_number {
        push(&mut ranges, number, action);
        push(&mut ranges, number.saturating_add(1), otherwise);
    }
    Ok(ranges)
}

/// Starts a new range at `first`, replacing one that would start there and joining equal ones.
fn push(ranges: &mut Vec<Range>, first: u32, action: &Action) {
    if ranges.last().is_some_and(|last| last.0 == first) {
        ranges.pop();
    }
    if ranges.last().is_none_or(|last| last.1 != *action) {
        ranges.push((first, action.clone()));
    }
}

/// The decision tree for ranges; at its entry the accumulator holds the call's number.
fn tree(ranges: &[Range]) -> Vec<Instruction> {
    if let [(_, action)] = ranges {
        return leaf(action);
    }
    let (low, high) = ranges.split_at(ranges.len() / 2);
    let Some((first_high, _)) = high.first() else {
        return leaf(&Action::Kill);
    };
    let (low, high) = (tree(low), tree(high));
    let mut program = match u8::try_from(low.len()) {
        Ok(skip) => vec![jump(JUMP_AT_LEAST, *first_high, skip, 0)],
        // Conditional jumps reach 255 instructions; an unconditional one reaches any distance.
        Err(_) => vec![
            jump(JUMP_AT_LEAST, *first_high, 0, 1),
            instruction(JUMP, u32::try_from(low.len()).unwrap_or(u32::MAX)),
        ],
    };
    program.extend(low);
    program.extend(high);
    program
}

fn leaf(action: &Action) -> Vec<Instruction> {
    match action {
        Action::Allow => vec![instruction(RETURN, RETURN_ALLOW)],
        Action::Errno(number) => vec![instruction(RETURN, RETURN_ERRNO | u32::from(*number))],
        Action::Kill => vec![instruction(RETURN, RETURN_KILL)],
        Action::Ask => vec![instruction(RETURN, RETURN_ASK)],
        Action::AllowIf(tests, errno) => {
            let mut program: Vec<Instruction> = tests.iter().flat_map(test).collect();
            program.push(instruction(RETURN, RETURN_ERRNO | u32::from(*errno)));
            program
        }
    }
}

/// Returns "allow" when the test holds, falls through to the next test when not.
fn test(test: &Test) -> Vec<Instruction> {
    let offset = ARGUMENTS_OFFSET + 8 * u32::from(test.argument);
    let half = |value: u64, shift: u32| u32::try_from(value >> shift & 0xffff_ffff).unwrap_or(0);
    let compare = |offset: u32, shift: u32, skip: u8| {
        [
            instruction(LOAD, offset),
            instruction(AND, half(test.mask, shift)),
            jump(JUMP_EQUAL, half(test.value, shift), 0, skip),
        ]
    };
    let mut program = Vec::new();
    if test.whole {
        // Both architectures are little-endian: the upper half comes second in memory. A mismatch
        // skips the comparison of the lower half (3) and the return.
        program.extend(compare(offset + 4, 32, 4));
    }
    program.extend(compare(offset, 0, 1));
    program.push(instruction(RETURN, RETURN_ALLOW));
    program
}

const fn instruction(code: u16, operand: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        operand,
    }
}

const fn jump(code: u16, operand: u32, jump_true: u8, jump_false: u8) -> Instruction {
    Instruction {
        code,
        jump_true,
        jump_false,
        operand,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An interpreter for the instructions this module emits, as the kernel defines them.
    fn run(program: &[Instruction], architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let load = |offset: u32| match offset {
            NUMBER_OFFSET => number,
            ARCHITECTURE_OFFSET => architecture,
            offset => {
                let index = (offset - ARGUMENTS_OFFSET) as usize;
                (arguments[index / 8] >> (index % 8 * 8)) as u32
            }
        };
        let (mut at, mut accumulator) = (0, 0);
        loop {
            let step = program[at];
            at += 1;
            match step.code {
                LOAD => accumulator = load(step.operand),
                AND => accumulator &= step.operand,
                JUMP => at += step.operand as usize,
                JUMP_EQUAL | JUMP_AT_LEAST => {
                    let holds = if step.code == JUMP_EQUAL {
                        accumulator == step.operand
                    } else {
                        accumulator >= step.operand
                    };
                    at += usize::from(if holds {
                        step.jump_true
                    } else {
                        step.jump_false
                    });
                }
                RETURN => return step.operand,
                code => panic!("unknown operation {code:#x}"),
            }
        }
    }

    /// What the rules mean, written down a second time and as plainly as possible.
    fn reference(rules: &[Rule], otherwise: &Action, number: u32, arguments: [u64; 6]) -> u32 {
        let action = rules
            .iter()
            .find(|rule| rule.number == number)
            .map_or(otherwise, |rule| &rule.action);
        let holds = |test: &Test| test.holds(&arguments);
        match action {
            Action::Allow => RETURN_ALLOW,
            Action::Errno(errno) => RETURN_ERRNO | u32::from(*errno),
            Action::Kill => RETURN_KILL,
            Action::Ask => RETURN_ASK,
            Action::AllowIf(tests, _) if tests.iter().any(holds) => RETURN_ALLOW,
            Action::AllowIf(_, errno) => RETURN_ERRNO | u32::from(*errno),
        }
    }

    fn action() -> impl Strategy<Value = Action> {
        let test = (0_u8..6, any::<u64>(), any::<u64>(), any::<bool>()).prop_map(
            |(argument, mask, value, whole)| {
                if whole {
                    Test::whole(argument, mask, value & mask)
                } else {
                    Test::low(argument, mask as u32, (value & mask) as u32)
                }
            },
        );
        prop_oneof![
            4 => Just(Action::Allow),
            1 => (1_u16..4095).prop_map(Action::Errno),
            1 => Just(Action::Kill),
            1 => Just(Action::Ask),
            2 => (proptest::collection::vec(test, 1..4), 1_u16..4095)
                .prop_map(|(tests, errno)| Action::AllowIf(tests, errno)),
        ]
    }

    proptest! {
        #[test]
        fn the_program_means_what_the_rules_say(
            rules in proptest::collection::btree_map(0_u32..600, action(), 0..120),
            otherwise in action(),
            arguments: [u64; 6],
        ) {
            let rules: Vec<Rule> =
                rules.into_iter().map(|(number, action)| Rule { number, action }).collect();
            let program = compile(&rules, &otherwise).unwrap();
            for number in (0..620).chain([X32_BIT - 1]) {
                prop_assert_eq!(
                    run(&program, ARCHITECTURE, number, arguments),
                    reference(&rules, &otherwise, number, arguments)
                );
            }
            for number in [X32_BIT, X32_BIT + 1, u32::MAX] {
                prop_assert_eq!(run(&program, ARCHITECTURE, number, arguments), RETURN_KILL);
            }
            prop_assert_eq!(run(&program, 0x4000_0003, 1, arguments), RETURN_KILL);
        }

        #[test]
        fn a_test_lets_its_own_value_pass(argument in 0_u8..6, mask: u64, value: u64) {
            let test = Test::whole(argument, mask, value & mask);
            let rules = [Rule { number: 7, action: Action::AllowIf(vec![test], 1) }];
            let program = compile(&rules, &Action::Kill).unwrap();
            let mut arguments = [0; 6];
            arguments[usize::from(argument)] = value;
            prop_assert_eq!(run(&program, ARCHITECTURE, 7, arguments), RETURN_ALLOW);
        }
    }

    #[test]
    fn contradictions_are_refused() {
        let allow = |number| Rule {
            number,
            action: Action::Allow,
        };
        let twice = compile(&[allow(3), allow(3)], &Action::Kill);
        assert_eq!(twice, Err(FilterError::Duplicate(3)));
        let test = Test::low(6, 0, 0);
        let bad = Rule {
            number: 1,
            action: Action::AllowIf(vec![test], 1),
        };
        assert_eq!(
            compile(&[bad], &Action::Kill),
            Err(FilterError::Argument(1, 6))
        );
    }

    #[test]
    fn the_tree_is_shallow() {
        let rules: Vec<Rule> = (0..500)
            .step_by(2)
            .map(|number| Rule {
                number,
                action: Action::Allow,
            })
            .collect();
        let program = compile(&rules, &Action::Errno(1)).unwrap();
        assert!(program.len() < 1100, "{}", program.len());
    }
}
