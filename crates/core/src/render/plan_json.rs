//! A plan as Terraform's plan JSON, format 1.2, for the tools that read that: policy checkers, viewers, bots.
//!
//! What Terraform has no room for, the calls above all, stands under `aloka`. Printed with `to_string` it is one
//! line, as some consumers insist on. Two points differ from Terraform, on purpose: secrets and what the state
//! marks as sensitive are left out, as a saved plan does not hold them, and there is a timestamp only if the caller gives one.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::json::{attributes, known, sensitive, shape, shapes};
use super::{PROVIDER_NAME, TERRAFORM_VERSION, calls_json, is_sensitive, state_json};
use crate::address::{Address, VPC_MODULE};
use crate::boot::{BootScript, Line};
use crate::intern::key;
use crate::kind::Kind;
use crate::plan::{Action, Change, Drift, Mode, Order, OutputChange, Plan, Reason};
use crate::resource::OnChange;
use crate::secret::DB_PASSWORD;
use crate::state::outputs::output_type;
use crate::state::{State, Target};
use crate::value::{Value, ValueMap};
use crate::variables::definitions;

/// The Terraform module whose addresses the network resources have.
const VPC_SOURCE: &str = "terraform-aws-modules/vpc/aws";

/// What goes into the JSON beside the plan.
#[derive(Clone, Copy, Debug, Default)]
pub struct Context<'a> {
    /// The variables by name. Those declared sensitive are left out.
    pub variables: Option<&'a Json>,
    /// The state the plan starts from.
    pub prior_state: Option<&'a State>,
    /// When the plan was made, RFC 3339.
    pub timestamp: Option<&'a str>,
    /// What new servers boot with instead of the built-in script.
    pub boot_script: Option<&'a BootScript>,
}

/// The plan as JSON.
pub fn plan_json(plan: &Plan, context: Context<'_>) -> Json {
    let plan = &*plan.masked();
    let changes: Vec<Json> = plan.changes.iter().map(|change| change_json(change, plan)).collect();
    let outputs: Map<String, Json> =
        plan.outputs.iter().map(|output| (output.name.clone(), output_json(output))).collect();
    let applies = plan.changes.iter().any(|change| change.action != Action::NoOp)
        || plan.outputs.iter().any(|output| output.before != output.after)
        || !plan.moves.is_empty();
    let mut json = json!({
        "format_version": "1.2",
        "terraform_version": TERRAFORM_VERSION,
        "variables": variables_json(context.variables),
        "planned_values": planned_values(plan),
        "resource_changes": changes,
        "output_changes": outputs,
        "configuration": configuration(plan),
        "applyable": applies,
        "complete": true,
        "errored": false,
        "aloka": private_json(plan),
    });
    if let Some(BootScript { path, length, digest, difference }) = context.boot_script {
        let lines = |wanted: fn(&Line) -> Option<&String>| difference.iter().filter_map(wanted).collect::<Vec<_>>();
        let gone = lines(|line| if let Line::Gone(text) = line { Some(text) } else { None });
        let new = lines(|line| if let Line::New(text) = line { Some(text) } else { None });
        json["aloka"]["boot_script"] =
            json!({ "file": path, "bytes": length, "sha256": digest, "not_built_in": new, "missing": gone });
    }
    if !plan.drift.is_empty() {
        json["resource_drift"] = drift_json(plan);
    }
    if let Some(state) = context.prior_state {
        json["prior_state"] = state_json(state);
    }
    if let Some(timestamp) = context.timestamp {
        json["timestamp"] = timestamp.into();
    }
    json
}

fn variables_json(variables: Option<&Json>) -> Json {
    let entries = variables.and_then(Json::as_object).into_iter().flatten();
    let secret = |name: &str| definitions().iter().any(|known| known.sensitive && known.name == name);
    let open = entries.filter(|(name, _)| !secret(name));
    open.map(|(name, value)| (name.clone(), json!({ "value": value }))).collect()
}

/// Attributes of an object after the plan; references stand where values are not known.
fn after(change: &Change) -> Option<ValueMap> {
    let kind = change.target.address.kind;
    match change.action {
        Action::NoOp => Some(ValueMap::clone(&change.before)),
        Action::Update => {
            let mut map = ValueMap::clone(&change.before);
            for attribute in &change.attributes {
                let computed = kind.attribute(&attribute.name).is_some_and(|a| a.on_change == OnChange::Computed);
                let value = if computed && attribute.after.is_null() {
                    Value::reference(change.target.address.clone(), &attribute.name)
                } else {
                    attribute.after.clone()
                };
                map.insert(attribute.name.clone(), value);
            }
            Some(map)
        }
        Action::Create | Action::Replace(_) => {
            let mut map = ValueMap::clone(&change.after);
            for attribute in kind.attributes().iter().filter(|a| a.on_change == OnChange::Computed) {
                if map.get(attribute.name).is_none_or(Value::is_null) {
                    let value = Value::reference(change.target.address.clone(), attribute.name);
                    map.insert(key(attribute.name), value);
                }
            }
            Some(map)
        }
        Action::Delete | Action::Forget => None,
    }
}

fn is_reference(value: &Value) -> bool {
    matches!(value, Value::Ref(..))
}

/// `None` for null: there is no object.
fn object_json(kind: Kind, map: Option<&ValueMap>) -> (Json, Json) {
    map.map_or((Json::Null, Json::Bool(false)), |map| (attributes(kind, map), sensitive(kind, map)))
}

fn actions(action: Action) -> &'static [&'static str] {
    match action {
        Action::NoOp => &["no-op"],
        Action::Create => &["create"],
        Action::Update => &["update"],
        Action::Replace(Order::DeleteThenCreate) => &["delete", "create"],
        Action::Replace(Order::CreateThenDelete) => &["create", "delete"],
        Action::Delete => &["delete"],
        Action::Forget => &["forget"],
    }
}

/// Terraform's word for the reason, if it has one.
pub(super) fn action_reason(change: &Change) -> Option<&'static str> {
    let replaced = match change.action {
        Action::Replace(_) => true,
        Action::NoOp | Action::Create | Action::Update | Action::Delete | Action::Forget => false,
    };
    match change.reason {
        Reason::Tainted(_) => replaced.then_some("replace_because_tainted"),
        Reason::Changed => replaced.then_some("replace_because_cannot_update"),
        Reason::Undeclared => (!replaced).then_some("delete_because_no_resource_config"),
        Reason::Unchanged
        | Reason::New
        | Reason::Gone
        | Reason::Unsettled
        | Reason::Deleting
        | Reason::Deposed
        | Reason::Destroy => None,
    }
}

/// The reason in aloka's words.
fn reason(change: &Change) -> (&'static str, &str) {
    match &change.reason {
        Reason::Unchanged => ("unchanged", ""),
        Reason::New => ("new", ""),
        Reason::Gone => ("gone", ""),
        Reason::Changed => ("changed", ""),
        Reason::Unsettled => ("unsettled", ""),
        Reason::Tainted(why) => ("tainted", why),
        Reason::Deleting => ("deleting", ""),
        Reason::Undeclared => ("undeclared", ""),
        Reason::Deposed => ("deposed", ""),
        Reason::Destroy => ("destroy", ""),
    }
}

/// The fields that name a resource, in resource lists and in changes.
pub(super) fn identity_json(address: &Address) -> Json {
    let mut json = json!({
        "address": address.to_string(),
        "mode": "managed",
        "type": address.kind.terraform_type(),
        "name": &*address.name,
        "provider_name": PROVIDER_NAME,
    });
    if let Some(index) = address.index {
        json["index"] = index.into();
    }
    json
}

fn target_json(target: &Target) -> Json {
    let mut json = identity_json(&target.address);
    if target.address.in_vpc_module {
        json["module_address"] = VPC_MODULE.into();
    }
    if let Some(key) = &target.deposed {
        json["deposed"] = (**key).into();
    }
    json
}

fn change_json(change: &Change, plan: &Plan) -> Json {
    let kind = change.target.address.kind;
    let has_object = match change.action {
        Action::Create => false,
        Action::NoOp | Action::Update | Action::Replace(_) | Action::Delete | Action::Forget => true,
    };
    let (before, before_sensitive) = object_json(kind, has_object.then_some(&change.before));
    let map = after(change);
    let (after, after_sensitive) = object_json(kind, map.as_ref());
    let map = map.unwrap_or_default();
    let unknown = shapes(map.iter().map(|(name, value)| (&**name, value)), &is_reference);
    let mut inner = json!({
        "actions": actions(change.action),
        "before": before,
        "after": after,
        "after_unknown": unknown,
        "before_sensitive": before_sensitive,
        "after_sensitive": after_sensitive,
    });
    let paths: Vec<Json> =
        change.attributes.iter().filter(|a| a.forces_replacement).map(|a| json!([&*a.name])).collect();
    if !paths.is_empty() {
        inner["replace_paths"] = paths.into();
    }
    let mut json = target_json(&change.target);
    json["change"] = inner;
    if let Some(reason) = action_reason(change) {
        json["action_reason"] = reason.into();
    }
    let moved = |(_, to): &&(Address, Address)| change.target.deposed.is_none() && *to == change.target.address;
    if let Some((from, _)) = plan.moves.iter().find(moved) {
        json["previous_address"] = from.to_string().into();
    }
    json
}

fn output_json(output: &OutputChange) -> Json {
    let OutputChange { name: _, before, after } = output;
    let actions = match (before.is_null(), after.is_null()) {
        _ if before == after => "no-op",
        (true, _) => "create",
        (false, true) => "delete",
        (false, false) => "update",
    };
    json!({
        "actions": [actions],
        "before": known(before).unwrap_or_default(),
        "after": known(after).unwrap_or_default(),
        "after_unknown": shape(after, &is_reference),
        "before_sensitive": before.has_secret(),
        "after_sensitive": after.has_secret(),
    })
}

fn drift_json(plan: &Plan) -> Json {
    let mut by_target: BTreeMap<&Target, Vec<&Drift>> = BTreeMap::new();
    for drift in &plan.drift {
        by_target.entry(&drift.target).or_default().push(drift);
    }
    let observed: BTreeMap<&Target, &ValueMap> =
        plan.changes.iter().map(|change| (&change.target, &*change.before)).collect();
    let drifts = by_target.into_iter().map(|(target, drifts)| {
        let kind = target.address.kind;
        let gone = drifts.iter().any(|drift| drift.attribute.is_none());
        let mut after = observed.get(target).map(|map| (*map).clone()).unwrap_or_default();
        let mut before = after.clone();
        for drift in &drifts {
            if let Some(name) = &drift.attribute {
                before.insert(name.clone(), drift.recorded.clone());
                after.insert(name.clone(), drift.observed.clone());
            }
        }
        let (before, before_sensitive) = object_json(kind, Some(&before));
        let (after, after_sensitive) = object_json(kind, (!gone).then_some(&after));
        let mut json = target_json(target);
        json["change"] = json!({
            "actions": [if gone { "delete" } else { "update" }],
            "before": before,
            "after": after,
            "after_unknown": {},
            "before_sensitive": before_sensitive,
            "after_sensitive": after_sensitive,
        });
        json
    });
    drifts.collect()
}

/// Groups resources by module, as Terraform does: `{resources: […], child_modules: [{address, resources}]}`.
pub(super) fn modules_json(resources: impl IntoIterator<Item = (bool, Json)>) -> Json {
    let (inner, outer): (Vec<_>, Vec<_>) = resources.into_iter().partition(|(in_module, _)| *in_module);
    let list = |items: Vec<(bool, Json)>| items.into_iter().map(|(_, json)| json).collect::<Vec<_>>();
    let mut root = Map::new();
    if !outer.is_empty() {
        root.insert("resources".to_owned(), list(outer).into());
    }
    if !inner.is_empty() {
        root.insert("child_modules".to_owned(), json!([{ "address": VPC_MODULE, "resources": list(inner) }]));
    }
    Json::Object(root)
}

fn planned_values(plan: &Plan) -> Json {
    let current = plan.changes.iter().filter(|change| change.target.deposed.is_none());
    let resources = current.filter_map(|change| {
        let address = &change.target.address;
        let map = after(change)?;
        let mut json = identity_json(address);
        json["schema_version"] = address.kind.definition().schema_version.into();
        json["values"] = attributes(address.kind, &map);
        json["sensitive_values"] = sensitive(address.kind, &map);
        Some((address.in_vpc_module, json))
    });
    let mut json = json!({ "root_module": modules_json(resources) });
    let outputs: Map<String, Json> = plan
        .outputs
        .iter()
        .filter(|output| !output.after.is_null())
        .map(|output| {
            let mut json = json!({ "sensitive": output.after.has_secret() });
            if output.after.is_literal() {
                json["type"] = output_type(&output.after);
                json["value"] = known(&output.after).unwrap_or_default();
            }
            (output.name.clone(), json)
        })
        .collect();
    if !outputs.is_empty() {
        json["outputs"] = outputs.into();
    }
    json
}

/// What is declared, once for all instances: policy checkers follow the references in it.
fn configuration(plan: &Plan) -> Json {
    let mut declared: BTreeMap<Address, &Change> = BTreeMap::new();
    for change in plan.changes.iter().filter(|change| change.target.deposed.is_none() && !change.after.is_empty()) {
        declared.entry(change.target.address.config()).or_insert(change);
    }
    let resources = declared.iter().map(|(config, change)| {
        let kind = config.kind;
        let expressions: Map<String, Json> = change
            .after
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.to_string(), expression(kind, name, value, config.in_vpc_module)))
            .collect();
        let local = Address { in_vpc_module: false, ..config.clone() };
        let json = json!({
            "address": local.to_string(),
            "mode": "managed",
            "type": kind.terraform_type(),
            "name": &*config.name,
            "provider_config_key": "aws",
            "schema_version": kind.definition().schema_version,
            "expressions": expressions,
        });
        (config.in_vpc_module, json)
    });
    let (inner, outer): (Vec<_>, Vec<_>) = resources.partition(|(in_module, _)| *in_module);
    let list = |items: Vec<(bool, Json)>| items.into_iter().map(|(_, json)| json).collect::<Vec<_>>();
    let mut root = json!({ "resources": list(outer) });
    if !inner.is_empty() {
        root["module_calls"] = json!({ "vpc": { "source": VPC_SOURCE, "module": { "resources": list(inner) } } });
    }
    json!({
        "provider_config": { "aws": { "name": "aws", "full_name": PROVIDER_NAME } },
        "root_module": root,
    })
}

fn expression(kind: Kind, name: &str, value: &Value, in_vpc_module: bool) -> Json {
    if is_sensitive(kind, name) {
        return json!({ "references": [format!("var.{DB_PASSWORD}")] });
    }
    if value.has_secret() {
        // Where it comes from is not known: the state alone says that it is not shown.
        return json!({});
    }
    let mut references: Vec<String> = Vec::new();
    value.visit_refs(&mut |address, attribute| {
        let local = Address { in_vpc_module: address.in_vpc_module && !in_vpc_module, ..address.clone() };
        // Longest first, with every prefix, as Terraform lists them.
        for reference in [format!("{local}.{attribute}"), local.to_string(), local.config().to_string()] {
            if !references.contains(&reference) {
                references.push(reference);
            }
        }
    });
    if references.is_empty() {
        return json!({ "constant_value": known(value).unwrap_or_default() });
    }
    json!({ "references": references })
}

fn private_json(plan: &Plan) -> Json {
    let mut json = calls_json(plan);
    json["format_version"] = 1.into();
    json["mode"] = match plan.mode {
        Mode::Apply => "apply",
        Mode::Destroy => "destroy",
        Mode::RefreshOnly => "refresh-only",
    }
    .into();
    json["account"] = plan.account.as_deref().map_or(Json::Null, Json::from);
    json["region"] = plan.region.as_str().into();
    json["lineage"] = (*plan.lineage).into();
    json["serial"] = plan.serial.into();
    json["data_loss"] = plan.data_loss().names().into();
    json["notes"] = plan.notes.clone().into();
    let deletions = plan.calls().filter(|(_, call, _)| !call.arg("FinalDBSnapshotIdentifier").is_null());
    let snapshots = deletions.map(|(_, call, _)| {
        let text = |name: &str| call.arg(name).as_str().unwrap_or_default().to_owned();
        json!({ "database": text("DBInstanceIdentifier"), "snapshot": text("FinalDBSnapshotIdentifier") })
    });
    json["final_snapshots"] = snapshots.collect();
    let reasons = plan.changes.iter().filter(|change| change.action != Action::NoOp).map(|change| {
        let (word, detail) = reason(change);
        let mut json = json!({ "address": change.target.address.to_string(), "reason": word });
        if let Some(key) = &change.target.deposed {
            json["deposed"] = (**key).into();
        }
        if !detail.is_empty() {
            json["detail"] = detail.into();
        }
        json
    });
    json["reasons"] = reasons.collect();
    json
}
