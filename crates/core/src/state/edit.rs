//! Moving and forgetting records, as Terraform's `state mv` and `state rm` do. Nothing in AWS changes.
//!
//! Works on the file's text, so that what is not of this stack can be moved into it and out of it as it stands, and what is
//! not moved stays as it is to the last digit.

use std::sync::Arc;

use serde_json::Value as Json;

use super::foreign::EntryKey;
use super::raw::{Raw, RawObject};
use super::{State, file};
use crate::address::Address;

/// Why records stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// No address Terraform could write.
    #[error("`{text}` is no address: {reason}")]
    Address {
        /// As given.
        text: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing is recorded there.
    #[error("`{0}` is not in the state")]
    NotThere(String),
    /// Something is recorded there already.
    #[error("`{to}` is in the state already, so `{from}` cannot move there")]
    Taken {
        /// What was to be moved.
        from: String,
        /// Where to.
        to: String,
    },
    /// A resource does not become another type by moving, nor a module a resource.
    #[error("`{from}` cannot move to `{to}`: {reason}")]
    Unlike {
        /// What was to be moved.
        from: String,
        /// Where to.
        to: String,
        /// Why not.
        reason: &'static str,
    },
    /// The state that would be, cannot be.
    #[error(transparent)]
    File(#[from] file::ReadError),
}

/// One recorded object with the entry of `resources` it is in.
#[derive(Clone)]
struct Record {
    /// The entry without its instances.
    entry: RawObject,
    instance: RawObject,
}

impl Record {
    fn key(&self) -> Json {
        self.instance.parse("index_key").unwrap_or_default()
    }

    fn resource(&self) -> Resource {
        let EntryKey { module, mode, kind, name } = EntryKey::of(&self.entry);
        Resource { module, data: mode == "data", kind, name }
    }

    fn set_resource(&mut self, resource: &Resource) {
        let Resource { module, data: _, kind, name } = resource;
        for (key, value) in [("type", kind), ("name", name), ("module", module)] {
            if value.is_empty() {
                self.entry.remove(key);
            } else if self.entry.text(key) != *value {
                self.entry.set(key, Raw::of(value));
            }
        }
    }

    fn set_key(&mut self, key: &Json) {
        if key.is_null() {
            self.instance.remove("index_key");
        } else {
            self.instance.set("index_key", Raw::of(key));
        }
    }

    fn address(&self) -> String {
        let deposed = match self.instance.parse::<String>("deposed") {
            Some(key) => format!(" (deposed object {key})"),
            None => String::new(),
        };
        let key = self.key();
        let key = if key.is_null() { String::new() } else { format!("[{key}]") };
        format!("{}{key}{deposed}", self.resource().text())
    }
}

/// A resource: all its objects.
#[derive(Clone, PartialEq, Eq)]
struct Resource {
    module: String,
    data: bool,
    kind: String,
    name: String,
}

impl Resource {
    /// As `dependencies` have it.
    fn text(&self) -> String {
        let dot = if self.module.is_empty() { "" } else { "." };
        let data = if self.data { "data." } else { "" };
        format!("{}{dot}{data}{}.{}", self.module, self.kind, self.name)
    }
}

/// What an address names.
#[derive(Clone, PartialEq, Eq)]
enum Place {
    Module(String),
    Resource(Resource),
    Object(Resource, Json),
}

impl Place {
    fn parse(text: &str) -> Result<Self, EditError> {
        let wrong = |reason| EditError::Address { text: text.to_owned(), reason };
        let mut parts = split(text).ok_or_else(|| wrong("a bracket or a quote is not closed"))?.into_iter().peekable();
        let mut module = Vec::new();
        while parts.next_if(|part| *part == "module").is_some() {
            let name = parts.next().filter(|name| !name.is_empty()).ok_or_else(|| wrong("a module has no name"))?;
            module.push(format!("module.{name}"));
        }
        let module = module.join(".");
        let data = parts.next_if(|part| *part == "data").is_some();
        let rest: Vec<&str> = parts.collect();
        match rest.as_slice() {
            [] if !module.is_empty() && !data => Ok(Self::Module(module)),
            [kind, name] if !kind.is_empty() => {
                let (name, key) = match name.split_once('[') {
                    None => (*name, None),
                    Some((name, key)) => {
                        let key = key.strip_suffix(']').ok_or_else(|| wrong("the key is not closed by `]`"))?;
                        let key: Json = serde_json::from_str(key).map_err(|_| wrong("a key is a number or a text"))?;
                        (name, Some(key).filter(|key| key.is_u64() || key.is_string()))
                    }
                };
                if name.is_empty() {
                    return Err(wrong("the name is missing"));
                }
                let resource = Resource { module, data, kind: (*kind).to_owned(), name: name.to_owned() };
                Ok(key.map_or_else(|| Self::Resource(resource.clone()), |key| Self::Object(resource.clone(), key)))
            }
            _ => Err(wrong("expected [module.NAME.]TYPE.NAME, with [KEY] for one object, or module.NAME")),
        }
    }

    fn holds(&self, record: &Record) -> bool {
        match self {
            Self::Module(module) => record
                .resource()
                .module
                .strip_prefix(module.as_str())
                .is_some_and(|r| r.is_empty() || r.starts_with('.')),
            Self::Resource(resource) => record.resource() == *resource,
            Self::Object(resource, key) => record.resource() == *resource && record.key() == *key,
        }
    }
}

/// The parts of an address between its dots; dots inside brackets are none.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut start, mut depth, mut quoted, mut escaped) = (Vec::new(), 0, 0_u32, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' if depth > 0 => quoted = !quoted,
            '[' if !quoted => depth += 1,
            ']' if !quoted => depth = depth.checked_sub(1)?,
            '.' if depth == 0 => {
                parts.push(text.get(start..at)?);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text.get(start..)?);
    (depth == 0 && !quoted).then_some(parts)
}

/// The records of a state, and the file around them.
fn records(state: &State) -> Result<(RawObject, Vec<Record>), EditError> {
    let whole: RawObject = serde_json::from_str(&file::write(state)).map_err(file::ReadError::from)?;
    let mut records = Vec::new();
    for mut entry in whole.parse::<Vec<RawObject>>("resources").unwrap_or_default() {
        let instances: Vec<RawObject> = entry.remove("instances").and_then(|raw| raw.parse()).unwrap_or_default();
        records.extend(instances.into_iter().map(|instance| Record { entry: entry.clone(), instance }));
    }
    Ok((whole, records))
}

/// The state with these records.
fn assemble(mut whole: RawObject, records: Vec<Record>) -> Result<State, EditError> {
    let mut entries: Vec<(Resource, RawObject, Vec<RawObject>)> = Vec::new();
    for record in records {
        let resource = record.resource();
        match entries.iter_mut().find(|(known, ..)| *known == resource) {
            Some((_, _, instances)) => instances.push(record.instance),
            None => entries.push((resource, record.entry, vec![record.instance])),
        }
    }
    let entries = entries.into_iter().map(|(_, mut entry, instances)| {
        entry.push("instances", Raw::of(&instances));
        entry
    });
    whole.set("resources", Raw::of(&entries.collect::<Vec<_>>()));
    Ok(file::read(Raw::of(&whole).text())?)
}

/// Moves what `from` names to `to`: an object, all objects of a resource, or everything in a module. The serial stays.
/// Returns the new state, and old and new address of every object moved.
///
/// # Errors
/// See [`EditError`].
pub fn mv(state: &State, from: &str, to: &str) -> Result<(State, Vec<(String, String)>), EditError> {
    let (source, destination) = (Place::parse(from)?, Place::parse(to)?);
    let unlike = |reason| EditError::Unlike { from: from.to_owned(), to: to.to_owned(), reason };
    let (whole, mut records) = records(state)?;
    let taken = || EditError::Taken { from: from.to_owned(), to: to.to_owned() };
    let mut moved = Vec::new();
    let mut renamed: Vec<(String, String)> = Vec::new();
    let chosen: Vec<usize> = (0..records.len()).filter(|at| source.holds(&records[*at])).collect();
    if chosen.is_empty() {
        return Err(EditError::NotThere(from.to_owned()));
    }
    if records.iter().enumerate().any(|(at, record)| destination.holds(record) && !chosen.contains(&at)) {
        // An object may join others of its resource.
        let joins = matches!((&source, &destination), (Place::Object(..), Place::Resource(_)));
        if !joins || records.iter().any(|record| destination.holds(record) && record.key().is_null()) {
            return Err(taken());
        }
    }
    for at in chosen {
        let record = &mut records[at];
        let (old, resource) = (record.address(), record.resource());
        match (&source, &destination) {
            (Place::Module(source), Place::Module(destination)) => {
                let rest = resource.module.strip_prefix(source.as_str()).unwrap_or_default();
                let module = format!("{destination}{rest}");
                record.set_resource(&Resource { module, ..resource.clone() });
            }
            (Place::Module(_), Place::Resource(_) | Place::Object(..))
            | (Place::Resource(_) | Place::Object(..), Place::Module(_)) => {
                return Err(unlike("a module moves to a module, a resource to a resource"));
            }
            (_, Place::Resource(other) | Place::Object(other, _))
                if (&other.kind, other.data) != (&resource.kind, resource.data) =>
            {
                return Err(unlike("they are of different types"));
            }
            (Place::Resource(_), Place::Resource(other)) => record.set_resource(other),
            (Place::Object(..), Place::Resource(other)) => {
                record.set_resource(other);
                record.set_key(&Json::Null);
            }
            (Place::Resource(_), Place::Object(other, key)) => {
                if !record.key().is_null() {
                    return Err(unlike("it stands for several objects; name one of them"));
                }
                record.set_resource(other);
                record.set_key(key);
            }
            (Place::Object(..), Place::Object(other, key)) => {
                record.set_resource(other);
                record.set_key(key);
            }
        }
        renamed.push((resource.text(), record.resource().text()));
        moved.push((old, record.address()));
    }
    for record in &mut records {
        rename_dependencies(record, &renamed);
    }
    let mut state = assemble(whole, records)?;
    for (old, new) in &moved {
        follow(&mut state, old, new);
    }
    Ok((state, moved))
}

fn rename_dependencies(record: &mut Record, renamed: &[(String, String)]) {
    let Some(mut dependencies) = record.instance.parse::<Vec<String>>("dependencies") else { return };
    let mut is_renamed = false;
    for dependency in &mut dependencies {
        if let Some((_, new)) = renamed.iter().find(|(old, _)| dependency == old) {
            dependency.clone_from(new);
            is_renamed = true;
        }
    }
    if is_renamed {
        dependencies.sort();
        record.instance.set("dependencies", Raw::of(&dependencies));
    }
}

/// What is known of an address beside its object goes with the object, and what moves into the stack is claimed: the user
/// said so. A generation stays behind as well: the next object made at the old address must not have the client token of
/// the one that was moved.
fn follow(state: &mut State, old: &str, new: &str) {
    let Ok(new) = new.parse::<Address>() else { return };
    if let Some(resource) = state.resources.get_mut(&new) {
        Arc::make_mut(resource).claimed = true;
    }
    let Ok(old) = old.parse::<Address>() else { return };
    let private = &mut state.private;
    if let Some(generation) = private.generations.get(&old).copied() {
        let last = private.generations.entry(new.clone()).or_default();
        *last = (*last).max(generation);
    }
    if let Some(intent) = private.intents.remove(&old) {
        private.intents.insert(new, intent);
    }
}

/// Claims what is recorded at these addresses for the stack, as a user's word that it is no longer somebody else's. The
/// serial stays. Returns the new state and the addresses claimed; those that were claimed already are not among them.
///
/// # Errors
/// See [`EditError`]; an address that the stack cannot declare, or where nothing is recorded.
pub fn claim(state: &State, addresses: &[String]) -> Result<(State, Vec<Address>), EditError> {
    let mut state = state.clone();
    let mut claimed = Vec::new();
    for text in addresses {
        let wrong = |reason| EditError::Address { text: text.clone(), reason };
        let address: Address = text.parse().map_err(|_| wrong("the stack has no such resource"))?;
        if !crate::declarable::is_declarable(&address) {
            return Err(wrong("no variables declare it, so it can only be moved into the stack with `aloka state mv`"));
        }
        let State { resources, deposed, .. } = &mut state;
        let at_address = deposed.iter_mut().filter(|(target, _)| target.address == address);
        let objects: Vec<_> =
            resources.get_mut(&address).into_iter().chain(at_address.map(|(_, resource)| resource)).collect();
        if objects.is_empty() {
            return Err(EditError::NotThere(text.clone()));
        }
        let mut is_new = false;
        for resource in objects.into_iter().filter(|resource| !resource.claimed) {
            Arc::make_mut(resource).claimed = true;
            is_new = true;
        }
        if is_new {
            claimed.push(address);
        }
    }
    Ok((state, claimed))
}

/// Forgets what the addresses name. The serial stays. Returns the new state and the address of every object forgotten.
///
/// # Errors
/// See [`EditError`]; an address that names nothing.
pub fn rm(state: &State, addresses: &[String]) -> Result<(State, Vec<String>), EditError> {
    let (whole, mut records) = records(state)?;
    let mut removed = Vec::new();
    for text in addresses {
        let place = Place::parse(text)?;
        let before = removed.len();
        records.retain(|record| {
            let goes = place.holds(record);
            if goes {
                removed.push(record.address());
            }
            !goes
        });
        if removed.len() == before {
            return Err(EditError::NotThere(text.clone()));
        }
    }
    let mut state = assemble(whole, records)?;
    // An intent without its object would be looked up, and the object found again.
    for address in removed.iter().filter_map(|address| address.parse::<Address>().ok()) {
        state.private.intents.remove(&address);
    }
    Ok((state, removed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let vpc = r#"{"module":"module.network","mode":"managed","type":"aws_vpc","name":"this","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{"index_key":0,"schema_version":1,"attributes":{"id":"vpc-1","odd":{"b":1,"a":2}},"sensitive_attributes":[]}]}"#;
        let server = |key: &str, id: &str| {
            format!(
                r#"{{{key}"schema_version":1,"attributes":{{"id":"{id}"}},"dependencies":["module.network.aws_vpc.this"]}}"#
            )
        };
        let app = format!(
            r#"{{"mode":"managed","type":"aws_instance","name":"web","provider":"provider[\"registry.terraform.io/hashicorp/aws\"]","instances":[{},{}]}}"#,
            server("\"index_key\":0,", "i-0"),
            server("\"index_key\":1,", "i-1")
        );
        let text = format!(r#"{{"version":4,"serial":7,"lineage":"l","resources":[{app},{vpc}]}}"#);
        file::read(&text).expect("a state")
    }

    fn addresses(state: &State) -> Vec<String> {
        let (_, records) = records(state).expect("records");
        records.iter().map(Record::address).collect()
    }

    #[test]
    fn a_module_moves_into_the_stack_with_everything_in_it() {
        let (moved, pairs) = mv(&state(), "module.network", "module.vpc").expect("moved");
        assert_eq!(pairs, [("module.network.aws_vpc.this[0]".to_owned(), "module.vpc.aws_vpc.this[0]".to_owned())]);
        assert_eq!(moved.foreign_instances().len(), 2, "servers of another name are not of this stack");
        let vpc = moved.resources.get(&"module.vpc.aws_vpc.this[0]".parse().expect("an address")).expect("recorded");
        assert_eq!(vpc.attributes.get("odd").map(ToString::to_string).as_deref(), Some("{a=2, b=1}"));
        assert!(vpc.claimed);
        let servers = moved.foreign.iter().map(|entry| entry.raw().text()).collect::<String>();
        assert_eq!(servers.matches(r#""dependencies":["module.vpc.aws_vpc.this"]"#).count(), 2, "{servers}");
        assert_eq!((moved.serial, &*moved.lineage), (7, "l"));
        let (back, _) = mv(&moved, "module.vpc", "module.network").expect("moved back");
        assert_eq!((addresses(&back), back.private.claims.len()), (addresses(&state()), 0));
    }

    #[test]
    fn resources_and_objects_move() {
        let (moved, pairs) = mv(&state(), "aws_instance.web", "aws_instance.app").expect("moved");
        assert_eq!(pairs.len(), 2);
        let (one, _) = mv(&moved, "aws_instance.app[1]", "aws_instance.spare").expect("moved");
        assert_eq!(addresses(&one), ["aws_instance.app[0]", "aws_instance.spare", "module.network.aws_vpc.this[0]"]);
        assert!(one.resources.values().all(|resource| resource.claimed), "what was moved into the stack is claimed");
        let (keyed, _) = mv(&one, "aws_instance.spare", "aws_instance.x[\"a.b\"]").expect("moved");
        assert!(addresses(&keyed).contains(&"aws_instance.x[\"a.b\"]".to_owned()));
        assert_eq!(keyed.foreign_instances().len(), 2, "a key that is a text is not of this stack");
        let (whole, _) = mv(&keyed, "aws_instance.x[\"a.b\"]", "aws_instance.app[7]").expect("moved");
        assert_eq!(addresses(&whole), ["aws_instance.app[0]", "aws_instance.app[7]", "module.network.aws_vpc.this[0]"]);
    }

    #[test]
    fn generations_and_intents_follow_and_generations_stay_too() {
        let mut state = state();
        let (old, new): (Address, Address) =
            ("aws_instance.web[0]".parse().expect("an address"), "aws_instance.app".parse().expect("an address"));
        state.private.generations.insert(old.clone(), 3);
        let (moved, _) = mv(&state, "aws_instance.web[0]", "aws_instance.app").expect("moved");
        assert_eq!(moved.private.generations.get(&new), Some(&3));
        assert_eq!(moved.private.generations.get(&old), Some(&3));
    }

    #[test]
    fn what_cannot_be_moved_stays() {
        let state = state();
        for (from, to, expected) in [
            ("aws_instance.none", "aws_instance.app", "is not in the state"),
            ("aws_instance.web[0]", "aws_instance.web[1]", "is in the state already"),
            ("aws_instance.web", "aws_vpc.web", "different types"),
            ("aws_instance.web", "module.vpc", "a module moves to a module"),
            ("aws_instance.web", "aws_instance.app[0]", "name one of them"),
            ("aws_instance", "aws_instance.app", "is no address"),
            ("aws_instance.web[", "aws_instance.app", "not closed"),
            ("module.", "module.vpc", "no name"),
        ] {
            let error = mv(&state, from, to).expect_err(from).to_string();
            assert!(error.contains(expected), "{from} {to}: {error}");
        }
    }

    #[test]
    fn records_are_forgotten() {
        let (left, removed) =
            rm(&state(), &["aws_instance.web[1]".to_owned(), "module.network".to_owned()]).expect("removed");
        assert_eq!(removed, ["aws_instance.web[1]", "module.network.aws_vpc.this[0]"]);
        assert_eq!(addresses(&left), ["aws_instance.web[0]"]);
        assert!(rm(&state(), &["aws_instance.web[2]".to_owned()]).is_err());
    }
}
