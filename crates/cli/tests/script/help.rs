//! Help is there for every command and tells the truth.

use crate::support::Dir;

const COMMANDS: [&str; 17] = [
    "init",
    "validate",
    "plan",
    "apply",
    "destroy",
    "refresh",
    "output",
    "show",
    "state",
    "workspace",
    "import",
    "adopt",
    "force-unlock",
    "graph",
    "simulate",
    "completions",
    "version",
];

#[test]
fn every_command_explains_itself() {
    let dir = Dir::new();
    let all = dir.run(&["--help"]).expect(0).says("Exit codes:").says("TF_VAR_db_password").stdout;
    for command in COMMANDS {
        assert!(all.contains(&format!("  {command} ")), "{command} is not in:\n{all}");
        let help = dir.run(&[command, "-help"]).expect(0).says(&format!("Usage: aloka {command}")).stdout;
        assert!(help.contains("Example"), "{help}");
        assert_eq!(dir.run(&[command, "-h"]).expect(0).code, 0);
    }
    for command in ["list", "show", "pull", "push", "mv", "rm", "recover"] {
        dir.run(&["state", command, "-help"]).expect(0).says("Example");
    }
    for command in ["list", "show", "select", "new", "delete"] {
        dir.run(&["workspace", command, "-help"]).expect(0).says("Example");
    }
}

#[test]
fn version_and_completions() {
    let dir = Dir::new();
    for args in [["version"], ["-version"], ["--version"], ["-v"]] {
        dir.run(&args).expect(0).says(concat!("aloka ", env!("CARGO_PKG_VERSION")));
    }
    let json = dir.run(&["version", "-json"]).expect(0).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["aloka_version"], env!("CARGO_PKG_VERSION"));
    for shell in ["bash", "zsh", "fish"] {
        dir.run(&["completions", shell]).expect(0).says("detailed-exitcode");
    }
}
