//! Database instances: creation, description, deletion. RDS for PostgreSQL only.

pub(crate) mod change;
pub(crate) mod checks;
pub(crate) mod need;
pub(crate) mod rules;
pub(crate) mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::change::{Busy, MULTI_AZ, PASSWORD};
use self::checks::Management;
use self::rules as rule;
use self::window::{Rounds, Window};
use crate::aws::Account;
use crate::aws::account::Doom;
use crate::aws::durations::Transition;
use crate::aws::ec2::security_group::Group;
use crate::aws::error::Answer;
use crate::aws::rds::db_subnet_group::SubnetGroup;
use crate::aws::record::{Meta, Tags, Text, object, tags_value};
use crate::rng::Rng;
use crate::rules::Refusal;

/// The failure of a creation, or of a change, whose standby does not come: the instance works without one.
pub(crate) const NO_STANDBY: &str = "no-standby";

/// Security groups of an instance (RDS user guide, "Quotas").
const MAX_GROUPS: usize = 5;

/// What RDS tells of a password it keeps in Secrets Manager.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct MasterSecret {
    arn: String,
    key: String,
}

/// A database instance, under its identifier in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Db {
    pub(crate) meta: Meta,
    pub(crate) resource_id: Text,
    pub(crate) class: Text,
    pub(crate) version: Text,
    username: Text,
    pub(crate) db_name: Option<Text>,
    pub(crate) storage: i64,
    /// The size that its storage may be grown to without being asked; `None` for not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) max_storage: Option<i64>,
    pub(crate) storage_type: Text,
    pub(crate) encrypted: bool,
    pub(crate) multi_az: bool,
    pub(crate) public: bool,
    auto_minor: bool,
    pub(crate) retention: i64,
    pub(crate) protected: bool,
    #[serde(default)]
    pub(crate) copies_tags: bool,
    /// Logs that are sent to CloudWatch.
    #[serde(default)]
    pub(crate) logs: BTreeSet<Text>,
    zone: Text,
    pub(crate) subnet_group: Text,
    pub(crate) vpc: Text,
    /// The security groups in effect.
    pub(crate) groups: Vec<Text>,
    /// Those it was told to have and RDS is about to give it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_groups: Option<Vec<Text>>,
    /// Whether it is to be publicly accessible, from when RDS begins to see to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next_public: Option<bool>,
    /// When the standby that its creation asked for is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) standby: Option<Instant>,
    /// True if no standby comes of what was asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lacks_standby: bool,
    pub(crate) interfaces: Vec<Text>,
    /// When `creating` ends: it has an endpoint, and is backed up if backups are kept.
    pub(crate) created: Instant,
    /// When its first backup ends.
    ready: Instant,
    /// The status it got instead of `available`.
    pub(crate) failure: Option<Doom>,
    /// When what waits is done.
    pub(crate) window: Window,
    /// What RDS does by itself, if the account is to show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rounds: Option<Rounds>,
    /// Changes not yet in effect, by parameter.
    pub(crate) pending: BTreeMap<String, Value>,
    /// The secret that holds the master user's password, if RDS manages it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) secret: Option<MasterSecret>,
    /// What it is doing about them.
    pub(crate) busy: Option<Busy>,
    /// When the storage was last changed, and until when it is optimised.
    pub(crate) storage_changed: Option<(Instant, Instant)>,
    /// When its deletion is done.
    pub(crate) gone: Option<Instant>,
}

impl Db {
    /// Values of IAM's condition keys that describe it.
    pub(crate) fn iam_keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = vec![
            ("rds:DatabaseEngine", "postgres".to_owned()),
            ("rds:DatabaseClass", self.class.to_string()),
            ("rds:MultiAz", self.multi_az.to_string()),
            ("rds:StorageEncrypted", self.encrypted.to_string()),
        ];
        keys.extend(self.db_name.as_ref().map(|name| ("rds:DatabaseName", name.to_string())));
        keys
    }

    pub(crate) fn is_gone(&self, now: Instant) -> bool {
        self.gone.is_some_and(|gone| now >= gone)
    }

    pub(crate) fn status(&self, now: Instant) -> &str {
        if self.gone.is_some() {
            "deleting"
        } else if now < self.created {
            "creating"
        } else if let Some(status) = self.busy.as_ref().and_then(|busy| busy.status(now)) {
            status
        } else if let Some(failure) = &self.failure {
            &failure.code
        } else if self.standby.is_some_and(|there| now < there) {
            "modifying"
        } else if now < self.ready {
            "backing-up"
        } else if let Some(status) = self.rounds.and_then(|it| it.status(now, self.retention > 0, self.window)) {
            status
        } else if self.storage_changed.is_some_and(|(changed, until)| changed <= now && now < until) {
            "storage-optimization"
        } else {
            "available"
        }
    }

    /// True if it may be changed or deleted.
    pub(crate) fn is_available(&self, now: Instant) -> bool {
        matches!(self.status(now), "available" | "storage-optimization")
    }

    /// What it shows of its standby: while it is created the one it is to have, then only one that is there.
    fn shows_standby(&self) -> bool {
        self.multi_az || (self.standby.is_some() && !self.pending.contains_key(MULTI_AZ))
    }

    /// Its security groups, in no order: those it is to have first.
    fn described_groups(&self) -> Value {
        let next = self.next_groups.as_ref().unwrap_or(&self.groups);
        let of = |id: &Text, status: &str| object([("Status", status.into()), ("VpcSecurityGroupId", id.into())]);
        let coming = next.iter().map(|id| of(id, if self.groups.contains(id) { "active" } else { "adding" }));
        let going = self.groups.iter().filter(|id| !next.contains(id)).map(|id| of(id, "removing"));
        Value::List(coming.chain(going).collect())
    }

    /// True if it failed and does nothing about it.
    fn has_failed(&self, now: Instant) -> bool {
        self.failure.as_ref().is_some_and(|failure| self.status(now) == failure.code)
    }

    /// True if a final snapshot can be taken of one that waits for its owner.
    fn takes_snapshot(&self, now: Instant) -> bool {
        matches!(self.status(now), "stopped" | "storage-full")
    }

    /// Refuses what RDS does only for instances that work.
    pub(crate) fn check_available(&self, now: Instant) -> Result<(), Refusal> {
        if self.is_available(now) {
            return Ok(());
        }
        Err(if self.gone.is_some() { rule::DELETING.refuse([&self.meta.id]) } else { rule::NOT_AVAILABLE.refuse([]) })
    }
}

impl MasterSecret {
    /// The secret is there at once, and holds the password when that is set.
    fn described(&self, pending: &BTreeMap<String, Value>) -> Value {
        let status = if pending.contains_key(PASSWORD) { "creating" } else { "active" };
        object([("SecretArn", (&self.arn).into()), ("SecretStatus", status.into()), ("KmsKeyId", (&self.key).into())])
    }
}

/// The hosted zone of the endpoints of a Region. Those of other Regions than these were not seen: theirs is made up.
fn hosted_zone(region: &str) -> &'static str {
    match region {
        "ca-central-1" => "Z1JG78A3UK1DU3",
        "us-east-1" => "Z2R2ITUGPM61AM",
        "us-east-2" => "Z2XHWR1WZ565X2",
        "us-west-2" => "Z1PVIF0B656C1W",
        _ => "Z0000000000000",
    }
}

/// What the creation of a database asks for.
struct Asked {
    name: Text,
    version: Text,
    storage_type: Text,
    storage: i64,
    max_storage: Option<i64>,
    db_name: Option<Text>,
    /// The password is left to RDS.
    managed: bool,
    retention: i64,
    public: bool,
    multi_az: bool,
    encrypted: bool,
    protected: bool,
    auto_minor: bool,
    copies_tags: bool,
    logs: BTreeSet<Text>,
    tags: Tags,
}

impl Account {
    pub(crate) fn db(&self, now: Instant, name: &str) -> Result<&Db, Refusal> {
        let found = self.db_instances.get(&*name.to_ascii_lowercase()).filter(|db| self.knows(now, &db.meta));
        found.ok_or_else(|| rule::NOT_FOUND.refuse([&name]))
    }

    pub(crate) fn db_mut(&mut self, now: Instant, name: &str) -> Result<&mut Db, Refusal> {
        self.db(now, name)?;
        let found = self.db_instances.get_mut(&*name.to_ascii_lowercase());
        found.ok_or_else(|| rule::NOT_FOUND.refuse([&name]))
    }

    pub(crate) fn described_db(&self, now: Instant, db: &Db) -> Value {
        let name = &db.meta.id;
        let domain = Rng::stream(self.options.seed, "rds-domain", 0);
        let domain = domain.clone().text("abcdefghijklmnopqrstuvwxyz0123456789", 12);
        let region = &self.options.region;
        let endpoint = (now >= db.created).then(|| {
            object([
                ("Address", format!("{name}.{domain}.{region}.rds.amazonaws.com").into()),
                ("HostedZoneId", hosted_zone(region).into()),
                ("Port", 5432.into()),
            ])
        });
        object([
            ("AllocatedStorage", db.storage.into()),
            ("AutoMinorVersionUpgrade", db.auto_minor.into()),
            // Not in the answer to the creation, and in the next one.
            ("AvailabilityZone", (now > db.meta.created).then_some(&db.zone).into()),
            ("BackupRetentionPeriod", db.retention.into()),
            ("CopyTagsToSnapshot", db.copies_tags.into()),
            ("DBInstanceArn", self.rds_arn("db", name).into()),
            ("DBInstanceClass", (&db.class).into()),
            ("DBInstanceIdentifier", name.into()),
            ("DBInstanceStatus", db.status(now).into()),
            ("DBName", db.db_name.as_ref().into()),
            ("DBSubnetGroupName", (&db.subnet_group).into()),
            ("DbiResourceId", (&db.resource_id).into()),
            ("DeletionProtection", db.protected.into()),
            ("EnabledCloudwatchLogsExports", Value::list(&db.logs)),
            ("Endpoint", endpoint.into()),
            ("Engine", "postgres".into()),
            ("EngineVersion", (&db.version).into()),
            ("MasterUserSecret", db.secret.as_ref().map(|secret| secret.described(&db.pending)).into()),
            ("MasterUsername", (&db.username).into()),
            ("MaxAllocatedStorage", db.max_storage.into()),
            ("MultiAZ", db.shows_standby().into()),
            ("PendingModifiedValues", Value::map(db.pending.iter().map(|(name, value)| (name, value.clone())))),
            ("PreferredMaintenanceWindow", db.window.to_string().into()),
            ("PubliclyAccessible", db.public.into()),
            ("StorageEncrypted", db.encrypted.into()),
            ("StorageType", (&db.storage_type).into()),
            ("Tags", tags_value(&db.meta.tags)),
            ("VpcId", (&db.vpc).into()),
            ("VpcSecurityGroups", db.described_groups()),
        ])
    }

    /// Refuses what the Free plan does not have, if the account is on it.
    fn check_db_free_plan(&self, class: &str, retention: i64) -> Result<(), Refusal> {
        let told = match retention {
            _ if !self.options.free_plan => return Ok(()),
            _ if !crate::aws::catalog::FREE_PLAN_CLASSES.contains(&class) => {
                "This instance size isn't available with free plan accounts."
            }
            2.. => "The specified backup retention period exceeds the maximum available to free tier customers.",
            _ => return Ok(()),
        };
        Err(rule::FREE_PLAN.refuse([&told]))
    }

    pub(crate) fn create_db_instance(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        let asked = self.asked(request, secrets)?;
        let (name, multi_az) = (asked.name, asked.multi_az);
        if self.db_instances.contains_key(&name) {
            return Err(rule::TAKEN.refuse([]));
        }
        let SubnetGroup { meta: Meta { id: subnet_group, .. }, vpc, subnets, .. } =
            self.whole_subnet_group(now, request.text("DBSubnetGroupName"))?;
        let groups = self.check_db_groups(now, request, &vpc)?;
        if asked.public {
            self.check_public(&vpc)?;
        }
        self.check_db_room(request.text("DBInstanceClass"), asked.storage, asked.retention)?;
        let failure = self.take_doom(request.operation());
        failure.as_ref().map_or(Ok(()), ordered_refusal)?;
        let lacks_standby = failure.as_ref().is_some_and(|failure| failure.code == NO_STANDBY);
        let failure = failure.filter(|_| !lacks_standby);
        let places = self.db_places(&subnets, if multi_az { 2 } else { 1 })?;

        let zone = self.subnets.get(&places[0]).map(|subnet| subnet.zone.clone()).unwrap_or_default();
        let owner = Text::from(format!("db/{name}"));
        let interfaces =
            places.iter().filter_map(|subnet| self.new_interface(subnet, &groups, owner.clone())).collect();
        let (creating, backup) = self.db_creation(asked.retention);
        let created = now + creating;
        // The standby is made of an instance that is there already.
        let converts = multi_az && failure.is_none();
        let standby = converts.then(|| created + self.duration(Transition::DbMultiAz));
        let resource = self.rng("db-resource").text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 26);
        let secret = asked.managed.then(|| self.new_master_secret());
        let db = Db {
            secret,
            meta: self.new_meta(now, name.clone(), asked.tags),
            resource_id: format!("db-{resource}").into(),
            class: request.text("DBInstanceClass").into(),
            version: asked.version,
            username: request.text("MasterUsername").into(),
            db_name: asked.db_name,
            storage: asked.storage,
            max_storage: asked.max_storage,
            storage_type: asked.storage_type,
            encrypted: asked.encrypted,
            multi_az: multi_az && !converts,
            public: asked.public,
            auto_minor: asked.auto_minor,
            retention: asked.retention,
            protected: asked.protected,
            copies_tags: asked.copies_tags,
            logs: asked.logs,
            zone,
            subnet_group,
            vpc,
            groups,
            next_groups: None,
            next_public: None,
            standby,
            lacks_standby,
            interfaces,
            created,
            ready: standby.unwrap_or(created) + backup,
            failure,
            window: Window::draw(&mut self.rng("db-window")),
            rounds: self.options.db_rounds.then(|| Rounds::draw(&mut self.rng("db-rounds"))),
            pending: BTreeMap::from([(PASSWORD.to_owned(), "****".into())]),
            busy: None,
            storage_changed: None,
            gone: None,
        };
        // The password stops being pending when the instance is created.
        self.expire(created, format!("db-change/{name}").into());
        if let Some(there) = standby {
            self.expire(there, format!("db-change/{name}").into());
        }
        let reply = object([("DBInstance", self.described_db(now, &db))]);
        self.db_instances.insert(name, db);
        Ok(reply)
    }

    /// The subnet group, if all of its subnets are there.
    fn whole_subnet_group(&self, now: Instant, name: &str) -> Result<SubnetGroup, Refusal> {
        let group = self.db_subnet_group(now, name)?;
        match group.subnets.iter().find(|id| !self.subnets.contains_key(*id)) {
            Some(missing) => Err(rule::SUBNETS_EXIST.refuse([missing])),
            None => Ok(group.clone()),
        }
    }

    /// Refuses one more database than the account may have, by number, storage and plan.
    fn check_db_room(&self, class: &str, storage: i64, retention: i64) -> Result<(), Refusal> {
        if self.db_instances.len() >= self.quotas.db_instances {
            return Err(rule::QUOTA.refuse([]));
        }
        self.check_db_storage(storage)?;
        self.check_db_free_plan(class, retention)
    }

    /// How long a new database is creating, and then backing up.
    fn db_creation(&mut self, retention: i64) -> (Duration, Duration) {
        if retention > 0 {
            let total = self.duration(Transition::DbCreate);
            (total / 4 * 3, total / 4)
        } else {
            (self.duration(Transition::DbCreateWithoutBackup), Duration::ZERO)
        }
    }

    /// What a creation asks for, if each of it by itself can be.
    fn asked(&self, request: &Request, secrets: &Secrets) -> Result<Asked, Refusal> {
        let name = Text::from(checks::identifier(request.text("DBInstanceIdentifier"))?);
        checks::engine(request.text("Engine"))?;
        let version = checks::version(request.arg("EngineVersion").as_str())?;
        checks::class(request.text("DBInstanceClass"), &version)?;
        let storage_type = request.arg("StorageType").shared_str().unwrap_or_else(|| "gp3".into());
        let storage = checks::number(request, "AllocatedStorage")?.unwrap_or_default();
        checks::storage(&storage_type, storage)?;
        checks::storage_type(&storage_type)?;
        let max_storage = checks::max_storage(request, storage)?.flatten();
        let db_name = request.arg("DBName").shared_str();
        db_name.as_deref().map_or(Ok(()), checks::database_name)?;
        checks::master_username(request.text("MasterUsername"))?;
        let password = checks::password(request, secrets)?;
        let managed = checks::management(request, false, password)? == Management::Begins;
        if !password && !managed {
            return Err(rule::PASSWORD_REQUIRED.refuse([]));
        }
        let retention = checks::number(request, "BackupRetentionPeriod")?.unwrap_or(1);
        checks::retention(retention)?;
        let flag = |name: &str, default: bool| checks::flag(request, name).map(|given| given.unwrap_or(default));
        let (public, multi_az) = (flag("PubliclyAccessible", false)?, flag("MultiAZ", false)?);
        let (encrypted, protected) = (flag("StorageEncrypted", false)?, flag("DeletionProtection", false)?);
        let (auto_minor, copies_tags) = (flag("AutoMinorVersionUpgrade", true)?, flag("CopyTagsToSnapshot", false)?);
        let logs = checks::logs(&version, request.texts("EnableCloudwatchLogsExports"))?;
        let tags = self.new_db_tags(request)?;
        Ok(Asked {
            name,
            version,
            storage_type,
            storage,
            max_storage,
            db_name,
            managed,
            retention,
            public,
            multi_az,
            encrypted,
            protected,
            auto_minor,
            copies_tags,
            logs,
            tags,
        })
    }

    /// A secret for a password that RDS makes, under the key that Secrets Manager has in every account.
    pub(crate) fn new_master_secret(&mut self) -> MasterSecret {
        let (region, account) = (self.options.region.clone(), self.options.account_id.clone());
        let uuid = |mut rng: Rng| [8, 4, 4, 4, 12].map(|length| rng.text("0123456789abcdef", length)).join("-");
        let key = uuid(Rng::stream(self.options.seed, "secretsmanager-key", 0));
        let name = uuid(self.rng("db-secret"));
        let suffix = self.rng("db-secret-suffix").text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", 6);
        MasterSecret {
            arn: format!("arn:aws:secretsmanager:{region}:{account}:secret:rds!db-{name}-{suffix}"),
            key: format!("arn:aws:kms:{region}:{account}:key/{key}"),
        }
    }

    /// The security groups a request names, all of the VPC; its default group if it names none.
    pub(crate) fn check_db_groups(&self, now: Instant, request: &Request, vpc: &str) -> Result<Vec<Text>, Refusal> {
        let ids = request.texts("VpcSecurityGroupIds");
        if ids.is_empty() {
            return Ok(self.vpcs.get(vpc).map(|vpc| vpc.default_group.clone()).into_iter().collect());
        }
        for id in &ids {
            let group = self.get_for_rds::<Group>(now, id).map_err(|_| rule::GROUP.refuse([id]))?;
            if *group.vpc != *vpc {
                return Err(rule::GROUP_VPC.refuse([&vpc, &group.vpc]));
            }
        }
        if ids.len() > MAX_GROUPS { Err(rule::GROUPS.refuse([])) } else { Ok(ids) }
    }

    /// Refuses `more` GiB of storage if there would be too much of it.
    pub(crate) fn check_db_storage(&self, more: i64) -> Result<(), Refusal> {
        let there: i64 = self.db_instances.values().map(|db| db.storage).sum();
        if there.saturating_add(more) > self.quotas.db_storage { Err(rule::STORAGE_QUOTA.refuse([])) } else { Ok(()) }
    }

    /// Refuses a public database in a VPC that the internet does not reach.
    pub(crate) fn check_public(&self, vpc: &str) -> Result<(), Refusal> {
        if !self.has_gateway(vpc) {
            return Err(rule::PUBLIC_GATEWAY.refuse([]));
        }
        if !self.vpcs.get(vpc).is_some_and(|vpc| vpc.dns_support && vpc.dns_hostnames) {
            return Err(rule::PUBLIC_DNS.refuse([]));
        }
        Ok(())
    }

    /// Subnets with a free address, `count` of them, in different zones.
    pub(crate) fn db_places(&mut self, subnets: &[Text], count: usize) -> Result<Vec<Text>, Refusal> {
        let mut by_zone: BTreeMap<&str, &Text> = BTreeMap::new();
        for id in subnets {
            if let Some(subnet) = self.subnets.get(id).filter(|subnet| subnet.pool.available() > 0) {
                by_zone.entry(&subnet.zone).or_insert(id);
            }
        }
        let mut places: Vec<Text> = by_zone.into_values().cloned().collect();
        if places.len() < count {
            return Err(rule::NO_ROOM.refuse([]));
        }
        let mut rng = self.rng("db-zone");
        let first = rng.below(u64::try_from(places.len()).unwrap_or(0));
        places.rotate_left(usize::try_from(first).unwrap_or(0));
        places.truncate(count);
        Ok(places)
    }

    pub(crate) fn describe_db_instances(&self, now: Instant, request: &Request) -> Answer {
        let found = match request.arg("DBInstanceIdentifier").as_str() {
            Some(name) => vec![self.db(now, name)?],
            None => self.db_instances.values().filter(|db| db.meta.visible <= now).collect(),
        };
        let found = found.into_iter().map(|db| self.described_db(now, db));
        Ok(object([("DBInstances", Value::List(found.collect()))]))
    }

    pub(crate) fn delete_db_instance(&mut self, now: Instant, request: &Request) -> Answer {
        let db = self.db(now, request.text("DBInstanceIdentifier"))?;
        let name = db.meta.id.clone();
        let skip = checks::flag(request, "SkipFinalSnapshot")?.unwrap_or(false);
        let snapshot = request.arg("FinalDBSnapshotIdentifier").as_str();
        let snapshot = snapshot.map(checks::snapshot_identifier).transpose()?;
        match (&snapshot, skip) {
            (None, false) => return Err(rule::SNAPSHOT_REQUIRED.refuse([])),
            (Some(_), true) => return Err(rule::SNAPSHOT_FORBIDDEN.refuse([])),
            (Some(_), false) | (None, true) => {}
        }
        let keeps_backups = checks::flag(request, "DeleteAutomatedBackups")? == Some(false);
        if db.protected {
            return Err(rule::PROTECTED.refuse([]));
        }
        match (db.has_failed(now), skip) {
            (true, true) => {}
            (true, false) if db.takes_snapshot(now) => {}
            (true, false) => return Err(rule::SNAPSHOT_STATE.refuse([&name, &db.status(now)])),
            (false, _) => db.check_available(now)?,
        }
        if let Some(snapshot) = &snapshot {
            self.check_final_snapshot(snapshot)?;
        }
        let db = db.clone();
        let mut gone = now + self.duration(Transition::DbDelete);
        if let Some(snapshot) = snapshot {
            gone = gone + self.duration(Transition::DbFinalSnapshot);
            self.make_final_snapshot(gone, snapshot, &db);
        }
        if keeps_backups {
            self.keep_backups(gone, &db);
        }
        let db = self.db_mut(now, &name)?;
        db.gone = Some(gone);
        for interface in db.interfaces.clone() {
            self.end_interface(&interface, gone);
        }
        self.expire(gone, format!("db/{name}").into());
        let reply = self.described_db(now, self.db(now, &name)?);
        Ok(object([("DBInstance", reply)]))
    }

    /// Removes an instance whose deletion is done.
    pub(crate) fn forget_db(&mut self, name: &str) {
        self.db_instances.remove(name);
    }
}

/// Failures that were ordered and that AWS answers with at once; all others are statuses the instance ends in.
fn ordered_refusal(doom: &Doom) -> Result<(), Refusal> {
    match doom.code.as_str() {
        code if code == rule::CAPACITY.code => Err(rule::CAPACITY.refuse([&doom.message])),
        code if code == rule::FREE_PLAN.code => Err(rule::FREE_PLAN.refuse([&doom.message])),
        code if code == rule::LINKED_ROLE.code => Err(rule::LINKED_ROLE.refuse([])),
        _ => Ok(()),
    }
}
