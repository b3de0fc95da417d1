//! RDS operations, one function each.

use aloka_core::api::{ApiError, Reply};
use aloka_core::value::Value;
use aws_sdk_rds::Client;
use aws_sdk_rds::types::{
    AutomationMode, CloudwatchLogsExportConfiguration, DbInstance, DbSnapshot, DbSubnetGroup, PendingModifiedValues,
    Tag,
};

use super::error::api_error;
use super::input::Input;
use super::reply::{done, list, object, present, text};

pub(super) async fn create_db_subnet_group(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_db_subnet_group()
        .set_db_subnet_group_name(input.text("DBSubnetGroupName")?)
        .set_db_subnet_group_description(input.text("DBSubnetGroupDescription")?)
        .set_subnet_ids(input.texts("SubnetIds")?)
        .set_tags(tags(input)?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("DBSubnetGroup", subnet_group(present(output.db_subnet_group(), "DBSubnetGroup")?))]))
}

pub(super) async fn describe_db_subnet_groups(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_db_subnet_groups().set_db_subnet_group_name(input.text("DBSubnetGroupName")?);
    let groups = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("DBSubnetGroups", list(&groups, subnet_group))]))
}

pub(super) async fn modify_db_subnet_group(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .modify_db_subnet_group()
        .set_db_subnet_group_name(input.text("DBSubnetGroupName")?)
        .set_subnet_ids(input.texts("SubnetIds")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("DBSubnetGroup", subnet_group(present(output.db_subnet_group(), "DBSubnetGroup")?))]))
}

pub(super) async fn delete_db_subnet_group(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.delete_db_subnet_group().set_db_subnet_group_name(input.text("DBSubnetGroupName")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(super) async fn create_db_instance(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .create_db_instance()
        .set_db_instance_identifier(input.text("DBInstanceIdentifier")?)
        .set_db_instance_class(input.text("DBInstanceClass")?)
        .set_engine(input.text("Engine")?)
        .set_engine_version(input.text("EngineVersion")?)
        .set_allocated_storage(input.number("AllocatedStorage")?)
        .set_max_allocated_storage(input.number("MaxAllocatedStorage")?)
        .set_storage_type(input.text("StorageType")?)
        .set_storage_encrypted(input.flag("StorageEncrypted")?)
        .set_db_name(input.text("DBName")?)
        .set_master_username(input.text("MasterUsername")?)
        .set_master_user_password(input.secret("MasterUserPassword")?)
        .set_manage_master_user_password(input.flag("ManageMasterUserPassword")?)
        .set_db_subnet_group_name(input.text("DBSubnetGroupName")?)
        .set_vpc_security_group_ids(input.texts("VpcSecurityGroupIds")?)
        .set_publicly_accessible(input.flag("PubliclyAccessible")?)
        .set_multi_az(input.flag("MultiAZ")?)
        .set_backup_retention_period(input.number("BackupRetentionPeriod")?)
        .set_deletion_protection(input.flag("DeletionProtection")?)
        .set_auto_minor_version_upgrade(input.flag("AutoMinorVersionUpgrade")?)
        .set_copy_tags_to_snapshot(input.flag("CopyTagsToSnapshot")?)
        .set_enable_cloudwatch_logs_exports(input.texts("EnableCloudwatchLogsExports")?)
        .set_tags(tags(input)?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("DBInstance", instance(present(output.db_instance(), "DBInstance")?))]))
}

pub(super) async fn describe_db_instances(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.describe_db_instances().set_db_instance_identifier(input.text("DBInstanceIdentifier")?);
    let instances = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("DBInstances", list(&instances, instance))]))
}

pub(super) async fn modify_db_instance(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .modify_db_instance()
        .set_db_instance_identifier(input.text("DBInstanceIdentifier")?)
        .set_db_instance_class(input.text("DBInstanceClass")?)
        .set_engine_version(input.text("EngineVersion")?)
        .set_allocated_storage(input.number("AllocatedStorage")?)
        .set_max_allocated_storage(input.number("MaxAllocatedStorage")?)
        .set_master_user_password(input.secret("MasterUserPassword")?)
        .set_manage_master_user_password(input.flag("ManageMasterUserPassword")?)
        .set_vpc_security_group_ids(input.texts("VpcSecurityGroupIds")?)
        .set_publicly_accessible(input.flag("PubliclyAccessible")?)
        .set_multi_az(input.flag("MultiAZ")?)
        .set_backup_retention_period(input.number("BackupRetentionPeriod")?)
        .set_deletion_protection(input.flag("DeletionProtection")?)
        .set_copy_tags_to_snapshot(input.flag("CopyTagsToSnapshot")?)
        .set_cloudwatch_logs_export_configuration(logs_configuration(input)?)
        .set_apply_immediately(input.flag("ApplyImmediately")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("DBInstance", instance(present(output.db_instance(), "DBInstance")?))]))
}

pub(super) async fn delete_db_instance(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .delete_db_instance()
        .set_db_instance_identifier(input.text("DBInstanceIdentifier")?)
        .set_skip_final_snapshot(input.flag("SkipFinalSnapshot")?)
        .set_final_db_snapshot_identifier(input.text("FinalDBSnapshotIdentifier")?)
        .set_delete_automated_backups(input.flag("DeleteAutomatedBackups")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("DBInstance", instance(present(output.db_instance(), "DBInstance")?))]))
}

pub(super) async fn describe_db_snapshots(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_db_snapshots()
        .set_db_snapshot_identifier(input.text("DBSnapshotIdentifier")?)
        .set_snapshot_type(input.text("SnapshotType")?);
    let snapshots = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    Ok(object([("DBSnapshots", list(&snapshots, snapshot))]))
}

pub(super) async fn describe_db_engine_versions(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .describe_db_engine_versions()
        .set_engine(input.text("Engine")?)
        .set_engine_version(input.text("EngineVersion")?);
    let versions = call.into_paginator().items().send().try_collect().await.map_err(api_error)?;
    let versions = list(&versions, |version| {
        object([("EngineVersion", text(version.engine_version())), ("Status", text(version.status()))])
    });
    Ok(object([("DBEngineVersions", versions)]))
}

pub(super) async fn add_tags_to_resource(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.add_tags_to_resource().set_resource_name(input.text("ResourceName")?).set_tags(tags(input)?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(super) async fn remove_tags_from_resource(client: &Client, input: &Input<'_>) -> Reply {
    let call = client
        .remove_tags_from_resource()
        .set_resource_name(input.text("ResourceName")?)
        .set_tag_keys(input.texts("TagKeys")?);
    call.send().await.map_err(api_error)?;
    done()
}

pub(super) async fn list_tags_for_resource(client: &Client, input: &Input<'_>) -> Reply {
    let call = client.list_tags_for_resource().set_resource_name(input.text("ResourceName")?);
    let output = call.send().await.map_err(api_error)?;
    Ok(object([("Tags", tag_map(output.tag_list()))]))
}

fn logs_configuration(input: &Input<'_>) -> Result<Option<CloudwatchLogsExportConfiguration>, ApiError> {
    input.object("CloudwatchLogsExportConfiguration", &["EnableLogTypes", "DisableLogTypes"], |input| {
        Ok(CloudwatchLogsExportConfiguration::builder()
            .set_enable_log_types(input.texts("EnableLogTypes")?)
            .set_disable_log_types(input.texts("DisableLogTypes")?)
            .build())
    })
}

/// A list that RDS gives in no order, sorted.
fn sorted(list: &[String]) -> Value {
    let mut list = list.to_vec();
    list.sort();
    Value::list(list)
}

fn tags(input: &Input<'_>) -> Result<Option<Vec<Tag>>, ApiError> {
    let tags = input.text_map("Tags")?;
    Ok(tags.map(|tags| tags.into_iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()))
}

fn tag_map(tags: &[Tag]) -> Value {
    Value::map(tags.iter().map(|tag| (tag.key().unwrap_or_default(), tag.value().unwrap_or_default())))
}

fn subnet_group(group: &DbSubnetGroup) -> Value {
    object([
        ("DBSubnetGroupName", text(group.db_subnet_group_name())),
        ("DBSubnetGroupDescription", text(group.db_subnet_group_description())),
        ("VpcId", text(group.vpc_id())),
        ("SubnetGroupStatus", text(group.subnet_group_status())),
        ("SubnetIds", list(group.subnets(), |subnet| text(subnet.subnet_identifier()))),
        ("DBSubnetGroupArn", text(group.db_subnet_group_arn())),
    ])
}

fn snapshot(snapshot: &DbSnapshot) -> Value {
    object([
        ("DBSnapshotIdentifier", text(snapshot.db_snapshot_identifier())),
        ("DBInstanceIdentifier", text(snapshot.db_instance_identifier())),
        ("DbiResourceId", text(snapshot.dbi_resource_id())),
        ("SnapshotType", text(snapshot.snapshot_type())),
        ("Status", text(snapshot.status())),
    ])
}

fn instance(instance: &DbInstance) -> Value {
    let group = instance.db_subnet_group();
    let security_groups = list(instance.vpc_security_groups(), |group| {
        object([("VpcSecurityGroupId", text(group.vpc_security_group_id())), ("Status", text(group.status()))])
    });
    // While the instance is being created RDS knows the port, but no address.
    let endpoint = instance.endpoint().filter(|endpoint| endpoint.address().is_some()).map(|endpoint| {
        object([
            ("Address", text(endpoint.address())),
            ("Port", endpoint.port().into()),
            ("HostedZoneId", text(endpoint.hosted_zone_id())),
        ])
    });
    // An empty element is how some endpoints say that there is none.
    let secret = instance.master_user_secret().filter(|secret| secret.secret_arn().is_some()).map(|secret| {
        object([
            ("SecretArn", text(secret.secret_arn())),
            ("SecretStatus", text(secret.secret_status())),
            ("KmsKeyId", text(secret.kms_key_id())),
        ])
    });
    let pending = instance.pending_modified_values().map_or_else(|| object([]), pending_values);
    object([
        ("DBInstanceIdentifier", text(instance.db_instance_identifier())),
        ("DbiResourceId", text(instance.dbi_resource_id())),
        ("DBInstanceArn", text(instance.db_instance_arn())),
        ("DBInstanceClass", text(instance.db_instance_class())),
        ("DBInstanceStatus", text(instance.db_instance_status())),
        ("Engine", text(instance.engine())),
        ("EngineVersion", text(instance.engine_version())),
        ("MasterUsername", text(instance.master_username())),
        ("DBName", text(instance.db_name())),
        ("AllocatedStorage", instance.allocated_storage().into()),
        ("MaxAllocatedStorage", instance.max_allocated_storage().into()),
        ("StorageType", text(instance.storage_type())),
        ("StorageEncrypted", instance.storage_encrypted().into()),
        ("MultiAZ", instance.multi_az().into()),
        ("PubliclyAccessible", instance.publicly_accessible().into()),
        ("AutoMinorVersionUpgrade", instance.auto_minor_version_upgrade().into()),
        ("BackupRetentionPeriod", instance.backup_retention_period().into()),
        ("DeletionProtection", instance.deletion_protection().into()),
        ("CopyTagsToSnapshot", instance.copy_tags_to_snapshot().into()),
        ("EnabledCloudwatchLogsExports", sorted(instance.enabled_cloudwatch_logs_exports())),
        ("PreferredMaintenanceWindow", text(instance.preferred_maintenance_window())),
        ("AvailabilityZone", text(instance.availability_zone())),
        ("DBSubnetGroupName", text(group.and_then(DbSubnetGroup::db_subnet_group_name))),
        ("VpcId", text(group.and_then(DbSubnetGroup::vpc_id))),
        ("VpcSecurityGroups", security_groups),
        ("Endpoint", endpoint.into()),
        ("MasterUserSecret", secret.into()),
        ("PendingModifiedValues", pending),
        ("Tags", tag_map(instance.tag_list())),
    ])
}

/// What RDS has accepted and not yet done, the password left out: RDS masks it, emulators may not. So are the few
/// values that are no plain text, number or truth value, none of which aloka can set.
fn pending_values(pending: &PendingModifiedValues) -> Value {
    // An empty element is how some endpoints say that there is none.
    let logs = pending
        .pending_cloudwatch_logs_exports()
        .map(|logs| (logs.log_types_to_enable(), logs.log_types_to_disable()))
        .filter(|(on, off)| !on.is_empty() || !off.is_empty())
        .map(|(on, off)| object([("LogTypesToEnable", sorted(on)), ("LogTypesToDisable", sorted(off))]));
    object([
        ("DBInstanceClass", text(pending.db_instance_class())),
        ("AllocatedStorage", pending.allocated_storage().into()),
        ("Port", pending.port().into()),
        ("BackupRetentionPeriod", pending.backup_retention_period().into()),
        ("MultiAZ", pending.multi_az().into()),
        ("EngineVersion", text(pending.engine_version())),
        ("LicenseModel", text(pending.license_model())),
        ("Iops", pending.iops().into()),
        ("StorageThroughput", pending.storage_throughput().into()),
        ("DBInstanceIdentifier", text(pending.db_instance_identifier())),
        ("StorageType", text(pending.storage_type())),
        ("CACertificateIdentifier", text(pending.ca_certificate_identifier())),
        ("DBSubnetGroupName", text(pending.db_subnet_group_name())),
        ("AutomationMode", text(pending.automation_mode().map(AutomationMode::as_str))),
        ("MultiTenant", pending.multi_tenant().into()),
        ("PendingCloudwatchLogsExports", logs.into()),
        ("IAMDatabaseAuthenticationEnabled", pending.iam_database_authentication_enabled().into()),
        ("DedicatedLogVolume", pending.dedicated_log_volume().into()),
        ("Engine", text(pending.engine())),
    ])
}
