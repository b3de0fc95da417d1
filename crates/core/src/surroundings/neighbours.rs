//! What others have in the VPC, and what of it needs objects that go.
//!
//! Asked twice: before a plan is shown ([`super::around`]), and when AWS says that something holds an object that is to be
//! deleted ([`super::holders`]).

use std::collections::{BTreeMap, BTreeSet};

use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds};
use crate::identity;
use crate::kind::Kind;
use crate::plan::Node;
use crate::plan::reads::{Replies, read};
use crate::resource::{self, DATABASE_INTERFACE, Listing, Phase};
use crate::stack;
use crate::state::State;
use crate::value::Value;

/// How AWS describes the network interface of a NAT gateway (aws-behaviour.md, 2.5).
const NAT_INTERFACE: &str = "Interface for NAT Gateway ";

/// What else can stand in a VPC and keep it from being deleted: operation, filter by VPC, list, identifier, what it is.
const ATTACHED: [(Operation, &str, &str, &str, &str); 8] = [
    (Operation::Ec2(Ec2::DescribeSubnets), "vpc-id", "Subnets", "SubnetId", "subnet"),
    (Operation::Ec2(Ec2::DescribeNetworkAcls), "vpc-id", "NetworkAcls", "NetworkAclId", "network ACL"),
    (Operation::Ec2(Ec2::DescribeVpcEndpoints), "vpc-id", "VpcEndpoints", "VpcEndpointId", "VPC endpoint"),
    (
        Operation::Ec2(Ec2::DescribeVpcPeeringConnections),
        "requester-vpc-info.vpc-id",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "VPC peering connection",
    ),
    (
        Operation::Ec2(Ec2::DescribeVpcPeeringConnections),
        "accepter-vpc-info.vpc-id",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "VPC peering connection",
    ),
    (Operation::Ec2(Ec2::DescribeVpnGateways), "attachment.vpc-id", "VpnGateways", "VpnGatewayId", "VPN gateway"),
    (
        Operation::Ec2(Ec2::DescribeEgressOnlyInternetGateways),
        "",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
        "egress-only internet gateway",
    ),
    (
        Operation::Ec2(Ec2::DescribeInternetGateways),
        "attachment.vpc-id",
        "InternetGateways",
        "InternetGatewayId",
        "internet gateway",
    ),
];

/// States of peerings, endpoints and gateways that hold nothing any more.
const OVER: [&str; 8] =
    ["deleted", "deleting", "rejected", "expired", "failed", "detached", "terminated", "shutting-down"];

/// What goes, by identifier, with the address it is recorded at.
#[derive(Default)]
pub(super) struct Doomed {
    pub(super) ids: BTreeMap<String, (Address, Kind)>,
    /// Routes that go, by table and destination.
    pub(super) routes: BTreeMap<(String, String), Address>,
    /// Subnets whose association goes, and so follow the VPC's main table.
    pub(super) associations: BTreeSet<String>,
    pub(super) vpc: Option<String>,
    /// The default group, if its rules are taken away.
    pub(super) emptied: Option<String>,
}

impl Doomed {
    pub(super) fn is_empty(&self) -> bool {
        let Self { ids, routes, associations, vpc, emptied } = self;
        ids.is_empty() && routes.is_empty() && associations.is_empty() && vpc.is_none() && emptied.is_none()
    }

    pub(super) fn has(&self, id: &str) -> Option<&Address> {
        self.ids.get(id).map(|(address, _)| address)
    }

    /// What goes of this kind; there may be several where objects are replaced.
    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&str, &Address)> {
        let ids = self.ids.iter().filter(move |(_, (_, other))| *other == kind);
        ids.map(|(id, (address, _))| (id.as_str(), address))
    }
}

/// The reads that tell what is in a VPC; `whole` if the VPC itself goes.
pub(super) fn reads(vpc: &str, whole: bool) -> Vec<Node> {
    let by = |operation: Operation, filter: &str| {
        let filters = Value::map([(filter, Value::list([vpc]))]);
        let args = [("Filters", filters)].into_iter().filter(|_| !filter.is_empty());
        read((Kind::Vpc, Call::new(operation, args)))
    };
    let mut nodes = vec![
        by(Operation::Ec2(Ec2::DescribeNetworkInterfaces), "vpc-id"),
        by(Operation::Ec2(Ec2::DescribeRouteTables), "vpc-id"),
        by(Operation::Ec2(Ec2::DescribeSecurityGroups), "vpc-id"),
        by(Operation::Ec2(Ec2::DescribeInstances), "vpc-id"),
        by(Operation::Ec2(Ec2::DescribeNatGateways), "vpc-id"),
        by(Operation::Rds(Rds::DescribeDBInstances), ""),
    ];
    if whole {
        nodes.extend(ATTACHED.map(|(operation, filter, ..)| by(operation, filter)));
    }
    nodes
}

/// What an object of somebody else would lose, and whether AWS would refuse to take it away.
pub(super) struct Loss {
    pub(super) what: String,
    /// The address to keep so that nothing is lost.
    pub(super) keep: Option<Address>,
    pub(super) is_refused_by_aws: bool,
}

/// An object of somebody else, and what it would lose.
pub(super) struct Neighbour {
    pub(super) id: String,
    /// What it is, as `an instance "bastion" with interface eni-1`.
    pub(super) who: String,
    pub(super) losses: Vec<Loss>,
}

/// What was read of a VPC.
pub(super) struct Surroundings<'a, 'r> {
    pub(super) state: &'a State,
    pub(super) replies: &'a Replies<'r>,
    pub(super) doomed: &'a Doomed,
    pub(super) vpc: &'a str,
    /// Identifiers of what is ours, or gone already.
    pub(super) ours: BTreeSet<&'a str>,
    /// True if what carries our lineage is ours, whether it is recorded or not.
    pub(super) by_tag: bool,
}

impl<'a> Surroundings<'a, '_> {
    /// Everybody who would lose something, the VPC itself included if it goes.
    pub(super) fn neighbours(&self) -> Vec<Neighbour> {
        let mut found = self.interfaces();
        found.extend(self.databases());
        found.extend(self.referring_groups());
        found.extend(self.tables());
        found.extend(self.attached());
        found
    }

    /// What is on its way out, and, where tags count, what carries our lineage.
    pub(super) fn own_and_going(&self) -> BTreeSet<&'a str> {
        let mut ours = BTreeSet::new();
        for Listing { kind, operation, list, id, .. } in resource::listings() {
            for object in self.replies.items(operation, list) {
                let is_going = matches!(resource::phase(kind, object), Phase::Deleting | Phase::Gone);
                if is_going || self.is_tagged(object) {
                    ours.extend(object.get(id).as_str());
                    let addresses = object.get("NatGatewayAddresses").as_list().unwrap_or_default();
                    ours.extend(addresses.iter().filter_map(|address| address.get("NetworkInterfaceId").as_str()));
                }
            }
        }
        ours
    }

    fn is_tagged(&self, object: &Value) -> bool {
        self.by_tag && identity::lineage(object.get("Tags")) == Some(&*self.state.lineage)
    }

    /// Interfaces of others: what they are in, what they wear, where their packets go.
    fn interfaces(&self) -> Vec<Neighbour> {
        let interfaces = self.replies.items(Operation::Ec2(Ec2::DescribeNetworkInterfaces), "NetworkInterfaces");
        let strange = interfaces.filter_map(|interface| {
            let (id, who) = self.stranger(interface)?;
            Some(Neighbour { id, who, losses: self.losses(interface) })
        });
        strange.filter(|neighbour| !neighbour.losses.is_empty()).collect()
    }

    /// The identifier to name and a description, if an interface is somebody else's.
    fn stranger(&self, interface: &Value) -> Option<(String, String)> {
        let text = |path: &str| interface.at(path).and_then(Value::as_str).unwrap_or_default();
        let (id, description) = (text("NetworkInterfaceId"), text("Description"));
        let owner = text("Attachment.InstanceId");
        if self.ours.contains(id) || self.is_tagged(interface) {
            return None;
        }
        if !owner.is_empty() {
            if self.ours.contains(owner) {
                return None;
            }
            let instances = self.replies.items(Operation::Ec2(Ec2::DescribeInstances), "Instances");
            let name = instances
                .filter(|instance| instance.get("InstanceId").as_str() == Some(owner))
                .find_map(|instance| instance.get("Tags").get("Name").as_str());
            let name = name.map_or_else(String::new, |name| format!(" \"{name}\""));
            return Some((owner.to_owned(), format!("an instance{name} with interface {id}")));
        }
        if let Some(gateway) = description.strip_prefix(NAT_INTERFACE) {
            // One that is not listed any more lingers.
            let mut gateways = self.replies.items(Operation::Ec2(Ec2::DescribeNatGateways), "NatGateways");
            let stands = gateways.any(|other| other.get("NatGatewayId").as_str() == Some(gateway));
            return (stands && !self.ours.contains(gateway))
                .then(|| (gateway.to_owned(), format!("a NAT gateway with interface {id}")));
        }
        if description == DATABASE_INTERFACE {
            return self.strange_database(interface).map(|name| (name, format!("a database with interface {id}")));
        }
        let kind = text("InterfaceType");
        let used = if text("Status") == "available" { "an interface that nothing uses" } else { "an interface" };
        let described = if description.is_empty() { String::new() } else { format!(", \"{description}\"") };
        let kind = if matches!(kind, "" | "interface") { String::new() } else { format!(" of type {kind}") };
        Some((id.to_owned(), format!("{used}{kind}{described}")))
    }

    /// RDS does not say whose an interface is: it is somebody else's if a database of somebody else in this VPC wears its
    /// groups, and lingers or is ours otherwise.
    fn strange_database(&self, interface: &Value) -> Option<String> {
        let groups = |list: &Value, field: &str| -> BTreeSet<String> {
            let items = list.as_list().unwrap_or_default().iter();
            items.filter_map(|item| item.get(field).as_str().map(str::to_owned)).collect()
        };
        let worn = groups(interface.get("Groups"), "GroupId");
        let mut databases = self.replies.items(Operation::Rds(Rds::DescribeDBInstances), "DBInstances");
        let strange = databases.find(|database| {
            let id = database.get("DBInstanceIdentifier").as_str().unwrap_or_default();
            database.get("VpcId").as_str() == Some(self.vpc)
                && !self.ours.contains(id)
                && groups(database.get("VpcSecurityGroups"), "VpcSecurityGroupId") == worn
        });
        strange?.get("DBInstanceIdentifier").as_str().map(str::to_owned)
    }

    fn losses(&self, interface: &Value) -> Vec<Loss> {
        let doomed = self.doomed;
        let subnet = interface.get("SubnetId").as_str().unwrap_or_default();
        let mut losses = Vec::new();
        let loss = |what: String, keep: Option<&Address>, is_refused_by_aws: bool| Loss {
            what,
            keep: keep.cloned(),
            is_refused_by_aws,
        };
        if let Some(address) = doomed.has(subnet) {
            losses.push(loss(format!("its subnet {subnet} ({address}) would be deleted"), Some(address), true));
        }
        for group in interface.get("Groups").as_list().unwrap_or_default() {
            let group = group.get("GroupId").as_str().unwrap_or_default();
            if let Some(address) = doomed.has(group) {
                losses.push(loss(
                    format!("its security group {group} ({address}) would be deleted"),
                    Some(address),
                    true,
                ));
            }
            if doomed.emptied.as_deref().is_some_and(|emptied| self.is_default(group, emptied)) {
                let what = format!(
                    "its security group {group} would lose its rules (manage_default_security_group = false leaves them)"
                );
                losses.push(loss(what, None, false));
            }
        }
        if doomed.associations.contains(subnet) {
            let what = format!("its subnet {subnet} would follow another route table");
            losses.push(loss(what, self.association_of(subnet).as_ref(), false));
        }
        if let Some(table) = self.table_of(subnet) {
            let id = table.get("RouteTableId").as_str().unwrap_or_default();
            if let Some(address) = doomed.has(id) {
                losses.push(loss(format!("its route table {id} ({address}) would be deleted"), Some(address), false));
            }
            for route in table.get("Routes").as_list().unwrap_or_default() {
                let destination = route.get("DestinationCidrBlock").as_str().unwrap_or_default();
                if let Some(address) = doomed.routes.get(&(id.to_owned(), destination.to_owned())) {
                    let what = format!("its route to {destination} ({address}) would be deleted");
                    losses.push(loss(what, Some(address), false));
                }
                for field in ["GatewayId", "NatGatewayId"] {
                    let gateway = route.get(field).as_str().unwrap_or_default();
                    if let Some(address) = doomed.has(gateway) {
                        losses.push(loss(
                            format!("its gateway {gateway} ({address}) would be deleted"),
                            Some(address),
                            false,
                        ));
                    }
                }
            }
        }
        let public = interface.at("Association.PublicIp").and_then(Value::as_str);
        if let Some(public) = public {
            losses.extend(doomed.of_kind(Kind::InternetGateway).map(|(gateway, address)| {
                let what = format!("its public address {public} needs {gateway} ({address}), which would be detached");
                loss(what, Some(address), true)
            }));
        }
        let allocation = interface.at("Association.AllocationId").and_then(Value::as_str).unwrap_or_default();
        if let Some(address) = doomed.has(allocation) {
            losses.push(loss(
                format!("its public address {allocation} ({address}) would be released"),
                Some(address),
                true,
            ));
        }
        if losses.is_empty() {
            losses.extend(self.vpc_goes());
        }
        losses
    }

    /// True of the default group: of one that is to be taken over, only its name is known.
    fn is_default(&self, group: &str, emptied: &str) -> bool {
        let groups = self.replies.items(Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups");
        let mut named = groups.filter(|other| other.get("GroupName").as_str() == Some("default"));
        group == emptied || (emptied.is_empty() && named.any(|other| other.get("GroupId").as_str() == Some(group)))
    }

    fn association_of(&self, subnet: &str) -> Option<Address> {
        let is_it = |address: &&Address| {
            address.kind == Kind::RouteTableAssociation
                && self.state.attribute(address, "subnet_id").and_then(Value::as_str) == Some(subnet)
        };
        self.state.resources.keys().find(is_it).cloned()
    }

    /// The route table that a subnet follows: the one it is associated with, or the VPC's main one.
    fn table_of(&self, subnet: &str) -> Option<&'a Value> {
        let tables = || self.replies.items(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables");
        let has = |table: &&Value, fits: &dyn Fn(&Value) -> bool| {
            table.get("Associations").as_list().unwrap_or_default().iter().any(fits)
        };
        let own = tables().find(|table| has(table, &|a| a.get("SubnetId").as_str() == Some(subnet)));
        let main = || tables().find(|table| has(table, &|a| a.get("Main").as_bool() == Some(true)));
        let found = own.or_else(main)?;
        Some(found)
    }

    /// Databases of others in a subnet group that goes: RDS keeps a group that a database is in.
    fn databases(&self) -> Vec<Neighbour> {
        let databases = self.replies.items(Operation::Rds(Rds::DescribeDBInstances), "DBInstances");
        let strange = databases.filter_map(|database| {
            let text = |name: &str| database.get(name).as_str().unwrap_or_default();
            let (id, group) = (text("DBInstanceIdentifier"), text("DBSubnetGroupName"));
            let address = self.doomed.has(group).filter(|_| !self.ours.contains(id))?;
            let what = format!("its subnet group {group} ({address}) would be deleted");
            let losses = vec![Loss { what, keep: Some(address.clone()), is_refused_by_aws: true }];
            Some(Neighbour { id: id.to_owned(), who: "a database".to_owned(), losses })
        });
        strange.collect()
    }

    /// Groups of others whose rules name a group that goes: AWS keeps a group that a rule names.
    fn referring_groups(&self) -> Vec<Neighbour> {
        let mut found = Vec::new();
        for group in self.replies.items(Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups") {
            let id = group.get("GroupId").as_str().unwrap_or_default();
            if self.ours.contains(id) {
                continue;
            }
            let name = group.get("GroupName").as_str().unwrap_or_default();
            let permissions = ["IpPermissions", "IpPermissionsEgress"].into_iter();
            let permissions = permissions.flat_map(|list| group.get(list).as_list().unwrap_or_default());
            let pairs = permissions.flat_map(|rule| rule.get("UserIdGroupPairs").as_list().unwrap_or_default());
            let named = pairs.filter_map(|pair| pair.get("GroupId").as_str());
            let mut losses: Vec<Loss> = named
                .filter_map(|named| Some((named, self.doomed.has(named)?)))
                .map(|(named, address)| {
                    let what = format!("its rules name {named} ({address}), which would be deleted");
                    Loss { what, keep: Some(address.clone()), is_refused_by_aws: true }
                })
                .collect();
            if losses.is_empty() && name != "default" {
                losses.extend(self.vpc_goes());
            }
            if !losses.is_empty() {
                let who = format!("a security group called \"{name}\"");
                found.push(Neighbour { id: id.to_owned(), who, losses });
            }
        }
        found
    }

    /// Tables of others in a VPC that goes, and subnets of others that are associated with a table that goes.
    fn tables(&self) -> Vec<Neighbour> {
        let mut found = Vec::new();
        for table in self.replies.items(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables") {
            let id = table.get("RouteTableId").as_str().unwrap_or_default();
            let associations = table.get("Associations").as_list().unwrap_or_default();
            if let Some(address) = self.doomed.has(id) {
                let subnets = associations.iter().filter_map(|association| association.get("SubnetId").as_str());
                // An association that goes as well holds nothing.
                let stays = |subnet: &&str| !self.ours.contains(subnet) && !self.doomed.associations.contains(*subnet);
                found.extend(subnets.filter(stays).map(|subnet| {
                    let what = format!("its route table {id} ({address}) would be deleted");
                    let losses = vec![Loss { what, keep: Some(address.clone()), is_refused_by_aws: true }];
                    Neighbour { id: subnet.to_owned(), who: "a subnet".to_owned(), losses }
                }));
                continue;
            }
            let is_main = associations.iter().any(|association| association.get("Main").as_bool() == Some(true));
            if !is_main && !self.ours.contains(id) {
                found.extend(self.vpc_goes().map(|loss| Neighbour {
                    id: id.to_owned(),
                    who: "a route table".to_owned(),
                    losses: vec![loss],
                }));
            }
        }
        found
    }

    /// Whatever else is in a VPC that is to be deleted.
    fn attached(&self) -> Vec<Neighbour> {
        let mut found = Vec::new();
        if self.doomed.vpc.is_none() {
            return found;
        }
        for (operation, filter, list, id_field, what) in ATTACHED {
            let answers = self.replies.of(operation).iter();
            // One operation is asked twice, by other filters.
            let answers =
                answers.filter(|(call, _)| call.arg("Filters").get(filter).as_list().is_some() || filter.is_empty());
            let objects: Vec<&Value> = answers
                .filter_map(|(_, reply)| reply.ok())
                .flat_map(|reply| reply.get(list).as_list().unwrap_or_default())
                .collect();
            for object in objects {
                let id = object.get(id_field).as_str().unwrap_or_default();
                let state =
                    ["State", "Status.Code"].iter().find_map(|path| object.at(path)?.as_str()).unwrap_or_default();
                let is_default = object.get("IsDefault").as_bool() == Some(true);
                let is_over = OVER.contains(&state.to_lowercase().as_str());
                if !self.ours.contains(id) && !is_default && !is_over && self.is_in_vpc(object, filter) {
                    let losses = self.vpc_goes().into_iter().collect();
                    found.push(Neighbour { id: id.to_owned(), who: format!("a {what}"), losses });
                }
            }
        }
        found
    }

    /// What everything in the VPC loses if that goes.
    fn vpc_goes(&self) -> Option<Loss> {
        let what = format!("its VPC {} would be deleted", self.vpc);
        self.doomed.vpc.as_ref().map(|_| Loss { what, keep: Some(stack::vpc()), is_refused_by_aws: true })
    }

    /// Egress-only gateways are not filtered by VPC, and a gateway may be on its way out of one.
    fn is_in_vpc(&self, object: &Value, filter: &str) -> bool {
        let lists = ["Attachments", "VpcAttachments"].iter().filter_map(|name| object.get(name).as_list());
        let attachments: Vec<&Value> = lists.flatten().collect();
        if attachments.is_empty() {
            return !filter.is_empty();
        }
        attachments.iter().any(|attachment| {
            let state = attachment.get("State").as_str().unwrap_or_default();
            attachment.get("VpcId").as_str() == Some(self.vpc) && !OVER.contains(&state)
        })
    }
}
