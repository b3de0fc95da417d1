//! Rules of RDS for the parameters of a database instance.

use aloka_core::api::Request;
use aloka_core::secret::Secrets;
use aloka_core::value::Value;

use super::catalog::{self, DbClass};
use super::error::refuse;
use crate::rules::Refusal;

fn invalid(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterValue", message)
}

fn combination(message: impl Into<String>) -> Refusal {
    refuse("InvalidParameterCombination", message)
}

/// Identifiers are 1 to 63 letters, digits and hyphens, begin with a letter, and have no hyphen last or twice in a row.
pub(crate) fn identifier(text: &str, parameter: &str) -> Result<String, Refusal> {
    let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let starts = text.starts_with(|c: char| c.is_ascii_alphabetic());
    if !allowed || !starts || text.len() > 63 || text.ends_with('-') || text.contains("--") {
        return Err(invalid(format!(
            "The parameter {parameter} is not a valid identifier. Identifiers must begin with a letter; must contain \
             only ASCII letters, digits, and hyphens; and must not end with a hyphen or contain two consecutive hyphens."
        )));
    }
    Ok(text.to_ascii_lowercase())
}

/// The name of the first database: letters, digits and underscores, 63 at most, a letter first, no reserved word.
pub(crate) fn database_name(text: &str) -> Result<(), Refusal> {
    const RESERVED: [&str; 9] =
        ["rdsadmin", "template0", "template1", "default", "user", "table", "select", "all", "order"];
    let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !allowed || !text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.len() > 63 {
        return Err(invalid("DBName must begin with a letter and contain only alphanumeric characters."));
    }
    if RESERVED.contains(&text.to_ascii_lowercase().as_str()) {
        return Err(invalid(format!("DBName {text} cannot be used.  It is a reserved word for this engine")));
    }
    Ok(())
}

/// The master user: letters, digits and underscores, 16 at most, a letter first, no reserved word.
pub(crate) fn master_username(text: &str) -> Result<(), Refusal> {
    const RESERVED: [&str; 10] = [
        "admin",
        "administrator",
        "user",
        "root",
        "public",
        "rdsadmin",
        "rds_superuser",
        "rdsrepladmin",
        "rdsproxyadmin",
        "rds_replication",
    ];
    let allowed = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !allowed || !text.starts_with(|c: char| c.is_ascii_alphabetic()) || text.len() > 16 {
        return Err(invalid(format!(
            "The parameter MasterUsername {text} must begin with a letter, contain only letters, digits and underscores, \
             and be 1 to 16 characters long."
        )));
    }
    let lower = text.to_ascii_lowercase();
    if RESERVED.contains(&lower.as_str()) || lower.starts_with("pg_") {
        return Err(invalid(format!(
            "MasterUsername {text} cannot be used as it is a reserved word used by the engine"
        )));
    }
    Ok(())
}

/// Checks the password of a request, if it has one: 8 to 128 printable ASCII characters, not all of them. Answers
/// whether there is one. The password goes nowhere.
pub(crate) fn password(request: &Request, secrets: &Secrets) -> Result<bool, Refusal> {
    let text = match request.arg("MasterUserPassword") {
        Value::Null => return Ok(false),
        Value::Str(text) => &**text,
        Value::Secret(name) => match secrets.get(name) {
            Some(secret) => secret.expose(),
            None => return Err(invalid("The parameter MasterUserPassword must be provided.")),
        },
        Value::Bool(_) | Value::Number(_) | Value::List(_) | Value::Map(_) | Value::Ref(..) => "",
    };
    if text.len() < 8 {
        let message =
            "The parameter MasterUserPassword is not a valid password because it is shorter than 8 characters.";
        return Err(invalid(message));
    }
    if text.len() > 128 {
        let message =
            "The parameter MasterUserPassword is not a valid password because it is longer than 128 characters.";
        return Err(invalid(message));
    }
    if !text.chars().all(|c| c.is_ascii_graphic() && !"/@\"".contains(c)) {
        return Err(invalid(
            "The parameter MasterUserPassword is not a valid password. Only printable ASCII characters besides '/', \
             '@', '\"', ' ' may be used.",
        ));
    }
    Ok(true)
}

/// The version that `asked` stands for.
pub(crate) fn version(asked: Option<&str>) -> Result<String, Refusal> {
    let unknown = || combination(format!("Cannot find version {} for postgres", asked.unwrap_or_default()));
    catalog::resolve_postgres(asked).ok_or_else(unknown)
}

/// Refuses a class that PostgreSQL does not run on.
pub(crate) fn class(name: &str, version: &str) -> Result<(), Refusal> {
    match catalog::db_class(name) {
        DbClass::Orderable => Ok(()),
        DbClass::Unknown => Err(invalid(format!("Invalid DB Instance class: {name}"))),
        DbClass::NotForPostgres => Err(combination(format!(
            "RDS does not support creating a DB instance with the following combination: DBInstanceClass={name}, \
             Engine=postgres, EngineVersion={version}, LicenseModel=postgresql-license. For supported combinations of \
             instance class and database engine version, see the documentation."
        ))),
    }
}

/// Refuses a size, in GiB, that the type of storage does not have.
pub(crate) fn storage(kind: &str, size: i64) -> Result<(), Refusal> {
    let range = match kind {
        "gp2" | "gp3" => 20..=65_536,
        "io1" | "io2" => 100..=65_536,
        "standard" => 5..=3_072,
        _ => return Err(invalid(format!("Invalid storage type: {kind}"))),
    };
    if range.contains(&size) {
        return Ok(());
    }
    Err(combination(format!("Invalid storage size for engine name postgres and storage type {kind}: {size}")))
}

/// For how many days backups are kept.
pub(crate) fn retention(days: i64) -> Result<(), Refusal> {
    if (0..=35).contains(&days) {
        return Ok(());
    }
    Err(invalid(format!("Invalid backup retention period: {days}. Must be between 0 and 35.")))
}

/// A whole number, if the parameter is there.
pub(crate) fn number(request: &Request, name: &str) -> Result<Option<i64>, Refusal> {
    match request.arg(name) {
        Value::Null => Ok(None),
        value => {
            value.as_i64().map(Some).ok_or_else(|| invalid(format!("Invalid value for parameter {name}: {value}")))
        }
    }
}
