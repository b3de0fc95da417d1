//! Which existing object refers to which. Decides nothing about them: the order of a destroy follows from it, and what is kept
//! with an excluded object.

use std::collections::BTreeMap;

use super::build::Observed;
use crate::kind::Kind;
use crate::resource::{OnChange, Tie};
use crate::state::Target;
use crate::value::Value;

/// Which existing object refers to which: by the identifiers in its attributes, and by the ties AWS keeps without
/// any (a NAT gateway and a public server hold the internet gateway).
pub(super) fn recorded_edges<'o>(observed: &'o Observed) -> Vec<(&'o Target, &'o Target)> {
    let mut by_id: BTreeMap<(&str, Option<Kind>), &Target> = BTreeMap::new();
    let mut gateways: Vec<&Target> = Vec::new();
    for (target, found) in observed {
        let kind = target.address.kind;
        let reference = kind.definition().reference;
        if let Some(id) = found.attributes.get(reference).and_then(Value::as_str).filter(|id| !id.is_empty()) {
            // A name may be that of an object of another kind as well.
            by_id.insert((id, (reference != "id").then_some(kind)), target);
        }
        if kind == Kind::InternetGateway {
            gateways.push(target);
        }
    }
    let public_routes: Vec<&Target> = observed
        .iter()
        .filter(|(target, found)| {
            target.address.kind == Kind::Route
                && found.attributes.get("gateway_id").and_then(Value::as_str).is_some_and(|id| id.starts_with("igw-"))
        })
        .map(|(target, _)| target)
        .collect();
    let mut associations: BTreeMap<&str, Vec<&Target>> = BTreeMap::new();
    for (target, found) in observed {
        if target.address.kind == Kind::RouteTableAssociation
            && let Some(subnet) = found.attributes.get("subnet_id").and_then(Value::as_str)
        {
            associations.entry(subnet).or_default().push(target);
        }
    }
    let mut edges = Vec::new();
    for (target, found) in observed {
        let mut add = |needed: &&'o Target| {
            if *needed != target {
                edges.push((target, *needed));
            }
        };
        let arguments = target.address.kind.attributes().iter().filter(|a| a.on_change != OnChange::Computed);
        for attribute in arguments {
            if let Some(value) = found.attributes.get(attribute.name) {
                let kind = (attribute.name == "db_subnet_group_name").then_some(Kind::DbSubnetGroup);
                visit_texts(value, &mut |text| {
                    if let Some(needed) = by_id.get(&(text, kind)) {
                        add(needed);
                    }
                });
            }
        }
        for tie in target.address.kind.definition().ties {
            match tie {
                Tie::InternetGateways => gateways.iter().for_each(&mut add),
                Tie::PublicRoutes => public_routes.iter().for_each(&mut add),
                Tie::AssociationsOfItsSubnet => {
                    let subnet = found.attributes.get("subnet_id").and_then(Value::as_str).unwrap_or_default();
                    associations.get(subnet).into_iter().flatten().for_each(&mut add);
                }
            }
        }
    }
    edges
}

fn visit_texts<'a>(value: &'a Value, visit: &mut impl FnMut(&'a str)) {
    match value {
        Value::Str(text) => visit(text),
        Value::List(items) => items.iter().for_each(|item| visit_texts(item, visit)),
        Value::Map(map) => map.values().for_each(|item| visit_texts(item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Ref(..) | Value::Secret(_) => {}
    }
}
