//! A rehearsal for people and machines.

use std::time::Duration;

use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::render::{Span, Style, Text, outputs_text, timeline_text};
use aloka_core::time::Human;
use aloka_sim::rehearsal::{Rehearsal, RehearsalOptions};
use aloka_sim::world::RunEnd;
use serde_json::{Value as Json, json};

use super::progress::doing;

/// Columns of the timeline.
const WIDTH: usize = 100;

fn seconds(duration: Duration) -> Human {
    Human(Duration::from_secs(duration.as_secs()))
}

/// How a run ended, if it was not as it should.
fn complaint(end: &RunEnd) -> Vec<String> {
    let told = |failure: &Failure| {
        let Failure { node: _, target, cause } = failure;
        let text = match cause {
            Cause::Call { .. } | Cause::WaitFailed { .. } | Cause::WaitTimedOut { .. } => cause.to_string(),
            Cause::Foreign { .. } | Cause::Bug { .. } => cause.to_string(),
        };
        format!("{target}: {text}")
    };
    match end {
        RunEnd::Outcome(Outcome::Done) => Vec::new(),
        RunEnd::Outcome(Outcome::Failed { failures, skipped: _ }) => failures.iter().map(told).collect(),
        RunEnd::Outcome(Outcome::Stopped { unfinished }) => {
            vec![format!("stopped, {} actions to go", unfinished.len())]
        }
        RunEnd::Outcome(Outcome::StoreFailed { message }) => vec![format!("the state could not be written: {message}")],
        RunEnd::Crashed => vec!["crashed".to_owned()],
        RunEnd::Stuck => vec!["invariant violated: nothing to wait for and no end".to_owned()],
    }
}

fn spans(rehearsal: &Rehearsal) -> Vec<Span> {
    let start = rehearsal.spans.iter().map(|span| span.start.0).min().unwrap_or(0);
    let span = |span: &aloka_sim::rehearsal::Span| {
        let end = span.end.map_or(span.start.0, |end| end.0);
        Span {
            label: format!("{} {}", doing(span.verb), span.target),
            start_ms: span.start.0.saturating_sub(start),
            end_ms: end.saturating_sub(start),
            critical: rehearsal.critical_path.contains(&span.node),
        }
    };
    rehearsal.spans.iter().map(span).collect()
}

/// The whole report.
pub fn text(rehearsal: &Rehearsal, options: &RehearsalOptions) -> Text {
    let mut text = Text::new();
    let (added, ..) = rehearsal.planned.plan.counts();
    let region = &options.region;
    text.say(
        Style::Bold,
        format!("Rehearsal of {added} resources on a simulated AWS ({region}, seed {})", options.seed),
    );
    text.say(Style::Plain, "Times are virtual: nothing was sent to AWS, and nothing costs anything.");
    for warning in &rehearsal.planned.warnings {
        text.say(Style::Warning, format!("warning: {warning}"));
    }

    text.blank();
    text.say(Style::Bold, "Timeline of apply (# is on the critical path):");
    text.blank();
    text.append(timeline_text(&spans(rehearsal), WIDTH));

    text.blank();
    text.say(Style::Bold, "API calls of apply:");
    text.blank();
    for (operation, count) in &rehearsal.calls {
        text.say(Style::Plain, format!("  {count:>4}  {operation}"));
    }
    let calls: u64 = rehearsal.calls.values().sum();
    text.say(Style::Plain, format!("  {calls:>4}  in all"));

    text.blank();
    text.say(Style::Bold, "Outputs:");
    text.blank();
    text.append(outputs_text(&rehearsal.outputs));

    text.blank();
    text.say(Style::Bold, "Promises:");
    text.blank();
    for promise in &rehearsal.promises {
        let (style, word) = if promise.held { (Style::Add, "held  ") } else { (Style::Error, "BROKEN") };
        let name = format!("  {:<3} {:<24} ", promise.id, promise.name);
        text.line([(style, format!("  {word}")), (Style::Plain, name), (Style::Note, promise.detail.clone())]);
    }

    text.blank();
    for complaint in complaint(&rehearsal.apply) {
        text.say(Style::Error, format!("apply failed: {complaint}"));
    }
    text.say(Style::Plain, format!("apply took {} with {calls} calls", seconds(rehearsal.apply_time)));
    if let Some(destroyed) = &rehearsal.destroy {
        for complaint in complaint(&destroyed.end) {
            text.say(Style::Error, format!("destroy failed: {complaint}"));
        }
        let calls: u64 = destroyed.calls.values().sum();
        text.say(Style::Plain, format!("destroy took {} with {calls} calls", seconds(destroyed.time)));
    }
    if rehearsal.is_good() {
        text.say(Style::Add, "Every promise was held.");
    } else {
        text.say(Style::Error, "The rehearsal failed: see above.");
    }
    text
}

/// The whole report as JSON. Times are in seconds.
pub fn json(rehearsal: &Rehearsal, options: &RehearsalOptions) -> Json {
    let calls = |calls: &std::collections::BTreeMap<aloka_core::api::Operation, u64>| {
        calls
            .iter()
            .map(|(operation, count)| (operation.to_string(), Json::from(*count)))
            .collect::<serde_json::Map<_, _>>()
    };
    let timeline: Vec<Json> = spans(rehearsal)
        .into_iter()
        .map(|Span { label, start_ms, end_ms, critical }| {
            json!({ "label": label, "start_ms": start_ms, "end_ms": end_ms, "critical": critical })
        })
        .collect();
    let promises: Vec<Json> = rehearsal
        .promises
        .iter()
        .map(
            |promise| json!({ "id": promise.id, "name": promise.name, "held": promise.held, "detail": promise.detail }),
        )
        .collect();
    let destroy = rehearsal.destroy.as_ref().map(|destroyed| {
        json!({
            "seconds": destroyed.time.as_secs_f64(),
            "calls": calls(&destroyed.calls),
            "errors": complaint(&destroyed.end),
        })
    });
    json!({
        "seed": options.seed,
        "region": options.region,
        "good": rehearsal.is_good(),
        "warnings": rehearsal.planned.warnings,
        "promises": promises,
        "apply": {
            "seconds": rehearsal.apply_time.as_secs_f64(),
            "resources": rehearsal.planned.plan.counts().0,
            "calls": calls(&rehearsal.calls),
            "timeline": timeline,
            "errors": complaint(&rehearsal.apply),
        },
        "destroy": destroy,
        "outputs": rehearsal.outputs,
    })
}
