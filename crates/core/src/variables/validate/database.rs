//! The database and its password.

use std::collections::BTreeSet;

use super::application::{is_size_word, is_type_word};
use super::storage;
use super::strength;
use crate::names::snapshot_name_fault;
use crate::secret::{DB_PASSWORD, Secret, Secrets};
use crate::variables::Needs;
use crate::variables::definition::Read;
use crate::variables::read::Reader;
use crate::variables::report::{Problem, Spot};
use crate::variables::suggest::{distance, nearest};
use crate::variables::text::shown;

/// PostgreSQL majors that RDS offers (RDS User Guide, "Release calendar").
const MAJORS: std::ops::RangeInclusive<u32> = 13..=18;
/// Storage for PostgreSQL in GiB (RDS API, CreateDBInstance).
pub(in crate::variables) const STORAGE: (u32, u32) = (20, 65_536);
/// Longest DBName and MasterUsername (RDS API, CreateDBInstance).
const MAX_DB_NAME: usize = 63;
const MAX_USERNAME: usize = 16;
/// Longest name of a DB subnet group (RDS API, CreateDBSubnetGroup).
const MAX_SUBNET_GROUP: usize = 255;
/// Length of a password for PostgreSQL (RDS API, CreateDBInstance).
const PASSWORD_LENGTH: std::ops::RangeInclusive<usize> = 8..=128;
/// Logs of PostgreSQL that RDS sends to CloudWatch (RDS User Guide, "PostgreSQL database log files").
const LOGS: [&str; 3] = ["iam-db-auth-error", "postgresql", "upgrade"];
/// What to do where no password is given.
const PASSWORD_WAYS: &str = "set TF_VAR_db_password in the environment, or db_manage_master_user_password = true, so that RDS \
                             makes one; `aloka simulate` needs none";
/// The variable that leaves the password to RDS.
const MANAGED: &str = "db_manage_master_user_password";
/// The password in the example files, which everybody knows.
const EXAMPLE_PASSWORD: &str = "ChangeMe123!Secure";

/// Reserved words of PostgreSQL (its manual, appendix "SQL Key Words"), which RDS takes neither as the name of a
/// database nor of a user.
const RESERVED_WORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "both",
    "case",
    "cast",
    "check",
    "collate",
    "column",
    "constraint",
    "create",
    "current_catalog",
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "false",
    "fetch",
    "for",
    "foreign",
    "from",
    "grant",
    "group",
    "having",
    "in",
    "initially",
    "intersect",
    "into",
    "lateral",
    "leading",
    "limit",
    "localtime",
    "localtimestamp",
    "not",
    "null",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "placing",
    "primary",
    "references",
    "returning",
    "select",
    "session_user",
    "some",
    "symmetric",
    "system_user",
    "table",
    "then",
    "to",
    "trailing",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "variadic",
    "when",
    "where",
    "window",
    "with",
];
/// Databases that exist already, and names that RDS refuses.
const RESERVED_DATABASES: &[&str] = &["admin", "database", "db", "rdsadmin", "template0", "template1"];
/// Roles that exist already, and names that RDS refuses. Roles that begin with `pg_` or `rds` are refused too.
const RESERVED_USERS: &[&str] = &["admin", "administrator", "none", "public", "root"];

/// The rules between the variables of the database. `ignored` are variables of the environment that name no variable; one of
/// them may be a misspelled password.
pub(super) fn check(reader: &mut Reader<'_>, read: &mut Read, needs: Needs, ignored: &[String]) -> Option<Secrets> {
    storage::check(reader, read, STORAGE.0);
    let skips_snapshot = read.db_skip_final_snapshot.as_ref().is_some_and(|skips| skips.value == Some(true));
    let snapshot = read.db_final_snapshot_identifier.as_ref().filter(|name| name.value.is_some() && skips_snapshot);
    if let Some(snapshot) = snapshot {
        let summary = "db_final_snapshot_identifier names a snapshot that is not made";
        let warning = Problem::warning(snapshot.at.as_ref(), summary);
        reader.report.push(warning.hint("set db_skip_final_snapshot = false, or remove the name"));
    }
    let managed = read.db_manage_master_user_password.as_ref().is_some_and(|managed| managed.value);
    // What whoever guesses a password tries first.
    let names = [&read.project_name, &read.environment, &read.db_name, &read.db_username];
    let names: Vec<&str> = names.into_iter().flatten().map(|name| name.value.as_str()).collect();
    password(reader, read.db_password.as_ref()?, needs, managed, ignored, &names)
}

/// A version of PostgreSQL that RDS may offer.
pub(in crate::variables) fn engine_version(name: &str, text: &str) -> Result<String, Problem> {
    let (major, minor) = match text.split_once('.') {
        Some((major, minor)) => (major, Some(minor)),
        None => (text, None),
    };
    let number = |part: &str| {
        let plain = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let padded = part.len() > 1 && part.starts_with('0');
        if plain && !padded { part.parse::<u32>().ok() } else { None }
    };
    let (wrong, hint) = match (number(major), minor.map(number)) {
        (Some(major), None | Some(Some(_))) if MAJORS.contains(&major) => return Ok(text.to_owned()),
        (Some(_), None | Some(Some(_))) => {
            (format!("but RDS offers PostgreSQL {} to {}", MAJORS.start(), MAJORS.end()), "write a major on offer")
        }
        (Some(_) | None, _) => {
            ("which is not a PostgreSQL version".to_owned(), "write 15 or 15.4; null chooses a version")
        }
    };
    Err(Problem::of_value(name, text, wrong).hint(hint))
}

/// An existing group's name, as RDS keeps it (RDS API, CreateDBSubnetGroup).
pub(in crate::variables) fn subnet_group(name: &str, text: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ' ');
    let fits = (1..=MAX_SUBNET_GROUP).contains(&text.len()) && text.chars().all(plain);
    if fits && text != "default" {
        return Ok(text.to_owned());
    }
    let problem = Problem::of_value(name, text, "which is not the name of a DB subnet group of one's own");
    Err(problem.hint("write its name as RDS shows it, in lower case; null makes a group for this stack"))
}

/// The name of a snapshot, in the form that RDS takes.
pub(in crate::variables) fn snapshot(name: &str, text: &str) -> Result<String, Problem> {
    match snapshot_name_fault(text) {
        Some(fault) => {
            let problem = Problem::of_value(name, text, fault);
            Err(problem.hint("write a name such as aloka-prod-db-final; null lets aloka choose one"))
        }
        None => Ok(text.to_owned()),
    }
}

/// Logs to export, each once, sorted.
pub(in crate::variables) fn logs(reader: &mut Reader<'_>, name: &'static str) -> Option<Spot<Option<Vec<String>>>> {
    let Spot { value: list, at } = reader.optional_texts(name)?;
    let mut valid = true;
    for text in list.iter().flatten() {
        if !LOGS.contains(&text.value.as_str()) {
            valid = false;
            let summary = format!("{name} has {}, which is not a log of PostgreSQL", shown(&text.value));
            let problem = Problem::error(text.at.as_ref(), summary);
            reader.report.push(match nearest(&text.value, LOGS) {
                Some(near) => problem.hint(format!("did you mean {near}?")),
                None => problem.hint(format!("the logs are {}", LOGS.join(", "))),
            });
        }
    }
    let sorted = |list: Vec<Spot<String>>| {
        let logs: BTreeSet<String> = list.into_iter().map(|text| text.value).collect();
        logs.into_iter().collect()
    };
    valid.then(|| Spot { value: list.map(sorted), at })
}

/// A class of database instances.
pub(in crate::variables) fn instance_class(name: &str, text: &str) -> Result<String, Problem> {
    let parts: Vec<&str> = text.split('.').collect();
    let hint = match parts.as_slice() {
        ["db", family, size] if is_type_word(family) && is_size_word(size) => return Ok(text.to_owned()),
        [family, size] if *family != "db" && is_type_word(family) && is_size_word(size) => {
            format!("write db.{family}.{size}")
        }
        _ => "write db, a family and a size, such as db.t3.micro".to_owned(),
    };
    Err(Problem::of_value(name, text, "which is not a class of database instances").hint(hint))
}

/// What is wrong with a name of a database or a user, after "name is value, ".
fn identifier_fault(value: &str, longest: usize, reserved: &[&str]) -> Option<String> {
    let lower = value.to_ascii_lowercase();
    if value.is_empty() {
        Some("which is empty".to_owned())
    } else if !value.starts_with(|c: char| c.is_ascii_alphabetic()) {
        Some("but must begin with a letter".to_owned())
    } else if !value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        Some("but may only hold letters, digits and underscores".to_owned())
    } else if value.len() > longest {
        Some(format!("which is {} characters long, but may be {longest}", value.len()))
    } else if RESERVED_WORDS.contains(&lower.as_str()) || reserved.contains(&lower.as_str()) {
        Some("which is a reserved word".to_owned())
    } else {
        None
    }
}

/// A name that a database may have.
pub(in crate::variables) fn database_name(name: &str, text: &str) -> Result<String, Problem> {
    match identifier_fault(text, MAX_DB_NAME, RESERVED_DATABASES) {
        Some(fault) => Err(Problem::of_value(name, text, fault).hint("write a name such as alokadb")),
        None => Ok(text.to_owned()),
    }
}

/// A name that the master user may have.
pub(in crate::variables) fn user_name(name: &str, text: &str) -> Result<String, Problem> {
    let lower = text.to_ascii_lowercase();
    let owned = ["pg_", "rds"].into_iter().find(|prefix| lower.starts_with(prefix));
    let fault = identifier_fault(text, MAX_USERNAME, RESERVED_USERS)
        .or_else(|| owned.map(|prefix| format!("but names that begin with {prefix} are reserved")));
    match fault {
        Some(fault) => Err(Problem::of_value(name, text, fault).hint("write a name such as postgres")),
        None => Ok(text.to_owned()),
    }
}

fn password(
    reader: &mut Reader<'_>,
    Spot { value, at }: &Spot<Option<Secret>>,
    needs: Needs,
    managed: bool,
    ignored: &[String],
    names: &[&str],
) -> Option<Secrets> {
    let mut secrets = Secrets::default();
    let Some(secret) = value else {
        if managed || !needs.password {
            return Some(secrets);
        }
        let problem = Problem::error(None, format!("{DB_PASSWORD} is not set, and has no default"));
        let wanted = format!("TF_VAR_{DB_PASSWORD}");
        let near = ignored.iter().find(|name| distance(name, &wanted).is_some_and(|distance| distance <= 3));
        reader.report.push(match near {
            Some(near) => problem.hint(format!("{} is set; did you mean {wanted}?", shown(near))),
            None => problem.hint(PASSWORD_WAYS),
        });
        return None;
    };
    if managed {
        let summary = format!("{DB_PASSWORD} is set, but with {MANAGED} = true RDS makes the password itself");
        reader.report.push(Problem::error(at.as_ref(), summary).hint(format!("unset {DB_PASSWORD}, or {MANAGED}")));
        return None;
    }
    let faults = password_faults(secret.expose());
    if !faults.is_empty() {
        let summary = format!("{DB_PASSWORD} {}", faults.join(", and "));
        let problem = Problem::error(at.as_ref(), summary);
        reader.report.push(problem.hint("RDS takes 8 to 128 printable ASCII characters other than / \" @ and space"));
        return None;
    }
    if secret.expose() == EXAMPLE_PASSWORD {
        let warning = Problem::warning(at.as_ref(), format!("{DB_PASSWORD} is the password of the example"));
        let way = match at.as_ref().and_then(|at| reader.report.file_line(at)) {
            Some(line) => {
                format!("delete {line}, and set another one as TF_VAR_{DB_PASSWORD}: the line would override it")
            }
            None => format!("choose another one and set it as TF_VAR_{DB_PASSWORD}"),
        };
        reader.report.push(warning.hint(way));
    } else if !strength::is_enough(secret.expose(), names) {
        // Not which of these it is: that would tell whoever reads a log half of the password.
        let warning = Problem::warning(at.as_ref(), format!("{DB_PASSWORD} is easy to guess"))
            .detail("it is near a common one or a name of this stack, or too short, or too regular");
        reader.report.push(warning.hint(format!(
            "set 16 random letters and digits or more as TF_VAR_{DB_PASSWORD}, or leave it to RDS with {MANAGED} = true"
        )));
    }
    if let Some(at) = at.as_ref().filter(|at| reader.report.is_command_line(at)) {
        let summary = format!("{DB_PASSWORD} is on the command line, where every process of this machine can read it");
        reader.report.push(Problem::warning(Some(at), summary).hint(format!("set it as TF_VAR_{DB_PASSWORD}")));
    }
    secrets.insert(DB_PASSWORD, secret.clone());
    Some(secrets)
}

/// Which rules a password breaks, without any of it. RDS for PostgreSQL excludes / " @ and space; other engines exclude the
/// apostrophe as well (RDS User Guide, settings for DB instances).
fn password_faults(password: &str) -> Vec<String> {
    let length = password.chars().count();
    let mut faults = Vec::new();
    if length < *PASSWORD_LENGTH.start() {
        faults.push(format!("is shorter than {} characters", PASSWORD_LENGTH.start()));
    }
    if length > *PASSWORD_LENGTH.end() {
        faults.push(format!("is longer than {} characters", PASSWORD_LENGTH.end()));
    }
    if password.chars().any(|c| !c.is_ascii() || c.is_ascii_control()) {
        faults.push("holds a character that is not printable ASCII".to_owned());
    }
    if password.contains(['/', '"', '@', ' ']) {
        faults.push("holds one of / \" @ or a space".to_owned());
    }
    faults
}
