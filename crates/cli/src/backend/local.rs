//! The state in a file of the working directory, as Terraform keeps it.
//!
//! A write goes to a new file that then takes the old one's place, both made durable, so that a reader and a crash
//! meet the old state or the new one and nothing between. Two locks are held: `flock` on the lock info file keeps
//! other runs of aloka away, a POSIX record lock on the state file is the one Terraform takes. Both die with the
//! process, so an info file that a dead run left behind blocks nobody.
//!
//! A POSIX lock is lost when *any* descriptor of its file is closed by the process: while it is held, the state is
//! read through the descriptor that holds it, and must not be opened by name anywhere else in this process.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use aloka_core::state::{State, file};
use rustix::fs::FlockOperation;

use super::atomic::{MODE, clear, replace};
use super::lock::{self, LockInfo, WAITING};
use super::{Backend, BackendError, Head, Version};
use crate::io::read_text_at_most;
use crate::rfc3339;

/// How long to wait for another process between its check of the serial and its rename.
const WRITE_MUTEX_WAIT: Duration = Duration::from_secs(10);
/// The first pause between two attempts at the lock; doubled up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause between two attempts at the lock.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// A state file on this machine.
pub struct LocalBackend {
    path: PathBuf,
    held: Option<Held>,
    /// True once the state before this run is in the backup file.
    backed_up: bool,
    /// What this handle wrote last, and how the file looked then: saves reading it all again before the next write.
    written: Option<(Stamp, Head)>,
}

/// The lock, while it is held.
struct Held {
    info_path: PathBuf,
    info: File,
    /// The file that was the state when the lock was taken, if it is another by now: kept locked, as somebody may
    /// have opened it before.
    first: Option<File>,
    /// The file that is the state now.
    state: File,
    /// True if the state file was made by taking the lock.
    made: bool,
}

/// What tells one version of a file from another without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    len: u64,
    changed: (i64, i64),
}

impl LocalBackend {
    /// The state file at `path`; nothing is opened yet. A symbolic link is followed, not replaced.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let path = fs::canonicalize(&path).unwrap_or(path);
        Self { path, held: None, backed_up: false, written: None }
    }

    /// Where the backup is kept.
    pub fn backup_path(&self) -> PathBuf {
        self.sibling("", ".backup")
    }

    /// Where the lock info is kept, as Terraform does.
    pub fn lock_info_path(&self) -> PathBuf {
        self.sibling(".", ".lock.info")
    }

    fn sibling(&self, prefix: &str, suffix: &str) -> PathBuf {
        let mut name = OsString::from(prefix);
        name.push(self.path.file_name().unwrap_or_default());
        name.push(suffix);
        self.path.with_file_name(name)
    }

    fn directory(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        }
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, BackendError> {
        // What is no text is no JSON: the reader says so in its own words.
        let unusable = |source| BackendError::Unusable { place: self.describe(), source, restore: None };
        file::read(&String::from_utf8_lossy(bytes)).map_err(unusable)
    }

    /// The bytes stored; an empty file is how Terraform marks a state that was never written.
    fn load(&self) -> Result<Option<Vec<u8>>, BackendError> {
        let failed = at("read", &self.path);
        let read = || -> io::Result<Option<Vec<u8>>> {
            let held = self.held.as_ref().filter(|held| same_file(&held.state, &self.path));
            let opened;
            let mut file = match held {
                Some(held) => &held.state,
                None => match File::open(&self.path) {
                    Ok(file) => {
                        opened = file;
                        &opened
                    }
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error),
                },
            };
            let limit = u64::try_from(file::SIZE_MAX).unwrap_or(u64::MAX);
            let mut bytes = Vec::new();
            file.seek(SeekFrom::Start(0))?;
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
        };
        let bytes = read().map_err(failed)?;
        match bytes {
            Some(bytes) if bytes.len() > file::SIZE_MAX => {
                let source = file::ReadError::TooLarge(bytes.len());
                Err(BackendError::Unusable { place: self.describe(), source, restore: None })
            }
            Some(_) | None => Ok(bytes),
        }
    }

    /// Refuses a state that `check`, which is shown the stored one, refuses; keeps the stored one as backup before the
    /// first write.
    fn guard(&mut self, check: impl FnOnce(Option<&Head>) -> Result<(), BackendError>) -> Result<(), BackendError> {
        let unchanged = |stamp: &Stamp| Stamp::of_path(&self.path).is_ok_and(|now| now == *stamp);
        let known = self.written.as_ref().filter(|(stamp, _)| unchanged(stamp));
        let (head, bytes) = match known {
            Some((_, head)) => (Some(head.clone()), None),
            None => {
                let bytes = self.load()?;
                let stored = bytes.as_deref().map(|bytes| self.parse(bytes)).transpose()?;
                (stored.as_ref().map(Head::of), bytes)
            }
        };
        check(head.as_ref())?;
        if !self.backed_up {
            if let Some(bytes) = bytes {
                let backup = self.backup_path();
                let _file = replace(&backup, &self.directory(), |new| new.write_all(&bytes), |_| Ok(()))
                    .map_err(at("write", &backup))?;
            }
            self.backed_up = true;
        }
        Ok(())
    }

    fn store(
        &mut self,
        state: &State,
        check: impl FnOnce(Option<&Head>) -> Result<(), BackendError>,
    ) -> Result<(), BackendError> {
        let directory = self.directory();
        let mutex = write_mutex(&directory).map_err(at("lock", &directory))?;
        if mutex.is_some() && !self.backed_up {
            clear(&self.path, &directory);
            clear(&self.backup_path(), &directory);
        }
        self.guard(check)?;
        let locking = self.held.is_some();
        let keep_locked = |file: &File| -> io::Result<()> {
            if locking {
                rustix::fs::fcntl_lock(file, FlockOperation::NonBlockingLockExclusive)?;
            }
            Ok(())
        };
        let file = replace(&self.path, &directory, |new| file::write_to(state, new), keep_locked)
            .map_err(at("write", &self.path))?;
        self.written = Stamp::of(&file).ok().map(|stamp| (stamp, Head::of(state)));
        if let Some(held) = &mut self.held {
            let replaced = std::mem::replace(&mut held.state, file);
            held.first.get_or_insert(replaced);
        }
        Ok(())
    }

    /// One attempt at the lock.
    fn try_lock(&self, operation: &str) -> Result<Held, BackendError> {
        let info_path = self.lock_info_path();
        let locked = || BackendError::Locked { place: self.describe(), info: self.lock_info().map(Box::new) };
        let mut info = loop {
            let file = open(&info_path).map_err(at("open", &info_path))?;
            match file.try_lock() {
                Ok(()) if same_file(&file, &info_path) => break file,
                // Its last holder removed it while it was being opened.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(locked()),
                Err(TryLockError::Error(error)) => return Err(at("lock", &info_path)(error)),
            }
        };
        let made = !self.path.exists();
        let state = loop {
            let file = open(&self.path).map_err(at("open", &self.path))?;
            match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if same_file(&file, &self.path) => break file,
                Ok(()) => {}
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => return Err(locked()),
                Err(error) => return Err(at("lock", &self.path)(error.into())),
            }
        };
        let text = LockInfo::new(operation, &self.path.to_string_lossy()).to_json();
        info.set_len(0).and_then(|()| info.write_all(text.as_bytes())).map_err(at("write", &info_path))?;
        Ok(Held { info_path, info, first: None, state, made })
    }

    fn lock_info(&self) -> Option<LockInfo> {
        LockInfo::parse(&read_text_at_most(&self.lock_info_path(), lock::SIZE_MAX).ok()?)
    }
}

impl Backend for LocalBackend {
    fn read(&self) -> Result<Option<State>, BackendError> {
        self.load()?.map(|bytes| self.parse(&bytes)).transpose()
    }

    fn write(&mut self, state: &State) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_successor(stored, state, &place))
    }

    fn replace(&mut self, state: &State, over: Option<&Head>) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_same(stored, over, &place))
    }

    fn lock(&mut self, operation: &str, timeout: Duration, tell: &mut dyn FnMut(&str)) -> Result<(), BackendError> {
        let deadline = Instant::now().checked_add(timeout);
        let mut pause = PAUSE_MIN;
        loop {
            let left = deadline.map_or(PAUSE_MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if self.held.is_none() {
                match self.try_lock(operation) {
                    Err(BackendError::Locked { .. }) if !left.is_zero() => {}
                    Err(error) => return Err(error),
                    Ok(held) => {
                        self.held = Some(held);
                        return Ok(());
                    }
                }
            } else if left.is_zero() {
                return Err(BackendError::Locked { place: self.describe(), info: self.lock_info().map(Box::new) });
            }
            if pause == PAUSE_MIN {
                tell(WAITING);
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn unlock(&mut self) {
        let Some(held) = self.held.take() else { return };
        // What was made for the lock alone goes with it. Failing to remove it hurts nobody: neither file blocks.
        if held.made && held.state.metadata().is_ok_and(|data| data.len() == 0) && same_file(&held.state, &self.path) {
            let _left_behind = fs::remove_file(&self.path);
        }
        if same_file(&held.info, &held.info_path) {
            let _left_behind = fs::remove_file(&held.info_path);
        }
    }

    fn force_unlock(&mut self, id: &str) -> Result<(), BackendError> {
        let info = self.lock_info();
        if info.as_ref().is_none_or(|info| info.id != id) {
            let info = info.map(Box::new);
            return Err(BackendError::LockId { place: self.describe(), given: id.to_owned(), info });
        }
        // Taking it is how to know that its holder is dead; giving it back removes the info file.
        self.lock("force-unlock", Duration::ZERO, &mut |_| {})?;
        self.unlock();
        Ok(())
    }

    fn versions(&self) -> Result<Vec<Version>, BackendError> {
        let files = [(self.path.clone(), true), (self.backup_path(), false)];
        let mut versions = Vec::new();
        for (path, is_current) in files {
            // Not opened: see above.
            match fs::metadata(&path) {
                Ok(data) if data.len() > 0 => versions.push(Version {
                    id: path.display().to_string(),
                    written: rfc3339::seconds(data.modified().map_err(at("read", &path))?),
                    size: data.len(),
                    is_current,
                }),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at("read", &path)(error)),
            }
        }
        Ok(versions)
    }

    fn age(&self) -> Option<Duration> {
        // Not opened: see above. A clock that was set back makes it look new, which is the safe side.
        // One without a byte was made by taking the lock: nothing was ever written.
        let written = fs::metadata(&self.path).ok().filter(|data| data.len() > 0)?.modified().ok()?;
        Some(written.elapsed().unwrap_or_default())
    }

    fn describe(&self) -> String {
        format!("state file {}", self.path.display())
    }
}

impl Drop for LocalBackend {
    fn drop(&mut self) {
        self.unlock();
    }
}

impl Stamp {
    fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|data| Self::from_metadata(&data))
    }

    fn of_path(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|data| Self::from_metadata(&data))
    }

    fn from_metadata(data: &fs::Metadata) -> Self {
        Self { file: (data.dev(), data.ino()), len: data.len(), changed: (data.ctime(), data.ctime_nsec()) }
    }
}

/// Turns an answer of the operating system into an error that says what was tried on what.
fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackendError {
    let path = path.to_owned();
    move |source| BackendError::Io { action, path, source }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(MODE).open(path)
}

/// True if `path` still leads to this open file.
fn same_file(file: &File, path: &Path) -> bool {
    match (Stamp::of(file), Stamp::of_path(path)) {
        (Ok(ours), Ok(theirs)) => ours.file == theirs.file,
        (Ok(_) | Err(_), Ok(_) | Err(_)) => false,
    }
}

/// Held between the check of the serial and the rename, by those with the lock and those without: of two who write
/// at once, the second sees what the first wrote. File systems that cannot lock a directory go without: `None`.
fn write_mutex(directory: &Path) -> io::Result<Option<File>> {
    let file = File::open(directory)?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if began.elapsed() < WRITE_MUTEX_WAIT => {
                std::thread::sleep(Duration::from_millis(5));
            }
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
