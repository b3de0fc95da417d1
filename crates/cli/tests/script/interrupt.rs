//! A command that is told to stop, by the signals that a terminal sends.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Dir, Ran};

/// Starts the binary with this many virtual seconds in a real one.
fn start(dir: &Dir, args: &[&str], pace: u32) -> Child {
    let mut command = dir.command(args);
    command.env("ALOKA_SIM_PACE", pace.to_string());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Waits until the state holds `text`, then sends the signal.
fn send(dir: &Dir, child: &mut Child, text: &str, signal: Signal) {
    let start = Instant::now();
    let state = dir.path().join("terraform.tfstate");
    while !std::fs::read_to_string(&state).is_ok_and(|state| state.contains(text)) {
        assert!(start.elapsed() < Duration::from_secs(120), "`{text}` never came up");
        assert_eq!(child.try_wait().expect("a child"), None, "it ended before `{text}` came up");
        std::thread::sleep(Duration::from_millis(5));
    }
    kill_process(Pid::from_child(child), signal).expect("sent");
}

fn ended(child: Child) -> Ran {
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Ran {
        code: output.status.code().expect("an exit code, not a signal"),
        stdout: text(output.stdout),
        stderr: text(output.stderr),
    }
}

/// Whichever signal asks: nothing new is sent, what is known is recorded, the lock is given back.
#[test]
fn a_stopped_apply_saves_the_state_and_goes_on_later() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let dir = Dir::new();
        let mut child = start(&dir, &["apply", "-auto-approve"], 30);
        // Everything that only takes its time is under way: the database, and the gateway.
        send(&dir, &mut child, "\"aws_nat_gateway\"", signal);
        let ran = ended(child).expect(1).complains("stopping: no new calls; waiting for those under way");
        let ran = ran.complains("Apply incomplete.").complains("error: stopped with ");
        assert!(ran.stderr.ends_with("hint: run the command again to go on from here\n"), "{}", ran.stderr);
        let lock = dir.path().join(".terraform.tfstate.lock.info");
        assert!(!lock.exists(), "the lock is still there");
        let ran = dir.apply(&[]);
        assert!(!ran.stderr.contains("aws_vpc.this[0]: Creating..."), "{}", ran.stderr);
        dir.run(&["plan", "-detailed-exitcode"]).expect(0).says("No changes.");
    }
}
