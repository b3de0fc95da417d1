//! The typed variables of the stack, read from Terraform-style sources with Terraform's precedence.
//!
//! Everything that can be wrong with a variable is found here, before any call, and all of it is reported together.
//! Nothing here reads a file or the environment: contents are handed in. No message and no shown source line ever
//! holds a sensitive value.

mod assign;
pub mod backend;
pub mod configuration;
mod definition;
mod diagnostic;
mod hcl;
mod json;
mod literal;
mod read;
pub mod regions;
mod report;
mod scan;
mod source;
pub mod suggest;
#[cfg(test)]
mod tests;
mod text;
mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::secret::{DB_PASSWORD, Secrets};

use assign::{Assigned, assign};
use read::Reader;
use report::Problem;

pub use definition::{Definition, definitions};
pub use diagnostic::{Diagnostic, Location, Severity};
pub use source::{Source, auto_loaded};

/// The variables of the stack, complete and valid. The database password is not among them: see [`Evaluated`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variables {
    /// Region of everything, such as `us-east-1`.
    pub aws_region: String,
    /// Named profile of the AWS configuration files; `None` uses the default chain.
    pub aws_profile: Option<String>,
    /// Name of the environment, part of the database identifier.
    pub environment: String,
    /// Name of the project, the first part of every name.
    pub project_name: String,
    /// Addresses of the network, /16 to /28, without host bits.
    pub vpc_cidr: Ipv4Net,
    /// Public subnets, spread over the zones in order.
    pub public_subnet_cidrs: Vec<Ipv4Net>,
    /// Private subnets, spread over the zones in order.
    pub private_subnet_cidrs: Vec<Ipv4Net>,
    /// Zones to use; empty means chosen once and recorded.
    pub availability_zones: Vec<String>,
    /// True if private subnets reach the internet.
    pub enable_nat_gateway: bool,
    /// True for one NAT gateway, false for one per zone.
    pub single_nat_gateway: bool,
    /// True if the security group that comes with the VPC is emptied, so that nothing is reachable through it.
    pub manage_default_security_group: bool,
    /// Instance type, such as `t3.small`.
    pub app_instance_type: String,
    /// Number of instances; 0 is allowed.
    pub app_instance_count: u32,
    /// Operating system of the instances when `app_ami_id` is `None`.
    pub app_ami_family: AmiFamily,
    /// A fixed image.
    pub app_ami_id: Option<String>,
    /// Who may reach the instances, on which ports.
    pub app_ingress: Vec<IngressRule>,
    /// Path of a file with user data; `None` uses the built-in script.
    pub app_user_data: Option<String>,
    /// Release of Docker Compose that the built-in script installs; `None` for the one built in.
    pub app_docker_compose_version: Option<String>,
    /// SHA-256 of that release by architecture, `x86_64` and `aarch64`; empty for the one built in.
    pub app_docker_compose_sha256: BTreeMap<String, String>,
    /// Hops that an answer of the metadata service lives, on new servers.
    pub app_metadata_hop_limit: u32,
    /// Size of the root volume in GiB; `None` takes the image's.
    pub app_root_volume_gib: Option<u32>,
    /// PostgreSQL version `15` or `15.4`; `None` means chosen once and recorded.
    pub db_engine_version: Option<String>,
    /// Database instance class, such as `db.t3.micro`.
    pub db_instance_class: String,
    /// Storage of the database in GiB; `None` leaves that of a database that is there.
    pub db_allocated_storage: Option<u32>,
    /// Storage in GiB that RDS may grow it to, 0 for none; `None` leaves that to the owner of a database that is there.
    pub db_max_allocated_storage: Option<u32>,
    /// An existing subnet group that the database is in; `None` means one of the stack's own.
    pub db_subnet_group_name: Option<String>,
    /// Name of the database inside the server.
    pub db_name: String,
    /// Name of the master user.
    pub db_username: String,
    /// True if RDS makes the master user's password and keeps it in Secrets Manager; there is no `db_password` then.
    pub db_manage_master_user_password: bool,
    /// True for a standby in a second zone; `None` leaves that to the owner of a database that is there.
    pub db_multi_az: Option<bool>,
    /// Days that automated backups are kept, 0 for none; `None` leaves that to the owner of a database that is there.
    pub db_backup_retention_days: Option<u32>,
    /// True if AWS refuses to delete the database.
    pub db_deletion_protection: Option<bool>,
    /// True if the database is deleted without a final snapshot; `None` leaves that to the state of one that is there.
    pub db_skip_final_snapshot: Option<bool>,
    /// Name of the final snapshot; `None` leaves it to the state of a database that is there.
    pub db_final_snapshot_identifier: Option<String>,
    /// True if the automated backups go with the database; `None` leaves that to the state of one that is there.
    pub db_delete_automated_backups: Option<bool>,
    /// True if tags are copied to snapshots; `None` leaves that to the owner of a database that is there.
    pub db_copy_tags_to_snapshot: Option<bool>,
    /// Logs that RDS sends to CloudWatch, sorted; `None` leaves them to the owner of a database that is there.
    pub db_enabled_cloudwatch_logs_exports: Option<Vec<String>>,
    /// True if storage is encrypted; cannot be changed later without a replacement.
    pub db_storage_encrypted: bool,
    /// Tags put on everything, beside those that aloka sets.
    pub tags: BTreeMap<String, String>,
}

impl Variables {
    /// Whether the database is deleted without a final snapshot; `None` if no variable says so. Who names the snapshot wants
    /// it.
    pub fn skips_final_snapshot(&self) -> Option<bool> {
        self.db_skip_final_snapshot.or(self.db_final_snapshot_identifier.as_ref().map(|_| false))
    }

    /// Tells whether the rules hold for variables that come from a saved plan or a trace, which somebody may have changed.
    ///
    /// # Errors
    /// What is wrong, in the first problem's words.
    pub fn check(&self) -> Result<(), String> {
        // Texts, numbers and lists of them: serialising them has no way to fail.
        let contents = serde_json::to_string(self).unwrap_or_default();
        let source = Source::File { path: "variables.json".to_owned(), contents };
        match evaluate(&[source], Needs { password: false }) {
            Ok(evaluated) if evaluated.variables == *self => Ok(()),
            Ok(_) => Err("they do not mean what they say".to_owned()),
            Err(found) => Err(found.into_iter().next().map(|problem| problem.summary).unwrap_or_default()),
        }
    }
}

/// An operating system for which an image is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum AmiFamily {
    /// Amazon Linux 2, out of support since 2026-06-30.
    #[serde(rename = "amazon-linux-2")]
    AmazonLinux2,
    /// Amazon Linux 2023.
    #[serde(rename = "al2023")]
    Al2023,
}

impl AmiFamily {
    /// Every family.
    pub const ALL: [Self; 2] = [Self::AmazonLinux2, Self::Al2023];

    /// The name, as in a variables file.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AmazonLinux2 => "amazon-linux-2",
            Self::Al2023 => "al2023",
        }
    }
}

impl fmt::Display for AmiFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A range of ports that may be reached from some networks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngressRule {
    /// First port, 1 or more.
    pub from_port: u16,
    /// Last port, not before the first.
    pub to_port: u16,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// From where; never empty, without host bits, without duplicates.
    pub cidr_blocks: Vec<Ipv4Net>,
    /// What for; may be empty.
    pub description: String,
}

/// What a command cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs {
    /// True if a missing `db_password` is an error, unless RDS manages it. One that is given must be valid either way.
    pub password: bool,
}

/// Valid variables, with the secrets and what the user should be told.
pub struct Evaluated {
    /// The variables.
    pub variables: Variables,
    /// `db_password`, if given.
    pub secrets: Secrets,
    /// Where each variable was set, by name: `terraform.tfvars:3`. One that has its default is not among them.
    pub origins: BTreeMap<String, String>,
    /// The variables that a file sets, named on the command line or not: what a file says is data, not the user's word.
    pub by_file: BTreeSet<String>,
    /// Names that are set by a file or on the command line and that the directory's configuration declares: they are its
    /// own, and have no part in the stack.
    pub unused: BTreeSet<String>,
    /// Nothing that stops a command.
    pub warnings: Vec<Diagnostic>,
}

/// Without the secrets.
impl fmt::Debug for Evaluated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluated")
            .field("variables", &self.variables)
            .field("db_password", &self.secrets.get(DB_PASSWORD).map(|_| "(sensitive)"))
            .field("origins", &self.origins)
            .field("by_file", &self.by_file)
            .field("unused", &self.unused)
            .field("warnings", &self.warnings)
            .finish()
    }
}

/// Reads and validates the variables. `sources` are in rising precedence: a later one wins.
///
/// # Errors
///
/// Every problem found, in the order of the sources, and after them the warnings. If a variables file cannot be parsed, only
/// problems of that kind and unknown names are told, as the values are not known. A name that is no variable is an error on
/// the command line and a warning in a file, as in Terraform.
pub fn evaluate(sources: &[Source], needs: Needs) -> Result<Evaluated, Vec<Diagnostic>> {
    let Assigned { values, origins, ignored, unused, report, incomplete } = assign(sources);
    if incomplete {
        return Err(report.finish());
    }
    let is_file =
        |source: usize| matches!(sources.get(source), Some(Source::File { .. } | Source::Configuration { .. }));
    let by_file = values.iter().filter(|(_, given)| given.source.is_some_and(is_file));
    let by_file = by_file.map(|(name, _)| (*name).to_owned()).collect();
    let mut reader = Reader::new(values, report);
    let valid = validate::variables(&mut reader, needs, &ignored);
    let mut report = reader.report;
    match valid {
        Some((variables, secrets)) if !report.failed() => {
            Ok(Evaluated { variables, secrets, origins, by_file, unused, warnings: report.finish() })
        }
        Some(_) => Err(report.finish()),
        None => {
            if !report.failed() {
                let summary = "invariant violated: the variables are not valid, but nothing is wrong with them";
                report.push(Problem::error(None, summary));
            }
            Err(report.finish())
        }
    }
}
