//! Durable state: outcomes, history and usage in SQLite
