//! What needs a word of the user before anything is sent: the plan, and the loss of data.

use aloka_core::plan::{Lost, Mode, Plan};
use aloka_core::render::Text;
use aloka_core::shell::flag;

use super::flow::Run;
use crate::error::CommandError;

/// Refuses a plan that destroys a database, or its backups, which the command line does not name (promise I8). Nothing else allows it:
/// neither `-auto-approve`, nor a saved plan, nor an answer.
pub fn check_data_loss(plan: &Plan, allowed: &[String]) -> Result<(), CommandError> {
    let loss = plan.data_loss();
    let open = loss.not_among(allowed);
    if open.is_empty() {
        return Ok(());
    }
    let whole = |name: &&String| loss.databases.get(*name) != Some(&Lost::Backups);
    let (databases, backups): (Vec<&String>, Vec<&String>) = open.iter().partition(whole);
    let listed = |names: &[&String]| names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" and ");
    let mut lost = Vec::new();
    if !databases.is_empty() {
        lost.push(format!("destroys the database {} with all its data", listed(&databases)));
    }
    if !backups.is_empty() {
        lost.push(format!("deletes all automated backups of the database {}", listed(&backups)));
    }
    let error = CommandError::user(format!("this plan {}; nothing was changed", lost.join(" and ")));
    if !loss.unnamed.is_empty() {
        return Err(
            error.hint("AWS did not tell its identifier, so nobody can agree to lose it: run `aloka plan` again")
        );
    }
    let flags: Vec<String> = open.iter().map(|id| flag("-allow-data-loss", id)).collect();
    let error = needless_data_loss(plan, allowed).into_iter().fold(error, CommandError::hint);
    Err(error.hint(format!("if that is what you want, add: {}", flags.join(" "))))
}

/// What is said of identifiers that the command line names for nothing: mistyped ones, most of all.
pub fn needless_data_loss(plan: &Plan, allowed: &[String]) -> Vec<String> {
    let loss = plan.data_loss();
    let needless = allowed.iter().filter(|id| !loss.databases.contains_key(*id));
    needless.map(|id| format!("{} names no database that this plan destroys", flag("-allow-data-loss", id))).collect()
}

/// Asks whether to go on. Only `yes` is a yes.
pub fn ask(run: &mut Run<'_>, mode: Mode, input: bool) -> Result<(), CommandError> {
    let hint = "add -auto-approve to go on without being asked, or save a plan with -out and apply that";
    if !input {
        return Err(CommandError::user("approval is needed, and -input=false forbids asking").hint(hint));
    }
    let (question, explanation) = match mode {
        Mode::Apply => {
            ("Do you want to perform these actions?", "aloka will send the calls of this plan and no others.")
        }
        Mode::Destroy => ("Do you really want to destroy all resources?", "There is no undo."),
        Mode::RefreshOnly => {
            ("Would you like to update the state to reflect these changes?", "Nothing is changed in AWS.")
        }
    };
    run.io.ask(&Text::ours(&format!(
        "\n{question}\n  {explanation}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
    )));
    let answer = run.answer();
    run.io.out_line("");
    match answer?.as_deref().map(str::trim) {
        Some("yes") => Ok(()),
        Some(_) => Err(CommandError::user(match mode {
            Mode::Apply | Mode::RefreshOnly => "Apply cancelled.",
            Mode::Destroy => "Destroy cancelled.",
        })),
        None => Err(CommandError::user("error asking for approval: end of input").hint(hint)),
    }
}
