//! Passwords in clear that a state of Terraform leaves behind: in backups, in files that were pushed or moved away, in older
//! versions of an object. Each place is told once in a directory, with the command that removes it. Nothing is removed
//! here: it may be all that somebody has.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use aloka_core::printable::is_harmful;
use aloka_core::shell::quote;
use aloka_core::state::{clear, file};
use serde::{Deserialize, Serialize};

use crate::files;
use crate::io::Io;
use crate::output::directory_of;
use crate::view::reporter::{Format, warn};

/// The places that were told of.
pub const RECORD_FILE: &str = ".aloka/clear-text.json";
const RECORD_MAX: u64 = 1 << 20;

/// Where a password may be left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// An object in S3, in the versions that the bucket keeps of it.
    Object {
        /// Its bucket.
        bucket: String,
        /// Its key.
        key: String,
        /// The Region of the bucket, if it is said.
        region: Option<String>,
        /// The profile that reaches it, if one is named.
        profile: Option<String>,
        /// True if it was moved away: no version is read any more. Otherwise the latest one is.
        moved: bool,
    },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Record {
    told: BTreeSet<String>,
}

/// Tells of what is beside the state file and in `others`, if it was not told yet. That it was cannot always be recorded:
/// then it is told again.
pub fn tell(io: &mut Io, format: Format, state: &Place, others: Vec<Place>) {
    let mut places: Vec<Place> = match state {
        Place::File(path) => copies(path).into_iter().map(Place::File).collect(),
        Place::Object { .. } => Vec::new(),
    };
    places.extend(others);
    let record = load();
    // What is gone is forgotten: if it comes again, it is news again.
    let mut now = record.told.iter().filter(|name| still_holds(name)).cloned().collect::<BTreeSet<_>>();
    for place in places.iter().filter(|place| place.holds()) {
        if now.insert(place.name()) {
            say(io, format, place);
        }
    }
    if now != record.told {
        let _not_recorded = save(&Record { told: now });
    }
}

fn say(io: &mut Io, format: Format, place: &Place) {
    let what = match place {
        Place::File(path) => {
            format!("{} holds the database password in clear, as Terraform records it", path.display())
        }
        Place::Object { moved, .. } => {
            let which = if *moved { "versions" } else { "older versions" };
            format!("{which} of {} hold the database password in clear, as Terraform records it", place.name())
        }
    };
    let mut hints: Vec<String> = place.removal().iter().map(|command| format!("remove it with: {command}")).collect();
    hints.push(
        "others may have read it: give the database another one as TF_VAR_db_password, with: aloka apply".to_owned(),
    );
    match format {
        Format::Human => {
            warn(io, format, &what);
            hints.iter().for_each(|hint| io.err_line(&format!("hint: {hint}")));
        }
        Format::Json => warn(io, format, &format!("{what}; {}", hints.join("; "))),
    }
}

impl Place {
    /// How it is recorded and told.
    fn name(&self) -> String {
        match self {
            Self::File(path) => path.display().to_string(),
            Self::Object { bucket, key, .. } => format!("s3://{bucket}/{key}"),
        }
    }

    fn holds(&self) -> bool {
        match self {
            Self::File(path) => file_holds(path),
            // Whoever names it has just replaced a state that did.
            Self::Object { .. } => true,
        }
    }

    /// The commands that remove what is there; none for a name that no command line should hold.
    fn removal(&self) -> Vec<String> {
        match self {
            Self::File(path) => {
                let name = path.to_str().filter(|name| !name.contains(is_harmful));
                let dashes = |name: &str| if name.starts_with('-') { "-- " } else { "" };
                name.map(|name| format!("rm {}{}", dashes(name), quote(name))).into_iter().collect()
            }
            Self::Object { bucket, key, region, profile, moved } => {
                let all = [Some(bucket), Some(key), region.as_ref(), profile.as_ref()];
                if all.into_iter().flatten().any(|text| text.contains(is_harmful)) {
                    return Vec::new();
                }
                let flag = |name: &str, value: &Option<String>| {
                    value.as_ref().map(|value| format!(" --{name} {}", quote(value))).unwrap_or_default()
                };
                let with = format!("{}{}", flag("region", region), flag("profile", profile));
                let (bucket, key) = (quote(bucket), quote(key));
                let which = if *moved { "" } else { "?!IsLatest" };
                vec![format!(
                    "aws s3api delete-object{with} --bucket {bucket} --key {key} --version-id ID, for each ID that is \
                         listed by: aws s3api list-object-versions{with} --bucket {bucket} --prefix {key} --query \
                         'Versions[{which}].[VersionId,LastModified]' --output text"
                )]
            }
        }
    }
}

/// Copies of a state that tools and people keep beside it: the last one, Terraform's `NAME.1700000000.backup`, our `NAME.moved-7`, an
/// editor's `NAME~`; and what a tool kept of a state that its store did not take.
fn copies(state: &Path) -> Vec<PathBuf> {
    let Some(name) = state.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let beside = directory_of(state);
    let mut found: Vec<PathBuf> = named(beside, |found| {
        found.strip_prefix(name).is_some_and(|rest| rest.starts_with(|c: char| !c.is_alphanumeric()))
    });
    // Tools keep it where they run.
    let is_errored = |found: &str| found.starts_with("errored") && found.ends_with(".tfstate");
    found.extend(named(Path::new("."), is_errored));
    found.sort();
    found
}

/// The files of a directory with such names.
fn named(directory: &Path, is_it: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(directory) else { return Vec::new() };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).filter(|name| is_it(name));
    let is_here = directory == Path::new(".");
    names.map(|name| if is_here { PathBuf::from(name) } else { directory.join(name) }).collect()
}

fn still_holds(name: &str) -> bool {
    name.starts_with("s3://") || file_holds(Path::new(name))
}

/// True for a regular file that is a state with a password in clear.
fn file_holds(path: &Path) -> bool {
    let most = u64::try_from(file::SIZE_MAX).unwrap_or(u64::MAX);
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        files::plain(path, false)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    read().is_ok_and(|bytes| clear::holds_password(&bytes))
}

fn load() -> Record {
    let bytes = files::implied(Path::new(RECORD_FILE), RECORD_MAX).ok().flatten();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

fn save(record: &Record) -> io::Result<()> {
    files::replace_implied(Path::new(RECORD_FILE), |new| Ok(serde_json::to_writer_pretty(new, record)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: &str, moved: bool) -> Place {
        let (region, profile) = (Some("eu-west-1".to_owned()), Some("it's mine".to_owned()));
        Place::Object { bucket: "states".to_owned(), key: key.to_owned(), region, profile, moved }
    }

    #[test]
    fn a_command_holds_what_a_shell_takes_for_one_word() {
        let removal = |path: &str| Place::File(PathBuf::from(path)).removal();
        assert_eq!(removal("a/terraform.tfstate.backup"), ["rm a/terraform.tfstate.backup"]);
        assert_eq!(removal("-rf"), ["rm -- -rf"]);
        assert_eq!(removal("it's $(here)"), ["rm 'it'\\''s $(here)'"]);
        assert!(removal("a\nb").is_empty() && object("a\u{1b}[2J", false).removal().is_empty());
        let text = object("web/state $1", false).removal().concat();
        let with = "--region eu-west-1 --profile 'it'\\''s mine' --bucket states --key 'web/state $1'";
        assert!(text.contains(&format!("aws s3api delete-object {with} --version-id ID")), "{text}");
        assert!(text.contains("Versions[?!IsLatest]"), "the latest is in use: {text}");
        assert!(object("web/state", true).removal().concat().contains("Versions[]"), "none is in use any more");
    }
}
