//! Traffic as a set of protocols and ports.
//!
//! Every service is one number, `protocol << 16 | port`, so that "all traffic", overlapping rules and single ports
//! are all ranges and compare exactly. Protocols are IANA numbers; one without ports takes its whole block. ICMP has
//! `type << 8 | code` in place of the port.

use std::fmt;

use serde::{Serialize, Serializer};

use super::ranges::{Ranges, set_algebra};
use crate::value::Value;

const ICMP: u32 = 1;
const TCP: u32 = 6;
const UDP: u32 = 17;
const ICMP_V6: u32 = 58;
/// The last service: protocol 255, port 65535.
const LAST: u32 = 0xff_ffff;

/// Which protocols and ports. Equal sets are equal values.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Traffic(Ranges);

const fn block(protocol: u32) -> (u32, u32) {
    (protocol << 16, (protocol << 16) | 0xffff)
}

set_algebra!(Traffic);

impl Traffic {
    /// Every protocol, every port.
    pub fn all() -> Self {
        Self(Ranges::new([(0, LAST)]))
    }

    /// TCP ports, both ends included.
    pub fn tcp(from: u16, to: u16) -> Self {
        let (start, _) = block(TCP);
        Self(Ranges::new([(start + u32::from(from), start + u32::from(to))]))
    }

    /// UDP ports, both ends included.
    pub fn udp(from: u16, to: u16) -> Self {
        let (start, _) = block(UDP);
        Self(Ranges::new([(start + u32::from(from), start + u32::from(to))]))
    }

    /// What a security group rule with these Terraform attributes allows (EC2 `IpPermission`: `-1` is everything and
    /// ignores the ports; ICMP has type and code in their place, -1 being any). What cannot be understood is read as
    /// the widest it could mean.
    pub(super) fn of_rule(protocol: &Value, from: &Value, to: &Value) -> Self {
        let Some(protocol) = protocol_number(protocol) else { return Self::all() };
        let (start, end) = block(protocol);
        let range = match protocol {
            TCP | UDP => {
                let from = port(from).unwrap_or(0);
                let to = port(to).unwrap_or(0xffff);
                (start + from.min(to), start + from.max(to))
            }
            ICMP | ICMP_V6 => match (byte(from), byte(to)) {
                (None, _) => (start, end),
                (Some(kind), None) => (start + (kind << 8), start + (kind << 8) + 0xff),
                (Some(kind), Some(code)) => (start + (kind << 8) + code, start + (kind << 8) + code),
            },
            0..=u32::MAX => (start, end),
        };
        Self(Ranges::new([range]))
    }

    /// True if `port` of `protocol` (an IANA number) is in it; for ICMP the port is `type << 8 | code`.
    pub fn contains(&self, protocol: u8, port: u16) -> bool {
        self.0.contains((u32::from(protocol) << 16) | u32::from(port))
    }

    /// The services at which a range begins, and those just after one ends.
    pub(super) fn cuts(&self) -> impl Iterator<Item = u32> + '_ {
        self.0.iter().flat_map(|(low, high)| [low, high + 1])
    }

    /// True if the service with this number is in it.
    pub(super) fn has(&self, service: u32) -> bool {
        self.0.contains(service)
    }

    /// The services from `low` up to and without `end`.
    pub(super) fn services(low: u32, end: u32) -> Self {
        Self(Ranges::new(end.checked_sub(1).map(|high| (low, high.min(LAST)))))
    }
}

/// `None`: all protocols, or none that is known.
fn protocol_number(value: &Value) -> Option<u32> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::Str(text) => text.to_ascii_lowercase(),
        Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => {
            return None;
        }
    };
    match text.as_str() {
        "tcp" => Some(TCP),
        "udp" => Some(UDP),
        "icmp" => Some(ICMP),
        "icmpv6" => Some(ICMP_V6),
        number => number.parse::<u8>().ok().map(u32::from),
    }
}

fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

fn port(value: &Value) -> Option<u32> {
    whole(value).and_then(|number| u16::try_from(number).ok()).map(u32::from)
}

fn byte(value: &Value) -> Option<u32> {
    whole(value).and_then(|number| u8::try_from(number).ok()).map(u32::from)
}

/// `tcp 80, 443, 8000-8010; icmp`, or `all traffic`, or `nothing`.
impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        if *self == Self::all() {
            return f.write_str("all traffic");
        }
        let mut parts = Vec::new();
        for (protocol, name) in [(TCP, "tcp"), (UDP, "udp"), (ICMP, "icmp"), (ICMP_V6, "icmpv6")] {
            let own = self.0.intersect(&Ranges::new([block(protocol)]));
            if !own.is_empty() {
                let ranges: Vec<_> =
                    own.iter().map(|(low, high)| range_text(protocol, low & 0xffff, high & 0xffff)).collect();
                parts.push(format!("{name} {}", ranges.join(", ")).trim_end().to_owned());
            }
        }
        let named = Ranges::new([TCP, UDP, ICMP, ICMP_V6].map(block));
        let others = Ranges::new(self.0.subtract(&named).iter().map(|(low, high)| (low >> 16, high >> 16)));
        if !others.is_empty() {
            let ranges: Vec<_> = others.iter().map(|(low, high)| span(low, high)).collect();
            parts.push(format!("protocols {}", ranges.join(", ")));
        }
        f.write_str(&parts.join("; "))
    }
}

fn span(low: u32, high: u32) -> String {
    if low == high { low.to_string() } else { format!("{low}-{high}") }
}

fn range_text(protocol: u32, low: u32, high: u32) -> String {
    if protocol == TCP || protocol == UDP {
        return span(low, high);
    }
    if (low, high) == (0, 0xffff) {
        return String::new();
    }
    let kinds = span(low >> 8, high >> 8);
    if (low & 0xff, high & 0xff) == (0, 0xff) {
        format!("type {kinds}")
    } else {
        format!("type {kinds} code {}", span(low & 0xff, high & 0xff))
    }
}

impl Serialize for Traffic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(protocol: &str, from: i64, to: i64) -> Traffic {
        Traffic::of_rule(&Value::str(protocol), &from.into(), &to.into())
    }

    #[test]
    fn rules_mean_what_ec2_says() {
        let table = [
            ("-1", 0, 0, "all traffic"),
            ("-1", 80, 80, "all traffic"),
            ("all", 0, 0, "all traffic"),
            ("tcp", 80, 80, "tcp 80"),
            ("TCP", 0, 65535, "tcp 0-65535"),
            ("6", 443, 444, "tcp 443-444"),
            ("tcp", 0, 0, "tcp 0"),
            ("tcp", -1, -1, "tcp 0-65535"),
            ("17", 53, 53, "udp 53"),
            ("icmp", -1, -1, "icmp"),
            ("icmp", 8, -1, "icmp type 8"),
            ("icmp", 3, 4, "icmp type 3 code 4"),
            ("58", -1, -1, "icmpv6"),
            ("50", 7, 7, "protocols 50"),
            ("no such protocol", 7, 7, "all traffic"),
        ];
        for (protocol, from, to, expected) in table {
            assert_eq!(rule(protocol, from, to).to_string(), expected, "{protocol} {from} {to}");
        }
        assert_eq!(Traffic::of_rule(&Value::str("tcp"), &Value::Null, &Value::Null), Traffic::tcp(0, 65535));
    }

    #[test]
    fn sets_are_exact_across_rules() {
        let low = Traffic::tcp(0, 5431);
        let high = Traffic::tcp(5433, 65535);
        assert_eq!(Traffic::tcp(0, 65535).minus(&Traffic::tcp(5432, 5432)), low.union(&high));
        assert_eq!(low.union(&high).union(&rule("tcp", 5000, 6000)), Traffic::tcp(0, 65535));
        assert!(Traffic::all().covers(&rule("icmp", 8, 0)));
        assert!(!Traffic::tcp(0, 65535).covers(&Traffic::udp(1, 1)));
        assert!(Traffic::udp(53, 53).contains(17, 53) && !Traffic::udp(53, 53).contains(6, 53));
        let rest = Traffic::all().minus(&Traffic::tcp(5432, 5432)).to_string();
        assert_eq!(rest, "tcp 0-5431, 5433-65535; udp 0-65535; icmp; icmpv6; protocols 0, 2-5, 7-16, 18-57, 59-255");
    }
}
