//! What `terraform init` left in this directory about the backend. It is the directory's word, as its `.tf` files are: a
//! partial backend block is completed with it, and where it contradicts the block nobody knows which of two states is
//! meant, so that this is told.

use std::path::PathBuf;

use aloka_core::variables::backend::Given;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::workspace::{data_file, read_data_file};

/// As many bytes are read of it.
const SIZE_MAX: u64 = 1 << 20;

/// The backend that Terraform was initialised with.
pub(super) struct Initialised {
    /// Where that is written.
    pub(super) path: PathBuf,
    /// `s3`, `local`.
    pub(super) kind: String,
    /// The settings, but for those that are not set.
    pub(super) given: Vec<Given>,
}

#[derive(Deserialize)]
struct Record {
    backend: Option<RecordedBackend>,
}

#[derive(Deserialize)]
struct RecordedBackend {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    config: Option<Map<String, Value>>,
}

/// What is there; a line if it cannot be read.
pub(super) fn initialised(lines: &mut Vec<String>) -> Option<Initialised> {
    let path = data_file("terraform.tfstate");
    let text = read_data_file(&path, SIZE_MAX).unwrap_or_else(|error| {
        lines.push(format!("what Terraform was initialised with is not known: {}", error.message));
        None
    })?;
    let record: Record = serde_json::from_str(&text).ok()?;
    let RecordedBackend { kind, config } = record.backend?;
    let given = config.unwrap_or_default().into_iter().filter_map(|(name, value)| setting(&name, value)).collect();
    Some(Initialised { path, kind, given })
}

fn setting(name: &str, value: Value) -> Option<Given> {
    let value = match value {
        Value::Null => return None,
        Value::String(text) => text,
        Value::Object(entries) => {
            let set: Map<String, Value> = entries.into_iter().filter(|(_, value)| !value.is_null()).collect();
            if set.is_empty() {
                return None;
            }
            Value::Object(set).to_string()
        }
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => value.to_string(),
    };
    Some(Given::Setting(format!("{name}={value}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_is_left_out() {
        let told = |name: &str, value: Value| match setting(name, value) {
            Some(Given::Setting(text)) => Some(text),
            Some(Given::File { .. }) | None => None,
        };
        for (value, expected) in [
            (Value::Null, None),
            ("b".into(), Some("x=b")),
            (true.into(), Some("x=true")),
            (serde_json::json!({ "s3": null }), None),
            (serde_json::json!({ "s3": "http://a", "iam": null }), Some("x={\"s3\":\"http://a\"}")),
        ] {
            assert_eq!(told("x", value).as_deref(), expected);
        }
    }
}
