//! `aloka simulate -replay`: the rehearsal of a trace once more, event by event.

use std::path::Path;

use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_sim::rehearsal::replay::Recorded;

use super::{MADE_UP_PASSWORD, password, told, width};
use crate::args::SimulateArgs;
use crate::error::{CommandError, CommandResult};
use crate::files;
use crate::io::Io;
use crate::view::{human, story};

/// Larger files are refused.
const SIZE_MAX: u64 = 1 << 30;

/// Runs the command.
pub(super) fn run(io: &mut Io, args: &SimulateArgs, path: &Path) -> CommandResult {
    if !args.variables.given.is_empty() {
        let error = CommandError::user("-var and -var-file have no effect on -replay: the trace holds the variables");
        return Err(error.hint("leave them out").into());
    }
    let text = files::named_text(path, SIZE_MAX)?;
    let recorded = Recorded::parse(&text).map_err(|error| {
        CommandError::config(format!("{} cannot be replayed: {error}", path.display()))
            .hint("write a trace with: aloka simulate -trace=FILE")
    })?;
    let until = args.until.map(|until| usize::try_from(until).unwrap_or(usize::MAX));
    if let Some(until) = until.filter(|until| *until > recorded.header.events) {
        let events = recorded.header.events;
        return Err(CommandError::user(format!("there is no event {until}: the trace has {events}")).into());
    }
    // What happens does not depend on the password, so the trace needs none.
    let mut secrets = Secrets::default();
    secrets.insert(DB_PASSWORD, Secret::new(MADE_UP_PASSWORD));
    let replay = recorded.replay(password(), &secrets, until).map_err(|problems| told(&problems))?;
    if args.json {
        io.out_json_pretty(&story::json(&recorded.header, &replay));
    } else {
        let width = width(io);
        human::show(io, &story::text(&recorded.header, &replay, width));
    }
    let Some(difference) = replay.difference else { return Ok(0) };
    let theirs = &recorded.header.aloka_version;
    let ours = env!("CARGO_PKG_VERSION");
    let version = if theirs == ours { String::new() } else { format!(" (written by aloka {theirs}, this is {ours})") };
    let line = |text: Option<String>| text.unwrap_or_else(|| "nothing: the run had ended".to_owned());
    let message = format!("{}, line {}: the replay differs{version}", path.display(), difference.line);
    Err(CommandError::config(message)
        .line(format!("  recorded: {}", line(difference.recorded)))
        .line(format!("  replayed: {}", line(difference.replayed)))
        .hint("the same version of aloka gives the same events, byte for byte")
        .into())
}
