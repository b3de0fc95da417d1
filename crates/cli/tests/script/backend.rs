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

/// Every way to say it, on the command line of `init` and in the block; later ones win, and other commands remember.
#[test]
fn settings_come_from_flags_and_files_in_their_order() {
    let block = "terraform {\n  backend \"local\" {}\n}\n";
    let cases: [(&[&str], &str); 7] = [
        (&["-backend-config=path=a.tfstate"], "a.tfstate"),
        (&["-backend-config", "hcl.tfbackend"], "hcl.tfstate"),
        (&["-backend-config=json.json"], "json.tfstate"),
        (&["-backend-config=hcl.tfbackend", "-backend-config=path=b.tfstate"], "b.tfstate"),
        (&["-backend-config=path=b.tfstate", "-backend-config=hcl.tfbackend"], "hcl.tfstate"),
        (&["-backend-config=hcl.tfbackend", "-backend-config=json.json"], "json.tfstate"),
        (&["-backend-config="], "terraform.tfstate"),
    ];
    for (args, state) in cases {
        let dir = Dir::new().file("main.tf", block).file("json.json", "{\"path\": \"json.tfstate\"}");
        let dir = dir.file("hcl.tfbackend", "\u{feff}path = \"hcl.tfstate\" # ours\r\n");
        dir.run(&[&["init"], args].concat()).expect(0).says(&format!("State: state file {state};"));
        for file in ["json.json", "hcl.tfbackend"] {
            std::fs::remove_file(dir.path().join(file)).expect("removed: it is not needed any more");
        }
        dir.apply(&[]);
        assert!(dir.path().join(state).exists(), "{args:?}");
        assert_eq!(dir.path().join("terraform.tfstate").exists(), state == "terraform.tfstate", "{args:?}");
        dir.run(&["init"]).expect(0).says(state);
    }
}

#[test]
fn what_is_wrong_with_a_file_of_settings_is_shown() {
    let block = "terraform {\n  backend \"s3\" {}\n}\n";
    for (contents, told) in [
        ("bucket = var.x\n", "prod.s3.tfbackend:1:10"),
        ("x {\n}\n", "a block may not stand in a file of backend settings"),
        ("bucket = \"b\"\nkey = \"k\"\nbukket = 1\n", "did you mean bucket?"),
        ("secret_key = \"canary\"\n", "secret_key of backend \"s3\" is not supported"),
        ("\u{0}", "prod.s3.tfbackend:1:1"),
    ] {
        let dir = Dir::new().file("main.tf", block).file("prod.s3.tfbackend", contents);
        let ran = dir.run(&["init", "-cloud=aws", "-backend-config=prod.s3.tfbackend"]).expect(1).complains(told);
        assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    }
    let dir = Dir::new().file("main.tf", block);
    dir.run(&["init", "-backend-config=none.tfbackend"]).expect(1).complains("cannot read none.tfbackend");
    // It may be a secret whose name was forgotten.
    let ran = dir.run(&["init", "-backend-config=canary"]).expect(1).complains("needs KEY=VALUE, or a file");
    assert!(!ran.stderr.contains("canary"), "{}", ran.stderr);
    dir.run(&["init", "-backend-config=/dev/zero"]).expect(1).complains("/dev/zero has more than");
}

#[test]
fn the_simulated_cloud_needs_neither_bucket_nor_key() {
    for block in ["backend \"s3\" {}", "backend \"s3\" {\n    region = \"eu-west-1\"\n  }"] {
        let dir = Dir::new().file("backend.tf", &format!("terraform {{\n  {block}\n}}\n"));
        dir.run(&["init"]).expect(0).says(".aloka/sim.tfstate");
        dir.run(&["plan"]).expect(0).says("22 to add");
        dir.apply(&[]).complains("keeps its state in .aloka/sim.tfstate; backend \"s3\" is left alone");
        dir.run(&["plan", "-detailed-exitcode"]).expect(0);
        dir.run(&["output"]).expect(0);
        dir.run(&["state", "list"]).expect(0).says("aws_instance.app");
        // AWS does.
        dir.run(&["state", "list", "-cloud=aws"])
            .expect(1)
            .complains("backend \"s3\" needs a bucket")
            .complains("needs a key");
    }
}

/// What the user names on the command line is the user's own word; what the directory names is not.
#[test]
fn a_path_that_is_given_may_be_outside() {
    let outside = tempfile::tempdir().expect("a directory");
    let path = outside.path().join("team.tfstate");
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"local\" {}\n}\n");
    dir.run(&["init", &format!("-backend-config=path={}", path.display())]).expect(0);
    dir.apply(&[]);
    assert!(path.exists());
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
}

#[test]
fn a_state_is_not_left_behind_by_another_path() {
    let dir = Dir::new().file("main.tf", "terraform {\n  backend \"local\" {}\n}\n");
    dir.apply(&[]);
    let refused = dir.run(&["init", "-backend-config=path=b.tfstate"]).expect(1);
    refused.complains("terraform.tfstate records objects").complains("aloka init -migrate-state");
    dir.run(&["init", "-migrate-state", "-backend-config=path=b.tfstate"]).expect(0).says("Moved the state");
    dir.run(&["plan", "-detailed-exitcode"]).expect(0);
    assert!(!dir.path().join("terraform.tfstate").exists() && dir.path().join("b.tfstate").exists());
}

/// What `terraform init` left completes the block; where it contradicts it, nobody knows which state is meant.
#[test]
fn what_terraform_was_initialised_with_is_honoured_or_told() {
    let initialised = |kind: &str, config: &str| {
        format!("{{\"version\": 3, \"backend\": {{\"type\": \"{kind}\", \"config\": {config}, \"hash\": 1}}}}")
    };
    let with = |block: &str, record: &str| {
        let dir = Dir::new().file("main.tf", &format!("terraform {{\n  {block}\n}}\n"));
        std::fs::create_dir(dir.path().join(".terraform")).expect("made");
        // Without credentials and without a way there, nothing is reached.
        let dir = dir.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
        dir.file(".terraform/terraform.tfstate", record)
    };
    let list = &["state", "list", "-cloud=aws"][..];
    let local = initialised("local", "{\"path\": \"b.tfstate\", \"workspace_dir\": null}");
    let dir = with("backend \"local\" {}", &local);
    let told =
        "the state is in the local file b.tfstate, as Terraform was initialised with (.terraform/terraform.tfstate)";
    dir.run(list).expect(0).complains(told);
    // `init` records it.
    dir.run(&["init", "-cloud=aws"]).expect(0).says("b.tfstate");
    assert!(!dir.run(list).expect(0).stderr.contains("Terraform"));
    // But for that it is the directory's word, as the block is.
    let outside = tempfile::tempdir().expect("a directory");
    let path = outside.path().join("b.tfstate");
    let dir = with("backend \"local\" {}", &initialised("local", &format!("{{\"path\": {path:?}}}")));
    for args in [list, &["init", "-cloud=aws"], list, &["init"], &["apply", "-auto-approve"]] {
        dir.run(args).expect(1).complains("outside of this directory, and holds no state yet");
    }
    assert!(!path.exists());
    let contradicted = "backend \"local\" {\n    path = \"a.tfstate\"\n  }";
    for (args, path) in [(&["-reconfigure"][..], "a.tfstate"), (&["-backend-config=path=b.tfstate"], "b.tfstate")] {
        let dir = with(contradicted, &local);
        let refused = dir.run(list).expect(1);
        refused
            .complains("keeps the state in the local file b.tfstate, the configuration says the local file a.tfstate");
        dir.run(&[&["init", "-cloud=aws"], args].concat()).expect(0).says(path);
        dir.run(list).expect(0);
    }
    let dir = with("backend \"local\" {\n    path = \"b.tfstate\"\n  }", &local);
    dir.run(list).expect(0);
    let s3 = initialised("s3", "{\"bucket\": \"b-1\", \"key\": \"k\", \"region\": \"us-east-1\", \"endpoints\": null}");
    with("backend \"s3\" {}", &s3).run(list).expect(1).complains("s3://b-1/k");
    let dir = with("backend \"s3\" {\n    bucket = \"b-2\"\n    key = \"k\"\n    region = \"us-east-1\"\n  }", &s3);
    dir.run(list).expect(1).complains("keeps the state in s3://b-1/k, the configuration says s3://b-2/k");
    // Another kind of backend: told, and the configuration counts.
    with("", &s3).run(list).expect(0).complains("says that Terraform keeps the state in backend \"s3\"");
    for broken in ["", "{", "[]", "{\"version\": 3}", "{\"backend\": {\"type\": 1}}", "\u{0}"] {
        with("", broken).run(list).expect(0);
    }
}
