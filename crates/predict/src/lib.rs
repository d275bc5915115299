//! Predicts what a program will need
