//! I7: two operators on one store, with a lock that may be lost, and without any.
//!
//! [`lock`] searches every interleaving of a small model whose rules are the tool's own; [`race`] runs two real executors
//! on one simulated account, one effect at a time, in every order near the points where they meet.

mod lock;
mod race;
mod search;
