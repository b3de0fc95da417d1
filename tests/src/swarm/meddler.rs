//! Somebody who changes or deletes objects behind our back: in the console, say, or with another tool.
//!
//! AWS may refuse what he tries; he shrugs. What he puts in the way he takes away again when he leaves.

use std::fmt;

use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request};
use aloka_core::kind::Kind;
use aloka_core::secret::Secrets;
use aloka_core::state::State;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use aloka_sim::aws::{Account, Object, ObjectKind};
use aloka_sim::rng::Rng;
use serde::{Deserialize, Serialize};

use super::settings::small;
use crate::LINEAGE;

/// What he does, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deed {
    /// When.
    pub when: Moment,
    /// What.
    pub act: Act,
}

/// A moment of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// Before it begins.
    Before,
    /// Between plan and apply.
    Between,
    /// When so many of its calls have arrived, planning included.
    AfterCall(u64),
}

/// What he does. Numbers choose among what there is then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Deletes an object, with what AWS asks for before.
    Delete(u8),
    /// Opens a group to the world.
    Open(u8),
    /// Takes all rules in of a group away.
    Close(u8),
    /// Deletes the default route of a table.
    Unroute(u8),
    /// Takes a table from its subnets.
    Disassociate(u8),
    /// Stops a server.
    Stop(u8),
    /// Puts a tag of his on an object.
    Tag(u8),
    /// Takes the tags off a recorded object.
    Untag(u8),
    /// Turns DNS names of the VPC off.
    Unname,
    /// Keeps the database's backups for a day.
    Backups,
    /// Puts a group of his into the VPC.
    Squat,
}

/// The default route.
const ANYWHERE: &str = "0.0.0.0/0";

impl Deed {
    pub(super) fn drawn(rng: &mut Rng) -> Self {
        let when = match rng.below(6) {
            0 => Moment::Before,
            1 => Moment::Between,
            _ => {
                let bound = if rng.one_in(2) { 30 } else { 150 };
                Moment::AfterCall(1 + rng.below(bound))
            }
        };
        let pick = small(rng, u8::MAX);
        let act = match rng.below(16) {
            0..=4 => Act::Delete(pick),
            5 => Act::Open(pick),
            6 => Act::Close(pick),
            7 => Act::Unroute(pick),
            8 => Act::Disassociate(pick),
            9 => Act::Stop(pick),
            10 | 11 => Act::Tag(pick),
            12 => Act::Untag(pick),
            13 => Act::Unname,
            14 => Act::Backups,
            _ => Act::Squat,
        };
        Self { when, act }
    }
}

/// Him.
#[derive(Clone, Debug, Default)]
pub(super) struct Meddler {
    /// Groups of his.
    pub(super) made: Vec<String>,
    /// Objects whose tags he has taken off.
    pub(super) untagged: Vec<String>,
    /// Servers that he has stopped, and that nobody else starts.
    stopped: Vec<String>,
}

/// What he sees of the account, and a way to call.
struct Console<'a> {
    account: &'a mut Account,
    now: Instant,
    told: Vec<String>,
}

impl Console<'_> {
    fn send<const N: usize>(&mut self, operation: Operation, args: [(&'static str, Value); N]) -> Reply {
        let request = Request(Call::new(operation, args));
        let reply = self.account.call(self.now, &request, &Secrets::default());
        if operation.is_mutating() {
            let end = reply.as_ref().err().map_or_else(String::new, |error| format!(" -> {}", error.code));
            self.told.push(format!("{request}{end}"));
        }
        reply
    }

    fn ours(&self) -> Vec<Object> {
        let ours = |object: &Object| object.tags.get("aloka-lineage").is_some_and(|lineage| lineage == LINEAGE);
        self.account.objects(self.now).into_iter().filter(ours).collect()
    }

    fn pick(&self, kind: Option<Kind>, pick: u8) -> Option<(Kind, String)> {
        let resource = |object: Object| match object.kind {
            ObjectKind::Resource(kind) => Some((kind, object.id)),
            ObjectKind::NetworkInterface | ObjectKind::Volume | ObjectKind::DbSnapshot | ObjectKind::DbBackups => None,
        };
        let all: Vec<_> = self.ours().into_iter().filter_map(resource).collect();
        let fit: Vec<_> = all.into_iter().filter(|(k, _)| kind.is_none_or(|kind| kind == *k)).collect();
        let place = usize::from(pick).checked_rem(fit.len())?;
        fit.into_iter().nth(place)
    }

    fn described(&mut self, operation: Operation, parameter: &'static str, id: &str, list: &str) -> Option<Value> {
        let reply = self.send(operation, [(parameter, Value::list([id]))]).ok()?;
        reply.at(&format!("{list}.0")).cloned()
    }

    fn delete(&mut self, kind: Kind, id: &str) -> Option<()> {
        use Operation as O;
        let own = Value::str(id);
        let _refused_or_not = match kind {
            Kind::Vpc => self.send(O::Ec2(Ec2::DeleteVpc), [("VpcId", own)]),
            Kind::Subnet => self.send(O::Ec2(Ec2::DeleteSubnet), [("SubnetId", own)]),
            Kind::InternetGateway => {
                let list = "InternetGateways";
                let gateway = self.described(O::Ec2(Ec2::DescribeInternetGateways), "InternetGatewayIds", id, list)?;
                if let Some(vpc) = gateway.at("Attachments.0.VpcId").cloned() {
                    let _held = self
                        .send(O::Ec2(Ec2::DetachInternetGateway), [("InternetGatewayId", own.clone()), ("VpcId", vpc)]);
                }
                self.send(O::Ec2(Ec2::DeleteInternetGateway), [("InternetGatewayId", own)])
            }
            Kind::Eip => self.send(O::Ec2(Ec2::ReleaseAddress), [("AllocationId", own)]),
            Kind::NatGateway => self.send(O::Ec2(Ec2::DeleteNatGateway), [("NatGatewayId", own)]),
            Kind::RouteTable => {
                self.disassociate(id)?;
                self.send(O::Ec2(Ec2::DeleteRouteTable), [("RouteTableId", own)])
            }
            Kind::VpcEndpoint => self.send(O::Ec2(Ec2::DeleteVpcEndpoints), [("VpcEndpointIds", Value::list([id]))]),
            Kind::SecurityGroup => self.send(O::Ec2(Ec2::DeleteSecurityGroup), [("GroupId", own)]),
            Kind::Instance => self.send(O::Ec2(Ec2::TerminateInstances), [("InstanceIds", Value::list([id]))]),
            Kind::DbInstance => {
                let args = [("DBInstanceIdentifier", own), ("SkipFinalSnapshot", true.into())];
                self.send(O::Rds(Rds::DeleteDBInstance), args)
            }
            Kind::DbSubnetGroup => self.send(O::Rds(Rds::DeleteDBSubnetGroup), [("DBSubnetGroupName", own)]),
            Kind::DefaultSecurityGroup | Kind::Route | Kind::RouteTableAssociation => return None,
        };
        Some(())
    }

    fn disassociate(&mut self, table: &str) -> Option<()> {
        let table = self.described(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTableIds", table, "RouteTables")?;
        for association in table.get("Associations").as_list().unwrap_or_default() {
            let id = association.get("RouteTableAssociationId").clone();
            let _refused_or_not = self.send(Operation::Ec2(Ec2::DisassociateRouteTable), [("AssociationId", id)]);
        }
        Some(())
    }
}

impl Meddler {
    /// Does it. What he sent, for the story; nothing if there was nothing to do it to.
    pub(super) fn act(&mut self, act: Act, account: &mut Account, now: Instant, state: &State) -> Vec<String> {
        let mut console = Console { account, now, told: Vec::new() };
        let _nothing_there = self.try_to(act, &mut console, state);
        console.told
    }

    fn try_to(&mut self, act: Act, console: &mut Console<'_>, state: &State) -> Option<()> {
        use Operation as O;
        let group = |permissions: Value, id: &str| [("GroupId", Value::str(id)), ("IpPermissions", permissions)];
        let _refused_or_not = match act {
            Act::Delete(pick) => {
                let (kind, id) = console.pick(None, pick)?;
                return console.delete(kind, &id);
            }
            Act::Open(pick) => {
                let (_, id) = console.pick(Some(Kind::SecurityGroup), pick)?;
                let world = Value::List(vec![Value::map([("CidrIp", ANYWHERE)])]);
                let all = Value::map([("IpProtocol", Value::str("-1")), ("IpRanges", world)]);
                console.send(O::Ec2(Ec2::AuthorizeSecurityGroupIngress), group(Value::List(vec![all]), &id))
            }
            Act::Close(pick) => {
                let (_, id) = console.pick(Some(Kind::SecurityGroup), pick)?;
                let found =
                    console.described(O::Ec2(Ec2::DescribeSecurityGroups), "GroupIds", &id, "SecurityGroups")?;
                let rules = found.get("IpPermissions").clone();
                console.send(O::Ec2(Ec2::RevokeSecurityGroupIngress), group(rules, &id))
            }
            Act::Unroute(pick) => {
                let (_, id) = console.pick(Some(Kind::RouteTable), pick)?;
                let args = [("RouteTableId", Value::str(&id)), ("DestinationCidrBlock", Value::str(ANYWHERE))];
                console.send(O::Ec2(Ec2::DeleteRoute), args)
            }
            Act::Disassociate(pick) => {
                let (_, id) = console.pick(Some(Kind::RouteTable), pick)?;
                return console.disassociate(&id);
            }
            Act::Stop(pick) => {
                let (_, id) = console.pick(Some(Kind::Instance), pick)?;
                self.stopped.push(id.clone());
                console.send(O::Ec2(Ec2::StopInstances), [("InstanceIds", Value::list([id]))])
            }
            Act::Tag(pick) => {
                let (kind, id) = console.pick(None, pick)?;
                let tags = Value::map([("Name", "mine now"), ("Owner", "somebody")]);
                if matches!(kind, Kind::DbInstance | Kind::DbSubnetGroup) {
                    return None;
                }
                console.send(O::Ec2(Ec2::CreateTags), [("Resources", Value::list([id])), ("Tags", tags)])
            }
            Act::Untag(pick) => {
                let (kind, id) = console.pick(None, pick)?;
                let is_recorded = state.objects().any(|(_, resource)| resource.id() == Some(&*id));
                // What is not recorded yet is known by its tags alone: nobody could find it again.
                if !is_recorded || matches!(kind, Kind::DbInstance | Kind::DbSubnetGroup) {
                    return None;
                }
                self.untagged.push(id.clone());
                let keys = Value::list(["Name", "aloka-address", "aloka-lineage"]);
                console.send(O::Ec2(Ec2::DeleteTags), [("Resources", Value::list([id])), ("TagKeys", keys)])
            }
            Act::Unname => {
                let (_, id) = console.pick(Some(Kind::Vpc), 0)?;
                let args = [("VpcId", Value::str(id)), ("EnableDnsHostnames", false.into())];
                console.send(O::Ec2(Ec2::ModifyVpcAttribute), args)
            }
            Act::Backups => {
                let (_, id) = console.pick(Some(Kind::DbInstance), 0)?;
                let days = ("BackupRetentionPeriod", 1.into());
                let args = [("DBInstanceIdentifier", Value::str(id)), days, ("ApplyImmediately", true.into())];
                console.send(O::Rds(Rds::ModifyDBInstance), args)
            }
            Act::Squat => {
                let (_, id) = console.pick(Some(Kind::Vpc), 0)?;
                let name = format!("squatter-{}", self.made.len());
                let about = [("GroupName", Value::str(name)), ("Description", Value::str("mine"))];
                let args = [
                    about[0].clone(),
                    about[1].clone(),
                    ("VpcId", Value::str(id)),
                    ("Tags", Value::map::<&str, Value>([])),
                ];
                let reply = console.send(O::Ec2(Ec2::CreateSecurityGroup), args);
                if let Some(id) = reply.as_ref().ok().and_then(|reply| reply.get("GroupId").as_str()) {
                    self.made.push(id.to_owned());
                }
                reply
            }
        };
        Some(())
    }

    /// Takes away what he put in the way, and starts what he stopped.
    pub(super) fn leave(&mut self, account: &mut Account, now: Instant) {
        let mut console = Console { account, now, told: Vec::new() };
        for id in self.made.drain(..) {
            let _gone_or_not = console.send(Operation::Ec2(Ec2::DeleteSecurityGroup), [("GroupId", Value::str(id))]);
        }
        for id in self.stopped.drain(..) {
            let _gone_or_not = console.send(Operation::Ec2(Ec2::StartInstances), [("InstanceIds", Value::list([id]))]);
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Delete(_) => "deletes an object",
            Self::Open(_) => "opens a group to the world",
            Self::Close(_) => "takes the rules of a group away",
            Self::Unroute(_) => "deletes a default route",
            Self::Disassociate(_) => "takes a table from its subnets",
            Self::Stop(_) => "stops a server",
            Self::Tag(_) => "puts tags on an object",
            Self::Untag(_) => "takes tags off an object",
            Self::Unname => "turns DNS names off",
            Self::Backups => "keeps backups for a day",
            Self::Squat => "puts a group into the VPC",
        })
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before => f.write_str("before"),
            Self::Between => f.write_str("between plan and apply"),
            Self::AfterCall(number) => write!(f, "after {number} calls"),
        }
    }
}
