//! The database and its password.

use super::application::{is_size_word, is_type_word};
use super::names::Names;
use super::snapshot;
use super::storage;
use super::strength;
use crate::secret::{DB_PASSWORD, Secret, Secrets};
use crate::variables::Needs;
use crate::variables::read::Reader;
use crate::variables::report::{Problem, Spot};
use crate::variables::suggest::{distance, nearest};
use crate::variables::text::shown;

/// PostgreSQL majors that RDS offers (RDS User Guide, "Release calendar").
const MAJORS: std::ops::RangeInclusive<u32> = 13..=18;
/// Storage for PostgreSQL in GiB (RDS API, CreateDBInstance).
const STORAGE: (u32, u32) = (20, 65_536);
/// Longest DBName and MasterUsername (RDS API, CreateDBInstance).
const MAX_DB_NAME: usize = 63;
const MAX_USERNAME: usize = 16;
/// Longest name of a DB subnet group (RDS API, CreateDBSubnetGroup).
const MAX_SUBNET_GROUP: usize = 255;
/// Days of automated backups.
const MAX_RETENTION: u32 = 35;
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

/// What this module checks.
pub(super) struct Database {
    pub(super) db_engine_version: Option<String>,
    pub(super) db_instance_class: String,
    pub(super) db_allocated_storage: Option<u32>,
    pub(super) db_max_allocated_storage: Option<u32>,
    pub(super) db_subnet_group_name: Option<String>,
    pub(super) db_name: String,
    pub(super) db_username: String,
    pub(super) db_manage_master_user_password: bool,
    pub(super) db_multi_az: Option<bool>,
    pub(super) db_backup_retention_days: Option<u32>,
    pub(super) db_deletion_protection: Option<bool>,
    pub(super) db_skip_final_snapshot: Option<bool>,
    pub(super) db_final_snapshot_identifier: Option<String>,
    pub(super) db_delete_automated_backups: Option<bool>,
    pub(super) db_copy_tags_to_snapshot: Option<bool>,
    pub(super) db_enabled_cloudwatch_logs_exports: Option<Vec<String>>,
    pub(super) db_storage_encrypted: bool,
    pub(super) secrets: Secrets,
}

/// `ignored` are variables of the environment that name no variable; one of them may be a misspelled password. `stack` are
/// the names that whoever guesses one tries first.
pub(super) fn check(
    reader: &mut Reader<'_>,
    needs: Needs,
    ignored: &[String],
    stack: Option<&Names>,
) -> Option<Database> {
    let version = engine_version(reader);
    let class = instance_class(reader);
    let (low, high) = STORAGE;
    let storage = reader.optional_whole("db_allocated_storage", low, high, " GiB");
    let most = storage::most(reader, storage.as_ref().and_then(Option::as_ref), STORAGE);
    let subnet_group = subnet_group(reader);
    let name = reader.text("db_name").and_then(|text| database_name(reader, text));
    let username = reader.text("db_username").and_then(|text| user_name(reader, text));
    let multi_az = reader.optional_flag("db_multi_az");
    let retention = reader.optional_whole("db_backup_retention_days", 0, MAX_RETENTION, " days");
    let protection = reader.optional_flag("db_deletion_protection");
    let skips_snapshot = reader.optional_flag("db_skip_final_snapshot");
    let snapshot = snapshot::name(reader, skips_snapshot.flatten());
    let deletes_backups = reader.optional_flag("db_delete_automated_backups");
    let copies_tags = reader.optional_flag("db_copy_tags_to_snapshot");
    let logs = logs(reader);
    let encrypted = reader.flag("db_storage_encrypted");
    let managed = reader.flag(MANAGED);
    let stack = stack.into_iter().flat_map(|names| [names.project_name.as_str(), names.environment.as_str()]);
    let names: Vec<&str> = stack.chain(name.as_deref()).chain(username.as_deref()).collect();
    let secrets = password(reader, needs, managed.unwrap_or(false), ignored, &names);
    Some(Database {
        db_engine_version: version?,
        db_instance_class: class?,
        db_allocated_storage: storage?.map(|size| size.value),
        db_max_allocated_storage: most?,
        db_subnet_group_name: subnet_group?,
        db_name: name?,
        db_username: username?,
        db_manage_master_user_password: managed?,
        db_multi_az: multi_az?,
        db_backup_retention_days: retention?.map(|days| days.value),
        db_deletion_protection: protection?,
        db_skip_final_snapshot: skips_snapshot?,
        db_final_snapshot_identifier: snapshot?,
        db_delete_automated_backups: deletes_backups?,
        db_copy_tags_to_snapshot: copies_tags?,
        db_enabled_cloudwatch_logs_exports: logs?,
        db_storage_encrypted: encrypted?,
        secrets: secrets?,
    })
}

fn engine_version(reader: &mut Reader<'_>) -> Option<Option<String>> {
    let Some(text) = reader.optional_text("db_engine_version")? else { return Some(None) };
    let (major, minor) = match text.value.split_once('.') {
        Some((major, minor)) => (major, Some(minor)),
        None => (text.value.as_str(), None),
    };
    let number = |part: &str| {
        let plain = (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        let padded = part.len() > 1 && part.starts_with('0');
        if plain && !padded { part.parse::<u32>().ok() } else { None }
    };
    let (wrong, hint) = match (number(major), minor.map(number)) {
        (Some(major), None | Some(Some(_))) if MAJORS.contains(&major) => return Some(Some(text.value)),
        (Some(_), None | Some(Some(_))) => {
            (format!("but RDS offers PostgreSQL {} to {}", MAJORS.start(), MAJORS.end()), "write a major on offer")
        }
        (Some(_) | None, _) => {
            ("which is not a PostgreSQL version".to_owned(), "write 15 or 15.4; null chooses a version")
        }
    };
    let problem = Problem::error(text.at.as_ref(), format!("db_engine_version is {}, {wrong}", shown(&text.value)));
    reader.report.push(problem.hint(hint));
    None
}

/// An existing group's name, as RDS keeps it (RDS API, CreateDBSubnetGroup).
fn subnet_group(reader: &mut Reader<'_>) -> Option<Option<String>> {
    const NAME: &str = "db_subnet_group_name";
    let Some(text) = reader.optional_text(NAME)? else { return Some(None) };
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ' ');
    let fits = (1..=MAX_SUBNET_GROUP).contains(&text.value.len()) && text.value.chars().all(plain);
    if fits && text.value != "default" {
        return Some(Some(text.value));
    }
    let summary = format!("{NAME} is {}, which is not the name of a DB subnet group of one's own", shown(&text.value));
    let problem = Problem::error(text.at.as_ref(), summary);
    reader
        .report
        .push(problem.hint("write its name as RDS shows it, in lower case; null makes a group for this stack"));
    None
}

/// Logs to export, each once, sorted.
fn logs(reader: &mut Reader<'_>) -> Option<Option<Vec<String>>> {
    const NAME: &str = "db_enabled_cloudwatch_logs_exports";
    let Some(list) = reader.optional_texts(NAME)? else { return Some(None) };
    let mut valid = true;
    for text in &list.value {
        if !LOGS.contains(&text.value.as_str()) {
            valid = false;
            let summary = format!("{NAME} has {}, which is not a log of PostgreSQL", shown(&text.value));
            let problem = Problem::error(text.at.as_ref(), summary);
            reader.report.push(match nearest(&text.value, LOGS) {
                Some(near) => problem.hint(format!("did you mean {near}?")),
                None => problem.hint(format!("the logs are {}", LOGS.join(", "))),
            });
        }
    }
    let mut logs: Vec<String> = list.value.into_iter().map(|text| text.value).collect();
    logs.sort();
    logs.dedup();
    valid.then_some(Some(logs))
}

fn instance_class(reader: &mut Reader<'_>) -> Option<String> {
    let text = reader.text("db_instance_class")?;
    let parts: Vec<&str> = text.value.split('.').collect();
    let hint = match parts.as_slice() {
        ["db", family, size] if is_type_word(family) && is_size_word(size) => return Some(text.value),
        [family, size] if *family != "db" && is_type_word(family) && is_size_word(size) => {
            format!("write db.{family}.{size}")
        }
        _ => "write db, a family and a size, such as db.t3.micro".to_owned(),
    };
    let summary = format!("db_instance_class is {}, which is not a class of database instances", shown(&text.value));
    reader.report.push(Problem::error(text.at.as_ref(), summary).hint(hint));
    None
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

fn database_name(reader: &mut Reader<'_>, text: Spot<String>) -> Option<String> {
    let Some(fault) = identifier_fault(&text.value, MAX_DB_NAME, RESERVED_DATABASES) else { return Some(text.value) };
    let problem = Problem::error(text.at.as_ref(), format!("db_name is {}, {fault}", shown(&text.value)));
    reader.report.push(problem.hint("write a name such as alokadb"));
    None
}

fn user_name(reader: &mut Reader<'_>, text: Spot<String>) -> Option<String> {
    let lower = text.value.to_ascii_lowercase();
    let owned = ["pg_", "rds"].into_iter().find(|prefix| lower.starts_with(prefix));
    let fault = identifier_fault(&text.value, MAX_USERNAME, RESERVED_USERS)
        .or_else(|| owned.map(|prefix| format!("but names that begin with {prefix} are reserved")));
    let Some(fault) = fault else { return Some(text.value) };
    let problem = Problem::error(text.at.as_ref(), format!("db_username is {}, {fault}", shown(&text.value)));
    reader.report.push(problem.hint("write a name such as postgres"));
    None
}

fn password(
    reader: &mut Reader<'_>,
    needs: Needs,
    managed: bool,
    ignored: &[String],
    names: &[&str],
) -> Option<Secrets> {
    let mut secrets = Secrets::default();
    let Some(Spot { value, at }) = reader.optional_text(DB_PASSWORD)? else {
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
    let secret = Secret::new(value);
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
    secrets.insert(DB_PASSWORD, secret);
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
