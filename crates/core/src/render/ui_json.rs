//! The lines that `plan -json` and `apply -json` print: Terraform's machine-readable interface, version 1.2.
//!
//! Each function gives one JSON object; the caller prints it on one line and says when it happened (RFC 3339).

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::TERRAFORM_VERSION;
use super::outputs::output_json;
use super::plan_json::action_reason;
use crate::address::{Address, VPC_MODULE};
use crate::plan::{Action, Change, OutputChange, Plan, Verb};
use crate::state::Target;
use crate::state::outputs::Output;
use crate::time::Human;

/// What a summary is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A plan was made.
    Plan,
    /// A plan was applied.
    Apply,
    /// Everything was destroyed.
    Destroy,
}

/// How grave a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// It goes on.
    Warning,
    /// It does not.
    Error,
}

fn message(timestamp: &str, level: &str, text: &str, kind: &str, payload: (&str, Json)) -> Json {
    json!({
        "@level": level,
        "@message": text,
        "@module": "terraform.ui",
        "@timestamp": timestamp,
        "type": kind,
        payload.0: payload.1,
    })
}

/// The first line. `version` is aloka's own.
pub fn version(timestamp: &str, version: &str) -> Json {
    let mut json = message(timestamp, "info", &format!("aloka {version}"), "version", ("ui", "1.2".into()));
    json["terraform"] = TERRAFORM_VERSION.into();
    json["aloka"] = version.into();
    json
}

fn resource(address: &Address) -> Json {
    let local = Address { in_vpc_module: false, ..address.clone() };
    json!({
        "addr": address.to_string(),
        "module": if address.in_vpc_module { VPC_MODULE } else { "" },
        "resource": local.to_string(),
        "implied_provider": "aws",
        "resource_type": address.kind.terraform_type(),
        "resource_name": &*address.name,
        "resource_key": address.index,
    })
}

/// The reason as this stream words it: without saying of a replacement that it is one.
fn reason(change: &Change) -> Option<&'static str> {
    action_reason(change).map(|reason| reason.strip_prefix("replace_because_").unwrap_or(reason))
}

/// One planned change; `None` if nothing happens to the resource. `moved_from` is its address before, if it moved.
pub fn planned_change(timestamp: &str, change: &Change, moved_from: Option<&Address>) -> Option<Json> {
    let action = match (change.action, moved_from) {
        (Action::NoOp, None) => return None,
        (Action::NoOp, Some(_)) => "move",
        (Action::Create, _) => "create",
        (Action::Update, _) => "update",
        (Action::Replace(_), _) => "replace",
        (Action::Delete, _) => "delete",
        (Action::Forget, _) => "remove",
    };
    let mut payload = json!({ "resource": resource(&change.target.address), "action": action });
    if let Some(from) = moved_from {
        payload["previous_resource"] = resource(from);
    }
    if let Some(reason) = reason(change) {
        payload["reason"] = reason.into();
    }
    if let Some(key) = &change.target.deposed {
        payload["deposed"] = (**key).into();
    }
    let text = format!("{}: Plan to {action}", change.target);
    Some(message(timestamp, "info", &text, "planned_change", ("change", payload)))
}

/// Every planned change of a plan, and its summary.
pub fn planned_changes(timestamp: &str, plan: &Plan) -> Vec<Json> {
    let moves: BTreeMap<&Address, &Address> = plan.moves.iter().map(|(from, to)| (to, from)).collect();
    let moved = |target: &Target| match target.deposed {
        None => moves.get(&target.address).copied(),
        Some(_) => None,
    };
    let changes = plan.changes.iter().filter_map(|change| planned_change(timestamp, change, moved(&change.target)));
    changes.chain([change_summary(timestamp, plan.counts(), Stage::Plan)]).collect()
}

/// How many were, or are to be, added, changed and destroyed.
pub fn change_summary(timestamp: &str, counts: (usize, usize, usize), stage: Stage) -> Json {
    let (add, change, remove) = counts;
    let (text, operation) = match stage {
        Stage::Plan => (format!("Plan: {add} to add, {change} to change, {remove} to destroy."), "plan"),
        Stage::Apply => {
            (format!("Apply complete! Resources: {add} added, {change} changed, {remove} destroyed."), "apply")
        }
        Stage::Destroy => (format!("Destroy complete! Resources: {remove} destroyed."), "destroy"),
    };
    let payload = json!({ "add": add, "change": change, "import": 0, "remove": remove, "operation": operation });
    message(timestamp, "info", &text, "change_summary", ("changes", payload))
}

/// What becomes of the outputs.
pub fn outputs_planned(timestamp: &str, plan: &Plan) -> Json {
    let entry = |output: &OutputChange| {
        let action = match (output.before.is_null(), output.after.is_null()) {
            _ if output.before == output.after => "noop",
            (true, _) => "create",
            (false, true) => "delete",
            (false, false) => "update",
        };
        let sensitive = output.before.has_secret() || output.after.has_secret();
        (output.name.clone(), json!({ "sensitive": sensitive, "action": action }))
    };
    outputs_message(timestamp, plan.masked().outputs.iter().map(entry).collect())
}

/// The outputs after an apply, without the values of sensitive ones.
pub fn outputs(timestamp: &str, outputs: &BTreeMap<String, Output>) -> Json {
    let entry = |(name, output): (&String, &Output)| (name.clone(), output_json(output, false));
    outputs_message(timestamp, outputs.iter().map(entry).collect())
}

fn outputs_message(timestamp: &str, outputs: Map<String, Json>) -> Json {
    let text = format!("Outputs: {}", outputs.len());
    message(timestamp, "info", &text, "outputs", ("outputs", outputs.into()))
}

/// Terraform's word for what is done, and how it is told: while it goes on, when it is done, when it failed.
const fn words(verb: Verb) -> (&'static str, &'static str, &'static str, &'static str) {
    match verb {
        Verb::Read => ("read", "Reading...", "Read complete", "Read"),
        Verb::Create => ("create", "Creating...", "Creation complete", "Creation"),
        Verb::Update => ("update", "Modifying...", "Modifications complete", "Modifications"),
        Verb::Delete => ("delete", "Destroying...", "Destruction complete", "Destruction"),
        Verb::Forget => ("remove", "Forgetting...", "Forgotten", "Forgetting"),
    }
}

fn hook(target: &Target, verb: Verb, id: Option<&str>) -> Json {
    let mut json = json!({ "resource": resource(&target.address), "action": words(verb).0 });
    if let Some(id) = id {
        json["id_key"] = "id".into();
        json["id_value"] = id.into();
    }
    if let Some(key) = &target.deposed {
        json["deposed"] = (**key).into();
    }
    json
}

fn with_id(text: String, id: Option<&str>) -> String {
    id.map_or_else(|| text.clone(), |id| format!("{text} [id={id}]"))
}

/// Work on a resource begins.
pub fn apply_start(timestamp: &str, target: &Target, verb: Verb, id: Option<&str>) -> Json {
    let text = with_id(format!("{target}: {}", words(verb).1), id);
    message(timestamp, "info", &text, "apply_start", ("hook", hook(target, verb, id)))
}

fn timed(target: &Target, verb: Verb, id: Option<&str>, elapsed_seconds: u64) -> (Json, String) {
    let mut json = hook(target, verb, id);
    json["elapsed_seconds"] = elapsed_seconds.into();
    (json, Human(std::time::Duration::from_secs(elapsed_seconds)).to_string())
}

/// Work on a resource goes on.
pub fn apply_progress(timestamp: &str, target: &Target, verb: Verb, elapsed_seconds: u64) -> Json {
    let (json, elapsed) = timed(target, verb, None, elapsed_seconds);
    let doing = words(verb).1.to_lowercase();
    let text = format!("{target}: Still {doing} [{elapsed} elapsed]");
    message(timestamp, "info", &text, "apply_progress", ("hook", json))
}

/// Work on a resource is done.
pub fn apply_complete(timestamp: &str, target: &Target, verb: Verb, id: Option<&str>, elapsed_seconds: u64) -> Json {
    let (json, elapsed) = timed(target, verb, id, elapsed_seconds);
    let text = with_id(format!("{target}: {} after {elapsed}", words(verb).2), id);
    message(timestamp, "info", &text, "apply_complete", ("hook", json))
}

/// Work on a resource failed; a [`diagnostic`] says why.
pub fn apply_errored(timestamp: &str, target: &Target, verb: Verb, elapsed_seconds: u64) -> Json {
    let (json, elapsed) = timed(target, verb, None, elapsed_seconds);
    let text = format!("{target}: {} errored after {elapsed}", words(verb).3);
    message(timestamp, "info", &text, "apply_errored", ("hook", json))
}

/// A warning or an error.
pub fn diagnostic(timestamp: &str, severity: Severity, summary: &str, detail: &str, address: Option<&Address>) -> Json {
    let (level, word, title) = match severity {
        Severity::Warning => ("warn", "warning", "Warning"),
        Severity::Error => ("error", "error", "Error"),
    };
    let mut payload = json!({ "severity": word, "summary": summary, "detail": detail });
    if let Some(address) = address {
        payload["address"] = address.to_string().into();
    }
    message(timestamp, level, &format!("{title}: {summary}"), "diagnostic", ("diagnostic", payload))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that Terraform 1.11.4 printed, with an AWS resource in place of a builtin one.
    #[test]
    fn lines_are_those_of_terraform() {
        let at = "2026-11-22T21:48:13.284656Z";
        let target = Target::current("module.vpc.aws_vpc.this[0]".parse().expect("an address"));
        let resource = r#""resource":{"addr":"module.vpc.aws_vpc.this[0]","module":"module.vpc","resource":"aws_vpc.this[0]","implied_provider":"aws","resource_type":"aws_vpc","resource_name":"this","resource_key":0}"#;
        let table = [
            (
                apply_start(at, &target, Verb::Delete, Some("vpc-1")),
                format!(
                    r#"{{"@level":"info","@message":"module.vpc.aws_vpc.this[0]: Destroying... [id=vpc-1]","@module":"terraform.ui","@timestamp":"{at}","hook":{{{resource},"action":"delete","id_key":"id","id_value":"vpc-1"}},"type":"apply_start"}}"#
                ),
            ),
            (
                apply_complete(at, &target, Verb::Create, Some("vpc-1"), 62),
                format!(
                    r#"{{"@level":"info","@message":"module.vpc.aws_vpc.this[0]: Creation complete after 1m02s [id=vpc-1]","@module":"terraform.ui","@timestamp":"{at}","hook":{{{resource},"action":"create","id_key":"id","id_value":"vpc-1","elapsed_seconds":62}},"type":"apply_complete"}}"#
                ),
            ),
            (
                change_summary(at, (1, 2, 3), Stage::Plan),
                format!(
                    r#"{{"@level":"info","@message":"Plan: 1 to add, 2 to change, 3 to destroy.","@module":"terraform.ui","@timestamp":"{at}","changes":{{"add":1,"change":2,"import":0,"remove":3,"operation":"plan"}},"type":"change_summary"}}"#
                ),
            ),
            (
                diagnostic(at, Severity::Error, "no", "why", Some(&target.address)),
                format!(
                    r#"{{"@level":"error","@message":"Error: no","@module":"terraform.ui","@timestamp":"{at}","diagnostic":{{"severity":"error","summary":"no","detail":"why","address":"module.vpc.aws_vpc.this[0]"}},"type":"diagnostic"}}"#
                ),
            ),
        ];
        for (line, expected) in table {
            let expected: Json = serde_json::from_str(&expected).expect("JSON");
            assert_eq!(line, expected);
        }
    }
}
