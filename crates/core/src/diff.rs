//! Compares values of attributes by the rules of the model. Total: any two values have an answer.

use crate::resource::Compare;
use crate::rules;
use crate::value::Value;

/// What two values of an attribute are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing to do.
    Same,
    /// To be changed.
    Differs,
    /// Cannot be had: AWS never makes this smaller, or older.
    Impossible,
}

/// Compares the desired value with the present one. `own` is the identifier of the object, which rules refer to.
/// A desired value that still holds a reference differs from anything.
pub fn compare(compare: Compare, desired: &Value, present: &Value, own: Option<&str>) -> Verdict {
    let verdict = |same| if same { Verdict::Same } else { Verdict::Differs };
    match compare {
        Compare::Exact => verdict(desired == present || (desired.as_str() == Some("") && present.is_null())),
        Compare::Set => {
            let sorted = |value: &Value| {
                let mut items: Vec<String> = value.as_list().unwrap_or_default().iter().map(Value::to_string).collect();
                items.sort();
                items.dedup();
                items
            };
            verdict(sorted(desired) == sorted(present))
        }
        Compare::Rules => {
            let (missing, extra) = rules::difference(&rules::explode(desired, own), &rules::explode(present, own));
            verdict(missing.is_empty() && extra.is_empty())
        }
        Compare::Tags => {
            let own = |value: &Value| -> Vec<(String, Value)> {
                let entries = value.as_map().into_iter().flatten().filter(|(key, _)| !key.starts_with("aws:"));
                entries.map(|(key, value)| (key.to_string(), value.clone())).collect()
            };
            verdict(own(desired) == own(present))
        }
        Compare::DbStorage => db_storage(desired.as_i64(), present.as_i64()),
        Compare::RootVolume => {
            let size = |value: &Value| value.at("0.volume_size").and_then(Value::as_i64);
            if size(present).is_none() { Verdict::Same } else { grows(size(desired), size(present)) }
        }
        Compare::EngineVersion => engine_version(desired, present),
    }
}

fn grows(desired: Option<i64>, present: Option<i64>) -> Verdict {
    match (desired, present) {
        (Some(desired), Some(present)) if desired < present => Verdict::Impossible,
        (desired, present) if desired == present => Verdict::Same,
        _ => Verdict::Differs,
    }
}

/// The least size, in GiB, that RDS grows storage of `size` GiB to: a tenth more (aws-behaviour.md, 2.10).
pub fn least_growth(size: i64) -> i64 {
    size.saturating_add(size.saturating_add(9) / 10)
}

/// What is asked for is the same as what RDS rounded it up to.
fn db_storage(desired: Option<i64>, present: Option<i64>) -> Verdict {
    let (Some(desired), Some(present)) = (desired, present) else { return grows(desired, present) };
    // The only size from which growing by too little gives what is present.
    let from = present.saturating_mul(10) / 11;
    if desired < present && from < desired && least_growth(from) == present {
        Verdict::Same
    } else if desired > present && desired < least_growth(present) {
        Verdict::Impossible
    } else {
        grows(Some(desired), Some(present))
    }
}

/// `15` and `15.13` against what runs: the same major and no newer minor than what runs is the same.
fn engine_version(desired: &Value, present: &Value) -> Verdict {
    let (Some(desired), Some(present)) = (version(desired), version(present)) else {
        return if desired == present { Verdict::Same } else { Verdict::Differs };
    };
    if desired.0 != present.0 {
        Verdict::Impossible
    } else if desired.1 <= present.1 {
        Verdict::Same
    } else {
        Verdict::Differs
    }
}

/// Major and minor of a PostgreSQL version; a missing minor is the least.
pub fn version(value: &Value) -> Option<(u32, u32)> {
    let text = value.as_str()?;
    let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_and_sizes() {
        let v = Value::str;
        let table = [
            (Compare::EngineVersion, v("15.13"), v("15.13"), Verdict::Same),
            (Compare::EngineVersion, v("15"), v("15.19"), Verdict::Same),
            (Compare::EngineVersion, v("15.13"), v("15.14"), Verdict::Same),
            (Compare::EngineVersion, v("15.14"), v("15.13"), Verdict::Differs),
            (Compare::EngineVersion, v("16.1"), v("15.13"), Verdict::Impossible),
            (Compare::DbStorage, 20.into(), 20.into(), Verdict::Same),
            (Compare::DbStorage, 30.into(), 20.into(), Verdict::Differs),
            (Compare::DbStorage, 22.into(), 20.into(), Verdict::Differs),
            (Compare::DbStorage, 21.into(), 20.into(), Verdict::Impossible),
            (Compare::DbStorage, 10.into(), 20.into(), Verdict::Impossible),
            // RDS makes 22 of 21 asked for at 20, and 24 of 22 or 23 asked for at 21.
            (Compare::DbStorage, 21.into(), 22.into(), Verdict::Same),
            (Compare::DbStorage, 20.into(), 22.into(), Verdict::Impossible),
            (Compare::DbStorage, 22.into(), 24.into(), Verdict::Same),
            (Compare::DbStorage, 21.into(), 24.into(), Verdict::Impossible),
            // No size grows to 23 by being rounded up.
            (Compare::DbStorage, 22.into(), 23.into(), Verdict::Impossible),
            (Compare::Set, Value::list(["b", "a"]), Value::list(["a", "b"]), Verdict::Same),
            (Compare::Set, Value::list(["b"]), Value::list(["a", "b"]), Verdict::Differs),
            (Compare::Tags, Value::map([("a", "1")]), Value::map([("a", "1"), ("aws:x", "2")]), Verdict::Same),
            (Compare::Tags, Value::map([("a", "1")]), Value::map([("a", "1"), ("b", "2")]), Verdict::Differs),
        ];
        for (rule, desired, present, expected) in table {
            assert_eq!(compare(rule, &desired, &present, None), expected, "{rule:?} {desired} {present}");
        }
    }
}
