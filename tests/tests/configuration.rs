//! Terraform configurations as people write them, in `tests/corpus/configuration`: whatever forms are in them, the defaults
//! of their variables are read as Terraform reads them, what cannot be is told by its place, and no file is taken for broken.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use aloka_core::variables::{Evaluated, Needs, Source, configuration, evaluate};
use serde_json::Value;

/// What a file of the corpus means.
struct Expected {
    file: &'static str,
    /// Variables and their values; all others have their defaults.
    sets: &'static [(&'static str, &'static str)],
    /// The beginnings of the warnings about its own lines, with the line.
    warns: &'static [(&'static str, usize)],
    /// What is told of it.
    beside: Option<&'static str>,
}

const NONE: Expected = Expected { file: "", sets: &[], warns: &[], beside: None };

const CORPUS: [Expected; 6] = [
    Expected {
        file: "seed.tf",
        sets: &[
            ("aws_region", r#""eu-central-1""#),
            ("environment", r#""staging""#),
            ("vpc_cidr", r#""10.20.0.0/16""#),
            ("public_subnet_cidrs", r#"["10.20.1.0/24", "10.20.2.0/24"]"#),
            ("private_subnet_cidrs", r#"["10.20.10.0/24", "10.20.11.0/24"]"#),
            ("app_instance_count", "2"),
        ],
        ..NONE
    },
    Expected {
        file: "windows.tf",
        sets: &[("environment", r#""win""#), ("tags", r#"{"Owner": "Zoë", "Team": "größe"}"#)],
        ..NONE
    },
    Expected {
        file: "forms.tf",
        sets: &[
            ("environment", r#""bare""#),
            ("app_instance_type", r#""t3.medium""#),
            (
                "app_ingress",
                r#"[{"from_port": 443, "to_port": 443, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "description": "HTTPS"}]"#,
            ),
            ("db_backup_retention_days", "7"),
            ("db_multi_az", "true"),
        ],
        ..NONE
    },
    Expected {
        file: "expressions.tf",
        warns: &[
            ("the default of environment does not count", 3),
            ("the default of project_name does not count", 6),
            ("the default of app_instance_count does not count", 9),
            ("the default of tags does not count", 12),
        ],
        ..NONE
    },
    Expected {
        file: "resources.tf",
        beside: Some(
            "resources.tf: 2 resources (aws_s3_bucket.logs, aws_iam_role.app) and 1 module (module.alb) are not part of this stack, left alone; default_tags of provider \"aws\" has no effect on this stack",
        ),
        ..NONE
    },
    Expected {
        file: "generated.tf.json",
        sets: &[("environment", r#""json""#), ("tags", r#"{"Owner": "ops", "Cost:Center": "42"}"#)],
        beside: Some("generated.tf.json: 1 resource (aws_sqs_queue.jobs) is not part of this stack, left alone"),
        ..NONE
    },
];

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/configuration")
}

fn read(file: &str) -> (String, String) {
    (file.to_owned(), fs::read_to_string(folder().join(file)).expect("UTF-8"))
}

fn evaluated(files: &[(String, String)]) -> Evaluated {
    let source =
        |(path, contents): &(String, String)| Source::Configuration { path: path.clone(), contents: contents.clone() };
    let sources: Vec<Source> = files.iter().map(source).collect();
    evaluate(&sources, Needs { password: false })
        .unwrap_or_else(|found| panic!("{}", found.iter().map(|found| format!("{found}\n")).collect::<String>()))
}

#[test]
fn every_file_of_the_corpus_means_what_terraform_takes_it_for() {
    let there: BTreeSet<String> = fs::read_dir(folder())
        .expect("listed")
        .map(|entry| entry.expect("listed").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(there, CORPUS.iter().map(|expected| expected.file.to_owned()).collect(), "each file has its line here");
    let defaults = serde_json::to_value(evaluated(&[]).variables).expect("JSON");
    for Expected { file, sets, warns, beside } in CORPUS {
        let files = [read(file)];
        let evaluated = evaluated(&files);
        let mut wanted = defaults.clone();
        for (name, value) in sets {
            wanted[name] = serde_json::from_str(value).expect("JSON");
            assert!(evaluated.origins[*name].starts_with(&format!("{file}:")), "{file}: {name}");
        }
        let is: Value = serde_json::to_value(&evaluated.variables).expect("JSON");
        assert_eq!(is, wanted, "{file}");
        let told: Vec<_> = evaluated
            .warnings
            .iter()
            .filter_map(|warning| Some((warning.summary.as_str(), warning.location.as_ref()?)))
            .map(|(summary, location)| (summary, location.origin.as_str(), location.line))
            .collect();
        assert_eq!(told.len(), warns.len(), "{file}: {told:?}");
        for ((summary, line), told) in warns.iter().zip(told) {
            assert!(told.0.starts_with(summary) && (told.1, told.2) == (file, *line), "{file}: {told:?}");
        }
        assert_eq!(configuration::beside(&files), beside.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{file}");
    }
}

/// What is written around a file changes nothing in what it means.
#[test]
fn line_ends_marks_and_comments_make_no_difference() {
    for expected in CORPUS.iter().filter(|expected| expected.file.ends_with(".tf")) {
        let (path, contents) = read(expected.file);
        let unix = contents.replace("\r\n", "\n");
        let unix = unix.strip_prefix('\u{feff}').unwrap_or(&unix);
        let meant = evaluated(&[(path.clone(), unix.to_owned())]).variables;
        for form in [
            unix.replace('\n', "\r\n"),
            format!("\u{feff}{unix}"),
            format!("# a comment\n{unix}// another"),
            format!("/* {} */\n{unix}\n\n\n", "é".repeat(100)),
            unix.trim_end().to_owned(),
        ] {
            assert_eq!(evaluated(&[(path.clone(), form)]).variables, meant, "{path}");
        }
    }
}

/// The stack itself is told in no line: its own configuration has nothing beside it.
#[test]
fn the_stacks_own_addresses_are_not_beside_it() {
    use aloka_core::stack::{stack, zones_needed};
    use aloka_core::state::{Choices, Image};
    let variables = evaluated(&[]).variables;
    let choices = Choices {
        availability_zones: (0..zones_needed(&variables)).map(|slot| format!("zone-{slot}")).collect(),
        image: Some(Image {
            id: "ami-0".to_owned(),
            chosen_for: variables.app_ami_family.to_string(),
            root_device_name: "/dev/xvda".to_owned(),
            root_volume_gib: None,
        }),
        db_engine_version: Some("15.4".to_owned()),
        ..Choices::default()
    };
    let declared = stack(&variables, &choices, None);
    let blocks: String = declared
        .resources
        .keys()
        .filter(|address| !address.in_vpc_module)
        .map(|address| format!("resource \"{}\" \"{}\" {{}}\n", address.kind, address.name))
        .collect();
    assert!(blocks.lines().count() >= 5, "{blocks}");
    let file = |contents: String| [("main.tf".to_owned(), contents)];
    assert_eq!(configuration::beside(&file(format!("{blocks}module \"vpc\" {{}}\n"))), Vec::<String>::new());
    // The same names of another type are.
    let others = blocks.replace("\"aws_", "\"aws_other_");
    assert_eq!(configuration::beside(&file(others)).len(), 1);
}
