//! Objects that are not at rest though no run of ours left them so: their owner stopped them, or AWS is at work on them.
//!
//! Nobody starts or replaces them, and nobody waits for them unless something is to be changed that AWS takes only when it
//! is done. What would wait for their owner is refused when it is planned; the rest goes on (aws-behaviour.md, 2.9 and 2.10).

use super::AttributeChange;
use super::Problem;
use super::build::Observed;
use crate::address::Address;
use crate::api::{Ec2, Operation, Rds};
use crate::kind::Kind;
use crate::resource::{DB_FAILED, DB_STUCK, DELETION_PROTECTION, LOGS_EXPORTS, Phase};
use crate::settings::{self, Setting};
use crate::shell::Command;
use crate::state::{Intent, State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Statuses of a database that its owner can mend, once it has worked.
const DB_MENDABLE: [&str; 2] = ["incompatible-network", "incompatible-parameters"];
/// Settings that protect no data: what the owner has of them is not told with every plan.
const QUIET: [&str; 2] = ["copy_tags_to_snapshot", LOGS_EXPORTS];
const STORAGE_FULL: &str = "storage-full";

/// True if a database of this status is not lost: its owner can mend it.
pub fn is_mendable(status: &str) -> bool {
    DB_MENDABLE.contains(&status)
}

/// True if it is a run of ours that left an object unsettled, or failed: `intent` says what the run had begun.
pub fn is_ours(kind: Kind, attributes: &ValueMap, intent: Option<&Intent>) -> bool {
    const RESTARTS: [Operation; 2] = [Operation::Ec2(Ec2::StopInstances), Operation::Ec2(Ec2::StartInstances)];
    let begun = |operations: &[Operation]| intent.is_some_and(|intent| operations.contains(&intent.operation));
    let status = status(kind, attributes);
    if kind == Kind::Instance {
        begun(&RESTARTS) || (status == "pending" && begun(&[Operation::Ec2(Ec2::RunInstances)]))
    } else if kind != Kind::DbInstance || status == "creating" {
        // Nothing but a creation leaves them so.
        true
    } else if DB_FAILED.contains(&status) {
        begun(&[Operation::Rds(Rds::CreateDBInstance)])
    } else {
        !DB_STUCK.contains(&status)
            && begun(&[Operation::Rds(Rds::CreateDBInstance), Operation::Rds(Rds::ModifyDBInstance)])
    }
}

/// What AWS calls the state of a server or a database; empty for other objects, which have none that their owner changes.
fn status(kind: Kind, attributes: &ValueMap) -> &str {
    let text = |name| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
    if kind == Kind::Instance {
        text("instance_state")
    } else if kind == Kind::DbInstance {
        text("status")
    } else {
        ""
    }
}

/// What a status says, in plain words; `None` if the object is as it should be, going or lost.
fn words(status: &str) -> Option<&'static str> {
    Some(match status {
        "" | "available" | "running" | "storage-optimization" => return None,
        "deleting" | "delete-precheck" | "shutting-down" | "terminated" => return None,
        status if DB_FAILED.contains(&status) && !is_mendable(status) => return None,
        "stopped" => "somebody stopped it, and aloka does not start it",
        "stopping" => "somebody stops it, and aloka does not start it",
        "pending" | "starting" => "somebody starts it",
        "backing-up" => "RDS makes a backup",
        "maintenance" => "RDS maintains it",
        "modifying" => "RDS changes it, though not for this stack",
        "rebooting" => "RDS restarts it",
        "renaming" => "RDS gives it another name",
        "resetting-master-credentials" => "RDS sets its master password",
        "upgrading" => "RDS upgrades its engine",
        "storage-config-upgrade" | "storage-initialization" => "RDS converts its storage",
        "moving-to-vpc" | "converting-to-vpc" => "RDS moves it to another VPC",
        STORAGE_FULL => "raise db_allocated_storage",
        "incompatible-network" => "RDS cannot use its subnets: see the AWS console",
        "incompatible-option-group" => "its option group does not fit: see the AWS console",
        "incompatible-parameters" => "its parameter group does not fit: see the AWS console",
        "inaccessible-encryption-credentials-recoverable" => {
            "RDS cannot use its KMS key: enable the key, then start the database"
        }
        status if status.starts_with("configuring-") => "RDS configures it",
        _ => "AWS is at work on it",
    })
}

/// A note for each object that its owner stopped, that AWS is at work on, or that waits for its owner; and for a database
/// whose owner has made settings that the variables leave to him.
pub fn notes(observed: &Observed, state: &State, variables: &Variables) -> Vec<String> {
    let current = observed.iter().filter(|(target, _)| target.deposed.is_none());
    let databases = current.clone().filter(|(target, found)| {
        target.address.kind == Kind::DbInstance && !matches!(found.phase, Phase::Deleting | Phase::Gone)
    });
    let owners = databases.flat_map(|(target, found)| owners_settings(target, &found.attributes, variables));
    let notes = current.filter_map(|(target, found)| {
        let kind = target.address.kind;
        let intent = state.private.intents.get(&target.address);
        let status = status(kind, &found.attributes);
        let words = words(status).filter(|_| !is_ours(kind, &found.attributes, intent))?;
        Some(format!("{target} is `{status}`: {words}"))
    });
    notes.chain(owners).collect()
}

/// What the owner of a database has set and the variables do not: it stays.
fn owners_settings(target: &Target, present: &ValueMap, variables: &Variables) -> Vec<String> {
    let mut kept = settings::of_owner(variables, present);
    let protection = kept
        .remove(DELETION_PROTECTION)
        .map(|_| format!("{target} is protected from deletion, and stays so: db_deletion_protection is not set"));
    let kept: Vec<String> = kept
        .iter()
        .filter(|(attribute, _)| !QUIET.contains(&&***attribute))
        .filter_map(|(attribute, value)| Some((attribute, value, Setting::of(attribute)?.variable)))
        .map(|(attribute, value, variable)| format!("{attribute} = {value} ({variable})"))
        .collect();
    let rest = (!kept.is_empty())
        .then(|| format!("{target} keeps what its owner set and the variables here do not: {}", kept.join(", ")));
    protection.into_iter().chain(rest).collect()
}

/// Why AWS would refuse these changes of an object that no run of ours left as it is now.
pub fn refused(address: &Address, present: &ValueMap, changes: &[AttributeChange]) -> Option<Problem> {
    let status = status(address.kind, present);
    let changed = |name: &str| changes.iter().any(|change| &*change.name == name);
    let (what, hint) = if address.kind == Kind::DbInstance {
        let first = changes.iter().map(|change| &*change.name).find(|name| is_sent(name))?;
        (first, db_hint(status, present, changed("allocated_storage"))?)
    } else if address.kind == Kind::Instance && changed("instance_type") && matches!(status, "pending" | "stopping") {
        // Groups and volumes can be changed at any time, and so can the type of a server that is stopped.
        ("instance_type", "wait until it is `running` or `stopped`, then try again".to_owned())
    } else {
        return None;
    };
    let summary = format!("{address} is `{status}`: AWS does not change {what} of it now");
    Some(Problem::Impossible { summary, hint })
}

/// What to do before a database of this status can be changed; `None` if it can be.
fn db_hint(status: &str, present: &ValueMap, grows: bool) -> Option<String> {
    Some(match status {
        "" | "available" | "storage-optimization" => return None,
        STORAGE_FULL if grows => return None,
        STORAGE_FULL => "raise db_allocated_storage as well: RDS takes nothing else without it".to_owned(),
        "stopped" => {
            let identifier = present.get("identifier").and_then(Value::as_str).unwrap_or_default();
            let start = Command::new("aws rds start-db-instance --db-instance-identifier").id(identifier);
            let start = start.map_or_else(|| "start it".to_owned(), |command| format!("start it with `{command}`"));
            format!("{start}, or leave this change for later")
        }
        status if DB_STUCK.contains(&status) || is_mendable(status) => {
            "see to it in the AWS console, or leave this change for later".to_owned()
        }
        // AWS comes to an end with it, and the change waits for that.
        _ => return None,
    })
}

/// True if these changes wait until AWS is done with what it does to a database by itself.
pub fn waits(address: &Address, present: &ValueMap, changes: &[AttributeChange]) -> bool {
    let status = status(address.kind, present);
    let is_at_work = address.kind == Kind::DbInstance
        && !matches!(status, "" | "available" | "storage-optimization" | STORAGE_FULL)
        && !DB_STUCK.contains(&status)
        && !DB_FAILED.contains(&status);
    is_at_work && changes.iter().any(|change| is_sent(&change.name))
}

/// True for attributes of a database that RDS does not take whatever it does: tags it does, and of others it hears nothing.
fn is_sent(attribute: &str) -> bool {
    attribute != "tags" && !Kind::DbInstance.is_recorded_only(attribute)
}

/// A database that is to stay protected is not replaced; one whose protection is turned off is, once it is named.
pub fn protected(address: &Address, phase: &Phase, before: &ValueMap, after: &ValueMap) -> Option<Problem> {
    let is_on = |attributes: &ValueMap| attributes.get(DELETION_PROTECTION).and_then(Value::as_bool) == Some(true);
    (is_on(before) && is_on(after) && *phase != Phase::Deleting).then(|| Problem::Impossible {
        summary: format!("{address} cannot be replaced: its deletion protection is on"),
        hint: "set db_deletion_protection = false, then try again".to_owned(),
    })
}

/// Why a database that is to be replaced cannot be made ready for it: one that waits for its owner keeps its protection.
pub fn keeps_protection(address: &Address, present: &ValueMap, changes: &[AttributeChange]) -> Option<Problem> {
    let protection = changes.iter().find(|change| &*change.name == DELETION_PROTECTION)?;
    let is_stuck = DB_STUCK.contains(&status(address.kind, present));
    refused(address, present, std::slice::from_ref(protection)).filter(|_| is_stuck)
}
