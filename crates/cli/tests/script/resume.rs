//! A command that was killed is run again.

use serde_json::Value;

use crate::support::{Dir, Ran};

/// The lines of a run that tell of a creation.
fn creations(ran: &Ran) -> Vec<&str> {
    ran.stderr.lines().filter(|line| line.ends_with(": Creating...")).collect()
}

fn gateways(dir: &Dir) -> usize {
    let account = std::fs::read(dir.path().join(".aloka/sim-account.json")).expect("an account");
    let account: Value = serde_json::from_slice(&account).expect("JSON");
    account["account"]["nats"].as_object().map_or(0, serde_json::Map::len)
}

#[test]
fn a_killed_apply_goes_on_and_tells_what_it_found() {
    let whole = Dir::new();
    let all = creations(&whole.apply(&[])).len();

    let dir = Dir::new();
    dir.killed_when(&["apply", "-auto-approve"], 20, "\"aws_nat_gateway\"");
    let ran = dir.apply(&[]).complains("an earlier run did not finish: found ");
    assert!(!ran.stderr.contains("aws_vpc.this[0]: Creating..."), "{}", ran.stderr);
    assert!(!ran.stderr.contains("aws_nat_gateway.this[0]: Creating..."), "{}", ran.stderr);
    let again = creations(&ran).len();
    assert!(again < all, "{again} of {all} were made again");
    assert_eq!(gateways(&dir), 1);
    let listed = |dir: &Dir| dir.run(&["state", "list"]).expect(0).stdout;
    assert_eq!(listed(&dir), listed(&whole));
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
}

/// Killed between AWS's answer and the write that records it, the state is as if there had been no answer.
#[test]
fn what_a_killed_apply_could_not_record_is_adopted() {
    let dir = Dir::new();
    dir.killed_when(&["apply", "-auto-approve"], 20, "\"aws_nat_gateway\"");
    dir.edit("terraform.tfstate", |state| {
        let intents = state["aloka"]["intents"].as_object().expect("intents");
        assert!(intents.contains_key("module.vpc.aws_nat_gateway.this[0]"), "{intents:?}");
        let resources = state["resources"].as_array_mut().expect("resources");
        resources.retain(|resource| resource["type"] != "aws_nat_gateway");
    });
    let ran = dir.apply(&[]).complains("module.vpc.aws_nat_gateway.this[0]: found nat-");
    let ran = ran.complains("created by an earlier run that could not record it");
    assert!(!ran.stderr.contains("aws_nat_gateway.this[0]: Creating..."), "{}", ran.stderr);
    assert_eq!(gateways(&dir), 1);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
}

/// Destroyed at once, without finishing first.
#[test]
fn a_killed_apply_is_destroyed() {
    let dir = Dir::new();
    dir.killed_when(&["apply", "-auto-approve"], 20, "\"aws_nat_gateway\"");
    let ran = dir.run(&["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"]).expect(0);
    ran.complains("an earlier run did not finish: found ").says(": nothing left");
    assert_eq!(dir.run(&["state", "list"]).expect(0).stdout, "");
}
