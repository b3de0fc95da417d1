//! The state as `terraform show -json` prints it, format 1.0: with what the state marks as sensitive, and where that is, but without
//! the secrets of the provider's schema.

use serde_json::{Value as Json, json};

use super::json::{attributes, sensitive};
use super::plan_json::{identity_json, modules_json};
use super::{TERRAFORM_VERSION, outputs_json};
use crate::state::{Resource, State, Target};

/// The state as JSON. Entries that are not of this stack are left out: what of them is secret is not known here.
pub fn state_json(state: &State) -> Json {
    let mut objects: Vec<(Target, &Resource)> = state.objects().map(|(target, r)| (target, r.as_ref())).collect();
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    let resources =
        objects.iter().map(|(target, resource)| (target.address.in_vpc_module, resource_json(target, resource)));
    let outputs = state.all_outputs();
    let mut values = json!({ "root_module": modules_json(resources) });
    if !outputs.is_empty() {
        values["outputs"] = outputs_json(&outputs);
    }
    json!({ "format_version": "1.0", "terraform_version": TERRAFORM_VERSION, "values": values })
}

fn resource_json(target: &Target, resource: &Resource) -> Json {
    let kind = target.address.kind;
    let mut json = identity_json(&target.address);
    json["schema_version"] = kind.definition().schema_version.into();
    json["values"] = attributes(kind, &resource.attributes);
    json["sensitive_values"] = sensitive(kind, &resource.shown_attributes(kind));
    if !resource.dependencies.is_empty() {
        json["depends_on"] = resource.dependencies.iter().map(|config| Json::from(&**config)).collect();
    }
    if resource.tainted {
        json["tainted"] = true.into();
    }
    if let Some(key) = &target.deposed {
        json["deposed_key"] = (**key).into();
    }
    json
}
