//! `RunInstances`: what is checked, and what an instance starts with.

pub(crate) mod need;
pub(crate) mod rules;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use self::rules as rule;
use crate::aws::catalog::{self, Image, InstanceType};
use crate::aws::ec2::instance::{Instance, Phase, Protection};
use crate::aws::ec2::network_interface::rules as interface_rule;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::volume;
use crate::aws::ec2::volume::rules as volume_rule;
use crate::aws::error::Answer;
use crate::aws::record::{Tags, Text, common_object, object};
use crate::aws::{Account, quotas};
use crate::rules::{Refusal, Rule, catalog as catalog_rule, token};

/// The most bytes of user data, before encoding.
const USER_DATA_LIMIT: usize = 16_384;

/// A launch that was checked.
struct Launch {
    count: i64,
    kind: Text,
    image: Text,
    subnet: Text,
    vpc: Text,
    zone: Text,
    groups: Vec<Text>,
    public: bool,
    keep_interface: bool,
    root: RootVolume,
    metadata: Value,
    tags: Tags,
}

/// The root volume of a launch.
pub(crate) struct RootVolume {
    pub(crate) size: i64,
    pub(crate) kind: Text,
    pub(crate) encrypted: bool,
    pub(crate) delete_on_termination: bool,
}

impl Account {
    pub(crate) fn run_instances(&mut self, now: Instant, request: &Request) -> Answer {
        if let Some(ids) = self.made_by_token(request)? {
            return self.launched_before(now, &ids);
        }
        let launch = self.check_launch(now, request)?;
        self.check_capacity(request.operation(), [&launch.kind, &launch.zone])?;
        let ids: Vec<Text> = (0..launch.count).filter_map(|_| self.launch(now, request, &launch)).collect();
        let instances = ids.iter().map(|id| self.described::<Instance>(now, id)).collect();
        self.remember_token(request, ids);
        Ok(object([("Instances", Value::List(instances))]))
    }

    fn launched_before(&self, now: Instant, ids: &[Text]) -> Answer {
        let there = |id: &&Text| self.instances.get(*id).is_some_and(|instance| !instance.is_terminated(now));
        if !ids.iter().all(|id| there(&id)) {
            return Err(token::TERMINATED.refuse([]));
        }
        let instances = ids.iter().map(|id| self.described::<Instance>(now, id)).collect();
        Ok(object([("Instances", Value::List(instances))]))
    }

    fn check_launch(&self, now: Instant, request: &Request) -> Result<Launch, Refusal> {
        let count = |name: &str| match request.arg(name).as_i64() {
            Some(count) if count > 0 => Ok(count),
            Some(_) | None => Err(rule::COUNT.refuse([request.arg(name), &name])),
        };
        let text = |name: &str| request.arg(name).shared_str().unwrap_or_default();
        let (min, max) = (count("MinCount")?, count("MaxCount")?);
        if min > max {
            return Err(rule::COUNT_ORDER.refuse([&min]));
        }
        let kind = request.text("InstanceType");
        let known = catalog::instance_type(kind).ok_or_else(|| rule::TYPE.refuse([&kind]))?;
        let image = request.text("ImageId");
        if image.starts_with("resolve:ssm:") {
            return Err(catalog_rule::RESOLVED.refuse([&image]));
        }
        let image = self.image(image)?;
        if image.architecture != known.architecture {
            return Err(rule::ARCHITECTURE.refuse([&known.architecture, &image.architecture]));
        }
        let interfaces = request.arg("NetworkInterfaces").as_list().unwrap_or_default();
        let [interface] = interfaces else {
            return Err(rule::ONE_INTERFACE.refuse([]));
        };
        if !matches!(interface.get("DeviceIndex").as_i64(), Some(0)) {
            return Err(rule::DEVICE_INDEX.refuse([]));
        }
        let Some(subnet_id) = interface.get("SubnetId").as_str() else {
            return Err(rule::SUBNET.refuse([]));
        };
        let subnet = self.get::<Subnet>(now, subnet_id)?;
        let groups = self.launch_groups(now, interface, subnet)?;
        if request.text("UserData").len() > USER_DATA_LIMIT {
            return Err(rule::USER_DATA.refuse([]));
        }
        self.check_offering(kind, known, &subnet.zone)?;
        self.check_free_plan(kind, &rule::FREE_PLAN)?;
        self.check_vcpus(now, known.vcpus.saturating_mul(u32::try_from(max).unwrap_or(u32::MAX)))?;
        let root = root_volume(request.arg("BlockDeviceMappings"), &image)?;
        let free = i64::try_from(subnet.pool.available()).unwrap_or(i64::MAX);
        if free < min {
            return Err(rule::FREE_ADDRESSES.refuse([]));
        }
        let count = max.min(free);
        let more = usize::try_from(count).unwrap_or(usize::MAX);
        let there = self.interfaces.len().saturating_add(more).saturating_sub(1);
        quotas::room(there, self.quotas.network_interfaces, &interface_rule::QUOTA)?;
        Ok(Launch {
            count,
            kind: text("InstanceType"),
            metadata: metadata_options(request.arg("MetadataOptions"), &image)?,
            image: text("ImageId"),
            subnet: subnet.meta.id.clone(),
            vpc: subnet.vpc.clone(),
            zone: subnet.zone.clone(),
            groups,
            public: interface.get("AssociatePublicIpAddress").as_bool().unwrap_or(false),
            keep_interface: interface.get("DeleteOnTermination").as_bool() == Some(false),
            root,
            tags: self.new_tags(request)?,
        })
    }

    fn launch_groups(&self, now: Instant, interface: &Value, subnet: &Subnet) -> Result<Vec<Text>, Refusal> {
        let named = interface.get("Groups").as_list().unwrap_or_default();
        let named: Vec<Text> = named.iter().filter_map(Value::shared_str).collect();
        if named.is_empty() {
            return Ok(self.vpcs.get(&subnet.vpc).map(|vpc| vpc.default_group.clone()).into_iter().collect());
        }
        self.check_groups(now, &named, &subnet.vpc, &subnet.meta.id)?;
        Ok(named)
    }

    /// Refuses a type that the zone does not offer.
    pub(crate) fn check_offering(&self, kind: &str, known: InstanceType, zone: &str) -> Result<(), Refusal> {
        if known.is_offered(zone) {
            return Ok(());
        }
        let mut others = catalog::zones(&self.options.region);
        others.retain(|other| known.is_offered(other));
        Err(rule::OFFERED.refuse([&kind, &zone, &others.join(", ")]))
    }

    /// Refuses a type that the Free plan does not have, if the account is on it.
    pub(crate) fn check_free_plan(&self, kind: &str, rule: &'static Rule) -> Result<(), Refusal> {
        let may_have = !self.options.free_plan || catalog::FREE_PLAN_TYPES.contains(&kind);
        may_have.then_some(()).ok_or_else(|| rule.refuse([]))
    }

    /// Refuses so many more vCPUs if the account may not have them.
    pub(crate) fn check_vcpus(&self, now: Instant, more: u32) -> Result<(), Refusal> {
        let Some(allowed) = self.quotas.vcpus else { return Ok(()) };
        let counts = |instance: &&Instance| matches!(instance.state(now), "pending" | "running" | "stopping");
        let running = self.instances.values().filter(counts);
        let used: u32 = running.filter_map(|i| catalog::instance_type(&i.kind)).map(|kind| kind.vcpus).sum();
        if used.saturating_add(more) <= allowed {
            return Ok(());
        }
        Err(rule::VCPUS.refuse([&allowed]))
    }

    fn launch(&mut self, now: Instant, request: &Request, launch: &Launch) -> Option<Text> {
        let id = self.new_id("i-");
        let interface = self.new_interface(&launch.subnet, &launch.groups, id.clone())?;
        let private_ip = self.interface_ip(&interface)?;
        let (running, attached, address) = self.starting(now);
        let failure = self.take_doom(request.operation());
        let volume = self.new_root_volume(now, &launch.root, &launch.zone, &id, attached, launch.tags.clone());
        let failed = failure.is_some();
        let instance = Instance {
            meta: self.new_meta(now, id.clone(), launch.tags.clone()),
            image: launch.image.clone(),
            kind: launch.kind.clone(),
            subnet: launch.subnet.clone(),
            vpc: launch.vpc.clone(),
            zone: launch.zone.clone(),
            interface,
            keep_interface: launch.keep_interface,
            private_ip,
            volume,
            metadata: launch.metadata.clone(),
            token: request.arg("ClientToken").shared_str().unwrap_or_default(),
            public: launch.public,
            public_ip: launch.public.then_some(address),
            attached,
            phase: if failed { Phase::Fail(attached) } else { Phase::Start(running) },
            failure,
            protection: Protection::default(),
        };
        self.instances.insert(id.clone(), instance);
        if failed {
            self.end_instance(&id, attached);
        }
        Some(id)
    }
}

fn root_volume(mappings: &Value, image: &Image) -> Result<RootVolume, Refusal> {
    let mappings = mappings.as_list().unwrap_or_default();
    let is_root = |mapping: &&Value| mapping.get("DeviceName").as_str() == Some(catalog::ROOT_DEVICE);
    if let Some(other) = mappings.iter().find(|mapping| !is_root(mapping)) {
        return Err(rule::ROOT_DEVICE.refuse([&catalog::ROOT_DEVICE, other.get("DeviceName")]));
    }
    if mappings.len() > 1 {
        return Err(rule::ONE_MAPPING.refuse([&catalog::ROOT_DEVICE]));
    }
    let mapping = mappings.first().unwrap_or(&Value::Null);
    let size = mapping.get("VolumeSize").as_i64().unwrap_or(image.root_size);
    if size < image.root_size {
        let snapshot = image.id.replace("ami-", "snap-");
        return Err(rule::ROOT_SIZE.refuse([&size, &snapshot, &image.root_size]));
    }
    let kind = mapping.get("VolumeType").as_str().unwrap_or(image.root_type);
    match kind {
        "gp2" | "gp3" | "standard" => volume::check_size(kind, size)?,
        "io1" | "io2" => return Err(volume_rule::IOPS.refuse([&kind])),
        "st1" | "sc1" => return Err(volume_rule::BOOT.refuse([&kind])),
        _ => return Err(volume_rule::TYPE.refuse([&kind])),
    }
    Ok(RootVolume {
        size,
        kind: mapping.get("VolumeType").shared_str().unwrap_or_else(|| kind.into()),
        encrypted: mapping.get("Encrypted").as_bool().unwrap_or(false),
        delete_on_termination: mapping.get("DeleteOnTermination").as_bool().unwrap_or(true),
    })
}

/// Options left out follow the image.
fn metadata_options(asked: &Value, image: &Image) -> Result<Value, Refusal> {
    let (tokens, hops) = if image.needs_tokens { ("required", 2) } else { ("optional", 1) };
    let tokens = asked.get("HttpTokens").as_str().unwrap_or(tokens);
    let hops = asked.get("HttpPutResponseHopLimit").as_i64().unwrap_or(hops);
    let endpoint = asked.get("HttpEndpoint").as_str().unwrap_or("enabled");
    if !matches!(tokens, "optional" | "required") {
        return Err(rule::TOKENS.refuse([&tokens]));
    }
    if !matches!(endpoint, "enabled" | "disabled") {
        return Err(rule::ENDPOINT.refuse([&endpoint]));
    }
    if !(1..=64).contains(&hops) {
        return Err(rule::HOPS.refuse([&hops]));
    }
    Ok(common_object([
        ("HttpEndpoint", endpoint.into()),
        ("HttpPutResponseHopLimit", hops.into()),
        ("HttpTokens", tokens.into()),
    ]))
}
