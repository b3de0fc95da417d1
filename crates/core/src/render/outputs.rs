//! Output values, as `terraform output` prints them.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::json::known;
use super::{SENSITIVE, Style, Text, quote};
use crate::state::outputs::Output;
use crate::value::Value;

/// What `terraform output` writes in place of a sensitive value.
const LISTED_SENSITIVE: &str = "<sensitive>";

/// `name = "value"`, one output after the other, as after an apply; sensitive ones without the value.
pub fn outputs_text(outputs: &BTreeMap<String, Output>) -> Text {
    listed(outputs, LISTED_SENSITIVE)
}

/// The same, as at the end of a state.
pub(super) fn state_outputs_text(outputs: &BTreeMap<String, Output>) -> Text {
    listed(outputs, SENSITIVE)
}

fn listed(outputs: &BTreeMap<String, Output>, mask: &str) -> Text {
    let mut text = Text::new();
    for (name, output) in outputs {
        if output.sensitive {
            text.say(Style::Plain, format!("{name} = {mask}"));
        } else {
            entry(&mut text, 0, &format!("{name} = "), &output.value, "");
        }
    }
    text
}

/// Maps have quoted keys and no padding here, and every list has a line for each item: not as in a plan.
fn entry(text: &mut Text, indent: usize, head: &str, value: &Value, tail: &str) {
    let lead = " ".repeat(indent);
    let mut say = |content: String| text.say(Style::Plain, format!("{lead}{content}"));
    match value {
        Value::Secret(_) => say(format!("{head}{LISTED_SENSITIVE}{tail}")),
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

/// `{name: {sensitive, type, value}}`, sorted; with the values of sensitive ones, as Terraform gives them to who asks for JSON.
pub fn outputs_json(outputs: &BTreeMap<String, Output>) -> Json {
    Json::Object(outputs.iter().map(|(name, output)| (name.clone(), output_json(output, true))).collect())
}

/// One of them; a sensitive value only if `revealed`.
pub(super) fn output_json(output: &Output, revealed: bool) -> Json {
    let Output { value, output_type, sensitive } = output;
    let mut json = json!({ "sensitive": *sensitive || value.has_secret(), "type": output_type });
    if let Some(value) = known(value).filter(|_| revealed || !sensitive) {
        json["value"] = value;
    }
    json
}

/// The value as it is, for a script; `None` if it is no text, number or truth value.
pub fn output_raw(value: &Value) -> Option<String> {
    match value {
        Value::Str(text) => Some(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => None,
    }
}
