//! What other people have around the stack, and who would be touched by what a plan deletes.

pub(crate) mod around;
pub(crate) mod holders;
mod neighbours;
