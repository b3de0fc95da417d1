//! Problems with the variables, with the place they were found at, rendered for people.

use std::fmt;

use serde::Serialize;

use crate::printable;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing can be done before it is mended.
    Error,
    /// The user should know.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
        })
    }
}

/// Where in a source. Lines and columns count from 1; columns count characters. Of a sensitive value only the begin
/// is told, so that its length stays unknown too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Path of the file, `TF_VAR_name`, or `-var name`.
    pub origin: String,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Byte offset of the begin; for a file, in its contents.
    pub offset: usize,
    /// Byte offset of the end.
    pub end_offset: usize,
    /// The line, or a part of it if it is long, fit for a terminal; masked if it holds a sensitive value.
    pub snippet: String,
    /// The characters of the snippet to point at, from 0, the end excluded; `None` if they are not in the snippet.
    pub caret: Option<(usize, usize)>,
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// How bad.
    pub severity: Severity,
    /// What is wrong, on one line.
    pub summary: String,
    /// More, if there is more.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where, if it is anywhere.
    pub location: Option<Location>,
}

impl Diagnostic {
    /// The lines that follow the summary: where it is, and what to do.
    pub fn details(&self) -> Vec<String> {
        let Self { severity: _, summary: _, detail, hint, location } = self;
        let mut lines = Vec::new();
        let mut margin = String::from(" ");
        if let Some(Location { origin, line, column, offset: _, end_offset: _, snippet, caret }) = location {
            margin = " ".repeat(line.to_string().len());
            lines.push(format!("{margin}--> {origin}:{line}:{column}"));
            lines.extend([format!("{margin} |"), format!("{line} | {snippet}")]);
            if let Some((from, to)) = caret {
                let carets = "^".repeat(to.saturating_sub(*from).max(1));
                lines.push(format!("{margin} | {}{carets}", " ".repeat(*from)));
            }
        }
        lines.extend(detail.iter().map(|detail| format!("{margin} = {detail}")));
        lines.extend(hint.iter().map(|hint| format!("{margin} = hint: {hint}")));
        lines
    }
}

/// Several lines, the last without a line break:
///
/// ```text
/// error: vpc_cidr is "10.0.0.0/33", which is not an IPv4 network
///  --> terraform.tfvars:3:12
///   |
/// 3 | vpc_cidr = "10.0.0.0/33"
///   |            ^^^^^^^^^^^^^
///   = hint: write an address and a prefix length, such as 10.0.0.0/16
/// ```
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, printable::line(&self.summary))?;
        self.details().iter().try_for_each(|line| write!(f, "\n{}", printable::line(line)))
    }
}
