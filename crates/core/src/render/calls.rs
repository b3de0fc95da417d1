//! The exact calls of a plan, as text and as JSON, with the IAM actions they need.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value as Json, json};

use super::{SENSITIVE, Style, Text, quote};
use crate::api;
use crate::api::{Call, Operation};
use crate::identity::LINEAGE_TAG;
use crate::plan::{Accept, Expect, Node, Occasion, Plan, Step, Verb, Waiter};
use crate::time::Human;
use crate::value::Value;

/// Parameters whose value is never shown, whatever it is.
const SECRET_PARAMETERS: [&str; 1] = ["MasterUserPassword"];

/// Longer texts are cut short for people, in bytes.
const LONG_TEXT: usize = 240;

/// One planned call.
struct Line<'a> {
    node: usize,
    call: &'a Call,
    occasion: Occasion,
    waiter: Option<&'a Waiter>,
}

/// Every planned call, in order of execution.
fn lines(plan: &Plan) -> impl Iterator<Item = (Line<'_>, &Node)> {
    let planned = plan.nodes.len();
    plan.all_nodes().enumerate().flat_map(move |(index, node)| {
        node.steps.iter().flat_map(move |step| {
            let waiter = match step {
                Step::Call { .. } => None,
                Step::Wait(waiter) => Some(waiter),
            };
            let calls = step.calls().into_iter();
            calls.map(move |(call, occasion)| {
                let occasion = if index < planned { occasion } else { Occasion::Recovery };
                (Line { node: index, call, occasion, waiter }, node)
            })
        })
    })
}

/// The IAM actions the plan needs, sorted.
pub fn iam_actions(plan: &Plan) -> Vec<String> {
    let sent = plan.calls().flat_map(|(_, call, _)| call.iam_actions());
    let actions: BTreeSet<String> = sent.chain(api::reads().flat_map(Operation::iam_actions)).collect();
    actions.into_iter().collect()
}

/// Numbered calls, grouped by the resource they are for. `wait` calls are repeated until what they wait for has come
/// about; `may` calls are sent only when an answer was lost or says that the object exists, to take back what AWS refuses half
/// way, or to find out who holds what AWS does not delete.
pub fn calls_text(plan: &Plan) -> Text {
    let plan = &*plan.masked();
    let mut text = Text::new();
    let all: Vec<_> = lines(plan).collect();
    if all.is_empty() {
        text.say(Style::Plain, "No calls.");
        return text;
    }
    let width = all.len().to_string().len().max(3);
    let mut last = None;
    for (number, (line, node)) in all.iter().enumerate() {
        if last.is_some_and(|last| last != line.node) {
            text.blank();
        }
        last = Some(line.node);
        let (mark, style) = match line.occasion {
            Occasion::Always => ("", verb_style(node.verb)),
            Occasion::Poll | Occasion::Recovery => (if line.waiter.is_some() { "wait " } else { "may " }, Style::Note),
        };
        let until = line.waiter.map(until_text).unwrap_or_default();
        text.line([
            (Style::Plain, format!("{:>width$}  ", number + 1)),
            (style, format!("{mark}{}", line.call.operation)),
            (Style::Plain, args_text(line.call)),
            (Style::Plain, until),
            (Style::Note, format!("   # {}", node.target)),
        ]);
    }
    text.blank();
    text.say(Style::Bold, "IAM actions needed, reading for the plan included:");
    for action in iam_actions(plan) {
        text.say(Style::Plain, format!("  {action}"));
    }
    text
}

const fn verb_style(verb: Verb) -> Style {
    match verb {
        Verb::Create => Style::Add,
        Verb::Update => Style::Change,
        Verb::Delete => Style::Remove,
        Verb::Read | Verb::Forget => Style::Plain,
    }
}

const fn verb_name(verb: Verb) -> &'static str {
    match verb {
        Verb::Read => "read",
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Delete => "delete",
        Verb::Forget => "forget",
    }
}

fn args_text(call: &Call) -> String {
    let mut text = String::new();
    for (name, value) in &call.args {
        text.push_str(&format!(" {name}={}", argument_text(name, value)));
    }
    text
}

fn argument_text(name: &str, value: &Value) -> String {
    if SECRET_PARAMETERS.contains(&name) {
        return SENSITIVE.to_owned();
    }
    match value.as_str() {
        // A script, most likely; the JSON has all of it.
        Some(long) if long.len() > LONG_TEXT => {
            let begin: String = long.chars().take(LONG_TEXT / 4).collect();
            format!("{}... ({} bytes)", quote(&begin), long.len())
        }
        Some(_) | None => value.to_string(),
    }
}

fn expect_text(expect: &Expect) -> String {
    match expect {
        Expect::Equals { path, value } => format!("{path}={value}"),
        Expect::All(all) => all.iter().map(expect_text).collect::<Vec<_>>().join(" and "),
        Expect::Each { path, field, value } => format!("each {field} of {path} is {value}"),
        Expect::Exactly { path, field, values } => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{path} has {field} {}", values.join(", "))
        }
        Expect::Present { path } => format!("{path} is there"),
        Expect::Absent { path } if path.is_empty() => "it is gone".to_owned(),
        Expect::Absent { path } => format!("{path} is gone"),
        Expect::NoneOf { list, lineage } if list.is_empty() => format!("it has no tag {LINEAGE_TAG}={lineage}"),
        Expect::NoneOf { list, lineage } => format!("none of {list} has the tag {LINEAGE_TAG}={lineage}"),
    }
}

fn accepted(waiter: &Waiter, success: bool) -> Vec<String> {
    waiter
        .accept
        .iter()
        .filter(|accept| accept.success == success)
        .map(|Accept { expect, .. }| expect_text(expect))
        .collect()
}

/// ` until NatGateways.0.State="available" (fails on …; usually 2m, given up after 10m)`
fn until_text(waiter: &Waiter) -> String {
    let human = |ms| Human(Duration::from_millis(ms));
    let fails = accepted(waiter, false).join(" or ");
    let fails = if fails.is_empty() { fails } else { format!("fails on {fails}; ") };
    let pace = waiter.pace;
    format!(
        " until {} ({fails}usually {}, given up after {})",
        accepted(waiter, true).join(" or "),
        human(pace.usual_ms),
        human(pace.deadline_ms)
    )
}

/// The calls as JSON: `{calls: [{number, node, address, deposed?, verb, occasion, operation, args, until?, …}],
/// iam_actions: […]}`. References are `{"$ref": [address, attribute]}`, secrets `{"$secret": name}`.
pub fn calls_json(plan: &Plan) -> Json {
    let plan = &*plan.masked();
    let calls: Vec<Json> =
        lines(plan).enumerate().map(|(number, (line, node))| call_json(number + 1, &line, node)).collect();
    json!({ "calls": calls, "iam_actions": iam_actions(plan) })
}

fn call_json(number: usize, line: &Line<'_>, node: &Node) -> Json {
    let args: serde_json::Map<String, Json> = line
        .call
        .args
        .iter()
        .map(|(name, value)| {
            let secret = SECRET_PARAMETERS.contains(name) && !matches!(value, Value::Secret(_));
            // Plain maps, lists and texts always serialise.
            let value = if secret { json!(SENSITIVE) } else { serde_json::to_value(value).unwrap_or_default() };
            ((*name).to_owned(), value)
        })
        .collect();
    let mut json = json!({
        "number": number,
        "node": line.node,
        "address": node.target.address.to_string(),
        "verb": verb_name(node.verb),
        "occasion": line.occasion.to_string(),
        "operation": line.call.operation.to_string(),
        "args": args,
    });
    if let Some(key) = &node.target.deposed {
        json["deposed"] = json!(key);
    }
    if let Some(waiter) = line.waiter {
        json["until"] = json!(accepted(waiter, true));
        json["fails_on"] = json!(accepted(waiter, false));
        json["usual_ms"] = json!(waiter.pace.usual_ms);
        json["deadline_ms"] = json!(waiter.pace.deadline_ms);
    }
    json
}
