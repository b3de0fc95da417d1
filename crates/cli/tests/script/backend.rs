//! Where the state lives, as the configuration says.

use crate::support::Dir;

const S3: &str = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n  }\n}\n";

#[test]
fn the_simulated_cloud_keeps_its_state_away_from_s3() {
    let dir = Dir::new().file("provider.tf", S3);
    dir.apply(&[]).complains("the simulated cloud keeps its state in .aloka/sim.tfstate; s3://b/k is left alone");
    assert!(dir.path().join(".aloka/sim.tfstate").exists());
    assert!(!dir.path().join("terraform.tfstate").exists());
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    dir.run(&["state", "versions"]).expect(0).says(".aloka/sim.tfstate  ").says("current");
    dir.run(&["init", "-create-backend"]).expect(1).complains("the simulated cloud has no backend");
    dir.run(&["init"]).expect(0);
}

#[test]
fn a_backend_that_cannot_be_used_is_shown_and_refused() {
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"gcs\" {\n    bucket = \"b\"\n  }\n}\n");
    for command in [&["plan"][..], &["apply", "-auto-approve"], &["state", "list"], &["output"], &["init"]] {
        dir.run(command).expect(1).complains("backend \"gcs\" is not supported").complains("main.tf:2:3");
    }
    assert!(!dir.path().join("terraform.tfstate").exists(), "and nothing is kept elsewhere");
}

#[test]
fn a_local_backend_may_name_its_file() {
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"local\" {\n    path = \"my.tfstate\"\n  }\n}\n");
    dir.apply(&[]);
    assert!(dir.path().join("my.tfstate").exists() && !dir.path().join("terraform.tfstate").exists());
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn a_state_that_cannot_be_written_is_kept_and_a_rerun_goes_on() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"local\" {\n    path = \"d/s.tfstate\"\n  }\n}\n");
    // There is no such directory, so no lock could be taken; without one the first write fails.
    let failed = dir.run(&["apply", "-auto-approve", "-lock=false"]).expect(1);
    let failed = failed.complains("could not be written").complains("nothing more was sent");
    assert!(failed.stderr.contains("errored.tfstate"), "{}", failed.stderr);
    let kept = dir.path().join("errored.tfstate");
    assert_eq!(std::fs::metadata(&kept).expect("kept").permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&kept).expect("read").contains("\"intents\""));
    std::fs::create_dir(dir.path().join("d")).expect("made");
    dir.apply(&[]).says("Apply complete!");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}
