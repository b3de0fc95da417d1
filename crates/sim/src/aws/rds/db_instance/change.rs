//! `ModifyDBInstance`: what changes at once, what takes the instance out of `available`, and what waits for the
//! maintenance window.

use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use super::checks;
use super::checks::Management;
use super::rules as rule;
use super::{Db, NO_STANDBY};
use crate::aws::Account;
use crate::aws::durations::Transition;
use crate::aws::error::Answer;
use crate::aws::record::{Text, object};
use crate::rules::Refusal;

/// For how long storage cannot be changed again.
const STORAGE_PAUSE: Duration = Duration::from_secs(6 * 3600);

/// The parameter that is pending while a password is not set yet.
pub(crate) const PASSWORD: &str = "MasterUserPassword";
const STORAGE: &str = "AllocatedStorage";
const CLASS: &str = "DBInstanceClass";
const VERSION: &str = "EngineVersion";
pub(crate) const MULTI_AZ: &str = "MultiAZ";
const RETENTION: &str = "BackupRetentionPeriod";
/// What is pending while logs begin or cease to be sent.
const LOGS: &str = "PendingCloudwatchLogsExports";

/// What an instance shows when its storage is full.
const STORAGE_FULL: &str = "storage-full";

/// A change under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Busy {
    /// When it begins to show.
    from: Instant,
    /// The statuses it shows, one after the other, and until when each.
    phases: Vec<(String, Instant)>,
    /// True if all that is pending is done at its end, and not a password and logs alone.
    all: bool,
}

impl Busy {
    fn until(&self) -> Instant {
        self.phases.last().map_or(self.from, |(_, until)| *until)
    }

    /// What it shows.
    pub(crate) fn status(&self, now: Instant) -> Option<&str> {
        let phase = self.phases.iter().find(|(_, until)| now < *until).filter(|_| self.from <= now);
        phase.map(|(status, _)| status.as_str())
    }
}

/// What a request asks for that does not happen at once: by parameter, the new value, or null for the one there is.
type Deferred = Vec<(&'static str, Value)>;

impl Account {
    /// Protection, copied tags and a retention that turns nothing on or off change at once; groups, public access, a
    /// password and logs soon. The rest waits for the maintenance window, or for a call that wants it at once.
    pub(crate) fn modify_db_instance(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        let db = self.db(now, request.text("DBInstanceIdentifier"))?.clone();
        let name = db.meta.id.clone();
        let immediately = checks::flag(request, "ApplyImmediately")?.unwrap_or(false);
        let deferred = self.deferred_changes(now, request, &db)?;
        let grows = deferred.iter().any(|(parameter, value)| *parameter == STORAGE && !value.is_null());
        if !(db.status(now) == STORAGE_FULL && grows) {
            db.check_available(now)?;
        }
        let given = checks::password(request, secrets)?;
        let management = checks::management(request, db.secret.is_some(), given)?;
        let password = given || management == Management::Begins;
        let groups = match request.texts("VpcSecurityGroupIds") {
            none if none.is_empty() => None,
            _ => Some(self.check_db_groups(now, request, &db.vpc)?),
        };
        let public = checks::flag(request, "PubliclyAccessible")?;
        if public == Some(true) && !db.public {
            self.check_public(&db.vpc)?;
        }
        let size = deferred.iter().find(|(parameter, value)| *parameter == STORAGE && !value.is_null());
        let size = size.and_then(|(_, value)| value.as_i64()).unwrap_or(db.storage);
        let limit = checks::max_storage(request, size)?;
        let retention = checks::number(request, RETENTION)?;
        let protected = checks::flag(request, "DeletionProtection")?;
        let copies_tags = checks::flag(request, "CopyTagsToSnapshot")?;
        let logs = changed_logs(request, &db)?;

        let gets_standby =
            deferred.iter().any(|(parameter, value)| *parameter == MULTI_AZ && value.as_bool() == Some(true));
        let lacks_standby =
            gets_standby && self.take_doom(request.operation()).is_some_and(|failure| failure.code == NO_STANDBY);
        let asked = db.next_groups.as_ref().unwrap_or(&db.groups);
        let same = |groups: &[Text]| groups.len() == asked.len() && groups.iter().all(|id| asked.contains(id));
        let groups = groups.filter(|groups| !same(groups));
        let public = public.filter(|public| *public != db.next_public.unwrap_or(db.public));
        let is_rewired = groups.is_some() || public.is_some();
        if let Some(groups) = &groups {
            // Those on their way out are in use until they are gone, those on their way in already.
            let coming = groups.iter().filter(|id| !db.groups.contains(id));
            let worn: Vec<Text> = db.groups.iter().chain(coming).cloned().collect();
            self.wear(&db.interfaces, &worn);
        }
        let secret = match management {
            Management::Kept => db.secret,
            Management::Begins => Some(self.new_master_secret()),
            Management::Ends => None,
        };
        let there = self.db_mut(now, &name)?;
        there.secret = secret;
        there.next_groups = groups.or(there.next_groups.take());
        there.next_public = public.or(there.next_public);
        there.lacks_standby |= lacks_standby;
        there.protected = protected.unwrap_or(there.protected);
        there.max_storage = limit.unwrap_or(there.max_storage);
        there.copies_tags = copies_tags.unwrap_or(there.copies_tags);
        if let Some(days) = retention.filter(|days| (*days == 0) == (there.retention == 0)) {
            there.retention = days;
        }
        for (parameter, value) in deferred {
            if value.is_null() {
                there.pending.remove(parameter);
            } else {
                there.pending.insert(parameter.to_owned(), value);
            }
        }
        if password {
            there.pending.insert(PASSWORD.to_owned(), "****".into());
        }
        let is_soon = password || logs.is_some() || is_rewired;
        there.pending.extend(logs.map(|logs| (LOGS.to_owned(), logs)));
        let (waits, window) = (waits(there), there.window);
        if waits && !immediately {
            self.expire(window.next(now), format!("db-window/{name}").into());
        }
        self.begin_soon(now, &name, waits && immediately, is_soon, is_rewired);
        let reply = self.described_db(now, self.db(now, &name)?);
        Ok(object([("DBInstance", reply)]))
    }

    /// Begins all that is pending, or what never waits for a window.
    fn begin_soon(&mut self, now: Instant, name: &str, all: bool, is_soon: bool, is_rewired: bool) {
        if all || is_soon {
            let from = now + self.duration(Transition::DbNotice);
            self.begin_db_change(from, name, all);
            if is_rewired {
                self.expire(from, format!("db-notice/{name}").into());
            }
        }
    }

    /// The changes a request asks for that do not happen at once.
    fn deferred_changes(&self, now: Instant, request: &Request, db: &Db) -> Result<Deferred, Refusal> {
        let mut changes = Vec::new();
        let mut change = |parameter, new: Value, old: Value| {
            changes.push((parameter, if new == old { Value::Null } else { new }));
        };
        if let Some(class) = request.arg(CLASS).as_str() {
            checks::class(class, &db.version)?;
            change(CLASS, class.into(), (&db.class).into());
        }
        if let Some(asked) = request.arg(VERSION).as_str() {
            // The version it has may not be on offer any more.
            let version = if *asked == *db.version { asked.into() } else { checks::version(Some(asked))? };
            checks::upgrade(&db.version, &version)?;
            change(VERSION, version.into(), (&db.version).into());
        }
        if let Some(size) = checks::number(request, STORAGE)? {
            change(STORAGE, self.new_storage(now, db, size)?.into(), db.storage.into());
        }
        if let Some(multi_az) = checks::flag(request, MULTI_AZ)? {
            if multi_az && !db.multi_az && self.standby_subnet(db).is_none() {
                return Err(rule::NO_ROOM.refuse([]));
            }
            change(MULTI_AZ, multi_az.into(), db.multi_az.into());
        }
        if let Some(days) = checks::number(request, RETENTION)? {
            checks::retention(days)?;
            let is_switch = (days == 0) != (db.retention == 0);
            change(RETENTION, if is_switch { days } else { db.retention }.into(), db.retention.into());
        }
        Ok(changes)
    }

    /// The storage an instance gets when it is asked to have `size` GiB.
    fn new_storage(&self, now: Instant, db: &Db, size: i64) -> Result<i64, Refusal> {
        let kind = &db.storage_type;
        checks::storage(kind, size)?;
        if size < db.storage {
            return Err(rule::SHRINK.refuse([kind, &size]));
        }
        if size == db.storage {
            return Ok(size);
        }
        if let Some((changed, until)) = db.storage_changed {
            if now < until {
                return Err(rule::OPTIMIZING.refuse([]));
            }
            if now < changed + STORAGE_PAUSE {
                return Err(rule::PAUSE.refuse([]));
            }
        }
        // What is less than a tenth more is made a tenth more.
        let size = size.max(db.storage + (db.storage + 9) / 10);
        checks::storage(kind, size)?;
        self.check_db_storage(size - db.storage)?;
        Ok(size)
    }

    /// Begins to do what is pending, all of it or the password alone.
    fn begin_db_change(&mut self, from: Instant, name: &str, all: bool) {
        let Some(db) = self.db_instances.get_mut(name) else { return };
        // One change before the other was noticed: both are done when the later one is.
        let earlier = db.busy.take();
        let all = all || earlier.as_ref().is_some_and(|busy| busy.all);
        let pends = |parameter: &str| db.pending.contains_key(parameter);
        let backups_begin = pends(RETENTION) && db.retention == 0;
        let gets_standby = !db.multi_az && db.pending.get(MULTI_AZ).and_then(Value::as_bool) == Some(true);
        let is_rewired = db.next_groups.is_some() || db.next_public.is_some();
        let (transition, status) = if !all && pends(LOGS) {
            (Transition::DbModify, "configuring-log-exports")
        } else if !all && is_rewired {
            (Transition::DbModify, "modifying")
        } else if !all {
            (Transition::DbPassword, "resetting-master-credentials")
        } else if pends(VERSION) {
            (Transition::DbRestart, "upgrading")
        } else if pends(CLASS) || pends(RETENTION) {
            (Transition::DbRestart, "modifying")
        } else {
            (Transition::DbModify, "modifying")
        };
        let restarts = transition == Transition::DbRestart;
        let mut until = if all && gets_standby && !restarts { from } else { from + self.duration(transition) };
        if all && gets_standby {
            until = until + self.duration(Transition::DbMultiAz);
        }
        let mut phases = vec![(status.to_owned(), until)];
        if all && backups_begin {
            until = until + self.duration(Transition::DbModify);
            phases.push(("backing-up".to_owned(), until));
        }
        if let Some((earlier, (_, last))) = earlier.as_ref().zip(phases.last_mut()) {
            *last = earlier.until().max(*last);
            until = *last;
        }
        if let Some(db) = self.db_instances.get_mut(name) {
            db.busy = Some(Busy { from: earlier.map_or(from, |earlier| earlier.from.min(from)), phases, all });
        }
        self.expire(until, format!("db-change/{name}").into());
    }

    /// The maintenance window of an instance begins: what waits is done, if the instance is free for it; if it is not,
    /// in the next one.
    pub(crate) fn open_db_window(&mut self, at: Instant, name: &str) {
        let Some(db) = self.db_instances.get(name) else { return };
        // The window may be that of an earlier instance of this name.
        if !db.window.contains(at) || !waits(db) || db.gone.is_some() {
            return;
        }
        if db.busy.is_none() && db.is_available(at) {
            self.begin_db_change(at, name, true);
        } else {
            self.expire(db.window.next(at), format!("db-window/{name}").into());
        }
    }

    /// RDS begins with a change: whether an instance is publicly accessible shows from then on.
    pub(crate) fn notice_db_change(&mut self, name: &str) {
        if let Some(db) = self.db_instances.get_mut(name) {
            db.public = db.next_public.take().unwrap_or(db.public);
        }
    }

    /// Gives interfaces these security groups.
    fn wear(&mut self, interfaces: &[Text], groups: &[Text]) {
        for interface in interfaces {
            if let Some(interface) = self.interfaces.get_mut(interface) {
                interface.groups = groups.to_vec();
            }
        }
    }

    /// A new instance has a password when it is created, and then makes its standby, if it is to have one.
    fn go_on_with_creation(&mut self, at: Instant, name: &str) {
        let Some(db) = self.db_instances.get_mut(name) else { return };
        db.pending.remove(PASSWORD);
        match db.standby {
            None => {}
            Some(there) if at < there => {
                db.pending.insert(MULTI_AZ.to_owned(), true.into());
            }
            Some(_) => {
                db.standby = None;
                db.pending.remove(MULTI_AZ);
                db.multi_az = !std::mem::take(&mut db.lacks_standby);
                if !db.multi_az {
                    self.move_standby(name);
                }
            }
        }
    }

    /// Puts pending changes of an instance into effect, when the last of them is due.
    pub(crate) fn finish_db_change(&mut self, at: Instant, name: &str) {
        let Some(db) = self.db_instances.get_mut(name).filter(|db| db.gone.is_none()) else { return };
        let Some(busy) = db.busy.take_if(|busy| busy.until() <= at) else {
            if db.busy.is_none() {
                self.go_on_with_creation(at, name);
            }
            return;
        };
        db.pending.remove(PASSWORD);
        db.public = db.next_public.take().unwrap_or(db.public);
        if let Some(groups) = db.next_groups.take() {
            db.groups.clone_from(&groups);
            let interfaces = db.interfaces.clone();
            self.wear(&interfaces, &groups);
        }
        let Some(db) = self.db_instances.get_mut(name) else { return };
        if let Some(change) = db.pending.remove(LOGS) {
            db.logs.extend(listed(&change, "LogTypesToEnable"));
            listed(&change, "LogTypesToDisable").iter().for_each(|log| _ = db.logs.remove(log));
        }
        if !busy.all {
            return;
        }
        let pending = std::mem::take(&mut db.pending);
        for (parameter, value) in &pending {
            let text = || Text::from(value.as_str().unwrap_or_default());
            match parameter.as_str() {
                CLASS => db.class = text(),
                VERSION => db.version = text(),
                STORAGE => db.storage = value.as_i64().unwrap_or(db.storage),
                RETENTION => db.retention = value.as_i64().unwrap_or(db.retention),
                MULTI_AZ => {
                    let lacks_standby = std::mem::take(&mut db.lacks_standby);
                    db.multi_az = value.as_bool().unwrap_or(db.multi_az) && !lacks_standby;
                }
                _ => {}
            }
        }
        if pending.contains_key(STORAGE) {
            db.failure.take_if(|failure| failure.code == STORAGE_FULL);
            let until = at + self.duration(Transition::DbOptimize);
            if let Some(db) = self.db_instances.get_mut(name) {
                db.storage_changed = Some((at, until));
            }
        }
        if pending.contains_key(MULTI_AZ) {
            self.move_standby(name);
        }
    }

    /// A subnet with a free address for a standby: of the group, in another Availability Zone.
    fn standby_subnet(&self, db: &Db) -> Option<Text> {
        let zone = |id: &Text| self.subnets.get(id).map(|subnet| &subnet.zone);
        let home = db.interfaces.first().and_then(|id| self.interfaces.get(id)).and_then(|i| zone(&i.subnet));
        let group = self.db_subnet_groups.get(&db.subnet_group)?;
        let is_free = |id: &&Text| self.subnets.get(*id).is_some_and(|subnet| subnet.pool.available() > 0);
        group.subnets.iter().filter(is_free).find(|id| zone(id) != home).cloned()
    }

    /// Gives an instance the interface of a standby in another zone, or takes it away. If there is no room for one any
    /// more, the instance stays in one zone.
    fn move_standby(&mut self, name: &str) {
        let Some(db) = self.db_instances.get(name).cloned() else { return };
        let mut interfaces = db.interfaces.clone();
        if db.multi_az {
            let subnet = self.standby_subnet(&db);
            interfaces
                .extend(subnet.and_then(|subnet| self.new_interface(&subnet, &db.groups, format!("db/{name}").into())));
        } else {
            for interface in interfaces.split_off(interfaces.len().min(1)) {
                self.drop_interface(&interface);
            }
        }
        if let Some(db) = self.db_instances.get_mut(name) {
            db.multi_az = interfaces.len() > 1;
            db.interfaces = interfaces;
        }
    }
}

/// True if something is pending that is not done by itself.
fn waits(db: &Db) -> bool {
    db.pending.keys().any(|parameter| parameter != PASSWORD && parameter != LOGS)
}

/// Logs that begin and cease to be sent, as they are pending; `None` if there are none.
fn changed_logs(request: &Request, db: &Db) -> Result<Option<Value>, Refusal> {
    let asked = request.arg("CloudwatchLogsExportConfiguration");
    let on = checks::logs(&db.version, listed(asked, "EnableLogTypes"))?;
    let off = checks::logs(&db.version, listed(asked, "DisableLogTypes"))?;
    if on.is_empty() && off.is_empty() {
        return Ok(None);
    }
    Ok(Some(object([("LogTypesToEnable", Value::list(&on)), ("LogTypesToDisable", Value::list(&off))])))
}

/// The texts of a list in an object.
fn listed(object: &Value, name: &str) -> Vec<Text> {
    object.get(name).as_list().unwrap_or_default().iter().filter_map(Value::shared_str).collect()
}
