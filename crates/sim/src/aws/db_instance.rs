//! Database instances: creation, description, deletion. RDS for PostgreSQL only.

use std::collections::BTreeMap;

use aloka_core::api::{ApiError, Reply, Request};
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use super::account::Doom;
use super::db_subnet_group::SubnetGroup;
use super::durations::Transition;
use super::error::refuse;
use super::record::{Meta, object, tags_value};
use super::security_group::Group;
use super::{Account, db_rules, quotas};

/// A database instance, under its identifier in lower case.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Db {
    pub(crate) meta: Meta,
    resource_id: String,
    pub(crate) class: String,
    pub(crate) version: String,
    username: String,
    pub(crate) db_name: Option<String>,
    pub(crate) storage: i64,
    pub(crate) storage_type: String,
    pub(crate) encrypted: bool,
    pub(crate) multi_az: bool,
    pub(crate) public: bool,
    auto_minor: bool,
    pub(crate) retention: i64,
    pub(crate) protected: bool,
    zone: String,
    pub(crate) subnet_group: String,
    pub(crate) vpc: String,
    pub(crate) groups: Vec<String>,
    pub(crate) interfaces: Vec<String>,
    /// When `creating` ends: it has an endpoint, and is backed up if backups are kept.
    created: Instant,
    /// When its first backup ends.
    ready: Instant,
    /// The status it got instead of `available`.
    failure: Option<Doom>,
    /// Changes not yet in effect, by parameter.
    pub(crate) pending: BTreeMap<String, Value>,
    /// What it is doing about them.
    pub(crate) busy: Option<Busy>,
    /// When the storage was last changed, and until when it is optimised.
    pub(crate) storage_changed: Option<(Instant, Instant)>,
    /// When its deletion is done.
    pub(crate) gone: Option<Instant>,
}

/// A change under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Busy {
    pub(crate) status: String,
    /// When the status begins to show.
    pub(crate) from: Instant,
    pub(crate) until: Instant,
}

impl Db {
    pub(crate) fn is_gone(&self, now: Instant) -> bool {
        self.gone.is_some_and(|gone| now >= gone)
    }

    pub(crate) fn status(&self, now: Instant) -> &str {
        let busy = self.busy.as_ref().filter(|busy| busy.from <= now && now < busy.until);
        if self.gone.is_some() {
            "deleting"
        } else if now < self.created {
            "creating"
        } else if let Some(failure) = &self.failure {
            &failure.code
        } else if now < self.ready {
            "backing-up"
        } else if let Some(busy) = busy {
            &busy.status
        } else if self.storage_changed.is_some_and(|(changed, until)| changed <= now && now < until) {
            "storage-optimization"
        } else {
            "available"
        }
    }

    /// Refuses what RDS does only for instances that work.
    pub(crate) fn check_available(&self, now: Instant) -> Result<(), ApiError> {
        let name = &self.meta.id;
        match self.status(now) {
            "available" | "storage-optimization" => Ok(()),
            "deleting" => Err(refuse("InvalidDBInstanceState", format!("Instance {name} is already being deleted."))),
            _ => Err(refuse("InvalidDBInstanceState", format!("Instance {name} is not in available state."))),
        }
    }
}

impl Account {
    pub(crate) fn db(&self, now: Instant, name: &str) -> Result<&Db, ApiError> {
        let found = self.db_instances.get(&name.to_ascii_lowercase()).filter(|db| db.meta.visible <= now);
        found.ok_or_else(|| not_found(name))
    }

    pub(crate) fn db_mut(&mut self, now: Instant, name: &str) -> Result<&mut Db, ApiError> {
        let found = self.db_instances.get_mut(&name.to_ascii_lowercase()).filter(|db| db.meta.visible <= now);
        found.ok_or_else(|| not_found(name))
    }

    pub(crate) fn described_db(&self, now: Instant, db: &Db) -> Value {
        let name = &db.meta.id;
        let domain = crate::rng::Rng::stream(self.options.seed, "rds-domain", 0);
        let domain = domain.clone().text("abcdefghijklmnopqrstuvwxyz0123456789", 12);
        let region = &self.options.region;
        let endpoint = (now >= db.created).then(|| {
            object([
                ("Address", format!("{name}.{domain}.{region}.rds.amazonaws.com").into()),
                ("Port", 5432.into()),
                ("HostedZoneId", "Z2R2ITUGPM61AM".into()),
            ])
        });
        object([
            ("DBInstanceIdentifier", name.into()),
            ("DbiResourceId", (&db.resource_id).into()),
            ("DBInstanceArn", self.rds_arn("db", name).into()),
            ("DBInstanceClass", (&db.class).into()),
            ("DBInstanceStatus", db.status(now).into()),
            ("Engine", "postgres".into()),
            ("EngineVersion", (&db.version).into()),
            ("MasterUsername", (&db.username).into()),
            ("DBName", db.db_name.as_ref().into()),
            ("AllocatedStorage", db.storage.into()),
            ("StorageType", (&db.storage_type).into()),
            ("StorageEncrypted", db.encrypted.into()),
            ("MultiAZ", db.multi_az.into()),
            ("PubliclyAccessible", db.public.into()),
            ("AutoMinorVersionUpgrade", db.auto_minor.into()),
            ("BackupRetentionPeriod", db.retention.into()),
            ("DeletionProtection", db.protected.into()),
            ("AvailabilityZone", (now >= db.created).then_some(&db.zone).into()),
            ("DBSubnetGroupName", (&db.subnet_group).into()),
            ("VpcId", (&db.vpc).into()),
            ("VpcSecurityGroupIds", Value::list(&db.groups)),
            ("Endpoint", endpoint.into()),
            ("PendingModifiedValues", Value::map(db.pending.iter().map(|(name, value)| (name, value.clone())))),
            ("Tags", tags_value(&db.meta.tags)),
        ])
    }

    pub(crate) fn create_db_instance(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Reply {
        let name = db_rules::identifier(request.text("DBInstanceIdentifier"), "DBInstanceIdentifier")?;
        let engine = request.text("Engine");
        if engine != "postgres" {
            return Err(refuse("InvalidParameterValue", format!("Invalid DB engine: {engine}")));
        }
        let version = db_rules::version(request.arg("EngineVersion").as_str())?;
        db_rules::class(request.text("DBInstanceClass"), &version)?;
        let storage_type = request.arg("StorageType").as_str().unwrap_or("gp3").to_owned();
        let storage = db_rules::number(request, "AllocatedStorage")?.unwrap_or_default();
        db_rules::storage(&storage_type, storage)?;
        let db_name = request.arg("DBName").as_str().map(str::to_owned);
        db_name.as_deref().map_or(Ok(()), db_rules::database_name)?;
        db_rules::master_username(request.text("MasterUsername"))?;
        db_rules::password(request, secrets)?;
        let retention = db_rules::number(request, "BackupRetentionPeriod")?.unwrap_or(1);
        db_rules::retention(retention)?;
        let tags = self.new_tags(request)?;
        if self.db_instances.contains_key(&name) {
            return Err(refuse("DBInstanceAlreadyExists", "DB instance already exists"));
        }
        let SubnetGroup { meta: Meta { id: subnet_group, .. }, vpc, subnets, .. } =
            self.db_subnet_group(now, request.text("DBSubnetGroupName"))?.clone();
        if let Some(missing) = subnets.iter().find(|id| !self.subnets.contains_key(*id)) {
            return Err(refuse("InvalidSubnet", format!("Some input subnets in :[{missing}] are invalid.")));
        }
        let groups = self.check_db_groups(now, request, &vpc)?;
        let flag = |name: &str, default: bool| request.arg(name).as_bool().unwrap_or(default);
        let public = flag("PubliclyAccessible", false);
        if public {
            self.check_public(&vpc)?;
        }
        let message = "The request would result in the user exceeding the allowed number of DB instances.";
        quotas::check(self.db_instances.len(), self.quotas.db_instances, "InstanceQuotaExceeded", message)?;
        let multi_az = flag("MultiAZ", false);
        let places = self.db_places(&subnets, if multi_az { 2 } else { 1 })?;

        let zone = self.subnets.get(&places[0]).map(|subnet| subnet.zone.clone()).unwrap_or_default();
        let owner = format!("db/{name}");
        let interfaces = places.iter().filter_map(|subnet| self.new_interface(subnet, &groups, &owner)).collect();
        let total = self.duration(Transition::DbCreate);
        let failure = self.take_doom(request.operation());
        let created = if retention > 0 { now + total / 4 * 3 } else { now + total };
        let resource = self.rng("db-resource").text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 26);
        let db = Db {
            meta: self.new_meta(now, name.clone(), tags),
            resource_id: format!("db-{resource}"),
            class: request.text("DBInstanceClass").to_owned(),
            version,
            username: request.text("MasterUsername").to_owned(),
            db_name,
            storage,
            storage_type,
            encrypted: flag("StorageEncrypted", false),
            multi_az,
            public,
            auto_minor: flag("AutoMinorVersionUpgrade", true),
            retention,
            protected: flag("DeletionProtection", false),
            zone,
            subnet_group,
            vpc,
            groups,
            interfaces,
            created,
            ready: now + total,
            failure,
            pending: BTreeMap::from([("MasterUserPassword".to_owned(), "****".into())]),
            busy: None,
            storage_changed: None,
            gone: None,
        };
        // The password stops being pending when the instance is created.
        self.expire(created, &format!("db-change/{name}"));
        let reply = object([("DBInstance", self.described_db(now, &db))]);
        self.db_instances.insert(name, db);
        Ok(reply)
    }

    /// The security groups a request names, all of the VPC; its default group if it names none.
    pub(crate) fn check_db_groups(&self, now: Instant, request: &Request, vpc: &str) -> Result<Vec<String>, ApiError> {
        let ids = request.texts("VpcSecurityGroupIds");
        if ids.is_empty() {
            return Ok(self.vpcs.get(vpc).map(|vpc| vpc.default_group.clone()).into_iter().collect());
        }
        for id in &ids {
            let group = self.get::<Group>(now, id).map_err(|_| {
                refuse("InvalidParameterValue", format!("Invalid security group , groupId= {id}, groupName=."))
            })?;
            if group.vpc != vpc {
                let message = format!(
                    "The DB instance and EC2 security group are in different VPCs. The DB instance is in {vpc} and the \
                     EC2 security group is in {}",
                    group.vpc
                );
                return Err(refuse("InvalidParameterCombination", message));
            }
        }
        let message = "You have exceeded the maximum number of security groups for a DB instance.";
        quotas::check(ids.len(), 5 + 1, "InvalidParameterValue", message)?;
        Ok(ids)
    }

    /// Refuses a public database in a VPC that the internet does not reach.
    pub(crate) fn check_public(&self, vpc: &str) -> Result<(), ApiError> {
        let why = if !self.has_gateway(vpc) {
            "The specified VPC has no internet gateway attached.Update the VPC and then try again"
        } else if !self.vpcs.get(vpc).is_some_and(|vpc| vpc.dns_support && vpc.dns_hostnames) {
            "The specified VPC does not support DNS resolution, DNS hostnames, or both. Update the VPC and then try again"
        } else {
            return Ok(());
        };
        let message = format!("Cannot create a publicly accessible DBInstance. {why}");
        Err(refuse("InvalidVPCNetworkStateFault", message))
    }

    /// Subnets with a free address, `count` of them, in different zones.
    pub(crate) fn db_places(&mut self, subnets: &[String], count: usize) -> Result<Vec<String>, ApiError> {
        let mut by_zone: BTreeMap<&str, &String> = BTreeMap::new();
        for id in subnets {
            if let Some(subnet) = self.subnets.get(id).filter(|subnet| subnet.pool.available() > 0) {
                by_zone.entry(&subnet.zone).or_insert(id);
            }
        }
        let mut places: Vec<String> = by_zone.into_values().cloned().collect();
        if places.len() < count {
            let message = "The DB subnet group has no free addresses in enough Availability Zones.";
            return Err(refuse("InvalidVPCNetworkStateFault", message));
        }
        let mut rng = self.rng("db-zone");
        let first = rng.below(u64::try_from(places.len()).unwrap_or(0));
        places.rotate_left(usize::try_from(first).unwrap_or(0));
        places.truncate(count);
        Ok(places)
    }

    pub(crate) fn describe_db_instances(&self, now: Instant, request: &Request) -> Reply {
        let found = match request.arg("DBInstanceIdentifier").as_str() {
            Some(name) => vec![self.db(now, name)?],
            None => self.db_instances.values().filter(|db| db.meta.visible <= now).collect(),
        };
        let found = found.into_iter().map(|db| self.described_db(now, db));
        Ok(object([("DBInstances", Value::List(found.collect()))]))
    }

    pub(crate) fn delete_db_instance(&mut self, now: Instant, request: &Request) -> Reply {
        let db = self.db(now, request.text("DBInstanceIdentifier"))?;
        let name = db.meta.id.clone();
        let failed = db.failure.is_some() && now >= db.created && db.gone.is_none();
        let skip = request.arg("SkipFinalSnapshot").as_bool().unwrap_or(false);
        let snapshot = request.arg("FinalDBSnapshotIdentifier").as_str();
        let snapshot = snapshot.map(|text| db_rules::identifier(text, "FinalDBSnapshotIdentifier")).transpose()?;
        let combination = |message: &str| Err(refuse("InvalidParameterCombination", message));
        match (&snapshot, skip) {
            (None, false) => {
                return combination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.");
            }
            (Some(_), true) => {
                return combination(
                    "FinalDBSnapshotIdentifier can not be specified when deleting a DB instance with SkipFinalSnapshot.",
                );
            }
            (Some(_), false) | (None, true) => {}
        }
        if db.protected {
            return combination(
                "Cannot delete protected DB Instance, please disable deletion protection and try again.",
            );
        }
        if !(failed && skip) {
            db.check_available(now)?;
        }
        if let Some(snapshot) = &snapshot
            && self.db_snapshots.contains(snapshot)
        {
            let message =
                format!("Cannot create the snapshot because a snapshot with the identifier {snapshot} already exists.");
            return Err(refuse("DBSnapshotAlreadyExists", message));
        }
        let mut gone = now + self.duration(Transition::DbDelete);
        if let Some(snapshot) = snapshot {
            gone = gone + self.duration(Transition::DbFinalSnapshot);
            self.db_snapshots.insert(snapshot);
        }
        let db = self.db_mut(now, &name)?;
        db.gone = Some(gone);
        for interface in db.interfaces.clone() {
            self.end_interface(&interface, gone);
        }
        self.expire(gone, &format!("db/{name}"));
        let reply = self.described_db(now, self.db(now, &name)?);
        Ok(object([("DBInstance", reply)]))
    }

    /// Removes an instance whose deletion is done.
    pub(crate) fn forget_db(&mut self, name: &str) {
        self.db_instances.remove(name);
    }
}

fn not_found(name: &str) -> ApiError {
    refuse("DBInstanceNotFound", format!("DBInstance {name} not found."))
}
