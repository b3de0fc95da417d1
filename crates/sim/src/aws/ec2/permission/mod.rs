//! Rules of security groups: read from requests, compared, and grouped into permissions as replies have them.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;

use aloka_core::value::Value;
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::error::IdFormat;
use crate::aws::record::{Text, object};
use crate::rules::Refusal;

/// Which way traffic goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Ingress,
    Egress,
}

/// The first and the last port, or the type and code of ICMP; `None` for a protocol without.
type Ports = Option<(i64, i64)>;

/// The other end of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Peer {
    V4(Ipv4Net),
    V6(Ipv6Net),
    Group(Text),
}

/// A rule: one protocol, one range of ports, one peer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Empty in a request, and in accounts saved before rules had one.
    #[serde(default)]
    pub(crate) id: Text,
    protocol: Text,
    ports: Ports,
    pub(crate) peer: Peer,
    description: Option<Text>,
}

impl Rule {
    /// Everything, to or from `peer`.
    pub(crate) fn all(id: Text, peer: Peer) -> Self {
        Self { id, protocol: "-1".into(), ports: None, peer, description: None }
    }

    /// True if AWS takes the two for the same rule; it does not look at descriptions.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        (&self.protocol, self.ports, &self.peer) == (&other.protocol, other.ports, &other.peer)
    }

    /// The rule by itself. What has no ports has -1 there.
    pub(crate) fn describe(&self, direction: Direction) -> Value {
        let (from, to) = self.ports.unwrap_or((-1, -1));
        let (v4, v6, group) = match &self.peer {
            Peer::V4(cidr) => (Some(cidr.to_string()), None, None),
            Peer::V6(cidr) => (None, Some(cidr.to_string()), None),
            Peer::Group(id) => (None, None, Some(id)),
        };
        object([
            ("CidrIpv4", v4.into()),
            ("CidrIpv6", v6.into()),
            ("Description", self.description.as_ref().into()),
            ("FromPort", from.into()),
            ("IpProtocol", (&self.protocol).into()),
            ("IsEgress", (direction == Direction::Egress).into()),
            ("ReferencedGroupInfo", group.into()),
            ("SecurityGroupRuleId", (&self.id).into()),
            ("ToPort", to.into()),
        ])
    }

    /// What AWS says of a rule that is there already.
    pub(crate) fn duplicate(&self) -> Refusal {
        let peer = match &self.peer {
            Peer::V4(cidr) => cidr.to_string(),
            Peer::V6(cidr) => cidr.to_string(),
            Peer::Group(id) => id.to_string(),
        };
        let protocol = if *self.protocol == *"-1" { "ALL".to_owned() } else { self.protocol.to_uppercase() };
        let ports = self.ports.map(|(from, to)| format!(", from port: {from}, to port: {to}")).unwrap_or_default();
        rule::DUPLICATE.refuse([&peer, &protocol, &ports])
    }
}

/// The rules of a list of permissions, in the order given.
///
/// # Errors
/// A permission that AWS would not take, or a rule that is there twice.
pub(crate) fn read(permissions: &Value) -> Result<Vec<Rule>, Refusal> {
    let Some(permissions) = permissions.as_list().filter(|list| !list.is_empty()) else {
        return Err(rule::MISSING.refuse([]));
    };
    let mut rules: Vec<Rule> = Vec::new();
    for permission in permissions {
        let protocol = protocol(permission.get("IpProtocol"))?;
        let ports = ports(&protocol, permission.get("FromPort").as_i64(), permission.get("ToPort").as_i64())?;
        let before = rules.len();
        for (list, field) in [
            ("IpRanges", "CidrIp"),
            ("Ipv6Ranges", "CidrIpv6"),
            ("UserIdGroupPairs", "GroupId"),
            ("PrefixListIds", "PrefixListId"),
        ] {
            for entry in permission.get(list).as_list().unwrap_or_default() {
                let rule = Rule {
                    id: Text::from(""),
                    protocol: protocol.clone(),
                    ports,
                    peer: peer(field, entry.get(field).as_str().unwrap_or_default())?,
                    description: description(entry.get("Description"))?,
                };
                if rules.iter().any(|other| other.is_same(&rule)) {
                    return Err(rule::REPEATED.refuse([]));
                }
                rules.push(rule);
            }
        }
        if rules.len() == before {
            return Err(rule::PEER_MISSING.refuse([]));
        }
    }
    Ok(rules)
}

fn protocol(value: &Value) -> Result<Text, Refusal> {
    let text = match value {
        Value::Str(text) => text.to_lowercase(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
            return Err(rule::PROTOCOL_MISSING.refuse([]));
        }
    };
    match text.as_str() {
        "tcp" | "6" => Ok("tcp".into()),
        "udp" | "17" => Ok("udp".into()),
        "icmp" | "1" => Ok("icmp".into()),
        "icmpv6" | "58" => Ok("icmpv6".into()),
        "-1" | "all" => Ok("-1".into()),
        other if other.parse::<u8>().is_ok() => Ok(text.into()),
        other => Err(rule::PROTOCOL_KNOWN.refuse([&other])),
    }
}

fn ports(protocol: &str, from: Option<i64>, to: Option<i64>) -> Result<Ports, Refusal> {
    match (protocol, from, to) {
        ("tcp" | "udp", Some(from), Some(to)) => {
            if let Some(port) = [from, to].into_iter().find(|port| !(0..=65535).contains(port)) {
                Err(rule::PORT_NUMBER.refuse([&port]))
            } else if from > to {
                Err(rule::PORT_ORDER.refuse([&from, &to]))
            } else {
                Ok(Some((from, to)))
            }
        }
        ("tcp" | "udp", _, _) => Err(rule::PORTS_MISSING.refuse([])),
        ("icmp" | "icmpv6", Some(kind), Some(code)) => {
            let outside = |(_, number): &(&str, i64)| !(-1..=255).contains(number);
            if let Some((name, number)) = [("type", kind), ("code", code)].into_iter().find(outside) {
                Err(rule::ICMP_RANGE.refuse([&name, &number]))
            } else if kind == -1 && code != -1 {
                Err(rule::ICMP_ALL.refuse([&code]))
            } else {
                Ok(Some((kind, code)))
            }
        }
        ("icmp", _, _) => Err(rule::ICMP_MISSING.refuse([])),
        ("icmpv6", _, _) => Ok(Some((-1, -1))),
        // Everything else has no ports; AWS ignores them.
        _ => Ok(None),
    }
}

fn peer(field: &str, text: &str) -> Result<Peer, Refusal> {
    match field {
        "GroupId" => IdFormat::GROUP.check(text).map(|()| Peer::Group(text.into())),
        "PrefixListId" => Err(rule::PREFIX_LIST.refuse([&text])),
        _ => match (field, text.parse::<IpNet>()) {
            ("CidrIp", Ok(IpNet::V4(cidr))) => Ok(Peer::V4(cidr.trunc())),
            ("CidrIpv6", Ok(IpNet::V6(cidr))) => Ok(Peer::V6(cidr.trunc())),
            (_, Ok(_) | Err(_)) => Err(rule::CIDR.refuse([&text])),
        },
    }
}

fn description(value: &Value) -> Result<Option<Text>, Refusal> {
    match value.as_str() {
        Some(text) if !is_plain(text) || text.len() > TEXT_LIMIT => Err(rule::DESCRIPTION.refuse([])),
        _ => Ok(value.shared_str()),
    }
}

/// The most characters of a name or a description.
pub(crate) const TEXT_LIMIT: usize = 255;

/// True if names and descriptions may have these characters.
pub(crate) fn is_plain(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c))
}

/// Rules as permissions: those with the same protocol and ports in one.
pub(crate) fn permissions(rules: &[Rule]) -> Value {
    let mut grouped: BTreeMap<(&str, Ports), Vec<&Rule>> = BTreeMap::new();
    for rule in rules {
        grouped.entry((&rule.protocol, rule.ports)).or_default().push(rule);
    }
    let permission = |((protocol, ports), rules): ((&str, Ports), Vec<&Rule>)| {
        let entries = |field: &'static str, text: fn(&Peer) -> Option<Text>| {
            let of_field = rules.iter().filter_map(|rule| Some((text(&rule.peer)?, &rule.description)));
            let entry = |(text, description): (Text, &Option<Text>)| {
                object([(field, text.into()), ("Description", description.as_ref().into())])
            };
            Value::List(of_field.map(entry).collect())
        };
        object([
            ("IpProtocol", protocol.into()),
            ("FromPort", ports.map(|(from, _)| from).into()),
            ("ToPort", ports.map(|(_, to)| to).into()),
            (
                "IpRanges",
                entries("CidrIp", |p| if let Peer::V4(cidr) = p { Some(cidr.to_string().into()) } else { None }),
            ),
            (
                "Ipv6Ranges",
                entries("CidrIpv6", |p| if let Peer::V6(cidr) = p { Some(cidr.to_string().into()) } else { None }),
            ),
            ("UserIdGroupPairs", entries("GroupId", |p| if let Peer::Group(id) = p { Some(id.clone()) } else { None })),
            ("PrefixListIds", Value::EMPTY_LIST),
        ])
    };
    Value::List(grouped.into_iter().map(permission).collect())
}
