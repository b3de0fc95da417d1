//! What outlives a database: its final snapshot, and automated backups that are kept.

pub(crate) mod need;
pub(crate) mod rules;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::Account;
use crate::aws::error::Answer;
use crate::aws::rds::db_instance::Db;
use crate::aws::record::{Text, object};
use crate::rules::Refusal;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;
/// What RDS calls snapshots that were asked for.
const MANUAL: &str = "manual";
/// And those that it takes by itself: there is none here, as nothing is made from one.
const AUTOMATED: &str = "automated";

/// A final snapshot, under its identifier in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    /// The instance it is of.
    database: Text,
    resource_id: Text,
    /// When it is complete.
    ready: Instant,
}

/// Automated backups that outlive their instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Backups {
    /// When the last of them is deleted.
    until: Instant,
}

impl Backups {
    /// True while there are some.
    pub(crate) fn are_there(&self, now: Instant) -> bool {
        now < self.until
    }
}

impl Account {
    /// Refuses a final snapshot under this identifier if it cannot be made.
    pub(crate) fn check_final_snapshot(&self, name: &str) -> Result<(), Refusal> {
        if self.snapshots.contains_key(name) {
            return Err(rule::TAKEN.refuse([&name]));
        }
        if self.snapshots.len() >= self.quotas.db_snapshots { Err(rule::QUOTA.refuse([])) } else { Ok(()) }
    }

    /// Begins the final snapshot of an instance, which is complete when the instance is gone.
    pub(crate) fn make_final_snapshot(&mut self, gone: Instant, name: Text, db: &Db) {
        let snapshot = Snapshot { database: db.meta.id.clone(), resource_id: db.resource_id.clone(), ready: gone };
        self.snapshots.insert(name, snapshot);
    }

    /// Keeps the automated backups of an instance that is gone, for as many days as they were kept before.
    pub(crate) fn keep_backups(&mut self, gone: Instant, db: &Db) {
        if let Some(days) = u64::try_from(db.retention).ok().filter(|days| *days > 0) {
            let until = gone + std::time::Duration::from_millis(days * DAY_MS);
            self.backups.insert(db.resource_id.clone(), Backups { until });
        }
    }

    pub(crate) fn describe_db_snapshots(&self, now: Instant, request: &Request) -> Answer {
        let (name, kind) = (request.arg("DBSnapshotIdentifier").as_str(), request.arg("SnapshotType").as_str());
        let kind = match kind {
            None | Some(MANUAL) => MANUAL,
            Some(AUTOMATED) => AUTOMATED,
            Some(other) => return Err(rule::TYPE.refuse([&other])),
        };
        let wanted = name.map(str::to_ascii_lowercase);
        let shown = self.snapshots.iter().filter(|_| kind == MANUAL);
        let found = shown.filter(|(name, _)| wanted.as_ref().is_none_or(|wanted| **wanted == ***name));
        let found: Vec<Value> = found.map(|(name, snapshot)| described(now, name, snapshot)).collect();
        match name {
            Some(name) if found.is_empty() => Err(rule::NOT_FOUND.refuse([&name])),
            Some(_) | None => Ok(object([("DBSnapshots", Value::List(found))])),
        }
    }
}

fn described(now: Instant, name: &str, snapshot: &Snapshot) -> Value {
    let Snapshot { database, resource_id, ready } = snapshot;
    object([
        ("DBSnapshotIdentifier", name.into()),
        ("DBInstanceIdentifier", database.into()),
        ("DbiResourceId", resource_id.into()),
        ("SnapshotType", MANUAL.into()),
        ("Status", if now < *ready { "creating" } else { "available" }.into()),
    ])
}
