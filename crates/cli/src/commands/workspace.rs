//! `aloka workspace`: several states of one directory, as Terraform keeps them and in its words.
//!
//! All workspaces of a directory are in one AWS account, the simulated one included: two that declare the same project and
//! environment collide there, as they do with Terraform.

use aloka_core::render::state_list;
use aloka_core::variables::backend::Backend as Configured;
use aloka_core::workspace::{DEFAULT, is_valid};

use super::store::{self, workspaces};
use crate::args::CloudArg;
use crate::args::workspace::{DeleteArgs, NewArgs, SelectArgs, WorkspaceCommand};
use crate::error::{CommandError, CommandResult, Errors};
use crate::io::Io;
use crate::workspace;

/// What the lock of a workspace that is removed is held for, in Terraform's word.
const OPERATION: &str = "state-mv";
/// So many objects of a state that is not empty are told.
const TOLD_MAX: usize = 10;

/// Runs the command.
pub fn run(io: &mut Io, cloud: Option<CloudArg>, command: WorkspaceCommand) -> CommandResult {
    match command {
        WorkspaceCommand::List => list(io, cloud),
        WorkspaceCommand::Show => workspace::current().map(|name| io.out_line(&name)).map_err(Errors::from),
        WorkspaceCommand::Select(args) => select(io, cloud, &args),
        WorkspaceCommand::New(args) => new(io, cloud, &args),
        WorkspaceCommand::Delete(args) => delete(io, cloud, &args),
    }
    .map(|()| 0)
}

fn list(io: &mut Io, cloud: Option<CloudArg>) -> Result<(), Errors> {
    let current = workspace::current()?;
    let configured = store::kept_by(io, cloud)?;
    for name in workspaces::list(&configured)? {
        let mark = if name == current { "*" } else { " " };
        io.out_line(&format!("{mark} {name}"));
    }
    io.out_line("");
    if workspace::of_environment()?.is_some() {
        io.out_line(&format!(
            "The active workspace is being overridden using the {} environment variable.",
            workspace::VARIABLE
        ));
    }
    Ok(())
}

fn select(io: &mut Io, cloud: Option<CloudArg>, args: &SelectArgs) -> Result<(), Errors> {
    let name = args.name.as_str();
    if workspace::of_environment()?.is_some() {
        let message = format!(
            "the selected workspace is currently overridden using the {} environment variable",
            workspace::VARIABLE
        );
        let hint = "to select a new workspace, either update this environment variable or unset it and run this again";
        return Err(CommandError::user(message).hint(hint).into());
    }
    check_name(name)?;
    let configured = store::kept_by(io, cloud)?;
    // What is noted may be what cannot be: then this is the way out.
    if workspace::current().is_ok_and(|current| current == name) {
        return Ok(());
    }
    if workspaces::list(&configured)?.iter().any(|known| known == name) {
        workspace::choose(name)?;
        io.out_line(&format!("Switched to workspace \"{name}\"."));
        return Ok(());
    }
    if args.or_create.unwrap_or(false) { create(io, &configured, name) } else { Err(missing(name).into()) }
}

fn new(io: &mut Io, cloud: Option<CloudArg>, args: &NewArgs) -> Result<(), Errors> {
    let name = args.name.as_str();
    check_name(name)?;
    if workspace::of_environment()?.is_some_and(|named| named != name) {
        let message = format!(
            "the workspace is currently overridden using the {} environment variable, and no other can be created",
            workspace::VARIABLE
        );
        let hint = "to create a new workspace, either unset it or update it to match that name, and run this again";
        return Err(CommandError::user(message).hint(hint).into());
    }
    let configured = store::kept_by(io, cloud)?;
    if workspaces::list(&configured)?.iter().any(|known| known == name) {
        let error = CommandError::user(format!("workspace \"{name}\" already exists"));
        return Err(error.hint(format!("aloka workspace select {name}    chooses it")).into());
    }
    create(io, &configured, name)
}

fn create(io: &mut Io, configured: &Configured, name: &str) -> Result<(), Errors> {
    workspaces::create(configured, name)?;
    workspace::choose(name)?;
    for line in [
        &format!("Created and switched to workspace \"{name}\"!"),
        "",
        "You're now on a new, empty workspace. Workspaces isolate their state, so if you run \"aloka plan\", aloka will not see \
         any existing state for this configuration.",
    ] {
        io.out_line(line);
    }
    Ok(())
}

fn delete(io: &mut Io, cloud: Option<CloudArg>, args: &DeleteArgs) -> Result<(), Errors> {
    let name = args.name.as_str();
    check_name(name)?;
    let configured = store::kept_by(io, cloud)?;
    if !workspaces::list(&configured)?.iter().any(|known| known == name) {
        return Err(missing(name).into());
    }
    if name == DEFAULT {
        let error = CommandError::user("cannot delete default state");
        return Err(error.hint("aloka destroy    destroys what it records").into());
    }
    if workspace::current()? == name {
        let error = CommandError::user(format!("workspace \"{name}\" is your active workspace, and cannot be deleted"));
        return Err(error.hint("aloka workspace select default    switches to another one; then try again").into());
    }
    workspaces::check_removal(&configured, name)?;
    let mut backend = store::in_workspace(&configured, name, workspaces::is_own_word(&configured, name)?)?;
    if let Some(timeout) = args.lock.wait() {
        store::lock(io, &mut *backend, OPERATION, timeout)?;
    }
    let state = store::read(&*backend)?.unwrap_or_default();
    let mut objects = state_list(&state);
    objects
        .extend(state.private.intents.keys().map(|address| format!("{address} (begun, and not known to be finished)")));
    if !objects.is_empty() && !args.force {
        return Err(not_empty(name, &objects).into());
    }
    workspaces::remove(&configured, name, backend)?;
    io.out_line(&format!("Deleted workspace \"{name}\"!"));
    if !objects.is_empty() {
        io.out_line(&format!("WARNING: \"{name}\" was non-empty."));
        io.out_line(
            "The resources managed by the deleted workspace may still exist, but are no longer manageable since the state has \
             been deleted.",
        );
    }
    Ok(())
}

fn not_empty(name: &str, objects: &[String]) -> CommandError {
    let mut error = CommandError::conflict(format!(
        "workspace \"{name}\" is not empty: deleting it would lose track of objects that nothing else records"
    ));
    for object in objects.iter().take(TOLD_MAX) {
        error = error.line(format!("  - {object}"));
    }
    if let Some(more) = objects.len().checked_sub(TOLD_MAX).filter(|more| *more > 0) {
        error = error.line(format!("  - and {more} more"));
    }
    error
        .hint(format!("aloka workspace select {name}, then aloka destroy    destroys them first"))
        .hint(format!("aloka workspace delete -force {name}    deletes it anyway; the objects stay in AWS"))
}

fn missing(name: &str) -> CommandError {
    CommandError::user(format!("workspace \"{name}\" doesn't exist"))
        .hint(format!("aloka workspace new {name}    creates it, as -or-create does with select"))
}

fn check_name(name: &str) -> Result<(), CommandError> {
    if is_valid(name) { Ok(()) } else { Err(workspace::not_allowed(name)) }
}
