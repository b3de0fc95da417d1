//! What may do for a trial and not for anything that matters: told once each, unless the environment is `dev`.
//!
//! These are the reference architecture's defaults, so nothing here is an error.

use super::application::INTERNET_PREFIX;
use crate::variables::Variables;
use crate::variables::read::Reader;
use crate::variables::report::Problem;

/// The environment that is for trials.
const TRIALS: &str = "dev";
const HTTP: u16 = 80;
const HTTPS: u16 = 443;

/// Warns of what is missing. The variables are valid.
pub(super) fn warn(reader: &mut Reader<'_>, variables: &Variables) {
    if variables.environment == TRIALS {
        return;
    }
    let place = format!("in environment {}", variables.environment);
    let mut warn = |name: &'static str, what: String, hint: &str| {
        reader.report.push(Problem::warning(reader.place(name).as_ref(), format!("{name} {what}")).hint(hint));
    };
    let backups = match variables.db_backup_retention_days {
        Some(1..) => None,
        Some(0) => Some(format!("is 0 {place}: no backups of the database are kept")),
        None => Some(format!("is not set {place}: no backups of a new database are kept")),
    };
    if let Some(what) = backups {
        warn("db_backup_retention_days", what, "set db_backup_retention_days = 7, or more");
    }
    let protection = match variables.db_deletion_protection {
        Some(true) => None,
        Some(false) => Some(format!("is false {place}: AWS lets the database be deleted")),
        None => Some(format!("is not set {place}: AWS lets a new database be deleted")),
    };
    if let Some(what) = protection {
        warn("db_deletion_protection", what, "set db_deletion_protection = true");
    }
    let snapshot = match variables.skips_final_snapshot() {
        Some(false) => None,
        Some(true) => Some(format!("is true {place}: the database is deleted without a final snapshot")),
        None => Some(format!("is not set {place}: a new database is deleted without a final snapshot")),
    };
    if let Some(what) = snapshot {
        warn("db_skip_final_snapshot", what, "set db_skip_final_snapshot = false");
    }
    let standby = match variables.db_multi_az {
        Some(true) => None,
        Some(false) => Some(format!("is false {place}: the database is in one zone, and is away with it")),
        None => Some(format!("is not set {place}: a new database is in one zone, and is away with it")),
    };
    if let Some(what) = standby {
        warn("db_multi_az", what, "set db_multi_az = true");
    }
    if variables.enable_nat_gateway && variables.single_nat_gateway {
        let what = format!("is true {place}: all private subnets lose the internet with the zone of the gateway");
        warn("single_nat_gateway", what, "set single_nat_gateway = false");
    }
    if opens(variables, HTTP) && !opens(variables, HTTPS) {
        let what = format!("opens port {HTTP} to the internet and not port {HTTPS} {place}: nothing is encrypted");
        warn("app_ingress", what, "add { port = 443 } to app_ingress, and serve TLS there");
    }
}

/// True if the application is reached from the internet on this port of TCP.
fn opens(variables: &Variables, port: u16) -> bool {
    variables.app_ingress.iter().any(|rule| {
        rule.protocol == "tcp"
            && (rule.from_port..=rule.to_port).contains(&port)
            && rule.cidr_blocks.iter().any(|network| network.prefix_len() < INTERNET_PREFIX)
    })
}
