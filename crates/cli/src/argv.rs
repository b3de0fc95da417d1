//! Terraform's way of writing flags, made clap's: `-out=tfplan` and `--out=tfplan` are the same.
//!
//! Terraform takes every long flag with one dash or two, `-flag=value` or `-flag value`, and switches as `-flag`,
//! `-flag=true` or `-flag=false`. Which flags there are is read from the clap command itself.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{ArgAction, Command};

/// How a flag takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Takes {
    /// None: it is there or not.
    Nothing,
    /// After `=` if at all.
    Optional,
    /// After `=` or as the next argument, whatever that looks like.
    Value,
}

/// Every long flag of the command and of its subcommands.
fn flags(command: &Command) -> BTreeMap<String, Takes> {
    let mut all: BTreeMap<String, Takes> = command.get_subcommands().flat_map(flags).collect();
    for arg in command.get_arguments() {
        let takes = match arg.get_action() {
            ArgAction::Set | ArgAction::Append => match arg.get_num_args() {
                Some(range) if range.min_values() == 0 => Takes::Optional,
                Some(_) | None => Takes::Value,
            },
            _ => Takes::Nothing,
        };
        all.extend(arg.get_long().map(|long| (long.to_owned(), takes)));
    }
    all.insert("help".to_owned(), Takes::Nothing);
    all
}

/// The arguments as clap takes them. What follows `--` stays as it is.
pub fn normalise(args: impl IntoIterator<Item = OsString>, command: &Command) -> Vec<OsString> {
    let flags = flags(command);
    let mut args = args.into_iter();
    let mut result: Vec<OsString> = args.next().into_iter().collect();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else {
            result.push(arg);
            continue;
        };
        if text == "--" {
            result.push(arg);
            result.extend(args);
            break;
        }
        if result.len() == 1 && matches!(text, "-version" | "--version" | "-v" | "-V") {
            result.push("version".into());
            continue;
        }
        let Some(body) = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).filter(|body| body.len() > 1)
        else {
            result.push(arg);
            continue;
        };
        let (name, value) = body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value)));
        match (flags.get(name), value) {
            (Some(Takes::Nothing), Some("true" | "1")) => result.push(format!("--{name}").into()),
            (Some(Takes::Nothing), Some("false" | "0")) => {}
            (Some(Takes::Value), None) => {
                let mut joined = OsString::from(format!("--{name}"));
                if let Some(next) = args.next() {
                    joined.push("=");
                    joined.push(next);
                }
                result.push(joined);
            }
            (Some(_) | None, _) => result.push(format!("--{body}").into()),
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn command() -> Command {
        let lock = Arg::new("lock").long("lock").num_args(0..=1).require_equals(true).action(ArgAction::Set);
        let plan = Command::new("plan")
            .arg(Arg::new("out").long("out").action(ArgAction::Set))
            .arg(Arg::new("var").long("var").action(ArgAction::Append))
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue))
            .arg(lock);
        Command::new("x").arg(Arg::new("chdir").long("chdir").action(ArgAction::Set)).subcommand(plan)
    }

    #[test]
    fn both_dash_styles_mean_the_same() {
        let table: &[(&[&str], &[&str])] = &[
            (&["-chdir=d", "plan"], &["--chdir=d", "plan"]),
            (&["plan", "-out", "f", "-json"], &["plan", "--out=f", "--json"]),
            (&["plan", "--out", "f", "--json=true"], &["plan", "--out=f", "--json"]),
            (&["plan", "-json=false"], &["plan"]),
            (&["plan", "-var", "a=b"], &["plan", "--var=a=b"]),
            (&["plan", "-var", "-x=y"], &["plan", "--var=-x=y"]),
            (&["plan", "-var"], &["plan", "--var"]),
            (&["plan", "-lock=false"], &["plan", "--lock=false"]),
            (&["plan", "-lock", "f"], &["plan", "--lock", "f"]),
            (&["plan", "-h"], &["plan", "-h"]),
            (&["plan", "-help"], &["plan", "--help"]),
            (&["-version"], &["version"]),
            (&["plan", "-bogus=1"], &["plan", "--bogus=1"]),
            (&["show", "-"], &["show", "-"]),
            (&["show", "--", "-json"], &["show", "--", "-json"]),
        ];
        for (given, expected) in table {
            let args = std::iter::once("x").chain(given.iter().copied()).map(OsString::from);
            let expected: Vec<OsString> =
                std::iter::once("x").chain(expected.iter().copied()).map(Into::into).collect();
            assert_eq!(normalise(args, &command()), expected, "{given:?}");
        }
    }

    #[test]
    fn a_flag_takes_its_value_alike_in_every_command() {
        fn check(command: &Command, all: &BTreeMap<String, Takes>) {
            for (name, takes) in flags(command) {
                assert_eq!(all.get(&name), Some(&takes), "{name} of {}", command.get_name());
            }
            command.get_subcommands().for_each(|command| check(command, all));
        }
        let command = crate::args::command();
        check(&command, &flags(&command));
    }
}
