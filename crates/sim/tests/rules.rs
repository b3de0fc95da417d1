//! Every scenario on the simulated account, and every rule of the table met by one and nearly met by another.

use std::collections::BTreeMap;
use std::time::Duration;

use aloka_core::api::{ApiError, Call, Reply, Request, Sts};
use aloka_sim::aws::all_rules;
use aloka_sim::rules::{Nature, Rule};
use aloka_sim::scenario::{Cloud, Library, Ran, Scenario, Setting, SimulatedCloud, library, run};

/// The simulated account, which a refused call must leave as it was.
#[derive(Default)]
struct Watched(SimulatedCloud);

/// The account without what a refused call uses up: a failure it was told to have, and the right to call.
fn saved(cloud: &SimulatedCloud) -> serde_json::Value {
    let mut account = serde_json::to_value(cloud.account()).expect("saved");
    for used in ["doomed", "throttle"] {
        account.as_object_mut().expect("an account").remove(used);
    }
    account
}

impl Cloud for Watched {
    fn call(&mut self, request: &Request) -> Reply {
        let mut before = self.0.clone();
        let reply = self.0.call(request);
        if let Err(error) = &reply {
            // What is gone by now is removed at the next call, whatever it is.
            before.call(&Request(Call::new(Sts::GetCallerIdentity, []))).expect("a caller");
            assert_eq!(saved(&before), saved(&self.0), "{request}: refused ({error}), yet the account changed");
            // AWS lists the braces among the characters it allows.
            let message = error.message.replace(";{}!", "");
            assert!(!message.is_empty() && !message.contains("{}"), "{request}: {error}");
        }
        reply
    }

    fn dry_run(&mut self, request: &Request) -> Option<ApiError> {
        let before = saved(&self.0);
        let error = self.0.dry_run(request);
        assert_eq!(before, saved(&self.0), "{request}: only asked, yet the account changed");
        error
    }

    fn patience(&self) -> Duration {
        self.0.patience()
    }

    fn wait(&mut self, time: Duration) {
        self.0.wait(time);
    }

    fn set(&mut self, setting: Setting<'_>) -> Result<(), String> {
        self.0.set(setting)
    }

    fn refused_by(&self) -> Option<&'static Rule> {
        self.0.refused_by()
    }
}

/// Scenarios that end well, with what they met; and what went wrong with the others.
fn ran(library: &Library) -> (Vec<(&Scenario, Ran)>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for scenario in &library.scenarios {
        match run(scenario, &mut Watched::default()) {
            Ok(ran) => good.push((scenario, ran)),
            Err(failed) => bad.push(format!("{}, {}: {failed}", scenario.place.0, scenario.name)),
        }
    }
    (good, bad)
}

#[test]
fn every_scenario_goes_as_it_says() {
    let library = library().expect("scenarios");
    let (good, mut bad) = ran(&library);
    for (scenario, ran) in good {
        let Scenario { name, place: (file, _), meets, near, .. } = scenario;
        for rule in meets {
            if rule.nature.refuses() && !ran.refused_by.contains(rule) {
                let by: Vec<_> = ran.refused_by.iter().map(|rule| rule.id).collect();
                bad.push(format!("{file}, {name}: meets {}, yet the refusals were {by:?}", rule.id));
            }
            if !rule.nature.refuses() && ran.checks == 0 {
                bad.push(format!("{file}, {name}: shows {}, yet checks nothing", rule.id));
            }
        }
        for rule in near {
            if ran.refused_by.contains(rule) {
                bad.push(format!("{file}, {name}: was to come close to {}, and met it", rule.id));
            }
        }
        if ran.refused_by.is_empty() && ran.checks == 0 && near.is_empty() {
            bad.push(format!("{file}, {name}: checks nothing"));
        }
    }
    assert!(bad.is_empty(), "{} problems:\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn every_rule_is_met_by_one_scenario_and_nearly_met_by_another() {
    let library = library().expect("scenarios");
    let mut tests: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for scenario in &library.scenarios {
        scenario.meets.iter().for_each(|rule| tests.entry(rule.id).or_default().0 += 1);
        scenario.near.iter().for_each(|rule| tests.entry(rule.id).or_default().1 += 1);
    }
    let untested: Vec<String> = all_rules()
        .filter_map(|rule| {
            let (met, near) = tests.get(rule.id).copied().unwrap_or_default();
            (met == 0 || near == 0).then(|| format!("{}: met by {met}, nearly met by {near}", rule.id))
        })
        .collect();
    assert!(untested.is_empty(), "{} rules without tests:\n{}", untested.len(), untested.join("\n"));
}

/// A refusal that no rule could make, and a rule that refuses nothing, would be mistakes of the table.
#[test]
fn the_table_has_all_kinds_of_rules() {
    for nature in Nature::ALL {
        assert!(all_rules().any(|rule| rule.nature == nature), "no rule is a {nature}");
    }
}
