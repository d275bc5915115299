//! Judges risk and decides how strongly to isolate
