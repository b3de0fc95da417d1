//! The scenarios that come with the simulator.

use std::collections::BTreeSet;

use super::difference::{self, Difference};
use super::{ParseError, Scenario, parse};

/// The files, by area.
pub const LIBRARY: &[(&str, &str)] = &[
    ("access", include_str!("../../scenarios/access.scenario")),
    ("capacity", include_str!("../../scenarios/capacity.scenario")),
    ("catalog", include_str!("../../scenarios/catalog.scenario")),
    ("filter", include_str!("../../scenarios/filter.scenario")),
    ("group", include_str!("../../scenarios/group.scenario")),
    ("db_instance", include_str!("../../scenarios/db_instance.scenario")),
    ("db_instance_changes", include_str!("../../scenarios/db_instance_changes.scenario")),
    ("db_logs", include_str!("../../scenarios/db_logs.scenario")),
    ("db_snapshot", include_str!("../../scenarios/db_snapshot.scenario")),
    ("db_subnet_group", include_str!("../../scenarios/db_subnet_group.scenario")),
    ("db_tag", include_str!("../../scenarios/db_tag.scenario")),
    ("identifier", include_str!("../../scenarios/identifier.scenario")),
    ("instance", include_str!("../../scenarios/instance.scenario")),
    ("launch", include_str!("../../scenarios/launch.scenario")),
    ("permission", include_str!("../../scenarios/permission.scenario")),
    ("request", include_str!("../../scenarios/request.scenario")),
    ("token", include_str!("../../scenarios/token.scenario")),
    ("vpc", include_str!("../../scenarios/vpc.scenario")),
    ("subnet", include_str!("../../scenarios/subnet.scenario")),
    ("gateway", include_str!("../../scenarios/gateway.scenario")),
    ("address", include_str!("../../scenarios/address.scenario")),
    ("nat", include_str!("../../scenarios/nat.scenario")),
    ("route", include_str!("../../scenarios/route.scenario")),
    ("interface", include_str!("../../scenarios/interface.scenario")),
    ("tags", include_str!("../../scenarios/tags.scenario")),
    ("volume", include_str!("../../scenarios/volume.scenario")),
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
