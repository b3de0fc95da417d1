//! Objects as a state records them, wherever it does.

use crate::kind::Kind;
use crate::value::{Value, ValueMap};

/// An object as a state records it.
#[derive(Clone, Copy)]
pub struct Recorded<'a> {
    /// Its kind.
    pub kind: Kind,
    /// Its identifier, or its name if AWS knows it by that.
    pub id: &'a str,
    /// Its attributes.
    pub attributes: &'a ValueMap,
    /// Everything that the state records of the kinds of the stack.
    pub all: &'a [(Kind, ValueMap)],
}

impl<'a> Recorded<'a> {
    pub(super) fn text(&self, name: &str) -> &'a str {
        self.attributes.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// An attribute that is a text; an empty one if it is not recorded.
    pub(super) fn value(&self, name: &str) -> Value {
        Value::str(self.text(name))
    }

    pub(super) fn id(&self) -> Value {
        Value::str(self.id)
    }

    /// What else is recorded of a kind, with this value under this name.
    pub(super) fn others<'b>(&'b self, kind: Kind, name: &'b str, value: &'b str) -> impl Iterator<Item = Self> + 'b {
        let of = |(kind, attributes): &'a (Kind, ValueMap)| Self { kind: *kind, id: "", attributes, all: self.all };
        let all = self.all.iter().filter(move |(other, _)| *other == kind).map(of);
        all.filter(move |other| other.text(name) == value)
    }
}
