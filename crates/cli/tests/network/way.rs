//! Proxies, certificates, redirects, and what children are given.

use crate::server::{ACCOUNT, Answer, Asked, Place, Server, certificate};

const STATE: &str = r#"{"version": 4, "serial": 3, "lineage": "x", "resources": [],
    "outputs": {"app_public_ip": {"value": "192.0.2.7", "type": "string"}}}"#;

fn aws(asked: &Asked) -> Answer {
    if asked.is_identity() { Answer::identity() } else { Answer::new(200, STATE) }
}

#[test]
fn a_proxy_leads_to_aws_and_nobody_on_the_way_is_believed() {
    let server = Server::tls(aws);
    let proxy = Server::proxy(server.port);
    let bundle = certificate("authority.pem").display().to_string();
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let place = Place::new().block("").env(name, proxy.url()).env("AWS_CA_BUNDLE", &bundle);
        let ran = place.run(&["output"]).expect(0, "");
        assert!(ran.stdout.contains("192.0.2.7") && !ran.stderr.contains("go to"), "{ran:#?}");
        let tunnels: Vec<_> =
            proxy.asked().into_iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
        assert_eq!(tunnels, ["CONNECT sts.us-east-1.amazonaws.com:443", "CONNECT s3.us-east-1.amazonaws.com:443"]);
        let asked = server.asked();
        assert!(asked[0].is_identity() && asked[1].path.starts_with("/b/k"), "{asked:#?}");
        assert_eq!(asked[1].header("x-amz-expected-bucket-owner"), Some(ACCOUNT));
    }
    // The certificates of the machine, or another authority's: nothing is sent.
    let another = certificate("another.pem").display().to_string();
    for bundle in [None, Some(&another)] {
        let place = Place::new().block("").env("HTTPS_PROXY", proxy.url()).env("ALOKA_BUCKET_OWNER", ACCOUNT);
        let place = match bundle {
            Some(path) => place.env("AWS_CA_BUNDLE", path),
            None => place,
        };
        place.run(&["output"]).expect(1, "UnknownIssuer");
        assert_eq!(server.asked().len(), 0);
    }
}

#[test]
fn a_bundle_may_be_the_profiles_and_has_to_be_one() {
    let server = Server::tls(|_| Answer::error(403, "AccessDenied"));
    let url = format!("https://localhost:{}", server.port);
    let config =
        |path: &str| format!("[profile a]\naws_access_key_id = A\naws_secret_access_key = x\nca_bundle = {path}\n");
    let place = || {
        let place = Place::new().without(&["AWS_ACCESS_KEY_ID"]).env("AWS_ENDPOINT_URL", &url);
        place.env("AWS_CONFIG_FILE", "config").env("AWS_PROFILE", "a").env("ALOKA_CLOUD", "aws")
    };
    let good = certificate("authority.pem").display().to_string();
    place().file("config", &config(&good)).run(&["plan"]).expect(1, "HTTP403");
    assert_ne!(server.asked().len(), 0);
    // The environment comes first; what cannot be used is told, and nothing is sent.
    let another = certificate("another.pem").display().to_string();
    let place_with = |path: &str| place().file("config", &config(&good)).env("AWS_CA_BUNDLE", path);
    place_with(&another).run(&["plan"]).expect(1, "UnknownIssuer");
    place_with("/nonexistent").run(&["plan"]).expect(1, "which AWS_CA_BUNDLE names");
    place_with("config").run(&["plan"]).expect(1, "it has no certificate");
    place().file("config", &config("none.pem")).run(&["plan"]).expect(1, "ca_bundle of the AWS profile");
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn no_proxy_is_heard_and_this_machine_needs_none() {
    let server = Server::plain(|_| Answer::error(403, "AccessDenied"));
    let proxy = Server::proxy(1);
    let place = |url: &str| {
        let place = Place::new().env("ALOKA_CLOUD", "aws").env("AWS_ENDPOINT_URL", url);
        ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"]
            .iter()
            .fold(place, |place, name| place.env(name, proxy.url()))
    };
    place(&server.url()).run(&["plan"]).expect(1, "HTTP403");
    assert_eq!(proxy.asked().len(), 0, "it cannot reach this machine");
    // A tunnel that leads nowhere shows that the proxy was asked; with NO_PROXY it is not.
    for (name, value, is_asked) in [
        ("X", "", true),
        ("NO_PROXY", "other.invalid", true),
        ("NO_PROXY", "aws.invalid", false),
        ("no_proxy", ".invalid", false),
        ("NO_PROXY", "*", false),
    ] {
        // What is not AWS answers no question of aloka's: the first that is not answered ends it.
        let place = place("https://aws.invalid").block("").env("ALOKA_BUCKET_OWNER", ACCOUNT).env(name, value);
        let _failed = place.run(&["force-unlock", "-force", "x"]).expect(1, "");
        let asked = proxy.asked();
        assert_eq!(asked.iter().any(|asked| asked.path == "aws.invalid:443"), is_asked, "{name}={value}: {asked:#?}");
    }
    // Plain HTTP, to a host for which that was allowed.
    let place = place("http://aws.invalid").env("ALOKA_HTTP_HOSTS", "aws.invalid");
    place.run(&["plan"]).expect(1, "");
    let asked = proxy.asked();
    assert!(asked.iter().any(|asked| asked.path.starts_with("http://aws.invalid")), "{asked:#?}");
    // One that cannot be asked is not passed by.
    let place = Place::new().env("ALOKA_CLOUD", "aws").env("HTTPS_PROXY", "socks5://user:secret@x");
    let ran = place.run(&["plan"]).expect(1, "HTTPS_PROXY is not the URL of an HTTP proxy");
    assert!(!ran.stderr.contains("secret"), "{ran:#?}");
}

#[test]
fn a_proxy_that_wants_a_password_is_told_as_one() {
    let proxy = Server::plain(|_| Answer::new(407, ""));
    let place = || Place::new().env("ALOKA_CLOUD", "aws").env("HTTPS_PROXY", proxy.url());
    for ran in [place().run(&["plan"]), place().block("").run(&["output"])] {
        let ran = ran.expect(1, "ProxyRefused: the proxy on the way to https://").expect(1, "USER:PASSWORD@");
        assert_eq!(ran.stderr.matches("error:").count(), 1, "{ran:#?}");
    }
    assert_ne!(proxy.asked().len(), 0);
}

#[test]
fn a_redirect_is_not_followed() {
    let target = Server::plain(|_| Answer::new(200, STATE));
    let to = format!("{}/stolen", target.url());
    for status in [301, 302, 303, 307, 308] {
        let to = to.clone();
        let server = Server::plain(move |_| {
            let mut answer = Answer::error(status, "TemporaryRedirect");
            answer.headers.push(("location", to.clone()));
            answer
        });
        let place = Place::new().env("AWS_ENDPOINT_URL", server.url()).block("use_path_style = true");
        let _failed = place.run(&["state", "versions"]).expect(1, "");
        assert_ne!(server.asked().len(), 0);
    }
    assert_eq!(target.asked().len(), 0);
}

#[test]
fn a_child_is_not_given_the_password() {
    let server = Server::plain(|_| Answer::error(403, "AccessDenied"));
    let script = "#!/bin/sh\nenv > seen\necho '{\"Version\": 1, \"AccessKeyId\": \"A\", \"SecretAccessKey\": \"x\"}'\n";
    let config = "[profile role]\nrole_arn = arn:aws:iam::123456789012:role/r\nsource_profile = default\n\
                  [default]\ncredential_process = sh ./process\n";
    for profile in ["default", "role"] {
        for block in [None, Some("use_path_style = true")] {
            let place = Place::new().without(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]);
            let place = place.file("config", config).file("process", script).env("AWS_CONFIG_FILE", "config");
            let place =
                place.env("AWS_PROFILE", profile).env("AWS_ENDPOINT_URL", server.url()).env("ALOKA_CLOUD", "aws");
            let place = place.env("TF_VAR_environment", "dev");
            let place = block.into_iter().fold(place, Place::block);
            let _refused = place.run(&["plan"]).expect(1, "");
            let seen = std::fs::read_to_string(place.path().join("seen")).expect("the process was started");
            assert!(seen.contains("TF_VAR_environment=dev"), "what is no secret is as it was: {seen}");
            assert!(!seen.contains("db_password") && !seen.contains("correct-horse"), "{seen}");
        }
    }
}
