//! Reading the account through Describe calls.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use aloka_core::api::{Call, Ec2, Operation, Rds, Reply, Request};
use aloka_core::value::Value;
use ipnet::Ipv4Net;

use super::{
    Address, Closed, DbSubnetGroup, Group, Host, HostKind, Nat, Object, Permission, Route, Subnet, Table, Target,
    Volume, World, cost,
};

/// The public address a publicly accessible database is given here; RDS does not tell the real one. From the block
/// RFC 5737 sets aside for examples, so that no object has it.
const DATABASE_ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 53);

/// Reads the whole account. A call that fails, and a field that cannot be understood, are named in
/// [`World::unread`].
pub fn audit(describe: &mut dyn FnMut(&Request) -> Reply) -> World {
    let mut world = World::default();
    let mut list = |world: &mut World, operation: Operation, args: &[(&'static str, Value)], key: &str| -> Vec<Value> {
        let request = Request(Call::new(operation, args.iter().cloned()));
        match describe(&request) {
            Ok(reply) => match reply.get(key) {
                Value::List(items) => items.clone(),
                Value::Map(map) => vec![Value::Map(map.clone())],
                other => {
                    world.unread.push(format!("{request}: the reply has no {key}, but {other}"));
                    Vec::new()
                }
            },
            Err(error) => {
                world.unread.push(format!("{request}: {error:?}"));
                Vec::new()
            }
        }
    };

    let mut default_vpcs = BTreeSet::new();
    for vpc in list(&mut world, Operation::Ec2(Ec2::DescribeVpcs), &[], "Vpcs") {
        let id = text(&vpc, "VpcId");
        if vpc.get("IsDefault").as_bool() == Some(true) {
            default_vpcs.insert(id.clone());
        } else {
            world.objects.push(Object::of("vpc", &id, vpc.get("Tags")));
        }
        let block = world.block(&id, vpc.get("CidrBlock"));
        world.vpcs.insert(id, block.into_iter().collect());
    }
    for subnet in list(&mut world, Operation::Ec2(Ec2::DescribeSubnets), &[], "Subnets") {
        world.read_subnet(&subnet, &default_vpcs);
    }
    for gateway in list(&mut world, Operation::Ec2(Ec2::DescribeInternetGateways), &[], "InternetGateways") {
        world.read_gateway(&gateway, &default_vpcs);
    }
    for address in list(&mut world, Operation::Ec2(Ec2::DescribeAddresses), &[], "Addresses") {
        let id = text(&address, "AllocationId");
        world.objects.push(Object::of("elastic-ip", &id, address.get("Tags")));
        world.charges.push(cost::address(&id));
        world.addresses.push(Address { id, associated: address.get("AssociationId").as_str().is_some() });
    }
    for nat in list(&mut world, Operation::Ec2(Ec2::DescribeNatGateways), &[], "NatGateways") {
        world.read_nat(&nat);
    }
    for table in list(&mut world, Operation::Ec2(Ec2::DescribeRouteTables), &[], "RouteTables") {
        world.read_table(&table);
    }
    for group in list(&mut world, Operation::Ec2(Ec2::DescribeSecurityGroups), &[], "SecurityGroups") {
        world.read_group(&group);
    }
    for instance in list(&mut world, Operation::Ec2(Ec2::DescribeInstances), &[], "Instances") {
        world.read_instance(&instance);
    }
    for volume in list(&mut world, Operation::Ec2(Ec2::DescribeVolumes), &[], "Volumes") {
        world.read_volume(&volume);
    }
    for interface in list(&mut world, Operation::Ec2(Ec2::DescribeNetworkInterfaces), &[], "NetworkInterfaces") {
        world.read_interface(&interface);
    }
    for group in list(&mut world, Operation::Rds(Rds::DescribeDBSubnetGroups), &[], "DBSubnetGroups") {
        let name = text(&group, "DBSubnetGroupName");
        if name != "default" {
            let arn = group.get("DBSubnetGroupArn").clone();
            let tags = list(&mut world, Operation::Rds(Rds::ListTagsForResource), &[("ResourceName", arn)], "Tags");
            world.objects.push(Object::of("db-subnet-group", &name, tags.first().unwrap_or(&Value::Null)));
        }
        world.db_subnet_groups.push(DbSubnetGroup { name, subnets: texts(&group, "SubnetIds") });
    }
    for database in list(&mut world, Operation::Rds(Rds::DescribeDBInstances), &[], "DBInstances") {
        world.read_database(&database);
    }
    world.check_groups();
    world
}

impl World {
    fn read_subnet(&mut self, subnet: &Value, default_vpcs: &BTreeSet<String>) {
        let (id, vpc) = (text(subnet, "SubnetId"), text(subnet, "VpcId"));
        if !default_vpcs.contains(&vpc) {
            self.objects.push(Object::of("subnet", &id, subnet.get("Tags")));
        }
        if let Some(block) = self.block(&id, subnet.get("CidrBlock")) {
            let free = subnet.get("AvailableIpAddressCount").as_i64().and_then(|free| u64::try_from(free).ok());
            let mode = subnet.at("BlockPublicAccessStates.InternetGatewayBlockMode").and_then(Value::as_str);
            let closed = match mode {
                Some("block-ingress") => Closed::Ingress,
                Some("block-bidirectional") => Closed::Bidirectional,
                _ => Closed::No,
            };
            self.subnets.insert(id, Subnet { vpc, block, free, closed });
        }
    }

    fn read_gateway(&mut self, gateway: &Value, default_vpcs: &BTreeSet<String>) {
        let id = text(gateway, "InternetGatewayId");
        let attached = |a: &&Value| a.get("State").as_str() != Some("detached");
        let attachments: Vec<_> =
            items(gateway, "Attachments").iter().filter(attached).map(|a| text(a, "VpcId")).collect();
        if !attachments.iter().any(|vpc| default_vpcs.contains(vpc)) {
            self.objects.push(Object::of("internet-gateway", &id, gateway.get("Tags")));
        }
        self.gateways.insert(id, attachments);
    }

    fn read_nat(&mut self, nat: &Value) {
        let (id, state) = (text(nat, "NatGatewayId"), text(nat, "State"));
        if state == "deleted" {
            return;
        }
        self.objects.push(Object::of("natgateway", &id, nat.get("Tags")));
        let public = items(nat, "NatGatewayAddresses").iter().find_map(|a| address(a.get("PublicIp")));
        let failure = (state == "failed").then(|| text(nat, "FailureCode"));
        if failure.is_none() {
            self.expect_interfaces(&text(nat, "VpcId"), 1);
        }
        self.charges.extend(cost::nat(&id, &state));
        self.nats.insert(id, Nat { subnet: text(nat, "SubnetId"), public, working: state == "available", failure });
    }

    fn read_volume(&mut self, volume: &Value) {
        let (id, state) = (text(volume, "VolumeId"), text(volume, "State"));
        self.objects.push(Object::of("volume", &id, volume.get("Tags")));
        self.charges.push(cost::volume(&id, volume));
        self.volumes.push(Volume { id, free: state == "available" });
    }

    /// Counts an interface that somebody else holds; those of what is ours are counted with it.
    fn read_interface(&mut self, interface: &Value) {
        let attachment = interface.get("Attachment");
        let ours = !attachment.get("InstanceId").is_null()
            || interface.get("InterfaceType").as_str() == Some("nat_gateway")
            || interface.get("Description").as_str() == Some("RDSNetworkInterface");
        if !attachment.is_null() && !ours {
            self.expect_interfaces(&text(interface, "VpcId"), 1);
        }
    }

    fn expect_interfaces(&mut self, vpc: &str, count: u64) {
        *self.interfaces.entry(vpc.to_owned()).or_default() += count;
    }

    fn read_table(&mut self, table: &Value) {
        let (id, vpc) = (text(table, "RouteTableId"), text(table, "VpcId"));
        let associations = items(table, "Associations");
        let main = associations.iter().any(|a| a.get("Main").as_bool() == Some(true));
        if !main {
            self.objects.push(Object::of("route-table", &id, table.get("Tags")));
        }
        let live = |a: &&Value| !matches!(a.get("State").as_str(), Some("disassociated"));
        let subnets = associations.iter().filter(live).filter_map(|a| a.get("SubnetId").as_str());
        let subnets = subnets.map(str::to_owned).collect();
        let mut routes = Vec::new();
        for route in items(table, "Routes") {
            // By an endpoint for a service of AWS: from it nothing comes in but answers.
            let is_service =
                !text(route, "DestinationPrefixListId").is_empty() && text(route, "GatewayId").starts_with("vpce-");
            if is_service {
                continue;
            }
            if let Some(destination) = self.block(&id, route.get("DestinationCidrBlock")) {
                routes.push(Route { destination, target: target(route) });
            }
        }
        self.tables.push(Table { id, vpc, main, subnets, routes });
    }

    fn read_group(&mut self, group: &Value) {
        let (id, name) = (text(group, "GroupId"), text(group, "GroupName"));
        if name != "default" {
            self.objects.push(Object::of("security-group", &id, group.get("Tags")));
        }
        let mut side = |key| items(group, key).iter().map(|p| self.permission(&id, p)).collect();
        let (ingress, egress) = (side("IpPermissions"), side("IpPermissionsEgress"));
        self.groups.insert(id, Group { name, vpc: text(group, "VpcId"), ingress, egress });
    }

    fn permission(&mut self, owner: &str, permission: &Value) -> Permission {
        let protocol = match permission.get("IpProtocol").as_str() {
            Some("tcp") => Some(6),
            Some("udp") => Some(17),
            Some("icmp") => Some(1),
            Some("icmpv6") => Some(58),
            Some("-1") => None,
            other => {
                let number = other.and_then(|text| text.parse().ok());
                if number.is_none() {
                    self.unread.push(format!("{owner}: unknown protocol {}", permission.get("IpProtocol")));
                }
                number
            }
        };
        let port = |key| permission.get(key).as_i64().and_then(|port| u16::try_from(port).ok());
        let ports = match protocol {
            Some(6 | 17) => Some((port("FromPort").unwrap_or(0), port("ToPort").unwrap_or(u16::MAX))),
            // The type of a message stands for its port; its code is not looked at.
            Some(1 | 58) => port("FromPort").map(|kind| (kind, kind)),
            Some(_) | None => None,
        };
        let blocks = items(permission, "IpRanges");
        Permission {
            protocol,
            ports,
            blocks: blocks.iter().filter_map(|range| self.block(owner, range.get("CidrIp"))).collect(),
            groups: items(permission, "UserIdGroupPairs").iter().map(|pair| text(pair, "GroupId")).collect(),
            prefix_lists: items(permission, "PrefixListIds").iter().map(|list| text(list, "PrefixListId")).collect(),
        }
    }

    fn read_instance(&mut self, instance: &Value) {
        let (id, state) = (text(instance, "InstanceId"), text(instance.get("State"), ""));
        if state == "terminated" {
            return;
        }
        self.objects.push(Object::of("instance", &id, instance.get("Tags")));
        self.expect_interfaces(&text(instance, "VpcId"), 1);
        self.charges.extend(cost::instance(&id, &state, instance));
        if state == "shutting-down" {
            return;
        }
        let subnet = text(instance, "SubnetId");
        let places = match (address(instance.get("PrivateIpAddress")), self.subnets.get(&subnet)) {
            (Some(private), _) => vec![(subnet, private)],
            (None, Some(&Subnet { block, .. })) => ends(block).map(|end| (subnet.clone(), end)).to_vec(),
            (None, None) => {
                self.unread.push(format!("{id} ({state}): neither its address nor its subnet `{subnet}` is known"));
                Vec::new()
            }
        };
        self.hosts.push(Host {
            kind: HostKind::Instance,
            id,
            vpc: text(instance, "VpcId"),
            places,
            public: address(instance.get("PublicIpAddress")),
            groups: items(instance, "SecurityGroups").iter().map(|group| text(group, "GroupId")).collect(),
            up: state == "running",
            pending: state == "pending",
        });
    }

    fn read_database(&mut self, database: &Value) {
        let id = text(database, "DBInstanceIdentifier");
        self.objects.push(Object::of("db", &id, database.get("Tags")));
        // A standby has an interface of its own.
        let standby = database.get("MultiAZ").as_bool() == Some(true);
        self.expect_interfaces(&text(database, "VpcId"), if standby { 2 } else { 1 });
        self.charges.extend(cost::database(&id, database));
        let group = text(database, "DBSubnetGroupName");
        let named = self.db_subnet_groups.iter().filter(|own| own.name == group);
        let subnets: Vec<String> = named.flat_map(|own| own.subnets.clone()).collect();
        // The first and the last address AWS gives out in each subnet speak for those between them.
        let places: Vec<_> = subnets
            .iter()
            .filter_map(|subnet| Some((subnet, self.subnets.get(subnet)?.block)))
            .flat_map(|(subnet, block)| ends(block).map(|end| (subnet.clone(), end)))
            .collect();
        if places.is_empty() {
            self.unread.push(format!("{id}: the subnets of its group `{group}` are not there"));
        }
        self.hosts.push(Host {
            kind: HostKind::Database,
            id,
            vpc: text(database, "VpcId"),
            places,
            public: (database.get("PubliclyAccessible").as_bool() == Some(true)).then_some(DATABASE_ADDRESS),
            // Those in effect: what is being removed still is.
            groups: items(database, "VpcSecurityGroups")
                .iter()
                .filter(|group| group.get("Status").as_str() != Some("adding"))
                .map(|group| text(group, "VpcSecurityGroupId"))
                .collect(),
            up: !database.get("Endpoint").is_null(),
            pending: false,
        });
    }

    fn check_groups(&mut self) {
        for host in &self.hosts {
            for group in host.groups.iter().filter(|group| !self.groups.contains_key(*group)) {
                self.unread.push(format!("{}: its security group {group} is not there", host.id));
            }
        }
    }

    fn block(&mut self, owner: &str, value: &Value) -> Option<Ipv4Net> {
        let block = value.as_str().and_then(|text| text.parse().ok());
        if block.is_none() {
            self.unread.push(format!("{owner}: {value} is no block of addresses"));
        }
        block
    }
}

/// The first and the last address AWS gives out: the first four and the last are its own (VPC User Guide, subnet
/// sizing).
pub(super) fn ends(block: Ipv4Net) -> [Ipv4Addr; 2] {
    let (low, high) = (block.network().to_bits(), block.broadcast().to_bits());
    let first = low.saturating_add(4).min(high);
    [first, high.saturating_sub(1).max(first)].map(Ipv4Addr::from_bits)
}

fn target(route: &Value) -> Target {
    if route.get("State").as_str() == Some("blackhole") {
        return Target::Blackhole;
    }
    let gateway = text(route, "GatewayId");
    match (gateway.as_str(), route.get("NatGatewayId").as_str()) {
        ("local", _) => Target::Local,
        (igw, _) if igw.starts_with("igw-") => Target::InternetGateway(gateway),
        ("", Some(nat)) => Target::Nat(nat.to_owned()),
        ("", None) => Target::Strange("no target".to_owned()),
        (_, _) => Target::Strange(gateway),
    }
}

/// The text at `path`; with an empty path the value itself.
fn text(value: &Value, path: &str) -> String {
    let own = if path.is_empty() { value } else { value.get(path) };
    own.as_str().unwrap_or_default().to_owned()
}

fn items<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).as_list().unwrap_or_default()
}

fn texts(value: &Value, key: &str) -> Vec<String> {
    items(value, key).iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

fn address(value: &Value) -> Option<Ipv4Addr> {
    value.as_str().and_then(|text| text.parse().ok())
}
