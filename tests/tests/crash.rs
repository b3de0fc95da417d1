//! I4 as stories: what an interrupted run made is finished, not made again. All schedules are in `sweep.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use aloka_core::address::Address;
use aloka_core::api::{Call, Ec2, Operation, Rds, Request};
use aloka_core::engine::{News, Notice, Outcome};
use aloka_core::kind::Kind;
use aloka_core::plan::{Action, Mode, Node};
use aloka_core::variables::Variables;
use aloka_sim::aws::Durations;
use aloka_sim::fault::{Fault, FaultPlan, When};
use aloka_sim::rehearsal::plan_round;
use aloka_sim::world::{RunEnd, Unwatched, Watch};
use aloka_tests::sweep::{CASES, Setting, Stand};
use aloka_tests::{Bench, inputs, secrets, variables};

/// One command, which a fault cuts short.
fn cut_short(bench: &mut Bench, variables: &Variables, faults: FaultPlan) {
    bench.world.faults = faults;
    let state = bench.state();
    let inputs = inputs(variables.clone(), Mode::Apply, &state);
    let planned = plan_round(&mut bench.world, &mut bench.store, &secrets(), state, &inputs).expect("a plan");
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Crashed);
}

#[test]
fn a_gateway_that_was_not_attached_yet_is_attached() {
    let variables = variables("");
    let mut bench = Bench::new(14, Durations::Median);
    let attach = When::Call { operation: Some(Operation::Ec2(Ec2::AttachInternetGateway)), nth: 1 };
    cut_short(&mut bench, &variables, FaultPlan(vec![(attach, Fault::CrashBefore)]));
    // What was on the wire when the process died has arrived; somebody undoes it.
    let gateway = Address::vpc(Kind::InternetGateway, "this", 0);
    let id = bench.state().attribute(&gateway, "id").cloned().expect("recorded");
    let vpc = bench.state().attribute(&Address::vpc(Kind::Vpc, "this", 0), "id").cloned().expect("recorded");
    let detach = Call::new(Ec2::DetachInternetGateway, [("InternetGatewayId", id.clone()), ("VpcId", vpc)]);
    let now = bench.world.now();
    let _attached_or_not = bench.world.account.call(now, &Request(detach), &secrets());
    let planned = bench.apply(&variables, Mode::Apply);
    let change = planned.plan.changes.iter().find(|c| c.target.address == gateway).expect("a change");
    assert_eq!(change.action, Action::Update);
    assert_eq!(bench.state().attribute(&gateway, "id"), Some(&id));
}

/// Terraform leaves an empty state, a stuck lock and orphans there.
#[test]
fn a_run_killed_eighteen_seconds_into_it_resumes() {
    let setting = setting("create", false);
    let start = setting.moments.iter().find(|moment| moment.operation.is_none()).expect("a first write").at;
    let moment =
        setting.moments.iter().find(|moment| moment.at >= start + Duration::from_secs(18)).expect("a longer run");
    let (mut stand, command) = (setting.start, setting.command);
    let sent = |stand: &Stand| -> u64 {
        let creations = stand.world.calls().iter().filter(|(operation, _)| operation.is_creating());
        creations.map(|(_, count)| count).sum()
    };
    stand.world.faults = FaultPlan::at(moment.effect, Fault::CrashBefore);
    let killed = stand.attempt(&command, None);
    assert_eq!((killed.cut.as_deref(), killed.adopted.as_slice()), (Some("crashed"), [].as_slice()));
    let (made, calls) = (stand.standing().len() as u64, sent(&stand));
    assert!(made >= 14, "{made} objects");

    let resumed = stand.attempt(&command, None);
    assert_eq!((resumed.cut, resumed.wrong), (None, Vec::new()));
    // It makes no more than what was missing.
    let standing = stand.standing().len() as u64;
    assert_eq!(sent(&stand) - calls, standing - made, "{made} objects were there, {standing} are");
}

#[test]
fn a_resumed_run_says_what_it_found_and_does_not_make_it_again() {
    let Setting { mut start, command, .. } = setting("create", false);
    start.world.faults = "RunInstances#1=crash-after".parse().expect("faults");
    assert_eq!(start.attempt(&command, None).cut.as_deref(), Some("crashed"));
    let resumed = start.attempt(&command, None);
    assert_eq!((resumed.cut, resumed.wrong), (None, Vec::new()));
    let told =
        |line: &&String| line.starts_with("aws_instance.app: found i-") && line.contains("created by an earlier run");
    assert_eq!(resumed.adopted.iter().filter(told).count(), 1, "{:?}", resumed.adopted);
    assert_eq!(start.world.calls().get(&Operation::Ec2(Ec2::RunInstances)), Some(&1));
}

#[test]
fn a_launch_that_aws_has_no_room_for_is_tried_again() {
    let mut bench = Bench::new(14, Durations::Median);
    let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
    bench.world.faults = "RunInstances#1=refused:InsufficientInstanceCapacity".parse().expect("faults");
    assert_eq!(bench.run(&planned, &mut Unwatched), RunEnd::Outcome(Outcome::Done));
    assert_eq!(bench.world.calls().get(&Operation::Ec2(Ec2::RunInstances)), Some(&2));
}

/// Nodes that were told to be finished, or left out.
#[derive(Default)]
struct Told {
    finished: BTreeSet<usize>,
    skipped: BTreeSet<usize>,
}

impl Watch for Told {
    fn notice(&mut self, _nodes: &[Node], notice: &Notice) {
        match notice.news {
            News::Finished { .. } => _ = self.finished.insert(notice.node),
            News::Skipped => _ = self.skipped.insert(notice.node),
            _ => {}
        }
    }
}

#[test]
fn a_failed_run_tells_what_it_left_out() {
    let mut bench = Bench::new(14, Durations::Median);
    let planned = bench.plan(&variables(""), Mode::Apply).expect("a plan");
    bench.world.faults = "CreateNatGateway=failed:InsufficientFreeAddressesInSubnet".parse().expect("faults");
    let mut told = Told::default();
    let end = bench.run(&planned, &mut told);
    let RunEnd::Outcome(Outcome::Failed { failures, skipped }) = end else { panic!("{end:?}") };
    let needed: Vec<usize> = failures.iter().map(|failure| failure.node).collect();
    let needs_it = |index: &usize| {
        planned.plan.nodes[*index].needs.iter().any(|need| needed.contains(&usize::try_from(*need).expect("an index")))
    };
    let expected: Vec<usize> = (0..planned.plan.nodes.len()).filter(needs_it).collect();
    assert_eq!((skipped.as_slice(), expected.is_empty()), (expected.as_slice(), false));
    assert_eq!(told.skipped.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn a_stopped_run_tells_what_is_left_to_do() {
    let variables = variables("");
    let mut left = BTreeSet::new();
    for moment in setting("create", false).moments.iter().step_by(7) {
        let mut bench = Bench::new(14, Durations::Median);
        let planned = bench.plan(&variables, Mode::Apply).expect("a plan");
        bench.world.faults = FaultPlan::at(moment.effect, Fault::Stop);
        let mut told = Told::default();
        match bench.run(&planned, &mut told) {
            RunEnd::Outcome(Outcome::Stopped { unfinished }) => {
                let all = 0..planned.plan.nodes.len();
                let expected: Vec<usize> = all.filter(|node| !told.finished.contains(node)).collect();
                assert_eq!(unfinished, expected, "stopped at effect {}", moment.effect);
                left.insert(unfinished.len());
            }
            RunEnd::Outcome(Outcome::Done) => left.extend([0]),
            end => panic!("stopped at effect {}: {end:?}", moment.effect),
        }
    }
    assert!(left.len() > 10, "{left:?}");
}

fn setting(name: &str, late: bool) -> Setting {
    let case = CASES.iter().find(|case| case.name == name).expect("the case");
    Setting::new(case, late).unwrap_or_else(|finding| panic!("{finding}"))
}

/// A fault at the `nth` call of an operation once the case's command has begun.
fn play(name: &str, late: bool, operation: Operation, nth: usize, fault: Fault) {
    let setting = setting(name, late);
    let calls: Vec<_> = setting.moments.iter().filter(|moment| moment.operation == Some(operation)).collect();
    let schedule = Setting::schedule(FaultPlan::at(calls[nth - 1].effect, fault));
    let played = setting.play(&schedule, None).unwrap_or_else(|finding| panic!("{finding}"));
    assert_eq!(played.runs, 1, "{name}: it is to get over that by itself");
}

#[test]
fn an_association_whose_replacement_was_not_answered_is_found() {
    play("NAT gateway in each zone", false, Operation::Ec2(Ec2::ReplaceRouteTableAssociation), 1, Fault::LostReply);
}

#[test]
fn a_search_that_is_throttled_or_not_answered_goes_on() {
    for fault in [Fault::Throttled, Fault::LostReply, Fault::ServerError { acted: false }] {
        play("recover: half a stack", false, Operation::Rds(Rds::DescribeDBInstances), 1, fault);
    }
}

#[test]
fn a_rule_of_a_group_that_does_not_show_yet_is_not_gone() {
    play("create", false, Operation::Ec2(Ec2::RevokeSecurityGroupEgress), 1, Fault::NotFound);
}

/// The group it replaces has the same address, and the one begun shows late.
#[test]
fn half_a_replacement_is_the_generation_it_was_begun_as() {
    setting("recover: half a replacement", true);
}

/// Who destroys does not make what was begun a second time, and so has to wait until it shows.
#[test]
fn destroy_waits_for_what_shows_late() {
    setting("destroy what was half made", true);
}

/// A read from before the change shows what was, as if nothing were to be waited for.
#[test]
fn a_change_of_the_database_is_waited_for_until_it_shows() {
    setting("change of the database", true);
}
