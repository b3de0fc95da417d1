//! Somebody else's objects in the same account, some with our names and with tags like ours, all of them recorded in our
//! state, some at addresses that the stack can have: nothing may touch them, and their records stay as they are.

use std::collections::BTreeSet;
use std::time::Duration;

use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::state::{State, file};
use aloka_core::time::Instant;
use aloka_core::value::{Value, ValueMap};
use aloka_sim::aws::{Account, Object};

use crate::LINEAGE;

/// The lineage of somebody else's state.
const OTHER_LINEAGE: &str = "7c9d2b52-1111-4222-8333-abcdefabcdef";
/// An image that can be launched.
const IMAGE: &str = "ami-0d27e0fb3bac4d724";

/// What is not ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Neighbours {
    ids: BTreeSet<String>,
    /// Servers: one that carries another lineage, one without any tag, one that is recorded under a key.
    servers: Vec<String>,
    /// How it was.
    before: Vec<Value>,
}

/// Where the server of another lineage and the one without tags are recorded: no story has so many servers.
pub(super) const DECLARABLE: [&str; 2] = ["aws_instance.app[19]", "aws_instance.app[18]"];

/// Operations that list objects, the list and what names an item.
const LISTS: [(Operation, &str, &str); 10] = [
    (Operation::Ec2(Ec2::DescribeVpcs), "Vpcs", "VpcId"),
    (Operation::Ec2(Ec2::DescribeSubnets), "Subnets", "SubnetId"),
    (Operation::Ec2(Ec2::DescribeInternetGateways), "InternetGateways", "InternetGatewayId"),
    (Operation::Ec2(Ec2::DescribeAddresses), "Addresses", "AllocationId"),
    (Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables", "VpcId"),
    (Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups", "VpcId"),
    (Operation::Ec2(Ec2::DescribeInstances), "Instances", "InstanceId"),
    (Operation::Ec2(Ec2::DescribeVolumes), "Volumes", "InstanceId"),
    (Operation::Rds(Rds::DescribeDBSubnetGroups), "DBSubnetGroups", "DBSubnetGroupName"),
    (Operation::Rds(Rds::DescribeDBInstances), "DBInstances", "DBInstanceIdentifier"),
];

impl Neighbours {
    /// Moves them in: a VPC with our groups' names and nobody in it; another with a server and a database.
    ///
    /// # Panics
    /// If AWS refuses: a bug in this module.
    pub(super) fn move_in(account: &mut Account, now: Instant) -> Self {
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("somebody-elses-own"));
        let (mut now, mut ids) = (now, BTreeSet::new());
        let mut make = |operation: Operation, args: Vec<(&'static str, Value)>, path: &str| {
            let request = Request(Call::new(operation, args));
            // Slowly, as what was made may show late.
            now = now + Duration::from_secs(15);
            let reply = account.call(now, &request, &secrets).unwrap_or_else(|error| panic!("{request}: {error}"));
            let id = reply.at(path).and_then(Value::as_str).unwrap_or_default().to_owned();
            if !id.is_empty() {
                ids.insert(id.clone());
            }
            id
        };
        let text = |text: &str| Value::str(text);
        // As another state of the same tool has it.
        let tags = |name: &str, address: &str| {
            let tags = [
                ("Name", name),
                ("aloka-lineage", OTHER_LINEAGE),
                ("aloka-address", address),
                ("aloka-generation", "1"),
            ];
            ("Tags", Value::map(tags))
        };
        let group = |name: &str, vpc: &str| {
            let address = format!("aws_security_group.{}", if name.contains("-db") { "db" } else { "app" });
            vec![
                ("GroupName", text(name)),
                ("Description", text("Managed")),
                ("VpcId", text(vpc)),
                tags(name, &address),
            ]
        };
        let vpc_args = |block: &str| vec![("CidrBlock", text(block)), tags("aloka-vpc", "module.vpc.aws_vpc.this[0]")];
        let twin = make(Operation::Ec2(Ec2::CreateVpc), vpc_args("10.0.0.0/16"), "Vpc.VpcId");
        for name in ["aloka-app-sg", "aloka-db-sg"] {
            make(Operation::Ec2(Ec2::CreateSecurityGroup), group(name, &twin), "GroupId");
        }
        make(
            Operation::Ec2(Ec2::CreateInternetGateway),
            vec![tags("aloka-igw", "module.vpc.aws_internet_gateway.this[0]")],
            "InternetGateway.InternetGatewayId",
        );
        make(
            Operation::Ec2(Ec2::AllocateAddress),
            vec![("Domain", text("vpc")), tags("aloka-nat", "module.vpc.aws_eip.nat[0]")],
            "AllocationId",
        );
        let home = make(Operation::Ec2(Ec2::CreateVpc), vpc_args("10.9.0.0/16"), "Vpc.VpcId");
        let subnets: Vec<String> = [("10.9.1.0/24", "us-east-1a"), ("10.9.2.0/24", "us-east-1b")]
            .into_iter()
            .map(|(block, zone)| {
                let args = vec![
                    ("VpcId", text(&home)),
                    ("CidrBlock", text(block)),
                    ("AvailabilityZone", text(zone)),
                    tags("aloka-private", "module.vpc.aws_subnet.private[0]"),
                ];
                make(Operation::Ec2(Ec2::CreateSubnet), args, "Subnet.SubnetId")
            })
            .collect();
        let guard = make(Operation::Ec2(Ec2::CreateSecurityGroup), group("aloka-app-sg-2", &home), "GroupId");
        let interface = Value::map([
            ("DeviceIndex", 0.into()),
            ("SubnetId", text(&subnets[0])),
            ("Groups", Value::list([guard.as_str()])),
            ("AssociatePublicIpAddress", false.into()),
            ("DeleteOnTermination", true.into()),
        ]);
        let launch = |token: &str, tags: (&'static str, Value)| {
            vec![
                ("ImageId", text(IMAGE)),
                ("InstanceType", text("t3.small")),
                ("MinCount", 1.into()),
                ("MaxCount", 1.into()),
                ("ClientToken", text(token)),
                ("NetworkInterfaces", Value::List(vec![interface.clone()])),
                tags,
            ]
        };
        let untagged = || ("Tags", Value::Map(ValueMap::new()));
        let servers = [
            launch("somebody-elses", tags("aloka-app", "aws_instance.app")),
            launch("a-lodgers", untagged()),
            launch("a-third-ones", untagged()),
        ]
        .map(|launch| make(Operation::Ec2(Ec2::RunInstances), launch, "Instances.0.InstanceId"));
        let subnet_group = vec![
            ("DBSubnetGroupName", text("aloka-dev-db-subnets-2")),
            ("DBSubnetGroupDescription", text("mine")),
            ("SubnetIds", Value::list(subnets.iter().map(String::as_str))),
            tags("aloka-db", "aws_db_subnet_group.this"),
        ];
        make(Operation::Rds(Rds::CreateDBSubnetGroup), subnet_group, "DBSubnetGroup.DBSubnetGroupName");
        let database = vec![
            ("DBInstanceIdentifier", text("aloka-dev-db-2")),
            ("DBInstanceClass", text("db.t3.micro")),
            ("Engine", text("postgres")),
            ("AllocatedStorage", 20.into()),
            ("MasterUsername", text("postgres")),
            ("MasterUserPassword", Value::Secret(DB_PASSWORD.into())),
            ("DBSubnetGroupName", text("aloka-dev-db-subnets-2")),
            ("VpcSecurityGroupIds", Value::list([guard.as_str()])),
            ("PubliclyAccessible", false.into()),
            tags("aloka-db", "aws_db_instance.postgres"),
        ];
        make(Operation::Rds(Rds::CreateDBInstance), database, "DBInstance.DBInstanceIdentifier");
        Self { ids, servers: servers.into(), before: Vec::new() }
    }

    /// The state of a stack that was never made, beside which all of this is recorded.
    ///
    /// # Panics
    /// If it cannot be read: a bug in this module.
    pub(super) fn recorded(&self) -> State {
        let instance = |key: &str, id: &str| {
            // Digits and an order of keys that a parser would not keep.
            format!(
                r#"{{{key}"schema_version":1,"attributes":{{"id":"{id}","z":12345678901234567890.10,"a":{{"y":1e2,"b":[]}}}}}}"#
            )
        };
        let entry = |kind: &str, name: &str, instances: &[String]| {
            let instances = instances.join(",");
            format!(r#"{{"mode":"managed","type":"{kind}","name":"{name}","instances":[{instances}]}}"#)
        };
        let kinds = [
            ("vpc-", "aws_vpc"),
            ("sg-", "aws_security_group"),
            ("subnet-", "aws_subnet"),
            ("igw-", "aws_internet_gateway"),
            ("eipalloc-", "aws_eip"),
            ("vol-", "aws_ebs_volume"),
            ("aloka-dev-db-subnets", "aws_db_subnet_group"),
            ("aloka-dev-db", "aws_db_instance"),
        ];
        let mut entries = Vec::new();
        for (number, id) in self.ids.iter().enumerate() {
            if let Some((_, kind)) = kinds.iter().find(|(prefix, _)| id.starts_with(prefix)) {
                entries.push(entry(kind, &format!("neighbour_{number}"), &[instance("", id)]));
            }
        }
        let keys = [r#""index_key":19,"#, r#""index_key":18,"#, r#""index_key":"blue","#];
        let servers: Vec<String> = keys.iter().zip(&self.servers).map(|(key, id)| instance(key, id)).collect();
        entries.push(entry("aws_instance", "app", &servers));
        entries.push(
            r#"{"mode":"data","type":"aws_ami","name":"al2","instances":[{"attributes":{"id":"ami-1"}}]}"#.to_owned(),
        );
        let entries = entries.join(",");
        let text = format!(
            r#"{{"version":4,"serial":0,"lineage":"{LINEAGE}","outputs":{{"theirs":{{"value":0.10,"type":"number"}}}},"resources":[{entries}]}}"#
        );
        file::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// Remembers how they are, once everything has settled.
    pub(super) fn remember(&mut self, account: &mut Account, now: Instant) {
        let filters = Value::map([("attachment.instance-id", Value::list(self.servers.iter().map(String::as_str)))]);
        let call = Request(Call::new(Ec2::DescribeVolumes, [("Filters", filters)]));
        let volumes = account.call(now, &call, &Secrets::default()).unwrap_or_default();
        let volumes = volumes.get("Volumes").as_list().unwrap_or_default().iter();
        self.ids.extend(volumes.filter_map(|volume| volume.get("VolumeId").as_str().map(str::to_owned)));
        self.before = self.seen(account, now);
    }

    /// What is not as it was.
    pub(super) fn harmed(&self, account: &mut Account, now: Instant) -> Option<String> {
        let after = self.seen(account, now);
        let pairs = self.before.iter().zip(&after);
        let changed =
            pairs.filter(|(before, after)| before != after).map(|(before, after)| format!("{before} became {after}"));
        let lost =
            (self.before.len() != after.len()).then(|| format!("{} objects became {}", self.before.len(), after.len()));
        lost.into_iter().chain(changed).next()
    }

    /// True if it is one of theirs.
    pub(super) fn has(&self, id: &str) -> bool {
        self.ids.contains(id)
    }

    /// True if it is one of theirs, or a volume of one.
    pub(super) fn owns(&self, object: &Object) -> bool {
        self.has(&object.id) || object.tags.get("aloka-lineage").is_some_and(|lineage| lineage == OTHER_LINEAGE)
    }

    /// True if a sentence of the auditor is about one of theirs.
    pub(super) fn mentioned_in(&self, text: &str) -> bool {
        self.ids.iter().any(|id| text.contains(id.as_str()))
    }

    /// True if the call names one of theirs.
    pub(super) fn touched_by(&self, request: &Request) -> bool {
        !self.ids.is_empty() && request.0.args.values().any(|value| self.names(value))
    }

    fn names(&self, value: &Value) -> bool {
        match value {
            Value::Str(text) => self.has(text),
            Value::List(items) => items.iter().any(|item| self.names(item)),
            Value::Map(map) => map.values().any(|item| self.names(item)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => false,
        }
    }

    fn seen(&self, account: &mut Account, now: Instant) -> Vec<Value> {
        let mut seen = Vec::new();
        if self.ids.is_empty() {
            return seen;
        }
        for (operation, list, id) in LISTS {
            let reply = account.call(now, &Request(Call::new(operation, [])), &Secrets::default());
            let Ok(reply) = reply else { continue };
            let items = reply.get(list).as_list().unwrap_or_default();
            let theirs = |item: &&Value| item.get(id).as_str().is_some_and(|id| self.has(id));
            seen.extend(items.iter().filter(theirs).cloned());
        }
        seen
    }
}
