//! What outlives a write of Terraform. It drops the `aloka` section but keeps each object's `private` data, so the hash of
//! the password rides along there: without it, every plan after Terraform's would send the password.
//!
//! Of an object that Terraform changes, its provider writes the data anew, and what it does not know is gone. So the hash is
//! with the database and with each association of our subnets with a route table: these have no tags, and nothing else that
//! is changed in place by a plan that does not rebuild the network.
//!
//! The data is JSON in base64, of the provider's own keys, or null; what is not of that form is left as it is.

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value as Json};

use crate::kind::Kind;

/// Our key among the provider's.
const KEY: &str = "aloka";

/// True if the private data of current objects of this kind may hold the hash.
pub fn is_carrier(kind: Kind) -> bool {
    matches!(kind, Kind::DbInstance | Kind::RouteTableAssociation)
}

fn decode(private: &str) -> Option<Map<String, Json>> {
    let bytes = Base64::decode_vec(private).ok()?;
    match serde_json::from_slice(&bytes).ok()? {
        Json::Object(data) => Some(data),
        Json::Null => Some(Map::new()),
        Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) => None,
    }
}

fn encode(data: Map<String, Json>) -> String {
    Base64::encode_string(Json::Object(data).to_string().as_bytes())
}

/// The private data with the hash in it; `None` if it cannot hold one.
pub fn with_hash(private: Option<&str>, hash: &str) -> Option<String> {
    let mut data = private.map_or_else(|| Some(Map::new()), decode)?;
    data.insert(KEY.to_owned(), Json::from(hash));
    Some(encode(data))
}

/// The private data without the hash, and the hash; `None` if there is none in it.
pub fn without_hash(private: &str) -> Option<(Option<String>, String)> {
    let mut data = decode(private)?;
    let Json::String(hash) = data.remove(KEY)? else { return None };
    let rest = (!data.is_empty()).then(|| encode(data));
    Some((rest, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_goes_in_and_comes_out_and_the_rest_stays() {
        // As provider 5.100 writes it for a database.
        let theirs = Base64::encode_string(
            br#"{"e2bfb730-ecaa-11e6-8f88-34363bc7c4c0":{"create":2400000000000},"schema_version":"2"}"#,
        );
        for private in [None, Some(theirs.as_str())] {
            let with = with_hash(private, "$argon2id$x").expect("it can hold one");
            assert_eq!(without_hash(&with), Some((private.map(str::to_owned), "$argon2id$x".to_owned())));
            assert_eq!(
                with_hash(Some(&with), "$argon2id$y")
                    .and_then(|with| without_hash(&with))
                    .map(|(_, hash)| hash)
                    .as_deref(),
                Some("$argon2id$y")
            );
        }
        // Null, as the provider writes it where it has nothing to say.
        assert_eq!(with_hash(Some("bnVsbA=="), "x").and_then(|with| without_hash(&with)), Some((None, "x".to_owned())));
        for odd in ["", "not base64", "W10="] {
            assert_eq!((with_hash(Some(odd), "x"), without_hash(odd)), (None, None), "{odd}");
        }
    }
}
