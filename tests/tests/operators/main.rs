//! I7: two operators on one store, with a lock that may be lost, and without any.
//!
//! [`bucket`] searches every interleaving of the requests of the S3 backend, by the steps it takes itself ([`aloka_core::remote`]).
//! [`lock`] searches every interleaving of a small model whose rules are the tool's own; [`race`] runs two real executors
//! on one simulated account, one effect at a time, in every order near the points where they meet.

mod bucket;
mod lock;
mod race;
mod search;
