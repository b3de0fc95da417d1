//! `aloka version`

use serde_json::json;

use crate::args::VersionArgs;
use crate::error::CommandResult;
use crate::io::Io;

/// The Terraform release whose formats are written.
const TERRAFORM_VERSION: &str = "1.11.4";

/// Runs the command.
pub fn run(io: &mut Io, args: &VersionArgs) -> CommandResult {
    let version = env!("CARGO_PKG_VERSION");
    let clouds: &[&str] = if cfg!(feature = "aws") { &["aws", "sim"] } else { &["sim"] };
    if args.json {
        let platform = format!("{}_{}", std::env::consts::OS, std::env::consts::ARCH);
        let report = json!({
            "aloka_version": version,
            "clouds": clouds,
            "platform": platform,
            "provider_selections": {},
            "terraform_outdated": false,
            "terraform_version": TERRAFORM_VERSION,
        });
        io.out_json_pretty(&report);
    } else {
        io.out_line(&format!("aloka {version}"));
        io.out_line(&format!("clouds: {}; state and plan formats of Terraform {TERRAFORM_VERSION}", clouds.join(", ")));
    }
    Ok(0)
}
