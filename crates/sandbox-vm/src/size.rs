//! The sizes of machines.
//!
//! Owns how a message's limits become a machine: so that few snapshots serve all messages, machines
//! come in classes. Memory that a machine has and its program may not use costs nothing, because it
//! is only there once it is written; so each has more than its class, and limits can be raised
//! while it runs.
//!
//! There is no balloon. QEMU gives memory that a guest hands back to the host by punching a hole
//! into the file behind it, and the file behind a clone is the snapshot, which all clones share and
//! nobody may change.

use atoll_types::Limits;

const MIB: u64 = 1 << 20;

/// Memory of the largest program of each class, in MiB.
const CLASSES_MIB: [u64; 7] = [64, 128, 256, 512, 1024, 2048, 4096];

/// Memory of the guest's kernel and of the agent, in MiB.
const KERNEL_MIB: u64 = 96;

/// How many times its class a machine has, so that a limit can be raised.
const HEADROOM: u64 = 2;

/// What the emulator needs besides the guest's memory: itself and translated code, in bytes.
const EMULATOR_BYTES: u64 = (64 + TRANSLATED_MIB) * MIB;

/// Memory for translated code, in MiB.
pub(crate) const TRANSLATED_MIB: u64 = 128;

/// Threads of the emulator: its own, one for each processor, and those that read the root
/// directory.
const EMULATOR_THREADS: u32 = 80;

/// The most processors that a machine has.
const PROCESSORS_MAX: u32 = 4;

/// A size of machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Size {
    /// Memory of the guest, in MiB.
    pub(crate) memory_mib: u64,
    /// Its virtual processors.
    pub(crate) processors: u32,
}

impl Size {
    /// The smallest class that programs with such limits fit into.
    ///
    /// # Errors
    /// When none is large enough, as a sentence.
    pub(crate) fn of(limits: &Limits) -> Result<Self, String> {
        let class = CLASSES_MIB
            .into_iter()
            .find(|class| limits.memory_bytes <= class * MIB);
        let class = class.ok_or_else(|| {
            let largest = CLASSES_MIB.iter().max().copied().unwrap_or_default();
            format!("the memory limit is larger than any virtual machine's ({largest} MiB)")
        })?;
        Ok(Self {
            memory_mib: KERNEL_MIB + HEADROOM * class,
            processors: limits.cpu_percent.div_ceil(100).clamp(1, PROCESSORS_MAX),
        })
    }

    /// The limits of a sandbox that can take those of any program of this size: they differ in what
    /// can still be changed.
    pub(crate) fn widest(self, limits: &Limits) -> Limits {
        Limits {
            memory_bytes: (self.memory_mib - KERNEL_MIB) * MIB,
            cpu_percent: self.processors * 100,
            ..*limits
        }
    }

    /// Memory of the guest, in bytes.
    pub(crate) const fn memory_bytes(self) -> u64 {
        self.memory_mib * MIB
    }

    /// The limits of what is around a machine whose program has such limits. Time is counted by who
    /// runs the message.
    pub(crate) fn around(self, program: &Limits) -> Limits {
        let inside = program
            .memory_bytes
            .saturating_add(KERNEL_MIB * MIB)
            .min(self.memory_bytes());
        Limits {
            wall_time_ms: u64::from(u32::MAX),
            cpu_time_ms: u64::from(u32::MAX),
            cpu_percent: program.cpu_percent,
            memory_bytes: inside.saturating_add(EMULATOR_BYTES),
            processes: EMULATOR_THREADS,
            // To the kernel the machine's memory is a file.
            disk_bytes: self.memory_bytes().saturating_add(64 * MIB),
            disk_files: 16,
            output_bytes: 0,
            open_files: 128,
        }
    }

    /// The limits of what is around a machine that boots.
    pub(crate) fn booting(self) -> Limits {
        Limits {
            memory_bytes: self.memory_bytes().saturating_add(EMULATOR_BYTES),
            ..self.around(&GENEROUS)
        }
    }

    /// Whether a machine of this size can hold such limits.
    pub(crate) fn holds(self, limits: &Limits) -> bool {
        let processors = limits.cpu_percent.div_ceil(100).max(1);
        limits.memory_bytes <= (self.memory_mib - KERNEL_MIB) * MIB
            && processors <= self.processors.max(PROCESSORS_MAX)
    }
}

/// As much time as there is.
const GENEROUS: Limits = Limits {
    cpu_percent: 400,
    ..Limits::NONE
};

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(memory_mib: u64, cpu_percent: u32) -> Limits {
        Limits {
            memory_bytes: memory_mib * MIB,
            cpu_percent,
            ..GENEROUS
        }
    }

    #[test]
    fn limits_can_be_doubled_in_any_machine() {
        for memory_mib in [4, 64, 65, 192, 1000, 4096] {
            let size = Size::of(&limits(memory_mib, 100)).unwrap();
            assert!(size.holds(&limits(2 * memory_mib, 100)), "{size:?}");
            assert!(!size.holds(&limits(size.memory_mib, 100)), "{size:?}");
        }
        assert!(Size::of(&limits(4097, 100)).is_err());
    }

    #[test]
    fn each_whole_processor_is_one_of_the_machine() {
        let processors = |percent| Size::of(&limits(64, percent)).unwrap().processors;
        assert_eq!([1, 100, 101, 250, 9000].map(processors), [1, 1, 2, 3, 4]);
    }

    #[test]
    fn what_is_around_a_machine_holds_it_and_no_more() {
        let program = limits(128, 50);
        let size = Size::of(&program).unwrap();
        let around = size.around(&program);
        assert_eq!(around.cpu_percent, 50);
        assert!(around.memory_bytes >= (128 + KERNEL_MIB) * MIB);
        assert!(around.memory_bytes < size.booting().memory_bytes);
    }
}
