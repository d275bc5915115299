//! Reads programs without running them
