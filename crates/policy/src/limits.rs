//! How policies size limits: fixed values, values cut to a prediction, and what requests may do.

use std::collections::BTreeMap;

use atoll_types::{Limits, Profile, ResourceEstimate};

use crate::text::{duration_ms, duration_us, fraction, size_bytes};

/// Names a field of [`Limits`] as policy files do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LimitKey {
    WallTime,
    CpuTime,
    CpuPercent,
    Memory,
    Processes,
    Disk,
    DiskFiles,
    Output,
    OpenFiles,
}

/// How a limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// `"10s"`, kept in milliseconds.
    Duration,
    /// `"256MiB"`, kept in bytes.
    Size,
    /// `64`.
    Count,
}

impl LimitKey {
    pub(crate) const ALL: [Self; 9] = [
        Self::WallTime,
        Self::CpuTime,
        Self::CpuPercent,
        Self::Memory,
        Self::Processes,
        Self::Disk,
        Self::DiskFiles,
        Self::Output,
        Self::OpenFiles,
    ];

    /// The key in policy files.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::WallTime => "wall_time",
            Self::CpuTime => "cpu_time",
            Self::CpuPercent => "cpu_percent",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::Disk => "disk",
            Self::DiskFiles => "disk_files",
            Self::Output => "output",
            Self::OpenFiles => "open_files",
        }
    }

    /// The name in explanations.
    pub(crate) const fn phrase(self) -> &'static str {
        match self {
            Self::WallTime => "wall time",
            Self::CpuTime => "CPU time",
            Self::CpuPercent => "CPU share in percent of a core",
            Self::Memory => "memory",
            Self::Processes => "processes",
            Self::Disk => "disk",
            Self::DiskFiles => "files on disk",
            Self::Output => "output",
            Self::OpenFiles => "open files",
        }
    }

    pub(crate) const fn measure(self) -> Measure {
        match self {
            Self::WallTime | Self::CpuTime => Measure::Duration,
            Self::Memory | Self::Disk | Self::Output => Measure::Size,
            Self::CpuPercent | Self::Processes | Self::DiskFiles | Self::OpenFiles => {
                Measure::Count
            }
        }
    }

    /// The smallest value a sandbox can start with; what [`Limits::check`] asks for.
    pub(crate) const fn smallest(self) -> u64 {
        match self {
            Self::Memory => 4 << 20,
            Self::OpenFiles => 16,
            _ => 1,
        }
    }

    /// The largest value that the field can hold and arithmetic on it can stand.
    pub(crate) const fn largest(self) -> u64 {
        match self {
            Self::CpuPercent | Self::Processes | Self::OpenFiles => u32::MAX as u64,
            _ => 1 << 50,
        }
    }

    /// Whether the caller may ask for another value.
    pub(crate) const fn is_requestable(self) -> bool {
        matches!(self, Self::WallTime | Self::CpuTime | Self::Memory)
    }

    /// The estimate that can size this limit, if any.
    pub(crate) fn estimate(self, profile: &Profile) -> Option<&ResourceEstimate> {
        match self {
            Self::WallTime | Self::CpuTime => Some(&profile.cpu_demand),
            Self::Memory => Some(&profile.memory_footprint),
            Self::Disk | Self::Output => Some(&profile.io_intensity.written_bytes),
            Self::CpuPercent | Self::Processes | Self::DiskFiles | Self::OpenFiles => None,
        }
    }

    /// Whether a profile can size this limit.
    pub(crate) const fn is_predicted(self) -> bool {
        !matches!(
            self,
            Self::CpuPercent | Self::Processes | Self::DiskFiles | Self::OpenFiles
        )
    }

    /// The value of this limit, with its unit.
    pub(crate) fn show(self, value: u64) -> String {
        match self.measure() {
            Measure::Duration => duration_ms(value),
            Measure::Size => size_bytes(value),
            Measure::Count => value.to_string(),
        }
    }

    pub(crate) fn get(self, limits: &Limits) -> u64 {
        match self {
            Self::WallTime => limits.wall_time_ms,
            Self::CpuTime => limits.cpu_time_ms,
            Self::CpuPercent => limits.cpu_percent.into(),
            Self::Memory => limits.memory_bytes,
            Self::Processes => limits.processes.into(),
            Self::Disk => limits.disk_bytes,
            Self::DiskFiles => limits.disk_files,
            Self::Output => limits.output_bytes,
            Self::OpenFiles => limits.open_files.into(),
        }
    }

    pub(crate) fn set(self, limits: &mut Limits, value: u64) {
        let small = u32::try_from(value).unwrap_or(u32::MAX);
        match self {
            Self::WallTime => limits.wall_time_ms = value,
            Self::CpuTime => limits.cpu_time_ms = value,
            Self::CpuPercent => limits.cpu_percent = small,
            Self::Memory => limits.memory_bytes = value,
            Self::Processes => limits.processes = small,
            Self::Disk => limits.disk_bytes = value,
            Self::DiskFiles => limits.disk_files = value,
            Self::Output => limits.output_bytes = value,
            Self::OpenFiles => limits.open_files = small,
        }
    }
}

/// How one limit is sized.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Setting {
    pub(crate) size: Size,
    /// The most a request may raise the limit to; without it, the most the size itself can be.
    pub(crate) request_max: Option<u64>,
}

/// The value of a limit before any request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Size {
    Fixed(u64),
    /// `times` the predicted p99, between `min` and `max`.
    Profile {
        times: f64,
        min: u64,
        max: u64,
    },
}

/// Settings by limit.
pub(crate) type Settings = BTreeMap<LimitKey, Setting>;

impl Setting {
    pub(crate) const fn fixed(value: u64) -> Self {
        Self {
            size: Size::Fixed(value),
            request_max: None,
        }
    }

    /// The most a request may raise the limit to.
    pub(crate) fn request_max(&self) -> u64 {
        match (self.request_max, self.size) {
            (Some(max), _) | (None, Size::Fixed(max) | Size::Profile { max, .. }) => max,
        }
    }

    /// The value for one profile, with the reason when it was computed.
    pub(crate) fn value(&self, key: LimitKey, profile: &Profile) -> (u64, Option<String>) {
        match (self.size, key.estimate(profile)) {
            (Size::Fixed(value), _) => (value, None),
            (Size::Profile { times, min, max }, Some(estimate)) => {
                let p99 = estimate.quantiles.p99;
                let (value, because) = cut_to_size(key, p99, times, min, max);
                (value, Some(because))
            }
            // The reader refuses such a setting; the upper end is what it would mean.
            (Size::Profile { max, .. }, None) => (max, None),
        }
    }
}

/// Sizes a limit by a prediction, and says how. `p99` is in the unit of the profile, the result in
/// that of the limit.
fn cut_to_size(key: LimitKey, p99: u64, times: f64, min: u64, max: u64) -> (u64, String) {
    let (needed, predicted) = match key.measure() {
        // Profiles count CPU time in microseconds, limits in milliseconds.
        Measure::Duration => (p99.div_ceil(1000), duration_us(p99)),
        _ => (p99, key.show(p99)),
    };
    // Casting a float to an integer saturates, and the clamp bounds it at once.
    let wanted = (needed as f64 * times) as u64;
    let value = wanted.clamp(min, max);
    let times = fraction(times);
    let mut because = format!(
        "{} {}: {times} times the predicted p99 of {predicted}",
        key.phrase(),
        key.show(value)
    );
    if wanted < min {
        because.push_str(", raised to the least the policy gives");
    } else if wanted > max {
        because.push_str(", held to the most the policy gives");
    }
    (value, because)
}

/// The limits of a policy that says nothing about them.
pub(crate) fn built_in() -> Settings {
    const MIB: u64 = 1 << 20;
    let raisable = |value: u64, request_max: u64| Setting {
        size: Size::Fixed(value),
        request_max: Some(request_max),
    };
    Settings::from([
        (LimitKey::WallTime, raisable(10_000, 600_000)),
        (LimitKey::CpuTime, raisable(10_000, 600_000)),
        (LimitKey::CpuPercent, Setting::fixed(100)),
        (
            LimitKey::Memory,
            Setting {
                size: Size::Profile {
                    times: 4.0,
                    min: 256 * MIB,
                    max: 512 * MIB,
                },
                request_max: Some(4096 * MIB),
            },
        ),
        (LimitKey::Processes, Setting::fixed(64)),
        (LimitKey::Disk, Setting::fixed(256 * MIB)),
        (LimitKey::DiskFiles, Setting::fixed(10_000)),
        (LimitKey::Output, Setting::fixed(16 * MIB)),
        (LimitKey::OpenFiles, Setting::fixed(256)),
    ])
}

/// Limits with every field at its smallest; a start to fill in.
pub(crate) fn smallest() -> Limits {
    Limits {
        wall_time_ms: LimitKey::WallTime.smallest(),
        cpu_time_ms: LimitKey::CpuTime.smallest(),
        cpu_percent: 1,
        memory_bytes: LimitKey::Memory.smallest(),
        processes: 1,
        disk_bytes: LimitKey::Disk.smallest(),
        disk_files: LimitKey::DiskFiles.smallest(),
        output_bytes: LimitKey::Output.smallest(),
        open_files: 16,
    }
}
