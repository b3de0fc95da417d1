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
