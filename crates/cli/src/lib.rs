//! The command line tool: reads and writes files, talks to AWS and to people. Decisions are made in `aloka-core`.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is printed goes through `io::Io`")]

pub mod args;
pub mod argv;
pub mod backend;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod driver;
mod endpoint;
pub mod error;
mod files;
pub mod guard;
pub mod io;
mod output;
pub mod planfile;
pub mod request;
mod rfc3339;
mod trust;
pub mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use aloka_core::printable;
use clap::Parser as _;

use crate::args::{Cli, CloudArg, Command};
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;

/// What Terraform exits with when no command is given.
const NO_COMMAND: u8 = 127;

/// Runs the command these arguments name; the first one is the program.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io) -> ExitCode {
    let command = args::command();
    let args = argv::normalise(args, &command);
    if args.len() <= 1 {
        let mut command = command;
        io.out_help(&command.render_help());
        return ExitCode::from(NO_COMMAND);
    }
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) => {
            // A message quotes arguments in lines of its own: it is made of what can be shown of them.
            let shown = args.iter().map(|arg| printable::line(&arg.to_string_lossy()).into_owned());
            return usage(io, &Cli::try_parse_from(shown).err().unwrap_or(error));
        }
    };
    if cli.no_color {
        io.disable_color();
    }
    let json = cli.command.streams_json();
    let result = enter(io, cli.chdir.as_deref(), &cli.command).and_then(|()| dispatch(io, cli.cloud, cli.command));
    let code = result.unwrap_or_else(|Errors(errors)| {
        for (index, error) in errors.iter().enumerate() {
            if json {
                view::json::write(io, &view::json::error(error));
                continue;
            }
            if index > 0 {
                io.err_line("");
            }
            view::human::error(io, error);
        }
        1
    });
    if let Some(error) = io.take_write_error() {
        view::human::error(io, &CommandError::user(format!("standard output cannot be written: {error}")));
        return ExitCode::FAILURE;
    }
    ExitCode::from(code)
}

/// Help was asked for, or the arguments make no sense.
fn usage(io: &mut Io, error: &clap::Error) -> ExitCode {
    if is_stray_value(error) {
        let error = CommandError::user("an argument is not expected here; it is not shown, as it may be a secret");
        view::human::error(io, &error.hint("write -var 'NAME=VALUE' as one argument; see aloka COMMAND -help"));
        return ExitCode::FAILURE;
    }
    if error.use_stderr() {
        view::human::usage(io, &error.render().to_string());
        return ExitCode::FAILURE;
    }
    io.out_help(&error.render());
    ExitCode::SUCCESS
}

/// True for an unexpected argument that is no flag: the second half of `-var db_password secret`, for example.
fn is_stray_value(error: &clap::Error) -> bool {
    use clap::error::{ContextKind, ContextValue, ErrorKind};
    let argument = error.get(ContextKind::InvalidArg);
    let is_value = matches!(argument, Some(ContextValue::String(text)) if !text.starts_with('-'));
    error.kind() == ErrorKind::UnknownArgument && is_value
}

/// Goes to the directory, which has to be one that this user may be told by what to do.
fn enter(io: &mut Io, directory: Option<&std::path::Path>, command: &Command) -> Result<(), Errors> {
    if let Some(directory) = directory {
        std::env::set_current_dir(directory).map_err(|error| CommandError::file("enter", directory, &error))?;
    }
    if command.uses_directory()
        && let Some(warning) = trust::check_directory()?
    {
        view::human::warning(io, &warning);
    }
    Ok(())
}

impl Command {
    /// True if files that nobody named have a say in what it does.
    fn uses_directory(&self) -> bool {
        match self {
            Self::Show(args) => args.file.is_none(),
            Self::Simulate(args) => args.rules.is_none() && args.replay.is_none(),
            Self::Completions(_) | Self::Version(_) => false,
            Self::Plan(_)
            | Self::Apply(_)
            | Self::Destroy(_)
            | Self::Refresh(_)
            | Self::Init(_)
            | Self::Validate(_)
            | Self::Output(_)
            | Self::State(_)
            | Self::Import(_)
            | Self::Adopt(_)
            | Self::ForceUnlock(_)
            | Self::Graph(_) => true,
        }
    }

    /// True if everything this command tells goes to standard output as Terraform's stream.
    fn streams_json(&self) -> bool {
        match self {
            Self::Plan(args) => args.common.json,
            Self::Apply(args) => args.common.json,
            Self::Destroy(args) => args.common.json,
            Self::Refresh(args) => args.common.json,
            Self::Init(_)
            | Self::Validate(_)
            | Self::Output(_)
            | Self::Show(_)
            | Self::State(_)
            | Self::Import(_)
            | Self::Adopt(_)
            | Self::ForceUnlock(_)
            | Self::Graph(_)
            | Self::Simulate(_)
            | Self::Completions(_)
            | Self::Version(_) => false,
        }
    }
}

fn dispatch(io: &mut Io, cloud: Option<CloudArg>, command: Command) -> CommandResult {
    use crate::commands::{
        apply, claim, completions, force_unlock, graph, import, init, output, plan, show, simulate, state, validate,
        version,
    };
    match command {
        Command::Init(args) => init::run(io, cloud, &args),
        Command::Validate(args) => validate::run(io, &args),
        Command::Plan(args) => plan::run(io, cloud, &args.try_into()?),
        Command::Apply(args) => apply::run(io, cloud, &args.try_into()?),
        Command::Destroy(args) => apply::run(io, cloud, &args.try_into()?),
        Command::Refresh(args) => apply::run(io, cloud, &args.try_into()?),
        Command::Output(args) => output::run(io, cloud, &args),
        Command::Show(args) => show::run(io, cloud, &args),
        Command::State(command) => state::run(io, cloud, command),
        Command::Import(args) => import::run(io, cloud, args),
        Command::Adopt(args) => claim::adopt(io, cloud, args),
        Command::ForceUnlock(args) => force_unlock::run(io, cloud, &args),
        Command::Graph(args) => graph::run(io, &args),
        Command::Simulate(args) => simulate::run(io, &args),
        Command::Completions(args) => completions::run(io, &args),
        Command::Version(args) => version::run(io, &args),
    }
}
