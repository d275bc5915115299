//! Garbage for the machine's virtual devices, behind the back of the kernel's drivers.
//!
//! Owns the way to their registers: the driver lets go of a device, and its registers are mapped
//! from `/dev/mem`. What is written there follows the order of "Virtual I/O Device (VIRTIO) Version
//! 1.2", section 4.2, as far as a device has to be told that it works before it listens; sizes,
//! addresses and the memory behind them are arbitrary.

#![allow(
    unsafe_code,
    reason = "a device's registers are only reached through memory"
)]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

use crate::Failed;

const DRIVER: &str = "/sys/bus/platform/drivers/virtio-mmio";

/// Bytes of one device's registers, and of the page that they lie in.
const REGISTERS_BYTES: u64 = 512;
const PAGE_BYTES: u64 = 4096;

/// Offsets of registers.
const DRIVER_FEATURES: usize = 0x20;
const DRIVER_FEATURES_SELECT: usize = 0x24;
const QUEUE_SELECT: usize = 0x30;
const QUEUE_SIZE: usize = 0x38;
const QUEUE_READY: usize = 0x44;
const QUEUE_NOTIFY: usize = 0x50;
const STATUS: usize = 0x70;
const QUEUE_ADDRESSES: [usize; 6] = [0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4];

/// What a driver says, one after the other: that it has seen the device, that it is there, that it
/// knows its features, and that it is ready.
const STEPS: [u32; 4] = [1, 1 | 2, 1 | 2 | 8, 1 | 2 | 4 | 8];

/// Memory that any machine has.
const LOW_MEMORY_BYTES: u64 = 64 << 20;

/// Numbers without a pattern, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Often small, often none that makes sense.
    fn word(&mut self) -> u32 {
        let number = self.next();
        let low = u32::try_from(number & 0xffff_ffff).unwrap_or_default();
        match number >> 62 {
            0 => low & 7,
            1 => low & 0x3ff,
            2 => low & u32::try_from(LOW_MEMORY_BYTES - 1).unwrap_or_default(),
            _ => low,
        }
    }
}

/// The registers of a device that no driver has any more.
struct Registers(NonNull<u32>);

impl Registers {
    fn at(start: u64, memory: &File) -> Result<Self, Failed> {
        let page = start / PAGE_BYTES * PAGE_BYTES;
        let bytes = usize::try_from(PAGE_BYTES)?;
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: the kernel chooses the place, so nothing that was mapped before is replaced; the
        // mapping is never taken away.
        let mapped = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                MapFlags::SHARED,
                memory,
                page,
            )
        }?;
        let first = mapped
            .cast::<u8>()
            .wrapping_add(usize::try_from(start - page)?);
        let first = NonNull::new(first.cast::<u32>());
        let first = first.ok_or("the registers lie nowhere")?;
        Ok(Self(first))
    }

    fn write(&self, offset: usize, value: u32) {
        assert!(offset.is_multiple_of(4) && (offset as u64) < REGISTERS_BYTES);
        // SAFETY: the registers of one device lie in one page, which is mapped, and the offset is
        // that of a whole word of them.
        unsafe { self.0.as_ptr().byte_add(offset).write_volatile(value) };
    }

    /// One round of garbage.
    fn provoke(&self, numbers: &mut Numbers) {
        self.write(STATUS, 0);
        for status in STEPS {
            self.write(STATUS, status);
            let select = numbers.word() & 1;
            self.write(DRIVER_FEATURES_SELECT, select);
            self.write(DRIVER_FEATURES, numbers.word() | select);
        }
        for _ in 0..8 {
            self.write(QUEUE_SELECT, numbers.word());
            self.write(QUEUE_SIZE, numbers.word());
            for offset in QUEUE_ADDRESSES {
                self.write(offset, numbers.word());
            }
            self.write(QUEUE_READY, numbers.word() | 1);
            self.write(QUEUE_NOTIFY, numbers.word() & 7);
        }
        for _ in 0..8 {
            let offset =
                usize::try_from(numbers.next() % (REGISTERS_BYTES / 4)).unwrap_or_default();
            self.write(offset * 4, numbers.word());
        }
    }
}

/// Where the registers of a device begin: a line of /proc/iomem, which names it.
fn start_of(device: &str) -> Result<Option<u64>, Failed> {
    let map = fs::read_to_string("/proc/iomem")?;
    let line = map.lines().find(|line| line.trim_end().ends_with(device));
    let start = line.and_then(|line| line.trim().split('-').next());
    Ok(start
        .map(|start| u64::from_str_radix(start, 16))
        .transpose()?)
}

fn is_device(name: &str) -> bool {
    Path::new(DRIVER).join(name).join("driver").exists()
}

/// Provokes every virtual device, round after round, as long as the machine bears it.
pub(crate) fn provoke(rounds: u32) -> Result<(), Failed> {
    let mut starts = Vec::new();
    for entry in fs::read_dir(DRIVER)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if is_device(&name) {
            starts.extend(start_of(&name)?);
            fs::write(Path::new(DRIVER).join("unbind"), name)?;
        }
    }
    let memory = File::options().read(true).write(true).open("/dev/mem")?;
    // Several devices share a page, and none of them may have a driver.
    let at = |start: u64| Registers::at(start, &memory);
    let all = starts.into_iter().map(at).collect::<Result<Vec<_>, _>>()?;
    if all.is_empty() {
        return Err("no virtual device was found".into());
    }
    let count = all.len();
    writeln!(io::stderr(), "atoll-agent: provokes {count} devices")?;
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for _ in 0..rounds {
        for registers in &all {
            registers.provoke(&mut numbers);
        }
    }
    Ok(())
}
