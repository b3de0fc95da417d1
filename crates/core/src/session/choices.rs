//! What AWS offers and aloka chooses once: zones, image, engine version. Recorded, then never chosen again unless
//! the user asks for it.

use std::collections::BTreeSet;

use super::claim::{slots_of, zones_of};
use super::{Inputs, Known, Problem, Replies, read};
use crate::api::{Call, Ec2, Operation, Rds, Ssm};
use crate::declarable;
use crate::diff::version;
use crate::kind::Kind;
use crate::plan::Node;
use crate::resource::Phase;
use crate::settings;
use crate::stack::{self, app_address, app_subnet, zones_needed};
use crate::state::{Choice, Choices, Image, State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::{AmiFamily, Variables};

/// The engine version the architecture was written for.
const SEED_ENGINE_VERSION: (u32, u32) = (15, 4);
/// Size of the root volume of the standard Amazon Linux 2 and 2023 images.
const AMAZON_LINUX_ROOT_GIB: u32 = 8;
/// PostgreSQL 15 versions that RDS offered in October 2026, for endpoints that do not list them.
const KNOWN_ENGINE_VERSIONS: [&str; 7] = ["15.13", "15.14", "15.15", "15.16", "15.17", "15.18", "15.19"];

/// The public parameter that names the newest image of a family (Systems Manager, public parameters).
const fn parameter(family: AmiFamily) -> &'static str {
    match family {
        AmiFamily::AmazonLinux2 => "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2",
        AmiFamily::Al2023 => "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64",
    }
}

const fn family_name(family: AmiFamily) -> &'static str {
    match family {
        AmiFamily::AmazonLinux2 => "amazon-linux-2",
        AmiFamily::Al2023 => "al2023",
    }
}

/// True for reads whose answer can be replaced by what is known anyway, or is not needed to know what to do.
pub(super) fn can_do_without(call: &Call) -> bool {
    match call.operation {
        Operation::Rds(Rds::DescribeDBEngineVersions)
        | Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)
        | Operation::Ec2(Ec2::DescribeTags) => true,
        // All databases, to see those that are not recorded; of the recorded one there is a read of its own.
        Operation::Rds(Rds::DescribeDBInstances) => call.arg("DBInstanceIdentifier").is_null(),
        _ => false,
    }
}

/// Choices that the state makes without asking: recorded ones, and those its objects show. What was taken from objects is
/// taken from them again each time, so that it goes when they are gone.
fn settled(state: &State, inputs: &Inputs) -> Choices {
    let variables = &inputs.variables;
    let mut choices = state.private.choices.clone();
    let taken = std::mem::take(&mut choices.from_objects);
    if taken.contains(&Choice::AvailabilityZones) {
        choices.availability_zones.clear();
    }
    if taken.contains(&Choice::Image) {
        choices.image = None;
    }
    if taken.contains(&Choice::DbEngineVersion) {
        choices.db_engine_version = None;
    }
    if !variables.availability_zones.is_empty() {
        choices.availability_zones.clone_from(&variables.availability_zones);
    } else if choices.availability_zones.is_empty() {
        choices.availability_zones = zones_of(state);
        if !choices.availability_zones.is_empty() {
            choices.from_objects.insert(Choice::AvailabilityZones);
        }
    }
    let wanted = variables.app_ami_id.as_deref().unwrap_or(family_name(variables.app_ami_family));
    let recorded = state.resources.iter().find(|(address, _)| address.kind == Kind::Instance);
    let recorded = recorded.and_then(|(_, resource)| resource.attributes.get("ami")?.as_str());
    if choices.image.is_none()
        && variables.app_ami_id.is_none()
        && !inputs.upgrade
        && let Some(id) = recorded
    {
        choices.image = Some(amazon_linux(id, wanted));
        choices.from_objects.insert(Choice::Image);
    }
    let upgrade_image = inputs.upgrade && variables.app_ami_id.is_none();
    choices.image = choices.image.filter(|image| image.chosen_for == wanted && !upgrade_image);
    if choices.db_engine_version.is_none() && !inputs.upgrade {
        let database = state.resources.iter().find(|(address, _)| address.kind == Kind::DbInstance);
        let version = database.and_then(|(_, resource)| resource.attributes.get("engine_version")?.as_str());
        if let Some(version) = version {
            choices.db_engine_version = Some(version.to_owned());
            choices.from_objects.insert(Choice::DbEngineVersion);
        }
    }
    if inputs.upgrade {
        choices.db_engine_version = None;
    }
    choices
}

/// What a plan that only records has chosen is not chosen for good: objects that are recorded later may show otherwise. `before`
/// is what was chosen before.
pub(super) fn leave_open(choices: &mut Choices, before: &Choices) {
    let Choices { availability_zones, image, db_engine_version, from_objects, db_settings: _, leave_default_group: _ } =
        before;
    let fixed = [
        (Choice::AvailabilityZones, availability_zones.is_empty()),
        (Choice::Image, image.is_none()),
        (Choice::DbEngineVersion, db_engine_version.is_none()),
    ];
    let open = fixed.into_iter().filter(|(choice, is_open)| *is_open || from_objects.contains(choice));
    choices.from_objects.extend(open.map(|(choice, _)| choice));
}

/// True if the default group of the VPC stays as it is: the VPC was not made by aloka, and the state that it was taken over
/// from does not record the group. Somebody may use it.
pub(super) fn leaves_default_group(known: &Known) -> bool {
    let Known { state, observed, ownership, .. } = known;
    let vpc = Target::current(stack::vpc());
    let stands = observed.get(&vpc).is_some_and(|found| found.phase != Phase::Gone);
    if !stands || state.resources.contains_key(&stack::default_group()) {
        return false;
    }
    let is_made_by_us = state.private.generations.contains_key(&vpc.address);
    state.private.choices.leave_default_group || !is_made_by_us || ownership.unclaimed(&vpc).is_some()
}

/// What the owner of the database has made of settings that the variables leave to him: what it shows while it is there,
/// what the state `recorded` of it once it is gone, and what was noted of it while another takes its place.
pub(super) fn db_settings(recorded: &State, known: &Known, variables: &Variables) -> ValueMap {
    let databases = known.observed.iter().filter(|(target, _)| target.address.kind == Kind::DbInstance);
    let current = databases.filter(|(target, found)| target.deposed.is_none() && found.phase != Phase::Gone);
    let lost = recorded
        .resources
        .iter()
        .find(|(address, _)| address.kind == Kind::DbInstance && declarable::is_declarable(address));
    let present = current.map(|(_, found)| &*found.attributes).next();
    let present = present.or(lost.map(|(_, resource)| &*resource.attributes));
    settings::of_owner(variables, present.unwrap_or(&known.state.private.choices.db_settings))
}

/// The reads that are needed to choose what objects showed that are gone, as far as they were not made already.
pub(super) fn missing(state: &State, inputs: &Inputs, replies: &Replies<'_>) -> Vec<Node> {
    let open = reads(state, inputs).into_iter();
    open.filter(|(_, call)| replies.of(call.operation).is_empty()).map(read).collect()
}

fn amazon_linux(id: &str, chosen_for: &str) -> Image {
    Image {
        id: id.to_owned(),
        chosen_for: chosen_for.to_owned(),
        root_device_name: "/dev/xvda".to_owned(),
        // The size of every standard Amazon Linux image; it is sent, so that the volume can be asked for encrypted.
        root_volume_gib: Some(AMAZON_LINUX_ROOT_GIB),
    }
}

/// True if zones are still to be chosen: too few, or a slot of which nothing is known. While objects are recorded one by one,
/// those of subnets that are still to come are: unless a zone is there twice, the next subnet may be in another.
fn is_open(choices: &Choices, state: &State, inputs: &Inputs) -> bool {
    let zones = &choices.availability_zones;
    let needed = zones_needed(&inputs.variables);
    let is_unknown = zones.len() < needed.min(2) || zones.iter().any(String::is_empty);
    let is_taken = choices.from_objects.contains(&Choice::AvailabilityZones);
    let begins_again = slots_of(state) > zones.len();
    is_unknown || (inputs.recording && is_taken && !begins_again && zones.len() < needed)
}

/// Gives every open slot a zone, one that no other slot has if there is one.
fn fill(slots: &mut Vec<String>, offered: &[String]) {
    let fresh: Vec<String> = offered.iter().filter(|zone| !slots.contains(zone)).cloned().collect();
    let mut fresh = fresh.into_iter().chain(offered.iter().cycle().cloned());
    slots.resize(slots.len().max(offered.len()), String::new());
    for slot in slots.iter_mut().filter(|slot| slot.is_empty()) {
        *slot = fresh.next().unwrap_or_default();
    }
}

/// The reads that are needed to choose what is not chosen yet.
pub(super) fn reads(state: &State, inputs: &Inputs) -> Vec<(Kind, Call)> {
    let settled = settled(state, inputs);
    let variables = &inputs.variables;
    let mut calls = Vec::new();
    if is_open(&settled, state, inputs) {
        calls.push((Kind::Subnet, Call::new(Ec2::DescribeAvailabilityZones, [])));
    }
    if is_open(&settled, state, inputs) || servers_of_new_type(state, variables).next().is_some() {
        let filters = Value::map([("instance-type", Value::list([variables.app_instance_type.as_str()]))]);
        let args = [("LocationType", Value::str("availability-zone")), ("Filters", filters)];
        calls.push((Kind::Subnet, Call::new(Ec2::DescribeInstanceTypeOfferings, args)));
    }
    if settled.image.is_none() {
        calls.push(match &variables.app_ami_id {
            Some(id) => (Kind::Instance, Call::new(Ec2::DescribeImages, [("ImageIds", Value::list([id.as_str()]))])),
            None => {
                let name = Value::str(parameter(variables.app_ami_family));
                (Kind::Instance, Call::new(Ssm::GetParameter, [("Name", name)]))
            }
        });
    }
    if variables.db_engine_version.is_none() && settled.db_engine_version.is_none() {
        let args = [("Engine", Value::str("postgres"))];
        calls.push((Kind::DbInstance, Call::new(Rds::DescribeDBEngineVersions, args)));
    }
    calls
}

/// Servers, by number, that are to be made or to get another type.
fn servers_of_new_type<'a>(state: &'a State, variables: &'a Variables) -> impl Iterator<Item = u32> + 'a {
    let count = variables.app_instance_count;
    (0..count).filter(move |at| {
        let present = state.attribute(&app_address(*at, count), "instance_type").and_then(Value::as_str);
        present != Some(variables.app_instance_type.as_str())
    })
}

/// Refuses a type of instances that AWS does not offer where a server is to have it, before anything is stopped for it.
fn check_offering(
    state: &State,
    variables: &Variables,
    zones: &[String],
    replies: &Replies<'_>,
    warnings: &mut Vec<String>,
) -> Option<Problem> {
    let servers: Vec<u32> = servers_of_new_type(state, variables).collect();
    let wanted = &variables.app_instance_type;
    let first = servers.first()?;
    let impossible = |summary, hint: String| Some(Problem::Impossible { summary, hint });
    let (_, answer) = replies.of(Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)).first()?;
    if let Err(error) = answer {
        warnings.push(format!("it is not known whether AWS offers app_instance_type = \"{wanted}\": {error}"));
        return None;
    }
    let offered = offering_zones(replies);
    if offered.is_empty() {
        let first = app_address(*first, variables.app_instance_count);
        return impossible(
            format!("{first}: AWS does not offer app_instance_type = \"{wanted}\" in {}", variables.aws_region),
            "correct app_instance_type, or choose another aws_region".to_owned(),
        );
    }
    for at in servers {
        let slot = usize::try_from(app_subnet(variables, at)).ok()?.checked_rem(zones.len())?;
        let zone = zones.get(slot)?;
        if !offered.contains(zone) {
            let address = app_address(at, variables.app_instance_count);
            let offered = offered.iter().cloned().collect::<Vec<_>>().join(", ");
            return impossible(
                format!("{address} is in {zone}, where AWS does not offer app_instance_type = \"{wanted}\""),
                format!("choose another app_instance_type; AWS offers this one in {offered}"),
            );
        }
    }
    None
}

/// Zones that offer the type of instances that was asked for.
fn offering_zones(replies: &Replies<'_>) -> BTreeSet<String> {
    let offerings = replies.items(Operation::Ec2(Ec2::DescribeInstanceTypeOfferings), "InstanceTypeOfferings");
    offerings.filter_map(|offering| offering.get("Location").as_str().map(str::to_owned)).collect()
}

/// What is to be known of the family of images that is taken because nobody chose one. Whoever wrote it down knows.
fn support_ended(inputs: &Inputs) -> Option<String> {
    let Inputs { variables, origins, .. } = inputs;
    let is_default = variables.app_ami_id.is_none() && !origins.contains_key("app_ami_family");
    if !is_default || variables.app_instance_count == 0 {
        return None;
    }
    match variables.app_ami_family {
        AmiFamily::AmazonLinux2 => Some(
            "support of Amazon Linux 2, the default of app_ami_family, ended on 2026-06-30, and new servers would run it: write \
             app_ami_family = \"al2023\" into terraform.tfvars, or \"amazon-linux-2\" to keep it"
                .to_owned(),
        ),
        AmiFamily::Al2023 => None,
    }
}

/// Majors of PostgreSQL whose standard support on RDS is over, and when it ended (RDS User Guide, "Release calendar for
/// Amazon RDS for PostgreSQL", November 2026). What follows is [`SURCHARGE`].
const PAST_SUPPORT: [(&str, &str); 1] = [("13", "2026-02-28")];
/// What Extended Support costs (prices of us-east-1, November 2026).
const SURCHARGE: &str = "RDS charges Extended Support for it, in us-east-1 0.10 USD per vCPU and hour, doubled for a standby and \
                         again from its third year on, which is 146 USD a month for a db.t3.micro";

/// What a database of a major version past its standard support costs on top.
fn surcharge(variables: &Variables, version: Option<&str>) -> Option<String> {
    let version = variables.db_engine_version.as_deref().or(version)?;
    let major = version.split_once('.').map_or(version, |(major, _)| major);
    let (major, ended) = PAST_SUPPORT.into_iter().find(|(past, _)| *past == major)?;
    Some(format!(
        "standard support of PostgreSQL {major} ended on {ended}: {SURCHARGE}; set db_engine_version to a later major version for \
         a new database, or upgrade the one there is in the AWS console"
    ))
}

/// Chooses from the answers to [`reads`].
pub(super) fn choose(
    state: &State,
    inputs: &Inputs,
    replies: &Replies<'_>,
    warnings: &mut Vec<String>,
) -> Result<Choices, Vec<Problem>> {
    let mut choices = settled(state, inputs);
    let mut problems = Vec::new();
    let variables = &inputs.variables;
    if is_open(&choices, state, inputs) {
        match zones(variables, replies) {
            Ok(zones) => fill(&mut choices.availability_zones, &zones),
            Err(problem) => problems.push(problem),
        }
    }
    problems.extend(check_offering(state, variables, &choices.availability_zones, replies, warnings));
    if choices.image.is_none() {
        match image(inputs, replies) {
            Some(image) => {
                choices.image = Some(image);
                warnings.extend(support_ended(inputs));
            }
            None => problems.push(Problem::Impossible {
                summary: format!("no image found for app_ami_family = \"{}\"", family_name(variables.app_ami_family)),
                hint: "set app_ami_id to an image of this Region".to_owned(),
            }),
        }
    }
    if variables.db_engine_version.is_none() && choices.db_engine_version.is_none() {
        choices.db_engine_version = engine_version(replies, warnings);
        if choices.db_engine_version.is_none() {
            problems.push(Problem::Impossible {
                summary: "RDS offers no PostgreSQL 15 from 15.4 on in this Region".to_owned(),
                hint: "set db_engine_version to a version on offer".to_owned(),
            });
        }
    }
    if !inputs.recording {
        warnings.extend(surcharge(variables, choices.db_engine_version.as_deref()));
    }
    if problems.is_empty() { Ok(choices) } else { Err(problems) }
}

/// True if the zone is one of the Region's own and open to the account: neither a local nor a wavelength zone, which have no
/// database and no NAT gateway. Where the endpoint tells no type, theirs are the longer names.
fn is_availability_zone(zone: &Value, region: &str) -> bool {
    let is_open = zone.get("OptInStatus").as_str() != Some("not-opted-in");
    let is_own = match zone.get("ZoneType").as_str() {
        Some(kind) => kind == "availability-zone",
        None => zone.get("ZoneName").as_str().is_some_and(|name| name.len() == region.len() + 1),
    };
    is_open && is_own
}

/// The first zones, by name, that are open and offer the instance type.
fn zones(variables: &Variables, replies: &Replies<'_>) -> Result<Vec<String>, Problem> {
    let text = |item: &Value, name: &str| item.get(name).as_str().map(str::to_owned);
    let open: BTreeSet<String> = replies
        .items(Operation::Ec2(Ec2::DescribeAvailabilityZones), "AvailabilityZones")
        .filter(|zone| zone.get("State").as_str().is_none_or(|state| state == "available"))
        .filter(|zone| is_availability_zone(zone, &variables.aws_region))
        .filter_map(|zone| text(zone, "ZoneName"))
        .collect();
    let offering = offering_zones(replies);
    let good: Vec<String> =
        open.iter().filter(|zone| offering.is_empty() || offering.contains(*zone)).cloned().collect();
    let wanted = zones_needed(variables);
    if good.len() < 2 {
        let listed = |zones: &BTreeSet<String>| zones.iter().cloned().collect::<Vec<_>>().join(", ");
        return Err(Problem::Impossible {
            summary: format!(
                "{} is offered in {} of the zones open in {}; the database needs 2",
                variables.app_instance_type,
                good.len(),
                variables.aws_region
            ),
            hint: format!("choose another app_instance_type or aws_region (open: {})", listed(&open)),
        });
    }
    Ok(good.into_iter().take(wanted).collect())
}

fn image(inputs: &Inputs, replies: &Replies<'_>) -> Option<Image> {
    let variables = &inputs.variables;
    let Some(id) = &variables.app_ami_id else {
        let parameter = replies.of(Operation::Ssm(Ssm::GetParameter)).iter().find_map(|(_, reply)| reply.ok())?;
        return Some(amazon_linux(parameter.get("Value").as_str()?, family_name(variables.app_ami_family)));
    };
    let found =
        replies.items(Operation::Ec2(Ec2::DescribeImages), "Images").find(|i| i.get("ImageId").as_str() == Some(id))?;
    let size = found.get("RootVolumeSize").as_i64().and_then(|size| u32::try_from(size).ok());
    Some(Image {
        id: id.clone(),
        chosen_for: id.clone(),
        root_device_name: found.get("RootDeviceName").as_str().unwrap_or("/dev/xvda").to_owned(),
        root_volume_gib: size,
    })
}

/// The seed's version, or the nearest newer one of the same major.
fn engine_version(replies: &Replies<'_>, warnings: &mut Vec<String>) -> Option<String> {
    let answers = replies.of(Operation::Rds(Rds::DescribeDBEngineVersions));
    let offered: Vec<Value> = if answers.iter().any(|(_, reply)| reply.is_ok()) {
        let items = replies.items(Operation::Rds(Rds::DescribeDBEngineVersions), "DBEngineVersions");
        items.map(|item| item.get("EngineVersion").clone()).collect()
    } else {
        warnings.push(format!(
            "the endpoint does not list PostgreSQL versions; choosing from those known in October 2026 ({} to {})",
            KNOWN_ENGINE_VERSIONS[0],
            KNOWN_ENGINE_VERSIONS[KNOWN_ENGINE_VERSIONS.len() - 1]
        ));
        KNOWN_ENGINE_VERSIONS.iter().map(Value::str).collect()
    };
    let of_major =
        offered.iter().filter_map(version).filter(|v| v.0 == SEED_ENGINE_VERSION.0 && *v >= SEED_ENGINE_VERSION);
    of_major.min().map(|(major, minor)| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_by_their_type_and_not_by_their_name() {
        let zone = |name: &str, kind: &str, opt_in: &str| {
            let fields = [("ZoneName", name), ("ZoneType", kind), ("OptInStatus", opt_in)];
            Value::map(
                fields.into_iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| (key, Value::str(value))),
            )
        };
        let is_own = |name, kind, opt_in| is_availability_zone(&zone(name, kind, opt_in), "us-east-1");
        assert!(is_own("us-east-1a", "availability-zone", "opt-in-not-required"));
        assert!(is_own("us-east-1-az12", "availability-zone", "opt-in-not-required"), "however it is called");
        assert!(is_own("us-east-1b", "availability-zone", "opted-in"));
        assert!(!is_own("us-east-1b", "availability-zone", "not-opted-in"));
        assert!(!is_own("us-east-1x", "local-zone", "opted-in"));
        assert!(!is_own("us-east-1-bos-1a", "local-zone", "opted-in"));
        // An endpoint that tells no type.
        assert!(is_own("us-east-1a", "", ""));
        assert!(!is_own("us-east-1-bos-1a", "", ""));
    }
}
