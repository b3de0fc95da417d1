use super::*;
use crate::variables::{Evaluated, Needs, Severity, Source, evaluate};

fn configuration(path: &str, contents: &str) -> Source {
    Source::Configuration { path: path.to_owned(), contents: contents.to_owned() }
}

fn read(files: &[(&str, &str)]) -> Evaluated {
    let sources: Vec<Source> = files.iter().map(|(path, contents)| configuration(path, contents)).collect();
    evaluate(&sources, Needs { password: false }).unwrap_or_else(|found| panic!("{files:?}: {found:?}"))
}

fn warned(evaluated: &Evaluated) -> String {
    evaluated.warnings.iter().map(|warning| format!("{warning}\n")).collect()
}

#[test]
fn files_are_read_by_name_and_those_that_override_last() {
    let names = [
        "z.tf",
        "override.tf",
        "a_override.tf.json",
        "a.tf.json",
        "x_override.tf",
        ".hidden.tf",
        "a.tfvars",
        "main.tf~",
    ];
    let ordered = in_order(names.map(str::to_owned).to_vec());
    assert_eq!(ordered, ["a.tf.json", "z.tf", "a_override.tf.json", "override.tf", "x_override.tf"]);
    for (name, expected) in
        [("d/override.tf", true), ("myoverride.tf", false), ("override", false), ("_override.tf", true)]
    {
        assert_eq!(is_override(name), expected, "{name}");
    }
}

/// Every variable of ours, each in the form that its type wants.
#[test]
fn the_default_of_any_variable_counts() {
    use crate::variables::definitions;
    for definition in definitions() {
        let (text, other) = match definition.name {
            "aws_region" => ("\"eu-west-1\"", "\"us-west-2\""),
            "app_ami_id" => ("\"ami-0123456789abcdef0\"", "null"),
            "app_ami_family" => ("\"al2023\"", "null"),
            "app_instance_type" => ("\"t3.large\"", "null"),
            "app_ingress" => ("[{ port = 8080 }]", "[]"),
            "app_docker_compose_version" | "app_docker_compose_sha256" | "availability_zones" => continue,
            "db_instance_class" => ("\"db.t3.large\"", "null"),
            "db_engine_version" => ("\"15.4\"", "null"),
            "db_enabled_cloudwatch_logs_exports" => ("[\"upgrade\"]", "[]"),
            "db_password" => continue,
            "vpc_cidr" => ("\"10.0.0.0/17\"", "null"),
            "public_subnet_cidrs" => ("[\"10.0.3.0/24\"]", "null"),
            "private_subnet_cidrs" => ("[\"10.0.4.0/24\", \"10.0.5.0/24\"]", "null"),
            "app_metadata_hop_limit" => ("2", "1"),
            "tags" => ("{ team = \"a\" }", "{}"),
            _ => match definition.type_text {
                "string" => ("\"abc\"", "\"abd\""),
                "number" => ("30", "31"),
                "bool" => match definition.default {
                    Some("true") => ("false", "true"),
                    _ => ("true", "false"),
                },
                other => panic!("{}: {other}", definition.name),
            },
        };
        let name = definition.name;
        let block = format!("variable \"{name}\" {{\n  type = any\n  default = {text}\n}}\n");
        let evaluated = read(&[("v.tf", &block)]);
        assert_eq!(evaluated.origins.get(name).map(String::as_str), Some("v.tf:3"), "{name}");
        assert!(evaluated.by_file.contains(name), "{name}");
        let nothing = read(&[]).variables;
        assert!(evaluated.variables != nothing, "{name} has no effect");
        // Every other source comes before it.
        let files = Source::File { path: "terraform.tfvars".to_owned(), contents: format!("{name} = {other}\n") };
        let named = evaluate(&[configuration("v.tf", &block), files.clone()], Needs { password: false }).expect(name);
        let alone = evaluate(&[files], Needs { password: false }).expect(name);
        assert_eq!(named.variables, alone.variables, "{name}");
    }
}

#[test]
fn what_is_no_plain_value_does_not_count_and_is_told() {
    for (default, told) in [
        ("upper(\"prod\")", "functions may not be called here"),
        ("var.stage", "references may not be used here"),
        ("\"${var.stage}-x\"", "a template may not be used here"),
        ("true ? \"a\" : \"b\"", "expressions may not be used here"),
        ("[for x in [\"a\"] : x]", "expressions may not be used here"),
        ("stage", "variables may not be used here"),
    ] {
        let evaluated = read(&[("v.tf", &format!("variable \"environment\" {{\n  default = {default}\n}}\n"))]);
        assert_eq!(evaluated.variables.environment, "dev", "{default}");
        let warned = warned(&evaluated);
        assert!(warned.contains(&format!("the default of environment does not count: {told}")), "{warned}");
        assert!(warned.contains("v.tf:2:") && !evaluated.origins.contains_key("environment"), "{warned}");
    }
    // What is not ours may be anything.
    let evaluated = read(&[("v.tf", "variable \"stage\" {\n  default = upper(\"x\")\n}\n")]);
    assert!(!warned(&evaluated).contains("stage"));
}

#[test]
fn blocks_that_override_are_put_over_the_others() {
    let block = |default: &str| format!("variable \"environment\" {{\n  {default}\n}}\n");
    let (one, two) = (block("default = \"one\""), block("default = \"two\""));
    let environment = |files: &[(&str, &str)]| read(files).variables.environment;
    assert_eq!(environment(&[("a.tf", &one), ("override.tf", &two)]), "two");
    assert_eq!(environment(&[("a.tf", &one), ("override.tf", &block("description = \"x\""))]), "one");
    assert_eq!(environment(&[("a.tf", &block("")), ("b_override.tf", &one), ("override.tf", &two)]), "two");
    let twice = [configuration("a.tf", &one), configuration("b.tf", &two)];
    let found = evaluate(&twice, Needs { password: false }).expect_err("Terraform refuses it as well");
    assert!(found[0].to_string().contains("variable environment is declared twice"), "{}", found[0]);
    assert!(found[0].to_string().contains("b.tf:1:"), "{}", found[0]);
}

#[test]
fn the_same_in_json() {
    for contents in [
        r#"{"variable": {"environment": {"default": "prod", "type": "string"}, "x": {}}}"#,
        r#"{"variable": [{"environment": [{"default": "prod"}]}]}"#,
        r#"{"//": "x", "variable": {"//": "y", "environment": {"//": 1, "default": "prod"}}, "resource": {}}"#,
    ] {
        let evaluated = read(&[("v.tf.json", contents)]);
        assert_eq!(evaluated.variables.environment, "prod", "{contents}");
        assert_eq!(evaluated.origins["environment"], "v.tf.json:1");
    }
    for contents in [
        r#"{"variable": []}"#,
        r#"{"variable": "x"}"#,
        r#"{"variable": {"environment": null}}"#,
        r#"{"variable": {"environment": [[]]}}"#,
    ] {
        assert_eq!(read(&[("v.tf.json", contents)]).variables.environment, "dev", "{contents}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_told_and_hinders_nothing() {
    let long = format!("# variable {}", "x".repeat(1 << 20));
    let many = format!("variable \"x\" {{\n  default = {{\n{}  }}\n}}\n", "a = 1\n".repeat(20_001));
    let deep = format!("variable \"x\" {{\n  default = {}1{}\n}}\n", "[".repeat(100_000), "]".repeat(100_000));
    for contents in ["variable \"environment\" {\n", "variable {{{", &long, &many, &deep] {
        let warned =
            warned(&read(&[("broken.tf", contents), ("v.tf", "variable \"environment\" { default = \"prod\" }\n")]));
        assert!(warned.contains("so no default in this file counts") && warned.contains("broken.tf:"), "{warned}");
    }
    // A file without variables need not be anything.
    assert!(!warned(&read(&[("broken.tf", "resource {{{")])).contains("broken.tf"));
}

#[test]
fn a_secret_is_not_shown() {
    for block in [
        "variable \"db_password\" {\n  default = \"canary\"\n}\n",
        "variable \"db_password\" {\n  default = \"${canary}\"\n}\n",
        "variable \"environment\" {\n  sensitive = true\n  default = [\"canary\"]\n}\n",
        "variable \"environment\" {\n  sensitive = true\n  default = upper(\"canary\")\n}\n",
        "variable \"x\" {}\ndb_password = canary\"\n",
    ] {
        let shown = match evaluate(&[configuration("v.tf", block)], Needs { password: true }) {
            Ok(evaluated) => warned(&evaluated),
            Err(found) => found.iter().map(ToString::to_string).collect(),
        };
        assert!(shown.lines().count() > 1 && !shown.contains("canary"), "{shown}");
    }
}

/// A name that is set and not ours: whose source it has, and whether the configuration declares it, decide.
#[test]
fn undeclared_names_are_treated_as_terraform_treats_them() {
    let file = |path: &str| Source::File { path: path.to_owned(), contents: "owner = \"x\"\n".to_owned() };
    let sources = [
        ("terraform.tfvars", file("terraform.tfvars"), Some(Severity::Warning)),
        ("x.auto.tfvars", file("x.auto.tfvars"), Some(Severity::Warning)),
        ("named", file("named.tfvars"), Some(Severity::Warning)),
        (
            "JSON",
            Source::File { path: "x.tfvars.json".to_owned(), contents: "{\"owner\": 1}".to_owned() },
            Some(Severity::Warning),
        ),
        ("TF_VAR_", Source::Environment { name: "TF_VAR_owner".to_owned(), value: "x".to_owned() }, None),
        ("-var", Source::CommandLine { name: "owner".to_owned(), value: "x".to_owned() }, Some(Severity::Error)),
    ];
    for (name, source, expected) in sources {
        let is_environment = matches!(source, Source::Environment { .. });
        let about = |evaluated: Result<Evaluated, Vec<crate::variables::Diagnostic>>| match evaluated {
            Ok(evaluated) => (evaluated.warnings, evaluated.unused),
            Err(found) => (found, Default::default()),
        };
        let needs = Needs { password: false };
        let (found, _) = about(evaluate(std::slice::from_ref(&source), needs));
        let told = found.iter().find(|found| found.summary.contains("\"owner\"")).map(|found| found.severity);
        assert_eq!(told, expected, "{name}");
        for (path, block) in [("v.tf", "variable \"owner\" {}\n"), ("v.tf.json", "{\"variable\": {\"owner\": {}}}")] {
            let (found, unused) = about(evaluate(&[configuration(path, block), source.clone()], needs));
            assert!(!found.iter().any(|found| found.summary.contains("owner")), "{name}: {found:?}");
            assert_eq!(unused.contains("owner"), !is_environment, "{name}");
        }
    }
}

#[test]
fn two_undeclared_names_are_told_and_the_rest_counted_but_for_what_may_be_meant() {
    let contents = "a1 = 1\nb2 = 2\nvpc_cird = \"10.0.0.0/16\"\nc3 = 3\nd4 = 4\nenviroment = \"x\"\n";
    let source = Source::File { path: "terraform.tfvars".to_owned(), contents: contents.to_owned() };
    let evaluated = evaluate(&[source], Needs { password: false }).expect("warnings alone");
    let warned = warned(&evaluated);
    for told in ["\"a1\"", "\"b2\"", "did you mean vpc_cidr?", "did you mean environment?", "2 more values of names"] {
        assert!(warned.contains(told), "{told}: {warned}");
    }
    assert!(!warned.contains("\"c3\"") && !warned.contains("\"d4\""), "{warned}");
}

#[test]
fn what_is_declared_beside_the_stack_is_told_in_a_line_for_each_file() {
    let line = |path: &str, contents: &str| beside_in(path, contents);
    let told = |contents: &str| line("main.tf", contents);
    for stack in [
        "",
        "resource \"aws_instance\" \"app\" {}\nresource \"aws_security_group\" \"db\" {}\nmodule \"vpc\" {\n  source = \"x\"\n}\n",
        "data \"aws_ami\" \"x\" {}\nlocals {}\noutput \"resource\" {}\nprovider \"aws\" {}\n",
        "# resource \"aws_s3_bucket\" \"b\" {}\n",
        "resource {{{",
    ] {
        assert_eq!(told(stack), None, "{stack}");
    }
    let bucket = "resource \"aws_s3_bucket\" \"b\" {\n  bucket = \"${var.x}-b\"\n}\n";
    assert_eq!(
        told(bucket).as_deref(),
        Some("main.tf: 1 resource (aws_s3_bucket.b) is not part of this stack, left alone")
    );
    let more = "resource aws_instance app {}\nresource aws_instance bastion {}\nmodule \"dns\" {}\nmodule \"vpc\" {}\n";
    assert_eq!(
        told(more).as_deref(),
        Some(
            "main.tf: 1 resource (aws_instance.bastion) and 1 module (module.dns) are not part of this stack, left alone"
        )
    );
    let many: String = (0..5).map(|n| format!("resource \"aws_sqs_queue\" \"q{n}\" {{}}\n")).collect();
    let many = told(&many).expect("told");
    assert!(many.contains("5 resources (aws_sqs_queue.q0, aws_sqs_queue.q1, aws_sqs_queue.q2, …) are not"), "{many}");
    let json = r#"{"resource": {"aws_s3_bucket": {"b": {}}, "aws_instance": [{"app": {}}]}, "module": {"dns": {}}}"#;
    assert_eq!(
        line("x.tf.json", json).as_deref(),
        Some(
            "x.tf.json: 1 resource (aws_s3_bucket.b) and 1 module (module.dns) are not part of this stack, left alone"
        )
    );
    // Names are anybody's.
    let hostile = format!("resource \"a\\u001b[31m\" \"{}\" {{}}\n", "x".repeat(5000));
    let hostile = told(&hostile).expect("told");
    assert!(!hostile.contains('\u{1b}') && hostile.len() < 300, "{hostile}");
    // What the provider is told counts only where a variable of ours says it.
    for (settings, told) in [
        ("region = var.aws_region\n  profile = var.aws_profile\n  skip_metadata_api_check = true", None),
        ("region = \"eu-west-1\"", Some("region of provider \"aws\" has no effect on this stack")),
        (
            "region = var.region\n  allowed_account_ids = [\"1\"]",
            Some("region, allowed_account_ids of provider \"aws\" have no effect on this stack"),
        ),
        (
            "assume_role {\n    role_arn = \"x\"\n  }\n  default_tags {\n    tags = {}\n  }",
            Some("assume_role, default_tags of provider \"aws\" have no effect on this stack"),
        ),
        ("alias = \"dns\"\n  region = \"us-east-1\"", None),
    ] {
        let line = told.map(|told| format!("main.tf: {told}"));
        let told = super::beside_in("main.tf", &format!("provider \"aws\" {{\n  {settings}\n}}\n"));
        assert_eq!(told, line, "{settings}");
    }
    let json =
        r#"{"provider": {"aws": [{"region": "${var.aws_region}", "profile": "x"}, {"alias": "b", "region": "c"}]}}"#;
    assert_eq!(
        line("x.tf.json", json).as_deref(),
        Some("x.tf.json: profile of provider \"aws\" has no effect on this stack")
    );
    // In a module of the stack's name, every address is the module's.
    assert_eq!(told("module \"vpc\" {\n  source = \"./vpc\"\n}\n"), None);
}
