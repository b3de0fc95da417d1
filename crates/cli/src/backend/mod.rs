//! Where the state lives: reading, guarded writing, locking.
//!
//! A lock is a courtesy that saves work; what keeps an update from being lost is that a write is refused unless its
//! serial is the successor of the one stored. A backend never decides what is in a state: text and value are turned
//! into each other by [`aloka_core::state::file`] alone.

pub(crate) mod atomic;
pub mod local;
pub mod lock;

#[cfg(test)]
mod contract;
#[cfg(test)]
mod memory;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use aloka_core::state::State;
use aloka_core::state::file::ReadError;

pub use self::local::LocalBackend;
pub use self::lock::LockInfo;

/// A place that holds one state.
pub trait Backend {
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

    /// Takes the lock, or waits for it up to `timeout`. `operation` tells others what it is held for.
    ///
    /// # Errors
    /// [`BackendError::Locked`] when another holds it.
    fn lock(&mut self, operation: &str, timeout: Duration) -> Result<(), BackendError>;

    /// Gives the lock back. Does nothing if it is not held.
    fn unlock(&mut self);

    /// Removes the lock with this ID, left behind by somebody who cannot remove it any more.
    ///
    /// # Errors
    /// When there is no such lock, or its holder is alive.
    fn force_unlock(&mut self, id: &str) -> Result<(), BackendError>;

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
    /// What is stored is no state this release can use.
    #[error("cannot use {place}: {source}")]
    Unusable {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        source: ReadError,
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
    /// Another holds the lock.
    #[error("{place} is locked{}", lock::holder(.info.as_deref()))]
    Locked {
        /// What is locked.
        place: String,
        /// Who holds it, if they said so.
        info: Option<Box<LockInfo>>,
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

/// What to do about a state that cannot be used.
const RESTORE: &str = "restore it from its backup, or move it out of the way";

impl BackendError {
    /// What to do about it, one line.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Io { source, .. } if source.kind() == io::ErrorKind::InvalidData => Some(RESTORE.to_owned()),
            Self::Io { .. } => None,
            Self::Unusable { .. } => Some(RESTORE.to_owned()),
            Self::Lineage { .. } => Some("this is the state of another stack: check the state path".to_owned()),
            Self::Serial { .. } => {
                Some("another run wrote this state: run `aloka plan` again to see where things stand".to_owned())
            }
            Self::Locked { .. } => {
                Some("wait until that run has ended, or give `-lock-timeout=5m` to wait for it".to_owned())
            }
            Self::LockId { info, .. } => {
                info.as_ref().map(|info| format!("if nobody runs any more: aloka force-unlock {}", info.id))
            }
        }
    }
}
