//! Something that others put there after the plan: AWS does not delete what it uses, and the run says within seconds who it is.

use std::time::Duration;

use aloka_core::api::{Call, Ec2, ErrorClass, Operation, Rds, Reply, Request};
use aloka_core::engine::{Cause, Failure, Outcome};
use aloka_core::plan::Mode;
use aloka_core::time::Instant;
use aloka_core::value::{Value, ValueMap};
use aloka_core::variables::Variables;
use aloka_sim::aws::{Account, Durations};
use aloka_sim::rehearsal::plan_round;
use aloka_sim::world::{RunEnd, Watch};
use aloka_tests::{Bench, LINEAGE, inputs, secrets, variables};

use crate::bench::finishes;

/// What others bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Guest {
    /// A server in our subnet, which also wears our group.
    Server,
    /// A group whose rule names ours.
    Group,
    /// A NAT gateway in our subnet.
    Gateway,
    /// A database in our subnet group, with our database's group.
    Database,
    /// A subnet in our VPC.
    Subnet,
    /// A subnet that is associated with our table.
    Associated,
    /// A group with our tags that nobody recorded.
    Tagged,
}

const GUESTS: [Guest; 7] =
    [Guest::Server, Guest::Group, Guest::Gateway, Guest::Database, Guest::Subnet, Guest::Associated, Guest::Tagged];

fn send(bench: &mut Bench, operation: Operation, args: &[(&'static str, Value)]) -> Value {
    let request = Request(Call::new(operation, args.iter().cloned()));
    let now = bench.world.now();
    bench.world.account.call(now, &request, &secrets()).unwrap_or_else(|error| panic!("{request}: {error}"))
}

fn text(reply: &Value, path: &str) -> String {
    reply.at(path).and_then(Value::as_str).unwrap_or_else(|| panic!("{path} in {reply}")).to_owned()
}

fn id(bench: &Bench, address: &str) -> Value {
    bench.state().attribute(&address.parse().expect("an address"), "id").expect("recorded").clone()
}

fn tags(tags: ValueMap) -> (&'static str, Value) {
    ("Tags", Value::Map(tags))
}

fn group(bench: &mut Bench, name: &str, with: ValueMap) -> String {
    let vpc = id(bench, "module.vpc.aws_vpc.this[0]");
    let args = [("GroupName", Value::str(name)), ("Description", Value::str("theirs")), ("VpcId", vpc), tags(with)];
    text(&send(bench, Operation::Ec2(Ec2::CreateSecurityGroup), &args), "GroupId")
}

fn subnet(bench: &mut Bench) -> String {
    let args = [
        ("VpcId", id(bench, "module.vpc.aws_vpc.this[0]")),
        ("CidrBlock", "10.0.200.0/24".into()),
        ("AvailabilityZone", "us-east-1a".into()),
        tags(ValueMap::new()),
    ];
    text(&send(bench, Operation::Ec2(Ec2::CreateSubnet), &args), "Subnet.SubnetId")
}

/// A call by which they leave.
type Leave = (Operation, Vec<(&'static str, Value)>);

fn leave(operation: Operation, name: &'static str, value: impl Into<Value>) -> Leave {
    (operation, vec![(name, value.into())])
}

impl Guest {
    /// Moves in; returns what is to be named, and how they leave again.
    fn arrive(self, bench: &mut Bench) -> (String, Vec<Leave>) {
        match self {
            Self::Server => {
                let interface = Value::map([
                    ("DeviceIndex", 0.into()),
                    ("SubnetId", id(bench, "module.vpc.aws_subnet.public[0]")),
                    ("Groups", Value::List(vec![id(bench, "aws_security_group.app")])),
                    ("DeleteOnTermination", true.into()),
                ]);
                let args = [
                    ("ImageId", "ami-0d27e0fb3bac4d724".into()),
                    ("InstanceType", "t3.micro".into()),
                    ("MinCount", 1.into()),
                    ("MaxCount", 1.into()),
                    ("ClientToken", "theirs".into()),
                    ("NetworkInterfaces", Value::List(vec![interface])),
                    tags(ValueMap::from([("Name".into(), "bastion".into())])),
                ];
                let server = text(&send(bench, Operation::Ec2(Ec2::RunInstances), &args), "Instances.0.InstanceId");
                let leave =
                    leave(Operation::Ec2(Ec2::TerminateInstances), "InstanceIds", Value::list([server.as_str()]));
                (server, vec![leave])
            }
            Self::Group => {
                let theirs = group(bench, "theirs", ValueMap::new());
                let pair = Value::map([("GroupId", id(bench, "aws_security_group.app"))]);
                let rule = Value::map([
                    ("IpProtocol", "tcp".into()),
                    ("FromPort", 22.into()),
                    ("ToPort", 22.into()),
                    ("UserIdGroupPairs", Value::List(vec![pair])),
                ]);
                let args = [("GroupId", theirs.as_str().into()), ("IpPermissions", Value::List(vec![rule]))];
                send(bench, Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), &args);
                (theirs.clone(), vec![leave(Operation::Ec2(Ec2::DeleteSecurityGroup), "GroupId", theirs)])
            }
            Self::Gateway => {
                let address = send(
                    bench,
                    Operation::Ec2(Ec2::AllocateAddress),
                    &[("Domain", "vpc".into()), tags(ValueMap::new())],
                );
                let args = [
                    ("SubnetId", id(bench, "module.vpc.aws_subnet.public[0]")),
                    ("AllocationId", text(&address, "AllocationId").into()),
                    ("ClientToken", "theirs".into()),
                    tags(ValueMap::new()),
                ];
                let gateway =
                    text(&send(bench, Operation::Ec2(Ec2::CreateNatGateway), &args), "NatGateway.NatGatewayId");
                let leave = vec![
                    leave(Operation::Ec2(Ec2::DeleteNatGateway), "NatGatewayId", gateway.as_str()),
                    leave(Operation::Ec2(Ec2::ReleaseAddress), "AllocationId", text(&address, "AllocationId")),
                ];
                (gateway, leave)
            }
            Self::Database => {
                let args = [
                    ("DBInstanceIdentifier", "theirs".into()),
                    ("DBInstanceClass", "db.t3.micro".into()),
                    ("Engine", "postgres".into()),
                    ("AllocatedStorage", 20.into()),
                    ("MasterUsername", "postgres".into()),
                    ("MasterUserPassword", "Th3ir-Own-Pa55".into()),
                    ("DBSubnetGroupName", "aloka-db-subnet-group".into()),
                    ("VpcSecurityGroupIds", Value::List(vec![id(bench, "aws_security_group.db")])),
                    ("PubliclyAccessible", false.into()),
                    tags(ValueMap::new()),
                ];
                send(bench, Operation::Rds(Rds::CreateDBInstance), &args);
                let args = vec![
                    ("DBInstanceIdentifier", "theirs".into()),
                    ("SkipFinalSnapshot", true.into()),
                    ("DeleteAutomatedBackups", true.into()),
                ];
                ("theirs".to_owned(), vec![(Operation::Rds(Rds::DeleteDBInstance), args)])
            }
            Self::Subnet => {
                let subnet = subnet(bench);
                (subnet.clone(), vec![leave(Operation::Ec2(Ec2::DeleteSubnet), "SubnetId", subnet)])
            }
            Self::Associated => {
                let subnet = subnet(bench);
                let table = id(bench, "module.vpc.aws_route_table.public[0]");
                let args = [("RouteTableId", table), ("SubnetId", subnet.as_str().into())];
                let association = text(&send(bench, Operation::Ec2(Ec2::AssociateRouteTable), &args), "AssociationId");
                let leave = vec![
                    leave(Operation::Ec2(Ec2::DisassociateRouteTable), "AssociationId", association),
                    leave(Operation::Ec2(Ec2::DeleteSubnet), "SubnetId", subnet.as_str()),
                ];
                (subnet, leave)
            }
            Self::Tagged => {
                let ours = [("aloka-lineage", LINEAGE), ("aloka-address", "aws_security_group.extra")];
                let ours = ours.into_iter().map(|(key, value)| (key.into(), value.into())).collect();
                let group = group(bench, "ours", ours);
                (group.clone(), vec![leave(Operation::Ec2(Ec2::DeleteSecurityGroup), "GroupId", group)])
            }
        }
    }

    /// How long after AWS's first refusal, or the first look that is not content, the last failure may come.
    const fn patience(self) -> Duration {
        match self {
            Self::Server | Self::Group | Self::Gateway | Self::Database | Self::Subnet | Self::Associated => {
                Duration::from_secs(10)
            }
            // It may be another run's, which is deleting it.
            Self::Tagged => Duration::from_secs(100),
        }
    }
}

/// When AWS first said that something is still there, and when the last call but those of the sweep was sent, for one object.
#[derive(Default)]
struct Clock {
    first: Option<Instant>,
    last: Option<Instant>,
    mutating: Vec<String>,
}

impl Watch for Clock {
    fn after_call(&mut self, now: Instant, _account: &mut Account, request: &Request, reply: &Reply) {
        let operation = request.operation();
        let is_held = matches!(reply, Err(error) if error.class == ErrorClass::Conflict)
            || (operation == Operation::Ec2(Ec2::DescribeNetworkInterfaces)
                && matches!(reply, Ok(reply) if reply.at("NetworkInterfaces.0").is_some()));
        if is_held {
            self.first = self.first.or(Some(now));
        }
        if operation.is_mutating() {
            self.last = Some(now);
            self.mutating.push(request.to_string());
        }
    }
}

fn standing(durations: Durations) -> (Bench, Variables) {
    let variables = variables("");
    let mut bench = Bench::new(23, durations);
    bench.apply(&variables, Mode::Apply);
    bench.world.rest(Duration::from_secs(3600));
    (bench, variables)
}

fn failures(end: &RunEnd) -> &[Failure] {
    let RunEnd::Outcome(Outcome::Failed { failures, .. }) = end else { panic!("{end:?}") };
    failures
}

#[test]
fn who_holds_an_object_is_said_within_seconds() {
    for guest in GUESTS {
        let (mut bench, variables) = standing(Durations::Instant);
        let planned = bench.plan(&variables, Mode::Destroy).expect("a plan");
        let (named, leave) = guest.arrive(&mut bench);
        let mut clock = Clock::default();
        let end = bench.run(&planned, &mut clock);
        for Failure { target, cause, .. } in failures(&end) {
            let Cause::Held { by, .. } = cause else { panic!("{guest:?}: {target}: {cause:?}") };
            assert!(by.iter().any(|by| by.starts_with(&format!("{named}, "))), "{guest:?}: {target}: {by:?}");
            assert_eq!(by.len(), 1, "{guest:?}: {target}: only what holds it is named: {by:?}");
        }
        let (first, last) = (clock.first.expect("held"), clock.last.expect("sent"));
        assert!(last.since(first) <= guest.patience(), "{guest:?}: after {:?}", last.since(first));
        assert!(!clock.mutating.iter().any(|call| call.contains(&named)), "{guest:?}: {:?}", clock.mutating);

        // Once it is gone, the next run finishes.
        for (operation, args) in leave {
            send(&mut bench, operation, &args);
        }
        bench.world.rest(Duration::from_secs(600));
        finishes(&mut bench, &variables).expect("destroyed");
    }
}

/// What a destroy keeps is no stranger to it: whatever is excluded, the rest goes and AWS refuses nothing.
#[test]
fn what_is_kept_holds_nothing_of_the_rest() {
    let (standing, variables) = standing(Durations::Instant);
    let state = standing.state();
    for address in state.resources.keys() {
        let mut bench = standing.clone();
        let mut inputs = inputs(variables.clone(), Mode::Destroy, &state);
        inputs.consent.exclude.insert(address.to_string());
        let planned = plan_round(&mut bench.world, &mut bench.store, &secrets(), state.clone(), &inputs);
        let planned = planned.unwrap_or_else(|why| panic!("-exclude={address}: {why}"));
        let end = bench.run(&planned, &mut Clock::default());
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "-exclude={address}");
        assert!(bench.state().resources.contains_key(address), "-exclude={address}");
    }
}

/// What AWS itself still holds goes by itself: nobody is named for it, however long it takes.
#[test]
fn what_goes_by_itself_is_waited_for() {
    for seed in 0..8 {
        let variables = variables("");
        let options = aloka_sim::aws::Options {
            seed,
            durations: Durations::Drawn,
            interface_linger_ms: 120_000,
            ..Default::default()
        };
        let mut bench = Bench::with(options);
        bench.apply(&variables, Mode::Apply);
        let planned = bench.plan(&variables, Mode::Destroy).expect("a plan");
        let end = bench.run(&planned, &mut Clock::default());
        assert_eq!(end, RunEnd::Outcome(Outcome::Done), "seed {seed}");
    }
}
