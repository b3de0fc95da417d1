//! The simulator of aloka: AWS as it behaves, without AWS.
//!
//! Everything here is a function of its inputs and one seed. Time is virtual and handed in; there is no clock, no
//! network, no file and no source of randomness but [`rng`]. What the simulated account knows of AWS stands in
//! [`aws`]; nothing here plans or decides for the engine.

pub mod audit;
pub mod aws;
pub mod bucket;
pub mod catalogue;
pub mod certify;
pub mod fault;
pub mod iam;
pub mod receipt;
pub mod rehearsal;
pub mod rng;
pub mod rules;
pub mod scenario;
pub mod store;
pub mod trace;
pub mod world;
