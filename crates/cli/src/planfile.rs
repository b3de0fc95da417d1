//! Saved plans: the plan, and what it was made from, so that apply can make it again and see whether it is the same.
//!
//! JSON, readable by its owner alone, written whole or not at all. Neither secrets nor anything to try them on is in it, and
//! nothing that chooses whose credentials are used. A release refuses the formats it does not know.

use std::collections::BTreeMap;
use std::path::Path;

use aloka_core::consent::Consent;
use aloka_core::plan::Password;
use aloka_core::plan::Plan;
use aloka_core::session::Inputs;
use aloka_core::variables::Variables;
use aloka_core::workspace;
use serde::{Deserialize, Serialize};

use crate::error::CommandError;
use crate::files;
use crate::output::{Content, Output};

/// The format written and read.
pub const FORMAT_VERSION: u32 = 3;
/// Larger files are refused.
const SIZE_MAX: u64 = 1 << 30;
/// Tells a saved plan from any other JSON.
pub(crate) const MARK: &str = "aloka plan";

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
    /// The workspace it was made for.
    #[serde(default = "default_workspace", skip_serializing_if = "is_default_workspace")]
    pub workspace: String,
    /// The variables it was made from; the secrets among them are not here.
    pub variables: Variables,
    /// Contents of the file `app_user_data` names.
    pub user_data: Option<String>,
    /// True if it was made with `-upgrade`.
    pub upgrade: bool,
    /// What the command line allowed when it was made.
    pub consent: Consent,
    /// The plan.
    pub plan: Plan,
}

fn default_workspace() -> String {
    workspace::DEFAULT.to_owned()
}

fn is_default_workspace(name: &String) -> bool {
    name == workspace::DEFAULT
}

impl PlanFile {
    /// A plan to be saved, without secrets and without what the state marks as sensitive: apply reads that from the state again.
    pub fn new(cloud: &str, workspace: &str, inputs: &Inputs, plan: &Plan) -> Self {
        let mut plan = plan.masked().into_owned();
        plan.secrets.clear();
        let Inputs { variables, user_data, mode: _, upgrade, password: _, consent, origins: _, recording: _ } = inputs;
        Self {
            kind: MARK.to_owned(),
            format_version: FORMAT_VERSION,
            aloka_version: env!("CARGO_PKG_VERSION").to_owned(),
            cloud: cloud.to_owned(),
            workspace: workspace.to_owned(),
            variables: Variables { aws_profile: None, ..variables.clone() },
            user_data: user_data.clone(),
            upgrade: *upgrade,
            consent: consent.clone(),
            plan,
        }
    }

    /// What the plan is made from once more. Whose credentials are used is for `profile` to say: that of this directory.
    pub fn inputs(&self, profile: Option<String>, password: Password) -> Inputs {
        Inputs {
            variables: Variables { aws_profile: profile, ..self.variables.clone() },
            user_data: self.user_data.clone(),
            mode: self.plan.mode,
            upgrade: self.upgrade,
            password,
            consent: self.consent.clone(),
            origins: BTreeMap::new(),
            recording: false,
        }
    }

    /// Writes it where `output` leads.
    ///
    /// # Errors
    /// When that may not be written over, or cannot be written.
    pub(crate) fn save(&self, output: &Output<'_>) -> Result<(), CommandError> {
        let text = serde_json::to_string(self).map_err(|error| CommandError::internal(error.to_string()))?;
        output.write(text.as_bytes())
    }

    /// Reads it back.
    ///
    /// # Errors
    /// When it is no saved plan of a format this release knows.
    pub fn load(path: &Path) -> Result<Self, CommandError> {
        Self::of(path, &Self::read(path)?)
    }

    /// The bytes of the file that a command line names as one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn read(path: &Path) -> Result<Vec<u8>, CommandError> {
        files::named(path, SIZE_MAX)
    }

    /// The saved plan that was read from `path`.
    ///
    /// # Errors
    /// See [`PlanFile::load`].
    pub(crate) fn of(path: &Path, bytes: &[u8]) -> Result<Self, CommandError> {
        Self::parse(bytes).map_err(|why| {
            CommandError::config(format!("{} is no saved plan: {why}", path.display()))
                .hint("make one with: aloka plan -out=FILE")
        })
    }

    /// True if these bytes are a plan, of aloka in any format, whole or not, or of Terraform.
    pub(crate) fn is_plan(bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK") || Content::of_head(bytes) == Content::Plan
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
        if !workspace::is_valid(&file.workspace) {
            return Err("it names a workspace that cannot be".to_owned());
        }
        file.plan.check()?;
        Ok(file)
    }
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
            (br#"{"kind":"x","format_version":3}"#, "`x`"),
            (later, "9.0.0"),
            (br#"{"kind":"aloka plan","format_version":3}"#, "missing field"),
        ] {
            let error = PlanFile::parse(bytes).expect_err("no plan");
            assert!(error.contains(why), "{error}");
        }
    }
}
