//! Route tables, their routes and their associations with subnets.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::durations::Transition;
use crate::aws::ec2::internet_gateway::Gateway;
use crate::aws::ec2::nat_gateway::Nat;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::vpc::{Vpc, parse_cidr};
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Tags, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};
use crate::rules::{Refusal, Rule};

/// A route table.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct RouteTable {
    pub(crate) meta: Meta,
    pub(crate) vpc: Text,
    local: Ipv4Net,
    routes: BTreeMap<Ipv4Net, Target>,
    /// The association that makes it the VPC's main table.
    pub(crate) main: Option<Text>,
    associations: BTreeMap<Text, Association>,
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Target {
    Gateway(Text),
    Nat(Text),
}

/// An explicit association with a subnet.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Association {
    subnet: Text,
    ready: Instant,
}

impl Record for RouteTable {
    const FORMAT: IdFormat = IdFormat::ROUTE_TABLE;
    const LIST: (&'static str, &'static str) = ("RouteTableIds", "RouteTables");
    const FILTERS: &'static [&'static str] = &[
        "route-table-id",
        "vpc-id",
        "owner-id",
        "association.subnet-id",
        "association.route-table-association-id",
        "association.route-table-id",
        "association.main",
        "route.destination-cidr-block",
        "route.gateway-id",
        "route.nat-gateway-id",
        "route.state",
    ];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::RouteTable);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.route_tables
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.route_tables
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn counts(&self, _now: Instant) -> bool {
        self.main.is_none()
    }

    fn iam_keys(&self, account: &Account) -> Vec<(&'static str, String)> {
        vec![("ec2:RouteTableID", self.meta.id.to_string()), account.vpc_key(&self.vpc)]
    }

    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        let targets = |wanted: fn(&Target) -> Option<&Text>| self.routes.values().filter_map(wanted).cloned().collect();
        match filter {
            "route-table-id" => vec![self.meta.id.clone()],
            "vpc-id" => vec![self.vpc.clone()],
            "owner-id" => vec![account.options.account_id.as_str().into()],
            "association.subnet-id" => self.associations.values().map(|a| a.subnet.clone()).collect(),
            "association.route-table-association-id" => {
                self.associations.keys().chain(self.main.as_ref()).cloned().collect()
            }
            "association.route-table-id" => {
                let associated = self.main.is_some() || !self.associations.is_empty();
                associated.then(|| self.meta.id.clone()).into_iter().collect()
            }
            "association.main" => {
                let main = self.main.iter().map(|_| "true");
                let others = self.associations.iter().map(|_| "false");
                main.chain(others).map(Text::from).collect()
            }
            "route.destination-cidr-block" => {
                [&self.local].into_iter().chain(self.routes.keys()).map(|cidr| cidr.to_string().into()).collect()
            }
            "route.gateway-id" => targets(|target| if let Target::Gateway(id) = target { Some(id) } else { None }),
            "route.nat-gateway-id" => targets(|target| if let Target::Nat(id) = target { Some(id) } else { None }),
            "route.state" => {
                let states = self.routes.values().map(|target| self.route_state(account, now, target));
                ["active"].into_iter().chain(states).map(Text::from).collect()
            }
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        let local = object([
            ("DestinationCidrBlock", self.local.to_string().into()),
            ("GatewayId", "local".into()),
            ("Origin", "CreateRouteTable".into()),
            ("State", "active".into()),
        ]);
        let routes = self.routes.iter().map(|(destination, target)| {
            let (name, id) = match target {
                Target::Gateway(id) => ("GatewayId", id),
                Target::Nat(id) => ("NatGatewayId", id),
            };
            object([
                ("DestinationCidrBlock", destination.to_string().into()),
                (name, id.into()),
                ("State", self.route_state(account, now, target).into()),
                ("Origin", "CreateRoute".into()),
            ])
        });
        let services = account.endpoints.values().filter_map(|endpoint| endpoint.route(&self.meta.id));
        let association = |id: &Text, subnet: Option<&Text>, state: &str| {
            object([
                ("Main", subnet.is_none().into()),
                ("RouteTableAssociationId", id.into()),
                ("RouteTableId", (&self.meta.id).into()),
                ("State", state.into()),
                ("SubnetId", subnet.into()),
            ])
        };
        let main = self.main.iter().map(|id| association(id, None, "associated"));
        let explicit = self.associations.iter().map(|(id, Association { subnet, ready })| {
            association(id, Some(subnet), if now < *ready { "associating" } else { "associated" })
        });
        object([
            ("Associations", Value::List(main.chain(explicit).collect())),
            ("OwnerId", (&account.options.account_id).into()),
            ("RouteTableId", (&self.meta.id).into()),
            ("Routes", Value::List([local].into_iter().chain(routes).chain(services).collect())),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", (&self.vpc).into()),
        ])
    }
}

impl RouteTable {
    /// A route whose target is gone, or no longer attached to the VPC, stays and leads nowhere.
    fn route_state(&self, account: &Account, now: Instant, target: &Target) -> &'static str {
        let works = match target {
            Target::Gateway(id) => {
                account.gateways.get(id).is_some_and(|gateway| gateway.vpc.as_ref() == Some(&self.vpc))
            }
            Target::Nat(id) => account.nats.get(id).is_some_and(|nat| nat.is_usable(now)),
        };
        if works { "active" } else { "blackhole" }
    }
}

impl Account {
    /// The main route table of a new VPC; answers its identifier.
    pub(crate) fn new_main_route_table(&mut self, now: Instant, vpc: &str, local: Ipv4Net) -> Text {
        let association = self.new_id("rtbassoc-");
        let id = self.new_id("rtb-");
        self.associations.insert(association.clone(), id.clone());
        self.insert_route_table(now, &id, vpc, local, Some(association), Tags::new());
        id
    }

    fn insert_route_table(
        &mut self,
        now: Instant,
        id: &Text,
        vpc: &str,
        local: Ipv4Net,
        main: Option<Text>,
        tags: Tags,
    ) {
        let meta = self.new_meta(now, id.clone(), tags);
        let (routes, associations) = (BTreeMap::new(), BTreeMap::new());
        let table = RouteTable { meta, vpc: vpc.into(), local, routes, main, associations };
        self.route_tables.insert(id.clone(), table);
    }

    pub(crate) fn create_route_table(&mut self, now: Instant, request: &Request) -> Answer {
        if let Some(id) = self.made_by_token(request)?.and_then(|ids| ids.into_iter().next())
            && self.route_tables.contains_key(&id)
        {
            return Ok(object([("RouteTable", self.described::<RouteTable>(now, &id))]));
        }
        let vpc = request.text("VpcId");
        let local = self.get::<Vpc>(now, vpc)?.cidr;
        let tags = self.new_tags(request)?;
        let there = self.route_tables.values().filter(|table| *table.vpc == *vpc).count();
        quotas::room(there, self.quotas.route_tables, &rule::TABLE_QUOTA)?;
        let id = self.new_id("rtb-");
        self.insert_route_table(now, &id, vpc, local, None, tags);
        self.remember_token(request, vec![id.clone()]);
        Ok(object([("RouteTable", self.described::<RouteTable>(now, &id))]))
    }

    pub(crate) fn delete_route_table(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("RouteTableId");
        let table = self.get::<RouteTable>(now, id)?;
        if table.main.is_some() {
            return Err(rule::TABLE_MAIN.refuse([&id]));
        }
        if !table.associations.is_empty() {
            return Err(rule::TABLE_ASSOCIATED.refuse([&id]));
        }
        self.route_tables.remove(id);
        self.forget_table(id);
        Ok(object([]))
    }

    /// Table, destination and target of a request, when the target may be used in the table.
    fn read_route(&self, now: Instant, request: &Request) -> Result<(Ipv4Net, Target), Refusal> {
        let id = request.text("RouteTableId");
        let RouteTable { vpc, local, .. } = self.get::<RouteTable>(now, id)?;
        let destination = parse_cidr(request.text("DestinationCidrBlock"), &rule::DESTINATION_FORM)?;
        let (target, target_vpc) = match (request.arg("GatewayId").as_str(), request.arg("NatGatewayId").as_str()) {
            (Some("local"), None) => return Err(rule::TARGET_LOCAL.refuse([])),
            (Some(gateway), None) => {
                IdFormat::ROUTE_TO_GATEWAY.check(gateway)?;
                let found = self.get::<Gateway>(now, gateway);
                let found = found.map_err(|_| IdFormat::ROUTE_TO_GATEWAY.missing(gateway))?;
                (Target::Gateway(found.meta.id.clone()), found.vpc.as_ref())
            }
            (None, Some(nat)) => {
                IdFormat::ROUTE_TO_NAT.check(nat)?;
                let found = self.get::<Nat>(now, nat).map_err(|_| IdFormat::ROUTE_TO_NAT.missing(nat))?;
                if !found.is_usable(now) {
                    return Err(rule::NAT_UNUSABLE.refuse([&nat]));
                }
                (Target::Nat(found.meta.id.clone()), Some(&found.vpc))
            }
            (Some(_), Some(_)) => return Err(rule::ONE_TARGET.refuse([])),
            (None, None) => return Err(rule::TARGET_MISSING.refuse([])),
        };
        let (network, inside, target_id) = match &target {
            Target::Gateway(id) => (&rule::GATEWAY_NETWORK, &rule::INSIDE_VPC, id),
            Target::Nat(id) => (&rule::NAT_NETWORK, &rule::INSIDE_VPC_NAT, id),
        };
        if target_vpc != Some(vpc) {
            return Err(network.refuse([&id, target_id]));
        }
        if local.contains(&destination) {
            return Err(inside.refuse([&destination]));
        }
        Ok((destination, target))
    }

    pub(crate) fn create_route(&mut self, now: Instant, request: &Request) -> Answer {
        let (destination, target) = self.read_route(now, request)?;
        let allowed = self.quotas.routes;
        let table = self.get_mut::<RouteTable>(now, request.text("RouteTableId"))?;
        if table.routes.contains_key(&destination) {
            return Err(rule::EXISTS.refuse([&destination]));
        }
        // The local route is one more.
        quotas::room(table.routes.len() + 1, allowed, &rule::QUOTA)?;
        table.routes.insert(destination, target);
        Ok(object([]))
    }

    pub(crate) fn replace_route(&mut self, now: Instant, request: &Request) -> Answer {
        let (destination, target) = self.read_route(now, request)?;
        let table = self.get_mut::<RouteTable>(now, request.text("RouteTableId"))?;
        match table.routes.get_mut(&destination) {
            Some(there) => *there = target,
            None => return Err(rule::REPLACE_MISSING.refuse([&destination])),
        }
        Ok(object([]))
    }

    pub(crate) fn delete_route(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("RouteTableId");
        let table = self.get_mut::<RouteTable>(now, id)?;
        let destination = parse_cidr(request.text("DestinationCidrBlock"), &rule::DESTINATION_FORM)?;
        if destination == table.local {
            return Err(rule::DELETE_LOCAL.refuse([&destination, &id]));
        }
        if table.routes.remove(&destination).is_none() {
            return Err(rule::DELETE_MISSING.refuse([&destination, &id]));
        }
        Ok(object([]))
    }

    /// Associates the subnet with the table; answers the association's identifier.
    fn new_association(&mut self, now: Instant, table: &str, subnet: &str) -> Text {
        let id = self.new_id("rtbassoc-");
        let ready = now + self.duration(Transition::RouteTableAssociate);
        if let Some(table) = self.route_tables.get_mut(table) {
            table.associations.insert(id.clone(), Association { subnet: subnet.into(), ready });
        }
        if let Some(subnet) = self.subnets.get_mut(subnet) {
            subnet.association = Some(id.clone());
        }
        self.associations.insert(id.clone(), table.into());
        id
    }

    /// Removes an explicit association; answers its subnet.
    pub(crate) fn drop_association(&mut self, id: &str) -> Option<Text> {
        let table = self.associations.remove(id)?;
        let association = self.route_tables.get_mut(&table)?.associations.remove(id)?;
        if let Some(subnet) = self.subnets.get_mut(&association.subnet) {
            subnet.association = None;
        }
        Some(association.subnet)
    }

    pub(crate) fn associate_route_table(&mut self, now: Instant, request: &Request) -> Answer {
        let (id, subnet_id) = (request.text("RouteTableId"), request.text("SubnetId"));
        let table = self.get::<RouteTable>(now, id)?;
        let subnet = self.get::<Subnet>(now, subnet_id)?;
        if table.vpc != subnet.vpc {
            return Err(rule::ASSOCIATION_NETWORK.refuse([&id, &subnet_id]));
        }
        if subnet.association.is_some() {
            return Err(rule::ASSOCIATION_EXISTS.refuse([&id]));
        }
        let association = self.new_association(now, id, subnet_id);
        Ok(object([("AssociationId", association.into())]))
    }

    /// The table an association belongs to, when it is an explicit one; a main one is refused by `main`.
    fn explicit_association(&self, id: &str, main: &'static Rule) -> Result<&str, Refusal> {
        IdFormat::ASSOCIATION.check(id)?;
        let table = self.associations.get(id).ok_or_else(|| IdFormat::ASSOCIATION.missing(id))?;
        if self.route_tables.get(table).is_some_and(|table| table.main.as_deref() == Some(id)) {
            return Err(main.refuse([&id]));
        }
        Ok(table)
    }

    /// The association gets a new identifier.
    pub(crate) fn replace_route_table_association(&mut self, now: Instant, request: &Request) -> Answer {
        let (id, table) = (request.text("AssociationId"), request.text("RouteTableId"));
        let old = self.explicit_association(id, &rule::ASSOCIATION_MAIN_REPLACE)?;
        let vpc = self.held::<RouteTable>(old).map(|table| table.vpc.clone());
        if vpc.as_ref() != Some(&self.get::<RouteTable>(now, table)?.vpc) {
            return Err(rule::ASSOCIATION_REPLACE_NETWORK.refuse([&id, &table]));
        }
        let subnet = self.drop_association(id).ok_or_else(|| IdFormat::ASSOCIATION.missing(id))?;
        let association = self.new_association(now, table, &subnet);
        Ok(object([("NewAssociationId", association.into())]))
    }

    pub(crate) fn disassociate_route_table(&mut self, _now: Instant, request: &Request) -> Answer {
        let id = request.text("AssociationId");
        self.explicit_association(id, &rule::ASSOCIATION_MAIN)?;
        self.drop_association(id);
        Ok(object([]))
    }
}
