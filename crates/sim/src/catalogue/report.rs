//! The rule table for people and machines: how many rules, tests and sources, and how emulators stand to each rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use crate::aws::{all_rules, durations};
use crate::rules::{Confidence, Nature, Rule, Source};
use crate::scenario::difference::{Emulator, Right};
use crate::scenario::{Library, Scenario};

/// How an emulator stands to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It answers as the rule's scenarios say.
    Agrees,
    /// It answers otherwise in some of them: see the list of differences.
    Differs,
    /// No scenario of the rule can run on an emulator.
    NotExpressible,
}

impl Standing {
    const fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Differs => "differs",
            Self::NotExpressible => "cannot",
        }
    }
}

/// A rule and what shows it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The rule.
    pub rule: &'static Rule,
    /// How many scenarios meet it.
    pub meets: usize,
    /// How many come close.
    pub near: usize,
    /// How the emulators stand to it, in the order of [`Emulator::ALL`].
    pub standings: [Standing; Emulator::ALL.len()],
}

impl Row {
    /// True if something meets it and something comes close.
    pub fn is_tested(&self) -> bool {
        self.meets > 0 && self.near > 0
    }
}

/// The table with its tests.
#[derive(Clone, Debug)]
pub struct Report {
    /// The rules, in order.
    pub rows: Vec<Row>,
    library: Library,
}

impl Report {
    /// The report on every rule.
    pub fn new(library: Library) -> Self {
        let rows = all_rules().map(|rule| row(rule, &library)).collect();
        Self { rows, library }
    }

    /// Sources that some rule names.
    fn sources(&self) -> BTreeSet<Source> {
        self.rows.iter().flat_map(|row| row.rule.sources).copied().collect()
    }

    fn tested(&self) -> usize {
        self.rows.iter().filter(|row| row.is_tested()).count()
    }

    fn count(&self, emulator: usize, standing: Standing) -> usize {
        self.rows.iter().filter(|row| row.standings.get(emulator) == Some(&standing)).count()
    }

    /// How many there are of what, in a line.
    pub fn summary(&self) -> String {
        let scenarios = &self.library.scenarios;
        let (rules, tested) = (self.rows.len(), self.tested());
        let share = (tested * 100).checked_div(rules).unwrap_or(0);
        format!(
            "{rules} rules from {} sources; {tested} of them tested ({share} %) by {} scenarios, {} of which run on emulators too",
            self.sources().len(),
            scenarios.len(),
            scenarios.iter().filter(|scenario| scenario.is_portable()).count(),
        )
    }

    /// For a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for (area, rows) in self.areas() {
            line(&mut text, area);
            for Row { rule, meets, near, standings } in rows {
                let code = if rule.code.is_empty() { "-" } else { rule.code };
                let [localstack, moto] = standings.map(Standing::name);
                line(
                    &mut text,
                    &format!(
                        "  {:<38} {:<10} {code:<34} {:<10} tests {meets}+{near}  LocalStack {localstack}, moto {moto}",
                        rule.id,
                        rule.nature,
                        rule.confidence().name(),
                    ),
                );
                line(&mut text, &format!("      {}", rule.says));
            }
        }
        line(&mut text, &format!("\n{}", self.summary()));
        text
    }

    /// For machines.
    pub fn to_json(&self) -> Json {
        let rule = |Row { rule, meets, near, standings }: &Row| {
            let emulators: serde_json::Map<_, _> = Emulator::ALL
                .iter()
                .zip(standings)
                .map(|(emulator, standing)| (emulator.name().to_owned(), standing.name().into()))
                .collect();
            json!({
                "id": rule.id,
                "nature": rule.nature.name(),
                "service": rule.service().map(aloka_core::api::Service::prefix),
                "operations": rule.operations,
                "code": rule.code,
                "status": rule.nature.refuses().then_some(rule.status),
                "message": rule.message,
                "says": rule.says,
                "sources": rule.sources.iter().map(|source| source.name()).collect::<Vec<_>>(),
                "confidence": rule.confidence().name(),
                "tests": { "meets": meets, "near": near },
                "emulators": emulators,
            })
        };
        json!({
            "rules": self.rows.iter().map(rule).collect::<Vec<_>>(),
            "sources": self.sources().iter().map(|source| json!({ "name": source.name(), "is": source.describe() })).collect::<Vec<_>>(),
            "tested": self.tested(),
            "scenarios": self.library.scenarios.len(),
        })
    }

    /// The page docs/SIMULATOR.md.
    pub fn to_markdown(&self) -> String {
        let mut text = String::from(INTRODUCTION);
        let _infallible = write!(text, "\n{}.\n", self.summary());
        self.natures(&mut text);
        self.sources_table(&mut text);
        text.push_str("\n## The rules\n\n");
        text.push_str(
            "Tests are scenarios that meet a rule + scenarios that come close to it. An emulator *agrees* if it answers the \
             rule's scenarios as they say, *differs* if not (see the last section), and *cannot* if none of them can run on it.\n",
        );
        for (area, rows) in self.areas() {
            let _infallible = write!(
                text,
                "\n### {area}\n\n| rule | nature | code | what holds | sources | confidence | tests | LocalStack | moto |\n|{}\n",
                "---|".repeat(9)
            );
            for Row { rule, meets, near, standings } in rows {
                let code = if rule.code.is_empty() { String::new() } else { format!("`{}`", rule.code) };
                let operations: Vec<_> = rule.operations.iter().map(ToString::to_string).collect();
                let operations =
                    if operations.is_empty() { String::new() } else { format!(" ({})", operations.join(", ")) };
                let sources: Vec<_> = rule.sources.iter().map(|source| source.name()).collect();
                let [localstack, moto] = standings.map(Standing::name);
                let _infallible = writeln!(
                    text,
                    "| `{}` | {} | {code} | {}{operations} | {} | {} | {meets}+{near} | {localstack} | {moto} |",
                    rule.id,
                    rule.nature.name(),
                    cell(rule.says),
                    sources.join(", "),
                    rule.confidence().name(),
                );
            }
        }
        durations_table(&mut text);
        self.differences(&mut text);
        text
    }

    fn natures(&self, text: &mut String) {
        text.push_str("\n| nature | rules |\n|---|---|\n");
        for nature in Nature::ALL {
            let count = self.rows.iter().filter(|row| row.rule.nature == nature).count();
            let _infallible = writeln!(text, "| {} | {count} |", nature.name());
        }
        text.push_str("\n| rules on which | agree | differ | cannot be asked |\n|---|---|---|---|\n");
        for (index, emulator) in Emulator::ALL.iter().enumerate() {
            let [agree, differ, cannot] = [Standing::Agrees, Standing::Differs, Standing::NotExpressible]
                .map(|standing| self.count(index, standing));
            let _infallible = writeln!(text, "| {emulator} | {agree} | {differ} | {cannot} |");
        }
    }

    fn sources_table(&self, text: &mut String) {
        text.push_str("\n## Sources\n\n| source | what it is | confidence | rules |\n|---|---|---|---|\n");
        for source in Source::ALL {
            let count = self.rows.iter().filter(|row| row.rule.sources.contains(&source)).count();
            let (name, is) = (source.name(), source.describe());
            let _infallible = writeln!(text, "| {name} | {is} | {} | {count} |", source.confidence().name());
        }
        let of = |wanted: Confidence| self.rows.iter().filter(|row| row.rule.confidence() == wanted).count();
        let _infallible = write!(
            text,
            "\nA rule is as sure as its best source: {} are recorded, {} documented, {} observed, {} unverified.\n",
            of(Confidence::Recorded),
            of(Confidence::Documented),
            of(Confidence::Observed),
            of(Confidence::Unverified),
        );
    }

    fn differences(&self, text: &mut String) {
        text.push_str("\n## Where emulators differ\n\n");
        text.push_str(
            "The list in `crates/sim/scenarios/differences.json`, which `just test-local` holds against both emulators: what \
             differs and is not listed fails, and so does what is listed and does not differ.\n\n\
             | why | right | source | scenario | emulators | answer |\n|---|---|---|---|---|---|\n",
        );
        for difference in &self.library.differences {
            let right = match difference.right {
                Right::Scenario => "AWS as modelled",
                Right::Emulator => "the emulator",
                Right::Unknown => "unknown",
            };
            for case in &difference.cases {
                let emulators: Vec<_> = case.emulators.iter().map(|emulator| emulator.name()).collect();
                let _infallible = writeln!(
                    text,
                    "| {} | {right} | {} | {} | {} | `{}` |",
                    cell(&difference.why),
                    cell(&difference.source),
                    cell(&case.scenario),
                    emulators.join(", "),
                    cell(&case.got),
                );
            }
        }
    }

    /// The rows by the part of their names before the dot, in order.
    fn areas(&self) -> Vec<(&'static str, Vec<&Row>)> {
        let mut areas: Vec<(&'static str, Vec<&Row>)> = Vec::new();
        for row in &self.rows {
            let area = row.rule.id.split('.').next().unwrap_or_default();
            match areas.iter_mut().find(|(name, _)| *name == area) {
                Some((_, rows)) => rows.push(row),
                None => areas.push((area, vec![row])),
            }
        }
        areas
    }
}

fn row(rule: &'static Rule, library: &Library) -> Row {
    let about = |list: fn(&Scenario) -> &Vec<&'static Rule>| {
        library.scenarios.iter().filter(move |scenario| list(scenario).contains(&rule))
    };
    let meets: Vec<_> = about(|scenario| &scenario.meets).collect();
    let near: Vec<_> = about(|scenario| &scenario.near).collect();
    let portable: BTreeSet<&str> = meets
        .iter()
        .chain(&near)
        .filter(|scenario| scenario.is_portable())
        .map(|scenario| scenario.name.as_str())
        .collect();
    let standings = Emulator::ALL.map(|emulator| {
        let cases = library.differences.iter().flat_map(|difference| &difference.cases);
        let mut cases = cases.filter(|case| case.emulators.contains(&emulator));
        if portable.is_empty() {
            Standing::NotExpressible
        } else if cases.any(|case| portable.contains(case.scenario.as_str())) {
            Standing::Differs
        } else {
            Standing::Agrees
        }
    });
    Row { rule, meets: meets.len(), near: near.len(), standings }
}

fn durations_table(text: &mut String) {
    text.push_str(
        "\n## Durations\n\nIn seconds. `-seed` draws from these, else the median holds.\n\n\
         | transition | shortest | median | longest | source |\n|---|---|---|---|---|\n",
    );
    let rows: BTreeMap<_, _> = durations::TABLE.iter().map(|row| (row.transition, row)).collect();
    for row in rows.values() {
        let seconds = |ms: u64| format!("{}", f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0);
        let longest = match row.tail {
            (0, _) => seconds(row.max_ms),
            (one_in, tail) => format!("{}, once in {one_in} {}", seconds(row.max_ms), seconds(tail)),
        };
        let _infallible = writeln!(
            text,
            "| {:?} | {} | {} | {longest} | {} |",
            row.transition,
            seconds(row.min_ms),
            seconds(row.median_ms),
            cell(row.source),
        );
    }
}

/// A text as a cell of a Markdown table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn line(text: &mut String, line: &str) {
    text.push_str(line.trim_end());
    text.push('\n');
}

const INTRODUCTION: &str = "\
# The simulator

<!-- Made by `aloka simulate --rules=markdown`; a test fails when it is not up to date. Do not edit. -->

The simulated account answers the API calls of this stack as AWS does, in virtual time. What it knows of AWS stands in one \
table: every refusal, quota, limit, default, change of state and delay, each with AWS's exact error code, where it is known \
from, and scenarios that meet it and that come close without meeting it. A call can be refused by a rule of the table only; a \
rule without a source does not compile, and one without tests fails the build. Where AWS may answer in more than one way, the \
account takes the less convenient one.

The scenarios (`crates/sim/scenarios/`, in folders by service and kind) are short lists of calls with their answers. The same scenarios run on the \
simulated account, and through the AWS driver on LocalStack and on moto (`just test-local`), so that a wrong rule or a wrong \
mapping in the driver shows.
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::library;

    #[test]
    fn all_three_forms_name_every_rule() {
        let report = Report::new(library().expect("scenarios"));
        let (text, markdown, json) = (report.to_text(), report.to_markdown(), report.to_json());
        for rule in all_rules() {
            assert!(text.contains(rule.id) && markdown.contains(&format!("`{}`", rule.id)), "{}", rule.id);
        }
        assert_eq!(json["rules"].as_array().map(Vec::len), Some(all_rules().count()));
        assert!(markdown.contains(&report.summary()));
    }

    #[test]
    fn a_rule_stands_as_its_scenarios_do() {
        let report = Report::new(library().expect("scenarios"));
        let row = |id: &str| report.rows.iter().find(|row| row.rule.id == id).expect("the rule");
        let missing = row("request.missing-parameter");
        assert!(missing.is_tested());
        assert_ne!(missing.standings[0], Standing::NotExpressible, "its scenarios are portable");
    }
}
