//! Lowering of databases.

use super::super::ending::Ending;
use super::super::{Accept, AttributeChange, Expect, Pace, Save, Short, Step};
use super::{Subject, absent, call, equals, or_short, wait};
use crate::api::{Args, Operation, Rds};
use crate::intern;
use crate::model::{
    BACKUP_RETENTION, DELETION_PROTECTION, LOGS_EXPORTS, MANAGE_MASTER_USER_PASSWORD, MAX_ALLOCATED_STORAGE,
};
use crate::observe::{DB_FAILED, DB_READY, DB_STUCK, Phase};
use crate::value::Value;

/// A new database that keeps no backups.
const DB_CREATED: Pace = Pace::seconds(190, 245, 3600);
/// With the first backup.
const DB_BACKED_UP: Pace = Pace::seconds(290, 390, 3600);
/// A standby in another Availability Zone: RDS makes it of the database that is there, also when both are new.
const DB_CONVERTED: Pace = Pace::seconds(400, 860, 7200);
const DB_MODIFIED: Pace = Pace::seconds(20, 90, 4800);
const DB_SETTLED: Pace = Pace::seconds(30, 120, 4800);
const DB_DELETED: Pace = Pace::seconds(100, 180, 3600);
/// With a final snapshot, which of a large database takes its time.
const DB_SNAPSHOT_AND_DELETED: Pace = Pace::seconds(160, 300, 14_400);
/// After a change that restarts it: another class or engine version, backups from now on or no more.
const DB_RESTARTED: Pace = Pace::seconds(280, 480, 4800);

/// For how long a database that has no standby, and is making none, may still be about to make one.
const NO_STANDBY_LASTING_MS: u64 = 120_000;

fn db_status(value: &str, success: bool) -> Accept {
    equals("DBInstances.0.DBInstanceStatus", value, success)
}

fn field(name: &str) -> std::sync::Arc<str> {
    intern::text(&format!("DBInstances.0.{name}"))
}

/// No security group of it is on its way, in or out.
fn groups_active() -> Expect {
    Expect::Each { path: field("VpcSecurityGroups"), field: intern::text("Status"), value: Value::str("active") }
}

/// RDS found no room for a standby: it works without one, and nothing is under way.
fn no_standby() -> Short {
    let settled = [
        Expect::Equals { path: field("DBInstanceStatus"), value: Value::str("available") },
        Expect::Equals { path: field("MultiAZ"), value: false.into() },
        Expect::Absent { path: field("PendingModifiedValues.MultiAZ") },
    ];
    Short {
        expect: Expect::All(settled.into()),
        lasting_ms: NO_STANDBY_LASTING_MS,
        told: intern::text(
            "RDS made no standby: the database is available in one Availability Zone alone (multi_az is false, true was \
             asked for), most likely for lack of capacity, of which its events tell",
        ),
    }
}

impl Subject<'_> {
    /// Waits until the database works as it was asked for. `available` alone does not say so: security groups may still be
    /// on their way, and a standby may be.
    pub(super) fn db_available(&self) -> Step {
        let multi_az = self.get("multi_az");
        let standby = multi_az.as_bool().map(|_| {
            let shown = Expect::Equals { path: field("MultiAZ"), value: multi_az.clone() };
            [shown, Expect::Absent { path: field("PendingModifiedValues.MultiAZ") }]
        });
        let settled: Vec<Expect> = std::iter::once(groups_active()).chain(standby.into_iter().flatten()).collect();
        let ready = DB_READY.into_iter().map(|value| Accept {
            expect: Expect::All(std::iter::once(db_status(value, true).expect).chain(settled.clone()).collect()),
            success: true,
        });
        let failed = DB_FAILED.into_iter().chain(DB_STUCK).chain(["deleted"]).map(|value| db_status(value, false));
        let has_standby = multi_az.as_bool() == Some(true);
        let created = if self.get(BACKUP_RETENTION) == Value::from(0) { DB_CREATED } else { DB_BACKED_UP };
        let pace = if has_standby { created.then(DB_CONVERTED) } else { created };
        or_short(self.wait_for(ready.chain(failed).collect(), pace), has_standby.then(no_standby))
    }

    /// Waits until RDS is at work on the database no more: it refuses to delete one that it is.
    fn db_at_rest(&self) -> Step {
        let at_rest = DB_READY.into_iter().chain(DB_FAILED).chain(DB_STUCK).chain(["deleting"]);
        let accept = at_rest.map(|value| db_status(value, true)).chain([absent("DBInstances.0")]).collect();
        wait(self.read().0, accept, Save::Nothing, DB_SETTLED)
    }

    pub(super) fn create_db(&self) -> Step {
        let (logs, most) = (self.get(LOGS_EXPORTS), self.get(MAX_ALLOCATED_STORAGE));
        let args = [
            ("DBInstanceIdentifier", self.get("identifier")),
            ("DBInstanceClass", self.get("instance_class")),
            ("Engine", self.get("engine")),
            ("EngineVersion", self.get("engine_version")),
            ("AllocatedStorage", self.get("allocated_storage")),
            ("MaxAllocatedStorage", if most == Value::from(0) { Value::Null } else { most }),
            ("StorageType", self.get("storage_type")),
            ("StorageEncrypted", self.get("storage_encrypted")),
            ("DBName", self.get("db_name")),
            ("MasterUsername", self.get("username")),
            ("MasterUserPassword", self.get("password")),
            // RDS wants to hear of it only if it is so.
            ("ManageMasterUserPassword", if self.manages_password() { true.into() } else { Value::Null }),
            ("DBSubnetGroupName", self.get("db_subnet_group_name")),
            ("VpcSecurityGroupIds", self.get("vpc_security_group_ids")),
            ("PubliclyAccessible", self.get("publicly_accessible")),
            ("MultiAZ", self.get("multi_az")),
            ("BackupRetentionPeriod", self.get(BACKUP_RETENTION)),
            ("DeletionProtection", self.get(DELETION_PROTECTION)),
            ("AutoMinorVersionUpgrade", self.get("auto_minor_version_upgrade")),
            ("CopyTagsToSnapshot", self.get("copy_tags_to_snapshot")),
            ("EnableCloudwatchLogsExports", if logs.as_list() == Some(&[]) { Value::Null } else { logs }),
        ];
        self.create_call(Operation::Rds(Rds::CreateDBInstance), Save::Object(intern::text("DBInstance")), args)
    }

    fn manages_password(&self) -> bool {
        self.after.get(MANAGE_MASTER_USER_PASSWORD).and_then(Value::as_bool) == Some(true)
    }

    pub(super) fn modify_db(&self, changes: &[AttributeChange]) -> Vec<Step> {
        const ARGUMENTS: [(&str, &str); 12] = [
            ("allocated_storage", "AllocatedStorage"),
            (BACKUP_RETENTION, "BackupRetentionPeriod"),
            ("copy_tags_to_snapshot", "CopyTagsToSnapshot"),
            (DELETION_PROTECTION, "DeletionProtection"),
            ("engine_version", "EngineVersion"),
            ("instance_class", "DBInstanceClass"),
            (MANAGE_MASTER_USER_PASSWORD, "ManageMasterUserPassword"),
            (MAX_ALLOCATED_STORAGE, "MaxAllocatedStorage"),
            ("multi_az", "MultiAZ"),
            ("password", "MasterUserPassword"),
            ("publicly_accessible", "PubliclyAccessible"),
            ("vpc_security_group_ids", "VpcSecurityGroupIds"),
        ];
        // Those that a description has under the same name, and as they were asked for.
        const SHOWN: [&str; 8] = [
            "AllocatedStorage",
            "BackupRetentionPeriod",
            "CopyTagsToSnapshot",
            "DBInstanceClass",
            "DeletionProtection",
            "MaxAllocatedStorage",
            "MultiAZ",
            "PubliclyAccessible",
        ];
        let changed = ARGUMENTS.iter().filter(|(name, _)| changes.iter().any(|change| &*change.name == *name));
        let mut args: Args = changed.map(|(name, argument)| (*argument, self.get(name))).collect();
        let logs = changes.iter().find(|change| &*change.name == LOGS_EXPORTS);
        if let Some(change) = logs {
            args.insert("CloudwatchLogsExportConfiguration", Self::logs_configuration(&change.before, &change.after));
        }
        if args.is_empty() {
            return Vec::new();
        }
        // RDS grows it no more once the limit is what there is; it then tells none.
        let ends_growth = args.get("MaxAllocatedStorage") == Some(&Value::from(0));
        if ends_growth {
            let size = if args.contains_key("AllocatedStorage") { self.after } else { self.before };
            args.insert("MaxAllocatedStorage", size.get("allocated_storage").cloned().unwrap_or_default());
        }
        args.insert("DBInstanceIdentifier", self.get("identifier"));
        args.insert("ApplyImmediately", true.into());
        // The status stays `available` for a moment after the call: what was asked for must not be pending either, and
        // must show, as a read may be from before the call.
        let path = field;
        let shown = SHOWN.into_iter().filter_map(|name| {
            let value = args.get(name).filter(|value| value.is_literal())?;
            Some(match name {
                "MaxAllocatedStorage" if ends_growth => Expect::Absent { path: path(name) },
                _ => Expect::Equals { path: path(name), value: value.clone() },
            })
        });
        let pending = args.keys().map(|name| Expect::Absent { path: path(&format!("PendingModifiedValues.{name}")) });
        let mut changed: Vec<Expect> = pending.chain(shown).collect();
        changed.push(groups_active());
        if let Some(groups) = args.get("VpcSecurityGroupIds").filter(|groups| groups.is_literal()) {
            let (path, field) = (path("VpcSecurityGroups"), intern::text("VpcSecurityGroupId"));
            let values = groups.as_list().unwrap_or_default().to_vec();
            changed.push(Expect::Exactly { path, field, values });
        }
        if args.contains_key("ManageMasterUserPassword") {
            let path = path("MasterUserSecret");
            changed.push(if self.manages_password() { Expect::Present { path } } else { Expect::Absent { path } });
        }
        if let Some(change) = logs {
            changed.push(Expect::Absent { path: path("PendingModifiedValues.PendingCloudwatchLogsExports") });
            let value = change.after.clone();
            changed.push(Expect::Equals { path: path("EnabledCloudwatchLogsExports"), value });
        }
        let done = |value: &str| Accept {
            expect: Expect::All(std::iter::once(db_status(value, true).expect).chain(changed.clone()).collect()),
            success: true,
        };
        // One that is full or stopped may still be so a moment after the call that mends it.
        let failed = DB_FAILED.into_iter().map(|value| db_status(value, false));
        let accept = DB_READY.into_iter().map(done).chain(failed).collect();
        let backups = [self.old(BACKUP_RETENTION), self.get(BACKUP_RETENTION)];
        let backups_begin_or_end = args.contains_key("BackupRetentionPeriod") && backups.contains(&Value::from(0));
        let restarts =
            backups_begin_or_end || ["DBInstanceClass", "EngineVersion"].iter().any(|key| args.contains_key(*key));
        let gets_standby = args.get("MultiAZ").and_then(Value::as_bool) == Some(true);
        let pace = match (gets_standby, restarts) {
            (true, true) => DB_RESTARTED.then(DB_CONVERTED),
            (true, false) => DB_CONVERTED,
            (false, true) => DB_RESTARTED,
            (false, false) => DB_MODIFIED,
        };
        let wait = or_short(self.wait_for(accept, pace), gets_standby.then(no_standby));
        vec![call(Operation::Rds(Rds::ModifyDBInstance), args), wait]
    }

    /// Which logs to send from now on, and which not any more.
    fn logs_configuration(before: &Value, after: &Value) -> Value {
        let (before, after) = (before.as_list().unwrap_or_default(), after.as_list().unwrap_or_default());
        let without = |list: &[Value], other: &[Value]| -> Vec<Value> {
            list.iter().filter(|log| !other.contains(log)).cloned().collect()
        };
        let lists = [("EnableLogTypes", without(after, before)), ("DisableLogTypes", without(before, after))];
        Value::map(lists.into_iter().filter(|(_, logs)| !logs.is_empty()).map(|(name, logs)| (name, Value::List(logs))))
    }

    /// Deletes the database, with what is kept of its data, and waits until it is gone.
    pub(super) fn delete_db(&self, phase: Option<&Phase>) -> Vec<Step> {
        // What an earlier run began is only waited for.
        let ending = self.ending.filter(|_| phase != Some(&Phase::Deleting));
        let rest = (phase == Some(&Phase::Settling)).then(|| self.db_at_rest());
        // Only a replacement comes here with the protection on: one that turns it off.
        let is_protected = self.before.get(DELETION_PROTECTION).and_then(Value::as_bool) == Some(true);
        let unprotect = ending.filter(|_| is_protected).map(|_| {
            let args = [
                ("DBInstanceIdentifier", self.old("identifier")),
                ("DeletionProtection", false.into()),
                ("ApplyImmediately", true.into()),
            ];
            call(Operation::Rds(Rds::ModifyDBInstance), args)
        });
        let delete = ending.map(|ending| {
            let args = [
                ("DBInstanceIdentifier", self.old("identifier")),
                ("SkipFinalSnapshot", ending.snapshot.is_none().into()),
                ("FinalDBSnapshotIdentifier", ending.snapshot.as_ref().into()),
                ("DeleteAutomatedBackups", (!ending.keeps_backups).into()),
            ];
            call(Operation::Rds(Rds::DeleteDBInstance), args)
        });
        let pace = match ending {
            Some(Ending { snapshot: None, .. }) => DB_DELETED,
            Some(Ending { snapshot: Some(_), .. }) => DB_SNAPSHOT_AND_DELETED,
            // It may be making the snapshot that an earlier run asked for.
            None => Pace { deadline_ms: DB_SNAPSHOT_AND_DELETED.deadline_ms, ..DB_DELETED },
        };
        let gone = wait(self.read().0, vec![absent("DBInstances.0")], Save::Nothing, pace);
        rest.into_iter().chain(unprotect).chain(delete).chain([gone]).collect()
    }
}
