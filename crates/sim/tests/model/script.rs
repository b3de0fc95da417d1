//! Sequences of calls that shrink well and read well: a call names the objects of earlier calls, as `vpc0`, `subnet1`.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request};
use aloka_core::secret::{DB_PASSWORD, Secret, Secrets};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::aws::{Account, Durations, Options, Quotas};
use proptest::prelude::*;
use serde_json::json;

/// The image instances are launched from.
const AMI: &str = "ami-0d27e0fb3bac4d724";
/// Well formed, and of no object.
const NOWHERE: &str = "0123456789abcdef0";
/// From here on a pick means an object that is not there.
const MISSING: u8 = 250;

/// One call: what to call, what to fill in, how long to wait before.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) operation: Operation,
    picks: Vec<u8>,
    wait: u16,
}

/// A sequence of calls on an empty account.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) seed: u64,
    pub(crate) durations: Durations,
    pub(crate) acts: Vec<Act>,
}

/// Few of everything, so that calls meet. vCPUs are not limited: the account checks them at a launch only, not at a start.
pub(crate) fn quotas() -> Quotas {
    Quotas {
        vpcs: 2,
        subnets: 4,
        internet_gateways: 2,
        addresses: 3,
        nat_gateways: 2,
        route_tables: 4,
        gateway_endpoints: 3,
        routes: 2,
        security_groups: 6,
        rules: 3,
        groups_per_interface: 1,
        db_instances: 2,
        db_subnet_groups: 2,
        ..Quotas::default()
    }
}

/// A network with a server and a database: most calls have something to act on only after most of these.
const START: [(Operation, &[u8]); 20] = [
    (Operation::Ec2(Ec2::CreateVpc), &[]),
    (Operation::Ec2(Ec2::CreateSubnet), &[0, 1, 1]),
    (Operation::Ec2(Ec2::CreateSubnet), &[0, 4, 3]),
    (Operation::Ec2(Ec2::CreateInternetGateway), &[]),
    (Operation::Ec2(Ec2::AttachInternetGateway), &[]),
    (Operation::Ec2(Ec2::AllocateAddress), &[]),
    (Operation::Ec2(Ec2::CreateNatGateway), &[]),
    (Operation::Ec2(Ec2::CreateRouteTable), &[]),
    (Operation::Ec2(Ec2::CreateRoute), &[]),
    (Operation::Ec2(Ec2::AssociateRouteTable), &[]),
    (Operation::Ec2(Ec2::CreateVpcEndpoint), &[0, 0, 0, 1, 1]),
    (Operation::Ec2(Ec2::CreateSecurityGroup), &[]),
    (Operation::Ec2(Ec2::CreateSecurityGroup), &[1]),
    (Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), &[0, 1]),
    (Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress), &[0, 1]),
    (Operation::Ec2(Ec2::RunInstances), &[0, 1]),
    (Operation::Rds(Rds::CreateDBSubnetGroup), &[]),
    (Operation::Rds(Rds::CreateDBInstance), &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1]),
    (Operation::Ec2(Ec2::StopInstances), &[]),
    (Operation::Ec2(Ec2::AllocateAddress), &[]),
];

/// Any script of up to `length` calls, after some of [`START`].
pub(crate) fn any_script(length: usize) -> impl Strategy<Value = Script> {
    let durations = prop::sample::select(vec![Durations::Instant, Durations::Median, Durations::Drawn]);
    // Kept or left out one by one, so that a failure needs no more of them than it needs.
    let start = prop::collection::vec(prop::bool::weighted(0.9), START.len()).prop_map(|kept| {
        let act = |(operation, picks): (Operation, &[u8])| Act { operation, picks: picks.to_vec(), wait: 1 };
        START.into_iter().zip(kept).filter(|(_, kept)| *kept).map(|(call, _)| act(call)).collect::<Vec<_>>()
    });
    let act = (prop::sample::select(weighted()), prop::array::uniform15(any::<u8>()), any::<u16>());
    let act = act.prop_map(|(operation, picks, wait)| Act {
        operation,
        // The newest object and the plainest value most often.
        picks: picks
            .map(|pick| {
                if pick < 112 {
                    0
                } else if pick < 192 {
                    pick % 8
                } else {
                    pick
                }
            })
            .to_vec(),
        wait: if wait < 45_000 { 0 } else { wait % 600 },
    });
    let acts = prop::collection::vec(act, 1..=length);
    (any::<u64>(), durations, start, acts).prop_map(|(seed, durations, mut start, acts)| {
        start.extend(acts);
        Script { seed, durations, acts: start }
    })
}

/// Operations, what makes something more often: what there is little of is hardly met.
fn weighted() -> Vec<Operation> {
    let times = |operation: &Operation| match operation.name() {
        name if ["Create", "Allocate", "Run", "Attach", "Associate", "Replace"]
            .iter()
            .any(|verb| name.starts_with(verb)) =>
        {
            6
        }
        name if name.starts_with("Delete") || name.starts_with("Describe") => 1,
        _ => 4,
    };
    Operation::ALL.iter().flat_map(|operation| std::iter::repeat_n(*operation, times(operation))).collect()
}

/// Objects by the prefix of their identifiers, in the order in which they came up.
#[derive(Clone, Default)]
pub(crate) struct Names(BTreeMap<String, Vec<String>>);

impl Names {
    /// Learns the identifiers in a reply.
    pub(crate) fn note(&mut self, value: &Value) {
        match value {
            Value::Str(text) => {
                if let Some((prefix, digits)) = text.rsplit_once('-')
                    && digits.len() == NOWHERE.len()
                    && digits != NOWHERE
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

    /// One of the identifiers, the newest for 0.
    fn pick(&self, prefix: &str, pick: u8) -> String {
        let ids = self.0.get(prefix).map_or(&[][..], Vec::as_slice);
        let near = if pick.is_multiple_of(4) { ids.len() } else { ids.len().min(3) };
        match usize::from(pick).checked_rem(near) {
            Some(back) if pick < MISSING => ids[ids.len() - 1 - back].clone(),
            Some(_) | None => format!("{prefix}-{NOWHERE}"),
        }
    }

    /// `text` with names in the place of identifiers.
    pub(crate) fn readable(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (prefix, ids) in &self.0 {
            for (index, id) in ids.iter().enumerate() {
                text = text.replace(id, &format!("{prefix}{index}"));
            }
        }
        text.replace(&format!("-{NOWHERE}"), "-missing")
    }
}

/// A likely value for a parameter; null to leave it out.
fn argument(names: &Names, parameter: &str, pick: u8) -> Value {
    let one_of = |items: &[&str]| Value::str(items[usize::from(pick) % items.len()]);
    let id = |prefix: &str| Value::from(names.pick(prefix, pick));
    let ids = |prefix: &str| Value::list([names.pick(prefix, pick)]);
    let optional = |value: Value| if pick.is_multiple_of(2) { Value::Null } else { value };
    let flag = Value::from(pick.is_multiple_of(3));
    match parameter {
        "VpcId" => id("vpc"),
        "VpcEndpointId" => id("vpce"),
        "VpcEndpointIds" => ids("vpce"),
        "ServiceName" => one_of(&["com.amazonaws.us-east-1.s3", "com.amazonaws.us-east-1.dynamodb", "s3"]),
        "RouteTableIds" | "AddRouteTableIds" | "RemoveRouteTableIds" => ids("rtb"),
        "SubnetId" => id("subnet"),
        "SubnetIds" => Value::list([names.pick("subnet", pick % 3), names.pick("subnet", pick % 3 + 1)]),
        "InternetGatewayId" => id("igw"),
        "GatewayId" => id("igw"),
        "NatGatewayId" => id("nat"),
        "AllocationId" => id("eipalloc"),
        // The newest three times of four.
        "RouteTableId" => Value::from(names.pick("rtb", if pick.is_multiple_of(4) { pick } else { 0 })),
        "AssociationId" => id("rtbassoc"),
        "GroupId" => id("sg"),
        "VpcSecurityGroupIds" | "Groups" => ids("sg"),
        "InstanceId" => id("i"),
        "InstanceIds" => ids("i"),
        "VolumeId" => id("vol"),
        "Resources" => {
            let prefixes = ["vpc", "vpce", "subnet", "igw", "eipalloc", "nat", "rtb", "sg", "i", "vol"];
            ids(prefixes[usize::from(pick) % prefixes.len()])
        }
        "CidrBlock" => {
            one_of(&["10.0.0.0/16", "10.0.1.0/24", "10.0.2.0/28", "10.0.0.0/24", "10.0.3.0/24", "10.0.0.0/33"])
        }
        "DestinationCidrBlock" => {
            one_of(&["0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0", "192.168.0.0/16", "10.0.0.0/16"])
        }
        "AvailabilityZone" => one_of(&["us-east-1x", "us-east-1a", "us-east-1e", "us-east-1b", "us-east-1a"]),
        "ClientToken" => Value::from(format!("token{pick}")),
        "GroupName" | "DBSubnetGroupName" | "DBInstanceIdentifier" => one_of(&["a", "b", "c"]),
        "NetworkInterfaces" => Value::from(json!([{"DeviceIndex": 0, "SubnetId": names.pick("subnet", pick),
            "Groups": if pick.is_multiple_of(2) { Vec::new() } else { vec![names.pick("sg", pick)] },
            "AssociatePublicIpAddress": pick.is_multiple_of(3), "DeleteOnTermination": pick % 8 != 7}])),
        "IpPermissions" => Value::from(json!([{"IpProtocol": "tcp", "FromPort": pick % 3, "ToPort": pick % 3,
            "UserIdGroupPairs": [{"GroupId": names.pick("sg", pick)}]}])),
        "Tags" => Value::map([("a", "b")]),
        "TagKeys" => Value::list(["a"]),
        "InstanceType" => one_of(&["t3.small", "t3.micro", "t4g.small", "x"]),
        "DBInstanceClass" => one_of(&["db.t3.micro", "db.t3.small", "db.t2.micro"]),
        "MinCount" | "MaxCount" => Value::from(if pick.is_multiple_of(5) { 3 } else { 1 }),
        "AllocatedStorage" | "Size" => Value::from(20 + u32::from(pick % 20)),
        "BackupRetentionPeriod" => Value::from(u32::from(pick % 3)),
        "EnableDnsSupport" | "EnableDnsHostnames" | "ApplyImmediately" => optional(flag),
        "MultiAZ" | "DeletionProtection" | "PubliclyAccessible" | "StorageEncrypted" | "DeleteAutomatedBackups" => flag,
        "CopyTagsToSnapshot" => flag,
        "EnableCloudwatchLogsExports" => Value::list(["upgrade"]),
        "CloudwatchLogsExportConfiguration" => Value::map([(
            if pick.is_multiple_of(3) { "DisableLogTypes" } else { "EnableLogTypes" },
            Value::list(["upgrade"]),
        )]),
        "SkipFinalSnapshot" => Value::from(!pick.is_multiple_of(4)),
        "FinalDBSnapshotIdentifier" if pick.is_multiple_of(3) => "last".into(),
        "DBSnapshotIdentifier" => optional("last".into()),
        "SnapshotType" => "manual".into(),
        "MaxAllocatedStorage" if pick.is_multiple_of(8) => (20 + u32::from(pick % 60)).into(),
        "ImageId" => AMI.into(),
        "ImageIds" => Value::list([AMI]),
        "Domain" => "vpc".into(),
        "Engine" => "postgres".into(),
        "MasterUserPassword" => Value::Secret(DB_PASSWORD.into()),
        "ResourceName" => "arn:aws:rds:us-east-1:123456789012:db:a".into(),
        "LocationType" => "availability-zone".into(),
        "Attribute" => "enableDnsSupport".into(),
        "Name" => "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2".into(),
        "MasterUsername" | "DBName" | "Description" | "DBSubnetGroupDescription" => "app".into(),
        _ => Value::Null,
    }
}

/// A script being carried out.
pub(crate) struct Stage {
    pub(crate) account: Account,
    pub(crate) now: Instant,
    pub(crate) secrets: Secrets,
    pub(crate) names: Names,
}

impl Stage {
    pub(crate) fn new(script: &Script) -> Self {
        let options = Options { seed: script.seed, durations: script.durations, ..Options::default() };
        let mut secrets = Secrets::default();
        secrets.insert(DB_PASSWORD, Secret::new("correct-horse"));
        Self {
            account: Account::new(options).with_quotas(quotas()),
            now: Instant::ZERO,
            secrets,
            names: Names::default(),
        }
    }

    /// Lets the time before a call pass.
    pub(crate) fn wait(&mut self, act: &Act) {
        self.now = self.now + Duration::from_secs(act.wait.into());
    }

    /// The call an act comes to, here and now.
    pub(crate) fn request(&self, act: &Act) -> Request {
        let mut picks = act.picks.iter().copied();
        let gateway = act.picks.last().map_or(0, |pick| if *pick < 64 { *pick } else { 0 });
        let args = act.operation.parameters().iter().map(|parameter| {
            // Where any other value is refused, and nothing else is learnt.
            let fixed =
                matches!(parameter.name, "ImageId" | "MinCount" | "Engine" | "Tags" | "MasterUsername" | "Domain");
            let creates_db = act.operation == Operation::Rds(Rds::CreateDBInstance);
            let fixed = fixed || (creates_db && parameter.name == "MasterUserPassword");
            let pick = if fixed { 1 } else { picks.next().unwrap_or(0) };
            (parameter, pick)
        });
        let args = args.filter(|(parameter, pick)| parameter.required || !pick.is_multiple_of(2));
        let mut args: Vec<_> =
            args.map(|(parameter, pick)| (parameter.name, argument(&self.names, parameter.name, pick))).collect();
        args.retain(|(_, value)| !value.is_null());
        if act.operation.parameters().iter().any(|parameter| parameter.name == "NatGatewayId" && !parameter.required) {
            // One target or the other, and the newest gateway, or hardly any route is ever replaced.
            let nat = args.iter().any(|(name, _)| *name == "NatGatewayId");
            args.retain(|(name, _)| *name != "GatewayId");
            if !nat {
                args.push(("GatewayId", argument(&self.names, "GatewayId", gateway)));
            }
        }
        if act.operation.name().starts_with("Describe") {
            args.retain(|(name, _)| act.operation.parameters().iter().any(|p| p.name == *name && p.required));
        }
        Request(Call::new(act.operation, args))
    }

    pub(crate) fn send(&mut self, request: &Request) -> Reply {
        self.account.call(self.now, request, &self.secrets)
    }
}

impl fmt::Debug for Script {
    /// One call a line, with what came of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "an account with seed {} and {:?} durations", self.seed, self.durations)?;
        let mut stage = Stage::new(self);
        for act in &self.acts {
            stage.wait(act);
            let request = stage.request(act);
            let reply = stage.send(&request);
            let outcome = match &reply {
                Ok(value) => {
                    stage.names.note(value);
                    value.to_string().chars().take(100).collect()
                }
                Err(error) => error.code.clone(),
            };
            let at = (stage.now - Instant::ZERO).as_secs();
            writeln!(f, "  {at:>5} s  {}", stage.names.readable(&format!("{request} -> {outcome}")))?;
        }
        Ok(())
    }
}
