//! What a value in a source is made of, with the place of every part. Both file formats are read into this.

use std::ops::Range;

/// A literal value and the bytes of the source it stands in.
#[derive(Clone)]
pub(super) struct Literal {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
}

/// What a literal is.
#[derive(Clone)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    /// As it is written, without blanks.
    Number(String),
    Text(String),
    List(Vec<Literal>),
    Object(Vec<Entry>),
    /// Something that was already reported.
    Invalid,
}

impl Kind {
    /// What to call it in a message.
    pub(super) const fn describe(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
            Self::Invalid => "invalid",
        }
    }
}

/// A name and its value.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) name_span: Range<usize>,
    pub(super) value: Literal,
}

/// What is wrong with the text of a source. Never holds text of the source other than a declared name.
pub(super) struct Fault {
    pub(super) span: Range<usize>,
    pub(super) summary: String,
    pub(super) hint: Option<&'static str>,
}

impl Fault {
    pub(super) fn new(span: Range<usize>, summary: impl Into<String>) -> Self {
        Self { span, summary: summary.into(), hint: None }
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }
}

/// A source that was parsed: its values, and the faults inside them that did not hinder parsing.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) entries: Vec<Entry>,
    pub(super) faults: Vec<Fault>,
}

/// The deepest nesting of lists and objects; the deepest type of a variable needs three levels.
pub(super) const MAX_NESTING: usize = 16;

/// What to do about a deeper one.
pub(super) const NESTING_HINT: &str = "no variable needs more than three levels";

/// What to do about a text that is longer, or sets more names, than any set of variables.
pub(super) const SIZE_HINT: &str = "check that this is the file you mean";

/// The most names that a text may set, at any depth. The HCL parser compares each name of an object with all others.
pub(super) const MAX_NAMES: usize = 10_000;
