//! A rehearsal for people and machines.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::engine::{Failure, Outcome};
use aloka_core::plan::Mode;
use aloka_core::render::{Span, Style, Text, outputs_text, timeline_text};
use aloka_core::shell::flag;
use aloka_core::time::{Human, Instant};
use aloka_sim::fault::{Fault, When};
use aloka_sim::rehearsal::{Rehearsal, RehearsalOptions, Run};
use aloka_sim::world::RunEnd;
use serde_json::{Value as Json, json};

use super::json;
use super::progress::doing;

fn seconds(duration: Duration) -> Human {
    Human(Duration::from_secs(duration.as_secs()))
}

/// What is wrong with the last run of a command, if anything.
fn complaint(run: Option<&Run>) -> Vec<String> {
    match run {
        None => Vec::new(),
        Some(Run { plan: Err(reason), .. }) => vec![format!("no plan: {reason}")],
        Some(Run { end, .. }) => end.as_ref().map(of_end).unwrap_or_default(),
    }
}

/// How a run ended, if it was not as it should.
fn of_end(end: &RunEnd) -> Vec<String> {
    let told = |failure: &Failure| {
        let Failure { node: _, target, cause } = failure;
        format!("{target}: {cause}")
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

/// Spans as they are drawn: times count from the first of them.
pub fn drawn(spans: &[aloka_sim::rehearsal::Span]) -> Vec<Span> {
    let zero = spans.iter().map(|span| span.start.0).min().unwrap_or(0);
    let since = |at: Instant| at.0.saturating_sub(zero);
    let span = |span: &aloka_sim::rehearsal::Span| {
        // What a crash cut short was under way to the end of its last wait, as far as is known.
        let end = span.end.or(span.waits.last().map(|(from, until)| until.unwrap_or(*from))).unwrap_or(span.start);
        Span {
            label: format!("{} {}", doing(span.verb), span.target),
            start_ms: since(span.start),
            end_ms: since(end),
            waits_ms: span.waits.iter().map(|(from, until)| (since(*from), since(until.unwrap_or(end)))).collect(),
            late_ms: None,
            critical: span.critical,
        }
    };
    spans.iter().map(span).collect()
}

/// The timeline alone.
pub fn timeline(rehearsal: &Rehearsal, width: usize) -> Text {
    timeline_text(&drawn(&rehearsal.spans), width)
}

const fn command(mode: Mode) -> &'static str {
    match mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
        Mode::RefreshOnly => "refresh",
    }
}

/// `CreateVpc#1=lost-reply`
fn fault((when, fault): &(When, Fault)) -> String {
    format!("{when}={fault}")
}

/// What each run did, where something was to go wrong.
fn runs(text: &mut Text, rehearsal: &Rehearsal) {
    text.say(Style::Bold, "Runs:");
    text.blank();
    for (index, run) in rehearsal.runs.iter().enumerate() {
        let plan = match &run.plan {
            Ok((add, change, destroy)) => format!("{add} to add, {change} to change, {destroy} to destroy"),
            Err(_) => "no plan".to_owned(),
        };
        let complaints = complaint(Some(run));
        let (style, end) = if complaints.is_empty() { (Style::Add, "done") } else { (Style::Warning, "not done") };
        let name = format!("  {:>2}  {:<8}", index + 1, command(run.mode));
        text.line([
            (Style::Plain, name),
            (style, format!("{end:<9}")),
            (Style::Plain, format!("{:>6}  {plan}", seconds(run.time).to_string())),
        ]);
        for struck in &run.struck {
            text.say(Style::Note, format!("        struck: {}", fault(struck)));
        }
        for complaint in complaints {
            text.say(Style::Note, format!("        {complaint}"));
        }
        for database in run.data_loss.iter().filter(|_| run.mode == Mode::Apply) {
            text.say(
                Style::Warning,
                format!("        it replaces the database: {} is needed", flag("-allow-data-loss", database)),
            );
        }
    }
}

/// The whole report.
pub fn text(rehearsal: &Rehearsal, options: &RehearsalOptions, width: usize) -> Text {
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

    if !options.faults.0.is_empty() {
        text.blank();
        runs(&mut text, rehearsal);
    }

    text.blank();
    text.say(Style::Bold, "Timeline of apply (# is on the critical path):");
    text.blank();
    text.append(timeline(rehearsal, width));

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
    let took = |mode: Mode, time: Duration, calls: u64| {
        let runs = rehearsal.runs.iter().filter(|run| run.mode == mode).count();
        let runs = if runs > 1 { format!(" in {runs} runs") } else { String::new() };
        format!("{} took {}{runs} with {calls} calls", command(mode), seconds(time))
    };
    text.say(Style::Plain, took(Mode::Apply, rehearsal.apply_time, calls));
    if let Some(destroyed) = &rehearsal.destroy {
        text.say(Style::Plain, took(Mode::Destroy, destroyed.time, destroyed.calls.values().sum()));
        if let Some(swept) = &destroyed.swept {
            text.say(Style::Plain, swept.summary());
        }
    }
    for complaint in complaints(rehearsal) {
        text.say(Style::Error, complaint);
    }
    if rehearsal.is_good() {
        text.say(Style::Add, "Every promise was held.");
    } else {
        text.say(Style::Error, "The rehearsal failed: see above.");
    }
    text
}

/// What went wrong in the end, besides broken promises.
pub fn complaints(rehearsal: &Rehearsal) -> Vec<String> {
    let mut complaints = Vec::new();
    for mode in [Mode::Apply, Mode::Destroy] {
        let failed = complaint(rehearsal.last_run(mode));
        complaints.extend(failed.into_iter().map(|what| format!("{} failed: {what}", command(mode))));
    }
    let missed = rehearsal.missed.iter();
    complaints.extend(missed.map(|missed| format!("{} did not strike: {}", fault(&missed.fault), missed.why)));
    complaints
}

/// The whole report as JSON. Times are in seconds.
pub fn json(rehearsal: &Rehearsal, options: &RehearsalOptions) -> Json {
    let calls = |calls: &std::collections::BTreeMap<aloka_core::api::Operation, u64>| {
        calls
            .iter()
            .map(|(operation, count)| (operation.to_string(), Json::from(*count)))
            .collect::<serde_json::Map<_, _>>()
    };
    let timeline: Vec<Json> = drawn(&rehearsal.spans)
        .into_iter()
        .map(|Span { label, start_ms, end_ms, waits_ms, late_ms: _, critical }| {
            json!({
                "label": label, "start_ms": start_ms, "end_ms": end_ms, "waits_ms": waits_ms, "critical": critical,
            })
        })
        .collect();
    let runs: Vec<Json> = rehearsal
        .runs
        .iter()
        .map(|run| {
            json!({
                "command": command(run.mode),
                "done": run.is_done(),
                "seconds": run.time.as_secs_f64(),
                "plan": run.plan.as_ref().ok().map(|(add, change, destroy)| [add, change, destroy]),
                "struck": run.struck.iter().map(fault).collect::<Vec<_>>(),
                "data_loss": run.data_loss,
                "errors": complaint(Some(run)),
            })
        })
        .collect();
    let missed: Vec<Json> =
        rehearsal.missed.iter().map(|missed| json!({ "fault": fault(&missed.fault), "why": missed.why })).collect();
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
            "sweep": destroyed.swept.as_ref().map(json::sweep),
            "errors": complaint(rehearsal.last_run(Mode::Destroy)),
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
            "errors": complaint(rehearsal.last_run(Mode::Apply)),
        },
        "runs": runs,
        "faults_missed": missed,
        "destroy": destroy,
        "outputs": rehearsal.outputs.iter().map(|(name, output)| (name, &output.value)).collect::<BTreeMap<_, _>>(),
    })
}
