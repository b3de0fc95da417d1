//! Security group rules in their two forms: Terraform's rule objects and AWS's permissions.
//!
//! Rules compare one source at a time and without their descriptions, as AWS does: two rules with the same protocol,
//! ports and source are one rule.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::{Value, ValueMap};

/// Protocol and ports.
type Traffic = (Arc<str>, (i64, i64));

/// One protocol, port range and source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    protocol: Arc<str>,
    ports: (i64, i64),
    source: Source,
    description: Arc<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    Ipv4(Arc<str>),
    Ipv6(Arc<str>),
    PrefixList(Arc<str>),
    /// Another group, by identifier or reference.
    Group(Value),
    /// The group the rule is in.
    Itself,
}

impl Rule {
    /// True if it is about the group's own members.
    pub fn is_from_itself(&self) -> bool {
        self.source == Source::Itself
    }

    /// What makes the rule the rule it is, as text.
    pub fn key(&self) -> String {
        let source = match &self.source {
            Source::Ipv4(cidr) | Source::Ipv6(cidr) | Source::PrefixList(cidr) => cidr.to_string(),
            Source::Group(group) => group.to_string(),
            Source::Itself => "self".to_owned(),
        };
        format!("{}|{}|{}|{source}", self.protocol, self.ports.0, self.ports.1)
    }
}

/// A rule in Terraform's form.
pub fn rule(protocol: &str, ports: (u16, u16), cidrs: &[String], description: &str) -> Value {
    build(
        protocol,
        (ports.0.into(), ports.1.into()),
        description,
        cidrs.iter().map(Value::from).collect(),
        vec![],
        vec![],
        false,
    )
}

/// A rule in Terraform's form whose source is a group.
pub fn rule_from_group(protocol: &str, ports: (u16, u16), group: Value, description: &str) -> Value {
    build(protocol, (ports.0.into(), ports.1.into()), description, vec![], vec![], vec![group], false)
}

/// A rule in Terraform's form that lets in everything from the group's own members.
pub fn rule_from_itself(description: &str) -> Value {
    build("-1", (0, 0), description, vec![], vec![], vec![], true)
}

fn build(
    protocol: &str,
    ports: (i64, i64),
    description: &str,
    ipv4: Vec<Value>,
    ipv6: Vec<Value>,
    groups: Vec<Value>,
    itself: bool,
) -> Value {
    Value::map([
        ("cidr_blocks", Value::List(ipv4)),
        ("description", Value::str(description)),
        ("from_port", ports.0.into()),
        ("ipv6_cidr_blocks", Value::List(ipv6)),
        ("prefix_list_ids", Value::EMPTY_LIST),
        ("protocol", Value::str(protocol)),
        ("security_groups", Value::List(groups)),
        ("self", itself.into()),
        ("to_port", ports.1.into()),
    ])
}

/// The single rules of a list in Terraform's form. `own` is the identifier of the group they are in, if known.
pub fn explode(list: &Value, own: Option<&str>) -> Vec<Rule> {
    let mut rules = Vec::new();
    for entry in list.as_list().unwrap_or_default() {
        let protocol: Arc<str> = Arc::from(entry.get("protocol").as_str().unwrap_or("-1"));
        let port = |name| entry.get(name).as_i64().unwrap_or(0);
        let ports = if &*protocol == "-1" { (0, 0) } else { (port("from_port"), port("to_port")) };
        let description: Arc<str> = Arc::from(entry.get("description").as_str().unwrap_or_default());
        let mut push = |source| {
            rules.push(Rule { protocol: protocol.clone(), ports, source, description: description.clone() });
        };
        let texts = |name| entry.get(name).as_list().unwrap_or_default().iter().filter_map(Value::as_str);
        texts("cidr_blocks").for_each(|cidr| push(Source::Ipv4(Arc::from(cidr))));
        texts("ipv6_cidr_blocks").for_each(|cidr| push(Source::Ipv6(Arc::from(cidr))));
        texts("prefix_list_ids").for_each(|id| push(Source::PrefixList(Arc::from(id))));
        for group in entry.get("security_groups").as_list().unwrap_or_default() {
            let itself = own.is_some() && group.as_str() == own;
            push(if itself { Source::Itself } else { Source::Group(group.clone()) });
        }
        if entry.get("self").as_bool() == Some(true) {
            push(Source::Itself);
        }
    }
    rules
}

/// An entry of Terraform's list for people: `tcp 5432 with sg-0123`. `own` is the group it is in.
pub fn describe(entry: &Value, own: Option<&str>) -> String {
    let rules = explode(&Value::List(vec![entry.clone()]), own);
    let one = |rule: &Rule| {
        let peer = match &rule.source {
            Source::Ipv4(text) | Source::Ipv6(text) | Source::PrefixList(text) => text.to_string(),
            Source::Group(group) => group.to_string(),
            Source::Itself => "the group itself".to_owned(),
        };
        match (&*rule.protocol, rule.ports) {
            ("-1", _) => format!("everything with {peer}"),
            (protocol, (from, to)) if from == to => format!("{protocol} {from} with {peer}"),
            (protocol, (from, to)) => format!("{protocol} {from}-{to} with {peer}"),
        }
    };
    rules.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// An entry of Terraform's list with those of its single rules alone that fit.
pub fn narrowed(entry: &Value, own: Option<&str>, fits: impl Fn(&Rule) -> bool) -> Value {
    let Value::Map(map) = entry else { return entry.clone() };
    let mut map = map.clone();
    let rules = explode(&Value::List(vec![entry.clone()]), own);
    let kept: Vec<&Source> = rules.iter().filter(|rule| fits(rule)).map(|rule| &rule.source).collect();
    let texts =
        |pick: fn(&Source) -> Option<Value>| Value::List(kept.iter().filter_map(|source| pick(source)).collect());
    map.insert(
        Arc::from("cidr_blocks"),
        texts(|source| if let Source::Ipv4(cidr) = source { Some(Value::Str(cidr.clone())) } else { None }),
    );
    map.insert(
        Arc::from("ipv6_cidr_blocks"),
        texts(|source| if let Source::Ipv6(cidr) = source { Some(Value::Str(cidr.clone())) } else { None }),
    );
    map.insert(
        Arc::from("prefix_list_ids"),
        texts(|source| if let Source::PrefixList(id) = source { Some(Value::Str(id.clone())) } else { None }),
    );
    map.insert(
        Arc::from("security_groups"),
        texts(|source| if let Source::Group(group) = source { Some(group.clone()) } else { None }),
    );
    map.insert(Arc::from("self"), kept.contains(&&Source::Itself).into());
    Value::Map(map)
}

/// Rules of `desired` that `present` lacks, and rules of `present` that `desired` lacks.
pub fn difference(desired: &[Rule], present: &[Rule]) -> (Vec<Rule>, Vec<Rule>) {
    let keyed = |rules: &[Rule]| rules.iter().map(|rule| (rule.key(), rule.clone())).collect::<BTreeMap<_, _>>();
    let (desired, present) = (keyed(desired), keyed(present));
    let missing = desired.iter().filter(|(key, _)| !present.contains_key(*key)).map(|(_, rule)| rule.clone());
    let extra = present.iter().filter(|(key, _)| !desired.contains_key(*key)).map(|(_, rule)| rule.clone());
    (missing.collect(), extra.collect())
}

/// The desired list with the descriptions that the present rules have: a description is no part of a rule, and what
/// differs in nothing else must not look changed. `own` is the identifier of the group.
pub fn with_present_descriptions(desired: &Value, present: &Value, own: Option<&str>) -> Value {
    let present: BTreeMap<String, Arc<str>> =
        explode(present, own).into_iter().map(|rule| (rule.key(), rule.description)).collect();
    let entries = desired.as_list().unwrap_or_default().iter().map(|entry| {
        let rules = explode(&Value::List(vec![entry.clone()]), own);
        let mut descriptions = rules.iter().map(|rule| present.get(&rule.key()));
        let first = descriptions.next().flatten();
        match (first, entry) {
            (Some(description), Value::Map(map)) if descriptions.all(|other| other == first) => {
                let mut map = map.clone();
                map.insert(Arc::from("description"), Value::Str(description.clone()));
                Value::Map(map)
            }
            _ => entry.clone(),
        }
    });
    Value::List(entries.collect())
}

/// AWS's permissions for these rules; `own` stands for the group they are in.
pub fn permissions(rules: &[Rule], own: &Value) -> Value {
    let mut grouped: BTreeMap<Traffic, Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        grouped.entry((rule.protocol.clone(), rule.ports)).or_default().push(rule);
    }
    let permission = |((protocol, ports), rules): (Traffic, Vec<&Rule>)| {
        let mut sources: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for rule in rules {
            let (list, field, value) = match &rule.source {
                Source::Ipv4(cidr) => ("IpRanges", "CidrIp", Value::Str(cidr.clone())),
                Source::Ipv6(cidr) => ("Ipv6Ranges", "CidrIpv6", Value::Str(cidr.clone())),
                Source::PrefixList(id) => ("PrefixListIds", "PrefixListId", Value::Str(id.clone())),
                Source::Group(group) => ("UserIdGroupPairs", "GroupId", group.clone()),
                Source::Itself => ("UserIdGroupPairs", "GroupId", own.clone()),
            };
            let mut source = ValueMap::from([(Arc::from(field), value)]);
            if !rule.description.is_empty() {
                source.insert(Arc::from("Description"), Value::Str(rule.description.clone()));
            }
            sources.entry(list).or_default().push(Value::Map(source));
        }
        let mut permission = ValueMap::from([(Arc::from("IpProtocol"), Value::Str(protocol.clone()))]);
        if &*protocol != "-1" {
            permission.insert(Arc::from("FromPort"), ports.0.into());
            permission.insert(Arc::from("ToPort"), ports.1.into());
        }
        permission.extend(sources.into_iter().map(|(list, items)| (Arc::from(list), Value::List(items))));
        Value::Map(permission)
    };
    Value::List(grouped.into_iter().map(permission).collect())
}

/// Terraform's form of the permissions AWS answers for the group `own`.
pub fn from_permissions(permissions: &Value, own: &str) -> Value {
    let mut rules = Vec::new();
    for permission in permissions.as_list().unwrap_or_default() {
        let protocol = permission.get("IpProtocol").as_str().unwrap_or("-1");
        let port = |name| if protocol == "-1" { 0 } else { permission.get(name).as_i64().unwrap_or(0) };
        let ports = (port("FromPort"), port("ToPort"));
        // Terraform makes one object of the sources that share a description.
        let mut by_description: BTreeMap<Arc<str>, [Vec<Value>; 4]> = BTreeMap::new();
        let fields = [
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        ];
        for (slot, (list, field)) in fields.into_iter().enumerate() {
            for source in permission.get(list).as_list().unwrap_or_default() {
                let description = Arc::from(source.get("Description").as_str().unwrap_or_default());
                by_description.entry(description).or_default()[slot].push(source.get(field).clone());
            }
        }
        for (description, [ipv4, ipv6, groups, prefixes]) in by_description {
            let itself = groups.iter().any(|group| group.as_str() == Some(own));
            let others = groups.into_iter().filter(|group| group.as_str() != Some(own)).collect();
            let mut rule = build(protocol, ports, &description, ipv4, ipv6, others, itself);
            if let Value::Map(map) = &mut rule {
                map.insert(Arc::from("prefix_list_ids"), Value::List(prefixes));
            }
            rules.push(rule);
        }
    }
    Value::List(rules)
}
