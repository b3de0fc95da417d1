//! Every rule with values that break it and values that nearly do.

use super::*;

/// Contents of a file, and a part of the only error it must give; none if it must be accepted.
type Case = (&'static str, Option<&'static str>);

#[track_caller]
fn check(cases: &[Case]) {
    for (contents, expected) in cases {
        match (with(contents), expected) {
            (Ok(_), None) => {}
            (Ok(_), Some(expected)) => panic!("{contents}\nwas accepted, but should say: {expected}"),
            (Err(diagnostics), None) => panic!("{contents}\n{}", render(&diagnostics)),
            (Err(diagnostics), Some(expected)) => {
                let errors: Vec<_> = diagnostics.iter().filter(|found| found.severity == Severity::Error).collect();
                assert_eq!(errors.len(), 1, "{contents}\n{}", render(&diagnostics));
                assert!(errors[0].summary.contains(expected), "{contents}\n{}\nexpected {expected}", errors[0]);
            }
        }
    }
}

/// Contents of a file that is accepted, and a part of the warning it gives.
#[track_caller]
fn check_warnings(cases: &[Case]) {
    for (contents, expected) in cases {
        let warnings = match with(contents) {
            Ok(evaluated) => evaluated.warnings,
            Err(diagnostics) => panic!("{contents}\n{}", render(&diagnostics)),
        };
        match expected {
            Some(expected) => {
                assert_eq!(warnings.len(), 1, "{contents}\n{}", render(&warnings));
                assert!(warnings[0].summary.contains(expected), "{contents}\n{}", warnings[0]);
            }
            None => assert!(warnings.is_empty(), "{contents}\n{}", render(&warnings)),
        }
    }
}

#[test]
fn types() {
    check(&[
        (r#"vpc_cidr = ["10.0.0.0/16"]"#, Some("vpc_cidr must be a text, but is a list")),
        (r#"vpc_cidr = {}"#, Some("must be a text, but is an object")),
        (r#"public_subnet_cidrs = "10.0.1.0/24""#, Some("must be a list of texts, but is a text")),
        (
            r#"public_subnet_cidrs = [["10.0.1.0/24"]]"#,
            Some("a part of public_subnet_cidrs must be a text, but is a list"),
        ),
        (r#"public_subnet_cidrs = [null]"#, Some("must be a text, but is null")),
        (r#"tags = []"#, Some("tags must be a map of texts, but is a list")),
        (r#"tags = { a = [] }"#, Some("a part of tags must be a text, but is a list")),
        (r#"tags = { a = true, b = 3, c = "x" }"#, None),
        (r#"db_multi_az = "true""#, None),
        (r#"db_multi_az = "yes""#, Some("db_multi_az must be true or false")),
        (r#"db_multi_az = 1"#, Some("must be true or false, but is a number")),
        (r#"app_instance_count = "3""#, None),
        (r#"app_instance_count = 3.0"#, None),
        (r#"app_instance_count = 3.5"#, Some("must be a whole number")),
        (r#"app_instance_count = "three""#, Some("must be a whole number")),
        (r#"app_instance_count = true"#, Some("must be a whole number, but is a bool")),
        (r#"app_instance_count = 99999999999999999999"#, Some("but must be 0 to 20000")),
        (r#"db_engine_version = 15"#, None),
        (r#"db_engine_version = 15.4"#, None),
        (r#"db_engine_version = 15.10"#, Some("must be a text, but is a number")),
        (r#"db_engine_version = null"#, None),
        (r#"vpc_cidr = null"#, None),
        (r#"app_ingress = { port = 80 }"#, Some("must be a list of objects, but is an object")),
        (r#"app_ingress = [80]"#, Some("a part of app_ingress must be a list of objects, but is a number")),
    ]);
}

#[test]
fn expressions() {
    check(&[
        ("aws_region = us-east-1", Some("variables may not be used here")),
        ("aws_region = var.region", Some("references may not be used here")),
        (r#"aws_region = lower("US-EAST-1")"#, Some("functions may not be called here")),
        (r#"aws_region = "${"us"}-east-1""#, Some("a template may not be used here")),
        (r#"aws_region = "%{ if true }x%{ endif }""#, Some("a template may not be used here")),
        ("app_instance_count = 1 + 1", Some("expressions may not be used here")),
        ("app_instance_count = true ? 1 : 2", Some("expressions may not be used here")),
        ("public_subnet_cidrs = [for x in [] : x]", Some("expressions may not be used here")),
        ("app_instance_count = (2)", None),
        ("app_instance_count = -1", Some("app_instance_count is -1, but must be 0 to 20000")),
        ("app_instance_count = - 1", Some("app_instance_count is -1")),
        ("tags = { (\"a\") = \"b\", 3 = \"c\", true = \"d\" }", None),
        ("tags = { [] = \"b\" }", Some("a name was expected")),
        ("aws_profile = <<EOT\nx\nEOT\n", Some("not the name of a profile")),
        ("aws_profile = \"a\" # comment\n// another\n/* and\nanother */\n", None),
        ("tags {\n a = \"b\"\n}", Some("a block may not stand")),
    ]);
}

#[test]
fn names() {
    let long = format!("project_name = \"{}\"\nenvironment = \"{}\"", "p".repeat(40), "e".repeat(19));
    check(&[(&*long.clone().leak(), None)]);
    check(&[(&*long.replace("\"e", "\"ee").leak(), Some("64 characters long, but may be 63"))]);
    check(&[
        (r#"aws_region = "eu-central-1""#, None),
        (r#"aws_region = "us-gov-west-1""#, None),
        (r#"aws_region = "cn-north-1""#, None),
        (r#"aws_region = "us-east-9""#, Some("us-east-9\", which is not an AWS region")),
        (r#"aws_region = "US-EAST-1""#, Some("not an AWS region")),
        (r#"aws_region = """#, Some("not an AWS region")),
        (r#"aws_profile = "work""#, None),
        (r#"aws_profile = """#, Some("not the name of a profile")),
        (r#"project_name = "shop""#, None),
        (r#"project_name = "a""#, None),
        (r#"project_name = "shop-2""#, None),
        (r#"project_name = "Shop""#, Some("uppercase")),
        (r#"project_name = "2shop""#, Some("must begin with a letter")),
        (r#"project_name = "-shop""#, Some("begins or ends with a hyphen")),
        (r#"project_name = "shop-""#, Some("begins or ends with a hyphen")),
        (r#"project_name = "my--shop""#, Some("two hyphens")),
        (r#"project_name = "my_shop""#, Some("no lowercase letter, digit or hyphen")),
        (r#"project_name = "café""#, Some("no lowercase letter, digit or hyphen")),
        (r#"project_name = """#, Some("which is empty")),
        (r#"project_name = "sg""#, Some("may not begin with sg-")),
        (r#"project_name = "sg-shop""#, Some("may not begin with sg-")),
        (r#"project_name = "sgshop""#, None),
        (r#"environment = "sg-1""#, None),
        (r#"environment = "2""#, None),
        (r#"environment = "Dev""#, Some("environment is \"Dev\", which holds an uppercase letter")),
        (r#"environment = "dev-""#, Some("begins or ends with a hyphen")),
    ]);
}

#[test]
fn networks() {
    check(&[
        (r#"vpc_cidr = "10.0.0.0""#, Some("which has no prefix length")),
        (r#"vpc_cidr = "10.0.0.0/33""#, Some("but a prefix length is 0 to 32, not \"33\"")),
        (r#"vpc_cidr = "10.0.0/16""#, Some("which is not an IPv4 network")),
        (r#"vpc_cidr = "256.0.0.0/16""#, Some("which is not an IPv4 network")),
        (r#"vpc_cidr = "fd00::/16""#, Some("which is an IPv6 network")),
        (r#"vpc_cidr = "10.0.0.0/8""#, Some("but AWS takes /16 to /28")),
        (r#"vpc_cidr = "10.0.0.0/15""#, Some("but AWS takes /16 to /28")),
        (r#"vpc_cidr = "10.0.0.0/29""#, Some("but AWS takes /16 to /28")),
        (r#"vpc_cidr = "10.0.1.0/16""#, Some("which has bits set after its prefix")),
        (r#"public_subnet_cidrs = ["10.0.1.0/28"]"#, None),
        (r#"public_subnet_cidrs = ["10.0.1.0/29"]"#, Some("public_subnet_cidrs[0] is \"10.0.1.0/29\", but AWS takes")),
        (r#"public_subnet_cidrs = ["10.0.1.0/24", "10.0.2.1/24"]"#, Some("public_subnet_cidrs[1] is \"10.0.2.1/24\"")),
        (
            r#"public_subnet_cidrs = ["10.1.1.0/24"]"#,
            Some("public_subnet_cidrs[0] is 10.1.1.0/24, which is not inside"),
        ),
        (
            r#"public_subnet_cidrs = ["10.0.1.0/24", "10.0.1.128/25"]"#,
            Some("public_subnet_cidrs[1] 10.0.1.128/25 overlaps public_subnet_cidrs[0] 10.0.1.0/24"),
        ),
        (r#"public_subnet_cidrs = ["10.0.1.0/25", "10.0.1.128/25"]"#, None),
        (
            r#"private_subnet_cidrs = ["10.0.2.0/24", "10.0.11.0/24"]"#,
            Some("private_subnet_cidrs[0] 10.0.2.0/24 overlaps public_subnet_cidrs[1]"),
        ),
        (
            r#"private_subnet_cidrs = ["10.0.10.0/24"]"#,
            Some("private_subnet_cidrs has one subnet, but the database needs two"),
        ),
        (r#"private_subnet_cidrs = []"#, Some("private_subnet_cidrs has no subnet")),
        (r#"public_subnet_cidrs = []"#, Some("public_subnet_cidrs is empty, but a NAT gateway")),
        ("public_subnet_cidrs = []\nenable_nat_gateway = false", Some("but the application's instances")),
        ("public_subnet_cidrs = []\nenable_nat_gateway = false\napp_instance_count = 0", None),
        ("public_subnet_cidrs = [\"10.0.1.0/28\"]\napp_instance_count = 11", None),
        (
            "public_subnet_cidrs = [\"10.0.1.0/28\"]\napp_instance_count = 12",
            Some("the public subnets have 11 addresses"),
        ),
        (
            "vpc_cidr = \"10.1.0.0/16\"\npublic_subnet_cidrs = [\"10.1.1.0/24\"]\n\
             private_subnet_cidrs = [\"10.1.2.0/24\", \"10.1.3.0/24\"]",
            None,
        ),
    ]);
    check_warnings(&[
        (
            "vpc_cidr = \"172.17.0.0/16\"\npublic_subnet_cidrs = [\"172.17.1.0/24\"]\n\
             private_subnet_cidrs = [\"172.17.2.0/24\", \"172.17.3.0/24\"]",
            Some("which Docker uses"),
        ),
        (
            "vpc_cidr = \"172.18.0.0/16\"\npublic_subnet_cidrs = [\"172.18.1.0/24\"]\n\
             private_subnet_cidrs = [\"172.18.2.0/24\", \"172.18.3.0/24\"]",
            None,
        ),
    ]);
}

#[test]
fn a_changed_vpc_names_the_default_subnets_outside() {
    let Err(found) = with("vpc_cidr = \"10.1.0.0/16\"") else { panic!("accepted") };
    let errors: Vec<_> = found.iter().filter(|found| found.severity == Severity::Error).collect();
    assert_eq!(errors.len(), 4, "{}", render(&found));
    assert!(errors.iter().all(|error| error.summary.contains("(the default)") && error.location.is_some()));
}

#[test]
fn zones() {
    check(&[
        (r#"availability_zones = ["us-east-1a", "us-east-1f"]"#, None),
        (r#"availability_zones = ["us-east-1a", "us-east-1b", "us-east-1c"]"#, None),
        (r#"availability_zones = ["us-east-1a"]"#, Some("availability_zones has one zone")),
        (r#"availability_zones = ["us-east-1a", "us-east-1a"]"#, Some("names \"us-east-1a\" twice")),
        (r#"availability_zones = ["us-east-1a", "us-east-2b"]"#, Some("availability_zones[1] is \"us-east-2b\"")),
        (r#"availability_zones = ["us-east-1a", "us-east-1"]"#, Some("not a zone of aws_region us-east-1")),
        (r#"availability_zones = ["us-east-1a", "us-east-1A"]"#, Some("not a zone of aws_region us-east-1")),
        (r#"availability_zones = ["us-east-1a", "us-east-1-bos-1a"]"#, Some("not a zone of aws_region us-east-1")),
        ("aws_region = \"eu-west-1\"\navailability_zones = [\"eu-west-1a\", \"eu-west-1b\"]", None),
        ("single_nat_gateway = false", None),
        (
            "single_nat_gateway = false\npublic_subnet_cidrs = [\"10.0.1.0/24\"]",
            Some("in 2 zones, but public ones for the gateways only in 1"),
        ),
        ("single_nat_gateway = false\nenable_nat_gateway = false\npublic_subnet_cidrs = [\"10.0.1.0/24\"]", None),
        (
            "single_nat_gateway = false\navailability_zones = [\"us-east-1a\", \"us-east-1b\"]\n\
             private_subnet_cidrs = [\"10.0.10.0/24\", \"10.0.11.0/24\", \"10.0.12.0/24\"]",
            None,
        ),
        (
            "single_nat_gateway = false\n\
             private_subnet_cidrs = [\"10.0.10.0/24\", \"10.0.11.0/24\", \"10.0.12.0/24\"]",
            Some("in 3 zones, but public ones for the gateways only in 2"),
        ),
    ]);
}

#[test]
fn too_many_subnets_are_refused() {
    let list = |from: usize, count: usize| {
        let items: Vec<String> =
            (from..from + count).map(|n| format!("\"10.0.{}.{}/28\"", n / 16, n % 16 * 16)).collect();
        format!("[{}]", items.join(", "))
    };
    let file = |public: usize, private: usize| {
        format!("public_subnet_cidrs = {}\nprivate_subnet_cidrs = {}", list(0, public), list(1000, private))
    };
    assert!(with(&file(100, 100)).is_ok());
    let Err(found) = with(&file(100, 101)) else { panic!("accepted") };
    assert!(found[0].summary.contains("201 subnets"), "{}", render(&found));
    let Err(found) = with(&file(201, 2)) else { panic!("accepted") };
    assert!(found[0].summary.contains("public_subnet_cidrs has 201 subnets"), "{}", render(&found));
}

#[test]
fn application() {
    check(&[
        (r#"app_instance_type = "u-6tb1.112xlarge""#, None),
        (r#"app_instance_type = "m7i.metal-48xl""#, None),
        (r#"app_instance_type = "t3""#, Some("which is not an instance type")),
        (r#"app_instance_type = "t3.""#, Some("which is not an instance type")),
        (r#"app_instance_type = ".small""#, Some("which is not an instance type")),
        (r#"app_instance_type = "T3.small""#, Some("which is not an instance type")),
        (r#"app_instance_type = "db.t3.small""#, Some("which is not an instance type")),
        (r#"app_instance_type = "t4g.small""#, Some("an arm64 type")),
        ("app_instance_type = \"t4g.small\"\napp_ami_id = \"ami-0123456789abcdef0\"", None),
        (r#"app_instance_type = "g4dn.xlarge""#, None),
        ("app_instance_count = 0", None),
        ("app_instance_count = 500", None),
        ("app_instance_count = 20001", Some("app_instance_count is 20001, but must be 0 to 20000")),
        (r#"app_ami_family = "al2023""#, None),
        (r#"app_ami_family = "al2""#, Some("but must be amazon-linux-2 or al2023")),
        (r#"app_ami_id = "ami-01234567""#, None),
        (r#"app_ami_id = "ami-0123456""#, Some("not an image identifier")),
        (r#"app_ami_id = "ami-0123456789abcdef""#, Some("not an image identifier")),
        (r#"app_ami_id = "ami-0123456789abcdefG""#, Some("not an image identifier")),
        (r#"app_ami_id = "0123456789abcdef0""#, Some("not an image identifier")),
        (r#"app_ami_id = """#, Some("not an image identifier")),
        (r#"app_user_data = "boot.sh""#, None),
        (r#"app_user_data = """#, Some("not the path of a file")),
        ("app_user_data = \"#!/bin/bash\"", Some("is a script")),
        ("app_metadata_hop_limit = 0", Some("app_metadata_hop_limit is 0, but must be 1 to 64")),
        ("app_metadata_hop_limit = 64", None),
        ("app_metadata_hop_limit = 65", Some("but must be 1 to 64")),
        ("app_root_volume_gib = 7", Some("app_root_volume_gib is 7, but must be 8 to 16384 GiB")),
        ("app_root_volume_gib = 8", None),
        ("app_root_volume_gib = 16384", None),
        ("app_root_volume_gib = 16385", Some("but must be 8 to 16384")),
    ]);
}

#[test]
fn ingress() {
    check(&[
        ("app_ingress = []", None),
        ("app_ingress = [{ port = 8080 }]", None),
        ("app_ingress = [{ port = 0 }]", Some("port of app_ingress[0] is 0, but must be 1 to 65535")),
        ("app_ingress = [{ port = 65536 }]", Some("is 65536, but must be 1 to 65535")),
        ("app_ingress = [{ port = 65535 }]", None),
        ("app_ingress = [{ from_port = 8000, to_port = 8000 }]", None),
        ("app_ingress = [{ from_port = 8001, to_port = 8000 }]", Some("which is after to_port 8000")),
        ("app_ingress = [{ from_port = 8000 }]", Some("has from_port without to_port")),
        ("app_ingress = [{ to_port = 8000 }]", Some("has to_port without from_port")),
        ("app_ingress = [{ port = 1, to_port = 8000 }]", Some("has port as well as")),
        ("app_ingress = [{}]", Some("app_ingress[0] has no port")),
        ("app_ingress = [{ port = null, from_port = 80, to_port = 81 }]", None),
        ("app_ingress = [{ prot = 80, port = 80 }]", Some("has \"prot\", which is not a part of a rule")),
        (r#"app_ingress = [{ port = 53, protocol = "udp" }]"#, None),
        (r#"app_ingress = [{ port = 53, protocol = "icmp" }]"#, Some("but must be tcp or udp")),
        (r#"app_ingress = [{ port = 80, cidr_blocks = [] }]"#, Some("cidr_blocks of app_ingress[0] is empty")),
        (r#"app_ingress = [{ port = 80, cidr_blocks = ["10.0.0.1/8"] }]"#, Some("which has bits set after its prefix")),
        (r#"app_ingress = [{ port = 80, cidr_blocks = ["10.0.0.1"] }]"#, Some("which has no prefix length")),
        (r#"app_ingress = [{ port = 80, cidr_blocks = ["10.0.0.1/32"] }]"#, None),
        ("app_ingress = [{ port = 80 }, { port = 80 }]", Some("app_ingress[1] allows tcp port 80 from 0.0.0.0/0")),
        (r#"app_ingress = [{ port = 53 }, { port = 53, protocol = "udp" }]"#, None),
        (
            r#"app_ingress = [{ port = 80, cidr_blocks = ["10.0.0.0/8", "10.0.0.0/8"] }]"#,
            Some("an earlier rule allows already"),
        ),
        (r#"app_ingress = [{ port = 80, description = "a b.c" }]"#, None),
        (r#"app_ingress = [{ port = 80, description = "a<b" }]"#, Some("holds \"<\"")),
        ("app_ingress = [{ port = 5432 }]", Some("opens port 5432 (PostgreSQL) to 0.0.0.0/0")),
        ("app_ingress = [{ from_port = 5000, to_port = 6000 }]", Some("opens port 5432")),
        (r#"app_ingress = [{ port = 5432, cidr_blocks = ["0.0.0.0/1"] }]"#, Some("opens port 5432")),
        (r#"app_ingress = [{ port = 5432, cidr_blocks = ["10.0.0.0/8"] }]"#, None),
        (r#"app_ingress = [{ port = 5432, protocol = "udp" }]"#, None),
        ("app_ingress = [{ port = 5433 }]", None),
    ]);
    check_warnings(&[
        ("app_ingress = [{ port = 22 }]", Some("opens port 22 (SSH) to 0.0.0.0/0")),
        ("app_ingress = [{ from_port = 20, to_port = 25 }]", Some("opens port 22")),
        (r#"app_ingress = [{ port = 22, cidr_blocks = ["192.0.2.0/24"] }]"#, None),
        (r#"app_ingress = [{ port = 22, protocol = "udp" }]"#, None),
        ("app_ingress = [{ port = 23 }]", None),
    ]);
    let many = |count: u32| {
        let rules: Vec<String> = (0..count).map(|n| format!("{{ port = {} }}", 10_000 + n)).collect();
        format!("app_ami_family = \"al2023\"\napp_ingress = [{}]", rules.join(", "))
    };
    assert!(with(&many(59)).is_ok_and(|evaluated| evaluated.warnings.is_empty()));
    assert!(with(&many(60)).is_ok_and(|evaluated| evaluated.warnings[0].summary.contains("the quota is 59")));
    assert!(with(&many(999)).is_ok());
    assert!(with(&many(1000)).is_err());
}

#[test]
fn database() {
    check(&[
        (r#"db_engine_version = "13""#, None),
        (r#"db_engine_version = "18.1""#, None),
        (r#"db_engine_version = "15.10""#, None),
        (r#"db_engine_version = "12.9""#, Some("but RDS offers PostgreSQL 13 to 18")),
        (r#"db_engine_version = "19""#, Some("but RDS offers PostgreSQL 13 to 18")),
        (r#"db_engine_version = "15.4.1""#, Some("not a PostgreSQL version")),
        (r#"db_engine_version = "15.""#, Some("not a PostgreSQL version")),
        (r#"db_engine_version = "15.04""#, Some("not a PostgreSQL version")),
        (r#"db_engine_version = "v15""#, Some("not a PostgreSQL version")),
        (r#"db_engine_version = """#, Some("not a PostgreSQL version")),
        (r#"db_instance_class = "db.r6gd.xlarge""#, None),
        (r#"db_instance_class = "t3.micro""#, Some("not a class of database instances")),
        (r#"db_instance_class = "db.t3""#, Some("not a class of database instances")),
        (r#"db_instance_class = "db.serverless""#, Some("not a class of database instances")),
        (r#"db_instance_class = "DB.t3.micro""#, Some("not a class of database instances")),
        ("db_allocated_storage = 19", Some("db_allocated_storage is 19, but must be 20 to 65536 GiB")),
        ("db_allocated_storage = 20", None),
        ("db_allocated_storage = 65536", None),
        ("db_allocated_storage = 65537", Some("but must be 20 to 65536")),
        (r#"db_name = "a_1""#, None),
        (r#"db_name = "my-db""#, Some("letters, digits and underscores")),
        (r#"db_name = "1db""#, Some("must begin with a letter")),
        (r#"db_name = "_db""#, Some("must begin with a letter")),
        (r#"db_name = """#, Some("which is empty")),
        (r#"db_name = "Select""#, Some("a reserved word")),
        (r#"db_name = "db""#, Some("a reserved word")),
        (r#"db_name = "template1""#, Some("a reserved word")),
        (r#"db_name = "selected""#, None),
        (r#"db_username = "admin""#, Some("a reserved word")),
        (r#"db_username = "USER""#, Some("a reserved word")),
        (r#"db_username = "rdsadmin""#, Some("names that begin with rds are reserved")),
        (r#"db_username = "pg_owner""#, Some("names that begin with pg_ are reserved")),
        (r#"db_username = "pgowner""#, None),
        (r#"db_username = "administrator1""#, None),
        (r#"db_username = "abcdefghijklmnop""#, None),
        (r#"db_username = "abcdefghijklmnopq""#, Some("17 characters long, but may be 16")),
        ("db_backup_retention_days = 35", None),
        ("db_backup_retention_days = 36", Some("db_backup_retention_days is 36, but must be 0 to 35 days")),
        ("db_backup_retention_days = -1", Some("db_backup_retention_days is -1")),
        ("db_max_allocated_storage = 0", None),
        ("db_max_allocated_storage = 21", Some("is 21, but must be 22 GiB or more, a tenth more than the 20 GiB")),
        ("db_max_allocated_storage = 22", None),
        ("db_max_allocated_storage = 65537", Some("but must be 0 to 65536")),
        ("db_allocated_storage = 95\ndb_max_allocated_storage = 104", Some("must be 105 GiB or more")),
        ("db_allocated_storage = 95\ndb_max_allocated_storage = 105", None),
        ("db_skip_final_snapshot = \"no\"", Some("db_skip_final_snapshot must be true or false")),
        ("db_delete_automated_backups = 1", Some("db_delete_automated_backups must be true or false")),
        ("db_delete_automated_backups = false", None),
        (r#"db_final_snapshot_identifier = "Keep-me1""#, None),
        (r#"db_final_snapshot_identifier = "1keep""#, Some("it must begin with a letter")),
        (r#"db_final_snapshot_identifier = """#, Some("must begin with a letter")),
        (r#"db_final_snapshot_identifier = "keep_me""#, Some("letters, digits and hyphens")),
        (r#"db_final_snapshot_identifier = "keep-""#, Some("neither end with a hyphen")),
        (r#"db_final_snapshot_identifier = "keep--me""#, Some("nor hold two in a row")),
    ]);
    for (length, accepted) in [(255, true), (256, false)] {
        let name = format!("db_final_snapshot_identifier = \"{}\"", "n".repeat(length));
        assert_eq!(with(&name).is_ok(), accepted, "{length}");
    }
    for (length, accepted) in [(63, true), (64, false)] {
        assert_eq!(with(&format!("db_name = \"{}\"", "n".repeat(length))).is_ok(), accepted, "{length}");
    }
}

#[test]
fn passwords() {
    let long = "x".repeat(128);
    let too_long = "x".repeat(129);
    for (password, expected) in [
        ("12345678", None),
        ("!#$%&()*+,-.:;<=>?[\\]^_`{|}~", None),
        (&*long, None),
        ("1234567", Some("shorter than 8")),
        ("", Some("shorter than 8")),
        (&*too_long, Some("longer than 128")),
        ("1234567/", Some("one of /")),
        ("1234567\"", Some("one of /")),
        // Only other engines exclude it.
        ("1234567'", None),
        ("1234567@", Some("one of /")),
        ("1234567 ", Some("one of /")),
        ("1234567\n", Some("not printable ASCII")),
        ("1234567\u{7f}", Some("not printable ASCII")),
        ("passwörtchen", Some("not printable ASCII")),
    ] {
        // A password that is given must be valid even where none is needed.
        for needed in [true, false] {
            let found = evaluate(&[environment("TF_VAR_db_password", password)], Needs { password: needed });
            match (found, expected) {
                (Ok(evaluated), None) => {
                    assert_eq!(evaluated.secrets.get(DB_PASSWORD).map(crate::secret::Secret::expose), Some(password));
                }
                (Err(found), Some(expected)) => {
                    assert!(found[0].summary.contains(expected), "{expected}: {}", found[0]);
                }
                (Ok(_), Some(expected)) => panic!("{password:?} accepted, but {expected}"),
                (Err(found), None) => panic!("{password:?} {}", render(&found)),
            }
        }
    }
}

#[test]
fn a_missing_password_matters_only_where_needed() {
    assert!(evaluate(&[], Needs { password: false }).is_ok());
    let missing = |sources: &[Source]| match evaluate(sources, Needs { password: true }) {
        Ok(_) => panic!("accepted"),
        Err(found) => found[0].clone(),
    };
    let found = missing(&[]);
    assert!(found.summary.contains("db_password is not set"), "{found}");
    assert!(found.hint.is_some_and(|hint| hint.contains("TF_VAR_db_password")));
    assert!(missing(&[tfvars("db_password = null")]).summary.contains("db_password is not set"));
    let near = missing(&[environment("TF_VAR_db_pasword", PASSWORD)]);
    assert!(near.hint.is_some_and(|hint| hint.contains("TF_VAR_db_pasword") && hint.contains("did you mean")));
}

#[test]
fn tags() {
    let key = |length: usize| format!("tags = {{ {} = \"v\" }}", "k".repeat(length));
    let value = |length: usize| format!("tags = {{ k = \"{}\" }}", "v".repeat(length));
    let many = |count: usize| {
        let tags: Vec<String> = (0..count).map(|n| format!("k{n} = \"v\"")).collect();
        format!("tags = {{ {} }}", tags.join(", "))
    };
    for (file, accepted) in [
        (key(128), true),
        (key(129), false),
        (value(256), true),
        (value(257), false),
        (many(40), true),
        (many(41), false),
    ] {
        assert_eq!(with(&file).is_ok(), accepted, "{file}");
    }
    check(&[
        (r#"tags = { "Cost Centre" = "a_b.c:d/e=f+g-h@i é 1" }"#, None),
        (r#"tags = { "a" = "" }"#, None),
        (r#"tags = { "" = "a" }"#, Some("of a tag is empty")),
        (r#"tags = { "aws:x" = "a" }"#, Some("begins with aws:, which is for AWS")),
        (r#"tags = { "AWS:x" = "a" }"#, Some("begins with aws:")),
        (r#"tags = { "aloka:x" = "a" }"#, Some("begins with aloka:")),
        (r#"tags = { "Aloka-x" = "a" }"#, Some("begins with aloka-")),
        (r#"tags = { "alokax" = "a" }"#, None),
        (r#"tags = { "awsx" = "aws:a" }"#, None),
        (r#"tags = { "a" = "b*c" }"#, Some("the value \"b*c\" of a tag holds \"*\"")),
        (r#"tags = { "a#" = "b" }"#, Some("the key \"a#\" of a tag holds \"#\"")),
        (r#"tags = { "a" = "b\tc" }"#, Some("of a tag holds")),
    ]);
}

#[test]
fn warnings() {
    let warnings = |contents: &str| match with(contents) {
        Ok(evaluated) => evaluated.warnings,
        Err(found) => panic!("{}", render(&found)),
    };
    // The family is told of where an image is chosen.
    for contents in ["", "app_ami_family = \"amazon-linux-2\"", "app_ami_family = \"al2023\""] {
        assert!(warnings(contents).is_empty(), "{contents}");
    }
    let example = warnings("environment = \"dev\"\ndb_password = \"ChangeMe123!Secure\"");
    assert_eq!(example.len(), 1);
    assert!(example[0].summary.contains("the password of the example"));
    assert!(!example[0].to_string().contains("ChangeMe"), "{}", example[0]);
    assert!(example[0].hint.as_ref().is_some_and(|hint| hint.contains("delete terraform.tfvars:2")), "{}", example[0]);
}

/// What goes into the boot script is a release and its digests, and nothing that a shell could take for something else.
#[test]
fn docker_compose() {
    let digest = "0123456789abcdef".repeat(4);
    let compose = |version: &str, x86: &str, arm: &str| {
        format!(
            "app_docker_compose_version = \"{version}\"\napp_docker_compose_sha256 = {{ x86_64 = \"{x86}\", aarch64 = \"{arm}\" }}"
        )
    };
    for (version, x86, arm, expected) in [
        ("2.29.7", &*digest, &*digest, None),
        ("5.0.1000", &*digest, &*digest, None),
        ("v2.29.7", &*digest, &*digest, Some("app_docker_compose_version is \"v2.29.7\", which is not a release")),
        ("2.29", &*digest, &*digest, Some("not a release")),
        ("2.29.7-rc.1", &*digest, &*digest, Some("not a release")),
        ("2.29.$(id)", &*digest, &*digest, Some("not a release")),
        ("2..7", &*digest, &*digest, Some("not a release")),
        ("2.29.7", &digest[1..], &*digest, Some("app_docker_compose_sha256 has \"123456789abcdef")),
        ("2.29.7", &*digest, &*digest.to_uppercase(), Some("for aarch64")),
        ("2.29.7", &*digest.replace('0', ";"), &*digest, Some("for x86_64")),
    ] {
        check(&[(&*compose(version, x86, arm).leak(), expected.map(|text: &str| &*text.to_owned().leak()))]);
    }
    let some = |text: &str| -> &'static str { text.replace("DIGEST", &digest).leak() };
    check(&[
        ("app_docker_compose_version = null\napp_docker_compose_sha256 = {}", None),
        ("app_docker_compose_version = \"2.29.7\"", Some("app_docker_compose_sha256 has no aarch64, no x86_64")),
        (
            some("app_docker_compose_version = \"2.29.7\"\napp_docker_compose_sha256 = { x86_64 = \"DIGEST\" }"),
            Some("app_docker_compose_version is set, but app_docker_compose_sha256 has no aarch64"),
        ),
        (
            some("app_docker_compose_sha256 = { x86_64 = \"DIGEST\" }"),
            Some("app_docker_compose_sha256 is set, but app_docker_compose_version is not"),
        ),
        (
            some(
                "app_docker_compose_version = \"2.29.7\"\n\
                 app_docker_compose_sha256 = { x86_64 = \"DIGEST\", aarch64 = \"DIGEST\", armv7 = \"DIGEST\" }",
            ),
            Some("has \"armv7\", which is not an architecture"),
        ),
    ]);
}

#[test]
fn logs_of_the_database() {
    check(&[
        ("db_enabled_cloudwatch_logs_exports = null", None),
        ("db_enabled_cloudwatch_logs_exports = []", None),
        (r#"db_enabled_cloudwatch_logs_exports = ["postgresql", "upgrade", "iam-db-auth-error"]"#, None),
        (
            r#"db_enabled_cloudwatch_logs_exports = ["postgres"]"#,
            Some("db_enabled_cloudwatch_logs_exports has \"postgres\", which is not a log of PostgreSQL"),
        ),
        (r#"db_enabled_cloudwatch_logs_exports = "upgrade""#, Some("must be a list of texts, but is a text")),
        ("db_copy_tags_to_snapshot = null", None),
        ("db_copy_tags_to_snapshot = 1", Some("must be true or false")),
    ]);
    let logs = |list: &str| good(&[tfvars(&format!("db_enabled_cloudwatch_logs_exports = {list}"))]);
    let both = Some(vec!["postgresql".to_owned(), "upgrade".to_owned()]);
    assert_eq!(logs(r#"["upgrade", "postgresql", "upgrade"]"#).db_enabled_cloudwatch_logs_exports, both);
    assert_eq!(logs("[]").db_enabled_cloudwatch_logs_exports, Some(Vec::new()));
}

/// Contents of a file that lacks nothing for an environment that matters.
const CAREFUL: [&str; 5] = [
    "db_backup_retention_days = 7",
    "db_deletion_protection = true",
    "db_multi_az = true",
    "single_nat_gateway = false",
    "db_skip_final_snapshot = false",
];

/// Each once, with the variable that mends it, and none in `dev`.
#[test]
fn what_a_production_environment_lacks() {
    let in_production = |lines: &[&str]| format!("environment = \"prod\"\n{}", lines.join("\n"));
    let careful = in_production(&CAREFUL);
    let but = |index: usize, line: &'static str| {
        let mut lines = CAREFUL;
        lines[index] = line;
        in_production(&lines)
    };
    let cases = [
        (careful.clone(), None),
        (but(0, ""), Some("db_backup_retention_days is not set in environment prod: no backups")),
        (but(0, "db_backup_retention_days = 0"), Some("db_backup_retention_days is 0 in environment prod: no backups")),
        (but(1, ""), Some("db_deletion_protection is not set in environment prod")),
        (but(1, "db_deletion_protection = false"), Some("db_deletion_protection is false in environment prod")),
        (but(2, ""), Some("db_multi_az is not set in environment prod")),
        (but(2, "db_multi_az = false"), Some("db_multi_az is false in environment prod")),
        (but(3, ""), Some("single_nat_gateway is true in environment prod")),
        (but(3, "enable_nat_gateway = false"), None),
        (but(4, ""), Some("db_skip_final_snapshot is not set in environment prod")),
        (but(4, "db_skip_final_snapshot = true"), Some("db_skip_final_snapshot is true in environment prod")),
        // Who names it wants it.
        (but(4, "db_final_snapshot_identifier = \"keep-me\""), None),
        (format!("{careful}\napp_ingress = [{{ port = 80 }}]"), Some("opens port 80 to the internet and not port 443")),
        (format!("{careful}\napp_ingress = [{{ port = 80 }}, {{ from_port = 400, to_port = 500 }}]"), None),
        (format!("{careful}\napp_ingress = [{{ port = 443 }}]"), None),
        (format!("{careful}\napp_ingress = [{{ port = 80, cidr_blocks = [\"10.0.0.0/8\"] }}]"), None),
    ];
    for (contents, expected) in cases {
        check_warnings(&[(&*contents.leak(), expected)]);
    }
    let everything = "app_ami_family = \"al2023\"\napp_ingress = [{ port = 80 }]";
    let warnings = |environment: &str| match with(&format!("environment = \"{environment}\"\n{everything}")) {
        Ok(evaluated) => evaluated.warnings,
        Err(found) => panic!("{}", render(&found)),
    };
    assert!(warnings("dev").is_empty());
    let told = warnings("prod");
    assert_eq!(told.len(), 6, "{}", render(&told));
    for name in [
        "db_backup_retention_days",
        "db_deletion_protection",
        "db_skip_final_snapshot",
        "db_multi_az",
        "single_nat_gateway",
        "app_ingress",
    ] {
        let about: Vec<_> = told.iter().filter(|warning| warning.summary.starts_with(name)).collect();
        assert_eq!(about.len(), 1, "{name}: {}", render(&told));
        assert!(about[0].hint.as_ref().is_some_and(|hint| hint.contains(name)), "{}", about[0]);
    }
    // A place, where there is one.
    let placed: Vec<_> = told.iter().filter(|warning| warning.location.is_some()).collect();
    assert_eq!(placed.len(), 1, "{}", render(&told));
}
