//! Where this directory's state lives, and reading it for commands that only look.

use aloka_core::state::State;

use crate::backend::{Backend, BackendError, LocalBackend};
use crate::error::{CommandError, ErrorKind};

/// The state file of a directory, as Terraform has it.
pub const STATE_FILE: &str = "terraform.tfstate";

/// The backend of this directory.
pub fn open() -> LocalBackend {
    LocalBackend::new(STATE_FILE)
}

/// What a backend could not do.
pub fn error(error: &BackendError) -> CommandError {
    let kind = match error {
        BackendError::Io { .. } | BackendError::Unusable { .. } => ErrorKind::Config,
        BackendError::Lineage { .. }
        | BackendError::Serial { .. }
        | BackendError::Locked { .. }
        | BackendError::LockId { .. } => ErrorKind::Conflict,
    };
    let command = CommandError::new(kind, error.to_string());
    match error.hint() {
        Some(hint) => command.hint(hint),
        None => command,
    }
}

/// The state, if there is one. Needs no lock: a state is replaced whole.
pub fn read(backend: &dyn Backend) -> Result<Option<State>, CommandError> {
    backend.read().map_err(|failure| error(&failure))
}

/// The state of this directory; an empty one if there is none.
pub fn read_here() -> Result<State, CommandError> {
    Ok(read(&open())?.unwrap_or_else(|| State::new("")))
}
