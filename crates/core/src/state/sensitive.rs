//! Paths of attributes that Terraform does not show: `sensitive_attributes` of a recorded instance, which came from sensitive
//! variables and outputs of the configuration that the stack was taken over from.
//!
//! What names an object is shown whatever is recorded: commands and refusals name it. What the provider's schema calls a secret is
//! left out here, as it is never shown at all ([`Kind::is_secret`]).

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::intern::key;
use crate::kind::Kind;
use crate::resource::Compare;
use crate::value::{Value, ValueMap};

/// What an object is called by AWS and on the command line.
const NAMES: [&str; 2] = ["id", "identifier"];
/// The name that stands in place of what is not shown.
const MASK: &str = "recorded";

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Step {
    /// An attribute, or a key of a map.
    Name(Arc<str>),
    /// A place in a list.
    At(usize),
}

/// Where in an object's attributes a value is that is not shown. An empty path: all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Path(Vec<Step>);

/// A value that is there and not shown.
pub fn mask() -> Value {
    Value::Secret(key(MASK))
}

/// Another such value, for what it becomes.
pub fn changed_mask() -> Value {
    Value::Secret(key("recorded anew"))
}

/// The paths of an object of this kind. Of a path that cannot be read to its end, everything is taken that it may lead to.
pub fn paths(kind: Kind, recorded: &[Json]) -> Vec<Path> {
    let paths = recorded.iter().map(|path| Path::of(kind, path));
    let mut paths: Vec<Path> = paths.filter(|path| !path.is_shown(kind)).collect();
    paths.sort();
    paths.dedup();
    paths
}

impl Path {
    fn of(kind: Kind, recorded: &Json) -> Self {
        let steps = recorded.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut steps: Vec<Step> = steps.iter().map_while(step).collect();
        if let Some(Step::Name(name)) = steps.first() {
            let is_set = kind
                .attribute(name)
                .is_some_and(|attribute| matches!(attribute.compare, Compare::Set | Compare::Rules));
            // AWS answers in an order of its own.
            if is_set {
                steps.truncate(1);
            }
        }
        Self(steps)
    }

    /// The attribute it is in; `None` if it is about all of them.
    fn attribute(&self) -> Option<&str> {
        match self.0.first() {
            Some(Step::Name(name)) => Some(name),
            Some(Step::At(_)) | None => None,
        }
    }

    fn is_shown(&self, kind: Kind) -> bool {
        self.attribute().is_some_and(|name| NAMES.contains(&name) || kind.is_secret(name))
    }
}

/// One step of Terraform's; `None` if it is of another form.
fn step(recorded: &Json) -> Option<Step> {
    let value = recorded.get("value")?;
    match recorded.get("type")?.as_str()? {
        "get_attr" => value.as_str().map(|name| Step::Name(key(name))),
        "index" => {
            let inner = value.get("value")?;
            let number = || inner.as_u64().and_then(|at| usize::try_from(at).ok()).map(Step::At);
            inner.as_str().map(|name| Step::Name(key(name))).or_else(number)
        }
        _ => None,
    }
}

/// The attributes with what is not shown taken out; the texts that were there go to `found`.
pub fn masked(paths: &[Path], attributes: &ValueMap, found: &mut Vec<Arc<str>>) -> ValueMap {
    let entries = attributes.iter().map(|(name, value)| (name.clone(), masked_attribute(paths, name, value, found)));
    entries.collect()
}

/// The same for one attribute.
pub fn masked_attribute(paths: &[Path], name: &str, value: &Value, found: &mut Vec<Arc<str>>) -> Value {
    let mut value = value.clone();
    for path in paths {
        match path.0.split_first() {
            Some((Step::Name(first), rest)) if **first == *name => value = without(&value, rest, found),
            Some((Step::Name(_), _)) => {}
            Some((Step::At(_), _)) | None if NAMES.contains(&name) => {}
            Some((Step::At(_), _)) | None => value = without(&value, &[], found),
        }
    }
    value
}

fn without(value: &Value, path: &[Step], found: &mut Vec<Arc<str>>) -> Value {
    match (path.split_first(), value) {
        (_, Value::Null | Value::Secret(_)) => value.clone(),
        (Some((Step::Name(name), rest)), Value::Map(map)) => {
            let mut map = map.clone();
            if let Some(inner) = map.get(&**name).cloned() {
                map.insert(name.clone(), without(&inner, rest, found));
            }
            Value::Map(map)
        }
        (Some((Step::At(at), rest)), Value::List(items)) => {
            let mut items = items.clone();
            if let Some(item) = items.get_mut(*at) {
                *item = without(item, rest, found);
            }
            Value::List(items)
        }
        // Also what is of another form than it was when it was marked.
        (None, _)
        | (
            Some(_),
            Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::List(_) | Value::Map(_) | Value::Ref(..),
        ) => {
            texts(value, found);
            mask()
        }
    }
}

fn texts(value: &Value, found: &mut Vec<Arc<str>>) {
    match value {
        Value::Str(text) if !text.is_empty() => found.push(text.clone()),
        Value::List(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Map(map) => map.values().for_each(|item| texts(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) | Value::Secret(_) => {}
    }
}

/// A value in which none of these texts is left.
pub fn without_texts(value: &Value, found: &[Arc<str>]) -> Value {
    match value {
        Value::Str(text) if found.contains(text) => mask(),
        Value::List(items) => Value::List(items.iter().map(|item| without_texts(item, found)).collect()),
        Value::Map(map) => {
            Value::Map(map.iter().map(|(name, item)| (name.clone(), without_texts(item, found))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) | Value::Secret(_) => {
            value.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(kind: Kind, recorded: &Json) -> (Json, Vec<String>) {
        let attributes: Value = json!({
            "id": "i-1", "identifier": "x", "password": "p", "username": "admin", "port": 5432, "none": null,
            "tags": { "a": "b", "c": "d" }, "blocks": [{ "k": "v", "n": 1 }, { "k": "w" }], "vpc_security_group_ids": ["sg-1"],
        })
        .into();
        let mut found = Vec::new();
        let paths = paths(kind, recorded.as_array().expect("a list"));
        let masked = masked(&paths, attributes.as_map().expect("a map"), &mut found);
        let json: Json = serde_json::to_value(Value::Map(masked)).expect("JSON");
        (json, found.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_a_path_leads_to_is_masked_and_nothing_else() {
        let attr = |name: &str| json!({ "type": "get_attr", "value": name });
        let at = |n: u64| json!({ "type": "index", "value": { "value": n, "type": "number" } });
        let key = |name: &str| json!({ "type": "index", "value": { "value": name, "type": "string" } });
        let mask = json!({ "$secret": MASK });
        for (path, pointer, texts) in [
            (json!([attr("username")]), "/username", &["admin"][..]),
            (json!([attr("port")]), "/port", &[]),
            (json!([attr("tags"), key("a")]), "/tags/a", &["b"]),
            (json!([attr("tags"), attr("a")]), "/tags/a", &["b"]),
            (json!([attr("blocks"), at(1), attr("k")]), "/blocks/1/k", &["w"]),
            (json!([attr("blocks"), at(0)]), "/blocks/0", &["v"]),
            (json!([attr("blocks"), { "type": "splat" }, attr("k")]), "/blocks", &["v", "w"]),
            (json!([attr("username"), attr("x")]), "/username", &["admin"]),
            // A set has an order in the file alone.
            (json!([attr("vpc_security_group_ids"), at(7)]), "/vpc_security_group_ids", &["sg-1"]),
        ] {
            let (json, found) = shown(Kind::DbInstance, &json!([path]));
            assert_eq!(json.pointer(pointer), Some(&mask), "{path}: {json}");
            assert_eq!(json.to_string().matches("$secret").count(), 1, "{path}: {json}");
            assert_eq!(found, texts, "{path}");
        }
        for nothing in [
            json!([]),
            json!([[attr("id")], [attr("identifier")], [attr("password")], [attr("absent")], [attr("none")]]),
            json!([[attr("blocks"), at(9)], [attr("tags"), key("z")]]),
        ] {
            let (json, found) = shown(Kind::DbInstance, &nothing);
            assert!(!json.to_string().contains("$secret") && found.is_empty(), "{nothing}: {json}");
        }
        // Of what cannot be read nothing is shown but the names.
        for all in [json!([[]]), json!([[{ "type": "new" }]]), json!(["x"]), json!([[at(0)]])] {
            let (json, _) = shown(Kind::Instance, &all);
            assert_eq!((&json["id"], &json["identifier"]), (&json!("i-1"), &json!("x")), "{json}");
            assert_eq!(json.to_string().matches("$secret").count(), 6, "{json}");
        }
    }
}
