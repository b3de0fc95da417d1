//! Rules of our groups that a configuration keeps as resources of their own: what aloka adds or revokes is recorded in the same
//! way, so that Terraform neither makes a rule a second time (InvalidPermission.Duplicate) nor misses one.
//!
//! A rule is recorded like a sibling of the same resource, under the key that the configuration would give it: the next number,
//! or the port where the sibling's key is its port. Where there is no such sibling, nothing is recorded.

use std::sync::Arc;

use super::{Direction, Elsewhere, RecordedRule};
use crate::api::{Call, Ec2, Operation};
use crate::rules::{self, Rule};
use crate::state::State;
use crate::state::raw::{Raw, RawObject};
use crate::value::Value;

/// Records what a call, which AWS has just carried out, did to rules of a group. True if the state changed.
pub(crate) fn record(state: &mut State, call: &Call, reply: &Value) -> bool {
    let Some(group) = call.arg("GroupId").as_str() else { return false };
    let (answered, permissions) = (reply.get("SecurityGroupRules"), call.arg("IpPermissions"));
    match call.operation {
        Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress) => added(state, group, Direction::Ingress, answered),
        Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress) => added(state, group, Direction::Egress, answered),
        Operation::Ec2(Ec2::RevokeSecurityGroupIngress) => revoked(state, group, Direction::Ingress, permissions),
        Operation::Ec2(Ec2::RevokeSecurityGroupEgress) => revoked(state, group, Direction::Egress, permissions),
        _ => false,
    }
}

/// Records rules that AWS has just added to this group, as it answered them.
fn added(state: &mut State, group: &str, direction: Direction, answered: &Value) -> bool {
    let mut changed = false;
    for rule in answered.as_list().unwrap_or_default() {
        changed |= add(state, group, direction, rule).is_some();
    }
    changed
}

/// Drops the records of rules that AWS has just taken from this group.
fn revoked(state: &mut State, group: &str, direction: Direction, permissions: &Value) -> bool {
    let gone = rules::explode(&rules::from_permissions(permissions, group), Some(group));
    let is_gone = |rule: &Rule| gone.iter().any(|other| other.key() == rule.key());
    let records = claimed(state, group, direction).into_iter().filter(|record| {
        let single = record.rules(Some(group));
        !single.is_empty() && single.iter().all(is_gone)
    });
    let addresses: Vec<String> = records.map(|record| record.address).collect();
    for address in &addresses {
        state.private.claims.remove(address);
        state.foreign.retain_mut(|entry| {
            entry.remove(address);
            !entry.instances().is_empty()
        });
    }
    !addresses.is_empty()
}

fn claimed(state: &State, group: &str, direction: Direction) -> Vec<RecordedRule> {
    let elsewhere = Elsewhere::of(state);
    let rules = elsewhere.rules_of(group).iter();
    rules.filter(|rule| rule.claimed && rule.direction == direction).cloned().collect()
}

fn add(state: &mut State, group: &str, direction: Direction, rule: &Value) -> Option<()> {
    let text = |name: &str| rule.get(name).as_str().filter(|text| !text.is_empty());
    let (id, cidr, protocol) = (text("SecurityGroupRuleId")?, text("CidrIpv4")?, text("IpProtocol")?);
    let (from, to) = (rule.get("FromPort").as_i64()?, rule.get("ToPort").as_i64()?);
    let siblings = claimed(state, group, direction);
    let is_it = |other: &Rule| other.key() == format!("{protocol}|{from}|{to}|{cidr}");
    if siblings.iter().flat_map(|record| record.rules(Some(group))).any(|other| is_it(&other)) {
        return None;
    }
    let blocks =
        |record: &RecordedRule| record.entry.get("cidr_blocks").as_list().map(<[_]>::to_vec).unwrap_or_default();
    let sibling =
        siblings.iter().find(|record| record.address.ends_with(']') && blocks(record) == [Value::str(cidr)])?;
    let entry = state.foreign.iter_mut().find(|entry| entry.instance(&sibling.address).is_some())?;
    let mut instance = entry.instance(&sibling.address)?;
    let ports = (sibling.entry.get("from_port").as_i64()?, sibling.entry.get("to_port").as_i64()?);
    let key = match instance.parse::<Value>("index_key")? {
        Value::Number(_) => Raw::of(&entry.next_number()),
        Value::Str(key) => Raw::of(&renamed(&key, ports, (from, to))?),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
            return None;
        }
    };
    let address = format!("{}[{}]", entry.key().address(), key.text());
    if entry.instance(&address).is_some() {
        return None;
    }
    let mut attributes: RawObject = instance.parse("attributes")?;
    let is_single = attributes.get("ip_protocol").is_some();
    let own_id = if is_single { id.to_owned() } else { format!("sgrule-{}", number_of(id)) };
    let description = text("Description").map_or_else(|| Raw::of(&()), |text| Raw::of(&text));
    let arn = attributes.text("arn");
    let mut set = |name: &str, value: Raw| {
        if attributes.get(name).is_some() {
            attributes.set(name, value);
        }
    };
    set("arn", Raw::of(&arn.rsplit_once('/').map_or_else(String::new, |(before, _)| format!("{before}/{id}"))));
    set("cidr_blocks", Raw::of(&[cidr]));
    set("cidr_ipv4", Raw::of(&cidr));
    set("description", description);
    set("from_port", Raw::of(&from));
    set("id", Raw::of(&own_id));
    set("ip_protocol", Raw::of(&protocol));
    set("protocol", Raw::of(&protocol));
    set("security_group_rule_id", Raw::of(&id));
    set("to_port", Raw::of(&to));
    instance.set("attributes", Raw::of(&attributes));
    instance.set("index_key", key);
    entry.insert(instance);
    state.private.claims.insert(address, Arc::from(own_id));
    Some(())
}

/// A sibling's key with other ports in it; `None` if its own port is not in it.
fn renamed(key: &str, old: (i64, i64), new: (i64, i64)) -> Option<String> {
    let (from, to) = (old.0.to_string(), old.1.to_string());
    let begin = key.find(&from)?;
    let (before, rest) = (key.get(..begin)?, key.get(begin + from.len()..)?);
    // What stands beside a port must not be another part of a number.
    let is_digit = |c: char| c.is_ascii_digit();
    if before.ends_with(is_digit) || rest.starts_with(is_digit) {
        return None;
    }
    let rest = if old.0 == old.1 { rest.to_owned() } else { rest.replacen(&to, &new.1.to_string(), 1) };
    Some(format!("{before}{}{rest}", new.0))
}

/// Digits that a rule's identifier gives: Terraform's own are a hash that nothing looks up.
fn number_of(id: &str) -> u32 {
    id.bytes().fold(0_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte))) >> 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::file;

    fn state(kind: &str, key: &str, other: &str) -> State {
        let single = kind != "aws_security_group_rule";
        let rule = |key: &str, id: &str, port: u16| {
            let peer = if single {
                format!(
                    r#""ip_protocol":"tcp","cidr_ipv4":"0.0.0.0/0","arn":"arn:aws:ec2:r:a:security-group-rule/{id}","id":"{id}""#
                )
            } else {
                format!(r#""protocol":"tcp","type":"ingress","cidr_blocks":["0.0.0.0/0"],"id":"sgrule-{port}""#)
            };
            format!(
                r#"{{"index_key":{key},"attributes":{{{peer},"description":null,"from_port":{port},"security_group_id":"sg-1","security_group_rule_id":"{id}","to_port":{port}}}}}"#
            )
        };
        let id = |port: u16| if single { format!("sgr-{port}") } else { format!("sgrule-{port}") };
        let text = format!(
            r#"{{"version":4,"lineage":"l","resources":[{{"mode":"managed","type":"{kind}","name":"app","instances":[{},{}]}}],
            "aloka":{{"format_version":2,"claims":{{"{kind}.app[{}]":"{}","{kind}.app[{}]":"{}"}}}}}}"#,
            rule(key, "sgr-80", 80),
            rule(other, "sgr-443", 443),
            key.replace('"', "\\\""),
            id(80),
            other.replace('"', "\\\""),
            id(443),
        );
        file::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn addresses(state: &State) -> Vec<String> {
        state.foreign_instances().into_iter().map(|instance| instance.address).collect()
    }

    #[test]
    fn a_rule_is_recorded_as_its_siblings_are_and_dropped_again() {
        let kinds = ["aws_vpc_security_group_ingress_rule", "aws_security_group_rule"];
        let keys = [
            ("0", "1", "[2]"),
            (r#""80""#, r#""443""#, r#"["8080"]"#),
            (r#""tcp-80""#, r#""tcp-443""#, r#"["tcp-8080"]"#),
        ];
        for kind in kinds {
            for (key, other, expected) in keys {
                let mut state = state(kind, key, other);
                let mut before = addresses(&state);
                before.sort();
                let answer = Value::List(vec![Value::map([
                    ("SecurityGroupRuleId", Value::str("sgr-8080")),
                    ("IpProtocol", Value::str("tcp")),
                    ("FromPort", 8080.into()),
                    ("ToPort", 8080.into()),
                    ("CidrIpv4", Value::str("0.0.0.0/0")),
                ])]);
                assert!(added(&mut state, "sg-1", Direction::Ingress, &answer), "{kind} {key}");
                let new = format!("{kind}.app{expected}");
                assert!(addresses(&state).contains(&new), "{:?}", addresses(&state));
                assert!(!added(&mut state, "sg-1", Direction::Ingress, &answer), "twice");
                // It reads back, and the record is the rule.
                let read = file::read(&file::write(&state)).expect("a state");
                let record =
                    claimed(&read, "sg-1", Direction::Ingress).into_iter().find(|record| record.address == new);
                let rules = record.expect("claimed").rules(Some("sg-1"));
                assert_eq!(rules.iter().map(Rule::key).collect::<Vec<_>>(), ["tcp|8080|8080|0.0.0.0/0"]);
                let permissions = rules::permissions(&rules, &Value::str("sg-1"));
                assert!(revoked(&mut state, "sg-1", Direction::Ingress, &permissions));
                assert_eq!(addresses(&state), before);
                assert!(!revoked(&mut state, "sg-1", Direction::Egress, &permissions), "another direction");
                assert!(!added(&mut state, "sg-2", Direction::Ingress, &answer), "another group");
            }
        }
    }
}
