//! A replay as a story: every event on a line, and what was in the account when it ended.

use std::time::Duration;

use aloka_core::identity::ADDRESS_TAG;
use aloka_core::render::{Style, Text};
use aloka_core::time::Human;
use aloka_sim::rehearsal::replay::{Header, Replay};
use aloka_sim::trace::{TraceEntry, TraceKind};
use serde_json::{Value as Json, json};

const fn style(kind: TraceKind) -> Style {
    match kind {
        TraceKind::Run | TraceKind::End => Style::Bold,
        TraceKind::Node => Style::Add,
        TraceKind::Send => Style::Plain,
        TraceKind::Aws | TraceKind::Store | TraceKind::Event => Style::Note,
        TraceKind::Fault => Style::Error,
    }
}

fn line(number: usize, entry: &TraceEntry, width: usize) -> (Style, String) {
    let at = Human(Duration::from_millis(entry.at.0)).to_string();
    let line = format!("{number:>5} {at:>7}  {:<5}  {}", entry.kind.word(), entry.what);
    if line.chars().count() <= width {
        return (style(entry.kind), line);
    }
    let shown: String = line.chars().take(width.saturating_sub(2)).collect();
    (style(entry.kind), format!("{shown}.."))
}

/// The whole of it. Lines that are too long are cut: the trace has all of them.
pub fn text(header: &Header, replay: &Replay, width: usize) -> Text {
    let mut text = Text::new();
    text.say(
        Style::Bold,
        format!(
            "Replay of {} of {} events ({}, seed {})",
            replay.events.len(),
            header.events,
            header.region,
            header.seed
        ),
    );
    if !header.faults.is_empty() {
        text.say(Style::Plain, format!("Faults: {}", header.faults));
    }
    text.blank();
    for (index, entry) in replay.events.iter().enumerate() {
        text.line([line(index + 1, entry, width)]);
    }
    text.blank();
    let objects = replay.account.objects(replay.at);
    let at = Human(Duration::from_millis(replay.at.0));
    if objects.is_empty() {
        text.say(Style::Bold, format!("The account is empty at {at}."));
    } else {
        text.say(Style::Bold, format!("In the account at {at}:"));
        text.blank();
        for object in &objects {
            let address = object.tags.get(ADDRESS_TAG).map(String::as_str).unwrap_or_default();
            text.say(Style::Plain, format!("  {:<24} {:<28} {address}", object.kind.to_string(), object.id));
        }
    }
    text.blank();
    match &replay.difference {
        None => text.say(Style::Add, format!("All {} events came out the same.", header.events)),
        Some(difference) => {
            text.say(Style::Error, format!("Line {} of the trace came out differently.", difference.line));
        }
    }
    text
}

/// The same for machines.
pub fn json(header: &Header, replay: &Replay) -> Json {
    let objects: Vec<Json> = replay
        .account
        .objects(replay.at)
        .into_iter()
        .map(|object| json!({ "kind": object.kind.to_string(), "id": object.id, "tags": object.tags }))
        .collect();
    let difference = replay.difference.as_ref().map(|difference| {
        json!({ "line": difference.line, "recorded": difference.recorded, "replayed": difference.replayed })
    });
    json!({
        "seed": header.seed,
        "region": header.region,
        "faults": header.faults,
        "same": replay.difference.is_none(),
        "difference": difference,
        "at_ms": replay.at.0,
        "events": replay.events,
        "objects": objects,
    })
}
