//! The `aloka` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // First of all: no thread and no child is there yet.
    aloka::config::keep_secrets_from_children();
    aloka::config::tidy_variables_of_aws();
    aloka::guard::install();
    aloka::run(std::env::args_os(), &mut aloka::io::Io::process())
}
