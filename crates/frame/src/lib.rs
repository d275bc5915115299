//! Values in frames, for talking to processes that may have been taken over.
//!
//! A frame is a 32-bit little-endian length, then that many bytes of postcard. This crate owns
//! that encoding, its bounds, and how texts of such processes are made safe to show. It does no
//! I/O, and it does not know what is said.

mod frame;
mod text;

pub use frame::{FrameError, FrameReader, write_frame};
pub use text::{TEXT_BYTES_MAX, tidy};
