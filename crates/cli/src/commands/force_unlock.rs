//! `aloka force-unlock`: removing a lock that its holder cannot remove any more.

use aloka_core::render::Text;

use super::store;
use crate::args::{CloudArg, ForceUnlockArgs};
use crate::error::{CommandError, CommandResult};
use crate::io::{Io, Still};

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, args: &ForceUnlockArgs) -> CommandResult {
    if !args.force {
        io.ask(&Text::ours(
            "Do you really want to force-unlock?\n  Whoever holds the lock will not know that it is gone.\n  \
             Only 'yes' will be accepted to confirm.\n\n  Enter a value: ",
        ));
        let answer = io.read_line();
        io.out_line("");
        match answer.as_deref().map(str::trim) {
            Some("yes") => {}
            Some(_) => return Err(CommandError::user("force-unlock cancelled").into()),
            None => {
                let error = CommandError::user("error asking for confirmation: end of input");
                return Err(error.hint("add -force to go on without being asked").into());
            }
        }
    }
    let mut backend = store::open(io, cloud)?;
    let _still = Still::begin(format!("removing the lock of the {}", backend.describe()));
    backend.force_unlock(&args.id).map_err(|error| store::error(&error))?;
    io.out_line("The lock has been removed.");
    Ok(0)
}
