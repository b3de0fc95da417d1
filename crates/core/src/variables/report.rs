//! Collecting problems, in the order of the sources.

use std::fmt;
use std::ops::Range;

use super::diagnostic::{Diagnostic, Severity};
use super::literal::Fault;
use super::text::{Text, shown};

/// Problems beyond this number are counted, not told.
pub(super) const MAX_TOLD: usize = 100;

/// Where something was assigned.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Index of the source.
    pub(super) source: usize,
    /// Bytes of its text.
    pub(super) span: Range<usize>,
    /// Name of the variable.
    pub(super) name: String,
}

/// A value that knows where it was assigned; `None` means the default.
#[derive(Clone)]
pub(super) struct Spot<T> {
    pub(super) value: T,
    pub(super) at: Option<Place>,
}

impl<T> Spot<T> {
    pub(super) fn with<U>(&self, value: U) -> Spot<U> {
        Spot { value, at: self.at.clone() }
    }
}

/// A problem to report. `summary` and the rest must hold no sensitive value.
pub(super) struct Problem {
    severity: Severity,
    summary: String,
    detail: Option<&'static str>,
    hint: Option<String>,
    at: Option<Place>,
}

impl Problem {
    pub(super) fn error(at: Option<&Place>, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Error, summary: summary.into(), detail: None, hint: None, at: at.cloned() }
    }

    pub(super) fn warning(at: Option<&Place>, summary: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(at, summary) }
    }

    /// What is wrong with a value: `name is "value", wrong`.
    pub(super) fn of_value(name: &str, value: &str, wrong: impl fmt::Display) -> Self {
        Self::error(None, format!("{name} is {}, {wrong}", shown(value)))
    }

    pub(super) fn at(self, at: Option<Place>) -> Self {
        Self { at, ..self }
    }

    pub(super) fn detail(self, detail: &'static str) -> Self {
        Self { detail: Some(detail), ..self }
    }

    pub(super) fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

impl Fault {
    /// As a problem of the source with this index; `name` is that of the variable or setting it is in, if in one.
    pub(super) fn told(self, source: usize, name: &str) -> Problem {
        let Self { span, summary, hint } = self;
        let problem = Problem::error(Some(&Place { source, span, name: name.to_owned() }), summary);
        match hint {
            Some(hint) => problem.hint(hint),
            None => problem,
        }
    }
}

/// The problems found so far.
pub(super) struct Report<'a> {
    texts: Vec<Text<'a>>,
    problems: Vec<Problem>,
    untold: usize,
    failed: bool,
}

impl<'a> Report<'a> {
    /// True if the place is on the command line.
    pub(super) fn is_command_line(&self, place: &Place) -> bool {
        self.texts.get(place.source).is_some_and(|text| text.is_command_line)
    }

    /// `terraform.tfvars:8`, if the place is in a file.
    pub(super) fn file_line(&self, place: &Place) -> Option<String> {
        let text = self.texts.get(place.source).filter(|text| text.is_file)?;
        let location = text.locate(&place.span, &place.name);
        Some(format!("{}:{}", location.origin, location.line))
    }

    pub(super) const fn new(texts: Vec<Text<'a>>) -> Self {
        Self { texts, problems: Vec::new(), untold: 0, failed: false }
    }

    pub(super) fn push(&mut self, problem: Problem) {
        self.failed |= problem.severity == Severity::Error;
        if self.problems.len() < MAX_TOLD {
            self.problems.push(problem);
        } else {
            self.untold += 1;
        }
    }

    /// True if an error was found.
    pub(super) const fn failed(&self) -> bool {
        self.failed
    }

    /// Errors, then warnings, each in the order of the sources and at the end those without a place.
    pub(super) fn finish(self) -> Vec<Diagnostic> {
        let Self { texts, mut problems, untold, failed } = self;
        let key = |problem: &Problem| {
            let place = problem.at.as_ref().map(|at| (at.source, at.span.start));
            (problem.severity, place.is_none(), place)
        };
        problems.sort_by_key(key);
        let mut diagnostics: Vec<Diagnostic> = problems
            .into_iter()
            .map(|Problem { severity, summary, detail, hint, at }| {
                let location = at.and_then(|at| Some(texts.get(at.source)?.locate(&at.span, &at.name)));
                Diagnostic { severity, summary, detail: detail.map(str::to_owned), hint, location }
            })
            .collect();
        if untold > 0 {
            let severity = if failed { Severity::Error } else { Severity::Warning };
            let summary = format!("{untold} more problems are not shown");
            diagnostics.push(Diagnostic { severity, summary, detail: None, hint: None, location: None });
        }
        diagnostics
    }
}
