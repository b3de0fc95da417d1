//! A panic, whatever it says, tells where and not what.

use std::process::Command;

const CANARY: &str = "Zq7Canary3Kx";

/// Fails on purpose. Every `cargo test` runs it: the other test does, in a process of its own.
#[test]
#[ignore = "panics on purpose; a_panic_does_not_say_what_it_holds runs it"]
fn panics_with_a_secret() {
    aloka::guard::install();
    panic!("the password is {CANARY}");
}

#[test]
fn a_panic_does_not_say_what_it_holds() {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", "panics_with_a_secret", "--ignored", "--nocapture", "--test-threads=1"]);
    let output = command.env("RUST_BACKTRACE", "full").output().expect("it runs");
    assert!(!output.status.success());
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(said.contains("error: invariant violated: aloka ended at "), "{said}");
    assert!(said.contains("guard.rs") && said.contains("hint: "), "{said}");
    assert!(!said.contains(CANARY), "{said}");
}
