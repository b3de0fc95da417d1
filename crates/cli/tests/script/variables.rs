//! What is wrong with the variables is told together, with the place, before anything is sent.

use crate::support::Dir;

#[test]
fn problems_come_together_with_a_caret() {
    let dir = Dir::new()
        .file("terraform.tfvars", "vpc_cidr = \"10.0.0.0/33\"\nproject_name = \"Aloka!\"\ndb_allocated_storage = 5\n");
    let ran = dir.run(&["plan"]).expect(1);
    for line in ["terraform.tfvars:1:", "terraform.tfvars:2:", "terraform.tfvars:3:", "^^^"] {
        assert!(ran.stderr.contains(line), "`{line}` is not in:\n{}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("error: ").count(), 3, "{}", ran.stderr);
    assert_eq!(ran.stdout, "");
    let dir_json = dir.run(&["validate", "-json"]).expect(1).stdout;
    let json: serde_json::Value = serde_json::from_str(&dir_json).expect("JSON");
    assert_eq!((&json["valid"], &json["error_count"]), (&false.into(), &3.into()));
}

#[test]
fn a_missing_password_says_how_to_give_it() {
    let dir = Dir::new().without("TF_VAR_db_password");
    dir.run(&["plan"]).expect(1).complains("db_password").complains("TF_VAR_db_password");
    dir.run(&["validate"]).expect(0).says("valid");
}

#[test]
fn the_region_of_the_environment_is_a_default() {
    let dir = Dir::new().env("AWS_REGION", "eu-west-1");
    dir.run(&["plan"]).expect(0).says("eu-west-1");
    let dir = dir.file("terraform.tfvars", "aws_region = \"us-west-2\"\n");
    let ran = dir.run(&["plan"]).expect(0).says("us-west-2");
    assert!(!ran.stdout.contains("eu-west-1"), "{}", ran.stdout);
}

#[test]
fn init_writes_an_example_only_if_asked() {
    let dir = Dir::new();
    dir.run(&["init"]).expect(0).says("terraform.tfstate");
    assert_eq!(dir.files(), []);
    dir.run(&["init", "-example"]).expect(0);
    dir.run(&["validate"]).expect(0);
    dir.run(&["init", "-example"]).expect(0).says("terraform.tfvars");
}

#[test]
fn user_data_comes_from_a_file() {
    let dir =
        Dir::new().file("boot.sh", "#!/bin/bash\necho hi\n").file("terraform.tfvars", "app_user_data = \"boot.sh\"\n");
    dir.apply(&[]);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    std::fs::write(dir.path().join("boot.sh"), "x".repeat(20_000)).expect("written");
    dir.run(&["plan"]).expect(1).complains("boot.sh has 20000 bytes");
    std::fs::remove_file(dir.path().join("boot.sh")).expect("removed");
    dir.run(&["plan"]).expect(1).complains("app_user_data");
}
