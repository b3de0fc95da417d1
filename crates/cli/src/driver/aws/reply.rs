//! Builds reply values from what the SDK read.

use aloka_core::api::{ApiError, ErrorClass, Reply};
use aloka_core::value::Value;

/// An object of those fields that are not null.
pub(super) fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    Value::map(fields.into_iter().filter(|(_, value)| !value.is_null()))
}

/// The reply of an operation that answers nothing but success.
pub(super) fn done() -> Reply {
    Ok(object([]))
}

/// A text. An empty one is null, as EC2 writes an empty element where it has nothing to say (a DNS name).
pub(super) fn text(text: Option<&str>) -> Value {
    text.filter(|text| !text.is_empty()).into()
}

/// A list of what `translate` makes of the items.
pub(super) fn list<'a, T: 'a>(items: impl IntoIterator<Item = &'a T>, translate: impl Fn(&'a T) -> Value) -> Value {
    Value::List(items.into_iter().map(translate).collect())
}

/// The part of an answer without which it says nothing. AWS has executed the call then, or it has not: unknown.
pub(super) fn present<T>(part: Option<T>, name: &str) -> Result<T, ApiError> {
    part.ok_or_else(|| ApiError {
        code: "UnreadableAnswer".to_owned(),
        message: format!("the answer has no {name}"),
        class: ErrorClass::Unknown,
    })
}
