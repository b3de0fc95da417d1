//! Values and their differences as indented lines, the way Terraform writes them.
//!
//! A line is an indent, a sign, a blank and the content; what is inside stands four columns further in.

use std::collections::BTreeMap;

use super::{ASSIGNED, SENSITIVE, Style, Text, count, quote};
use crate::address::Address;
use crate::value::{Value, ValueMap};

/// Lists of plain values up to this length stand on one line.
const INLINE_MAX: usize = 60;

/// What a line says of its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    None,
    Add,
    Change,
    Remove,
}

impl Sign {
    const fn symbol(self) -> (Style, &'static str) {
        match self {
            Self::None => (Style::Plain, " "),
            Self::Add => (Style::Add, "+"),
            Self::Change => (Style::Change, "~"),
            Self::Remove => (Style::Remove, "-"),
        }
    }
}

/// Where and how a value is written.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    /// Columns before the sign.
    pub(super) indent: usize,
    /// The sign of the first line.
    pub(super) sign: Sign,
    /// What stands before the value, `name = `.
    pub(super) head: &'a str,
    /// What stands after the value.
    pub(super) tail: &'a str,
    /// A remark at the end of the first line.
    pub(super) note: &'a str,
    /// True if keys are quoted: a map that the user fills, not an object of known fields.
    pub(super) quoted: bool,
}

/// Writes values into a text.
pub(super) struct Tree<'a> {
    text: &'a mut Text,
    /// The resource the values belong to; a reference to itself is a value AWS assigns.
    owner: Option<&'a Address>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(text: &'a mut Text, owner: Option<&'a Address>) -> Self {
        Self { text, owner }
    }

    /// A line with a sign.
    pub(super) fn line(&mut self, indent: usize, sign: Sign, content: &str, note: &str) {
        let (style, symbol) = sign.symbol();
        let lead = " ".repeat(indent);
        let content = format!(" {content}");
        let note = if note.is_empty() { String::new() } else { format!(" # {note}") };
        self.text.line([
            (Style::Plain, lead.as_str()),
            (style, symbol),
            (Style::Plain, content.as_str()),
            (Style::Replace, note.as_str()),
        ]);
    }

    /// `# (3 unchanged elements hidden)`, if there are any.
    pub(super) fn hidden(&mut self, indent: usize, number: usize, noun: &str) {
        if number > 0 {
            let text = format!("{}# ({} hidden)", " ".repeat(indent + 2), count(number, noun));
            self.text.say(Style::Note, text);
        }
    }

    /// A value; what is inside it has the sign `inner`.
    pub(super) fn value(&mut self, place: Place<'_>, inner: Sign, value: &Value) {
        let Place { indent, sign, head, tail, note, quoted } = place;
        if let Some(text) = self.inline(value) {
            return self.line(indent, sign, &format!("{head}{text}{tail}"), note);
        }
        if let Some(map) = value.as_map() {
            self.line(indent, sign, &format!("{head}{{"), note);
            // Elements of lists (security group rules) have many empty fields that tell nothing.
            let told = |value: &Value| !head.is_empty() || !is_empty(value);
            let keys = Keys::new(map.iter().filter(|(_, value)| told(value)).map(|(key, _)| &**key), quoted);
            for (key, item) in map.iter().filter(|(_, value)| told(value)) {
                let head = keys.head(key);
                self.value(Place::inside(indent, inner, &head, ""), inner, item);
            }
            self.line(indent, Sign::None, &format!("}}{tail}"), "");
        } else {
            self.line(indent, sign, &format!("{head}["), note);
            for item in value.as_list().unwrap_or_default() {
                self.value(Place::inside(indent, inner, "", ","), inner, item);
            }
            self.line(indent, Sign::None, &format!("]{tail}"), "");
        }
    }

    /// The difference of two values. The sign of `place` is not used.
    pub(super) fn diff(&mut self, place: Place<'_>, before: &Value, after: &Value) {
        let Place { indent, sign: _, head, tail, note, quoted: _ } = place;
        if matches!(before, Value::Secret(_)) || matches!(after, Value::Secret(_)) {
            return self.line(indent, Sign::Change, &format!("{head}{SENSITIVE}{tail}"), note);
        }
        if before.is_null() {
            return self.value(Place { sign: Sign::Add, ..place }, Sign::Add, after);
        }
        if after.is_null() {
            let tail = format!(" -> null{tail}");
            return self.value(Place { sign: Sign::Remove, tail: &tail, ..place }, Sign::Remove, before);
        }
        let changed = Place { sign: Sign::Change, ..place };
        if let (Some(before), Some(after)) = (filled_map(before), filled_map(after)) {
            return self.diff_maps(changed, before, after);
        }
        match (self.inline(before), self.inline(after)) {
            (Some(before), Some(after)) => {
                self.line(indent, Sign::Change, &format!("{head}{before} -> {after}{tail}"), note);
            }
            (Some(before), None) => {
                let head = format!("{head}{before} -> ");
                self.value(Place { head: &head, ..changed }, Sign::Add, after);
            }
            (None, Some(after)) => {
                let tail = format!(" -> {after}{tail}");
                self.value(Place { tail: &tail, ..changed }, Sign::Remove, before);
            }
            (None, None) => match (before.as_list(), after.as_list()) {
                (Some(before), Some(after)) => self.diff_lists(changed, before, after),
                (Some(_) | None, _) => {
                    self.value(Place { sign: Sign::Remove, tail: " -> null", ..place }, Sign::Remove, before);
                    self.value(Place { sign: Sign::Add, ..place }, Sign::Add, after);
                }
            },
        }
    }

    fn diff_maps(&mut self, place: Place<'_>, before: &ValueMap, after: &ValueMap) {
        let Place { indent, sign, head, tail, note, quoted } = place;
        self.line(indent, sign, &format!("{head}{{"), note);
        let mut union: BTreeMap<&str, (&Value, &Value)> = BTreeMap::new();
        const NULL: &Value = &Value::Null;
        for (key, value) in before {
            union.insert(key, (value, NULL));
        }
        for (key, value) in after {
            union.entry(key).or_insert((NULL, NULL)).1 = value;
        }
        let changed = |(before, after): &(&Value, &Value)| before != after;
        let keys = Keys::new(union.iter().filter(|(_, pair)| changed(pair)).map(|(key, _)| *key), quoted);
        let mut same = 0;
        for (key, pair) in &union {
            if changed(pair) {
                let head = keys.head(key);
                self.diff(Place::inside(indent, Sign::Change, &head, ""), pair.0, pair.1);
            } else {
                same += 1;
            }
        }
        self.hidden(indent + 4, same, "unchanged element");
        self.line(indent, Sign::None, &format!("}}{tail}"), "");
    }

    /// Elements that went and elements that came, without regard to order.
    fn diff_lists(&mut self, place: Place<'_>, before: &[Value], after: &[Value]) {
        let Place { indent, sign, head, tail, note, quoted: _ } = place;
        self.line(indent, sign, &format!("{head}["), note);
        let mut balance: BTreeMap<String, usize> = BTreeMap::new();
        for item in after {
            *balance.entry(item.to_string()).or_default() += 1;
        }
        let mut same = 0;
        for item in before {
            match balance.get_mut(&item.to_string()) {
                Some(left) if *left > 0 => {
                    *left -= 1;
                    same += 1;
                }
                Some(_) | None => self.value(Place::inside(indent, Sign::Remove, "", ","), Sign::Remove, item),
            }
        }
        for item in after {
            if let Some(left) = balance.get_mut(&item.to_string()).filter(|left| **left > 0) {
                *left -= 1;
                self.value(Place::inside(indent, Sign::Add, "", ","), Sign::Add, item);
            }
        }
        self.hidden(indent + 4, same, "unchanged element");
        self.line(indent, Sign::None, &format!("]{tail}"), "");
    }

    /// The value in one piece, if it is short enough and no map.
    fn inline(&self, value: &Value) -> Option<String> {
        match value {
            Value::Null => Some("null".to_owned()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(value) => Some(value.to_string()),
            Value::Str(text) => Some(quote(text)),
            Value::Ref(reference) if self.owner == Some(&reference.address) => Some(ASSIGNED.to_owned()),
            Value::Ref(_) => Some(value.to_string()),
            Value::Secret(_) => Some(SENSITIVE.to_owned()),
            Value::Map(map) => map.is_empty().then(|| "{}".to_owned()),
            Value::List(items) => {
                let mut text = String::from("[");
                for (index, item) in items.iter().enumerate() {
                    text.push_str(if index == 0 { "" } else { ", " });
                    text.push_str(&self.inline(item)?);
                    if text.len() > INLINE_MAX && items.len() > 1 {
                        return None;
                    }
                }
                Some(text + "]")
            }
        }
    }
}

impl<'a> Place<'a> {
    /// The place of something inside a value that begins at `indent`.
    fn inside(indent: usize, sign: Sign, head: &'a str, tail: &'a str) -> Self {
        Self { indent: indent + 4, sign, head, tail, note: "", quoted: false }
    }
}

/// Keys of one map, written to the same width.
pub(super) struct Keys {
    quoted: bool,
    width: usize,
}

impl Keys {
    pub(super) fn new<'k>(keys: impl Iterator<Item = &'k str>, quoted: bool) -> Self {
        let width = keys.map(|key| key_text(key, quoted).chars().count()).max().unwrap_or(0);
        Self { quoted, width }
    }

    /// `key   = `
    pub(super) fn head(&self, key: &str) -> String {
        format!("{:<width$} = ", key_text(key, self.quoted), width = self.width)
    }
}

fn key_text(key: &str, quoted: bool) -> String {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if quoted || !plain { quote(key) } else { key.to_owned() }
}

fn filled_map(value: &Value) -> Option<&ValueMap> {
    value.as_map().filter(|map| !map.is_empty())
}

/// True if nothing would be missed were it not shown.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Str(text) => text.is_empty(),
        Value::List(items) => items.is_empty(),
        Value::Map(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => false,
    }
}
