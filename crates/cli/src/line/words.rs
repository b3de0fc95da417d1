//! Words that are no command of aloka: what Terraform calls so, and what people try. Each is answered with what to do.
//!
//! No answer turns a word into `destroy` but one that means just that, and a mistyped word never does.

use aloka_core::variables::suggest;
use clap::Command;

use crate::error::CommandError;

/// An answer to some words.
struct Entry {
    words: &'static [&'static str],
    /// Why there is no such command; empty where another word says it all.
    why: &'static str,
    /// What to do instead.
    ways: &'static [&'static str],
}

const fn means(words: &'static [&'static str], ways: &'static [&'static str]) -> Entry {
    Entry { words, why: "", ways }
}

const TEST: Entry = Entry {
    words: &["test", "check", "rehearse", "verify", "lint", "dry-run"],
    why: "",
    ways: &[
        "to rehearse the whole life of the stack on a simulated AWS: aloka simulate",
        "to see what apply would change: aloka plan",
        "to check the variables alone: aloka validate",
    ],
};

/// Commands.
const COMMANDS: &[Entry] = &[
    TEST,
    means(&["preview", "diff", "changes", "whatif", "what-if"], &["to see what apply would change: aloka plan"]),
    means(
        &["status", "ls", "list", "resources"],
        &["to list the recorded objects: aloka state list", "to show them: aloka show"],
    ),
    means(
        &["deploy", "up", "create", "provision", "launch", "start", "update"],
        &["to make AWS as the variables say: aloka apply, which shows its plan and asks first"],
    ),
    means(
        &["down", "teardown", "tear-down", "undeploy"],
        &["what destroys everything the state records is written in full: aloka destroy"],
    ),
    means(
        &["remove", "delete", "rm"],
        &[
            "to forget an object, which stays in AWS: aloka state rm ADDRESS",
            "what destroys everything the state records is written in full: aloka destroy",
        ],
    ),
    means(&["unlock", "lock"], &["to remove a lock that a run left behind: aloka force-unlock LOCK_ID"]),
    means(
        &["recover", "restore", "rebuild"],
        &["to rebuild a lost state from the objects in AWS: aloka state recover"],
    ),
    means(
        &["move", "mv", "rename"],
        &["to move recorded objects to other addresses: aloka state mv SOURCE DESTINATION"],
    ),
    means(&["pull"], &["to print the state file: aloka state pull"]),
    means(&["push"], &["to store a state file in place of the state: aloka state push FILE"]),
    means(&["vars", "var", "variable"], &["to list the variables: aloka variables"]),
    means(&["outputs"], &["to print the outputs of the last apply: aloka output"]),
    means(&["completion"], &["to print a completion script: aloka completions SHELL"]),
    means(&["man", "usage", "docs"], &["to read about a command: aloka help COMMAND"]),
    Entry {
        words: &["taint"],
        why: "an object is replaced when it failed or its variables ask for it, never because of a mark",
        ways: &["terminate the server in AWS, and the next aloka apply makes a new one"],
    },
    Entry {
        words: &["untaint"],
        why: "an object that failed while it was made is replaced, and no command calls it whole",
        ways: &["if it is whole, record it anew: aloka state rm ADDRESS, then aloka import ADDRESS ID"],
    },
    Entry {
        words: &["fmt", "format"],
        why: "aloka writes no file of yours, so it formats none",
        ways: &["terraform fmt formats *.tf and *.tfvars", "to check the variables: aloka validate"],
    },
    Entry {
        words: &["get", "download"],
        why: "the modules of the stack are built in, and nothing has to be downloaded",
        ways: &["leave the command out; aloka init checks the directory"],
    },
    Entry {
        words: &["login"],
        why: "aloka has no accounts of its own: its credentials are those of AWS's tools",
        ways: &["log in with aws sso login, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"],
    },
    Entry {
        words: &["logout"],
        why: "aloka has no accounts of its own, and keeps no credentials",
        ways: &["log out with aws sso logout"],
    },
    Entry {
        words: &["console"],
        why: "aloka evaluates no expressions",
        ways: &[
            "to list the variables: aloka variables",
            "to print the outputs: aloka output",
            "to show a recorded object: aloka state show ADDRESS",
        ],
    },
    Entry {
        words: &["providers"],
        why: "there are no providers: the calls to AWS are built in",
        ways: &["to see the release: aloka version", "to see every call of a plan: aloka plan -calls"],
    },
    Entry {
        words: &["metadata", "modules", "functions"],
        why: "the stack is built in, and *.tf files have no say but for their backend block",
        ways: &["to list the variables: aloka variables", "to see the resources: aloka graph"],
    },
];

/// Commands of `aloka state`.
const STATE_COMMANDS: &[Entry] = &[
    Entry {
        words: &["replace-provider"],
        why: "aloka records objects of registry.terraform.io/hashicorp/aws, and has no other provider to give them to",
        ways: &["change what others recorded with terraform state replace-provider"],
    },
    means(&["ls"], &["to list the recorded objects: aloka state list"]),
    means(&["get", "cat", "inspect"], &["to show one recorded object: aloka state show ADDRESS"]),
    means(&["move", "rename"], &["to move recorded objects to other addresses: aloka state mv SOURCE DESTINATION"]),
    means(&["remove", "delete", "forget"], &["to forget an object, which stays in AWS: aloka state rm ADDRESS"]),
    means(&["restore", "rebuild"], &["to rebuild a lost state from the objects in AWS: aloka state recover"]),
    means(&["history", "log", "backups"], &["to list the states that the backend still has: aloka state versions"]),
    means(&["backup", "export", "print"], &["to print the state file: aloka state pull"]),
];

/// What is said of a word that is no command below `path`.
pub(super) fn unknown(path: &[String], word: &str, command: &Command) -> CommandError {
    let below = path.iter().fold("aloka".to_owned(), |below, word| format!("{below} {word}"));
    let table: &[Entry] = match path {
        [] => COMMANDS,
        [first] if first == "state" => STATE_COMMANDS,
        _ => &[],
    };
    if let Some(Entry { words: _, why, ways }) = table.iter().find(|entry| entry.words.contains(&word)) {
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        let error = CommandError::user(format!("{below} has no command {word}{why}"));
        return ways.iter().fold(error, |error, way| error.hint(*way));
    }
    let known = command.get_subcommands().filter(|command| !command.is_hide_set()).map(Command::get_name);
    let near = suggest::nearest(word, known.filter(|name| *name != "destroy"));
    let error = CommandError::user(format!("{below} has no command {word}"));
    match near {
        Some(near) => error.hint(format!("did you mean: {below} {near}")),
        None => error.hint(format!("{below} -help lists the commands")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args;

    /// Terraform 1.11.4's, less those that aloka has or that mean nothing by themselves.
    const TERRAFORM: [&str; 11] =
        ["console", "fmt", "get", "login", "logout", "metadata", "modules", "providers", "taint", "test", "untaint"];

    fn answer(word: &str) -> String {
        unknown(&[], word, &args::command()).to_string()
    }

    #[test]
    fn every_word_is_answered_with_a_way_and_is_no_command() {
        let command = args::command();
        let state = command.find_subcommand("state").expect("a command").clone();
        for (path, table, command) in [(vec![], COMMANDS, command), (vec!["state".to_owned()], STATE_COMMANDS, state)] {
            let mut seen = Vec::new();
            for entry in table {
                assert!(!entry.ways.is_empty(), "{:?}", entry.words);
                for word in entry.words {
                    assert!(command.find_subcommand(word).is_none(), "{word} is a command, and never answered");
                    assert!(!seen.contains(word), "{word} is answered twice");
                    seen.push(*word);
                    let text = unknown(&path, word, &command).to_string();
                    assert!(text.contains(&format!("has no command {word}")), "{text}");
                    assert!(text.contains("hint: "), "{text}");
                }
            }
        }
        for word in TERRAFORM {
            assert!(COMMANDS.iter().any(|entry| entry.words.contains(&word) && !entry.ways.is_empty()), "{word}");
        }
    }

    /// Commands that the answers name are there.
    #[test]
    fn the_ways_are_commands() {
        let command = args::command();
        for way in COMMANDS.iter().chain(STATE_COMMANDS).flat_map(|entry| entry.ways) {
            for (at, _) in way.match_indices("aloka ") {
                let mut words = way[at + "aloka ".len()..].split([' ', ',', ';']);
                let first = words.next().unwrap_or_default();
                let found = command.find_subcommand(first);
                assert!(first == "help" || found.is_some(), "{way}");
                if found.is_some_and(clap::Command::has_subcommands) {
                    let second = words.next().unwrap_or_default();
                    assert!(found.and_then(|found| found.find_subcommand(second)).is_some(), "{way}");
                }
            }
        }
    }

    /// Only a word that means it is told how it is written.
    #[test]
    fn a_mistyped_word_never_leads_to_destruction() {
        let meant = ["down", "teardown", "tear-down", "undeploy", "remove", "delete", "rm"];
        let tried =
            ["test", "destory", "destro", "detroy", "destroyy", "deploy", "destruct", "dest", "Destroy", "restroy"];
        let words = COMMANDS.iter().flat_map(|entry| entry.words).copied().chain(tried);
        for word in words.filter(|word| !meant.contains(word)) {
            let text = answer(word).replace(&format!("no command {word}"), "");
            assert!(!text.to_lowercase().contains("destroy"), "{word}: {text}");
        }
        for word in meant {
            assert!(answer(word).contains("written in full: aloka destroy"), "{word}");
        }
    }

    #[test]
    fn a_mistyped_word_is_led_to_the_command_meant() {
        assert!(answer("plam").contains("did you mean: aloka plan"), "{}", answer("plam"));
        assert!(answer("quux").contains("aloka -help"), "{}", answer("quux"));
    }
}
