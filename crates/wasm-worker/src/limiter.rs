//! Bounds the memory that the guest's instances hold together.
//!
//! Owns the count; the runtime asks before every growth. What the runtime itself needs is bounded
//! by the jail.

use std::fmt;

use atoll_sandbox_wasm::protocol::GuestLimits;
use wasmtime::ResourceLimiter;

/// What a table element is counted as: the runtime's own pointer, rounded up.
const TABLE_ELEMENT_BYTES: u64 = 16;

/// Counts memories and tables against [`GuestLimits`].
#[derive(Debug)]
pub(crate) struct Limiter {
    limits: GuestLimits,
    bytes: u64,
    elements: u64,
    /// What the last answer of "yes" added, to be taken back when the growth fails all the same.
    granted: Granted,
    refused: Option<Refused>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Granted {
    bytes: u64,
    elements: u64,
}

/// A growth that did not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused {
    asked_bytes: u64,
    held_bytes: u64,
    bytes_max: u64,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the program held {} bytes of memory and asked for {} more; its limit is {} bytes",
            self.held_bytes, self.asked_bytes, self.bytes_max
        )
    }
}

impl Limiter {
    /// A count of zero against these limits.
    pub(crate) fn new(limits: GuestLimits) -> Self {
        Self {
            limits,
            bytes: 0,
            elements: 0,
            granted: Granted::default(),
            refused: None,
        }
    }

    /// The latest growth that did not fit, if any.
    pub(crate) const fn refused(&self) -> Option<Refused> {
        self.refused
    }

    fn grow(&mut self, bytes: u64, elements: u64) -> bool {
        let bytes_after = self.bytes.saturating_add(bytes);
        let elements_after = self.elements.saturating_add(elements);
        if bytes_after > self.limits.memory_bytes || elements_after > self.limits.table_elements {
            self.granted = Granted::default();
            self.refused = Some(Refused {
                asked_bytes: bytes,
                held_bytes: self.bytes,
                bytes_max: self.limits.memory_bytes,
            });
            return false;
        }
        self.bytes = bytes_after;
        self.elements = elements_after;
        self.granted = Granted { bytes, elements };
        true
    }

    fn take_back(&mut self) {
        let granted = std::mem::take(&mut self.granted);
        self.bytes = self.bytes.saturating_sub(granted.bytes);
        self.elements = self.elements.saturating_sub(granted.elements);
    }
}

/// A growth past the guest's own declared maximum fails in the runtime and is not our refusal.
fn is_past_own_maximum(desired: usize, maximum: Option<usize>) -> bool {
    maximum.is_some_and(|maximum| desired > maximum)
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_past_own_maximum(desired, maximum) {
            self.granted = Granted::default();
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current) as u64, 0))
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if is_past_own_maximum(desired, maximum) {
            self.granted = Granted::default();
            return Ok(false);
        }
        let elements = desired.saturating_sub(current) as u64;
        Ok(self.grow(elements.saturating_mul(TABLE_ELEMENT_BYTES), elements))
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.take_back();
        Ok(())
    }

    fn instances(&self) -> usize {
        self.limits.instances as usize
    }

    fn tables(&self) -> usize {
        self.limits.tables as usize
    }

    fn memories(&self) -> usize {
        self.limits.memories as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(memory_bytes: u64) -> Limiter {
        Limiter::new(GuestLimits::new(memory_bytes, 0))
    }

    #[test]
    fn memories_and_tables_share_one_bound() {
        let mut limiter = limiter(1000);
        assert!(limiter.memory_growing(0, 600, None).unwrap());
        assert!(limiter.table_growing(0, 25, None).unwrap());
        assert_eq!(limiter.refused(), None);
        assert!(!limiter.memory_growing(600, 601, None).unwrap());
        let text = limiter.refused().unwrap().to_string();
        assert_eq!(
            text,
            "the program held 1000 bytes of memory and asked for 1 more; its limit is 1000 bytes"
        );
    }

    #[test]
    fn a_failed_growth_is_not_counted() {
        let mut limiter = limiter(1000);
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        let error = wasmtime::Error::msg("the kernel said no");
        limiter.memory_grow_failed(error).unwrap();
        assert!(limiter.memory_growing(0, 900, None).unwrap());
        // A refusal in between leaves nothing to take back.
        assert!(!limiter.memory_growing(900, 2000, None).unwrap());
        let error = wasmtime::Error::msg("the kernel said no");
        limiter.memory_grow_failed(error).unwrap();
        assert!(!limiter.memory_growing(900, 1001, None).unwrap());
    }

    #[test]
    fn the_guests_own_maximum_is_not_our_refusal() {
        let mut limiter = limiter(1000);
        assert!(!limiter.memory_growing(0, 500, Some(400)).unwrap());
        assert!(!limiter.table_growing(0, 5, Some(4)).unwrap());
        assert_eq!(limiter.refused(), None);
    }

    #[test]
    fn sizes_at_the_edge_of_the_machine_do_not_wrap() {
        let mut limiter = limiter(u64::MAX);
        assert!(limiter.memory_growing(0, usize::MAX, None).unwrap());
        assert!(!limiter.table_growing(0, usize::MAX, None).unwrap());
    }
}
