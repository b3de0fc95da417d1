//! The sweep that ends a destroy: what it looked for, and what it found that the state knows nothing of.

use serde_json::Value;

use crate::support::Dir;

const DESTROY: [&str; 3] = ["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"];

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn destroy_tells_what_it_looked_for() {
    let dir = Dir::new();
    dir.run(&["destroy", "-auto-approve"]).expect(0).says("No changes.");
    dir.apply(&[]);
    dir.run(&["plan", "-destroy", "-calls"])
        .expect(0)
        .says("wait ec2:DescribeVpcs Filters={tag:aloka-lineage=[")
        .says("until none of Vpcs has the tag aloka-lineage=")
        .says("wait rds:DescribeDBInstances until");
    let ran = dir.run(&DESTROY).expect(0).says("checked 12 kinds by tag aloka-lineage=").says(": nothing left\n");
    let (sweep, summary) = ran.stdout.split_once("Destroy complete!").expect("complete");
    assert!(sweep.contains("checked 12 kinds") && summary.contains(" destroyed."), "{}", ran.stdout);
    // Nothing to destroy, and looked again.
    dir.run(&DESTROY).expect(0).says("No changes.").says(": nothing left").says("Resources: 0 destroyed.");
    dir.run(&["plan", "-destroy", "-detailed-exitcode"]).expect(0);
}

#[test]
fn what_the_state_does_not_know_is_told_and_left_alone() {
    let dir = Dir::new();
    dir.apply(&[]);
    let state = std::fs::read(dir.path().join("terraform.tfstate")).expect("a state");
    // One that a destroy only forgets: a state that records nothing would be taken for a lost one.
    dir.edit("terraform.tfstate", |state| {
        let all = state["resources"].as_array_mut().expect("a list");
        all.retain(|resource| resource["type"] == "aws_default_security_group");
    });
    let trimmed = std::fs::read(dir.path().join("terraform.tfstate")).expect("a state");
    let ran = dir.run(&DESTROY).expect(1);
    let ran = ran.says("checked 12 kinds by tag aloka-lineage=").complains("error: aws_vpc vpc-");
    let ran = ran.complains("tagged module.vpc.aws_vpc.this[0], carries this state's tags and is not in it");
    let ran = ran.complains("hint: if nobody needs it, remove it with `aws ec2 delete-vpc --vpc-id vpc-");
    let ran = ran.complains("error: aws_db_instance aloka-dev-db, tagged aws_db_instance.postgres, carries");
    assert!(!ran.stdout.contains("Destroy complete!"), "{}", ran.stdout);

    std::fs::write(dir.path().join("terraform.tfstate"), trimmed).expect("written");
    let ran = dir.run(&[&DESTROY[..], &["-json"]].concat()).expect(1);
    let lines = lines(&ran.stdout);
    let sweep = lines.iter().find(|line| line["type"] == "sweep").expect("a line");
    let left = sweep["sweep"]["left"].as_array().expect("a list");
    assert_eq!(sweep["sweep"]["kinds"].as_array().map(Vec::len), Some(12));
    assert!(left.iter().any(|left| left["kind"] == "aws_nat_gateway"), "{sweep}");
    assert!(left.iter().any(|left| left["address"] == "module.vpc.aws_subnet.private[1]"), "{sweep}");
    let errors = lines.iter().filter(|line| line["@level"] == "error" && line["type"] == "diagnostic").count();
    assert_eq!(errors, left.len());

    // Nothing was touched: with its state, the stack is whole.
    std::fs::write(dir.path().join("terraform.tfstate"), state).expect("written");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.run(&DESTROY).expect(0).says(": nothing left");
}
