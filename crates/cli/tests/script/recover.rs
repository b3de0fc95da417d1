//! The state is lost, moved, mended: by the real binary on the simulated account.

use crate::support::{Dir, PASSWORD};

const ID: &str = "aloka-dev-db";
const STATE: &str = "terraform.tfstate";

fn state(dir: &Dir) -> serde_json::Value {
    let text = std::fs::read_to_string(dir.path().join(STATE)).expect("a state");
    serde_json::from_str(&text).expect("JSON")
}

fn lose(dir: &Dir) {
    std::fs::remove_file(dir.path().join(STATE)).expect("removed");
}

/// What a state says of each object, without what a new record cannot know.
fn records(dir: &Dir) -> Vec<(String, String)> {
    let state = state(dir);
    let resources = state["resources"].as_array().expect("resources");
    let of = |resource: &serde_json::Value| {
        let address = format!("{} {} {}", resource["module"], resource["type"], resource["name"]);
        let instances = resource["instances"].as_array().expect("instances");
        let id = |i: &serde_json::Value| (format!("{address} {}", i["index_key"]), i["attributes"]["id"].to_string());
        instances.iter().map(id).collect::<Vec<_>>()
    };
    resources.iter().flat_map(of).collect()
}

#[test]
fn a_lost_state_is_recovered_and_the_next_plan_is_empty() {
    let dir = Dir::new();
    dir.apply(&[]);
    let (lost, recorded, outputs) = (state(&dir), records(&dir), dir.run(&["output", "-json"]).stdout);
    lose(&dir);
    for args in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"], &["plan", "-destroy"]] {
        let ran = dir.run(args).expect(1).complains("the state records nothing, but objects of project \"aloka\"");
        ran.complains("module.vpc.aws_vpc.this[0]").complains(ID).complains("aloka state recover");
    }
    dir.run(&["apply", "-auto-approve", "-allow-data-loss", ID]).expect(1).complains("a second time");
    let dry = dir.run(&["state", "recover", "-dry-run"]).expect(0).says("Found 22 objects");
    dry.says("Nothing was recorded").says("The next plan has nothing to do.");
    assert!(!dir.path().join(STATE).exists());
    let ran = dir.run(&["state", "recover"]).expect(0).says("aws_db_instance.postgres").says("(by its tags)");
    ran.says("it was not sent").says("The next plan has nothing to do.");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
    assert_eq!(records(&dir), recorded);
    assert_eq!(dir.run(&["output", "-json"]).expect(0).stdout, outputs);
    let found = state(&dir);
    assert_eq!(found["lineage"], lost["lineage"]);
    assert_eq!(found["aloka"]["generations"], lost["aloka"]["generations"]);
    assert_eq!(found["aloka"]["choices"]["image"], lost["aloka"]["choices"]["image"]);
    for (path, bytes) in dir.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "the password is in {}", path.display());
    }
    dir.run(&["state", "recover"]).expect(1).complains("it is not lost");
    dir.run(&["destroy", "-auto-approve", "-allow-data-loss", ID]).expect(0).says("21 destroyed");
    dir.run(&["plan"]).expect(0);
    dir.run(&["state", "recover"]).expect(1).complains("carries the tags of project \"aloka\"");
}

/// Giving another password at recovery must not change the database's: only giving another one after it does.
#[test]
fn recovery_never_changes_the_password() {
    let dir = Dir::new();
    dir.apply(&[]);
    lose(&dir);
    let another = ["-var", "db_password=another-horse-battery"];
    dir.run(&[&["state", "recover"], &another[..]].concat()).expect(0);
    dir.run(&[&["plan", "-detailed-exitcode"], &another[..]].concat()).expect(0);
    dir.run(&["plan", "-detailed-exitcode"]).expect(2).says("password").says("1 to change");
}

#[test]
fn a_part_of_a_stack_is_recovered_and_finished() {
    let dir = Dir::new();
    dir.apply(&["-var=enable_nat_gateway=false", "-var=app_instance_count=0"]);
    lose(&dir);
    let ran = dir.run(&["state", "recover"]).expect(0).says("The next plan: ");
    ran.says("0 to change, 0 to destroy");
    dir.apply(&[]).says("0 changed, 0 destroyed");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn a_vpc_is_adopted_and_a_stranger_is_not() {
    let dir = Dir::new();
    dir.apply(&[]);
    let vpc = dir.run(&["output", "-raw", "vpc_id"]).expect(0).stdout;
    dir.run(&["adopt", "-vpc", &vpc]).expect(1).complains("it is not lost");
    lose(&dir);
    dir.run(&["adopt", "-vpc=vpc-00000000000000000"]).expect(1).complains("there is no VPC vpc-00000000000000000");
    dir.run(&["adopt"]).expect(1).complains("-vpc");
    // Tags tell, whatever the variables say; what has none here, the subnet group of another name, is not found.
    let other = ["-var=project_name=shop", "-dry-run"];
    let ran = dir.run(&[&["adopt", "-vpc", vpc.as_str()], &other[..]].concat()).expect(0);
    ran.says("Found 21 objects").says("aws_db_instance.postgres").says("Nothing was recorded");
    dir.run(&["adopt", "-vpc", &vpc]).expect(0).says("Found 22 objects");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn objects_are_imported_one_by_one() {
    let dir = Dir::new();
    dir.apply(&[]);
    for address in ["aws_instance.app", "aws_db_instance.postgres", "module.vpc.aws_route.private_nat_gateway[0]"] {
        let shown = dir.run(&["state", "show", address]).expect(0).stdout;
        let value = |name: &str| {
            let line = shown.lines().find(|line| line.trim().starts_with(&format!("{name} "))).unwrap_or_default();
            line.split('"').nth(1).unwrap_or_default().to_owned()
        };
        let id = match address {
            "aws_db_instance.postgres" => value("identifier"),
            "aws_instance.app" => value("id"),
            _ => format!("{}_0.0.0.0/0", value("route_table_id")),
        };
        dir.run(&["import", address, &id]).expect(1).complains("is recorded already");
        dir.run(&["state", "rm", address]).expect(0).says(&format!("Removed {address}")).says("1 resource instance(s)");
        if address.contains("aws_route.") {
            // A route carries no tags.
            dir.run(&["plan", "-detailed-exitcode"]).expect(2).says("1 to add");
        } else {
            dir.run(&["plan"]).expect(1).complains("would be made a second time").complains("aloka import");
        }
        dir.run(&["import", address, &id]).expect(0).says(&format!("imported {id}"));
        dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    }
    let subnet = dir.run(&["state", "show", "module.vpc.aws_subnet.public[1]"]).expect(0).stdout;
    let subnet = subnet.split('"').find(|text| text.starts_with("subnet-")).expect("an ID").to_owned();
    dir.run(&["state", "rm", "module.vpc.aws_subnet.public[0]"]).expect(0);
    let ran = dir.run(&["import", "module.vpc.aws_subnet.public[0]", &subnet]).expect(1);
    ran.complains("cannot be module.vpc.aws_subnet.public[0]").complains("aws_instance.app is recorded with subnet_id");
    let ran = dir.run(&["import", "module.vpc.aws_subnet.public[0]", "subnet-00000000000000000"]).expect(1);
    ran.complains("there is no aws_subnet subnet-00000000000000000");
    dir.run(&["import", "aws_instance.web", "i-1"]).expect(1).complains("is not an address of this stack");
    dir.run(&["import", "aws_instance.app[1]", "i-1"]).expect(1).complains("there is no aws_instance i-1");
    dir.run(&["import", "module.vpc.aws_route.private_nat_gateway[7]", "rtb"]).expect(1).complains("rtb-0123_");
    dir.run(&["import", "nonsense", "x"]).expect(1).complains("not an address of this stack");
}

#[test]
fn records_are_moved_and_pushed() {
    let dir = Dir::new();
    dir.apply(&[]);
    let before = state(&dir);
    let serial = |state: &serde_json::Value| state["serial"].as_u64().expect("a serial");
    dir.run(&["state", "mv", "-dry-run", "module.vpc", "module.network"]).expect(0).says("Would move \"module.vpc.");
    assert_eq!(state(&dir), before);
    dir.run(&["state", "mv", "module.vpc", "module.network"]).expect(0).says("Successfully moved 17 object(s).");
    assert_eq!(serial(&state(&dir)), serial(&before) + 1);
    let backup = std::fs::read_to_string(dir.path().join("terraform.tfstate.backup")).expect("a backup");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&backup).expect("JSON"), before);
    dir.run(&["state", "list"]).expect(0).says("module.network.aws_vpc.this[0]");
    dir.run(&["state", "mv", "module.network", "module.vpc"]).expect(0);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.run(&["state", "mv", "aws_instance.none", "aws_instance.app"]).expect(1).complains("is not in the state");
    dir.run(&["state", "rm", "aws_instance.none"]).expect(1).complains("is not in the state");

    let pulled = dir.run(&["state", "pull"]).expect(0).stdout;
    let dir = dir.file("same", &pulled).file("old", &before.to_string()).file("junk", "{}").file("empty", "");
    dir.run(&["state", "push", "same"]).expect(0);
    assert_eq!(dir.run(&["state", "pull"]).stdout, pulled, "the same state is not written again");
    dir.run(&["state", "push", "old"]).expect(1).complains("over newer state with serial");
    dir.run(&["state", "push", "junk"]).expect(1).complains("cannot use junk");
    dir.run(&["state", "push", "empty"]).expect(1).complains("it is empty");
    let mut other = before.clone();
    other["lineage"] = "another".into();
    let dir = dir.file("other", &other.to_string());
    dir.run(&["state", "push", "other"]).expect(1).complains("unrelated state with lineage");
    dir.run(&["state", "push", "-force", "old"]).expect(0);
    assert_eq!(state(&dir), before);
    let mut ahead = before.clone();
    ahead["serial"] = 900.into();
    dir.run_with(&["state", "push", "-"], &ahead.to_string()).expect(0);
    assert_eq!(serial(&state(&dir)), 900);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.apply(&["-var=app_instance_type=t3.medium"]);
    assert!(serial(&state(&dir)) > 900);
}

/// A state that Terraform wrote holds the password in clear: pushed, it does not any more, and is still known.
#[test]
fn a_pushed_password_is_hashed() {
    let dir = Dir::new();
    dir.apply(&[]);
    let mut theirs = state(&dir);
    theirs.as_object_mut().expect("an object").remove("aloka");
    let resources = theirs["resources"].as_array_mut().expect("resources");
    let database = resources.iter_mut().find(|r| r["type"] == "aws_db_instance").expect("a database");
    database["instances"][0]["attributes"]["password"] = PASSWORD.into();
    lose(&dir);
    let theirs = theirs.to_string();
    dir.run_with(&["state", "push", "-"], &theirs).expect(0);
    for (path, bytes) in dir.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains(PASSWORD), "the password is in {}", path.display());
    }
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.run(&["plan", "-detailed-exitcode", "-var=db_password=another-horse-battery"]).expect(2).says("password");
    // Beside Terraform, without a push: the same.
    std::fs::write(dir.path().join(STATE), &theirs).expect("written");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.apply(&[]);
    let written = std::fs::read_to_string(dir.path().join(STATE)).expect("a state");
    assert!(!written.contains(PASSWORD), "the next write drops it");
}
