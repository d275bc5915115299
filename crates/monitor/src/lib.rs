//! Watches a running sandbox and holds its limits
