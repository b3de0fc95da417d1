//! A state in another form, by every way it comes in: told by name, with the way on, and nothing is changed. And what a state that
//! Terraform wrote marks as sensitive is shown to those who ask for it by name alone.

use std::fs;

use aloka_tests::canary::{CANARY, Canary};
use aloka_tests::forms::{flattened, forms};
use serde_json::{Value, json};

use crate::support::{Dir, PASSWORD, Ran};

const STATE: &str = "terraform.tfstate";

/// Advice that would end in a second stack: without its state, all of it would be made anew.
const NEVER: [&str; 7] =
    ["out of the way", "move it", "move the file", "move this", "delete it", "remove the state", "rename the state"];

fn stack() -> (Dir, String) {
    let dir = Dir::new();
    dir.apply(&[]);
    let good = fs::read_to_string(dir.path().join(STATE)).expect("a state");
    (dir, good)
}

/// Refused, with these words in one error and its hints, and every file as it was.
#[track_caller]
fn refused(dir: &Dir, args: &[&str], name: &str, told: &str, way: &str) {
    let before = dir.files();
    let ran = dir.run(args);
    assert_eq!(ran.code, 1, "{name}, {args:?}:\n{}\n{}", ran.stdout, ran.stderr);
    let Ran { stderr, .. } = &ran;
    assert!(stderr.contains(told) && stderr.contains(way), "{name}, {args:?}: no `{told}`, `{way}` in:\n{stderr}");
    assert!(stderr.contains("hint: ") && stderr.matches("error: ").count() == 1, "{name}, {args:?}:\n{stderr}");
    for never in NEVER {
        assert!(!stderr.contains(never), "{name}, {args:?}: `{never}` in:\n{stderr}");
    }
    assert!(!ran.stdout.contains("to add"), "{name}, {args:?}:\n{}", ran.stdout);
    assert!(dir.files() == before, "{name}, {args:?} changed a file");
}

#[test]
fn every_form_is_told_by_name_whatever_reads_it() {
    let (dir, good) = stack();
    let path = dir.path().join(STATE);
    for form in forms(&good) {
        fs::write(&path, &form.bytes).expect("written");
        let (name, told, way) = (form.name, form.told, form.way);
        for args in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"], &["state", "pull"]] {
            refused(&dir, args, name, told, way);
        }
    }
    // The rest reads a state by the same way.
    for args in [
        &["show"][..],
        &["output"],
        &["refresh"],
        &["state", "list"],
        &["state", "rm", "aws_instance.app"],
        &["state", "recover"],
    ] {
        for form in forms(&good).into_iter().step_by(7) {
            fs::write(&path, &form.bytes).expect("written");
            refused(&dir, args, form.name, form.told, form.way);
        }
    }
    fs::write(&path, &good).expect("written");
    for form in forms(&good) {
        fs::write(dir.path().join("other.tfstate"), &form.bytes).expect("written");
        refused(&dir, &["state", "push", "other.tfstate"], form.name, form.told, form.way);
        refused(&dir, &["show", "other.tfstate"], form.name, if form.name == "Latin-1" { "" } else { form.told }, "");
    }
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

/// By `-migrate-state` as well.
#[test]
fn every_form_is_told_by_name_when_a_state_moves() {
    let (dir, good) = stack();
    let dir = dir.without("ALOKA_CLOUD");
    let dir = dir.file("backend.tf", "terraform {\n  backend \"local\" {\n    path = \"new.tfstate\"\n  }\n}\n");
    for form in forms(&good) {
        fs::write(dir.path().join(STATE), &form.bytes).expect("written");
        refused(&dir, &["init", "-migrate-state"], form.name, form.told, form.way);
    }
    fs::write(dir.path().join(STATE), format!("\u{feff}{good}")).expect("written");
    dir.run(&["init", "-migrate-state"]).expect(0).says("read it back");
}

/// A mark before the text is not part of it.
#[test]
fn a_byte_order_mark_is_accepted_and_not_written_back() {
    let (dir, good) = stack();
    let marked = format!("\u{feff}{good}");
    let path = dir.path().join(STATE);
    fs::write(&path, &marked).expect("written");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    assert_eq!(fs::read_to_string(&path).expect("a state"), marked, "looking changes nothing");
    dir.run(&["show", STATE]).expect(0).says("aws_vpc");
    dir.run(&["plan", &format!("-out={STATE}")]).expect(1).complains("holds a state, which is never overwritten");
    dir.apply(&["-var=tags={a=\"b\"}"]);
    assert!(fs::read_to_string(&path).expect("a state").starts_with('{'));
    fs::write(dir.path().join("other.tfstate"), format!("\u{feff}{}", fs::read_to_string(&path).expect("a state")))
        .expect("written");
    dir.run(&["state", "push", "other.tfstate"]).expect(0);
}

/// Who wrote the state last was cut short: what it says now is not that there is nothing.
#[test]
fn an_emptied_state_beside_a_whole_backup_is_refused() {
    let (dir, _) = stack();
    dir.apply(&["-var=tags={a=\"b\"}"]);
    let path = dir.path().join(STATE);
    let whole = fs::read(&path).expect("a state");
    for contents in [&b""[..], b"\n", b"{", b"\0\0\0"] {
        fs::write(&path, contents).expect("written");
        for args in [&["plan"][..], &["apply", "-auto-approve"], &["state", "list"], &["state", "recover"]] {
            refused(&dir, args, "emptied", "terraform.tfstate: it ", "its backup is whole, serial");
        }
    }
    let ran = dir.run(&["plan"]).expect(1);
    let command = ran.stderr.lines().find_map(|line| line.split_once("restore it with: ")).expect("a command").1;
    let place = dir.path().canonicalize().expect("a directory").join(STATE).display().to_string();
    assert_eq!(command, format!("cp {place}.backup {place}"));
    fs::copy(dir.path().join("terraform.tfstate.backup"), &path).expect("copied");
    dir.run(&["plan"]).expect(0).says("No changes.");
    fs::write(&path, whole).expect("written");
    dir.run(&["plan"]).expect(0);
    // One that was never written is no loss.
    let dir = Dir::new().file(STATE, "");
    dir.run(&["plan"]).expect(0).says("22 to add");
}

/// Terraform 0.12 and later keep flat attributes until a provider rewrites them.
#[test]
fn flat_attributes_are_a_state_as_any_other() {
    let (dir, good) = stack();
    let mut last = 7_u32;
    let mut hash = || {
        last = last.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        last
    };
    let flat = flattened(&good, &mut hash);
    let dir = dir.file(STATE, &flat);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
    assert_eq!(fs::read_to_string(dir.path().join(STATE)).expect("a state"), flat);
    dir.run(&["plan", "-destroy"]).expect(0).says("21 to destroy");
    dir.apply(&["-var=tags={a=\"b\"}"]).says("0 destroyed");
    let written = fs::read_to_string(dir.path().join(STATE)).expect("a state");
    assert!(!written.contains("attributes_flat") && written.contains("\"attributes\""));
    let dir = dir.file("flat.tfstate", &flat);
    dir.run(&["show", "flat.tfstate"]).expect(0).says("enable_dns_support");
    dir.run(&["state", "push", "-force", "flat.tfstate"]).expect(0);
}

/// A stack whose state Terraform wrote: outputs, a user name, a tag and a device are marked as sensitive.
fn of_terraform() -> Dir {
    let dir = Dir::new().file("terraform.tfvars", &format!("db_username = {:?}\n", user()));
    dir.apply(&[]);
    let attribute = |name: &str| json!({ "type": "get_attr", "value": name });
    dir.edit(STATE, |state| {
        state["outputs"]["db_url"] = json!({ "value": { "url": CANARY }, "type": ["map", "string"], "sensitive": true });
        state["outputs"]["db_endpoint"] = json!({ "value": CANARY, "type": "string", "sensitive": true });
        for resource in state["resources"].as_array_mut().expect("a list") {
            if resource["type"] == "aws_db_instance" {
                let instance = &mut resource["instances"][0];
                instance["attributes"]["ca_cert_identifier"] = CANARY.into();
                instance["sensitive_attributes"] =
                    json!([[attribute("password")], [attribute("username")], [attribute("ca_cert_identifier")]]);
            }
        }
        state["resources"].as_array_mut().expect("a list").push(json!({
            "mode": "managed", "type": "random_password", "name": "x", "provider": "provider[\"registry.terraform.io/hashicorp/random\"]",
            "instances": [{ "schema_version": 3, "attributes": { "id": "none", "result": CANARY },
                "sensitive_attributes": [[attribute("result")]] }],
        }));
    });
    dir
}

/// A user name that RDS takes, with what is looked for in it.
fn user() -> String {
    CANARY.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Every command but those that are asked for a value, and what each leaves behind.
#[test]
fn what_the_state_marks_is_shown_by_no_command() {
    let canary = Canary::new();
    let dir = of_terraform();
    let own = [STATE, "terraform.tfstate.backup", "terraform.tfvars", ".aloka/sim-account.json"];
    let life: &[(&[&str], i32)] = &[
        (&["plan"], 0),
        (&["plan", "-verbose"], 0),
        (&["plan", "-json"], 0),
        (&["plan", "-calls"], 0),
        (&["plan", "-var=db_username=other"], 0),
        (&["plan", "-destroy"], 0),
        (&["plan", "-destroy", "-calls"], 0),
        (&["plan", "-refresh-only"], 0),
        (&["graph"], 0),
        (&["show"], 0),
        (&["output"], 0),
        (&["state", "list"], 0),
        (&["state", "show", "aws_db_instance.postgres"], 0),
        (&["refresh"], 0),
        (&["apply", "-auto-approve", "-var=app_instance_type=t3.medium"], 0),
        (&["apply", "-auto-approve", "-json"], 0),
        (&["state", "rm", "aws_instance.app"], 0),
        (&["output", "none"], 1),
        (&["destroy", "-auto-approve"], 1),
    ];
    for (args, code) in life {
        let ran = dir.run(args).expect(*code);
        canary.absent(&format!("the output of {args:?}"), &ran.stdout);
        canary.absent(&format!("the messages of {args:?}"), &ran.stderr);
        for (path, bytes) in dir.files().iter().filter(|(path, _)| !own.iter().any(|name| path.ends_with(name))) {
            canary.absent(&format!("{} after {args:?}", path.display()), bytes);
        }
    }
    // What is asked for is given, as Terraform gives it.
    dir.run(&["output"]).expect(0).says("db_url = <sensitive>\n").says("vpc_id = \"vpc-");
    dir.run(&["output", "db_url"]).expect(0).says("Zq7Canary3Kx");
    dir.run(&["output", "-json", "db_url"]).expect(0).says("Zq7Canary3Kx");
    let all: Value = serde_json::from_str(&dir.run(&["output", "-json"]).expect(0).stdout).expect("JSON");
    assert_eq!(all["db_url"], json!({ "sensitive": true, "type": ["map", "string"], "value": { "url": CANARY } }));
    assert_eq!((&all["db_endpoint"]["sensitive"], &all["vpc_id"]["sensitive"]), (&json!(true), &json!(false)));
    let shown: Value = serde_json::from_str(&dir.run(&["show", "-json"]).expect(0).stdout).expect("JSON");
    let resources = shown["values"]["root_module"]["resources"].as_array().expect("a list");
    let database = resources.iter().find(|resource| resource["type"] == "aws_db_instance").expect("a database");
    assert_eq!(database["values"]["username"], json!(user()));
    assert_eq!(
        (&database["sensitive_values"]["username"], &database["values"]["password"]),
        (&json!(true), &Value::Null)
    );
    dir.run(&["state", "show", "aws_db_instance.postgres"]).expect(0).says("username").says("(sensitive value)");
    // The marks have outlived all of that.
    let state: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join(STATE)).expect("a state")).expect("JSON");
    assert_eq!(
        state["outputs"]["db_url"],
        json!({ "value": { "url": CANARY }, "type": ["map", "string"], "sensitive": true })
    );
    assert_eq!(state["outputs"]["db_endpoint"]["sensitive"], true);
}

/// A saved plan holds the variables it was made from, and of the state nothing that it marks. It is carried out all the same.
#[test]
fn a_saved_plan_holds_nothing_that_the_state_marks() {
    let canary = Canary::new();
    let dir = of_terraform();
    fs::remove_file(dir.path().join("terraform.tfvars")).expect("removed");
    let dir = dir.file("terraform.tfvars", &format!("db_username = {:?}\napp_instance_type = \"t3.medium\"\n", user()));
    dir.run(&["plan", "-out=tfplan"]).expect(0).says("~ db_endpoint    = (sensitive value)");
    let mut saved: Value = serde_json::from_slice(&fs::read(dir.path().join("tfplan")).expect("a plan")).expect("JSON");
    let variables = saved.as_object_mut().expect("an object").remove("variables").expect("variables");
    assert_eq!(variables["db_username"], json!(user()), "what the user says is the user's");
    canary.absent("a saved plan", saved.to_string());
    for args in [&["show", "tfplan"][..], &["graph"]] {
        canary.absent("what is shown of it", &dir.run(args).expect(0).stdout);
    }
    let shown: Value = serde_json::from_str(&dir.run(&["show", "-json", "tfplan"]).expect(0).stdout).expect("JSON");
    canary.absent("its changes", shown["resource_changes"].to_string());
    canary.absent("its outputs", shown["output_changes"].to_string());
    assert_eq!(shown["output_changes"]["db_endpoint"]["before_sensitive"], true);
    // It asks for no password: none is sent.
    let dir = dir.without("TF_VAR_db_password");
    dir.run(&["apply", "tfplan"]).expect(0).says("db_endpoint = <sensitive>");
    let dir = dir.env("TF_VAR_db_password", PASSWORD);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}
