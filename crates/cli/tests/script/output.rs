//! Data goes to standard output in the formats Terraform has; progress goes to standard error.

use serde_json::Value;

use crate::support::Dir;

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

#[test]
fn outputs_as_text_json_and_raw() {
    let dir = Dir::new();
    dir.run(&["output"]).expect(0).complains("no outputs");
    dir.apply(&[]);
    let all = json(&dir.run(&["output", "-json"]).expect(0).stdout);
    let names: Vec<&String> = all.as_object().expect("an object").keys().collect();
    let expected = [
        "app_public_dns",
        "app_public_ip",
        "app_security_group_id",
        "db_endpoint",
        "db_security_group_id",
        "db_subnet_group_name",
        "vpc_id",
    ];
    assert_eq!(names, expected);
    assert_eq!(all["vpc_id"]["sensitive"], false);
    let raw = dir.run(&["output", "-raw", "vpc_id"]).expect(0).stdout;
    assert_eq!(all["vpc_id"]["value"], Value::from(raw.as_str()));
    assert_eq!(json(&dir.run(&["output", "-json", "vpc_id"]).expect(0).stdout), Value::from(raw.as_str()));
    dir.run(&["output", "vpc_id"]).expect(0).says(&format!("\"{raw}\""));
    dir.run(&["output", "vpc"]).expect(1).complains("vpc_id");
}

#[test]
fn apply_json_is_terraforms_stream() {
    let dir = Dir::new();
    let ran = dir.run(&["apply", "-auto-approve", "-json"]).expect(0);
    let lines: Vec<Value> = ran.stdout.lines().map(json).collect();
    for line in &lines {
        for key in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(line[key].is_string(), "{key} of {line}");
        }
    }
    let count = |kind: &str| lines.iter().filter(|line| line["type"] == kind).count();
    assert_eq!(lines[0]["type"], "version");
    assert!(count("planned_change") > 20);
    assert_eq!(count("planned_change"), count("apply_start"));
    assert_eq!(count("apply_start"), count("apply_complete"));
    assert_eq!(count("change_summary"), 2);
    assert_eq!(lines.last().expect("lines")["type"], "outputs");
}

#[test]
fn errors_are_lines_of_the_stream_too() {
    let dir = Dir::new().file("terraform.tfvars", "vpc_cidr = \"10.0.0.0/33\"\n");
    let ran = dir.run(&["plan", "-json"]).expect(1);
    let lines: Vec<Value> = ran.stdout.lines().map(json).collect();
    let error = lines.iter().find(|line| line["type"] == "diagnostic").expect("a diagnostic");
    assert_eq!(error["@level"], "error");
    assert_eq!(error["diagnostic"]["range"]["filename"], "terraform.tfvars");
    assert_eq!(error["diagnostic"]["range"]["start"]["line"], 1);
}

#[test]
fn a_saved_plan_can_be_shown() {
    let dir = Dir::new();
    let planned = dir.run(&["plan", "-out=tfplan"]).expect(0).stdout;
    let shown = dir.run(&["show", "tfplan"]).expect(0).stdout;
    assert!(planned.contains(shown.trim_end()), "{planned}\n---\n{shown}");
    let text = dir.run(&["show", "-json", "tfplan"]).expect(0).stdout;
    assert_eq!(text.trim_end().lines().count(), 1, "one line, as some readers need it");
    let plan = json(&text);
    assert_eq!(plan["format_version"], "1.2");
    assert!(plan["resource_changes"].as_array().expect("a list").len() > 20);
    dir.run(&["apply", "tfplan"]).expect(0);
    let state = json(&dir.run(&["show", "-json"]).expect(0).stdout);
    assert_eq!(state["format_version"], "1.0");
    assert_eq!(json(&dir.run(&["state", "pull"]).expect(0).stdout)["version"], 4);
}

#[test]
fn a_plan_lists_its_calls() {
    let dir = Dir::new();
    dir.run(&["plan", "-calls"]).expect(0).says("ec2:CreateVpc").says("rds:CreateDBInstance");
    let stream = dir.run(&["plan", "-calls", "-json"]).expect(0).stdout;
    let calls = stream.lines().map(json).find(|line| !line["calls"].is_null()).expect("a line of calls");
    assert!(calls["calls"].as_array().expect("a list").len() > 40);
    assert!(calls["iam_actions"].as_array().expect("a list").contains(&"rds:CreateDBInstance".into()));
}

#[test]
fn graphs_need_neither_state_nor_password() {
    let dir = Dir::new().without("TF_VAR_db_password");
    dir.run(&["graph"]).expect(0).says("digraph").says("aws_db_instance.postgres");
    dir.run(&["graph", "-type=mermaid"]).expect(0).says("aws_db_instance.postgres");
}

#[test]
fn nothing_is_coloured_without_a_terminal() {
    let dir = Dir::new();
    for args in [&["plan"][..], &["apply", "-auto-approve"], &["simulate"], &["--help"], &["plan", "-bogus"]] {
        let ran = dir.run(args);
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{args:?}");
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::io::Read;
    use std::process::{Command, Stdio};
    let dir = Dir::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_aloka"));
    command.args(["apply", "-auto-approve"]).current_dir(dir.path()).env("ALOKA_CLOUD", "sim");
    command.env("TF_VAR_db_password", crate::support::PASSWORD).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().expect("starts");
    let mut stdout = child.stdout.take().expect("piped");
    let mut first = [0_u8; 1];
    stdout.read_exact(&mut first).expect("at least one byte");
    drop(stdout);
    assert_eq!(child.wait().expect("ends").code(), Some(0));
    assert!(dir.run(&["state", "list"]).stdout.lines().count() > 20, "the apply went on");
}
