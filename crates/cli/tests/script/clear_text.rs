//! What Terraform leaves in clear, and what a hash in its place is worth.

use aloka_core::fingerprint::{self, Cost};
use aloka_core::secret::Secret;
use aloka_tests::canary::{CANARY, Canary};

use crate::support::{Dir, Ran};

const STATE: &str = "terraform.tfstate";
const BACKUP: &str = "terraform.tfstate.backup";

/// A stack whose state Terraform wrote last: no section of ours, and the password in clear.
fn of_terraform() -> Dir {
    let dir = Dir::new().env("TF_VAR_db_password", CANARY);
    dir.apply(&[]);
    terraform_writes(&dir);
    assert!(!dir.path().join(BACKUP).exists(), "there was nothing to back up");
    dir
}

/// The names of all files, and the state.
fn files_and_state(dir: &Dir) -> (Vec<std::path::PathBuf>, String) {
    let names = dir.files().into_iter().map(|(path, _)| path).collect();
    (names, std::fs::read_to_string(dir.path().join(STATE)).expect("a state"))
}

fn terraform_writes(dir: &Dir) {
    dir.edit(STATE, |state| {
        state.as_object_mut().expect("an object").remove("aloka");
        for resource in state["resources"].as_array_mut().expect("a list") {
            for instance in resource["instances"].as_array_mut().expect("a list") {
                instance.as_object_mut().expect("an object").remove("private");
            }
            if resource["type"] == "aws_db_instance" {
                resource["instances"][0]["attributes"]["password"] = CANARY.into();
            }
        }
    });
}

fn holds(dir: &Dir, name: &str) -> bool {
    let state = std::fs::read(dir.path().join(name)).expect(name);
    let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
    let resources = state["resources"].as_array().expect("a list");
    resources.iter().any(|resource| resource["instances"][0]["attributes"]["password"] == CANARY)
}

/// Whatever form a copy has: of 0.11, in UTF-16, merged, cut off, under an editor's name, or what a store did not take.
#[test]
fn copies_in_every_form_are_told() {
    let dir = of_terraform();
    let state = std::fs::read_to_string(dir.path().join(STATE)).expect("a state");
    let old = serde_json::json!({ "version": 3, "serial": 1, "lineage": "l", "modules": [{ "path": ["root"], "resources": {
        "aws_db_instance.postgres": { "type": "aws_db_instance", "primary": { "attributes": { "password": CANARY } } },
    } }] });
    let cut = state.find("Zq7Canary3Kx").expect("the password") + 4;
    let mut last = 7;
    let mut hash = || {
        last += 1;
        last
    };
    let copies: Vec<(&str, Vec<u8>)> = vec![
        ("terraform.tfstate.1600000000.backup", old.to_string().into_bytes()),
        ("terraform.tfstate.1600000001.backup", aloka_tests::forms::flattened(&state, &mut hash).into_bytes()),
        ("terraform.tfstate.utf16", state.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("terraform.tfstate.orig", format!("<<<<<<< a\n{state}=======\n{state}>>>>>>> b\n").into_bytes()),
        ("terraform.tfstate~", state.as_bytes()[..cut].to_vec()),
        ("errored.tfstate", state.clone().into_bytes()),
    ];
    for (name, bytes) in &copies {
        std::fs::write(dir.path().join(name), bytes).expect("written");
    }
    std::fs::write(dir.path().join("terraform.tfstate.old"), state.replace("password", "word")).expect("written");
    let ran = dir.apply(&["-var=tags={a=\"b\"}"]);
    for (name, _) in &copies {
        assert_eq!(told(&ran, name), 1, "{name}:\n{}", ran.stderr);
    }
    assert_eq!(told(&ran, "terraform.tfstate.old"), 0, "{}", ran.stderr);
    let ran = dir.apply(&["-var=tags={a=\"c\"}"]);
    assert!(copies.iter().all(|(name, _)| told(&ran, name) == 0), "told once:\n{}", ran.stderr);
}

/// How often it is told that `name` holds the password.
fn told(ran: &Ran, name: &str) -> usize {
    ran.stderr.matches(&format!("{name} holds the database password in clear")).count()
}

fn copy(dir: &Dir, from: &str, to: &str) {
    std::fs::copy(dir.path().join(from), dir.path().join(to)).expect("copied");
}

#[test]
fn a_backup_in_clear_is_told_once_with_what_removes_it() {
    let dir = of_terraform();
    let earlier = "terraform.tfstate.1700000000.backup";
    copy(&dir, STATE, earlier);
    // Looking changes nothing.
    let before = files_and_state(&dir);
    assert_eq!(told(&dir.run(&["plan"]).expect(0), BACKUP), 0);
    assert!(files_and_state(&dir) == before);

    let ran = dir.apply(&["-var=tags={a=\"b\"}"]);
    assert!(!holds(&dir, STATE) && holds(&dir, BACKUP), "the backup is the state as it was");
    assert_eq!((told(&ran, BACKUP), told(&ran, earlier)), (1, 1), "{}", ran.stderr);
    let ran = ran.complains(&format!("hint: remove it with: rm {BACKUP}\n"));
    ran.complains(&format!("hint: remove it with: rm {earlier}\n")).complains("give the database another one");

    // Told once. The last backup is one of ours meanwhile; the other is still there.
    let ran = dir.apply(&["-var=tags={a=\"c\"}"]);
    assert!(!holds(&dir, BACKUP) && holds(&dir, earlier));
    assert_eq!((told(&ran, BACKUP), told(&ran, earlier)), (0, 0), "{}", ran.stderr);
    // What comes again is news again.
    terraform_writes(&dir);
    let ran = dir.apply(&["-var=tags={a=\"d\"}"]);
    assert_eq!((told(&ran, BACKUP), told(&ran, earlier)), (1, 0), "{}", ran.stderr);
    // And for machines.
    terraform_writes(&dir);
    std::fs::remove_file(dir.path().join(BACKUP)).expect("removed");
    dir.apply(&["-refresh-only"]);
    terraform_writes(&dir);
    std::fs::remove_file(dir.path().join(".aloka/clear-text.json")).expect("the record");
    dir.apply(&["-json", "-var=tags={a=\"e\"}"]).says("holds the database password in clear");
}

/// Whatever writes the state, it keeps the hash and not the password.
#[test]
fn no_command_writes_a_password_back() {
    let canary = Canary::new();
    let adopt = ["adopt", "-from-state", "aws_db_instance.postgres"];
    let rm = ["state", "rm", "aws_instance.app"];
    let mv = ["state", "mv", "aws_security_group.app", "aws_security_group.former"];
    for args in [&adopt[..], &rm, &mv] {
        let dir = of_terraform();
        let ran = dir.run(args).expect(0);
        canary.absent(&args.join(" "), std::fs::read(dir.path().join(STATE)).expect("a state"));
        assert_eq!(told(&ran, BACKUP), 1, "{}", ran.stderr);
        let state = std::fs::read_to_string(dir.path().join(STATE)).expect("a state");
        assert!(state.contains("argon2id$"), "the hash is there instead");
    }
    let dir = of_terraform();
    dir.run(&adopt).expect(0);
    let ran = dir.run(&["plan", "-calls"]).expect(0);
    assert!(!ran.stdout.contains("MasterUserPassword"), "the password is known by its hash: {}", ran.stdout);
}

#[test]
fn a_state_that_is_pushed_is_told_of() {
    let dir = of_terraform();
    copy(&dir, STATE, "its clear.tfstate");
    let push = ["state", "push", "-force", "its clear.tfstate"];
    let ran = dir.run(&push).expect(0);
    assert!(!holds(&dir, STATE));
    assert_eq!((told(&ran, BACKUP), told(&ran, "its clear.tfstate")), (1, 1), "{}", ran.stderr);
    let ran = ran.complains("hint: remove it with: rm 'its clear.tfstate'\n");
    drop(ran);
    let again = dir.run(&push).expect(0);
    assert_eq!((told(&again, BACKUP), told(&again, "its clear.tfstate")), (0, 0), "{}", again.stderr);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn a_state_that_is_moved_is_told_of() {
    let canary = Canary::new();
    let dir = of_terraform()
        .file("main.tf", "terraform {\n  backend \"local\" {\n    path = \"kept/here.tfstate\"\n  }\n}\n");
    std::fs::create_dir(dir.path().join("kept")).expect("made");
    let dir = dir.without("ALOKA_CLOUD");
    let ran = dir.run(&["init", "-migrate-state"]).expect(0);
    canary.absent("the new place", std::fs::read(dir.path().join("kept/here.tfstate")).expect("a state"));
    let moved = dir.files().into_iter().map(|(path, _)| path).find(|path| path.to_string_lossy().contains(".moved-"));
    let moved = moved.expect("the old copy").file_name().expect("a name").to_string_lossy().into_owned();
    assert!(holds(&dir, &moved));
    assert_eq!(told(&ran, &moved), 1, "{}", ran.stderr);
    ran.complains(&format!("hint: remove it with: rm {moved}\n"));
}

/// What releases up to 0.1 paid for a hash.
const FORMER: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

fn hash_of(dir: &Dir) -> String {
    let state = std::fs::read(dir.path().join(STATE)).expect("a state");
    let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
    state["aloka"]["secrets"]["db_password"].as_str().expect("a hash").to_owned()
}

#[test]
fn a_hash_of_an_earlier_release_is_as_good_and_is_renewed_by_an_apply() {
    let dir = Dir::new().env("TF_VAR_db_password", CANARY).without("ALOKA_TEST_CHEAP_HASH");
    dir.apply(&[]);
    assert!(hash_of(&dir).starts_with("argon2id$65536$8$1$"), "{}", hash_of(&dir));
    let former = fingerprint::hash(&Secret::new(CANARY), &[7; 16], FORMER);
    dir.edit(STATE, |state| state["aloka"]["secrets"]["db_password"] = former.clone().into());
    // It is the same password, and looking changes nothing.
    let before = files_and_state(&dir);
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    assert!(files_and_state(&dir) == before, "a plan renews nothing");
    // The next apply sends nothing and records what is harder to guess at.
    dir.apply(&[]).says("Resources: 0 added, 0 changed, 0 destroyed.");
    let renewed = hash_of(&dir);
    assert!(renewed.starts_with("argon2id$65536$8$1$"), "{renewed}");
    assert!(fingerprint::verify(&Secret::new(CANARY), &renewed));
    // Once.
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    let before = files_and_state(&dir);
    dir.apply(&[]);
    assert!(files_and_state(&dir) == before, "there is nothing to renew any more");
    // Another password is another one, whatever its hash once cost.
    dir.edit(STATE, |state| state["aloka"]["secrets"]["db_password"] = former.clone().into());
    let dir = dir.env("TF_VAR_db_password", "quite-another-password");
    dir.run(&["plan", "-detailed-exitcode"]).expect(2).says("Plan: 0 to add, 1 to change, 0 to destroy.");
}

/// No run that only looks, or throws away, computes a hash: it would be a verifier more, or time for nothing.
#[test]
fn a_rehearsal_writes_no_hash_of_the_password() {
    let dir = Dir::new().without("ALOKA_TEST_CHEAP_HASH");
    dir.run(&["simulate", "-trace=run.jsonl"]).expect(0);
    for (path, bytes) in dir.files() {
        assert!(!String::from_utf8_lossy(&bytes).contains("argon2id"), "{}", path.display());
    }
}

#[test]
fn a_password_that_is_easy_to_guess_is_warned_of_and_taken() {
    for weak in ["aloka-dev-2024", "Postgres2024!", "nimdabd1", "qwertyuiop12", "8Kx2pQ7z"] {
        let dir = Dir::new().env("TF_VAR_db_password", weak);
        let ran = dir.run(&["plan"]).expect(0).complains("warning: db_password is easy to guess");
        assert!(!ran.stderr.contains(weak) && !ran.stdout.contains(weak), "{weak} is repeated");
        assert_eq!(ran.stderr.matches("db_password is").count(), 1, "{}", ran.stderr);
        let ran = dir.run(&["plan", "-json"]).expect(0).says("db_password is easy to guess");
        assert!(!ran.stdout.contains(weak), "{weak} is repeated");
        // The same in a file: not even its line.
        let dir = Dir::new().without("TF_VAR_db_password");
        let dir = dir.file("terraform.tfvars", &format!("db_password = \"{weak}\"\n"));
        let ran = dir.run(&["validate"]).expect(0).complains("db_password is easy to guess");
        assert!(!ran.stderr.contains(weak) && !ran.stdout.contains(weak), "{weak} is repeated");
    }
    let ran = Dir::new().env("TF_VAR_db_password", CANARY).run(&["plan"]).expect(0);
    assert!(!ran.stderr.contains("easy to guess"), "{}", ran.stderr);
}
