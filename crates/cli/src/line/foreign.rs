//! Flags of Terraform's that aloka has no use for: each is taken without effect, or refused with the reason and the way on.
//!
//! None is known to clap, so that neither help nor completions offer one.

use super::argv::Takes;
use crate::error::CommandError;

/// What becomes of a flag.
#[derive(Clone, Copy, Debug)]
pub(super) enum Answer {
    /// There is nothing that it could change.
    Ignored,
    /// It is refused: why, and what to do instead.
    Refused(&'static str, &'static str),
    /// A boolean that is refused with this value, and taken with the other.
    RefusedIf(bool, &'static str, &'static str),
}

/// A flag of some commands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Foreign {
    /// As on the command line, `state mv`.
    pub(super) commands: &'static [&'static str],
    pub(super) flag: &'static str,
    pub(super) takes: Takes,
    pub(super) answer: Answer,
}

impl Foreign {
    /// What is said of it if it is given with this value, that of a boolean being `true` or `false`.
    pub(super) fn refusal(&self, value: &str) -> Option<CommandError> {
        let (why, way) = match self.answer {
            Answer::Ignored => return None,
            Answer::RefusedIf(refused, ..) if value != refused.to_string() => return None,
            Answer::Refused(why, way) | Answer::RefusedIf(_, why, way) => (why, way),
        };
        let value = if matches!(self.answer, Answer::RefusedIf(..)) { format!("={value}") } else { String::new() };
        Some(CommandError::user(format!("-{}{value} is not supported: {why}", self.flag)).hint(way))
    }
}

/// What this flag is to the command of these words; `None` if it means nothing to Terraform either.
pub(super) fn find(path: &[String], flag: &str) -> Option<&'static Foreign> {
    let path = path.join(" ");
    FLAGS.iter().find(|foreign| foreign.flag == flag && foreign.commands.contains(&&*path))
}

const PLANS: &[&str] = &["plan", "apply", "destroy", "refresh"];
const WRITERS: &[&str] = &["apply", "destroy", "refresh", "import", "state mv", "state rm"];
const STATES: &[&str] =
    &["plan", "apply", "destroy", "refresh", "import", "output", "state list", "state show", "state mv", "state rm"];
const REMOTES: &[&str] = &["init", "import", "state mv", "state rm", "state push"];

const STATE_PLACE: &str = "write terraform { backend \"local\" { path = \"FILE\" } } into a .tf file; to look into a state file: aloka show FILE";

use Answer::{Ignored, Refused, RefusedIf};
use Takes::{Boolean, Value};

#[rustfmt::skip]
const FLAGS: &[Foreign] = &[
    Foreign { commands: PLANS, flag: "target", takes: Value, answer: Refused(
        "a part of a plan would leave the stack in a shape nobody declared",
        "change the variables so that they declare what you want, and run `aloka plan`") },
    Foreign { commands: PLANS, flag: "replace", takes: Value, answer: Refused(
        "an object is replaced when it failed or its variables ask for it",
        "terminate the object in AWS, and `aloka apply` will make a new one") },
    Foreign { commands: PLANS, flag: "refresh", takes: Boolean, answer: RefusedIf(false,
        "a plan made without looking is not the list of calls needed",
        "leave the flag out; reading takes a few seconds") },
    // The rates AWS allows and the graph decide how much runs at once.
    Foreign { commands: PLANS, flag: "parallelism", takes: Value, answer: Ignored },
    Foreign { commands: &["import"], flag: "parallelism", takes: Value, answer: Ignored },
    Foreign { commands: &["plan"], flag: "generate-config-out", takes: Value, answer: Refused(
        "the stack is built in, so there is no configuration to write",
        "to record objects that exist: aloka import ADDRESS ID, or aloka adopt -vpc=ID for a whole stack") },
    Foreign { commands: STATES, flag: "state", takes: Value, answer: Refused(
        "the state is where the configuration says, for every command alike", STATE_PLACE) },
    Foreign { commands: WRITERS, flag: "state-out", takes: Value, answer: Refused(
        "the state is written where it was read, or two runs would not see each other", STATE_PLACE) },
    Foreign { commands: WRITERS, flag: "backup", takes: Value, answer: Refused(
        "the state before a run is kept beside the state file, under its name with .backup",
        "leave the flag out; to copy the state elsewhere: aloka state pull > FILE") },
    Foreign { commands: &["state mv"], flag: "backup-out", takes: Value, answer: Refused(
        "the state is written where it was read, and kept beside it as it was before",
        "leave the flag out; to copy the state elsewhere: aloka state pull > FILE") },
    Foreign { commands: REMOTES, flag: "ignore-remote-version", takes: Boolean, answer: Ignored },

    // There is nothing to download, and nothing is asked.
    Foreign { commands: &["init"], flag: "get", takes: Boolean, answer: Ignored },
    Foreign { commands: &["init"], flag: "force-copy", takes: Boolean, answer: Ignored },
    Foreign { commands: &["init"], flag: "lock", takes: Boolean, answer: RefusedIf(false,
        "only -migrate-state takes locks, and a state that is moved under somebody's hands is lost",
        "leave the flag out; -lock-timeout=5m waits for a lock") },
    Foreign { commands: &["init"], flag: "lockfile", takes: Value, answer: Ignored },
    Foreign { commands: &["init"], flag: "plugin-dir", takes: Value, answer: Ignored },
    Foreign { commands: &["init"], flag: "get-plugins", takes: Boolean, answer: Ignored },
    Foreign { commands: &["init"], flag: "verify-plugins", takes: Boolean, answer: Ignored },
    Foreign { commands: &["init", "validate"], flag: "test-directory", takes: Value, answer: Ignored },
    Foreign { commands: &["validate"], flag: "no-tests", takes: Boolean, answer: Ignored },
    Foreign { commands: &["init"], flag: "from-module", takes: Value, answer: Refused(
        "the stack is built in, so there is no module to copy",
        "to begin with an example of terraform.tfvars: aloka init -example") },
    Foreign { commands: &["init"], flag: "json", takes: Boolean, answer: RefusedIf(true,
        "init tells what it finds in text alone",
        "leave the flag out; aloka validate -json checks the variables") },

    Foreign { commands: &["import"], flag: "config", takes: Value, answer: Refused(
        "the stack is built in, and its variables are those of this directory",
        "to work in another directory: aloka -chdir=DIR import ADDRESS ID") },
    Foreign { commands: &["import"], flag: "allow-missing-config", takes: Boolean, answer: Ignored },
    Foreign { commands: &["import"], flag: "input", takes: Boolean, answer: Ignored },
    Foreign { commands: &["graph"], flag: "plan", takes: Value, answer: Refused(
        "the graph is that of the stack as it is declared",
        "leave the flag out; to see a saved plan: aloka show FILE") },
    Foreign { commands: &["graph"], flag: "draw-cycles", takes: Boolean, answer: Ignored },
    Foreign { commands: &["graph"], flag: "module-depth", takes: Value, answer: Ignored },
    Foreign { commands: &["show"], flag: "module-depth", takes: Value, answer: Ignored },
    Foreign { commands: &["state list"], flag: "id", takes: Value, answer: Refused(
        "objects are listed by address",
        "to see the identifiers: aloka show, or aloka show -json for a script") },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;
    use crate::line::argv;

    /// The flags that the help of Terraform 1.11.4 lists, and those it takes without listing them.
    const TERRAFORM: &[(&str, &str)] = &[
        (
            "init",
            "backend backend-config force-copy from-module get input lock lock-timeout no-color json plugin-dir \
                  reconfigure migrate-state upgrade lockfile ignore-remote-version test-directory",
        ),
        ("validate", "json no-color no-tests test-directory var var-file"),
        (
            "plan",
            "destroy refresh-only refresh replace target var var-file compact-warnings detailed-exitcode \
                  generate-config-out input lock lock-timeout no-color out parallelism state json",
        ),
        (
            "apply",
            "auto-approve backup compact-warnings destroy lock lock-timeout input no-color parallelism state \
                   state-out var var-file refresh refresh-only replace target json",
        ),
        (
            "destroy",
            "auto-approve backup compact-warnings lock lock-timeout input no-color parallelism state state-out \
                     var var-file refresh target json",
        ),
        (
            "refresh",
            "compact-warnings input lock lock-timeout no-color parallelism target var var-file state state-out \
                     backup json",
        ),
        ("output", "state no-color json raw"),
        ("show", "no-color json"),
        ("import", "config input lock lock-timeout no-color var var-file ignore-remote-version state state-out backup"),
        ("force-unlock", "force"),
        ("graph", "plan draw-cycles type"),
        ("version", "json"),
        ("state list", "state id"),
        ("state show", "state"),
        ("state mv", "dry-run lock lock-timeout ignore-remote-version state state-out backup backup-out"),
        ("state rm", "dry-run backup lock lock-timeout state ignore-remote-version"),
        ("state push", "force lock lock-timeout ignore-remote-version"),
    ];

    #[test]
    fn every_flag_of_terraform_is_taken_or_answered() {
        let command = args::command();
        for (name, flags) in TERRAFORM {
            let path: Vec<String> = name.split(' ').map(str::to_owned).collect();
            let known = argv::flags(&command, &path);
            for flag in flags.split_whitespace() {
                let answered = known.contains_key(flag) || find(&path, flag).is_some();
                assert!(answered, "{name} -{flag}");
            }
        }
    }

    #[test]
    fn no_answer_is_in_the_way_of_a_flag_of_ours_or_of_another_answer() {
        let command = args::command();
        for (index, foreign) in FLAGS.iter().enumerate() {
            for name in foreign.commands {
                let path: Vec<String> = name.split(' ').map(str::to_owned).collect();
                assert!(command.find_subcommand(&path[0]).is_some(), "{name}");
                assert!(!argv::flags(&command, &path).contains_key(foreign.flag), "{name} has -{}", foreign.flag);
                let twice =
                    FLAGS[..index].iter().any(|other| other.flag == foreign.flag && other.commands.contains(name));
                assert!(!twice, "{name} -{} is answered twice", foreign.flag);
            }
            match foreign.answer {
                Answer::RefusedIf(..) => assert_eq!(foreign.takes, Takes::Boolean, "-{}", foreign.flag),
                Answer::Ignored | Answer::Refused(..) => {}
            }
        }
    }
}
