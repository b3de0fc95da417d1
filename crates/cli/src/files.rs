//! How files are opened. Who named a file decides what it may be:
//!
//! - nobody (what aloka keeps itself: record, account, lock, backup): a plain file with one name, of this user; no link
//!   is followed, nor one that stands for its directory;
//! - the directory (`.tf`, variables files, user data that they name): a plain file in the directory, also by a link;
//! - the command line: wherever it leads, and also a pipe.
//!
//! Whatever it is, no more than a limit is read, and nobody is waited for who is not there.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read as _, Write};
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::backend::atomic;
use crate::error::CommandError;
use crate::output::{descriptor, directory_of, resolve, told};
use crate::trust::{is_directory_trusted, is_ours, trusting};

/// The most that is read of a device.
const DEVICE_MAX: u64 = 1 << 20;
/// How long the other end of a pipe is waited for.
const OTHER_END: Duration = Duration::from_secs(5);
/// The pause between two looks at it.
const LOOK: Duration = Duration::from_millis(10);

/// Why a file is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// A link stands where a file of aloka's own belongs.
    #[error("it is a link, and nobody named it, so it is not followed")]
    Link,
    /// It is something else than a file.
    #[error("it is {0}, not a file")]
    Kind(&'static str),
    /// It has hard links.
    #[error("it has {0} names: what is written to it changes another file, too")]
    Names(u64),
    /// It is somebody else's.
    #[error("it belongs to user {0}, not to you")]
    Owner(u32),
    /// What stands where its directory belongs.
    #[error("its directory is {0}, and nobody named it, so it is not followed")]
    Place(&'static str),
    /// A link leads out of the directory.
    #[error("it leads to {}, outside of this directory", .0.display())]
    Outside(PathBuf),
    /// The other end of a pipe is not open.
    #[error("it is a pipe, and nobody is at its other end")]
    Alone,
}

impl From<Refused> for io::Error {
    fn from(refused: Refused) -> Self {
        Self::other(refused)
    }
}

impl Refused {
    /// The reason, if it is one of these.
    pub(crate) fn of(error: &io::Error) -> Option<&Self> {
        error.get_ref()?.downcast_ref()
    }

    /// What to do about it, one line.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Link | Self::Place(_) => {
                "see where it leads, and have a plain file or directory of yours in its place"
            }
            Self::Kind(_) => "see what it is: a plain file belongs there",
            Self::Names(_) => "if it is yours, put a copy of it in its place",
            Self::Owner(_) => "if it is yours, chown it; if not, ask whose it is",
            Self::Outside(_) => "name it on the command line, or put a copy of it here",
            Self::Alone => "name a file, or start what writes or reads there first",
        }
    }

    /// The error with what to do about it.
    pub(crate) fn hinted(&self, error: CommandError) -> CommandError {
        match self {
            Self::Owner(_) => trusting(error.hint(self.hint())),
            Self::Link | Self::Kind(_) | Self::Names(_) | Self::Place(_) | Self::Outside(_) | Self::Alone => {
                error.hint(self.hint())
            }
        }
    }
}

/// Opens the plain file that stands at `path` itself.
///
/// # Errors
/// [`Refused`] when something else stands there, and whatever the operating system says.
pub(crate) fn plain(path: &Path, write: bool) -> io::Result<File> {
    // Some devices act on being opened, so it is looked at first.
    check_plain(&fs::symlink_metadata(path)?)?;
    let mode = if write { OFlags::RDWR } else { OFlags::RDONLY };
    let flags = mode | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => File::from(file),
        Err(Errno::LOOP) => return Err(Refused::Link.into()),
        Err(error) => return Err(error.into()),
    };
    check_plain(&file.metadata()?)?;
    Ok(file)
}

fn check_plain(data: &Metadata) -> Result<(), Refused> {
    match data.file_type() {
        what if what.is_symlink() => Err(Refused::Link),
        what if !what.is_file() => Err(Refused::Kind(told(what))),
        _ => Ok(()),
    }
}

/// Refuses a file that is not this user's alone; that of user `also` is accepted.
pub(crate) fn check_own(data: &Metadata, also: Option<u32>) -> Result<(), Refused> {
    check_plain(data)?;
    if data.nlink() > 1 {
        return Err(Refused::Names(data.nlink()));
    }
    check_owner(data, also)
}

fn check_owner(data: &Metadata, also: Option<u32>) -> Result<(), Refused> {
    let uid = data.uid();
    if is_ours(uid) || also == Some(uid) || is_directory_trusted().unwrap_or(false) {
        return Ok(());
    }
    Err(Refused::Owner(uid))
}

/// Refuses to use what stands at `path`, where aloka keeps a file of its own. False if nothing is there.
///
/// # Errors
/// See [`Refused`].
pub(crate) fn check_implied(path: &Path) -> io::Result<bool> {
    let there = check_place(directory_of(path)).and_then(|()| Ok(check_own(&fs::symlink_metadata(path)?, None)?));
    match there {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Refuses a directory that is none, or is somebody else's.
fn check_place(directory: &Path) -> io::Result<()> {
    let data = fs::symlink_metadata(directory)?;
    match data.file_type() {
        what if !what.is_dir() => Err(Refused::Place(told(what)).into()),
        _ => Ok(check_owner(&data, None).map_err(|_| Refused::Place("another user's"))?),
    }
}

/// All of a file of aloka's own; `None` if there is none.
///
/// # Errors
/// When it is not what aloka left there, has more than `most` bytes, or cannot be read.
pub(crate) fn implied(path: &Path, most: u64) -> Result<Option<Vec<u8>>, CommandError> {
    let open = || -> io::Result<Option<File>> {
        if !check_implied(path)? {
            return Ok(None);
        }
        let file = plain(path, false)?;
        check_own(&file.metadata()?, None)?;
        Ok(Some(file))
    };
    let file = open().map_err(|error| CommandError::file("read", path, &error))?;
    file.map(|file| all(file, path, most)).transpose()
}

/// Makes the directory of a file of aloka's own, unless it is there.
///
/// # Errors
/// When something else is, or it cannot be made.
pub(crate) fn make_directory_of(path: &Path) -> io::Result<()> {
    let directory = directory_of(path);
    DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    check_place(directory)
}

/// Puts a new file in the place of one of aloka's own, for its owner alone, and makes its directory.
///
/// # Errors
/// When something else is there, or it cannot be written. What was there before is whole then.
pub(crate) fn replace_implied(path: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    make_directory_of(path)?;
    check_implied(path)?;
    atomic::replace(path, None, fill, |_| Ok(())).map(drop)
}

/// The same for one that begins with `bytes` and is written on.
///
/// # Errors
/// See [`replace_implied`].
pub(crate) fn begin_implied(path: &Path, bytes: &[u8]) -> io::Result<File> {
    make_directory_of(path)?;
    check_implied(path)?;
    atomic::replace(path, None, |new| new.write_all(bytes), |_| Ok(()))
}

/// All of a file that the directory declares something with.
///
/// # Errors
/// When it is outside of the directory, no plain file, somebody else's, has more than `most` bytes or cannot be read.
pub(crate) fn within(path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    let open = || -> io::Result<File> {
        // A link that leads nowhere is told of by where that would be.
        let real = fs::canonicalize(path).or_else(|_| resolve(path))?;
        if real.is_absolute() && !real.starts_with(fs::canonicalize(".")?) {
            return Err(Refused::Outside(real).into());
        }
        let file = plain(&real, false)?;
        check_owner(&file.metadata()?, None)?;
        Ok(file)
    };
    all(open().map_err(|error| CommandError::file("read", path, &error))?, path, most)
}

/// The same for text.
///
/// # Errors
/// Also when it is not UTF-8.
pub(crate) fn within_text(path: &Path, most: u64) -> Result<String, CommandError> {
    text(path, within(path, most)?)
}

/// All of a file that the command line names. Never reads more, whatever the file turns out to be.
///
/// # Errors
/// When it cannot be read or has more than `most` bytes.
pub(crate) fn named(path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    let open = || -> io::Result<(File, u64, Option<u8>)> {
        let what = fs::metadata(path)?.file_type();
        if what.is_fifo() && descriptor(path).is_none() {
            return open_written(path).map(|(file, first)| (file, most, first));
        }
        if what.is_char_device() {
            return Ok((File::open(path)?, most.min(DEVICE_MAX), None));
        }
        // A pipe that is left is one that this process was given open, as the shell does for `<(...)`.
        if !what.is_file() && !what.is_fifo() {
            return Err(Refused::Kind(told(what)).into());
        }
        Ok((File::open(path)?, most, None))
    };
    let (file, most, first) = open().map_err(|error| CommandError::file("read", path, &error))?;
    all_after(first, file, path, most)
}

/// The same for text.
///
/// # Errors
/// Also when it is not UTF-8.
pub(crate) fn named_text(path: &Path, most: u64) -> Result<String, CommandError> {
    text(path, named(path, most)?)
}

/// Opens a pipe that has a name once somebody writes there, and reads a first byte if there is one yet. With nobody at
/// its other end, reading from it would never end.
fn open_written(path: &Path) -> io::Result<(File, Option<u8>)> {
    let open = rustix::fs::open(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty())?;
    let mut file = File::from(open);
    let began = Instant::now();
    let mut byte = [0_u8];
    let first = loop {
        match file.read(&mut byte) {
            Ok(0) if began.elapsed() < OTHER_END => std::thread::sleep(LOOK),
            Ok(0) => return Err(Refused::Alone.into()),
            Ok(_) => break Some(byte[0]),
            // Who writes there takes its time.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => break None,
            Err(error) => return Err(error),
        }
    };
    rustix::fs::fcntl_setfl(&file, OFlags::RDONLY)?;
    Ok((file, first))
}

/// Opens a pipe or a device to write there; a pipe once somebody reads from it.
pub(crate) fn open_read(path: &Path) -> io::Result<File> {
    if !fs::metadata(path)?.file_type().is_fifo() || descriptor(path).is_some() {
        return File::options().write(true).open(path);
    }
    let began = Instant::now();
    loop {
        match rustix::fs::open(path, OFlags::WRONLY | OFlags::NONBLOCK | OFlags::CLOEXEC, Mode::empty()) {
            Ok(file) => {
                rustix::fs::fcntl_setfl(&file, OFlags::WRONLY)?;
                return Ok(File::from(file));
            }
            Err(Errno::NXIO) if began.elapsed() < OTHER_END => std::thread::sleep(LOOK),
            Err(Errno::NXIO) => return Err(Refused::Alone.into()),
            Err(error) => return Err(error.into()),
        }
    }
}

fn all(file: File, path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    all_after(None, file, path, most)
}

fn all_after(first: Option<u8>, file: File, path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    let read = || -> io::Result<Option<Vec<u8>>> {
        if file.metadata()?.len() > most {
            return Ok(None);
        }
        // What is no plain file may have no length, and what is one may grow.
        let mut bytes: Vec<u8> = first.into_iter().collect();
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(Some(bytes).filter(|bytes| u64::try_from(bytes.len()).is_ok_and(|length| length <= most)))
    };
    if let Some(bytes) = read().map_err(|error| CommandError::file("read", path, &error))? {
        return Ok(bytes);
    }
    let error = CommandError::config(format!("{} has more than {most} bytes, the most that is read", path.display()));
    Err(error.hint("check that it is the file you mean"))
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, CommandError> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        CommandError::config(format!("{} is not UTF-8 text: byte {at} begins no character", path.display()))
            .hint("save it as UTF-8, and check that it is the file you mean")
    })
}
