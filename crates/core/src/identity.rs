//! What marks an object as ours: three tags, and client tokens derived from the same facts.
//!
//! They are how an object is found when an answer was lost, when the state was lost, and at the final sweep.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::address::Address;
use crate::fingerprint::hex;
use crate::map::key;
use crate::value::{Value, ValueMap};

/// Tag that names the state's lineage.
pub const LINEAGE_TAG: &str = "aloka:lineage";
/// Tag that names the address (see [`Address::tag_value`]).
pub const ADDRESS_TAG: &str = "aloka:address";
/// Tag that counts how often the address was created.
pub const GENERATION_TAG: &str = "aloka:generation";

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
    attributes.get("tags")?.get(GENERATION_TAG).as_str()?.parse().ok()
}

/// The client token of a creation: the same for every attempt to create the same generation of the same address, in
/// this run or a later one; 32 hexadecimal digits, within the 64 characters AWS allows.
pub fn client_token(lineage: &str, address: &Address, generation: u32) -> String {
    let mut token = digest(&[lineage, &address.to_string(), &generation.to_string()]);
    token.truncate(32);
    token
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
