//! The pure planning core of aloka: values in, values out.
//!
//! Variables become the desired stack; desired, recorded and observed state become a plan; the plan is lowered to
//! exact API calls; the engine turns it into effects, one at a time, and takes events back. Nothing here reads a
//! clock, a file, the environment or a random number, and nothing waits: the command line tool and the simulator
//! each run one small loop around it.

pub mod address;
pub mod api;
pub mod boot;
pub mod consent;
pub mod credentials;
pub mod declarable;
pub mod diff;
pub mod endpoint;
pub mod engine;
pub mod fingerprint;
pub mod graph;
pub mod identity;
pub mod intern;
pub mod kind;
pub mod map;
pub mod names;
pub mod network;
pub mod ownership;
pub mod plan;
pub mod printable;
pub mod procedure;
pub mod receipt;
pub mod remote;
pub mod render;
pub mod resource;
pub mod rules;
pub mod secret;
pub mod session;
pub mod settings;
pub mod shell;
pub mod stack;
pub mod state;
mod surroundings;
pub mod time;
pub mod value;
pub mod variables;
pub mod workspace;
