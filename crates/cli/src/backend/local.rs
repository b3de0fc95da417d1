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

use aloka_core::shell::Command;
use aloka_core::state::{State, file};
use rustix::fs::{Access, FlockOperation, access};

use super::atomic::{MODE, clear, replace, take_after};
use super::lock::{self, LockInfo, WAITING};
use super::{Backend, BackendError, Head, Version};
use crate::files;
use crate::output::{Content, directory_of, resolve, told};
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
    /// True if a link led to it.
    linked: bool,
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

impl Held {
    /// Writes into the lock info who holds it. A new one gets mode and owner of the state: whoever may write that may
    /// open this, also if its holder is killed.
    fn tell(&mut self, text: &str, new: bool) -> io::Result<()> {
        if new {
            take_after(&self.info, &self.state.metadata()?)?;
        }
        self.info.set_len(0)?;
        self.info.seek(SeekFrom::Start(0))?;
        self.info.write_all(text.as_bytes())
    }
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
        let linked = fs::symlink_metadata(&path).is_ok_and(|data| data.is_symlink());
        // A link that leads nowhere has no canonical form yet.
        let real = fs::canonicalize(&path).or_else(|error| if linked { resolve(&path) } else { Err(error) });
        let path = real.unwrap_or(path);
        Self { path, linked, held: None, backed_up: false, written: None }
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

    /// All that it writes.
    pub fn files(&self) -> [PathBuf; 3] {
        [self.path.clone(), self.backup_path(), self.lock_info_path()]
    }

    /// Refuses a place that no file is in: a device would be replaced, and a pipe waited for.
    fn check_place(&self) -> Result<(), BackendError> {
        match fs::metadata(&self.path).map(|data| data.file_type()) {
            Ok(what) if !what.is_file() => Err(not_ours(&self.path, told(what), "a state file")),
            // Whoever opens it tells what is wrong.
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// Refuses to replace a backup that is none or is not to be written. Not while the state is locked: the two may be one file, and see above.
    fn check_backup(&self) -> Result<(), BackendError> {
        let path = self.backup_path();
        match fs::symlink_metadata(&path) {
            Ok(data) => {
                files::check_own(&data, self.owner()).map_err(|refused| at("replace", &path)(refused.into()))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(at("read", &path)(error)),
        }
        access(&path, Access::WRITE_OK).map_err(|error| at("write", &path)(error.into()))?;
        check_content(&path, "a backup of the state")
    }

    /// Who has the state: the lock and the backup beside it are made theirs.
    fn owner(&self) -> Option<u32> {
        fs::metadata(&self.path).ok().map(|data| data.uid())
    }

    fn parse(&self, bytes: &[u8]) -> Result<State, BackendError> {
        file::read_bytes(bytes).map_err(|source| {
            let restore = source.way().is_none().then(|| self.restore()).flatten().map(|(text, _)| text);
            BackendError::Unusable { place: self.describe(), source, restore }
        })
    }

    /// True if a file without contents stands where the backup records objects: who wrote it last was cut short. One that was made
    /// to be locked is another thing.
    fn was_emptied(&self) -> bool {
        let is_made = self.held.as_ref().is_some_and(|held| held.made);
        !is_made && self.path.exists() && self.restore().is_some_and(|(_, objects)| objects > 0)
    }

    /// How to get back what is in the backup, if that is whole, and how many objects it records.
    fn restore(&self) -> Option<(Box<str>, usize)> {
        let path = self.backup_path();
        let most = u64::try_from(file::SIZE_MAX).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        files::plain(&path, false).ok()?.take(most).read_to_end(&mut bytes).ok()?;
        let state = file::read_bytes(&bytes).ok().filter(|state| !state.lineage.is_empty())?;
        let (serial, objects) = (state.serial, state.objects().count());
        let copy = Command::new("cp").file(path.to_str()?)?.file(self.path.to_str()?)?;
        Some((format!("its backup is whole, serial {serial}; restore it with: {copy}").into(), objects))
    }

    /// The bytes stored; an empty file is how Terraform marks a state that was never written.
    fn load(&self) -> Result<Option<Vec<u8>>, BackendError> {
        self.check_place()?;
        let failed = at("read", &self.path);
        let read = || -> io::Result<Option<Vec<u8>>> {
            let held = self.held.as_ref().filter(|held| same_file(&held.state, &self.path));
            let opened;
            let mut file = match held {
                Some(held) => &held.state,
                None => match files::plain(&self.path, false) {
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
            Ok(Some(bytes).filter(|bytes| !bytes.trim_ascii().is_empty()))
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
                if self.held.is_none() {
                    self.check_backup()?;
                }
                let backup = self.backup_path();
                let _file = replace(&backup, Some(&self.path), |new| new.write_all(&bytes), |_| Ok(()))
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
        self.check_place()?;
        let directory = directory_of(&self.path);
        let mutex = write_mutex(directory).map_err(at("lock", directory))?;
        if mutex.is_some() && !self.backed_up {
            clear(&self.path);
            clear(&self.backup_path());
        }
        self.guard(check)?;
        let locking = self.held.is_some();
        let keep_locked = |file: &File| -> io::Result<()> {
            if locking {
                rustix::fs::fcntl_lock(file, FlockOperation::NonBlockingLockExclusive)?;
            }
            Ok(())
        };
        let file = replace(&self.path, Some(&self.path), |new| file::write_to(state, new), keep_locked)
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
        let (info, info_made) = loop {
            let (file, made) = open(&info_path).map_err(at("open", &info_path))?;
            match file.try_lock() {
                Ok(()) if same_file(&file, &info_path) => {
                    self.check_lock(&file, &info_path, made)?;
                    break (file, made);
                }
                // Its last holder removed it while it was being opened.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(locked()),
                Err(TryLockError::Error(error)) => return Err(at("lock", &info_path)(error)),
            }
        };
        let opened = loop {
            let (file, made) = match open(&self.path) {
                Ok(opened) => opened,
                Err(error) => break Err(at("open", &self.path)(error)),
            };
            match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if same_file(&file, &self.path) => break Ok((file, made)),
                Ok(()) => {}
                // Whoever has it goes on with the file, whoever made it.
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => break Err(locked()),
                Err(error) => {
                    remove_empty(&file, &self.path, made);
                    break Err(at("lock", &self.path)(error.into()));
                }
            }
        };
        let (state, made) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                // One that is not empty is Terraform's.
                remove_empty(&info, &info_path, info_made);
                return Err(error);
            }
        };
        let mut held = Held { info_path, info, first: None, state, made };
        let text = LockInfo::new(operation, &self.path.to_string_lossy()).to_json();
        if let Err(error) = held.tell(&text, info_made) {
            let error = at("write", &held.info_path)(error);
            self.release(&held);
            return Err(error);
        }
        Ok(held)
    }

    /// Refuses to empty a file unless it is a lock that a dead run left and belongs to this user or to the state's owner.
    fn check_lock(&self, file: &File, path: &Path, made: bool) -> Result<(), BackendError> {
        if made {
            return Ok(());
        }
        let data = file.metadata().map_err(at("open", path))?;
        files::check_own(&data, self.owner()).map_err(|refused| at("lock", path)(refused.into()))?;
        let mut bytes = Vec::new();
        let read = file.take(lock::SIZE_MAX.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(at("read", path))?;
        // A machine that went down may leave zeros.
        let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || c == '\0');
        let is_lock = |text: &str| is_blank(text) || LockInfo::parse(text).is_some();
        if data.len() <= lock::SIZE_MAX && std::str::from_utf8(&bytes).is_ok_and(is_lock) {
            return Ok(());
        }
        Err(not_ours(path, "another kind of file", "a lock"))
    }

    /// Leaves nothing of the lock behind.
    fn release(&self, held: &Held) {
        // What was made for the lock alone goes with it. Failing to remove it hurts nobody: neither file blocks.
        remove_empty(&held.state, &self.path, held.made);
        if same_file(&held.info, &held.info_path) {
            let _left_behind = fs::remove_file(&held.info_path);
        }
    }

    fn lock_info(&self) -> Option<LockInfo> {
        let mut text = String::new();
        let file = files::plain(&self.lock_info_path(), false).ok()?;
        file.take(lock::SIZE_MAX).read_to_string(&mut text).ok()?;
        LockInfo::parse(&text)
    }
}

impl Backend for LocalBackend {
    fn read(&self) -> Result<Option<State>, BackendError> {
        match self.load()? {
            Some(bytes) => self.parse(&bytes).map(Some),
            None if self.was_emptied() => {
                let (place, source) = (self.describe(), file::ReadError::Emptied);
                Err(BackendError::Unusable { place, source, restore: self.restore().map(|(text, _)| text) })
            }
            None => Ok(None),
        }
    }

    fn write(&mut self, state: &State) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_successor(stored, state, &place))
    }

    fn replace(&mut self, state: &State, over: Option<&Head>) -> Result<(), BackendError> {
        let place = self.describe();
        self.store(state, |stored| Head::check_same(stored, over, &place))
    }

    fn remove(&mut self) -> Result<(), BackendError> {
        for path in [&self.path, &self.backup_path()] {
            match fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(at("remove", path)(error)),
            }
        }
        self.written = None;
        Ok(())
    }

    fn lock(&mut self, operation: &str, timeout: Duration, tell: &mut dyn FnMut(&str)) -> Result<(), BackendError> {
        if self.held.is_none() {
            self.check_place()?;
            self.check_backup()?;
            if self.linked && self.path.exists() {
                // Nothing is left beside what is somebody else's.
                check_content(&self.path, "a state")?;
            }
        }
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

    fn unlock(&mut self) -> Option<BackendError> {
        if let Some(held) = self.held.take() {
            self.release(&held);
        }
        None
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
            let data = if is_current { fs::metadata(&path) } else { fs::symlink_metadata(&path) };
            match data {
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

fn not_ours(path: &Path, found: &'static str, wanted: &'static str) -> BackendError {
    BackendError::NotOurs { path: path.to_owned(), found, wanted }
}

/// Refuses a file with other contents, as far as its beginning tells: somebody may be writing it.
fn check_content(path: &Path, wanted: &'static str) -> Result<(), BackendError> {
    match Content::of(path).map_err(at("read", path))? {
        Content::Empty | Content::State => Ok(()),
        Content::Plan | Content::Trace | Content::Receipt | Content::Other => {
            Err(not_ours(path, Content::form(path).map_or("another kind of file", |form| form.what), wanted))
        }
    }
}

/// Opens a plain file, and says whether it was made for that.
fn open(path: &Path) -> io::Result<(File, bool)> {
    loop {
        match OpenOptions::new().read(true).write(true).mode(MODE).create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match files::plain(path, true) {
                // Its last holder removed it just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                opened => return opened.map(|file| (file, false)),
            },
            made => return made.map(|file| (file, true)),
        }
    }
}

/// Removes a file that this process made and nobody has written to.
fn remove_empty(file: &File, path: &Path, made: bool) {
    if made && file.metadata().is_ok_and(|data| data.len() == 0) && same_file(file, path) {
        let _left_behind = fs::remove_file(path);
    }
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
