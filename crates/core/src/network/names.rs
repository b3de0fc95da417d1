//! Which object an attribute means, whether it holds a reference or a literal id.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::address::Address;
use crate::kind::Kind;
use crate::resource::Network;
use crate::value::{Reference, Value, ValueMap};

/// References to references followed at most; also ends a circle.
const MAX_HOPS: usize = 8;

/// An object some attribute names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Party {
    /// The resource at this address; it may be missing from the resources at hand.
    Object(Address),
    /// An id or reference that no resource at hand accounts for.
    Unknown(Arc<str>),
}

/// The kinds that mean this to the network.
pub(super) fn kinds(means: impl Fn(Network) -> bool) -> impl Iterator<Item = Kind> {
    Kind::ALL.into_iter().filter(move |kind| means(kind.definition().network))
}

/// Resources with their ids.
pub(super) struct Names<'a> {
    resources: &'a BTreeMap<Address, ValueMap>,
    by_id: BTreeMap<(Kind, &'a str), &'a Address>,
    /// The kinds that a security group's identifier may belong to.
    groups: Vec<Kind>,
}

impl<'a> Names<'a> {
    pub(super) fn new(resources: &'a BTreeMap<Address, ValueMap>) -> Self {
        let mut by_id = BTreeMap::new();
        for (address, attributes) in resources {
            if let Some(Value::Str(id)) = attributes.get(address.kind.definition().reference) {
                by_id.insert((address.kind, &**id), address);
            }
        }
        let groups = kinds(|network| network == Network::Group).collect();
        Self { resources, by_id, groups }
    }

    /// The resources of a kind.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = (&'a Address, &'a ValueMap)> + '_ {
        self.resources.iter().filter(move |(address, _)| address.kind == kind)
    }

    /// The security groups.
    pub(super) fn groups(&self) -> impl Iterator<Item = (&'a Address, &'a ValueMap)> + '_ {
        self.groups.iter().flat_map(|kind| self.of(*kind))
    }

    /// The attribute, with references to known attributes followed; null when it is absent.
    pub(super) fn get(&self, attributes: &'a ValueMap, name: &str) -> &'a Value {
        const NULL: Value = Value::Null;
        self.follow(attributes.get(name).unwrap_or(&NULL))
    }

    /// The attributes of the resource at `address`, if it is at hand.
    pub(super) fn attributes(&self, address: &Address) -> Option<&'a ValueMap> {
        self.resources.get(address)
    }

    fn follow(&self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..MAX_HOPS {
            let Value::Ref(reference) = value else { break };
            match self.answer(reference) {
                Some(next) => value = next,
                None => break,
            }
        }
        value
    }

    /// The value a reference has, unless it is null or not at hand.
    fn answer(&self, reference: &Reference) -> Option<&'a Value> {
        let attributes = self.resources.get(&reference.address)?;
        attributes.get(&reference.attribute).filter(|value| !value.is_null())
    }

    /// The security group that `value` names; `None` if it names none.
    pub(super) fn group(&self, value: &'a Value) -> Option<Party> {
        self.party(value, &self.groups)
    }

    /// The object of one of `kinds` that `value` names; `None` if it names none (null or an empty text).
    pub(super) fn party(&self, value: &'a Value, kinds: &[Kind]) -> Option<Party> {
        let mut value = value;
        for _ in 0..MAX_HOPS {
            match value {
                Value::Null => return None,
                Value::Str(text) if text.is_empty() => return None,
                Value::Str(text) => {
                    let known = kinds.iter().find_map(|&kind| self.by_id.get(&(kind, &**text)));
                    return Some(
                        known.map_or_else(|| Party::Unknown(text.clone()), |&known| Party::Object(known.clone())),
                    );
                }
                Value::Ref(reference) => {
                    let Reference { address, attribute } = &**reference;
                    if **attribute == *address.kind.definition().reference || **attribute == *"id" {
                        return Some(Party::Object(address.clone()));
                    }
                    match self.answer(reference) {
                        Some(next) => value = next,
                        None => break,
                    }
                }
                Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Secret(_) => break,
            }
        }
        Some(Party::Unknown(value.to_string().into()))
    }
}
