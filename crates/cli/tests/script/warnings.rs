//! What is said of a choice where it is made, of a value that does not count, and of a script that would not run.

use crate::support::{Dir, PASSWORD};

const UNIX: &str = "#!/bin/sh\necho \"with echo\" and more\nsystemctl start docker\n";

fn windows() -> String {
    UNIX.replace('\n', "\r\n")
}

/// Only of the plan that takes the default image, and no more once somebody wrote down that it is meant.
#[test]
fn an_image_out_of_support_is_told_where_it_is_chosen() {
    let told = "support of Amazon Linux 2";
    let dir = Dir::new();
    dir.run(&["plan"]).expect(0).complains(told);
    let validated = dir.run(&["validate"]).expect(0);
    assert!(!validated.stderr.contains(told), "{}", validated.stderr);
    dir.apply(&[]).complains(told);
    for args in [vec!["plan"], vec!["plan", "-var=environment=x", "-destroy"], vec!["refresh"], vec!["output"]] {
        let ran = dir.run(&args);
        assert!(!ran.stderr.contains(told), "{args:?}: {}", ran.stderr);
    }
    // Chosen anew.
    dir.run(&["plan", "-upgrade"]).expect(0).complains(told);
    for chosen in ["app_ami_family=amazon-linux-2", "app_ami_family=al2023", "app_instance_count=0"] {
        let ran = Dir::new().run(&["plan", "-var", chosen]).expect(0);
        assert!(!ran.stderr.contains(told), "{chosen}: {}", ran.stderr);
    }
}

/// An error is the last thing on the screen: what is to be done stands there.
#[test]
fn errors_come_last() {
    let ran = Dir::new().run(&["plan", "-var", "vpc_cidr=1", "-var", "db_password=correct-horse-battery"]).expect(1);
    let at = |word: &str| ran.stderr.rfind(word).unwrap_or_else(|| panic!("no {word} in {}", ran.stderr));
    assert!(at("warning:") < at("error:"), "{}", ran.stderr);
}

#[test]
fn a_file_that_overrides_the_environment_is_told() {
    let tfvars = "environment = \"prod\"\nproject_name = \"same\"\n\ndb_password = \"another-long-word-7\"\n";
    let dir = Dir::new()
        .file("terraform.tfvars", tfvars)
        .env("TF_VAR_environment", "dev")
        .env("TF_VAR_project_name", "same")
        .env("TF_VAR_db_multi_az", "true")
        .env("AWS_REGION", "us-west-2");
    let ran = dir.run(&["validate"]).expect(0);
    let ran = ran.complains("terraform.tfvars:4 overrides TF_VAR_db_password, which is set");
    let ran = ran.complains("delete that line: the variable keeps the password out of files");
    let ran = ran.complains("terraform.tfvars:1 overrides TF_VAR_environment, which is set");
    assert_eq!(ran.stderr.matches(" overrides ").count(), 2, "{}", ran.stderr);
    assert!(!ran.stderr.contains("another-long") && !ran.stderr.contains(PASSWORD), "{}", ran.stderr);
    // The user's own word counts more than both, and needs no word about it.
    let ran = dir.run(&["validate", "-var=environment=x"]).expect(0);
    assert!(!ran.stderr.contains("TF_VAR_environment"), "{}", ran.stderr);
}

#[test]
fn windows_line_endings_are_told_and_replace_no_server() {
    for (before, after) in [(UNIX.to_owned(), windows()), (windows(), UNIX.to_owned())] {
        let dir = Dir::new().file("init.sh", &before).file("terraform.tfvars", "app_user_data = \"init.sh\"\n");
        dir.apply(&[]);
        let dir = dir.file("init.sh", &after);
        let ran = dir.run(&["plan", "-detailed-exitcode"]).expect(0);
        let ran = ran.says("aws_instance.app booted with the script in init.sh, with other line endings");
        assert_eq!(ran.stderr.contains("Windows line endings (CRLF)"), after.contains('\r'), "{}", ran.stderr);
        // A server that is made for another reason gets the script as it is now.
        let plan = dir.run(&["plan", "-var=app_instance_count=2", "-out=x"]).expect(0).says("Plan: 1 to add");
        drop(plan);
        let other = after.replace("and more", "and less");
        dir.file("init.sh", &other).run(&["plan", "-detailed-exitcode"]).expect(2).says("user_data");
    }
}

#[test]
fn a_home_directory_is_meant_by_the_user_alone() {
    let dir = Dir::new().file("boot.sh", UNIX);
    // The directory is the home directory, too.
    dir.run(&["validate", "-var", "app_user_data=~/boot.sh"]).expect(0);
    let output = dir.command(&["validate"]).env("TF_VAR_app_user_data", "~/boot.sh").output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    dir.run(&["validate", "-var", "app_user_data=~/none.sh"]).expect(1).complains("none.sh");
    let dir = dir.file("terraform.tfvars", "app_user_data = \"~/boot.sh\"\n");
    let ran = dir.run(&["validate"]).expect(1).complains("names only files beside it");
    ran.complains("to take a file from elsewhere, say so yourself");
}

#[test]
fn an_apostrophe_is_a_part_of_a_password() {
    let dir = Dir::new().env("TF_VAR_db_password", "it's-a-Long-Secret-17");
    dir.run(&["validate"]).expect(0);
    dir.apply(&[]);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
    for (path, bytes) in dir.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("it's-a"), "{} holds the password", path.display());
    }
    for wrong in ["with/slash-and", "with\"quote-and", "with@sign-and", "with space-and"] {
        let ran = dir.run(&["validate", "-var", &format!("db_password={wrong}")]).expect(1);
        ran.complains("holds one of / \" @ or a space");
    }
}
