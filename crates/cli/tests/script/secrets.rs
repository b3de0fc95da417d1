//! The password is nowhere but where AWS gets it.

use crate::support::{Dir, Ran};

const CANARY: &str = "canary-Zq7!secret-never";

#[track_caller]
fn clean(what: &str, ran: &Ran) {
    for text in [&ran.stdout, &ran.stderr] {
        assert!(!text.contains("Zq7"), "the password is in the output of {what}:\n{text}");
    }
}

#[test]
fn no_file_and_no_output_holds_the_password() {
    let dir = Dir::new().env("TF_VAR_db_password", CANARY);
    let story: &[(&[&str], i32)] = &[
        (&["validate"], 0),
        (&["validate", "-json"], 0),
        (&["plan", "-out=tfplan"], 0),
        (&["plan", "-json"], 0),
        (&["plan", "-calls"], 0),
        (&["show", "tfplan"], 0),
        (&["show", "-json", "tfplan"], 0),
        (&["apply", "tfplan"], 0),
        (&["apply", "-auto-approve", "-json", "-var=app_instance_type=t3.medium"], 0),
        (&["plan", "-var=db_password=another-Zq7-password", "-out=tfplan"], 0),
        (&["show", "-json", "tfplan"], 0),
        (&["plan", "-var=db_password=Zq7"], 1),
        (&["plan", "-var=Zq7"], 1),
        (&["plan", "-var", "db_password", "Zq7"], 1),
        (&["plan", "-db_password=Zq7"], 1),
        (&["apply", "-var", "db_password", "Zq7"], 1),
        (&["show"], 0),
        (&["show", "-json"], 0),
        (&["output", "-json"], 0),
        (&["state", "pull"], 0),
        (&["state", "show", "aws_db_instance.postgres"], 0),
        (&["simulate"], 0),
        (&["destroy", "-auto-approve"], 1),
        (&["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"], 0),
    ];
    for (args, code) in story {
        let ran = dir.run(args);
        clean(&args.join(" "), &ran);
        ran.expect(*code);
        for (path, bytes) in dir.files() {
            let found = bytes.windows(3).any(|window| window == b"Zq7");
            assert!(!found, "the password is in {} after {args:?}", path.display());
        }
    }
}

#[test]
fn a_message_about_a_bad_password_does_not_show_it() {
    let dir = Dir::new()
        .without("TF_VAR_db_password")
        .file("terraform.tfvars", "db_password = \"Zq7/\"\nenvironment = 7 7\n");
    let ran = dir.run(&["plan"]);
    clean("plan", &ran);
    ran.expect(1).complains("terraform.tfvars");
}

#[test]
fn a_saved_plan_asks_for_the_password_again() {
    let dir = Dir::new();
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &std::fs::metadata(dir.path().join("tfplan")).expect("there").permissions(),
    );
    assert_eq!(mode & 0o777, 0o600);
    let dir = dir.without("TF_VAR_db_password");
    dir.run(&["apply", "tfplan"]).expect(1).complains("TF_VAR_db_password");
    let dir = dir.env("TF_VAR_db_password", "quite-another-password");
    dir.run(&["apply", "tfplan"]).expect(1).complains("another password");
}

#[test]
fn a_changed_password_is_one_change() {
    let dir = Dir::new();
    dir.apply(&[]);
    let dir = dir.env("TF_VAR_db_password", "rotated-password-1");
    dir.run(&["plan", "-detailed-exitcode"])
        .expect(2)
        .says("Plan: 0 to add, 1 to change, 0 to destroy.")
        .says("(sensitive value)");
    dir.apply(&[]).says("0 added, 1 changed, 0 destroyed.");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}
