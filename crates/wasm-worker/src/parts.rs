//! Calls between the parts of a program that is made of several components.
//!
//! Parts of one store are composed into one component before it is compiled ([`compose`]). Parts
//! of different stores are connected by proxies: [`link_remote`] gives the caller's linker an
//! interface whose functions send their arguments through a [`Remote`]; on the other side
//! [`Served`] holds the part in a store of its own and calls it. A [`Remote`] is either [`Local`],
//! when both stores are in one process, or a [`Channel`], a stream of frames to another process
//! that runs [`serve`].
//!
//! Whatever the part on the other side does, its caller gets an answer in bounded time and memory:
//! a trap, an endless loop, the death of its process and bytes that make no sense are all a
//! [`CallFailed`]. Where the function returns a `result` that has room for it, the caller sees an
//! error and goes on; where the type has no room, the call is a trap whose text says what happened.
//!
//! Which part is placed where is not decided here.

mod bulk;
mod channel;
mod compose;
mod convert;
mod frame;
mod link;
mod local;
mod remote;
mod served;
mod ticker;
mod value;

pub use channel::{BlockingStream, Channel, ServeError, serve};
pub use compose::{ComposeError, Exported, Joint, Piece, compose};
pub use frame::{FRAME_BYTES_MAX, NotAFrame, Reply, Request};
pub use link::{ERROR_CASES, link_remote};
pub use local::Local;
pub use remote::{CallFailed, Offered, Remote, TEXT_BYTES_MAX};
pub use served::{AfterTrap, LIFTED_BYTES_MAX, Served, Terms};
pub use ticker::Ticker;
pub use value::{DEPTH_MAX, NotValues, VALUES_MAX, Value, decode, encode};
