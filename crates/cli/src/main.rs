//! The `aloka` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    aloka::guard::install();
    aloka::run(std::env::args_os(), &mut aloka::io::Io::process())
}
