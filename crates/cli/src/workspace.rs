//! Which workspace is chosen, where Terraform looks for it: `TF_WORKSPACE`, or the file `environment` of its data directory,
//! which is `.terraform`, or what `TF_DATA_DIR` names.
//!
//! A workspace is another state. A name that leads elsewhere, and a file that cannot be read, are refused: to go on would be
//! to go on with the state of somebody else.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aloka_core::workspace::{DEFAULT, is_valid};

use crate::error::CommandError;
use crate::files;

/// Names a workspace, before the file that notes one.
pub const VARIABLE: &str = "TF_WORKSPACE";
/// Names Terraform's data directory.
const DATA_VARIABLE: &str = "TF_DATA_DIR";
/// Terraform's data directory, if the environment names no other.
const DATA_DIRECTORY: &str = ".terraform";
/// As many bytes are read of the file that notes a workspace.
const NOTE_MAX: u64 = 4 << 10;

/// A file of Terraform's data directory.
pub fn data_file(name: &str) -> PathBuf {
    let named = std::env::var_os(DATA_VARIABLE).filter(|value| !value.is_empty());
    named.map_or_else(|| PathBuf::from(DATA_DIRECTORY), PathBuf::from).join(name)
}

/// The contents of a file of Terraform's data directory; `None` if there is none.
///
/// # Errors
/// When it cannot be read, or the directory brings something else along.
pub fn read_data_file(path: &Path, most: u64) -> Result<Option<String>, CommandError> {
    match fs::symlink_metadata(path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
        // Where the environment names the directory, it may be anywhere.
        Ok(_) | Err(_) if path.starts_with(DATA_DIRECTORY) => files::within_text(path, most).map(Some),
        Ok(_) | Err(_) => files::named_text(path, most).map(Some),
    }
}

/// The workspace that the environment names.
///
/// # Errors
/// When that is no name of one.
pub fn of_environment() -> Result<Option<String>, CommandError> {
    let Some(name) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else { return Ok(None) };
    match name.into_string() {
        Ok(name) if is_valid(&name) => Ok(Some(name)),
        Ok(name) => Err(not_allowed(&name).hint(format!("{VARIABLE} names it: set it to another one, or unset it"))),
        Err(_) => Err(CommandError::user(format!("{VARIABLE} is not UTF-8 text")).hint("unset it")),
    }
}

/// The workspace that is chosen.
///
/// # Errors
/// When the file that notes it cannot be read, or what is noted is no name of one.
pub fn current() -> Result<String, CommandError> {
    if let Some(name) = of_environment()? {
        return Ok(name);
    }
    let path = data_file("environment");
    let noted = read_data_file(&path, NOTE_MAX)?.unwrap_or_default();
    match noted.trim() {
        "" => Ok(DEFAULT.to_owned()),
        name if is_valid(name) => Ok(name.to_owned()),
        // What it is, is not told: the file may be a link to anything here.
        _ => Err(CommandError::config(format!("{} holds what is not the name of a workspace", path.display()))
            .hint("choose one with: aloka workspace select default")),
    }
}

/// Notes which workspace is chosen.
///
/// # Errors
/// When it cannot be written, or something else stands there.
pub fn choose(name: &str) -> Result<(), CommandError> {
    let path = data_file("environment");
    files::replace_implied(&path, |new| new.write_all(name.as_bytes()))
        .map_err(|error| CommandError::file("write", &path, &error))
}

/// What Terraform says of a name that it does not allow.
pub fn not_allowed(name: &str) -> CommandError {
    CommandError::user(format!("the workspace name {name:?} is not allowed"))
        .hint("a name has letters, digits and -_.~$&+=:@ only, and is neither . nor ..")
}
