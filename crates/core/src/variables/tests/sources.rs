//! Precedence, the two file formats, unknown names, limits.

use serde_json::json;

use super::*;

#[test]
fn no_source_gives_the_defaults() {
    let variables = good(&[]);
    let fields = serde_json::to_value(&variables).unwrap();
    let rule = |port: u16, description: &str| {
        let networks = ["0.0.0.0/0"];
        json!({
            "from_port": port, "to_port": port, "protocol": "tcp", "cidr_blocks": networks, "description": description
        })
    };
    for (name, expected) in [
        ("aws_region", json!("us-east-1")),
        ("environment", json!("dev")),
        ("project_name", json!("aloka")),
        ("vpc_cidr", json!("10.0.0.0/16")),
        ("public_subnet_cidrs", json!(["10.0.1.0/24", "10.0.2.0/24"])),
        ("private_subnet_cidrs", json!(["10.0.10.0/24", "10.0.11.0/24"])),
        ("availability_zones", json!([])),
        ("enable_nat_gateway", json!(true)),
        ("enable_s3_endpoint", json!(false)),
        ("single_nat_gateway", json!(true)),
        ("manage_default_security_group", json!(true)),
        ("app_instance_type", json!("t3.small")),
        ("app_instance_count", json!(1)),
        ("app_ami_family", json!("amazon-linux-2")),
        ("app_ingress", json!([rule(80, "HTTP"), rule(443, "HTTPS")])),
        ("app_docker_compose_sha256", json!({})),
        ("app_metadata_hop_limit", json!(1)),
        ("db_instance_class", json!("db.t3.micro")),
        ("db_name", json!("alokadb")),
        ("db_username", json!("postgres")),
        ("db_manage_master_user_password", json!(false)),
        ("db_storage_encrypted", json!(true)),
        ("tags", json!({})),
    ] {
        assert_eq!(fields[name], expected, "{name}");
    }
    for name in [
        "aws_profile",
        "app_ami_id",
        "app_user_data",
        "app_docker_compose_version",
        "app_root_volume_gib",
        "db_engine_version",
        "db_allocated_storage",
        "db_max_allocated_storage",
        "db_subnet_group_name",
        "db_multi_az",
        "db_backup_retention_days",
        "db_deletion_protection",
        "db_skip_final_snapshot",
        "db_final_snapshot_identifier",
        "db_delete_automated_backups",
        "db_copy_tags_to_snapshot",
        "db_enabled_cloudwatch_logs_exports",
    ] {
        assert_eq!(fields[name], json!(null), "{name}");
    }
    let json = serde_json::to_string(&variables).unwrap();
    assert_eq!(serde_json::from_str::<Variables>(&json).unwrap(), variables);
}

#[test]
fn the_fields_are_in_the_order_of_the_table() {
    let json = serde_json::to_string(&good(&[])).unwrap();
    let (sensitive, fields): (Vec<&Definition>, Vec<_>) = definitions().iter().partition(|known| known.sensitive);
    let places = fields.iter().map(|definition| json.find(&format!("\"{}\":", definition.name)));
    assert!(places.collect::<Option<Vec<_>>>().is_some_and(|places| places.is_sorted()), "{json}");
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap().as_object().unwrap().len(), fields.len());
    assert_eq!(sensitive.iter().map(|definition| definition.name).collect::<Vec<_>>(), [DB_PASSWORD]);
}

#[test]
fn every_default_may_be_written_out() {
    let lines = definitions().iter().filter_map(|known| Some(format!("{} = {}", known.name, known.default?)));
    let contents: Vec<String> = lines.collect();
    assert_eq!(good(&[tfvars(&contents.join("\n"))]), good(&[]));
}

#[test]
fn the_later_source_wins() {
    let sources = [
        environment("TF_VAR_environment", "one"),
        tfvars("environment = \"two\""),
        file("terraform.tfvars.json", r#"{"environment": "three"}"#),
        file("x.auto.tfvars", "environment = \"four\""),
        command_line("environment", "five"),
        file("late.tfvars", "environment = \"six\""),
        command_line("environment", "seven"),
    ];
    assert_eq!(good(&[]).environment, "dev");
    let expected = ["one", "two", "three", "four", "five", "six", "seven"];
    for (count, expected) in expected.into_iter().enumerate() {
        assert_eq!(good(&sources[..=count]).environment, expected);
    }
}

/// What a file says is data, the rest is the user's own word: the source that wins decides.
#[test]
fn variables_that_a_file_sets_are_known() {
    let sources = [
        environment("TF_VAR_app_user_data", "one.sh"),
        tfvars("app_user_data = \"two.sh\""),
        command_line("app_user_data", "three.sh"),
        file("late.tfvars", "app_user_data = \"four.sh\""),
        file("later.tfvars", "app_user_data = null"),
    ];
    for (count, expected) in [false, false, true, false, true, false].into_iter().enumerate() {
        let evaluated = evaluate(&sources[..count], Needs { password: false }).expect("valid");
        assert_eq!(evaluated.by_file.contains("app_user_data"), expected, "{count} sources");
    }
}

#[test]
fn an_overridden_value_is_not_judged_and_null_is_the_default() {
    assert_eq!(good(&[tfvars("environment = \"BAD\""), command_line("environment", "ok")]).environment, "ok");
    assert_eq!(good(&[tfvars("environment = \"x\""), file("late.tfvars", "environment = null")]).environment, "dev");
}

#[test]
fn complex_values_outside_files_are_expressions_and_simple_ones_are_texts() {
    let list = r#"["us-east-1a", "us-east-1b"]"#;
    for source in [environment("TF_VAR_availability_zones", list), command_line("availability_zones", list)] {
        assert_eq!(good(&[source]).availability_zones, ["us-east-1a", "us-east-1b"]);
    }
    let variables = good(&[
        environment("TF_VAR_app_instance_count", "3"),
        environment("TF_VAR_db_multi_az", "true"),
        environment("TF_VAR_enable_nat_gateway", "0"),
        environment("TF_VAR_aws_profile", "[not, a, list]"),
        command_line("tags", r#"{ a = "b" }"#),
        command_line("app_ingress", "[{ port = 8080 }]"),
    ]);
    assert_eq!(variables.app_instance_count, 3);
    assert!(variables.db_multi_az == Some(true) && !variables.enable_nat_gateway);
    assert_eq!(variables.aws_profile.as_deref(), Some("[not, a, list]"));
    assert_eq!(variables.tags["a"], "b");
    assert_eq!(variables.app_ingress[0].from_port, 8080);
    assert!(bad(&[command_line("tags", "a = b")])[0].summary.contains("cannot be read"));
    assert!(bad(&[command_line("tags", "")])[0].location.is_some());
}

#[test]
fn unknown_names() {
    let evaluated = evaluate(&[tfvars("vpc_cird = \"10.0.0.0/16\"\nnonsense = 3\n")], Needs { password: false });
    let found = evaluated.expect("warnings alone, as in Terraform").warnings;
    assert_eq!(found[0].hint.as_deref(), Some("did you mean vpc_cidr?"), "{}", found[0]);
    assert!(found[1].summary.contains("nonsense"));
    assert!(bad(&[command_line("regoin", "x")])[0].summary.contains("regoin"));
    let evaluated = evaluate(&[file("a.tfvars.json", r#"{"regoin": 1}"#)], Needs { password: false });
    assert!(evaluated.expect("a warning").warnings[0].summary.contains("regoin"));
    good(&[environment("TF_VAR_regoin", "x"), environment("PATH", "/bin"), environment("environment", "BAD")]);
}

#[test]
fn json_files() {
    let json = "\u{feff}{ \"//\": \"a comment\", \"vpc_cidr\": \"10.0.0.0/16\", \"app_instance_count\": 2,\n \
                \"tags\": {\"a\": \"\\u00e9\\/b\", \"b\": \"@x\"}, \"aws_profile\": null, \"db_multi_az\": true,\n\
                \"app_ingress\": [{\"port\": 80, \"cidr_blocks\": [\"10.0.0.0/8\"]}] }\n";
    let variables = good(&[file("x.tfvars.json", json)]);
    assert_eq!(variables.app_instance_count, 2);
    assert_eq!(variables.tags["a"], "é/b");
    for (contents, expected) in [
        ("", "a value was expected, but the file ends here"),
        ("[]", "must hold one object"),
        ("{} {}", "nothing may follow"),
        ("{\"tags\": {}", "a comma or a closing brace was expected"),
        ("{\"tags\": {},}", "a name in double quotes was expected"),
        ("{\"tags\" 1}", "a colon was expected"),
        ("{\"tags\": nil}", "a value was expected"),
        ("{\"environment\": \"a\", \"environment\": \"b\"}", "set twice"),
        ("{\"tags\": {\"a\": 1, \"a\": 2}}", "set twice"),
        ("{\"environment\": \"a\n\"}", "not closed"),
        ("{\"environment\": \"a\\", "not closed"),
        ("{\"environment\": \"\\x\"}", "wrong escape"),
        ("{\"environment\": \"\\é\"}", "wrong escape"),
        ("{\"app_instance_count\": 01}", "not a number"),
        ("{\"app_instance_count\": -}", "not a number"),
        ("{tags: 1}", "a name in double quotes was expected"),
    ] {
        let found = bad(&[file("x.tfvars.json", contents)]);
        assert!(found[0].summary.contains(expected), "{contents}\n{}", found[0]);
        assert!(found[0].location.is_some());
    }
}

#[test]
fn hcl_syntax_faults() {
    for (contents, line, column, expected) in [
        ("environment = \"a\"\nenvironment = \"b\"\n", 2, 1, "set twice"),
        ("tags = { a = 1, a = 2 }\n", 1, 17, "set twice"),
        ("environment = \"a\nvpc_cidr = \"10.0.0.0/16\"\n", 1, 15, "not closed"),
        ("environment = 'a'\n", 1, 15, "double quotes"),
        ("environment =\n", 1, 14, "a value was expected"),
        ("environment\n", 1, 12, "an equals sign was expected"),
        ("environment = \"a\" \"b\"\n", 1, 19, "the line should end here"),
        ("environment = \"\\q\"\n", 1, 16, "escape"),
        ("/* open\n", 1, 1, "comment is not closed"),
        ("tags = <<EOT\nabc\n", 1, 8, "heredoc is not closed"),
        ("é = \"a\n", 1, 5, "not closed"),
    ] {
        let found = bad(&[tfvars(contents)]);
        assert!(found[0].summary.contains(expected), "{contents}\n{}", found[0]);
        let Some(Location { line: found_line, column: found_column, .. }) = &found[0].location else {
            panic!("no location: {}", found[0]);
        };
        assert_eq!((*found_line, *found_column), (line, column), "{contents}\n{}", found[0]);
    }
}

#[test]
fn hcl_texts() {
    let variables =
        good(&[tfvars("tags = {\n a = \"x\\u00e9 y\"\n b: \"c\",\n \"d e\" = 'f'\n}\n".replace('\'', "\"").as_str())]);
    assert_eq!(variables.tags["a"], "xé y");
    assert_eq!(variables.tags["d e"], "f");
    let variables = good(&[tfvars("\u{feff}environment = \"x\"\r\ntags = {}\r\n")]);
    assert_eq!(variables.environment, "x");
    let found = bad(&[tfvars("tags = { a = \"$${b}\" }")]);
    assert!(found[0].summary.contains("\"${b}\""), "{}", found[0]);
    let heredoc = "tags = { a = <<-EOT\n    one\n    EOT\n}\n";
    assert!(bad(&[tfvars(heredoc)])[0].summary.contains("the value \"one\u{fffd}\""));
}

#[test]
fn sources_have_limits() {
    let long = format!("# {}\n", "x".repeat(1 << 20));
    assert!(bad(&[tfvars(&long)])[0].summary.contains("longer than 1048576 bytes"));
    assert!(bad(&[environment("TF_VAR_tags", &long)])[0].summary.contains("longer than"));
    good(&[tfvars(&format!("# {}\n", "x".repeat((1 << 20) - 3)))]);
    for (open, close) in [("[", "]"), ("{ a = ", "}"), ("(", ")")] {
        for depth in [17, 100, 100_000] {
            let contents = format!("tags = {}1{}", open.repeat(depth), close.repeat(depth));
            assert!(bad(&[tfvars(&contents)])[0].summary.contains("nested"), "{open} {depth}");
            assert!(bad(&[command_line("tags", &contents[7..])])[0].summary.contains("nested"), "{open} {depth}");
        }
    }
    for (name, contents) in [
        ("a.tfvars", format!("tags = {}", "\"${".repeat(100_000))),
        ("a.tfvars", format!("tags = \"{}", "%{if ".repeat(100_000))),
        ("a.tfvars", format!("tags = {}1", "!".repeat(100_000))),
        ("a.tfvars", format!("tags = {}1", "-".repeat(100_000))),
        ("a.tfvars", format!("tags = 1{}", " + 1".repeat(100_000))),
        ("a.tfvars", format!("tags = 1{}", " ? 1 : 1".repeat(100_000))),
        ("a.tfvars", format!("tags = a{}", "[a".repeat(100_000))),
        ("a.tfvars", "a {\n".repeat(100_000)),
        ("a.tfvars.json", "[".repeat(100_000)),
        ("a.tfvars.json", "{\"a\":".repeat(100_000)),
    ] {
        assert!(!bad(&[file(name, &contents)]).is_empty());
    }
}

#[test]
fn names_have_a_limit() {
    let tags = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("k{n} = 1")).collect();
        bad(&[tfvars(&format!("tags = {{ {} }}", names.join(", ")))])
    };
    assert!(tags(2_000)[0].summary.contains("there are 2000 tags"));
    assert!(tags(10_000)[0].summary.contains("only 10000 names"));
}

#[test]
fn many_problems_are_counted() {
    let sources: Vec<Source> = (0..150).map(|n| command_line(&format!("unknown_{n}"), "x")).collect();
    let found = bad(&sources);
    let errors = found.iter().filter(|found| found.severity == Severity::Error).count();
    assert_eq!(errors, 101);
    assert!(found.iter().any(|found| found.summary.ends_with("more problems are not shown")), "{}", render(&found));
}

#[test]
fn auto_loaded_files_in_order() {
    let names = [
        "b.auto.tfvars.json",
        "terraform.tfvars.json",
        "a.auto.tfvars.json",
        "prod.tfvars",
        "b.auto.tfvars",
        "terraform.tfvars",
        "main.tf",
        "a.auto.tfvars",
        "x.json",
    ]
    .map(str::to_owned);
    let expected = [
        "terraform.tfvars",
        "terraform.tfvars.json",
        "a.auto.tfvars",
        "a.auto.tfvars.json",
        "b.auto.tfvars",
        "b.auto.tfvars.json",
    ];
    assert_eq!(auto_loaded(&names), expected);
    assert_eq!(auto_loaded(&["z/terraform.tfvars".to_owned()]), ["z/terraform.tfvars"]);
}
