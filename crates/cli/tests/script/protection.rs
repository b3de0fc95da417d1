//! Settings that protect data, as the owner of a stack meets them.

use serde_json::{Value, json};

use crate::support::Dir;

const ACCOUNT: &str = ".aloka/sim-account.json";
const ALLOWED: &str = "-allow-data-loss=aloka-dev-db";

fn set_in_aws(dir: &Dir, field: &str, value: &Value) {
    dir.edit(ACCOUNT, |account| {
        for database in account["account"]["db_instances"].as_object_mut().expect("databases").values_mut() {
            database[field] = value.clone();
        }
    });
}

fn record(dir: &Dir, attribute: &str, value: &Value) {
    dir.edit("terraform.tfstate", |state| {
        let resources = state["resources"].as_array_mut().expect("a list");
        let database = resources.iter_mut().find(|resource| resource["type"] == "aws_db_instance").expect("recorded");
        database["instances"][0]["attributes"][attribute] = value.clone();
    });
}

#[test]
fn backups_that_the_variables_do_not_set_stay_and_those_turned_off_want_a_name() {
    let dir = Dir::new();
    dir.apply(&[]);
    set_in_aws(&dir, "retention", &json!(7));
    dir.run(&["plan", "-detailed-exitcode"])
        .expect(0)
        .complains("keeps what its owner set and the variables here do not: backup_retention_period = 7 (db_backup_retention_days)");
    dir.apply(&[]).complains("backup_retention_period = 7");

    let off: &[&str] = &["-var=db_backup_retention_days=0"];
    let told = "This plan deletes the automated backups of database \"aloka-dev-db\".";
    dir.run(&[&["plan"], off].concat())
        .expect(0)
        .says(told)
        .says("its automated backups of 7 days are deleted at once");
    dir.run(&[&["plan", "-json"], off].concat()).expect(0).says("its automated backups of 7 days are deleted at once");
    for flag in ["-lock=true", "-allow-data-loss=another-db"] {
        dir.run(&[&["apply", "-auto-approve", flag], off].concat())
            .expect(1)
            .complains("this plan deletes all automated backups of the database aloka-dev-db; nothing was changed")
            .complains(ALLOWED);
    }
    dir.run(&[&["plan", "-out=off"], off].concat()).expect(0);
    dir.run(&["show", "off"]).expect(0).says(told);
    dir.run(&["apply", "off"]).expect(1).complains(ALLOWED);
    dir.run(&["apply", ALLOWED, "off"]).expect(0).says("1 changed");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn a_final_snapshot_that_the_state_records_is_made_under_the_name_that_the_plan_tells() {
    let dir = Dir::new();
    dir.apply(&[]);
    record(&dir, "skip_final_snapshot", &json!(false));
    let told = |name: &str| format!("a final snapshot of it is made before it is deleted, called {name}");
    dir.run(&["plan", "-destroy"]).expect(0).says(&told("aloka-dev-db-final"));
    dir.run(&["plan", "-destroy", "-calls"])
        .expect(0)
        .says("FinalDBSnapshotIdentifier=\"aloka-dev-db-final\" SkipFinalSnapshot=false");
    dir.run(&["plan", "-destroy", "-json"]).expect(0).says(&told("aloka-dev-db-final"));
    dir.run(&["plan", "-destroy", "-out=end"]).expect(0);
    dir.run(&["show", "end"]).expect(0).says(&told("aloka-dev-db-final"));
    let shown: Value = serde_json::from_str(&dir.run(&["show", "-json", "end"]).expect(0).stdout).expect("JSON");
    let snapshot = json!([{ "database": "aloka-dev-db", "snapshot": "aloka-dev-db-final" }]);
    assert_eq!(shown["aloka"]["final_snapshots"], snapshot);

    // Somebody takes the name: the saved plan holds no longer.
    dir.edit(ACCOUNT, |account| {
        account["account"]["snapshots"] =
            json!({ "aloka-dev-db-final": { "database": "x", "resource_id": "db-X", "ready": 0 } });
    });
    dir.run(&["apply", ALLOWED, "end"]).expect(1).complains("saved plan is stale");
    // A name of the owner's is not exchanged for another.
    dir.run(&["plan", "-destroy", "-var=db_final_snapshot_identifier=aloka-dev-db-final"])
        .expect(1)
        .complains("there is a snapshot of that name")
        .complains("set db_final_snapshot_identifier to a name that is free");
    record(&dir, "final_snapshot_identifier", &json!("keep-me"));
    dir.run(&["destroy", "-auto-approve"]).expect(1).complains(ALLOWED);
    dir.run(&["destroy", "-auto-approve", ALLOWED]).expect(0).says(&told("keep-me")).says("Destroy complete!");
    let account = std::fs::read_to_string(dir.path().join(ACCOUNT)).expect("an account");
    assert!(account.contains("\"keep-me\""), "no snapshot");
}

#[test]
fn a_rehearsal_of_a_stack_with_a_final_snapshot_holds_every_promise() {
    let dir = Dir::new().file("terraform.tfvars", "db_skip_final_snapshot = false\ndb_backup_retention_days = 3\n");
    dir.run(&["simulate"]).expect(0).says("kept on purpose");
}
