//! Every subset of the stack that can exist: every set of resources with all that they need.

use std::sync::Arc;

use aloka_core::engine::Outcome;
use aloka_core::plan::Planned;
use aloka_core::plan::{Mode, Node};
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan};
use aloka_sim::rng::Rng;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, variables};

use crate::bench::finishes;

/// The plan that makes the whole stack; its nodes are taken one by one.
struct Parts {
    variables: Variables,
    planned: Planned,
}

impl Parts {
    fn new(tfvars: &str) -> (Self, Bench) {
        let variables = variables(tfvars);
        let mut bench = Bench::new(31, Durations::Median);
        let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
        (Self { variables, planned }, bench)
    }

    fn nodes(&self) -> &[Node] {
        &self.planned.plan.nodes
    }

    /// True if all that `node` needs is in `set`.
    fn may_join(&self, node: usize, set: &[bool]) -> bool {
        self.nodes()[node].needs.iter().all(|need| set[usize::try_from(*need).expect("small")])
    }

    /// A plan of this node alone.
    fn alone(&self, bench: &Bench, node: usize) -> Planned {
        let mut planned = self.planned.clone();
        if bench.state().serial > 0 {
            planned.state = bench.state();
        }
        planned.plan.nodes = Arc::new([Node { needs: Vec::new(), ..self.nodes()[node].clone() }]);
        planned.plan.outputs.clear();
        planned
    }

    /// Makes one more resource.
    fn make(&self, bench: &mut Bench, node: usize) {
        let end = bench.run(&self.alone(bench, node), &mut Unwatched);
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "{}", self.nodes()[node].target);
    }

    fn story(&self, set: &[bool]) -> String {
        let there = self.nodes().iter().zip(set).filter(|(_, there)| **there);
        there.map(|(node, _)| node.target.to_string()).collect::<Vec<_>>().join(", ")
    }

    /// Visits every set that can exist, smaller ones in larger ones, each once; `visit` gets the world that holds it.
    fn each(&self, bench: &Bench, set: &mut Vec<bool>, visit: &mut impl FnMut(&Self, &Bench, &[bool])) {
        let node = set.len();
        if node == self.nodes().len() {
            return visit(self, bench, set);
        }
        set.push(false);
        self.each(bench, set, visit);
        set.pop();
        if self.may_join(node, set) {
            let mut more = bench.clone();
            self.make(&mut more, node);
            set.push(true);
            self.each(&more, set, visit);
            set.pop();
        }
    }
}

/// How many sets can exist, counted without making any.
fn count(parts: &Parts, set: &mut Vec<bool>) -> u64 {
    let node = set.len();
    if node == parts.nodes().len() {
        return 1;
    }
    let mut sets = 0;
    for joins in [false, true] {
        if !joins || parts.may_join(node, set) {
            set.push(joins);
            sets += count(parts, set);
            set.pop();
        }
    }
    sets
}

/// All of them: 12,036 for the default stack. Each is made and destroyed.
#[test]
fn every_subset_that_can_exist_is_destroyed() {
    let (parts, bench) = Parts::new("");
    let mut visited = 0;
    parts.each(&bench, &mut Vec::new(), &mut |parts, bench, set| {
        visited += 1;
        let mut bench = bench.clone();
        finishes(&mut bench, &parts.variables).unwrap_or_else(|why| panic!("{}: {why}", parts.story(set)));
    });
    assert_eq!(visited, count(&parts, &mut Vec::new()));
    assert!(visited > 10_000, "{visited}");
}

/// Any set with one more resource half made: its creation is cut short at any effect, before or after it took place.
/// There are 1.2 million such worlds; some are drawn by a seed.
#[test]
fn any_subset_with_something_half_made_is_destroyed() {
    const SEED: u64 = 7;
    const ONE_IN: u64 = 180;
    let (parts, bench) = Parts::new("");
    let mut lots = Rng::stream(SEED, "half-made", 0);
    let mut worlds = 0;
    parts.each(&bench, &mut Vec::new(), &mut |parts, bench, set| {
        let next = (0..set.len()).filter(|node| !set[*node] && parts.may_join(*node, set));
        for node in next {
            let planned = parts.alone(bench, node);
            let mut whole = bench.clone();
            assert_eq!(whole.run(&planned, &mut Unwatched), RunEnd::Outcome(Outcome::Done));
            for effect in bench.world.effects()..whole.world.effects() {
                for fault in [Fault::CrashBefore, Fault::CrashAfter, Fault::Abandon] {
                    if lots.below(ONE_IN) > 0 {
                        continue;
                    }
                    worlds += 1;
                    let (target, there) = (&parts.nodes()[node].target, parts.story(set));
                    let story = format!("seed {SEED}: {target}, {fault:?} at effect {effect}, beside {there}");
                    let mut half = bench.clone();
                    half.world.faults = FaultPlan::at(effect, fault);
                    let _cut_short = half.run(&planned, &mut Unwatched);
                    finishes(&mut half, &parts.variables).unwrap_or_else(|why| panic!("{story}: {why}"));
                }
            }
        }
    });
    println!("{worlds} worlds");
    assert!(worlds > 2_000, "{worlds}");
}
