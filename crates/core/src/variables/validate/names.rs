//! Region, profile, and the two names from which every other name is made.

use crate::variables::read::Reader;
use crate::variables::regions;
use crate::variables::report::{Problem, Spot};
use crate::variables::suggest::nearest;
use crate::variables::text::shown;

/// The longest DB instance identifier (RDS API, CreateDBInstance).
const MAX_IDENTIFIER: usize = 63;

/// What this module checks.
pub(super) struct Names {
    pub(super) aws_profile: Option<String>,
    pub(super) environment: String,
    pub(super) project_name: String,
}

/// A known region.
pub(super) fn region(reader: &mut Reader<'_>) -> Option<String> {
    let region = reader.text("aws_region")?;
    if regions::region(&region.value).is_some() {
        return Some(region.value);
    }
    let summary = format!("aws_region is {}, which is not an AWS region", shown(&region.value));
    let problem = Problem::error(region.at.as_ref(), summary);
    let near = nearest(&region.value, regions::REGIONS.iter().map(|region| region.name));
    reader.report.push(match near {
        Some(near) => problem.hint(format!("did you mean {near}?")),
        None => problem.hint("write a region such as us-east-1"),
    });
    None
}

/// Profile, environment and project.
pub(super) fn check(reader: &mut Reader<'_>) -> Option<Names> {
    let profile = profile(reader);
    let project = reader.text("project_name").and_then(|project| part(reader, "project_name", project));
    let environment = reader.text("environment").and_then(|environment| part(reader, "environment", environment));
    let project = project.and_then(|project| first_part(reader, project));
    let (project, environment) = (project?, environment?);
    let identifier = format!("{}-{}-db", project.value, environment.value);
    if identifier.len() > MAX_IDENTIFIER {
        let summary = format!(
            "project_name and environment make the database identifier {}, which is {} characters long, \
             but may be {MAX_IDENTIFIER}",
            shown(&identifier),
            identifier.len()
        );
        let longer = if project.value.len() >= environment.value.len() { &project } else { &environment };
        reader.report.push(Problem::error(longer.at.as_ref(), summary).hint("shorten one of the two"));
        return None;
    }
    Some(Names { aws_profile: profile?, environment: environment.value, project_name: project.value })
}

fn profile(reader: &mut Reader<'_>) -> Option<Option<String>> {
    let Some(profile) = reader.optional_text("aws_profile")? else { return Some(None) };
    if profile.value.is_empty() || profile.value.chars().any(char::is_control) {
        let summary = format!("aws_profile is {}, which is not the name of a profile", shown(&profile.value));
        let problem = Problem::error(profile.at.as_ref(), summary);
        reader.report.push(problem.hint("leave it out or set it to null to use the default credential chain"));
        return None;
    }
    Some(Some(profile.value))
}

/// A text that may be a part of a DB instance identifier: lowercase letters, digits and single hyphens inside.
fn part(reader: &mut Reader<'_>, name: &str, text: Spot<String>) -> Option<Spot<String>> {
    let Spot { value, at } = &text;
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
        return Some(text);
    };
    let summary = format!("{name} is {}, {wrong}", shown(value));
    let problem = Problem::error(at.as_ref(), summary)
        .detail("it is a part of the database identifier and of the names of security groups");
    let candidate = value.to_ascii_lowercase().replace(['_', ' ', '.'], "-");
    let mended: Vec<&str> = candidate.split('-').filter(|part| !part.is_empty()).collect();
    let mended = mended.join("-");
    let fits = !mended.is_empty() && mended.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'));
    reader.report.push(if fits {
        problem.hint(format!("write {}", shown(&mended)))
    } else {
        problem.hint("use lowercase letters, digits and single hyphens, such as shop-2")
    });
    None
}

/// The project comes first in every name, so it begins with a letter, and no security group may be called `sg-...`.
fn first_part(reader: &mut Reader<'_>, project: Spot<String>) -> Option<Spot<String>> {
    let Spot { value, at } = &project;
    let wrong = if !value.starts_with(|c: char| c.is_ascii_lowercase()) {
        "but a database identifier must begin with a letter"
    } else if value == "sg" || value.starts_with("sg-") {
        "but the name of a security group may not begin with sg-"
    } else {
        return Some(project);
    };
    let problem = Problem::error(at.as_ref(), format!("project_name is {}, {wrong}", shown(value)));
    reader.report.push(problem.hint("choose another first word"));
    None
}
