//! The whole account as Describe calls show it, without what differs from run to run: no ids, addresses drawn, times.

use std::collections::BTreeMap;

use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::identity::{ADDRESS_TAG, GENERATION_TAG};
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::aws::Account;

/// Which lists there are, and what identifies an item.
const LISTS: [(Operation, &str, &str); 12] = [
    (Operation::Ec2(Ec2::DescribeVpcs), "Vpcs", "VpcId"),
    (Operation::Ec2(Ec2::DescribeSubnets), "Subnets", "SubnetId"),
    (Operation::Ec2(Ec2::DescribeInternetGateways), "InternetGateways", "InternetGatewayId"),
    (Operation::Ec2(Ec2::DescribeAddresses), "Addresses", "AllocationId"),
    (Operation::Ec2(Ec2::DescribeNatGateways), "NatGateways", "NatGatewayId"),
    (Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables", "RouteTableId"),
    (Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups", "GroupId"),
    (Operation::Ec2(Ec2::DescribeInstances), "Instances", "InstanceId"),
    (Operation::Ec2(Ec2::DescribeVolumes), "Volumes", "VolumeId"),
    (Operation::Rds(Rds::DescribeDBSubnetGroups), "DBSubnetGroups", "DBSubnetGroupName"),
    (Operation::Rds(Rds::DescribeDBInstances), "DBInstances", "DBInstanceIdentifier"),
    // Their names are chosen when it is planned: they are compared as they stand.
    (Operation::Rds(Rds::DescribeDBSnapshots), "DBSnapshots", ""),
];

/// Fields that AWS chooses, or that tell a time.
const CHOSEN: [&str; 21] = [
    "AssociationId",
    "RouteTableAssociationId",
    "AttachTime",
    "AvailableIpAddressCount",
    "ClientToken",
    "CreateTime",
    "DbiResourceId",
    "DeleteTime",
    "Endpoint",
    "InstanceCreateTime",
    "LaunchTime",
    "LatestRestorableTime",
    "NetworkInterfaceId",
    "NetworkInterfaces",
    // Drawn for each new database (CreateDBInstance); no call of ours names it.
    "PreferredMaintenanceWindow",
    "PrivateDnsName",
    "PrivateIp",
    "PrivateIpAddress",
    "PublicDnsName",
    "PublicIp",
    "PublicIpAddress",
];

/// One line for each object, sorted.
pub fn portrait(account: &Account, now: Instant) -> Vec<String> {
    let mut account = account.clone();
    let mut names = BTreeMap::new();
    let mut found = Vec::new();
    for (operation, list, id) in LISTS {
        let request = Request(Call::new(operation, []));
        let reply = account.call(now, &request, &Secrets::default()).unwrap_or_default();
        for item in reply.get(list).as_list().unwrap_or_default() {
            if is_gone(item) {
                continue;
            }
            let own = item.get(id).as_str().unwrap_or_default().to_owned();
            let address = item.get("Tags").get(ADDRESS_TAG).as_str().unwrap_or("untagged");
            let item = if list == "DBInstances" { without(item, "AvailabilityZone") } else { item.clone() };
            names.insert(own, format!("<{list} {address}>"));
            found.push((list, item));
        }
    }
    let mut lines: Vec<String> = found.iter().map(|(list, item)| format!("{list} {}", plain(item, &names))).collect();
    lines.sort();
    lines
}

/// The item without a field that AWS chooses for this kind only.
fn without(item: &Value, name: &str) -> Value {
    Value::map(
        item.as_map()
            .into_iter()
            .flatten()
            .filter(|(key, _)| &***key != name)
            .map(|(key, value)| (key.clone(), value.clone())),
    )
}

/// Listed for a while after it went.
fn is_gone(item: &Value) -> bool {
    let state = item.get("State").as_str().or_else(|| item.at("State.Name").and_then(Value::as_str));
    matches!(state, Some("deleted" | "terminated"))
}

fn plain(value: &Value, names: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Str(text) => match names.get(&**text) {
            Some(name) => Value::str(name),
            // Of other texts, only these have identifiers in them.
            None if text.starts_with("arn:") => {
                let named = |text: String, (id, name): (&String, &String)| text.replace(id.as_str(), name);
                Value::from(names.iter().filter(|(id, _)| !id.is_empty()).fold(text.to_string(), named))
            }
            None => value.clone(),
        },
        Value::List(items) => {
            let mut items: Vec<Value> = items.iter().map(|item| plain(item, names)).collect();
            items.sort_by_key(ToString::to_string);
            Value::List(items)
        }
        Value::Map(map) => {
            let kept = map.iter().filter(|(key, _)| !CHOSEN.contains(&&***key) && &***key != GENERATION_TAG);
            Value::map(kept.map(|(key, value)| (key.clone(), plain(value, names))))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(_) | Value::Secret(_) => value.clone(),
    }
}
