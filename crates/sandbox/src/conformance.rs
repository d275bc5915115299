//! The suite that every backend passes: the promises of the seam, tried on a real sandbox.
