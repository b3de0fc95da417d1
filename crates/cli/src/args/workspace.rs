//! `aloka workspace`, as clap reads it.

use clap::{Args, Subcommand};

use super::LockArgs;

/// `aloka workspace`
#[derive(Debug, Subcommand)]
pub enum WorkspaceCommand {
    /// List the workspaces, and mark the one that is chosen
    #[command(after_help = "Example:\n  aloka workspace list")]
    List,
    /// Print the name of the workspace that is chosen
    #[command(after_help = "Example:\n  aloka workspace show")]
    Show,
    /// Choose a workspace: what is planned and applied from now on is its
    #[command(after_help = "Examples:\n  aloka workspace select prod\n  aloka workspace select -or-create staging")]
    Select(SelectArgs),
    /// Make a workspace, which has an empty state, and choose it
    #[command(after_help = "Example:\n  aloka workspace new staging")]
    New(NewArgs),
    /// Remove a workspace with its state
    #[command(after_help = "Example:\n  aloka workspace delete staging")]
    Delete(DeleteArgs),
}

/// `aloka workspace select`
#[derive(Debug, Args)]
pub struct SelectArgs {
    /// Make it if it is not there [default: false]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub or_create: Option<bool>,
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `aloka workspace new`
#[derive(Debug, Args)]
pub struct NewArgs {
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `aloka workspace delete`
#[derive(Debug, Args)]
pub struct DeleteArgs {
    /// Remove it even if its state records objects; they stay in AWS, and nothing records them any more
    #[arg(long)]
    pub force: bool,
    /// How the state is locked.
    #[command(flatten)]
    pub lock: LockArgs,
    /// Its name
    #[arg(value_name = "NAME")]
    pub name: String,
}
