//! What a sandbox may use at most.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Upper bounds for the whole tree of processes of one sandbox. Every field is a hard bound; 0 is
/// not "unlimited" but an error that `Limits::check` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Limits {
    /// Time from the program's start to its end, in milliseconds.
    pub wall_time_ms: u64,
    /// CPU time of all processes together, in milliseconds.
    pub cpu_time_ms: u64,
    /// CPU share in hundredths of one core: 100 is one core, 250 is two and a half.
    pub cpu_percent: u32,
    /// Memory of all processes and of their files (which live in memory), in bytes.
    pub memory_bytes: u64,
    /// Processes and threads at any one time.
    pub processes: u32,
    /// Bytes in files the program writes.
    pub disk_bytes: u64,
    /// Files and directories the program creates.
    pub disk_files: u64,
    /// Bytes of standard output and standard error together.
    pub output_bytes: u64,
    /// Open descriptors of one process.
    pub open_files: u32,
}

impl Limits {
    /// What holds where nothing was decided yet: nothing may be used.
    pub const NONE: Self = Self {
        wall_time_ms: 0,
        cpu_time_ms: 0,
        cpu_percent: 0,
        memory_bytes: 0,
        processes: 0,
        disk_bytes: 0,
        disk_files: 0,
        output_bytes: 0,
        open_files: 0,
    };

    /// Checks that every bound is usable.
    ///
    /// # Errors
    /// Names the first bound that is zero or smaller than a sandbox needs to start.
    pub fn check(&self) -> Result<(), String> {
        const MEMORY_BYTES_MIN: u64 = 4 << 20;
        const OPEN_FILES_MIN: u32 = 16;
        let zero = [
            ("wall_time_ms", self.wall_time_ms),
            ("cpu_time_ms", self.cpu_time_ms),
            ("cpu_percent", self.cpu_percent.into()),
            ("processes", self.processes.into()),
            ("disk_bytes", self.disk_bytes),
            ("disk_files", self.disk_files),
            ("output_bytes", self.output_bytes),
        ];
        if let Some((name, _)) = zero.iter().find(|(_, value)| *value == 0) {
            return Err(format!("limit {name} is 0; every limit must be at least 1"));
        }
        if self.memory_bytes < MEMORY_BYTES_MIN {
            return Err(format!(
                "limit memory_bytes is {}; at least 4 MiB are needed",
                self.memory_bytes
            ));
        }
        if self.open_files < OPEN_FILES_MIN {
            return Err(format!(
                "limit open_files is {}; at least 16 are needed",
                self.open_files
            ));
        }
        Ok(())
    }

    /// The configured value of a limit, in its own unit.
    #[must_use]
    pub const fn value(&self, name: LimitName) -> u64 {
        match name {
            LimitName::WallTime => self.wall_time_ms,
            LimitName::CpuTime => self.cpu_time_ms,
            LimitName::Memory => self.memory_bytes,
            LimitName::Processes => self.processes as u64,
            LimitName::Disk => self.disk_bytes,
            LimitName::Output => self.output_bytes,
        }
    }
}

/// The limits that can end a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LimitName {
    /// [`Limits::wall_time_ms`].
    WallTime,
    /// [`Limits::cpu_time_ms`].
    CpuTime,
    /// [`Limits::memory_bytes`].
    Memory,
    /// [`Limits::processes`].
    Processes,
    /// [`Limits::disk_bytes`] or [`Limits::disk_files`].
    Disk,
    /// [`Limits::output_bytes`].
    Output,
}

impl LimitName {
    /// Every one of them.
    pub const ALL: [Self; 6] = [
        Self::WallTime,
        Self::CpuTime,
        Self::Memory,
        Self::Processes,
        Self::Disk,
        Self::Output,
    ];

    /// The name used in JSON and output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::WallTime => "wall-time",
            Self::CpuTime => "cpu-time",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::Disk => "disk",
            Self::Output => "output",
        }
    }

    /// The unit of the limit's value.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::WallTime | Self::CpuTime => "milliseconds",
            Self::Memory | Self::Disk | Self::Output => "bytes",
            Self::Processes => "processes",
        }
    }
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A limit that ended a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitHit {
    /// Which limit.
    pub name: LimitName,
    /// Its value, in [`LimitName::unit`].
    pub value: u64,
}

impl LimitHit {
    /// The limit `name` as `limits` set it.
    #[must_use]
    pub const fn of(name: LimitName, limits: &Limits) -> Self {
        Self {
            name,
            value: limits.value(name),
        }
    }
}
