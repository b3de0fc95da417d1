//! The workspaces that a backend holds: listing, making and removing them.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use aloka_core::variables::backend::{Backend as Configured, Local, STATE_FILE};
use aloka_core::workspace::{DEFAULT, is_valid};

use super::{in_workspace, local_file};
use crate::backend::Backend;
use crate::error::{CommandError, Errors};

/// Directories of workspaces that are made are for their owner alone, as the states in them.
const MODE: u32 = 0o700;
/// So many files that are in the way are told.
const TOLD_MAX: usize = 3;

/// The workspaces there are: the default one, which always is, then the others by name.
///
/// # Errors
/// When they cannot be listed.
pub fn list(configured: &Configured) -> Result<Vec<String>, Errors> {
    let mut found = match configured {
        Configured::Local(local) => local_ones(local)?,
        Configured::S3(_) => super::s3_ones(configured)?,
    };
    found.retain(|name| is_valid(name) && name != DEFAULT);
    found.sort();
    found.dedup();
    found.insert(0, DEFAULT.to_owned());
    Ok(found)
}

fn local_ones(local: &Local) -> Result<Vec<String>, CommandError> {
    let directory = Path::new(local.workspaces());
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(CommandError::file("list", directory, &error)),
    };
    // A link is none, as in Terraform.
    let directories = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|what| what.is_dir()));
    Ok(directories.filter_map(|entry| entry.file_name().into_string().ok()).collect())
}

/// Makes the directory that the state of a workspace is in, if it is not there.
///
/// # Errors
/// When it cannot be made, or would be outside of this directory.
pub(super) fn make_directory(local: &Local, workspace: &str) -> Result<(), CommandError> {
    let directory = directory(local, workspace);
    if workspace == DEFAULT || directory.is_dir() {
        return Ok(());
    }
    let failed = |error: io::Error| CommandError::file("make", &directory, &error);
    DirBuilder::new().recursive(true).mode(MODE).create(&directory).map_err(failed)
}

fn directory(local: &Local, workspace: &str) -> PathBuf {
    Path::new(local.workspaces()).join(workspace)
}

/// All that is written for a workspace.
fn files_of(local: &Local, workspace: &str) -> [PathBuf; 3] {
    let names = [STATE_FILE.to_owned(), format!("{STATE_FILE}.backup"), format!(".{STATE_FILE}.lock.info")];
    names.map(|name| directory(local, workspace).join(name))
}

/// True if the place of the state of a workspace was given on the command line, to `aloka init`.
///
/// # Errors
/// When what that recorded cannot be read.
pub fn is_own_word(configured: &Configured, workspace: &str) -> Result<bool, CommandError> {
    let record = super::Record::load()?.filter(|record| record.backend == *configured);
    Ok(record.is_some_and(|record| !record.of_terraform && super::is_own_word(&record.given, workspace)))
}

/// Makes a workspace, without a state or with an empty one, as Terraform does in such a backend.
///
/// # Errors
/// When it cannot be made.
pub fn create(configured: &Configured, workspace: &str) -> Result<(), Errors> {
    let own_word = is_own_word(configured, workspace)?;
    match configured {
        Configured::Local(local) => {
            // Tells whether a state may be made there.
            let _backend = local_file(local, workspace, own_word)?;
            Ok(make_directory(local, workspace)?)
        }
        Configured::S3(_) => {
            let mut backend = in_workspace(configured, workspace, own_word)?;
            let empty = aloka_core::state::State::new(crate::commands::flow::new_lineage());
            backend.replace(&empty, None).map_err(|error| super::error(&error).into())
        }
    }
}

/// Refuses to remove a workspace in whose directory is more than its state.
///
/// # Errors
/// When that is so.
pub fn check_removal(configured: &Configured, workspace: &str) -> Result<(), CommandError> {
    let Configured::Local(local) = configured else { return Ok(()) };
    let directory = directory(local, workspace);
    let ours = files_of(local, workspace);
    if let Some(link) = ours.iter().find(|path| path.is_symlink()) {
        let error = CommandError::user(format!("{} is a link, and is not removed", link.display()));
        return Err(error.hint("look where it leads, and move it out of the way"));
    }
    let entries = fs::read_dir(&directory).map_err(|error| CommandError::file("list", &directory, &error))?;
    let names = entries.flatten().map(|entry| entry.file_name());
    let mut others: Vec<String> = names
        .filter(|name| !ours.iter().any(|file| file.file_name() == Some(name)))
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    others.sort();
    let more = if others.len() > TOLD_MAX { ", …" } else { "" };
    others.truncate(TOLD_MAX);
    let message = format!("{} holds more than a state: {}{more}", directory.display(), others.join(", "));
    Err(CommandError::user(message).hint("move away what you want to keep, remove the rest, and try again"))
}

/// Removes the state of a workspace whose lock is held, and what belongs to it.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(configured: &Configured, workspace: &str, mut backend: Box<dyn Backend>) -> Result<(), CommandError> {
    match configured {
        Configured::Local(local) => {
            backend.remove().map_err(|failure| super::error(&failure))?;
            super::unlock(&mut *backend);
            let directory = directory(local, workspace);
            fs::remove_dir(&directory).map_err(|error| CommandError::file("remove", &directory, &error))
        }
        Configured::S3(_) => {
            backend.remove().map_err(|failure| super::error(&failure))?;
            super::unlock(&mut *backend);
            Ok(())
        }
    }
}
