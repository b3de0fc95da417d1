//! The text of a source as it is shown in messages: lines, columns, and what must not be shown.

use std::borrow::Cow;
use std::ops::Range;

use super::definition::{self, definitions};
use super::diagnostic::Location;
use super::scan::heredoc_marker;
use super::source::Source;
use super::suggest::distance;
use crate::printable::is_harmful;

/// The longest part of a line that is shown, in characters.
const SNIPPET_WIDTH: usize = 160;
/// What stands where a sensitive value is.
const MASK: &str = "(sensitive)";

/// The text of a source.
pub(super) struct Text<'a> {
    /// What to call the source.
    pub(super) origin: String,
    /// True for a value of the command line.
    pub(super) is_command_line: bool,
    /// True for a file.
    pub(super) is_file: bool,
    /// The text; for a variable of the environment or the command line, `name=value`.
    pub(super) text: Cow<'a, str>,
    /// Where the contents begin in the text.
    pub(super) base: usize,
    /// Bytes at which lines begin.
    lines: Vec<usize>,
    /// What must not be shown.
    masks: Vec<Mask>,
}

/// Bytes whose lines must not be shown.
struct Mask {
    span: Range<usize>,
    /// The name whose value it is, if certain.
    name: Option<String>,
}

impl<'a> Text<'a> {
    pub(super) fn new(source: &'a Source) -> Self {
        let (origin, text, base) = match source {
            Source::Environment { name, value } => {
                (name.clone(), Cow::Owned(format!("{name}={value}")), name.len() + 1)
            }
            Source::CommandLine { name, value } => {
                (format!("-var {name}"), Cow::Owned(format!("{name}={value}")), name.len() + 1)
            }
            Source::File { path, contents } | Source::Configuration { path, contents } => {
                // A byte order mark is skipped, as Terraform does.
                let base = if contents.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
                (path.clone(), Cow::Borrowed(contents.as_str()), base)
            }
        };
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        let lines = std::iter::once(0).chain(breaks).collect();
        let is_command_line = matches!(source, Source::CommandLine { .. });
        let is_file = matches!(source, Source::File { .. });
        Self { origin: printable(&origin), is_command_line, is_file, text, base, lines, masks: Vec::new() }
    }

    /// Hides the lines of `span`, which hold the value of `name`.
    pub(super) fn mask(&mut self, span: Range<usize>, name: &str) {
        self.masks.push(Mask { span, name: Some(printable(name)) });
    }

    /// Hides what may be sensitive in a text that cannot be parsed: every line with a telling name, and all that
    /// follows until a line begins with the name of another variable.
    pub(super) fn mask_unparsed(&mut self) {
        let mut masks: Vec<Mask> = Vec::new();
        let mut heredoc: Option<String> = None;
        let mut hiding = false;
        for (index, &start) in self.lines.iter().enumerate() {
            let end = self.lines.get(index + 1).map_or(self.text.len(), |next| *next);
            let line = self.text.get(start..end).unwrap_or_default();
            let content = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            if let Some(marker) = &heredoc {
                if line.trim() == marker {
                    heredoc = None;
                }
            } else {
                let comment = content.starts_with('#') || content.starts_with("//");
                let first = words(content).next().unwrap_or_default();
                let telling = words(content).any(is_telling);
                if telling {
                    // A word that is no name of ours could be a part of the secret.
                    let name = definition::find(first).filter(|known| known.sensitive);
                    let name = name.map(|known| known.name.to_owned());
                    masks.push(Mask { span: start..end, name });
                    hiding = !comment;
                    // In a comment it opens nothing.
                    let marker = content.find("<<").and_then(|at| heredoc_marker(content.get(at..)?));
                    heredoc = marker.filter(|_| hiding).map(str::to_owned);
                    continue;
                }
                if definition::find(first).is_some() {
                    hiding = false;
                }
            }
            if let Some(mask) = masks.last_mut().filter(|_| hiding) {
                mask.span.end = end;
            }
        }
        self.masks = masks;
    }

    /// The place of `span`, as seen by a message about the variable `subject`.
    pub(super) fn locate(&self, span: &Range<usize>, subject: &str) -> Location {
        let start = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let end = self.text.floor_char_boundary(span.end.clamp(start, self.text.len()));
        let index = self.lines.partition_point(|line| *line <= start).saturating_sub(1);
        let line_start = self.lines.get(index).copied().unwrap_or_default();
        let line_end = self.lines.get(index + 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(line_start..line_end).unwrap_or_default().trim_end_matches(['\n', '\r']);
        let count = |from: usize, to: usize| self.text.get(from..to).unwrap_or_default().chars().count();
        let column = count(line_start, start);
        let origin = self.origin.clone();
        // A mask may reach over its line's end or begin after it; what counts is that a line is shown whole.
        let mask = self.masks.iter().find(|mask| mask.span.start < line_end && line_start < mask.span.end);
        if let Some(Mask { span: _, name }) = mask {
            let (snippet, caret) = match name {
                Some(name) => {
                    let from = name.chars().count() + " = ".len();
                    let caret = (name == subject).then_some((from, from + MASK.len()));
                    (format!("{name} = {MASK}"), caret)
                }
                None => (MASK.to_owned(), None),
            };
            return Location {
                origin,
                line: index + 1,
                column: column + 1,
                offset: start,
                end_offset: start,
                snippet,
                caret,
            };
        }
        let width = count(start, end.min(line_start + line.len()).max(start));
        let (snippet, from) = window(line, column);
        let to = (from + width.max(1)).min(snippet.chars().count()).max(from + 1);
        Location {
            origin,
            line: index + 1,
            column: column + 1,
            offset: start,
            end_offset: end,
            snippet,
            caret: Some((from, to)),
        }
    }
}

/// The part of a line to show for a column (from 0), and the column inside it.
fn window(line: &str, column: usize) -> (String, usize) {
    let length = line.chars().count();
    if length <= SNIPPET_WIDTH {
        return (printable(line), column);
    }
    let from = column.saturating_sub(SNIPPET_WIDTH / 2);
    let part: String = line.chars().skip(from).take(SNIPPET_WIDTH).collect();
    let before = if from > 0 { "…" } else { "" };
    let after = if from + SNIPPET_WIDTH < length { "…" } else { "" };
    (format!("{before}{}{after}", printable(&part)), column - from + before.chars().count())
}

/// The text with every character that would not show as one column replaced, one by one so that columns stay.
pub(super) fn printable(text: &str) -> String {
    let replace = |c: char| match c {
        '\t' => ' ',
        c if is_harmful(c) => '\u{fffd}',
        c => c,
    };
    text.chars().map(replace).collect()
}

/// A value in quotes, short and on one line, for a message.
pub(super) fn shown(value: &str) -> String {
    const LONGEST: usize = 80;
    let short: String = printable(value).chars().take(LONGEST).collect();
    let more = if value.chars().nth(LONGEST).is_some() { "…" } else { "" };
    format!("\"{short}{more}\"")
}

/// The words of a line that could be names.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).filter(|word| !word.is_empty())
}

/// True if a value of this name is likely a secret: a sensitive variable, a misspelling of one, or a telling word.
pub(super) fn is_telling(name: &str) -> bool {
    if let Some(definition) = definition::find(name) {
        return definition.sensitive;
    }
    let lower = name.to_lowercase();
    ["pass", "pwd", "secret", "token", "credential"].iter().any(|word| lower.contains(word))
        || definitions().iter().any(|known| known.sensitive && distance(&lower, known.name).is_some_and(|n| n <= 3))
}
