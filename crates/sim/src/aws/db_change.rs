//! `ModifyDBInstance`: what changes at once, what takes the instance out of `available`, and what waits.

use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use super::db_instance::{Busy, Db};
use super::durations::Transition;
use super::error::Answer;
use super::error::refuse;
use super::record::object;
use super::{Account, catalog, db_rules};
use crate::rules::Refusal;

/// For how long storage cannot be changed again.
const STORAGE_PAUSE: Duration = Duration::from_secs(6 * 3600);

const PASSWORD: &str = "MasterUserPassword";

/// The status of an instance whose pending changes are being made.
const MODIFYING: &str = "modifying";

fn combination(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterCombination", message)
}

impl Account {
    /// Groups, public access, protection and a retention that turns nothing on or off change at once; a password
    /// soon. The rest waits for the maintenance window, which never comes here, or for a call that wants it at once.
    pub(crate) fn modify_db_instance(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        let db = self.db(now, request.text("DBInstanceIdentifier"))?.clone();
        let name = db.meta.id.clone();
        db.check_available(now)?;
        let deferred = self.deferred_changes(now, request, &db)?;
        let password = db_rules::password(request, secrets)?;
        let groups = match request.arg("VpcSecurityGroupIds") {
            Value::Null => None,
            _ => Some(self.check_db_groups(now, request, &db.vpc)?),
        };
        let public = request.arg("PubliclyAccessible").as_bool();
        if public == Some(true) && !db.public {
            self.check_public(&db.vpc)?;
        }
        let retention = db_rules::number(request, "BackupRetentionPeriod")?;
        let protected = request.arg("DeletionProtection").as_bool();
        let immediately = request.arg("ApplyImmediately").as_bool().unwrap_or(false);

        if let Some(groups) = &groups {
            for interface in &db.interfaces {
                if let Some(interface) = self.interfaces.get_mut(interface) {
                    interface.groups.clone_from(groups);
                }
            }
        }
        let there = self.db_mut(now, &name)?;
        there.groups = groups.unwrap_or_else(|| there.groups.clone());
        there.public = public.unwrap_or(there.public);
        there.protected = protected.unwrap_or(there.protected);
        if let Some(days) = retention.filter(|days| (*days == 0) == (there.retention == 0)) {
            there.retention = days;
        }
        for (parameter, value) in deferred {
            there.pending.insert(parameter.to_owned(), value);
        }
        if password {
            there.pending.insert(PASSWORD.to_owned(), "****".into());
        }
        let restarts =
            |parameter: &str| parameter != "AllocatedStorage" && parameter != PASSWORD && parameter != "MultiAZ";
        let others = there.pending.keys().any(|parameter| parameter != PASSWORD);
        let restart = there.pending.keys().any(|parameter| restarts(parameter));
        let (transition, status) = if immediately && others {
            (if restart { Transition::DbRestart } else { Transition::DbModify }, MODIFYING)
        } else {
            (Transition::DbPassword, "resetting-master-credentials")
        };
        if password || (immediately && others) {
            let from = now + self.duration(Transition::DbNotice);
            let until = from + self.duration(transition);
            let there = self.db_mut(now, &name)?;
            // One change before the other was noticed: both are done when the later one is.
            let earlier = there.busy.take().filter(|busy| now < busy.until);
            let until = earlier.as_ref().map_or(until, |busy| busy.until.max(until));
            let status = if earlier.is_some_and(|busy| busy.status == MODIFYING) { MODIFYING } else { status };
            there.busy = Some(Busy { status: status.to_owned(), from, until });
            self.expire(until, &format!("db-change/{name}"));
        }
        let reply = self.described_db(now, self.db(now, &name)?);
        Ok(object([("DBInstance", reply)]))
    }

    /// The changes a request asks for that do not happen at once, by parameter.
    fn deferred_changes(
        &self,
        now: Instant,
        request: &Request,
        db: &Db,
    ) -> Result<Vec<(&'static str, Value)>, Refusal> {
        let mut changes = Vec::new();
        if let Some(class) = request.arg("DBInstanceClass").as_str() {
            db_rules::class(class, &db.version)?;
            if class != db.class {
                changes.push(("DBInstanceClass", class.into()));
            }
        }
        if let Some(asked) = request.arg("EngineVersion").as_str() {
            let version = db_rules::version(Some(asked))?;
            let is_same = asked == db.version || asked == catalog::major(&db.version);
            if !is_same {
                check_upgrade(&db.version, &version)?;
                changes.push(("EngineVersion", version.into()));
            }
        }
        if let Some(size) = db_rules::number(request, "AllocatedStorage")? {
            db_rules::storage(&db.storage_type, size)?;
            if size < db.storage {
                let kind = &db.storage_type;
                let message = format!("Invalid storage size for engine name postgres and storage type {kind}: {size}");
                return Err(combination(message));
            }
            if size > db.storage {
                if db.storage_changed.is_some_and(|(changed, until)| now < until.max(changed + STORAGE_PAUSE)) {
                    return Err(combination(
                        "You can't currently modify the storage of this DB instance because the previous storage \
                         change is being optimized.",
                    ));
                }
                // What is less than a tenth more is made a tenth more.
                changes.push(("AllocatedStorage", size.max(db.storage + (db.storage + 9) / 10).into()));
            }
        }
        if let Some(multi_az) = request.arg("MultiAZ").as_bool().filter(|multi_az| *multi_az != db.multi_az) {
            changes.push(("MultiAZ", multi_az.into()));
        }
        if let Some(days) = db_rules::number(request, "BackupRetentionPeriod")? {
            db_rules::retention(days)?;
            if (days == 0) != (db.retention == 0) {
                changes.push(("BackupRetentionPeriod", days.into()));
            }
        }
        Ok(changes)
    }

    /// Puts pending changes of an instance into effect, when the last of them is due. Of a new instance only the
    /// password is pending, and that is nothing anyone can read.
    pub(crate) fn finish_db_change(&mut self, at: Instant, name: &str) {
        let Some(db) = self.db_instances.get_mut(name) else { return };
        let Some(busy) = db.busy.take_if(|busy| busy.until <= at) else {
            if db.busy.is_none() {
                db.pending.remove(PASSWORD);
            }
            return;
        };
        db.pending.remove(PASSWORD);
        if busy.status != MODIFYING {
            return;
        }
        let pending = std::mem::take(&mut db.pending);
        for (parameter, value) in &pending {
            let text = || value.as_str().unwrap_or_default().to_owned();
            match parameter.as_str() {
                "DBInstanceClass" => db.class = text(),
                "EngineVersion" => db.version = text(),
                "AllocatedStorage" => db.storage = value.as_i64().unwrap_or(db.storage),
                "BackupRetentionPeriod" => db.retention = value.as_i64().unwrap_or(db.retention),
                "MultiAZ" => db.multi_az = value.as_bool().unwrap_or(db.multi_az),
                _ => {}
            }
        }
        if pending.contains_key("AllocatedStorage") {
            let until = at + self.duration(Transition::DbOptimize);
            if let Some(db) = self.db_instances.get_mut(name) {
                db.storage_changed = Some((at, until));
            }
        }
        if pending.contains_key("MultiAZ") {
            self.move_standby(at, name);
        }
    }

    /// Gives an instance the interface of a standby in another zone, or takes it away.
    fn move_standby(&mut self, at: Instant, name: &str) {
        let Some(db) = self.db_instances.get(name).cloned() else { return };
        if !db.multi_az {
            for interface in db.interfaces.iter().skip(1) {
                self.drop_interface(interface);
            }
            if let Some(db) = self.db_instances.get_mut(name) {
                db.interfaces.truncate(1);
            }
            return;
        }
        let home = db.interfaces.first().and_then(|id| self.interfaces.get(id)).map(|i| i.subnet.clone());
        let zone = |id: &String| self.subnets.get(id).map(|subnet| subnet.zone.clone());
        let home_zone = home.as_ref().and_then(zone);
        let group = self.db_subnet_group(at, &db.subnet_group).map(|group| group.subnets.clone()).unwrap_or_default();
        let other = group.into_iter().find(|subnet| zone(subnet).is_some_and(|zone| Some(zone) != home_zone));
        if let Some(other) = other
            && let Some(interface) = self.new_interface(&other, &db.groups, &format!("db/{name}"))
            && let Some(db) = self.db_instances.get_mut(name)
        {
            db.interfaces.push(interface);
        }
    }
}

/// Refuses a downgrade, and a new major version without a word that says it is meant.
fn check_upgrade(from: &str, to: &str) -> Result<(), Refusal> {
    let parts = |version: &str| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    if catalog::major(from) != catalog::major(to) {
        if parts(to) < parts(from) {
            return Err(combination(format!("Cannot upgrade postgres from {from} to {to}")));
        }
        let message = "The AllowMajorVersionUpgrade flag must be present when upgrading to a new major version.";
        return Err(combination(message));
    }
    if parts(to) < parts(from) {
        return Err(combination(format!("Cannot upgrade postgres from {from} to {to}")));
    }
    Ok(())
}
