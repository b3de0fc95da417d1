//! From sources to one value per variable: parsing, unknown names, precedence.

use std::collections::{BTreeMap, BTreeSet};

use super::configuration::{self, Variable, is_override};
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
    /// Names that are set and that the configuration declares for itself.
    pub(super) unused: BTreeSet<String>,
    /// Problems so far.
    pub(super) report: Report<'a>,
    /// True if a source could not be parsed, so that its values are not known.
    pub(super) incomplete: bool,
}

/// Names without a suggestion that are told one by one; of the others, their number.
const UNDECLARED_TOLD: usize = 2;

/// Reads the sources.
pub(super) fn assign(sources: &[Source]) -> Assigned<'_> {
    let mut texts = Vec::new();
    let mut assigning = Assigning::default();
    for (index, source) in sources.iter().enumerate() {
        let mut text = Text::new(source);
        match source {
            Source::Configuration { path, contents: _ } => assigning.configuration(index, path, &mut text),
            Source::Environment { .. } | Source::File { .. } | Source::CommandLine { .. } => {
                assigning.values(index, source, &mut text);
            }
        }
        texts.push(text);
    }
    let Assigning { mut problems, mut values, mut origins, ignored, declared, unknown, incomplete } = assigning;
    let (known, unknown): (Vec<_>, Vec<_>) = unknown.into_iter().partition(|place| declared.contains_key(&place.name));
    let report = Report::new(texts);
    problems.extend(undeclared(unknown, &report));
    let mut report = report;
    problems.into_iter().for_each(|problem| report.push(problem));
    values.retain(|_, given: &mut Given| !matches!(given.literal.kind, Kind::Null));
    origins.retain(|name, _| values.contains_key(name.as_str()));
    let unused = known.into_iter().map(|place| place.name).collect();
    Assigned { values, origins, ignored, unused, report, incomplete }
}

/// What was read so far.
#[derive(Default)]
struct Assigning {
    problems: Vec<Problem>,
    values: BTreeMap<&'static str, Given>,
    origins: BTreeMap<String, String>,
    ignored: Vec<String>,
    /// Names that the configuration declares; true if a file that overrides none does.
    declared: BTreeMap<String, bool>,
    /// Where names are set that are no variables of ours.
    unknown: Vec<Place>,
    incomplete: bool,
}

impl Assigning {
    /// The defaults of a file of the configuration. Nothing in it stops a command, but what Terraform refuses as well.
    fn configuration(&mut self, index: usize, path: &str, text: &mut Text<'_>) {
        let read = configuration::variables(path, &text.text, text.base);
        let blocks = read.unwrap_or_else(|fault| {
            text.mask_unparsed();
            let span = fault.span.clone();
            let place = Place { source: index, span, name: String::new() };
            let problem =
                Problem::warning(Some(&place), format!("{}, so no default in this file counts", fault.summary));
            self.problems.push(problem.hint("terraform validate    tells whether Terraform can read it"));
            Vec::new()
        });
        for Variable { name, name_span, default, is_sensitive, faults } in blocks {
            let place = |span| Place { source: index, span, name: name.clone() };
            let is_first = !is_override(path);
            let was_declared = self.declared.insert(name.clone(), is_first) == Some(true);
            let Some(definition) = definition::find(&name) else { continue };
            if is_first && was_declared {
                let problem = Problem::error(Some(&place(name_span)), format!("variable {name} is declared twice"));
                self.problems.push(problem.hint("remove one of the two: Terraform refuses it as well"));
                continue;
            }
            let of_faults = faults.iter().map(|fault| &fault.span);
            let spans = default.iter().map(|default| &default.span).chain(of_faults).cloned();
            let spans: Vec<_> = spans.filter(|_| is_sensitive || is_telling(&name)).collect();
            spans.into_iter().for_each(|span| text.mask(span, &name));
            for fault in faults {
                let summary = format!("the default of {name} does not count: {}", fault.summary);
                let problem = Problem::warning(Some(&place(fault.span)), summary);
                self.problems.push(problem.hint(format!("write the value itself, or set {name} in terraform.tfvars")));
            }
            if let Some(literal) = default {
                let start = literal.span.start;
                self.set(definition, index, literal, || place_told(path, text, start));
            }
        }
    }

    /// The values of a source of values.
    fn values(&mut self, index: usize, source: &Source, text: &mut Text<'_>) {
        if let Source::Environment { name, value: _ } = source {
            match name.strip_prefix(ENVIRONMENT_PREFIX) {
                Some(short) if definition::find(short).is_some() => {}
                Some(_) => self.ignored.push(name.clone()),
                None => {}
            }
        }
        let Parsed { entries, faults } = match read(source, text) {
            Ok(parsed) => parsed,
            Err(fault) => {
                self.incomplete = true;
                text.mask_unparsed();
                self.problems.push(fault.told(index, ""));
                return;
            }
        };
        for entry in &entries {
            if is_telling(&entry.name) {
                text.mask(entry.name_span.start..entry.value.span.end, &entry.name);
            }
        }
        self.problems.extend(faults.into_iter().map(|fault| {
            // Entries are in the order of the text: the last that begins before the fault holds it.
            let before = entries.partition_point(|entry| entry.value.span.start <= fault.span.start);
            let holder = before.checked_sub(1).and_then(|last| entries.get(last));
            fault.told(index, holder.map_or("", |entry| entry.name.as_str()))
        }));
        for Entry { name, name_span, value } in entries {
            match definition::find(&name) {
                Some(definition) => {
                    let start = value.span.start;
                    self.set(definition, index, value, || origin(source, text, start));
                }
                None => self.unknown.push(Place { source: index, span: name_span, name }),
            }
        }
    }

    fn set(&mut self, definition: &Definition, index: usize, literal: Literal, origin: impl FnOnce() -> String) {
        self.origins.insert(definition.name.to_owned(), origin());
        self.values.insert(definition.name, Given { source: Some(index), literal });
    }
}

/// Problems with names that nobody declares: all that may be meant for another, and a few of the rest.
fn undeclared(places: Vec<Place>, report: &Report<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut rest = 0_usize;
    for place in places {
        let is_error = report.is_command_line(&place);
        // Looking for what may be meant takes time, so not for what is not told anyway.
        let known = definitions().iter().map(|definition| definition.name).filter(|_| problems.len() < MAX_TOLD);
        let near = nearest(&place.name, known);
        if near.is_none() && !is_error {
            rest += 1;
            if rest > UNDECLARED_TOLD {
                continue;
            }
        }
        let summary = format!("there is no variable called {}", shown(&place.name));
        let problem = match is_error {
            true => Problem::error(Some(&place), summary),
            false => Problem::warning(Some(&place), format!("{summary}: its value has no effect")),
        };
        problems.push(match near {
            Some(near) => problem.hint(format!("did you mean {near}?")),
            None if is_error => problem.hint("remove it; `aloka variables` lists the names"),
            None => {
                problem.hint("remove it, or declare it in a variable block if it belongs to a configuration of yours")
            }
        });
    }
    let untold = rest.saturating_sub(UNDECLARED_TOLD);
    if untold > 0 {
        let (values, have) = if untold == 1 { ("value", "has") } else { ("values", "have") };
        let summary = format!("{untold} more {values} of names that are no variables {have} no effect");
        problems.push(Problem::warning(None, summary));
    }
    problems
}

/// Where a value that begins at this byte was set, for people.
fn origin(source: &Source, text: &Text<'_>, start: usize) -> String {
    match source {
        Source::File { path, contents: _ } | Source::Configuration { path, contents: _ } => {
            place_told(path, text, start)
        }
        Source::Environment { name, value: _ } => name.clone(),
        Source::CommandLine { name, value: _ } => format!("-var {name}"),
    }
}

/// `terraform.tfvars:3`
fn place_told(path: &str, text: &Text<'_>, start: usize) -> String {
    let before = text.text.get(..start).unwrap_or_default();
    format!("{path}:{}", before.matches('\n').count() + 1)
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
        // Its blocks are no values: see [`Assigning::configuration`].
        Source::Configuration { .. } => Ok(Parsed::default()),
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
