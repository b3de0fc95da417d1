//! `RunInstances`: what is checked, and what an instance starts with.

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use super::catalog::{self, Image, InstanceType};
use super::error::Answer;
use super::error::refuse;
use super::instance::{Instance, Phase};
use super::record::{Tags, object};
use super::subnet::Subnet;
use super::{Account, quotas};
use crate::rules::{Refusal, interface};

/// The most bytes of user data, before encoding.
const USER_DATA_LIMIT: usize = 16_384;

/// A launch that was checked.
struct Launch {
    count: i64,
    kind: String,
    image: Image,
    subnet: String,
    vpc: String,
    zone: String,
    groups: Vec<String>,
    public: bool,
    keep_interface: bool,
    root: RootVolume,
    metadata: Value,
    tags: Tags,
}

/// The root volume of a launch.
pub(crate) struct RootVolume {
    pub(crate) size: i64,
    pub(crate) kind: String,
    pub(crate) encrypted: bool,
    pub(crate) delete_on_termination: bool,
}

fn invalid(message: String) -> Refusal {
    refuse("InvalidParameterValue", message)
}

impl Account {
    pub(crate) fn run_instances(&mut self, now: Instant, request: &Request) -> Answer {
        let token = request.text("ClientToken");
        if token.len() > 64 || !token.is_ascii() {
            return Err(refuse("InvalidClientToken", "The client token must be at most 64 ASCII characters."));
        }
        if let Some(ids) = self.made_by_token(request)? {
            return self.launched_before(now, &ids);
        }
        let launch = self.check_launch(now, request)?;
        let ids: Vec<String> = (0..launch.count).filter_map(|_| self.launch(now, request, &launch)).collect();
        let instances = ids.iter().map(|id| self.described::<Instance>(now, id)).collect();
        self.remember_token(request, ids);
        Ok(object([("Instances", Value::List(instances))]))
    }

    fn launched_before(&self, now: Instant, ids: &[String]) -> Answer {
        let there = |id: &&String| self.instances.get(*id).is_some_and(|instance| !instance.is_terminated(now));
        if !ids.iter().all(|id| there(&id)) {
            let message = "The client token is associated with a resource that is already terminated. Use a different \
                           client token.";
            return Err(refuse("IdempotentInstanceTerminated", message));
        }
        let instances = ids.iter().map(|id| self.described::<Instance>(now, id)).collect();
        Ok(object([("Instances", Value::List(instances))]))
    }

    fn check_launch(&self, now: Instant, request: &Request) -> Result<Launch, Refusal> {
        let count = |name: &str| match request.arg(name).as_i64() {
            Some(count) if count > 0 => Ok(count),
            Some(_) | None => Err(invalid(format!("Value ({}) for parameter {name} is invalid.", request.arg(name)))),
        };
        let (min, max) = (count("MinCount")?, count("MaxCount")?);
        if min > max {
            return Err(invalid(format!("Value ({min}) for parameter MinCount is invalid. It is above MaxCount.")));
        }
        let kind = request.text("InstanceType");
        let known = catalog::instance_type(kind);
        let known = known.ok_or_else(|| invalid(format!("Invalid value '{kind}' for InstanceType.")))?;
        let image = self.image(request.text("ImageId"))?;
        if image.architecture != known.architecture {
            return Err(invalid(format!(
                "The architecture '{}' of the specified instance type does not match the architecture '{}' of the \
                 specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.",
                known.architecture, image.architecture
            )));
        }
        let interfaces = request.arg("NetworkInterfaces").as_list().unwrap_or_default();
        let [interface] = interfaces else {
            return Err(invalid("Exactly one network interface is supported here".to_owned()));
        };
        if !matches!(interface.get("DeviceIndex").as_i64(), Some(0)) {
            return Err(invalid("The primary network interface must have device index 0".to_owned()));
        }
        let Some(subnet_id) = interface.get("SubnetId").as_str() else {
            let message = "No default VPC for this user. GroupName is only supported for EC2-Classic and default VPC.";
            return Err(refuse("VPCIdNotSpecified", message));
        };
        let subnet = self.get::<Subnet>(now, subnet_id)?;
        let groups = self.launch_groups(now, interface, subnet)?;
        if request.text("UserData").len() > USER_DATA_LIMIT {
            return Err(invalid(format!("User data is limited to {USER_DATA_LIMIT} bytes")));
        }
        self.check_offering(kind, known, &subnet.zone)?;
        self.check_vcpus(now, known, max)?;
        let root = root_volume(request.arg("BlockDeviceMappings"), &image)?;
        let more = usize::try_from(max - 1).unwrap_or(usize::MAX);
        quotas::room(self.interfaces.len().saturating_add(more), self.quotas.network_interfaces, &interface::QUOTA)?;
        let free = i64::try_from(subnet.pool.available()).unwrap_or(i64::MAX);
        if free < min {
            let message = "There are not enough free addresses in subnet to satisfy the requested number of instances.";
            return Err(refuse("InsufficientFreeAddressesInSubnet", message));
        }
        Ok(Launch {
            count: max.min(free),
            kind: kind.to_owned(),
            metadata: metadata_options(request.arg("MetadataOptions"), &image)?,
            image,
            subnet: subnet_id.to_owned(),
            vpc: subnet.vpc.clone(),
            zone: subnet.zone.clone(),
            groups,
            public: interface.get("AssociatePublicIpAddress").as_bool().unwrap_or(false),
            keep_interface: interface.get("DeleteOnTermination").as_bool() == Some(false),
            root,
            tags: self.new_tags(request)?,
        })
    }

    fn launch_groups(&self, now: Instant, interface: &Value, subnet: &Subnet) -> Result<Vec<String>, Refusal> {
        let named = interface.get("Groups").as_list().unwrap_or_default();
        let named: Vec<String> = named.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect();
        if named.is_empty() {
            return Ok(self.vpcs.get(&subnet.vpc).map(|vpc| vpc.default_group.clone()).into_iter().collect());
        }
        self.check_groups(now, &named, &subnet.vpc, &subnet.meta.id)?;
        Ok(named)
    }

    fn check_offering(&self, kind: &str, known: InstanceType, zone: &str) -> Result<(), Refusal> {
        if known.is_offered(zone) {
            return Ok(());
        }
        let mut others = catalog::zones(&self.options.region);
        others.retain(|other| known.is_offered(other));
        let message = format!(
            "Your requested instance type ({kind}) is not supported in your requested Availability Zone ({zone}). \
             Please retry your request by not specifying an Availability Zone or choosing {}.",
            others.join(", ")
        );
        Err(refuse("Unsupported", message))
    }

    fn check_vcpus(&self, now: Instant, known: InstanceType, count: i64) -> Result<(), Refusal> {
        let Some(allowed) = self.quotas.vcpus else { return Ok(()) };
        let counts = |instance: &&Instance| matches!(instance.state(now), "pending" | "running" | "stopping");
        let running = self.instances.values().filter(counts);
        let used: u32 = running.filter_map(|i| catalog::instance_type(&i.kind)).map(|kind| kind.vcpus).sum();
        let more = known.vcpus.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX));
        if used.saturating_add(more) <= allowed {
            return Ok(());
        }
        let message = format!(
            "You have requested more vCPU capacity than your current vCPU limit of {allowed} allows for the instance \
             bucket that the specified instance type belongs to. Please visit \
             http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit."
        );
        Err(refuse("VcpuLimitExceeded", message))
    }

    fn launch(&mut self, now: Instant, request: &Request, launch: &Launch) -> Option<String> {
        let id = self.new_id("i-");
        let interface = self.new_interface(&launch.subnet, &launch.groups, &id)?;
        let private_ip = self.interface_ip(&interface)?;
        let (running, attached, address) = self.starting(now);
        let failure = self.take_doom(request.operation());
        let volume = self.new_root_volume(now, &launch.root, &launch.zone, &id, attached, launch.tags.clone());
        let failed = failure.is_some();
        let instance = Instance {
            meta: self.new_meta(now, id.clone(), launch.tags.clone()),
            image: launch.image.id.clone(),
            kind: launch.kind.clone(),
            subnet: launch.subnet.clone(),
            vpc: launch.vpc.clone(),
            zone: launch.zone.clone(),
            interface,
            keep_interface: launch.keep_interface,
            private_ip,
            volume,
            metadata: launch.metadata.clone(),
            token: request.text("ClientToken").to_owned(),
            public: launch.public,
            public_ip: launch.public.then_some(address),
            attached,
            phase: if failed { Phase::Fail(attached) } else { Phase::Start(running) },
            failure,
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
    if let Some(other) =
        mappings.iter().find(|mapping| mapping.get("DeviceName").as_str() != Some(catalog::ROOT_DEVICE))
    {
        let message =
            format!("Only the root device {} is supported here, not {}", catalog::ROOT_DEVICE, other.get("DeviceName"));
        return Err(refuse("InvalidBlockDeviceMapping", message));
    }
    let mapping = mappings.first().unwrap_or(&Value::Null);
    let size = mapping.get("VolumeSize").as_i64().unwrap_or(image.root_size);
    if size < image.root_size {
        let snapshot = image.id.replace("ami-", "snap-");
        let message = format!(
            "Volume of size {size}GB is smaller than snapshot '{snapshot}', expect size>= {}GB",
            image.root_size
        );
        return Err(refuse("InvalidBlockDeviceMapping", message));
    }
    let kind = mapping.get("VolumeType").as_str().unwrap_or(image.root_type);
    if !matches!(kind, "gp2" | "gp3" | "io1" | "io2" | "standard") {
        return Err(refuse("InvalidParameterValue", format!("Invalid value '{kind}' for VolumeType.")));
    }
    Ok(RootVolume {
        size,
        kind: kind.to_owned(),
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
    for (name, value, known) in
        [("HttpTokens", tokens, ["optional", "required"]), ("HttpEndpoint", endpoint, ["enabled", "disabled"])]
    {
        if !known.contains(&value) {
            return Err(refuse("InvalidParameterValue", format!("Invalid value '{value}' for {name}.")));
        }
    }
    if !(1..=64).contains(&hops) {
        return Err(refuse("InvalidParameterValue", format!("Invalid value '{hops}' for HttpPutResponseHopLimit.")));
    }
    Ok(object([
        ("HttpTokens", tokens.into()),
        ("HttpPutResponseHopLimit", hops.into()),
        ("HttpEndpoint", endpoint.into()),
    ]))
}
