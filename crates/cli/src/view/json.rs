//! Terraform's UI stream: one JSON object a line, on standard output. The objects are made by
//! [`aloka_core::render::ui_json`]; here they get their time and are written.

use std::time::SystemTime;

use aloka_core::engine::{News, Notice};
use aloka_core::plan::{Node, Plan, Verb};
use aloka_core::render::calls_json;
use aloka_core::render::ui_json::{self, Severity};
use aloka_core::session::sweep::{Leftover, Swept};
use aloka_core::variables::{Diagnostic, Location};
use serde_json::{Value as Json, json};

use super::progress::{Line, Moment};
use crate::error::CommandError;
use crate::io::Io;
use crate::measured::{Foretold, Origin};
use crate::rfc3339;

/// Now, as Terraform writes it: `2026-11-22T21:48:13.284656Z`.
pub fn timestamp() -> String {
    rfc3339::micros(SystemTime::now())
}

/// Writes one line of the stream.
pub fn write(io: &mut Io, line: &Json) {
    io.out_json(line);
}

/// The first line of every stream.
pub fn begin(io: &mut Io) {
    write(io, &ui_json::version(&timestamp(), env!("CARGO_PKG_VERSION")));
}

/// What happened to an object, unless the stream has no line for it.
pub fn line(nodes: &[Node], line: &Line) -> Option<Json> {
    let node = nodes.get(line.node)?;
    let (at, seconds, id) = (timestamp(), line.elapsed.as_secs(), line.id.as_deref());
    // Reads have lines of their own in Terraform, which tell nothing that the plan does not.
    if node.verb == Verb::Read {
        return None;
    }
    match line.moment {
        Moment::Start => Some(ui_json::apply_start(&at, &node.target, node.verb, id)),
        Moment::Progress => Some(ui_json::apply_progress(&at, &node.target, node.verb, seconds)),
        Moment::Complete => Some(ui_json::apply_complete(&at, &node.target, node.verb, id, seconds)),
        Moment::Errored => Some(ui_json::apply_errored(&at, &node.target, node.verb, seconds)),
        Moment::Remark => None,
    }
}

/// An error as a line of the stream.
pub fn error(error: &CommandError) -> Json {
    let severity = if error.is_warning { Severity::Warning } else { Severity::Error };
    let address = error.address.as_ref().map(|target| &target.address);
    let (summary, detail) = match &error.diagnostic {
        Some(diagnostic) => (diagnostic.summary.clone(), detail(diagnostic)),
        None => {
            let hints = error.hints.iter().flat_map(|hint| std::iter::once(&hint.text).chain(&hint.commands));
            let detail: Vec<&str> = error.lines.iter().chain(hints).map(String::as_str).collect();
            (error.message.clone(), detail.join("\n"))
        }
    };
    let mut line = ui_json::diagnostic(&timestamp(), severity, &summary, &detail, address);
    if let Some(range) = error.diagnostic.as_ref().and_then(|diagnostic| diagnostic.location.as_ref()).map(range) {
        line["diagnostic"]["range"] = range;
    }
    line
}

/// Every call of a plan and the IAM actions they need. Terraform has no such line; readers skip what they do not know.
pub fn calls(plan: &Plan) -> Json {
    let mut line = calls_json(plan);
    let count = line["calls"].as_array().map_or(0, Vec::len);
    line["@level"] = "info".into();
    line["@message"] = format!("Calls: {count}").into();
    line["@module"] = "aloka".into();
    line["@timestamp"] = timestamp().into();
    line["type"] = "calls".into();
    line
}

/// What a sweep looked for and found.
pub fn sweep(swept: &Swept) -> Json {
    let Swept { lineage, kinds, left, unread } = swept;
    let left: Vec<Json> = left
        .iter()
        .map(|Leftover { kind, id, address, remove }| {
            json!({ "kind": kind, "id": id, "address": address, "remove": remove })
        })
        .collect();
    let unread: Vec<String> = unread.iter().map(ToString::to_string).collect();
    json!({ "lineage": lineage, "kinds": kinds, "left": left, "unread": unread })
}

/// The same as a line of the stream. Terraform has no such line.
pub fn sweep_line(swept: &Swept) -> Json {
    json!({
        "@level": if swept.is_clean() { "info" } else { "error" },
        "@message": swept.summary(),
        "@module": "aloka",
        "@timestamp": timestamp(),
        "type": "sweep",
        "sweep": sweep(swept),
    })
}

/// How long a plan takes, as a line of the stream. Terraform has no such line.
pub(crate) fn forecast(foretold: &Foretold) -> Json {
    let Foretold { takes, measured } = foretold;
    let (source, measured) = match measured {
        Some(Origin { on, runs }) => ("measured", json!({ "on": on, "runs": runs })),
        None => ("simulated", Json::Null),
    };
    json!({
        "@level": "info",
        "@message": foretold.to_string(),
        "@module": "aloka",
        "@timestamp": timestamp(),
        "type": "forecast",
        "forecast": { "seconds": takes.as_secs(), "source": source, "measured": measured },
    })
}

/// Something that is worth a line, which readers skip.
pub fn log(text: &str) -> Json {
    json!({ "@level": "info", "@message": text, "@module": "aloka", "@timestamp": timestamp(), "type": "log" })
}

/// A warning as a line of the stream.
pub fn warning(summary: &str) -> Json {
    ui_json::diagnostic(&timestamp(), Severity::Warning, summary, "", None)
}

fn detail(diagnostic: &Diagnostic) -> String {
    let parts = [diagnostic.detail.as_deref(), diagnostic.hint.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n")
}

/// A place in a file as Terraform writes it.
fn range(location: &Location) -> Json {
    let Location { origin, line, column, offset, end_offset, snippet: _, caret: _ } = location;
    let length = end_offset.saturating_sub(*offset);
    json!({
        "filename": origin,
        "start": { "line": line, "column": column, "byte": offset },
        "end": { "line": line, "column": column.saturating_add(length), "byte": end_offset },
    })
}

/// A problem with a variable, as `validate -json` lists it.
pub fn diagnostic(error: &CommandError) -> Json {
    let mut line = self::error(error);
    line["diagnostic"].take()
}

/// A call was sent again, or an object was adopted: told by the stream as a log line, which readers skip.
pub fn remark(notice: &Notice, text: &str) -> Option<Json> {
    match notice.news {
        News::Retry { .. } | News::Adopted { .. } | News::Skipped => Some(log(text)),
        News::Started
        | News::Waiting { .. }
        | News::Sent { .. }
        | News::Answered { .. }
        | News::Finished { .. }
        | News::Failed { .. } => None,
    }
}
