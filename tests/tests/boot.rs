//! The built-in boot script, run by a shell with commands that only write down what they were asked for: what is not the
//! release that was named is never installed.
#![cfg(target_os = "linux")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use aloka_core::boot;
use aloka_tests::variables;

/// What the release is, for the test; and its SHA-256.
const RELEASE: &str = "compose";
const DIGEST: &str = "db669af634b75c7f298400f3b6c2aa8ba54998bac83e23d10ab4eaadc4b50ccf";

/// Commands that change the machine: each writes a line to the log.
const CHANGING: [&str; 7] = ["dnf", "systemctl", "usermod", "docker", "mkdir", "install", "amazon-linux-extras"];

fn command(folder: &Path, name: &str, body: &str) {
    let path = folder.join(name);
    std::fs::write(&path, format!("#!/bin/bash\n{body}\n")).expect("written");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("executable");
}

/// Runs the script of variables that name these digests. True if it succeeded; and what it did.
fn run(architecture: &str, x86_64: &str, aarch64: &str) -> (bool, String) {
    let script = boot::script(&variables(&format!(
        "app_docker_compose_version = \"9.9.9\"\n\
         app_docker_compose_sha256 = {{ x86_64 = \"{x86_64}\", aarch64 = \"{aarch64}\" }}\n"
    )));
    let folder = tempfile::tempdir().expect("a folder");
    for name in CHANGING {
        command(folder.path(), name, &format!("echo \"{name} $*\" >> \"$LOG\""));
    }
    command(folder.path(), "uname", &format!("echo {architecture}"));
    let download = format!(
        "while [ $# -gt 0 ]; do [ \"$1\" = -o ] && out=$2; last=$1; shift; done\n\
         echo \"curl $last\" >> \"$LOG\"\nprintf {RELEASE} > \"$out\""
    );
    command(folder.path(), "curl", &download);
    let log = folder.path().join("log");
    let path = format!("{}:/usr/bin:/bin", folder.path().display());
    let done = Command::new("bash")
        .args(["-c", &script])
        .env("PATH", path)
        .env("LOG", &log)
        .env("TMPDIR", folder.path())
        .output()
        .expect("a shell");
    let did = std::fs::read_to_string(&log).unwrap_or_default();
    // The download goes with the script.
    let left = std::fs::read_dir(folder.path()).expect("the folder").flatten();
    let left = left.filter(|entry| entry.file_name().to_string_lossy().starts_with("tmp.")).count();
    assert_eq!(left, 0, "{did}");
    (done.status.success(), did)
}

#[test]
fn the_release_is_installed() {
    let other = "0".repeat(64);
    for (architecture, x86_64, aarch64) in [("x86_64", DIGEST, &*other), ("aarch64", &*other, DIGEST)] {
        let (done, did) = run(architecture, x86_64, aarch64);
        assert!(done, "{did}");
        let url =
            format!("https://github.com/docker/compose/releases/download/v9.9.9/docker-compose-linux-{architecture}");
        assert!(did.contains(&format!("curl {url}\n")), "{did}");
        assert!(did.lines().any(|line| line.starts_with("install -m 0755 ")), "{did}");
        assert!(did.ends_with("docker compose version\n"), "{did}");
    }
}

#[test]
fn anything_else_is_not_installed() {
    let other = "0".repeat(64);
    for (architecture, x86_64, aarch64) in [("x86_64", &*other, DIGEST), ("aarch64", DIGEST, &*other)] {
        let (done, did) = run(architecture, x86_64, aarch64);
        assert!(!done, "{did}");
        assert!(did.contains("curl "), "{did}");
        assert!(!did.contains("install -m") && !did.contains("docker compose"), "{did}");
    }
}

#[test]
fn an_architecture_without_a_digest_is_told() {
    assert_eq!(run("riscv64", DIGEST, DIGEST), (false, String::new()));
}
