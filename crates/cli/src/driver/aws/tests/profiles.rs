//! Whose credentials are used, when the environment and the shared configuration files have several.
//!
//! A process cannot safely change its own environment, so each case starts this test program once more.

use std::path::Path;
use std::process::Command;

use aws_credential_types::provider::ProvideCredentials as _;

use crate::driver::aws::{Settings, loader, profile};

/// Tells the process of a case which profile the variables name; empty for none.
const PROFILE: &str = "ALOKA_TEST_PROFILE";
/// What the process of a case begins the line with that it is after.
const TOLD: &str = "told: ";

/// What a case makes of the environment of its process: the access key, or what is wrong.
#[test]
fn credentials_of_the_environment_of_the_test() {
    // In a run of all tests there is nothing to tell, and the credentials are nobody's business.
    let Ok(name) = std::env::var(PROFILE) else { return };
    let settings = Settings { region: "eu-west-1".to_owned(), profile: Some(name).filter(|name| !name.is_empty()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime").block_on(async {
        let told = match profile::load(loader(&settings), settings.profile.as_deref(), "aws_profile").await {
            Err(error) => format!("error {error}; hint {}", error.hint()),
            Ok(config) => match config.credentials_provider().expect("a provider").provide_credentials().await {
                Ok(found) => format!("key {} {}", found.access_key_id(), config.region().expect("a Region")),
                Err(error) => format!("no credentials {}", super::super::error::reason(&error)),
            },
        };
        println!("\n{TOLD}{told}");
    });
}

/// Stands for a variable that is not set.
const UNSET: &str = "(unset)";

const CONFIG: &str = "
[default]
region = us-west-2

[profile only-config]
aws_access_key_id = CONFIG
aws_secret_access_key = x
region = us-west-2

[profile both]
region = us-west-2

[profile empty]
region = us-west-2

[profile process]
credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"PROCESS\", \"SecretAccessKey\": \"x\"}'

[profile source]
role_arn = arn:aws:iam::111122223333:role/deploy
source_profile = only-config

[profile environment]
role_arn = arn:aws:iam::111122223333:role/deploy
credential_source = Environment

[profile lost-source]
role_arn = arn:aws:iam::111122223333:role/deploy
source_profile = gone

[profile sso]
sso_session = office
sso_account_id = 111122223333
sso_role_name = deploy

[sso-session office]
sso_region = eu-west-1
sso_start_url = https://office.invalid/start
";

const CREDENTIALS: &str = "
[default]
aws_access_key_id = DEFAULT
aws_secret_access_key = x

[only-credentials]
aws_access_key_id = CREDENTIALS
aws_secret_access_key = x

[both]
aws_access_key_id = BOTH
aws_secret_access_key = x
";

/// Variables and their values.
type Environment<'a> = Vec<(&'a str, &'a str)>;

/// What the test above tells in a process with this profile and these variables besides those of the files.
fn told(directory: &Path, profile: &str, environment: &[(&str, &str)]) -> String {
    let name = format!("{}::credentials_of_the_environment_of_the_test", module_path!());
    let name = name.split_once("::").map_or(&*name, |(_, name)| name);
    let mut test = Command::new(std::env::current_exe().expect("this test"));
    test.args(["--exact", name, "--nocapture"]).env_clear().env(PROFILE, profile);
    test.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", directory);
    // Nobody asks the network.
    test.env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    test.env("AWS_CONFIG_FILE", directory.join("config"));
    test.env("AWS_SHARED_CREDENTIALS_FILE", directory.join("credentials"));
    for (name, value) in environment {
        if *value == UNSET {
            test.env_remove(name)
        } else {
            test.env(name, value)
        };
    }
    let output = test.output().expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.strip_prefix(TOLD));
    line.unwrap_or_else(|| panic!("{profile}: {text}{}", String::from_utf8_lossy(&output.stderr))).to_owned()
}

#[test]
fn a_profile_that_is_named_comes_first_and_exists() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("config"), CONFIG).expect("written");
    std::fs::write(path("credentials"), CREDENTIALS).expect("written");
    let nowhere = "[profile nowhere]\nendpoint_url =\naws_access_key_id = NOWHERE\naws_secret_access_key = x\n\
                   [profile broken]\nendpoint_url = 127.0.0.1:4566\n[profile tired]\nmax_attempts = 0\n";
    std::fs::write(path("nowhere"), nowhere).expect("written");
    std::fs::write(path("broken"), "[default]\naws_access_key_id 1\n").expect("written");

    let keys: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "ENVIRONMENT"), ("AWS_SECRET_ACCESS_KEY", "x")];
    let with = |more: &'static [(&'static str, &'static str)]| [keys, more].concat();
    let missing = format!(
        "error the AWS profile `nope` is neither in {0} nor in {1}; hint correct aws_profile, or add [profile nope] to {0} \
         or [nope] to {1}",
        path("config").display(),
        path("credentials").display(),
    );
    let of_environment = missing.replace("correct aws_profile", "correct AWS_PROFILE");
    let empty = "no credentials the credential provider was not enabled: the AWS profile `empty` has no credentials, and \
                 neither has the machine this runs on";
    let nowhere = path("nowhere").display().to_string();
    let nowhere = || ("AWS_CONFIG_FILE", nowhere.as_str());
    let broken = path("broken").display().to_string();
    let broken: &[(&str, &str)] = &[("AWS_CONFIG_FILE", &broken)];

    // Profile of the variables, environment, and what is told: all of it, or how it begins if it ends with `…`.
    let cases: Vec<(&str, Environment<'_>, &str)> = vec![
        ("", keys.to_vec(), "key ENVIRONMENT eu-west-1"),
        ("", vec![], "key DEFAULT eu-west-1"),
        ("", vec![("AWS_PROFILE", "only-config")], "key CONFIG eu-west-1"),
        ("", with(&[("AWS_PROFILE", "only-config")]), "key ENVIRONMENT eu-west-1"),
        ("", with(&[("AWS_PROFILE", "")]), "key ENVIRONMENT eu-west-1"),
        ("", vec![("AWS_PROFILE", "nope")], &of_environment),
        ("", with(&[("AWS_PROFILE", "nope")]), &of_environment),
        ("only-config", keys.to_vec(), "key CONFIG eu-west-1"),
        ("only-credentials", keys.to_vec(), "key CREDENTIALS eu-west-1"),
        ("both", keys.to_vec(), "key BOTH eu-west-1"),
        ("both", with(&[("AWS_PROFILE", "only-config"), ("AWS_REGION", "us-west-1")]), "key BOTH eu-west-1"),
        ("both", with(&[("AWS_PROFILE", "nope")]), "key BOTH eu-west-1"),
        ("default", keys.to_vec(), "key DEFAULT eu-west-1"),
        ("process", keys.to_vec(), "key PROCESS eu-west-1"),
        ("nope", vec![], &missing),
        ("nope", keys.to_vec(), &missing),
        ("nope", with(&[("AWS_PROFILE", "only-config")]), &missing),
        ("empty", keys.to_vec(), empty),
        ("empty", vec![], empty),
        // The role is asked for, and STS is not there; a session has to be begun first.
        ("source", keys.to_vec(), "no credentials an error occurred while loading credentials: …"),
        ("environment", keys.to_vec(), "no credentials an error occurred while loading credentials: …"),
        ("sso", keys.to_vec(), "no credentials …"),
        (
            "lost-source",
            keys.to_vec(),
            "no credentials the credential provider was not enabled: profile `gone` was not defined…",
        ),
        ("only-credentials", with(&[("AWS_CONFIG_FILE", "/nonexistent")]), "key CREDENTIALS eu-west-1"),
        ("only-config", with(&[("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")]), "key CONFIG eu-west-1"),
        (
            "only-credentials",
            with(&[("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")]),
            "error the AWS profile `only-credentials` is neither in …",
        ),
        ("", broken.to_vec(), "error cannot read the AWS configuration in …"),
        ("only-credentials", [keys, broken].concat(), "error cannot read the AWS configuration in …"),
        ("", [keys, broken].concat(), "key ENVIRONMENT eu-west-1"),
        // An endpoint that is nothing is none; one that is no URL is not passed by.
        ("nowhere", vec![nowhere(), ("AWS_ENDPOINT_URL", UNSET)], "key NOWHERE eu-west-1"),
        ("both", vec![nowhere()], "key BOTH eu-west-1"),
        (
            "broken",
            vec![nowhere(), ("AWS_ENDPOINT_URL", UNSET)],
            "error the endpoint of EC2 in the environment or the AWS configuration is `127.0.0.1:4566`, which is not a URL…",
        ),
        ("tired", vec![nowhere()], "error max_attempts of the AWS profile `tired` is `0`, which is not…"),
        (
            "",
            with(&[("AWS_RETRY_MODE", "forever")]),
            "error AWS_RETRY_MODE is `forever`, which is not legacy or standard…",
        ),
        ("", with(&[("AWS_RETRY_MODE", "legacy"), ("AWS_MAX_ATTEMPTS", "2")]), "key ENVIRONMENT eu-west-1"),
        ("", with(&[("AWS_SESSION_TOKEN", "a b")]), "error AWS_SESSION_TOKEN has a blank, a line break or another…"),
    ];
    let mut wrong = Vec::new();
    for (profile, environment, expected) in cases {
        let told = told(directory.path(), profile, &environment);
        let right = match expected.strip_suffix('…') {
            Some(begin) => told.starts_with(begin),
            None => told == expected,
        };
        if !right || (!profile.is_empty() && told.contains("ENVIRONMENT")) {
            wrong.push(format!("{profile:?} {environment:?}\n  expected {expected}\n  got      {told}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_files_are_those_of_the_home_directory_unless_the_environment_says_otherwise() {
    let directory = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(directory.path().join(".aws")).expect("made");
    std::fs::write(directory.path().join(".aws/config"), CONFIG).expect("written");
    let files = |value| [("AWS_CONFIG_FILE", value), ("AWS_SHARED_CREDENTIALS_FILE", value)];
    assert_eq!(told(directory.path(), "only-config", &files(UNSET)), "key CONFIG eu-west-1");
    let of_home = told(directory.path(), "nope", &files(UNSET));
    assert!(of_home.contains("neither in ~/.aws/config nor in ~/.aws/credentials"), "{of_home}");
    let none = told(directory.path(), "only-config", &files(""));
    assert!(none.contains("neither in AWS_CONFIG_FILE (empty) nor in AWS_SHARED_CREDENTIALS_FILE (empty)"), "{none}");
}
