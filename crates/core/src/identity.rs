//! What marks an object as ours: three tags, and client tokens derived from the same facts.
//!
//! They are how an object is found when an answer was lost, when the state was lost, and at the final sweep.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::api::Call;
use crate::fingerprint::hex;
use crate::intern::key;
use crate::value::{Value, ValueMap};

/// Tag that names the state's lineage.
pub const LINEAGE_TAG: &str = "aloka-lineage";
/// Tag that names the address (see [`Address::tag_value`]).
pub const ADDRESS_TAG: &str = "aloka-address";
/// Tag that counts how often the address was created.
pub const GENERATION_TAG: &str = "aloka-generation";

/// The keys of the three tags.
pub const KEYS: [&str; 3] = [ADDRESS_TAG, GENERATION_TAG, LINEAGE_TAG];

/// Keys of the same tags up to release 0.1: scanners that render a plan as HCL lose every tag of an object when one key
/// holds a colon. Read for as long as objects carry them, and replaced by the next apply.
pub const OLD_TAGS: [(&str, &str); 3] =
    [("aloka:lineage", LINEAGE_TAG), ("aloka:address", ADDRESS_TAG), ("aloka:generation", GENERATION_TAG)];

/// The SHA-256 of this text in lower-case hexadecimal: names a machine without telling its name.
pub fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text))
}

/// True of the key of a tag that identifies an object, in the form of today or of before.
pub fn is_identity(tag: &str) -> bool {
    OLD_TAGS.iter().any(|(old, new)| tag == *old || tag == *new)
}

/// True of the key of the tag that names the lineage, in the form of today or of before.
pub fn is_lineage_key(tag: &str) -> bool {
    tag == LINEAGE_TAG || tag == OLD_TAGS[0].0
}

/// A look-up by our tags as an earlier release put them on.
pub fn in_old_form(mut call: Call) -> Call {
    if let Some(Value::Map(filters)) = call.args.get_mut("Filters") {
        let old = |name: &str| {
            let tag = name.strip_prefix("tag:")?;
            OLD_TAGS.iter().find(|(_, new)| *new == tag).map(|(old, _)| key(&format!("tag:{old}")))
        };
        *filters =
            filters.iter().map(|(name, value)| (old(name).unwrap_or_else(|| name.clone()), value.clone())).collect();
    }
    call
}

/// The value of one of the three tags, under its key of today or else of before.
fn tag<'a>(tags: &'a Value, name: &str) -> Option<&'a str> {
    let old = OLD_TAGS.iter().find(|(_, new)| *new == name).map(|(old, _)| *old);
    tags.get(name).as_str().or_else(|| tags.get(old?).as_str())
}

/// The lineage that these tags name.
pub fn lineage(tags: &Value) -> Option<&str> {
    tag(tags, LINEAGE_TAG)
}

/// The address that these tags name, as [`Address::tag_value`] writes it.
pub fn address_tag(tags: &Value) -> Option<&str> {
    tag(tags, ADDRESS_TAG)
}

/// The generation that these tags name.
pub fn generation_tag(tags: &Value) -> Option<u32> {
    tag(tags, GENERATION_TAG)?.parse().ok()
}

/// The tags that identify one object.
pub fn tags(lineage: &Arc<str>, address: &Address, generation: u32) -> ValueMap {
    ValueMap::from([
        (key(LINEAGE_TAG), Value::Str(lineage.clone())),
        (key(ADDRESS_TAG), Value::from(address.tag_value())),
        (key(GENERATION_TAG), Value::from(generation.to_string())),
    ])
}

/// The generation an object's attributes tell by its tags.
pub fn generation(attributes: &ValueMap) -> Option<u32> {
    generation_tag(attributes.get("tags")?)
}

/// The client token of a creation: the same for every attempt to create the same generation of the same address, in
/// this run or a later one; 32 hexadecimal digits, within the 64 characters AWS allows.
pub fn client_token(lineage: &str, address: &Address, generation: u32) -> String {
    // Release 0.1 sent other tags with the token that follows from these three alone, and AWS takes a token for one request.
    let mut token = digest(&["2", lineage, &address.to_string(), &generation.to_string()]);
    token.truncate(32);
    token
}

/// A creation is sent with so many tokens after its first before it fails.
pub const LATER_TOKENS_MAX: u32 = 8;

/// The client token that a creation is sent with when `spent` tokens before it, of which `token` is the first, made what is
/// gone: AWS makes nothing more for those. It follows from the first, so that whoever tries again tries the same ones in the
/// same order, and finds what an earlier run made with one of them.
pub fn later_token(token: &str, spent: u32) -> String {
    let mut later = digest(&["later", token, &spent.to_string()]);
    later.truncate(32);
    later
}

/// Terraform's key for the object that generation `generation` of `address` replaces.
pub fn deposed_key(lineage: &str, address: &Address, generation: u32) -> Arc<str> {
    let mut key = digest(&["deposed", lineage, &address.to_string(), &generation.to_string()]);
    key.truncate(8);
    Arc::from(key)
}

fn digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize())
}
