//! What an application server runs at its first boot: the built-in script, or that of the file that `app_user_data` names.
//!
//! Docker Compose is not among Amazon Linux's packages: it is downloaded as one release, and a file with another SHA-256
//! is not installed. The digests built in are those that GitHub publishes beside the release; the official image
//! `docker:27.3.1-cli` was built with the same. Servers that run are never changed by another script: it is sent on
//! creation only.

use std::fmt;

use sha1::{Digest as _, Sha1};
use sha2::Sha256;

use crate::fingerprint::hex;
use crate::variables::Variables;

/// What runs at an application server's first boot if `app_user_data` names no file.
pub const DEFAULT_USER_DATA: &str = include_str!("user_data.sh");

/// How Terraform records user data: the SHA-1 of its text, in hexadecimal.
pub fn user_data_hash(text: &str) -> String {
    hex(&Sha1::digest(text.as_bytes()))
}

/// The release of Docker Compose in the built-in script, as the script has it.
const COMPOSE_VERSION: &str = "2.29.7";
/// Digests in the built-in script, by architecture.
const COMPOSE_SHA256: [(&str, &str); 2] = [
    ("aarch64", "6e9fbd5daa20dca5d7d89145081ae8155d68ef2928b497d9f85b54fe0f9dbb2c"),
    ("x86_64", "383ce6698cd5d5bbf958d2c8489ed75094e34a77d340404d9f32c4ae9e12baf0"),
];

/// The built-in script, with the release of Docker Compose that the variables name.
pub fn script(variables: &Variables) -> String {
    let Some(version) = &variables.app_docker_compose_version else { return DEFAULT_USER_DATA.to_owned() };
    let mut script = DEFAULT_USER_DATA.replace(COMPOSE_VERSION, version);
    for (architecture, built_in) in COMPOSE_SHA256 {
        // Both are there: the variables are valid.
        let digest = variables.app_docker_compose_sha256.get(architecture);
        script = script.replace(built_in, digest.map_or("", String::as_str));
    }
    script
}

/// True if the text has lines that end as on Windows. A shell takes the carriage return for a part of its last word, and
/// does not find an interpreter whose name ends with one.
pub fn has_windows_endings(text: &str) -> bool {
    text.contains("\r\n")
}

/// True if the script that `recorded` is the hash of, as Terraform records it, differs from this one in line endings alone.
pub fn differs_in_endings(text: &str, recorded: &str) -> bool {
    let unix = text.replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    user_data_hash(text) != recorded && [unix, windows].iter().any(|text| user_data_hash(text) == recorded)
}

/// What a plan sends as user data instead of the built-in script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BootScript {
    /// The file, as `app_user_data` names it.
    pub path: String,
    /// Its length in bytes.
    pub length: usize,
    /// The SHA-256 of its contents, in hexadecimal.
    pub digest: String,
    /// Lines of the built-in script that it lacks, and lines that the built-in script lacks, in order.
    pub difference: Vec<Line>,
}

/// A line in which two scripts differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// Of the built-in script alone.
    Gone(String),
    /// Of the other alone.
    New(String),
}

impl BootScript {
    /// That of these contents of a file, where `built_in` would be sent otherwise.
    pub fn new(path: &str, contents: &str, built_in: &str) -> Self {
        Self {
            path: path.to_owned(),
            length: contents.len(),
            digest: hex(&Sha256::digest(contents.as_bytes())),
            difference: difference(built_in, contents),
        }
    }

    /// The one that these inputs send, if a file is named.
    pub fn of(variables: &Variables, contents: Option<&str>) -> Option<Self> {
        Some(Self::new(variables.app_user_data.as_deref()?, contents?, &script(variables)))
    }
}

/// The lines in which two texts differ: what is left of each beside a longest common subsequence. A script has 16 KiB at most.
fn difference(old: &str, new: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Of what follows each pair of lines, how many are common.
    let width = new.len() + 1;
    let mut common = vec![0_usize; (old.len() + 1) * width];
    let at = |i: usize, j: usize| i * width + j;
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[at(i, j)] = if old[i] == new[j] {
                common[at(i + 1, j + 1)] + 1
            } else {
                common[at(i + 1, j)].max(common[at(i, j + 1)])
            };
        }
    }
    let (mut i, mut j, mut lines) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[at(i + 1, j)] >= common[at(i, j + 1)]) {
            lines.push(Line::Gone(old[i].to_owned()));
            i += 1;
        } else {
            lines.push(Line::New(new[j].to_owned()));
            j += 1;
        }
    }
    lines
}

/// `boot.sh, 120 bytes, SHA-256 9f86d0…, with 3 lines that the built-in script lacks and without 27 of its own`
impl fmt::Display for BootScript {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, length, digest, difference } = self;
        let gone = difference.iter().filter(|line| matches!(line, Line::Gone(_))).count();
        let new = difference.len() - gone;
        let lines = if new == 1 { "line" } else { "lines" };
        write!(
            f,
            "{}, {length} bytes, SHA-256 {digest}, with {new} {lines} that the built-in script lacks and without {gone} of its own",
            path.escape_debug()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variables::{Needs, Source, evaluate};

    fn script_of(tfvars: &str) -> String {
        let source = Source::File { path: "x.tfvars".to_owned(), contents: tfvars.to_owned() };
        let evaluated = evaluate(&[source], Needs { password: false }).unwrap_or_else(|found| panic!("{found:?}"));
        script(&evaluated.variables)
    }

    #[test]
    fn line_endings_alone_are_no_other_script() {
        let (unix, windows, mixed) = ("#!/bin/sh\na\n", "#!/bin/sh\r\na\r\n", "#!/bin/sh\r\na\n");
        for (text, recorded, alike) in [
            (windows, unix, true),
            (unix, windows, true),
            (mixed, unix, true),
            (mixed, windows, true),
            (unix, unix, false),
            (windows, windows, false),
            (windows, "#!/bin/sh\nb\n", false),
        ] {
            assert_eq!(differs_in_endings(text, &user_data_hash(recorded)), alike, "{text:?} {recorded:?}");
        }
        assert!(has_windows_endings(windows) && has_windows_endings(mixed) && !has_windows_endings(unix));
        assert!(!has_windows_endings(DEFAULT_USER_DATA));
    }

    #[test]
    fn what_is_built_in_is_in_the_script_once() {
        let built_in = script_of("");
        assert_eq!(built_in, DEFAULT_USER_DATA);
        for text in COMPOSE_SHA256.iter().map(|(_, digest)| *digest).chain([COMPOSE_VERSION]) {
            assert_eq!(built_in.matches(text).count(), 1, "{text}");
        }
        for (architecture, digest) in COMPOSE_SHA256 {
            assert!(built_in.contains(&format!("  {architecture}) compose_sha256={digest} ;;\n")), "{architecture}");
        }
        // The check stands between the download and the place that Docker takes plugins from.
        let at = |text: &str| built_in.find(text).unwrap_or_else(|| panic!("{text}"));
        assert!(at("curl ") < at("sha256sum -c") && at("sha256sum -c") < at("install -m"), "{built_in}");
    }

    #[test]
    fn another_release_comes_with_its_digests() {
        let (x86, arm) = ("ab".repeat(32), "cd".repeat(32));
        let script = script_of(&format!(
            "app_docker_compose_version = \"2.40.3\"\napp_docker_compose_sha256 = {{ x86_64 = \"{x86}\", aarch64 = \"{arm}\" }}"
        ));
        assert!(script.contains("\ncompose_version=2.40.3\n"), "{script}");
        assert!(script.contains(&format!("  x86_64) compose_sha256={x86} ;;\n")), "{script}");
        assert!(script.contains(&format!("  aarch64) compose_sha256={arm} ;;\n")), "{script}");
        assert_eq!(script.lines().count(), DEFAULT_USER_DATA.lines().count());
    }

    #[test]
    fn says_which_file_and_which_contents() {
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(
            BootScript::new("boot.sh", "abc", "a\nb").to_string(),
            format!(
                "boot.sh, 3 bytes, SHA-256 {digest}, with 1 line that the built-in script lacks and without 2 of its own"
            )
        );
        assert!(BootScript::new("a\u{1b}[31m", "", "").to_string().starts_with("a\\u{1b}[31m, 0 bytes"));
    }

    #[test]
    fn the_difference_leads_from_one_to_the_other() {
        let texts = ["", "a", "a\nb\nc", "b\nc\nd", "c\nb\na", "a\nx\nb\ny\nc", "x\nx\nx", DEFAULT_USER_DATA];
        for (old, new) in texts.iter().flat_map(|old| texts.iter().map(move |new| (*old, *new))) {
            let found = difference(old, new);
            let (gone, added): (Vec<&Line>, Vec<&Line>) = found.iter().partition(|line| matches!(line, Line::Gone(_)));
            // What is left of both is the same, and nothing is gone or new that was not there.
            assert_eq!(without(old, gone), without(new, added), "{old:?} to {new:?}: {found:?}");
            assert_eq!(found.is_empty(), old == new, "{old:?} to {new:?}");
        }
        assert_eq!(difference("a\nb\nc", "a\nx\nc"), [Line::Gone("b".to_owned()), Line::New("x".to_owned())]);
    }

    /// The lines of a text but for these, sorted.
    fn without<'a>(text: &'a str, left_out: Vec<&Line>) -> Vec<&'a str> {
        let mut lines: Vec<&str> = text.lines().collect();
        for Line::Gone(line) | Line::New(line) in left_out {
            let at = lines.iter().position(|other| other == line).expect("a line of the text");
            lines.remove(at);
        }
        lines.sort_unstable();
        lines
    }
}
