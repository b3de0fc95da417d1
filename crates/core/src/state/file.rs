//! The state file: Terraform state v4 with the `aloka` section.
//!
//! Reading checks what it needs and refuses the rest with one clear error. What is not of this stack stays raw text, to the
//! digit. Writing gives the same bytes for the same state: two spaces of indentation, Terraform's order of keys and of
//! resources, a final newline.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::sync::Arc;

use serde::de::{SeqAccess, Visitor};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::flat::{Flat, FlatError};
use super::foreign::{EntryKey, Foreign, InstanceOrder};
use super::form::{self, BYTE_ORDER_MARK, Form};
use super::outputs::{OutputMark, RawOutput, output_type};
use super::raw::{Raw, RawObject};
use super::{Private, Resource, State, Target, Terraform, flat, kept};
use crate::address::{Address, VPC_MODULE};
use crate::declarable;
use crate::identity;
use crate::kind::Kind;
use crate::secret::DB_PASSWORD;
use crate::value::{Value, ValueMap};

/// The format of Terraform's state file.
pub const FORMAT_VERSION: u64 = 4;
/// The format of the `aloka` section.
pub const PRIVATE_FORMAT_VERSION: u32 = 2;
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
    /// Something else that is known by name.
    #[error("{0}")]
    Form(Form),
    /// Only the beginning of a state.
    #[error("it is cut off: it ends in line {line}, in the middle of the state")]
    CutOff {
        /// The last line there is.
        line: usize,
    },
    /// Text in some other encoding.
    #[error("it is not UTF-8 text: byte {at} begins no character")]
    NotText {
        /// The first such byte.
        at: usize,
    },
    /// Nothing, where there was something.
    #[error("it is empty, and what was there before was not")]
    Emptied,
    /// Zero bytes, as a machine that lost power leaves them.
    #[error("it holds {0} zero bytes and nothing else")]
    Zeros(usize),
    /// Flat attributes that cannot be read.
    #[error("{target} is recorded in the flat form of Terraform 0.11 (`attributes_flat`), which cannot be read: {why}")]
    Flat {
        /// Whose.
        target: Box<Target>,
        /// What is wrong with them.
        why: Box<FlatError>,
    },
    /// A format this release does not read.
    #[error("it is a state of format version {found}{}, and this release reads version {FORMAT_VERSION}", match .found {
        1 => ", of Terraform up to 0.6",
        2 => ", of Terraform 0.6",
        3 => ", of Terraform 0.7 to 0.11",
        _ => "",
    })]
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

impl ReadError {
    /// The way on, one line; `None` if the file is damaged, and only a whole copy of it helps.
    pub fn way(&self) -> Option<&'static str> {
        match self {
            Self::Form(form) => Some(form.way),
            Self::Version { found } => Some(form::way_from_version(*found)),
            Self::Flat { .. } => Some(
                "let Terraform rewrite it, which changes nothing in AWS: run `terraform apply -refresh-only`, or `terraform \
                 refresh` of Terraform 0.12 to 0.15, with the configuration it belongs to",
            ),
            Self::NotText { .. } => Some("save it as UTF-8, if an editor saved it otherwise"),
            Self::PrivateVersion { .. } => Some("use the release of aloka that wrote it, or a newer one"),
            Self::Json(_)
            | Self::CutOff { .. }
            | Self::Emptied
            | Self::Zeros(_)
            | Self::Duplicate(_)
            | Self::Serial { .. }
            | Self::TooLarge(_) => None,
        }
    }
}

#[derive(Deserialize)]
struct RawState<'a> {
    version: u64,
    #[serde(default)]
    serial: u64,
    #[serde(default)]
    lineage: Arc<str>,
    #[serde(default)]
    outputs: BTreeMap<String, Raw>,
    #[serde(default)]
    check_results: Option<Raw>,
    /// Kept as text until it is known whose they are: a state can hold many objects.
    #[serde(default, borrow)]
    resources: Vec<&'a RawValue>,
    /// Its version is looked at before its keys.
    #[serde(default, borrow)]
    aloka: Option<&'a RawValue>,
    /// What sops leaves in a file that it encrypted, or encrypted in part.
    #[serde(default, borrow)]
    sops: Option<&'a RawValue>,
    /// What OpenTofu leaves of one.
    #[serde(default, borrow)]
    encrypted_data: Option<&'a RawValue>,
}

/// The version of the `aloka` section.
#[derive(Deserialize)]
struct RawVersion {
    #[serde(default)]
    format_version: u32,
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
    #[serde(default)]
    name: String,
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
    attributes: Option<ValueMap>,
    /// Counts where there are no others.
    #[serde(default)]
    attributes_flat: Option<Raw>,
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

/// Reads a state file from its bytes.
///
/// # Errors
/// See [`ReadError`].
pub fn read_bytes(bytes: &[u8]) -> Result<State, ReadError> {
    if bytes.len() > SIZE_MAX {
        return Err(ReadError::TooLarge(bytes.len()));
    }
    if !bytes.is_empty() && bytes.iter().all(|byte| *byte == 0) {
        return Err(ReadError::Zeros(bytes.len()));
    }
    if let Some(form) = form::of_bytes(bytes) {
        return Err(ReadError::Form(form));
    }
    read(std::str::from_utf8(bytes).map_err(|error| ReadError::NotText { at: error.valid_up_to() })?)
}

/// Reads a state file. An empty text is an empty state without lineage, as Terraform leaves it for a moment. A byte order
/// mark before it is not part of it.
///
/// # Errors
/// See [`ReadError`].
pub fn read(text: &str) -> Result<State, ReadError> {
    if text.len() > SIZE_MAX {
        return Err(ReadError::TooLarge(text.len()));
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    if text.trim().is_empty() {
        return Ok(State::new(""));
    }
    let raw: RawState<'_> = serde_json::from_str(text).map_err(|error| unlike(text, error))?;
    if raw.version != FORMAT_VERSION {
        return Err(ReadError::Version { found: raw.version });
    }
    if raw.sops.is_some() || raw.encrypted_data.is_some() {
        return Err(form::of_text(text).map_or(ReadError::CutOff { line: 0 }, ReadError::Form));
    }
    if raw.serial >= SERIAL_MAX {
        return Err(ReadError::Serial { found: raw.serial });
    }
    let private = raw.aloka.map_or_else(|| Ok(State::new("").private), private)?;
    let mut state = State { lineage: raw.lineage, serial: raw.serial, private, ..State::default() };
    state.check_results = raw.check_results.filter(|results| results.text() != "null");
    for (name, output) in raw.outputs {
        if declarable::OUTPUTS.contains(&name.as_str()) {
            let output: RawOutput = serde_json::from_str(output.text())?;
            let mark = output.mark().filter(|_| !output.value.is_null());
            state.output_marks.extend(mark.map(|mark| (name.clone(), mark)));
            state.outputs.insert(name, output.value);
        } else {
            state.foreign_outputs.insert(name, output);
        }
    }
    for entry in raw.resources {
        let Objects { ours, foreign } = objects(entry)?;
        state.foreign.extend(foreign);
        for (target, mut resource) in ours {
            if kept::is_carrier(target.address.kind)
                && let Some((rest, hash)) = resource.provider_private.as_deref().and_then(kept::without_hash)
            {
                resource.provider_private = rest.map(Arc::from);
                // The section, if there is one, was written with it, and so were the others.
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
    // In the order in which they are written.
    state.foreign.sort_by(|a, b| a.key().cmp(b.key()));
    distribute_claims(&mut state);
    Ok(state)
}

/// Marks what the section claims by its address and identifier. What stays in the section's list are claims of entries
/// at other addresses: rules that are recorded as resources of their own.
fn distribute_claims(state: &mut State) {
    if state.private.claims.is_empty() {
        return;
    }
    let State { resources, deposed, private, .. } = state;
    let current = resources.iter_mut().map(|(address, resource)| (Target::current(address.clone()), resource));
    for (target, resource) in current.chain(deposed.iter_mut().map(|(target, resource)| (target.clone(), resource))) {
        if let Some(id) = private.claims.remove(&target.to_string())
            && resource.id() == Some(&*id)
        {
            Arc::make_mut(resource).claimed = true;
        }
    }
    let recorded: BTreeMap<String, Option<String>> =
        state.foreign_instances().into_iter().map(|i| (i.address.clone(), i.id().map(str::to_owned))).collect();
    state.private.claims.retain(|address, id| recorded.get(address).is_some_and(|own| own.as_deref() == Some(&**id)));
}

/// What a text is that is not of this format: another version of it, something else, or the beginning of it.
fn unlike(text: &str, error: serde_json::Error) -> ReadError {
    #[derive(Deserialize)]
    struct Head {
        version: u64,
    }
    let version = serde_json::from_str(text).ok().map(|Head { version }| version);
    if let Some(found) = version.filter(|version| *version != FORMAT_VERSION) {
        return ReadError::Version { found };
    }
    match form::of_text(text) {
        Some(form) => ReadError::Form(form),
        None if error.is_eof() && text.trim_start().starts_with('{') => ReadError::CutOff { line: error.line() },
        None => error.into(),
    }
}

fn private(section: &RawValue) -> Result<Private, ReadError> {
    let RawVersion { format_version: found } = serde_json::from_str(section.get())?;
    if found > PRIVATE_FORMAT_VERSION {
        return Err(ReadError::PrivateVersion { found });
    }
    Ok(serde_json::from_str(section.get())?)
}

/// What an entry of `resources` holds.
#[derive(Default)]
struct Objects {
    ours: Vec<(Target, Resource)>,
    foreign: Option<Foreign>,
}

/// The instances of one entry of `resources`: those at addresses that the stack can declare, and the others.
fn objects(entry: &RawValue) -> Result<Objects, ReadError> {
    let head: RawHead = serde_json::from_str(entry.get())?;
    let in_vpc_module = head.module.as_deref() == Some(VPC_MODULE);
    let is_near = head.mode == "managed" && (in_vpc_module || head.module.is_none());
    let foreign = || Objects { ours: Vec::new(), foreign: Some(Foreign::new(entry)) };
    let kind = Kind::from_terraform_type(&head.resource_type);
    let Some(kind) = kind.filter(|kind| is_near && declarable::is_declarable_name(in_vpc_module, *kind, &head.name))
    else {
        return Ok(foreign());
    };
    let raw: RawResource = serde_json::from_str(entry.get())?;
    let mut ours = Vec::with_capacity(raw.instances.len());
    let mut others = Vec::new();
    let name: Arc<str> = Arc::from(raw.name);
    for (position, instance) in raw.instances.into_iter().enumerate() {
        let index = match &instance.index_key {
            None | Some(serde_json::Value::Null) => Some(None),
            Some(key) => key.as_u64().and_then(|key| u32::try_from(key).ok()).map(Some),
        };
        let address = index.map(|index| Address { in_vpc_module, kind, name: name.clone(), index });
        let Some(address) = address.filter(declarable::is_declarable) else {
            others.push(position);
            continue;
        };
        let target = Target { address, deposed: instance.deposed };
        let is_flat = instance.attributes.is_none() && instance.attributes_flat.is_some();
        let attributes = match (instance.attributes, &instance.attributes_flat) {
            (Some(attributes), _) => attributes,
            (None, Some(texts)) => {
                let texts = texts.parse::<Flat>().ok_or(FlatError::NotTexts);
                let read = texts.and_then(|texts| flat::read(&head.resource_type, &texts));
                read.map_err(|why| ReadError::Flat { target: Box::new(target.clone()), why: Box::new(why) })?
            }
            (None, None) => ValueMap::default(),
        };
        // What a provider of old recorded is for the provider of today to upgrade, from the version it was recorded at.
        let schema_version = instance.schema_version.or(is_flat.then_some(0));
        let terraform = Terraform {
            provider: raw.provider.clone().filter(|provider| provider != PROVIDER),
            schema_version: schema_version.filter(|version| *version != kind.definition().schema_version),
            sensitive_attributes: instance.sensitive_attributes,
            identity: instance.identity,
            identity_schema_version: instance.identity_schema_version,
        };
        let resource = Resource {
            attributes: Arc::new(attributes),
            dependencies: instance.dependencies,
            tainted: instance.status.as_deref() == Some("tainted"),
            claimed: false,
            provider_private: instance.private,
            create_before_destroy: instance.create_before_destroy,
            terraform: (terraform != Terraform::default()).then(|| Arc::new(terraform)),
        };
        ours.push((target, resource));
    }
    if ours.is_empty() {
        return Ok(foreign());
    }
    if others.is_empty() {
        return Ok(Objects { ours, foreign: None });
    }
    let whole: RawObject = serde_json::from_str(entry.get())?;
    let instances: Vec<Raw> = whole.parse("instances").unwrap_or_default();
    let instances: Vec<Raw> = others.into_iter().filter_map(|position| instances.get(position).cloned()).collect();
    Ok(Objects { ours, foreign: Some(Foreign::with(whole, &instances)) })
}

#[derive(Serialize)]
struct FileView<'a> {
    version: u64,
    terraform_version: &'static str,
    serial: u64,
    lineage: &'a str,
    outputs: BTreeMap<&'a str, OutputView<'a>>,
    resources: ResourcesView<'a>,
    check_results: Option<&'a Raw>,
    aloka: SectionView<'a>,
}

#[derive(Serialize)]
struct SectionView<'a> {
    #[serde(flatten)]
    private: &'a Private,
    claims: ClaimsView<'a>,
}

/// Identifiers of what is claimed, by address.
struct ClaimsView<'a>(&'a State);

impl Serialize for ClaimsView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let claimed = self.0.objects().filter(|(_, resource)| resource.claimed);
        let claimed = claimed.filter_map(|(target, resource)| Some((target.to_string(), resource.id()?)));
        let others = self.0.private.claims.iter().map(|(address, id)| (address.clone(), &**id));
        serializer.collect_map(claimed.chain(others).collect::<BTreeMap<_, _>>())
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum OutputView<'a> {
    Ours {
        value: &'a Value,
        #[serde(rename = "type")]
        output_type: Raw,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        sensitive: bool,
    },
    Foreign(&'a Raw),
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
#[serde(untagged)]
enum InstanceView<'a> {
    Ours(Box<RecordedView<'a>>),
    Foreign(Raw),
}

#[derive(Serialize)]
struct RecordedView<'a> {
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
    let usual = OutputMark::default();
    let ours = |name, value| {
        let OutputMark { sensitive, output_type: recorded } = state.output_marks.get(name).unwrap_or(&usual);
        let output_type = recorded.clone().unwrap_or_else(|| Raw::of(&output_type(value)));
        OutputView::Ours { value, output_type, sensitive: *sensitive }
    };
    let foreign = state.foreign_outputs.iter().map(|(name, raw)| (name.as_str(), OutputView::Foreign(raw)));
    let view = FileView {
        version: FORMAT_VERSION,
        terraform_version: TERRAFORM_VERSION,
        serial: state.serial,
        lineage: &state.lineage,
        outputs: outputs.map(|(name, value)| (name.as_str(), ours(name, value))).chain(foreign).collect(),
        resources: ResourcesView(state),
        check_results: state.check_results.as_ref(),
        aloka: SectionView { private: &state.private, claims: ClaimsView(state) },
    };
    serde_json::to_writer_pretty(&mut writer, &view)?;
    writer.write_all(b"\n")
}

/// What Terraform keeps for its provider, and for us.
fn private_of<'a>(state: &State, target: &Target, resource: &'a Resource) -> Option<Cow<'a, str>> {
    let theirs = resource.provider_private.as_deref();
    let hash = state.private.secrets.get(DB_PASSWORD).filter(|_| carries(state, target, resource));
    let ours = hash.and_then(|hash| kept::with_hash(theirs, hash));
    ours.map(Cow::Owned).or_else(|| theirs.map(Cow::Borrowed))
}

/// True if the object's private data is to hold the hash: no association of somebody else's subnet does.
fn carries(state: &State, target: &Target, resource: &Resource) -> bool {
    let is_ours = |address: &Address, subnet: &Resource| {
        address.kind == Kind::Subnet
            && subnet.attributes.get("id") == resource.attributes.get("subnet_id")
            && subnet.attributes.get("tags").and_then(identity::lineage) == Some(&*state.lineage)
    };
    let is_carrier = target.deposed.is_none() && kept::is_carrier(target.address.kind);
    is_carrier
        && (target.address.kind != Kind::RouteTableAssociation
            || state.resources.iter().any(|(address, subnet)| is_ours(address, subnet)))
}

impl Serialize for ResourcesView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut blocks: BTreeMap<Address, Vec<(InstanceOrder, InstanceView<'_>)>> = BTreeMap::new();
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
            let deposed = target.deposed.as_deref().map(str::to_owned);
            let order = match target.address.index {
                None => InstanceOrder::single(deposed),
                Some(index) => InstanceOrder::numbered(index.into(), deposed),
            };
            let view = InstanceView::Ours(Box::new(RecordedView {
                index_key: target.address.index,
                status: resource.tainted.then_some("tainted"),
                deposed: deposed_keys.get(target).copied(),
                schema_version: terraform.schema_version.unwrap_or(target.address.kind.definition().schema_version),
                attributes: Public { kind: target.address.kind, attributes: &resource.attributes },
                sensitive_attributes: &terraform.sensitive_attributes,
                identity: terraform.identity.as_ref(),
                identity_schema_version: terraform.identity_schema_version,
                private: private_of(self.0, target, resource),
                dependencies: &resource.dependencies,
                create_before_destroy: resource.create_before_destroy,
            }));
            blocks.entry(target.address.config()).or_default().push((order, view));
        }
        let mut foreign: Vec<&Foreign> = self.0.foreign.iter().collect();
        // A state need not come from a file.
        foreign.sort_by(|a, b| a.key().cmp(b.key()));
        let mut foreign = foreign.into_iter().peekable();
        let mut seq = serializer.serialize_seq(None)?;
        for (address, mut instances) in blocks {
            let module = address.in_vpc_module.then_some(VPC_MODULE);
            let key = EntryKey {
                module: module.unwrap_or_default().to_owned(),
                mode: "managed".to_owned(),
                kind: address.kind.terraform_type().to_owned(),
                name: address.name.to_string(),
            };
            while let Some(entry) = foreign.next_if(|entry| *entry.key() < key) {
                seq.serialize_element(entry.raw())?;
            }
            // Instances of the same entry that are not of this stack.
            while let Some(entry) = foreign.next_if(|entry| *entry.key() == key) {
                let theirs = entry.raw_instances().into_iter();
                instances.extend(theirs.map(|(order, raw)| (order, InstanceView::Foreign(raw))));
                instances.sort_by(|a, b| a.0.cmp(&b.0));
            }
            let block = BlockView {
                module,
                mode: "managed",
                resource_type: address.kind.terraform_type(),
                name: &address.name,
                provider: providers.get(&address).copied().unwrap_or(PROVIDER),
                instances: instances.into_iter().map(|(_, view)| view).collect(),
            };
            seq.serialize_element(&block)?;
        }
        for entry in foreign {
            seq.serialize_element(entry.raw())?;
        }
        seq.end()
    }
}
