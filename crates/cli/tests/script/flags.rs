//! Terraform's flags, with one dash or two.

use crate::support::Dir;

#[test]
fn both_dash_styles_work_everywhere() {
    let dir = Dir::new();
    let plans: &[&[&str]] = &[
        &["plan", "-detailed-exitcode", "-var", "environment=x"],
        &["plan", "--detailed-exitcode", "--var", "environment=x"],
        &["plan", "-detailed-exitcode=true", "-var=environment=x", "-lock=false", "-no-color", "-input=false"],
        &["-no-color", "plan", "--detailed-exitcode", "--var=environment=x", "-lock-timeout=5s", "-compact-warnings"],
    ];
    // Every plan made from nothing begins a history of its own.
    let without_lineage =
        |text: String| -> String { text.lines().filter(|line| !line.contains("aloka-lineage")).collect() };
    let shown: Vec<String> = plans.iter().map(|args| without_lineage(dir.run(args).expect(2).stdout)).collect();
    assert!(shown.iter().all(|text| *text == shown[0] && text.contains("aloka-x-db")), "{}", shown[0]);
}

#[test]
fn chdir_comes_first() {
    let dir = Dir::new();
    std::fs::create_dir(dir.path().join("sub")).expect("made");
    std::fs::write(dir.path().join("sub/terraform.tfvars"), "environment = \"sub\"\n").expect("written");
    dir.run(&["-chdir=sub", "plan"]).expect(0).says("aloka-sub-db");
    dir.run(&["--chdir", "sub", "plan"]).expect(0).says("aloka-sub-db");
    dir.run(&["-chdir=none", "plan"]).expect(1).complains("none");
}

#[test]
fn what_is_not_supported_is_refused_with_a_reason() {
    let dir = Dir::new();
    for flag in ["-target=aws_instance.app", "-replace=aws_instance.app", "-refresh=false"] {
        let name = flag.split('=').next().expect("a name");
        dir.run(&["plan", flag]).expect(1).complains(name).complains("not supported").complains("hint: ");
    }
    let both = dir.run(&["apply", "-target=x", "-replace=y"]).expect(1).stderr;
    assert_eq!(both.matches("error: ").count(), 2, "{both}");
}

#[test]
fn mistakes_end_with_one_and_a_suggestion() {
    let dir = Dir::new();
    dir.run(&["plam"]).expect(1).complains("plan");
    dir.run(&["plan", "-bogus"]).expect(1).complains("--bogus");
    dir.run(&["plan", "-var", "nothing"]).expect(1).complains("NAME=VALUE");
    dir.run(&["output", "-raw"]).expect(1).complains("NAME");
    dir.run(&[]).expect(127).says("Usage: aloka");
}

#[test]
fn the_last_value_wins() {
    let dir =
        Dir::new().file("x.tfvars", "environment = \"file\"\n").file("terraform.tfvars", "environment = \"auto\"\n");
    let cases: &[(&[&str], &str)] = &[
        (&["plan"], "aloka-auto-db"),
        (&["plan", "-var=environment=cli"], "aloka-cli-db"),
        (&["plan", "-var=environment=cli", "-var-file=x.tfvars"], "aloka-file-db"),
        (&["plan", "-var-file=x.tfvars", "-var=environment=cli"], "aloka-cli-db"),
    ];
    for (args, identifier) in cases {
        dir.run(args).expect(0).says(identifier);
    }
}
