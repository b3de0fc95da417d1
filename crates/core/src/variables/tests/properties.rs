//! What holds whatever is handed in.

use proptest::prelude::*;

use super::*;

/// A text made of pieces that a variables file is made of, so that the parsers are reached beyond their first line.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => proptest::sample::select(vec![
            "vpc_cidr", "tags", "db_password", "app_ingress", "environment", "port", "null", "true", "for", "if", "in",
            " = ", "=", ":", ",", "\n", "\r\n", " ", "\t", "\"", "\\", "[", "]", "{", "}", "(", ")", "${", "%{", "~}",
            "$${", "<<EOT\n", "<<-EOT\n", "EOT", "EOT\n", "#", "//", "/*", "*/", "'", "-", "!", "?", "...", ".", "::",
            "\\u00e", "\\U0001F600", "0", "1.5e3", "99999999999999999999", "\"10.0.0.0/16\"", "\u{feff}", "é", "\0",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_source() -> impl Strategy<Value = Source> {
    let name = || {
        prop_oneof![
            proptest::sample::select(definitions().iter().map(|known| known.name).collect::<Vec<_>>())
                .prop_map(str::to_owned),
            any::<String>(),
        ]
    };
    prop_oneof![
        soup().prop_map(|contents| tfvars(&contents)),
        (name(), soup()).prop_map(|(name, value)| tfvars(&format!("{name} = {value}\n"))),
        soup().prop_map(|contents| file("x.json", &contents)),
        (name(), soup()).prop_map(|(name, value)| file("x.json", &format!("{{\"{name}\": {value}}}"))),
        (name(), soup()).prop_map(|(name, value)| environment(&format!("TF_VAR_{name}"), &value)),
        (name(), soup()).prop_map(|(name, value)| command_line(&name, &value)),
    ]
}

/// A network, often a good one for a subnet of the default VPC.
fn network() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0_u8..16, 0_u8..4, 24_u8..29).prop_map(|(c, d, length)| format!("10.0.{c}.{}/{length}", d * 64)),
        1 => (any::<u32>(), 0_u8..34).prop_map(|(bits, length)| format!("{}/{length}", std::net::Ipv4Addr::from(bits))),
    ]
}

/// A file of likely values, many of which are good.
fn likely() -> impl Strategy<Value = String> {
    let list = |least: usize| proptest::collection::vec(network(), least..4).prop_map(|list| format!("{list:?}"));
    let zones = proptest::sample::subsequence(vec!["us-east-1a", "us-east-1b", "us-east-1c"], 0..=3);
    let rule = (0_u32..6000, 0_u32..6000, network()).prop_map(|(from, to, network)| {
        format!("{{ from_port = {from}, to_port = {to}, cidr_blocks = [\"{network}\"] }}")
    });
    let rules = proptest::collection::vec(rule, 0..3).prop_map(|rules| format!("[{}]", rules.join(", ")));
    (list(0), list(2), zones, any::<(bool, bool)>(), 0_u32..40, "[a-z]{1,3}(-[a-z0-9]{0,3})?", rules, "[a-z:]{1,4}")
        .prop_map(|(public, private, zones, (nat, single), count, project, rules, key)| {
            format!(
                "public_subnet_cidrs = {public}\nprivate_subnet_cidrs = {private}\navailability_zones = {zones:?}\n\
                 enable_nat_gateway = {nat}\nsingle_nat_gateway = {single}\napp_instance_count = {count}\n\
                 project_name = \"{project}\"\napp_ingress = {rules}\ntags = {{ \"{key}\" = \"v\" }}\n"
            )
        })
}

/// First and last address, by arithmetic of its own.
fn range(network: Ipv4Net) -> (u64, u64) {
    let first = u64::from(u32::from(network.addr()));
    (first, first + (1_u64 << (32 - network.prefix_len())) - 1)
}

/// What must hold of accepted variables, written down apart from the rules.
fn assert_valid(variables: &Variables) {
    let vpc = range(variables.vpc_cidr);
    let subnets: Vec<_> =
        variables.public_subnet_cidrs.iter().chain(&variables.private_subnet_cidrs).copied().collect();
    for (index, subnet) in subnets.iter().enumerate() {
        let (first, last) = range(*subnet);
        let size = last - first + 1;
        assert!((16..=65_536).contains(&size) && first % size == 0, "{subnet}");
        assert!(vpc.0 <= first && last <= vpc.1, "{subnet} is outside {}", variables.vpc_cidr);
        for other in &subnets[..index] {
            let (other_first, other_last) = range(*other);
            assert!(last < other_first || other_last < first, "{subnet} and {other} overlap");
        }
    }
    assert!(variables.private_subnet_cidrs.len() >= 2);
    let needs_public = variables.enable_nat_gateway || variables.app_instance_count > 0;
    assert!(!needs_public || !variables.public_subnet_cidrs.is_empty());
    let zones = &variables.availability_zones;
    assert!(zones.is_empty() || zones.iter().collect::<std::collections::BTreeSet<_>>().len() == zones.len());
    assert!(zones.len() != 1 && zones.iter().all(|zone| zone.len() == variables.aws_region.len() + 1));
    if !zones.is_empty() {
        let used =
            |count: usize| (0..count).map(|index| index % zones.len()).collect::<std::collections::BTreeSet<_>>();
        let (private, public) = (used(variables.private_subnet_cidrs.len()), used(variables.public_subnet_cidrs.len()));
        assert!(private.len() >= 2);
        assert!(!variables.enable_nat_gateway || variables.single_nat_gateway || private.is_subset(&public));
    }
    let identifier = format!("{}-{}-db", variables.project_name, variables.environment);
    assert!(identifier.len() <= 63 && identifier.as_bytes()[0].is_ascii_lowercase() && !identifier.contains("--"));
    assert!(!format!("{}-app-sg", variables.project_name).starts_with("sg-"));
    for rule in &variables.app_ingress {
        assert!(0 < rule.from_port && rule.from_port <= rule.to_port && !rule.cidr_blocks.is_empty());
        assert!(rule.cidr_blocks.iter().all(|network| network.trunc() == *network));
        let database = rule.protocol == "tcp" && rule.from_port <= 5432 && 5432 <= rule.to_port;
        assert!(!database || !rule.cidr_blocks.contains(&Ipv4Net::default()));
    }
    let reserved = |key: &String| ["aws:", "aloka:", "aloka-"].iter().any(|prefix| key.starts_with(prefix));
    assert!(variables.tags.keys().all(|key| !key.is_empty() && !reserved(key)));
    assert!(variables.db_allocated_storage.is_none_or(|size| (20..=65_536).contains(&size)));
    let (size, most) = (variables.db_allocated_storage.unwrap_or(20), variables.db_max_allocated_storage);
    assert!(most.is_none_or(|most| most == 0 || (f64::from(size) * 1.1 <= f64::from(most) && most <= 65_536)));
    assert!(variables.db_backup_retention_days.is_none_or(|days| days <= 35));
    let snapshot = variables.db_final_snapshot_identifier.as_deref();
    assert!(snapshot.is_none_or(|name| !name.is_empty() && !name.ends_with('-') && !name.contains("--")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_judged_without_a_panic(sources in proptest::collection::vec(any_source(), 1..4)) {
        match evaluate(&sources, Needs { password: false }) {
            Ok(evaluated) => assert_valid(&evaluated.variables),
            Err(found) => {
                prop_assert!(found.iter().any(|found| found.severity == Severity::Error));
                for found in found {
                    let shown = found.to_string();
                    prop_assert!(!shown.chars().any(|c| c.is_control() && c != '\n'), "{shown:?}");
                    prop_assert!(!found.summary.contains("invariant violated"), "{shown}");
                }
            }
        }
    }

    #[test]
    fn what_is_accepted_is_valid(contents in likely()) {
        match evaluate(&[tfvars(&contents)], Needs { password: false }) {
            Ok(evaluated) => assert_valid(&evaluated.variables),
            Err(found) => prop_assert!(found.iter().all(|found| found.severity == Severity::Warning || found.location.is_some())),
        }
    }

    #[test]
    fn a_password_in_any_surroundings_is_not_shown(
        before in soup(), between in "[ \t=:][ \t=:\"]{0,3}", after in soup(), json: bool,
    ) {
        // Upper-case letters outside every other piece, so that they can only come from here.
        const SECRET: &str = "QZXQZX";
        let contents = format!("{before}\ndb_password{between}{SECRET}{after}");
        let path = if json { "x.json" } else { "x.tfvars" };
        if let Err(found) = evaluate(&[file(path, &contents)], Needs { password: false }) {
            prop_assert!(!render(&found).contains(SECRET), "{contents:?}\n{}", render(&found));
        }
    }

    #[test]
    fn evaluation_is_a_function(sources in proptest::collection::vec(any_source(), 1..4)) {
        let outcome = |()| match evaluate(&sources, Needs { password: false }) {
            Ok(evaluated) => (Some(evaluated.variables), evaluated.warnings),
            Err(found) => (None, found),
        };
        prop_assert_eq!(outcome(()), outcome(()));
    }
}

/// Guards the property above against accepting nothing.
#[test]
fn some_likely_files_are_accepted() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let accepted = (0..2000).filter(|_| {
        let contents = likely().new_tree(&mut runner).map(|tree| tree.current()).unwrap_or_default();
        evaluate(&[tfvars(&contents)], Needs { password: false }).is_ok()
    });
    assert!(accepted.count() > 20);
}
