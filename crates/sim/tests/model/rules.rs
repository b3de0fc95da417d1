//! What holds in every account at every time: an own model, which shares no code with the account.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::value::Value;
use aloka_sim::aws::{Object, ObjectKind};
use ipnet::Ipv4Net;

use crate::script::quotas;
use crate::view::{View, items, text};

macro_rules! ensure {
    ($condition:expr, $($message:tt)*) => {
        if !$condition {
            return Err(format!($($message)*));
        }
    };
}

fn block(object: &Value) -> Result<Ipv4Net, String> {
    text(object, "CidrBlock").parse().map_err(|_| format!("no block in {object}"))
}

/// Instances with an interface.
fn instances(view: &View) -> impl Iterator<Item = (&str, &Value)> {
    view.all("Instances").filter(|(_, instance)| text(instance, "State") != "terminated")
}

/// NAT gateways that hold an address and an interface for certain. What is pending may fail for want of either, and
/// what is deleting may have been going to.
fn nats(view: &View) -> impl Iterator<Item = (&str, &Value)> {
    view.all("NatGateways").filter(|(_, nat)| text(nat, "State") == "available")
}

/// All of it.
pub(crate) fn check(view: &View, objects: &[Object]) -> Result<(), String> {
    vpcs(view)?;
    networks(view)?;
    routes(view)?;
    groups(view)?;
    hosts(view)?;
    addresses(view, objects)?;
    inventory(view, objects)
}

fn at_most(what: &str, count: usize, allowed: usize) -> Result<(), String> {
    ensure!(count <= allowed, "{count} {what}, and {allowed} are allowed");
    Ok(())
}

fn vpcs(view: &View) -> Result<(), String> {
    let quotas = quotas();
    at_most("VPCs", view.all("Vpcs").count(), quotas.vpcs)?;
    at_most("internet gateways", view.all("InternetGateways").count(), quotas.internet_gateways)?;
    at_most("addresses", view.all("Addresses").count(), quotas.addresses)?;
    at_most("security groups", view.all("SecurityGroups").count(), quotas.security_groups)?;
    at_most("databases", view.all("DBInstances").count(), quotas.db_instances)?;
    at_most("database subnet groups", view.all("DBSubnetGroups").count(), quotas.db_subnet_groups)?;
    for (id, _) in view.all("Vpcs") {
        let of = |list: &'static str| view.all(list).filter(|(_, object)| text(object, "VpcId") == id);
        at_most("subnets in a VPC", of("Subnets").count(), quotas.subnets)?;
        at_most("route tables in a VPC", of("RouteTables").count(), quotas.route_tables)?;
        let main = of("RouteTables").flat_map(|(_, table)| items(table, "Associations"));
        let main = main.filter(|association| association.get("Main").as_bool() == Some(true)).count();
        ensure!(main == 1, "{id} has {main} main route tables");
        let default = of("SecurityGroups").filter(|(_, group)| text(group, "GroupName") == "default").count();
        ensure!(default == 1, "{id} has {default} default groups");
        let gateways = view.all("InternetGateways").flat_map(|(_, gateway)| items(gateway, "Attachments"));
        at_most("gateways on a VPC", gateways.filter(|attachment| text(attachment, "VpcId") == id).count(), 1)?;
    }
    Ok(())
}

fn networks(view: &View) -> Result<(), String> {
    for (id, gateway) in view.all("InternetGateways") {
        at_most("VPCs of a gateway", items(gateway, "Attachments").len(), 1)?;
        for attachment in items(gateway, "Attachments") {
            ensure!(view.get("Vpcs", text(attachment, "VpcId")).is_some(), "{id} is attached to a VPC that is gone");
        }
    }
    let mut blocks: Vec<(&str, &str, Ipv4Net)> = Vec::new();
    for (id, subnet) in view.all("Subnets") {
        let (vpc, own) = (text(subnet, "VpcId"), block(subnet)?);
        let outer = view.get("Vpcs", vpc).ok_or_else(|| format!("{id} is in a VPC that is gone"))?;
        ensure!(block(outer)?.contains(&own), "{id} has {own}, outside of its VPC");
        for (other, other_vpc, theirs) in &blocks {
            let apart = *other_vpc != vpc || !(theirs.contains(&own) || own.contains(theirs));
            ensure!(apart, "{id} and {other} both have {own}");
        }
        blocks.push((id, vpc, own));
    }
    Ok(())
}

fn routes(view: &View) -> Result<(), String> {
    let mut associated = BTreeSet::new();
    for (id, table) in view.all("RouteTables") {
        let vpc = text(table, "VpcId");
        ensure!(view.get("Vpcs", vpc).is_some(), "{id} is in a VPC that is gone");
        for association in items(table, "Associations") {
            ensure!(text(association, "RouteTableId") == id, "{id} has an association of another table");
            let subnet = text(association, "SubnetId");
            if association.get("Main").as_bool() == Some(true) {
                continue;
            }
            let there = view.get("Subnets", subnet).ok_or_else(|| format!("{id} is of a subnet that is gone"))?;
            ensure!(text(there, "VpcId") == vpc, "{id} is of a subnet in another VPC");
            ensure!(associated.insert(subnet.to_owned()), "{subnet} has two route tables");
        }
        let (services, routes): (Vec<_>, Vec<_>) =
            items(table, "Routes").iter().partition(|route| text(route, "GatewayId").starts_with("vpce-"));
        for route in &services {
            let endpoint =
                view.get("VpcEndpoints", text(route, "GatewayId")).ok_or("a route by an endpoint that is gone")?;
            let has = items(endpoint, "RouteTableIds").iter().any(|table| table.as_str() == Some(id));
            ensure!(
                has && text(endpoint, "VpcId") == vpc,
                "{id} has a route by an endpoint that has it not: {endpoint}"
            );
        }
        let lists: BTreeSet<_> = services.iter().map(|route| text(route, "DestinationPrefixListId")).collect();
        ensure!(lists.len() == services.len(), "{id} has two routes to one service");
        at_most("routes in a table", routes.len(), quotas().routes)?;
        let own = routes.into_iter().filter(|route| text(route, "GatewayId") != "local");
        let destinations: BTreeSet<_> = own.clone().map(|route| text(route, "DestinationCidrBlock")).collect();
        ensure!(destinations.len() == own.clone().count(), "{id} has two routes to one destination");
        for route in own.filter(|route| text(route, "State") == "active") {
            let (gateway, nat) = (text(route, "GatewayId"), text(route, "NatGatewayId"));
            let attached = |gateway: &Value| items(gateway, "Attachments").iter().any(|a| text(a, "VpcId") == vpc);
            let leads = view.get("InternetGateways", gateway).is_some_and(attached)
                || view.get("NatGateways", nat).is_some_and(|nat| {
                    text(nat, "VpcId") == vpc && matches!(text(nat, "State"), "pending" | "available")
                });
            ensure!(leads, "{id} has an active route that leads nowhere: {route}");
        }
    }
    for (id, endpoint) in view.all("VpcEndpoints") {
        let vpc = text(endpoint, "VpcId");
        ensure!(view.get("Vpcs", vpc).is_some(), "{id} is in a VPC that is gone");
        for table in items(endpoint, "RouteTableIds").iter().filter_map(Value::as_str) {
            let there = view.get("RouteTables", table).ok_or_else(|| format!("{id} has a table that is gone"))?;
            let shows = items(there, "Routes").iter().any(|route| text(route, "GatewayId") == id);
            ensure!(shows == (text(endpoint, "State") != "deleting"), "{table} shows no route by {id}");
        }
    }
    at_most("endpoints", view.all("VpcEndpoints").count(), quotas().gateway_endpoints)?;
    Ok(())
}

fn groups(view: &View) -> Result<(), String> {
    let mut names = BTreeSet::new();
    for (id, group) in view.all("SecurityGroups") {
        let vpc = text(group, "VpcId");
        ensure!(view.get("Vpcs", vpc).is_some(), "{id} is in a VPC that is gone");
        ensure!(names.insert((vpc, text(group, "GroupName"))), "two groups of {vpc} are called as {id}");
        for direction in ["IpPermissions", "IpPermissionsEgress"] {
            let mut rules = 0;
            for permission in items(group, direction) {
                rules += items(permission, "UserIdGroupPairs").len() + items(permission, "IpRanges").len();
                for pair in items(permission, "UserIdGroupPairs") {
                    let other = view.get("SecurityGroups", text(pair, "GroupId"));
                    let other = other.ok_or_else(|| format!("{id} has a rule of a group that is gone"))?;
                    ensure!(text(other, "VpcId") == vpc, "{id} has a rule of a group in another VPC");
                }
            }
            at_most("rules in a group", rules, quotas().rules)?;
        }
    }
    Ok(())
}

fn hosts(view: &View) -> Result<(), String> {
    let of_vpc = |id: &str, group: &str, vpc: &str| {
        let there =
            view.get("SecurityGroups", group).ok_or_else(|| format!("{id} is in group {group}, which is gone"))?;
        ensure!(text(there, "VpcId") == vpc, "{id} is in group {group} of another VPC");
        Ok(())
    };
    for (id, instance) in instances(view) {
        let (vpc, subnet) = (text(instance, "VpcId"), text(instance, "SubnetId"));
        let subnet = view.get("Subnets", subnet).ok_or_else(|| format!("{id} is in a subnet that is gone"))?;
        ensure!(text(subnet, "VpcId") == vpc, "{id} is in a subnet of another VPC");
        ensure!(!items(instance, "SecurityGroups").is_empty(), "{id} is in no group");
        items(instance, "SecurityGroups").iter().try_for_each(|group| of_vpc(id, text(group, "GroupId"), vpc))?;
        for mapping in items(instance, "BlockDeviceMappings") {
            let volume = text(mapping, "VolumeId");
            ensure!(view.get("Volumes", volume).is_some(), "{id} has volume {volume}, which is gone");
        }
    }
    for (id, volume) in view.all("Volumes") {
        let owner = volume.get("InstanceId").as_str();
        let there = |owner: &str| instances(view).any(|(id, _)| id == owner);
        ensure!(owner.is_none_or(there), "{id} is attached to an instance that is gone");
        ensure!((text(volume, "State") == "in-use") == owner.is_some(), "{id} is {volume}");
    }
    for (id, database) in view.all("DBInstances") {
        let vpc = text(database, "VpcId");
        let group = view.get("DBSubnetGroups", text(database, "DBSubnetGroupName"));
        let group = group.ok_or_else(|| format!("{id} is in a subnet group that is gone"))?;
        ensure!(text(group, "VpcId") == vpc, "{id} is in a subnet group of another VPC");
        items(database, "VpcSecurityGroups")
            .iter()
            .try_for_each(|group| of_vpc(id, text(group, "VpcSecurityGroupId"), vpc))?;
    }
    Ok(())
}

/// Who has which private address, and how many each subnet has given away.
fn addresses(view: &View, objects: &[Object]) -> Result<(), String> {
    let mut taken: BTreeSet<(&str, Ipv4Addr)> = BTreeSet::new();
    let mut public: BTreeSet<&str> = BTreeSet::new();
    let mut used: BTreeMap<&str, i64> = BTreeMap::new();
    let mut stand = |id: &str, subnet: &'_ str, private: &str| -> Result<(), String> {
        let (own, there) =
            view.all("Subnets").find(|(own, _)| *own == subnet).ok_or_else(|| format!("{id}: {subnet} is gone"))?;
        let own_block = block(there)?;
        let address: Ipv4Addr = private.parse().map_err(|_| format!("{id} has address {private}"))?;
        let offset = address.to_bits().wrapping_sub(own_block.network().to_bits());
        let inside = own_block.contains(&address) && offset >= 4 && address != own_block.broadcast();
        ensure!(inside, "{id} has {address}, which {own} with {own_block} does not give out");
        let vpc = view.get("Subnets", own).map_or("", |subnet| text(subnet, "VpcId"));
        ensure!(taken.insert((vpc, address)), "{id} has {address}, which something else has");
        *used.entry(own).or_default() += 1;
        Ok(())
    };
    for (id, instance) in instances(view) {
        stand(id, text(instance, "SubnetId"), text(instance, "PrivateIpAddress"))?;
    }
    for (id, nat) in nats(view) {
        let address = items(nat, "NatGatewayAddresses").first().ok_or_else(|| format!("{id} has no address"))?;
        stand(id, text(nat, "SubnetId"), text(address, "PrivateIp"))?;
        let allocation = view.get("Addresses", text(address, "AllocationId"));
        let allocation = allocation.ok_or_else(|| format!("{id} holds an address that is released"))?;
        ensure!(text(allocation, "PublicIp") == text(address, "PublicIp"), "{id} has another public address");
        ensure!(text(allocation, "NetworkInterfaceId") == text(address, "NetworkInterfaceId"), "{id}: {allocation}");
    }
    let of_instances = instances(view).filter_map(|(_, instance)| instance.get("PublicIpAddress").as_str());
    let of_addresses = view.all("Addresses").filter_map(|(_, address)| address.get("PublicIp").as_str());
    for address in of_instances.chain(of_addresses) {
        ensure!(public.insert(address), "{address} is given out twice");
    }
    let (mut given, mut least) = (0, 0);
    for (id, subnet) in view.all("Subnets") {
        let size = 1_i64 << (32 - block(subnet)?.prefix_len());
        let own = size - 5 - subnet.get("AvailableIpAddressCount").as_i64().unwrap_or_default();
        let stand = used.get(id).copied().unwrap_or_default();
        ensure!(own >= stand, "{id} has given {own} addresses, and {stand} stand in it");
        given += own;
        least += stand;
    }
    // Where databases and forgotten interfaces stand is not told, but how many there are is. One database has one, or
    // two with a standby, also while that is made.
    let databases: i64 =
        view.all("DBInstances").map(|(_, db)| if db.get("MultiAZ").as_bool() == Some(true) { 2 } else { 1 }).sum();
    let is_converted = |db: &Value| db.at("PendingModifiedValues.MultiAZ").and_then(Value::as_bool) == Some(true);
    let converted = view.all("DBInstances").filter(|(_, db)| is_converted(db)).count();
    let left = objects.iter().filter(|object| object.id.starts_with("eni-")).count();
    let pending =
        view.all("NatGateways").filter(|(_, nat)| matches!(text(nat, "State"), "pending" | "deleting")).count();
    least += databases + i64::try_from(left).unwrap_or_default();
    let most = least + i64::try_from(pending + converted).unwrap_or_default();
    ensure!((least..=most).contains(&given), "{given} addresses are given away, and {least} to {most} accounted for");
    Ok(())
}

/// The account's own list of what a customer would find is what its Describe calls show.
fn inventory(view: &View, objects: &[Object]) -> Result<(), String> {
    // A database and a subnet group may have the same name.
    let name = |object: &Object| match object.kind {
        ObjectKind::Resource(Kind::DbInstance) => format!("DBInstances/{}", object.id),
        ObjectKind::Resource(Kind::DbSubnetGroup) => format!("DBSubnetGroups/{}", object.id),
        ObjectKind::DbSnapshot => format!("DBSnapshots/{}", object.id),
        _ => object.id.clone(),
    };
    // No call of ours shows backups that outlived their database.
    let shown = objects.iter().filter(|object| object.kind != ObjectKind::DbBackups);
    let listed: BTreeSet<String> = shown.clone().map(name).collect();
    ensure!(listed.len() == shown.count(), "an object is listed twice");
    let is_main = |table: &Value| items(table, "Associations").iter().any(|a| a.get("Main").as_bool() == Some(true));
    let plain = ["Vpcs", "VpcEndpoints", "Subnets", "InternetGateways", "Addresses", "Volumes"];
    let seen = plain.into_iter().flat_map(|list| view.all(list)).chain(instances(view));
    let seen = seen.chain(view.all("NatGateways").filter(|(_, nat)| text(nat, "State") != "deleted"));
    let seen = seen.chain(view.all("RouteTables").filter(|(_, table)| !is_main(table)));
    let seen = seen.chain(view.all("SecurityGroups").filter(|(_, group)| text(group, "GroupName") != "default"));
    let named = ["DBSubnetGroups", "DBInstances", "DBSnapshots"].into_iter();
    let named = named.flat_map(|list| view.all(list).map(move |(id, _)| format!("{list}/{id}")));
    // No call shows an interface that outlived its instance.
    let hidden = listed.iter().filter(|id| id.starts_with("eni-")).cloned();
    let seen: BTreeSet<String> = seen.map(|(id, _)| id.to_owned()).chain(named).chain(hidden).collect();
    ensure!(listed == seen, "listed {listed:?}, seen {seen:?}");
    Ok(())
}

/// A refusal because something is in use names a use that can be seen.
pub(crate) fn has_reason(view: &View, request: &Request) -> Result<(), String> {
    let in_vpc = |id: &str| {
        ["Subnets", "NatGateways", "Instances", "DBInstances", "VpcEndpoints"]
            .into_iter()
            .any(|list| view.all(list).any(|(_, o)| text(o, "VpcId") == id))
            || view.all("SecurityGroups").any(|(_, o)| text(o, "VpcId") == id && text(o, "GroupName") != "default")
            || view.all("RouteTables").filter(|(_, o)| text(o, "VpcId") == id).count() > 1
            || view.all("InternetGateways").any(|(_, o)| items(o, "Attachments").iter().any(|a| text(a, "VpcId") == id))
    };
    let uses_group = |id: &str| {
        instances(view).any(|(_, o)| items(o, "SecurityGroups").iter().any(|g| text(g, "GroupId") == id))
            || view
                .all("DBInstances")
                .any(|(_, o)| items(o, "VpcSecurityGroups").iter().any(|g| text(g, "VpcSecurityGroupId") == id))
            || view.all("SecurityGroups").any(|(other, o)| {
                let rules = ["IpPermissions", "IpPermissionsEgress"].into_iter().flat_map(|side| items(o, side));
                other != id
                    && rules.flat_map(|rule| items(rule, "UserIdGroupPairs")).any(|pair| text(pair, "GroupId") == id)
            })
    };
    let asked = |name: &str| request.0.args.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let reason = match request.operation().name() {
        "DeleteVpc" => in_vpc(&asked("VpcId")),
        "DeleteSubnet" => view.get("Subnets", &asked("SubnetId")).is_some_and(|subnet| {
            let size = 1_i64 << (32 - block(subnet).map_or(32, |block| u32::from(block.prefix_len())));
            subnet.get("AvailableIpAddressCount").as_i64() < Some(size - 5)
        }),
        "DeleteInternetGateway" => view
            .get("InternetGateways", &asked("InternetGatewayId"))
            .is_some_and(|o| !items(o, "Attachments").is_empty()),
        "DeleteRouteTable" => {
            view.get("RouteTables", &asked("RouteTableId")).is_some_and(|o| !items(o, "Associations").is_empty())
        }
        // An interface that outlived its instance keeps its groups.
        "DeleteSecurityGroup" => uses_group(&asked("GroupId")) || view.all("Subnets").any(|_| true),
        "DetachInternetGateway" => {
            instances(view).next().is_some()
                || view.all("NatGateways").next().is_some()
                || view.all("DBInstances").next().is_some()
        }
        _ => true,
    };
    ensure!(reason, "{request} was refused, and nothing is in use");
    Ok(())
}
