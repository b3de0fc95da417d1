//! Calls at random, on what is there and what is not: nothing panics, and the books stay right.

use std::collections::BTreeMap;

use aloka_core::api::{Call, Operation, Request};
use aloka_core::value::Value;
use aloka_sim::aws::{Account, Durations, ObjectKind, Options, Quotas};
use aloka_sim::rng::Rng;
use serde_json::json;

use crate::cloud::{AMI, Cloud, NOWHERE};

/// Identifiers seen in replies, by prefix.
#[derive(Default)]
struct Seen(BTreeMap<String, Vec<String>>);

impl Seen {
    fn note(&mut self, value: &Value) {
        match value {
            Value::Str(text) => {
                if let Some((prefix, digits)) = text.rsplit_once('-')
                    && digits.len() == 17
                {
                    let ids = self.0.entry(prefix.to_owned()).or_default();
                    if !ids.iter().any(|id| **id == **text) {
                        ids.push(text.to_string());
                    }
                }
            }
            Value::List(items) => items.iter().for_each(|item| self.note(item)),
            Value::Map(map) => map.values().for_each(|item| self.note(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => {}
        }
    }

    /// One of the identifiers, the newest most often; now and then one of nothing.
    fn pick(&self, rng: &mut Rng, prefix: &str) -> String {
        let ids = self.0.get(prefix).map_or(&[][..], Vec::as_slice);
        let ids = if rng.one_in(4) { ids } else { &ids[ids.len().saturating_sub(4)..] };
        match rng.pick(ids) {
            Some(id) if !rng.one_in(20) => id.clone(),
            Some(_) | None => format!("{prefix}-{NOWHERE}"),
        }
    }
}

fn one_of(rng: &mut Rng, items: &[&str]) -> Value {
    Value::str(rng.pick(items).expect("items"))
}

/// A likely value for a parameter.
fn argument(rng: &mut Rng, seen: &Seen, parameter: &str) -> Value {
    let id = |rng: &mut Rng, prefix: &str| Value::from(seen.pick(rng, prefix));
    let ids = |rng: &mut Rng, prefix: &str| Value::list([seen.pick(rng, prefix)]);
    let text = match parameter {
        "VpcId" => return id(rng, "vpc"),
        "SubnetId" => return id(rng, "subnet"),
        "SubnetIds" => return Value::list([seen.pick(rng, "subnet"), seen.pick(rng, "subnet")]),
        "InternetGatewayId" | "GatewayId" => return id(rng, "igw"),
        "AllocationId" => return id(rng, "eipalloc"),
        "NatGatewayId" => return id(rng, "nat"),
        "RouteTableId" => return id(rng, "rtb"),
        "AssociationId" => return id(rng, "rtbassoc"),
        "GroupId" => return id(rng, "sg"),
        "VpcSecurityGroupIds" | "Groups" => return ids(rng, "sg"),
        "InstanceId" => return id(rng, "i"),
        "InstanceIds" => return ids(rng, "i"),
        "VolumeId" => return id(rng, "vol"),
        "Resources" => {
            let prefix = rng.pick(&["vpc", "subnet", "igw", "eipalloc", "nat", "rtb", "sg", "i", "vol", "eni"]);
            return ids(rng, prefix.expect("prefixes"));
        }
        "CidrBlock" => {
            let blocks = ["10.0.0.0/16", "10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/28", "10.0.3.0/24", "10.0.0.0/33"];
            return one_of(rng, &blocks);
        }
        "DestinationCidrBlock" => return one_of(rng, &["0.0.0.0/0", "0.0.0.0/0", "10.0.0.0/16"]),
        "AvailabilityZone" => return one_of(rng, &["us-east-1a", "us-east-1b", "us-east-1e", "us-east-1x"]),
        "ClientToken" => return Value::from(format!("t{}", rng.below(400))),
        "GroupName" | "DBSubnetGroupName" | "DBInstanceIdentifier" => return one_of(rng, &["a", "b", "c"]),
        "NetworkInterfaces" => {
            return Value::from(json!([{"DeviceIndex": 0, "SubnetId": seen.pick(rng, "subnet"),
                "Groups": if rng.one_in(2) { vec![seen.pick(rng, "sg")] } else { Vec::new() },
                "AssociatePublicIpAddress": rng.one_in(2), "DeleteOnTermination": !rng.one_in(10)}]));
        }
        "IpPermissions" => {
            let port = rng.below(3);
            return Value::from(json!([{"IpProtocol": "tcp", "FromPort": port, "ToPort": port,
                "UserIdGroupPairs": [{"GroupId": seen.pick(rng, "sg")}]}]));
        }
        "Tags" => return Value::map([("a", "b")]),
        "TagKeys" => return Value::list(["a"]),
        "InstanceType" => return one_of(rng, &["t3.small", "t3.micro", "t4g.small", "x"]),
        "DBInstanceClass" => return one_of(rng, &["db.t3.micro", "db.t3.small", "db.t2.micro"]),
        "MinCount" | "MaxCount" => return Value::from(if rng.one_in(5) { 3 } else { 1 }),
        "AllocatedStorage" | "Size" => return Value::from(20 + rng.below(20)),
        "BackupRetentionPeriod" => return Value::from(rng.below(3)),
        "Filters"
        | "EngineVersion"
        | "UserData"
        | "BlockDeviceMappings"
        | "MetadataOptions"
        | "StorageType"
        | "FinalDBSnapshotIdentifier"
        | "InstanceTenancy"
        | "ConnectivityType" => return Value::Null,
        "EnableDnsSupport"
        | "EnableDnsHostnames"
        | "MultiAZ"
        | "ApplyImmediately"
        | "DeletionProtection"
        | "PubliclyAccessible"
        | "SkipFinalSnapshot"
        | "StorageEncrypted"
        | "AutoMinorVersionUpgrade"
        | "DeleteAutomatedBackups" => return Value::from(rng.one_in(2)),
        "ImageId" => AMI,
        "Domain" => "vpc",
        "Engine" => "postgres",
        "MasterUserPassword" => "long-enough",
        "ResourceName" => "arn:aws:rds:us-east-1:123456789012:db:a",
        "LocationType" => "availability-zone",
        "Attribute" => "enableDnsSupport",
        other if other.ends_with("Ids") => return Value::Null,
        _ => "app",
    };
    Value::str(text)
}

/// How many addresses of subnets are taken.
fn taken(cloud: &mut Cloud) -> i64 {
    let subnets = cloud.ok(Operation::DescribeSubnets, json!({}));
    let taken = subnets.get("Subnets").as_list().expect("subnets").iter().map(|subnet| {
        let prefix = subnet.get("CidrBlock").as_str().and_then(|cidr| cidr.rsplit_once('/')).expect("a block").1;
        let size = 1_i64 << (32 - prefix.parse::<u32>().expect("a number"));
        size - 5 - subnet.get("AvailableIpAddressCount").as_i64().expect("a number")
    });
    taken.sum()
}

/// How many addresses must be taken: one for each instance, working NAT gateway and database (two with a standby).
fn owed(cloud: &mut Cloud) -> i64 {
    let mut owed = 0;
    let instances = cloud.ok(Operation::DescribeInstances, json!({}));
    owed += instances
        .get("Instances")
        .as_list()
        .map_or(0, |list| list.iter().filter(|instance| instance.get("State").as_str() != Some("terminated")).count());
    let nats = cloud.ok(Operation::DescribeNatGateways, json!({}));
    owed += nats.get("NatGateways").as_list().map_or(0, |list| {
        list.iter().filter(|nat| !matches!(nat.get("State").as_str(), Some("deleted" | "failed"))).count()
    });
    let databases = cloud.ok(Operation::DescribeDBInstances, json!({}));
    owed += databases
        .get("DBInstances")
        .as_list()
        .map_or(0, |list| list.iter().map(|db| if db.get("MultiAZ").as_bool() == Some(true) { 2 } else { 1 }).sum());
    let left = cloud.account.objects(cloud.now);
    owed += left.iter().filter(|object| object.kind == ObjectKind::NetworkInterface).count();
    i64::try_from(owed).expect("few")
}

/// Calls that list what is there.
const LISTS: [Operation; 10] = [
    Operation::DescribeVpcs,
    Operation::DescribeSubnets,
    Operation::DescribeInternetGateways,
    Operation::DescribeAddresses,
    Operation::DescribeNatGateways,
    Operation::DescribeRouteTables,
    Operation::DescribeSecurityGroups,
    Operation::DescribeNetworkInterfaces,
    Operation::DescribeInstances,
    Operation::DescribeVolumes,
];

#[test]
fn the_books_stay_right() {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for (seed, durations) in
        [(1, Durations::Drawn), (2, Durations::Median), (3, Durations::Instant), (4, Durations::Drawn)]
    {
        let mut rng = Rng::stream(seed, "walk", 0);
        let mut cloud = Cloud::new(Options { durations, seed, ..Options::default() });
        // Few objects, so that calls meet.
        let quotas = Quotas {
            vpcs: if seed == 1 { 2 } else { 1 },
            subnets: 5,
            internet_gateways: 3,
            addresses: 3,
            route_tables: 4,
            security_groups: 6,
            ..Quotas::default()
        };
        cloud.account = cloud.account.with_quotas(quotas);
        let mut seen = Seen::default();
        for step in 0..3000 {
            let operation = *rng.pick(Operation::ALL).expect("operations");
            // More is made than unmade or looked at, or there is never much.
            let unmakes = operation.name().starts_with("Delete") || !operation.is_mutating();
            if unmakes && !rng.one_in(3) {
                continue;
            }
            let mut args = Vec::new();
            for parameter in operation.parameters() {
                if parameter.required || rng.one_in(2) {
                    args.push((parameter.name, argument(&mut rng, &seen, parameter.name)));
                }
            }
            let request = Request(Call::new(operation, args));
            let swept = cloud.account.clone();
            match cloud.account.call(cloud.now, &request, &cloud.secrets) {
                Ok(reply) => {
                    seen.note(&reply);
                    *done.entry(operation.name()).or_default() += 1;
                    if !operation.is_mutating() {
                        assert_eq!(after_sweep(swept, &cloud), save(&cloud.account), "{request} is no read");
                    }
                }
                Err(error) => assert_eq!(after_sweep(swept, &cloud), save(&cloud.account), "{request}: {error}"),
            }
            if rng.one_in(3) {
                let seconds = rng.below(120);
                cloud.wait(seconds);
            }
            if step % 20 == 0 {
                seen = Seen::default();
                for operation in LISTS {
                    seen.note(&cloud.ok(operation, json!({})));
                }
                cloud.account = serde_json::from_str(&save(&cloud.account)).expect("loaded");
                assert_eq!(taken(&mut cloud), owed(&mut cloud), "after {request}");
            }
        }
    }
    // A walk that gets nowhere would prove nothing.
    // These need a name nobody guesses, or more luck than a walk has.
    let elsewhere = [Operation::GetParameter, Operation::DescribeImages, Operation::DeleteVpc];
    for operation in Operation::ALL.iter().filter(|operation| !elsewhere.contains(operation)) {
        assert!(done.contains_key(operation.name()), "{operation} never succeeded: {done:?}");
    }
}

fn save(account: &Account) -> String {
    serde_json::to_string(account).expect("saved")
}

/// The account as it is when only time has passed.
fn after_sweep(mut account: Account, cloud: &Cloud) -> String {
    let request = Request(Call::new(Operation::GetCallerIdentity, []));
    drop(account.call(cloud.now, &request, &cloud.secrets));
    save(&account)
}
