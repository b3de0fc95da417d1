//! The scenarios that come with the simulator.

use std::collections::BTreeSet;

use super::difference::{self, Difference};
use super::{ParseError, Scenario, parse};

/// The files: of services by kind, as the account has them, and of what every call can meet.
pub const LIBRARY: &[(&str, &str)] = &[
    ("access", include_str!("../../scenarios/access.scenario")),
    ("capacity", include_str!("../../scenarios/capacity.scenario")),
    ("catalog", include_str!("../../scenarios/catalog.scenario")),
    ("ec2/filter", include_str!("../../scenarios/ec2/filter.scenario")),
    ("ec2/security_group", include_str!("../../scenarios/ec2/security_group.scenario")),
    ("rds/db_instance", include_str!("../../scenarios/rds/db_instance.scenario")),
    ("rds/db_instance_changes", include_str!("../../scenarios/rds/db_instance_changes.scenario")),
    ("rds/db_logs", include_str!("../../scenarios/rds/db_logs.scenario")),
    ("rds/db_snapshot", include_str!("../../scenarios/rds/db_snapshot.scenario")),
    ("rds/db_subnet_group", include_str!("../../scenarios/rds/db_subnet_group.scenario")),
    ("rds/db_tags", include_str!("../../scenarios/rds/db_tags.scenario")),
    ("identifier", include_str!("../../scenarios/identifier.scenario")),
    ("ec2/instance", include_str!("../../scenarios/ec2/instance.scenario")),
    ("ec2/launch", include_str!("../../scenarios/ec2/launch.scenario")),
    ("ec2/permission", include_str!("../../scenarios/ec2/permission.scenario")),
    ("request", include_str!("../../scenarios/request.scenario")),
    ("token", include_str!("../../scenarios/token.scenario")),
    ("ec2/vpc", include_str!("../../scenarios/ec2/vpc.scenario")),
    ("ec2/subnet", include_str!("../../scenarios/ec2/subnet.scenario")),
    ("ec2/internet_gateway", include_str!("../../scenarios/ec2/internet_gateway.scenario")),
    ("ec2/eip", include_str!("../../scenarios/ec2/eip.scenario")),
    ("ec2/nat_gateway", include_str!("../../scenarios/ec2/nat_gateway.scenario")),
    ("ec2/vpc_endpoint", include_str!("../../scenarios/ec2/vpc_endpoint.scenario")),
    ("ec2/route_table", include_str!("../../scenarios/ec2/route_table.scenario")),
    ("ec2/network_interface", include_str!("../../scenarios/ec2/network_interface.scenario")),
    ("ec2/tags", include_str!("../../scenarios/ec2/tags.scenario")),
    ("ec2/volume", include_str!("../../scenarios/ec2/volume.scenario")),
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
