//! The command line tool: reads and writes files, talks to AWS and to people. Decisions are made in `aloka-core`.

#![warn(clippy::print_stdout, clippy::print_stderr, reason = "what is printed goes through `io::Io`")]

mod advice;
pub mod args;
pub mod backend;
pub mod cloud;
pub mod commands;
pub mod config;
pub mod configuration;
pub mod driver;
mod endpoint;
pub mod error;
mod files;
pub mod guard;
pub mod io;
mod line;
mod measured;
mod output;
pub mod planfile;
pub mod receipt;
pub mod request;
mod rfc3339;
mod trust;
pub mod view;
pub mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use crate::args::{CloudArg, Command};
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::line::{Ended, Line};

/// What Terraform exits with when no command is given.
const NO_COMMAND: u8 = 127;

/// Runs the command these arguments name; the first one is the program.
pub fn run(args: impl IntoIterator<Item = OsString>, io: &mut Io) -> ExitCode {
    let Line { cli, refused } = match line::read(args) {
        Ok(line) => line,
        Err(Ended::Nothing) => {
            io.out_help(&args::command().render_help());
            return ExitCode::from(NO_COMMAND);
        }
        Err(Ended::Usage(error, hints)) => return usage(io, error, hints),
        Err(Ended::Refused(errors)) => return ExitCode::from(tell(io, false, errors)),
    };
    if cli.no_color {
        io.disable_color();
    }
    let json = cli.command.streams_json();
    let refused = if refused.is_empty() { Ok(()) } else { Err(Errors(refused)) };
    let result = refused
        .and_then(|()| enter(io, cli.chdir.as_deref(), &cli.command))
        .and_then(|()| dispatch(io, cli.cloud, cli.command));
    let code = result.unwrap_or_else(|errors| tell(io, json, errors));
    if let Some(error) = io.take_write_error() {
        view::human::error(io, &CommandError::user(format!("standard output cannot be written: {error}")));
        return ExitCode::FAILURE;
    }
    ExitCode::from(code)
}

/// Prints the errors, last what stopped the command. The exit code for them.
fn tell(io: &mut Io, json: bool, Errors(mut errors): Errors) -> u8 {
    errors.sort_by_key(|error| !error.is_warning);
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
}

/// Help was asked for, or the arguments make no sense.
fn usage(io: &mut Io, mut error: clap::Error, hints: Vec<String>) -> ExitCode {
    if is_stray_value(&error) {
        let error = CommandError::user("an argument is not expected here; it is not shown, as it may be a secret");
        view::human::error(io, &error.hint("write -var 'NAME=VALUE' as one argument; see aloka COMMAND -help"));
        return ExitCode::FAILURE;
    }
    if error.use_stderr() {
        never_suggest_destroy(&mut error);
        view::human::usage(io, &error.render().to_string());
        hints.iter().for_each(|hint| io.err_line(&format!("hint: {hint}")));
        return ExitCode::FAILURE;
    }
    io.out_help(&error.render());
    ExitCode::SUCCESS
}

/// A mistyped flag is no reason to propose the one that destroys.
fn never_suggest_destroy(error: &mut clap::Error) {
    use clap::error::{ContextKind, ContextValue};
    let names_it = |value: &ContextValue| value.to_string().contains("--destroy");
    for kind in [ContextKind::SuggestedArg, ContextKind::Suggested, ContextKind::Usage] {
        if error.get(kind).is_some_and(names_it) {
            error.remove(kind);
        }
    }
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
            Self::Variables(_) | Self::Completions(_) | Self::Version(_) | Self::Receipts(_) => false,
            Self::Plan(_)
            | Self::Apply(_)
            | Self::Destroy(_)
            | Self::Refresh(_)
            | Self::Init(_)
            | Self::Validate(_)
            | Self::Output(_)
            | Self::State(_)
            | Self::Workspace(_)
            | Self::Import(_)
            | Self::Adopt(_)
            | Self::ForceUnlock(_)
            | Self::Certify(_)
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
            | Self::Workspace(_)
            | Self::Import(_)
            | Self::Adopt(_)
            | Self::ForceUnlock(_)
            | Self::Graph(_)
            | Self::Simulate(_)
            | Self::Receipts(_)
            | Self::Certify(_)
            | Self::Variables(_)
            | Self::Completions(_)
            | Self::Version(_) => false,
        }
    }
}

fn dispatch(io: &mut Io, cloud: Option<CloudArg>, command: Command) -> CommandResult {
    use crate::commands::{
        apply, certify, claim, completions, force_unlock, graph, import, init, output, plan, receipts, show, simulate,
        state, validate, variables, version, workspace,
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
        Command::Workspace(command) => workspace::run(io, cloud, command),
        Command::Import(args) => import::run(io, cloud, args),
        Command::Adopt(args) => claim::adopt(io, cloud, args),
        Command::ForceUnlock(args) => force_unlock::run(io, cloud, &args),
        Command::Graph(args) => graph::run(io, &args),
        Command::Simulate(args) => simulate::run(io, &args),
        Command::Certify(args) => certify::run(io, cloud, &args),
        Command::Receipts(command) => receipts::run(io, &command),
        Command::Variables(args) => variables::run(io, &args),
        Command::Completions(args) => completions::run(io, &args),
        Command::Version(args) => version::run(io, &args),
    }
}
