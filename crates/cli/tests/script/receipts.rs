//! Receipts from the command line: written whatever comes of a run, fit to be shown, and laid beside the simulator.

use crate::support::{Dir, PASSWORD};

const DATABASE: &str = "aloka-dev-db";

fn text(dir: &Dir, name: &str) -> String {
    std::fs::read_to_string(dir.path().join(name)).expect("text")
}

/// The receipts of a life.
fn life() -> Dir {
    let dir = Dir::new();
    dir.run(&["apply", "-auto-approve", "-receipt=made.jsonl"]).expect(0);
    dir.run(&["plan", "-receipt=planned.jsonl"]).expect(0);
    let destroy = ["destroy", "-auto-approve", "-allow-data-loss", DATABASE, "-receipt=gone.jsonl"];
    dir.run(&destroy).expect(0);
    dir
}

#[test]
fn what_the_simulator_did_is_as_in_the_simulator() {
    let dir = life();
    let ran = dir.run(&["receipts", "check", "made.jsonl", "planned.jsonl", "gone.jsonl"]).expect(0);
    assert!(ran.stdout.contains("the simulator would have answered all of them so"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("not checked"), "{}", ran.stdout);
    let ran = dir.run(&["receipts", "durations", "made.jsonl", "gone.jsonl"]).expect(0);
    for told in ["rds:CreateDBInstance took", "rds:DeleteDBInstance took", "(sim); simulated:"] {
        assert!(ran.stdout.contains(told), "{told}: {}", ran.stdout);
    }
    let ran = dir.run(&["receipts", "durations", "-json", "made.jsonl"]).expect(0);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(json["durations"].as_array().expect("a list").len(), 3, "{json}");
}

#[test]
fn a_difference_is_told_with_its_call() {
    let dir = life();
    let made = text(&dir, "made.jsonl");
    let edited = made.replacen("\"MapPublicIpOnLaunch\":false", "\"MapPublicIpOnLaunch\":true", 1);
    assert_ne!(made, edited);
    let dir = dir.file("made.jsonl", &edited);
    let ran = dir.run(&["receipts", "check", "made.jsonl"]).expect(2);
    assert!(ran.stdout.contains("MapPublicIpOnLaunch is true; the simulator has false"), "{}", ran.stdout);
    let ran = dir.run(&["receipts", "check", "-json", "made.jsonl"]).expect(2);
    let json: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert!(json["findings"][0]["operation"].as_str().expect("a name").starts_with("ec2:"), "{json}");
}

#[test]
fn it_is_written_of_a_run_that_fails_as_well() {
    let dir = Dir::new();
    dir.run(&["apply", "-auto-approve", "-receipt=failed.jsonl", "-var=db_engine_version=15.4"]).expect(1);
    let receipt = text(&dir, "failed.jsonl");
    assert!(receipt.contains("\"code\":\"InvalidParameterCombination\""), "{receipt}");
    assert!(receipt.trim_end().ends_with("\"outcome\":\"failed\"}}"), "{receipt}");
}

#[test]
fn it_holds_no_secret_and_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = life();
    for name in ["made.jsonl", "planned.jsonl", "gone.jsonl"] {
        let receipt = text(&dir, name);
        assert!(!receipt.contains(PASSWORD), "{name}");
        assert!(!receipt.contains("123456789012"), "{name}: an account number");
        let mode = std::fs::metadata(dir.path().join(name)).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    // Nobody asked for one in the directory: only runs on AWS leave theirs there.
    assert!(!dir.path().join(".aloka/receipts").exists());
}

#[test]
fn other_files_are_not_overwritten_and_others_are_not_read() {
    let dir = Dir::new().file("notes.txt", "mine");
    dir.run(&["plan", "-receipt=notes.txt"])
        .expect(1)
        .complains("notes.txt is not a receipt, so it is not overwritten");
    assert_eq!(text(&dir, "notes.txt"), "mine");
    dir.run(&["receipts", "check", "notes.txt"]).expect(1).complains("notes.txt cannot be read as a receipt");
    dir.run(&["receipts", "check", "nowhere.jsonl"]).expect(1).complains("nowhere.jsonl");
    dir.run(&["plan", "-receipt=one.jsonl"]).expect(0);
    dir.run(&["plan", "-receipt=one.jsonl"]).expect(0);
    let newer = text(&dir, "one.jsonl").replacen("\"format_version\":1", "\"format_version\":9", 1);
    let dir = dir.file("one.jsonl", &newer);
    dir.run(&["receipts", "check", "one.jsonl"]).expect(1).complains("format version 9");
}

/// A run that is killed leaves what it knew, and what it had sent by then counts as done once the next run sees it.
#[test]
fn a_run_that_is_killed_leaves_a_receipt() {
    for at in ["aws_vpc", "aws_nat_gateway", "aws_db_instance"] {
        let dir = Dir::new();
        dir.killed_when(&["apply", "-auto-approve", "-receipt=killed.jsonl"], 60, at);
        let killed = text(&dir, "killed.jsonl");
        assert!(killed.contains("{\"call\":") && !killed.contains("{\"end\":"), "{at}: {killed}");
        dir.run(&["receipts", "check", "killed.jsonl"]).expect(0);
        dir.run(&["apply", "-auto-approve", "-receipt=resumed.jsonl"]).expect(0);
        dir.run(&["destroy", "-auto-approve", "-allow-data-loss", DATABASE, "-receipt=gone.jsonl"]).expect(0);
        let ran = dir.run(&["receipts", "check", "killed.jsonl", "resumed.jsonl", "gone.jsonl"]);
        ran.expect(0).says("the simulator would have answered all of them so");
    }
}

/// The file grows while the run goes on; until the first call there is the one of before.
#[test]
fn a_refusal_before_the_first_call_leaves_the_receipt_of_before() {
    let dir = life();
    let before = text(&dir, "made.jsonl");
    dir.run(&["apply", "-auto-approve", "-receipt=made.jsonl", "-var=vpc_cidr=nonsense"]).expect(1);
    assert_eq!(text(&dir, "made.jsonl"), before);
}

#[test]
fn a_receipt_that_goes_into_a_pipe_or_to_standard_output_is_written_at_the_end() {
    let dir = Dir::new();
    let ran = dir.run(&["apply", "-auto-approve", "-receipt=/dev/stdout"]).expect(0);
    let (told, receipt) = ran.stdout.split_once("{\"receipt\":").expect("a receipt");
    assert!(told.contains("Apply complete!"), "{told}");
    assert!(receipt.trim_end().ends_with("\"outcome\":\"done\"}}"), "{receipt}");
}

/// What was measured in this directory on AWS is what its plans foretell; a simulated run is no measurement.
#[test]
fn a_plan_foretells_with_what_was_measured() {
    let dir = life();
    let ran = dir.run(&["plan"]).expect(0).says("(simulated)");
    let line = |text: &str| text.lines().find(|line| line.starts_with("Takes about ")).expect("a line").to_owned();
    let simulated = line(&ran.stdout);
    std::fs::create_dir(dir.path().join(".aloka/receipts")).expect("made");
    let keep = |name: &str, text: &str| {
        let path = dir.path().join(".aloka/receipts").join(name);
        std::fs::write(&path, text).expect("written");
    };
    // Everything takes ten times as long.
    let made = text(&dir, "made.jsonl");
    let mut slow = String::new();
    for line in made.lines() {
        let mut json: serde_json::Value = serde_json::from_str(line).expect("JSON");
        for kind in ["call", "sent", "end"] {
            if let Some(at) = json.get(kind).and_then(|line| line["at_ms"].as_u64()) {
                json[kind]["at_ms"] = (at * 10).into();
            }
        }
        slow += &(json.to_string() + "\n");
    }
    keep("2026-01-02T000000Z-apply-1.jsonl", &slow);
    assert_eq!(line(&dir.run(&["plan"]).expect(0).stdout), simulated, "the cloud is the simulated one");
    let began = &made[made.find("\"began\":").expect("a time")..][..30];
    let of_aws = |day: u32| {
        let text = slow.replacen("\"cloud\":\"sim\"", "\"cloud\":\"aws\"", 1);
        text.replacen(began, &format!("\"began\":\"2026-01-0{day}T00:00:00Z\""), 1)
    };
    keep("2026-01-02T000000Z-apply-1.jsonl", &of_aws(2));
    let ran = dir.run(&["plan"]).expect(0).says("(measured on 2026-01-02, 1 run)");
    assert_ne!(line(&ran.stdout).split('(').next(), simulated.split('(').next());
    keep("2026-01-03T000000Z-apply-1.jsonl", &of_aws(3));
    keep("2026-01-04T000000Z-apply-1.jsonl", "nonsense");
    let ran = dir.run(&["plan", "-json"]).expect(0);
    let forecast = ran.stdout.lines().find(|line| line.contains("\"type\":\"forecast\"")).expect("a line");
    let json: serde_json::Value = serde_json::from_str(forecast).expect("JSON");
    assert_eq!(json["forecast"]["measured"], serde_json::json!({"on": "2026-01-03", "runs": 2}), "{json}");
    assert!(json["forecast"]["seconds"].as_u64().expect("a number") > 2000, "{json}");
}
