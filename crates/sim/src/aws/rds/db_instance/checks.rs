//! Rules of RDS for the parameters of a database instance.

use std::collections::BTreeSet;

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::value::Value;

use super::rules as rule;
use crate::aws::catalog::{self, DbClass};
use crate::aws::error::Answer;
use crate::aws::record::{Text, object};
use crate::rules::{Refusal, Rule};

/// Words that PostgreSQL reserves (its manual, appendix "SQL Key Words", column PostgreSQL: "reserved").
const RESERVED_WORDS: &str = "all analyse analyze and any array as asc asymmetric both case cast check collate column \
    constraint create current_catalog current_date current_role current_time current_timestamp current_user default \
    deferrable desc distinct do else end except false fetch for foreign from grant group having in initially intersect \
    into lateral leading limit localtime localtimestamp not null offset on only or order placing primary references \
    returning select session_user some symmetric system_user table then to trailing true union unique user using \
    variadic when where window with";

/// Databases that are there already, or that RDS keeps for itself.
const RESERVED_DATABASES: [&str; 6] = ["admin", "database", "db", "rdsadmin", "template0", "template1"];

/// Users that are there already, or that RDS keeps for itself.
const RESERVED_USERS: [&str; 5] = ["admin", "administrator", "none", "public", "root"];

/// Engines of RDS other than PostgreSQL (CloudFormation's schema of a DB instance).
const OTHER_ENGINES: [&str; 19] = [
    "aurora-mysql",
    "aurora-postgresql",
    "custom-oracle-ee",
    "custom-oracle-ee-cdb",
    "custom-sqlserver-ee",
    "custom-sqlserver-se",
    "custom-sqlserver-web",
    "db2-ae",
    "db2-se",
    "mariadb",
    "mysql",
    "oracle-ee",
    "oracle-ee-cdb",
    "oracle-se2",
    "oracle-se2-cdb",
    "sqlserver-ee",
    "sqlserver-ex",
    "sqlserver-se",
    "sqlserver-web",
];

fn is_reserved(text: &str, more: &[&str]) -> bool {
    let lower = text.to_ascii_lowercase();
    RESERVED_WORDS.split_whitespace().chain(more.iter().copied()).any(|word| word == lower)
}

/// Letters, digits and underscores, a letter first.
fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Letters, digits and hyphens, a letter first, no hyphen last or twice in a row.
fn is_identifier(text: &str) -> bool {
    let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    allowed && starts && !text.ends_with('-') && !text.contains("--")
}

/// The identifier of an instance, in lower case.
pub(crate) fn identifier(text: &str) -> Result<String, Refusal> {
    if text.len() > 63 {
        return Err(rule::IDENTIFIER_LENGTH.refuse([]));
    }
    if is_identifier(text) { Ok(text.to_ascii_lowercase()) } else { Err(rule::IDENTIFIER.refuse([])) }
}

/// The identifier of a snapshot, in lower case.
pub(crate) fn snapshot_identifier(text: &str) -> Result<Text, Refusal> {
    if text.len() > 255 {
        return Err(rule::SNAPSHOT_LENGTH.refuse([]));
    }
    if is_identifier(text) { Ok(text.to_ascii_lowercase().into()) } else { Err(rule::SNAPSHOT_FORM.refuse([])) }
}

/// Refuses engines other than PostgreSQL.
pub(crate) fn engine(name: &str) -> Result<(), Refusal> {
    match name {
        "postgres" => Ok(()),
        other if OTHER_ENGINES.contains(&other) => Err(rule::OTHER_ENGINE.refuse([&other])),
        unknown => Err(rule::ENGINE.refuse([&unknown])),
    }
}

/// The name of the first database.
pub(crate) fn database_name(text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > 63 {
        return Err(rule::DATABASE_LENGTH.refuse([]));
    }
    if !is_word(text) {
        return Err(rule::DATABASE.refuse([]));
    }
    if is_reserved(text, &RESERVED_DATABASES) {
        return Err(rule::DATABASE_RESERVED.refuse([&text]));
    }
    Ok(())
}

/// The master user.
pub(crate) fn master_username(text: &str) -> Result<(), Refusal> {
    if text.is_empty() || text.len() > 16 {
        return Err(rule::USER_LENGTH.refuse([&text]));
    }
    if !is_word(text) {
        return Err(rule::USER.refuse([&text]));
    }
    if is_reserved(text, &RESERVED_USERS) {
        return Err(rule::USER_RESERVED.refuse([&text]));
    }
    let lower = text.to_ascii_lowercase();
    if lower.starts_with("pg_") || lower.starts_with("rds") {
        return Err(rule::USER_PREFIX.refuse([&text]));
    }
    Ok(())
}

/// What a request does about the management of the password by RDS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Management {
    /// Nothing.
    Kept,
    /// RDS makes a password and keeps it in Secrets Manager.
    Begins,
    /// The password of the request takes its place.
    Ends,
}

/// What becomes of the management of a password that is `managed` now; `password` tells whether the request has one.
pub(crate) fn management(request: &Request, managed: bool, password: bool) -> Result<Management, Refusal> {
    match (flag(request, "ManageMasterUserPassword")?, managed, password) {
        (Some(true), _, true) | (None, true, true) => Err(rule::PASSWORD_BOTH.refuse([])),
        (Some(false), _, false) => Err(rule::PASSWORD_UNMANAGED.refuse([])),
        (Some(true), false, false) => Ok(Management::Begins),
        (Some(false), true, true) => Ok(Management::Ends),
        (Some(true), true, false) | (Some(false), false, true) | (None, _, _) => Ok(Management::Kept),
    }
}

/// Checks the password of a request, if it has one. Answers whether there is one. The password goes nowhere.
pub(crate) fn password(request: &Request, secrets: &Secrets) -> Result<bool, Refusal> {
    let text = match request.arg("MasterUserPassword") {
        Value::Null => return Ok(false),
        Value::Str(text) => &**text,
        Value::Secret(name) => {
            secrets.get(name).ok_or_else(|| rule::PASSWORD_MISSING.refuse([])).map(|secret| secret.expose())?
        }
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) => {
            return Err(rule::PASSWORD_MISSING.refuse([]));
        }
    };
    let length = text.chars().count();
    if length < 8 {
        return Err(rule::PASSWORD_SHORT.refuse([]));
    }
    if length > 128 {
        return Err(rule::PASSWORD_LONG.refuse([]));
    }
    if !text.chars().all(|c| c.is_ascii_graphic() && !"/@\"".contains(c)) {
        return Err(rule::PASSWORD.refuse([]));
    }
    Ok(true)
}

/// The version that `asked` stands for.
pub(crate) fn version(asked: Option<&str>) -> Result<Text, Refusal> {
    catalog::resolve_postgres(asked).map(Text::from).ok_or_else(|| rule::VERSION.refuse([&asked.unwrap_or_default()]))
}

/// Refuses a class that PostgreSQL of this version does not run on.
pub(crate) fn class(name: &str, version: &str) -> Result<(), Refusal> {
    match catalog::db_class(name) {
        DbClass::Orderable => Ok(()),
        DbClass::Unknown => Err(rule::CLASS.refuse([&name])),
        DbClass::OtherEngines => Err(rule::CLASS_ENGINE.refuse([&name, &version])),
        DbClass::Old => Err(rule::CLASS_AGE.refuse([&name, &version])),
    }
}

/// Refuses a size, in GiB, that the type of storage does not have.
pub(crate) fn storage(kind: &str, size: i64) -> Result<(), Refusal> {
    let (range, rule): (_, &'static Rule) = match kind {
        "gp2" | "gp3" => (20..=65_536, &rule::STORAGE_GENERAL),
        "io1" | "io2" => (100..=65_536, &rule::STORAGE_PROVISIONED),
        "standard" => (5..=3_072, &rule::STORAGE_MAGNETIC),
        _ => return Err(rule::STORAGE_TYPE.refuse([&kind])),
    };
    if range.contains(&size) { Ok(()) } else { Err(rule.refuse([&kind, &size])) }
}

/// The limit up to which storage of `size` GiB is grown, if the request has one: `Some(None)` if that is the size itself.
pub(crate) fn max_storage(request: &Request, size: i64) -> Result<Option<Option<i64>>, Refusal> {
    let Some(limit) = number(request, "MaxAllocatedStorage")? else { return Ok(None) };
    if limit == size {
        return Ok(Some(None));
    }
    if limit < size || limit > 65_536 {
        return Err(rule::MAX_STORAGE.refuse([]));
    }
    if limit < size + (size + 9) / 10 {
        return Err(rule::MAX_STORAGE_TENTH.refuse([]));
    }
    Ok(Some(Some(limit)))
}

/// Refuses types of storage that need more than their name.
pub(crate) fn storage_type(kind: &str) -> Result<(), Refusal> {
    if kind.starts_with("io") { Err(rule::STORAGE_IOPS.refuse([&kind])) } else { Ok(()) }
}

/// Logs of PostgreSQL that RDS sends to CloudWatch (RDS user guide, "PostgreSQL database log files").
const LOGS: [&str; 3] = ["iam-db-auth-error", "postgresql", "upgrade"];

/// Refuses logs that PostgreSQL does not have.
pub(crate) fn logs(version: &str, asked: Vec<Text>) -> Result<BTreeSet<Text>, Refusal> {
    let unknown: Vec<String> =
        asked.iter().filter(|log| !LOGS.contains(&&***log)).map(|log| format!("'{log}'")).collect();
    if unknown.is_empty() {
        Ok(asked.into_iter().collect())
    } else {
        Err(rule::LOGS.refuse([&unknown.join(", "), &version]))
    }
}

/// For how many days backups are kept.
pub(crate) fn retention(days: i64) -> Result<(), Refusal> {
    if (0..=35).contains(&days) { Ok(()) } else { Err(rule::RETENTION.refuse([&days])) }
}

/// A whole number, if the parameter is there.
pub(crate) fn number(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    match request.arg(name) {
        Value::Null => Ok(None),
        value => value.as_i64().map(Some).ok_or_else(|| rule::TYPED.refuse([&name, &"a whole number"])),
    }
}

/// A truth value, if the parameter is there.
pub(crate) fn flag(request: &Request, name: &str) -> Result<Option<bool>, Refusal> {
    match request.arg(name) {
        Value::Null => Ok(None),
        value => value.as_bool().map(Some).ok_or_else(|| rule::TYPED.refuse([&name, &"true or false"])),
    }
}

/// Refuses a downgrade, and a new major version without a word that says it is meant.
pub(crate) fn upgrade(from: &str, to: &str) -> Result<(), Refusal> {
    let parts = |version: &str| -> Vec<u32> { version.split('.').filter_map(|part| part.parse().ok()).collect() };
    if parts(to) < parts(from) {
        Err(rule::DOWNGRADE.refuse([&from, &to]))
    } else if catalog::major(from) != catalog::major(to) {
        Err(rule::MAJOR_UPGRADE.refuse([]))
    } else {
        Ok(())
    }
}

/// The versions on offer.
pub(crate) fn describe_engine_versions(request: &Request) -> Answer {
    let engine = request.text("Engine");
    if engine != "postgres" {
        return Err(rule::VERSIONS_ENGINE.refuse([&engine]));
    }
    let asked = request.arg("EngineVersion").as_str();
    let matches = |version: &String| asked.is_none_or(|asked| version == asked || catalog::major(version) == asked);
    let versions = catalog::postgres_versions().into_iter().filter(matches);
    let versions = versions.map(|version| object([("EngineVersion", version.into()), ("Status", "available".into())]));
    Ok(object([("DBEngineVersions", Value::List(versions.collect()))]))
}
