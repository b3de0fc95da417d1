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

/// From the lowest source to the highest, each with what it says; the origin is told where a value is refused.
#[test]
fn defaults_of_variable_blocks_come_after_all_that_is_set() {
    let block =
        "variable \"aws_region\" {\n  default = \"eu-west-3\"\n}\nvariable \"environment\" { default = \"prod\" }\n";
    let dir = Dir::new().env("AWS_REGION", "eu-west-1");
    dir.run(&["plan"]).expect(0).says(" in eu-west-1");
    let dir = dir.file("variables.tf", block);
    dir.run(&["plan"]).expect(0).says(" in eu-west-3").says("aloka-prod-db");
    let dir = dir.env("TF_VAR_aws_region", "us-west-1");
    dir.run(&["plan"]).expect(0).says(" in us-west-1").says("aloka-prod-db");
    let dir = dir.file("terraform.tfvars", "aws_region = \"us-west-2\"\n");
    dir.run(&["plan"]).expect(0).says(" in us-west-2");
    dir.run(&["plan", "-var=aws_region=eu-west-2"]).expect(0).says(" in eu-west-2");
    let dir = Dir::new().file("variables.tf", "variable \"vpc_cidr\" {\n  default = \"10.0.0.0/33\"\n}\n");
    for args in [&["plan"][..], &["validate"], &["simulate"], &["graph"], &["apply", "-auto-approve"]] {
        dir.run(args).expect(1).complains("--> variables.tf:2:13");
    }
    let dir = Dir::new().file("v.tf", "variable \"environment\" {\n  default = lower(\"PROD\")\n}\n");
    let ran = dir.run(&["plan"]).expect(0).says("aloka-dev-db");
    ran.complains("warning: the default of environment does not count").complains("--> v.tf:2:13");
}

/// Wherever a file names a file: only one of its directory.
#[test]
fn a_default_names_only_files_of_its_directory() {
    let outside = tempfile::NamedTempFile::new().expect("a file");
    let dir = Dir::new().file("boot.sh", "#!/bin/sh\necho hello\n");
    let block = |name: &str| format!("variable \"app_user_data\" {{\n  default = {name:?}\n}}\n");
    std::fs::write(dir.path().join("v.tf"), block("boot.sh")).expect("written");
    dir.run(&["plan"]).expect(0).says("servers boot with boot.sh");
    for name in [outside.path().to_str().expect("UTF-8"), "../boot.sh", "/etc/passwd"] {
        std::fs::write(dir.path().join("v.tf"), block(name)).expect("written");
        dir.run(&["plan"]).expect(1).complains("app_user_data");
    }
}

#[test]
fn undeclared_names_are_warned_of_as_terraform_does() {
    let dir = Dir::new().file("terraform.tfvars", "owner = \"a\"\nregoin = 1\n").file("n.tfvars", "cost = 1\n");
    let ran = dir.run(&["plan", "-var-file=n.tfvars"]).expect(0);
    for told in ["no variable called \"owner\"", "no variable called \"regoin\"", "1 more value of names"] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    assert_eq!(ran.stderr.matches("error:").count(), 0, "{}", ran.stderr);
    dir.run(&["plan", "-var=owner=a"]).expect(1).complains("error: there is no variable called \"owner\"");
    let mut command = dir.command(&["validate"]);
    let told = command.env("TF_VAR_elsewhere", "x").output().expect("it runs").stderr;
    assert!(!String::from_utf8_lossy(&told).contains("elsewhere"));
    // What the directory declares is its own.
    let dir = dir.file("v.tf", "variable \"owner\" {}\nvariable \"cost\" {}\n");
    let ran = dir.run(&["plan", "-var-file=n.tfvars", "-var=owner=a"]).expect(0);
    assert!(!ran.stderr.contains("called \"owner\"") && !ran.stderr.contains("called \"cost\""), "{}", ran.stderr);
    ran.complains("set here, declared by this directory, and no part of this stack: cost, owner");
}

#[test]
fn what_the_directory_declares_beside_the_stack_is_told() {
    let dir = Dir::new()
        .file(
            "main.tf",
            "resource \"aws_s3_bucket\" \"b\" {}\nresource \"aws_instance\" \"app\" {}\nmodule \"vpc\" {}\n",
        )
        .file("outputs.tf", "output \"x\" { value = 1 }\n");
    let line = "main.tf: 1 resource (aws_s3_bucket.b) is not part of this stack, left alone";
    let ran = dir.run(&["init"]).expect(0).says(line);
    assert_eq!(ran.stdout.matches("left alone").count(), 1, "{}", ran.stdout);
    dir.run(&["plan"]).expect(0).complains(line);
    let json = dir.run(&["plan", "-json"]).expect(0);
    assert_eq!(json.stdout.matches(line).count(), 1, "{}", json.stdout);
    dir.apply(&[]).complains(line);
    assert!(!Dir::new().run(&["plan"]).expect(0).stderr.contains("left alone"));
}
