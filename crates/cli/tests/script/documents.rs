//! What the documents say is what the tool does.

use std::collections::BTreeSet;

use aloka_core::api::{MANAGED_PASSWORD_ACTIONS, Operation};

use crate::support::Dir;

fn repository(path: &str) -> String {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&path).expect("a document of the repository")
}

#[test]
fn the_checklist_names_every_iam_action() {
    let text = repository("docs/DEPLOYMENT_CHECKLIST.md");
    let is_action = |word: &&str| {
        ["ec2:", "iam:", "kms:", "rds:", "secretsmanager:", "ssm:"].iter().any(|prefix| word.starts_with(prefix))
    };
    let named: BTreeSet<String> = text.split([' ', '\n', '`', ',']).filter(is_action).map(str::to_owned).collect();
    let managed = MANAGED_PASSWORD_ACTIONS.iter().map(|action| (*action).to_owned());
    let needed = Operation::ALL.iter().flat_map(|operation| operation.iam_actions());
    let needed: BTreeSet<String> = needed.chain(managed).collect();
    let missing: Vec<_> = needed.difference(&named).collect();
    let extra: Vec<_> = named.difference(&needed).collect();
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}\nnot needed: {extra:?}");
}

#[test]
fn the_example_is_valid() {
    let dir = Dir::new().file("terraform.tfvars", &repository("examples/terraform.tfvars"));
    dir.run(&["validate"]).expect(0);
    dir.run(&["simulate"]).expect(0).says("Every promise was held.");
}
