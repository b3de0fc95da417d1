//! `attributes_flat`: attributes as texts under dotted names, as Terraform up to 0.11 kept them and 0.12 and later keep what no
//! provider has rewritten since (`internal/configs/hcl2shim/flatmap.go` in Terraform's source).
//!
//! A list is `name.#` and `name.0`, `name.1`, …; a set has hashes in place of the numbers; a map is `name.%` and `name.KEY`, where a
//! key may hold dots. What is null is not there. Of what type a text is, the provider's schema says, so the types of our kinds are
//! in their definitions; what is in no table is a text, or a list, set or map of texts, as its names say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Number;

use crate::intern::key;
use crate::kind::Kind;
use crate::resource::schema::Type::{self, Blocks, Bool, Map, Number as Num, Texts};
use crate::resource::schema::{GROUP_RULE, Types};
use crate::value::{Value, ValueMap};

/// What stands for a value that was not known when the state was written (`hcl2shim.UnknownVariableValue`).
const UNKNOWN: &str = "74D93920-ED26-11E3-AC10-0800200C9A66";
/// Blocks are not nested deeper than this in any provider's schema.
const DEPTH_MAX: usize = 16;

/// Why flat attributes cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FlatError {
    /// They are no object of texts.
    #[error("`attributes_flat` holds something else than texts")]
    NotTexts,
    /// A value is not of its type.
    #[error("`{name}` is `{text}`, not {wanted}")]
    Type {
        /// Its dotted name.
        name: String,
        /// What is recorded.
        text: String,
        /// What belongs there.
        wanted: &'static str,
    },
    /// A text under the name of a collection.
    #[error("`{0}` is a text and a collection at once")]
    Both(String),
    /// A value was not known yet when the state was written.
    #[error("`{0}` was not known when the state was written")]
    Unknown(String),
    /// A collection says to have more or fewer items than it has.
    #[error("`{name}` says to have {counted} items, and {found} are recorded")]
    Count {
        /// Its dotted name.
        name: String,
        /// As many as it says.
        counted: String,
        /// As many as there are.
        found: usize,
    },
    /// A dotted name that is part of no collection.
    #[error("`{0}` is part of nothing: neither a list, nor a set, nor a map")]
    Stray(String),
    /// Blocks within blocks within blocks.
    #[error("`{0}` is nested too deep")]
    Deep(String),
}

/// What is not a text in any resource of the provider that has an attribute of this name.
const COMMON: Types = &[("tags", Map), ("tags_all", Map)];

/// The attributes of a resource type that are not strings. A kind of the stack lists them in its definition.
fn types(resource_type: &str) -> Types {
    match Kind::from_terraform_type(resource_type) {
        Some(kind) => kind.definition().types,
        None if resource_type == "aws_security_group_rule" => GROUP_RULE,
        None => &[],
    }
}

/// Flat attributes by their dotted names.
pub type Flat = BTreeMap<String, String>;

/// The attributes of a resource of this Terraform type.
///
/// # Errors
/// See [`FlatError`]: nothing that is recorded is taken for missing.
pub fn read(resource_type: &str, flat: &Flat) -> Result<ValueMap, FlatError> {
    let texts: Entries<'_> = flat.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    object(&texts, "", types(resource_type), 0)
}

/// The same of what is somebody else's, as far as it can be read: texts at least.
pub fn read_known(resource_type: &str, flat: &Flat) -> ValueMap {
    read(resource_type, flat).unwrap_or_else(|_| {
        let texts = flat.iter().filter(|(name, text)| !name.contains('.') && *text != UNKNOWN);
        texts.map(|(name, text)| (key(name), Value::str(text))).collect()
    })
}

/// What is under one name, by the rest of the names.
type Entries<'a> = BTreeMap<&'a str, &'a str>;

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn object(texts: &Entries<'_>, path: &str, types: Types, depth: usize) -> Result<ValueMap, FlatError> {
    if depth > DEPTH_MAX {
        return Err(FlatError::Deep(path.to_owned()));
    }
    let mut values = Vec::new();
    for (name, inside) in groups(texts) {
        let path = joined(path, name);
        let find = |types: Types| types.iter().find(|(known, _)| *known == name).map(|(_, of)| *of);
        let of = find(types).or_else(|| find(COMMON)).unwrap_or(Type::Text);
        values.push((key(name), value(texts.get(name).copied(), &inside, &path, of, depth)?));
    }
    Ok(values.into_iter().collect())
}

/// The names before the first dot, each with what stands behind that dot.
fn groups<'a>(texts: &Entries<'a>) -> BTreeMap<&'a str, Entries<'a>> {
    let mut groups: BTreeMap<&str, Entries<'_>> = BTreeMap::new();
    for (name, text) in texts {
        match name.split_once('.') {
            None => {
                groups.entry(name).or_default();
            }
            Some((name, rest)) => {
                groups.entry(name).or_default().insert(rest, text);
            }
        }
    }
    groups
}

/// One value: `text` is what stands under the name itself, `inside` what stands behind it.
fn value(text: Option<&str>, inside: &Entries<'_>, path: &str, of: Type, depth: usize) -> Result<Value, FlatError> {
    match text {
        Some(UNKNOWN) => Err(FlatError::Unknown(path.to_owned())),
        Some(text) if inside.is_empty() => scalar(text, path, of),
        Some(_) => Err(FlatError::Both(path.to_owned())),
        None if inside.contains_key("%") => map(inside, path, of),
        None if inside.contains_key("#") => items(inside, path, of, depth),
        None => {
            let stray = inside.keys().next().map_or_else(|| path.to_owned(), |name| joined(path, name));
            Err(FlatError::Stray(stray))
        }
    }
}

fn wrong(name: &str, text: &str, wanted: &'static str) -> FlatError {
    FlatError::Type { name: name.to_owned(), text: text.to_owned(), wanted }
}

/// As Terraform converts texts (cty's `convert`).
fn scalar(text: &str, path: &str, of: Type) -> Result<Value, FlatError> {
    match of {
        Type::Text => Ok(Value::str(text)),
        Bool => match text {
            "true" | "1" => Ok(true.into()),
            "false" | "0" => Ok(false.into()),
            _ => Err(wrong(path, text, "true or false")),
        },
        Num => {
            let number = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<Number>());
            number.map(Value::Number).map_err(|_| wrong(path, text, "a number"))
        }
        Blocks(_) => Err(wrong(path, text, "a list of blocks")),
        Texts => Err(wrong(path, text, "a list")),
        Map => Err(wrong(path, text, "a map")),
    }
}

fn count(inside: &Entries<'_>, mark: &str, path: &str, found: usize) -> Result<(), FlatError> {
    let counted = inside.get(mark).copied().unwrap_or_default();
    if counted == UNKNOWN {
        return Err(FlatError::Unknown(path.to_owned()));
    }
    if counted.parse() == Ok(found) {
        return Ok(());
    }
    Err(FlatError::Count { name: path.to_owned(), counted: counted.to_owned(), found })
}

fn map(inside: &Entries<'_>, path: &str, of: Type) -> Result<Value, FlatError> {
    match of {
        Type::Text | Map => {}
        Bool | Num | Blocks(_) | Texts => return Err(wrong(path, "a map", wanted(of))),
    }
    let entries: Vec<_> = inside.iter().filter(|(name, _)| **name != "%").collect();
    count(inside, "%", path, entries.len())?;
    let entries = entries.into_iter().map(|(name, text)| {
        let path = joined(path, name);
        if *text == UNKNOWN { Err(FlatError::Unknown(path)) } else { Ok((key(name), Value::str(text))) }
    });
    Ok(Value::Map(entries.collect::<Result<_, _>>()?))
}

fn wanted(of: Type) -> &'static str {
    match of {
        Type::Text => "a text",
        Bool => "true or false",
        Num => "a number",
        Blocks(_) => "a list of blocks",
        Texts => "a list",
        Map => "a map",
    }
}

/// The items of a list in their order, or of a set in the order of their names.
fn items(inside: &Entries<'_>, path: &str, of: Type, depth: usize) -> Result<Value, FlatError> {
    let fields: Option<Types> = match of {
        Type::Text => Some(&[]),
        Blocks(fields) => Some(fields),
        Texts => None,
        Bool | Num | Map => return Err(wrong(path, "a list", wanted(of))),
    };
    let rest: Entries<'_> =
        inside.iter().filter(|(name, _)| **name != "#").map(|(name, text)| (*name, *text)).collect();
    let mut found: Vec<(&str, Entries<'_>)> = groups(&rest).into_iter().collect();
    // A list is numbered; hashes of sets are numbers as well, and of them any order will do.
    found.sort_by_key(|(name, _)| (name.parse::<u64>().is_err(), name.parse::<u64>().unwrap_or_default(), *name));
    let names: BTreeSet<&str> = found.iter().map(|(name, _)| *name).collect();
    count(inside, "#", path, names.len())?;
    let items = found.into_iter().map(|(name, inside)| {
        let path = joined(path, name);
        match (rest.get(name), fields) {
            (Some(text), _) => value(Some(text), &inside, &path, Type::Text, depth),
            (None, Some(fields)) if !inside.contains_key("#") && !inside.contains_key("%") => {
                object(&inside, &path, fields, depth + 1).map(Value::Map)
            }
            (None, _) => Err(FlatError::Stray(path)),
        }
    });
    Ok(Value::List(items.collect::<Result<_, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(entries: &[(&str, &str)]) -> Flat {
        entries.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    }

    fn json(resource_type: &str, entries: &[(&str, &str)]) -> serde_json::Value {
        let read = read(resource_type, &flat(entries)).unwrap_or_else(|error| panic!("{error}: {entries:?}"));
        serde_json::to_value(Value::Map(read)).expect("JSON")
    }

    #[test]
    fn forms_of_the_flat_map() {
        let group = json(
            "aws_security_group",
            &[
                ("id", "sg-1"),
                ("ingress.#", "2"),
                ("ingress.2214680975.cidr_blocks.#", "1"),
                ("ingress.2214680975.cidr_blocks.0", "0.0.0.0/0"),
                ("ingress.2214680975.from_port", "80"),
                ("ingress.2214680975.protocol", "tcp"),
                ("ingress.2214680975.self", "false"),
                ("ingress.2214680975.security_groups.#", "0"),
                ("ingress.2214680975.to_port", "80"),
                ("ingress.987.from_port", "0"),
                ("ingress.987.security_groups.#", "1"),
                ("ingress.987.security_groups.1541", "sg-2"),
                ("ingress.987.self", "true"),
                ("egress.#", "0"),
                ("revoke_rules_on_delete", "false"),
                ("tags.%", "2"),
                ("tags.Name", "x"),
                ("tags.kubernetes.io/role.a", "y"),
            ],
        );
        let expected = serde_json::json!({
            "id": "sg-1", "egress": [], "revoke_rules_on_delete": false,
            "tags": { "Name": "x", "kubernetes.io/role.a": "y" },
            "ingress": [
                { "from_port": 0, "security_groups": ["sg-2"], "self": true },
                { "cidr_blocks": ["0.0.0.0/0"], "from_port": 80, "protocol": "tcp", "self": false, "security_groups": [],
                  "to_port": 80 },
            ],
        });
        assert_eq!(group, expected);
        let eleven: Vec<(String, String)> = (0..11).map(|n| (format!("zones.{n}"), format!("z{n}"))).collect();
        let mut eleven: Vec<(&str, &str)> = eleven.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        eleven.push(("zones.#", "11"));
        assert_eq!(json("other", &eleven)["zones"][10], "z10", "a list is in the order of its numbers");
        // In no table: as the names say.
        let other = json("aws_thing", &[("on", "true"), ("b.#", "1"), ("b.0.c.%", "1"), ("b.0.c.x.y", "1")]);
        assert_eq!(other, serde_json::json!({ "on": "true", "b": [{ "c": { "x.y": "1" } }] }));
        assert_eq!(json("aws_db_instance", &[("port", "05432"), ("iops", "1")])["port"], 5432);
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_name() {
        for (entries, expected) in [
            (&[("port", "many")][..], "`port` is `many`, not a number"),
            (&[("port", "")], "`port` is ``, not a number"),
            (&[("multi_az", "yes")], "`multi_az` is `yes`, not true or false"),
            (&[("port.#", "0")], "`port` is `a list`, not a number"),
            (&[("vpc_security_group_ids", "sg-1")], "not a list"),
            (&[("tags", "x")], "`tags` is `x`, not a map"),
            (&[("tags.#", "0")], "not a map"),
            (&[("vpc_security_group_ids.%", "0")], "not a list"),
            (&[("vpc_security_group_ids.#", "2"), ("vpc_security_group_ids.1", "sg-1")], "2 items, and 1 are recorded"),
            (&[("vpc_security_group_ids.#", "x"), ("vpc_security_group_ids.1", "sg-1")], "says to have x items"),
            (&[("vpc_security_group_ids.#", "1"), ("vpc_security_group_ids.1.x", "sg-1")], "is part of nothing"),
            (&[("tags.%", "2"), ("tags.a", "b")], "`tags` says to have 2 items, and 1 are recorded"),
            (&[("tags.a", "b")], "`tags.a` is part of nothing"),
            (&[("id", UNKNOWN)], "`id` was not known"),
            (&[("tags.%", UNKNOWN)], "`tags` was not known"),
            (&[("x", "1"), ("x.y", "2")], "a collection at once"),
        ] {
            let error = read("aws_db_instance", &flat(entries)).expect_err(expected).to_string();
            assert!(error.contains(expected), "{entries:?}: {error}");
        }
        let deep: Flat = (0..40).map(|depth| (format!("{}a.#", "a.0.".repeat(depth)), "1".to_owned())).collect();
        assert!(matches!(read("x", &deep), Err(FlatError::Deep(_))));
        let known = read_known("aws_db_instance", &flat(&[("id", "x"), ("port", "many"), ("a.b", "c")]));
        assert_eq!(known.len(), 2, "{known:?}");
    }

    /// Every attribute that is compared has its type here: what the stack declares is what a flat state gives back.
    #[test]
    fn tables_name_what_the_provider_has() {
        for kind in Kind::ALL {
            let types = types(kind.terraform_type());
            let known = |name: &str| types.iter().chain(COMMON).any(|(known, _)| *known == name);
            for (name, _) in kind.definition().provider_settings {
                assert!(known(name), "{kind} {name}: a truth value");
            }
            let mut names: Vec<&str> = types.iter().map(|(name, _)| *name).collect();
            names.dedup();
            assert_eq!(names.len(), types.len(), "{kind}");
            assert!(names.is_sorted(), "{kind}");
        }
    }
}
