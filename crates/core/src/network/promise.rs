//! The promise of the stack, held against a report.

use serde::Serialize;

use super::{Flow, Report, Source, Target, Traffic};
use crate::address::Address;
use crate::kind::Kind;

/// What the stack promises: the database is reachable from the app group alone, on one port; the app group's
/// instances are reachable on listed ports alone (and on any from each other); every instance of the app group
/// reaches the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The security group of the application.
    pub app_group: Address,
    /// TCP ports the application is open on, both ends of each range included.
    pub app_ports: Vec<(u16, u16)>,
    /// The TCP port of the database.
    pub db_port: u16,
}

impl Default for Promise {
    /// As in the seed: `aws_security_group.app` on 80 and 443, the database on 5432.
    fn default() -> Self {
        let app_group = Address::root(Kind::SecurityGroup, "app");
        Self { app_group, app_ports: vec![(80, 80), (443, 443)], db_port: 5432 }
    }
}

/// Which part of the promise is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// Something other than the app group reaches the database.
    DatabaseSource,
    /// The app group reaches the database on something else than its port.
    DatabasePort,
    /// An instance is reachable on something else than its listed ports.
    AppPort,
    /// An instance of the app group does not, or not certainly, reach the database.
    PathCut,
}

/// A broken promise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which part is broken.
    pub rule: Rule,
    /// The database or instance it is about.
    pub address: Address,
    /// What is so, what should be, and where to look.
    pub message: String,
}

/// Everything in `report` that breaks `promise`; empty if it is kept.
pub fn verdict(report: &Report, promise: &Promise) -> Vec<Finding> {
    let Promise { app_group, app_ports, db_port } = promise;
    let listed = app_ports.iter().fold(Traffic::default(), |sum, &(from, to)| sum.union(&Traffic::tcp(from, to)));
    let database = Traffic::tcp(*db_port, *db_port);
    let mut findings = Vec::new();
    let by_target = report.by_target();
    for target in &report.targets {
        let flows = by_target.get(&target.address).into_iter().flatten().copied();
        match target.port {
            Some(_) => findings.extend(flows.filter_map(|flow| check_database(target, flow, app_group, &database))),
            None => findings.extend(flows.filter_map(|flow| check_instance(target, flow, app_group, &listed))),
        }
    }
    let is_app = |address: &Address| report.members.get(app_group).is_some_and(|members| members.contains(address));
    for path in report.paths.iter().filter(|path| is_app(&path.from)) {
        if path.port != *db_port {
            let message = format!("{} listens on {}, expected {db_port}: change its port", path.to, path.port);
            findings.push(Finding { rule: Rule::PathCut, address: path.to.clone(), message });
        } else if !path.traffic.covers(&database) {
            let message = format!(
                "{} cannot be shown to reach {} on {database} (what passes: {}): look at the egress rules of \
                 {app_group}, the ingress rules of the database's groups and the routes of both subnets",
                path.from, path.to, path.traffic,
            );
            findings.push(Finding { rule: Rule::PathCut, address: path.from.clone(), message });
        }
    }
    findings.sort_by(|a, b| (a.rule, &a.address, &a.message).cmp(&(b.rule, &b.address, &b.message)));
    findings.dedup();
    findings
}

fn check_database(target: &Target, flow: &Flow, app_group: &Address, allowed: &Traffic) -> Option<Finding> {
    let Flow { to, from, traffic } = flow;
    let (rule, excess) = match from {
        Source::Group(group) if group == app_group => (Rule::DatabasePort, traffic.minus(allowed)),
        Source::Internet(_) | Source::Outside(_) | Source::Inside(_) | Source::Group(_) | Source::Unknown(_) => {
            (Rule::DatabaseSource, traffic.clone())
        }
    };
    let expected = format!("only {app_group} on {allowed}");
    (!excess.is_empty()).then(|| finding(rule, target, to, from, &excess, &expected))
}

fn check_instance(target: &Target, flow: &Flow, app_group: &Address, listed: &Traffic) -> Option<Finding> {
    let Flow { to, from, traffic } = flow;
    let excess = match from {
        Source::Group(group) if group == app_group => return None,
        Source::Internet(_) | Source::Outside(_) | Source::Inside(_) | Source::Group(_) | Source::Unknown(_) => {
            traffic.minus(listed)
        }
    };
    (!excess.is_empty()).then(|| finding(Rule::AppPort, target, to, from, &excess, &format!("only {listed}")))
}

fn finding(rule: Rule, target: &Target, to: &Address, from: &Source, excess: &Traffic, expected: &str) -> Finding {
    let groups: Vec<_> = target.groups.iter().map(Address::to_string).collect();
    let place = if groups.is_empty() { "its security groups".to_owned() } else { groups.join(", ") };
    let message = format!(
        "{to} is reachable from {from} on {excess}, expected {expected}: close it in the ingress rules of {place}"
    );
    Finding { rule, address: to.clone(), message }
}
