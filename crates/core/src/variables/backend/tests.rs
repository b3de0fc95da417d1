use super::*;

fn file(contents: &str) -> Vec<(String, String)> {
    vec![("provider.tf".to_owned(), contents.to_owned())]
}

fn settings_given(given: &[&str]) -> Vec<Given> {
    given.iter().map(|text| Given::Setting((*text).to_owned())).collect()
}

fn s3(contents: &str, given: &[&str]) -> S3 {
    match read(&file(contents), &settings_given(given), Need::Whole) {
        Ok(Backend::S3(settings)) => settings,
        other => panic!("{other:?}"),
    }
}

/// All problems as people see them.
fn told(contents: &str, given: &[&str]) -> String {
    let problems = read(&file(contents), &settings_given(given), Need::Whole).expect_err("a problem");
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

const MINIMAL: &str = "terraform {\n  backend \"s3\" {\n    bucket = \"b\"\n    key    = \"k\"\n  }\n}\n";

#[test]
fn without_a_block_the_state_is_local() {
    let local = Ok(Backend::Local(Local::default()));
    assert_eq!(read(&[], &[], Need::Whole), local);
    for contents in [
        "",
        "terraform { required_version = \">= 1.0\" }\nprovider \"aws\" { region = var.backend }",
        "# terraform { backend \"s3\" {} }\n",
        "/*\nterraform {\n  backend \"s3\" {}\n}\n*/\n",
        "resource \"x\" \"backend\" {\n  backend \"s3\" {}\n}\n",
    ] {
        assert_eq!(read(&file(contents), &[], Need::Whole), local, "{contents}");
    }
    // A file that says nothing of backends need not even be HCL.
    assert_eq!(read(&file("{{{"), &[], Need::Whole), local);
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
    for (key, workspace) in [
        ("env:/staging/k", Some("staging")),
        ("env:/k", None),
        ("env://k", None),
        ("env:/a/b/k", None),
        ("env:/../k", None),
        ("env:/default/k", None),
        ("env:/staging/k.tflock", None),
        ("env:/staging/xk", None),
        ("k", None),
    ] {
        assert_eq!(s3(MINIMAL, &[]).workspace_of(key), workspace, "{key}");
    }
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
    assert!(read(&json, &[], Need::Whole).expect_err("refused")[0].to_string().contains("in JSON is not read"));
    let other = vec![("x.tf.json".to_owned(), r#"{"variable": {"backend": {}}}"#.to_owned())];
    assert_eq!(read(&other, &[], Need::Whole), Ok(Backend::Local(Local::default())));
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
    let local = Local { path, ..Local::default() };
    assert_eq!(read(&file(contents), &[], Need::Whole), Ok(Backend::Local(local)));
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

/// Files and settings in any order: the last of a key wins, and what is recorded of them says the same without the files.
#[test]
fn files_of_settings_are_read_in_the_order_given() {
    let setting = |text: &str| Given::Setting(text.to_owned());
    let of = |path: &str, contents: &str| Given::File { path: path.to_owned(), contents: contents.to_owned() };
    let hcl = of(
        "prod.s3.tfbackend",
        "\u{feff}# prod\r\nbucket = \"hcl\"\r\nkey = \"a/b\"\r\nuse_lockfile = true\r\nprofile = null\r\n\
                  endpoints = {\r\n  s3 = \"https://s3.example.com\"\r\n  sts = \"https://sts.example.com\"\r\n}\r\n",
    );
    let json = of(
        "prod.json",
        r#"{"bucket": "json", "key": "j", "encrypt": true, "endpoints": {"sts": "https://x.example.com"}}"#,
    );
    for (given, bucket, key) in [
        (vec![hcl.clone()], "hcl", "a/b"),
        (vec![json.clone()], "json", "j"),
        (vec![hcl.clone(), json.clone()], "json", "j"),
        (vec![json.clone(), hcl.clone()], "hcl", "a/b"),
        (vec![setting("bucket=set"), hcl.clone()], "hcl", "a/b"),
        (vec![hcl.clone(), setting("bucket=set")], "set", "a/b"),
        (vec![hcl.clone(), setting("bucket=set"), json.clone(), setting("key=last")], "json", "last"),
    ] {
        let contents = "terraform {\n  backend \"s3\" {}\n}\n";
        let Ok(Backend::S3(read_back)) = read(&file(contents), &given, Need::Whole) else { panic!("{given:?}") };
        assert_eq!((read_back.bucket.as_str(), read_back.key.as_str()), (bucket, key), "{given:?}");
        let recorded: Vec<Given> = settings(&given).into_iter().map(Given::Setting).collect();
        assert_eq!(read(&file(contents), &recorded, Need::Whole), Ok(Backend::S3(read_back)), "{recorded:?}");
    }
    for (path, contents, part) in [
        ("x.tfbackend", "assume_role {\n}\n", "a block may not stand in a file of backend settings"),
        ("x.tfbackend", "bucket = var.x\n", "references may not be used in a backend block"),
        ("x.tfbackend", "bukket = \"x\"\n", "did you mean bucket?"),
        ("x.tfbackend", "bucket = \"x\n", "x.tfbackend:1:"),
        ("x.json", "[]", "must hold one object"),
        ("x.tfbackend", "secret_key = \"canary\"\n", "secret_key of backend \"s3\" is not supported"),
        ("x.json", "{\"secret_key\": \"canary\"}", "secret_key of backend \"s3\" is not supported"),
        ("x.json", "{\"secret_key\": \"canary", "x.json:1:"),
    ] {
        let problems = read(&file(MINIMAL), &[of(path, contents)], Need::Whole).expect_err("a problem");
        let shown: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
        assert!(shown.contains(part) && !shown.contains("canary"), "{contents}: {shown}");
    }
    assert!(!format!("{:?}", [of("x", "canary"), setting("token=canary")]).contains("canary"));
}

#[test]
fn which_kind_of_backend_it_is_needs_no_bucket() {
    for contents in [
        "terraform {\n  backend \"s3\" {}\n}\n",
        "terraform {\n  backend \"s3\" {\n    region = \"us-east-1\"\n  }\n}\n",
    ] {
        assert!(matches!(read(&file(contents), &[], Need::Kind), Ok(Backend::S3(_))));
        assert!(read(&file(contents), &[], Need::Whole).is_err());
    }
    // What is wrong stays wrong.
    let contents = "terraform {\n  backend \"s3\" {\n    bukket = \"x\"\n  }\n}\n";
    assert!(read(&file(contents), &[], Need::Kind).is_err());
}

#[test]
fn the_settings_of_a_local_backend_come_from_the_block_or_the_command_line() {
    let block =
        "terraform {\n  backend \"local\" {\n    path = \"a.tfstate\"\n    workspace_dir = \"spaces/\"\n  }\n}\n";
    let paths = |contents: &str, given: &[&str]| match read(&file(contents), &settings_given(given), Need::Whole) {
        Ok(Backend::Local(local)) => (local.state_path("default"), local.state_path("prod")),
        other => panic!("{other:?}"),
    };
    let expected = |default: &str, prod: &str| (default.to_owned(), prod.to_owned());
    assert_eq!(paths("", &[]), expected("terraform.tfstate", "terraform.tfstate.d/prod/terraform.tfstate"));
    assert_eq!(paths(block, &[]), expected("a.tfstate", "spaces/prod/terraform.tfstate"));
    assert_eq!(paths(block, &["path=b"]), expected("b", "spaces/prod/terraform.tfstate"));
    assert_eq!(paths(block, &["workspace_dir=w", "path=", "path=c"]), expected("c", "w/prod/terraform.tfstate"));
    // Terraform takes them without a block as well.
    assert_eq!(paths("", &["path=b"]), expected("b", "terraform.tfstate.d/prod/terraform.tfstate"));
}

#[test]
fn an_override_file_puts_its_backend_in_the_place_of_the_other() {
    let local = "terraform {\n  backend \"local\" {\n    path = \"x\"\n  }\n}\n";
    for name in ["override.tf", "backend_override.tf"] {
        let files = vec![("main.tf".to_owned(), MINIMAL.to_owned()), (name.to_owned(), local.to_owned())];
        assert!(matches!(read(&files, &[], Need::Whole), Ok(Backend::Local(_))), "{name}");
    }
    let files = vec![("a.tf".to_owned(), MINIMAL.to_owned()), ("b.tf".to_owned(), local.to_owned())];
    assert!(read(&files, &[], Need::Whole).expect_err("two")[0].summary.contains("a second backend block"));
}
