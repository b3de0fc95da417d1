//! I7: two operators on one store, with a lock that may be lost, and without any.
//!
//! [`lock`] searches every interleaving of a small model whose rules are the tool's own.

mod lock;
mod search;
