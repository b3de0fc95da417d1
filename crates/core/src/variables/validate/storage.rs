//! How far RDS may grow the storage by itself.

use crate::diff::least_growth;
use crate::variables::read::Reader;
use crate::variables::report::{Problem, Spot};

const NAME: &str = "db_max_allocated_storage";

/// The limit: 0 for no growth, or at least a tenth more than `storage`, or than the `lowest` there can be, as RDS wants it (RDS
/// user guide, "Managing capacity automatically with storage autoscaling").
pub(super) fn most(
    reader: &mut Reader<'_>,
    storage: Option<&Spot<u32>>,
    (lowest, highest): (u32, u32),
) -> Option<Option<u32>> {
    let Some(most) = reader.optional_whole(NAME, 0, highest, " GiB")? else { return Some(None) };
    let size = storage.map_or(lowest, |size| size.value);
    let least = least_growth(i64::from(size));
    if most.value == 0 || i64::from(most.value) >= least {
        return Some(Some(most.value));
    }
    let summary = format!(
        "{NAME} is {}, but must be {least} GiB or more, a tenth more than the {size} GiB that there are",
        most.value
    );
    let problem = Problem::error(most.at.as_ref(), summary);
    reader.report.push(problem.hint("raise it; 0 keeps RDS from growing the storage"));
    None
}
