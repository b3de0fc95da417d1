//! `aws_db_instance`: the database.

use super::attribute::{Compare, OnChange, SECURITY_GROUPS, TAGS, attribute, computed, create_only, in_place, replace};
use super::context::{absent, call, equals, no_reads, nothing, object, wait};
use super::schema::{
    Type::{Blocks, Bool, Number as Num, Texts},
    Types,
};
use super::{
    Attribute, AttributeChange, Attributes, Context, Definition, Ending, Found, Import, Listing, Network, Origin,
    Phase, Recorded, Swept, Tagging, Use,
};
use crate::api::{Args, Call, Ec2, Operation, Rds};
use crate::intern;
use crate::kind::Kind;
use crate::procedure::{Accept, Expect, Pace, Save, Short, Step, Waiter};
use crate::value::{Value, ValueMap};

/// How AWS describes the network interface of a database (aws-behaviour.md, 2.8).
pub const DATABASE_INTERFACE: &str = "RDSNetworkInterface";
/// The attribute of a database that is a secret: never recorded, never shown.
pub const PASSWORD: &str = "password";
/// The attribute of a database that tells whether RDS keeps the master user's password in Secrets Manager.
pub const MANAGE_MASTER_USER_PASSWORD: &str = "manage_master_user_password";

/// The attribute of a database that tells which logs RDS sends to CloudWatch.
pub const LOGS_EXPORTS: &str = "enabled_cloudwatch_logs_exports";

/// Attributes of a database that tell how it is deleted: Terraform's provider records them, and AWS knows nothing of them.
pub const DELETE_AUTOMATED_BACKUPS: &str = "delete_automated_backups";
/// As [`DELETE_AUTOMATED_BACKUPS`].
pub const FINAL_SNAPSHOT_IDENTIFIER: &str = "final_snapshot_identifier";
/// As [`DELETE_AUTOMATED_BACKUPS`].
pub const SKIP_FINAL_SNAPSHOT: &str = "skip_final_snapshot";

/// The attribute of a database that tells whether AWS refuses to delete it.
pub const DELETION_PROTECTION: &str = "deletion_protection";

/// The attribute of a database that tells for how many days automated backups of it are kept.
pub const BACKUP_RETENTION: &str = "backup_retention_period";

/// The attribute of a database that tells up to which size, in GiB, RDS grows its storage by itself; 0 for not at all.
pub const MAX_ALLOCATED_STORAGE: &str = "max_allocated_storage";

/// Statuses of a database that is lost (aws-behaviour.md, 2.10).
pub const FAILED: [&str; 7] = [
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-network",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
];
/// Statuses that a database stays in until its owner does something about it.
pub const STUCK: [&str; 4] =
    ["inaccessible-encryption-credentials-recoverable", "incompatible-option-group", "stopped", "storage-full"];

/// Statuses of a database that works and takes changes.
pub const READY: [&str; 2] = ["available", "storage-optimization"];

const ATTRIBUTES: &[Attribute] = &[
    computed("address"),
    attribute("allocated_storage", OnChange::InPlace, Compare::DbStorage),
    computed("arn"),
    create_only("auto_minor_version_upgrade"),
    computed("availability_zone"),
    in_place(BACKUP_RETENTION),
    in_place("copy_tags_to_snapshot"),
    replace("db_name"),
    replace("db_subnet_group_name"),
    in_place(DELETE_AUTOMATED_BACKUPS),
    in_place(DELETION_PROTECTION),
    attribute(LOGS_EXPORTS, OnChange::InPlace, Compare::Set),
    computed("endpoint"),
    replace("engine"),
    attribute("engine_version", OnChange::InPlace, Compare::EngineVersion),
    computed("engine_version_actual"),
    in_place(FINAL_SNAPSHOT_IDENTIFIER),
    computed("id"),
    replace("identifier"),
    in_place("instance_class"),
    in_place(MANAGE_MASTER_USER_PASSWORD),
    computed("master_user_secret"),
    in_place(MAX_ALLOCATED_STORAGE),
    in_place("multi_az"),
    in_place("password"),
    computed("port"),
    in_place("publicly_accessible"),
    computed("resource_id"),
    in_place(SKIP_FINAL_SNAPSHOT),
    computed("status"),
    create_only("storage_encrypted"),
    create_only("storage_type"),
    TAGS,
    replace("username"),
    SECURITY_GROUPS,
];

const TYPES: Types = &[
    ("allocated_storage", Num),
    ("allow_major_version_upgrade", Bool),
    ("apply_immediately", Bool),
    ("auto_minor_version_upgrade", Bool),
    ("backup_retention_period", Num),
    ("blue_green_update", Blocks(&[("enabled", Bool)])),
    ("copy_tags_to_snapshot", Bool),
    ("customer_owned_ip_enabled", Bool),
    ("dedicated_log_volume", Bool),
    ("delete_automated_backups", Bool),
    ("deletion_protection", Bool),
    ("domain_dns_ips", Texts),
    ("enabled_cloudwatch_logs_exports", Texts),
    ("iam_database_authentication_enabled", Bool),
    ("iops", Num),
    ("listener_endpoint", Blocks(&[("port", Num)])),
    ("manage_master_user_password", Bool),
    ("master_user_secret", Blocks(&[])),
    ("max_allocated_storage", Num),
    ("monitoring_interval", Num),
    ("multi_az", Bool),
    ("performance_insights_enabled", Bool),
    ("performance_insights_retention_period", Num),
    ("port", Num),
    ("publicly_accessible", Bool),
    ("replicas", Texts),
    ("restore_to_point_in_time", Blocks(&[("use_latest_restorable_time", Bool)])),
    ("s3_import", Blocks(&[])),
    ("security_group_names", Texts),
    ("skip_final_snapshot", Bool),
    ("storage_encrypted", Bool),
    ("storage_throughput", Num),
    ("upgrade_storage_config", Bool),
    ("vpc_security_group_ids", Texts),
];

pub(super) static DEFINITION: Definition = Definition {
    schema_version: 2,
    provider_settings: &[("apply_immediately", false)],
    attributes: ATTRIBUTES,
    types: TYPES,
    secrets: &[PASSWORD, "password_wo"],
    recorded_only: &[DELETE_AUTOMATED_BACKUPS, FINAL_SNAPSHOT_IDENTIFIER, SKIP_FINAL_SNAPSHOT],
    variables: &[
        Origin { name: "", attribute: "identifier", variable: "environment" },
        Origin { name: "", attribute: "db_name", variable: "db_name" },
        Origin { name: "", attribute: "db_subnet_group_name", variable: "db_subnet_group_name" },
        Origin { name: "", attribute: "username", variable: "db_username" },
    ],
    name_attribute: Some("identifier"),
    reference: "id",
    id_prefix: None,
    derived_id: None,
    import: Import::By("identifier"),
    listing: Listing {
        kind: Kind::DbInstance,
        operation: Operation::Rds(Rds::DescribeDBInstances),
        argument: "DBInstanceIdentifier",
        filter: None,
        beside: None,
        list: "DBInstances",
        first: "DBInstances.0",
        id: "DBInstanceIdentifier",
        attribute: "identifier",
    },
    in_vpc: None,
    also_read: no_reads,
    made_by: &[(Operation::Rds(Rds::CreateDBInstance), "DBInstanceIdentifier")],
    told_apart_by: Some(&["identifier"]),
    found: Found::ByName,
    tagging: Tagging::Rds,
    swept: &[Swept {
        terraform_type: "aws_db_instance",
        operation: Operation::Rds(Rds::DescribeDBInstances),
        list: "DBInstances",
        id: "DBInstanceIdentifier",
        remove: "aws rds delete-db-instance --db-instance-identifier",
    }],
    observe,
    describe,
    phase,
    create,
    settle,
    finish: nothing,
    update,
    delete,
    is_aws_own: false,
    stands_beside_its_successor: false,
    part_of: None,
    ties: &[],
    used_by_others: Use::Nothing,
    network: Network::Host { port: Some(5432) },
};

/// A new database that keeps no backups.
const CREATED: Pace = Pace::seconds(190, 245, 3600);
/// With the first backup.
const BACKED_UP: Pace = Pace::seconds(290, 390, 3600);
/// A standby in another Availability Zone: RDS makes it of the database that is there, also when both are new.
const CONVERTED: Pace = Pace::seconds(400, 860, 7200);
const MODIFIED: Pace = Pace::seconds(20, 90, 4800);
const SETTLED: Pace = Pace::seconds(30, 120, 4800);
const DELETED: Pace = Pace::seconds(100, 180, 3600);
/// With a final snapshot, which of a large database takes its time.
const SNAPSHOT_AND_DELETED: Pace = Pace::seconds(160, 300, 14_400);
/// After a change that restarts it: another class or engine version, backups from now on or no more.
const RESTARTED: Pace = Pace::seconds(280, 480, 4800);

/// For how long a database that has no standby, and is making none, may still be about to make one.
const NO_STANDBY_LASTING_MS: u64 = 120_000;

fn status(value: &str, success: bool) -> Accept {
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

fn observe(a: &mut Attributes<'_>, _: &ValueMap) -> Option<()> {
    a.copy(&[
        ("address", "Endpoint.Address"),
        ("allocated_storage", "AllocatedStorage"),
        ("arn", "DBInstanceArn"),
        ("auto_minor_version_upgrade", "AutoMinorVersionUpgrade"),
        ("availability_zone", "AvailabilityZone"),
        (BACKUP_RETENTION, "BackupRetentionPeriod"),
        ("copy_tags_to_snapshot", "CopyTagsToSnapshot"),
        ("db_name", "DBName"),
        ("db_subnet_group_name", "DBSubnetGroupName"),
        ("deletion_protection", "DeletionProtection"),
        (LOGS_EXPORTS, "EnabledCloudwatchLogsExports"),
        ("engine", "Engine"),
        ("engine_version", "EngineVersion"),
        ("engine_version_actual", "EngineVersion"),
        ("id", "DbiResourceId"),
        ("identifier", "DBInstanceIdentifier"),
        ("instance_class", "DBInstanceClass"),
        ("multi_az", "MultiAZ"),
        ("port", "Endpoint.Port"),
        ("publicly_accessible", "PubliclyAccessible"),
        ("resource_id", "DbiResourceId"),
        ("status", "DBInstanceStatus"),
        ("storage_encrypted", "StorageEncrypted"),
        ("storage_type", "StorageType"),
        ("username", "MasterUsername"),
    ]);
    // What is on its way out is not what the database is to have.
    if let Some(groups) = a.object.at("VpcSecurityGroups").and_then(Value::as_list) {
        let groups = groups.iter().filter(|group| group.get("Status").as_str() != Some("removing"));
        let ids = groups.map(|group| group.get("VpcSecurityGroupId").clone()).collect();
        a.set("vpc_security_group_ids", Value::List(ids));
    }
    // A standby that is being made: RDS says `false` until it is there, but in the very beginning.
    let status = a.object.at("DBInstanceStatus").and_then(Value::as_str).unwrap_or_default();
    if let Some(pending) = a.object.at("PendingModifiedValues.MultiAZ").filter(|_| !READY.contains(&status)) {
        a.set("multi_az", pending.clone());
    }
    // Of storage that it does not grow by itself, RDS says nothing: otherwise what is recorded would stay.
    if a.object.at("AllocatedStorage").is_some() {
        let most = a.object.at("MaxAllocatedStorage").cloned().unwrap_or_else(|| 0.into());
        a.set(MAX_ALLOCATED_STORAGE, most);
    }
    // Absent, the secret is told as the lack of one: otherwise what is recorded would stay.
    let secret = a.object.at("MasterUserSecret").map(|secret| {
        let field = |name, from| (name, secret.get(from).clone());
        let fields =
            [field("kms_key_id", "KmsKeyId"), field("secret_arn", "SecretArn"), field("secret_status", "SecretStatus")];
        Value::map(fields.into_iter().filter(|(_, value)| !value.is_null()))
    });
    a.set(MANAGE_MASTER_USER_PASSWORD, secret.is_some().into());
    a.set("master_user_secret", Value::List(secret.into_iter().collect()));
    let (address, port) = (a.object.at("Endpoint.Address"), a.object.at("Endpoint.Port"));
    if let (Some(address), Some(port)) = (address.and_then(Value::as_str), port.and_then(Value::as_i64)) {
        a.set("endpoint", Value::from(format!("{address}:{port}")));
    }
    Some(())
}

fn describe(of: &Recorded<'_>) -> Option<Value> {
    // Terraform records no VPC for it, but its group does.
    let mut groups = of.others(Kind::DbSubnetGroup, "name", of.text("db_subnet_group_name"));
    let vpc = groups.next().map_or(Value::str(""), |group| group.value("vpc_id"));
    Some(Value::map([("DBInstanceIdentifier", of.id()), ("VpcId", vpc)]))
}

/// The read of the network interfaces that AWS made for these security groups' databases.
pub fn interfaces(groups: Value) -> Call {
    let filters = [("group-id", groups), ("description", Value::list([DATABASE_INTERFACE]))];
    Call::new(Ec2::DescribeNetworkInterfaces, [("Filters", Value::map(filters))])
}

fn phase(object: &Value) -> Phase {
    match object.at("DBInstanceStatus").and_then(Value::as_str).unwrap_or_default() {
        // The status does not tell of security groups before RDS is at work on them.
        "available" | "storage-optimization" if !are_groups_active(object) => Phase::Settling,
        // What is full is mended by more storage: a change in place.
        "available" | "storage-optimization" | "storage-full" => Phase::Ready,
        "deleting" | "delete-precheck" => Phase::Deleting,
        status if FAILED.contains(&status) => Phase::Failed(status.to_owned()),
        _ => Phase::Settling,
    }
}

/// True if no security group of a database is on its way, in or out.
fn are_groups_active(database: &Value) -> bool {
    let mut groups = database.get("VpcSecurityGroups").as_list().unwrap_or_default().iter();
    groups.all(|group| group.get("Status").as_str() == Some("active"))
}

/// A wait that also ends, and fails, when the object has come to rest short of it.
fn or_short(step: Step, short: Option<Short>) -> Step {
    match step {
        Step::Wait(waiter) => Step::Wait(Waiter { short: short.map(Box::new), ..waiter }),
        Step::Call { .. } => step,
    }
}

/// Waits until the database works as it was asked for. `available` alone does not say so: security groups may still be
/// on their way, and a standby may be.
fn settle(of: &Context<'_>) -> Vec<Step> {
    let multi_az = of.get("multi_az");
    let standby = multi_az.as_bool().map(|_| {
        let shown = Expect::Equals { path: field("MultiAZ"), value: multi_az.clone() };
        [shown, Expect::Absent { path: field("PendingModifiedValues.MultiAZ") }]
    });
    let settled: Vec<Expect> = std::iter::once(groups_active()).chain(standby.into_iter().flatten()).collect();
    let ready = READY.into_iter().map(|value| Accept {
        expect: Expect::All(std::iter::once(status(value, true).expect).chain(settled.clone()).collect()),
        success: true,
    });
    let failed = FAILED.into_iter().chain(STUCK).chain(["deleted"]).map(|value| status(value, false));
    let has_standby = multi_az.as_bool() == Some(true);
    let created = if of.get(BACKUP_RETENTION) == Value::from(0) { CREATED } else { BACKED_UP };
    let pace = if has_standby { created.then(CONVERTED) } else { created };
    vec![or_short(of.wait_for(ready.chain(failed).collect(), pace), has_standby.then(no_standby))]
}

/// Waits until RDS is at work on the database no more: it refuses to delete one that it is.
fn at_rest(of: &Context<'_>) -> Step {
    let at_rest = READY.into_iter().chain(FAILED).chain(STUCK).chain(["deleting"]);
    let accept = at_rest.map(|value| status(value, true)).chain([absent("DBInstances.0")]).collect();
    wait(of.read().0, accept, Save::Nothing, SETTLED)
}

fn create(of: &Context<'_>) -> Vec<Step> {
    let (logs, most) = (of.get(LOGS_EXPORTS), of.get(MAX_ALLOCATED_STORAGE));
    let args = [
        ("DBInstanceIdentifier", of.get("identifier")),
        ("DBInstanceClass", of.get("instance_class")),
        ("Engine", of.get("engine")),
        ("EngineVersion", of.get("engine_version")),
        ("AllocatedStorage", of.get("allocated_storage")),
        ("MaxAllocatedStorage", if most == Value::from(0) { Value::Null } else { most }),
        ("StorageType", of.get("storage_type")),
        ("StorageEncrypted", of.get("storage_encrypted")),
        ("DBName", of.get("db_name")),
        ("MasterUsername", of.get("username")),
        ("MasterUserPassword", of.get("password")),
        // RDS wants to hear of it only if it is so.
        ("ManageMasterUserPassword", if manages_password(of) { true.into() } else { Value::Null }),
        ("DBSubnetGroupName", of.get("db_subnet_group_name")),
        ("VpcSecurityGroupIds", of.get("vpc_security_group_ids")),
        ("PubliclyAccessible", of.get("publicly_accessible")),
        ("MultiAZ", of.get("multi_az")),
        ("BackupRetentionPeriod", of.get(BACKUP_RETENTION)),
        ("DeletionProtection", of.get(DELETION_PROTECTION)),
        ("AutoMinorVersionUpgrade", of.get("auto_minor_version_upgrade")),
        ("CopyTagsToSnapshot", of.get("copy_tags_to_snapshot")),
        ("EnableCloudwatchLogsExports", if logs.as_list() == Some(&[]) { Value::Null } else { logs }),
    ];
    vec![of.create_call(Operation::Rds(Rds::CreateDBInstance), object("DBInstance"), args)]
}

fn manages_password(of: &Context<'_>) -> bool {
    of.after.get(MANAGE_MASTER_USER_PASSWORD).and_then(Value::as_bool) == Some(true)
}

/// What changes in place, with the argument that changes it.
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
/// Those that a description has under the same name, and as they were asked for.
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

fn update(of: &Context<'_>, changes: &[AttributeChange], _: bool) -> Vec<Step> {
    let changed = ARGUMENTS.iter().filter(|(name, _)| changes.iter().any(|change| &*change.name == *name));
    let mut args: Args = changed.map(|(name, argument)| (*argument, of.get(name))).collect();
    let logs = changes.iter().find(|change| &*change.name == LOGS_EXPORTS);
    if let Some(change) = logs {
        args.insert("CloudwatchLogsExportConfiguration", logs_configuration(&change.before, &change.after));
    }
    if args.is_empty() {
        return Vec::new();
    }
    // RDS grows it no more once the limit is what there is; it then tells none.
    let ends_growth = args.get("MaxAllocatedStorage") == Some(&Value::from(0));
    if ends_growth {
        let size = if args.contains_key("AllocatedStorage") { of.after } else { of.before };
        args.insert("MaxAllocatedStorage", size.get("allocated_storage").cloned().unwrap_or_default());
    }
    args.insert("DBInstanceIdentifier", of.get("identifier"));
    args.insert("ApplyImmediately", true.into());
    let changed = shows(of, &args, ends_growth, logs);
    let done = |value: &str| Accept {
        expect: Expect::All(std::iter::once(status(value, true).expect).chain(changed.clone()).collect()),
        success: true,
    };
    // One that is full or stopped may still be so a moment after the call that mends it.
    let failed = FAILED.into_iter().map(|value| status(value, false));
    let accept = READY.into_iter().map(done).chain(failed).collect();
    let gets_standby = args.get("MultiAZ").and_then(Value::as_bool) == Some(true);
    let wait = or_short(of.wait_for(accept, pace(of, &args, gets_standby)), gets_standby.then(no_standby));
    vec![call(Operation::Rds(Rds::ModifyDBInstance), args), wait]
}

/// What a description shows once a change is carried out. The status stays `available` for a moment after the call: what was
/// asked for must not be pending either, and must show, as a read may be from before the call.
fn shows(of: &Context<'_>, args: &Args, ends_growth: bool, logs: Option<&AttributeChange>) -> Vec<Expect> {
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
        changed.push(if manages_password(of) { Expect::Present { path } } else { Expect::Absent { path } });
    }
    if let Some(change) = logs {
        changed.push(Expect::Absent { path: path("PendingModifiedValues.PendingCloudwatchLogsExports") });
        let value = change.after.clone();
        changed.push(Expect::Equals { path: path("EnabledCloudwatchLogsExports"), value });
    }
    changed
}

/// How long a change with these arguments takes.
fn pace(of: &Context<'_>, args: &Args, gets_standby: bool) -> Pace {
    let backups = [of.old(BACKUP_RETENTION), of.get(BACKUP_RETENTION)];
    let backups_begin_or_end = args.contains_key("BackupRetentionPeriod") && backups.contains(&Value::from(0));
    let restarts =
        backups_begin_or_end || ["DBInstanceClass", "EngineVersion"].iter().any(|key| args.contains_key(*key));
    match (gets_standby, restarts) {
        (true, true) => RESTARTED.then(CONVERTED),
        (true, false) => CONVERTED,
        (false, true) => RESTARTED,
        (false, false) => MODIFIED,
    }
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
fn delete(of: &Context<'_>, phase: Option<&Phase>) -> Vec<Step> {
    // What an earlier run began is only waited for.
    let ending = of.ending.filter(|_| phase != Some(&Phase::Deleting));
    let rest = (phase == Some(&Phase::Settling)).then(|| at_rest(of));
    // Only a replacement comes here with the protection on: one that turns it off.
    let is_protected = of.before.get(DELETION_PROTECTION).and_then(Value::as_bool) == Some(true);
    let unprotect = ending.filter(|_| is_protected).map(|_| {
        let args = [
            ("DBInstanceIdentifier", of.old("identifier")),
            ("DeletionProtection", false.into()),
            ("ApplyImmediately", true.into()),
        ];
        call(Operation::Rds(Rds::ModifyDBInstance), args)
    });
    let delete = ending.map(|ending| {
        let args = [
            ("DBInstanceIdentifier", of.old("identifier")),
            ("SkipFinalSnapshot", ending.snapshot.is_none().into()),
            ("FinalDBSnapshotIdentifier", ending.snapshot.as_ref().into()),
            ("DeleteAutomatedBackups", (!ending.keeps_backups).into()),
        ];
        call(Operation::Rds(Rds::DeleteDBInstance), args)
    });
    let pace = match ending {
        Some(Ending { snapshot: None, .. }) => DELETED,
        Some(Ending { snapshot: Some(_), .. }) => SNAPSHOT_AND_DELETED,
        // It may be making the snapshot that an earlier run asked for.
        None => Pace { deadline_ms: SNAPSHOT_AND_DELETED.deadline_ms, ..DELETED },
    };
    let gone = wait(of.read().0, vec![absent("DBInstances.0")], Save::Nothing, pace);
    rest.into_iter().chain(unprotect).chain(delete).chain([gone]).collect()
}
