//! The command line from its words to what clap reads: which command it is, what the environment adds, how Terraform
//! writes flags, and what is said where a word or a flag is not there.

mod argv;
mod extra;
mod foreign;
mod words;

use std::ffi::OsString;

use aloka_core::printable;

use crate::args::{self, Cli};
use crate::config;
use crate::error::{CommandError, Errors};

pub(crate) use argv::truth;
pub(crate) use extra::PREFIX as EXTRA_PREFIX;

/// A command line that was read.
pub(crate) struct Line {
    /// What it says.
    pub(crate) cli: Cli,
    /// Why it cannot be carried out; empty if it can.
    pub(crate) refused: Vec<CommandError>,
}

/// Why there is nothing to run.
pub(crate) enum Ended {
    /// No command is given.
    Nothing,
    /// Help was asked for, or clap cannot read the arguments; with hints.
    Usage(clap::Error, Vec<String>),
    /// A word is no command, or the environment cannot be read.
    Refused(Errors),
}

/// Reads the arguments, the first of which is the program.
pub(crate) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Line, Ended> {
    let command = args::command();
    let mut args = helped(args.into_iter().collect());
    if args.len() <= 1 {
        return Err(Ended::Nothing);
    }
    let place = argv::locate(&args, &command);
    if let Some(word) = &place.unknown {
        let below = argv::find(&command, &place.path).unwrap_or(&command);
        return Err(Ended::Refused(words::unknown(&place.path, word, below).into()));
    }
    let extras = match place.path.is_empty() {
        true => Vec::new(),
        false => extra::of_command(&place.path, config::variable).map_err(|error| Ended::Refused(error.into()))?,
    };
    let added: Vec<OsString> = extras.iter().flat_map(|extra| &extra.words).map(OsString::from).collect();
    args.splice(place.end..place.end, added);
    let source = |flag: &str| {
        let extra = extras.iter().find(|extra| extra.has_flag(flag))?;
        Some(format!("it is from {}, whose words count as if they were given", extra.variable))
    };
    let argv::Normal { args, refused } = argv::normalise(args, &command, &place.path);
    let cli = args::parse(command, &args).map_err(|error| {
        // A message quotes arguments in lines of its own: it is made of what can be shown of them.
        let shown = args.iter().map(|arg| printable::line(&arg.to_string_lossy()).into_owned());
        let error = args::parse(args::command(), shown).err().unwrap_or(error);
        let hints = invalid(&error).and_then(|flag| source(&flag)).into_iter().collect();
        Ended::Usage(error, hints)
    })?;
    let hinted = |(flag, error): (String, CommandError)| match source(&format!("-{flag}")) {
        Some(hint) => error.hint(hint),
        None => error,
    };
    Ok(Line { cli, refused: refused.into_iter().map(hinted).collect() })
}

/// `help state list` is `state list -help`.
fn helped(args: Vec<OsString>) -> Vec<OsString> {
    match args.split_first() {
        Some((program, [first, rest @ ..])) if first == "help" => {
            let words = rest.iter().filter(|word| !word.to_string_lossy().starts_with('-')).cloned();
            std::iter::once(program.clone()).chain(words).chain(["--help".into()]).collect()
        }
        _ => args,
    }
}

/// The argument that clap complains of.
fn invalid(error: &clap::Error) -> Option<String> {
    use clap::error::{ContextKind, ContextValue};
    match error.get(ContextKind::InvalidArg)? {
        // `--name <VALUE>`, or as it was given.
        ContextValue::String(text) => text.split([' ', '=', '[']).next().map(str::to_owned),
        _ => None,
    }
}
