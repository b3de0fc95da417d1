//! From sources to one value per variable: parsing, unknown names, precedence.

use std::collections::BTreeMap;

use super::definition::{self, Definition, definitions};
use super::literal::{Entry, Fault, Kind, Literal, Parsed, SIZE_HINT};
use super::report::{MAX_TOLD, Place, Problem, Report};
use super::source::Source;
use super::suggest::nearest;
use super::text::{Text, is_telling, shown};
use super::{hcl, json};

/// The longest source, in bytes.
pub(super) const MAX_SOURCE: usize = 1 << 20;
/// What a variable of the environment begins with.
pub(super) const ENVIRONMENT_PREFIX: &str = "TF_VAR_";

/// The value of a variable; without a source if it is the default.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) source: Option<usize>,
    pub(super) literal: Literal,
}

/// What the sources say.
pub(super) struct Assigned<'a> {
    /// Values by name. A variable that no source sets is absent.
    pub(super) values: BTreeMap<&'static str, Given>,
    /// Where each of these values was set: `terraform.tfvars:3`, `TF_VAR_tags`, `-var tags`.
    pub(super) origins: BTreeMap<String, String>,
    /// Variables of the environment that name no variable but look like one, for a hint.
    pub(super) ignored: Vec<String>,
    /// Problems so far.
    pub(super) report: Report<'a>,
    /// True if a source could not be parsed, so that its values are not known.
    pub(super) incomplete: bool,
}

/// Reads the sources.
pub(super) fn assign(sources: &[Source]) -> Assigned<'_> {
    let mut texts = Vec::new();
    let mut problems = Vec::new();
    let mut values = BTreeMap::new();
    let mut origins = BTreeMap::new();
    let mut ignored = Vec::new();
    let mut incomplete = false;
    for (index, source) in sources.iter().enumerate() {
        if let Source::Environment { name, value: _ } = source {
            match name.strip_prefix(ENVIRONMENT_PREFIX) {
                Some(short) if definition::find(short).is_some() => {}
                Some(_) => ignored.push(name.clone()),
                None => {}
            }
        }
        let mut text = Text::new(source);
        let place = |span: std::ops::Range<usize>, name: &str| Place { source: index, span, name: name.to_owned() };
        match read(source, &mut text) {
            Ok(Parsed { entries, faults }) => {
                for entry in &entries {
                    if is_telling(&entry.name) {
                        text.mask(entry.name_span.start..entry.value.span.end, &entry.name);
                    }
                }
                problems.extend(faults.into_iter().map(|fault| {
                    // Entries are in the order of the text: the last that begins before the fault holds it.
                    let before = entries.partition_point(|entry| entry.value.span.start <= fault.span.start);
                    let holder = before.checked_sub(1).and_then(|last| entries.get(last));
                    let name = holder.map_or("", |entry| entry.name.as_str());
                    problem(place(fault.span.clone(), name), fault)
                }));
                for Entry { name, name_span, value } in entries {
                    match definition::find(&name) {
                        Some(definition) => {
                            origins.insert(definition.name.to_owned(), origin(source, &text, &value));
                            values.insert(definition.name, Given { source: Some(index), literal: value });
                        }
                        None => {
                            // Looking for what may be meant takes time, so not for what is not told anyway.
                            let told = problems.len() < MAX_TOLD;
                            problems.push(unknown(place(name_span, &name), &name, told));
                        }
                    }
                }
            }
            Err(fault) => {
                incomplete = true;
                text.mask_unparsed();
                problems.push(problem(place(fault.span.clone(), ""), fault));
            }
        }
        texts.push(text);
    }
    let mut report = Report::new(texts);
    problems.into_iter().for_each(|problem| report.push(problem));
    values.retain(|_, given: &mut Given| !matches!(given.literal.kind, Kind::Null));
    origins.retain(|name, _| values.contains_key(name.as_str()));
    Assigned { values, origins, ignored, report, incomplete }
}

/// Where a value was set, for people.
fn origin(source: &Source, text: &Text<'_>, value: &Literal) -> String {
    match source {
        Source::File { path, contents: _ } => {
            let before = text.text.get(..value.span.start).unwrap_or_default();
            format!("{path}:{}", before.matches('\n').count() + 1)
        }
        Source::Environment { name, value: _ } => name.clone(),
        Source::CommandLine { name, value: _ } => format!("-var {name}"),
    }
}

fn problem(place: Place, fault: Fault) -> Problem {
    let Fault { span: _, summary, hint } = fault;
    let problem = Problem::error(Some(&place), summary);
    match hint {
        Some(hint) => problem.hint(hint),
        None => problem,
    }
}

fn unknown(place: Place, name: &str, suggest: bool) -> Problem {
    let problem = Problem::error(Some(&place), format!("there is no variable called {}", shown(name)));
    let known = definitions().iter().map(|definition| definition.name).filter(|_| suggest);
    match nearest(name, known) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint("remove it; `aloka variables` lists the names"),
    }
}

/// The values of one source, each with its place in `text`.
fn read(source: &Source, text: &mut Text<'_>) -> Result<Parsed, Fault> {
    let base = text.base;
    if text.text.len() > MAX_SOURCE {
        let summary = format!("this is longer than {MAX_SOURCE} bytes, the longest that is read");
        return Err(Fault::new(base..base, summary).hint(SIZE_HINT));
    }
    match source {
        Source::File { path, contents: _ } if path.ends_with(".json") => json::parse_file(&text.text, base),
        Source::File { .. } => hcl::parse_file(&text.text, base),
        Source::Environment { name, value: _ } => {
            let known = name.strip_prefix(ENVIRONMENT_PREFIX).and_then(definition::find);
            known.map_or_else(|| Ok(Parsed::default()), |definition| single(definition, text))
        }
        Source::CommandLine { name, value: _ } => match definition::find(name) {
            Some(definition) => single(definition, text),
            None => {
                let span = 0..name.len();
                let value = Literal { span: base..text.text.len(), kind: Kind::Invalid };
                Ok(Parsed { entries: vec![Entry { name: name.clone(), name_span: span, value }], faults: Vec::new() })
            }
        },
    }
}

/// The value of one variable: the text itself if its type is simple, else an expression.
fn single(definition: &Definition, text: &Text<'_>) -> Result<Parsed, Fault> {
    let base = text.base;
    let span = base..text.text.len();
    let (value, faults) = if matches!(definition.type_text, "string" | "number" | "bool") {
        let value = text.text.get(span.clone()).unwrap_or_default().to_owned();
        (Literal { span, kind: Kind::Text(value) }, Vec::new())
    } else {
        hcl::parse_expression(&text.text, base)?
    };
    let entry = Entry { name: definition.name.to_owned(), name_span: 0..base.saturating_sub(1), value };
    Ok(Parsed { entries: vec![entry], faults })
}
