//! Who else would be touched: before a plan takes away a subnet, a table, a gateway or a group, what others have around it is
//! read, and nothing of theirs is cut off without their owner's word.
//!
//! AWS refuses to delete what something uses, so that a plan would stop half way; and it does not refuse to take a route or
//! a gateway away from somebody else's server, which would go silent. Both are told before the first call.

use std::collections::{BTreeMap, BTreeSet};

use super::{Planned, Problem, Replies, read};
use crate::address::Address;
use crate::api::{Call, ErrorClass, Operation};
use crate::consent::{Consent, UNKNOWN};
use crate::identity;
use crate::model::Kind;
use crate::observe::{self, Phase};
use crate::plan::lower::DATABASE_INTERFACE;
use crate::plan::{Action, Mode, Node};
use crate::stack;
use crate::value::Value;

/// How AWS describes the network interface of a NAT gateway (aws-behaviour.md, 2.5).
const NAT_INTERFACE: &str = "Interface for NAT Gateway ";

/// What else can stand in a VPC and keep it from being deleted: operation, filter by VPC, list, identifier, what it is.
const ATTACHED: [(Operation, &str, &str, &str, &str); 8] = [
    (Operation::DescribeSubnets, "vpc-id", "Subnets", "SubnetId", "subnet"),
    (Operation::DescribeNetworkAcls, "vpc-id", "NetworkAcls", "NetworkAclId", "network ACL"),
    (Operation::DescribeVpcEndpoints, "vpc-id", "VpcEndpoints", "VpcEndpointId", "VPC endpoint"),
    (
        Operation::DescribeVpcPeeringConnections,
        "requester-vpc-info.vpc-id",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "VPC peering connection",
    ),
    (
        Operation::DescribeVpcPeeringConnections,
        "accepter-vpc-info.vpc-id",
        "VpcPeeringConnections",
        "VpcPeeringConnectionId",
        "VPC peering connection",
    ),
    (Operation::DescribeVpnGateways, "attachment.vpc-id", "VpnGateways", "VpnGatewayId", "VPN gateway"),
    (
        Operation::DescribeEgressOnlyInternetGateways,
        "",
        "EgressOnlyInternetGateways",
        "EgressOnlyInternetGatewayId",
        "egress-only internet gateway",
    ),
    (
        Operation::DescribeInternetGateways,
        "attachment.vpc-id",
        "InternetGateways",
        "InternetGatewayId",
        "internet gateway",
    ),
];

/// States of peerings, endpoints and gateways that hold nothing any more.
const OVER: [&str; 8] =
    ["deleted", "deleting", "rejected", "expired", "failed", "detached", "terminated", "shutting-down"];

/// What a plan takes away, by identifier, with the address it is recorded at.
#[derive(Default)]
struct Doomed {
    ids: BTreeMap<String, (Address, Kind)>,
    /// Routes that go, by table and destination.
    routes: BTreeMap<(String, String), Address>,
    /// Subnets whose association goes, and so follow the VPC's main table.
    associations: BTreeSet<String>,
    vpc: Option<String>,
    /// The default group, if its rules are taken away.
    emptied: Option<String>,
}

impl Doomed {
    fn of(planned: &Planned) -> Self {
        let mut doomed = Self::default();
        for change in &planned.plan.changes {
            let kind = change.target.address.kind;
            let text = |name: &str| change.before.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let goes = matches!(change.action, Action::Delete | Action::Replace(_));
            match kind {
                Kind::Subnet | Kind::RouteTable | Kind::InternetGateway | Kind::NatGateway | Kind::SecurityGroup
                    if goes =>
                {
                    doomed.ids.insert(text("id"), (change.target.address.clone(), kind));
                }
                Kind::Route if goes => {
                    let place = (text("route_table_id"), text("destination_cidr_block"));
                    doomed.routes.insert(place, change.target.address.clone());
                }
                Kind::RouteTableAssociation if goes => {
                    doomed.associations.insert(text("subnet_id"));
                }
                // RDS knows a group by its name.
                Kind::DbSubnetGroup if goes => {
                    doomed.ids.insert(text("name"), (change.target.address.clone(), kind));
                }
                Kind::Vpc if goes => doomed.vpc = Some(text("id")),
                Kind::DefaultSecurityGroup => {
                    let is_emptied = change.attributes.iter().any(|a| matches!(&*a.name, "ingress" | "egress"));
                    if change.action == Action::Create || (change.action == Action::Update && is_emptied) {
                        doomed.emptied = Some(text("id"));
                    }
                }
                Kind::DbInstance
                | Kind::DbSubnetGroup
                | Kind::Eip
                | Kind::Instance
                | Kind::InternetGateway
                | Kind::NatGateway
                | Kind::Route
                | Kind::RouteTable
                | Kind::RouteTableAssociation
                | Kind::SecurityGroup
                | Kind::Subnet
                | Kind::Vpc => {}
            }
        }
        doomed
    }

    fn is_empty(&self) -> bool {
        let Self { ids, routes, associations, vpc, emptied } = self;
        ids.is_empty() && routes.is_empty() && associations.is_empty() && vpc.is_none() && emptied.is_none()
    }

    fn has(&self, id: &str) -> Option<&Address> {
        self.ids.get(id).map(|(address, _)| address)
    }
}

/// The identifier of the VPC the stack is in, if it stands.
fn vpc(planned: &Planned) -> Option<&str> {
    planned.state.attribute(&stack::vpc(), "id").and_then(Value::as_str)
}

/// The reads that tell who else is there; none if the plan takes nothing away that others could use.
pub(super) fn reads(planned: &Planned) -> Vec<Node> {
    let doomed = Doomed::of(planned);
    let Some(vpc) = vpc(planned).filter(|_| !doomed.is_empty()) else { return Vec::new() };
    let by = |operation: Operation, filter: &str| {
        let filters = Value::map([(filter, Value::list([vpc]))]);
        let args = [("Filters", filters)].into_iter().filter(|_| !filter.is_empty());
        read((Kind::Vpc, Call::new(operation, args)))
    };
    let mut nodes = vec![
        by(Operation::DescribeNetworkInterfaces, "vpc-id"),
        by(Operation::DescribeRouteTables, "vpc-id"),
        by(Operation::DescribeSecurityGroups, "vpc-id"),
        by(Operation::DescribeInstances, "vpc-id"),
        by(Operation::DescribeNatGateways, "vpc-id"),
        by(Operation::DescribeDBInstances, ""),
    ];
    if doomed.vpc.is_some() {
        nodes.extend(ATTACHED.map(|(operation, filter, ..)| by(operation, filter)));
    }
    nodes
}

/// What an object of somebody else would lose, and whether AWS would refuse to take it away.
struct Loss {
    what: String,
    /// The address to keep so that nothing is lost.
    keep: Option<Address>,
    is_refused_by_aws: bool,
}

/// What is known of the surroundings.
struct Around<'a, 'r> {
    planned: &'a Planned,
    replies: &'a Replies<'r>,
    doomed: Doomed,
    vpc: &'a str,
    /// Identifiers of what is ours, by record or by tag, or gone already.
    ours: BTreeSet<&'a str>,
    problems: Vec<Problem>,
    notes: Vec<String>,
}

/// Refuses the plan if it would cut somebody off, or stop half way because of somebody. Returns what was not checked.
pub(super) fn judge(planned: &Planned, consent: &Consent, replies: &Replies<'_>) -> Result<Vec<String>, Vec<Problem>> {
    let doomed = Doomed::of(planned);
    let Some(vpc) = vpc(planned) else { return Ok(Vec::new()) };
    let mut around =
        Around { planned, replies, doomed, vpc, ours: ours(planned, replies), problems: Vec::new(), notes: Vec::new() };
    around.unread(consent);
    around.interfaces(consent);
    around.databases(consent);
    around.referring_groups(consent);
    around.routes(consent);
    around.attached();
    let Around { problems, notes, .. } = around;
    if problems.is_empty() { Ok(notes) } else { Err(problems) }
}

/// Everything recorded that this plan may act on, everything that carries our lineage, and what is on its way out.
fn ours<'a>(planned: &'a Planned, replies: &Replies<'a>) -> BTreeSet<&'a str> {
    let mut ours: BTreeSet<&str> = BTreeSet::new();
    let changed = planned.plan.changes.iter().filter(|change| !change.before.is_empty());
    for change in changed {
        let texts = ["id", "identifier", "network_interface_id", "primary_network_interface_id"];
        ours.extend(texts.iter().filter_map(|name| change.before.get(name).and_then(Value::as_str)));
    }
    let lists = [
        (Kind::Subnet, Operation::DescribeSubnets, "Subnets", "SubnetId"),
        (Kind::RouteTable, Operation::DescribeRouteTables, "RouteTables", "RouteTableId"),
        (Kind::SecurityGroup, Operation::DescribeSecurityGroups, "SecurityGroups", "GroupId"),
        (Kind::Instance, Operation::DescribeInstances, "Instances", "InstanceId"),
        (Kind::NatGateway, Operation::DescribeNatGateways, "NatGateways", "NatGatewayId"),
        (Kind::InternetGateway, Operation::DescribeInternetGateways, "InternetGateways", "InternetGatewayId"),
        (Kind::DbInstance, Operation::DescribeDBInstances, "DBInstances", "DBInstanceIdentifier"),
    ];
    for (kind, operation, list, id) in lists {
        for object in replies.items(operation, list) {
            let is_going = matches!(observe::phase(kind, object), Phase::Deleting | Phase::Gone);
            if is_going || identity::lineage(object.get("Tags")) == Some(&*planned.state.lineage) {
                ours.extend(object.get(id).as_str());
                let nat = object.at("NatGatewayAddresses.0.NetworkInterfaceId").and_then(Value::as_str);
                ours.extend(nat);
            }
        }
    }
    ours
}

impl<'a> Around<'a, '_> {
    fn is_allowed(&self, consent: &Consent, id: &str) -> bool {
        consent.cutting_off.contains(id)
    }

    /// What may not be read is not known to be free: a destroy wants the user's word for it.
    fn unread(&mut self, consent: &Consent) {
        let unread: BTreeSet<String> = self
            .replies
            .calls()
            .filter_map(|(call, reply)| Some((call, reply.err()?)))
            .filter(|(_, error)| error.class != ErrorClass::NotFound)
            .map(|(call, error)| format!("{} ({})", call.operation, error.code))
            .collect();
        if unread.is_empty() {
            return;
        }
        let what = unread.into_iter().collect::<Vec<_>>().join(", ");
        let text = format!("whether anything of others is in {} could not be read: {what}", self.vpc);
        if self.planned.plan.mode == Mode::Destroy && !self.is_allowed(consent, UNKNOWN) {
            self.problems.push(Problem::Impossible {
                summary: text,
                hint: format!("allow these reads, or go on without them: -allow-cutting-off={UNKNOWN}"),
            });
        } else {
            self.notes.push(format!("not checked: {text}"));
        }
    }

    fn refuse(&mut self, id: &str, who: &str, losses: &[Loss], consent: &Consent) {
        let open: Vec<&Loss> =
            losses.iter().filter(|loss| loss.is_refused_by_aws || !self.is_allowed(consent, id)).collect();
        if open.is_empty() {
            return;
        }
        let what: BTreeSet<&str> = open.iter().map(|loss| loss.what.as_str()).collect();
        let is_refused = open.iter().any(|loss| loss.is_refused_by_aws);
        let keep: BTreeSet<&Address> = open.iter().filter_map(|loss| loss.keep.as_ref()).collect();
        let is_destroy = self.planned.plan.mode == Mode::Destroy;
        let exclude: Vec<String> = keep.iter().map(|address| format!("'-exclude={address}'")).collect();
        let mut ways = Vec::new();
        if !is_refused {
            ways.push(format!("let it be cut off: -allow-cutting-off={id}"));
        }
        if is_destroy && !exclude.is_empty() {
            ways.push(format!("keep what it uses: {}", exclude.join(" ")));
        }
        if !is_destroy && !keep.is_empty() {
            let addresses: Vec<String> = keep.iter().map(ToString::to_string).collect();
            ways.push(format!("keep {} in the variables", addresses.join(", ")));
        }
        ways.push(format!("remove {id} first, if nobody needs it"));
        let end = if is_refused { "AWS would refuse this plan half way" } else { "it would be cut off" };
        self.problems.push(Problem::Impossible {
            summary: format!(
                "{id}, {who}, is not of this stack: {}; {end}, so nothing was changed",
                what.into_iter().collect::<Vec<_>>().join(", ")
            ),
            hint: ways.join("; or "),
        });
    }

    /// Interfaces of others: what they are in, what they wear, where their packets go.
    fn interfaces(&mut self, consent: &Consent) {
        for interface in self.replies.items(Operation::DescribeNetworkInterfaces, "NetworkInterfaces") {
            let Some((id, who)) = self.stranger(interface) else { continue };
            let losses = self.losses(interface);
            if !losses.is_empty() {
                self.refuse(&id, &who, &losses, consent);
            }
        }
    }

    /// The identifier to name and a description, if an interface is somebody else's.
    fn stranger(&self, interface: &Value) -> Option<(String, String)> {
        let text = |path: &str| interface.at(path).and_then(Value::as_str).unwrap_or_default();
        let (id, description) = (text("NetworkInterfaceId"), text("Description"));
        let owner = text("Attachment.InstanceId");
        let lineage = identity::lineage(interface.get("Tags"));
        if self.ours.contains(id) || lineage == Some(&*self.planned.state.lineage) {
            return None;
        }
        if !owner.is_empty() {
            if self.ours.contains(owner) {
                return None;
            }
            let instances = self.replies.items(Operation::DescribeInstances, "Instances");
            let name = instances
                .filter(|instance| instance.get("InstanceId").as_str() == Some(owner))
                .find_map(|instance| instance.get("Tags").get("Name").as_str());
            let name = name.map_or_else(String::new, |name| format!(" \"{name}\""));
            return Some((owner.to_owned(), format!("an instance{name} with interface {id}")));
        }
        if let Some(gateway) = description.strip_prefix(NAT_INTERFACE) {
            // One that is not listed any more lingers.
            let mut gateways = self.replies.items(Operation::DescribeNatGateways, "NatGateways");
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
        let groups = |list: &Value, field: Option<&str>| -> BTreeSet<String> {
            let items = list.as_list().unwrap_or_default().iter();
            items.filter_map(|item| field.map_or(item, |field| item.get(field)).as_str().map(str::to_owned)).collect()
        };
        let worn = groups(interface.get("Groups"), Some("GroupId"));
        let mut databases = self.replies.items(Operation::DescribeDBInstances, "DBInstances");
        let strange = databases.find(|database| {
            let id = database.get("DBInstanceIdentifier").as_str().unwrap_or_default();
            database.get("VpcId").as_str() == Some(self.vpc)
                && !self.ours.contains(id)
                && groups(database.get("VpcSecurityGroupIds"), None) == worn
        });
        strange?.get("DBInstanceIdentifier").as_str().map(str::to_owned)
    }

    fn losses(&self, interface: &Value) -> Vec<Loss> {
        let doomed = &self.doomed;
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
        if losses.is_empty() && doomed.vpc.is_some() {
            losses.push(loss(format!("its VPC {} would be deleted", self.vpc), Some(&stack::vpc()), true));
        }
        losses
    }

    /// True of the default group: of one that is to be taken over, only its name is known.
    fn is_default(&self, group: &str, emptied: &str) -> bool {
        let groups = self.replies.items(Operation::DescribeSecurityGroups, "SecurityGroups");
        let mut named = groups.filter(|other| other.get("GroupName").as_str() == Some("default"));
        group == emptied || (emptied.is_empty() && named.any(|other| other.get("GroupId").as_str() == Some(group)))
    }

    fn association_of(&self, subnet: &str) -> Option<Address> {
        let is_it = |address: &&Address| {
            address.kind == Kind::RouteTableAssociation
                && self.planned.state.attribute(address, "subnet_id").and_then(Value::as_str) == Some(subnet)
        };
        self.planned.state.resources.keys().find(is_it).cloned()
    }

    /// The route table that a subnet follows: the one it is associated with, or the VPC's main one.
    fn table_of(&self, subnet: &str) -> Option<&'a Value> {
        let tables = || self.replies.items(Operation::DescribeRouteTables, "RouteTables");
        let has = |table: &&Value, fits: &dyn Fn(&Value) -> bool| {
            table.get("Associations").as_list().unwrap_or_default().iter().any(fits)
        };
        let own = tables().find(|table| has(table, &|a| a.get("SubnetId").as_str() == Some(subnet)));
        let main = || tables().find(|table| has(table, &|a| a.get("Main").as_bool() == Some(true)));
        let found = own.or_else(main)?;
        Some(found)
    }

    /// Databases of others in a subnet group that goes: RDS keeps a group that a database is in.
    fn databases(&mut self, consent: &Consent) {
        for database in self.replies.items(Operation::DescribeDBInstances, "DBInstances") {
            let text = |name: &str| database.get(name).as_str().unwrap_or_default();
            let (id, group) = (text("DBInstanceIdentifier"), text("DBSubnetGroupName"));
            if let Some(address) = self.doomed.has(group).filter(|_| !self.ours.contains(id)).cloned() {
                let what = format!("its subnet group {group} ({address}) would be deleted");
                let loss = Loss { what, keep: Some(address), is_refused_by_aws: true };
                self.refuse(id, "a database", &[loss], consent);
            }
        }
    }

    /// Groups of others whose rules name a group that goes: AWS keeps a group that a rule names.
    fn referring_groups(&mut self, consent: &Consent) {
        for group in self.replies.items(Operation::DescribeSecurityGroups, "SecurityGroups") {
            let id = group.get("GroupId").as_str().unwrap_or_default();
            if self.ours.contains(id) {
                continue;
            }
            let name = group.get("GroupName").as_str().unwrap_or_default();
            let mut losses = Vec::new();
            for permissions in ["IpPermissions", "IpPermissionsEgress"] {
                for permission in group.get(permissions).as_list().unwrap_or_default() {
                    for pair in permission.get("UserIdGroupPairs").as_list().unwrap_or_default() {
                        let named = pair.get("GroupId").as_str().unwrap_or_default();
                        if let Some(address) = self.doomed.has(named) {
                            let what = format!("its rules name {named} ({address}), which would be deleted");
                            losses.push(Loss { what, keep: Some(address.clone()), is_refused_by_aws: true });
                        }
                    }
                }
            }
            if losses.is_empty() && self.doomed.vpc.is_some() && name != "default" {
                let what = format!("its VPC {} would be deleted", self.vpc);
                losses.push(Loss { what, keep: Some(stack::vpc()), is_refused_by_aws: true });
            }
            if !losses.is_empty() {
                self.refuse(id, &format!("a security group called \"{name}\""), &losses, consent);
            }
        }
    }

    /// Tables with routes that nobody recorded here: somebody put them there, and they would go with their table.
    fn routes(&mut self, consent: &Consent) {
        let recorded: BTreeSet<(&str, &str)> = self
            .planned
            .plan
            .changes
            .iter()
            .filter(|change| change.target.address.kind == Kind::Route)
            .filter_map(|change| {
                let text = |name: &str| change.before.get(name).and_then(Value::as_str);
                Some((text("route_table_id")?, text("destination_cidr_block")?))
            })
            .collect();
        for table in self.replies.items(Operation::DescribeRouteTables, "RouteTables") {
            let id = table.get("RouteTableId").as_str().unwrap_or_default();
            let mains = table.get("Associations").as_list().unwrap_or_default();
            let is_main = mains.iter().any(|association| association.get("Main").as_bool() == Some(true));
            let doomed = self.doomed.has(id).cloned();
            if doomed.is_none() && (self.doomed.vpc.is_none() || is_main || self.ours.contains(id)) {
                continue;
            }
            let Some(address) = doomed else {
                let what = format!("its VPC {} would be deleted", self.vpc);
                let loss = Loss { what, keep: Some(stack::vpc()), is_refused_by_aws: true };
                self.refuse(id, "a route table", &[loss], consent);
                continue;
            };
            let routes = table.get("Routes").as_list().unwrap_or_default().iter();
            let others = routes.filter(|route| route.get("Origin").as_str() == Some("CreateRoute"));
            let others = others.filter_map(|route| route.get("DestinationCidrBlock").as_str());
            let others: Vec<&str> = others.filter(|destination| !recorded.contains(&(id, destination))).collect();
            if !others.is_empty() && !self.is_allowed(consent, id) {
                self.problems.push(Problem::Impossible {
                    summary: format!(
                        "{address} ({id}) would be deleted with routes that are not of this stack: {}; nothing was changed",
                        others.join(", ")
                    ),
                    hint: format!("if nobody needs them: -allow-cutting-off={id}"),
                });
            }
        }
    }

    /// Whatever else is in a VPC that is to be deleted.
    fn attached(&mut self) {
        if self.doomed.vpc.is_none() {
            return;
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
                if self.ours.contains(id) || is_default || is_over || !self.is_in_vpc(object, filter) {
                    continue;
                }
                let loss = Loss {
                    what: format!("its VPC {} would be deleted", self.vpc),
                    keep: Some(stack::vpc()),
                    is_refused_by_aws: true,
                };
                self.refuse(id, &format!("a {what}"), &[loss], &Consent::default());
            }
        }
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
