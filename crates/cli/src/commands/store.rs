//! Where this directory's state lives, and reading it for commands that only look.

use std::time::Duration;

use aloka_core::state::State;

use crate::args::CloudArg;
use crate::backend::{Backend, BackendError, LocalBackend};
use crate::error::{CommandError, ErrorKind, Errors};
use crate::io::Io;

/// The state file of a directory, as Terraform has it.
pub const STATE_FILE: &str = "terraform.tfstate";

/// The backend of this directory, for a command that talks to `cloud`; nothing is sent yet.
///
/// # Errors
/// When the directory's configuration names a backend that cannot be used.
pub fn open(_cloud: Option<CloudArg>) -> Result<Box<dyn Backend>, Errors> {
    Ok(Box::new(LocalBackend::new(STATE_FILE)))
}

/// Takes the lock; a wait is told to people.
///
/// # Errors
/// When another holds it for longer than `timeout`.
pub fn lock(io: &mut Io, backend: &mut dyn Backend, operation: &str, timeout: Duration) -> Result<(), CommandError> {
    backend.lock(operation, timeout, &mut |line| io.err_line(line)).map_err(|failure| error(&failure))
}

/// What a backend could not do.
pub fn error(error: &BackendError) -> CommandError {
    let kind = match error {
        BackendError::Io { .. } | BackendError::Unusable { .. } => ErrorKind::Config,
        BackendError::Lineage { .. }
        | BackendError::Serial { .. }
        | BackendError::Changed { .. }
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
pub fn read_here(cloud: Option<CloudArg>) -> Result<State, Errors> {
    Ok(read(&*open(cloud)?)?.unwrap_or_else(|| State::new("")))
}
