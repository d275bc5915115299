//! The process level: a Linux process in its own jail
