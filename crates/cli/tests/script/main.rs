//! Stories told to the real binary, with the simulated cloud: exit codes, output, files left behind.

mod backend;
mod cycle;
mod documents;
mod flags;
mod help;
mod output;
mod refusals;
mod secrets;
mod simulate;
mod support;
mod variables;
