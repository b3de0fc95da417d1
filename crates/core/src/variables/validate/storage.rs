//! How far RDS may grow the storage by itself.

use crate::diff::least_growth;
use crate::variables::definition::Read;
use crate::variables::read::Reader;
use crate::variables::report::Problem;

/// The limit: 0 for no growth, or at least a tenth more than the storage, or than the `lowest` there can be, as RDS wants it
/// (RDS user guide, "Managing capacity automatically with storage autoscaling").
pub(super) fn check(reader: &mut Reader<'_>, read: &mut Read, lowest: u32) {
    let Some((most, at)) = read.db_max_allocated_storage.as_ref().and_then(|most| Some((most.value?, &most.at))) else {
        return;
    };
    let size = read.db_allocated_storage.as_ref().and_then(|size| size.value).unwrap_or(lowest);
    let least = least_growth(i64::from(size));
    if most == 0 || i64::from(most) >= least {
        return;
    }
    let summary = format!(
        "db_max_allocated_storage is {most}, but must be {least} GiB or more, a tenth more than the {size} GiB that there are"
    );
    let problem = Problem::error(at.as_ref(), summary);
    reader.report.push(problem.hint("raise it; 0 keeps RDS from growing the storage"));
    read.db_max_allocated_storage = None;
}
