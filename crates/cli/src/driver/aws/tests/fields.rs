//! Every field that AWS was recorded to answer with is read, or stands on the list of those that are not, with a reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use aloka_core::api::{Operation, Reply};

use super::cases::{Case, cases};
use super::wire::{self, Answer, Wire};
use super::{request, secrets};

/// The list: a section for each operation, a row for each field.
const LIST: &str = include_str!("../../../../../../docs/REPLY_FIELDS.md");

struct Field {
    operation: Operation,
    path: &'static str,
    form: &'static str,
    fate: &'static str,
}

impl Field {
    /// A value of its form, and another one.
    fn values(&self) -> [&'static str; 2] {
        match self.form {
            "text" => ["one", "two"],
            "number" => ["1", "2"],
            "flag" => ["true", "false"],
            "time" => ["2026-11-20T10:00:00Z", "2026-11-21T10:00:00Z"],
            form => panic!("{}: {form} is not a form", self.path),
        }
    }
}

fn list() -> Vec<Field> {
    let mut operation = None;
    let mut fields = Vec::new();
    for line in LIST.lines() {
        if let Some(name) = line.strip_prefix("## ") {
            operation = Some(name.parse().unwrap_or_else(|error| panic!("{error}")));
        }
        let Some(row) = line.strip_prefix("| `") else { continue };
        let cells: Vec<&str> = row.trim_end_matches(" |").split(" | ").collect();
        let [path, form, fate] = cells[..] else { panic!("a row has three cells: {line}") };
        let operation = operation.expect("rows are in a section");
        fields.push(Field { operation, path: path.trim_end_matches('`'), form, fate });
    }
    fields
}

/// Elements in the order of their names: the content of a leaf, or what is inside.
#[derive(Default)]
struct Element {
    text: Option<&'static str>,
    inside: BTreeMap<&'static str, Self>,
}

impl Element {
    fn write(&self, to: &mut String) {
        to.push_str(self.text.unwrap_or_default());
        for (name, element) in &self.inside {
            write!(to, "<{name}>").expect("a string");
            element.write(to);
            write!(to, "</{name}>").expect("a string");
        }
    }
}

/// A reply with these fields, each list of one item.
fn answer<'f>(fields: impl Iterator<Item = (&'f Field, &'static str)>) -> String {
    let mut root = Element::default();
    for (field, value) in fields {
        let leaf = field.path.split('/').fold(&mut root, |element, name| element.inside.entry(name).or_default());
        leaf.text = Some(value);
    }
    let mut text = String::new();
    root.write(&mut text);
    text
}

/// What the driver makes of the reply.
async fn read(case: &Case, answer: String) -> Reply {
    let case = Case { answer: answer.into(), args: case.args.clone(), reply: case.reply.clone(), ..*case };
    Wire::new([Answer::of(&case)]).client().await.send(&request(&case), &secrets()).await
}

#[test]
fn every_recorded_field_is_read_or_dropped_on_purpose() {
    let fields = list();
    assert!(fields.len() > 500, "the list has {} rows", fields.len());
    wire::run(async {
        let mut wrong = Vec::new();
        for operation in Operation::ALL {
            let fields: Vec<&Field> = fields.iter().filter(|field| field.operation == *operation).collect();
            if fields.is_empty() {
                continue;
            }
            let case = cases().into_iter().find(|case| case.operation == *operation).expect("a case of each operation");
            let whole = read(&case, answer(fields.iter().map(|field| (*field, field.values()[0])))).await;
            // A reply that the driver refuses would show no field as read.
            assert!(whole.is_ok(), "{operation}: {whole:?}");
            for field in &fields {
                let others = fields.iter().filter(|other| other.path != field.path);
                let others = others.map(|other| (*other, other.values()[0]));
                let without = read(&case, answer(others.clone())).await;
                let changed = read(&case, answer(others.chain([(*field, field.values()[1])]))).await;
                let is_read = without != whole || changed != whole;
                if is_read != (field.fate == "read") {
                    let is = if is_read { "read" } else { "dropped" };
                    wrong.push(format!("{operation} {}: it is {is}, and the list says: {}", field.path, field.fate));
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
