//! Two replies side by side: one with names, from a receipt, one with the identifiers of the simulated account.

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::receipt::OTHERS;
use aloka_core::stack::app_address;
use aloka_core::value::{Value, ValueMap};

/// Fields that AWS chooses, or that are of the moment: two accounts never agree on them.
const CHOSEN: [&str; 8] = [
    "PrivateIpAddress",
    "PrivateIp",
    "PrivateDnsName",
    "AvailabilityZone",
    "SecondaryAvailabilityZone",
    "HostedZoneId",
    "PreferredMaintenanceWindow",
    "PreferredBackupWindow",
];

/// Where two replies differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Difference {
    /// Keys, and names of items.
    pub(super) path: String,
    /// The receipt's value.
    pub(super) recorded: String,
    /// The account's.
    pub(super) simulated: String,
}

/// What the names of a receipt stand for in the simulated account.
#[derive(Clone, Debug, Default)]
pub(super) struct Bindings {
    bound: BTreeMap<String, Bound>,
    /// What addresses stand for in the next receipt, while they stand for another object in this one.
    later: BTreeMap<String, Bound>,
    /// Names that this receipt has used for what they are bound to.
    used: BTreeSet<String>,
    /// How many were bound so far.
    count: u64,
}

#[derive(Clone, Debug)]
struct Bound {
    /// What it stands for.
    is: String,
    /// Of two, the one that was bound later has the greater number.
    ordinal: u64,
}

/// A piece of a text with names.
enum Piece<'t> {
    Literal(&'t str),
    Name(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('<') {
        let Some((name, after)) = after.split_once('>') else { break };
        if !before.is_empty() {
            pieces.push(Piece::Literal(before));
        }
        pieces.push(Piece::Name(name));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(rest));
    }
    pieces
}

impl Bindings {
    /// Another receipt begins: in it, an address names the object that was bound to it last, by this address or the one that it
    /// was renamed from, and numbers begin anew.
    pub(super) fn next_receipt(&mut self) {
        // With their number, servers are renamed.
        let [one, first] = [1, 2].map(|count| app_address(0, count).to_string());
        let mut latest: BTreeMap<String, Bound> = BTreeMap::new();
        for (name, bound) in std::mem::take(&mut self.bound).into_iter().chain(std::mem::take(&mut self.later)) {
            let (address, is_numbered) = name.split_once('#').map_or((&*name, false), |(address, _)| (address, true));
            if is_numbered && !address.contains('.') {
                continue;
            }
            let address = if address == first { &one } else { address };
            if latest.get(address).is_none_or(|other| other.ordinal < bound.ordinal) {
                latest.insert(address.to_owned(), bound);
            }
        }
        if let Some(server) = latest.get(&one).cloned() {
            latest.insert(first, server);
        }
        self.bound = latest;
        self.used.clear();
    }

    fn get(&self, name: &str) -> Option<&String> {
        self.bound.get(name).map(|bound| &bound.is)
    }

    /// True if the name stands for something.
    pub(super) fn is_bound(&self, name: &str) -> bool {
        self.bound.contains_key(name)
    }

    fn insert(&mut self, name: &str, is: &str) {
        let bound = self.numbered(is);
        self.bound.insert(name.to_owned(), bound);
    }

    fn numbered(&mut self, is: &str) -> Bound {
        self.count += 1;
        Bound { is: is.to_owned(), ordinal: self.count }
    }

    /// A call whose answer was lost has made this object at an address. What this receipt has used the name for keeps it to
    /// its end.
    pub(super) fn know(&mut self, address: &str, id: &str) {
        let bound = self.numbered(id);
        let map = if self.used.contains(address) { &mut self.later } else { &mut self.bound };
        map.insert(address.to_owned(), bound);
    }

    /// A call has made another object of this name: it is bound to nothing any more, nor is what came along with it.
    pub(super) fn forget(&mut self, name: &str) {
        self.bound.remove(name);
        if name.contains("aws_vpc.") {
            self.bound.retain(|name, _| !name.contains("aws_default_security_group"));
        }
    }

    /// The value with what is bound in the place of names; `None` if one is not bound. What a creation is to be called is
    /// made up.
    pub(super) fn resolved(&mut self, value: &Value, is_creating: bool, account_id: &str) -> Option<Value> {
        Some(match value {
            Value::Str(text) => {
                let mut resolved = String::new();
                for piece in pieces(text) {
                    match piece {
                        Piece::Literal(literal) => resolved.push_str(literal),
                        Piece::Name(name) => resolved.push_str(&self.of(name, is_creating, account_id)?),
                    }
                }
                Value::str(resolved)
            }
            Value::List(items) => Value::List(
                items.iter().map(|item| self.resolved(item, is_creating, account_id)).collect::<Option<_>>()?,
            ),
            Value::Map(map) => {
                let mut resolved = ValueMap::new();
                for (key, value) in map {
                    resolved.insert(key.clone(), self.resolved(value, is_creating, account_id)?);
                }
                Value::Map(resolved)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(_) | Value::Secret(_) => value.clone(),
        })
    }

    fn of(&mut self, name: &str, is_creating: bool, account_id: &str) -> Option<String> {
        if let Some(bound) = self.get(name).cloned() {
            self.used.insert(name.to_owned());
            return Some(bound);
        }
        let (what, number) = name.split_once('#').unwrap_or((name, ""));
        let made_up = match what {
            "account" => account_id.to_owned(),
            "lineage" => "6f3c4a55-5d1c-4a53-9a2a-3f0c8b1f6a11".to_owned(),
            "uuid" => format!("00000000-0000-4000-8000-{:012}", number.parse::<u32>().ok()?),
            // Of the block for documentation (RFC 5737).
            "ip" => format!("198.51.100.{}", number.parse::<u8>().ok()?),
            // What has a name of its owner's choice.
            _ if is_creating && what.contains('.') => {
                let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
                what.chars()
                    .map(plain)
                    .collect::<String>()
                    .split('-')
                    .filter(|part| !part.is_empty())
                    .collect::<Vec<_>>()
                    .join("-")
            }
            _ => return None,
        };
        self.used.insert(name.to_owned());
        self.insert(name, &made_up);
        Some(made_up)
    }

    /// True if the text of the receipt can be this one. Names without a meaning get theirs.
    fn fits(&mut self, recorded: &str, simulated: &str) -> bool {
        let pieces = pieces(recorded);
        let mut rest = simulated;
        let mut found = Vec::new();
        for (index, piece) in pieces.iter().enumerate() {
            let wanted = match piece {
                Piece::Literal(literal) => *literal,
                Piece::Name(name) => match self.get(name) {
                    Some(bound) => bound,
                    None => {
                        let end = match pieces.get(index + 1) {
                            Some(Piece::Literal(next)) => rest.find(next),
                            Some(Piece::Name(_)) | None => Some(rest.len()),
                        };
                        let Some((value, after)) = end.map(|end| rest.split_at(end)) else { return false };
                        found.push((*name, value));
                        rest = after;
                        continue;
                    }
                },
            };
            match rest.strip_prefix(wanted) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        let fits = rest.is_empty();
        if fits {
            found.iter().for_each(|(name, is)| self.insert(name, is));
            self.used.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Name(name) => Some((*name).to_owned()),
                Piece::Literal(_) => None,
            }));
        }
        fits
    }

    /// Gives names their meaning, as far as the two fit.
    pub(super) fn bind(&mut self, recorded: &Value, simulated: &Value) {
        let _however_they_differ = compare(recorded, simulated, self);
        // An image that the receipt names is the one that the account names.
        if let (Some(recorded), Some(simulated)) = (image(recorded), image(simulated)) {
            self.insert(recorded, simulated);
        }
    }
}

/// What GetParameter answers.
fn image(reply: &Value) -> Option<&str> {
    reply.at("Parameter.Value").and_then(Value::as_str).filter(|value| value.starts_with("ami-"))
}

/// Where the two differ, but for what no two accounts agree on.
pub(super) fn compare(recorded: &Value, simulated: &Value, bindings: &mut Bindings) -> Vec<Difference> {
    let mut comparison = Comparison { bindings, found: Vec::new() };
    comparison.values("", recorded, simulated);
    comparison.found
}

struct Comparison<'b> {
    bindings: &'b mut Bindings,
    found: Vec<Difference>,
}

impl Comparison<'_> {
    fn differ(&mut self, path: &str, recorded: &Value, simulated: &Value) {
        let told = |value: &Value| if value.is_null() { "absent".to_owned() } else { value.to_string() };
        let (recorded, simulated) = (told(recorded), told(simulated));
        self.found.push(Difference { path: path.to_owned(), recorded, simulated });
    }

    fn values(&mut self, path: &str, recorded: &Value, simulated: &Value) {
        match (recorded, simulated) {
            (Value::Map(recorded), Value::Map(simulated)) => self.maps(path, recorded, simulated),
            (Value::List(recorded), Value::List(simulated)) => self.lists(path, recorded, simulated),
            (Value::Str(text), Value::Str(other)) if self.bindings.fits(text, other) => {}
            _ if recorded == simulated => {}
            _ => self.differ(path, recorded, simulated),
        }
    }

    fn maps(&mut self, path: &str, recorded: &ValueMap, simulated: &ValueMap) {
        let keys: BTreeSet<_> = recorded.keys().chain(simulated.keys()).collect();
        for key in keys {
            if CHOSEN.contains(&&**key) || key.ends_with("Time") {
                continue;
            }
            let inner = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
            let (recorded, simulated) = (recorded.get(key), simulated.get(key));
            const NULL: &Value = &Value::Null;
            self.values(&inner, recorded.unwrap_or(NULL), simulated.unwrap_or(NULL));
        }
    }

    /// Items belong together if they differ least; which comes first says nothing.
    fn lists(&mut self, path: &str, recorded: &[Value], simulated: &[Value]) {
        let others = recorded.iter().any(|item| !item.get(OTHERS).is_null());
        let recorded = recorded.iter().filter(|item| item.get(OTHERS).is_null());
        let mut left: Vec<&Value> = simulated.iter().collect();
        for (index, item) in recorded.enumerate() {
            let place = format!("{path}.{index}");
            if let Some(id) = over(item) {
                let known = id.strip_prefix('<').and_then(|id| self.bindings.get(id.strip_suffix('>')?)).cloned();
                let is_it = |other: &&Value| match &known {
                    Some(known) => over(other) == Some(known),
                    None => compare(item, other, &mut self.bindings.clone()).is_empty(),
                };
                if let Some(at) = left.iter().position(is_it) {
                    let other = left.remove(at);
                    self.values(&place, item, other);
                }
                continue;
            }
            let costs =
                left.iter().enumerate().map(|(at, other)| (compare(item, other, &mut self.bindings.clone()).len(), at));
            match costs.min() {
                Some((_, at)) => {
                    let other = left.remove(at);
                    self.values(&place, item, other);
                }
                None => self.differ(&place, item, &Value::Null),
            }
        }
        // Of the account's own items the receipt may have left out what is not of the stack.
        if !others {
            let left = left.into_iter().filter(|item| over(item).is_none());
            left.for_each(|item| self.differ(path, &Value::Null, item));
        }
    }
}

/// The identifier of an object that is over and still listed. How long AWS lists it nobody knows, about an hour: one side may
/// have it when the other has not.
fn over(item: &Value) -> Option<&str> {
    let is_over = matches!(item.get("State").as_str(), Some("terminated" | "deleted"));
    ["InstanceId", "NatGatewayId"].iter().filter(|_| is_over).find_map(|id| item.get(id).as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn found(recorded: serde_json::Value, simulated: serde_json::Value) -> Vec<String> {
        let reply = |items| serde_json::from_value::<Value>(json!({ "Instances": items })).expect("a value");
        let mut bindings = Bindings::default();
        bindings.insert("aws_instance.app", "i-1");
        let differences = compare(&reply(recorded), &reply(simulated), &mut bindings);
        differences.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn what_is_over_may_be_listed_by_one_side_alone_and_what_is_not_over_may_not() {
        let server = |id: &str, state: &str| json!({ "InstanceId": id, "State": state });
        let none: Vec<String> = Vec::new();
        for id in ["<aws_instance.app>", "<i#3>"] {
            assert_eq!(found(json!([server(id, "terminated")]), json!([])), none, "{id}");
            assert_eq!(found(json!([server(id, "running")]), json!([])), ["Instances.0"], "{id}");
        }
        assert_eq!(found(json!([]), json!([server("i-1", "terminated")])), none);
        assert_eq!(found(json!([]), json!([server("i-1", "running")])), ["Instances"]);
    }

    #[test]
    fn what_is_over_and_listed_by_both_sides_is_compared() {
        let server = |id: &str, of: &str| json!({ "InstanceId": id, "State": "terminated", "InstanceType": of });
        let recorded = json!([server("<aws_instance.app>", "t3.nano")]);
        assert_eq!(found(recorded.clone(), json!([server("i-1", "t3.micro")])), ["Instances.0.InstanceType"]);
        assert_eq!(found(recorded, json!([server("i-1", "t3.nano")])), Vec::<String>::new());
    }
}
