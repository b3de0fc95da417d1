//! Values as the plain JSON that Terraform's consumers expect: no references, no secrets.

use serde_json::{Map, Value as Json};

use super::is_sensitive;
use crate::kind::Kind;
use crate::value::{Value, ValueMap};

/// The value if it is known and no secret. In a list, what is not known is null, so that positions are kept; in a
/// map it is left out.
pub(super) fn known(value: &Value) -> Option<Json> {
    match value {
        Value::Null => Some(Json::Null),
        Value::Bool(value) => Some(Json::Bool(*value)),
        Value::Number(value) => Some(Json::Number(value.clone())),
        Value::Str(text) => Some(Json::String(text.to_string())),
        Value::List(items) => Some(items.iter().map(|item| known(item).unwrap_or(Json::Null)).collect()),
        Value::Map(map) => Some(map.iter().filter_map(|(key, item)| Some((key.to_string(), known(item)?))).collect()),
        Value::Ref(..) | Value::Secret(_) => None,
    }
}

/// Attributes of an object, without those that are unknown or secret.
pub(super) fn attributes(kind: Kind, map: &ValueMap) -> Json {
    let open = map.iter().filter(|(name, _)| !is_sensitive(kind, name));
    open.filter_map(|(name, value)| Some((name.to_string(), known(value)?))).collect()
}

/// Where `marks` holds: `true`; inside lists also where it does not hold, as `false`. Terraform's `after_unknown`
/// and `after_sensitive` have this shape.
pub(super) fn shape(value: &Value, marks: &impl Fn(&Value) -> bool) -> Json {
    if marks(value) {
        return Json::Bool(true);
    }
    match value {
        Value::List(items) => items.iter().map(|item| shape(item, marks)).collect(),
        Value::Map(map) => Json::Object(shapes(map.iter().map(|(key, item)| (&**key, item)), marks)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) | Value::Ref(..) | Value::Secret(_) => {
            Json::Bool(false)
        }
    }
}

/// The shapes of a map's values; plain `false` is left out.
pub(super) fn shapes<'a>(
    entries: impl Iterator<Item = (&'a str, &'a Value)>,
    marks: &impl Fn(&Value) -> bool,
) -> Map<String, Json> {
    let shaped = entries.map(|(key, item)| (key.to_owned(), shape(item, marks)));
    shaped.filter(|(_, shape)| *shape != Json::Bool(false)).collect()
}

/// The shape of what is secret in an object, and of what is not shown of it.
pub(super) fn sensitive(kind: Kind, map: &ValueMap) -> Json {
    let secret = |value: &Value| matches!(value, Value::Secret(_));
    let mut shape = shapes(map.iter().map(|(key, item)| (&**key, item)), &secret);
    for (name, _) in map.iter().filter(|(name, value)| is_sensitive(kind, name) && !value.is_null()) {
        shape.insert(name.to_string(), Json::Bool(true));
    }
    Json::Object(shape)
}
