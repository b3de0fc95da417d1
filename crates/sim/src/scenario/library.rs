//! The scenarios that come with the simulator.

use std::collections::BTreeSet;

use super::difference::{self, Difference};
use super::{ParseError, Scenario, parse};

/// The files, by area.
pub const LIBRARY: &[(&str, &str)] = &[
    ("db_instance", include_str!("../../scenarios/db_instance.scenario")),
    ("db_instance_changes", include_str!("../../scenarios/db_instance_changes.scenario")),
    ("db_subnet_group", include_str!("../../scenarios/db_subnet_group.scenario")),
    ("db_tag", include_str!("../../scenarios/db_tag.scenario")),
    ("identifier", include_str!("../../scenarios/identifier.scenario")),
    ("request", include_str!("../../scenarios/request.scenario")),
];

/// Every scenario, and where emulators are known to answer otherwise.
#[derive(Clone, Debug)]
pub struct Library {
    /// The scenarios, by file.
    pub scenarios: Vec<Scenario>,
    /// The differences.
    pub differences: Vec<Difference>,
}

impl Library {
    /// The scenario with this name.
    pub fn find(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }
}

/// Reads [`LIBRARY`] and the differences.
///
/// # Errors
/// A line that is not understood, two scenarios of one name, or a difference of no scenario. None of that is ever
/// released: a test reads the library.
pub fn library() -> Result<Library, ParseError> {
    let mut scenarios = Vec::new();
    for (name, text) in LIBRARY {
        scenarios.extend(parse(&format!("{name}.scenario"), text)?);
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = scenarios.iter().find(|scenario| !names.insert(scenario.name.as_str())) {
        let (file, line) = twice.place.clone();
        return Err(ParseError { file, line, what: format!("there are two scenarios called {}", twice.name) });
    }
    let differences =
        difference::parse().map_err(|what| ParseError { file: difference::FILE.to_owned(), line: 0, what })?;
    let cases = differences.iter().flat_map(|difference| &difference.cases);
    if let Some(unknown) = cases.map(|case| case.scenario.as_str()).find(|name| !names.contains(name)) {
        let what = format!("there is no scenario called {unknown}");
        return Err(ParseError { file: difference::FILE.to_owned(), line: 0, what });
    }
    Ok(Library { scenarios, differences })
}
