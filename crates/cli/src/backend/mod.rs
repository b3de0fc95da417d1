//! Where the state lives: reading, guarded writing, locking.
//!
//! A lock is a courtesy that saves work; what keeps an update from being lost is that a write is refused unless its
//! serial is the successor of the one stored. A backend never decides what is in a state: text and value are turned
//! into each other by [`aloka_core::state::file`] alone.

pub(crate) mod atomic;
pub mod local;
pub mod lock;
#[cfg(feature = "aws")]
pub mod s3;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod memory;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use aloka_core::api::ApiError;
use aloka_core::remote::Silence;
use aloka_core::shell::Command;
use aloka_core::state::State;
use aloka_core::state::file::ReadError;
use aloka_core::time::Human;

use crate::files::Refused;

pub use self::local::LocalBackend;
pub use self::lock::LockInfo;

/// Lineage and serial: what decides whether a state may follow another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The history.
    pub lineage: String,
    /// Which state of it.
    pub serial: u64,
}

impl Head {
    /// That of `state`.
    pub fn of(state: &State) -> Self {
        Self { lineage: state.lineage.to_string(), serial: state.serial }
    }

    /// Refuses a state that is not the successor of the one stored at `place`.
    ///
    /// # Errors
    /// [`BackendError::Lineage`], [`BackendError::Serial`].
    pub(crate) fn check_successor(stored: Option<&Self>, state: &State, place: &str) -> Result<(), BackendError> {
        let place = place.to_owned();
        if let Some(head) = stored.filter(|head| *head.lineage != *state.lineage) {
            let (stored, ours) = (head.lineage.clone(), state.lineage.to_string());
            return Err(BackendError::Lineage { place, stored, ours });
        }
        let serial = stored.map_or(0, |head| head.serial);
        if serial.checked_add(1) != Some(state.serial) {
            return Err(BackendError::Serial { place, stored: serial, ours: state.serial });
        }
        Ok(())
    }

    /// Refuses to go on unless exactly `expected` is stored at `place`.
    ///
    /// # Errors
    /// [`BackendError::Changed`].
    pub(crate) fn check_same(stored: Option<&Self>, expected: Option<&Self>, place: &str) -> Result<(), BackendError> {
        if stored == expected {
            return Ok(());
        }
        let (stored, expected) = (Self::told(stored), Self::told(expected));
        Err(BackendError::Changed { place: place.to_owned(), stored, expected })
    }

    fn told(head: Option<&Self>) -> String {
        head.map_or_else(|| "no state".to_owned(), ToString::to_string)
    }
}

/// `serial 27 of lineage 9c0ea5c0-…`
impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "serial {} of lineage {}", self.serial, self.lineage)
    }
}

/// One state that a backend still has, the current one included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// Names it to the backend: a version ID of S3, a file.
    pub id: String,
    /// When it was written, RFC 3339 in UTC.
    pub written: String,
    /// Its length in bytes.
    pub size: u64,
    /// True for the one that is read now.
    pub is_current: bool,
}

/// A place that holds one state.
pub trait Backend: Send {
    /// The state stored; `None` if none was ever written.
    ///
    /// # Errors
    /// When it cannot be reached, or what it holds is no state.
    fn read(&self) -> Result<Option<State>, BackendError>;

    /// Stores `state` durably: once this returns, no crash takes it back, and no reader ever sees half of it.
    ///
    /// # Errors
    /// When its lineage is not the one stored or its serial not exactly one more, and when it cannot be stored.
    /// Whatever the error, the state stored before is whole.
    fn write(&mut self, state: &State) -> Result<(), BackendError>;

    /// Stores `state` durably, whatever its serial, if exactly `over` is stored (`None`: nothing): for a state that
    /// comes from elsewhere. What an apply writes goes through [`Backend::write`].
    ///
    /// # Errors
    /// [`BackendError::Changed`] when something else is stored, and when it cannot be stored.
    fn replace(&mut self, state: &State, over: Option<&Head>) -> Result<(), BackendError>;

    /// Removes the state, whose lock is held, for good: afterwards none was ever written.
    ///
    /// # Errors
    /// When it cannot be removed, or not as it was read.
    fn remove(&mut self) -> Result<(), BackendError>;

    /// Takes the lock, or waits for it up to `timeout`. `operation` tells others what it is held for; `tell` is given
    /// a line when there is a wait that is worth one.
    ///
    /// # Errors
    /// [`BackendError::Locked`] when another holds it.
    fn lock(&mut self, operation: &str, timeout: Duration, tell: &mut dyn FnMut(&str)) -> Result<(), BackendError>;

    /// Gives the lock back; what is to be told if it stays. Does nothing if it is not held.
    fn unlock(&mut self) -> Option<BackendError>;

    /// Removes the lock with this ID, left behind by somebody who cannot remove it any more.
    ///
    /// # Errors
    /// When there is no such lock, or its holder is alive.
    fn force_unlock(&mut self, id: &str) -> Result<(), BackendError>;

    /// The states it still has, the newest first.
    ///
    /// # Errors
    /// When it cannot be reached.
    fn versions(&self) -> Result<Vec<Version>, BackendError>;

    /// How long ago the state was last written, by whomever; `None` if that is not known or it never was.
    fn age(&self) -> Option<Duration>;

    /// What it is and where, for people: `local state file terraform.tfstate`.
    fn describe(&self) -> String;
}

/// Why a backend could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Its answer.
        source: io::Error,
    },
    /// Something else is where a state, or what belongs to it, would be written.
    #[error("{} is {found}, not {wanted}, and is not overwritten", .path.display())]
    NotOurs {
        /// Where.
        path: PathBuf,
        /// What is there.
        found: &'static str,
        /// What may be there.
        wanted: &'static str,
    },
    /// What is stored is no state this release can use.
    #[error("cannot use {place}: {source}")]
    Unusable {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        source: ReadError,
        /// How to get back what was there before, if that is known.
        restore: Option<Box<str>>,
    },
    /// A request to the store was refused, or had no answer.
    #[error("cannot {action} {place}: {error}")]
    Remote {
        /// What was tried.
        action: &'static str,
        /// On what.
        place: String,
        /// The answer.
        error: Box<ApiError>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The state stored is not the one whose digest is kept beside it.
    #[error("{place} has the MD5 `{calculated}`, but `{id}` records `{stored}`: it is not the state last written")]
    Digest {
        /// Where the state is.
        place: String,
        /// The item of the digest.
        id: String,
        /// What the digest is; empty if there is no state.
        calculated: String,
        /// What the digest should be.
        stored: String,
        /// How to get back what was there before, if that is known.
        restore: Option<Box<str>>,
    },
    /// The lock was held, and is not any more: nothing is written.
    #[error("the lock of {place} was lost{}", match .info {
        Some(_) => format!("; it is held{} now", lock::holder(.info.as_deref())),
        None => "; it was removed".to_owned(),
    })]
    LockLost {
        /// What was locked.
        place: String,
        /// Who holds it now.
        info: Option<Box<LockInfo>>,
    },
    /// Another history is stored there.
    #[error("{place} holds lineage `{stored}`, the state to be written has `{ours}`")]
    Lineage {
        /// Where.
        place: String,
        /// Lineage stored.
        stored: String,
        /// Lineage of the state to be written.
        ours: String,
    },
    /// Somebody else wrote meanwhile.
    #[error("{place} holds serial {stored}, so the next is {}, not {ours}", .stored.saturating_add(1))]
    Serial {
        /// Where.
        place: String,
        /// Serial stored; 0 if there is none.
        stored: u64,
        /// Serial of the state to be written.
        ours: u64,
    },
    /// Something else is stored than what was to be replaced.
    #[error("{place} holds {stored}, not {expected}")]
    Changed {
        /// Where.
        place: String,
        /// What is stored.
        stored: String,
        /// What was to be replaced.
        expected: String,
    },
    /// Another holds the lock.
    #[error("{place} is locked{}", lock::holder(.info.as_deref()))]
    Locked {
        /// What is locked.
        place: String,
        /// Who holds it, if they said so.
        info: Option<Box<LockInfo>>,
    },
    /// Something stands where a lock would, and does not say whose it is.
    #[error("{place} is locked by {stands}, which names nobody: {found}")]
    LockForm {
        /// What is locked.
        place: String,
        /// Where the lock is.
        stands: String,
        /// What is there.
        found: &'static str,
        /// What `force-unlock` is given.
        id: String,
    },
    /// The lock could not be given back.
    #[error("{place} stays locked by {stands}, which this run could not remove: {error}")]
    LockStays {
        /// What is locked.
        place: String,
        /// Where the lock is.
        stands: String,
        /// The answer.
        error: Box<ApiError>,
        /// What it takes in IAM.
        permission: &'static str,
        /// How long it lives.
        lease: Duration,
        /// Its ID.
        id: String,
    },
    /// There is no lock with the ID given.
    #[error("{place}: no lock has the ID `{given}`{}", lock::holder(.info.as_deref()))]
    LockId {
        /// What the lock would be on.
        place: String,
        /// The ID given.
        given: String,
        /// The lock there is.
        info: Option<Box<LockInfo>>,
    },
}

/// What to do about a damaged state of which nobody knows a whole copy.
const RESTORE: &str = "put a whole copy of it in its place: a backup, or what version control or another machine has; if none is left, \
                       keep a copy of this one, empty it, and record what is in AWS with: aloka state recover";

impl BackendError {
    /// What to do about it, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidData => Some(RESTORE.to_owned()),
            Self::Io { source, .. } => Refused::of(source).map(|refused| refused.hint().to_owned()),
            Self::NotOurs { wanted, .. } if wanted.starts_with("a state") => Some(
                "see what it is: the state that belongs there comes back from its backup, or is recorded again with: aloka state \
                 recover"
                    .to_owned(),
            ),
            Self::NotOurs { wanted, .. } => Some(format!("{wanted} belongs there: keep this under another name")),
            Self::Unusable { source, restore, .. } => Some(match (source.way(), restore.as_deref()) {
                (None, restore) => restore.unwrap_or(RESTORE).to_owned(),
                (Some(way), None) => way.to_owned(),
                (Some(way), Some(restore)) => format!("{way}; or go back: {restore}"),
            }),
            Self::Remote { hint, .. } => hint.clone(),
            Self::Digest { calculated, id, restore, .. } => {
                let way = if calculated.is_empty() {
                    format!("if the state was removed on purpose, remove the item {id} from the table")
                } else {
                    format!("if the state is right as it is, set Digest of the item {id} to {calculated}")
                };
                let restore = restore.as_ref().map(|text| format!("; if not, {text}")).unwrap_or_default();
                Some(format!("wait a minute and try again, as somebody may be writing it; {way}{restore}"))
            }
            Self::LockLost { .. } => Some(
                "this run was silent for longer than its lease, or somebody gave force-unlock: run `aloka plan` to see \
                 where things stand"
                    .to_owned(),
            ),
            Self::Lineage { .. } => Some("this is the state of another stack: check the state path".to_owned()),
            Self::Serial { .. } | Self::Changed { .. } => {
                Some("another run wrote this state: run `aloka plan` again to see where things stand".to_owned())
            }
            Self::Locked { info, .. } => {
                let wait = "wait until that run has ended, or give `-lock-timeout=5m` to wait for it";
                let silence = info.as_deref().map(|info| info.silence(SystemTime::now()));
                let dead = |why: String| {
                    let unlock = info.as_deref().map(unlock).unwrap_or_default();
                    format!("{wait}; {why}: if that run is dead, {unlock}")
                };
                let is_foreign = info.as_deref().is_some_and(LockInfo::is_foreign);
                Some(match silence {
                    Some(Silence::None) | None if is_foreign => dead("it is not aloka's and never expires".to_owned()),
                    None | Some(Silence::None) => wait.to_owned(),
                    Some(Silence::TooLong(lease)) => {
                        dead(format!("it has been silent for longer than its lease of {}", Human(lease)))
                    }
                    Some(Silence::Just(lease) | Silence::Watch(lease)) => format!(
                        "its lease of {} is over without a sign of life, so that run is probably dead: run the command again, \
                         and it takes the lock over once it has watched it for as long",
                        Human(lease)
                    ),
                })
            }
            Self::LockForm { id, .. } => {
                let command = Command::new("aloka force-unlock").id(id).map(|command| command.to_string());
                let command = command.unwrap_or_else(|| "aloka force-unlock, with the bucket and key of the state".to_owned());
                Some(format!("it never expires; if nobody is at work on this state, remove it: {command}"))
            }
            Self::LockStays { permission, lease, id, .. } => {
                let command = Command::new("aloka force-unlock").id(id).map(|command| command.to_string());
                Some(format!(
                    "allow {permission}; aloka takes the lock over {} after this run, Terraform never does: {}",
                    Human(*lease),
                    command.unwrap_or_else(|| "aloka force-unlock, with its ID".to_owned())
                ))
            }
            Self::LockId { info, .. } => {
                info.as_ref().map(|info| format!("if nobody runs any more: {}", unlock(info)))
            }
        }
    }
}

/// How to remove a lock. Its ID is what somebody wrote there, and goes into a command only if it has the form of one.
fn unlock(info: &LockInfo) -> String {
    match Command::new("aloka force-unlock").id(&info.id) {
        Some(command) => command.to_string(),
        None => "see who wrote that ID, which no tool gives, and remove the lock by hand".to_owned(),
    }
}
