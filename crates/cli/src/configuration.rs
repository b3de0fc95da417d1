//! The files of this directory that Terraform takes for its configuration. What of them counts is decided by
//! [`aloka_core::variables`].

use std::fs;
use std::path::Path;

use aloka_core::variables::backend::Given;
use aloka_core::variables::configuration;

use crate::error::CommandError;
use crate::files;

/// As many bytes are read of all configuration files together.
const CONFIGURATION_MAX: u64 = 16 << 20;
/// As many bytes are read of a file of backend settings.
const SETTINGS_MAX: u64 = 1 << 20;
/// The longest end of a name that is told of a file that is not there.
const EXTENSION_MAX: usize = 10;

/// Their contents by name, in Terraform's order.
///
/// # Errors
/// When one cannot be read: it may say where the state lives.
pub fn files() -> Result<Vec<(String, String)>, CommandError> {
    let here = Path::new(".");
    let entries = fs::read_dir(here).map_err(|error| CommandError::file("list", here, &error))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let (mut found, mut left) = (Vec::new(), CONFIGURATION_MAX);
    for name in configuration::in_order(names) {
        let bytes = files::within(Path::new(&name), left)?;
        left = left.saturating_sub(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        found.push((name, String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(found)
}

/// What the flags `-backend-config` say, with the files read that they name. What has no `=` names a file, as in Terraform;
/// an empty one says that there is nothing more.
///
/// # Errors
/// When a file cannot be read.
pub fn given(flags: &[String]) -> Result<Vec<Given>, CommandError> {
    let of_flag = |flag: &String| {
        if flag.contains('=') {
            return Ok(Given::Setting(flag.clone()));
        }
        let path = Path::new(flag);
        if !has_extension(flag) && !path.exists() {
            // It may be a credential whose name was forgotten.
            let error = CommandError::user("-backend-config needs KEY=VALUE, or a file; what is given is neither");
            return Err(error.hint("for example: -backend-config='bucket=my-terraform-state'"));
        }
        Ok(Given::File { path: flag.clone(), contents: files::named_text(path, SETTINGS_MAX)? })
    };
    flags.iter().filter(|flag| !flag.is_empty()).map(of_flag).collect()
}

/// True for `prod.s3.tfbackend`, `backend.hcl`, `state.config`.
fn has_extension(name: &str) -> bool {
    let end = name.rsplit_once('.').map(|(_, end)| end);
    end.is_some_and(|end| (1..=EXTENSION_MAX).contains(&end.len()) && end.bytes().all(|b| b.is_ascii_alphanumeric()))
}
