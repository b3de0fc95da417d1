//! What outlives a write of Terraform. It drops the `aloka` section but keeps each object's `private` data, so the hash of
//! the password rides along in that of the database: without it, every plan after Terraform's would send the password.
//!
//! The data is JSON in base64, of the provider's own keys; what is not of that form is left as it is.

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value as Json};

/// Our key among the provider's.
const KEY: &str = "aloka";

fn decode(private: &str) -> Option<Map<String, Json>> {
    let bytes = Base64::decode_vec(private).ok()?;
    let Json::Object(data) = serde_json::from_slice(&bytes).ok()? else { return None };
    Some(data)
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
        for odd in ["", "bnVsbA==", "not base64", "W10="] {
            assert_eq!((with_hash(Some(odd), "x"), without_hash(odd)), (None, None), "{odd}");
        }
    }
}
