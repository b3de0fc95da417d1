//! The rule table beside its tests and what emulators answer, for people and machines.

pub mod report;
pub mod unseen;
