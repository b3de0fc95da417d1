//! Where emulators of AWS are known to answer otherwise than the scenarios say, and who is right.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Failed, Ran};

/// The file the differences stand in.
pub const FILE: &str = "differences.json";

/// An emulator of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Emulator {
    /// LocalStack, with the plugin that serves RDS.
    LocalStack,
    /// moto's server.
    Moto,
}

impl Emulator {
    /// Every emulator.
    pub const ALL: [Self; 2] = [Self::LocalStack, Self::Moto];

    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LocalStack => "LocalStack",
            Self::Moto => "moto",
        }
    }
}

impl fmt::Display for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Who is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Right {
    /// The scenario: AWS answers as it says.
    Scenario,
    /// The emulator.
    Emulator,
    /// Nobody knows; the simulated account keeps to the stricter answer.
    Unknown,
}

/// One reason for which emulators differ, and where it shows.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// Why, in a sentence.
    pub why: String,
    /// Who is right.
    pub right: Right,
    /// How that is known.
    pub source: String,
    /// Where it shows.
    pub cases: Vec<Case>,
}

/// A scenario in which an emulator differs.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub scenario: String,
    /// The emulators that differ.
    pub emulators: Vec<Emulator>,
    /// What they answer: a code, `ok`, or a value.
    pub got: String,
}

/// Reads the list.
///
/// # Errors
/// What is wrong with it.
pub fn parse() -> Result<Vec<Difference>, String> {
    serde_json::from_str(include_str!("../../scenarios/differences.json")).map_err(|error| error.to_string())
}

/// Holds what an emulator did against the list: what differs and is not listed, or is listed and does not differ.
/// Empty if all is as listed.
pub fn judge(emulator: Emulator, results: &[(String, Result<Ran, Failed>)], differences: &[Difference]) -> Vec<String> {
    let mut listed: BTreeMap<&str, &str> = BTreeMap::new();
    for case in differences.iter().flat_map(|difference| &difference.cases) {
        if case.emulators.contains(&emulator) {
            listed.insert(&case.scenario, &case.got);
        }
    }
    let mut problems = Vec::new();
    for (scenario, result) in results {
        match (result, listed.get(scenario.as_str())) {
            (Ok(_), None) => {}
            (Ok(_), Some(_)) => problems.push(format!("{scenario}: listed as different, and is not")),
            (Err(failed), None) => problems.push(format!("{scenario}: {failed}")),
            (Err(failed), Some(got)) if without_names(&failed.got) == **got => {}
            (Err(failed), Some(got)) => problems.push(format!("{scenario}: {failed}; listed is {got}")),
        }
    }
    problems
}

/// A value without what is another each time: identifiers and addresses of objects.
pub fn without_names(value: &str) -> String {
    let mut text = String::new();
    let mut word = String::new();
    let flush = |word: &mut String, text: &mut String| {
        let digits = word.rsplit('-').next().unwrap_or_default();
        let is_id = word.contains('-') && digits.len() >= 8 && digits.chars().all(|c| c.is_ascii_hexdigit());
        // 10.0.1.7, ec2-10-0-1-7.compute-1.amazonaws.com
        let numbers = word.split(['.', '-']).filter(|part| part.parse::<u8>().is_ok()).count();
        let is_address = numbers >= 4;
        text.push_str(if is_id || is_address { "…" } else { word });
        word.clear();
    };
    for c in value.chars() {
        if c.is_ascii_alphanumeric() || c == '-' || c == '.' {
            word.push(c);
        } else {
            flush(&mut word, &mut text);
            text.push(c);
        }
    }
    flush(&mut word, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_left_out_of_values() {
        let value = r#"["sg-0123456789abcdef0", "10.0.1.7", "ip-10-0-1-7.ec2.internal", "us-east-1a", 15.4, "db"]"#;
        assert_eq!(without_names(value), r#"["…", "…", "…", "us-east-1a", 15.4, "db"]"#);
    }

    #[test]
    fn only_what_is_as_listed_passes() {
        let case = |scenario: &str| Case {
            scenario: scenario.to_owned(),
            emulators: vec![Emulator::Moto],
            got: "ok".to_owned(),
        };
        let differences = [Difference {
            why: "it checks nothing".to_owned(),
            right: Right::Scenario,
            source: "the user guide".to_owned(),
            cases: vec![case("listed"), case("stale"), case("other")],
        }];
        let failed =
            |got: &str| Err(Failed { line: 1, expected: "A".to_owned(), got: got.to_owned(), detail: String::new() });
        let result = |name: &str, result| (name.to_owned(), result);
        let results = [
            result("same", Ok(Ran::default())),
            result("listed", failed("ok")),
            result("stale", Ok(Ran::default())),
            result("other", failed("B")),
            result("new", failed("ok")),
        ];
        let problems = judge(Emulator::Moto, &results, &differences);
        let about = |name: &str| problems.iter().filter(|problem| problem.starts_with(&format!("{name}:"))).count();
        assert_eq!((problems.len(), about("stale"), about("other"), about("new")), (3, 1, 1, 1), "{problems:?}");
        assert_eq!(judge(Emulator::LocalStack, &results[..1], &differences), Vec::<String>::new());
    }
}
