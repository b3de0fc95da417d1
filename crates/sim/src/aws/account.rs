//! What all objects of an account share: identifiers, durations, disappearance; and what is in the account.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use aloka_core::api::Operation;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

use crate::aws::Account;
use crate::aws::durations::{Durations, Transition};
use crate::aws::ec2::eip::ElasticIp;
use crate::aws::ec2::instance::Instance;
use crate::aws::ec2::internet_gateway::Gateway;
use crate::aws::ec2::nat_gateway::Nat;
use crate::aws::ec2::route_table::RouteTable;
use crate::aws::ec2::security_group::Group;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::volume::Volume;
use crate::aws::ec2::vpc::Vpc;
use crate::aws::ec2::vpc_endpoint::VpcEndpoint;
use crate::aws::record::{Meta, Record, Tags, Text};
use crate::rng::Rng;
use crate::rules::{Refusal, Rule, capacity};

/// For how long AWS still lists what is terminated, deleted or failed.
pub(crate) const LISTED: Duration = Duration::from_secs(3600);

const HEX: &str = "0123456789abcdef";

/// A creation that is to fail after it was accepted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Doom {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ObjectKind {
    /// What the stack may declare.
    Resource(Kind),
    /// A network interface that outlived its instance.
    NetworkInterface,
    /// A volume, attached or not.
    Volume,
    /// A snapshot of a database.
    DbSnapshot,
    /// Automated backups that outlive their database.
    DbBackups,
}

impl ObjectKind {
    /// True if only a deletion that was told to makes it: its owner's, and no leftover.
    pub fn is_kept_on_purpose(self) -> bool {
        matches!(self, Self::DbSnapshot | Self::DbBackups)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resource(kind) => kind.fmt(f),
            Self::NetworkInterface => f.write_str("aws_network_interface"),
            Self::Volume => f.write_str("aws_ebs_volume"),
            Self::DbSnapshot => f.write_str("aws_db_snapshot"),
            Self::DbBackups => f.write_str("aws_db_instance_automated_backups"),
        }
    }
}

/// Something in the account that a customer would find, and pay for or trip over.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Object {
    /// What it is.
    pub kind: ObjectKind,
    /// Its identifier, or its name where that is what AWS knows it by.
    pub id: String,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl Object {
    fn new(kind: ObjectKind, id: &str, tags: &Tags) -> Self {
        let texts = tags.iter().filter_map(|(key, value)| Some((key.to_string(), value.as_str()?.to_owned())));
        Self { kind, id: id.to_owned(), tags: texts.collect() }
    }
}

impl Account {
    /// The next number of a sub-stream.
    pub(crate) fn ordinal(&mut self, stream: &str) -> u64 {
        match self.ordinals.get_mut(stream) {
            Some(next) => {
                *next += 1;
                *next - 1
            }
            None => {
                self.ordinals.insert(stream.to_owned(), 1);
                0
            }
        }
    }

    /// The next draws of a sub-stream.
    pub(crate) fn rng(&mut self, stream: &str) -> Rng {
        let ordinal = self.ordinal(stream);
        Rng::stream(self.options.seed, stream, ordinal)
    }

    /// A new identifier: the prefix and 17 hexadecimal digits. AWS's own all begin with a zero.
    pub(crate) fn new_id(&mut self, prefix: &str) -> Text {
        let digits = self.rng(prefix).text(HEX, 16);
        format!("{prefix}0{digits}").into()
    }

    /// How long `transition` takes this time.
    pub(crate) fn duration(&mut self, transition: Transition) -> Duration {
        match self.options.durations {
            Durations::Instant => Duration::ZERO,
            Durations::Shortest => Duration::from_millis(transition.typical().min_ms),
            Durations::Median => Duration::from_millis(transition.typical().median_ms),
            Durations::Longest => Duration::from_millis(transition.typical().longest_ms()),
            Durations::Drawn => {
                let mut rng = self.rng(transition.stream());
                transition.typical().draw(&mut rng)
            }
        }
    }

    /// What a new object starts with.
    pub(crate) fn new_meta(&mut self, now: Instant, id: Text, tags: Tags) -> Meta {
        let delay = match self.options.visibility_delay_ms {
            0 => 0,
            longest => {
                // Objects of RDS are known by names, which say nothing of what they are.
                let prefix = id.rsplit_once('-').filter(|(_, digits)| digits.len() == 17);
                let kind = prefix.map_or("rds", |(prefix, _)| prefix);
                self.rng(&format!("visibility/{kind}")).between(0, longest)
            }
        };
        Meta { id, created: now, visible: now + Duration::from_millis(delay), tags }
    }

    /// The object called `id`, as RDS sees it: it learns of a new one by a clock of its own, which may be later than EC2
    /// shows it, or sooner.
    ///
    /// # Errors
    /// `.Malformed`, or `.NotFound` if it is not there or RDS has not heard of it yet.
    pub(crate) fn get_for_rds<R: Record>(&self, now: Instant, id: &str) -> Result<&R, Refusal> {
        R::FORMAT.check(id)?;
        let longest = self.options.visibility_delay_ms;
        let lag = |record: &&R| match longest {
            0 => Duration::ZERO,
            _ => {
                let stream = format!("visibility-rds/{}", record.meta().id);
                Duration::from_millis(Rng::stream(self.options.seed, &stream, 0).between(0, longest))
            }
        };
        let found = R::table(self).get(id).filter(|record| record.meta().created + lag(record) <= now);
        found.ok_or_else(|| R::FORMAT.missing(id))
    }

    /// Makes the next `operation` fail after it was accepted: a NAT gateway becomes `failed` with this failure code, an
    /// instance is terminated with this state reason, a database instance gets `code` as its status, or no standby if `code`
    /// is `no-standby`, which a change of one may come to as well. Other
    /// operations do not fail that way, and are not affected.
    ///
    /// If `code` is one AWS refuses this operation with (`InsufficientInstanceCapacity` of `RunInstances`), the call is
    /// refused instead, in AWS's words rather than `message`.
    pub fn fail_next(&mut self, operation: Operation, code: &str, message: &str) {
        let doom = Doom { code: code.to_owned(), message: message.to_owned() };
        self.doomed.entry(operation.to_string()).or_default().push(doom);
    }

    /// Refuses this call if a script says that there is no room; `fills` are what the message of the rule needs.
    pub(crate) fn check_capacity<const N: usize>(
        &mut self,
        operation: Operation,
        fills: [&dyn fmt::Display; N],
    ) -> Result<(), Refusal> {
        let Some(next) = self.doomed.get(&operation.to_string()).and_then(|dooms| dooms.first()) else { return Ok(()) };
        let lacks = |rule: &&&'static Rule| rule.code == next.code && rule.operations.contains(&operation);
        let Some(rule) = capacity::ALL.iter().find(lacks) else { return Ok(()) };
        drop(self.take_doom(operation));
        Err(rule.refuse(fills))
    }

    /// The failure in store for this call.
    pub(crate) fn take_doom(&mut self, operation: Operation) -> Option<Doom> {
        let dooms = self.doomed.get_mut(&operation.to_string())?;
        let doom = (!dooms.is_empty()).then(|| dooms.remove(0));
        if dooms.is_empty() {
            self.doomed.remove(&operation.to_string());
        }
        doom
    }

    /// Removes `id` from the account at `at`.
    pub(crate) fn expire(&mut self, at: Instant, id: Text) {
        self.expiring.insert((at, id));
    }

    /// Removes what is gone by now, and puts changes of databases that are done by now into effect.
    pub(crate) fn sweep(&mut self, now: Instant) {
        while self.expiring.first().is_some_and(|(at, _)| *at <= now) {
            let Some((at, id)) = self.expiring.pop_first() else { return };
            match id.split_once('-').map_or("", |(prefix, _)| prefix) {
                "eni" => self.drop_interface(&id),
                "i" => drop(self.instances.remove(&id)),
                "vol" => drop(self.volumes.remove(&id)),
                "nat" => drop(self.nats.remove(&id)),
                "vpce" => drop(self.endpoints.remove(&id)),
                _ => match id.split_once('/') {
                    Some(("db", name)) => self.forget_db(name),
                    Some(("db-change", name)) => self.finish_db_change(at, name),
                    Some(("db-notice", name)) => self.notice_db_change(name),
                    Some(("db-window", name)) => self.open_db_window(at, name),
                    Some(_) | None => {}
                },
            }
        }
    }

    /// What a customer would find at `now`, and pay for or trip over: not what AWS deleted, not terminated instances,
    /// not deleted NAT gateways, and not what comes with a VPC by itself (default security group, main route table).
    /// Failed NAT gateways count until they are deleted or vanish.
    pub fn objects(&self, now: Instant) -> Vec<Object> {
        fn of<R: Record>(account: &Account, now: Instant) -> impl Iterator<Item = Object> {
            let records = R::table(account).values().filter(move |record| record.counts(now));
            records.map(|record| Object::new(R::KIND, &record.meta().id, &record.meta().tags))
        }
        let resource = ObjectKind::Resource;
        let mut objects = Vec::new();
        for (name, db) in self.db_instances.iter().filter(|(_, db)| !db.is_gone(now)) {
            objects.push(Object::new(resource(Kind::DbInstance), name, &db.meta.tags));
        }
        for (name, group) in &self.db_subnet_groups {
            objects.push(Object::new(resource(Kind::DbSubnetGroup), name, &group.meta.tags));
        }
        objects.extend(of::<ElasticIp>(self, now));
        objects.extend(of::<Instance>(self, now));
        objects.extend(of::<Gateway>(self, now));
        objects.extend(of::<Nat>(self, now));
        objects.extend(of::<RouteTable>(self, now));
        objects.extend(of::<Group>(self, now));
        objects.extend(of::<Subnet>(self, now));
        objects.extend(of::<Vpc>(self, now));
        objects.extend(of::<VpcEndpoint>(self, now));
        for (id, interface) in &self.interfaces {
            if interface.gone.is_none()
                && interface.owner.starts_with("i-")
                && !self.is_instance_there(now, &interface.owner)
            {
                objects.push(Object::new(ObjectKind::NetworkInterface, id, &interface.tags));
            }
        }
        objects.extend(of::<Volume>(self, now));
        for name in self.snapshots.keys() {
            objects.push(Object::new(ObjectKind::DbSnapshot, name, &Tags::new()));
        }
        for (of, _) in self.backups.iter().filter(|(_, backups)| backups.are_there(now)) {
            objects.push(Object::new(ObjectKind::DbBackups, of, &Tags::new()));
        }
        objects
    }

    fn is_instance_there(&self, now: Instant, id: &str) -> bool {
        self.instances.get(id).is_some_and(|instance| !instance.is_terminated(now))
    }

    /// True if there is nothing to find at `now` but what a deletion was told to keep.
    pub fn is_empty(&self, now: Instant) -> bool {
        self.objects(now).iter().all(|object| object.kind.is_kept_on_purpose())
    }

    /// The object called `id`, visible or not, for the account's own bookkeeping.
    pub(crate) fn held<R: Record>(&self, id: &str) -> Option<&R> {
        R::table(self).get(id)
    }
}
