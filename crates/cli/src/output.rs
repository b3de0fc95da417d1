//! Files that a command line names to be written: what may be written over, and how.
//!
//! A device or a pipe is written into, a link is followed, and a file is replaced whole, but only one that is empty or
//! holds what is written there now: a saved plan or a trace. A state is never written over, whatever its name. Out of the
//! directory, a link is followed only to what is such a file already.

use std::fs::{self, File, FileType, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use aloka_core::state::form::{self, BYTE_ORDER_MARK, Form};
use rustix::fs::{Access, access};

use crate::backend::atomic::{MODE, replace};
use crate::error::CommandError;
use crate::files;
use crate::io::write_json;
use crate::planfile;

/// How much of a file is read to tell what it holds.
const HEAD: u64 = 1 << 16;
/// As many links are followed in a row; Linux follows no more.
const LINKS_MAX: usize = 40;

/// What is written to a file that the command line names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A saved plan, by `-out`.
    Plan,
    /// The trace of a rehearsal, by `-trace`.
    Trace,
    /// A receipt, by `-receipt`.
    Receipt,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing but blanks.
    Empty,
    /// A state, Terraform's or ours, of any format, whole or not.
    State,
    /// A saved plan of ours, of any format.
    Plan,
    /// A trace, of any format.
    Trace,
    /// A receipt, of any format.
    Receipt,
    /// Anything else.
    Other,
}

impl Content {
    /// What the file at `path` holds, as far as its beginning tells. Whoever asks has seen that it is a file.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        if fs::metadata(path)?.len() == 0 {
            return Ok(Self::Empty);
        }
        let mut head = Vec::new();
        File::open(path)?.take(HEAD).read_to_end(&mut head)?;
        Ok(Self::of_head(&head))
    }

    /// What else the file at `path` is, if that is known by name.
    pub(crate) fn form(path: &Path) -> Option<Form> {
        let mut head = Vec::new();
        File::open(path).ok()?.take(HEAD).read_to_end(&mut head).ok()?;
        form::of_bytes(&head)
    }

    /// What a file holds that begins like this.
    pub(crate) fn of_head(head: &[u8]) -> Self {
        let head = head.strip_prefix(BYTE_ORDER_MARK.as_bytes()).unwrap_or(head);
        let has = |key: &str| head.windows(key.len()).any(|bytes| bytes == key.as_bytes());
        let mark = format!("\"{}\"", planfile::MARK);
        let trimmed = head.trim_ascii();
        if trimmed.is_empty() && head.len() < usize::try_from(HEAD).unwrap_or(usize::MAX) {
            Self::Empty
        } else if begins_with_key(head, "kind").is_some_and(|value| value.starts_with(mark.as_bytes())) {
            Self::Plan
        } else if begins_with_key(head, "aloka_trace").is_some() {
            Self::Trace
        } else if begins_with_key(head, "receipt").is_some() {
            Self::Receipt
        } else if trimmed.starts_with(b"{")
            && (has("\"lineage\"") || (has("\"serial\"") && has("\"terraform_version\"")))
        {
            Self::State
        } else {
            Self::Other
        }
    }
}

/// What follows `{"key":` if `text` begins with that.
fn begins_with_key<'a>(text: &'a [u8], key: &str) -> Option<&'a [u8]> {
    let next =
        |text: &'a [u8], token: &str| Some(text.trim_ascii_start().strip_prefix(token.as_bytes())?.trim_ascii_start());
    next(next(next(text, "{")?, &format!("\"{key}\""))?, ":")
}

/// Where `path` leads once every link is followed, also if nothing is there.
pub(crate) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            Ok(target) => path = directory_of(&path).join(target),
            // It is not a link, or nothing is there.
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::NotFound) => {
                let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
                return Ok(fs::canonicalize(directory_of(&path)).map_or_else(|_| path.clone(), |real| real.join(name)));
            }
            Err(error) => return Err(error),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

/// The directory that `path` is in.
pub(crate) fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What this is, for people; files are files.
pub(crate) fn told(what: FileType) -> &'static str {
    if what.is_dir() {
        "a directory"
    } else if what.is_fifo() {
        "a pipe"
    } else if what.is_socket() {
        "a socket"
    } else if what.is_char_device() || what.is_block_device() {
        "a device"
    } else if what.is_symlink() {
        "a link"
    } else {
        "a file"
    }
}

/// The open descriptor of this process that `path` names (`/dev/stdout`, `/dev/fd/3`), by itself or through links.
pub(crate) fn descriptor(path: &Path) -> Option<u32> {
    let ours = fs::canonicalize("/proc/self/fd").ok()?;
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        if fs::canonicalize(directory_of(&path)).ok()? == ours {
            return path.file_name()?.to_str()?.parse().ok();
        }
        path = directory_of(&path).join(fs::read_link(&path).ok()?);
    }
    None
}

/// How a destination is written.
enum Way {
    /// It is a device or a pipe, and stays one.
    Into,
    /// It is a file that this process was given open: what is written there so far stays.
    Descriptor(u32),
    /// It is this file, or will be.
    Replace(PathBuf),
}

/// A file that the command line names, and what is to be written there.
pub(crate) struct Output<'a> {
    named: &'a Path,
    kind: Kind,
    kept: &'a [PathBuf],
    /// True if the command line does not name it.
    implied: bool,
}

impl<'a> Output<'a> {
    /// Refuses a destination that may not be written over, before there is anything to write. `kept` are the files
    /// that something else will be written to, there or not.
    ///
    /// # Errors
    /// When it is neither of this kind nor empty, or cannot be written.
    pub(crate) fn new(named: &'a Path, kind: Kind, kept: &'a [PathBuf]) -> Result<Self, CommandError> {
        let output = Self { named, kind, kept, implied: false };
        output.way()?;
        Ok(output)
    }

    /// The same for one that nobody named: no link is followed.
    ///
    /// # Errors
    /// See [`Output::new`] and [`Refused`](crate::files::Refused).
    pub(crate) fn implied(path: &'a Path, kind: Kind, kept: &'a [PathBuf]) -> Result<Self, CommandError> {
        let output = Self { named: path, kind, kept, implied: true };
        output.way()?;
        Ok(output)
    }

    /// Writes it; looks again at what is there first. Not while the state is locked: looking closes a file, and if this
    /// is the state, its lock would be lost.
    ///
    /// # Errors
    /// See [`Output::new`]. What was there before is whole, unless it can only be written in place.
    pub(crate) fn write(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let way = self.way()?;
        self.make_directory().map_err(|error| self.failed(&error))?;
        let written = match way {
            Way::Into => files::open_read(self.named).and_then(|mut file| write_json(&mut file, bytes)),
            Way::Descriptor(number) => append(number, self.named).and_then(|mut file| write_json(&mut file, bytes)),
            Way::Replace(path) => self.replace(&path, bytes),
        };
        written.map_err(|error| self.failed(&error))
    }

    /// Where it goes if it is to be written while a run goes on; `None` for what is written into at its end: a device, a
    /// pipe or a file that this process was given open. To be asked for while the state is not locked.
    ///
    /// # Errors
    /// See [`Output::new`].
    pub(crate) fn place(&self) -> Result<Option<Place>, CommandError> {
        match self.way()? {
            Way::Into | Way::Descriptor(_) => Ok(None),
            Way::Replace(path) => {
                let seen = Seen::at(&path).map_err(|error| self.failed(&error))?;
                Ok(Some(Place { named: self.named.to_owned(), path, seen }))
            }
        }
    }

    /// Directories for a trace are made.
    fn make_directory(&self) -> io::Result<()> {
        match self.kind {
            _ if self.implied => files::make_directory_of(self.named),
            Kind::Trace => fs::create_dir_all(directory_of(self.named)),
            Kind::Plan | Kind::Receipt => Ok(()),
        }
    }

    fn replace(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        replaced(path, bytes)?.sync_all()
    }

    /// Decides how it is written, if it may be.
    fn way(&self) -> Result<Way, CommandError> {
        if self.implied && !files::check_implied(self.named).map_err(|error| self.failed(&error))? {
            return Ok(Way::Replace(self.named.to_owned()));
        }
        let what = match fs::metadata(self.named) {
            Ok(data) => data.file_type(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return self.new_file().map(Way::Replace),
            Err(error) => return Err(self.failed(&error)),
        };
        if what.is_fifo() || what.is_char_device() {
            return Ok(Way::Into);
        }
        if !what.is_file() {
            return Err(self.refused(&format!("is {}, and {} is not written there", told(what), self.thing())));
        }
        if let Some(number) = descriptor(self.named) {
            return self.may_append(number).map(|()| Way::Descriptor(number));
        }
        let path = resolve(self.named).map_err(|error| self.failed(&error))?;
        match (Content::of(&path).map_err(|error| CommandError::file("read", self.named, &error))?, self.kind) {
            (Content::Empty, _) => self.check_lead(&path)?,
            (Content::Plan, Kind::Plan) | (Content::Trace, Kind::Trace) | (Content::Receipt, Kind::Receipt) => {}
            (Content::State, _) => return Err(self.is_state()),
            (Content::Plan | Content::Trace | Content::Receipt | Content::Other, _) => {
                return Err(self.refused(&format!("is not {}, so it is not overwritten", self.thing())));
            }
        }
        self.check_kept(&path)?;
        access(&path, Access::WRITE_OK).map_err(|error| self.failed(&error.into()))?;
        Ok(Way::Replace(path))
    }

    /// Nothing is there yet.
    fn new_file(&self) -> Result<PathBuf, CommandError> {
        let path = resolve(self.named).map_err(|error| self.failed(&error))?;
        self.check_lead(&path)?;
        self.check_kept(&path)?;
        match access(directory_of(&path), Access::WRITE_OK | Access::EXEC_OK) {
            // Directories for a trace are made.
            Err(rustix::io::Errno::NOENT) if self.kind == Kind::Trace => Ok(path),
            Err(error) => Err(self.failed(&error.into())),
            Ok(()) => Ok(path),
        }
    }

    /// A file that the shell opened: to what it opened for output, something may have been written already.
    fn may_append(&self, number: u32) -> Result<(), CommandError> {
        match Content::of(self.named) {
            Ok(Content::State) => Err(self.is_state()),
            Ok(Content::Empty) => Ok(()),
            // What is told goes there, too.
            Ok(_) | Err(_) if matches!(number, 1 | 2) => Ok(()),
            Ok(Content::Plan | Content::Trace | Content::Receipt | Content::Other) => {
                Err(self.refused("is an open file that is not empty, so nothing is written there"))
            }
            Err(error) => Err(CommandError::file("read", self.named, &error)),
        }
    }

    /// Refuses to make a file where a link leads that the command line does not show: out of this directory, and out of
    /// the one that it names. A link may be anybody's, and what is written holds names that are anybody's, too.
    fn check_lead(&self, path: &Path) -> Result<(), CommandError> {
        let is_elsewhere =
            self.named.is_absolute() || self.named.components().any(|part| part == std::path::Component::ParentDir);
        let here = Some(Path::new(".")).into_iter().chain(is_elsewhere.then_some(directory_of(self.named)));
        let leads_there = |directory: &Path| fs::canonicalize(directory).is_ok_and(|real| path.starts_with(real));
        // Without a directory there is no link in it.
        if here.into_iter().any(leads_there) || !directory_of(path).exists() {
            return Ok(());
        }
        Err(self.refused(&format!(
            "leads to {}, outside of this directory, which is not {}",
            path.display(),
            self.thing()
        )))
    }

    fn check_kept(&self, path: &Path) -> Result<(), CommandError> {
        if self.kept.iter().any(|kept| kept == path) {
            return Err(self.refused("is where a state, or what belongs to it, is written"));
        }
        Ok(())
    }

    fn is_state(&self) -> CommandError {
        self.refused("holds a state, which is never overwritten")
    }

    fn refused(&self, why: &str) -> CommandError {
        let flag = match self.kind {
            Kind::Plan => "-out",
            Kind::Trace => "-trace",
            Kind::Receipt => "-receipt",
        };
        CommandError::user(format!("{} {why}", self.named.display()))
            .hint(format!("name another file with {flag}=FILE"))
    }

    fn failed(&self, error: &io::Error) -> CommandError {
        let what = match self.kind {
            Kind::Plan => "write the plan to",
            Kind::Trace => "write",
            Kind::Receipt => "write the receipt to",
        };
        CommandError::file(what, self.named, error)
    }

    fn thing(&self) -> &'static str {
        match self.kind {
            Kind::Plan => "a saved plan",
            Kind::Trace => "a trace",
            Kind::Receipt => "a receipt",
        }
    }
}

/// What stood at a path when it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Seen(Option<(u64, u64, u64, i64, i64)>);

impl Seen {
    fn at(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(data) => Ok(Self(Some((data.dev(), data.ino(), data.len(), data.mtime(), data.mtime_nsec())))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self(None)),
            Err(error) => Err(error),
        }
    }
}

/// A file that may be replaced by one that grows, as long as nobody changes it first.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    named: PathBuf,
    path: PathBuf,
    seen: Seen,
}

impl Place {
    /// The file as the command line names it.
    pub(crate) fn named(&self) -> &Path {
        &self.named
    }

    /// Puts a new file there that holds `bytes`, for its owner alone. What stands there is not opened, so that it may be
    /// done while the state is locked.
    ///
    /// # Errors
    /// When something else stands there by now, or it cannot be written.
    pub(crate) fn begin(&self, bytes: &[u8]) -> Result<File, CommandError> {
        let failed = |error: io::Error| CommandError::file("write", &self.named, &error);
        if Seen::at(&self.path).map_err(failed)? != self.seen {
            let message = format!("{} was written by another process meanwhile", self.named.display());
            return Err(CommandError::conflict(message).hint("name a file that nothing else writes"));
        }
        replaced(&self.path, bytes).map_err(failed)
    }
}

/// Puts a new file in the place of another, or new bytes into the other, and leaves it open to be written on.
fn replaced(path: &Path, bytes: &[u8]) -> io::Result<File> {
    // It is for its owner alone, whatever was there.
    match replace(path, None, |new| new.write_all(bytes), |_| Ok(())) {
        // A file that is mounted by itself, or in a directory of somebody else, can be written but not replaced.
        Err(error) if is_fixed(&error) && path.exists() => {
            let mut file = OpenOptions::new().write(true).truncate(true).open(path)?;
            // Whose it is may be somebody else.
            let _as_it_was = file.set_permissions(Permissions::from_mode(MODE));
            file.write_all(bytes)?;
            Ok(file)
        }
        result => result,
    }
}

/// True if a file could not be replaced for a reason that does not keep it from being written.
fn is_fixed(error: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem, ResourceBusy};
    matches!(error.kind(), PermissionDenied | ReadOnlyFilesystem | ResourceBusy)
}

/// The open file with this number, to write where it stands; `path` names it.
fn append(number: u32, path: &Path) -> io::Result<File> {
    crate::io::descriptor(number).unwrap_or_else(|| OpenOptions::new().append(true).open(path))
}

#[cfg(test)]
mod tests;
