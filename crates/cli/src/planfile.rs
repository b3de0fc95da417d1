//! Saved plans: everything apply needs to send the planned calls and no others, except the secrets.
//!
//! JSON, readable by its owner alone, written whole or not at all. A release refuses the formats it does not know.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aloka_core::plan::Plan;
use aloka_core::session::Inputs;
use aloka_core::variables::Variables;
use serde::{Deserialize, Serialize};

use crate::error::CommandError;
use crate::io::read_at_most;

/// The format written and read.
pub const FORMAT_VERSION: u32 = 1;
/// Larger files are refused.
const SIZE_MAX: u64 = 1 << 30;
/// Tells a saved plan from any other JSON.
const MARK: &str = "aloka plan";

/// A saved plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanFile {
    /// [`MARK`].
    kind: String,
    /// [`FORMAT_VERSION`].
    format_version: u32,
    /// The release that wrote it, for people.
    aloka_version: String,
    /// The cloud it was made for: `aws` or `sim`.
    pub cloud: String,
    /// The variables it was made from; the secrets among them are not here.
    pub variables: Variables,
    /// Contents of the file `app_user_data` names.
    pub user_data: Option<String>,
    /// True if it was made with `-upgrade`.
    pub upgrade: bool,
    /// The plan.
    pub plan: Plan,
}

impl PlanFile {
    /// A plan to be saved.
    pub fn new(cloud: &str, inputs: &Inputs, plan: Plan) -> Self {
        // The password is known by its hash alone, and that is in the plan.
        let Inputs { variables, user_data, mode: _, upgrade, password: _ } = inputs;
        Self {
            kind: MARK.to_owned(),
            format_version: FORMAT_VERSION,
            aloka_version: env!("CARGO_PKG_VERSION").to_owned(),
            cloud: cloud.to_owned(),
            variables: variables.clone(),
            user_data: user_data.clone(),
            upgrade: *upgrade,
            plan,
        }
    }

    /// Writes it to `path`: first beside it, then in its place.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), CommandError> {
        let text = serde_json::to_string(self).map_err(|error| CommandError::internal(error.to_string()))?;
        write_whole(path, text.as_bytes()).map_err(|error| CommandError::file("write the plan to", path, &error))
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When it is no saved plan of a format this release knows.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        let wrong = |why: String| {
            CommandError::config(format!("{} is no saved plan: {why}", path.display()))
                .hint("make one with: aloka plan -out=FILE")
        };
        let bytes = read_at_most(path, SIZE_MAX)?;
        Self::parse(&bytes).map_err(wrong)
    }

    /// Reads it from bytes.
    ///
    /// # Errors
    /// Why they are no saved plan of a format this release knows.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            kind: String,
            format_version: u32,
            #[serde(default)]
            aloka_version: String,
        }
        if bytes.starts_with(b"PK") {
            return Err("it was written by Terraform".to_owned());
        }
        let head: Head = serde_json::from_slice(bytes).map_err(|_| "it is another kind of file".to_owned())?;
        if head.kind != MARK {
            return Err(format!("it says to be `{}`", head.kind));
        }
        if head.format_version != FORMAT_VERSION {
            let (found, release) = (head.format_version, head.aloka_version);
            return Err(format!(
                "format version {found}, written by aloka {release}; this release knows {FORMAT_VERSION}"
            ));
        }
        let file: Self = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        file.variables.check().map_err(|why| format!("its variables are not valid: {why}"))?;
        file.plan.check()?;
        Ok(file)
    }
}

/// Writes a file that only its owner may read, so that nobody ever sees half of it.
fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name: OsString = path.file_name().ok_or(io::ErrorKind::IsADirectory)?.to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside: PathBuf = path.with_file_name(name);
    let written = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        // What is left of it is of no use; if it cannot be removed either, the first error tells why.
        drop(fs::remove_file(&beside));
    }
    renamed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_what_is_no_plan_of_a_known_format() {
        let later = br#"{"kind":"aloka plan","format_version":99,"aloka_version":"9.0.0","new":1}"#;
        for (bytes, why) in [
            (&b"PK\x03\x04"[..], "Terraform"),
            (b"{}", "another kind"),
            (b"[", "another kind"),
            (br#"{"kind":"x","format_version":1}"#, "`x`"),
            (later, "9.0.0"),
            (br#"{"kind":"aloka plan","format_version":1}"#, "missing field"),
        ] {
            let error = PlanFile::parse(bytes).expect_err("no plan");
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn replaces_a_file_whole_and_keeps_it_private() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("tfplan");
        for text in ["one", "another"] {
            write_whole(&path, text.as_bytes()).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), text);
        }
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).expect("listed").count(), 1);
        assert!(write_whole(&dir.path().join("none/tfplan"), b"x").is_err());
    }
}
