//! Whatever a file holds, a command that reads it ends with one clear error and a next step, and changes nothing.

use std::fs;

use serde_json::{Value, json};

use crate::support::Dir;

/// Runs the command, which must refuse, say `why` in one error with a hint, and leave every file as it is.
#[track_caller]
fn refused(dir: &Dir, args: &[&str], why: &str) {
    let before = dir.files();
    let ran = dir.run(args).expect(1).complains(why).complains("hint: ");
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{args:?}:\n{}", ran.stderr);
    assert!(!ran.stderr.contains("invariant violated") && !ran.stderr.contains("panicked"), "{}", ran.stderr);
    let told = |c: char| c.is_control() && c != '\n';
    assert!(ran.stderr.len() < 20_000 && !ran.stderr.contains(told), "{args:?}: {} bytes", ran.stderr.len());
    assert!(dir.files() == before, "{args:?} changed a file");
}

/// The same for a file of that many bytes, which take no room: too many to be compared.
#[track_caller]
fn refused_for_its_size(dir: &Dir, name: &str, bytes: u64, args: &[&str]) {
    let path = dir.path().join(name);
    fs::File::create(&path).expect("made").set_len(bytes).expect("room");
    let ran = dir.run(args).expect(1).complains(name).complains("more than ").complains("hint: ");
    assert_eq!(ran.stderr.matches("error: ").count(), 1, "{args:?}:\n{}", ran.stderr);
    assert_eq!(fs::metadata(&path).expect("there").len(), bytes);
    fs::remove_file(path).expect("removed");
}

fn nested(depth: usize) -> String {
    "[".repeat(depth)
}

#[test]
fn variables() {
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("terraform.tfvars", b"vpc_cidr = \"10.0.0.0/16".to_vec(), "not closed"),
        ("terraform.tfvars", b"environment = \"a\"\nenvironment = \"b\"\n".to_vec(), "set twice"),
        ("terraform.tfvars", format!("tags = {}", nested(100_000)).into_bytes(), "nested 16 deep"),
        ("terraform.tfvars", format!("app_instance_count = {}1", "-".repeat(100_000)).into_bytes(), "nested too deep"),
        ("terraform.tfvars", format!("environment = \"{}\"", "x".repeat(1 << 20)).into_bytes(), "longer than"),
        ("terraform.tfvars", b"environment = \"\xff\xfe\"".to_vec(), "not UTF-8"),
        ("terraform.tfvars", b"app_instance_count = 99999999999999999999999\n".to_vec(), "but must be 0 to 20000"),
        ("terraform.tfvars.json", b"{\"environment\": \"a\"".to_vec(), "expected, but the file ends here"),
        ("terraform.tfvars.json", b"{\"environment\": \"a\", \"environment\": \"b\"}".to_vec(), "set twice"),
        ("terraform.tfvars.json", format!("{{\"tags\": {}", nested(100_000)).into_bytes(), "nested 16 deep"),
        ("terraform.tfvars.json", b"[]".to_vec(), "must hold one object"),
    ];
    for (name, contents, why) in table {
        let dir = Dir::new();
        fs::write(dir.path().join(name), contents).expect("written");
        refused(&dir, &["plan"], why);
        refused(&dir, &["apply", "-auto-approve"], why);
    }
    let dir = Dir::new();
    refused_for_its_size(&dir, "terraform.tfvars", 1 << 40, &["plan"]);
}

#[test]
fn states() {
    let dir = Dir::new();
    dir.apply(&[]);
    let path = dir.path().join("terraform.tfstate");
    let good = fs::read_to_string(&path).expect("a state");
    let state: Value = serde_json::from_str(&good).expect("JSON");
    let with = |key: &str, value: Value| {
        let mut state = state.clone();
        state[key] = value;
        state.to_string().into_bytes()
    };
    let mut twice = state["resources"].as_array().expect("a list").clone();
    twice.push(twice[0].clone());
    let mut later = state["aloka"].clone();
    later["format_version"] = json!(3);
    later["something_new"] = json!(true);
    let mut unknown = state["aloka"].clone();
    unknown["something\u{1b}[31m"] = json!(true);
    let table: Vec<(Vec<u8>, &str)> = vec![
        (good.as_bytes()[..good.len() / 2].to_vec(), "it is cut off"),
        (good.as_bytes()[..1].to_vec(), "it is cut off"),
        (with("version", json!(5)), "format version 5"),
        (b"{\"version\": 5, \"serial\": \"many\"}".to_vec(), "format version 5"),
        (with("aloka", later), "has format version 3"),
        (with("aloka", unknown), "unknown field"),
        (with("resources", json!(twice)), "recorded twice"),
        (with("serial", json!(u64::MAX)), "no other state can follow"),
        (with("serial", json!(-1)), "not a state file"),
        (format!("{{\"version\": 4, \"resources\": {}", nested(100_000)).into_bytes(), "it is cut off"),
        (format!("{{\"version\": 4, \"serial\": 1, \"serial\": 2, {}", &good[1..]).into_bytes(), "duplicate field"),
        ([good.as_bytes(), b"\xff"].concat(), "is not UTF-8 text"),
        (b"{}".to_vec(), "not a state file"),
    ];
    for (contents, why) in table {
        fs::write(&path, contents).expect("written");
        for args in [&["plan"][..], &["apply", "-auto-approve"], &["destroy", "-auto-approve"], &["state", "list"]] {
            refused(&dir, args, why);
        }
    }
    refused_for_its_size(&dir, "terraform.tfstate", (256 << 20) + 1, &["plan"]);
    fs::write(&path, good).expect("written");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn saved_plans() {
    let dir = Dir::new();
    dir.run(&["plan", "-out=tfplan"]).expect(0);
    let path = dir.path().join("tfplan");
    let good = fs::read_to_string(&path).expect("a plan");
    let plan: Value = serde_json::from_str(&good).expect("JSON");
    let with = |pointer: &str, value: Value| {
        let mut plan = plan.clone();
        *plan.pointer_mut(pointer).expect(pointer) = value;
        plan.to_string().into_bytes()
    };
    let table: Vec<(Vec<u8>, &str)> = vec![
        (good.as_bytes()[..good.len() / 2].to_vec(), "another kind of file"),
        (with("/format_version", json!(99)), "format version 99"),
        (with("/variables/vpc_cidr", json!("10.0.0.0/8")), "its variables are not valid"),
        (with("/variables/app_instance_count", json!(4_000_000_000_u32)), "its variables are not valid"),
        (with("/plan/nodes/0/needs", json!([5])), "does not come before it"),
        (with("/plan/nodes/0/steps/0/Call/call/args", json!({})), "lacks"),
        (with("/plan/nodes/0/steps/0/Call/call/operation", json!("ec2:DeleteEverything")), "unknown operation"),
        (format!("{{\"kind\": \"aloka plan\", {}", &good[1..]).into_bytes(), "another kind of file"),
        (good.replace("\"upgrade\":false", &format!("\"upgrade\":{}", nested(100_000))).into_bytes(), "another kind"),
        (good.replace("\"upgrade\":false", "\"upgrade\":false,\"more\":1").into_bytes(), "unknown field"),
        (Vec::new(), "is "),
    ];
    for (contents, why) in table {
        fs::write(&path, contents).expect("written");
        refused(&dir, &["apply", "tfplan"], why);
        refused(&dir, &["show", "tfplan"], why);
    }
    refused_for_its_size(&dir, "tfplan", 1 << 40, &["apply", "tfplan"]);

    // Of another history.
    fs::write(&path, &good).expect("written");
    dir.apply(&[]);
    refused(&dir, &["apply", "tfplan"], "saved plan is stale");
}

/// A plan whose calls are not those of its changes: neither shown as if nothing were to do, nor applied.
#[test]
fn plans_that_show_one_thing_and_do_another() {
    let dir = Dir::new();
    dir.apply(&[]);
    dir.run(&["plan", "-out=noop"]).expect(0).says("No changes.");
    dir.run(&["plan", "-destroy", "-out=gone"]).expect(0);
    let load = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(dir.path().join(name)).expect(name)).expect("JSON")
    };
    let (noop, gone) = (load("noop"), load("gone"));
    let nodes = gone["plan"]["nodes"].as_array().expect("nodes");
    let deleted = nodes.iter().find(|n| n["target"]["address"] == "aws_db_instance.postgres" && n["verb"] == "Delete");
    let mut deleted = deleted.expect("a deletion").clone();
    deleted["needs"] = json!([]);
    let call = |verb: &str, operation: &str, args: Value| {
        json!({
            "target": { "address": "aws_security_group.app", "deposed": null }, "verb": verb, "needs": [],
            "steps": [{ "Call": { "call": { "operation": operation, "args": args }, "save": "Nothing", "recover": null } }],
            "generation": 1, "after": {}, "dependencies": [],
        })
    };
    let open = json!([{ "IpProtocol": "-1", "IpRanges": [{ "CidrIp": "0.0.0.0/0" }] }]);
    let rule = json!({ "GroupId": "sg-0fffffffffffffff0", "IpPermissions": open });
    for node in [
        deleted,
        call("Update", "ec2:TerminateInstances", json!({ "InstanceIds": ["i-0fffffffffffffff0"] })),
        call("Read", "ec2:AuthorizeSecurityGroupIngress", rule),
    ] {
        let mut evil = noop.clone();
        evil["plan"]["nodes"] = json!([node]);
        fs::write(dir.path().join("evil"), evil.to_string()).expect("written");
        refused(&dir, &["show", "evil"], "of which it shows no change");
        refused(&dir, &["apply", "evil", "-allow-data-loss=aloka-dev-db"], "of which it shows no change");
    }
    // One that says as much as it does is not the plan of this directory.
    let mut open = noop.clone();
    open["plan"]["nodes"] = gone["plan"]["nodes"].clone();
    open["plan"]["changes"] = gone["plan"]["changes"].clone();
    fs::write(dir.path().join("open"), open.to_string()).expect("written");
    refused(&dir, &["apply", "open"], "-allow-data-loss=aloka-dev-db");
    let ran = dir.run(&["apply", "open", "-allow-data-loss=aloka-dev-db"]).expect(1);
    ran.complains("saved plan is stale").complains("its change is not the one that follows now");
    // What it tells of outputs is not what is recorded.
    let mut lying = noop.clone();
    for output in lying["plan"]["outputs"].as_array_mut().expect("outputs") {
        output["after"] = json!("6.6.6.6");
    }
    fs::write(dir.path().join("lying"), lying.to_string()).expect("written");
    dir.run(&["apply", "lying"]).expect(1).complains("its outputs are not the ones that follow now");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn traces() {
    let dir = Dir::new();
    dir.run(&["simulate", "-trace=run.jsonl"]).expect(0);
    let path = dir.path().join("run.jsonl");
    let good = fs::read_to_string(&path).expect("a trace");
    let (header, events) = good.split_once('\n').expect("lines");
    let with = |key: &str, value: Value| {
        let mut header: Value = serde_json::from_str(header).expect("JSON");
        *header.pointer_mut(key).expect(key) = value;
        format!("{header}\n{events}").into_bytes()
    };
    let cut: String = good.lines().take(10).map(|line| format!("{line}\n")).collect();
    let table: Vec<(Vec<u8>, &str)> = vec![
        (cut.into_bytes(), "it is not complete"),
        (good.as_bytes()[..good.len() / 2].to_vec(), "is damaged"),
        (header.as_bytes()[..40].to_vec(), "its header, is damaged"),
        (with("/aloka_trace", json!(2)), "a trace of format 2"),
        (with("/faults", json!("x#=")), "its header, is damaged"),
        (with("/variables/app_instance_count", json!(4_000_000_000_u32)), "its variables"),
        (with("/variables/vpc_cidr", json!("10.0.0.0/8")), "its variables"),
        (format!("{header}\n{}\n{events}", nested(100_000)).into_bytes(), "is damaged"),
        (format!("{{\"aloka_trace\": 1, {}", &good[1..]).into_bytes(), "duplicate field"),
        (with("/seed", json!(77)), "the replay differs"),
        (good.replacen("CreateVpc", "CreateVpz", 1).into_bytes(), "is damaged"),
        (good.replacen("0 ms", "1 ms", 1).replacen("\"at\":0", "\"at\":1", 1).into_bytes(), "the replay differs"),
        (b"\xff\xfe".to_vec(), "UTF-8"),
        (Vec::new(), "it is no trace"),
    ];
    for (contents, why) in table {
        fs::write(&path, contents).expect("written");
        refused(&dir, &["simulate", "-replay=run.jsonl"], why);
    }
    refused_for_its_size(&dir, "run.jsonl", 1 << 40, &["simulate", "-replay=run.jsonl"]);
}

/// What is wrong with a lock info unlocks nothing, and keeps nobody out if nothing is in it; what is no lock stays as it
/// is.
#[test]
fn lock_info() {
    let deep = format!("{{\"ID\": {}", nested(100_000));
    for contents in ["", "{", "{\"ID\": 7}", "\u{0}\u{0}", &deep] {
        let dir = Dir::new().file(".terraform.tfstate.lock.info", contents);
        let before = dir.files();
        let ran = dir.run(&["force-unlock", "-force", "7"]).expect(1).complains("no lock has the ID `7`");
        assert_eq!(ran.stderr.matches("error: ").count(), 1, "{}", ran.stderr);
        assert!(dir.files() == before);
        if contents.trim_matches('\0').is_empty() {
            dir.run(&["plan"]).expect(0);
        } else {
            refused(&dir, &["plan"], "is another kind of file, not a lock");
        }
    }
}
