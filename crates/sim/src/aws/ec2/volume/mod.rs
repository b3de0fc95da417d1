//! Volumes: the root volumes of instances.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aloka_core::api::Request;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::durations::Transition;
use crate::aws::ec2::filter::Filters;
use crate::aws::ec2::launch::RootVolume;
use crate::aws::error::Answer;
use crate::aws::error::IdFormat;
use crate::aws::record::{Meta, Record, Tags, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, catalog};
use crate::rules::Refusal;

/// How often a volume may be changed within how long.
const CHANGES_MAX: usize = 4;
const CHANGES_WITHIN: Duration = Duration::from_secs(24 * 3600);

/// A volume.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Volume {
    pub(crate) meta: Meta,
    pub(crate) size: i64,
    pub(crate) kind: Text,
    pub(crate) encrypted: bool,
    zone: Text,
    instance: Text,
    /// When it is attached.
    attached: Instant,
    pub(crate) delete_on_termination: bool,
    /// When its instance is terminated, or was.
    detached: Option<Instant>,
    /// When it is deleted.
    pub(crate) gone: Option<Instant>,
    /// Oldest first.
    changes: Vec<Change>,
}

/// A change of size.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Change {
    asked: Instant,
    from: i64,
    resized: Instant,
    completed: Instant,
}

impl Record for Volume {
    const FORMAT: IdFormat = IdFormat::VOLUME;
    const LIST: (&'static str, &'static str) = ("VolumeIds", "Volumes");
    const FILTERS: &'static [&'static str] = &[
        "volume-id",
        "attachment.instance-id",
        "attachment.device",
        "attachment.delete-on-termination",
        "status",
        "size",
        "volume-type",
        "encrypted",
        "availability-zone",
    ];
    const KIND: ObjectKind = ObjectKind::Volume;

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.volumes
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.volumes
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn candidates<'a>(account: &'a Account, filters: &Filters) -> Option<Vec<&'a Self>> {
        // An instance has one volume.
        let instances = filters.plain("attachment.instance-id")?.iter().filter_map(|id| account.instances.get(id));
        let ids: BTreeSet<&Text> = instances.map(|instance| &instance.volume).collect();
        Some(ids.into_iter().filter_map(|id| account.volumes.get(id)).collect())
    }

    fn counts(&self, now: Instant) -> bool {
        self.gone.is_none_or(|gone| now < gone)
    }

    fn iam_keys(&self, _account: &Account) -> Vec<(&'static str, String)> {
        vec![
            ("ec2:VolumeID", self.meta.id.to_string()),
            ("ec2:VolumeSize", self.size.to_string()),
            ("ec2:Encrypted", self.encrypted.to_string()),
            ("ec2:VolumeType", self.kind.to_string()),
        ]
    }

    fn filtered(&self, _account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        let attached = self.state(now) == "in-use";
        let if_attached = |text: Text| attached.then_some(text).into_iter().collect();
        match filter {
            "volume-id" => vec![self.meta.id.clone()],
            "attachment.instance-id" => if_attached(self.instance.clone()),
            "attachment.device" => if_attached(catalog::ROOT_DEVICE.into()),
            "attachment.delete-on-termination" => if_attached(self.delete_on_termination.to_string().into()),
            "status" => vec![self.state(now).into()],
            "size" => vec![self.size(now).to_string().into()],
            "volume-type" => vec![self.kind.clone()],
            "encrypted" => vec![self.encrypted.to_string().into()],
            "availability-zone" => vec![self.zone.clone()],
            _ => Vec::new(),
        }
    }

    fn describe(&self, _account: &Account, now: Instant) -> Value {
        let attached = self.state(now) == "in-use";
        object([
            ("Device", attached.then_some(catalog::ROOT_DEVICE).into()),
            ("Encrypted", self.encrypted.into()),
            ("InstanceId", attached.then_some(&self.instance).into()),
            ("ModificationState", self.modification(now).into()),
            ("Size", self.size(now).into()),
            ("State", self.state(now).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VolumeId", (&self.meta.id).into()),
            ("VolumeType", (&self.kind).into()),
        ])
    }
}

impl Volume {
    fn state(&self, now: Instant) -> &'static str {
        match self.detached {
            Some(detached) if now >= detached => "available",
            Some(_) | None if now < self.attached => "creating",
            Some(_) | None => "in-use",
        }
    }

    fn size(&self, now: Instant) -> i64 {
        match self.changes.last() {
            Some(change) if now < change.resized => change.from,
            Some(_) | None => self.size,
        }
    }

    fn modification(&self, now: Instant) -> Option<&'static str> {
        let change = self.changes.last()?;
        Some(match (now < change.resized, now < change.completed) {
            (true, _) => "modifying",
            (false, true) => "optimizing",
            (false, false) => "completed",
        })
    }
}

impl Account {
    pub(crate) fn new_root_volume(
        &mut self,
        now: Instant,
        root: &RootVolume,
        zone: &Text,
        instance: &Text,
        attached: Instant,
        tags: Tags,
    ) -> Text {
        let id = self.new_id("vol-");
        let volume = Volume {
            meta: self.new_meta(now, id.clone(), tags),
            size: root.size,
            kind: root.kind.clone(),
            encrypted: root.encrypted,
            zone: zone.clone(),
            instance: instance.clone(),
            attached,
            delete_on_termination: root.delete_on_termination,
            detached: None,
            gone: None,
            changes: Vec::new(),
        };
        self.volumes.insert(id.clone(), volume);
        id
    }

    /// Its instance is terminated at `at`: the volume goes with it, or stays alone.
    pub(crate) fn end_volume(&mut self, id: &str, at: Instant) {
        let Some(volume) = self.volumes.get_mut(id) else { return };
        volume.detached = Some(at);
        if volume.delete_on_termination {
            volume.gone = Some(at);
            self.expire(at, id.into());
        }
    }

    /// A volume that is being changed cannot be changed. A size it has already is no error, and no change.
    pub(crate) fn modify_volume(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("VolumeId");
        let volume = self.get::<Volume>(now, id)?;
        let asked = request.arg("Size");
        let size = asked.as_i64().filter(|size| *size > 0).ok_or_else(|| rule::SIZE.refuse([asked]))?;
        check_size(&volume.kind, size)?;
        if volume.state(now) == "creating" {
            return Err(rule::CREATING.refuse([&id]));
        }
        if matches!(volume.modification(now), Some("modifying" | "optimizing")) {
            return Err(rule::BUSY.refuse([&id]));
        }
        if size < volume.size {
            return Err(rule::SHRINKS.refuse([]));
        }
        if size == volume.size {
            return Ok(object([]));
        }
        let recent = |change: &&Change| now < change.asked + CHANGES_WITHIN;
        if volume.changes.iter().filter(recent).count() >= CHANGES_MAX {
            return Err(rule::RATE.refuse([]));
        }
        let resized = now + self.duration(Transition::VolumeModify);
        let completed = resized + self.duration(Transition::VolumeOptimize);
        let volume = self.get_mut::<Volume>(now, id)?;
        volume.changes.push(Change { asked: now, from: volume.size, resized, completed });
        volume.size = size;
        Ok(object([]))
    }
}

/// Refuses what is larger than a volume of this type gets.
pub(crate) fn check_size(kind: &str, size: i64) -> Result<(), Refusal> {
    let largest = match kind {
        "gp3" => 65_536,
        "standard" => 1_024,
        _ => 16_384,
    };
    if size > largest { Err(rule::TOO_LARGE.refuse([&size, &kind, &largest])) } else { Ok(()) }
}
