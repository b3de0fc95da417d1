//! Values by their type, converted as Terraform converts them where that cannot surprise.

use std::collections::BTreeMap;
use std::ops::Range;

use super::assign::Given;
use super::definition::definitions;
use super::hcl;
use super::literal::{Entry, Kind, Literal};
use super::report::{Place, Problem, Report, Spot};
use crate::secret::Secret;

/// Reads one variable after the other and collects what is wrong with them. A method returns `None` if the variable
/// cannot be read; the problem is then reported.
pub(super) struct Reader<'a> {
    values: BTreeMap<&'static str, Given>,
    /// Where problems go.
    pub(super) report: Report<'a>,
}

/// A key and its value.
pub(super) type Pair = (Spot<String>, Spot<String>);

/// A map without the places of its keys and values. Of a key that is given twice, the last counts.
pub(super) fn plain(pairs: Spot<Vec<Pair>>) -> Spot<BTreeMap<String, String>> {
    let Spot { value, at } = pairs;
    Spot { value: value.into_iter().map(|(key, value)| (key.value, value.value)).collect(), at }
}

/// Which variable a literal belongs to, and where it was assigned.
#[derive(Clone, Copy)]
struct Owner {
    name: &'static str,
    source: Option<usize>,
}

impl Owner {
    fn place(self, span: &Range<usize>) -> Option<Place> {
        Some(Place { source: self.source?, span: span.clone(), name: self.name.to_owned() })
    }
}

/// Why a literal is not of the wanted type.
struct Mismatch<'l> {
    at: &'l Literal,
    wanted: &'static str,
    hint: Option<&'static str>,
}

/// The field of a variable, of whose type it is whether null is a value.
pub(super) trait Field<T>: Sized {
    /// The field for a value or null.
    fn of(value: Option<T>) -> Option<Self>;
}

impl<T> Field<T> for T {
    fn of(value: Option<T>) -> Option<Self> {
        value
    }
}

impl<T> Field<T> for Option<T> {
    fn of(value: Self) -> Option<Self> {
        Some(value)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(mut values: BTreeMap<&'static str, Given>, mut report: Report<'a>) -> Self {
        for definition in definitions() {
            let Some(default) = definition.default else { continue };
            if values.contains_key(definition.name) {
                continue;
            }
            match hcl::parse_expression(default, 0) {
                Ok((literal, faults)) if faults.is_empty() => {
                    values.insert(definition.name, Given { source: None, literal });
                }
                Ok(_) | Err(_) => {
                    let summary = format!("invariant violated: the default of {} cannot be read", definition.name);
                    report.push(Problem::error(None, summary));
                }
            }
        }
        Self { values, report }
    }

    /// What `read` makes of the variable.
    pub(super) fn by<T>(&mut self, name: &'static str, read: fn(&mut Self, &'static str) -> Option<T>) -> Option<T> {
        read(self, name)
    }

    /// A text. `check` says what it means as the value of the variable with this name, or what is wrong with it.
    pub(super) fn text<T, F: Field<T>>(
        &mut self,
        name: &'static str,
        check: fn(&str, &str) -> Result<T, Problem>,
    ) -> Option<Spot<F>> {
        self.read(name, text, |value| check(name, &value))
    }

    /// A text that is never shown.
    pub(super) fn secret(&mut self, name: &'static str) -> Option<Spot<Option<Secret>>> {
        self.read(name, text, |value| Ok(Secret::new(value)))
    }

    /// A truth value.
    pub(super) fn flag<F: Field<bool>>(&mut self, name: &'static str) -> Option<Spot<F>> {
        self.read(name, flag, Ok)
    }

    /// A whole number between bounds.
    pub(super) fn whole<F: Field<u32>>(
        &mut self,
        name: &'static str,
        (low, high): (u32, u32),
        unit: &str,
    ) -> Option<Spot<F>> {
        self.read(name, whole, |number| {
            u32::try_from(number).ok().filter(|value| (low..=high).contains(value)).ok_or_else(|| {
                let summary = format!("{name} is {number}, but must be {low} to {high}{unit}");
                Problem::error(None, summary).hint(format!("write a number from {low} to {high}"))
            })
        })
    }

    fn read<L, T, F: Field<T>>(
        &mut self,
        name: &'static str,
        convert: fn(&Literal) -> Result<L, Mismatch<'_>>,
        check: impl FnOnce(L) -> Result<T, Problem>,
    ) -> Option<Spot<F>> {
        let given = self.given(name).filter(|(_, literal)| !matches!(literal.kind, Kind::Null));
        // Only a variable without a default can be absent here.
        let Some((owner, literal)) = given else { return Some(Spot { value: F::of(None)?, at: None }) };
        match convert(&literal) {
            Ok(value) => {
                let Spot { value, at } = self.settle(owner.place(&literal.span), check(value))?;
                Some(Spot { value: F::of(Some(value))?, at })
            }
            Err(mismatch) => self.mismatch(owner, &mismatch, false),
        }
    }

    /// A value with its place, or `None`, and its problem is reported there.
    pub(super) fn settle<T>(&mut self, at: Option<Place>, checked: Result<T, Problem>) -> Option<Spot<T>> {
        match checked {
            Ok(value) => Some(Spot { value, at }),
            Err(problem) => {
                self.report.push(problem.at(at));
                None
            }
        }
    }

    /// A list of texts, each with its place, and the place of the list.
    pub(super) fn texts(&mut self, name: &'static str) -> Option<Spot<Vec<Spot<String>>>> {
        let (owner, literal) = self.given(name)?;
        self.texts_in(owner, &literal, false)
    }

    /// A list of texts, or null.
    pub(super) fn optional_texts(&mut self, name: &'static str) -> Option<Spot<Option<Vec<Spot<String>>>>> {
        match self.given(name) {
            Some((owner, literal)) if !matches!(literal.kind, Kind::Null) => {
                let Spot { value, at } = self.texts_in(owner, &literal, false)?;
                Some(Spot { value: Some(value), at })
            }
            Some(_) | None => Some(Spot { value: None, at: None }),
        }
    }

    /// Where a variable was assigned; `None` for the default.
    pub(super) fn place(&self, name: &'static str) -> Option<Place> {
        let Given { source, literal } = self.values.get(name)?;
        Owner { name, source: *source }.place(&literal.span)
    }

    /// Where an element of a list was assigned.
    pub(super) fn place_in(&self, name: &'static str, index: usize) -> Option<Place> {
        let Given { source, literal } = self.values.get(name)?;
        let Kind::List(items) = &literal.kind else { return None };
        Owner { name, source: *source }.place(&items.get(index)?.span)
    }

    /// A map of texts, each key and value with its place.
    pub(super) fn map(&mut self, name: &'static str) -> Option<Spot<Vec<Pair>>> {
        let (owner, literal) = self.given(name)?;
        let Kind::Object(entries) = &literal.kind else {
            return self.mismatch(owner, &Mismatch { at: &literal, wanted: "a map of texts", hint: None }, false);
        };
        let mut complete = true;
        let mut pairs = Vec::new();
        for Entry { name: key, name_span, value } in entries {
            let key = Spot { value: key.clone(), at: owner.place(name_span) };
            match text(value) {
                Ok(value_text) => pairs.push((key, Spot { value: value_text, at: owner.place(&value.span) })),
                Err(mismatch) => {
                    complete = false;
                    self.mismatch::<()>(owner, &mismatch, true);
                }
            }
        }
        complete.then(|| Spot { value: pairs, at: owner.place(&literal.span) })
    }

    /// A list of objects, each as its entries.
    pub(super) fn objects(&mut self, name: &'static str) -> Option<Spot<Vec<Object>>> {
        const WANTED: &str = "a list of objects";
        let (owner, literal) = self.given(name)?;
        let Kind::List(items) = &literal.kind else {
            let hint = Some("write [{ port = 80 }, { port = 443 }]");
            return self.mismatch(owner, &Mismatch { at: &literal, wanted: WANTED, hint }, false);
        };
        let mut complete = true;
        let mut objects = Vec::new();
        for item in items {
            if let Kind::Object(entries) = &item.kind {
                let fields = entries.iter().filter(|entry| !matches!(entry.value.kind, Kind::Null)).cloned().collect();
                objects.push(Object { owner, at: owner.place(&item.span), fields });
            } else {
                complete = false;
                self.mismatch::<()>(owner, &Mismatch { at: item, wanted: WANTED, hint: None }, true);
            }
        }
        complete.then(|| Spot { value: objects, at: owner.place(&literal.span) })
    }

    fn given(&self, name: &'static str) -> Option<(Owner, Literal)> {
        let Given { source, literal } = self.values.get(name)?;
        Some((Owner { name, source: *source }, literal.clone()))
    }

    fn texts_in(&mut self, owner: Owner, list: &Literal, part: bool) -> Option<Spot<Vec<Spot<String>>>> {
        let Kind::List(items) = &list.kind else {
            let hint = Some("write [\"...\", \"...\"], also for a single one");
            return self.mismatch(owner, &Mismatch { at: list, wanted: "a list of texts", hint }, part);
        };
        let mut complete = true;
        let mut texts = Vec::new();
        for item in items {
            match text(item) {
                Ok(value) => texts.push(Spot { value, at: owner.place(&item.span) }),
                Err(mismatch) => {
                    complete = false;
                    self.mismatch::<()>(owner, &mismatch, true);
                }
            }
        }
        complete.then(|| Spot { value: texts, at: owner.place(&list.span) })
    }

    /// Reports a mismatch, unless the value was already reported. The value itself is not told: it may be sensitive.
    fn mismatch<T>(&mut self, owner: Owner, mismatch: &Mismatch<'_>, part: bool) -> Option<T> {
        let Mismatch { at, wanted, hint } = mismatch;
        if matches!(at.kind, Kind::Invalid) {
            return None;
        }
        let part = if part { "a part of " } else { "" };
        let summary = format!("{part}{} must be {wanted}, but is {}", owner.name, at.kind.describe());
        let problem = Problem::error(owner.place(&at.span).as_ref(), summary);
        self.report.push(match hint {
            Some(hint) => problem.hint(*hint),
            None => problem,
        });
        None
    }
}

/// An object of a list, with its entries that are not null.
pub(super) struct Object {
    owner: Owner,
    /// The whole object.
    pub(super) at: Option<Place>,
    fields: Vec<Entry>,
}

impl Object {
    /// The names of the entries.
    pub(super) fn names(&self) -> impl Iterator<Item = Spot<&str>> {
        self.fields.iter().map(|entry| Spot { value: entry.name.as_str(), at: self.owner.place(&entry.name_span) })
    }

    fn field(&self, field: &str) -> Option<&Literal> {
        self.fields.iter().find(|entry| entry.name == field).map(|entry| &entry.value)
    }

    /// A text entry: `None` if it was reported, `Some(None)` if absent.
    pub(super) fn text(&self, reader: &mut Reader<'_>, field: &str) -> Option<Option<Spot<String>>> {
        self.convert(reader, field, text)
    }

    /// A whole number entry.
    pub(super) fn whole(&self, reader: &mut Reader<'_>, field: &str) -> Option<Option<Spot<i64>>> {
        self.convert(reader, field, whole)
    }

    /// An entry that is a list of texts.
    pub(super) fn texts(&self, reader: &mut Reader<'_>, field: &str) -> Option<Option<Spot<Vec<Spot<String>>>>> {
        match self.field(field) {
            Some(literal) => Some(Some(reader.texts_in(self.owner, literal, true)?)),
            None => Some(None),
        }
    }

    fn convert<T>(
        &self,
        reader: &mut Reader<'_>,
        field: &str,
        convert: fn(&Literal) -> Result<T, Mismatch<'_>>,
    ) -> Option<Option<Spot<T>>> {
        let Some(literal) = self.field(field) else { return Some(None) };
        match convert(literal) {
            Ok(value) => Some(Some(Spot { value, at: self.owner.place(&literal.span) })),
            Err(mismatch) => reader.mismatch(self.owner, &mismatch, true),
        }
    }
}

/// A text. A number is taken as written if that is how it would be printed: `15` and `15.4`, but not `15.10`.
fn text(literal: &Literal) -> Result<String, Mismatch<'_>> {
    let wrong = |hint| Err(Mismatch { at: literal, wanted: "a text", hint });
    match &literal.kind {
        Kind::Text(text) => Ok(text.clone()),
        Kind::Bool(value) => Ok(value.to_string()),
        Kind::Number(written) => {
            let canonical = written
                .parse::<i64>()
                .map(|number| number.to_string())
                .or_else(|_| written.parse::<f64>().map(|number| number.to_string()));
            if canonical.is_ok_and(|canonical| canonical == *written) {
                Ok(written.clone())
            } else {
                wrong(Some("put it in double quotes, so that no digit is lost"))
            }
        }
        Kind::Null | Kind::List(_) | Kind::Object(_) | Kind::Invalid => wrong(None),
    }
}

/// A truth value, or the text of one.
fn flag(literal: &Literal) -> Result<bool, Mismatch<'_>> {
    let wrong = || Err(Mismatch { at: literal, wanted: "true or false", hint: None });
    match &literal.kind {
        Kind::Bool(value) => Ok(*value),
        Kind::Text(text) => match text.as_str() {
            "true" | "1" => Ok(true),
            "false" | "0" => Ok(false),
            _ => wrong(),
        },
        Kind::Null | Kind::Number(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => wrong(),
    }
}

/// A whole number, or the text of one. What is too big for the type becomes its bound, as no rule allows it anyway.
fn whole(literal: &Literal) -> Result<i64, Mismatch<'_>> {
    let number = match &literal.kind {
        Kind::Number(written) | Kind::Text(written) => parse_whole(written),
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => None,
    };
    let hint = match &literal.kind {
        Kind::Number(_) => Some("write it without a fraction"),
        Kind::Null | Kind::Bool(_) | Kind::Text(_) | Kind::List(_) | Kind::Object(_) | Kind::Invalid => None,
    };
    number.ok_or(Mismatch { at: literal, wanted: "a whole number", hint })
}

fn parse_whole(written: &str) -> Option<i64> {
    let plain = written.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    if !plain {
        return None;
    }
    if let Ok(number) = written.parse::<i64>() {
        return Some(number);
    }
    // Beyond this a float skips whole numbers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let number = written.parse::<f64>().ok()?;
    if number.abs() >= EXACT {
        return Some(if number > 0.0 { i64::MAX } else { i64::MIN });
    }
    if number.fract() == 0.0 { format!("{number:.0}").parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers() {
        for (written, expected) in [
            ("3", Some(3)),
            ("-3", Some(-3)),
            ("3.0", Some(3)),
            ("1e3", Some(1000)),
            ("007", Some(7)),
            ("3.5", None),
            ("", None),
            ("inf", None),
            ("nan", None),
            ("0x10", None),
            (" 3", None),
            ("1e99", Some(i64::MAX)),
            ("-1e999", Some(i64::MIN)),
            ("-0.0", Some(0)),
        ] {
            assert_eq!(parse_whole(written), expected, "{written}");
        }
    }

    #[test]
    fn numbers_as_text() {
        for (written, taken) in [
            ("15", true),
            ("15.4", true),
            ("-2", true),
            ("15.10", false),
            ("1e3", false),
            ("007", false),
            ("15.0", false),
        ] {
            let literal = Literal { span: 0..1, kind: Kind::Number(written.to_owned()) };
            assert_eq!(text(&literal).is_ok(), taken, "{written}");
        }
    }
}
