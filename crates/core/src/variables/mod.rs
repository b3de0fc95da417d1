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

pub use definition::{Definition, Variables, definitions};
pub use diagnostic::{Diagnostic, Location, Severity};
pub use source::{Source, auto_loaded};

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
