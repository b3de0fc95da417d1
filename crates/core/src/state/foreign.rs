//! What a state records and is not of this stack: kept as raw text, read only to know what is somebody else's.

use serde_json::value::RawValue;

use super::flat;
use super::raw::{Raw, RawObject};
use crate::value::{Value, ValueMap};

/// An entry of `resources` with instances that are not of this stack.
///
/// Of an entry that holds instances of the stack as well, only the others are in it.
#[derive(Clone, Debug)]
pub struct Foreign {
    key: EntryKey,
    raw: Raw,
}

/// By the texts of the instances: what stands around them may be written with instances of the stack.
impl PartialEq for Foreign {
    fn eq(&self, other: &Self) -> bool {
        let texts = |entry: &Self| -> Vec<Raw> { entry.raw_instances().into_iter().map(|(_, raw)| raw).collect() };
        self.key == other.key && (self.raw == other.raw || texts(self) == texts(other))
    }
}

impl Eq for Foreign {}

/// What makes an entry of `resources` the entry it is, in the order in which Terraform sorts them: the root module first,
/// then `data` before `managed`, then type and name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryKey {
    /// `module.vpc`; empty for the root module.
    pub module: String,
    /// `managed` or `data`.
    pub mode: String,
    /// The Terraform type.
    pub kind: String,
    /// The name in the configuration.
    pub name: String,
}

impl EntryKey {
    /// That of an entry.
    pub fn of(entry: &RawObject) -> Self {
        let text = |name| entry.text(name);
        Self { module: text("module"), mode: text("mode"), kind: text("type"), name: text("name") }
    }

    /// `module.app.data.aws_ami.x`, as Terraform writes it.
    pub fn address(&self) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        let data = if self.mode == "data" { "data." } else { "" };
        format!("{}{dot}{data}{}.{}", self.module, self.kind, self.name)
    }
}

/// One instance that is not of this stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignInstance {
    /// Its address, with its key.
    pub address: String,
    /// Terraform's key of a deposed object.
    pub deposed: Option<String>,
    /// The Terraform type.
    pub kind: String,
    /// False for a data source, which only reads.
    pub is_managed: bool,
    /// Its attributes, as far as they can be read.
    pub attributes: ValueMap,
}

impl ForeignInstance {
    /// An attribute that is a text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Its identifier, if one is recorded.
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }
}

impl Foreign {
    /// An entry, as it stands in the file.
    pub fn new(entry: &RawValue) -> Self {
        let raw = Raw::from(entry);
        let key = raw.parse::<RawObject>().map(|entry| EntryKey::of(&entry)).unwrap_or_default();
        Self { key, raw }
    }

    /// An entry with these instances alone.
    pub(super) fn with(mut entry: RawObject, instances: &[Raw]) -> Self {
        let key = EntryKey::of(&entry);
        entry.remove("instances");
        entry.push("instances", Raw::of(&instances));
        Self { key, raw: Raw::of(&entry) }
    }

    /// Which entry it is.
    pub fn key(&self) -> &EntryKey {
        &self.key
    }

    /// Its text.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    /// Its instances as text, each with the key that sorts it.
    pub(super) fn raw_instances(&self) -> Vec<(InstanceOrder, Raw)> {
        let entry: RawObject = self.raw.parse().unwrap_or_default();
        let instances: Vec<Raw> = entry.parse("instances").unwrap_or_default();
        let ordered = |raw: Raw| (raw.parse::<RawObject>().map(|i| InstanceOrder::of(&i)).unwrap_or_default(), raw);
        instances.into_iter().map(ordered).collect()
    }

    /// The entry without its instances, and these.
    fn parts(&self) -> (RawObject, Vec<RawObject>) {
        let mut entry: RawObject = self.raw.parse().unwrap_or_default();
        let instances = entry.remove("instances").and_then(|raw| raw.parse()).unwrap_or_default();
        (entry, instances)
    }

    fn address(&self, instance: &RawObject) -> String {
        let index = instance.get("index_key").map(Raw::text).filter(|key| *key != "null");
        let index = index.map_or_else(String::new, |key| format!("[{key}]"));
        format!("{}{index}", self.key.address())
    }

    fn attributes(&self, instance: &RawObject) -> ValueMap {
        let flat = || Some(flat::read_known(&self.key.kind, &instance.parse("attributes_flat")?));
        instance.parse("attributes").or_else(flat).unwrap_or_default()
    }

    /// The current instance at this address.
    pub(crate) fn instance(&self, address: &str) -> Option<RawObject> {
        let (_, instances) = self.parts();
        let is_it = |instance: &RawObject| instance.get("deposed").is_none() && self.address(instance) == address;
        instances.into_iter().find(is_it)
    }

    /// The number after the last key that is a number.
    pub(crate) fn next_number(&self) -> u64 {
        let (_, instances) = self.parts();
        let numbers = instances.iter().filter_map(|instance| instance.parse::<u64>("index_key"));
        numbers.max().map_or(0, |last| last.saturating_add(1))
    }

    /// Adds an instance where Terraform would put it.
    pub(crate) fn insert(&mut self, instance: RawObject) {
        let (entry, mut instances) = self.parts();
        instances.push(instance);
        instances.sort_by_key(InstanceOrder::of);
        let instances: Vec<Raw> = instances.iter().map(Raw::of).collect();
        *self = Self::with(entry, &instances);
    }

    /// Takes the current instance at this address out, if it is here.
    pub(crate) fn remove(&mut self, address: &str) {
        if self.instance(address).is_some() {
            let (entry, mut instances) = self.parts();
            instances.retain(|instance| instance.get("deposed").is_some() || self.address(instance) != address);
            let instances: Vec<Raw> = instances.iter().map(Raw::of).collect();
            *self = Self::with(entry, &instances);
        }
    }

    /// Its instances. What is not of the form of one is left out.
    pub fn instances(&self) -> Vec<ForeignInstance> {
        let (_, instances) = self.parts();
        let read = |instance: RawObject| ForeignInstance {
            address: self.address(&instance),
            deposed: instance.parse("deposed"),
            kind: self.key.kind.clone(),
            is_managed: self.key.mode == "managed",
            attributes: self.attributes(&instance),
        };
        instances.into_iter().map(read).collect()
    }
}

/// How Terraform sorts the instances of an entry: without key, by number, by text; of one key the current object before
/// the deposed ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct InstanceOrder {
    rank: u8,
    number: u64,
    text: String,
    deposed: Option<String>,
}

impl InstanceOrder {
    pub(super) fn of(instance: &RawObject) -> Self {
        let deposed = instance.parse("deposed");
        match instance.parse::<Value>("index_key") {
            Some(Value::Number(number)) => Self::numbered(number.as_u64().unwrap_or(u64::MAX), deposed),
            Some(Value::Str(text)) => Self { rank: 2, text: text.to_string(), deposed, ..Self::default() },
            Some(Value::Null | Value::Bool(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_))
            | None => Self { deposed, ..Self::default() },
        }
    }

    pub(super) fn numbered(number: u64, deposed: Option<String>) -> Self {
        Self { rank: 1, number, deposed, ..Self::default() }
    }

    pub(super) fn single(deposed: Option<String>) -> Self {
        Self { deposed, ..Self::default() }
    }
}
