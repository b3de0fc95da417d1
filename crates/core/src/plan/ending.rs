//! How a database ends: whether a final snapshot of it is made, under which name, and whether its backups outlive it.
//!
//! The variables decide; what they do not set is as the state records it. Nothing here knows which snapshots there are until
//! they were read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Problem;
use super::build::{Found, Inputs};
use super::{Change, standing};
use crate::intern;
use crate::kind::Kind;
use crate::names::snapshot_name_fault;
use crate::resource::{
    BACKUP_RETENTION, DB_FAILED, DELETE_AUTOMATED_BACKUPS, Ending, FINAL_SNAPSHOT_IDENTIFIER, Phase,
    SKIP_FINAL_SNAPSHOT,
};
use crate::settings::Setting;
use crate::state::Target;
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// What a setting is, for a database that has `present`.
fn wanted(attribute: &str, variables: &Variables, present: &ValueMap) -> Value {
    Setting::of(attribute).map(|setting| setting.wanted(variables, present)).unwrap_or_default()
}

/// The final snapshot that the variables, or else the attributes of a database, ask for: `None` for none, and the name if
/// they give one.
pub fn asked(variables: &Variables, present: &ValueMap) -> Option<Option<Arc<str>>> {
    let skips = wanted(SKIP_FINAL_SNAPSHOT, variables, present).as_bool() == Some(true);
    let name = wanted(FINAL_SNAPSHOT_IDENTIFIER, variables, present).shared_str();
    (!skips).then(|| name.filter(|name| !name.is_empty()))
}

/// The name that aloka gives the final snapshot of a database, unless it is taken.
pub fn first_name(present: &ValueMap) -> Arc<str> {
    let identifier = present.get("identifier").and_then(Value::as_str).unwrap_or("database");
    intern::text(&format!("{identifier}-final"))
}

/// A name of aloka's that is free. RDS does not tell small letters from capitals.
fn free_name(present: &ValueMap, taken: &BTreeSet<String>) -> Arc<str> {
    let first = first_name(present);
    let is_taken = |name: &str| taken.contains(&name.to_ascii_lowercase());
    let mut name = first.clone();
    // One more number than there are snapshots: one of them is free.
    for number in 2..taken.len().saturating_add(3) {
        if !is_taken(&name) {
            break;
        }
        name = intern::text(&format!("{first}-{number}"));
    }
    name
}

/// True if RDS makes no final snapshot of a database of this status (RDS API, DeleteDBInstance).
fn takes_no_snapshot(status: &str) -> bool {
    DB_FAILED.contains(&status)
        || status.starts_with("incompatible-")
        || status == "inaccessible-encryption-credentials-recoverable"
}

/// How the database that is at `target` ends.
///
/// # Errors
/// A final snapshot is asked for that RDS would not make.
pub(super) fn of(inputs: &Inputs<'_>, target: &Target, found: &Found) -> Result<Ending, Problem> {
    let present = &*found.attributes;
    let keeps_backups = wanted(DELETE_AUTOMATED_BACKUPS, inputs.variables, present).as_bool() == Some(false);
    let Some(asked) = asked(inputs.variables, present) else {
        return Ok(Ending { snapshot: None, keeps_backups, is_empty: false });
    };
    let impossible = |summary: String, hint: &str| Err(Problem::Impossible { summary, hint: hint.to_owned() });
    let status = present.get("status").and_then(Value::as_str).unwrap_or_default();
    let intent = inputs.state.private.intents.get(&target.address);
    if matches!(found.phase, Phase::Failed(_)) && standing::is_ours(Kind::DbInstance, present, intent) {
        return Ok(Ending { snapshot: None, keeps_backups, is_empty: true });
    }
    if takes_no_snapshot(status) {
        return impossible(
            format!("{target} is `{status}`: RDS makes no final snapshot of it"),
            "see to it in the AWS console, or set db_skip_final_snapshot = true to delete it without one",
        );
    }
    let nothing = BTreeSet::new();
    let taken = inputs.snapshots.unwrap_or(&nothing);
    let snapshot = match asked {
        None => free_name(present, taken),
        Some(name) => {
            if let Some(fault) = snapshot_name_fault(&name) {
                return impossible(
                    format!("{target}: the state records {name:?} as the name of its final snapshot, {fault}"),
                    "set db_final_snapshot_identifier to a name such as aloka-prod-db-final",
                );
            }
            if taken.contains(&name.to_ascii_lowercase()) {
                return impossible(
                    format!(
                        "{target}: its final snapshot is to be called {name}, and there is a snapshot of that name"
                    ),
                    "set db_final_snapshot_identifier to a name that is free",
                );
            }
            name
        }
    };
    Ok(Ending { snapshot: Some(snapshot), keeps_backups, is_empty: false })
}

fn days(attributes: &ValueMap) -> i64 {
    attributes.get(BACKUP_RETENTION).and_then(Value::as_i64).unwrap_or(0)
}

fn in_days(days: i64) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

impl Ending {
    /// What is kept of the data and what is not, a line each.
    pub(super) fn notes(&self, target: &Target, present: &ValueMap) -> Vec<String> {
        let Self { snapshot, keeps_backups, is_empty } = self;
        let snapshot = match (snapshot, is_empty) {
            (Some(name), _) => format!("{target}: a final snapshot of it is made before it is deleted, called {name}"),
            (None, true) => format!("{target}: no final snapshot of it is made, as it never came to work"),
            (None, false) => format!(
                "{target}: no final snapshot of it is made before it is deleted; db_skip_final_snapshot = false makes one"
            ),
        };
        let backups = (days(present) > 0).then(|| {
            let days = in_days(days(present));
            if *keeps_backups {
                format!("{target}: its automated backups of {days} outlive it, until they are as old as that")
            } else {
                format!(
                    "{target}: its automated backups of {days} are deleted with it; db_delete_automated_backups = false keeps \
                     them"
                )
            }
        });
        std::iter::once(snapshot).chain(backups).collect()
    }
}

/// What a change in place does to the automated backups that there are.
pub(super) fn lost_backups(change: &Change) -> Option<String> {
    let retention = change.attributes.iter().find(|attribute| &*attribute.name == BACKUP_RETENTION)?;
    let (before, after) = (retention.before.as_i64()?, retention.after.as_i64()?);
    let target = &change.target;
    if after == 0 && before > 0 {
        Some(format!("{target}: its automated backups of {} are deleted at once, and none are made", in_days(before)))
    } else if after < before {
        Some(format!("{target}: its automated backups older than {} are deleted", in_days(after)))
    } else {
        None
    }
}
