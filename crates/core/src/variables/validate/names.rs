//! Region, profile, and the two names from which every other name is made.

use crate::variables::definition::Read;
use crate::variables::read::Reader;
use crate::variables::regions;
use crate::variables::report::Problem;
use crate::variables::suggest::nearest;
use crate::variables::text::shown;

/// The longest DB instance identifier (RDS API, CreateDBInstance).
const MAX_IDENTIFIER: usize = 63;

/// A known region.
pub(in crate::variables) fn region(name: &str, text: &str) -> Result<String, Problem> {
    if regions::region(text).is_some() {
        return Ok(text.to_owned());
    }
    let problem = Problem::of_value(name, text, "which is not an AWS region");
    Err(match nearest(text, regions::REGIONS.iter().map(|region| region.name)) {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint("write a region such as us-east-1"),
    })
}

/// The name of a profile.
pub(in crate::variables) fn profile(name: &str, text: &str) -> Result<String, Problem> {
    if !text.is_empty() && !text.chars().any(char::is_control) {
        return Ok(text.to_owned());
    }
    let problem = Problem::of_value(name, text, "which is not the name of a profile");
    Err(problem.hint("leave it out or set it to null to use the default credential chain"))
}

/// A text that may be a part of a DB instance identifier: lowercase letters, digits and single hyphens inside.
pub(in crate::variables) fn part(name: &str, value: &str) -> Result<String, Problem> {
    let wrong = if value.is_empty() {
        "which is empty"
    } else if value.chars().any(|c| c.is_ascii_uppercase()) {
        "which holds an uppercase letter"
    } else if !value.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')) {
        "which holds a character that is no lowercase letter, digit or hyphen"
    } else if value.starts_with('-') || value.ends_with('-') {
        "which begins or ends with a hyphen"
    } else if value.contains("--") {
        "which holds two hyphens in a row"
    } else {
        return Ok(value.to_owned());
    };
    let problem = Problem::of_value(name, value, wrong)
        .detail("it is a part of the database identifier and of the names of security groups");
    let candidate = value.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
    let mended: Vec<&str> = candidate.split('-').filter(|part| !part.is_empty()).collect();
    let mended = mended.join("-");
    let fits = !mended.is_empty() && mended.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'));
    Err(if fits {
        problem.hint(format!("write {}", shown(&mended)))
    } else {
        problem.hint("use lowercase letters, digits and single hyphens, such as shop-2")
    })
}

/// The project comes first in every name, so it begins with a letter, and no security group may be called `sg-...`.
pub(in crate::variables) fn first_part(name: &str, text: &str) -> Result<String, Problem> {
    let value = part(name, text)?;
    let wrong = if !value.starts_with(|c: char| c.is_ascii_lowercase()) {
        "but a database identifier must begin with a letter"
    } else if value == "sg" || value.starts_with("sg-") {
        "but the name of a security group may not begin with sg-"
    } else {
        return Ok(value);
    };
    Err(Problem::of_value(name, &value, wrong).hint("choose another first word"))
}

/// The two names and the identifier of the database that they make. Unless both names, the identifier and the profile are
/// right, neither name is left for the rules that follow.
pub(super) fn check(reader: &mut Reader<'_>, read: &mut Read) {
    if !fits(reader, read) {
        (read.project_name, read.environment) = (None, None);
    }
}

fn fits(reader: &mut Reader<'_>, read: &Read) -> bool {
    let (Some(project), Some(environment)) = (&read.project_name, &read.environment) else { return false };
    let identifier = format!("{}-{}-db", project.value, environment.value);
    if identifier.len() <= MAX_IDENTIFIER {
        return read.aws_profile.is_some();
    }
    let summary = format!(
        "project_name and environment make the database identifier {}, which is {} characters long, \
         but may be {MAX_IDENTIFIER}",
        shown(&identifier),
        identifier.len()
    );
    let longer = if project.value.len() >= environment.value.len() { project } else { environment };
    reader.report.push(Problem::error(longer.at.as_ref(), summary).hint("shorten one of the two"));
    false
}
