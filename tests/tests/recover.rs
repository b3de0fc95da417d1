//! The state is lost, and the laptop with it: what AWS shows is enough to go on.

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Request};
use aloka_core::diff;
use aloka_core::engine::Outcome;
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode};
use aloka_core::plan::{Planned, Problem};
use aloka_core::resource::Compare;
use aloka_core::secret::DB_PASSWORD;
use aloka_core::session::claim::{By, Claimed, Search, record_only};
use aloka_core::state::State;
use aloka_core::value::Value;
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan};
use aloka_sim::rehearsal::{NotPlanned, claim_round};
use aloka_sim::store::MemoryStore;
use aloka_sim::world::{RunEnd, Unwatched};
use aloka_tests::{Bench, any_tfvars, inputs, picture, secrets, untag, variables};
use proptest::prelude::*;

/// The lineage of whoever finds the stack, as long as the objects do not tell another.
const FINDER: &str = "0b5e8f0e-6f5f-4e53-9d5c-3a3a5a1d0002";
/// Larger than any generation in these tests.
const FLOOR: u32 = 1_000_000;

const BY_TAGS: Search = Search::Tagged { lineage: None };

/// Loses the state and finds the stack again, without recording it.
fn find(bench: &mut Bench, variables: &Variables, search: &Search) -> Result<(Claimed, Planned), Vec<Problem>> {
    bench.store = MemoryStore::new();
    bench.world.faults = FaultPlan::none();
    let state = State::new(FINDER);
    let inputs = inputs(variables.clone(), Mode::Apply, &state);
    match claim_round(&mut bench.world, &mut bench.store, &secrets(), &state, (&inputs, search), FLOOR) {
        Ok(found) => Ok(found),
        Err(NotPlanned::Problems(problems)) => Err(problems),
        Err(NotPlanned::Ended(end)) => panic!("{end:?}"),
    }
}

/// Finds the stack and records it; a plan made afterwards.
fn recover(bench: &mut Bench, variables: &Variables, search: &Search) -> Result<Planned, Vec<Problem>> {
    let (_, planned) = find(bench, variables, search)?;
    let inputs = inputs(variables.clone(), Mode::Apply, &planned.state);
    let calls = bench.world.calls().clone();
    assert_eq!(bench.run(&record_only(&planned, &inputs), &mut Unwatched), RunEnd::Outcome(Outcome::Done));
    assert_eq!(&calls, bench.world.calls(), "recording sends nothing");
    bench.plan(variables, Mode::Apply)
}

/// What a plan would do, for messages.
fn to_do(planned: &Planned) -> Vec<String> {
    let changes = planned.plan.changes.iter().filter(|change| change.action != Action::NoOp);
    let changes = changes.map(|change| format!("{:?} {} {:?}", change.action, change.target, change.attributes));
    let outputs = planned.plan.outputs.iter().filter(|output| output.before != output.after);
    changes.chain(outputs.map(|output| format!("{output:?}"))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Of a stack that stands, everything is found: the same objects at the same addresses, of the same history and
    /// generation, with the same choices. The next plan is empty.
    #[test]
    fn a_standing_stack_is_recorded_as_it_was(tfvars in any_tfvars(), seed in any::<u64>()) {
        let mut bench = Bench::new(seed, Durations::Drawn);
        let variables = variables(&tfvars);
        bench.apply(&variables, Mode::Apply);
        let lost = bench.state();
        let again = recover(&mut bench, &variables, &BY_TAGS).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        prop_assert!(again.plan.is_empty(), "{:?}", to_do(&again));
        let found = bench.state();
        prop_assert_eq!(&found.lineage, &lost.lineage);
        prop_assert_eq!(&found.outputs, &lost.outputs);
        prop_assert_eq!(&found.deposed, &lost.deposed);
        let (now, then) = (&found.private.choices, &lost.private.choices);
        prop_assert_eq!(&now.availability_zones, &then.availability_zones);
        prop_assert_eq!(&now.image, &then.image);
        prop_assert!(then.db_engine_version.is_none() || now.db_engine_version == then.db_engine_version);
        prop_assert_eq!(found.private.secrets.contains_key(DB_PASSWORD), !variables.db_manage_master_user_password);
        prop_assert_eq!(found.resources.keys().collect::<Vec<_>>(), lost.resources.keys().collect::<Vec<_>>());
        for (address, resource) in &found.resources {
            let before = &lost.resources[address];
            prop_assert_eq!(&resource.dependencies, &before.dependencies, "{}", address);
            for (name, value) in &*before.attributes {
                let rule = address.kind.attribute(name).map_or(Compare::Exact, |attribute| attribute.compare);
                let now = resource.attributes.get(name).cloned().unwrap_or_default();
                let verdict = diff::compare(rule, value, &now, resource.id());
                prop_assert_eq!(verdict, diff::Verdict::Same, "{}.{}: {} {}", address, name, value, now);
            }
        }
        bench.apply(&variables, Mode::Destroy);
        prop_assert!(bench.world.account.is_empty(bench.world.now()));
    }

    /// Without a tag of ours, the place of each object tells the same; what is left to do is to tag them.
    #[test]
    fn a_stack_without_tags_is_found_by_its_shape(tfvars in any_tfvars(), seed in any::<u64>()) {
        let mut bench = Bench::new(seed, Durations::Drawn);
        let variables = variables(&tfvars);
        bench.apply(&variables, Mode::Apply);
        let lost = bench.state();
        untag(&mut bench);
        let vpc = lost.attribute(&Address::vpc(Kind::Vpc, "this", 0), "id").and_then(Value::as_str).unwrap_or_default();
        let search = Search::Vpc(vpc.to_owned());
        let (claimed, planned) = find(&mut bench, &variables, &search).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        prop_assert_eq!(&*claimed.state.lineage, FINDER);
        prop_assert!(claimed.left.is_empty(), "{:?}", claimed.left);
        prop_assert!(claimed.taken.iter().all(|taken| taken.by == By::Place));
        let ids = |state: &State| -> Vec<_> {
            state.resources.iter().map(|(address, resource)| (address.clone(), resource.id().map(str::to_owned))).collect()
        };
        prop_assert_eq!(ids(&claimed.state), ids(&lost));
        for change in &planned.plan.changes {
            prop_assert!(matches!(change.action, Action::NoOp | Action::Update), "{:?}", to_do(&planned));
            prop_assert!(change.attributes.iter().all(|attribute| &*attribute.name == "tags"), "{:?}", to_do(&planned));
        }
        recover(&mut bench, &variables, &search).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        bench.apply(&variables, Mode::Apply);
        let again = bench.plan(&variables, Mode::Apply).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        prop_assert!(again.plan.is_empty(), "{:?}", to_do(&again));
        bench.apply(&variables, Mode::Destroy);
        prop_assert!(bench.world.account.is_empty(bench.world.now()));
    }

    /// An apply is cut short at any moment and its state is lost: what it made is found, an apply goes on from there
    /// and makes nothing twice, and a destroy leaves nothing.
    #[test]
    fn a_part_of_a_stack_is_found_and_completed(tfvars in any_tfvars(), seed in any::<u64>(), at in 0.0..1.0_f64) {
        let mut bench = Bench::new(seed, Durations::Drawn);
        let variables = variables(&tfvars);
        let mut whole = bench.clone();
        let planned = whole.plan(&variables, Mode::Apply).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        let first = whole.world.effects();
        prop_assert_eq!(whole.run(&planned, &mut Unwatched), RunEnd::Outcome(Outcome::Done));
        let last = whole.world.effects();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in between")]
        let effect = first + ((last - first) as f64 * at) as u64;
        let planned = bench.plan(&variables, Mode::Apply).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        bench.world.faults = FaultPlan::at(effect, Fault::CrashAfter);
        let end = bench.run(&planned, &mut Unwatched);
        prop_assert_eq!(end, RunEnd::Crashed);
        // What was on the wire has arrived by then.
        bench.world.rest(std::time::Duration::from_secs(1));
        let some = !picture(&bench.world).is_empty();
        match recover(&mut bench, &variables, &BY_TAGS) {
            Ok(_) => prop_assert!(some),
            Err(problems) => {
                prop_assert!(!some, "{problems:?} {:?}", picture(&bench.world));
                prop_assert!(format!("{problems:?}").contains("carries the tags"), "{problems:?}");
                bench.store = MemoryStore::new();
            }
        }
        bench.apply(&variables, Mode::Apply);
        prop_assert_eq!(picture(&bench.world), picture(&whole.world));
        let again = bench.plan(&variables, Mode::Apply).map_err(|p| TestCaseError::fail(format!("{p:?}")))?;
        prop_assert!(again.plan.is_empty(), "{:?}", to_do(&again));
        bench.apply(&variables, Mode::Destroy);
        prop_assert!(bench.world.account.is_empty(bench.world.now()));
    }
}

/// February 2026: a new laptop, no state, and a plan that would have made everything a second time.
#[test]
fn without_its_state_a_stack_is_neither_made_twice_nor_destroyed() {
    let mut bench = Bench::new(31, Durations::Median);
    let variables = variables("");
    bench.apply(&variables, Mode::Apply);
    let (before, standing) = (bench.world.calls().clone(), picture(&bench.world));
    for mode in [Mode::Apply, Mode::Destroy] {
        bench.store = MemoryStore::new();
        // Nobody knows when the lost state was written.
        bench.world.rest(std::time::Duration::from_secs(60));
        let problems = bench.plan(&variables, mode).expect_err("a refusal");
        let [Problem::Impossible { summary, hint }] = problems.as_slice() else { panic!("{problems:?}") };
        assert!(summary.contains("(module.vpc.aws_vpc.this[0])") && summary.contains("aloka-dev-db"), "{summary}");
        assert!(hint.contains("aloka state recover"), "{hint}");
    }
    let mutating = bench.world.calls().iter().filter(|(operation, _)| operation.is_mutating());
    assert!(mutating.clone().all(|(operation, count)| before.get(operation) == Some(count)));
    assert_eq!(picture(&bench.world), standing);
    // Another environment in the same account is nobody's business.
    let other = aloka_tests::variables("environment = \"other\"\nproject_name = \"shop\"");
    assert!(bench.plan(&other, Mode::Apply).is_ok());
}

/// What the database is asked for at its recovery is never its new password.
#[test]
fn the_password_is_recorded_and_not_sent() {
    let mut bench = Bench::new(32, Durations::Median);
    let variables = variables("");
    bench.apply(&variables, Mode::Apply);
    let (_, planned) = find(&mut bench, &variables, &BY_TAGS).expect("found");
    assert!(planned.plan.is_empty() || planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
    assert_eq!(planned.plan.secrets.get(DB_PASSWORD).map(|hash| &**hash), Some("argon2id$test"));
}

/// Two objects that carry the same address and generation: nobody can tell which is the stack's.
#[test]
fn what_is_ambiguous_is_named_and_not_claimed() {
    let mut bench = Bench::new(33, Durations::Median);
    let variables = variables("");
    bench.apply(&variables, Mode::Apply);
    let now = bench.world.now();
    let state = bench.state();
    let tags = state.attribute(&Address::vpc(Kind::Eip, "nat", 0), "tags").cloned().expect("tags");
    let args = [("Domain", Value::str("vpc")), ("Tags", tags)];
    let made = bench.world.account.call(now, &Request(Call::new(Ec2::AllocateAddress, args)), &secrets());
    let twin = made.expect("an address").get("AllocationId").as_str().map(str::to_owned).expect("an ID");
    let problems = find(&mut bench, &variables, &BY_TAGS).expect_err("ambiguous");
    let [Problem::Impossible { summary, .. }] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(summary.starts_with("module.vpc.aws_eip.nat[0] may be any of ") && summary.contains(&twin), "{summary}");
}

/// A stranger's things in the same VPC stay a stranger's.
#[test]
fn what_does_not_fit_is_left_alone() {
    let mut bench = Bench::new(34, Durations::Median);
    let variables = variables("");
    bench.apply(&variables, Mode::Apply);
    let vpc = bench.state().attribute(&Address::vpc(Kind::Vpc, "this", 0), "id").cloned().expect("an ID");
    let now = bench.world.now();
    let args = [("VpcId", vpc), ("CidrBlock", Value::str("10.0.99.0/24")), ("Tags", Value::map([("Name", "theirs")]))];
    let made = bench.world.account.call(now, &Request(Call::new(Ec2::CreateSubnet, args)), &secrets());
    let theirs =
        made.expect("a subnet").at("Subnet.SubnetId").and_then(Value::as_str).map(str::to_owned).expect("an ID");
    let (claimed, planned) = find(&mut bench, &variables, &BY_TAGS).expect("found");
    assert_eq!(claimed.left, [format!("{theirs} (aws_subnet, \"theirs\")")]);
    assert!(claimed.taken.iter().all(|taken| taken.id != theirs));
    assert!(planned.plan.nodes.is_empty(), "{:?}", to_do(&planned));
}
