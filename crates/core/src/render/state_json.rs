//! The state as `terraform show -json` prints it, format 1.0, without secrets.

use serde_json::{Map, Value as Json, json};

use super::TERRAFORM_VERSION;
use super::json::{attributes, has_secret, known, sensitive};
use super::plan_json::{identity_json, modules_json};
use crate::state::file::output_type;
use crate::state::{Resource, State, Target};

/// The state as JSON. Entries that are not of this stack are left out: what of them is secret is not known here.
pub fn state_json(state: &State) -> Json {
    let mut objects: Vec<(Target, &Resource)> = state.objects().map(|(target, r)| (target, r.as_ref())).collect();
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    let resources =
        objects.iter().map(|(target, resource)| (target.address.in_vpc_module, resource_json(target, resource)));
    let outputs: Map<String, Json> = state
        .outputs
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| {
            let mut json = json!({ "sensitive": has_secret(value), "type": output_type(value) });
            if let Some(value) = known(value) {
                json["value"] = value;
            }
            (name.clone(), json)
        })
        .collect();
    let mut values = json!({ "root_module": modules_json(resources) });
    if !outputs.is_empty() {
        values["outputs"] = outputs.into();
    }
    json!({ "format_version": "1.0", "terraform_version": TERRAFORM_VERSION, "values": values })
}

fn resource_json(target: &Target, resource: &Resource) -> Json {
    let kind = target.address.kind;
    let mut json = identity_json(&target.address);
    json["schema_version"] = kind.schema_version().into();
    json["values"] = attributes(kind, &resource.attributes);
    json["sensitive_values"] = sensitive(kind, &resource.attributes);
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
