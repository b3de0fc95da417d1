//! Objects as reads answered them, whatever the kind. Decides nothing about them.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::Replies;
use crate::address::Address;
use crate::api::{Operation, Rds};
use crate::identity;
use crate::kind::Kind;
use crate::resource::{self, Listing, Phase, Tagging};
use crate::value::Value;

/// One object.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Seen<'a> {
    /// What it is; a default security group is a [`Kind::SecurityGroup`] here.
    pub(in super::super) kind: Kind,
    /// Its identifier.
    pub(in super::super) id: &'a str,
    /// As AWS describes it.
    pub(in super::super) object: &'a Value,
    /// Its tags.
    pub(in super::super) tags: &'a Value,
}

impl Seen<'_> {
    fn tag(&self, name: &str) -> Option<&str> {
        self.tags.get(name).as_str()
    }

    /// The history that made it.
    pub(in super::super) fn lineage(&self) -> Option<Arc<str>> {
        identity::lineage(self.tags).map(crate::intern::text)
    }

    /// The address it was made for, if an object of this kind can have it.
    pub(in super::super) fn address(&self) -> Option<Address> {
        let address = Address::from_tag_value(identity::address_tag(self.tags)?).ok()?;
        let kind = address.kind.definition().listing.kind;
        (kind == self.kind).then_some(address)
    }

    /// Which of the address's objects it is.
    pub(in super::super) fn generation(&self) -> u32 {
        identity::generation_tag(self.tags).unwrap_or(0)
    }

    /// Its name tag.
    pub(in super::super) fn name(&self) -> Option<&str> {
        self.tag("Name")
    }

    /// A field of the object as text.
    pub(in super::super) fn text(&self, path: &str) -> &str {
        self.object.at(path).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list in the object.
    pub(in super::super) fn list(&self, name: &str) -> &[Value] {
        self.object.get(name).as_list().unwrap_or_default()
    }

    /// True if it is there to stay.
    pub(in super::super) fn stays(&self) -> bool {
        match resource::phase(self.kind, self.object) {
            Phase::Ready | Phase::Settling => true,
            Phase::Failed(_) | Phase::Deleting | Phase::Gone => false,
        }
    }
}

/// Every object in the replies, each once, those that are gone left out.
pub(in super::super) fn all<'a>(replies: &Replies<'a>) -> Vec<Seen<'a>> {
    const NO_TAGS: &Value = &Value::Null;
    let mut seen = Vec::new();
    let mut known = BTreeSet::new();
    for Listing { kind, operation, list, id, .. } in resource::listings() {
        for object in replies.items(operation, list) {
            let Some(id) = object.at(id).and_then(Value::as_str) else { continue };
            if known.insert((kind, id)) && resource::phase(kind, object) != Phase::Gone {
                let tags = match kind.definition().tagging {
                    Tagging::RdsApart => group_tags(replies, object).unwrap_or(NO_TAGS),
                    Tagging::None | Tagging::Ec2 | Tagging::Rds => object.get("Tags"),
                };
                seen.push(Seen { kind, id, object, tags });
            }
        }
    }
    seen
}

fn group_tags<'a>(replies: &Replies<'a>, group: &Value) -> Option<&'a Value> {
    let of_group = |call: &crate::api::Call| call.arg("ResourceName") == group.get("DBSubnetGroupArn");
    let answers = replies.of(Operation::Rds(Rds::ListTagsForResource)).iter();
    answers.filter(|(call, _)| of_group(call)).find_map(|(_, reply)| Some((*reply).ok()?.get("Tags")))
}
