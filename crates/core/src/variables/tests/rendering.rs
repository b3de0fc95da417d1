//! How diagnostics look, and what they never show.

use super::*;

#[test]
fn a_diagnostic_points_at_the_value() {
    let found = bad(&[tfvars("# network\n\nvpc_cidr = \"10.0.0.0/33\"\n")]);
    assert_eq!(
        found[0].to_string(),
        "error: vpc_cidr is \"10.0.0.0/33\", but a prefix length is 0 to 32, not \"33\"\n \
         --> terraform.tfvars:3:12\n  \
          |\n\
         3 | vpc_cidr = \"10.0.0.0/33\"\n  \
          |            ^^^^^^^^^^^^^\n  \
          = hint: write an address and a prefix length, such as 10.0.0.0/16"
    );
}

#[test]
fn carets_count_characters() {
    let contents = format!("{}tags = {{\t\"é\" = \"ü*\" }}\n", "\n".repeat(11));
    let found = bad(&[tfvars(&contents)]);
    let shown = found[0].to_string();
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[1], "  --> terraform.tfvars:12:16");
    assert_eq!(lines[3], "12 | tags = { \"é\" = \"ü*\" }");
    assert_eq!(lines[4], "   |                ^^^^");
}

#[test]
fn other_sources_are_named() {
    let found = bad(&[environment("TF_VAR_vpc_cidr", "x"), command_line("environment", "A")]);
    let shown = render(&found);
    assert!(shown.contains("--> TF_VAR_vpc_cidr:1:17\n  |\n1 | TF_VAR_vpc_cidr=x\n  |                 ^\n"), "{shown}");
    assert!(shown.contains("--> -var environment:1:13\n  |\n1 | environment=A\n  |             ^\n"), "{shown}");
}

#[test]
fn problems_are_told_together_in_the_order_of_the_sources() {
    let found = bad(&[
        environment("TF_VAR_db_name", "9"),
        environment("TF_VAR_db_password", "password1"),
        tfvars("tags = { \"aws:x\" = \"y\" }\nvpc_cidr = \"10.0.0.0/8\"\naws_region = \"us-east-9\"\n"),
        command_line("app_instance_count", "many"),
    ]);
    let summaries: Vec<_> = found.iter().map(|found| found.summary.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(summaries, ["db_name", "the", "vpc_cidr", "aws_region", "app_instance_count", "db_password"]);
    assert_eq!(found.last().map(|found| found.severity), Some(Severity::Warning));
}

#[test]
fn long_lines_and_control_characters_are_tamed() {
    let contents = format!("tags = {{ {} a = \"\u{1b}[31m*\u{202e}\" {} }}", " ".repeat(500), " ".repeat(500));
    let found = bad(&[tfvars(&contents)]);
    let shown = found[0].to_string();
    assert!(!shown.contains(['\u{1b}', '\u{202e}']), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() < 200), "{shown}");
    let Some(Location { snippet, caret: Some((from, to)), .. }) = &found[0].location else { panic!("{shown}") };
    let pointed: String = snippet.chars().skip(*from).take(to - from).collect();
    assert!(pointed.starts_with('"') && pointed.ends_with('"') && pointed.contains("[31m*"), "{shown}");
    assert!(!bad(&[file("a\u{1b}b", "vpc_cidr = 1")])[0].to_string().contains('\u{1b}'));
}

/// A secret that breaks every rule it can, in every shape of source that makes a diagnostic.
#[test]
fn a_secret_is_never_shown() {
    const SECRET: &str = "hunter2";
    let shapes = [
        tfvars("db_password = \"hunter2\"\n"),
        tfvars("db_password = hunter2\n"),
        tfvars("db_password = hunter2.hunter2\n"),
        tfvars("db_password = \"${hunter2}\"\n"),
        tfvars("db_password = [\"hunter2\"]\n"),
        tfvars("db_password = {\n hunter2 = \"hunter2\"\n hunter2 = 1\n}\n"),
        tfvars("db_password = <<EOT\nhunter2\nEOT\n"),
        tfvars("db_password = <<EOT\nvpc_cidr = hunter2\n"),
        tfvars("db_password = <<EOT\nvpc_cidr = hunter2\nEOT\nx y\n"),
        tfvars("db_password = \"hunter2\nvpc_cidr = \"10.0.0.0/16\"\n"),
        tfvars("db_password = 'hunter2'\n"),
        tfvars("db_password = \"hunter2\" \"hunter2\"\n"),
        tfvars("db_password \"hunter2\"\n"),
        tfvars("db_password: hunter2\n"),
        tfvars("db_password =\n  \"hunter2\"\n"),
        tfvars("db_password = \"a\" + \"b\n hunter2\"\n"),
        tfvars("db_pasword = \"hunter2\"\n"),
        tfvars("database_password = \"hunter2\"\n"),
        tfvars("DB_PASSWORD = \"hunter2\"\n"),
        tfvars("vpc_cidr = \"x\" db_password = \"hunter2\"\n"),
        tfvars("db_password = \"hunter2\"\ndb_password = \"hunter2\"\n"),
        file("a.json", "{\"db_password\": \"hunter2\"}"),
        file("a.json", "{\"db_password\": \"hunter2\", \"vpc_cidr\": \"bad\"}"),
        file("a.json", "{\"vpc_cidr\": \"bad\", \"db_password\": [\n\"hunter2\"]}"),
        file("a.json", "{\"db_password\":\n\"hunter2}"),
        file("a.json", "{\"db_password\": hunter2}"),
        environment("TF_VAR_db_password", "hunter2"),
        command_line("db_password", "hunter2"),
        command_line("db_pasword", "hunter2"),
    ];
    for shape in shapes {
        let found = match evaluate(std::slice::from_ref(&shape), Needs { password: false }) {
            Ok(evaluated) => evaluated.warnings,
            Err(found) => found,
        };
        assert!(found.iter().any(|found| found.location.is_some()), "{shape:?}");
        let shown = format!("{}\n{found:?}\n{}\n{shape:?}", render(&found), serde_json::to_string(&found).unwrap());
        assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_masked_line_names_its_variable() {
    let found = bad(&[tfvars("db_password = \"hunter2\"\n")]);
    let shown = found[0].to_string();
    assert!(shown.contains("1 | db_password = (sensitive)\n  |               ^^^^^^^^^^^\n"), "{shown}");
}

/// Lines beside a secret are still shown, also in a file that cannot be parsed.
#[test]
fn a_mask_ends_at_the_next_variable() {
    for contents in [
        "db_password = \"long enough 1\"\nvpc_cidr = 10.0.0.0\n",
        "db_password = \"LongEnough1\"\nvpc_cidr = \"10.0.0.0\"\n",
        "# the password is set elsewhere\nvpc_cidr = \"10.0.0.0\"\n",
    ] {
        let found = bad(&[tfvars(contents)]);
        assert!(render(&found).contains("2 | vpc_cidr = "), "{}", render(&found));
    }
}

#[test]
fn debug_hides_secrets() {
    let evaluated = with("db_username = \"someone\"").unwrap();
    assert!(evaluated.secrets.get(DB_PASSWORD).is_some());
    let shown = format!("{evaluated:?} {:?} {:?}", password(), command_line("db_password", PASSWORD));
    assert!(!shown.contains(PASSWORD) && shown.contains("someone"), "{shown}");
}
