//! The state file: Terraform state v4 with the `aloka` section.
//!
//! Reading checks what it needs and refuses the rest with one clear error; it keeps resources and attributes it does
//! not know. Writing gives the same bytes for the same state: two spaces of indentation, Terraform's order of keys
//! and of resources, a final newline.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::{Private, Resource, State, Target, Terraform, kept};
use crate::address::{Address, VPC_MODULE};
use crate::model::Kind;
use crate::secret::DB_PASSWORD;
use crate::value::{Value, ValueMap};

/// The format of Terraform's state file.
pub const FORMAT_VERSION: u64 = 4;
/// The format of the `aloka` section.
pub const PRIVATE_FORMAT_VERSION: u32 = 1;
/// The Terraform release whose format is written.
const TERRAFORM_VERSION: &str = "1.11.4";
/// How Terraform names its AWS provider in a state.
const PROVIDER: &str = "provider[\"registry.terraform.io/hashicorp/aws\"]";
/// Serials from here on are refused: a run has to be able to count on.
const SERIAL_MAX: u64 = u64::MAX - (1 << 32);
/// Larger files are refused unread.
pub const SIZE_MAX: usize = 256 << 20;

/// Why a text is no usable state.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not the JSON of a state.
    #[error("not a state file: {0}")]
    Json(#[from] serde_json::Error),
    /// A format this release does not read.
    #[error("state format version {found}, this release reads version {FORMAT_VERSION}")]
    Version {
        /// What the file says.
        found: u64,
    },
    /// An `aloka` section of a later release.
    #[error("the `aloka` section has format version {found}, this release knows {PRIVATE_FORMAT_VERSION}")]
    PrivateVersion {
        /// What the file says.
        found: u32,
    },
    /// The same object twice.
    #[error("{0} is recorded twice")]
    Duplicate(Target),
    /// A serial that nothing can follow.
    #[error("serial {found} is the last there is: no other state can follow it")]
    Serial {
        /// What the file says.
        found: u64,
    },
    /// Too large to be read.
    #[error("the state is {0} bytes long, more than {SIZE_MAX}")]
    TooLarge(usize),
}

#[derive(Deserialize)]
struct RawState<'a> {
    version: u64,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: Arc<str>,
    #[serde(default)]
    outputs: BTreeMap<String, RawOutput>,
    /// Kept as text until it is known whose they are: a state can hold many objects.
    #[serde(default, borrow)]
    resources: Vec<&'a RawValue>,
    /// Its version is looked at before its keys.
    #[serde(default, borrow)]
    aloka: Option<&'a RawValue>,
}

/// The version of the `aloka` section.
#[derive(Deserialize)]
struct RawVersion {
    #[serde(default)]
    format_version: u32,
}

#[derive(Deserialize)]
struct RawOutput {
    #[serde(default)]
    value: Value,
}

/// What tells whose an entry of `resources` is.
#[derive(Deserialize)]
struct RawHead {
    #[serde(default)]
    module: Option<String>,
    #[serde(default)]
    mode: String,
    #[serde(default, rename = "type")]
    resource_type: String,
}

#[derive(Deserialize)]
struct RawResource {
    name: String,
    #[serde(default)]
    provider: Option<String>,
    #[serde(default, deserialize_with = "instances")]
    instances: Vec<RawInstance>,
}

#[derive(Deserialize)]
struct RawInstance {
    #[serde(default)]
    index_key: Option<serde_json::Value>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    deposed: Option<Arc<str>>,
    #[serde(default)]
    attributes: ValueMap,
    #[serde(default)]
    private: Option<Arc<str>>,
    #[serde(default)]
    dependencies: Arc<[Arc<str>]>,
    #[serde(default)]
    create_before_destroy: bool,
    #[serde(default)]
    schema_version: Option<u64>,
    #[serde(default)]
    sensitive_attributes: Vec<serde_json::Value>,
    #[serde(default)]
    identity: Option<serde_json::Value>,
    #[serde(default)]
    identity_schema_version: Option<u64>,
}

/// The instances of a resource. They depend on the same, so one list serves all; a list for each would take more than
/// everything else.
fn instances<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<RawInstance>, D::Error> {
    struct Instances;

    impl<'de> Visitor<'de> for Instances {
        type Value = Vec<RawInstance>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of instances")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<RawInstance>, A::Error> {
            let mut instances: Vec<RawInstance> = Vec::new();
            while let Some(mut instance) = seq.next_element::<RawInstance>()? {
                let before = instances.last().map(|before| &before.dependencies);
                if let Some(same) = before.filter(|before| **before == instance.dependencies) {
                    instance.dependencies = same.clone();
                }
                instances.push(instance);
            }
            Ok(instances)
        }
    }

    deserializer.deserialize_seq(Instances)
}

/// Reads a state file. An empty text is an empty state without lineage, as Terraform leaves it for a moment.
///
/// # Errors
/// See [`ReadError`].
pub fn read(text: &str) -> Result<State, ReadError> {
    if text.len() > SIZE_MAX {
        return Err(ReadError::TooLarge(text.len()));
    }
    if text.trim().is_empty() {
        return Ok(State::new(""));
    }
    let raw: RawState<'_> =
        serde_json::from_str(text).map_err(|error| another_version(text).unwrap_or(error.into()))?;
    if raw.version != FORMAT_VERSION {
        return Err(ReadError::Version { found: raw.version });
    }
    if raw.serial >= SERIAL_MAX {
        return Err(ReadError::Serial { found: raw.serial });
    }
    let private = raw.aloka.map_or_else(|| Ok(State::new("").private), private)?;
    let mut state = State { lineage: raw.lineage, serial: raw.serial, private, ..State::default() };
    state.outputs = raw.outputs.into_iter().map(|(name, output)| (name, output.value)).collect();
    for entry in raw.resources {
        match known_objects(entry)? {
            None => state.foreign.push(serde_json::from_str(entry.get())?),
            Some(objects) => {
                for (target, mut resource) in objects {
                    if target.address.kind == Kind::DbInstance
                        && let Some((rest, hash)) = resource.provider_private.as_deref().and_then(kept::without_hash)
                    {
                        resource.provider_private = rest.map(Arc::from);
                        // The section, if there is one, was written with it.
                        state.private.secrets.entry(Arc::from(DB_PASSWORD)).or_insert_with(|| Arc::from(hash));
                    }
                    let duplicate = if target.deposed.is_none() {
                        state.resources.insert(target.address.clone(), Arc::new(resource)).is_some()
                    } else {
                        state.deposed.insert(target.clone(), Arc::new(resource)).is_some()
                    };
                    if duplicate {
                        return Err(ReadError::Duplicate(target));
                    }
                }
            }
        }
    }
    Ok(state)
}

/// A format of another version need not look like this one.
fn another_version(text: &str) -> Option<ReadError> {
    #[derive(Deserialize)]
    struct Head {
        version: u64,
    }
    let Head { version: found } = serde_json::from_str(text).ok()?;
    (found != FORMAT_VERSION).then_some(ReadError::Version { found })
}

fn private(section: &RawValue) -> Result<Private, ReadError> {
    let RawVersion { format_version: found } = serde_json::from_str(section.get())?;
    if found > PRIVATE_FORMAT_VERSION {
        return Err(ReadError::PrivateVersion { found });
    }
    Ok(serde_json::from_str(section.get())?)
}

/// The objects of one entry of `resources`; `None` if the entry is not of this stack.
fn known_objects(entry: &RawValue) -> Result<Option<Vec<(Target, Resource)>>, ReadError> {
    let head: RawHead = serde_json::from_str(entry.get())?;
    let in_vpc_module = head.module.as_deref() == Some(VPC_MODULE);
    let is_ours = head.mode == "managed" && (in_vpc_module || head.module.is_none());
    let (Some(kind), true) = (Kind::from_terraform_type(&head.resource_type), is_ours) else {
        return Ok(None);
    };
    let raw: RawResource = serde_json::from_str(entry.get())?;
    let mut objects = Vec::with_capacity(raw.instances.len());
    let name: Arc<str> = Arc::from(raw.name);
    for instance in raw.instances {
        let index = match instance.index_key {
            None | Some(serde_json::Value::Null) => None,
            Some(key) => match key.as_u64().and_then(|key| u32::try_from(key).ok()) {
                Some(key) => Some(key),
                // A `for_each` key: not an address of this stack.
                None => return Ok(None),
            },
        };
        let address = Address { in_vpc_module, kind, name: name.clone(), index };
        let terraform = Terraform {
            provider: raw.provider.clone().filter(|provider| provider != PROVIDER),
            schema_version: instance.schema_version.filter(|version| *version != kind.schema_version()),
            sensitive_attributes: instance.sensitive_attributes,
            identity: instance.identity,
            identity_schema_version: instance.identity_schema_version,
        };
        let resource = Resource {
            attributes: Arc::new(instance.attributes),
            dependencies: instance.dependencies,
            tainted: instance.status.as_deref() == Some("tainted"),
            provider_private: instance.private,
            create_before_destroy: instance.create_before_destroy,
            terraform: (terraform != Terraform::default()).then(|| Arc::new(terraform)),
        };
        objects.push((Target { address, deposed: instance.deposed }, resource));
    }
    Ok(Some(objects))
}

#[derive(Serialize)]
struct FileView<'a> {
    version: u64,
    terraform_version: &'static str,
    serial: u64,
    lineage: &'a str,
    outputs: BTreeMap<&'a str, OutputView<'a>>,
    resources: ResourcesView<'a>,
    check_results: Option<()>,
    aloka: &'a Private,
}

#[derive(Serialize)]
struct OutputView<'a> {
    value: &'a Value,
    #[serde(rename = "type")]
    output_type: serde_json::Value,
}

struct ResourcesView<'a>(&'a State);

#[derive(Serialize)]
struct BlockView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<&'static str>,
    mode: &'static str,
    #[serde(rename = "type")]
    resource_type: &'static str,
    name: &'a str,
    provider: &'a str,
    instances: Vec<InstanceView<'a>>,
}

#[derive(Serialize)]
struct InstanceView<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index_key: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposed: Option<&'a str>,
    schema_version: u64,
    attributes: Public<'a>,
    sensitive_attributes: &'a [serde_json::Value],
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<&'a serde_json::Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_schema_version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    private: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    dependencies: &'a [Arc<str>],
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    create_before_destroy: bool,
}

/// Attributes without what is never written, whoever recorded it: a state of Terraform's holds the password in clear.
struct Public<'a> {
    kind: Kind,
    attributes: &'a ValueMap,
}

impl Serialize for Public<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.attributes.iter().filter(|(name, _)| !self.kind.is_secret(name)))
    }
}

/// A state file as text.
pub fn write(state: &State) -> String {
    let mut bytes = Vec::new();
    // Writing JSON into memory has no way to fail, and JSON is text.
    let _infallible = write_to(state, &mut bytes);
    String::from_utf8(bytes).unwrap_or_default()
}

/// Writes a state file, without holding its text in memory.
///
/// # Errors
/// Those of the writer.
pub fn write_to(state: &State, mut writer: impl io::Write) -> io::Result<()> {
    let outputs = state.outputs.iter().filter(|(_, value)| !value.is_null());
    let view = FileView {
        version: FORMAT_VERSION,
        terraform_version: TERRAFORM_VERSION,
        serial: state.serial,
        lineage: &state.lineage,
        outputs: outputs
            .map(|(name, value)| (name.as_str(), OutputView { value, output_type: output_type(value) }))
            .collect(),
        resources: ResourcesView(state),
        check_results: None,
        aloka: &state.private,
    };
    serde_json::to_writer_pretty(&mut writer, &view)?;
    writer.write_all(b"\n")
}

/// Terraform's type of an output's value.
pub fn output_type(value: &Value) -> serde_json::Value {
    match value {
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::Null | Value::Str(_) | Value::Ref(..) | Value::Secret(_) => "string".into(),
        Value::List(items) => serde_json::json!(["tuple", items.iter().map(output_type).collect::<Vec<_>>()]),
        Value::Map(map) => {
            let fields: BTreeMap<&str, _> = map.iter().map(|(key, item)| (&**key, output_type(item))).collect();
            serde_json::json!(["object", fields])
        }
    }
}

/// What Terraform keeps for its provider, and for us.
fn private_of<'a>(state: &State, target: &Target, resource: &'a Resource) -> Option<Cow<'a, str>> {
    let theirs = resource.provider_private.as_deref();
    let is_database = target.deposed.is_none() && target.address.kind == Kind::DbInstance;
    let hash = state.private.secrets.get(DB_PASSWORD).filter(|_| is_database);
    let ours = hash.and_then(|hash| kept::with_hash(theirs, hash));
    ours.map(Cow::Owned).or_else(|| theirs.map(Cow::Borrowed))
}

/// Terraform sorts the root module first, then `data` before `managed`, then type and name.
fn foreign_key(entry: &serde_json::Value) -> (String, String, String, String) {
    let text = |key: &str| entry.get(key).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    (text("module"), text("mode"), text("type"), text("name"))
}

impl Serialize for ResourcesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks: BTreeMap<Address, Vec<InstanceView<'_>>> = BTreeMap::new();
        let mut objects: Vec<_> = self.0.objects().collect();
        objects.sort_by(|a, b| a.0.cmp(&b.0));
        let deposed_keys: BTreeMap<Target, &str> =
            self.0.deposed.keys().filter_map(|t| t.deposed.as_deref().map(|key| (t.clone(), key))).collect();
        let usual = Terraform::default();
        let mut providers: BTreeMap<Address, &str> = BTreeMap::new();
        for (target, resource) in &objects {
            let terraform = resource.terraform.as_deref().unwrap_or(&usual);
            if let Some(provider) = &terraform.provider {
                providers.insert(target.address.config(), provider);
            }
            blocks.entry(target.address.config()).or_default().push(InstanceView {
                index_key: target.address.index,
                status: resource.tainted.then_some("tainted"),
                deposed: deposed_keys.get(target).copied(),
                schema_version: terraform.schema_version.unwrap_or(target.address.kind.schema_version()),
                attributes: Public { kind: target.address.kind, attributes: &resource.attributes },
                sensitive_attributes: &terraform.sensitive_attributes,
                identity: terraform.identity.as_ref(),
                identity_schema_version: terraform.identity_schema_version,
                private: private_of(self.0, target, resource),
                dependencies: &resource.dependencies,
                create_before_destroy: resource.create_before_destroy,
            });
        }
        let mut foreign: Vec<_> = self.0.foreign.iter().map(|entry| (foreign_key(entry), entry)).collect();
        foreign.sort_by(|a, b| a.0.cmp(&b.0));
        let mut foreign = foreign.into_iter().peekable();
        let mut seq = serializer.serialize_seq(None)?;
        for (address, instances) in blocks {
            let module = address.in_vpc_module.then_some(VPC_MODULE);
            let block = BlockView {
                module,
                mode: "managed",
                resource_type: address.kind.terraform_type(),
                name: &address.name,
                provider: providers.get(&address).copied().unwrap_or(PROVIDER),
                instances,
            };
            let key = (
                module.unwrap_or_default().to_owned(),
                block.mode.to_owned(),
                block.resource_type.to_owned(),
                block.name.to_owned(),
            );
            while let Some((_, entry)) = foreign.next_if(|(other, _)| *other < key) {
                seq.serialize_element(entry)?;
            }
            seq.serialize_element(&block)?;
        }
        for (_, entry) in foreign {
            seq.serialize_element(entry)?;
        }
        seq.end()
    }
}
