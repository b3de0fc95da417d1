//! `aloka certify` on the simulated AWS: everything is lived through, and what was planted is what is told.

use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value as Json, json};

use crate::support::{Dir, PASSWORD};

const ACCOUNT: &str = "123456789012";

fn certify(dir: &Dir, more: &[&str]) -> crate::support::Ran {
    let account = format!("-account={ACCOUNT}");
    dir.run(&[&["certify", &account, "-max-cost=5", "-seed=7", "-json"], more].concat())
}

fn report(text: &str) -> Json {
    serde_json::from_str(text).expect("a report")
}

/// The last state of the certification's directory.
fn state(dir: &Dir) -> Json {
    let path = dir.path().join(".aloka/certify/aloka-certify/terraform.tfstate");
    serde_json::from_slice(&std::fs::read(path).expect("a state")).expect("JSON")
}

#[test]
fn an_aws_that_is_as_the_simulator_has_it_shows_no_difference() {
    let dir = Dir::new();
    let ran = certify(&dir, &["-auto-approve"]).expect(0);
    let report = report(&ran.stdout);
    assert_eq!(report["differences"], json!([]), "{report:#}");
    assert_eq!((&report["failure"], &report["left"], &report["unread"]), (&Json::Null, &Json::Null, &json!([])));
    assert!(report["checked"].as_u64().expect("a number") > 500, "{report:#}");
    let steps = report["steps"].as_array().expect("a list");
    let killed = steps.iter().filter(|step| step["ended"].as_str().is_some_and(|how| how.starts_with("killed")));
    assert!(killed.count() >= 2, "{report:#}");
    assert_eq!(state(&dir)["resources"], json!([]), "everything is gone");
    for told in ["costs about", "takes about", "project aloka-certify, seed 7"] {
        assert!(ran.stderr.contains(told), "{told}: {}", ran.stderr);
    }
    for (path, bytes) in dir.files() {
        let text = String::from_utf8_lossy(&bytes);
        let has = |secret: &str| text.contains(secret);
        let is_receipt = path.extension().is_some_and(|extension| extension == "jsonl");
        assert!(!has(PASSWORD), "{}", path.display());
        assert!(!is_receipt || !has(ACCOUNT), "{}", path.display());
    }
}

#[test]
fn what_was_planted_is_told_and_nothing_else() {
    let flaw = |operation: &str, from: &str, to: &str| json!({"operation": operation, "from": from, "to": to});
    let planted = [
        // A default.
        flaw("ec2:CreateSubnet", r#""MapPublicIpOnLaunch":false"#, r#""MapPublicIpOnLaunch":true"#),
        // A field that is there, and one that is not.
        flaw("ec2:CreateVpc", r#""InstanceTenancy":"default""#, r#""InstanceTenancy":"default","Colour":"blue""#),
        flaw("ec2:AllocateAddress", r#""NetworkBorderGroup":"us-east-1","#, ""),
        // A value of another type, and another value.
        flaw("rds:CreateDBInstance", r#""AllocatedStorage":20"#, r#""AllocatedStorage":"20""#),
        flaw("ec2:RunInstances", r#""InstanceType":"t3.micro""#, r#""InstanceType":"t3.nano""#),
        // States that are never shown, in the place of those that come first.
        flaw("ec2:DescribeNatGateways", r#""State":"pending""#, r#""State":"provisioning""#),
        flaw("rds:DescribeDBInstances", r#""DBInstanceStatus":"creating""#, r#""DBInstanceStatus":"hatching""#),
        // A reference of another form.
        flaw("ec2:CreateNatGateway", r#""VpcId":"vpc-"#, r#""VpcId":"vpc_"#),
        // A code.
        json!({"operation": "ec2:ModifyVpcAttribute", "code": "IncorrectState", "times": 1}),
        // A duration: whoever waits for the end, and asks for this server, waits long.
        json!({"operation": "ec2:DescribeInstances", "asked": "InstanceIds", "from": r#""State":"terminated""#,
               "to": r#""State":"shutting-down""#, "times": 70}),
    ];
    let dir = Dir::new().env("ALOKA_TEST_FLAWS", &Json::from(planted.to_vec()).to_string());
    let ran = certify(&dir, &["-auto-approve"]).expect(2);
    let report = report(&ran.stdout);
    let told: Vec<&str> = report["differences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|difference| difference["operation"].as_str().expect("a name"))
        .collect();
    for flaw in &planted {
        // How long something takes is told of what begins it.
        let operation = match flaw["operation"].as_str().expect("a name") {
            "ec2:DescribeInstances" => "ec2:TerminateInstances",
            operation => operation,
        };
        assert!(told.contains(&operation), "{operation} is not told: {report:#}");
    }
    assert_eq!(told.len(), planted.len(), "{report:#}");
    assert_eq!(state(&dir)["resources"], json!([]), "everything is gone");
}

#[test]
fn what_was_made_is_destroyed_when_a_step_fails() {
    // The second subnet cannot be made: nothing like it is known.
    let flaw = json!([{"operation": "rds:CreateDBSubnetGroup", "code": "Nonsense"}]);
    let dir = Dir::new().env("ALOKA_TEST_FLAWS", &flaw.to_string());
    let ran = certify(&dir, &["-auto-approve"]).expect(1);
    let report = report(&ran.stdout);
    assert!(report["failure"].as_str().expect("a text").starts_with("step create: exit code 1"), "{report:#}");
    let steps = report["steps"].as_array().expect("a list");
    assert_eq!(steps.last().expect("a step")["name"], "clear-up", "{report:#}");
    ran.complains("what each step said is in");
}

#[test]
fn what_was_made_is_destroyed_when_the_user_wants_no_more() {
    let dir = Dir::new();
    let mut command = dir.command(&["certify", "-account=123456789012", "-max-cost=5", "-auto-approve", "-json"]);
    command.env("ALOKA_SIM_PACE", "300").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let (path, start) = (dir.path().join(".aloka/certify/aloka-certify/terraform.tfstate"), Instant::now());
    while !std::fs::read_to_string(&path).is_ok_and(|state| state.contains("aws_nat_gateway")) {
        assert!(start.elapsed() < Duration::from_secs(120), "no gateway came up");
        assert_eq!(child.try_wait().expect("a child"), None, "it ended before");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(&child), Signal::INT).expect("sent");
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let report = report(&String::from_utf8(output.stdout).expect("UTF-8"));
    assert!(report["failure"].as_str().expect("a text").starts_with("stopped"), "{report:#}");
    assert_eq!((&report["left"], &report["differences"]), (&Json::Null, &json!([])), "{report:#}");
    assert_eq!(state(&dir)["resources"], json!([]), "everything is gone");
}

#[test]
fn it_refuses_another_account_too_much_money_and_what_is_there_already() {
    let dir = Dir::new();
    let other = ["certify", "-account=999999999999", "-max-cost=5", "-auto-approve"];
    let message =
        "the credentials are those of account 123456789012, and -account names 999999999999; nothing was made";
    for _ in 0..2 {
        dir.run(&other).expect(1).complains(message);
        assert!(!dir.path().join(".aloka").exists(), "nothing was made here either");
    }
    let dear = ["certify", "-account=123456789012", "-max-cost=0.01", "-auto-approve"];
    dir.run(&dear).expect(1).complains("-max-cost allows 0.0100 USD; nothing was sent");
    assert!(!dir.path().join(".aloka").exists(), "nothing was made here either");
    // Nobody says yes. A directory that was there stays, and is as it was.
    certify(&dir, &[]).expect(1).complains("nothing was made");
    assert!(!dir.path().join(".aloka").exists(), "nothing was made here either");
    std::fs::create_dir(dir.path().join("own")).expect("a directory");
    certify(&dir, &["-directory=own"]).expect(1).complains("nothing was made");
    assert_eq!(dir.path().join("own").read_dir().expect("it is there").count(), 0);
    std::fs::write(dir.path().join("own/notes"), "mine").expect("written");
    certify(&dir, &["-directory=own"]).expect(1).complains("is not empty, and a certification begins with nothing");
    assert_eq!(std::fs::read_to_string(dir.path().join("own/notes")).expect("it is there"), "mine");
}
