//! The command line tool: reads and writes files, talks to AWS and to people. Decisions are made in `aloka-core`.

pub mod backend;
pub mod driver;
