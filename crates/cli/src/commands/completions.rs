//! `aloka completions`

use crate::args::{self, CompletionsArgs};
use crate::error::CommandResult;
use crate::io::Io;

/// Runs the command.
pub fn run(io: &mut Io, args: &CompletionsArgs) -> CommandResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "aloka", &mut script);
    io.out_raw(&String::from_utf8_lossy(&script));
    Ok(0)
}
