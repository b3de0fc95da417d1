//! The real binary with its AWS driver, on servers of these tests: where it sends what, whom it believes, and how much it
//! listens to. Nothing here leaves the machine.

mod consent;
mod limits;
mod owner;
mod server;
mod way;
