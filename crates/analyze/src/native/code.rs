//! Decodes x86-64 machine code from start to end and counts what it sees.
//!
//! A linear sweep: data between functions is decoded too, so counts are close, not exact. Does
//! not follow jumps and does not know where functions start.

use std::collections::HashSet;

use iced_x86::{Decoder, DecoderOptions, Instruction, Mnemonic, OpKind, Register};

use super::{Range, system_calls};
use crate::findings::Findings;

/// The most bytes of code that are decoded.
pub(super) const BYTES_MAX: usize = 16 << 20;

/// The most instructions that are decoded.
const INSTRUCTIONS_MAX: u64 = 2_000_000;

/// One invalid instruction in this many is taken for data between functions; more is not.
const INVALID_SHARE: u64 = 20;

/// What decoding counted, beside what it noted in the findings.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// Different addresses inside the code that a call names.
    pub(super) call_targets: u64,
    /// Jumps to their own address or one before it.
    pub(super) backward_jumps: u64,
}

/// Decodes all ranges, up to the bounds of this module.
pub(super) fn read(ranges: &[Range<'_>], findings: &mut Findings) -> Counted {
    let mut sweep = Sweep {
        ranges,
        findings,
        targets: HashSet::new(),
        backward_jumps: 0,
        instructions: 0,
        invalid: 0,
        number: None,
    };
    let mut bytes_left = BYTES_MAX;
    let mut is_whole = true;
    for range in ranges {
        let bytes = range.bytes.get(..bytes_left).unwrap_or(range.bytes);
        bytes_left -= bytes.len();
        is_whole &= bytes.len() == range.bytes.len();
        is_whole &= sweep.range(range.address, bytes);
    }
    sweep.finish(is_whole)
}

struct Sweep<'a, 'data> {
    ranges: &'a [Range<'data>],
    findings: &'a mut Findings,
    targets: HashSet<u64>,
    backward_jumps: u64,
    instructions: u64,
    invalid: u64,
    /// What the register that numbers a system call holds, where the code just said so.
    number: Option<u64>,
}

impl Sweep<'_, '_> {
    /// Decodes one range; false when the bound on instructions cut it off.
    fn range(&mut self, address: u64, bytes: &[u8]) -> bool {
        let mut decoder = Decoder::with_ip(64, bytes, address, DecoderOptions::NONE);
        let mut instruction = Instruction::default();
        self.number = None;
        while decoder.can_decode() {
            if self.instructions + self.invalid >= INSTRUCTIONS_MAX {
                return false;
            }
            decoder.decode_out(&mut instruction);
            if instruction.is_invalid() {
                self.invalid += 1;
                self.number = None;
            } else {
                self.instructions += 1;
                self.instruction(&instruction);
            }
        }
        true
    }

    fn instruction(&mut self, instruction: &Instruction) {
        let is_jump = instruction.is_jmp_short_or_near()
            || instruction.is_jcc_short_or_near()
            || instruction.is_loop()
            || instruction.is_loopcc()
            || instruction.is_jcx_short();
        if is_jump && instruction.near_branch_target() <= instruction.ip() {
            self.backward_jumps += 1;
        }
        if instruction.is_call_near() {
            let target = instruction.near_branch_target();
            if self.ranges.iter().any(|range| range.holds(target)) {
                self.targets.insert(target);
            }
        }
        self.system_call(instruction);
    }

    fn system_call(&mut self, instruction: &Instruction) {
        match instruction.mnemonic() {
            Mnemonic::Syscall => {
                system_calls::note(self.number.take(), self.findings);
            }
            // Entered this way the kernel reads the numbers of 32-bit programs.
            Mnemonic::Int if instruction.try_immediate(0).ok() == Some(0x80) => {
                self.findings.host_call("syscall:32-bit");
                self.number = None;
            }
            Mnemonic::Call | Mnemonic::Jmp | Mnemonic::Ret => self.number = None,
            // These name the register first but leave it as it is.
            Mnemonic::Cmp | Mnemonic::Test | Mnemonic::Push | Mnemonic::Nop => {}
            mnemonic => self.register(mnemonic, instruction),
        }
    }

    /// Follows what is written to the register that numbers a system call.
    fn register(&mut self, mnemonic: Mnemonic, instruction: &Instruction) {
        let first = instruction.op0_register();
        if instruction.op0_kind() != OpKind::Register || first.full_register() != Register::RAX {
            return;
        }
        let is_whole = matches!(first, Register::EAX | Register::RAX);
        self.number = match mnemonic {
            Mnemonic::Mov if is_whole => instruction.try_immediate(1).ok(),
            Mnemonic::Xor if is_whole && instruction.op1_register() == first => Some(0),
            _ => None,
        };
    }

    fn finish(self, is_whole: bool) -> Counted {
        self.findings.instructions = self.instructions;
        if !is_whole {
            self.findings.problem(
                None,
                &format!(
                    "its code is too large to be read whole; {} instructions were read",
                    self.instructions
                ),
            );
        }
        if self.invalid.saturating_mul(INVALID_SHARE) > self.instructions {
            self.findings.problem(
                None,
                "much of what should be its code is not valid machine code",
            );
        }
        Counted {
            call_targets: self.targets.len() as u64,
            backward_jumps: self.backward_jumps,
        }
    }
}
