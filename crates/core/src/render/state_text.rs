//! The recorded state for people, as `terraform state list`, `state show` and `show` print it, without secrets and
//! without what the state marks as sensitive.

use std::collections::BTreeSet;

use super::tree::{Keys, Place, Sign, Tree};
use super::{Style, Text, is_sensitive, quote};
use crate::address::{Address, VPC_MODULE};
use crate::state::foreign::{EntryKey, ForeignInstance};
use crate::state::{Resource, State, Target};
use crate::value::Value;

/// Addresses of everything recorded, in Terraform's order: the root module first. Entries that are not of this stack
/// are in the list; they are in the file.
pub fn state_list(state: &State) -> Vec<String> {
    let addresses: BTreeSet<&Address> =
        state.resources.keys().chain(state.deposed.keys().map(|target| &target.address)).collect();
    let own = addresses.into_iter().map(|address| (key(address), address.index, address.to_string()));
    let foreign = state.foreign.iter().flat_map(|entry| {
        let named = |instance: ForeignInstance| (entry.key().clone(), number(&instance.address), instance.address);
        entry.instances().into_iter().map(named).collect::<Vec<_>>()
    });
    let mut all: Vec<_> = own.chain(foreign).collect();
    all.sort();
    all.dedup();
    all.into_iter().map(|(_, _, address)| address).collect()
}

/// The key of an instance that is a number: such keys sort as numbers.
fn number(address: &str) -> Option<u32> {
    address.strip_suffix(']')?.rsplit_once('[')?.1.parse().ok()
}

fn key(address: &Address) -> EntryKey {
    EntryKey {
        module: if address.in_vpc_module { VPC_MODULE.to_owned() } else { String::new() },
        mode: "managed".to_owned(),
        kind: address.kind.terraform_type().to_owned(),
        name: address.name.to_string(),
    }
}

/// One recorded resource, its deposed objects included; `None` if nothing is recorded there.
pub fn state_show(state: &State, address: &Address) -> Option<Text> {
    let mut text = Text::new();
    if let Some(resource) = state.resources.get(address) {
        resource_text(&mut text, &Target::current(address.clone()), resource);
    }
    for (target, resource) in state.deposed.iter().filter(|(target, _)| target.address == *address) {
        if !text.is_empty() {
            text.blank();
        }
        resource_text(&mut text, target, resource);
    }
    (!text.is_empty()).then_some(text)
}

/// Everything recorded, then the outputs.
pub fn state_text(state: &State) -> Text {
    let mut text = Text::new();
    let mut objects: Vec<_> = state.objects().collect();
    objects.sort_by(|a, b| a.0.cmp(&b.0));
    let outputs = state.all_outputs();
    if objects.is_empty() && outputs.is_empty() && state.foreign.is_empty() {
        text.say(Style::Plain, "The state is empty. No resources are represented.");
        return text;
    }
    for (target, resource) in &objects {
        if !text.is_empty() {
            text.blank();
        }
        resource_text(&mut text, target, resource);
    }
    for instance in state.foreign_instances() {
        if !text.is_empty() {
            text.blank();
        }
        let address = instance.address;
        text.say(Style::Bold, format!("# {address}: (not of this stack, kept as it is)"));
    }
    if !outputs.is_empty() {
        if !text.is_empty() {
            text.blank();
        }
        text.say(Style::Bold, "Outputs:");
        text.blank();
        text.append(super::outputs::state_outputs_text(&outputs));
    }
    text
}

fn resource_text(text: &mut Text, target: &Target, resource: &Resource) {
    let address = &target.address;
    let mut remark = if resource.tainted { " (tainted)".to_owned() } else { String::new() };
    if let Some(key) = &target.deposed {
        remark = format!("{remark} (deposed object {key})");
    }
    text.line([(Style::Bold, format!("# {address}:")), (Style::Warning, remark)]);
    text.say(Style::Plain, format!("resource \"{}\" {} {{", address.kind, quote(&address.name)));
    let shown = resource.shown_attributes(address.kind);
    let attributes = || shown.iter().filter(|(_, value)| !value.is_null());
    let keys = Keys::new(attributes().map(|(name, _)| &**name), false);
    let mut tree = Tree::new(text, Some(address));
    for (name, value) in attributes() {
        let head = keys.head(name);
        let quoted = matches!(&**name, "tags" | "tags_all");
        let place = Place { indent: 2, sign: Sign::None, head: &head, tail: "", note: "", quoted };
        let secret = is_sensitive(address.kind, name).then(|| Value::Secret(name.clone()));
        tree.value(place, Sign::None, secret.as_ref().unwrap_or(value));
    }
    text.say(Style::Plain, "}");
}
