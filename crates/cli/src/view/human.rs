//! Text for people: warnings, errors, the plan, the summary. Data goes to standard output, the rest to standard error.

use aloka_core::plan::{Mode, Plan};
use aloka_core::render::Text;
use aloka_core::variables::{Diagnostic, Severity};

use crate::cloud::{CloudKind, Whose};
use crate::error::CommandError;
use crate::io::Io;

const RED: &str = "\x1b[31m";
const YELLOW: &str = "\x1b[33m";
const RESET: &str = "\x1b[0m";

/// Prints a text with as much colour as the reader wants.
pub fn show(io: &mut Io, text: &Text) {
    let text = if io.stdout_color() { text.ansi() } else { text.plain() };
    io.out(&text);
}

/// `AWS account 123456789012 in us-east-1, profile prod`
pub fn place(whose: &Whose, plan: &Plan) -> String {
    let Whose { kind, profile } = whose;
    let cloud = match kind {
        CloudKind::Sim => "simulated AWS account",
        CloudKind::Aws => "AWS account",
    };
    let account = plan.account.as_deref().unwrap_or("unknown");
    let profile = profile.as_ref().map(|profile| format!(", profile {profile}")).unwrap_or_default();
    format!("{cloud} {account} in {}{profile}", plan.region)
}

/// The first word of a message, coloured if it may be.
fn colored(io: &Io, message: &str, word: &str, color: &str) -> String {
    match message.strip_prefix(word) {
        Some(rest) if io.stderr_color() => format!("{color}{word}{RESET}{rest}"),
        Some(_) | None => message.to_owned(),
    }
}

/// Prints an error with its hints.
pub fn error(io: &mut Io, error: &CommandError) {
    let text = error.to_string();
    let text =
        if error.is_warning { colored(io, &text, "warning:", YELLOW) } else { colored(io, &text, "error:", RED) };
    io.err_line(&text);
}

/// Prints a warning.
pub fn warning(io: &mut Io, text: &str) {
    let text = colored(io, &format!("warning: {text}"), "warning:", YELLOW);
    io.err_line(&text);
}

/// Prints what was noticed about the variables.
pub fn diagnostic(io: &mut Io, diagnostic: &Diagnostic, compact: bool) {
    if compact {
        warning(io, &diagnostic.summary);
        return;
    }
    let text = diagnostic.to_string();
    let text = match diagnostic.severity {
        Severity::Warning => colored(io, &text, "warning:", YELLOW),
        Severity::Error => colored(io, &text, "error:", RED),
    };
    io.err_line(&text);
}

/// `Apply complete! Resources: 1 added, 0 changed, 0 destroyed.`
pub fn summary(mode: Mode, counts: (usize, usize, usize)) -> String {
    let (added, changed, destroyed) = counts;
    match mode {
        Mode::Apply | Mode::RefreshOnly => {
            format!("Apply complete! Resources: {added} added, {changed} changed, {destroyed} destroyed.")
        }
        Mode::Destroy => format!("Destroy complete! Resources: {destroyed} destroyed."),
    }
}

/// `Apply incomplete. Resources: 1 added, 0 changed, 0 destroyed. This is recorded in the state file terraform.tfstate.`
pub fn incomplete(mode: Mode, counts: (usize, usize, usize), store: &str) -> String {
    let (added, changed, destroyed) = counts;
    let what = match mode {
        Mode::Apply | Mode::RefreshOnly => "Apply",
        Mode::Destroy => "Destroy",
    };
    format!(
        "{what} incomplete. Resources: {added} added, {changed} changed, {destroyed} destroyed. \
         This is recorded in the {store}."
    )
}
