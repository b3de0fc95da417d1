//! Whether a file holds a database's password in clear: a state of any format, whole or not, in whatever encoding a tool left it.

use super::file;
use super::form::BYTE_ORDER_MARK;

/// What a state that Terraform wrote has and one of ours has not.
const PASSWORD: &str = "\"password\"";
/// Whose password is meant.
const DATABASE: &str = "aws_db_instance";

/// True if these bytes are a state with the password of a database of the stack in clear. Of what cannot be read as a state, any
/// database counts: it may be cut off, merged, or of a format of old.
pub fn holds_password(bytes: &[u8]) -> bool {
    let text = text(bytes);
    // Parsed only if there is something to find: most copies are our own.
    if !has_password(&text) {
        return false;
    }
    match file::read(&text) {
        Ok(state) => state.has_clear_password(),
        Err(_) => text.contains(DATABASE),
    }
}

fn has_password(text: &str) -> bool {
    text.split(PASSWORD).skip(1).any(|rest| {
        let value = rest.trim_start().strip_prefix(':').map(str::trim_start);
        value
            .and_then(|value| value.strip_prefix('"'))
            .is_some_and(|value| !value.is_empty() && !value.starts_with('"'))
    })
}

/// The text, also if it is in UTF-16.
fn text(bytes: &[u8]) -> String {
    let utf16 = |unit: fn([u8; 2]) -> u16| {
        let units = bytes.chunks_exact(2).filter_map(|pair| <[u8; 2]>::try_from(pair).ok()).map(unit);
        let text: String = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        text.trim_start_matches(BYTE_ORDER_MARK).to_owned()
    };
    match bytes {
        [0xff, 0xfe, ..] | [_, 0, ..] => utf16(u16::from_le_bytes),
        [0xfe, 0xff, ..] | [0, ..] => utf16(u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;

    // As texts: the order of keys, which counts for what is cut off, is Terraform's.
    fn version_4(attributes: &str, value: &Json) -> String {
        format!(
            r#"{{"version":4,"serial":1,"lineage":"l","resources":[{{"mode":"managed","type":"{DATABASE}","name":"postgres","provider":"p","instances":[{{"schema_version":1,"{attributes}":{{"id":"x","password":{value}}}}}]}}]}}"#
        )
    }

    fn version_3(value: &Json) -> String {
        format!(
            r#"{{"version":3,"serial":1,"lineage":"l","modules":[{{"path":["root"],"resources":{{"aws_db_instance.postgres":{{"type":"{DATABASE}","primary":{{"id":"x","attributes":{{"password":{value}}}}}}}}}}}]}}"#
        )
    }

    #[test]
    fn it_is_found_in_every_form_of_a_state() {
        let (secret, empty) = (json!("S3cret"), json!(""));
        for make in [&version_3 as &dyn Fn(&Json) -> String, &|v| version_4("attributes", v), &|v| {
            version_4("attributes_flat", v)
        }] {
            let whole = make(&secret);
            let pretty = serde_json::from_str::<Json>(&whole)
                .and_then(|json| serde_json::to_string_pretty(&json))
                .expect("JSON");
            let merged = format!("{{\n<<<<<<< ours\n{whole}\n=======\n{whole}\n>>>>>>> theirs\n");
            let cut = whole.get(..whole.find("S3cret").expect("there") + 3).expect("text").to_owned();
            for text in [whole.clone(), pretty, merged, cut, format!("{BYTE_ORDER_MARK}{whole}")] {
                let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
                let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                for bytes in [text.as_bytes(), &le, &be] {
                    assert!(holds_password(bytes), "{text}");
                }
            }
            assert!(!holds_password(make(&empty).as_bytes()));
        }
        assert!(!holds_password(version_4("attributes", &Json::Null).as_bytes()));
        for other in ["", "\0", "{\"password\": \"x\"}", "password = \"x\" # aws_db_instance"] {
            assert!(!holds_password(other.as_bytes()), "{other}");
        }
        // Of a whole state, a database of others is theirs: it is in the state as well, and stays.
        let theirs = version_4("attributes", &secret).replace("\"postgres\"", "\"theirs\"");
        assert!(!holds_password(theirs.as_bytes()));
    }
}
