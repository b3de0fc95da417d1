use super::*;

fn file(contents: &str) -> Vec<(String, String)> {
    vec![("provider.tf".to_owned(), contents.to_owned())]
}

fn s3(contents: &str, given: &[&str]) -> S3 {
    let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
    match read(&file(contents), &given) {
        Ok(Backend::S3(settings)) => settings,
        other => panic!("{other:?}"),
    }
}

/// All problems as people see them.
fn told(contents: &str, given: &[&str]) -> String {
    let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
    let problems = read(&file(contents), &given).expect_err("a problem");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const MINIMAL: &str = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n  }\n}\n";

#[test]
fn without_a_block_the_state_is_local() {
    let local = Ok(Backend::Local(Local::default()));
    assert_eq!(read(&[], &[]), local);
    for contents in [
        "",
        "terraform { required_version = \">= 1.0\" }\nprovider \"aws\" { region = var.backend }",
        "# terraform { backend \"s3\" {} }\n",
        "/*\nterraform {\n  backend \"s3\" {}\n}\n*/\n",
        "resource \"x\" \"backend\" {\n  backend \"s3\" {}\n}\n",
    ] {
        assert_eq!(read(&file(contents), &[]), local, "{contents}");
    }
    // A file that says nothing of backends need not even be HCL.
    assert_eq!(read(&file("{{{"), &[]), local);
}

#[test]
fn every_setting_is_taken() {
    let settings = s3(
        r#"
        terraform {
          required_providers { aws = { source = "hashicorp/aws", version = "~> 5.0" } }
          backend "s3" {
            bucket               = "aloka-terraform-state" # where it is
            key                  = "prod/terraform.tfstate"
            region               = "eu-west-1"
            profile              = "team"
            dynamodb_table       = "aloka-terraform-locks"
            use_lockfile         = true
            encrypt              = true
            kms_key_id           = "arn:aws:kms:x"
            acl                  = "private"
            workspace_key_prefix = "ws"
            use_path_style       = true
            endpoints            = { s3 = "http://a", dynamodb = "http://b", sts = "http://c", iam = "http://d" }
            skip_credentials_validation = true
            skip_requesting_account_id  = true
            skip_metadata_api_check     = true
            skip_region_validation      = true
            skip_s3_checksum            = true
          }
        }
        provider "aws" {
          region = var.aws_region
          default_tags { tags = merge(var.tags, { x = "${var.y}-z" }) }
        }
        "#,
        &[],
    );
    let text = |text: &str| Some(text.to_owned());
    let urls = [("s3", "http://a"), ("dynamodb", "http://b"), ("sts", "http://c"), ("iam", "http://d")];
    assert_eq!(
        settings,
        S3 {
            bucket: "aloka-terraform-state".to_owned(),
            key: "prod/terraform.tfstate".to_owned(),
            region: text("eu-west-1"),
            profile: text("team"),
            dynamodb_table: text("aloka-terraform-locks"),
            use_lockfile: true,
            encrypt: true,
            kms_key_id: text("arn:aws:kms:x"),
            acl: text("private"),
            workspace_key_prefix: text("ws"),
            endpoints: urls.into_iter().map(|(name, url)| (name.to_owned(), url.to_owned())).collect(),
            use_path_style: true,
            skip_s3_checksum: true,
        }
    );
    assert_eq!(settings.state_key("default"), "prod/terraform.tfstate");
    assert_eq!(settings.state_key("staging"), "ws/staging/prod/terraform.tfstate");
    assert_eq!(s3(MINIMAL, &[]).state_key("staging"), "env:/staging/k");
}

#[test]
fn what_is_given_comes_on_top() {
    let settings = s3(
        "terraform {\n  backend \"s3\" {\n    key = \"k\"\n    region = \"a\"\n  }\n}\n",
        &["bucket=b", "region = \"c\"", "use_lockfile=true", "region=d", "dynamodb_table="],
    );
    let expected = S3 {
        bucket: "b".to_owned(),
        key: "k".to_owned(),
        region: Some("d".to_owned()),
        use_lockfile: true,
        ..S3::default()
    };
    assert_eq!(settings, expected);
    assert!(told("", &["bucket=b"]).contains("no backend block"));
    assert!(told(MINIMAL, &["bucket"]).contains("-backend-config needs KEY=VALUE"));
}

#[test]
fn a_problem_is_shown_where_it_stands() {
    let shown = told(
        "terraform {\n  backend \"s3\" {\n    bucket = var.bucket\n    key = \"k\"\n    use_lockfil = true\n  }\n}\n",
        &[],
    );
    let expected = "\
error: references may not be used in a backend block
 --> provider.tf:3:14
  |
3 |     bucket = var.bucket
  |              ^^^^^^^^^^
  = hint: the state has to be found before variables are read: write the value itself, or give it with aloka init \
-backend-config";
    assert!(shown.contains(expected), "{shown}");
    assert!(shown.contains("has no setting called \"use_lockfil\"") && shown.contains("did you mean use_lockfile?"));
}

#[test]
fn what_cannot_be_honoured_is_refused() {
    let block = |kind: &str, body: &str| format!("terraform {{\n  backend \"{kind}\" {{\n{body}\n  }}\n}}\n");
    let with = |line: &str| block("s3", &format!("bucket = \"b\"\nkey = \"k\"\n{line}"));
    for (contents, part) in [
        (block("gcs", "bucket = \"b\""), "backend \"gcs\" is not supported"),
        (block("s3", "bucket = \"b\""), "needs a key"),
        (block("s3", "key = \"\"\nbucket = \"b\""), "needs a key"),
        (block("s3", "key = \"/k\"\nbucket = \"b\""), "begins or ends with a slash"),
        (with("encrypt = \"yes\""), "encrypt is a text, but must be true or false"),
        (with("region = [\"a\"]"), "region is a list, but must be a text"),
        (with("role_arn = \"arn:x\""), "role_arn of backend \"s3\" is not supported"),
        (with("assume_role = { role_arn = \"x\" }"), "assume_role of backend \"s3\" is not supported"),
        (with("assume_role {\n  role_arn = \"x\"\n}"), "assume_role of backend \"s3\" is not supported"),
        (with("endpoints = { s4 = \"x\" }"), "endpoints has no service \"s4\""),
        (with("endpoints = \"x\""), "endpoints is a text"),
        (format!("{MINIMAL}{MINIMAL}"), "this is a second backend block"),
        ("terraform {\n  backend {\n  }\n}\n".to_owned(), "one label"),
        ("terraform {\n  cloud {\n    organization = \"x\"\n  }\n}\n".to_owned(), "HCP Terraform is not supported"),
        ("terraform {\n  backend \"s3\" {\n".to_owned(), "provider.tf:"),
        (block("local", "pth = \"x\""), "no setting called \"pth\""),
    ] {
        let shown = told(&contents, &[]);
        assert!(shown.contains(part), "{contents}\n{shown}");
    }
    let json = vec![("x.tf.json".to_owned(), r#"{"terraform": [{"backend": {"s3": {}}}]}"#.to_owned())];
    assert!(read(&json, &[]).expect_err("refused")[0].to_string().contains("in JSON is not read"));
    let other = vec![("x.tf.json".to_owned(), r#"{"variable": {"backend": {}}}"#.to_owned())];
    assert_eq!(read(&other, &[]), Ok(Backend::Local(Local::default())));
}

#[test]
fn a_credential_is_never_shown() {
    for (contents, given) in [
        (MINIMAL.replace("key ", "secret_key = \"canary\"\nkey "), vec![]),
        (MINIMAL.replace("key ", "access_key = \"canary\"\nkey "), vec![]),
        (MINIMAL.replace("key ", "token = [\"canary\"]\nkey "), vec![]),
        (MINIMAL.replace("key ", "secret_key = \"canary\nkey "), vec![]),
        (MINIMAL.to_owned(), vec!["secret_key=canary"]),
        (MINIMAL.to_owned(), vec!["canary"]),
        (MINIMAL.to_owned(), vec!["password=canary"]),
    ] {
        let shown = told(&contents, &given);
        assert!(!shown.contains("canary"), "{shown}");
    }
}

#[test]
fn a_local_path_is_taken() {
    let contents = "terraform {\n  backend \"local\" {\n    path = \"state/x.tfstate\"\n  }\n}\n";
    let path = Some("state/x.tfstate".to_owned());
    assert_eq!(read(&file(contents), &[]), Ok(Backend::Local(Local { path })));
}

#[test]
fn a_region_and_an_endpoint_become_a_host_and_nothing_else() {
    for (setting, named) in [
        ("region = \"us-east-1/../x\"", "region is \"us-east-1/../x\""),
        ("region = \"evil.example#\"", "region is \"evil.example#\""),
        ("endpoints = { s3 = \"evil\" }", "the endpoint of s3 is \"evil\""),
        (
            "endpoints = { dynamodb = \"https://x@evil.example\" }",
            "the endpoint of dynamodb is \"https://x@evil.example\"",
        ),
        ("endpoint = \"file:///etc/passwd\"", "the endpoint of s3 is \"file:///etc/passwd\""),
        ("sts_endpoint = \"https://a\\\\@b\"", "the endpoint of sts is"),
    ] {
        let text = format!(
            "terraform {{\n  backend \"s3\" {{\n    bucket = \"b\"\n    key = \"k\"\n    {setting}\n  }}\n}}\n"
        );
        let told = told(&text, &[]);
        assert!(told.contains(named), "{setting}: {told}");
    }
}
