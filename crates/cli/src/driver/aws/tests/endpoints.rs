//! Where requests go: the environment and the shared configuration files say, as for every AWS tool.

#![allow(deprecated)] // The SDK's only way to give it a configuration file that is not on disk.

use std::collections::BTreeMap;
use std::process::Command;

use aloka_core::api::{Call, Ec2, Rds, Request, Ssm, Sts};
use aloka_core::secret::Secrets;
use aloka_core::value::Value;
use aws_config::profile::profile_file::{ProfileFileKind, ProfileFiles};
use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

use super::wire::{Wire, run};
use crate::driver::aws::{AwsClient, Settings, loader};

/// Host by service, when the shared configuration file has this content.
async fn hosts(profile: Option<&str>, file: &str, empty_environment: bool) -> BTreeMap<&'static str, String> {
    let wire = Wire::new([]);
    let connector = SharedHttpConnector::new(wire.clone());
    let settings = Settings { region: "eu-west-1".to_owned(), profile: profile.map(str::to_owned) };
    let files = ProfileFiles::builder()
        .with_contents(ProfileFileKind::Config, file)
        .with_contents(ProfileFileKind::Credentials, "")
        .build();
    let loader = loader(&settings).profile_files(files).credentials_provider(Credentials::for_tests());
    let loader = if empty_environment { loader.empty_test_environment() } else { loader };
    let client =
        AwsClient::from_config(&loader.http_client(http_client_fn(move |_, _| connector.clone())).load().await);
    let requests = [
        Call::new(Ec2::DescribeVpcs, []),
        Call::new(Rds::DescribeDBInstances, []),
        Call::new(Ssm::GetParameter, [("Name", Value::str("/x"))]),
        Call::new(Sts::GetCallerIdentity, []),
    ];
    for request in requests {
        let reply = client.send(&Request(request), &Secrets::default()).await;
        reply.expect_err("no answer is scripted");
    }
    ["ec2", "rds", "ssm", "sts"].into_iter().zip(wire.seen().into_iter().map(|seen| seen.host)).collect()
}

fn expected(hosts: [&str; 4]) -> BTreeMap<&'static str, String> {
    ["ec2", "rds", "ssm", "sts"].into_iter().zip(hosts.map(str::to_owned)).collect()
}

#[test]
fn the_shared_configuration_file_is_honoured() {
    let file = "
[default]
region = us-west-2

[profile one]
endpoint_url = http://127.0.0.1:4566

[profile each]
services = local
endpoint_url = http://127.0.0.1:9

[services local]
ec2 =
  endpoint_url = http://127.0.0.1:1
rds =
  endpoint_url = http://127.0.0.1:2
ssm =
  endpoint_url = http://127.0.0.1:3
";
    run(async {
        // The Region is the setting's, not the file's.
        let amazon = ["ec2", "rds", "ssm", "sts"].map(|service| format!("{service}.eu-west-1.amazonaws.com"));
        assert_eq!(hosts(None, file, true).await, expected(amazon.each_ref().map(String::as_str)));
        assert_eq!(hosts(Some("one"), file, true).await, expected(["127.0.0.1:4566"; 4]));
        let each = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3", "127.0.0.1:9"];
        assert_eq!(hosts(Some("each"), file, true).await, expected(each));
    });
}

/// True in any environment; [`the_environment_is_honoured`] runs it in some that matter.
#[test]
fn requests_go_where_the_environment_of_the_test_says() {
    run(async {
        for (service, host) in hosts(None, "", false).await {
            let own = std::env::var(format!("AWS_ENDPOINT_URL_{}", service.to_uppercase()));
            let set = own.or_else(|_| std::env::var("AWS_ENDPOINT_URL"));
            let url = set.unwrap_or_else(|_| format!("https://{service}.eu-west-1.amazonaws.com"));
            let wanted = url.split("://").nth(1).expect("a URL").trim_end_matches('/');
            assert_eq!(host, wanted, "{service}");
        }
    });
}

/// A process cannot safely change its own environment, so this starts the test above in a process of its own.
#[test]
fn the_environment_is_honoured() {
    let environments: [&[(&str, &str)]; 3] = [
        &[],
        &[("AWS_ENDPOINT_URL", "http://localhost:4566")],
        &[
            ("AWS_ENDPOINT_URL", "http://localhost:4566"),
            ("AWS_ENDPOINT_URL_EC2", "http://localhost:1"),
            ("AWS_ENDPOINT_URL_RDS", "http://localhost:2"),
            ("AWS_ENDPOINT_URL_SSM", "http://localhost:3"),
            ("AWS_ENDPOINT_URL_STS", "http://localhost:4"),
        ],
    ];
    for environment in environments {
        let name = format!("{}::requests_go_where_the_environment_of_the_test_says", module_path!());
        let name = name.split_once("::").map_or(&*name, |(_, name)| name);
        let mut test = Command::new(std::env::current_exe().expect("this test"));
        test.args(["--exact", name]).env_clear().envs(environment.iter().copied());
        let output = test.output().expect("it starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && text.contains("1 passed"), "{environment:?}: {text}");
    }
}
