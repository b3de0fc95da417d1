//! Workspaces: which is chosen, where its state is, what each of Terraform's commands says, and that no name leads elsewhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::hostile::{CANARY, Outside};
use crate::support::Dir;

/// Every way to choose a workspace, and the state file that goes with it.
const WAYS: [(Option<&str>, Option<&str>, &str); 7] = [
    (None, None, "terraform.tfstate"),
    (None, Some("default\n"), "terraform.tfstate"),
    (None, Some(""), "terraform.tfstate"),
    (None, Some("prod\n"), "terraform.tfstate.d/prod/terraform.tfstate"),
    (Some("qa"), Some("prod"), "terraform.tfstate.d/qa/terraform.tfstate"),
    (Some("default"), Some("prod"), "terraform.tfstate"),
    (Some(""), Some("prod"), "terraform.tfstate.d/prod/terraform.tfstate"),
];

fn chosen(named: Option<&str>, noted: Option<&str>, data: Option<&str>) -> Dir {
    let mut dir = Dir::new();
    if let Some(noted) = noted {
        let directory = dir.path().join(data.unwrap_or(".terraform"));
        fs::create_dir(&directory).expect("made");
        fs::write(directory.join("environment"), noted).expect("written");
    }
    if let Some(data) = data {
        dir = dir.env("TF_DATA_DIR", data);
    }
    match named {
        Some(named) => dir.env("TF_WORKSPACE", named),
        None => dir,
    }
}

#[test]
fn the_chosen_workspace_has_a_state_of_its_own_and_is_told() {
    for (named, noted, path) in WAYS {
        for data in [None, Some("data")] {
            let dir = chosen(named, noted, data);
            let name = path.split('/').nth(1).unwrap_or("default");
            let case = format!("{named:?} {noted:?} {data:?}");
            assert_eq!(dir.run(&["workspace", "show"]).expect(0).stdout, format!("{name}\n"), "{case}");
            dir.run(&["init"]).expect(0).says(&format!("State: state file {path};"));
            let ran = dir.run(&["plan"]).expect(0);
            assert_eq!(
                ran.stdout.contains(&format!(", workspace {name}\n")),
                name != "default",
                "{case}: {}",
                ran.stdout
            );
            dir.apply(&[]);
            assert!(dir.path().join(path).exists(), "{case}");
            let states = dir.files().into_iter().filter(|(path, _)| path.ends_with("terraform.tfstate"));
            assert_eq!(states.count(), 1, "{case}");
            dir.run(&["plan", "-detailed-exitcode"]).expect(0);
            dir.run(&["state", "versions"]).expect(0).says(&format!("{path}  "));
            dir.run(&["state", "list"]).expect(0).says("aws_instance.app");
        }
    }
}

/// One account, two states: with names of their own both stand, and each plan is of its own.
#[test]
fn two_workspaces_share_the_account_and_nothing_else() {
    let dir = Dir::new();
    dir.apply(&[]);
    dir.run(&["workspace", "new", "prod"]).expect(0).says("Created and switched to workspace \"prod\"!");
    let ran = dir.run(&["plan", "-var=environment=prod", "-var=project_name=shop"]).expect(0);
    assert!(ran.stdout.contains("22 to add, 0 to change, 0 to destroy"), "{}", ran.stdout);
    // The same names are taken already: what has them is another state's, and is neither made again nor destroyed.
    for command in ["apply", "destroy"] {
        let refused = dir.run(&[command, "-auto-approve", "-allow-data-loss=aloka-dev-db"]).expect(1);
        refused
            .complains("objects of project \"aloka\", environment \"dev\" exist")
            .complains("choose another project_name");
    }
    let own = ["-var=environment=prod", "-var=project_name=shop"];
    dir.apply(&own);
    dir.run(&[&["plan", "-detailed-exitcode"], &own[..]].concat()).expect(0);
    dir.run(&["workspace", "select", "default"]).expect(0).says("Switched to workspace \"default\".");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.run(&["destroy", "-auto-approve", "-allow-data-loss=aloka-dev-db"]).expect(0);
    dir.run(&["workspace", "select", "prod"]).expect(0);
    dir.run(&[&["plan", "-detailed-exitcode"], &own[..]].concat()).expect(0);
}

#[test]
fn the_commands_say_and_do_what_terraforms_do() {
    let dir = Dir::new();
    assert_eq!(dir.run(&["workspace", "list"]).expect(0).stdout, "* default\n\n");
    dir.run(&["workspace", "new", "b"]).expect(0).says("You're now on a new, empty workspace.");
    dir.run(&["workspace", "select", "-or-create", "a"]).expect(0).says("Created and switched to workspace \"a\"!");
    assert_eq!(fs::read_to_string(dir.path().join(".terraform/environment")).expect("noted"), "a");
    assert_eq!(dir.run(&["workspace", "list"]).expect(0).stdout, "  default\n* a\n  b\n\n");
    assert_eq!(dir.run(&["workspace", "select", "a"]).expect(0).stdout, "", "it is that already");
    for (args, told) in [
        (&["new", "a"][..], "workspace \"a\" already exists"),
        (&["new", "default"], "workspace \"default\" already exists"),
        (&["select", "c"], "workspace \"c\" doesn't exist"),
        (&["select", "-or-create=false", "c"], "workspace \"c\" doesn't exist"),
        (&["delete", "c"], "workspace \"c\" doesn't exist"),
        (&["delete", "default"], "cannot delete default state"),
        (&["delete", "a"], "workspace \"a\" is your active workspace"),
        (&["delete", "-force", "a"], "workspace \"a\" is your active workspace"),
        (&["new", "a/b"], "the workspace name \"a/b\" is not allowed"),
        (&["select", ".."], "the workspace name \"..\" is not allowed"),
        (&["delete", "../.."], "the workspace name \"../..\" is not allowed"),
    ] {
        dir.run(&[&["workspace"], args].concat()).expect(1).complains(told);
    }
    dir.run(&["workspace", "delete", "b"]).expect(0).says("Deleted workspace \"b\"!");
    assert!(!dir.path().join("terraform.tfstate.d/b").exists());
    // Made, used and removed.
    dir.apply(&[]);
    dir.run(&["workspace", "select", "default"]).expect(0);
    let refused = dir.run(&["workspace", "delete", "a"]).expect(1).complains("workspace \"a\" is not empty");
    let refused = refused.complains("  - aws_").complains("and 1").complains("hint: aloka workspace delete -force a");
    assert!(!refused.stderr.contains("WARNING"), "{}", refused.stderr);
    assert!(dir.path().join("terraform.tfstate.d/a/terraform.tfstate").exists());
    dir.run(&["workspace", "delete", "-force", "a"]).expect(0).says("WARNING: \"a\" was non-empty.");
    assert!(!dir.path().join("terraform.tfstate.d/a").exists());
    assert_eq!(dir.run(&["workspace", "list"]).expect(0).stdout, "* default\n\n");
}

#[test]
fn what_the_environment_names_is_not_overridden_by_a_command() {
    let dir = Dir::new();
    dir.run(&["workspace", "new", "a"]).expect(0);
    let dir = dir.env("TF_WORKSPACE", "b");
    dir.run(&["workspace", "select", "a"]).expect(1).complains("currently overridden using the TF_WORKSPACE");
    dir.run(&["workspace", "new", "c"]).expect(1).complains("currently overridden using the TF_WORKSPACE");
    dir.run(&["workspace", "list"]).expect(0).says("  a\n").says("being overridden using the TF_WORKSPACE");
    dir.run(&["workspace", "new", "b"]).expect(0).says("Created and switched to workspace \"b\"!");
    dir.run(&["workspace", "delete", "a"]).expect(0);
    dir.run(&["workspace", "delete", "b"]).expect(1).complains("is your active workspace");
}

#[test]
fn more_than_a_state_is_not_removed_with_a_workspace() {
    let dir = Dir::new();
    dir.run(&["workspace", "new", "a"]).expect(0);
    dir.run(&["workspace", "select", "default"]).expect(0);
    let directory = dir.path().join("terraform.tfstate.d/a");
    fs::write(directory.join("notes.txt"), "mine").expect("written");
    dir.run(&["workspace", "delete", "-force", "a"]).expect(1).complains("holds more than a state: notes.txt");
    assert_eq!(fs::read_to_string(directory.join("notes.txt")).expect("there"), "mine");
    fs::remove_file(directory.join("notes.txt")).expect("removed");
    let outside = Outside::new();
    symlink(outside.path("file"), directory.join("terraform.tfstate")).expect("a link");
    let before = outside.looks();
    dir.run(&["workspace", "delete", "-force", "a"]).expect(1).complains("is a link");
    assert_eq!(outside.looks(), before);
}

#[test]
fn a_saved_plan_is_for_the_workspace_it_was_made_in() {
    let dir = Dir::new();
    dir.run(&["workspace", "new", "a"]).expect(0);
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    dir.run(&["show", "tfplan"]).expect(0).says(", workspace a\n");
    dir.run(&["workspace", "select", "default"]).expect(0);
    let refused = dir.run(&["apply", "tfplan"]).expect(1);
    refused.complains("the saved plan was made for the workspace a, not default").complains("aloka workspace select a");
    assert!(!dir.path().join("terraform.tfstate").exists());
    dir.run(&["workspace", "select", "a"]).expect(0);
    dir.run(&["apply", "tfplan"]).expect(0);
    dir.run(&["plan", "-out=tfplan", "-var=app_instance_type=t3.large"]).expect(0);
    let mut command = dir.command(&["apply", "tfplan"]);
    let output = command.env("TF_WORKSPACE", "b").output().expect("it runs");
    let told = String::from_utf8(output.stderr).expect("UTF-8");
    assert!(told.contains("made for the workspace a, not b") && told.contains("set TF_WORKSPACE=a"), "{told}");
    // One of the default workspace says nothing of it, as before there were any.
    let plain = Dir::new();
    plain.run(&["plan", "-out=tfplan"]).expect(0);
    assert!(!fs::read_to_string(plain.path().join("tfplan")).expect("read").contains("\"workspace\""));
}

/// A directory is data: what it says of the workspace leads nowhere else.
#[test]
fn no_name_of_a_workspace_leads_elsewhere() {
    let outside = Outside::new();
    let up = format!("../../{}/directory", outside.path("").file_name().expect("a name").to_string_lossy());
    let before = outside.looks();
    let long = "x".repeat(300);
    let names = ["..", ".", "../..", "a/b", "/etc", &up, "a\u{202e}b", "a b", "\u{1b}[2J", &long, "a\nb"];
    let commands: [&[&str]; 6] = [
        &["plan"],
        &["apply", "-auto-approve"],
        &["state", "list"],
        &["init"],
        &["workspace", "show"],
        &["workspace", "list"],
    ];
    for name in names {
        for (named, noted) in [(Some(name), None), (None, Some(name))] {
            let dir = chosen(named, noted, None);
            for args in commands {
                let ran = dir.run(args).expect(1).complains("workspace").complains("hint: ");
                assert!(!ran.stderr.contains(['\u{1b}', '\u{202e}']), "{}", ran.stderr);
            }
            assert!(!dir.path().join("terraform.tfstate.d").exists(), "{name:?}");
        }
        // The way out of what the file says.
        let dir = chosen(None, Some(name), None);
        dir.run(&["workspace", "select", "default"]).expect(0);
        dir.run(&["plan"]).expect(0);
    }
    assert_eq!(outside.looks(), before);
    // By links no more than by names.
    for link in ["terraform.tfstate.d", "terraform.tfstate.d/prod"] {
        for target in ["directory", "nothing"] {
            let dir = chosen(Some("prod"), None, None);
            let path = dir.path().join(link);
            fs::create_dir_all(path.parent().expect("a directory")).expect("made");
            symlink(outside.path(target), &path).expect("a link");
            for args in [&["plan"][..], &["apply", "-auto-approve"], &["refresh"]] {
                dir.run(args).expect(1).complains("outside of this directory, and holds no state yet");
            }
        }
    }
    let dir = chosen(None, Some("x"), None);
    fs::remove_file(dir.path().join(".terraform/environment")).expect("removed");
    symlink(outside.path("file"), dir.path().join(".terraform/environment")).expect("a link");
    for args in commands {
        let ran = dir.run(args).expect(1).complains("environment");
        assert!(!ran.stderr.contains(CANARY), "{}", ran.stderr);
    }
    assert_eq!(outside.looks(), before);
}

#[test]
fn a_state_in_s3_leaves_the_simulated_workspaces_to_themselves() {
    let block = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n  }\n}\n";
    let dir = Dir::new().file("provider.tf", block);
    dir.run(&["workspace", "new", "prod"]).expect(0);
    let state = ".aloka/sim.tfstate.d/prod/terraform.tfstate";
    dir.apply(&[])
        .complains(&format!("the simulated cloud keeps its state in {state}; s3://b/env:/prod/k is left alone"));
    assert!(dir.path().join(state).exists() && !dir.path().join(".aloka/sim.tfstate").exists());
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    assert_eq!(dir.run(&["workspace", "list"]).expect(0).stdout, "  default\n* prod\n\n");
    dir.run(&["workspace", "select", "default"]).expect(0);
    dir.run(&["workspace", "delete", "-force", "prod"]).expect(0);
    assert!(!dir.path().join(state).exists());
}

#[test]
fn a_local_backend_says_where_workspaces_are() {
    let block =
        "terraform {\n  backend \"local\" {\n    path = \"a.tfstate\"\n    workspace_dir = \"spaces\"\n  }\n}\n";
    let dir = Dir::new().file("main.tf", block);
    dir.apply(&[]);
    dir.run(&["workspace", "new", "prod"]).expect(0);
    dir.apply(&["-var=project_name=shop"]);
    for path in ["a.tfstate", "spaces/prod/terraform.tfstate"] {
        assert!(dir.path().join(path).exists(), "{path}");
    }
    // Both move when the configuration says another place.
    dir.run(&["init", "-reconfigure", "-backend-config=path=a.tfstate"]).expect(0);
    let moved =
        dir.run(&["init", "-migrate-state", "-backend-config=path=b.tfstate", "-backend-config=workspace_dir=w"]);
    let moved = moved.expect(0).says("from the local file a.tfstate to the local file b.tfstate");
    moved.says("from the local file spaces/prod/terraform.tfstate to the local file w/prod/terraform.tfstate");
    dir.run(&["plan", "-detailed-exitcode", "-var=project_name=shop"]).expect(0);
    dir.run(&["workspace", "select", "default"]).expect(0);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    // What stays where it is is not moved onto itself.
    let moved =
        dir.run(&["init", "-migrate-state", "-backend-config=path=c.tfstate", "-backend-config=workspace_dir=w"]);
    assert!(!moved.expect(0).says("to the local file c.tfstate").stdout.contains("w/prod"));
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    // A path that is given is no word on where workspaces are.
    let outside = Outside::new();
    let dir = Dir::new();
    symlink(outside.path("directory"), dir.path().join("terraform.tfstate.d")).expect("a link");
    let before = outside.looks();
    dir.run(&["init", "-backend-config=path=a.tfstate"]).expect(0);
    let mut command = dir.command(&["apply", "-auto-approve"]);
    let output = command.env("TF_WORKSPACE", "prod").output().expect("it runs");
    assert!(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("outside of this directory"));
    assert_eq!(outside.looks(), before);
}

/// The data directory may be anywhere, if it is the environment that says so.
#[test]
fn the_data_directory_of_the_environment_may_be_outside() {
    let elsewhere = tempfile::tempdir().expect("a directory");
    let path = elsewhere.path().join("data");
    let dir = Dir::new().env("TF_DATA_DIR", path.to_str().expect("UTF-8"));
    dir.run(&["workspace", "new", "prod"]).expect(0);
    assert_eq!(fs::read_to_string(path.join("environment")).expect("noted"), "prod");
    assert_eq!(dir.run(&["workspace", "show"]).expect(0).stdout, "prod\n");
    assert!(!Path::new(dir.path()).join(".terraform").exists());
}
