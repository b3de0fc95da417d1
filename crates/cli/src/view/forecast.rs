//! How long apply and destroy take over many runs, for people and machines.

use std::time::Duration;

use aloka_core::plan::Verb;
use aloka_core::render::{Span, Style, Text, timeline_text};
use aloka_core::time::Human;
use aloka_sim::rehearsal::forecast::{Forecast, Resource, Sample, Spread, Summary};
use serde_json::{Value as Json, json};

use super::guide::{ESTIMATES, ORIGIN};
use super::progress::doing;
use super::rehearsal::drawn;

/// Everything that is shown.
pub struct Forecasted<'a> {
    /// The plans.
    pub forecast: &'a Forecast,
    /// The runs.
    pub samples: &'a [Sample],
    /// The seed of the first run.
    pub seed: u64,
    /// The Region.
    pub region: &'a str,
    /// What many runs say of apply; `None` if none got to its end.
    pub apply: Option<Summary>,
    /// The same of destroy.
    pub destroy: Option<Summary>,
    /// The median run of apply.
    pub median: Vec<aloka_sim::rehearsal::Span>,
}

impl Forecasted<'_> {
    /// True if every run got to its end.
    pub fn is_good(&self) -> bool {
        self.apply.is_some() && self.destroy.is_some() && self.failures().is_empty()
    }

    /// Runs that did not get to their end, with the reason.
    fn failures(&self) -> Vec<(u64, &str)> {
        let failure = |sample: &Sample| sample.apply.failure.is_some() || sample.destroy.failure.is_some();
        self.samples.iter().filter(|sample| failure(sample)).map(reason).collect()
    }
}

/// Why a run did not get to its end.
fn reason(sample: &Sample) -> (u64, &str) {
    let Sample { seed, apply, destroy } = sample;
    (*seed, apply.failure.as_deref().or(destroy.failure.as_deref()).unwrap_or_default())
}

fn human(ms: u64) -> String {
    // Tenths are for what takes seconds.
    let whole = if ms >= 10_000 { ms / 1000 * 1000 } else { ms };
    Human(Duration::from_millis(whole)).to_string()
}

/// The columns of a spread, and its heading.
fn columns(spread: &Spread) -> String {
    let Spread { min_ms, median_ms, p90_ms, p99_ms, max_ms } = *spread;
    [median_ms, p90_ms, p99_ms, min_ms, max_ms].map(|ms| format!("{:>8}", human(ms))).concat()
}

const HEADING: &str = "  median     90%     99%   least    most";

/// The whole report.
pub fn text(shown: &Forecasted<'_>, width: usize) -> Text {
    let Forecasted { forecast, samples, seed, region, apply, destroy, median } = shown;
    let mut text = Text::new();
    let (count, last) = (samples.len(), samples.last().map_or(*seed, |sample| sample.seed));
    text.say(
        Style::Bold,
        format!("{count} runs of {} resources on a simulated AWS ({region}, seeds {seed} to {last})", forecast.added()),
    );
    text.say(Style::Plain, "Times are virtual: how long AWS takes for what is drawn from figures people published.");
    for warning in forecast.warnings() {
        text.say(Style::Warning, format!("warning: {warning}"));
    }
    text.blank();
    text.say(Style::Bold, format!("{:<10}{HEADING}", "Total"));
    for (name, summary) in [("apply", apply), ("destroy", destroy)] {
        if let Some(summary) = summary {
            text.say(Style::Plain, format!("  {name:<8}{}", columns(&summary.total)));
        }
    }
    for (title, summary) in [("Apply", apply), ("Destroy", destroy)] {
        let Some(summary) = summary else { continue };
        text.blank();
        resources(&mut text, title, summary, width);
        text.blank();
        critical_path(&mut text, title, summary);
    }
    if let Some(summary) = apply {
        text.blank();
        text.say(Style::Bold, format!("Timeline of the median run of apply (seed {}):", summary.median_seed));
        text.blank();
        text.append(timeline(median, summary, width));
    }
    text.blank();
    comparison(&mut text, shown);
    text.blank();
    let failures = shown.failures();
    for (seed, reason) in failures.iter().take(5) {
        text.say(Style::Error, format!("the run with seed {seed} failed: {reason}"));
    }
    if failures.is_empty() {
        text.say(Style::Add, format!("All {count} runs got to their end."));
    } else {
        text.say(Style::Error, format!("{} of {count} runs failed; their times are left out.", failures.len()));
    }
    text
}

/// One column of the table of objects: its heading, its least width, and what it shows.
type Column<'a> = (&'static str, usize, Box<dyn Fn(&Resource) -> String + 'a>);

/// The columns, each with its rank: where not all fit, the highest ranks go first.
fn table(runs: usize) -> [(u8, Column<'static>); 8] {
    fn own(pick: fn(&Spread) -> u64) -> Box<dyn Fn(&Resource) -> String> {
        Box::new(move |resource| human(pick(&resource.own)))
    }
    [
        (0, ("median", 8, own(|own| own.median_ms))),
        (1, ("90%", 8, own(|own| own.p90_ms))),
        (5, ("99%", 8, own(|own| own.p99_ms))),
        (6, ("least", 8, own(|own| own.min_ms))),
        (7, ("most", 8, own(|own| own.max_ms))),
        (3, ("done at: median", 18, Box::new(|resource: &Resource| human(resource.ends.median_ms)))),
        (4, ("90%", 8, Box::new(|resource: &Resource| human(resource.ends.p90_ms)))),
        (2, ("critical", 10, Box::new(move |resource: &Resource| share(resource.critical, runs)))),
    ]
}

/// The objects in the order in which they are done. Reads that look for what was left are counted, not listed.
fn resources(text: &mut Text, title: &str, summary: &Summary, width: usize) {
    let label = |resource: &Resource| format!("{} {}", doing(resource.verb), resource.target);
    let (reads, mut order): (Vec<&Resource>, Vec<&Resource>) =
        summary.resources.iter().partition(|resource| resource.verb == Verb::Read);
    order.sort_by_key(|resource| (resource.ends.median_ms, resource.own.median_ms));
    let title = format!("{title}, by itself");
    let first = order.iter().map(|resource| label(resource).chars().count()).chain([title.chars().count()]).max();
    let first = first.unwrap_or(0) + 2;
    let all = table(summary.runs);
    let fits =
        |rank: u8| first + all.iter().filter(|(r, _)| *r <= rank).map(|(_, (_, w, _))| w).sum::<usize>() <= width;
    let most = (0..8).rev().find(|rank| fits(*rank)).unwrap_or(0);
    let shown: Vec<&Column<'_>> = all.iter().filter(|(rank, _)| *rank <= most).map(|(_, column)| column).collect();
    let row = |first_cell: &str, cell: &dyn Fn(&Column<'_>) -> String| {
        let cells: String = shown.iter().map(|column| format!("{:>1$}", cell(column), column.1)).collect();
        format!("{first_cell:<first$}{cells}")
    };
    text.say(Style::Bold, row(&title, &|(heading, ..)| (*heading).to_owned()));
    for resource in order {
        let style = if resource.critical > 0 { Style::Replace } else { Style::Plain };
        text.say(style, row(&format!("  {}", label(resource)), &|(_, _, cell)| cell(resource)));
    }
    if !reads.is_empty() {
        text.say(Style::Plain, format!("  and {} reads that look for what was left", reads.len()));
    }
}

/// `never`, `12%`, `always`
fn share(count: usize, of: usize) -> String {
    match count {
        0 => "never".to_owned(),
        _ if count == of => "always".to_owned(),
        _ if count * 100 < of => "<1%".to_owned(),
        _ => format!("{}%", count * 100 / of.max(1)),
    }
}

fn critical_path(text: &mut Text, title: &str, summary: &Summary) {
    let heading =
        format!("Critical path of the median run of {} (seed {}):", title.to_lowercase(), summary.median_seed);
    text.say(Style::Bold, heading);
    for resource in summary.critical_path.iter().filter_map(|node| summary.resources.get(*node)) {
        let moments = resource.median_run;
        let took = human(moments.end_ms.saturating_sub(moments.start_ms));
        let line = format!("{:>8}  {} {}", took, doing(resource.verb), resource.target);
        text.say(Style::Plain, line);
    }
}

/// The median run, with the 90th percentile of when each object is done.
pub fn timeline(median: &[aloka_sim::rehearsal::Span], summary: &Summary, width: usize) -> Text {
    let late = |span: &aloka_sim::rehearsal::Span| summary.resources.get(span.node).map(|r| r.ends.p90_ms);
    let spans: Vec<Span> =
        drawn(median).into_iter().zip(median).map(|(shown, span)| Span { late_ms: late(span), ..shown }).collect();
    timeline_text(&spans, width)
}

/// An estimate beside what the runs say.
fn compared<'a>(shown: &Forecasted<'a>) -> impl Iterator<Item = (super::guide::Estimate, Spread)> {
    ESTIMATES.into_iter().filter_map(|estimate| {
        let spread = match estimate.kinds {
            [] => shown.apply.as_ref().map(|summary| summary.total),
            kinds => shown.forecast.stretch(shown.samples, kinds),
        };
        Some((estimate, spread?))
    })
}

fn comparison(text: &mut Text, shown: &Forecasted<'_>) {
    text.say(Style::Bold, format!("Compared with Terraform ({ORIGIN}):"));
    text.blank();
    text.say(Style::Plain, format!("  {:<16}{:>12}    aloka:{HEADING}", "", "Terraform"));
    for (estimate, spread) in compared(shown) {
        let (from, to) = (estimate.from_minutes, estimate.to_minutes);
        let minutes = if from == to { format!("{to} min") } else { format!("{from}-{to} min") };
        text.say(Style::Plain, format!("  {:<16}{minutes:>12}          {}", estimate.what, columns(&spread)));
    }
    text.say(Style::Note, "  The guide estimates; what runs on the server after its start is in neither total.");
}

/// The whole report as JSON. Times are in seconds.
pub fn json(shown: &Forecasted<'_>) -> Json {
    let Forecasted { forecast, samples, seed, region, apply, destroy, median: _ } = shown;
    let failures: Vec<Json> =
        shown.failures().into_iter().map(|(seed, reason)| json!({ "seed": seed, "reason": reason })).collect();
    let guide: Vec<Json> = compared(shown)
        .map(|(estimate, spread)| {
            json!({
                "what": estimate.what,
                "terraform_minutes": [estimate.from_minutes, estimate.to_minutes],
                "aloka": spread_json(&spread),
            })
        })
        .collect();
    json!({
        "seed": seed,
        "runs": samples.len(),
        "region": region,
        "good": shown.is_good(),
        "resources": forecast.added(),
        "warnings": forecast.warnings(),
        "failures": failures,
        "apply": apply.as_ref().map(summary_json),
        "destroy": destroy.as_ref().map(summary_json),
        "comparison": { "origin": ORIGIN, "estimates": guide },
    })
}

fn seconds(ms: u64) -> f64 {
    Duration::from_millis(ms).as_secs_f64()
}

fn spread_json(spread: &Spread) -> Json {
    let Spread { min_ms, median_ms, p90_ms, p99_ms, max_ms } = *spread;
    json!({
        "min": seconds(min_ms),
        "median": seconds(median_ms),
        "p90": seconds(p90_ms),
        "p99": seconds(p99_ms),
        "max": seconds(max_ms),
    })
}

fn summary_json(summary: &Summary) -> Json {
    let Summary { runs, total, median_seed, critical_path, resources } = summary;
    let resource = |resource: &Resource| {
        let Resource { target, verb, own, ends, critical, median_run } = resource;
        json!({
            "address": target.to_string(),
            "action": doing(*verb),
            "seconds": spread_json(own),
            "ends": spread_json(ends),
            "critical_runs": critical,
            "median_run": { "start": seconds(median_run.start_ms), "end": seconds(median_run.end_ms) },
        })
    };
    let path: Vec<Json> = critical_path
        .iter()
        .filter_map(|node| resources.get(*node))
        .map(|resource| json!(resource.target.to_string()))
        .collect();
    json!({
        "runs": runs,
        "seconds": spread_json(total),
        "median_seed": median_seed,
        "critical_path": path,
        "resources": resources.iter().map(resource).collect::<Vec<_>>(),
    })
}
