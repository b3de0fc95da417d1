//! The VPC, its subnets, their zones and the way out.

use ipnet::Ipv4Net;

use crate::declarable::{SUBNETS_MAX, ZONES_MAX};
use crate::variables::definition::Read;
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

type Subnets = Spot<Vec<Ipv4Net>>;

/// The rules between the variables of the network, and with the region and the number of instances.
pub(super) fn check(reader: &mut Reader<'_>, read: &mut Read) {
    let region = read.aws_region.as_ref().map(|region| region.value.as_str());
    read.availability_zones = read.availability_zones.take().filter(|zones| are_zones(reader, zones, region));
    let (vpc, public, private) = (&read.vpc_cidr, &read.public_subnet_cidrs, &read.private_subnet_cidrs);
    let nat = read.enable_nat_gateway.as_ref().map(|nat| nat.value);
    let single = read.single_nat_gateway.as_ref().map(|single| single.value);
    if let Some(vpc) = vpc {
        warn_of_docker(reader, vpc);
        for (name, list) in [(PUBLIC, public), (PRIVATE, private)] {
            let members = list.iter().flat_map(|list| list.value.iter().enumerate());
            members.for_each(|(index, subnet)| inside(reader, vpc, name, index, *subnet));
        }
    }
    if let (Some(public), Some(private)) = (public, private) {
        disjoint(reader, public, private);
    }
    if let Some(private) = private {
        enough_private(reader, private);
    }
    if let (Some(public), Some(nat)) = (public, nat) {
        enough_public(reader, public, nat, read.app_instance_count.as_ref());
    }
    if let (Some(public), Some(private), Some(zones), Some(true), Some(false)) =
        (public, private, &read.availability_zones, nat, single)
    {
        gateway_per_zone(reader, public, private, zones.value.len());
    }
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

/// A network of a size that AWS takes.
pub(in crate::variables) fn block(name: &str, text: &str) -> Result<Ipv4Net, Problem> {
    let (wrong, hint) = match parse_network(text) {
        Ok(network) if PREFIXES.contains(&network.prefix_len()) => return Ok(network),
        Ok(network) => {
            let (low, high) = (PREFIXES.start(), PREFIXES.end());
            let wrong = format!("but AWS takes /{low} to /{high}");
            (wrong, format!("write {}/{}", network.addr(), network.prefix_len().clamp(*low, *high)))
        }
        Err(wrong) => wrong,
    };
    Err(Problem::of_value(name, text, wrong).hint(hint))
}

/// A list of such networks.
pub(in crate::variables) fn subnets(reader: &mut Reader<'_>, name: &'static str) -> Option<Subnets> {
    let Spot { value: list, at } = reader.texts(name)?;
    if list.len() > SUBNETS_MAX as usize {
        let summary = format!("{name} has {} subnets, but a VPC may have {SUBNETS_MAX}", list.len());
        reader.report.push(Problem::error(at.as_ref(), summary));
        return None;
    }
    let networks: Vec<_> = (list.into_iter().enumerate())
        .map(|(index, text)| reader.settle(text.at, block(&format!("{name}[{index}]"), &text.value)))
        .collect();
    let value = networks.into_iter().map(|network| Some(network?.value)).collect::<Option<_>>()?;
    Some(Spot { value, at })
}

/// A list of no more zones than a region has.
pub(in crate::variables) fn few_zones(reader: &mut Reader<'_>, name: &'static str) -> Option<Spot<Vec<String>>> {
    let Spot { value: list, at } = reader.texts(name)?;
    if list.len() > ZONES_MAX as usize {
        let summary = format!("{name} has {} zones, but no region has more than {ZONES_MAX}", list.len());
        reader.report.push(Problem::error(at.as_ref(), summary));
        return None;
    }
    Some(Spot { value: list.into_iter().map(|zone| zone.value).collect(), at })
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

fn inside(reader: &mut Reader<'_>, vpc: &Spot<Ipv4Net>, name: &'static str, index: usize, subnet: Ipv4Net) {
    if vpc.value.contains(&subnet) {
        return;
    }
    // If the list is the default, it was vpc_cidr that was changed alone.
    let own = reader.place_in(name, index);
    let default = if own.is_none() { " (the default)" } else { "" };
    let summary = format!("{name}[{index}] is {subnet}{default}, which is not inside vpc_cidr {}", vpc.value);
    let problem = Problem::error(own.as_ref().or(vpc.at.as_ref()), summary);
    reader.report.push(if own.is_none() { problem.hint(format!("set {name} too")) } else { problem });
}

fn disjoint(reader: &mut Reader<'_>, public: &Subnets, private: &Subnets) {
    let named = |name: &'static str, list: &Subnets| -> Vec<(&'static str, usize, Ipv4Net)> {
        list.value.iter().enumerate().map(|(index, subnet)| (name, index, *subnet)).collect()
    };
    let mut all = named(PUBLIC, public);
    all.extend(named(PRIVATE, private));
    if all.len() > SUBNETS_MAX as usize {
        let summary = format!("there are {} subnets, but a VPC may have {SUBNETS_MAX}", all.len());
        reader.report.push(Problem::error(private.at.as_ref().or(public.at.as_ref()), summary));
        return;
    }
    for (count, &(name, index, subnet)) in all.iter().enumerate() {
        for &(earlier_name, earlier_index, earlier) in all.iter().take(count) {
            if overlap(subnet, earlier) {
                let summary = format!("{name}[{index}] {subnet} overlaps {earlier_name}[{earlier_index}] {earlier}");
                let at = reader.place_in(name, index).or_else(|| reader.place_in(earlier_name, earlier_index));
                reader.report.push(Problem::error(at.as_ref(), summary));
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
        .map(|subnet| (1_u64 << (32 - u32::from(subnet.prefix_len()))).saturating_sub(RESERVED_ADDRESSES))
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

/// True for different zones of the region, and no single one.
fn are_zones(reader: &mut Reader<'_>, zones: &Spot<Vec<String>>, region: Option<&str>) -> bool {
    let mut valid = true;
    for (index, zone) in zones.value.iter().enumerate() {
        let at = reader.place_in(ZONES, index);
        let is_of = |region: &str| matches!(zone.strip_prefix(region).map(str::as_bytes), Some([b'a'..=b'z']));
        if let Some(region) = region.filter(|region| !is_of(region)) {
            valid = false;
            let wrong = format!("which is not a zone of aws_region {region}");
            let problem = Problem::of_value(&format!("{ZONES}[{index}]"), zone, wrong).at(at);
            reader.report.push(problem.hint(format!("a zone is the region and a letter, such as {region}a")));
        } else if zones.value.iter().take(index).any(|earlier| earlier == zone) {
            valid = false;
            let summary = format!("{ZONES} names {} twice", shown(zone));
            reader.report.push(Problem::error(at.as_ref(), summary));
        }
    }
    if zones.value.len() == 1 {
        valid = false;
        let problem = Problem::error(None, format!("{ZONES} has one zone, but the database needs two"));
        let problem = problem.at(reader.place_in(ZONES, 0));
        reader.report.push(problem.hint("add a zone, or leave the list empty to have them chosen"));
    }
    valid
}

fn subnets_word(count: usize) -> &'static str {
    if count == 0 { "no subnet" } else { "one subnet" }
}
