//! One module for each command. Each says what happens in which order; what it looks like is decided in `view`.

pub mod apply;
pub mod approval;
pub mod ask_password;
pub mod certify;
pub mod claim;
pub mod clear_text;
pub mod completions;
pub mod flow;
pub mod force_unlock;
pub mod graph;
pub mod import;
pub mod init;
pub mod output;
pub mod password;
pub mod plan;
pub mod receipts;
pub mod saved;
pub mod show;
pub mod simulate;
pub mod state;
pub mod state_edit;
pub mod store;
pub mod validate;
pub mod variables;
pub mod version;
pub mod workspace;
