//! The rehearsal needs nothing and leaves nothing.

use crate::support::Dir;

#[test]
fn works_in_an_empty_directory_without_a_password() {
    let dir = Dir::new().without("TF_VAR_db_password").without("ALOKA_CLOUD");
    let ran = dir.run(&["simulate"]).expect(0).says("db_endpoint");
    assert_eq!(dir.files(), [], "nothing is left behind");
    assert_eq!(dir.run(&["simulate"]).expect(0).stdout, ran.stdout, "the same seed gives the same run");
    let drawn = dir.run(&["simulate", "-seed=1"]).expect(0).stdout;
    assert_ne!(drawn, ran.stdout);
    assert_eq!(dir.run(&["simulate", "--seed", "1"]).expect(0).stdout, drawn);
}

#[test]
fn reports_as_json_too() {
    let dir = Dir::new();
    let ran = dir.run(&["simulate", "-json", "-seed", "7"]).expect(0);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["seed"], 7);
}
