//! Endpoints that a directory names, and the yes that they want.

use serde_json::json;

use crate::server::{Answer, Place, Server};

/// Every sort of command that asks for the state.
const COMMANDS: [&[&str]; 12] = [
    &["output"],
    &["show"],
    &["plan"],
    &["apply", "-auto-approve"],
    &["destroy", "-auto-approve"],
    &["state", "list"],
    &["state", "pull"],
    &["state", "versions"],
    &["state", "rm", "x"],
    &["force-unlock", "-force", "x"],
    &["init"],
    &["init", "-create-backend"],
];

const STATE: &str = r#"{"version": 4, "serial": 3, "lineage": "x", "resources": [],
    "outputs": {"app_public_ip": {"value": "6.6.6.6", "type": "string"}}}"#;

fn evil() -> Server {
    Server::plain(|_| Answer::new(200, STATE))
}

fn endpoints(url: &str) -> String {
    format!("use_path_style = true\n    endpoints = {{ s3 = \"{url}\" }}")
}

#[test]
fn a_directory_does_not_choose_who_is_given_signed_requests() {
    let server = evil();
    let place = Place::new().env("ALOKA_CLOUD", "aws").block(&endpoints(&server.url()));
    for command in COMMANDS {
        let ran = place.run(command).expect(1, "which is not AWS's");
        assert!(ran.stderr.contains(&server.url()) && !ran.stdout.contains("6.6.6.6"), "{command:?}: {ran:#?}");
    }
    assert_eq!(server.asked().len(), 0, "nothing was sent");
    // The simulated cloud has nothing to do with it.
    place.run(&["output", "-cloud=sim"]).expect(0, "");

    let told = place.run(&["output"]);
    place.shell(&told.command("if you know that place, say so: "));
    let ran = place.run(&["output"]).expect(0, &format!("requests about the state go to {} (s3)", server.url()));
    assert!(ran.stdout.contains("6.6.6.6"), "{ran:#?}");
    assert_ne!(server.asked().len(), 0);

    // A yes is for one directory and one place.
    let other = Server::plain(|_| Answer::new(200, STATE));
    let place = place.block(&endpoints(&other.url()));
    place.run(&["output"]).expect(1, "which is not AWS's");
    let elsewhere = Place { home: place.home, ..Place::new().block(&endpoints(&server.url())) };
    elsewhere.run(&["output"]).expect(1, "which is not AWS's");
    assert_eq!((server.asked().len(), other.asked().len()), (0, 0));
}

#[test]
fn a_yes_inside_the_directory_is_none() {
    let server = evil();
    let place = Place::new().block(&endpoints(&server.url()));
    let here = place.path().canonicalize().expect("a path").display().to_string();
    let line = format!("endpoint {} {here}\nendpoint *\n", server.url());
    let place = place.file(".config/aloka/trusted", &line).env("XDG_CONFIG_HOME", format!("{here}/.config"));
    place.run(&["output"]).expect(1, "which is not AWS's");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn the_environment_is_the_users_own_word_and_told() {
    let server = evil();
    for name in ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"] {
        let place = Place::new().env(name, server.url());
        let line = format!("requests about the state go to {} (", server.url());
        // Whether the directory says the same, or nothing.
        for more in [endpoints(&server.url()), "use_path_style = true".to_owned()] {
            let ran = Place::new().env(name, server.url()).block(&more).run(&["output"]).expect(0, &line);
            assert!(ran.stderr.contains(&format!("as {name} says")), "{ran:#?}");
        }
        assert_ne!(server.asked().len(), 0);
        // Another word of the directory's own is not it.
        let other = evil();
        place.block(&endpoints(&other.url())).run(&["output"]).expect(1, "which is not AWS's");
        assert_eq!((server.asked().len(), other.asked().len()), (0, 0));
    }
}

#[test]
fn so_does_the_command_line_for_once() {
    let server = evil();
    let given = format!("-backend-config=endpoint={}", server.url());
    let place = Place::new().block("use_path_style = true");
    place.run(&["init", &given]).expect(0, "as -backend-config says");
    assert_ne!(server.asked().len(), 0);
    // What it left is in the directory, as anything is that came along with it.
    let told = place.run(&["output"]).expect(1, "which is not AWS's");
    assert_eq!(server.asked().len(), 0);
    place.shell(&told.command("if you know that place, say so: "));
    place.run(&["output"]).expect(0, "as this directory says and you agreed");
    assert_ne!(server.asked().len(), 0);
}

#[test]
fn the_record_of_another_user_or_machine_is_none() {
    let server = evil();
    let settings = json!({
        "bucket": "b", "key": "k", "region": "us-east-1", "use_lockfile": true, "use_path_style": true,
        "endpoints": { "s3": server.url() },
    });
    let mut record = json!({
        "format_version": 1,
        "given": [format!("endpoint={}", server.url()), "force_path_style=true"],
        "backend": { "s3": settings },
    });
    // Nobody is asked at AWS's either: what is refused is refused before.
    let closed = "http://127.0.0.1:1";
    let run = |record: &serde_json::Value| {
        let place = Place::new().block("").env("AWS_ENDPOINT_URL", closed);
        place.file(".aloka/backend.json", &record.to_string()).run(&["output"])
    };
    let line = "was written by another user or on another machine, and counts as none";
    let _nobodys = run(&record).expect(1, line);
    // One of this machine and user, as init leaves it: it says whose it is.
    let own = Place::new().block("use_path_style = true");
    own.run(&["init", &format!("-backend-config=endpoint={}", server.url())]).expect(0, "");
    let text = std::fs::read_to_string(own.path().join(".aloka/backend.json")).expect("written");
    let own: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let _asked = server.asked();
    for (user, machine) in [
        (json!(4_000_000_000_u32), own["machine"].clone()),
        (own["user"].clone(), json!("0".repeat(64))),
        (own["user"].clone(), serde_json::Value::Null),
        (serde_json::Value::Null, own["machine"].clone()),
    ] {
        (record["user"], record["machine"]) = (user, machine);
        let _others = run(&record).expect(1, line);
    }
    // Forged to the letter, it still wants the yes.
    (record["user"], record["machine"]) = (own["user"].clone(), own["machine"].clone());
    let _forged = run(&record).expect(1, "which is not AWS's");
    assert_eq!(server.asked().len(), 0, "nothing was sent there");
}

#[test]
fn plain_http_is_not_spoken_to_another_machine() {
    for url in ["http://aws.invalid", "http://127.0.0.1.invalid:4566"] {
        let host = url.trim_start_matches("http://").split(':').next().expect("a host").to_owned();
        let place = Place::new().env("AWS_ENDPOINT_URL", url).env("ALOKA_CLOUD", "aws");
        place.run(&["plan"]).expect(1, "without https").expect(1, &format!("ALOKA_HTTP_HOSTS={host}"));
        place.block("").run(&["output"]).expect(1, "without https");
        let place = Place::new().block(&endpoints(url));
        let told = place.run(&["output"]).expect(1, "which is not AWS's").expect(1, "ALOKA_HTTP_HOSTS");
        place.shell(&told.command("if you know that place, say so: "));
        place.run(&["output"]).expect(1, "without https");
    }
    // Also where the user's own files say so, which only whoever sends a request finds out.
    let profile = "[profile a]\naws_access_key_id = A\naws_secret_access_key = x\nendpoint_url = http://aws.invalid\n";
    let place = Place::new().without(&["AWS_ACCESS_KEY_ID"]).file("config", profile).env("AWS_CONFIG_FILE", "config");
    let place = place.env("ALOKA_CLOUD", "aws").env("AWS_PROFILE", "a");
    place.run(&["plan"]).expect(1, "InsecureEndpoint: ").expect(1, "without https");
}
