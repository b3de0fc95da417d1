//! What a directory's Terraform configuration says beside its backend: the defaults of its `variable` blocks, which count
//! as the lowest source of values, and what it declares that is no part of the stack, which is told.
//!
//! Whatever else is in such a file is Terraform's business. A file that cannot be read hinders nothing: it is told.

use std::ops::Range;

use hcl_edit::structure::{Block, BlockLabel, Structure};

use super::hcl::{self, Reader};
use super::json;
use super::literal::{Entry, Fault, Kind, Literal, SIZE_HINT};
use super::text::printable;
use crate::declarable::is_declarable_name;
use crate::kind::Kind as Type;

/// The longest file that is read, in bytes.
const SIZE_MAX: usize = 1 << 20;
/// The most names that a file may set: the parser compares each name of an object with all others.
const NAMES_MAX: usize = 20_000;
/// So many addresses of a file are told.
const TOLD_MAX: usize = 3;
/// So many settings of a provider are told.
const SETTINGS_TOLD: usize = 5;
/// The module that the network of the stack is in.
const VPC_MODULE: &str = "vpc";
/// The provider of the stack.
const PROVIDER: &str = "aws";
/// Settings of it that have the effect they have with Terraform, if they are written so.
const HONOURED: [(&str, &str); 2] = [("region", "var.aws_region"), ("profile", "var.aws_profile")];
/// Settings of it that make no difference here.
const MOOT: [&str; 4] = ["version", "max_retries", "retry_mode", "s3_use_path_style"];

/// True for the files of a directory that Terraform takes for its configuration.
pub fn is_configuration(name: &str) -> bool {
    (name.ends_with(".tf") || name.ends_with(".tf.json")) && !name.starts_with('.')
}

/// True for a file whose blocks are put over those of the others: `override.tf`, `x_override.tf`, the same in JSON.
pub(super) fn is_override(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.strip_suffix(".tf.json").or_else(|| name.strip_suffix(".tf"));
    stem.is_some_and(|stem| stem == "override" || stem.ends_with("_override"))
}

/// The files among `names` that are Terraform's configuration, in its order: by name, and then those that override.
pub fn in_order(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| is_configuration(name));
    names.sort_by_key(|name| (is_override(name), name.clone()));
    names
}

/// A `variable` block.
pub(super) struct Variable {
    /// Its name.
    pub(super) name: String,
    /// Where that stands.
    pub(super) name_span: Range<usize>,
    /// Its default, if it has one that is a plain value.
    pub(super) default: Option<Literal>,
    /// True if its value is not to be shown.
    pub(super) is_sensitive: bool,
    /// Why its default is no plain value.
    pub(super) faults: Vec<Fault>,
}

/// The `variable` blocks of a file, which begins at byte `base` of `text`.
pub(super) fn variables(path: &str, text: &str, base: usize) -> Result<Vec<Variable>, Fault> {
    // Most files have none.
    if !text.contains("variable") {
        return Ok(Vec::new());
    }
    check_size(text, base)?;
    if path.ends_with(".json") {
        let root = json::parse_configuration(text, base)?.entries;
        return Ok(named(entries_of(&root, "variable")).into_iter().map(of_json).collect());
    }
    let body = hcl::parse_body(text, base)?;
    Ok(body.iter().filter_map(Structure::as_block).filter_map(|block| of_block(block, base)).collect())
}

fn check_size(text: &str, base: usize) -> Result<(), Fault> {
    let names = text.bytes().filter(|byte| matches!(byte, b'=' | b':')).count();
    if text.len() <= SIZE_MAX && names <= NAMES_MAX {
        return Ok(());
    }
    let summary = format!("this has more than {SIZE_MAX} bytes or {NAMES_MAX} names, the most that is read");
    Err(Fault::new(base..base, summary).hint(SIZE_HINT))
}

fn label(label: &BlockLabel) -> &str {
    match label {
        BlockLabel::String(text) => text.as_str(),
        BlockLabel::Ident(text) => text.as_str(),
    }
}

fn of_block(block: &Block, base: usize) -> Option<Variable> {
    use hcl_edit::Span as _;
    let [name] = block.labels.as_slice() else { return None };
    if block.ident.as_str() != "variable" {
        return None;
    }
    let mut reader = Reader::new(base);
    let attribute = |name: &str| {
        let attributes = block.body.iter().filter_map(Structure::as_attribute);
        attributes.filter(|attribute| attribute.key.as_str() == name).last()
    };
    let default = attribute("default").map(|attribute| reader.literal(&attribute.value));
    // What is wrong with it is Terraform's business.
    let sensitive = attribute("sensitive").map(|attribute| Reader::new(base).literal(&attribute.value));
    Some(Variable {
        name: label(name).to_owned(),
        name_span: reader.span(name.span()),
        default: default.filter(|_| reader.faults.is_empty()),
        is_sensitive: sensitive.as_ref().is_some_and(is_true),
        faults: reader.faults,
    })
}

fn is_true(literal: &Literal) -> bool {
    match &literal.kind {
        Kind::Bool(value) => *value,
        Kind::Text(text) => text == "true",
        Kind::Null | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => false,
    }
}

/// The entries of the object, or of each of the objects, that is set under this name.
fn entries_of<'a>(entries: &'a [Entry], name: &str) -> Vec<&'a Entry> {
    let of = |literal: &'a Literal| match &literal.kind {
        Kind::Object(entries) => entries.iter().collect(),
        Kind::List(items) => items.iter().flat_map(objects).collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Invalid => Vec::new(),
    };
    entries.iter().filter(|entry| entry.name == name).flat_map(|entry| of(&entry.value)).collect()
}

fn objects(literal: &Literal) -> Vec<&Entry> {
    match &literal.kind {
        Kind::Object(entries) => entries.iter().collect(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::List(_) | Kind::Invalid => Vec::new(),
    }
}

/// Without what is a comment.
fn named(entries: Vec<&Entry>) -> Vec<&Entry> {
    entries.into_iter().filter(|entry| entry.name != "//").collect()
}

fn of_json(entry: &Entry) -> Variable {
    let block = std::slice::from_ref(entry);
    let attribute = |name: &str| {
        let attributes = entries_of(block, &entry.name);
        attributes.into_iter().rfind(|attribute| attribute.name == name).map(|attribute| attribute.value.clone())
    };
    Variable {
        name: entry.name.clone(),
        name_span: entry.name_span.clone(),
        default: attribute("default"),
        is_sensitive: attribute("sensitive").as_ref().is_some_and(is_true),
        faults: Vec::new(),
    }
}

/// A line for each file that says something which has no part in the stack: resources and modules beside it, settings of
/// the provider. `files` are contents by path.
pub fn beside(files: &[(String, String)]) -> Vec<String> {
    files.iter().filter_map(|(path, contents)| beside_in(path, contents)).collect()
}

/// What a file declares beside the stack.
#[derive(Default)]
struct Beside {
    resources: Vec<String>,
    modules: Vec<String>,
    settings: Vec<String>,
}

fn beside_in(path: &str, contents: &str) -> Option<String> {
    let text = contents.strip_prefix('\u{feff}').unwrap_or(contents);
    if !["resource", "module", "provider"].iter().any(|word| text.contains(word)) || check_size(text, 0).is_err() {
        return None;
    }
    let mut beside = Beside::default();
    if path.ends_with(".json") {
        beside.read_json(&json::parse_configuration(text, 0).ok()?.entries);
    } else {
        beside.read(hcl::parse_body(text, 0).ok()?.iter().filter_map(Structure::as_block));
    }
    beside.line().map(|line| format!("{}: {line}", printable(path)))
}

impl Beside {
    fn block(&mut self, labels: &[&str]) {
        match labels {
            ["resource", kind, name] if !is_of_stack(kind, name) => self.resources.push(format!("{kind}.{name}")),
            ["module", name] if *name != VPC_MODULE => self.modules.push(format!("module.{name}")),
            _ => {}
        }
    }

    fn read<'a>(&mut self, blocks: impl Iterator<Item = &'a Block>) {
        for block in blocks {
            let labels: Vec<&str> =
                std::iter::once(block.ident.as_str()).chain(block.labels.iter().map(label)).collect();
            self.block(&labels);
            if labels == ["provider", PROVIDER] {
                let of_structure = |structure: &Structure| match structure {
                    Structure::Attribute(attribute) => {
                        (attribute.key.as_str().to_owned(), Some(attribute.value.to_string().trim().to_owned()))
                    }
                    Structure::Block(inner) => (inner.ident.as_str().to_owned(), None),
                };
                self.provider(block.body.iter().map(of_structure).collect());
            }
        }
    }

    fn read_json(&mut self, root: &[Entry]) {
        for kind in named(entries_of(root, "resource")) {
            let names = named(entries_of(std::slice::from_ref(kind), &kind.name));
            names.iter().for_each(|name| self.block(&["resource", &kind.name, &name.name]));
        }
        named(entries_of(root, "module")).iter().for_each(|name| self.block(&["module", &name.name]));
        let blocks = entries_of(root, "provider").into_iter().filter(|entry| entry.name == PROVIDER);
        let blocks = blocks.flat_map(|entry| match &entry.value.kind {
            Kind::List(items) => items.iter().map(objects).collect(),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Object(_) | Kind::Invalid => {
                vec![objects(&entry.value)]
            }
        });
        for block in blocks {
            let of_entry = |entry: &&Entry| match &entry.value.kind {
                Kind::Text(text) => {
                    let inner = text.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
                    (entry.name.clone(), Some(inner.unwrap_or(text).to_owned()))
                }
                Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => {
                    (entry.name.clone(), None)
                }
            };
            self.provider(named(block).iter().map(of_entry).collect());
        }
    }

    /// The settings of the provider that the stack would have with Terraform, with their expressions. One with an alias is
    /// for resources beside it.
    fn provider(&mut self, settings: Vec<(String, Option<String>)>) {
        if settings.iter().any(|(name, _)| name == "alias") {
            return;
        }
        let has_effect = |name: &str, value: &Option<String>| {
            HONOURED.iter().any(|(known, variable)| *known == name && value.as_deref() == Some(variable))
                || MOOT.contains(&name)
                || name.starts_with("skip_")
        };
        let ignored = settings.into_iter().filter(|(name, value)| !has_effect(name, value)).map(|(name, _)| name);
        self.settings.extend(ignored);
        self.settings.dedup();
    }

    fn line(&self) -> Option<String> {
        let Self { resources, modules, settings } = self;
        let counted: Vec<String> =
            [counted("resource", resources), counted("module", modules)].into_iter().flatten().collect();
        let verb = if resources.len() + modules.len() == 1 { "is" } else { "are" };
        let left = (!counted.is_empty())
            .then(|| format!("{} {verb} not part of this stack, left alone", counted.join(" and ")));
        let told: Vec<String> = settings.iter().take(SETTINGS_TOLD).map(|name| short(name)).collect();
        let more = if settings.len() > SETTINGS_TOLD { ", …" } else { "" };
        let has = if settings.len() == 1 { "has" } else { "have" };
        let ignored = (!told.is_empty())
            .then(|| format!("{}{more} of provider \"{PROVIDER}\" {has} no effect on this stack", told.join(", ")));
        let said: Vec<String> = left.into_iter().chain(ignored).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

fn is_of_stack(kind: &str, name: &str) -> bool {
    Type::from_terraform_type(kind).is_some_and(|kind| is_declarable_name(false, kind, name))
}

/// `2 resources (aws_s3_bucket.a, aws_s3_bucket.b)`
fn counted(what: &str, addresses: &[String]) -> Option<String> {
    let plural = if addresses.len() == 1 { "" } else { "s" };
    let told: Vec<String> = addresses.iter().take(TOLD_MAX).map(|address| short(address)).collect();
    let more = if addresses.len() > TOLD_MAX { ", …" } else { "" };
    (!addresses.is_empty()).then(|| format!("{} {what}{plural} ({}{more})", addresses.len(), told.join(", ")))
}

fn short(address: &str) -> String {
    const LONGEST: usize = 80;
    let more = if address.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("{}{more}", printable(&address.chars().take(LONGEST).collect::<String>()))
}

#[cfg(test)]
mod tests;
