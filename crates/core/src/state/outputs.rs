//! Outputs as they are recorded: the value, its type, and whether it is to be shown.
//!
//! Values of the stack's own outputs are computed again by each apply; their type and the mark are Terraform's, from the
//! configuration that the stack was taken over from, and stay.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use super::State;
use super::raw::Raw;
use crate::value::Value;

/// What is recorded of an output beside its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputMark {
    /// True if Terraform shows the value to those who ask for it by name alone.
    pub sensitive: bool,
    /// The recorded type, if it is another one than aloka would write.
    pub output_type: Option<Raw>,
}

/// An output, the stack's own or another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The value.
    pub value: Value,
    /// Terraform's type.
    pub output_type: Json,
    /// True if the value is shown to those who ask for it by name alone.
    pub sensitive: bool,
}

/// An output as it stands in the file.
#[derive(Deserialize)]
pub(super) struct RawOutput {
    #[serde(default)]
    pub(super) value: Value,
    #[serde(default, rename = "type")]
    output_type: Option<Raw>,
    #[serde(default)]
    sensitive: Option<bool>,
}

impl RawOutput {
    /// What is to be kept of it beside the value; `None` if aloka would write the same.
    pub(super) fn mark(&self) -> Option<OutputMark> {
        let usual = output_type(&self.value);
        let output_type = self.output_type.clone().filter(|raw| {
            raw.parse::<Json>().is_some_and(|recorded| recorded != usual && conforms(&recorded, &self.value))
        });
        let mark = OutputMark { sensitive: self.sensitive == Some(true), output_type };
        (mark != OutputMark::default()).then_some(mark)
    }
}

impl State {
    /// Every output that has a value, those that the stack does not declare included.
    pub fn all_outputs(&self) -> BTreeMap<String, Output> {
        let own = self.outputs.iter().map(|(name, value)| {
            let mark = self.output_marks.get(name);
            let recorded = mark.and_then(|mark| mark.output_type.as_ref()?.parse());
            let output = Output {
                value: value.clone(),
                output_type: recorded.unwrap_or_else(|| output_type(value)),
                sensitive: mark.is_some_and(|mark| mark.sensitive),
            };
            (name.clone(), output)
        });
        let others = self.foreign_outputs.iter().filter_map(|(name, raw)| {
            let raw: RawOutput = raw.parse()?;
            let recorded = raw.output_type.and_then(|raw| raw.parse());
            let output_type = recorded.unwrap_or_else(|| output_type(&raw.value));
            Some((name.clone(), Output { value: raw.value, output_type, sensitive: raw.sensitive == Some(true) }))
        });
        own.chain(others).filter(|(_, output)| !output.value.is_null()).collect()
    }

    /// Records the value of an output of the stack. Its mark stays, and its type if the value is of it.
    pub fn set_output(&mut self, name: String, value: Value) {
        if let Some(mark) = self.output_marks.get_mut(&name) {
            let is_of = |raw: &Raw| raw.parse().is_some_and(|recorded| conforms(&recorded, &value));
            mark.output_type = mark.output_type.take().filter(is_of);
            if *mark == OutputMark::default() {
                self.output_marks.remove(&name);
            }
        }
        self.outputs.insert(name, value);
    }

    /// Forgets an output of the stack. True if there was one.
    pub fn remove_output(&mut self, name: &str) -> bool {
        self.output_marks.remove(name);
        self.outputs.remove(name).is_some()
    }
}

/// Terraform's type of an output's value.
pub fn output_type(value: &Value) -> Json {
    match value {
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::Null | Value::Str(_) | Value::Ref(..) | Value::Secret(_) => "string".into(),
        Value::List(items) => serde_json::json!(["tuple", items.iter().map(output_type).collect::<Vec<_>>()]),
        Value::Map(map) => {
            let fields: BTreeMap<&str, _> = map.iter().map(|(key, item)| (&**key, output_type(item))).collect();
            serde_json::json!(["object", fields])
        }
    }
}

/// True if a value is of this type, as cty writes types in JSON.
fn conforms(of: &Json, value: &Value) -> bool {
    if value.is_null() {
        return true;
    }
    if let Some(name) = of.as_str() {
        return match (name, value) {
            ("dynamic", _) | ("string", Value::Str(_)) | ("number", Value::Number(_)) | ("bool", Value::Bool(_)) => {
                true
            }
            (_, _) => false,
        };
    }
    let Some([name, inner, ..]) = of.as_array().map(Vec::as_slice) else { return false };
    match (name.as_str(), value) {
        (Some("list" | "set"), Value::List(items)) => items.iter().all(|item| conforms(inner, item)),
        (Some("map"), Value::Map(map)) => map.values().all(|item| conforms(inner, item)),
        (Some("tuple"), Value::List(items)) => inner.as_array().is_some_and(|types| {
            types.len() == items.len() && types.iter().zip(items).all(|(of, item)| conforms(of, item))
        }),
        (Some("object"), Value::Map(map)) => inner.as_object().is_some_and(|types| {
            types.len() == map.len()
                && types.iter().all(|(name, of)| map.get(name.as_str()).is_some_and(|item| conforms(of, item)))
        }),
        (_, _) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::file;

    fn state(outputs: &str) -> State {
        let text = format!(r#"{{"version":4,"serial":1,"lineage":"l","outputs":{outputs}}}"#);
        file::read(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn written(state: &State) -> Json {
        let json: Json = serde_json::from_str(&file::write(state)).expect("JSON");
        json["outputs"].clone()
    }

    #[test]
    fn marks_and_types_survive_our_writes() {
        for (name, value, of) in [
            ("vpc_id", r#""vpc-1""#, r#""string""#),
            ("vpc_id", r#""vpc-1""#, r#""dynamic""#),
            ("app_public_ip", r#"["a","b"]"#, r#"["list","string"]"#),
            ("app_public_ip", r#"["a","b"]"#, r#"["set","string"]"#),
            ("app_public_ip", r#"["a","b"]"#, r#"["tuple",["string","string"]]"#),
            ("db_url", r#"{"a":1}"#, r#"["map","number"]"#),
            ("db_url", r#"{"a":1}"#, r#"["object",{"a":"number"}]"#),
        ] {
            for sensitive in ["", r#","sensitive":true"#] {
                let text = format!(r#"{{"{name}":{{"value":{value},"type":{of}{sensitive}}}}}"#);
                let read = state(&text);
                assert_eq!(written(&read), serde_json::from_str::<Json>(&text).expect("JSON"));
                assert_eq!(file::read(&file::write(&read)).expect("a state"), read);
                let output = &read.all_outputs()[name];
                assert_eq!((output.sensitive, output.output_type.to_string().as_str()), (!sensitive.is_empty(), of));
            }
        }
    }

    #[test]
    fn a_new_value_keeps_the_mark_and_a_type_that_it_has() {
        let mut state = state(r#"{"app_public_ip":{"value":["a"],"type":["list","string"],"sensitive":true}}"#);
        let of = |state: &State| written(state)["app_public_ip"]["type"].to_string();
        state.set_output("app_public_ip".to_owned(), Value::list(["b", "c"]));
        assert_eq!(of(&state), r#"["list","string"]"#);
        state.set_output("app_public_ip".to_owned(), "b".into());
        assert_eq!(of(&state), r#""string""#);
        assert_eq!(written(&state)["app_public_ip"]["sensitive"], true);
        assert_eq!(file::read(&file::write(&state)).expect("a state"), state);
        assert!(state.remove_output("app_public_ip") && !state.remove_output("app_public_ip"));
        assert_eq!((written(&state), state.output_marks.len()), (serde_json::json!({}), 0));
    }

    /// A type that the value is not of would make Terraform refuse the whole file.
    #[test]
    fn a_type_that_the_value_is_not_of_is_not_written() {
        for (value, of) in [
            (r#""x""#, r#""number""#),
            (r#""x""#, r#"["list","string"]"#),
            (r#"["x"]"#, r#"["tuple",[]]"#),
            (r#"["x"]"#, r#"["list","number"]"#),
            (r#"{"a":"b"}"#, r#"["object",{}]"#),
            (r#"{"a":"b"}"#, r#"["object",{"b":"string"}]"#),
            ("1", "7"),
            ("true", "[]"),
        ] {
            let read = state(&format!(r#"{{"vpc_id":{{"value":{value},"type":{of}}}}}"#));
            assert_eq!(read.output_marks.len(), 0, "{value} {of}");
            let value: Value = serde_json::from_str(value).expect("a value");
            assert_eq!(written(&read)["vpc_id"]["type"], output_type(&value));
        }
    }
}
