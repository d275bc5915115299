//! The way of a message, from program bytes to recorded outcome
