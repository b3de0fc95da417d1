//! Whose a bucket has to be, and locks in one that is somebody else's.

use std::time::{Duration, Instant};

use crate::server::{ACCOUNT, Answer, Asked, Place, Server};

fn path(asked: &Asked) -> &str {
    asked.path.split('?').next().unwrap_or_default()
}

/// A bucket of `owner` without anything in it, and STS.
fn bucket(owner: &'static str) -> Server {
    Server::plain(move |asked| {
        if asked.is_identity() {
            return Answer::identity();
        }
        let is_ours = asked.header("x-amz-expected-bucket-owner").is_none_or(|expected| expected == owner);
        match asked.method.as_str() {
            _ if !is_ours => Answer::error(403, "AccessDenied"),
            "GET" if path(asked).trim_end_matches('/') == "/b" => Answer::new(200, "<a/>"),
            "GET" => Answer::error(404, "NoSuchKey"),
            _ => Answer::new(200, ""),
        }
    })
}

fn place(server: &Server) -> Place {
    Place::new().env("AWS_ENDPOINT_URL", server.url()).block("use_path_style = true")
}

/// The owner that each request about the bucket names.
fn expected(asked: &[Asked]) -> Vec<Option<&str>> {
    asked.iter().filter(|asked| asked.is_s3()).map(|asked| asked.header("x-amz-expected-bucket-owner")).collect()
}

#[test]
fn every_request_about_a_bucket_names_the_account_of_the_credentials() {
    let commands: [&[&str]; 7] = [
        &["output"],
        &["state", "list"],
        &["state", "versions"],
        &["state", "rm", "x"],
        &["init"],
        &["init", "-create-backend"],
        &["force-unlock", "-force", "x"],
    ];
    for command in commands {
        let server = bucket(ACCOUNT);
        let ran = place(&server).run(command);
        let asked = server.asked();
        let names = expected(&asked);
        assert!(
            !names.is_empty() && names.iter().all(|name| *name == Some(ACCOUNT)),
            "{command:?}: {asked:#?} {ran:#?}"
        );
        assert_eq!(asked.iter().filter(|asked| asked.is_identity()).count(), 1, "{command:?}: asked once");
    }
}

#[test]
fn a_bucket_of_another_account_is_refused_until_it_is_named() {
    const OTHER: &str = "999999999999";
    for command in [&["output"][..], &["init", "-create-backend"], &["state", "rm", "x"]] {
        let server = bucket(OTHER);
        place(&server).run(command).expect(1, "is used only if ALOKA_BUCKET_OWNER names its account");
    }
    let server = bucket(OTHER);
    place(&server).env("ALOKA_BUCKET_OWNER", OTHER).run(&["output"]).expect(0, "");
    let asked = server.asked();
    assert_eq!(expected(&asked), [Some(OTHER)]);
    assert!(!asked.iter().any(Asked::is_identity), "nobody has to be asked");
    for wrong in ["12345678901", "1234567890123", "12345678901x", "aws"] {
        place(&server).env("ALOKA_BUCKET_OWNER", wrong).run(&["output"]).expect(1, "twelve digits");
    }
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn credentials_that_say_whose_they_are_are_not_asked_for() {
    let server = bucket(ACCOUNT);
    let script = "#!/bin/sh\necho once >> count\necho '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"x\", \
                  \"AccountId\": \"123456789012\"}'\n";
    let place = place(&server).without(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
    let place = place.file("process", script).file("config", "[default]\ncredential_process = sh ./process\n");
    let place = place.env("AWS_CONFIG_FILE", "config");
    place.run(&["output"]).expect(0, "");
    let asked = server.asked();
    assert_eq!((expected(&asked), asked.len()), (vec![Some(ACCOUNT)], 1), "{asked:#?}");
    let count = std::fs::read_to_string(place.path().join("count")).expect("written");
    assert_eq!(count, "once\n", "nor is the process started twice");
}

#[test]
fn a_store_that_is_not_aws_need_know_nothing_of_accounts() {
    // Without anybody to ask: the keys of the store are nothing for AWS's own STS.
    let server = bucket(ACCOUNT);
    let place = Place::new().env("AWS_ENDPOINT_URL_S3", server.url()).block("use_path_style = true");
    place.run(&["output"]).expect(0, "");
    assert_eq!(expected(&server.asked()), [None]);
    // With somebody who does not know.
    let server = Server::plain(|asked| match asked.is_identity() {
        true => Answer::error(400, "NotImplemented"),
        false => Answer::error(404, "NoSuchKey"),
    });
    let place = Place::new().env("AWS_ENDPOINT_URL", server.url()).block("use_path_style = true");
    place.run(&["output"]).expect(0, "");
    assert_eq!(expected(&server.asked()), [None]);
}

/// Whatever the lock says of its lease and its clock: it is told, with the way out, at once.
#[test]
fn a_lock_of_anything_ends_no_command_in_a_panic_and_holds_none_for_ever() {
    for lease in ["301", "86401", "9223372036854775808", "18446744073709551615"] {
        for renewed in ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "garbage", ""] {
            let lock = format!(
                r#"{{"ID": "i", "Operation": "o", "Info": "aloka, process 1", "Who": "w", "Version": "1",
                "Created": "2026-01-01T00:00:00Z", "Path": "p", "Lease": {lease}, "Renewed": "{renewed}"}}"#
            );
            let server = Server::plain(move |asked| match (asked.method.as_str(), path(asked).ends_with(".tflock")) {
                _ if asked.is_identity() => Answer::identity(),
                ("PUT", true) => Answer::error(412, "PreconditionFailed"),
                ("GET", true) => Answer::new(200, lock.clone()),
                _ => Answer::error(404, "NoSuchKey"),
            });
            let began = Instant::now();
            let ran = place(&server).run(&["state", "rm", "x"]).expect(1, "state object s3://b/k is locked by w");
            assert!(began.elapsed() < Duration::from_secs(60), "{lease} {renewed}");
            let is_silent = renewed.starts_with("2026");
            assert_eq!(ran.stderr.contains("aloka force-unlock i"), is_silent, "{lease} {renewed}: {ran:#?}");
            assert!(!ran.stderr.contains("invariant"), "{ran:#?}");
        }
    }
}
