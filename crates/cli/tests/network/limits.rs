//! Answers that do not end, are too long, too deep or not what they say: bounded memory and one clear error.

use crate::server::{Answer, Asked, Body, Place, Server};

/// Address space for all of it: threads and certificates take some, the longest answer that is read a few times 64 MiB.
const KILOBYTES: u32 = 1_500_000;

fn serve(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> (Server, Place) {
    let server = Server::plain(answer);
    let place = Place::new().env("AWS_ENDPOINT_URL", server.url()).env("ALOKA_CLOUD", "aws");
    (server, place.env("ALOKA_BUCKET_OWNER", "123456789012"))
}

fn with(status: u16, body: Body) -> Answer {
    Answer { body, ..Answer::new(status, "") }
}

#[test]
fn an_answer_without_end_is_read_to_a_limit() {
    let (server, place) = serve(|_| with(200, Body::Endless("1")));
    place.run_within(KILOBYTES, &["plan"]).expect(1, "longer than 64 MiB");
    assert_ne!(server.asked().len(), 0);
    let (_server, place) = serve(|_| with(500, Body::Endless("<a>")));
    place.run_within(KILOBYTES, &["plan"]).expect(1, "longer than 1 MiB");
}

#[test]
fn so_is_a_state_and_it_is_asked_for_once() {
    let (server, place) = serve(|_| with(200, Body::Endless(" ")));
    place.block("use_path_style = true").run_within(KILOBYTES, &["output"]).expect(1, "longer than 64 MiB");
    assert_eq!(server.asked().len(), 1);
    let (server, place) = serve(|_| with(200, Body::Spaces(300 << 20)));
    place.block("use_path_style = true").run_within(KILOBYTES, &["output"]).expect(1, "it has 314572802 bytes");
    assert_eq!(server.asked().len(), 1);
}

#[test]
fn a_long_error_is_told_in_short() {
    let error = format!("<Error><Code>{}</Code><Message>{}</Message></Error>", "E".repeat(100), "M[2J".repeat(100_000));
    let told = |place: Place, command| {
        let ran = place.run_within(KILOBYTES, &[command]).expect(1, "EEEE: M[2JM[2J");
        assert!(ran.stderr.len() < 20_000, "{} bytes", ran.stderr.len());
    };
    let (_server, place) = serve({
        let text = format!("<ErrorResponse>{error}</ErrorResponse>");
        move |_| Answer::new(403, text.clone())
    });
    told(place, "plan");
    let (_server, place) = serve(move |_| Answer::new(403, error.clone()));
    told(place.block("use_path_style = true"), "output");
    let (_server, place) = serve(|_| with(500, Body::Endless("M\u{1b}[2J")));
    let ran = place.block("use_path_style = true").run_within(KILOBYTES, &["output"]).expect(1, "longer than 1 MiB");
    assert!(ran.stderr.len() < 20_000 && !ran.stderr.contains('\u{1b}'), "{} bytes", ran.stderr.len());
}

#[test]
fn what_is_packed_is_not_unpacked() {
    // The head of a gzip stream: what comes after it is of no interest to somebody who does not unpack.
    let (_server, place) = serve(|_| {
        let mut answer = Answer::new(200, b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03".to_vec());
        answer.headers.push(("content-encoding", "gzip".to_owned()));
        answer
    });
    place.run_within(KILOBYTES, &["plan"]).expect(1, "UnreadableAnswer");
}

#[test]
fn what_is_deep_overflows_nothing() {
    let xml = ["<a>".repeat(500_000), format!("{}{}", "<a>".repeat(500_000), "</a>".repeat(500_000))];
    let identity = xml.iter().map(|deep| format!("<GetCallerIdentityResponse><GetCallerIdentityResult>{deep}"));
    for text in xml.iter().cloned().chain(identity).collect::<Vec<_>>() {
        for status in [200, 400] {
            let text = text.clone();
            let (_server, place) = serve(move |_| Answer::new(status, text.clone()));
            let ran = place.run(&["plan"]);
            assert_eq!(ran.code, Some(1), "{status}: {ran:#?}");
        }
    }
    // The one service of ours whose answers may hold one another.
    let list = format!("{{\"Item\": {{\"Info\": {}}}", "{\"L\": [".repeat(200_000));
    for text in [list, "[".repeat(1_000_000), "{\"a\":".repeat(1_000_000)] {
        let server = Server::plain(move |asked| match asked.header("x-amz-target") {
            Some(_) => Answer::new(200, text.clone()),
            None => Answer::error(404, "NoSuchKey"),
        });
        let place = Place::new().env("AWS_ENDPOINT_URL", server.url()).env("ALOKA_BUCKET_OWNER", "123456789012");
        let place = place.block("use_path_style = true\n    dynamodb_table = \"t\"");
        let ran = place.run(&["force-unlock", "-force", "x"]);
        assert_eq!(ran.code, Some(1), "{ran:#?}");
        assert!(server.asked().iter().any(|asked| asked.header("x-amz-target").is_some()));
    }
    // Entities are no part of it.
    let entities = r#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">
        <!ENTITY f SYSTEM "file:///etc/passwd">]><GetCallerIdentityResponse><GetCallerIdentityResult><Account>&b;&f;</Account>
        </GetCallerIdentityResult></GetCallerIdentityResponse>"#;
    let (_server, place) = serve(move |_| Answer::new(200, entities));
    let ran = place.run(&["plan"]).expect(1, "");
    assert!(!ran.stderr.contains("root:") && !ran.stderr.contains("aaaa"), "{ran:#?}");
}
