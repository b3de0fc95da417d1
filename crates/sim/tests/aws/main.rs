//! What the simulated account answers: AWS's rules, one case that meets each and one that just does not.
//!
//! A row of a table is a call and the code of its refusal, or `ok`. Every row runs on its own copy of the account, and
//! a refused call must leave it as it was.

mod access;
mod cloud;
mod compute;
mod database;
mod life;
mod lookups;
mod network;
mod scale;
mod security;
