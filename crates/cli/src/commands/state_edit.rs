//! `aloka state mv`, `rm` and `push`: changing what is recorded. Nothing in AWS changes.

use std::io::Read as _;
use std::path::Path;

use aloka_core::state::edit::{self, EditError};
use aloka_core::state::{State, file};

use super::clear_text::{self, Place};
use super::{password, store};
use crate::args::{CloudArg, LockArgs, StateMvArgs, StatePushArgs, StateRmArgs};
use crate::backend::{Backend, Head};
use crate::error::{CommandError, CommandResult, Errors};
use crate::files;
use crate::io::Io;
use crate::view::reporter::Format;

/// Runs `aloka state mv`.
pub fn mv(io: &mut Io, cloud: Option<CloudArg>, args: &StateMvArgs) -> CommandResult {
    let StateMvArgs { dry_run, lock, source, destination } = args;
    let mut open = Open::new(io, cloud, lock, "state-mv")?;
    let (state, moved) = edit::mv(&open.state, source, destination).map_err(|error| told(&error))?;
    let verb = if *dry_run { "Would move" } else { "Move" };
    if !dry_run {
        open.write(io, state)?;
    }
    for (old, new) in &moved {
        io.out_line(&format!("{verb} \"{old}\" to \"{new}\""));
    }
    if !dry_run {
        io.out_line(&format!("Successfully moved {} object(s).", moved.len()));
    }
    Ok(0)
}

/// Runs `aloka state rm`.
pub fn rm(io: &mut Io, cloud: Option<CloudArg>, args: &StateRmArgs) -> CommandResult {
    let StateRmArgs { dry_run, lock, addresses } = args;
    let mut open = Open::new(io, cloud, lock, "state-rm")?;
    let (state, removed) = edit::rm(&open.state, addresses).map_err(|error| told(&error))?;
    let verb = if *dry_run { "Would remove" } else { "Removed" };
    if !dry_run {
        open.write(io, state)?;
    }
    for address in &removed {
        io.out_line(&format!("{verb} {address}"));
    }
    if !dry_run {
        io.out_line(&format!("Successfully removed {} resource instance(s).", removed.len()));
    }
    Ok(0)
}

/// Runs `aloka adopt -from-state`.
pub fn claim(
    io: &mut Io,
    cloud: Option<CloudArg>,
    lock: &LockArgs,
    addresses: &[String],
    dry_run: bool,
) -> CommandResult {
    let mut open = Open::new(io, cloud, lock, "adopt")?;
    let (state, claimed) = edit::claim(&open.state, addresses).map_err(|error| told(&error))?;
    let verb = if dry_run { "Would claim" } else { "Claimed" };
    if !dry_run && !claimed.is_empty() {
        open.write(io, state)?;
    }
    for address in &claimed {
        io.out_line(&format!("{verb} {address}"));
    }
    if claimed.is_empty() {
        io.out_line("Everything named is claimed already.");
    }
    Ok(0)
}

/// Runs `aloka state push`. Terraform's rules: the same history, and not older than what is stored.
pub fn push(io: &mut Io, cloud: Option<CloudArg>, args: &StatePushArgs) -> CommandResult {
    let StatePushArgs { force, lock, file: path } = args;
    let clear = read(path)?;
    let mut backend = store::open(io, cloud)?;
    if let Some(timeout) = lock.wait() {
        store::lock(io, &mut *backend, "state-push", timeout)?;
    }
    let stored = store::read(&*backend)?;
    let given = password::without_clear(clear.clone(), stored.as_ref())?;
    let place = store::place(cloud)?;
    let mut left: Vec<Place> = Vec::new();
    if clear.has_clear_password() && path != Path::new("-") {
        left.push(Place::File(path.clone()));
    }
    if let Some(stored) = &stored {
        if !force {
            check_push(&clear, stored)?;
        }
        if file::write(stored) == file::write(&given) {
            clear_text::tell(io, Format::Human, &place, left);
            return Ok(0);
        }
    }
    let head = stored.as_ref().map(Head::of);
    backend.replace(&given, head.as_ref()).map_err(|error| store::error(&error))?;
    store::unlock(&mut *backend);
    if stored.is_some_and(|stored| stored.has_clear_password()) && matches!(place, Place::Object { .. }) {
        left.push(place.clone());
    }
    clear_text::tell(io, Format::Human, &place, left);
    Ok(0)
}

fn check_push(given: &State, stored: &State) -> Result<(), CommandError> {
    let hint = "give -force to store it all the same";
    let refuse = |message: String| Err(CommandError::conflict(message).hint(hint));
    if !given.lineage.is_empty() && !stored.lineage.is_empty() && given.lineage != stored.lineage {
        return refuse(format!(
            "cannot import state with lineage \"{}\" over unrelated state with lineage \"{}\"",
            given.lineage, stored.lineage
        ));
    }
    if given.serial < stored.serial {
        return refuse(format!(
            "cannot import state with serial {} over newer state with serial {}",
            given.serial, stored.serial
        ));
    }
    if given.serial == stored.serial && file::write(given) != file::write(stored) {
        return refuse(format!(
            "cannot overwrite existing state with serial {} with a different state that has the same serial",
            given.serial
        ));
    }
    Ok(())
}

fn read(path: &Path) -> Result<State, CommandError> {
    let most = u64::try_from(file::SIZE_MAX).unwrap_or(u64::MAX);
    let bytes = if path == Path::new("-") {
        let mut bytes = Vec::new();
        let stdin = std::io::stdin().take(most.saturating_add(1)).read_to_end(&mut bytes);
        stdin.map(|_| bytes).map_err(|error| CommandError::file("read", path, &error))?
    } else {
        files::named(path, most)?
    };
    let unusable = |why: &dyn std::fmt::Display| CommandError::config(format!("cannot use {}: {why}", path.display()));
    if bytes.trim_ascii().is_empty() {
        return Err(unusable(&"it is empty").hint("name the file that holds the state"));
    }
    file::read_bytes(&bytes)
        .map_err(|error| unusable(&error).hint(error.way().unwrap_or("name a file that holds a whole state")))
}

fn told(error: &EditError) -> CommandError {
    let command = CommandError::user(error.to_string());
    match error {
        EditError::NotThere(_) | EditError::Address { .. } => command.hint("aloka state list    shows every address"),
        EditError::Taken { .. } => command.hint("forget what is there first: aloka state rm ADDRESS"),
        EditError::Unlike { .. } | EditError::File(_) => command,
    }
}

/// The state of this directory with its lock.
struct Open {
    backend: Box<dyn Backend>,
    /// Without a password in it.
    state: State,
    place: Place,
    /// True if there was one.
    was_clear: bool,
}

impl Open {
    fn new(io: &mut Io, cloud: Option<CloudArg>, lock: &LockArgs, operation: &str) -> Result<Self, Errors> {
        let mut backend = store::open(io, cloud)?;
        if let Some(timeout) = lock.wait() {
            store::lock(io, &mut *backend, operation, timeout)?;
        }
        match store::read(&*backend)? {
            Some(state) => {
                let was_clear = state.has_clear_password();
                let state = password::without_clear(state, None)?;
                Ok(Self { backend, state, place: store::place(cloud)?, was_clear })
            }
            None => {
                Err(CommandError::user("there is no state yet").hint("it is made by the first: aloka apply").into())
            }
        }
    }

    fn write(&mut self, io: &mut Io, mut state: State) -> Result<(), CommandError> {
        state.serial = self.state.serial.saturating_add(1);
        self.backend.write(&state).map_err(|error| store::error(&error))?;
        let versions = self.was_clear && matches!(self.place, Place::Object { .. });
        clear_text::tell(io, Format::Human, &self.place, versions.then(|| self.place.clone()).into_iter().collect());
        Ok(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        store::unlock(&mut *self.backend);
    }
}
