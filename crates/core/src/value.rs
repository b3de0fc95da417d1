//! Attribute values and call arguments: JSON plus references and secrets.
//!
//! A [`Value`] is what the stack declares, what a call sends, what AWS answers and what the state records. Only the
//! first two may hold a reference or a secret; the secret itself is never in a value, only its name.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::address::Address;
use crate::intern::{self, key};
use crate::map::SmallMap;

/// A map of values by name. Names are shared, see [`key`].
pub type ValueMap = SmallMap<Arc<str>, Value>;

/// How many maps are remembered.
const RECENT_MAPS_MAX: usize = 16;

thread_local! {
    /// Maps given to [`common`] lately, the latest first.
    static RECENT_MAPS: RefCell<VecDeque<ValueMap>> = const { RefCell::new(VecDeque::new()) };
}

/// Returns an equal map that this thread built recently, so that both share one copy, or else the map itself. Meant for maps
/// that are built again for each object and hardly ever differ: disks, metadata options.
pub fn common(map: ValueMap) -> ValueMap {
    RECENT_MAPS.with_borrow_mut(|recent| {
        if let Some(known) = recent.iter().find(|known| **known == map) {
            return known.clone();
        }
        recent.truncate(RECENT_MAPS_MAX - 1);
        recent.push_front(map.clone());
        map
    })
}

/// A value of an attribute or an argument.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// No value.
    #[default]
    Null,
    /// A truth value.
    Bool(bool),
    /// A number as JSON has it.
    Number(serde_json::Number),
    /// A text.
    Str(Arc<str>),
    /// A list; order matters unless the attribute's schema says it is a set.
    List(Vec<Self>),
    /// A map.
    Map(ValueMap),
    /// A value that another resource will have.
    Ref(Arc<Reference>),
    /// The named secret, put in place by the driver when the call is sent.
    Secret(Arc<str>),
}

/// The value that a resource will have in an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The resource.
    pub address: Address,
    /// The attribute.
    pub attribute: Arc<str>,
}

/// Many values are held: what a variant needs beyond this is behind a pointer.
const _: () = assert!(size_of::<Value>() == 24, "a value takes three words");

/// Key of the JSON object that stands for a reference.
const REF_KEY: &str = "$ref";
/// Key of the JSON object that stands for a secret.
const SECRET_KEY: &str = "$secret";

impl Value {
    /// An empty list.
    pub const EMPTY_LIST: Self = Self::List(Vec::new());

    /// A text value.
    pub fn str(text: impl AsRef<str>) -> Self {
        Self::Str(intern::text(text.as_ref()))
    }

    /// A reference to `attribute` of the resource at `address`.
    pub fn reference(address: Address, attribute: &str) -> Self {
        Self::Ref(Arc::new(Reference { address, attribute: key(attribute) }))
    }

    /// A map from text keys.
    pub fn map<K: AsRef<str>, V: Into<Self>>(entries: impl IntoIterator<Item = (K, V)>) -> Self {
        Self::Map(entries.into_iter().map(|(k, v)| (key(k.as_ref()), v.into())).collect())
    }

    /// A map from text keys that is likely to be the same for many objects, and then takes memory once.
    pub fn common_map<'k>(entries: impl IntoIterator<Item = (&'k str, Self)>) -> Self {
        Self::Map(common(entries.into_iter().map(|(k, v)| (key(k), v)).collect()))
    }

    /// A list.
    pub fn list<V: Into<Self>>(items: impl IntoIterator<Item = V>) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }

    /// The text, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The text, if this is one, to be shared.
    pub fn shared_str(&self) -> Option<Arc<str>> {
        if let Self::Str(text) = self { Some(text.clone()) } else { None }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// The whole number, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        if let Self::Number(number) = self { number.as_i64() } else { None }
    }

    /// The items, if this is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The entries, if this is a map.
    pub fn as_map(&self) -> Option<&ValueMap> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// True for [`Value::Null`].
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// The value under a path such as `NatGateways.0.State`: map keys and list indexes separated by dots.
    /// `None` when any part is missing.
    pub fn at(&self, path: &str) -> Option<&Self> {
        if path.is_empty() {
            return Some(self);
        }
        path.split('.').try_fold(self, |value, part| match value {
            Self::Map(map) => map.get(part),
            Self::List(items) => items.get(part.parse::<usize>().ok()?),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) | Self::Ref(..) | Self::Secret(_) => None,
        })
    }

    /// The value of `key` if this is a map that has it, else null.
    pub fn get(&self, key: &str) -> &Self {
        const NULL: Value = Value::Null;
        self.as_map().and_then(|map| map.get(key)).unwrap_or(&NULL)
    }

    /// True if no reference and no secret is inside.
    pub fn is_literal(&self) -> bool {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) => true,
            Self::List(items) => items.iter().all(Self::is_literal),
            Self::Map(map) => map.values().all(Self::is_literal),
            Self::Ref(..) | Self::Secret(_) => false,
        }
    }

    /// True if a secret is inside.
    pub fn has_secret(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(items) => items.iter().any(Self::has_secret),
            Self::Map(map) => map.values().any(Self::has_secret),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) | Self::Ref(..) => false,
        }
    }

    /// True if a reference is inside.
    fn refers(&self) -> bool {
        match self {
            Self::Ref(_) => true,
            Self::List(items) => items.iter().any(Self::refers),
            Self::Map(map) => map.values().any(Self::refers),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) | Self::Secret(_) => false,
        }
    }

    /// Calls `visit` for every reference inside.
    pub fn visit_refs<'a>(&'a self, visit: &mut impl FnMut(&'a Address, &'a str)) {
        match self {
            Self::Ref(reference) => visit(&reference.address, &reference.attribute),
            Self::List(items) => items.iter().for_each(|item| item.visit_refs(visit)),
            Self::Map(map) => map.values().for_each(|item| item.visit_refs(visit)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) | Self::Secret(_) => {}
        }
    }

    /// A copy in which every reference that `lookup` answers is replaced by the answer. What it does not answer stays.
    pub fn resolve(&self, lookup: &impl Fn(&Address, &str) -> Option<Self>) -> Self {
        match self {
            Self::Ref(reference) => lookup(&reference.address, &reference.attribute).unwrap_or_else(|| self.clone()),
            Self::List(items) => Self::List(items.iter().map(|item| item.resolve(lookup)).collect()),
            // What has no reference inside stays shared.
            Self::Map(map) if self.refers() => {
                Self::Map(map.iter().map(|(k, v)| (k.clone(), v.resolve(lookup))).collect())
            }
            Self::Map(_) | Self::Null | Self::Bool(_) | Self::Number(_) | Self::Str(_) | Self::Secret(_) => {
                self.clone()
            }
        }
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::str(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::str(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::str(value)
    }
}

impl From<Arc<str>> for Value {
    fn from(value: Arc<str>) -> Self {
        Self::Str(value)
    }
}

impl From<&Arc<str>> for Value {
    fn from(value: &Arc<str>) -> Self {
        Self::Str(value.clone())
    }
}

impl From<u16> for Value {
    fn from(value: u16) -> Self {
        Self::Number(value.into())
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Number(value.into())
    }
}

impl From<i32> for Value {
    fn from(value: i32) -> Self {
        Self::Number(value.into())
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Number(value.into())
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Number(value.into())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<Vec<Self>> for Value {
    fn from(value: Vec<Self>) -> Self {
        Self::List(value)
    }
}

impl From<ValueMap> for Value {
    fn from(value: ValueMap) -> Self {
        Self::Map(value)
    }
}

impl From<serde_json::Value> for Value {
    fn from(value: serde_json::Value) -> Self {
        match value {
            serde_json::Value::Null => Self::Null,
            serde_json::Value::Bool(value) => Self::Bool(value),
            serde_json::Value::Number(value) => Self::Number(value),
            serde_json::Value::String(value) => Self::str(value),
            serde_json::Value::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            serde_json::Value::Object(map) => {
                Self::Map(map.into_iter().map(|(k, v)| (key(&k), Self::from(v))).collect())
            }
        }
    }
}

/// Compact text: JSON for literals, `address.attribute` for references, `(sensitive)` for secrets.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Str(value) => f.write_str(&serde_json::Value::from(&**value).to_string()),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (index, (key, item)) in map.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}{key}={item}")?;
                }
                f.write_str("}")
            }
            Self::Ref(reference) => write!(f, "{}.{}", reference.address, reference.attribute),
            Self::Secret(_) => f.write_str("(sensitive)"),
        }
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Str(value) => serializer.serialize_str(value),
            Self::List(items) => {
                let mut seq = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    seq.serialize_element(item)?;
                }
                seq.end()
            }
            Self::Map(entries) => {
                let mut map = serializer.serialize_map(Some(entries.len()))?;
                for (key, value) in entries {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
            Self::Ref(reference) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(REF_KEY, &(&reference.address, &reference.attribute))?;
                map.end()
            }
            Self::Secret(name) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry(SECRET_KEY, name)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(serde_json::Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::str(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut map = Vec::new();
        while let Some(name) = access.next_key::<std::borrow::Cow<'de, str>>()? {
            match &*name {
                REF_KEY => {
                    let (address, attribute) = access.next_value::<(Address, Arc<str>)>()?;
                    return Ok(Value::Ref(Arc::new(Reference { address, attribute })));
                }
                SECRET_KEY => return Ok(Value::Secret(access.next_value()?)),
                _ => map.push((key(&name), access.next_value()?)),
            }
        }
        // A file repeats what the objects had in common.
        Ok(Value::Map(common(map.into_iter().collect())))
    }
}
