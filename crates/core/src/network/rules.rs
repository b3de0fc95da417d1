//! Security groups: their rules, read from attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ipnet::Ipv4Net;

use super::names::{Names, Party};
use super::space::Ipv4Set;
use super::traffic::Traffic;
use crate::address::Address;
use crate::value::{Value, ValueMap};

/// One rule: this traffic, to or from any of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Rule {
    pub(super) traffic: Traffic,
    pub(super) addresses: Ipv4Set,
    pub(super) groups: BTreeSet<Address>,
    /// IPv6 blocks as written.
    pub(super) ipv6: Vec<String>,
    /// Parties nothing here tells about: other groups, prefix lists, values not known yet.
    pub(super) unknown: BTreeSet<Arc<str>>,
}

/// A security group.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) ingress: Vec<Rule>,
    pub(super) egress: Vec<Rule>,
}

/// Every security group at hand.
pub(super) fn groups(names: &Names<'_>) -> BTreeMap<Address, Group> {
    let all = names.groups();
    all.map(|(address, attributes)| {
        let rules = |name: &str| rules(names, address, attributes, name);
        (address.clone(), Group { ingress: rules("ingress"), egress: rules("egress") })
    })
    .collect()
}

fn rules<'a>(names: &Names<'a>, owner: &Address, attributes: &'a ValueMap, name: &str) -> Vec<Rule> {
    let opaque = || Rule {
        traffic: Traffic::all(),
        unknown: BTreeSet::from([format!("{owner}.{name}, not known yet").into()]),
        ..Rule::default()
    };
    match names.get(attributes, name) {
        Value::Null => Vec::new(),
        Value::List(items) => {
            let parse = |item: &'a Value| item.as_map().map_or_else(opaque, |rule| parse(names, owner, rule));
            items.iter().map(parse).collect()
        }
        Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
            vec![opaque()]
        }
    }
}

fn parse<'a>(names: &Names<'a>, owner: &Address, rule: &'a ValueMap) -> Rule {
    let mut parsed = Rule {
        traffic: Traffic::of_rule(
            names.get(rule, "protocol"),
            names.get(rule, "from_port"),
            names.get(rule, "to_port"),
        ),
        ..Rule::default()
    };
    let mut blocks = Vec::new();
    for block in items(names, rule, "cidr_blocks") {
        match block.as_str().and_then(|text| text.parse::<Ipv4Net>().ok()) {
            Some(block) => blocks.push(block),
            None => {
                parsed.unknown.insert(format!("{block}").into());
            }
        }
    }
    parsed.addresses = Ipv4Set::of(blocks);
    parsed.ipv6 = items(names, rule, "ipv6_cidr_blocks")
        .map(|block| block.as_str().map_or_else(|| block.to_string(), str::to_owned))
        .collect();
    for group in items(names, rule, "security_groups") {
        match names.group(group) {
            Some(Party::Object(group)) => {
                parsed.groups.insert(group);
            }
            Some(Party::Unknown(id)) => {
                parsed.unknown.insert(format!("security group {id}").into());
            }
            None => {}
        }
    }
    for list in items(names, rule, "prefix_list_ids") {
        parsed.unknown.insert(format!("prefix list {list}").into());
    }
    if !matches!(names.get(rule, "self"), Value::Null | Value::Bool(false)) {
        parsed.groups.insert(owner.clone());
    }
    parsed
}

/// The items of a list attribute; what is neither list nor null is one item that nothing understands.
pub(super) fn items<'a>(names: &Names<'a>, map: &'a ValueMap, name: &str) -> impl Iterator<Item = &'a Value> {
    let value = names.get(map, name);
    let items = match value {
        Value::Null => &[],
        Value::List(items) => items.as_slice(),
        Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
            std::slice::from_ref(value)
        }
    };
    items.iter()
}
