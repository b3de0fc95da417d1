//! Tests of the whole decision.

use proptest::prelude::*;

use super::oracle::{GROUPS, INSIDE, NetworkSpec, OUTSIDE, PORTS, PROTOCOLS, RuleSpec, Via, network};
use super::*;
use crate::kind::Kind;
use crate::value::{Value, ValueMap};

type Resources = BTreeMap<Address, ValueMap>;

fn address(text: &str) -> Address {
    text.parse().expect(text)
}

fn open(protocol: &'static str, from: u16, to: u16, blocks: &[&'static str], groups: &[usize], own: bool) -> RuleSpec {
    RuleSpec { protocol, from, to, blocks: blocks.to_vec(), groups: groups.to_vec(), own }
}

/// The stack of the seed, with one subnet of each sort.
fn seed() -> NetworkSpec {
    let out = vec![open("-1", 0, 0, &["0.0.0.0/0"], &[], false)];
    NetworkSpec {
        ingress: [
            vec![
                open("tcp", 80, 80, &["0.0.0.0/0"], &[], false),
                open("tcp", 443, 443, &["0.0.0.0/0"], &[], false),
                open("-1", 0, 0, &[], &[], true),
            ],
            vec![open("tcp", 5432, 5432, &[], &[0], false)],
            vec![],
        ],
        egress: [out.clone(), out.clone(), out],
        groups: [vec![0], vec![1]],
        public: [true, false],
        routes: [vec![("0.0.0.0/0", Via::Internet)], vec![("0.0.0.0/0", Via::Nat)]],
        attached: true,
    }
}

fn set(resources: &mut Resources, at: &str, attribute: &str, value: impl Into<Value>) {
    resources.get_mut(&address(at)).expect(at).insert(attribute.into(), value.into());
}

fn broken(resources: &Resources) -> Vec<Rule> {
    verdict(&report(resources), &Promise::default()).into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn the_seed_keeps_its_promise_planned_and_observed() {
    for planned in [true, false] {
        let report = report(&seed().resources(planned));
        assert_eq!(verdict(&report, &Promise::default()), []);
        assert_eq!(
            describe(&report),
            [
                "database aws_db_instance.postgres: reachable on tcp 5432 from aws_security_group.app \
                 (aws_instance.app); not from the internet",
                "instance aws_instance.app: reachable on all traffic from aws_security_group.app (itself); on tcp 80, \
                 443 from the internet and 10.0.0.0/16 inside the vpc",
            ]
        );
    }
}

#[test]
fn each_breach_is_found_and_each_near_miss_is_not() {
    type Change = fn(&mut NetworkSpec);
    let table: [(&str, Change, &[Rule]); 16] = [
        ("nothing", |_| {}, &[]),
        (
            "database port open to the vpc",
            |n| n.ingress[1].push(open("tcp", 5432, 5432, &["10.0.0.0/8"], &[], false)),
            &[Rule::DatabaseSource],
        ),
        (
            "database port open to a private network elsewhere",
            |n| n.ingress[1].push(open("tcp", 5432, 5432, &["192.168.0.0/16"], &[], false)),
            &[],
        ),
        (
            "database port open to another group",
            |n| n.ingress[1].push(open("tcp", 5432, 5432, &[], &[2], false)),
            &[Rule::DatabaseSource],
        ),
        (
            "the same, but that group may send nothing",
            |n| {
                n.ingress[1].push(open("tcp", 5432, 5432, &[], &[2], false));
                n.egress[2].clear();
            },
            &[],
        ),
        (
            "one port more to the app group",
            |n| n.ingress[1].push(open("tcp", 5431, 5431, &[], &[0], false)),
            &[Rule::DatabasePort],
        ),
        ("the same rule twice, another way", |n| n.ingress[1].push(open("6", 5432, 5432, &[], &[0], false)), &[]),
        (
            "the whole database to the internet and the vpc",
            |n| {
                n.ingress[1].push(open("-1", 0, 0, &["0.0.0.0/0"], &[], false));
                n.public[1] = true;
                n.routes[1] = vec![("0.0.0.0/0", Via::Internet)];
            },
            &[Rule::DatabaseSource, Rule::DatabaseSource],
        ),
        (
            "a public database with a public route and no rule",
            |n| {
                n.public[1] = true;
                n.routes[1] = vec![("0.0.0.0/0", Via::Internet)];
            },
            &[],
        ),
        (
            "ssh to the world",
            |n| n.ingress[0].push(open("tcp", 22, 22, &["0.0.0.0/0"], &[], false)),
            &[Rule::AppPort, Rule::AppPort],
        ),
        (
            "ssh to the world, without a public address",
            |n| {
                n.ingress[0].push(open("tcp", 22, 22, &["128.0.0.0/1"], &[], false));
                n.public[0] = false;
            },
            &[],
        ),
        (
            "ssh to the world, without a route",
            |n| {
                n.ingress[0].push(open("tcp", 22, 22, &["128.0.0.0/1"], &[], false));
                n.routes[0].clear();
            },
            &[],
        ),
        (
            "ssh to the world, without a gateway",
            |n| {
                n.ingress[0].push(open("tcp", 22, 22, &["128.0.0.0/1"], &[], false));
                n.attached = false;
            },
            &[],
        ),
        ("no way out of the app", |n| n.egress[0].clear(), &[Rule::PathCut]),
        (
            "a way out past the database",
            |n| n.egress[0] = vec![open("tcp", 5432, 5432, &["10.0.1.0/24"], &[], false)],
            &[Rule::PathCut],
        ),
        ("no way into the database", |n| n.ingress[1].clear(), &[Rule::PathCut]),
    ];
    for (name, change, expected) in table {
        let mut network = seed();
        change(&mut network);
        for planned in [true, false] {
            assert_eq!(broken(&network.resources(planned)), expected, "{name}");
        }
    }
}

#[test]
fn what_is_not_known_counts_as_open() {
    let literal = || seed().resources(false);
    let rule = |key: &str, value: Value| {
        let ports = [("protocol", "tcp".into()), ("from_port", 5432.into()), ("to_port", 5432.into())];
        let mut rule: ValueMap = ports.map(|(key, value): (&str, Value)| (key.into(), value)).into();
        rule.insert(key.into(), value);
        Value::list([Value::Map(rule)])
    };
    let db_group = "aws_security_group.db";
    let strange = [
        ("another group", rule("security_groups", Value::list(["sg-strange"]))),
        ("a prefix list", rule("prefix_list_ids", Value::list(["pl-strange"]))),
        ("a block not known yet", rule("cidr_blocks", Value::list([Value::reference(address("aws_eip.x"), "ip")]))),
        ("blocks not known yet", rule("cidr_blocks", Value::reference(address("aws_eip.x"), "ips"))),
        ("a rule not known yet", Value::list([Value::reference(address("aws_eip.x"), "rule")])),
        ("rules not known yet", Value::reference(address("aws_eip.x"), "rules")),
    ];
    for (name, ingress) in strange {
        let mut resources = literal();
        set(&mut resources, db_group, "ingress", ingress);
        assert!(broken(&resources).contains(&Rule::DatabaseSource), "{name}");
    }

    let mut resources = literal();
    set(&mut resources, "aws_db_instance.postgres", "vpc_security_group_ids", Value::list(["sg-strange"]));
    assert_eq!(broken(&resources), [Rule::DatabaseSource, Rule::PathCut]);

    // A route to somewhere else, such as a VPN, needs no public address.
    let mut resources = literal();
    set(&mut resources, "module.vpc.aws_route.private[0]", "gateway_id", "vgw-1");
    assert_eq!(broken(&resources), []);
    set(&mut resources, db_group, "ingress", rule("cidr_blocks", Value::list(["192.168.0.0/16"])));
    let found = verdict(&report(&resources), &Promise::default());
    assert!(found[0].message.contains("by an unknown route (192.168.0.0/16)"), "{found:?}");

    // A subnet that follows a table nobody has read.
    let mut resources = literal();
    set(&mut resources, "module.vpc.aws_route_table_association.private[0]", "route_table_id", "rtb-strange");
    set(&mut resources, db_group, "ingress", rule("cidr_blocks", Value::list(["192.168.0.0/16"])));
    assert!(broken(&resources).contains(&Rule::DatabaseSource));
}

#[test]
fn ipv6_rules_count_only_in_a_vpc_that_has_ipv6() {
    let mut resources = seed().resources(false);
    let rule = [("protocol", Value::str("-1")), ("ipv6_cidr_blocks", Value::list(["::/0"]))];
    set(&mut resources, "aws_security_group.db", "ingress", Value::list([Value::map(rule)]));
    assert_eq!(broken(&resources), [Rule::PathCut]);
    set(&mut resources, "module.vpc.aws_vpc.this[0]", "ipv6_cidr_block", "2001:db8::/56");
    assert_eq!(broken(&resources), [Rule::DatabaseSource, Rule::PathCut]);
}

#[test]
fn a_subnet_without_a_table_follows_the_main_one() {
    let association = address("module.vpc.aws_route_table_association.public[0]");
    for planned in [true, false] {
        let mut resources = seed().resources(planned);
        resources.remove(&association);
        let report_before = report(&resources);
        let app = report_before.targets.iter().find(|target| target.port.is_none()).expect("an instance");
        assert!(!app.public);
        assert_eq!(app.main_route_table, [address("module.vpc.aws_subnet.public[0]")].into());

        let vpc = address("module.vpc.aws_vpc.this[0]");
        let table = address("module.vpc.aws_route_table.public[0]");
        let main = if planned { Value::reference(table, "id") } else { resources[&table]["id"].clone() };
        resources.get_mut(&vpc).expect("the vpc").insert("main_route_table_id".into(), main);
        let report_after = report(&resources);
        let app = report_after.targets.iter().find(|target| target.port.is_none()).expect("an instance");
        assert!(app.public && app.main_route_table.is_empty());

        // The main table is not a resource here, but a route in it is.
        let main = Value::reference(vpc.clone(), "main_route_table_id");
        resources.get_mut(&vpc).expect("the vpc").remove("main_route_table_id");
        set(&mut resources, "module.vpc.aws_route.public[0]", "route_table_id", main);
        assert!(report(&resources).targets.iter().any(|target| target.public));
    }
}

#[test]
fn a_gateway_of_another_vpc_lets_nothing_in() {
    let mut resources = seed().resources(false);
    let mut other = resources[&address("module.vpc.aws_vpc.this[0]")].clone();
    other.insert("id".into(), "vpc-other".into());
    resources.insert(address("aws_vpc.other"), other);
    let public = |resources: &Resources| report(resources).targets.iter().any(|target| target.public);
    assert!(public(&resources));
    set(&mut resources, "module.vpc.aws_internet_gateway.this[0]", "vpc_id", "vpc-other");
    assert!(!public(&resources));
}

#[test]
fn a_path_needs_one_vpc_and_routes_both_ways() {
    // The same blocks in another VPC are other places.
    let mut resources = seed().resources(false);
    let mut other = resources[&address("module.vpc.aws_vpc.this[0]")].clone();
    other.insert("id".into(), "vpc-other".into());
    resources.insert(address("aws_vpc.other"), other);
    set(&mut resources, "module.vpc.aws_subnet.private[0]", "vpc_id", "vpc-other");
    assert_eq!(broken(&resources), [Rule::PathCut]);

    // A route to a subnet of the VPC is more specific than the local one, whoever has it.
    for (table, block) in [("public", "10.0.10.0/24"), ("private", "10.0.1.0/24")] {
        let mut resources = seed().resources(true);
        let route = Address::vpc(Kind::Route, table, 7);
        let at = |kind| Value::reference(Address::vpc(kind, table, 0), "id");
        let attributes = [
            ("route_table_id", at(Kind::RouteTable)),
            ("destination_cidr_block", block.into()),
            ("nat_gateway_id", at(Kind::NatGateway)),
        ];
        resources.insert(route, attributes.map(|(key, value)| (key.into(), value)).into());
        assert_eq!(broken(&resources), [Rule::PathCut], "{table}");
    }
}

#[test]
fn a_database_counts_as_being_in_every_subnet_of_its_group() {
    let mut resources = seed().resources(false);
    let subnets = ["private", "public"].map(|name| resources[&Address::vpc(Kind::Subnet, name, 0)]["id"].clone());
    set(&mut resources, "aws_db_subnet_group.main", "subnet_ids", Value::list(subnets));
    set(&mut resources, "aws_db_instance.postgres", "publicly_accessible", true);
    let rule = open("tcp", 5432, 5432, &["128.0.0.0/1"], &[0], false);
    let mut network = seed();
    network.ingress[1] = vec![rule];
    let ingress = network.resources(false)[&address("aws_security_group.db")]["ingress"].clone();
    set(&mut resources, "aws_security_group.db", "ingress", ingress);
    assert_eq!(broken(&resources), [Rule::DatabaseSource]);
    // Rules for one of its subnets do not make a path to it.
    network.egress[0] = vec![open("-1", 0, 0, &["10.0.10.0/23"], &[], false)];
    let egress = network.resources(false)[&address("aws_security_group.app")]["egress"].clone();
    set(&mut resources, "aws_security_group.app", "egress", egress);
    assert_eq!(broken(&resources), [Rule::DatabaseSource, Rule::PathCut]);
}

#[test]
fn a_changed_port_cuts_the_path() {
    let mut resources = seed().resources(false);
    set(&mut resources, "aws_db_instance.postgres", "port", 5433);
    assert_eq!(broken(&resources), [Rule::PathCut]);
}

#[test]
fn an_elastic_address_makes_an_instance_public() {
    let mut network = seed();
    network.public[0] = false;
    let mut resources = network.resources(false);
    set(&mut resources, "aws_instance.app", "primary_network_interface_id", "eni-1");
    let public = |resources: &Resources| report(resources).targets.iter().any(|target| target.public);
    assert!(!public(&resources));
    resources.insert(address("aws_eip.x"), ValueMap::from([("network_interface".into(), "eni-1".into())]));
    assert!(public(&resources));
}

#[test]
fn a_change_tells_what_opens_and_closes() {
    let before = report(&seed().resources(false));
    assert_eq!(change(&before, &report(&seed().resources(true))), Vec::<String>::new());
    let mut network = seed();
    network.ingress[0][0] = open("tcp", 79, 80, &["0.0.0.0/0"], &[], false);
    network.ingress[0][1] = open("tcp", 443, 443, &["128.0.0.0/1", "10.0.0.0/8"], &[], false);
    network.ingress[1].clear();
    let after = report(&network.resources(true));
    let lines = change(&before, &after);
    assert_eq!(
        lines,
        [
            "opens: aws_instance.app to the internet on tcp 79",
            "opens: aws_instance.app to 10.0.0.0/16 inside the vpc on tcp 79",
            "closes: aws_db_instance.postgres to aws_security_group.app on tcp 5432",
            "closes: aws_instance.app to the internet (0.0.0.0/1) on tcp 443",
            "path cut: aws_instance.app to aws_db_instance.postgres on tcp 5432",
        ]
    );
    let whole = change(&Report::default(), &before);
    assert_eq!(
        whole.last().map(String::as_str),
        Some("path made: aws_instance.app to aws_db_instance.postgres on tcp 5432")
    );
}

#[test]
fn many_instances_share_their_lines() {
    let mut resources = seed().resources(false);
    let app = resources.remove(&address("aws_instance.app")).expect("the instance");
    for index in 0..2000 {
        resources.insert(Address::root_at(Kind::Instance, "app", index), app.clone());
    }
    let report = report(&resources);
    assert_eq!(verdict(&report, &Promise::default()), []);
    assert_eq!(
        describe(&report),
        [
            "database aws_db_instance.postgres: reachable on tcp 5432 from aws_security_group.app (aws_instance.app[0], \
             aws_instance.app[1] and 1998 more); not from the internet",
            "instances aws_instance.app[0], aws_instance.app[1] and 1998 more: reachable on all traffic from \
             aws_security_group.app (each other); on tcp 80, 443 from the internet and 10.0.0.0/16 inside the vpc",
        ]
    );
}

/// What the report says of a packet.
fn reaches(report: &Report, to: &str, protocol: u8, port: u16, from: impl Fn(&Source) -> bool) -> bool {
    let flows = report.flows.iter().filter(|flow| flow.to == address(to) && from(&flow.from));
    flows.into_iter().any(|flow| flow.traffic.contains(protocol, port))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_packet_is_judged_as_by_brute_force(network in network(), planned: bool) {
        let report = report(&network.resources(planned));
        for (host, to) in ["aws_instance.app", "aws_db_instance.postgres"].into_iter().enumerate() {
            for (protocol, port) in PROTOCOLS.into_iter().flat_map(|protocol| PORTS.map(move |port| (protocol, port))) {
                for text in OUTSIDE.into_iter().chain(INSIDE) {
                    let source = text.parse().expect(text);
                    let expected = network.address_reaches(source, host, protocol, port);
                    let found = reaches(&report, to, protocol, port, |from| match from {
                        Source::Internet(set) | Source::Outside(set) | Source::Inside(set) => set.contains(source),
                        Source::Group(_) | Source::Unknown(_) => false,
                    });
                    prop_assert_eq!(found, expected, "{} to {} on {} {}", text, to, protocol, port);
                }
                for (group, name) in GROUPS.into_iter().enumerate() {
                    let expected = network.group_reaches(group, host, protocol, port);
                    let group = Source::Group(Address::root(Kind::SecurityGroup, name));
                    let found = reaches(&report, to, protocol, port, |from| *from == group);
                    prop_assert_eq!(found, expected, "group {} to {} on {} {}", name, to, protocol, port);
                }
                let found = report.paths[0].traffic.contains(protocol, port);
                prop_assert_eq!(found, network.instance_to_database(protocol, port), "path on {} {}", protocol, port);
            }
        }
    }

    #[test]
    fn planned_and_observed_are_the_same(network in network()) {
        prop_assert_eq!(report(&network.resources(true)), report(&network.resources(false)));
    }

    #[test]
    fn a_change_is_told_exactly_when_there_is_one(before in network(), after in network()) {
        let (before, after) = (report(&before.resources(true)), report(&after.resources(false)));
        let same = before.flows == after.flows && {
            let open = |report: &Report| report.paths[0].traffic.contains(6, 5432);
            open(&before) == open(&after)
        };
        prop_assert_eq!(change(&before, &after).is_empty(), same);
        prop_assert!(change(&after, &after).is_empty());
    }

    /// Taking a rule away never opens anything; a report is monotone in its rules.
    #[test]
    fn fewer_rules_never_open(network in network(), group in 0..3usize) {
        let mut fewer = network.clone();
        fewer.ingress[group].pop();
        fewer.egress[group].pop();
        let lines = change(&report(&network.resources(true)), &report(&fewer.resources(true)));
        prop_assert!(lines.iter().all(|line| !line.starts_with("opens") && !line.starts_with("path made")), "{:?}", lines);
    }
}
