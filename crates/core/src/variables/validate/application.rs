//! The application's instances and who may reach them.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv4Net;

use super::network::parse_network;
use crate::variables::definition::Read;
use crate::variables::read::{Object, Reader, plain};
use crate::variables::report::{Problem, Spot};
use crate::variables::suggest::nearest;
use crate::variables::text::shown;
use crate::variables::{AmiFamily, IngressRule};

/// Inbound rules of a security group, each network counted (Amazon VPC quotas): the default, one of which is the
/// group's rule for itself, and the most that AWS grants.
const DEFAULT_RULES: usize = 60 - 1;
const MAX_RULES: usize = 1000 - 1;
/// Longest description of a rule (EC2 API, IpRange).
const MAX_DESCRIPTION: usize = 255;
/// The database's port, which the application group has no reason to offer to the internet.
const DATABASE_PORT: u16 = 5432;
const SSH_PORT: u16 = 22;
/// A network with a shorter prefix than this is taken for the internet.
pub(super) const INTERNET_PREFIX: u8 = 8;

/// Architectures of Amazon Linux, as `uname -m` and the releases of Docker Compose call them.
const ARCHITECTURES: [&str; 2] = ["aarch64", "x86_64"];
const COMPOSE_VERSION: &str = "app_docker_compose_version";
const COMPOSE_SHA256: &str = "app_docker_compose_sha256";

const INGRESS_FIELDS: [&str; 6] = ["port", "from_port", "to_port", "protocol", "cidr_blocks", "description"];

/// The rules between the variables of the application.
pub(super) fn check(reader: &mut Reader<'_>, read: &mut Read) {
    let looks_image_up = read.app_ami_id.as_ref().is_some_and(|image| image.value.is_none());
    if let Some(instance_type) = read.app_instance_type.as_ref().filter(|_| looks_image_up) {
        refuse_arm(reader, instance_type);
    }
    if !is_release(reader, read) {
        read.app_docker_compose_version = None;
    }
}

/// True for lowercase letters, digits and hyphens, beginning with a letter.
pub(super) fn is_type_word(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_lowercase()) && is_size_word(word)
}

/// True for lowercase letters, digits and hyphens.
pub(super) fn is_size_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

/// An instance type.
pub(in crate::variables) fn instance_type(name: &str, text: &str) -> Result<String, Problem> {
    match text.split_once('.') {
        Some((family, size)) if is_type_word(family) && is_size_word(size) => Ok(text.to_owned()),
        Some(_) | None => {
            let problem = Problem::of_value(name, text, "which is not an instance type");
            Err(problem.hint("write a family and a size, such as t3.small"))
        }
    }
}

/// True for a type with AWS's arm64 processors: those with a `g` after the generation, as in `t4g` and `im4gn`, and
/// the first of them, `a1` (EC2 Instance Types, "Naming conventions").
fn is_arm(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let options = family.trim_start_matches(|c: char| c.is_ascii_lowercase());
    let options = options.trim_start_matches(|c: char| c.is_ascii_digit());
    // What follows a hyphen is no processor option, as in `c7i-flex` and `u-6tb1`.
    let options = options.split('-').next().unwrap_or_default();
    family == "a1" || (family.len() > options.len() && options.contains('g'))
}

fn refuse_arm(reader: &mut Reader<'_>, instance_type: &Spot<String>) {
    if is_arm(&instance_type.value) {
        let summary = format!(
            "app_instance_type is {}, an arm64 type, but the images looked up are for x86_64",
            shown(&instance_type.value)
        );
        let problem = Problem::error(instance_type.at.as_ref(), summary);
        reader.report.push(problem.hint("set app_ami_id to an arm64 image, or use an x86_64 type such as t3.small"));
    }
}

/// A known family of images.
pub(in crate::variables) fn family(name: &str, text: &str) -> Result<AmiFamily, Problem> {
    if let Some(family) = AmiFamily::ALL.into_iter().find(|family| family.name() == text) {
        return Ok(family);
    }
    let names = AmiFamily::ALL.map(AmiFamily::name);
    let problem = Problem::of_value(name, text, format!("but must be {}", names.join(" or ")));
    Err(match nearest(text, names) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint("for another system, set app_ami_id"),
    })
}

/// The identifier of an image.
pub(in crate::variables) fn image(name: &str, text: &str) -> Result<String, Problem> {
    let digits = text.strip_prefix("ami-").unwrap_or_default();
    if is_hexadecimal(digits) && matches!(digits.len(), 8 | 17) {
        return Ok(text.to_owned());
    }
    let problem = Problem::of_value(name, text, "which is not an image identifier");
    Err(problem.hint("it is ami- and 17 (formerly 8) digits from 0 to f; null looks an image up"))
}

fn is_hexadecimal(digits: &str) -> bool {
    digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The path of a file, and no script.
pub(in crate::variables) fn user_data(name: &str, text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.contains('\0') {
        let problem = Problem::of_value(name, text, "which is not the path of a file");
        return Err(problem.hint("null uses the built-in script"));
    }
    if text.starts_with("#!") || text.contains('\n') {
        let problem = Problem::error(None, format!("{name} is a script, but must be the path of a file that holds it"));
        return Err(problem.hint("put the script into a file"));
    }
    Ok(text.to_owned())
}

/// A release of Docker Compose: any text, as it is checked together with its digests.
pub(in crate::variables) fn release(_: &str, text: &str) -> Result<String, Problem> {
    Ok(text.to_owned())
}

/// Digests by architecture, which are checked together with the release.
pub(in crate::variables) fn digests(
    reader: &mut Reader<'_>,
    name: &'static str,
) -> Option<Spot<BTreeMap<String, String>>> {
    reader.map(name).map(plain)
}

/// True for a release of Docker Compose and its digests: both, or neither. They go into a script, so nothing else fits.
fn is_release(reader: &mut Reader<'_>, read: &Read) -> bool {
    const PUBLISHED: &str = "they are published beside each release, as docker-compose-linux-x86_64.sha256 and \
                             docker-compose-linux-aarch64.sha256";
    let (Some(version), Some(known)) = (&read.app_docker_compose_version, &read.app_docker_compose_sha256) else {
        return false;
    };
    let mut wrong = Vec::new();
    if let Some(text) = &version.value {
        let parts: Vec<&str> = text.split('.').collect();
        let is_number = |part: &&str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if parts.len() != 3 || !parts.iter().all(is_number) {
            let problem = Problem::of_value(COMPOSE_VERSION, text, "which is not a release").at(version.at.clone());
            wrong.push(problem.hint("write three numbers, such as 2.29.7"));
        }
    }
    // Once more, as only here each key and value has its place.
    for (architecture, digest) in reader.map(COMPOSE_SHA256).into_iter().flat_map(|digests| digests.value) {
        if !ARCHITECTURES.contains(&architecture.value.as_str()) {
            let summary = format!("{COMPOSE_SHA256} has {}, which is not an architecture", shown(&architecture.value));
            wrong.push(Problem::error(architecture.at.as_ref(), summary).hint("write aarch64 and x86_64"));
        } else if digest.value.len() != 64 || !is_hexadecimal(&digest.value) {
            let summary = format!("{COMPOSE_SHA256} has {} for {}", shown(&digest.value), architecture.value);
            wrong.push(Problem::error(digest.at.as_ref(), summary).hint("write 64 digits from 0 to f, in lower case"));
        }
    }
    let missing: Vec<&str> = ARCHITECTURES.into_iter().filter(|name| !known.value.contains_key(*name)).collect();
    match version.value {
        Some(_) if wrong.is_empty() && !missing.is_empty() => {
            let summary = format!("{COMPOSE_VERSION} is set, but {COMPOSE_SHA256} has no {}", missing.join(", no "));
            wrong.push(Problem::error(version.at.as_ref(), summary).hint(PUBLISHED));
        }
        None if !known.value.is_empty() => {
            let summary = format!("{COMPOSE_SHA256} is set, but {COMPOSE_VERSION} is not");
            wrong.push(Problem::error(known.at.as_ref(), summary).hint(format!("set {COMPOSE_VERSION} as well")));
        }
        Some(_) | None => {}
    }
    let valid = wrong.is_empty();
    wrong.into_iter().for_each(|problem| reader.report.push(problem));
    valid
}

/// Rules that name what they open, each once.
pub(in crate::variables) fn ingress(reader: &mut Reader<'_>, name: &'static str) -> Option<Spot<Vec<IngressRule>>> {
    let objects = reader.objects(name)?;
    let rules: Vec<_> = (objects.value.iter().enumerate())
        .map(|(index, object)| rule(reader, &format!("{name}[{index}]"), object))
        .collect();
    let rules: Vec<IngressRule> = rules.into_iter().collect::<Option<_>>()?;
    let mut seen = BTreeSet::new();
    let mut valid = true;
    for (index, (rule, object)) in rules.iter().zip(&objects.value).enumerate() {
        for network in &rule.cidr_blocks {
            if !seen.insert((rule.protocol.as_str(), rule.from_port, rule.to_port, *network)) {
                valid = false;
                let what = format!("{} {} from {network}", rule.protocol, ports(rule));
                let summary = format!("{name}[{index}] allows {what}, which an earlier rule allows already");
                reader.report.push(Problem::error(object.at.as_ref(), summary).hint("remove one of the two"));
            }
        }
    }
    if seen.len() > MAX_RULES {
        valid = false;
        let summary = format!("{name} makes {} rules, but a security group may have {MAX_RULES}", seen.len());
        reader.report.push(Problem::error(objects.at.as_ref(), summary).detail("each network counts"));
    } else if seen.len() > DEFAULT_RULES {
        let summary = format!("{name} makes {} rules, but the quota is {DEFAULT_RULES} by default", seen.len());
        let warning = Problem::warning(objects.at.as_ref(), summary).detail("each network counts");
        reader.report.push(warning.hint("see that the account's quota of rules per security group is higher"));
    }
    valid.then(|| objects.with(rules))
}

fn ports(rule: &IngressRule) -> String {
    if rule.from_port == rule.to_port {
        format!("port {}", rule.from_port)
    } else {
        format!("ports {} to {}", rule.from_port, rule.to_port)
    }
}

fn rule(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<IngressRule> {
    let known = known_fields(reader, name, object);
    let range = port_range(reader, name, object);
    let protocol = protocol(reader, name, object);
    let networks = networks(reader, name, object);
    let description = description(reader, name, object);
    let ((), (from_port, to_port)) = (known?, range?);
    let rule =
        IngressRule { from_port, to_port, protocol: protocol?, cidr_blocks: networks?, description: description? };
    guard_ports(reader, name, object, &rule).then_some(rule)
}

fn known_fields(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<()> {
    let mut known = Some(());
    for field in object.names() {
        if !INGRESS_FIELDS.contains(&field.value) {
            known = None;
            let summary = format!("{name} has {}, which is not a part of a rule", shown(field.value));
            let problem = Problem::error(field.at.as_ref(), summary);
            reader.report.push(match nearest(field.value, INGRESS_FIELDS) {
                Some(near) => problem.hint(format!("did you mean {near}?")),
                None => problem.hint(format!("the parts are {}", INGRESS_FIELDS.join(", "))),
            });
        }
    }
    known
}

fn port_range(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<(u16, u16)> {
    let read = |reader: &mut Reader<'_>, field: &str| -> Option<Option<Spot<u16>>> {
        let Some(number) = object.whole(reader, field)? else { return Some(None) };
        match u16::try_from(number.value) {
            Ok(port) if port > 0 => Some(Some(number.with(port))),
            Ok(_) | Err(_) => {
                let summary = format!("{field} of {name} is {}, but must be 1 to 65535", number.value);
                reader.report.push(Problem::error(number.at.as_ref(), summary));
                None
            }
        }
    };
    let (port, from, to) = (read(reader, "port"), read(reader, "from_port"), read(reader, "to_port"));
    let wrong = match (port?, from?, to?) {
        (Some(port), None, None) => return Some((port.value, port.value)),
        (None, Some(from), Some(to)) if from.value <= to.value => return Some((from.value, to.value)),
        (None, Some(from), Some(to)) => {
            let summary = format!("from_port of {name} is {}, which is after to_port {}", from.value, to.value);
            reader.report.push(Problem::error(from.at.as_ref(), summary).hint("exchange the two"));
            return None;
        }
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => "has port as well as from_port or to_port",
        (None, Some(_), None) => "has from_port without to_port",
        (None, None, Some(_)) => "has to_port without from_port",
        (None, None, None) => "has no port",
    };
    let problem = Problem::error(object.at.as_ref(), format!("{name} {wrong}"));
    reader.report.push(problem.hint("write port, or from_port and to_port"));
    None
}

fn protocol(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<String> {
    let Some(text) = object.text(reader, "protocol")? else { return Some("tcp".to_owned()) };
    if matches!(text.value.as_str(), "tcp" | "udp") {
        return Some(text.value);
    }
    let summary = format!("protocol of {name} is {}, but must be tcp or udp", shown(&text.value));
    reader.report.push(Problem::error(text.at.as_ref(), summary));
    None
}

fn networks(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<Vec<Ipv4Net>> {
    let Some(list) = object.texts(reader, "cidr_blocks")? else { return Some(vec![Ipv4Net::default()]) };
    if list.value.is_empty() {
        let summary = format!("cidr_blocks of {name} is empty, so the rule allows nothing");
        reader.report.push(Problem::error(list.at.as_ref(), summary).hint("name a network or remove the rule"));
        return None;
    }
    let mut valid = true;
    let mut networks = Vec::new();
    for text in &list.value {
        match parse_network(&text.value) {
            Ok(network) => networks.push(network),
            Err((wrong, hint)) => {
                valid = false;
                let summary = format!("cidr_blocks of {name} has {}, {wrong}", shown(&text.value));
                reader.report.push(Problem::error(text.at.as_ref(), summary).hint(hint));
            }
        }
    }
    valid.then_some(networks)
}

fn description(reader: &mut Reader<'_>, name: &str, object: &Object) -> Option<String> {
    let Some(text) = object.text(reader, "description")? else { return Some(String::new()) };
    let allowed = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    let wrong = if text.value.len() > MAX_DESCRIPTION {
        format!("is longer than {MAX_DESCRIPTION} characters")
    } else if let Some(c) = text.value.chars().find(|c| !allowed(*c)) {
        format!("holds {}, which AWS does not take there", shown(&c.to_string()))
    } else {
        return Some(text.value);
    };
    let problem = Problem::error(text.at.as_ref(), format!("description of {name} {wrong}"));
    reader.report.push(problem.hint("use letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"));
    None
}

/// False if the rule opens a port to the internet that it must not. SSH is only warned of.
fn guard_ports(reader: &mut Reader<'_>, name: &str, object: &Object, rule: &IngressRule) -> bool {
    let Some(internet) = rule.cidr_blocks.iter().find(|network| network.prefix_len() < INTERNET_PREFIX) else {
        return true;
    };
    let holds = |port: u16| rule.protocol == "tcp" && (rule.from_port..=rule.to_port).contains(&port);
    if holds(SSH_PORT) {
        let warning = Problem::warning(object.at.as_ref(), format!("{name} opens port {SSH_PORT} (SSH) to {internet}"));
        reader.report.push(warning.hint("name the networks you come from in cidr_blocks"));
    }
    if holds(DATABASE_PORT) {
        let summary = format!("{name} opens port {DATABASE_PORT} (PostgreSQL) to {internet}");
        let problem = Problem::error(object.at.as_ref(), summary)
            .detail("the database is for the application alone, which must not pass it on to the internet");
        reader.report.push(problem.hint("leave the port out, or name a smaller network in cidr_blocks"));
        return false;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::is_arm;

    #[test]
    fn arm_types() {
        for arm in [
            "t4g.micro",
            "m6g.large",
            "m6gd.xlarge",
            "c6gn.large",
            "im4gn.large",
            "is4gen.large",
            "x2gd.large",
            "g5g.xlarge",
            "a1.large",
            "hpc7g.4xlarge",
            "r8g.metal-48xl",
            "i8ge.large",
        ] {
            assert!(is_arm(arm), "{arm}");
        }
        for x86 in [
            "t3.small",
            "g4dn.xlarge",
            "g5.xlarge",
            "g6e.xlarge",
            "gr6.4xlarge",
            "p4de.24xlarge",
            "c7i-flex.large",
            "u-6tb1.112xlarge",
            "m5.large",
            "t3a.small",
            "mac1.metal",
            "z1d.large",
            "x2iedn.large",
        ] {
            assert!(!is_arm(x86), "{x86}");
        }
    }
}
