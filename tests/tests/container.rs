//! The tests of `tests/localstack` against LocalStack in a container instead of a process of this machine.
//!
//! Runs with the feature `containers` alone, as it needs a Docker engine and the image that `localstack/image` makes:
//! `just test-container`.

use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testcontainers::core::{ContainerPort, WaitFor};
use testcontainers::runners::SyncRunner as _;
use testcontainers::{GenericImage, ImageExt as _};

/// What `localstack/image` makes. The tag is LocalStack's own.
const IMAGE: (&str, &str) = ("aloka-localstack", "4.14.0");
const PORT: ContainerPort = ContainerPort::Tcp(4566);
/// Seconds are usual, a cold disk takes longer.
const READY_WITHIN: Duration = Duration::from_secs(120);

fn binary() -> PathBuf {
    let Some(path) = std::env::var_os("ALOKA_BIN") else {
        panic!("ALOKA_BIN is not set: name the binary to test, or run `just test-container`, which builds it");
    };
    let path = PathBuf::from(path);
    match path.canonicalize() {
        Ok(path) if path.is_file() => path,
        Ok(_) | Err(_) => panic!("ALOKA_BIN={} is no file: run `cargo build -p aloka`", path.display()),
    }
}

/// What a container engine answered, or the end of the test.
fn needs_docker<T, E: Display>(what: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!(
            "{what}: {error}\nthis test needs a Docker engine that runs (`docker info` tells) and the image that localstack/image \
             makes; `just test-local` needs neither"
        ),
    }
}

#[test]
fn the_binary_keeps_its_promises_against_localstack_in_a_container() {
    let binary = binary();
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");

    let (name, tag) = IMAGE;
    let image = GenericImage::new(name, tag).with_exposed_port(PORT);
    let image = image.with_wait_for(WaitFor::message_on_either_std("Ready."));
    let container = needs_docker("the container does not start", image.with_startup_timeout(READY_WITHIN).start());
    let host = needs_docker("the container has no address", container.get_host());
    let port = needs_docker("the container has no port", container.get_host_port_ipv4(PORT));

    let host = host.to_string();
    // The emulator's script knows a Python with boto3, and what a fresh emulator has to be asked first.
    let status = Command::new(top.join("localstack/emulator"))
        .args(["run", "--", "tests/localstack/run"])
        .current_dir(&top)
        .env("ALOKA_TEST_ENDPOINT", format!("http://{host}:{port}"))
        .env("ALOKA_BIN", binary)
        .env("NO_PROXY", format!("127.0.0.1,localhost,{host}"))
        .status();
    let status = status.unwrap_or_else(|error| panic!("localstack/emulator cannot be started: {error}"));
    assert!(status.success(), "tests/localstack/run: {status}; what failed stands above");
}
