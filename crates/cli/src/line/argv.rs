//! Terraform's way of writing flags, made clap's: `-out=tfplan` and `--out=tfplan` are the same.
//!
//! Terraform takes every long flag with one dash or two, `-flag=value` or `-flag value`, and switches as `-flag`,
//! `-flag=true` or `-flag=false`, with Go's words for true and false; of a flag that is given twice, the last counts. Which
//! flags there are is read from the clap command itself; those that only Terraform has are taken out here.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::{Arg, ArgAction, Command};

use super::foreign::{self, Foreign};
use crate::error::CommandError;

/// How a flag takes its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// None: it is there or not, `=false` being not.
    Switch,
    /// True or false, after `=` if at all.
    Boolean,
    /// After `=` if at all.
    Optional,
    /// After `=` or as the next argument, whatever that looks like.
    Value,
}

impl Takes {
    fn of(arg: &Arg) -> Self {
        let is_boolean = arg.get_value_parser().type_id() == TypeId::of::<bool>();
        match arg.get_action() {
            ArgAction::Set | ArgAction::Append => match arg.get_num_args() {
                Some(range) if range.min_values() == 0 && is_boolean => Self::Boolean,
                Some(range) if range.min_values() == 0 => Self::Optional,
                Some(_) | None => Self::Value,
            },
            _ => Self::Switch,
        }
    }
}

/// Where the command of an argument list is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its words, as far as there are such commands.
    pub(super) path: Vec<String>,
    /// Index of what follows the last of them.
    pub(super) end: usize,
    /// A word that stands where a command is wanted, and is none.
    pub(super) unknown: Option<String>,
}

/// The long flags of the command of these words, and those that every command has.
pub(super) fn flags(command: &Command, path: &[String]) -> BTreeMap<String, Takes> {
    let mut all = BTreeMap::new();
    let mut take = |command: &Command, only_global: bool| {
        let args = command.get_arguments().filter(|arg| !only_global || arg.is_global_set());
        all.extend(args.filter_map(|arg| Some((arg.get_long()?.to_owned(), Takes::of(arg)))));
    };
    take(command, !path.is_empty());
    if let Some(command) = find(command, path) {
        take(command, false);
    }
    all.insert("help".to_owned(), Takes::Switch);
    all
}

/// The command of these words.
pub(super) fn find<'a>(command: &'a Command, path: &[String]) -> Option<&'a Command> {
    path.iter().try_fold(command, |command, word| command.find_subcommand(word))
}

/// Name and value of an argument that is a flag of more than one letter.
fn flag(text: &str) -> Option<(&str, Option<&str>)> {
    let body = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).filter(|body| body.len() > 1)?;
    Some(body.split_once('=').map_or((body, None), |(name, value)| (name, Some(value))))
}

/// Finds the command; the first argument is the program.
pub(super) fn locate(args: &[OsString], command: &Command) -> Place {
    let mut place = Place { path: Vec::new(), end: 1, unknown: None };
    let mut index = 1;
    while let Some(arg) = args.get(index) {
        let at = find(command, &place.path);
        if at.is_none_or(|command| !command.has_subcommands()) {
            break;
        }
        index += 1;
        // A word that is not UTF-8 is no command.
        let text = arg.to_string_lossy();
        if let Some((name, value)) = flag(&text) {
            let takes_next = value.is_none() && flags(command, &place.path).get(name) == Some(&Takes::Value);
            index += usize::from(takes_next);
        } else if !text.starts_with('-') {
            match at.and_then(|command| command.find_subcommand(&*text)) {
                Some(found) => {
                    place.path.push(found.get_name().to_owned());
                    place.end = index;
                }
                None => {
                    place.unknown = Some(text.into_owned());
                    break;
                }
            }
        }
    }
    place
}

/// Arguments as clap takes them.
#[derive(Debug, Default)]
pub(super) struct Normal {
    /// With the program.
    pub(super) args: Vec<OsString>,
    /// What is said of flags that cannot be honoured, with their names.
    pub(super) refused: Vec<(String, CommandError)>,
}

/// Writes the arguments of the command of these words as clap takes them. What follows `--` stays as it is.
pub(super) fn normalise(args: impl IntoIterator<Item = OsString>, command: &Command, path: &[String]) -> Normal {
    let flags = flags(command, path);
    let mut args = args.into_iter();
    let mut result: Vec<Option<OsString>> = args.next().map(Some).into_iter().collect();
    let mut switches: BTreeMap<String, usize> = BTreeMap::new();
    let mut foreigners: BTreeMap<&str, (&Foreign, String)> = BTreeMap::new();
    let mut refused = Vec::new();
    while let Some(arg) = args.next() {
        let Some(text) = arg.to_str() else {
            result.push(Some(arg));
            continue;
        };
        if text == "--" {
            result.push(Some(arg));
            result.extend(args.map(Some));
            break;
        }
        if result.len() == 1 && matches!(text, "-version" | "--version" | "-v" | "-V") {
            result.push(Some("version".into()));
            continue;
        }
        let Some((name, value)) = flag(text) else {
            result.push(Some(arg));
            continue;
        };
        let foreigner = foreign::find(path, name).filter(|_| !flags.contains_key(name));
        let takes = flags.get(name).copied().or(foreigner.map(|foreign| foreign.takes));
        let mut boolean = |value: Option<&str>| {
            let truth = value.map_or(Some(true), truth);
            if truth.is_none() {
                let value = value.unwrap_or_default();
                let error = CommandError::user(format!("-{name}={value} is neither true nor false"));
                refused.push((name.to_owned(), error.hint(format!("write -{name}=true or -{name}=false"))));
            }
            truth
        };
        let written = match takes {
            Some(Takes::Switch) => {
                let truth = boolean(value).unwrap_or_default();
                if let Some(before) = switches.remove(name).and_then(|index| result.get_mut(index)) {
                    *before = None;
                }
                if !truth {
                    continue;
                }
                switches.insert(name.to_owned(), result.len());
                OsString::from(format!("--{name}"))
            }
            Some(Takes::Boolean) => {
                let Some(truth) = boolean(value) else { continue };
                format!("--{name}={truth}").into()
            }
            Some(Takes::Value) if value.is_none() => {
                let mut joined = OsString::from(format!("--{name}"));
                if let Some(next) = args.next() {
                    joined.push("=");
                    joined.push(next);
                }
                joined
            }
            Some(Takes::Value | Takes::Optional) | None => {
                let body = value.map_or_else(|| name.to_owned(), |value| format!("{name}={value}"));
                format!("--{body}").into()
            }
        };
        match foreigner {
            Some(foreign) => {
                let value = written.to_string_lossy().split_once('=').map(|(_, value)| value.to_owned());
                foreigners.insert(foreign.flag, (foreign, value.unwrap_or_default()));
            }
            None => result.push(Some(written)),
        }
    }
    let answers = foreigners.into_iter().filter_map(|(name, (foreign, value))| Some((name, foreign.refusal(&value)?)));
    refused.extend(answers.map(|(name, error)| (name.to_owned(), error)));
    Normal { args: result.into_iter().flatten().collect(), refused }
}

/// Go's words for true and false (strconv.ParseBool).
pub(crate) fn truth(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    const TRUE: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
    const FALSE: [&str; 6] = ["0", "f", "F", "false", "FALSE", "False"];

    fn command() -> Command {
        let lock = Arg::new("lock")
            .long("lock")
            .num_args(0..=1)
            .require_equals(true)
            .value_parser(clap::value_parser!(bool))
            .action(ArgAction::Set);
        let plan = Command::new("plan")
            .arg(Arg::new("out").long("out").action(ArgAction::Set))
            .arg(Arg::new("var").long("var").action(ArgAction::Append))
            .arg(Arg::new("json").long("json").action(ArgAction::SetTrue))
            .arg(lock);
        let chdir = Arg::new("chdir").long("chdir").action(ArgAction::Set).global(true);
        let state = Command::new("state").subcommand(Command::new("list"));
        Command::new("x").arg(chdir).subcommand(plan).subcommand(Command::new("show")).subcommand(state)
    }

    fn os(args: &[&str]) -> Vec<OsString> {
        std::iter::once("x").chain(args.iter().copied()).map(OsString::from).collect()
    }

    fn normal(args: &[&str]) -> Normal {
        let command = command();
        let args = os(args);
        let place = locate(&args, &command);
        normalise(args, &command, &place.path)
    }

    #[test]
    fn both_dash_styles_mean_the_same() {
        let table: &[(&[&str], &[&str])] = &[
            (&["-chdir=d", "plan"], &["--chdir=d", "plan"]),
            (&["-chdir", "d", "plan"], &["--chdir=d", "plan"]),
            (&["plan", "-out", "f", "-json"], &["plan", "--out=f", "--json"]),
            (&["plan", "--out", "f", "--json=true"], &["plan", "--out=f", "--json"]),
            (&["plan", "-json=false"], &["plan"]),
            (&["plan", "-json", "-json=0"], &["plan"]),
            (&["plan", "-json=F", "-out=f", "-json"], &["plan", "--out=f", "--json"]),
            (&["plan", "-json", "-out=f", "-json=T"], &["plan", "--out=f", "--json"]),
            (&["plan", "-var", "a=b"], &["plan", "--var=a=b"]),
            (&["plan", "-var", "-x=y"], &["plan", "--var=-x=y"]),
            (&["plan", "-var"], &["plan", "--var"]),
            (&["plan", "-lock=False"], &["plan", "--lock=false"]),
            (&["plan", "-lock=t"], &["plan", "--lock=true"]),
            (&["plan", "-lock", "f"], &["plan", "--lock=true", "f"]),
            (&["plan", "-h"], &["plan", "-h"]),
            (&["plan", "-help"], &["plan", "--help"]),
            (&["-version"], &["version"]),
            (&["plan", "-bogus=1"], &["plan", "--bogus=1"]),
            (&["show", "-"], &["show", "-"]),
            (&["show", "--", "-json"], &["show", "--", "-json"]),
        ];
        for (given, expected) in table {
            let Normal { args, refused } = normal(given);
            assert_eq!(args, os(expected), "{given:?}");
            assert!(refused.is_empty(), "{given:?}");
        }
    }

    #[test]
    fn what_is_neither_true_nor_false_is_told() {
        for given in ["-json=maybe", "-lock=yes", "-json=", "-lock=FaLSE"] {
            let told = normal(&["plan", given]).refused;
            let (_, error) = told.first().expect("told");
            assert!(error.message.contains("is neither true nor false"), "{given}: {error}");
        }
    }

    #[test]
    fn flags_of_terraform_alone_are_taken_out_or_refused() {
        let plan = |args: &[&str]| normal(&[&["plan"], args].concat());
        assert_eq!(plan(&["-parallelism", "3", "-json"]).args, os(&["plan", "--json"]));
        let Normal { args, refused } = plan(&["-target", "a", "-target=b", "-refresh=0"]);
        assert_eq!(args, os(&["plan"]));
        assert_eq!(refused.iter().map(|(name, _)| &**name).collect::<Vec<_>>(), ["refresh", "target"]);
        // The last one wins.
        assert!(plan(&["-refresh=false", "-refresh"]).refused.is_empty());
        assert_eq!(plan(&["-refresh", "-refresh=F"]).refused.len(), 1);
        // It is Terraform's flag of this command alone.
        assert_eq!(normal(&["show", "-target=a"]).args, os(&["show", "--target=a"]));
    }

    #[test]
    fn the_command_is_found_behind_flags() {
        let place = |args: &[&str]| {
            let Place { path, end, unknown } = locate(&os(args), &command());
            (path.join(" "), end, unknown)
        };
        let word = |word: &str| Some(word.to_owned());
        assert_eq!(place(&["plan", "-out", "f"]), ("plan".to_owned(), 2, None));
        assert_eq!(place(&["-chdir", "plan", "show"]), ("show".to_owned(), 4, None));
        assert_eq!(place(&["-chdir=d", "state", "list", "plan"]), ("state list".to_owned(), 4, None));
        assert_eq!(place(&["state"]), ("state".to_owned(), 2, None));
        assert_eq!(place(&["state", "lst"]), ("state".to_owned(), 2, word("lst")));
        assert_eq!(place(&["test"]), (String::new(), 1, word("test")));
        assert_eq!(place(&["-help"]), (String::new(), 1, None));
    }

    /// Every command with its words, those of commands that have others below them left out.
    fn leaves(command: &Command, path: &[String], all: &mut Vec<Vec<String>>) {
        if !command.has_subcommands() {
            all.push(path.to_vec());
        }
        for below in command.get_subcommands() {
            leaves(below, &[path, &[below.get_name().to_owned()]].concat(), all);
        }
    }

    /// Flags of all commands: what each takes, and what it is when it is given twice.
    #[test]
    fn every_flag_of_every_command_is_taken_as_by_go() {
        let command = args::command();
        let mut paths = Vec::new();
        leaves(&command, &[], &mut paths);
        assert!(paths.len() > 15, "{paths:?}");
        let mut seen = 0;
        for path in paths {
            let found = find(&command, &path).expect("a command");
            let globals = command.get_arguments().filter(|arg| arg.is_global_set());
            for arg in found.get_arguments().chain(globals) {
                let Some(name) = arg.get_long() else { continue };
                let run = |given: &[String]| {
                    let words = std::iter::once("aloka".to_owned()).chain(path.iter().cloned()).chain(given.to_vec());
                    let normal = normalise(words.map(OsString::from), &command, &path);
                    // What is wanted besides does not matter here.
                    let alone = args::command().mut_subcommands(|command| command).ignore_errors(true);
                    let matches = alone.try_get_matches_from(&normal.args);
                    (matches, normal.refused)
                };
                let value = |given: &[String]| {
                    let (matches, refused) = run(given);
                    assert!(refused.is_empty(), "{path:?} {given:?}: {refused:?}");
                    let matches = matches.unwrap_or_else(|error| panic!("{path:?} {given:?}: {error}"));
                    let below = path.iter().try_fold(&matches, |matches, word| matches.subcommand_matches(word));
                    let below = below.expect("the command").clone();
                    let raw = below.get_raw(arg.get_id().as_str()).map(|values| values.map(OsString::from).collect());
                    raw.unwrap_or_else(Vec::<OsString>::new)
                };
                match Takes::of(arg) {
                    Takes::Switch | Takes::Boolean => {
                        let given = |value: &str| format!("-{name}={value}");
                        for dashes in ["-", "--"] {
                            assert_eq!(value(&[format!("{dashes}{name}")]), ["true"], "{path:?} {name}");
                        }
                        for word in TRUE {
                            assert_eq!(value(&[given(word)]), ["true"], "{path:?} {name}={word}");
                            assert_eq!(value(&[given("0"), given(word)]), ["true"], "{path:?} {name}={word}");
                        }
                        for word in FALSE {
                            assert_ne!(value(&[given(word)]), ["true"], "{path:?} {name}={word}");
                            assert_ne!(value(&[format!("-{name}"), given(word)]), ["true"], "{path:?} {name}={word}");
                        }
                        assert_eq!(run(&[given("2")]).1.len(), 1, "{path:?} {name}=2");
                    }
                    Takes::Optional | Takes::Value => {
                        let possible: Vec<_> =
                            arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
                        let examples = ["1", "a=b", "5m", "CreateVpc=lost-reply"].map(str::to_owned);
                        let candidates = if possible.is_empty() { examples.to_vec() } else { possible };
                        let taken = |word: &String| {
                            let (matches, _) = run(&[format!("-{name}={word}")]);
                            matches.is_ok() && value(&[format!("-{name}={word}")]) == [word.as_str()]
                        };
                        let word = candidates.iter().find(|word| taken(word));
                        let word = word.unwrap_or_else(|| panic!("no value for {path:?} -{name}"));
                        let once = value(&[format!("--{name}={word}")]);
                        let twice = value(&[format!("-{name}={word}"), format!("-{name}={word}")]);
                        let is_list = matches!(arg.get_action(), ArgAction::Append);
                        assert_eq!(twice.len(), if is_list { 2 } else { 1 }, "{path:?} {name}");
                        assert_eq!(once.len(), 1, "{path:?} {name}");
                        if Takes::of(arg) == Takes::Value {
                            assert_eq!(value(&[format!("-{name}"), word.clone()]), once, "{path:?} {name}");
                        }
                    }
                }
                seen += 1;
            }
        }
        assert!(seen > 100, "{seen}");
    }
}
