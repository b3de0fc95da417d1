//! Recorded state: what aloka last knew of each resource, and what it was about to do.
//!
//! In a file this is Terraform state v4 plus one top-level key `aloka` that Terraform ignores (see [`mod@file`]). The
//! serial only grows; the lineage never changes. No secret is ever in it.

pub mod clear;
pub mod edit;
pub mod file;
pub mod flat;
pub mod foreign;
pub mod form;
pub mod kept;
pub mod outputs;
pub mod raw;
pub mod sensitive;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::foreign::{Foreign, ForeignInstance};
use self::outputs::OutputMark;
use self::raw::Raw;
use crate::address::Address;
pub use crate::address::Target;
use crate::api::Operation;
use crate::identity;
use crate::kind::Kind;
use crate::resource::PASSWORD;
use crate::value::{Value, ValueMap};

/// The recorded state of the whole stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Which history this is. Chosen once, at random, by whoever creates the state.
    pub lineage: Arc<str>,
    /// How far along the history; grows by one with each write.
    pub serial: u64,
    /// Outputs of the last apply.
    pub outputs: BTreeMap<String, Value>,
    /// What is recorded of them beside the value, where that is not what aloka would write.
    pub output_marks: BTreeMap<String, OutputMark>,
    /// Current objects.
    pub resources: BTreeMap<Address, Arc<Resource>>,
    /// Objects that a replacement left behind, still to be destroyed.
    pub deposed: BTreeMap<Target, Arc<Resource>>,
    /// What is recorded and not of this stack, kept as it is.
    pub foreign: Vec<Foreign>,
    /// Outputs that the stack does not declare, kept as they are.
    pub foreign_outputs: BTreeMap<String, Raw>,
    /// Results of Terraform's checks, kept as they are.
    pub check_results: Option<Raw>,
    /// What Terraform has no room for.
    pub private: Private,
}

/// One recorded object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resource {
    /// Attributes by Terraform's names; also those aloka does not know. Shared with the plans made from them.
    pub attributes: Arc<ValueMap>,
    /// Everything it depends on, directly or not, as config addresses (Terraform's `dependencies`).
    pub dependencies: Arc<[Arc<str>]>,
    /// Created, but not known to be good: to be replaced.
    pub tainted: bool,
    /// True if the `aloka` section claims this object for its address. A state that Terraform wrote has no claims.
    pub claimed: bool,
    /// Terraform's provider-private data, kept as it is.
    pub provider_private: Option<Arc<str>>,
    /// The replacement order Terraform recorded, kept as it is.
    pub create_before_destroy: bool,
    /// What else Terraform recorded; `None` if that is what aloka would write.
    pub terraform: Option<Arc<Terraform>>,
}

/// What Terraform records of an object beside its attributes and aloka has no use for: kept as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terraform {
    /// The provider, if it is not the usual one: an alias, another registry.
    pub provider: Option<String>,
    /// Version of the attributes' schema, if it is of another release of the provider.
    pub schema_version: Option<u64>,
    /// Paths of attributes that are not to be shown.
    pub sensitive_attributes: Vec<serde_json::Value>,
    /// The identity of the object, as Terraform 1.12 and newer have it.
    pub identity: Option<serde_json::Value>,
    /// Version of the identity's schema.
    pub identity_schema_version: Option<u64>,
}

// Numbers in it are whole, or are at least never not-a-number: JSON has no such thing.
impl Eq for Terraform {}

impl Resource {
    /// The object's identifier in AWS, if known.
    pub fn id(&self) -> Option<&str> {
        self.attributes.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())
    }

    /// Its attributes without what is marked as sensitive.
    pub fn shown_attributes(&self, kind: Kind) -> Cow<'_, ValueMap> {
        let recorded = self.terraform.as_ref().map_or(&[][..], |terraform| &terraform.sensitive_attributes);
        let paths = sensitive::paths(kind, recorded);
        if paths.is_empty() {
            return Cow::Borrowed(&self.attributes);
        }
        Cow::Owned(sensitive::masked(&paths, &self.attributes, &mut Vec::new()))
    }
}

/// The `aloka` section of the state file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Private {
    /// Version of this section's format.
    pub format_version: u32,
    /// The AWS account the objects are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The Region the objects are in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was chosen once and stays.
    pub choices: Choices,
    /// Keyed hash of each secret last sent, by name.
    pub secrets: BTreeMap<Arc<str>, Arc<str>>,
    /// How often each address was created; never falls, also when the object is gone.
    pub generations: BTreeMap<Address, u32>,
    /// What was begun and not known to be finished.
    pub intents: BTreeMap<Address, Intent>,
    /// Keys of the tags that the last apply set. Only these are ever removed from an object.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub tag_keys: BTreeSet<Arc<str>>,
    /// Identifiers of what is claimed at addresses that the stack does not declare, by address: rules of our groups that
    /// are recorded as resources of their own. Claims of the stack's own objects are [`Resource::claimed`].
    #[serde(skip_serializing)]
    pub claims: BTreeMap<String, Arc<str>>,
}

/// Drops what may be neither recorded nor shown: a Terraform state holds the password in clear, ours never does.
pub fn without_secrets(attributes: &mut Arc<ValueMap>) {
    if attributes.contains_key(PASSWORD) {
        Arc::make_mut(attributes).remove(PASSWORD);
    }
}

/// Values resolved once and recorded: a reordering of zones or a newer release does not change them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Choices {
    /// Availability zones by slot.
    pub availability_zones: Vec<String>,
    /// The image of the application servers.
    pub image: Option<Image>,
    /// The PostgreSQL version chosen for an unset `db_engine_version`.
    pub db_engine_version: Option<String>,
    /// What the owner of the database has made of settings that no variable sets, by attribute: a database that takes the
    /// place of this one has them too.
    #[serde(skip_serializing_if = "ValueMap::is_empty")]
    pub db_settings: ValueMap,
    /// Which of these were not chosen for good: taken from objects that somebody else made, as long as these last, or chosen by a
    /// plan that only recorded something.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub from_objects: BTreeSet<Choice>,
    /// True if the VPC's default security group is left as it is, because the state that the stack was taken over from
    /// did not record it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub leave_default_group: bool,
}

/// One of the [`Choices`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// [`Choices::availability_zones`]
    AvailabilityZones,
    /// [`Choices::image`]
    Image,
    /// [`Choices::db_engine_version`]
    DbEngineVersion,
}

/// A resolved machine image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// `ami-…`
    pub id: String,
    /// The family it was chosen for, or the image id the variables named.
    pub chosen_for: String,
    /// Device name of its root volume.
    pub root_device_name: String,
    /// Size of its root volume, GiB, if it was read: the least an instance may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root_volume_gib: Option<u32>,
}

/// Written before the first mutating call of an action, removed when the action is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    /// The first mutating call.
    pub operation: Operation,
    /// The generation of the object it creates or changes.
    pub generation: u32,
    /// The name that finds it where tags do not (RDS).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
}

impl State {
    /// The empty state of a new history.
    pub fn new(lineage: impl Into<Arc<str>>) -> Self {
        let private = Private { format_version: file::PRIVATE_FORMAT_VERSION, ..Private::default() };
        Self { lineage: lineage.into(), private, ..Self::default() }
    }

    /// The recorded object, current or deposed.
    pub fn get(&self, target: &Target) -> Option<&Arc<Resource>> {
        match target.deposed {
            None => self.resources.get(&target.address),
            Some(_) => self.deposed.get(target),
        }
    }

    /// Every recorded object: the current ones, then the deposed ones.
    pub fn objects(&self) -> impl Iterator<Item = (Target, &Arc<Resource>)> {
        let current = self.resources.iter().map(|(address, r)| (Target::current(address.clone()), r));
        current.chain(self.deposed.iter().map(|(target, r)| (target.clone(), r)))
    }

    /// What is recorded and not of this stack, instance by instance.
    pub fn foreign_instances(&self) -> Vec<ForeignInstance> {
        self.foreign.iter().flat_map(Foreign::instances).collect()
    }

    /// An attribute of a current object, if recorded and not null.
    pub fn attribute(&self, address: &Address, name: &str) -> Option<&Value> {
        self.resources.get(address)?.attributes.get(name).filter(|value| !value.is_null())
    }

    /// What is marked as sensitive of the objects of each address, for the objects that will follow them.
    pub(crate) fn sensitive_attributes(&self) -> BTreeMap<Address, Arc<Terraform>> {
        let marked = self.objects().filter_map(|(target, resource)| {
            let sensitive_attributes = resource.terraform.as_ref()?.sensitive_attributes.clone();
            let marks = Terraform { sensitive_attributes, ..Terraform::default() };
            (marks != Terraform::default()).then(|| (target.address, Arc::new(marks)))
        });
        // Of an address, the current object comes first, and counts.
        let mut marked: Vec<_> = marked.collect();
        marked.reverse();
        marked.into_iter().collect()
    }

    /// Identifiers of what is recorded. A run that failed leaves it recorded, and reports it by itself.
    pub fn recorded_ids(&self) -> BTreeSet<&str> {
        let ids = self.objects().filter_map(|(target, object)| {
            let name = target.address.kind.key_attribute();
            object.attributes.get(name)?.as_str()
        });
        ids.collect()
    }

    /// True if Terraform recorded a password.
    pub fn has_clear_password(&self) -> bool {
        let password =
            |resource: &Resource| resource.attributes.get(PASSWORD).is_some_and(|value| value.as_str().is_some());
        self.objects().any(|(_, resource)| password(resource))
    }

    /// Drops passwords, which Terraform records in clear and aloka never does.
    pub fn forget_passwords(&mut self) {
        for resource in self.resources.values_mut().chain(self.deposed.values_mut()) {
            if resource.attributes.contains_key(PASSWORD) {
                without_secrets(&mut Arc::make_mut(resource).attributes);
            }
        }
    }

    /// True if nothing is recorded that exists in AWS.
    pub fn is_empty(&self) -> bool {
        self.resources.is_empty() && self.deposed.is_empty() && self.private.intents.is_empty()
    }

    /// The generation a new object of `address` gets: that of an unfinished creation, else one more than the last.
    pub fn next_generation(&self, address: &Address) -> u32 {
        let last = self.private.generations.get(address).copied().unwrap_or(0);
        self.unfinished(address).map_or(last.saturating_add(1), |intent| intent.generation)
    }

    /// The creation of `address` that was begun and whose object is not recorded. An object that it replaces may be.
    pub fn unfinished(&self, address: &Address) -> Option<&Intent> {
        let recorded = self.resources.get(address);
        let is_made = |intent: &Intent| {
            recorded.is_some_and(|resource| {
                identity::generation(&resource.attributes).is_none_or(|own| own == intent.generation)
            })
        };
        self.private.intents.get(address).filter(|intent| intent.operation.is_creating() && !is_made(intent))
    }
}
