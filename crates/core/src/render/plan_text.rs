//! A plan for people, in the manner of Terraform.
//!
//! Every value is a literal, a named reference to what is yet to be created, or `(assigned by AWS)`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::tree::{Keys, Place, Sign, Tree, is_empty};
use super::{ASSIGNED, Style, Text, is_sensitive, quote};
use crate::address::Address;
use crate::boot::{BootScript, Line};
use crate::kind::Kind;
use crate::plan::{Action, Change, DataLoss, Drift, Lost, Mode, Order, OutputChange, Plan, Reason};
use crate::plan::{exposure, refusal};
use crate::resource::OnChange;
use crate::state::Target;
use crate::value::{Value, ValueMap};

/// Groups of like creations up to this size are shown one by one.
const GROUP_MAX: usize = 10;
/// So many of a larger group are shown.
const GROUP_SHOWN: usize = 3;
/// Shown even when unchanged: they tell which object it is.
const IDENTIFYING: [&str; 3] = ["id", "identifier", "name"];

/// How much to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// True to show every creation of a large group of like resources.
    pub show_all: bool,
}

/// The plan as text. Its length grows with the number of changes.
pub fn plan_text(plan: &Plan, options: Options) -> Text {
    let exposure = exposure::lines(plan);
    let plan = &*plan.masked();
    let mut text = Text::new();
    drift_text(&mut text, &plan.drift);
    let moves: BTreeMap<&Address, &Address> = plan.moves.iter().map(|(from, to)| (to, from)).collect();
    let moved_from = |change: &Change| match change.target.deposed {
        None => moves.get(&change.target.address).copied(),
        Some(_) => None,
    };
    let shown: Vec<&Change> =
        plan.changes.iter().filter(|change| change.action != Action::NoOp || moved_from(change).is_some()).collect();
    // A move that no change tells of (its object is gone) is told all the same.
    let told: BTreeSet<&Address> = shown.iter().map(|change| &change.target.address).collect();
    let untold: Vec<_> = plan.moves.iter().filter(|(_, to)| !told.contains(to)).collect();
    let outputs: Vec<&OutputChange> = plan.outputs.iter().filter(|output| output.before != output.after).collect();
    if shown.is_empty() && untold.is_empty() && outputs.is_empty() {
        nothing_text(&mut text, plan);
        loss_text(&mut text, plan);
        notes_text(&mut text, plan, options);
        return text;
    }
    if !shown.is_empty() || !untold.is_empty() {
        legend(&mut text, &shown);
        text.say(Style::Bold, "aloka will perform the following actions:");
        text.blank();
        for (from, to) in untold {
            text.say(Style::Bold, format!("  # {from} has moved to {to}"));
            text.blank();
        }
        let mut index = 0;
        while index < shown.len() {
            let group = if options.show_all { 1 } else { group_length(&shown[index..]) };
            let blocks = if group > GROUP_MAX { GROUP_SHOWN } else { 1 };
            for change in &shown[index..index + blocks] {
                block(&mut text, change, moved_from(change));
            }
            if group > GROUP_MAX {
                let last = &shown[index + group - 1].target;
                let first = &shown[index + blocks].target;
                let more = thousands(group - blocks);
                text.say(Style::Note, format!("  ... and {more} more like it: {first} to {last}"));
                text.blank();
                index += group;
            } else {
                index += blocks;
            }
        }
        let (add, changed, destroy) = plan.counts();
        text.line([
            (Style::Bold, "Plan: ".to_owned()),
            (Style::Plain, format!("{add} to add, {changed} to change, {destroy} to destroy.")),
        ]);
    }
    if !outputs.is_empty() {
        let first = text.is_empty();
        if !first {
            text.blank();
        }
        outputs_block(&mut text, &outputs);
        if shown.is_empty() {
            text.blank();
            text.say(Style::Plain, "Apply records these output values; it changes nothing in AWS.");
        }
    }
    loss_text(&mut text, plan);
    notes_text(&mut text, plan, options);
    if !exposure.is_empty() {
        text.blank();
        text.say(Style::Bold, "Who can reach what, once this is applied:");
        for line in exposure {
            text.say(Style::Plain, format!("  {line}"));
        }
    }
    text
}

/// The data that the calls of the plan destroy, whatever its changes say.
fn loss_text(text: &mut Text, plan: &Plan) {
    let DataLoss { databases, unnamed } = plan.data_loss();
    let named = databases.iter().map(|(name, lost)| match lost {
        Lost::Database => format!("destroys the data of database {}", quote(name)),
        Lost::Backups => format!("deletes the automated backups of database {}", quote(name)),
    });
    let unnamed = unnamed.iter().map(|target| format!("destroys the data of the database at {target}"));
    for lost in named.chain(unnamed) {
        text.say(Style::Remove, format!("This plan {lost}."));
    }
}

/// How the boot script differs from the built-in one, line by line.
pub fn boot_text(boot: &BootScript) -> Text {
    let mut text = Text::new();
    text.say(Style::Bold, format!("Boot script {}, beside the built-in one:", quote(&boot.path)));
    for line in &boot.difference {
        match line {
            Line::Gone(line) => text.say(Style::Remove, format!("  - {}", quote(line))),
            Line::New(line) => text.say(Style::Add, format!("  + {}", quote(line))),
        }
    }
    if boot.difference.is_empty() {
        text.say(Style::Plain, "  it is the same");
    }
    text
}

/// What stays as it is: objects of others in one line, then a line for each thing of ours that is left alone.
fn notes_text(text: &mut Text, plan: &Plan, options: Options) {
    let Plan { kept, notes, .. } = plan;
    if kept.is_empty() && notes.is_empty() {
        return;
    }
    text.blank();
    if !kept.is_empty() {
        let (count, s) = (thousands(kept.len()), if kept.len() == 1 { "" } else { "s" });
        let named = if options.show_all { kept.join(", ") } else { refusal::listed(kept) };
        let is = if kept.len() == 1 { "is" } else { "are" };
        text.say(
            Style::Plain,
            format!("{count} object{s} in the state {is} not of this stack, and left alone: {named}"),
        );
    }
    for note in notes {
        text.say(Style::Note, format!("Note: {note}"));
    }
}

fn nothing_text(text: &mut Text, plan: &Plan) {
    let drifted = !plan.drift.is_empty();
    let (headline, rest) = match (plan.mode, drifted) {
        (Mode::Apply, false) => (
            "Your infrastructure matches the configuration.",
            [
                "aloka has compared your real infrastructure against your configuration",
                "and found no differences, so no changes are needed.",
            ],
        ),
        (Mode::Apply, true) => (
            "Your infrastructure matches the configuration.",
            [
                "What has changed outside of aloka is what your configuration asks for, or not",
                "part of it. Apply only records it; it changes nothing in AWS.",
            ],
        ),
        (Mode::Destroy, _) => (
            "No objects need to be destroyed.",
            [
                "Either you have not created any objects yet or the existing objects were",
                "already deleted outside of aloka.",
            ],
        ),
        (Mode::RefreshOnly, false) => (
            "Your infrastructure still matches the recorded state.",
            ["aloka has compared your real infrastructure against the recorded state", "and found no differences."],
        ),
        (Mode::RefreshOnly, true) => (
            "This plan only records what has changed.",
            ["Apply updates the recorded state to what is there now; it changes nothing", "in AWS."],
        ),
    };
    text.line([(Style::Bold, "No changes. "), (Style::Plain, headline)]);
    text.blank();
    for line in rest {
        text.say(Style::Plain, line);
    }
}

/// Symbol, style and meaning of an action.
const fn symbol(action: Action) -> (&'static str, Style, &'static str) {
    match action {
        Action::NoOp => ("   ", Style::Plain, ""),
        Action::Create => ("  +", Style::Add, "create"),
        Action::Update => ("  ~", Style::Change, "update in-place"),
        Action::Delete => ("  -", Style::Remove, "destroy"),
        Action::Replace(Order::DeleteThenCreate) => ("-/+", Style::Replace, "destroy and then create replacement"),
        Action::Replace(Order::CreateThenDelete) => ("+/-", Style::Replace, "create replacement and then destroy"),
        Action::Forget => ("  .", Style::Note, "forget"),
    }
}

fn legend(text: &mut Text, shown: &[&Change]) {
    const ORDER: [Action; 6] = [
        Action::Create,
        Action::Update,
        Action::Delete,
        Action::Replace(Order::DeleteThenCreate),
        Action::Replace(Order::CreateThenDelete),
        Action::Forget,
    ];
    let used: Vec<Action> =
        ORDER.into_iter().filter(|action| shown.iter().any(|change| change.action == *action)).collect();
    if used.is_empty() {
        return;
    }
    text.say(Style::Plain, "Resource actions are indicated with the following symbols:");
    for action in used {
        let (sign, style, meaning) = symbol(action);
        text.line([(style, sign.to_owned()), (Style::Plain, format!(" {meaning}"))]);
    }
    text.blank();
}

/// Length of the run of creations that are alike but for the index, at the head of `changes`; at least 1.
fn group_length(changes: &[&Change]) -> usize {
    let mut length = 1;
    for pair in changes.windows(2) {
        let [one, next] = pair else { break };
        let plain = |change: &Change| {
            change.action == Action::Create && change.reason == Reason::New && change.target.deposed.is_none()
        };
        let (a, b) = (&one.target.address, &next.target.address);
        let follows = match (a.index, b.index) {
            (Some(a), Some(b)) => a.checked_add(1) == Some(b),
            (Some(_) | None, _) => false,
        };
        let same_group = a.in_vpc_module == b.in_vpc_module && a.kind == b.kind && a.name == b.name;
        if !(plain(one) && plain(next) && follows && same_group && alike(&one.after, &next.after)) {
            break;
        }
        length += 1;
    }
    length
}

/// True if two objects differ in nothing but numbers inside texts and in which instance they refer to.
fn alike(one: &ValueMap, other: &ValueMap) -> bool {
    one.len() == other.len()
        && one.iter().zip(other).all(|((a, x), (b, y))| a == b && (x == y || without_numbers(x) == without_numbers(y)))
}

fn without_numbers(value: &Value) -> String {
    let mut text = value.to_string();
    text.retain(|c| !c.is_ascii_digit());
    text
}

/// `9,997`
fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// What the heading says of the resource, and remarks below it.
fn heading(change: &Change, moved_from: Option<&Address>) -> (String, Vec<String>) {
    let target = &change.target;
    let awaited = change.reason == Reason::Unsettled && change.attributes.is_empty();
    let headline = match change.action {
        Action::NoOp => match moved_from {
            Some(from) => format!("{from} has moved to {target}"),
            None => format!("{target} is unchanged"),
        },
        Action::Create => format!("{target} will be created"),
        Action::Update if awaited => format!("{target} will be awaited"),
        Action::Update => format!("{target} will be updated in-place"),
        Action::Replace(_) => match &change.reason {
            Reason::Tainted(_) => format!("{target} is tainted, so must be replaced"),
            Reason::Unchanged
            | Reason::New
            | Reason::Gone
            | Reason::Changed
            | Reason::Unsettled
            | Reason::Deleting
            | Reason::Undeclared
            | Reason::Deposed
            | Reason::Destroy => format!("{target} must be replaced"),
        },
        Action::Delete => format!("{target} will be destroyed"),
        Action::Forget => format!("{target} will no longer be managed by aloka, but will not be destroyed"),
    };
    let mut notes = Vec::new();
    match &change.reason {
        Reason::Unchanged | Reason::New | Reason::Changed | Reason::Destroy => {}
        Reason::Gone => notes.push("(it no longer exists in AWS)".to_owned()),
        Reason::Unsettled => notes.push("(it exists, but an earlier run ended before it had settled)".to_owned()),
        Reason::Tainted(why) if why.is_empty() => notes.push("(it is tainted)".to_owned()),
        Reason::Tainted(why) => notes.push(format!("(it is tainted: {why})")),
        Reason::Deleting => notes.push("(an earlier run began to delete it)".to_owned()),
        Reason::Undeclared => notes.push("(because it is no longer declared)".to_owned()),
        Reason::Deposed => notes.push("(left over from an unfinished replacement)".to_owned()),
    }
    match change.action {
        Action::Replace(Order::DeleteThenCreate) => {
            notes.push("(the old object is destroyed first, then the new one is created)".to_owned());
        }
        Action::Replace(Order::CreateThenDelete) => {
            notes.push("(the new object is created first, then the old one is destroyed)".to_owned());
        }
        Action::NoOp | Action::Create | Action::Update | Action::Delete | Action::Forget => {}
    }
    if let (Some(from), true) = (moved_from, change.action != Action::NoOp) {
        notes.push(format!("(moved from {from})"));
    }
    (headline, notes)
}

/// What is told of one attribute.
enum Row<'a> {
    /// The value, with this sign.
    Value(Sign, Cow<'a, Value>),
    /// The value goes.
    Gone(Cow<'a, Value>),
    /// One value becomes another; the remark says if that forces the replacement.
    Diff(Cow<'a, Value>, Cow<'a, Value>, &'static str),
    /// AWS decides the new value.
    Assigned(Cow<'a, Value>),
}

fn block(text: &mut Text, change: &Change, moved_from: Option<&Address>) {
    let (headline, notes) = heading(change, moved_from);
    text.say(Style::Bold, format!("  # {headline}"));
    for note in notes {
        text.say(Style::Note, format!("  # {note}"));
    }
    if let Some(loss) = data_loss(change) {
        text.say(Style::Error, format!("  # {loss}"));
    }
    let (sign, style, _) = symbol(change.action);
    let address = &change.target.address;
    text.line([
        (style, sign.to_owned()),
        (Style::Plain, format!(" resource \"{}\" {} {{", address.kind, quote(&address.name))),
    ]);
    let (rows, hidden) = rows(change);
    let noun = if change.action == Action::Delete { "empty attribute" } else { "unchanged attribute" };
    write_rows(text, address, &rows, (hidden, noun));
    text.say(Style::Plain, "    }");
    text.blank();
}

/// The data that goes with the object, in words.
fn data_loss(change: &Change) -> Option<String> {
    let destroyed = match change.action {
        Action::Replace(_) | Action::Delete => true,
        Action::NoOp | Action::Create | Action::Update | Action::Forget => false,
    };
    if change.target.address.kind != Kind::DbInstance || !destroyed {
        return None;
    }
    let name = ["identifier", "id"].into_iter().find_map(|key| change.before.get(key).and_then(Value::as_str));
    Some(name.map_or_else(
        || format!("destroys the data of the database at {}", change.target),
        |name| format!("destroys the data of database {}", quote(name)),
    ))
}

fn write_rows(text: &mut Text, owner: &Address, rows: &BTreeMap<&str, Row<'_>>, hidden: (usize, &str)) {
    const INDENT: usize = 6;
    let keys = Keys::new(rows.keys().copied(), false);
    let mut tree = Tree::new(text, Some(owner));
    for (name, row) in rows {
        let head = keys.head(name);
        let quoted = matches!(*name, "tags" | "tags_all");
        let place = Place { indent: INDENT, sign: Sign::None, head: &head, tail: "", note: "", quoted };
        match row {
            Row::Value(sign, value) => tree.value(Place { sign: *sign, ..place }, *sign, value),
            Row::Gone(value) => {
                tree.value(Place { sign: Sign::Remove, tail: " -> null", ..place }, Sign::Remove, value);
            }
            Row::Diff(before, after, note) => tree.diff(Place { note, ..place }, before, after),
            Row::Assigned(before) if before.is_null() => {
                tree.line(INDENT, Sign::Add, &format!("{head}{ASSIGNED}"), "");
            }
            Row::Assigned(before) => {
                let tail = format!(" -> {ASSIGNED}");
                tree.value(Place { sign: Sign::Change, tail: &tail, ..place }, Sign::Remove, before);
            }
        }
    }
    tree.hidden(INDENT, hidden.0, hidden.1);
}

/// What is told of each attribute, by name, and how many are not told of.
fn rows(change: &Change) -> (BTreeMap<&str, Row<'_>>, usize) {
    let kind = change.target.address.kind;
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    match change.action {
        Action::NoOp | Action::Forget => {}
        Action::Create => {
            for (name, value) in set(&change.after) {
                rows.insert(name, Row::Value(Sign::Add, masked(kind, name, value)));
            }
            for name in computed(kind) {
                rows.entry(name).or_insert(Row::Assigned(Cow::Owned(Value::Null)));
            }
        }
        Action::Update => differences(&mut rows, change),
        Action::Replace(_) => {
            differences(&mut rows, change);
            for name in computed(kind) {
                let before = change.before.get(name).unwrap_or(&Value::Null);
                rows.entry(name).or_insert_with(|| Row::Assigned(masked(kind, name, before)));
            }
            for (name, value) in set(&change.after) {
                if change.before.get(name).is_none_or(Value::is_null) {
                    rows.entry(name).or_insert_with(|| Row::Value(Sign::Add, masked(kind, name, value)));
                }
            }
        }
        Action::Delete => {
            for (name, value) in set(&change.before).filter(|(_, value)| !is_empty(value)) {
                rows.insert(name, Row::Gone(masked(kind, name, value)));
            }
        }
    }
    for (name, value) in set(&change.before) {
        if IDENTIFYING.contains(&name) {
            rows.entry(name).or_insert_with(|| Row::Value(Sign::None, masked(kind, name, value)));
        }
    }
    let hidden = set(&change.before).filter(|(name, _)| !rows.contains_key(name)).count();
    (rows, hidden)
}

fn differences<'a>(rows: &mut BTreeMap<&'a str, Row<'a>>, change: &'a Change) {
    let kind = change.target.address.kind;
    for attribute in &change.attributes {
        let name: &str = &attribute.name;
        let before = masked(kind, name, &attribute.before);
        let is_computed = kind.attribute(name).is_some_and(|known| known.on_change == OnChange::Computed);
        let row = if attribute.after.is_null() && is_computed {
            Row::Assigned(before)
        } else {
            let note = if attribute.forces_replacement { "forces replacement" } else { "" };
            Row::Diff(before, masked(kind, name, &attribute.after), note)
        };
        rows.insert(name, row);
    }
}

/// Attributes that have a value.
fn set(map: &ValueMap) -> impl Iterator<Item = (&str, &Value)> {
    map.iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (&**name, value))
}

/// Attributes AWS decides.
fn computed(kind: Kind) -> impl Iterator<Item = &'static str> {
    let attributes = kind.attributes().iter();
    attributes.filter(|attribute| attribute.on_change == OnChange::Computed).map(|attribute| attribute.name)
}

/// The value, or in place of a secret a value that is shown as one.
fn masked<'a>(kind: Kind, name: &str, value: &'a Value) -> Cow<'a, Value> {
    if is_sensitive(kind, name) && !value.is_null() {
        Cow::Owned(Value::Secret(name.into()))
    } else {
        Cow::Borrowed(value)
    }
}

fn drift_text<'a>(text: &mut Text, drift: &'a [Drift]) {
    if drift.is_empty() {
        return;
    }
    text.say(Style::Bold, "Objects have changed outside of aloka:");
    text.blank();
    let mut by_target: BTreeMap<&Target, Vec<&Drift>> = BTreeMap::new();
    for entry in drift {
        by_target.entry(&entry.target).or_default().push(entry);
    }
    for (target, entries) in by_target {
        let address = &target.address;
        if entries.iter().any(|entry| entry.attribute.is_none()) {
            text.say(Style::Bold, format!("  # {target} no longer exists"));
            text.blank();
            continue;
        }
        text.say(Style::Bold, format!("  # {target} has changed"));
        text.line([
            (Style::Change, "  ~".to_owned()),
            (Style::Plain, format!(" resource \"{}\" {} {{", address.kind, quote(&address.name))),
        ]);
        let row = |entry: &&'a Drift| {
            let name = entry.attribute.as_deref()?;
            let before = masked(address.kind, name, &entry.recorded);
            let after = masked(address.kind, name, &entry.observed);
            Some((name, Row::Diff(before, after, "")))
        };
        let rows = entries.iter().filter_map(row).collect();
        write_rows(text, address, &rows, (0, "unchanged attribute"));
        text.say(Style::Plain, "    }");
        text.blank();
    }
}

fn outputs_block(text: &mut Text, outputs: &[&OutputChange]) {
    text.say(Style::Bold, "Changes to Outputs:");
    let keys = Keys::new(outputs.iter().map(|output| output.name.as_str()), false);
    let mut tree = Tree::new(text, None);
    for output in outputs {
        let head = keys.head(&output.name);
        let place = Place { indent: 2, sign: Sign::None, head: &head, tail: "", note: "", quoted: false };
        tree.diff(place, &output.before, &output.after);
    }
}
