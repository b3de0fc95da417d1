//! Tags that the user puts on everything.

use std::collections::BTreeMap;

use crate::variables::read::{Reader, plain};
use crate::variables::report::{Problem, Spot};
use crate::variables::text::shown;

/// AWS takes 50 tags on a resource; the rest is for those that aloka sets.
const MAX_TAGS: usize = 40;
/// Longest key and value, in UTF-16 units (EC2 User Guide, "Tag restrictions").
const MAX_KEY: usize = 128;
const MAX_VALUE: usize = 256;

/// A key's or value's characters: those that RDS takes, which is the strictest (RDS User Guide, "Tagging").
fn is_allowed(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, ' ' | '_' | '.' | ':' | '/' | '=' | '+' | '-' | '@')
}

/// The tags.
pub(in crate::variables) fn tags(
    reader: &mut Reader<'_>,
    name: &'static str,
) -> Option<Spot<BTreeMap<String, String>>> {
    let tags = reader.map(name)?;
    let mut valid = true;
    if tags.value.len() > MAX_TAGS {
        valid = false;
        let summary = format!("there are {} tags, but {MAX_TAGS} are possible", tags.value.len());
        let problem = Problem::error(tags.at.as_ref(), summary);
        reader.report.push(problem.detail("AWS takes 50 on a resource, of which aloka keeps 10"));
    }
    for (key, value) in &tags.value {
        let wrongs = [(key, "key", key_fault(&key.value)), (value, "value", value_fault(&value.value))];
        for (Spot { value: text, at }, what, fault) in wrongs {
            if let Some(fault) = fault {
                valid = false;
                let summary = format!("the {what} {} of a tag {fault}", shown(text));
                reader.report.push(Problem::error(at.as_ref(), summary));
            }
        }
    }
    valid.then(|| plain(tags))
}

fn key_fault(key: &str) -> Option<String> {
    if key.is_empty() {
        return Some("is empty".to_owned());
    }
    let lower = key.to_lowercase();
    for (prefix, whose) in [("aws:", "AWS"), ("aloka-", "aloka"), ("aloka:", "aloka")] {
        if lower.starts_with(prefix) {
            return Some(format!("begins with {prefix}, which is for {whose} itself"));
        }
    }
    text_fault(key, MAX_KEY)
}

fn value_fault(value: &str) -> Option<String> {
    text_fault(value, MAX_VALUE)
}

fn text_fault(text: &str, longest: usize) -> Option<String> {
    let length = text.encode_utf16().count();
    if length > longest {
        return Some(format!("is {length} characters long, but may be {longest}"));
    }
    let wrong = text.chars().find(|c| !is_allowed(*c))?;
    Some(format!("holds {}, but may only hold letters, digits, spaces and _ . : / = + - @", shown(&wrong.to_string())))
}
