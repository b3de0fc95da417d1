//! Plans, calls, state, outputs and graphs as text and JSON.
//!
//! Everything here turns values into text and nothing else: it decides nothing, and what it shows is in the value it
//! was given. Colour is never the only carrier of meaning: a line reads the same without it. No secret is shown, and
//! no text from outside can reach the terminal as a control sequence.

pub mod calls;
pub mod graph;
mod json;
pub mod outputs;
pub mod plan_json;
pub mod plan_text;
#[cfg(test)]
pub(crate) mod samples;
pub mod state_json;
pub mod state_text;
#[cfg(test)]
mod tests;
pub mod timeline;
mod tree;
pub mod ui_json;

pub use self::calls::{calls_json, calls_text};
pub use self::graph::{graph_dot, graph_mermaid};
pub use self::outputs::{output_raw, outputs_json, outputs_text};
pub use self::plan_json::{Context, plan_json};
pub use self::plan_text::{Options, boot_text, plan_text};
pub use self::state_json::state_json;
pub use self::state_text::{state_list, state_show, state_text};
pub use self::timeline::{Span, timeline_text};
use crate::kind::Kind;
use crate::printable;

pub use crate::secret::SENSITIVE;
/// What stands for a value that AWS decides.
pub const ASSIGNED: &str = "(assigned by AWS)";
/// How Terraform names its AWS provider in JSON.
pub(crate) const PROVIDER_NAME: &str = "registry.terraform.io/hashicorp/aws";
/// The Terraform release whose formats are followed.
pub(crate) const TERRAFORM_VERSION: &str = "1.11.4";

/// The part a piece of text plays; decides its colour, if there is any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Ordinary text.
    Plain,
    /// A heading.
    Bold,
    /// What is created.
    Add,
    /// What is changed in place.
    Change,
    /// What is destroyed.
    Remove,
    /// What is replaced.
    Replace,
    /// A remark.
    Note,
    /// Something to look at.
    Warning,
    /// Something that went wrong, or will be lost.
    Error,
}

impl Style {
    /// The ANSI sequence that begins it; `None` for ordinary text.
    const fn sequence(self) -> Option<&'static str> {
        match self {
            Self::Plain => None,
            Self::Bold => Some("\x1b[1m"),
            Self::Add => Some("\x1b[32m"),
            Self::Change | Self::Warning => Some("\x1b[33m"),
            Self::Remove | Self::Error => Some("\x1b[31m"),
            Self::Replace => Some("\x1b[35m"),
            Self::Note => Some("\x1b[2m"),
        }
    }
}

/// Lines of styled text: everything that people are shown. What comes in is made printable ([`printable::line`]), so that
/// no text of anybody else ends a line, moves a cursor or hides; colour is added on the way out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    lines: Vec<Vec<(Style, String)>>,
}

impl Text {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// A text of several lines whose line breaks are ours.
    pub fn ours(text: &str) -> Self {
        let mut lines = Self::new();
        if !text.is_empty() {
            text.strip_suffix('\n').unwrap_or(text).split('\n').for_each(|line| lines.say(Style::Plain, line));
        }
        lines
    }

    /// Adds a line of these spans.
    pub fn line<S: AsRef<str>>(&mut self, spans: impl IntoIterator<Item = (Style, S)>) {
        let spans = spans.into_iter().filter(|(_, text)| !text.as_ref().is_empty());
        self.lines.push(spans.map(|(style, text)| (style, printable::line(text.as_ref()).into_owned())).collect());
    }

    /// Adds a line of one span.
    pub fn say(&mut self, style: Style, text: impl AsRef<str>) {
        self.line([(style, text)]);
    }

    /// Adds an empty line.
    pub fn blank(&mut self) {
        self.lines.push(Vec::new());
    }

    /// Adds the lines of another text.
    pub fn append(&mut self, other: Self) {
        self.lines.extend(other.lines);
    }

    /// The lines.
    pub fn lines(&self) -> &[Vec<(Style, String)>] {
        &self.lines
    }

    /// True if there is no line.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// The text without colour. Every line ends with a newline.
    pub fn plain(&self) -> String {
        let mut out = String::new();
        for line in &self.lines {
            for (_, text) in line {
                out.push_str(text);
            }
            out.push('\n');
        }
        out
    }

    /// The text with ANSI colours. Without the sequences it is [`Text::plain`].
    pub fn ansi(&self) -> String {
        const RESET: &str = "\x1b[0m";
        let mut out = String::new();
        for line in &self.lines {
            for (style, text) in line {
                match style.sequence() {
                    None => out.push_str(text),
                    Some(sequence) => out.extend([sequence, text, RESET]),
                }
            }
            out.push('\n');
        }
        out
    }
}

/// True if the attribute holds a secret, which Terraform may have written in clear into a state that aloka reads.
pub(crate) fn is_sensitive(kind: Kind, attribute: &str) -> bool {
    kind.is_secret(attribute)
}

/// A text in double quotes, escaped as in JSON.
fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// `1 attribute`, `2 attributes`
fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
