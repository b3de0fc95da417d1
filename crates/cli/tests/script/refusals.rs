//! What is refused leaves everything as it was.

use crate::support::Dir;

#[test]
fn a_plan_file_that_is_none() {
    let dir = Dir::new().file("junk", "{}").file("zip", "PK\u{3}\u{4}");
    dir.run(&["apply", "junk"]).expect(1).complains("junk is no saved plan");
    dir.run(&["apply", "zip"]).expect(1).complains("written by Terraform");
    dir.run(&["apply", "missing"]).expect(1).complains("missing");
    dir.run(&["apply", "-destroy", "junk"]).expect(1).complains("-destroy");
    dir.run(&["show", "junk"]).expect(1).complains("junk");
}

#[test]
fn a_state_that_is_none() {
    let dir = Dir::new().file("terraform.tfstate", "{\"version\":3}");
    for args in [&["plan"][..], &["apply", "-auto-approve"], &["state", "list"], &["output"], &["show"]] {
        dir.run(args).expect(1).complains("error: ").complains("version 3");
    }
}

#[test]
fn a_lock_held_by_a_living_process() {
    use std::process::{Command, Stdio};
    let dir = Dir::new();
    // Holds the lock while it waits for an answer that does not come.
    let mut holder = Command::new(env!("CARGO_BIN_EXE_aloka"));
    holder.args(["apply", "-input=true"]).current_dir(dir.path()).env("ALOKA_CLOUD", "sim");
    holder.env("TF_VAR_db_password", crate::support::PASSWORD);
    let mut holder = holder.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("starts");
    let mut stdout = std::io::BufReader::new(holder.stdout.take().expect("piped"));
    let mut line = String::new();
    while !line.contains("Do you want to perform these actions?") {
        line.clear();
        assert_ne!(std::io::BufRead::read_line(&mut stdout, &mut line).expect("read"), 0, "it never asked");
    }
    dir.run(&["apply", "-auto-approve"]).expect(1).complains("is locked").complains("-lock-timeout");
    drop(holder.stdin.take());
    assert_eq!(holder.wait().expect("ends").code(), Some(1));
    dir.apply(&[]);
}

#[test]
fn a_failed_apply_says_so_and_is_recorded() {
    let dir = Dir::new();
    dir.apply(&[]);
    // Another environment of the same project in the same account: one name is without its environment.
    let other = Dir::new();
    let copy = |from: &Dir, to: &Dir| {
        std::fs::create_dir_all(to.path().join(".aloka")).expect("made");
        std::fs::copy(from.path().join(".aloka/sim-account.json"), to.path().join(".aloka/sim-account.json"))
            .expect("copied");
    };
    copy(&dir, &other);
    let environment = "-var=environment=other";
    let ran = other.run(&["apply", "-auto-approve", environment]).expect(1);
    let ran = ran.complains("error: aws_db_subnet_group.main: ").complains("not ours").complains("hint: ");
    ran.complains("Apply incomplete.").complains("recorded in the state file");
    other.run(&["state", "list"]).expect(0).says("module.vpc.aws_nat_gateway.this[0]");
    let json = other.run(&["apply", "-auto-approve", "-json", environment]).expect(1).stdout;
    let failed = json.lines().find(|line| line.contains("\"apply_errored\"")).expect("a line for it");
    assert!(failed.contains("aws_db_subnet_group.main"), "{failed}");
    // The foreign objects are not touched by what is undone.
    other.run(&["destroy", "-auto-approve", environment]).expect(0);
    copy(&other, &dir);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

/// Keys in the environment may be another account's.
#[cfg(feature = "aws")]
#[test]
fn a_profile_that_does_not_exist_is_not_passed_over() {
    let profiles = "[prod]\naws_access_key_id = PROD\naws_secret_access_key = x\n";
    let dir = Dir::new().env("ALOKA_CLOUD", "aws").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let dir = dir.env("AWS_ACCESS_KEY_ID", "OTHER").env("AWS_SECRET_ACCESS_KEY", "x");
    let dir = dir.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_SHARED_CREDENTIALS_FILE", "profiles");
    let dir = dir.file("profiles", profiles);
    for command in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"]] {
        let ran = dir.run(&[command, &["-var=aws_profile=nope"]].concat()).expect(1);
        let ran = ran.complains("error: the AWS profile `nope` is neither in ~/.aws/config nor in profiles");
        ran.complains("hint: correct aws_profile, or add [profile nope] to ~/.aws/config or [nope] to profiles");
    }
    // One that does exist is used: nobody answers here.
    dir.run(&["plan", "-var=aws_profile=prod"]).expect(1).complains("no program listens at http://127.0.0.1:1");

    let dir = dir.file(
        "main.tf",
        "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key = \"k\"\n    profile = \"gone\"\n  }\n}\n",
    );
    for command in [&["plan"][..], &["state", "list"], &["output"]] {
        let ran = dir.run(command).expect(1).complains("cannot reach state object s3://b/k: ");
        let ran = ran.complains("the AWS profile `gone` is neither in ~/.aws/config nor in profiles");
        ran.complains("hint: correct profile of the backend block, or add [profile gone]");
    }
    assert!(!dir.path().join("terraform.tfstate").exists());
}

/// Somebody turned on termination protection: no permission would help, and the hint says what does.
#[test]
fn a_protected_server_is_told_with_the_way_to_let_it_go() {
    let dir = Dir::new();
    dir.apply(&[]);
    let protect = |on: bool| {
        dir.edit(".aloka/sim-account.json", |account| {
            for server in account["account"]["instances"].as_object_mut().expect("servers").values_mut() {
                server["protection"] = serde_json::json!({"termination": on});
            }
        });
    };
    let destroy = ["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"];
    protect(true);
    let ran = dir.run(&destroy).expect(1);
    let ran = ran.complains("error: aws_instance.app: ").complains("'disableApiTermination'");
    let ran = ran.complains("somebody turned on termination protection");
    let ran = ran.complains("aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id i-");
    assert!(!ran.stderr.contains("IAM"), "{}", ran.stderr);
    protect(false);
    dir.run(&destroy).expect(0);
}
