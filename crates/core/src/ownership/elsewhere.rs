//! What a state records at addresses that are not of this stack: identifiers, rules of our groups, routes of our tables.

use std::collections::BTreeMap;

use crate::kind::Kind;
use crate::rules::{self, Rule};
use crate::state::State;
use crate::state::foreign::ForeignInstance;
use crate::value::Value;

/// Which way a rule lets traffic through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Into the group's members.
    Ingress,
    /// Out of them.
    Egress,
}

impl Direction {
    /// The attribute of a security group that lists rules of this direction.
    pub const fn attribute(self) -> &'static str {
        match self {
            Self::Ingress => "ingress",
            Self::Egress => "egress",
        }
    }
}

/// A rule of a security group that is recorded as a resource of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRule {
    /// Where.
    pub address: String,
    /// Its identifier there.
    pub id: String,
    /// Which way.
    pub direction: Direction,
    /// What it lets through, as an entry of Terraform's list of rules.
    pub entry: Value,
    /// True if the state's section claims it: aloka added it, or took it over as one of the stack's.
    pub claimed: bool,
}

impl RecordedRule {
    /// The single rules it stands for, in the group `own`.
    pub fn rules(&self, own: Option<&str>) -> Vec<Rule> {
        rules::explode(&Value::List(vec![self.entry.clone()]), own)
    }
}

/// A route that is recorded as a resource of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedRoute {
    /// Where.
    pub address: String,
    /// Where it leads to: a block of addresses, or a prefix list.
    pub destination: String,
}

/// What is recorded elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// Addresses in the order of the file, each once.
    addresses: Vec<String>,
    /// Every instance.
    instances: Vec<ForeignInstance>,
    /// Instances by the identifiers that look-ups meet.
    by_id: BTreeMap<String, Vec<usize>>,
    rules: BTreeMap<String, Vec<RecordedRule>>,
    routes: BTreeMap<String, Vec<RecordedRoute>>,
}

impl Elsewhere {
    /// What this state records.
    pub fn of(state: &State) -> Self {
        let mut elsewhere = Self { instances: state.foreign_instances(), ..Self::default() };
        for (index, instance) in elsewhere.instances.iter().enumerate() {
            if elsewhere.addresses.last() != Some(&instance.address) {
                elsewhere.addresses.push(instance.address.clone());
            }
            for id in ids(instance) {
                elsewhere.by_id.entry(id.to_owned()).or_default().push(index);
            }
            if !instance.is_managed {
                continue;
            }
            if let Some((group, mut rule)) = rule(instance) {
                let claim = state.private.claims.get(&rule.address);
                rule.claimed = claim.is_some_and(|id| **id == *rule.id);
                elsewhere.rules.entry(group).or_default().push(rule);
            }
            if let Some((table, route)) = route(instance) {
                elsewhere.routes.entry(table).or_default().push(route);
            }
        }
        elsewhere
    }

    /// Addresses of everything recorded elsewhere, data sources too, in the order of the file.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// Everything recorded elsewhere.
    pub fn instances(&self) -> &[ForeignInstance] {
        &self.instances
    }

    /// True if an entry elsewhere, of whatever kind, has this identifier.
    pub fn has_id(&self, id: &str) -> bool {
        self.by_id.contains_key(id)
    }

    /// The address elsewhere of the managed object with this identifier.
    pub fn address_of(&self, id: &str) -> Option<&str> {
        let managed = self.with_id(id).find(|instance| instance.is_managed);
        managed.map(|instance| instance.address.as_str())
    }

    /// The address elsewhere of the managed object of this kind with this identifier.
    pub fn managed(&self, kind: Kind, id: &str) -> Option<&str> {
        let is_it = |instance: &&ForeignInstance| instance.is_managed && instance.kind == kind.terraform_type();
        self.with_id(id).find(is_it).map(|instance| instance.address.as_str())
    }

    fn with_id(&self, id: &str) -> impl Iterator<Item = &ForeignInstance> {
        self.by_id.get(id).into_iter().flatten().filter_map(|index| self.instances.get(*index))
    }

    /// Rules of this group.
    pub fn rules_of(&self, group: &str) -> &[RecordedRule] {
        self.rules.get(group).map_or(&[], Vec::as_slice)
    }

    /// Routes of this table.
    pub fn routes_of(&self, table: &str) -> &[RecordedRoute] {
        self.routes.get(table).map_or(&[], Vec::as_slice)
    }
}

/// The identifiers by which others know an instance. RDS objects are known by their names.
fn ids(instance: &ForeignInstance) -> Vec<&str> {
    let name = Kind::from_terraform_type(&instance.kind).and_then(|kind| kind.definition().name_attribute);
    let names = std::iter::once("id").chain(name);
    let mut ids: Vec<&str> = names.filter_map(|name| instance.text(name)).collect();
    ids.dedup();
    ids
}

/// A rule and its group, in each form that the provider has for one.
fn rule(instance: &ForeignInstance) -> Option<(String, RecordedRule)> {
    let text = |name: &str| instance.text(name).map(str::to_owned);
    let value = |name: &str| instance.attributes.get(name).cloned().unwrap_or_default();
    let list = |value: Option<String>| Value::List(value.into_iter().map(Value::from).collect());
    let is_single = |direction| {
        // Another account's group is named with its account: `123456789012/sg-…`.
        let group = text("referenced_security_group_id").and_then(|id| id.rsplit('/').next().map(str::to_owned));
        let entry = [
            ("cidr_blocks", list(text("cidr_ipv4"))),
            ("ipv6_cidr_blocks", list(text("cidr_ipv6"))),
            ("prefix_list_ids", list(text("prefix_list_id"))),
            ("security_groups", list(group)),
            ("self", false.into()),
            ("protocol", protocol(text("ip_protocol"))),
        ];
        (direction, entry)
    };
    let (direction, entry) = match instance.kind.as_str() {
        "aws_vpc_security_group_ingress_rule" => is_single(Direction::Ingress),
        "aws_vpc_security_group_egress_rule" => is_single(Direction::Egress),
        "aws_security_group_rule" => {
            let direction = if text("type")? == "egress" { Direction::Egress } else { Direction::Ingress };
            let entry = [
                ("cidr_blocks", value("cidr_blocks")),
                ("ipv6_cidr_blocks", value("ipv6_cidr_blocks")),
                ("prefix_list_ids", value("prefix_list_ids")),
                ("security_groups", list(text("source_security_group_id"))),
                ("self", value("self")),
                ("protocol", protocol(text("protocol"))),
            ];
            (direction, entry)
        }
        _ => return None,
    };
    let ports = ["from_port", "to_port"].map(|name| (name, value(name)));
    let entry = entry.into_iter().chain(ports).chain([("description", value("description"))]);
    let rule = RecordedRule {
        address: instance.address.clone(),
        id: text("id").unwrap_or_default(),
        direction,
        entry: Value::map(entry.filter(|(_, value)| !value.is_null())),
        claimed: false,
    };
    Some((text("security_group_id")?, rule))
}

/// As AWS answers it: Terraform takes `all` and numbers as well.
fn protocol(text: Option<String>) -> Value {
    let text = text.unwrap_or_else(|| "-1".to_owned()).to_lowercase();
    Value::from(match text.as_str() {
        "all" => "-1",
        "6" => "tcp",
        "17" => "udp",
        "1" => "icmp",
        other => other,
    })
}

fn route(instance: &ForeignInstance) -> Option<(String, RecordedRoute)> {
    if Kind::from_terraform_type(&instance.kind) != Some(Kind::Route) {
        return None;
    }
    let names = ["destination_cidr_block", "destination_ipv6_cidr_block", "destination_prefix_list_id"];
    let destination = names.iter().find_map(|name| instance.text(name))?.to_owned();
    Some((
        instance.text("route_table_id")?.to_owned(),
        RecordedRoute { address: instance.address.clone(), destination },
    ))
}
