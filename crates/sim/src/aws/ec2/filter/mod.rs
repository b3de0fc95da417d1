//! Filters of Describe calls: all of them must pass, each by any of its values; `*` and `?` are wildcards.

pub(crate) mod rules;

use std::sync::Arc;

use aloka_core::api::Request;
use aloka_core::value::Value;

use self::rules as rule;
use crate::aws::record::{Tags, Text};
use crate::rules::Refusal;

/// The most values of a call's filters.
const VALUES_MAX: usize = 200;

/// The filters of a request.
pub(crate) struct Filters(Vec<(Arc<str>, Accepted)>);

/// What a filter lets pass. Plain values are many at times, so they are looked up.
struct Accepted {
    /// In order, each once.
    plain: Vec<Text>,
    patterns: Vec<Text>,
}

impl Accepted {
    fn matches(&self, value: &str) -> bool {
        self.plain.binary_search_by(|plain| (**plain).cmp(value)).is_ok()
            || self.patterns.iter().any(|pattern| is_match(pattern, value))
    }
}

impl Filters {
    /// The filters of a request for objects, all of them in `known` or on tags.
    ///
    /// # Errors
    /// A filter that the operation does not have, one without values, or too many values.
    pub(crate) fn of(request: &Request, known: &[&str]) -> Result<Self, Refusal> {
        Self::read(request, |name| known.contains(&name) || name.starts_with("tag:") || name == "tag-key")
    }

    /// The filters of a request for what has no tags, all of them in `known`.
    ///
    /// # Errors
    /// As [`Filters::of`].
    pub(crate) fn untagged(request: &Request, known: &[&str]) -> Result<Self, Refusal> {
        Self::read(request, |name| known.contains(&name))
    }

    /// The filters of a request for tags.
    ///
    /// # Errors
    /// As [`Filters::of`].
    pub(crate) fn of_tags(request: &Request) -> Result<Self, Refusal> {
        let known = ["key", "value", "resource-id", "resource-type"];
        Self::read(request, |name| known.contains(&name) || name.starts_with("tag:"))
    }

    fn read(request: &Request, is_known: impl Fn(&str) -> bool) -> Result<Self, Refusal> {
        let Some(map) = request.arg("Filters").as_map() else { return Ok(Self(Vec::new())) };
        let mut count = 0;
        let filters = map.iter().map(|(name, values)| {
            if !is_known(name) {
                return Err(rule::KNOWN.refuse([name]));
            }
            let texts = values.as_list().unwrap_or_default().iter();
            let texts = texts.map(|value| value.shared_str().unwrap_or_else(|| value.to_string().into()));
            let texts: Vec<Text> = match values.shared_str() {
                Some(text) => vec![text],
                None => texts.collect(),
            };
            if texts.is_empty() {
                return Err(rule::VALUES.refuse([name]));
            }
            count += texts.len();
            if count > VALUES_MAX {
                return Err(rule::LIMIT.refuse([]));
            }
            let (patterns, mut plain): (_, Vec<Text>) = texts.into_iter().partition(|text| text.contains(['*', '?']));
            plain.sort_unstable();
            plain.dedup();
            Ok((name.clone(), Accepted { plain, patterns }))
        });
        Ok(Self(filters.collect::<Result<_, _>>()?))
    }

    /// The values of a filter, in order, each once, if none is a pattern: nothing else passes.
    pub(crate) fn plain(&self, filter: &str) -> Option<&[Text]> {
        let (_, accepted) = self.0.iter().find(|(name, _)| **name == *filter)?;
        accepted.patterns.is_empty().then_some(&accepted.plain)
    }

    /// True if an object with these tags, and these values under other filters, passes all of them.
    pub(crate) fn pass(&self, tags: &Tags, values: impl Fn(&str) -> Vec<Text>) -> bool {
        self.0.iter().all(|(name, accepted)| match name.strip_prefix("tag:") {
            Some(key) => tags.get(key).and_then(Value::as_str).is_some_and(|value| accepted.matches(value)),
            None if **name == *"tag-key" => tags.keys().any(|key| accepted.matches(key)),
            None => values(name).iter().any(|value| accepted.matches(value)),
        })
    }
}

/// True if `text` matches `pattern`, in which `*` stands for any text and `?` for any character.
fn is_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    // Where to go on if what follows the last star does not match: at the star, one character of the text later.
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            Some(_) | None => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards() {
        let cases = [
            ("a", "a", true),
            ("a", "ab", false),
            ("a*", "abc", true),
            ("*c", "abc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abxb", true),
            ("*b*b", "abx", false),
            ("**", "", true),
            ("?", "", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
        }
    }
}
