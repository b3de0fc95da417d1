//! Text for people: warnings, errors, the plan, the summary. Data goes to standard output, the rest to standard error.

use aloka_core::address::Address;
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode, Plan};
use aloka_core::render::{Style, Text};
use aloka_core::variables::Diagnostic;
use aloka_core::workspace::DEFAULT;

use crate::cloud::{CloudKind, Whose};
use crate::config::from_diagnostic;
use crate::error::CommandError;
use crate::io::Io;

/// Prints a text with as much colour as the reader wants.
pub fn show(io: &mut Io, text: &Text) {
    io.out_text(text);
}

/// `AWS account 123456789012 in us-east-1, profile prod, workspace staging`
pub fn place(whose: &Whose, plan: &Plan, workspace: &str) -> String {
    let Whose { kind, profile } = whose;
    let cloud = match kind {
        CloudKind::Sim => "simulated AWS account",
        CloudKind::Aws => "AWS account",
    };
    let account = plan.account.as_deref().unwrap_or("unknown");
    let profile = profile.as_ref().map(|profile| format!(", profile {profile}")).unwrap_or_default();
    let workspace = Some(workspace).filter(|name| *name != DEFAULT);
    let workspace = workspace.map(|name| format!(", workspace {name}")).unwrap_or_default();
    format!("{cloud} {account} in {}{profile}{workspace}", plan.region)
}

/// Prints an error with its hints.
pub fn error(io: &mut Io, error: &CommandError) {
    io.err_text(&error.to_text());
}

/// Prints a warning.
pub fn warning(io: &mut Io, text: &str) {
    let mut warning = Text::new();
    warning.line([(Style::Warning, "warning:"), (Style::Plain, &format!(" {text}"))]);
    io.err_text(&warning);
}

/// Prints what was noticed about the variables.
pub fn diagnostic(io: &mut Io, diagnostic: &Diagnostic, compact: bool) {
    if compact {
        warning(io, &diagnostic.summary);
    } else {
        error(io, &from_diagnostic(diagnostic.clone()));
    }
}

/// Prints what is wrong with a command line, as clap words it.
pub fn usage(io: &mut Io, message: &str) {
    let mut text = Text::new();
    for line in Text::ours(message).lines() {
        let line: String = line.iter().map(|(_, text)| text.as_str()).collect();
        match line.strip_prefix("error:") {
            Some(rest) => text.line([(Style::Error, "error:"), (Style::Plain, rest)]),
            None => text.say(Style::Plain, line),
        }
    }
    io.err_text(&text);
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

/// What is said of recorded objects that were only forgotten, below the summary that does not count them: Terraform counts
/// the group as destroyed.
pub fn forgotten(plan: &Plan) -> Vec<String> {
    let gone =
        plan.changes.iter().filter(|change| change.action == Action::Forget).map(|change| &change.target.address);
    let tell = |address: &Address| match (plan.mode, address.kind) {
        (Mode::Destroy, Kind::DefaultSecurityGroup) => {
            format!("1 forgotten: {address}, the VPC's own default security group, which went with the VPC.")
        }
        _ => format!("1 forgotten: {address} is recorded no more, and was left as it is."),
    };
    gone.map(tell).collect()
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
