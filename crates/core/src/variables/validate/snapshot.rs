//! The name of the final snapshot.

use crate::names::snapshot_name_fault;
use crate::variables::read::Reader;
use crate::variables::report::Problem;
use crate::variables::text::shown;

const NAME: &str = "db_final_snapshot_identifier";

/// The name, in the form that RDS takes. `skips` is what the variables say of the snapshot itself.
pub(super) fn name(reader: &mut Reader<'_>, skips: Option<bool>) -> Option<Option<String>> {
    let Some(text) = reader.optional_text(NAME)? else { return Some(None) };
    if let Some(fault) = snapshot_name_fault(&text.value) {
        let problem = Problem::error(text.at.as_ref(), format!("{NAME} is {}, {fault}", shown(&text.value)));
        reader.report.push(problem.hint("write a name such as aloka-prod-db-final; null lets aloka choose one"));
        return None;
    }
    if skips == Some(true) {
        let warning = Problem::warning(text.at.as_ref(), format!("{NAME} names a snapshot that is not made"));
        reader.report.push(warning.hint("set db_skip_final_snapshot = false, or remove the name"));
    }
    Some(Some(text.value))
}
