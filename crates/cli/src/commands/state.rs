//! `aloka state`: looking into the state. What changes it is in [`super::state_edit`] and [`super::claim`].

use aloka_core::address::Address;
use aloka_core::render::{Style, Text, state_list, state_show};
use aloka_core::state::file;

use super::{claim, state_edit, store};
use crate::args::{CloudArg, StateCommand};
use crate::backend::Version;
use crate::error::{CommandError, CommandResult};
use crate::io::Io;
use crate::view::human;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, command: StateCommand) -> CommandResult {
    match command {
        StateCommand::List { addresses } => list(io, cloud, &addresses),
        StateCommand::Show { address } => show(io, cloud, &address),
        StateCommand::Versions => versions(io, cloud),
        StateCommand::Pull => pull(io, cloud),
        StateCommand::Push(args) => state_edit::push(io, cloud, &args),
        StateCommand::Mv(args) => state_edit::mv(io, cloud, &args),
        StateCommand::Rm(args) => state_edit::rm(io, cloud, &args),
        StateCommand::Recover(args) => claim::recover(io, cloud, args),
    }
}

/// True if `address` is `prefix` or inside of it.
fn is_within(address: &str, prefix: &str) -> bool {
    address.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

fn list(io: &mut Io, cloud: Option<CloudArg>, prefixes: &[String]) -> CommandResult {
    let all = state_list(&store::read_here(io, cloud)?);
    for prefix in prefixes {
        if !all.iter().any(|address| is_within(address, prefix)) {
            let error = CommandError::user(format!("`{prefix}` is not in the state"));
            return Err(error.hint("aloka state list    shows every address").into());
        }
    }
    let chosen = all.iter().filter(|a| prefixes.is_empty() || prefixes.iter().any(|p| is_within(a, p)));
    let mut text = Text::new();
    chosen.for_each(|address| text.say(Style::Plain, address));
    io.out_text(&text);
    Ok(0)
}

fn show(io: &mut Io, cloud: Option<CloudArg>, text: &str) -> CommandResult {
    let hint = "aloka state list    shows every address";
    let address: Address = text.parse().map_err(|error| CommandError::user(format!("{error}")).hint(hint))?;
    let Some(shown) = state_show(&store::read_here(io, cloud)?, &address) else {
        return Err(CommandError::user(format!("`{address}` is not in the state")).hint(hint).into());
    };
    human::show(io, &shown);
    Ok(0)
}

fn pull(io: &mut Io, cloud: Option<CloudArg>) -> CommandResult {
    match store::read(&*store::open(io, cloud)?)? {
        Some(state) => io.out_raw_json(file::write(&state)),
        None => io.err_line("there is no state yet"),
    }
    Ok(0)
}

fn versions(io: &mut Io, cloud: Option<CloudArg>) -> CommandResult {
    let versions = store::open(io, cloud)?.versions().map_err(|failure| store::error(&failure))?;
    for Version { id, written, size, is_current } in versions {
        let current = if is_current { "  current" } else { "" };
        io.out_line(&format!("{id}  {written}  {size} bytes{current}"));
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::is_within;

    #[test]
    fn a_prefix_ends_at_a_dot_or_a_bracket() {
        for (address, prefix, expected) in [
            ("module.vpc.aws_vpc.this[0]", "module.vpc", true),
            ("module.vpc.aws_vpc.this[0]", "module.vpc.aws_vpc.this", true),
            ("module.vpc.aws_vpc.this[0]", "module.v", false),
            ("aws_instance.app", "aws_instance.app", true),
            ("aws_instance.app", "aws_instance.ap", false),
        ] {
            assert_eq!(is_within(address, prefix), expected, "{address} {prefix}");
        }
    }
}
