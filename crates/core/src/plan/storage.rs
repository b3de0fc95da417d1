//! Sizes that AWS does not take: what cannot be had, and what RDS has made of a size by itself.

use super::Problem;
use crate::address::Address;
use crate::diff::least_growth;
use crate::resource::MAX_ALLOCATED_STORAGE;
use crate::value::{Value, ValueMap};

/// True if the storage is larger than asked for because RDS made it so: storage autoscaling is on and allows it.
pub(super) fn is_grown_by_rds(desired: &Value, present: &ValueMap) -> bool {
    let number = |name: &str| present.get(name).and_then(Value::as_i64);
    let grown = desired.as_i64().zip(number("allocated_storage")).zip(number(MAX_ALLOCATED_STORAGE));
    grown.is_some_and(|((desired, present), most)| desired < present && present <= most)
}

/// Why RDS would refuse a new limit of storage: it is to be a tenth more than there is, or is going to be.
pub(super) fn limit_too_low(
    address: &Address,
    attribute: &str,
    after: &ValueMap,
    before: &ValueMap,
) -> Option<Problem> {
    let number = |map: &ValueMap, name: &str| map.get(name).and_then(Value::as_i64);
    let limit =
        number(after, MAX_ALLOCATED_STORAGE).filter(|limit| attribute == MAX_ALLOCATED_STORAGE && *limit > 0)?;
    let size = [after, before].into_iter().filter_map(|map| number(map, "allocated_storage")).max()?;
    let least = least_growth(size);
    (limit < least).then(|| Problem::Impossible {
        summary: format!(
            "{address}: {MAX_ALLOCATED_STORAGE} cannot be {limit}: {size} GiB of storage want {least} or more"
        ),
        hint: format!("set db_max_allocated_storage to {least} or more, or to 0"),
    })
}

/// Why an attribute cannot become what is desired.
pub(super) fn impossible(address: &Address, attribute: &str, desired: &Value, present: &Value) -> Problem {
    let size = |value: &Value| value.at("0.volume_size").cloned().unwrap_or_else(|| value.clone());
    let (desired, present) = (size(desired), size(present));
    let (what, hint) = if attribute == "engine_version" {
        (
            "AWS has no way back, and a step to another major version is not made by aloka",
            "set db_engine_version to the running major version, or upgrade the database in the AWS console first",
        )
    } else if desired.as_i64() > present.as_i64() {
        ("RDS grows storage by a tenth at least", "leave db_allocated_storage as it is, or raise it by a tenth or more")
    } else {
        ("AWS can only make it larger", "set it to at least what it is")
    };
    Problem::Impossible {
        summary: format!("{address}: {attribute} cannot change from {present} to {desired}: {what}"),
        hint: hint.to_owned(),
    }
}
