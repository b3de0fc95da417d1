//! From AWS's objects to attributes: one mapping for what a create answers, what a waiter sees, what a refresh reads.
//!
//! An attribute is set only if the object says something about it, so partial objects can be merged one by one.

use std::sync::Arc;

use crate::intern;
use crate::model::{BACKUP_RETENTION, Kind, LOGS_EXPORTS, MANAGE_MASTER_USER_PASSWORD, MAX_ALLOCATED_STORAGE};
use crate::rules;
use crate::value::{Value, ValueMap};

/// Where an object stands in its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It is what it is going to be.
    Ready,
    /// AWS is still at work on it.
    Settling,
    /// It failed and will not recover; AWS's reason.
    Failed(String),
    /// AWS is deleting it.
    Deleting,
    /// It is gone, though still listed.
    Gone,
}

/// Statuses of a database that is lost (aws-behaviour.md, 2.10).
pub const DB_FAILED: [&str; 7] = [
    "failed",
    "inaccessible-encryption-credentials",
    "incompatible-network",
    "incompatible-parameters",
    "incompatible-restore",
    "insufficient-capacity",
    "restore-error",
];
/// Statuses that a database stays in until its owner does something about it.
pub const DB_STUCK: [&str; 4] =
    ["inaccessible-encryption-credentials-recoverable", "incompatible-option-group", "stopped", "storage-full"];

/// Statuses of a database that works and takes changes.
pub const DB_READY: [&str; 2] = ["available", "storage-optimization"];

/// What is known of the place the objects are in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The Region.
    pub region: String,
    /// The account, if known.
    pub account: Option<String>,
}

impl Place {
    /// The partition of ARNs in this Region.
    pub fn partition(&self) -> &'static str {
        if self.region.starts_with("cn-") {
            "aws-cn"
        } else if self.region.starts_with("us-gov-") {
            "aws-us-gov"
        } else {
            "aws"
        }
    }

    /// An ARN in this place; null while the account is unknown.
    pub fn arn(&self, service: &str, resource: &str) -> Value {
        let arn = |account| format!("arn:{}:{service}:{}:{account}:{resource}", self.partition(), self.region);
        self.account.as_ref().map(arn).into()
    }
}

/// The attributes of an object that is in `known` by its place: a route, an association. `None` if it is not there.
pub fn attributes(kind: Kind, known: &ValueMap, object: &Value, place: &Place) -> Option<ValueMap> {
    let mut a = Attributes::of(object);
    match kind {
        Kind::Vpc => {
            a.copy(&[
                ("cidr_block", "CidrBlock"),
                ("dhcp_options_id", "DhcpOptionsId"),
                ("id", "VpcId"),
                ("instance_tenancy", "InstanceTenancy"),
                ("owner_id", "OwnerId"),
                ("enable_dns_hostnames", "EnableDnsHostnames"),
                ("enable_dns_support", "EnableDnsSupport"),
            ]);
            a.ec2_arn(place, "vpc");
        }
        Kind::Subnet => {
            a.copy(&[
                ("availability_zone", "AvailabilityZone"),
                ("availability_zone_id", "AvailabilityZoneId"),
                ("cidr_block", "CidrBlock"),
                ("id", "SubnetId"),
                ("map_public_ip_on_launch", "MapPublicIpOnLaunch"),
                ("owner_id", "OwnerId"),
                ("vpc_id", "VpcId"),
            ]);
            a.ec2_arn(place, "subnet");
        }
        Kind::InternetGateway => {
            a.copy(&[("id", "InternetGatewayId"), ("owner_id", "OwnerId")]);
            if let Some(attachments) = object.at("Attachments") {
                let attached = attachments.at("0.VpcId").cloned().unwrap_or_else(|| Value::str(""));
                a.set("vpc_id", attached);
            }
            a.ec2_arn(place, "internet-gateway");
        }
        Kind::Eip => {
            a.copy(&[
                ("allocation_id", "AllocationId"),
                ("association_id", "AssociationId"),
                ("domain", "Domain"),
                ("id", "AllocationId"),
                ("network_border_group", "NetworkBorderGroup"),
                ("network_interface", "NetworkInterfaceId"),
                ("private_ip", "PrivateIpAddress"),
                ("public_ip", "PublicIp"),
                ("public_ipv4_pool", "PublicIpv4Pool"),
            ]);
            a.ec2_arn(place, "elastic-ip");
        }
        Kind::NatGateway => {
            a.copy(&[("connectivity_type", "ConnectivityType"), ("id", "NatGatewayId"), ("subnet_id", "SubnetId")]);
            // Others can be added to it, in no order.
            let primary = keyed(object, "NatGatewayAddresses", "IsPrimary", &true.into());
            for (name, field) in [
                ("allocation_id", "AllocationId"),
                ("association_id", "AssociationId"),
                ("network_interface_id", "NetworkInterfaceId"),
                ("private_ip", "PrivateIp"),
                ("public_ip", "PublicIp"),
            ] {
                a.set(name, primary.map(|address| address.get(field).clone()).unwrap_or_default());
            }
        }
        Kind::RouteTable => {
            a.copy(&[("id", "RouteTableId"), ("owner_id", "OwnerId"), ("vpc_id", "VpcId")]);
            a.ec2_arn(place, "route-table");
        }
        Kind::Route => {
            let destination = known.get("destination_cidr_block")?;
            let routes = object.get("Routes").as_list()?;
            let route = routes.iter().find(|route| route.get("DestinationCidrBlock") == destination)?;
            let mut route = Attributes::of(route);
            route.copy(&[("destination_cidr_block", "DestinationCidrBlock"), ("origin", "Origin"), ("state", "State")]);
            for (name, field) in [("gateway_id", "GatewayId"), ("nat_gateway_id", "NatGatewayId")] {
                let target = route.object.at(field).cloned().unwrap_or_else(|| Value::str(""));
                route.set(name, target);
            }
            let table = object.get("RouteTableId").clone();
            route.set("id", Value::from(route_id(table.as_str().unwrap_or_default())));
            route.set("route_table_id", table);
            return Some(route.into_map());
        }
        Kind::RouteTableAssociation => {
            let subnet = known.get("subnet_id")?;
            let associations = object.get("Associations").as_list()?;
            let association = associations.iter().find(|association| association.get("SubnetId") == subnet)?;
            let mut association = Attributes::of(association);
            association.copy(&[
                ("id", "RouteTableAssociationId"),
                ("route_table_id", "RouteTableId"),
                ("subnet_id", "SubnetId"),
            ]);
            return Some(association.into_map());
        }
        Kind::SecurityGroup | Kind::DefaultSecurityGroup => {
            a.copy(&[
                ("description", "Description"),
                ("id", "GroupId"),
                ("name", "GroupName"),
                ("owner_id", "OwnerId"),
                ("vpc_id", "VpcId"),
            ]);
            let own = object.get("GroupId").as_str().unwrap_or_default();
            for (name, field) in [("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")] {
                if let Some(permissions) = object.at(field) {
                    a.set(name, rules::from_permissions(permissions, own));
                }
            }
            a.ec2_arn(place, "security-group");
        }
        Kind::DbSubnetGroup => {
            a.copy(&[
                ("arn", "DBSubnetGroupArn"),
                ("description", "DBSubnetGroupDescription"),
                ("id", "DBSubnetGroupName"),
                ("name", "DBSubnetGroupName"),
                ("subnet_ids", "SubnetIds"),
                ("vpc_id", "VpcId"),
            ]);
        }
        Kind::DbInstance => db_instance(&mut a),
        Kind::Instance => instance(&mut a, place),
    }
    if let Some(tags) = object.at("Tags") {
        a.set("tags", tags.clone());
        a.set("tags_all", tags.clone());
    }
    Some(a.into_map())
}

fn db_instance(a: &mut Attributes<'_>) {
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
    if let Some(pending) = a.object.at("PendingModifiedValues.MultiAZ").filter(|_| !DB_READY.contains(&status)) {
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
}

fn instance(a: &mut Attributes<'_>, place: &Place) {
    a.copy(&[
        ("ami", "ImageId"),
        ("availability_zone", "AvailabilityZone"),
        ("id", "InstanceId"),
        ("instance_state", "State"),
        ("instance_type", "InstanceType"),
        ("private_dns", "PrivateDnsName"),
        ("private_ip", "PrivateIpAddress"),
        ("public_dns", "PublicDnsName"),
        ("public_ip", "PublicIpAddress"),
        ("subnet_id", "SubnetId"),
    ]);
    let primary = keyed(a.object, "NetworkInterfaces", "DeviceIndex", &0.into());
    a.set("primary_network_interface_id", primary.map(|it| it.get("NetworkInterfaceId").clone()).unwrap_or_default());
    if let Some(groups) = a.object.at("SecurityGroups").and_then(Value::as_list) {
        a.set("vpc_security_group_ids", Value::List(groups.iter().map(|group| group.get("GroupId").clone()).collect()));
    }
    if let Some(options) = a.object.at("MetadataOptions") {
        let field = |name, from| (name, options.get(from).clone());
        let options = Value::common_map([
            field("http_endpoint", "HttpEndpoint"),
            field("http_put_response_hop_limit", "HttpPutResponseHopLimit"),
            field("http_tokens", "HttpTokens"),
        ]);
        a.set("metadata_options", Value::List(vec![options]));
    }
    a.ec2_arn(place, "instance");
}

/// `root_block_device` of an instance, from the instance and its volumes.
pub fn root_block_device(instance: &Value, volume: &Value) -> Value {
    let mappings = instance.get("BlockDeviceMappings").as_list().unwrap_or_default();
    let mapping = mappings.iter().find(|mapping| mapping.get("VolumeId") == volume.get("VolumeId"));
    let delete = mapping.map_or(Value::Null, |mapping| mapping.get("DeleteOnTermination").clone());
    Value::List(vec![Value::map([
        ("delete_on_termination", delete),
        ("device_name", mapping.map_or(Value::Null, |mapping| mapping.get("DeviceName").clone())),
        ("encrypted", volume.get("Encrypted").clone()),
        ("volume_id", volume.get("VolumeId").clone()),
        ("volume_size", volume.get("Size").clone()),
        ("volume_type", volume.get("VolumeType").clone()),
    ])])
}

/// What AWS says of an object that will not become ready.
pub fn why(kind: Kind, object: &Value) -> String {
    let text = |path: &str| object.at(path).and_then(Value::as_str).map(str::to_owned);
    text("StateReason.Message").unwrap_or_else(|| match phase(kind, object) {
        Phase::Failed(why) => why,
        phase => text("DBInstanceStatus").unwrap_or_else(|| format!("{phase:?}").to_lowercase()),
    })
}

/// True if an object of which AWS says this works again once its owner has done something: it is not lost.
pub fn waits_for_its_owner(kind: Kind, why: &str) -> bool {
    kind == Kind::DbInstance && DB_STUCK.contains(&why)
}

/// Where the object stands (aws-behaviour.md, 1.11).
pub fn phase(kind: Kind, object: &Value) -> Phase {
    let text = |path: &str| object.at(path).and_then(Value::as_str).unwrap_or_default();
    match kind {
        Kind::Vpc | Kind::Subnet => match text("State") {
            "pending" => Phase::Settling,
            "failed" | "failed-insufficient-capacity" => Phase::Failed(text("State").to_owned()),
            _ => Phase::Ready,
        },
        Kind::NatGateway => match text("State") {
            "pending" => Phase::Settling,
            "failed" => Phase::Failed(format!("{}: {}", text("FailureCode"), text("FailureMessage"))),
            "deleting" => Phase::Deleting,
            "deleted" => Phase::Gone,
            _ => Phase::Ready,
        },
        Kind::Instance => match text("State") {
            // Half way through a change of its type, or by its owner: see `plan::standing`.
            "pending" | "stopping" | "stopped" => Phase::Settling,
            "shutting-down" => Phase::Deleting,
            "terminated" => Phase::Gone,
            _ => Phase::Ready,
        },
        Kind::DbInstance => match text("DBInstanceStatus") {
            // The status does not tell of security groups before RDS is at work on them.
            "available" | "storage-optimization" if !are_groups_active(object) => Phase::Settling,
            // What is full is mended by more storage: a change in place.
            "available" | "storage-optimization" | "storage-full" => Phase::Ready,
            "deleting" | "delete-precheck" => Phase::Deleting,
            status if DB_FAILED.contains(&status) => Phase::Failed(status.to_owned()),
            _ => Phase::Settling,
        },
        Kind::DbSubnetGroup
        | Kind::DefaultSecurityGroup
        | Kind::Eip
        | Kind::InternetGateway
        | Kind::Route
        | Kind::RouteTable
        | Kind::RouteTableAssociation
        | Kind::SecurityGroup => Phase::Ready,
    }
}

/// True if no security group of a database is on its way, in or out.
fn are_groups_active(database: &Value) -> bool {
    let mut groups = database.get("VpcSecurityGroups").as_list().unwrap_or_default().iter();
    groups.all(|group| group.get("Status").as_str() == Some("active"))
}

/// The item of a list in which `key` is `wanted`: AWS promises no order. The first one if no item says.
fn keyed<'a>(object: &'a Value, list: &str, key: &str, wanted: &Value) -> Option<&'a Value> {
    let items = object.get(list).as_list()?;
    items.iter().find(|item| item.get(key) == wanted).or_else(|| items.first())
}

/// The identifier of an object to which AWS gives none, made of its attributes; `None` if AWS gives one.
pub fn derived_id(kind: Kind, attributes: &ValueMap) -> Option<String> {
    let table = (kind == Kind::Route).then(|| attributes.get("route_table_id").and_then(Value::as_str))??;
    Some(route_id(table))
}

/// Terraform's identifier of a default route: the table, and a checksum of `0.0.0.0/0`.
pub fn route_id(table: &str) -> String {
    const CHECKSUM_OF_DEFAULT: u32 = 1_080_289_494;
    format!("r-{table}{CHECKSUM_OF_DEFAULT}")
}

struct Attributes<'a> {
    object: &'a Value,
    found: Vec<(Arc<str>, Value)>,
}

impl<'a> Attributes<'a> {
    fn of(object: &'a Value) -> Self {
        Self { object, found: Vec::with_capacity(24) }
    }

    fn into_map(self) -> ValueMap {
        self.found.into_iter().collect()
    }

    fn set(&mut self, name: &str, value: Value) {
        if !value.is_null() {
            self.found.push((intern::key(name), value));
        }
    }

    fn copy(&mut self, fields: &[(&str, &str)]) {
        for (name, path) in fields {
            if let Some(value) = self.object.at(path) {
                self.set(name, value.clone());
            }
        }
    }

    fn ec2_arn(&mut self, place: &Place, resource_type: &str) {
        let id = self.found.iter().find(|(name, _)| **name == *"id");
        if let Some(id) = id.and_then(|(_, id)| id.as_str()) {
            let arn = place.arn("ec2", &format!("{resource_type}/{id}"));
            self.set("arn", arn);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The attributes of a reply as a driver has it.
    fn of(kind: Kind, object: serde_json::Value) -> ValueMap {
        let object: Value = serde_json::from_value(object).expect("a value");
        attributes(kind, &ValueMap::new(), &object, &Place::default()).expect("attributes")
    }

    #[test]
    fn items_are_told_by_their_key_and_not_by_their_place() {
        let other = serde_json::json!({"AllocationId": "eipalloc-2", "IsPrimary": false, "PublicIp": "198.51.100.8"});
        let own = serde_json::json!({"AllocationId": "eipalloc-1", "IsPrimary": true, "PublicIp": "198.51.100.7"});
        for addresses in [[&own, &other], [&other, &own]] {
            let nat =
                of(Kind::NatGateway, serde_json::json!({"NatGatewayId": "nat-1", "NatGatewayAddresses": addresses}));
            assert_eq!(nat["allocation_id"], Value::str("eipalloc-1"));
            assert_eq!(nat["public_ip"], Value::str("198.51.100.7"));
        }
        let second = serde_json::json!({"NetworkInterfaceId": "eni-2", "DeviceIndex": 1});
        let first = serde_json::json!({"NetworkInterfaceId": "eni-1", "DeviceIndex": 0});
        for interfaces in [[&first, &second], [&second, &first]] {
            let server = of(Kind::Instance, serde_json::json!({"InstanceId": "i-1", "NetworkInterfaces": interfaces}));
            assert_eq!(server["primary_network_interface_id"], Value::str("eni-1"));
        }
        // Endpoints that do not say.
        let silent = serde_json::json!({"NatGatewayAddresses": [{"AllocationId": "eipalloc-1"}]});
        assert_eq!(of(Kind::NatGateway, silent)["allocation_id"], Value::str("eipalloc-1"));
        assert!(!of(Kind::NatGateway, serde_json::json!({"NatGatewayId": "nat-1"})).contains_key("allocation_id"));
    }
}
