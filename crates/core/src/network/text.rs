//! A report in words: the footer of a plan, and what a change opens and closes.

use std::collections::{BTreeMap, BTreeSet};

use super::space::Area;
use super::{Flow, Report, Source, Target, Traffic};
use crate::address::Address;

/// More members of a group than this are counted, not named.
const SHOWN: usize = 2;

/// One line for each database and each instance; instances of which the same is true share one.
pub fn describe(report: &Report) -> Vec<String> {
    let mut lines = Lines::default();
    let by_target = report.by_target();
    for target in &report.targets {
        let noun = if target.port.is_some() { "database" } else { "instance" };
        let mut by_traffic: BTreeMap<&Traffic, Vec<String>> = BTreeMap::new();
        let flows = flows_of(&by_target, &target.address);
        for flow in flows {
            by_traffic.entry(&flow.traffic).or_default().push(with_members(report, target, &flow.from));
        }
        let mut parts: Vec<_> =
            by_traffic.into_iter().map(|(traffic, from)| format!("on {traffic} from {}", from.join(" and "))).collect();
        if let Some(first) = parts.first_mut() {
            first.insert_str(0, "reachable ");
        } else {
            parts.push("reachable from nowhere".to_owned());
        }
        if !flows.is_empty() && !flows.iter().any(|flow| matches!(flow.from, Source::Internet(_) | Source::Outside(_)))
        {
            parts.push("not from the internet".to_owned());
        }
        lines.add(noun, &target.address, parts.join("; "));
    }
    lines.into_text(|noun, addresses, rest| {
        let plural = if addresses.len() == 1 { "" } else { "s" };
        format!("{noun}{plural} {}: {rest}", some(addresses))
    })
}

/// What becomes reachable (`opens`), what no longer is (`closes`), and which paths to a database are made or cut.
/// Empty if nobody can do more or less than before, however the rules are written.
pub fn change(before: &Report, after: &Report) -> Vec<String> {
    let mut lines = Lines::default();
    let targets: BTreeSet<_> = before.targets.iter().chain(&after.targets).map(|target| &target.address).collect();
    for (verb, old, new) in [("opens", before, after), ("closes", after, before)] {
        let (old, new) = (old.by_target(), new.by_target());
        for &target in &targets {
            for (from, traffic) in gained(flows_of(&old, target), flows_of(&new, target)) {
                lines.add(verb, target, format!("to {from} on {traffic}"));
            }
        }
    }
    for (verb, old, new) in [("path made", before, after), ("path cut", after, before)] {
        let open = |report: &Report| -> BTreeSet<(Address, Address, u16)> {
            let open = report.paths.iter().filter(|path| path.traffic.covers(&Traffic::tcp(path.port, path.port)));
            open.map(|path| (path.from.clone(), path.to.clone(), path.port)).collect()
        };
        for (from, to, port) in open(new).difference(&open(old)) {
            lines.add(verb, from, format!("to {to} on tcp {port}"));
        }
    }
    lines.into_text(|verb, addresses, rest| format!("{verb}: {} {rest}", some(addresses)))
}

fn flows_of<'a, 'b>(flows: &'b BTreeMap<&Address, Vec<&'a Flow>>, target: &Address) -> &'b [&'a Flow] {
    flows.get(target).map_or(&[], Vec::as_slice)
}

/// What the flows `new` to a target let in and the flows `old` to it do not.
fn gained(old: &[&Flow], new: &[&Flow]) -> Vec<(Source, Traffic)> {
    let (old, new) = (Inflow::of(old), Inflow::of(new));
    let ranges = new.internet.minus(&old.internet).sources(Source::Internet);
    let ranges = ranges.chain(new.outside.minus(&old.outside).sources(Source::Outside));
    let ranges = ranges.chain(new.inside.minus(&old.inside).sources(Source::Inside));
    let others = new.others.into_iter().map(|(source, traffic)| {
        let less = old.others.get(&source).map_or_else(|| traffic.clone(), |had| traffic.minus(had));
        (source, less)
    });
    ranges.chain(others).filter(|(_, traffic)| !traffic.is_empty()).collect()
}

/// The flows to one target.
struct Inflow {
    internet: Area,
    outside: Area,
    inside: Area,
    others: BTreeMap<Source, Traffic>,
}

impl Inflow {
    fn of(flows: &[&Flow]) -> Self {
        let (mut internet, mut outside, mut inside) = (Vec::new(), Vec::new(), Vec::new());
        let mut others = BTreeMap::new();
        for flow in flows {
            let traffic = flow.traffic.clone();
            match &flow.from {
                Source::Internet(set) => internet.push((set.clone(), traffic)),
                Source::Outside(set) => outside.push((set.clone(), traffic)),
                Source::Inside(set) => inside.push((set.clone(), traffic)),
                Source::Group(_) | Source::Unknown(_) => {
                    others.insert(flow.from.clone(), traffic);
                }
            }
        }
        Self { internet: Area::of(&internet), outside: Area::of(&outside), inside: Area::of(&inside), others }
    }
}

/// Lines that differ in the address alone, gathered in the order they came.
#[derive(Default)]
struct Lines {
    order: Vec<(&'static str, String)>,
    addresses: BTreeMap<(&'static str, String), Vec<Address>>,
}

impl Lines {
    fn add(&mut self, head: &'static str, address: &Address, rest: String) {
        let key = (head, rest);
        let addresses = self.addresses.entry(key.clone()).or_default();
        if addresses.is_empty() {
            self.order.push(key);
        }
        addresses.push(address.clone());
    }

    fn into_text(self, write: impl Fn(&str, &[Address], &str) -> String) -> Vec<String> {
        let line = |key: &(&'static str, String)| Some(write(key.0, self.addresses.get(key)?, &key.1));
        self.order.iter().filter_map(line).collect()
    }
}

fn with_members(report: &Report, target: &Target, source: &Source) -> String {
    let Source::Group(group) = source else { return source.to_string() };
    let own = target.groups.contains(group);
    let others = || report.members.get(group).into_iter().flatten().filter(|member| **member != target.address);
    match (others().next().is_some(), own) {
        (true, true) => format!("{group} (each other)"),
        (true, false) => format!("{group} ({})", some(&others().cloned().collect::<Vec<_>>())),
        (false, true) => format!("{group} (itself)"),
        (false, false) => format!("{group} (nothing in it)"),
    }
}

fn some(addresses: &[Address]) -> String {
    let shown: Vec<_> = addresses.iter().take(SHOWN).map(Address::to_string).collect();
    match addresses.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
