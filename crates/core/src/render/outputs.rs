//! Output values, as `terraform output` prints them.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::json::{has_secret, known};
use super::{Style, Text, quote};
use crate::state::file::output_type;
use crate::value::Value;

/// `name = "value"`, one output after the other.
pub fn outputs_text(outputs: &BTreeMap<String, Value>) -> Text {
    let mut text = Text::new();
    for (name, value) in outputs {
        entry(&mut text, 0, &format!("{name} = "), value, "");
    }
    text
}

/// Maps have quoted keys and no padding here, and every list has a line for each item: not as in a plan.
fn entry(text: &mut Text, indent: usize, head: &str, value: &Value, tail: &str) {
    let lead = " ".repeat(indent);
    let mut say = |content: String| text.say(Style::Plain, format!("{lead}{content}"));
    match value {
        Value::Secret(_) => say(format!("{head}<sensitive>{tail}")),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) => {
            say(format!("{head}{value}{tail}"));
        }
        Value::List(items) if items.is_empty() => say(format!("{head}[]{tail}")),
        Value::Map(map) if map.is_empty() => say(format!("{head}{{}}{tail}")),
        Value::List(items) => {
            say(format!("{head}["));
            for item in items {
                entry(text, indent + 2, "", item, ",");
            }
            text.say(Style::Plain, format!("{lead}]{tail}"));
        }
        Value::Map(map) => {
            say(format!("{head}{{"));
            let width = map.keys().map(|key| quote(key).chars().count()).max().unwrap_or(0);
            for (key, item) in map {
                entry(text, indent + 2, &format!("{:<width$} = ", quote(key)), item, "");
            }
            text.say(Style::Plain, format!("{lead}}}{tail}"));
        }
    }
}

/// `{name: {sensitive, type, value}}`, sorted. A secret has no value here, as none is known.
pub fn outputs_json(outputs: &BTreeMap<String, Value>) -> Json {
    let json: Map<String, Json> = outputs
        .iter()
        .map(|(name, value)| {
            let mut json = json!({ "sensitive": has_secret(value), "type": output_type(value) });
            if let Some(value) = known(value) {
                json["value"] = value;
            }
            (name.clone(), json)
        })
        .collect();
    Json::Object(json)
}

/// The value as it is, for a script; `None` if it is no text, number or truth value.
pub fn output_raw(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => None,
    }
}
