//! `aloka receipts`

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `aloka receipts`
#[derive(Debug, Subcommand)]
pub enum ReceiptsCommand {
    /// Lay receipts beside the simulated AWS, and list what it would not have done
    ///
    /// Several receipts of one stack are given in the order of their runs, as a later one is about objects that an
    /// earlier one made. Exits with 0 if nothing is different, with 2 if something is.
    #[command(after_help = "Example:\n  aloka receipts check apply.jsonl destroy.jsonl")]
    Check(ReceiptFiles),
    /// Show how long things took, beside how long the simulated AWS takes
    #[command(after_help = "Example:\n  aloka receipts durations .aloka/receipts/*.jsonl")]
    Durations(ReceiptFiles),
}

/// Receipts, and how to tell.
#[derive(Debug, Args)]
pub struct ReceiptFiles {
    /// Receipts, in the order of their runs
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
