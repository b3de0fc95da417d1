//! Instances after their launch: states, stop, start, terminate, change.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::account::{Doom, LISTED};
use crate::aws::durations::Transition;
use crate::aws::ec2::launch::rules as launch_rules;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::record::{Meta, Record, Text, common_object, object, tags_value};
use crate::aws::{Account, ObjectKind, catalog};
use crate::rules::Refusal;

/// An instance.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Instance {
    pub(crate) meta: Meta,
    pub(crate) image: Text,
    pub(crate) kind: Text,
    pub(crate) subnet: Text,
    pub(crate) vpc: Text,
    pub(crate) zone: Text,
    pub(crate) interface: Text,
    pub(crate) keep_interface: bool,
    pub(crate) private_ip: Ipv4Addr,
    pub(crate) volume: Text,
    pub(crate) metadata: Value,
    pub(crate) token: Text,
    /// Whether it gets a public address at each start.
    pub(crate) public: bool,
    pub(crate) public_ip: Option<Ipv4Addr>,
    /// When addresses and volumes of the last start show.
    pub(crate) attached: Instant,
    pub(crate) phase: Phase,
    /// Why AWS terminated it, if it did.
    pub(crate) failure: Option<Doom>,
    /// What its owner turned on.
    #[serde(default)]
    pub(crate) protection: Protection,
}

/// What the owner of an instance turned on in the console; nothing that replies show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Protection {
    /// It cannot be stopped, nor terminated (`disableApiStop`).
    #[serde(default)]
    pub stop: bool,
    /// It cannot be terminated (`disableApiTermination`).
    #[serde(default)]
    pub termination: bool,
}

/// What an instance was last told to do, and when that is done.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) enum Phase {
    Start(Instant),
    Stop(Instant),
    Terminate(Instant),
    /// Terminated by AWS, straight from `pending`.
    Fail(Instant),
}

impl Record for Instance {
    const FORMAT: IdFormat = IdFormat::INSTANCE;
    const LIST: (&'static str, &'static str) = ("InstanceIds", "Instances");
    const FILTERS: &'static [&'static str] = &[
        "instance-id",
        "instance-type",
        "image-id",
        "instance-state-name",
        "subnet-id",
        "vpc-id",
        "availability-zone",
        "client-token",
        "private-ip-address",
        "ip-address",
        "instance.group-id",
        "network-interface.network-interface-id",
    ];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::Instance);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.instances
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.instances
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn counts(&self, now: Instant) -> bool {
        !self.is_terminated(now)
    }

    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        let mut keys =
            vec![("ec2:InstanceType", self.kind.to_string()), ("ec2:AvailabilityZone", self.zone.to_string())];
        for (key, option) in [
            ("ec2:MetadataHttpTokens", "HttpTokens"),
            ("ec2:MetadataHttpEndpoint", "HttpEndpoint"),
            ("ec2:MetadataHttpPutResponseHopLimit", "HttpPutResponseHopLimit"),
        ] {
            let value = self.metadata.get(option);
            keys.push((key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
        }
        keys
    }

    fn filtered(&self, account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        let gone = self.is_terminated(now);
        let networked = |text: &Text| if gone { Vec::new() } else { vec![text.clone()] };
        match filter {
            "instance-id" => vec![self.meta.id.clone()],
            "instance-type" => vec![self.kind.clone()],
            "image-id" => vec![self.image.clone()],
            "instance-state-name" => vec![self.state(now).into()],
            "subnet-id" => networked(&self.subnet),
            "vpc-id" => networked(&self.vpc),
            "availability-zone" => vec![self.zone.clone()],
            "client-token" => vec![self.token.clone()],
            "private-ip-address" => networked(&self.private_ip.to_string().into()),
            "ip-address" => self.public_address(now).map(|ip| ip.to_string().into()).into_iter().collect(),
            "instance.group-id" => self.groups(account).to_vec(),
            "network-interface.network-interface-id" => networked(&self.interface),
            _ => Vec::new(),
        }
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        // A terminated instance is no longer in a network, and has no volumes.
        let there = !self.is_terminated(now);
        let groups = self.groups(account).iter().filter(|_| there).map(|id| {
            let name = account.groups.get(id).map(|group| &group.name);
            common_object([("GroupId", id.into()), ("GroupName", name.into())])
        });
        let region = account.options.region.as_str();
        let (private_domain, public_domain) = match region {
            "us-east-1" => ("ec2.internal".to_owned(), "compute-1.amazonaws.com".to_owned()),
            _ => (format!("{region}.compute.internal"), format!("{region}.compute.amazonaws.com")),
        };
        let host = |ip: Ipv4Addr| ip.to_string().replace('.', "-");
        let public_ip = self.public_address(now);
        let hostnames = account.vpcs.get(&self.vpc).is_some_and(|vpc| vpc.dns_hostnames && vpc.dns_support);
        let public_name = public_ip.filter(|_| hostnames).map(|ip| format!("ec2-{}.{public_domain}", host(ip)));
        let private_name = format!("ip-{}.{private_domain}", host(self.private_ip));
        let interface =
            there.then(|| object([("DeviceIndex", 0.into()), ("NetworkInterfaceId", (&self.interface).into())]));
        let volume = account.volumes.get(&self.volume).filter(|_| there && now >= self.attached);
        let volume = volume.map(|volume| {
            object([
                ("DeleteOnTermination", volume.delete_on_termination.into()),
                ("DeviceName", catalog::ROOT_DEVICE.into()),
                ("VolumeId", (&self.volume).into()),
            ])
        });
        object([
            ("AvailabilityZone", (&self.zone).into()),
            ("BlockDeviceMappings", Value::list(volume)),
            ("ClientToken", (&self.token).into()),
            ("ImageId", (&self.image).into()),
            ("InstanceId", (&self.meta.id).into()),
            ("InstanceType", (&self.kind).into()),
            ("MetadataOptions", self.metadata.clone()),
            ("NetworkInterfaces", Value::list(interface)),
            ("PrivateDnsName", there.then_some(private_name).into()),
            ("PrivateIpAddress", there.then(|| self.private_ip.to_string()).into()),
            ("PublicDnsName", public_name.into()),
            ("PublicIpAddress", public_ip.map(|ip| ip.to_string()).into()),
            ("RootDeviceName", catalog::ROOT_DEVICE.into()),
            ("SecurityGroups", Value::List(groups.collect())),
            ("State", self.state(now).into()),
            ("StateReason", self.reason(now)),
            ("SubnetId", there.then_some(&self.subnet).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcId", there.then_some(&self.vpc).into()),
        ])
    }
}

impl Instance {
    pub(crate) fn state(&self, now: Instant) -> &'static str {
        match self.phase {
            Phase::Start(done) if now < done => "pending",
            Phase::Start(_) => "running",
            Phase::Stop(done) if now < done => "stopping",
            Phase::Stop(_) => "stopped",
            Phase::Terminate(done) if now < done => "shutting-down",
            Phase::Fail(done) if now < done => "pending",
            Phase::Terminate(_) | Phase::Fail(_) => "terminated",
        }
    }

    pub(crate) fn is_terminated(&self, now: Instant) -> bool {
        self.state(now) == "terminated"
    }

    /// True while a public address is mapped to it, whether it shows or not.
    pub(crate) fn has_public_mapping(&self, now: Instant) -> bool {
        self.public && !matches!(self.state(now), "stopped" | "terminated")
    }

    pub(crate) fn public_address(&self, now: Instant) -> Option<Ipv4Addr> {
        let shows = now >= self.attached && matches!(self.state(now), "pending" | "running");
        self.public_ip.filter(|_| shows)
    }

    fn groups<'a>(&self, account: &'a Account) -> &'a [Text] {
        account.interfaces.get(&self.interface).map_or(&[], |interface| &interface.groups)
    }

    fn reason(&self, now: Instant) -> Value {
        let reason = |code: &str, message: &str| object([("Code", code.into()), ("Message", message.into())]);
        match (self.state(now), &self.failure) {
            ("terminated", Some(failure)) => reason(&failure.code, &failure.message),
            ("stopping" | "stopped", _) => {
                reason("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")
            }
            ("shutting-down" | "terminated", None) => {
                reason("Client.UserInitiatedShutdown", "Client.UserInitiatedShutdown: User initiated shutdown")
            }
            ("pending", _) => reason("pending", "pending"),
            (_, _) => Value::Null,
        }
    }
}

impl Account {
    /// The identifiers a request names, all of them known.
    fn named_instances(&self, now: Instant, request: &Request) -> Result<Vec<Text>, Refusal> {
        let ids = request.texts("InstanceIds");
        if ids.is_empty() {
            return Err(rule::IDS_MISSING.refuse([]));
        }
        for id in &ids {
            self.get::<Instance>(now, id)?;
        }
        Ok(ids)
    }

    /// Stopping what is stopped, or about to be, is no error.
    pub(crate) fn stop_instances(&mut self, now: Instant, request: &Request) -> Answer {
        let ids = self.named_instances(now, request)?;
        for id in &ids {
            let instance = self.get::<Instance>(now, id)?;
            if matches!(instance.state(now), "pending" | "shutting-down" | "terminated") {
                return Err(rule::STOP_STATE.refuse([id]));
            }
            if instance.protection.stop {
                return Err(rule::PROTECTED_STOP.refuse([id, &"disableApiStop"]));
            }
        }
        for id in &ids {
            let done = now + self.duration(Transition::InstanceStop);
            let instance = self.get_mut::<Instance>(now, id)?;
            if instance.state(now) == "running" {
                instance.phase = Phase::Stop(done);
                instance.public_ip = None;
            }
        }
        Ok(object([]))
    }

    /// Starting what runs is no error. A public address is a new one.
    pub(crate) fn start_instances(&mut self, now: Instant, request: &Request) -> Answer {
        let ids = self.named_instances(now, request)?;
        let mut stopped = BTreeMap::new();
        for id in &ids {
            let instance = self.get::<Instance>(now, id)?;
            match instance.state(now) {
                "stopped" => drop(stopped.insert(id, (instance.kind.clone(), instance.zone.clone()))),
                "running" => {}
                _ => return Err(rule::START_STATE.refuse([id])),
            }
        }
        let vcpus = |(kind, _): &(Text, Text)| catalog::instance_type(kind).map_or(0, |known| known.vcpus);
        self.check_vcpus(now, stopped.values().map(vcpus).sum())?;
        if let Some((kind, zone)) = stopped.values().next() {
            self.check_capacity(request.operation(), [kind, zone])?;
        }
        for id in &ids {
            if self.get::<Instance>(now, id)?.state(now) == "stopped" {
                let (running, attached, address) = self.starting(now);
                let instance = self.get_mut::<Instance>(now, id)?;
                instance.phase = Phase::Start(running);
                instance.attached = attached;
                instance.public_ip = instance.public.then_some(address);
            }
        }
        Ok(object([]))
    }

    /// When an instance started now runs, when it shows its addresses, and its public address if it gets one.
    pub(crate) fn starting(&mut self, now: Instant) -> (Instant, Instant, Ipv4Addr) {
        let duration = self.duration(Transition::InstanceStart);
        let address = self.new_public_ip("public-ip", Ipv4Addr::new(44, 192, 0, 0));
        (now + duration, now + duration / 2, address)
    }

    /// Terminating twice is no error while the instance is listed.
    pub(crate) fn terminate_instances(&mut self, now: Instant, request: &Request) -> Answer {
        let ids = self.named_instances(now, request)?;
        for id in &ids {
            let instance = self.get::<Instance>(now, id)?;
            let attribute = match instance.protection {
                _ if instance.is_terminated(now) => continue,
                Protection { termination: true, .. } => "disableApiTermination",
                Protection { stop: true, .. } => "disableApiStop",
                Protection { stop: false, termination: false } => continue,
            };
            return Err(rule::PROTECTED_END.refuse([id, &attribute]));
        }
        for id in ids {
            let instance = self.get::<Instance>(now, &id)?;
            if matches!(instance.state(now), "shutting-down" | "terminated") {
                continue;
            }
            let done = now + self.duration(Transition::InstanceTerminate);
            let instance = self.get_mut::<Instance>(now, &id)?;
            instance.phase = Phase::Terminate(done);
            instance.public_ip = None;
            self.end_instance(&id, done);
        }
        Ok(object([]))
    }

    /// Turns protection of an instance on or off, as its owner does in the console; false if there is no such instance.
    pub fn protect_instance(&mut self, id: &str, protection: Protection) -> bool {
        let Some(instance) = self.instances.get_mut(id) else { return false };
        instance.protection = protection;
        true
    }

    /// Lets go of what belongs to an instance that is terminated at `at`.
    pub(crate) fn end_instance(&mut self, id: &str, at: Instant) {
        let Some(Instance { interface, keep_interface, volume, .. }) = self.instances.get(id) else { return };
        let (interface, keep_interface, volume) = (interface.clone(), *keep_interface, volume.clone());
        if !keep_interface {
            self.end_interface(&interface, at);
        }
        self.end_volume(&volume, at);
        self.expire(at + LISTED, id.into());
    }

    pub(crate) fn modify_instance_attribute(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("InstanceId");
        let state = self.get::<Instance>(now, id)?.state(now);
        let groups = request.texts("Groups");
        match (request.arg("InstanceType").as_str(), groups.is_empty()) {
            (Some(kind), true) => self.change_type(now, id, kind, state)?,
            (None, false) => self.change_groups(now, id, groups, state)?,
            (Some(_), false) => return Err(rule::ONE_ATTRIBUTE.refuse([&"instanceType, groupSet"])),
            (None, true) => return Err(rule::NO_ATTRIBUTE.refuse([])),
        }
        Ok(object([]))
    }

    fn change_type(&mut self, now: Instant, id: &str, kind: &str, state: &str) -> Result<(), Refusal> {
        let Instance { image, zone, .. } = self.get::<Instance>(now, id)?;
        let known = catalog::instance_type(kind).ok_or_else(|| launch_rules::TYPE.refuse([&kind]))?;
        if state != "stopped" {
            return Err(rule::TYPE_STOPPED.refuse([&id]));
        }
        if self.image(image)?.architecture != known.architecture {
            return Err(rule::TYPE_ARCHITECTURE.refuse([&kind]));
        }
        self.check_offering(kind, known, zone)?;
        self.check_free_plan(kind, &launch_rules::FREE_PLAN_RESIZE)?;
        self.get_mut::<Instance>(now, id)?.kind = kind.into();
        Ok(())
    }

    fn change_groups(&mut self, now: Instant, id: &str, groups: Vec<Text>, state: &str) -> Result<(), Refusal> {
        let Instance { vpc, subnet, interface, .. } = self.get::<Instance>(now, id)?;
        if matches!(state, "shutting-down" | "terminated") {
            return Err(rule::GROUPS_STATE.refuse([&id]));
        }
        self.check_groups(now, &groups, vpc, subnet)?;
        let interface = interface.clone();
        if let Some(interface) = self.interfaces.get_mut(&interface) {
            interface.groups = groups;
        }
        Ok(())
    }
}
