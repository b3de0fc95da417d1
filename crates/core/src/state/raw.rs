//! JSON as it stands: the order of keys and the text of values outlive being read and written again.
//!
//! What somebody else recorded is kept in this form. A parsed number of twenty digits would come back with fifteen of them
//! right, and parsed keys would come back sorted.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// One JSON value as text.
#[derive(Clone, Debug)]
pub struct Raw(Box<RawValue>);

impl Raw {
    /// The text of a value. Of what JSON cannot hold it is `null`.
    pub fn of(value: &impl Serialize) -> Self {
        Self(to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The value, as another type; `None` if it is of another form.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self) -> Option<T> {
        serde_json::from_str(self.text()).ok()
    }
}

impl From<&RawValue> for Raw {
    fn from(raw: &RawValue) -> Self {
        Self(raw.to_owned())
    }
}

/// By the text: `1.0` is not `1`.
impl PartialEq for Raw {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl Eq for Raw {}

impl Serialize for Raw {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <Box<RawValue>>::deserialize(deserializer).map(Self)
    }
}

/// One JSON object: its keys in their order, its values as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawObject(Vec<(String, Raw)>);

impl RawObject {
    /// The value of a key: of a key that is there twice the last, as JSON parsers have it.
    pub fn get(&self, key: &str) -> Option<&Raw> {
        self.0.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// The value of a key, as another type; `None` if it is not there or of another form.
    pub fn parse<'a, T: Deserialize<'a>>(&'a self, key: &str) -> Option<T> {
        self.get(key)?.parse()
    }

    /// The text of a key whose value is a text; otherwise empty.
    pub fn text(&self, key: &str) -> String {
        self.parse(key).unwrap_or_default()
    }

    /// Sets the value of a key where the key stands, or puts it first.
    pub fn set(&mut self, key: &str, value: Raw) {
        match self.0.iter_mut().rev().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.insert(0, (key.to_owned(), value)),
        }
    }

    /// Puts a key behind all others.
    pub fn push(&mut self, key: &str, value: Raw) {
        self.0.push((key.to_owned(), value));
    }

    /// Takes a key out, however often it is there, and gives its value.
    pub fn remove(&mut self, key: &str) -> Option<Raw> {
        let mut removed = None;
        while let Some(at) = self.0.iter().position(|(name, _)| name == key) {
            removed = Some(self.0.remove(at).1);
        }
        removed
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;

        impl<'de> Visitor<'de> for Entries {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(RawObject(entries))
            }
        }

        deserializer.deserialize_map(Entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_digits_and_spaces_survive() {
        let text = r#"{"z":12345678901234567890.10,"a":{ "y" : 1e2, "b": [ ] },"m":"é\u00e9"}"#;
        let mut object: RawObject = serde_json::from_str(text).expect("an object");
        assert_eq!(serde_json::to_string(&object).expect("text"), text);
        object.set("a", Raw::of(&1));
        object.set("first", Raw::of(&"x"));
        assert_eq!(object.remove("m").map(|raw| raw.text().to_owned()).as_deref(), Some(r#""é\u00e9""#));
        assert_eq!(serde_json::to_string(&object).expect("text"), r#"{"first":"x","z":12345678901234567890.10,"a":1}"#);
        assert_eq!(
            (object.text("first").as_str(), object.text("z").as_str(), object.text("none").as_str()),
            ("x", "", "")
        );
    }

    #[test]
    fn of_a_key_that_is_there_twice_the_last_counts() {
        let mut object: RawObject = serde_json::from_str(r#"{"a":1,"b":2,"a":3}"#).expect("an object");
        assert_eq!(object.parse::<u8>("a"), Some(3));
        object.set("a", Raw::of(&4));
        assert_eq!(serde_json::to_string(&object).expect("text"), r#"{"a":1,"b":2,"a":4}"#);
        object.remove("a");
        assert_eq!(serde_json::to_string(&object).expect("text"), r#"{"b":2}"#);
    }
}
