//! The life of a stack: planned, made, changed, destroyed.

use crate::support::Dir;

const ID: &str = "aloka-dev-db";

#[test]
fn a_stack_lives_and_dies() {
    let dir = Dir::new();
    dir.run(&["plan", "-out=tfplan", "-detailed-exitcode"]).expect(2).says("to add, 0 to change, 0 to destroy.");
    dir.run(&["apply", "tfplan"]).expect(0).says("Apply complete! Resources: ").says("Outputs:").says("db_endpoint = ");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
    dir.apply(&[]).says("Apply complete! Resources: 0 added, 0 changed, 0 destroyed.");

    let changed = dir.run(&["plan", "-detailed-exitcode", "-var", "app_instance_type=t3.medium"]).expect(2);
    let changed = changed.says("Plan: 0 to add, 1 to change, 0 to destroy.").says("aws_instance.app");
    assert!(!changed.stdout.contains("aws_db_instance.postgres will"), "{}", changed.stdout);
    dir.apply(&["-var", "app_instance_type=t3.medium"])
        .says("Apply complete! Resources: 0 added, 1 changed, 0 destroyed.");
    dir.run(&["plan", "-detailed-exitcode"]).expect(2).says("1 to change");

    let listed = dir.run(&["state", "list"]).expect(0).says("module.vpc.aws_vpc.this[0]").stdout;
    assert!(listed.lines().count() > 20, "{listed}");
    dir.run(&["state", "show", "aws_instance.app"]).expect(0).says("t3.medium");

    dir.run(&["destroy", "-auto-approve"]).expect(1).complains(&format!("-allow-data-loss={ID}"));
    assert_eq!(dir.run(&["state", "list"]).stdout, listed, "nothing was destroyed");
    dir.run(&["destroy", "-auto-approve", "-allow-data-loss", ID]).expect(0).says("Destroy complete! Resources: ");
    assert_eq!(dir.run(&["state", "list"]).expect(0).stdout, "");
    dir.run(&["plan", "-destroy", "-detailed-exitcode", "-var=db_multi_az=true"]).expect(0).says("No changes.");
}

#[test]
fn a_destroyed_stack_can_be_made_again() {
    let dir = Dir::new();
    let first = dir.apply(&[]).stdout;
    dir.run(&["destroy", "-auto-approve", "-allow-data-loss", ID]).expect(0);
    let again = dir.apply(&[]).stdout;
    let summary = |text: &str| text.lines().find(|line| line.starts_with("Apply complete!")).map(str::to_owned);
    assert!(summary(&first).is_some());
    assert_eq!(summary(&first), summary(&again), "the account was empty");
}

#[test]
fn only_yes_is_a_yes() {
    let dir = Dir::new();
    for answer in ["no\n", "y\n", "YES\n", "\n"] {
        dir.run_with(&["apply", "-input=true"], answer).expect(1).complains("Apply cancelled.");
    }
    dir.run(&["apply"]).expect(1).complains("-auto-approve");
    assert_eq!(dir.run(&["state", "list"]).stdout, "");
    dir.run_with(&["apply"], "yes\n").expect(0).says("Apply complete!");
}

#[test]
fn a_stale_plan_is_refused() {
    let dir = Dir::new();
    dir.run(&["plan", "-out=first"]).expect(0);
    dir.run(&["plan", "-out=second", "-var=app_instance_type=t3.medium"]).expect(0);
    dir.run(&["apply", "first"]).expect(0);
    dir.run(&["apply", "second"]).expect(1).complains("saved plan is stale").complains("lineage");
    dir.run(&["apply", "first"]).expect(1).complains("saved plan is stale").complains("serial");
    // What a refresh has nothing to say about stays as it is, the serial too.
    dir.run(&["refresh"]).expect(0);
    dir.run(&["plan", "-out=third", "-var=app_instance_type=t3.medium"]).expect(0);
    dir.run(&["refresh"]).expect(0);
    dir.run(&["apply", "third"]).expect(0).says("0 added, 1 changed, 0 destroyed.");
}

#[test]
fn a_saved_plan_does_not_cover_the_loss_of_data() {
    let dir = Dir::new();
    dir.apply(&[]);
    dir.run(&["plan", "-destroy", "-out=end"]).expect(0);
    dir.run(&["apply", "end"]).expect(1).complains(&format!("-allow-data-loss={ID}"));
    dir.run(&["apply", "-allow-data-loss=another-db", "end"]).expect(1).complains(ID);
    dir.run(&["apply", &format!("-allow-data-loss={ID}"), "end"]).expect(0).says("Destroy complete!");
}

#[test]
fn refresh_changes_nothing_in_aws() {
    let dir = Dir::new();
    dir.apply(&[]);
    dir.run(&["refresh"]).expect(0);
    dir.run(&["plan", "-refresh-only", "-detailed-exitcode"]).expect(0);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}
