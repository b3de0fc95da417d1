//! What the user said yes to, outside of any directory: a directory of somebody else, an endpoint, a place of a state.
//!
//! A record is one line of `$XDG_CONFIG_HOME/aloka/trusted` (`~/.config/aloka/trusted`), such as `directory /srv/stack`.
//! A file inside the working directory counts as none: what a directory brings along must not speak for the user.
//! Nothing here writes: the command that adds a line is told, and it is the user who gives it.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::error::CommandError;

/// Directories that are trusted without a record: one path, or `*` for all.
const DIRECTORY_VARIABLE: &str = "ALOKA_TRUST_DIRECTORY";
/// What stands for every value of a kind.
const ANY: &str = "*";
/// The most of the record that is read.
const SIZE_MAX: u64 = 1 << 20;
/// Everybody may write.
const OTHERS_WRITE: u32 = 0o002;

/// What a line says yes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Yes {
    /// `directory PATH`: the directory is used although it belongs to another user.
    Directory,
    /// `state PATH`: a state may be made there, outside of the directory whose configuration names the place.
    State,
    /// `endpoint URL DIRECTORY`: requests go to that endpoint, as the directory says.
    Endpoint,
}

impl Yes {
    fn name(self) -> &'static str {
        match self {
            Self::Directory => "directory",
            Self::State => "state",
            Self::Endpoint => "endpoint",
        }
    }
}

/// All that the user said yes to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Trust(BTreeSet<String>);

impl Trust {
    /// Reads the record; empty if there is none.
    ///
    /// # Errors
    /// When it cannot be read, or others than its user could have written it.
    pub(crate) fn load() -> Result<Self, CommandError> {
        match place() {
            Some(path) if !is_inside(&path) => Self::read(&path),
            Some(_) | None => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, CommandError> {
        let read = || -> io::Result<Option<String>> {
            if !fs::metadata(path)?.is_file() {
                return Err(io::Error::other("it is not a plain file"));
            }
            let file = File::open(path)?;
            let data = file.metadata()?;
            if !is_ours(data.uid()) || data.mode() & OTHERS_WRITE != 0 {
                return Ok(None);
            }
            let mut text = String::new();
            file.take(SIZE_MAX).read_to_string(&mut text)?;
            Ok(Some(text))
        };
        match read() {
            Ok(Some(text)) => Ok(Self::parse(&text)),
            Ok(None) => Err(CommandError::config(format!("others than you may write {}", path.display()))
                .hint("check its lines, then make it yours alone with chown and chmod 600")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(CommandError::file("read", path, &error)),
        }
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(lines.map(str::to_owned).collect())
    }

    /// True if there is a line for `value`.
    pub(crate) fn contains(&self, kind: Yes, value: &str) -> bool {
        let has = |value: &str| self.0.contains(&format!("{} {value}", kind.name()));
        is_one_line(value) && (has(value) || has(ANY))
    }
}

/// The command that records a yes, to be pasted into a shell; `None` if there is no place for it, or `value` has
/// characters that do not show as what they are.
pub(crate) fn command(kind: Yes, value: &str) -> Option<String> {
    let path = place().filter(|path| !is_inside(path))?;
    let directory = path.parent()?.to_str().filter(|text| shows(text))?;
    if !shows(value) {
        return None;
    }
    let line = quoted(&format!("{} {value}", kind.name()));
    let (directory, path) = (quoted(directory), quoted(path.to_str()?));
    Some(format!("mkdir -p {directory} && echo {line} >> {path}"))
}

/// True if files of this user are this user's word: their own, those of root, and under `sudo` those of who gave it.
pub(crate) fn is_ours(uid: u32) -> bool {
    let us = rustix::process::geteuid();
    let sudo = || std::env::var("SUDO_UID").ok().and_then(|text| text.parse().ok());
    uid == 0 || uid == us.as_raw() || (us.is_root() && sudo() == Some(uid))
}

/// True if the working directory is trusted, whoever it and what is in it belongs to.
///
/// # Errors
/// When the record cannot be read.
pub(crate) fn is_directory_trusted() -> Result<bool, CommandError> {
    let Ok(here) = fs::canonicalize(".") else { return Ok(false) };
    if let Some(trusted) = std::env::var_os(DIRECTORY_VARIABLE).filter(|value| !value.is_empty()) {
        let path = Path::new(&trusted);
        if trusted == OsStr::new(ANY) || (path.is_absolute() && fs::canonicalize(path).is_ok_and(|path| path == here)) {
            return Ok(true);
        }
    }
    let Some(here) = here.to_str() else { return Ok(false) };
    Ok(Trust::load()?.contains(Yes::Directory, here))
}

/// Refuses a working directory of another user, unless it is trusted: what it says would be done with the credentials
/// of who runs the command. A line to tell if everybody may write to it.
///
/// # Errors
/// When that is so.
pub(crate) fn check_directory() -> Result<Option<String>, CommandError> {
    let data = fs::metadata(".").map_err(|error| CommandError::file("look at", Path::new("."), &error))?;
    if !is_ours(data.uid()) && !is_directory_trusted()? {
        let here = fs::canonicalize(".").unwrap_or_else(|_| PathBuf::from("."));
        let (uid, us) = (data.uid(), rustix::process::geteuid().as_raw());
        let message = format!(
            "{} belongs to user {uid}, and you are user {us}: what it declares would be done with your credentials",
            here.display()
        );
        return Err(trusting(CommandError::config(message)));
    }
    let open = data.mode() & OTHERS_WRITE != 0;
    Ok(open.then(|| "every user of this machine may write to this directory, and so decide what is done".to_owned()))
}

/// With the ways to trust the working directory.
pub(crate) fn trusting(error: CommandError) -> CommandError {
    let here = fs::canonicalize(".").ok().and_then(|path| path.to_str().map(str::to_owned));
    let error = match here.and_then(|here| command(Yes::Directory, &here)) {
        Some(command) => error.hint(format!("if you trust it, say so: {command}")),
        None => error,
    };
    error.hint(format!("for a run of its own, as in CI: set {DIRECTORY_VARIABLE} to the path of the directory"))
}

/// Where the record is kept, there or not.
fn place() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let config = absolute("XDG_CONFIG_HOME").or_else(|| absolute("HOME").map(|home| home.join(".config")))?;
    Some(config.join("aloka/trusted"))
}

/// True if the path leads into the working directory, as far as it leads anywhere.
fn is_inside(path: &Path) -> bool {
    let Ok(here) = fs::canonicalize(".") else { return true };
    let real = path.ancestors().find_map(|part| fs::canonicalize(part).ok());
    real.is_none_or(|real| real.starts_with(&here)) && here != Path::new("/")
}

fn is_one_line(value: &str) -> bool {
    !value.contains(['\n', '\r']) && value.trim() == value
}

/// True if every character of the text is one that shows, and shows as itself.
fn shows(text: &str) -> bool {
    is_one_line(text) && text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c.is_alphanumeric())
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_line_is_a_kind_and_the_whole_value() {
        let trust = Trust::parse("# mine\n\n directory /srv/a b \nstate /x\nendpoint http://h:1 /srv/a\n");
        for (kind, value, is) in [
            (Yes::Directory, "/srv/a b", true),
            (Yes::Directory, "/srv/a", false),
            (Yes::Directory, "/srv/a b/c", false),
            (Yes::Directory, "/x", false),
            (Yes::State, "/x", true),
            (Yes::Endpoint, "http://h:1 /srv/a", true),
            (Yes::Endpoint, "http://h:1", false),
            (Yes::Directory, "/srv/a b\nstate /x", false),
        ] {
            assert_eq!(trust.contains(kind, value), is, "{kind:?} {value}");
        }
        assert!(Trust::parse("directory *").contains(Yes::Directory, "/anything"));
        assert!(!Trust::parse("directory *").contains(Yes::State, "/anything"));
    }

    #[test]
    fn what_others_may_write_is_not_heard() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("trusted");
        assert_eq!(Trust::read(&path).expect("none yet"), Trust::default());
        fs::write(&path, "directory /srv\n").expect("written");
        assert!(Trust::read(&path).expect("read").contains(Yes::Directory, "/srv"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("mode");
        let error = Trust::read(&path).expect_err("anybody may have written it");
        assert!(error.message.contains("others than you"), "{error}");
    }

    #[test]
    fn words_of_a_shell_are_what_they_were() {
        for (text, word) in [("/srv/a", "/srv/a"), ("a b", "'a b'"), ("$(id)", "'$(id)'"), ("it's", "'it'\\''s'")] {
            assert_eq!(quoted(text), word);
        }
        for hidden in ["a\u{1b}[31m", "a\nb", "a\u{202e}b", "a\u{200b}b", "a\u{e0041}"] {
            assert!(!shows(hidden), "{hidden:?}");
        }
        assert!(shows("/home/jürgen/my stack"));
    }
}
