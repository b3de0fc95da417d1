//! The VPC, its subnets, their zones and the way out.

use ipnet::Ipv4Net;

use crate::declarable::{SUBNETS_MAX, ZONES_MAX};
use crate::variables::read::Reader;
use crate::variables::report::{Place, Problem, Spot};
use crate::variables::text::shown;

/// Shortest and longest prefix of a VPC and of a subnet (VPC User Guide, "VPC CIDR blocks", "Subnet sizing").
const PREFIXES: std::ops::RangeInclusive<u8> = 16..=28;
/// Addresses that AWS keeps in every subnet (VPC User Guide, "Subnet sizing").
const RESERVED_ADDRESSES: u64 = 5;

const PUBLIC: &str = "public_subnet_cidrs";
const PRIVATE: &str = "private_subnet_cidrs";
const ZONES: &str = "availability_zones";

/// What this module checks.
pub(super) struct Network {
    pub(super) vpc_cidr: Ipv4Net,
    pub(super) public_subnet_cidrs: Vec<Ipv4Net>,
    pub(super) private_subnet_cidrs: Vec<Ipv4Net>,
    pub(super) availability_zones: Vec<String>,
    pub(super) enable_nat_gateway: bool,
    pub(super) single_nat_gateway: bool,
    pub(super) manage_default_security_group: bool,
}

type Subnets = Spot<Vec<Spot<Ipv4Net>>>;

/// `region` and `count`, the number of instances, are `None` if they are not valid.
pub(super) fn check(reader: &mut Reader<'_>, region: Option<&str>, count: Option<&Spot<u32>>) -> Option<Network> {
    let vpc = reader.text("vpc_cidr").and_then(|text| block(reader, "vpc_cidr", &text));
    let public = subnets(reader, PUBLIC);
    let private = subnets(reader, PRIVATE);
    let zones = zones(reader, region);
    let nat = reader.flag("enable_nat_gateway");
    let single = reader.flag("single_nat_gateway");
    let default_group = reader.flag("manage_default_security_group");
    if let Some(vpc) = &vpc {
        warn_of_docker(reader, vpc);
        for (name, list) in [(PUBLIC, &public), (PRIVATE, &private)] {
            let members = list.iter().flat_map(|list| list.value.iter().enumerate());
            members.for_each(|(index, subnet)| inside(reader, vpc, name, index, subnet));
        }
    }
    if let (Some(public), Some(private)) = (&public, &private) {
        disjoint(reader, public, private);
    }
    if let Some(private) = &private {
        enough_private(reader, private);
    }
    if let (Some(public), Some(nat)) = (&public, nat) {
        enough_public(reader, public, nat, count);
    }
    if let (Some(public), Some(private), Some(zones), Some(true), Some(false)) =
        (&public, &private, &zones, nat, single)
    {
        gateway_per_zone(reader, public, private, zones.value.len());
    }
    let plain = |list: Subnets| list.value.into_iter().map(|subnet| subnet.value).collect();
    Some(Network {
        vpc_cidr: vpc?.value,
        public_subnet_cidrs: plain(public?),
        private_subnet_cidrs: plain(private?),
        availability_zones: zones?.value,
        enable_nat_gateway: nat?,
        single_nat_gateway: single?,
        manage_default_security_group: default_group?,
    })
}

/// An IPv4 network without host bits, or what is wrong with the text: how to go on after "name is value, ", and a
/// hint. Also used for the sources of ingress rules.
pub(super) fn parse_network(text: &str) -> Result<Ipv4Net, (String, String)> {
    const SAMPLE: &str = "write an address and a prefix length, such as 10.0.0.0/16";
    let Some((address, prefix)) = text.split_once('/') else {
        let hint = match text.parse::<std::net::Ipv4Addr>() {
            Ok(address) => format!("write {address}/32 for a single address"),
            Err(_) => SAMPLE.to_owned(),
        };
        return Err(("which has no prefix length".to_owned(), hint));
    };
    if address.parse::<std::net::Ipv6Addr>().is_ok() {
        return Err(("which is an IPv6 network".to_owned(), "the stack uses IPv4 only".to_owned()));
    }
    if address.parse::<std::net::Ipv4Addr>().is_err() {
        return Err(("which is not an IPv4 network".to_owned(), SAMPLE.to_owned()));
    }
    let Ok(network) = text.parse::<Ipv4Net>() else {
        return Err((format!("but a prefix length is 0 to 32, not {}", shown(prefix)), SAMPLE.to_owned()));
    };
    let canonical = network.trunc();
    if canonical != network {
        return Err(("which has bits set after its prefix".to_owned(), format!("write {canonical}")));
    }
    Ok(network)
}

fn block(reader: &mut Reader<'_>, name: &str, text: &Spot<String>) -> Option<Spot<Ipv4Net>> {
    let (wrong, hint) = match parse_network(&text.value) {
        Ok(network) if PREFIXES.contains(&network.prefix_len()) => return Some(text.with(network)),
        Ok(network) => {
            let (low, high) = (PREFIXES.start(), PREFIXES.end());
            let wrong = format!("but AWS takes /{low} to /{high}");
            (wrong, format!("write {}/{}", network.addr(), network.prefix_len().clamp(*low, *high)))
        }
        Err(wrong) => wrong,
    };
    let problem = Problem::error(text.at.as_ref(), format!("{name} is {}, {wrong}", shown(&text.value)));
    reader.report.push(problem.hint(hint));
    None
}

fn subnets(reader: &mut Reader<'_>, name: &'static str) -> Option<Subnets> {
    let list = reader.texts(name)?;
    if list.value.len() > SUBNETS_MAX as usize {
        let summary = format!("{name} has {} subnets, but a VPC may have {SUBNETS_MAX}", list.value.len());
        reader.report.push(Problem::error(list.at.as_ref(), summary));
        return None;
    }
    let networks: Vec<_> =
        (list.value.iter().enumerate()).map(|(index, text)| block(reader, &format!("{name}[{index}]"), text)).collect();
    Some(list.with(networks.into_iter().collect::<Option<Vec<_>>>()?))
}

/// Docker's default bridge takes 172.17.0.0/16 on every instance.
fn warn_of_docker(reader: &mut Reader<'_>, vpc: &Spot<Ipv4Net>) {
    let bridge = Ipv4Net::new_assert(std::net::Ipv4Addr::new(172, 17, 0, 0), 16);
    if overlap(vpc.value, bridge) {
        let summary = format!("vpc_cidr {} overlaps 172.17.0.0/16, which Docker uses on the instances", vpc.value);
        let warning = Problem::warning(vpc.at.as_ref(), summary);
        reader.report.push(warning.hint("choose another network, or give Docker another one in the user data"));
    }
}

fn overlap(left: Ipv4Net, right: Ipv4Net) -> bool {
    left.contains(&right) || right.contains(&left)
}

fn inside(reader: &mut Reader<'_>, vpc: &Spot<Ipv4Net>, name: &str, index: usize, subnet: &Spot<Ipv4Net>) {
    if vpc.value.contains(&subnet.value) {
        return;
    }
    // If the list is the default, it was vpc_cidr that was changed alone.
    let at = subnet.at.as_ref().or(vpc.at.as_ref());
    let default = if subnet.at.is_none() { " (the default)" } else { "" };
    let summary = format!("{name}[{index}] is {}{default}, which is not inside vpc_cidr {}", subnet.value, vpc.value);
    let problem = Problem::error(at, summary);
    reader.report.push(if subnet.at.is_none() { problem.hint(format!("set {name} too")) } else { problem });
}

fn disjoint(reader: &mut Reader<'_>, public: &Subnets, private: &Subnets) {
    let named = |name: &'static str, list: &Subnets| -> Vec<(String, Spot<Ipv4Net>)> {
        let members = list.value.iter().enumerate();
        members.map(|(index, subnet)| (format!("{name}[{index}]"), subnet.clone())).collect()
    };
    let mut all = named(PUBLIC, public);
    all.extend(named(PRIVATE, private));
    if all.len() > SUBNETS_MAX as usize {
        let summary = format!("there are {} subnets, but a VPC may have {SUBNETS_MAX}", all.len());
        reader.report.push(Problem::error(private.at.as_ref().or(public.at.as_ref()), summary));
        return;
    }
    for (index, (name, subnet)) in all.iter().enumerate() {
        for (earlier_name, earlier) in all.iter().take(index) {
            if overlap(subnet.value, earlier.value) {
                let summary = format!("{name} {} overlaps {earlier_name} {}", subnet.value, earlier.value);
                reader.report.push(Problem::error(subnet.at.as_ref().or(earlier.at.as_ref()), summary));
            }
        }
    }
}

fn enough_private(reader: &mut Reader<'_>, private: &Subnets) {
    if private.value.len() < 2 {
        let summary = format!("{PRIVATE} has {}, but the database needs two", subnets_word(private.value.len()));
        let problem = Problem::error(private.at.as_ref(), summary);
        reader.report.push(problem.hint("RDS wants subnets in two availability zones, also for a single instance"));
    }
}

fn enough_public(reader: &mut Reader<'_>, public: &Subnets, nat: bool, count: Option<&Spot<u32>>) {
    let Some(count) = count else { return };
    if public.value.is_empty() && (nat || count.value > 0) {
        let why = if nat { "a NAT gateway stands in one" } else { "the application's instances stand in one" };
        let summary = format!("{PUBLIC} is empty, but {why}");
        reader.report.push(Problem::error(public.at.as_ref(), summary).hint("add a subnet"));
        return;
    }
    // However the instances are spread, they need this many addresses.
    let usable: u64 = public
        .value
        .iter()
        .map(|subnet| (1_u64 << (32 - u32::from(subnet.value.prefix_len()))).saturating_sub(RESERVED_ADDRESSES))
        .sum();
    if u64::from(count.value) > usable {
        let summary =
            format!("app_instance_count is {}, but the public subnets have {usable} addresses together", count.value);
        let at = count.at.as_ref().or(public.at.as_ref());
        reader.report.push(Problem::error(at, summary).hint(format!("add to {PUBLIC} or make them larger")));
    }
}

/// With one gateway per zone, every zone with a private subnet needs a public one for its gateway.
fn gateway_per_zone(reader: &mut Reader<'_>, public: &Subnets, private: &Subnets, zones: usize) {
    // Subnets go round the zones in order, so the zones in use are the first ones. With zones that are chosen later,
    // every private subnet may get one of its own.
    let limit = if zones == 0 { usize::MAX } else { zones };
    let (with_private, with_public) = (private.value.len().min(limit), public.value.len().min(limit));
    // No public subnet at all was reported already.
    if with_private > with_public && with_public > 0 {
        let summary = format!(
            "single_nat_gateway is false, and private subnets may be in {with_private} zones, \
             but public ones for the gateways only in {with_public}"
        );
        let at: Option<&Place> = public.at.as_ref().or(private.at.as_ref());
        reader
            .report
            .push(Problem::error(at, summary).hint(format!("add to {PUBLIC} or set single_nat_gateway = true")));
    }
}

fn zones(reader: &mut Reader<'_>, region: Option<&str>) -> Option<Spot<Vec<String>>> {
    let list = reader.texts(ZONES)?;
    if list.value.len() > ZONES_MAX as usize {
        let summary = format!("{ZONES} has {} zones, but no region has more than {ZONES_MAX}", list.value.len());
        reader.report.push(Problem::error(list.at.as_ref(), summary));
        return None;
    }
    let mut valid = true;
    for (index, zone) in list.value.iter().enumerate() {
        if let Some(region) = region {
            let letter = zone.value.strip_prefix(region);
            let fits = letter.is_some_and(|rest| matches!(rest.as_bytes(), [b'a'..=b'z']));
            if !fits {
                valid = false;
                let summary =
                    format!("{ZONES}[{index}] is {}, which is not a zone of aws_region {region}", shown(&zone.value));
                let problem = Problem::error(zone.at.as_ref(), summary);
                reader.report.push(problem.hint(format!("a zone is the region and a letter, such as {region}a")));
                continue;
            }
        }
        if list.value.iter().take(index).any(|earlier| earlier.value == zone.value) {
            valid = false;
            let summary = format!("{ZONES} names {} twice", shown(&zone.value));
            reader.report.push(Problem::error(zone.at.as_ref(), summary));
        }
    }
    if let [only] = list.value.as_slice() {
        valid = false;
        let summary = format!("{ZONES} has one zone, but the database needs two");
        let problem = Problem::error(only.at.as_ref(), summary);
        reader.report.push(problem.hint("add a zone, or leave the list empty to have them chosen"));
    }
    let zones = list.with(list.value.iter().map(|zone| zone.value.clone()).collect());
    valid.then_some(zones)
}

fn subnets_word(count: usize) -> &'static str {
    if count == 0 { "no subnet" } else { "one subnet" }
}
