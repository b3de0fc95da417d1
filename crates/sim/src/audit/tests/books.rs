//! What is left over, what cannot work, what is nobody's, and what it all costs.

use std::time::Duration;

use aloka_core::time::Instant;

use super::*;

type Change = fn(&mut Json);

#[test]
fn each_planted_leak_is_found() {
    let table: [(&str, Change, &str); 6] = [
        (
            "a volume whose instance is gone",
            |a| set(a, "/Volumes/0/State", "available".into()),
            "volume vol-1 is attached to nothing",
        ),
        (
            "an address whose NAT gateway is gone",
            |a| drop(a["Addresses"][0].as_object_mut().expect("a map").remove("AssociationId")),
            "address eipalloc-1 is associated with nothing",
        ),
        (
            "an interface of an instance that is gone",
            |a| set(a, "/Subnets/1/AvailableIpAddressCount", 250.into()),
            "1 network interfaces in vpc-1 belong to nothing",
        ),
        (
            "the interface of a database that is gone",
            |a| set(a, "/DBInstances", json!([])),
            "1 network interfaces in vpc-1 belong to nothing",
        ),
        (
            "a default group nobody emptied",
            |a| set(a, "/SecurityGroups/0/IpPermissions", json!([all(&[], &["sg-default"])])),
            "sg-default, the default group of vpc-1, still has its rules",
        ),
        (
            "a NAT gateway that failed",
            |a| {
                set(a, "/NatGateways/0/State", "failed".into());
                a["NatGateways"][0]["FailureCode"] = "Gateway.NotAttached".into();
            },
            "NAT gateway nat-1 failed (Gateway.NotAttached) and is still there",
        ),
    ];
    for (name, change, expected) in table {
        let mut account = seed();
        change(&mut account);
        let leaks = read(&account).leaks();
        assert!(leaks.iter().any(|leak| leak == expected), "{name}: {leaks:?}");
    }
    // Somebody else's VPC keeps what it came with. A standby has an interface too, and so has an instance on its way out.
    let mut account = seed();
    set(&mut account, "/DBInstances/0/MultiAZ", true.into());
    set(&mut account, "/Subnets/3/AvailableIpAddressCount", 250.into());
    set(&mut account, "/Instances/0/State", "shutting-down".into());
    push(&mut account, "/Vpcs", json!({"VpcId": "vpc-2", "CidrBlock": "10.9.0.0/16", "IsDefault": false, "Tags": {}}));
    let mut group = account["SecurityGroups"][0].clone();
    (group["GroupId"], group["VpcId"]) = ("sg-2".into(), "vpc-2".into());
    group["IpPermissions"] = json!([all(&[], &["sg-2"])]);
    push(&mut account, "/SecurityGroups", group);
    assert_eq!(read(&account).leaks(), Vec::<String>::new());
    // And so has somebody else's load balancer, until it lets go of it.
    let mut account = seed();
    set(&mut account, "/Subnets/1/AvailableIpAddressCount", 250.into());
    let interface = json!({"NetworkInterfaceId": "eni-elb", "VpcId": "vpc-1", "InterfaceType": "interface",
                           "Description": "ELB app/web/1", "Attachment": {"InstanceOwnerId": "amazon-elb"}});
    push(&mut account, "/NetworkInterfaces", interface);
    assert_eq!(read(&account).leaks(), Vec::<String>::new());
    account["NetworkInterfaces"][3].as_object_mut().expect("an interface").remove("Attachment");
    assert_eq!(read(&account).leaks(), ["1 network interfaces in vpc-1 belong to nothing"]);
}

#[test]
fn each_planted_defect_is_found() {
    let table: [(&str, Change, &str); 8] = [
        (
            "no route yet",
            |a| set(a, "/RouteTables/1/Routes", json!([{"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}])),
            "instance i-1 has no way out of subnet-pub0",
        ),
        (
            "not associated yet, and starting",
            |a| {
                set(a, "/RouteTables/1/Associations", json!([]));
                set(a, "/Instances/0/State", "pending".into());
            },
            "instance i-1 has no way out of subnet-pub0",
        ),
        (
            "a gateway that is not attached",
            |a| set(a, "/InternetGateways/0/Attachments", json!([])),
            "instance i-1 has no way out of subnet-pub0",
        ),
        (
            "a black hole",
            |a| set(a, "/RouteTables/2/Routes/1/State", "blackhole".into()),
            "rtb-pri routes 0.0.0.0/0 into nothing",
        ),
        (
            "a subnet that is gone",
            |a| set(a, "/DBSubnetGroups/0/SubnetIds/1", "subnet-gone".into()),
            "database subnet group aloka-db names subnet-gone, which is gone",
        ),
        (
            "a NAT gateway that failed",
            |a| {
                set(a, "/NatGateways/0/State", "failed".into());
                a["NatGateways"][0]["FailureCode"] = "Gateway.NotAttached".into();
            },
            "NAT gateway nat-1 failed: Gateway.NotAttached",
        ),
        (
            "a twin",
            |a| {
                let mut twin = a["InternetGateways"][0].clone();
                twin["InternetGatewayId"] = "igw-2".into();
                push(a, "/InternetGateways", twin);
            },
            "igw-1 and igw-2 are both module.vpc.aws_internet_gateway.this/0",
        ),
        (
            "a second volume",
            |a| {
                let mut twin = a["Volumes"][0].clone();
                twin["VolumeId"] = "vol-2".into();
                push(a, "/Volumes", twin);
            },
            "vol-1 and vol-2 are both aws_instance.i-1",
        ),
    ];
    for (name, change, expected) in table {
        let mut account = seed();
        change(&mut account);
        let defects = read(&account).defects();
        assert!(defects.iter().any(|defect| defect == expected), "{name}: {defects:?}");
    }
    // Behind a working NAT gateway is a way out too, and what is stopped needs none.
    let mut account = seed();
    push(&mut account, "/Instances", instance("i-2", "subnet-pri0", "10.0.10.9", None, "sg-app"));
    assert_eq!(read(&account).defects(), Vec::<String>::new());
    set(&mut account, "/RouteTables/2/Routes/1/State", "blackhole".into());
    set(&mut account, "/Instances/1/State", "stopped".into());
    assert_eq!(read(&account).defects(), ["rtb-pri routes 0.0.0.0/0 into nothing"]);
}

#[test]
fn what_no_state_answers_for_is_an_orphan() {
    let account = seed();
    let world = read(&account);
    let mut recorded: BTreeSet<String> = world.objects.iter().map(|object| object.id.clone()).collect();
    // The volume of a server is no object of its own in a state.
    recorded.remove("vol-1");
    assert_eq!(world.orphans("L", &recorded), Vec::<String>::new());
    assert_eq!(world.missing(&recorded), Vec::<&str>::new());
    recorded.insert("subnet-gone".to_owned());
    assert_eq!(world.missing(&recorded), ["subnet-gone"]);

    recorded.remove("nat-1");
    let found = "natgateway nat-1 says it is module.vpc.aws_nat_gateway.this/0, and is not recorded";
    assert_eq!(world.orphans("L", &recorded), [found]);
    // Of another state: not ours to judge. Of none: an orphan of the account.
    assert_eq!(world.orphans("M", &recorded), Vec::<String>::new());
    let mut account = seed();
    set(&mut account, "/NatGateways/0/Tags", json!({}));
    assert_eq!(read(&account).orphans("L", &recorded), ["natgateway nat-1 belongs to nobody"]);
    assert_eq!(read(&account).orphans("M", &recorded), ["natgateway nat-1 belongs to nobody"]);
}

/// The arithmetic of the price list: 15.18 + 13.14 + 2.30 + 32.85 + 3.65 + 3.65 + 0.64 dollars a month.
#[test]
fn the_seed_costs_what_the_price_list_says() {
    let bill = read(&seed()).monthly();
    let lines: Vec<String> = bill.lines.iter().map(|(line, amount)| format!("{line} {amount}")).collect();
    let expected = [
        "instance 15.18 USD",
        "volume 0.6400 USD",
        "public address 7.30 USD",
        "NAT gateway 32.85 USD",
        "database 13.14 USD",
        "database storage 2.30 USD",
    ];
    assert_eq!(lines, expected);
    assert_eq!(bill.describe("us-east-1"), "71.41 USD");
    let text = bill.describe("eu-west-1");
    assert!(text.contains("prices of us-east-1, which are not those of eu-west-1"), "{text}");

    let table: [(&str, Change, &str); 8] = [
        ("a stopped server", |a| set(a, "/Instances/0/State", "stopped".into()), "52.58 USD"),
        ("a pending NAT gateway", |a| set(a, "/NatGateways/0/State", "pending".into()), "38.56 USD"),
        ("a database being made", |a| set(a, "/DBInstances/0/DBInstanceStatus", "creating".into()), "55.97 USD"),
        ("a standby", |a| set(a, "/DBInstances/0/MultiAZ", true.into()), "86.85 USD"),
        ("a larger server", |a| set(a, "/Instances/0/InstanceType", "t3.medium".into()), "86.60 USD"),
        ("an older volume", |a| set(a, "/Volumes/0/VolumeType", "gp2".into()), "71.57 USD"),
        (
            "an unknown server",
            |a| set(a, "/Instances/0/InstanceType", "x9.huge".into()),
            "56.23 USD, without instance i-1 whose price is not known here",
        ),
        (
            "an unknown volume",
            |a| set(a, "/Volumes/0/VolumeType", "io2".into()),
            "70.77 USD, without volume vol-1 whose price is not known here",
        ),
    ];
    for (name, change, expected) in table {
        let mut account = seed();
        change(&mut account);
        assert_eq!(read(&account).monthly().describe("us-east-1"), expected, "{name}");
    }
}

#[test]
fn a_meter_charges_from_look_to_look_by_each_service_s_granularity() {
    let at = |seconds: u64| Instant::ZERO + Duration::from_secs(seconds);
    let there = read(&seed());
    let gone = World::default();
    let mut meter = Meter::default();
    assert_eq!(meter.spent().total(), Usd::default());
    meter.look(at(0), &gone);
    meter.look(at(1000), &there);
    meter.look(at(1010), &there);
    meter.look(at(1030), &gone);
    meter.look(at(9999), &gone);
    let amount = |line| meter.spent().lines.get(&line).map(ToString::to_string).unwrap_or_default();
    // 30 seconds: a minute of the instance, ten of the database, an hour of the NAT gateway.
    assert_eq!(amount(Line::Instance), "0.0003 USD"); // 0.0208 / 60
    assert_eq!(amount(Line::Database), "0.0030 USD"); // 0.018 / 6
    assert_eq!(amount(Line::NatGateway), "0.0450 USD");
    assert_eq!(amount(Line::PublicAddress), "0.0001 USD"); // 2 * 0.005 / 120
    assert_eq!(meter.spent().unpriced, Vec::<String>::new());

    // Two hours and a second: the NAT gateway's third hour has begun.
    let mut meter = Meter::default();
    meter.look(at(0), &there);
    meter.look(at(7201), &gone);
    let lines = meter.spent().lines;
    assert_eq!(lines[&Line::NatGateway].to_string(), "0.1350 USD");
    assert_eq!(lines[&Line::Instance].to_string(), "0.0416 USD");
    assert_eq!(lines[&Line::Database].to_string(), "0.0360 USD");

    // A larger server from the second hour on: each price for its time.
    let mut account = seed();
    set(&mut account, "/Instances/0/InstanceType", "t3.medium".into());
    let mut meter = Meter::default();
    meter.look(at(0), &there);
    meter.look(at(3600), &read(&account));
    meter.look(at(7200), &gone);
    assert_eq!(meter.spent().lines[&Line::Instance].to_string(), "0.0624 USD");
}
