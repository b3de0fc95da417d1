//! What a plan holds and does not show: values that the state marks as sensitive. A plan in memory has them, as it could not be
//! carried out otherwise; what is shown of it and what is saved of it has not.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{AttributeChange, Change, Drift, Lookup, Node, OutputChange, Plan, Step, Waiter};
use crate::address::Address;
use crate::api::Call;
use crate::plan::Expect;
use crate::state::State;
use crate::state::sensitive::{Path, changed_mask, mask, masked, masked_attribute, paths, without_texts};
use crate::value::{Value, ValueMap};

/// What is not shown: names and paths, never values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sensitive {
    /// Outputs.
    outputs: BTreeSet<String>,
    /// Attributes of the objects of an address, in its order.
    attributes: Vec<(Address, Vec<Path>)>,
}

impl Sensitive {
    /// What this state marks.
    pub fn of(state: &State) -> Self {
        let marked = state.output_marks.iter().filter(|(_, mark)| mark.sensitive);
        let mut attributes: BTreeMap<Address, Vec<Path>> = BTreeMap::new();
        for (target, resource) in state.objects() {
            let recorded = resource.terraform.iter().flat_map(|terraform| &terraform.sensitive_attributes);
            let recorded: Vec<_> = recorded.cloned().collect();
            let paths = paths(target.address.kind, &recorded);
            if !paths.is_empty() {
                attributes.entry(target.address).or_default().extend(paths);
            }
        }
        Self { outputs: marked.map(|(name, _)| name.clone()).collect(), attributes: attributes.into_iter().collect() }
    }

    /// True if everything is shown.
    pub fn is_empty(&self) -> bool {
        let Self { outputs, attributes } = self;
        outputs.is_empty() && attributes.is_empty()
    }

    fn paths(&self, address: &Address) -> &[Path] {
        self.attributes.iter().find(|(known, _)| known == address).map_or(&[], |(_, paths)| paths)
    }

    /// One attribute of an object.
    pub fn attribute(&self, address: &Address, name: &str, value: &Value) -> Value {
        masked_attribute(self.paths(address), name, value, &mut Vec::new())
    }

    /// The texts of one attribute of an object that are not shown.
    pub(super) fn texts(&self, address: &Address, name: &str, value: &Value) -> Vec<Arc<str>> {
        let mut found = Vec::new();
        let _masked = masked_attribute(self.paths(address), name, value, &mut found);
        found
    }

    /// The changes of an object's attributes.
    pub fn changes(&self, address: &Address, changes: &[AttributeChange]) -> Vec<AttributeChange> {
        let masked = changes.iter().map(|change| {
            let AttributeChange { name, before, after, forces_replacement } = change;
            let (before, after) = (self.attribute(address, name, before), self.attribute(address, name, after));
            AttributeChange { name: name.clone(), before, after, forces_replacement: *forces_replacement }
        });
        masked.collect()
    }

    fn output(&self, output: &OutputChange) -> OutputChange {
        let OutputChange { name, before, after } = output;
        if !self.outputs.contains(name) {
            return output.clone();
        }
        let masked = |value: &Value, mask: Value| if value.is_null() { Value::Null } else { mask };
        let after_mask = if before == after { mask() } else { changed_mask() };
        OutputChange { name: name.clone(), before: masked(before, mask()), after: masked(after, after_mask) }
    }
}

impl Plan {
    /// The plan as it is shown and saved.
    pub fn masked(&self) -> Cow<'_, Self> {
        if self.sensitive.is_empty() {
            return Cow::Borrowed(self);
        }
        let mut texts: BTreeMap<Address, Vec<Arc<str>>> = BTreeMap::new();
        let changes = self.changes.iter().map(|change| self.masked_change(change, &mut texts)).collect();
        let drift = self.drift.iter().map(|drift| self.masked_drift(drift, &mut texts)).collect();
        let outputs = self.outputs.iter().map(|output| self.sensitive.output(output)).collect();
        let nodes = |nodes: &[Node]| nodes.iter().map(|node| self.masked_node(node, &texts)).collect();
        let (nodes, around) = (nodes(&self.nodes), nodes(&self.around));
        Cow::Owned(Self { changes, drift, outputs, nodes, around, ..self.clone() })
    }

    fn masked_change(&self, change: &Change, texts: &mut BTreeMap<Address, Vec<Arc<str>>>) -> Change {
        let address = &change.target.address;
        let paths = self.sensitive.paths(address);
        if paths.is_empty() {
            return change.clone();
        }
        let found = texts.entry(address.clone()).or_default();
        let mut map = |attributes: &ValueMap| Arc::new(masked(paths, attributes, found));
        let (before, after) = (map(&change.before), map(&change.after));
        let attributes = self.sensitive.changes(address, &change.attributes);
        Change { before, after, attributes, ..change.clone() }
    }

    fn masked_drift(&self, drift: &Drift, texts: &mut BTreeMap<Address, Vec<Arc<str>>>) -> Drift {
        let address = &drift.target.address;
        let paths = self.sensitive.paths(address);
        let Some(name) = drift.attribute.as_deref().filter(|_| !paths.is_empty()) else { return drift.clone() };
        let found = texts.entry(address.clone()).or_default();
        let mut masked = |value: &Value| masked_attribute(paths, name, value, found);
        let (recorded, observed) = (masked(&drift.recorded), masked(&drift.observed));
        Drift { recorded, observed, ..drift.clone() }
    }

    /// A node in whose calls nothing stands that is not shown of its object.
    fn masked_node(&self, node: &Node, texts: &BTreeMap<Address, Vec<Arc<str>>>) -> Node {
        let paths = self.sensitive.paths(&node.target.address);
        if paths.is_empty() {
            return node.clone();
        }
        let mut found = texts.get(&node.target.address).cloned().unwrap_or_default();
        let after = Arc::new(masked(paths, &node.after, &mut found));
        let steps = node.steps.iter().map(|step| masked_step(step, &found)).collect();
        Node { steps, after, ..node.clone() }
    }
}

fn masked_step(step: &Step, found: &[Arc<str>]) -> Step {
    match step {
        Step::Call { call, save, recover, way_back } => {
            let recover = recover.as_ref().map(|lookup| {
                let Lookup { call, list, tags } = lookup;
                let tags = tags.iter().map(|(name, value)| (name.clone(), without_texts(value, found))).collect();
                Lookup { call: masked_call(call, found), list: list.clone(), tags }
            });
            let way_back = way_back.as_ref().map(|back| {
                let mut back = back.clone();
                back.steps = back.steps.iter().map(|step| masked_step(step, found)).collect();
                back
            });
            Step::Call { call: masked_call(call, found), save: save.clone(), recover, way_back }
        }
        Step::Wait(waiter) => {
            let mut waiter = Waiter { call: masked_call(&waiter.call, found), ..waiter.clone() };
            waiter.accept.iter_mut().for_each(|accept| masked_expectation(&mut accept.expect, found));
            if let Some(short) = &mut waiter.short {
                masked_expectation(&mut short.expect, found);
            }
            Step::Wait(waiter)
        }
    }
}

fn masked_expectation(expect: &mut Expect, found: &[Arc<str>]) {
    match expect {
        Expect::Equals { path: _, value } | Expect::Each { path: _, field: _, value } => {
            *value = without_texts(value, found);
        }
        Expect::Exactly { path: _, field: _, values } => {
            values.iter_mut().for_each(|value| *value = without_texts(value, found));
        }
        Expect::All(all) => all.iter_mut().for_each(|expect| masked_expectation(expect, found)),
        Expect::Present { .. } | Expect::Absent { .. } | Expect::NoneOf { .. } => {}
    }
}

fn masked_call(call: &Call, found: &[Arc<str>]) -> Call {
    let args = call.args.iter().map(|(name, value)| (*name, without_texts(value, found)));
    Call { operation: call.operation, args: args.collect() }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::{Operation, Rds};
    use crate::plan::saved::differences;
    use crate::plan::{Action, Reason, Save, Verb};
    use crate::render::ui_json::{outputs_planned, planned_changes};
    use crate::render::{
        Context, Options, calls_json, calls_text, output_raw, outputs_json, outputs_text, plan_json, plan_text,
        samples, state_json, state_show, state_text,
    };
    use crate::state::{Target, file};

    const CANARY: &str = "Canary-in-the-state";

    /// A database whose user name the state marks, two outputs that it marks, and one that it does not.
    fn state() -> State {
        let text = json!({ "version": 4, "serial": 7, "lineage": "l",
            "outputs": {
                "db_endpoint": { "value": CANARY, "type": "string", "sensitive": true },
                "db_url": { "value": { "u": CANARY }, "type": ["map", "string"], "sensitive": true },
                "vpc_id": { "value": "vpc-1", "type": "string" },
            },
            "resources": [{ "mode": "managed", "type": "aws_db_instance", "name": "postgres", "instances": [{
                "attributes": { "id": "db-1", "identifier": "it", "username": CANARY, "port": 5432, "tags": { "a": CANARY, "b": "c" } },
                "sensitive_attributes": [
                    [{ "type": "get_attr", "value": "username" }],
                    [{ "type": "get_attr", "value": "tags" }, { "type": "index", "value": { "value": "a", "type": "string" } }],
                ],
            }] }],
        });
        file::read(&text.to_string()).expect("a state")
    }

    /// What replaces that database, with its user name in a call and in what is found out of it.
    fn plan(state: &State) -> Plan {
        let target = Target::current("aws_db_instance.postgres".parse().expect("an address"));
        let before = state.get(&target).expect("recorded").attributes.clone();
        let mut after = ValueMap::clone(&before);
        after.insert("username".into(), "new-name".into());
        let changed = AttributeChange {
            name: "username".into(),
            before: CANARY.into(),
            after: "new-name".into(),
            forces_replacement: true,
        };
        let call = Call::new(
            Operation::Rds(Rds::CreateDBInstance),
            [("DBInstanceIdentifier", "it".into()), ("MasterUsername", CANARY.into())],
        );
        let node = Node {
            target: target.clone(),
            verb: Verb::Create,
            steps: vec![Step::Call { call, save: Save::Nothing, recover: None, way_back: None }],
            needs: Vec::new(),
            generation: 1,
            after: before.clone(),
            dependencies: Arc::default(),
        };
        let drift = |attribute: &str| Drift {
            target: target.clone(),
            attribute: Some(attribute.into()),
            recorded: CANARY.into(),
            observed: "drifted".into(),
        };
        let output = |name: &str, before: &str, after: &str| OutputChange {
            name: name.to_owned(),
            before: before.into(),
            after: after.into(),
        };
        Plan {
            changes: vec![Change {
                target: target.clone(),
                action: Action::Replace(crate::plan::Order::DeleteThenCreate),
                reason: Reason::Changed,
                before,
                after: Arc::new(after),
                attributes: vec![changed],
            }],
            drift: vec![drift("username")],
            outputs: vec![output("db_endpoint", CANARY, "moved"), output("vpc_id", "vpc-1", "vpc-2")],
            nodes: vec![node].into(),
            sensitive: Sensitive::of(state),
            ..samples::empty()
        }
    }

    /// Everything that is shown of a plan, and what is saved of it.
    fn shown(plan: &Plan) -> Vec<String> {
        vec![
            plan_text(plan, Options { show_all: true }).plain(),
            plan_json(plan, Context::default()).to_string(),
            calls_text(plan).plain(),
            calls_json(plan).to_string(),
            format!("{:?}", planned_changes("now", plan)),
            outputs_planned("now", plan).to_string(),
            serde_json::to_string(&*plan.masked()).expect("JSON"),
        ]
    }

    #[test]
    fn nothing_that_is_shown_or_saved_of_a_plan_holds_what_the_state_marks() {
        let state = state();
        let plan = plan(&state);
        for text in shown(&plan) {
            for hidden in [CANARY, "new-name", "drifted", "moved"] {
                // Of what will be, the call tells what the variables say, where it is not what is there.
                assert!(!text.contains(hidden), "{hidden}: {text}");
            }
        }
        let text = plan_text(&plan, Options { show_all: true }).plain();
        assert!(text.contains("~ username") && text.contains("(sensitive value)"), "{text}");
        assert!(text.contains("~ db_endpoint = (sensitive value)"), "{text}");
        assert!(text.contains("\"vpc-1\" -> \"vpc-2\""), "{text}");
        let json = plan_json(&plan, Context::default());
        let change = &json["resource_changes"][0]["change"];
        assert_eq!(change["before_sensitive"], json!({ "username": true, "tags": { "a": true } }), "{change}");
        assert_eq!((&change["before"]["tags"], &change["before"]["port"]), (&json!({ "b": "c" }), &json!(5432)));
        assert_eq!(json["output_changes"]["db_endpoint"]["before_sensitive"], true);
        assert_eq!(json["output_changes"]["db_endpoint"]["actions"], json!(["update"]));
        assert_eq!(
            outputs_planned("now", &plan)["outputs"]["db_endpoint"],
            json!({ "sensitive": true, "action": "update" })
        );
        // What names an object is told, whatever is marked: a database is not lost without its name.
        assert_eq!(plan.masked().data_loss(), plan.data_loss());
    }

    #[test]
    fn a_saved_plan_is_the_plan_that_is_made_again() {
        let state = state();
        let plan = plan(&state);
        let saved: Plan = serde_json::from_value(serde_json::to_value(&*plan.masked()).expect("JSON")).expect("a plan");
        assert_eq!(*saved.masked(), saved, "what is masked stays as it is");
        assert_eq!(differences(&saved, &plan), []);
        let mut other = plan.clone();
        other.outputs.remove(0);
        assert_ne!(differences(&saved, &other), []);
        let mut other = saved.clone();
        other.sensitive = Sensitive::default();
        assert_ne!(differences(&other, &plan), [], "a plan that would show it is another one");
        // A plan that hides nothing is not copied.
        assert!(matches!(Plan { sensitive: Sensitive::default(), ..plan }.masked(), Cow::Borrowed(_)));
    }

    #[test]
    fn a_state_shows_it_to_those_who_ask_for_it_alone() {
        let state = state();
        let address = "aws_db_instance.postgres".parse().expect("an address");
        let outputs = state.all_outputs();
        for text in [
            state_text(&state).plain(),
            state_show(&state, &address).expect("recorded").plain(),
            outputs_text(&outputs).plain(),
            crate::render::ui_json::outputs("now", &outputs).to_string(),
        ] {
            assert!(!text.contains(CANARY), "{text}");
        }
        let text = state_text(&state).plain();
        assert!(
            text.contains("username   = (sensitive value)") && text.contains("db_url = (sensitive value)"),
            "{text}"
        );
        assert_eq!(
            outputs_text(&outputs).plain(),
            "db_endpoint = <sensitive>\ndb_url = <sensitive>\nvpc_id = \"vpc-1\"\n"
        );
        assert_eq!(outputs_json(&outputs)["db_url"]["value"], json!({ "u": CANARY }));
        assert_eq!(output_raw(&outputs["db_endpoint"].value).as_deref(), Some(CANARY));
        let json = state_json(&state);
        let resource = &json["values"]["root_module"]["resources"][0];
        assert_eq!(
            (&resource["values"]["username"], &resource["sensitive_values"]["username"]),
            (&json!(CANARY), &json!(true))
        );
        assert_eq!(json["values"]["outputs"]["db_url"]["sensitive"], true);
    }
}
