//! The swarm itself: regressions stay fixed, a seed is a story, and planted bugs are caught, told apart and shrunk.

use std::collections::BTreeSet;
use std::sync::Arc;

use aloka_core::api::{Ec2, Effect, Operation, Rds, Recognition};
use aloka_core::plan::Planned;
use aloka_core::plan::Step;
use aloka_core::state::State;
use aloka_tests::swarm::shrink::played;
use aloka_tests::swarm::{Caught, Class, Manner, Story, caught};

/// How many seeds a planted bug may take to be found.
const SEEDS: u64 = 500;

#[test]
fn regressions_stay_fixed() {
    let corpus = include_str!("../corpus/swarm.txt");
    let stories = corpus.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        let story = match line.strip_prefix("seed ") {
            Some(seed) => Story::drawn(seed.parse().unwrap_or_else(|error| panic!("{line}: {error}"))),
            None => serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")),
        };
        (line, story)
    });
    let mut count = 0;
    for (line, story) in stories {
        let played = played(&story, Manner::TOLD);
        assert_eq!(played.finding, None, "{line}\n{}", played.lines.join("\n"));
        count += 1;
    }
    assert!(count >= 5, "{count}");
}

#[test]
fn no_violation_in_a_hundred_stories() {
    let mut cycles = 0;
    for seed in 0..100 {
        let played = played(&Story::drawn(seed), Manner::PLAIN);
        assert_eq!(played.finding, None, "seed {seed}: just swarm --seed {seed}");
        cycles += played.cycles;
    }
    assert!(cycles > 200, "{cycles}");
}

/// I10.
#[test]
fn a_seed_is_a_story() {
    for seed in 0..10 {
        let [one, two] = [(); 2].map(|()| played(&Story::drawn(seed), Manner::TOLD));
        assert_eq!(one.lines, two.lines, "seed {seed}");
        assert_eq!(one.trace.hash(), two.trace.hash(), "seed {seed}");
        let text = serde_json::to_string(&Story::drawn(seed)).expect("a story");
        assert_eq!(serde_json::from_str::<Story>(&text).expect("a story"), Story::drawn(seed));
    }
}

/// The first seed that shows the bug, shrunk.
fn hunt(tamper: &dyn Fn(&mut Planned)) -> Caught {
    hunt_with(Manner { tamper, ..Manner::PLAIN })
}

fn hunt_with(manner: Manner<'_>) -> Caught {
    for seed in 0..SEEDS {
        let story = Story::drawn(seed);
        if let Some(finding) = played(&story, manner).finding {
            return caught(&story, finding, manner);
        }
    }
    panic!("not found in {SEEDS} seeds");
}

/// Faults, deeds and second operators that are left.
fn size(story: &Story) -> (usize, usize) {
    let around = |command: &aloka_tests::swarm::story::Command| {
        command.strikes.len() + command.deeds.len() + usize::from(command.other.is_some())
    };
    (story.commands.len(), story.commands.iter().map(around).sum())
}

fn steps_of(planned: &mut Planned, change: impl Fn(&mut Step)) {
    for node in Arc::make_mut(&mut planned.plan.nodes) {
        node.steps.iter_mut().for_each(&change);
    }
}

/// A creation whose answer was lost is not looked for where it is: the second try makes another.
#[test]
fn a_search_at_the_wrong_place_is_caught() {
    let found = hunt(&|planned| {
        steps_of(planned, |step| match step {
            Step::Call { call, recover: Some(lookup), .. }
                if call.operation.effect() == Effect::Create(Recognition::Tagged) =>
            {
                lookup.list = Arc::from("Nowhere");
            }
            Step::Call { .. } | Step::Wait(_) => {}
        });
    });
    assert_eq!(found.finding.class, Class::Safety, "{}", found.finding);
    let (commands, around) = size(&found.story);
    // One fault and the command it strikes; nothing else is needed.
    assert_eq!((commands, around), (1, 1), "{}", found.text());
    assert!(found.text().lines().count() <= 12, "{}", found.text());
    assert!(found.text().contains("struck: "), "{}", found.text());
    assert!(!found.played.trace.entries().is_empty());
}

/// Nothing goes wrong but that the plan never does all it should.
#[test]
fn a_rule_that_is_never_made_is_caught() {
    let found = hunt(&|planned| {
        for node in Arc::make_mut(&mut planned.plan.nodes) {
            node.steps.retain(|step| match step {
                Step::Call { call, .. } => call.operation != Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
                Step::Wait(_) => true,
            });
        }
    });
    assert_eq!(found.finding.class, Class::Liveness, "{}", found.finding);
    assert_eq!(size(&found.story), (0, 0), "{}", found.text());
}

/// A database that nobody named goes.
#[test]
fn an_unnamed_deletion_is_caught() {
    let found = hunt(&|planned| {
        steps_of(planned, |step| match step {
            Step::Call { call, .. } if call.operation == Operation::Rds(Rds::ModifyDBInstance) => {
                let identifier = call.args.get("DBInstanceIdentifier").cloned().unwrap_or_default();
                let args = [("DBInstanceIdentifier", identifier), ("SkipFinalSnapshot", true.into())];
                *call = aloka_core::api::Call::new(Rds::DeleteDBInstance, args);
            }
            Step::Call { .. } | Step::Wait(_) => {}
        });
    });
    assert_eq!((found.finding.class, found.finding.rule), (Class::Safety, "I8 no data is lost unnamed"));
    // One command to have a database, and one that changes it or somebody who does.
    let (commands, around) = size(&found.story);
    assert!(commands <= 3 && around <= 1, "{}", found.text());
}

/// An ownership that trusts the address: whatever is recorded where the stack can have something is taken for ours.
#[test]
fn an_ownership_that_trusts_the_address_is_caught() {
    let trusting = |state: &mut State| {
        for resource in state.resources.values_mut() {
            Arc::make_mut(resource).claimed = true;
        }
    };
    let found = hunt_with(Manner { misread: &trusting, ..Manner::PLAIN });
    assert_eq!((found.finding.class, found.finding.rule), (Class::Safety, "nothing not ours is touched"));
    assert!(found.story.cloud.neighbours, "{}", found.text());
}

#[test]
fn a_panic_is_caught() {
    let found = hunt(&|planned| assert!(planned.plan.nodes.len() < 10, "planted"));
    assert_eq!(found.finding.class, Class::Crash);
    assert!(found.finding.what.contains("planted"), "{}", found.finding);
    assert_eq!(size(&found.story), (0, 0), "{}", found.text());
}

#[test]
fn the_exit_code_tells_the_class() {
    let codes: BTreeSet<u8> = [Class::Crash, Class::Safety, Class::Liveness].map(Class::exit_code).into();
    assert_eq!(codes.len(), 3);
    assert!(!codes.contains(&0) && !codes.contains(&2));
}
