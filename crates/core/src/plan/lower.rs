//! Lowering: each action becomes the procedure that carries it out, one short function per kind and action.
//!
//! Nothing here looks at the world: what to change was decided by the diff, and arguments are literals, references to
//! what other nodes will have made, or names of secrets.

mod db;

use std::sync::Arc;

use super::ending::Ending;
use super::{Accept, AttributeChange, Expect, Lookup, Pace, Save, Short, Step, Waiter, WayBack, tags};
use crate::address::Address;
use crate::api::{Call, Ec2, Operation, Rds};
use crate::identity;
use crate::intern;
use crate::model::{DATABASE_INTERFACE, Kind};
use crate::observe::{Phase, Place};
use crate::rules;
use crate::state::Target;
use crate::value::{Value, ValueMap};

/// What lowering has to know of one object.
pub struct Subject<'a> {
    /// The object.
    pub target: &'a Target,
    /// Its attributes as desired; empty when it is deleted.
    pub after: &'a ValueMap,
    /// Its attributes as observed; empty when it is created.
    pub before: &'a ValueMap,
    /// Its generation.
    pub generation: u32,
    /// The state's lineage.
    pub lineage: &'a Arc<str>,
    /// Where it is.
    pub place: &'a Place,
    /// What application servers run at first boot.
    pub user_data: &'a Arc<str>,
    /// Device name of their root volume.
    pub root_device_name: &'a Arc<str>,
    /// How a database is deleted.
    pub ending: Option<&'a Ending>,
}

const AT_ONCE: Pace = Pace::seconds(0, 1, 300);
const NAT_AVAILABLE: Pace = Pace::seconds(80, 105, 900);
const NAT_DELETED: Pace = Pace::seconds(36, 61, 1800);
const INSTANCE_RUNNING: Pace = Pace::seconds(10, 25, 600);
const INSTANCE_STOPPED: Pace = Pace::seconds(20, 45, 600);
const INSTANCE_TERMINATED: Pace = Pace::seconds(18, 32, 1200);
const VOLUME_RESIZED: Pace = Pace::seconds(1, 5, 900);

/// As long as a deletion that is refused is tried again.
const INTERFACES_GONE: Pace = Pace::seconds(0, 10, 900);

/// How AWS describes the network interface of a NAT gateway (aws-behaviour.md, 2.5), as a filter.
const NAT_INTERFACE: &str = "Interface for NAT Gateway *";

fn call(operation: Operation, args: impl IntoIterator<Item = (&'static str, Value)>) -> Step {
    Step::Call { call: Call::new(operation, args), save: Save::Nothing, recover: None, way_back: None }
}

fn with_way_back(step: Step, back: WayBack) -> Step {
    match step {
        Step::Call { call, save, recover, way_back: _ } => {
            Step::Call { call, save, recover, way_back: Some(Box::new(back)) }
        }
        Step::Wait(waiter) => Step::Wait(waiter),
    }
}

fn text_list(value: Value) -> Value {
    Value::List(vec![value])
}

fn equals(path: &str, value: &str, success: bool) -> Accept {
    Accept { expect: Expect::Equals { path: intern::text(path), value: Value::str(value) }, success }
}

fn absent(path: &str) -> Accept {
    Accept { expect: Expect::Absent { path: intern::text(path) }, success: true }
}

fn wait(call: Call, accept: Vec<Accept>, save: Save, pace: Pace) -> Step {
    Step::Wait(Waiter { call, accept, save, pace, short: None })
}

/// A wait that also ends, and fails, when the object has come to rest short of it.
fn or_short(step: Step, short: Option<Short>) -> Step {
    match step {
        Step::Wait(waiter) => Step::Wait(Waiter { short: short.map(Box::new), ..waiter }),
        Step::Call { .. } => step,
    }
}

/// The read that tells everything about one object, and the path of the object in its reply.
pub fn read(kind: Kind, attributes: &ValueMap, id: Value) -> (Call, &'static str) {
    let of = |operation, name, path| (Call::new(operation, [(name, text_list(id.clone()))]), path);
    let named = |name: &str| attributes.get(name).cloned().unwrap_or_default();
    match kind {
        Kind::Vpc => of(Operation::Ec2(Ec2::DescribeVpcs), "VpcIds", "Vpcs.0"),
        Kind::Subnet => of(Operation::Ec2(Ec2::DescribeSubnets), "SubnetIds", "Subnets.0"),
        Kind::InternetGateway => {
            of(Operation::Ec2(Ec2::DescribeInternetGateways), "InternetGatewayIds", "InternetGateways.0")
        }
        Kind::Eip => of(Operation::Ec2(Ec2::DescribeAddresses), "AllocationIds", "Addresses.0"),
        Kind::NatGateway => of(Operation::Ec2(Ec2::DescribeNatGateways), "NatGatewayIds", "NatGateways.0"),
        Kind::RouteTable => of(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTableIds", "RouteTables.0"),
        Kind::Route | Kind::RouteTableAssociation => {
            let ids = text_list(named("route_table_id"));
            (Call::new(Ec2::DescribeRouteTables, [("RouteTableIds", ids)]), "RouteTables.0")
        }
        Kind::SecurityGroup | Kind::DefaultSecurityGroup => {
            of(Operation::Ec2(Ec2::DescribeSecurityGroups), "GroupIds", "SecurityGroups.0")
        }
        Kind::DbSubnetGroup => {
            let args = [("DBSubnetGroupName", named("name"))];
            (Call::new(Rds::DescribeDBSubnetGroups, args), "DBSubnetGroups.0")
        }
        Kind::DbInstance => {
            let args = [("DBInstanceIdentifier", named("identifier"))];
            (Call::new(Rds::DescribeDBInstances, args), "DBInstances.0")
        }
        Kind::Instance => of(Operation::Ec2(Ec2::DescribeInstances), "InstanceIds", "Instances.0"),
    }
}

/// The read that finds the object of a creation whose answer was lost, by our tags.
pub fn lookup(
    address: &Address,
    attributes: &ValueMap,
    lineage: &Arc<str>,
    generation: u32,
    place: &Place,
) -> Option<Lookup> {
    let tags = identity::tags(lineage, address, generation);
    let by_tags = |operation, list: &str| {
        let filters: ValueMap =
            tags.iter().map(|(name, value)| (intern::key(&format!("tag:{name}")), text_list(value.clone()))).collect();
        let call = Call::new(operation, [("Filters", Value::Map(filters))]);
        Some(Lookup { call, list: intern::text(list), tags: tags.clone() })
    };
    match address.kind {
        Kind::Vpc => by_tags(Operation::Ec2(Ec2::DescribeVpcs), "Vpcs"),
        Kind::Subnet => by_tags(Operation::Ec2(Ec2::DescribeSubnets), "Subnets"),
        Kind::InternetGateway => by_tags(Operation::Ec2(Ec2::DescribeInternetGateways), "InternetGateways"),
        Kind::Eip => by_tags(Operation::Ec2(Ec2::DescribeAddresses), "Addresses"),
        Kind::NatGateway => by_tags(Operation::Ec2(Ec2::DescribeNatGateways), "NatGateways"),
        Kind::RouteTable => by_tags(Operation::Ec2(Ec2::DescribeRouteTables), "RouteTables"),
        Kind::SecurityGroup => by_tags(Operation::Ec2(Ec2::DescribeSecurityGroups), "SecurityGroups"),
        Kind::Instance => by_tags(Operation::Ec2(Ec2::DescribeInstances), "Instances"),
        Kind::DbInstance => {
            let identifier = attributes.get("identifier").cloned().unwrap_or_default();
            let call = Call::new(Rds::DescribeDBInstances, [("DBInstanceIdentifier", identifier)]);
            Some(Lookup { call, list: intern::text("DBInstances"), tags })
        }
        Kind::DbSubnetGroup => {
            // Only its tags tell whose it is, and only its name finds it.
            let name = attributes.get("name").and_then(Value::as_str).unwrap_or_default();
            let call = Call::new(
                Operation::Rds(Rds::ListTagsForResource),
                [("ResourceName", place.arn("rds", &format!("subgrp:{name}")))],
            );
            Some(Lookup { call, list: intern::text(""), tags })
        }
        Kind::DefaultSecurityGroup | Kind::Route | Kind::RouteTableAssociation => None,
    }
}

impl Subject<'_> {
    fn address(&self) -> &Address {
        &self.target.address
    }

    fn kind(&self) -> Kind {
        self.target.address.kind
    }

    /// The object's identifier: known, or that of the object the node is about to make.
    fn id(&self) -> Value {
        match self.before.get("id") {
            Some(id) if !id.is_null() => id.clone(),
            Some(_) | None => Value::reference(self.address().clone(), "id"),
        }
    }

    fn get(&self, name: &str) -> Value {
        self.after.get(name).cloned().unwrap_or_default()
    }

    /// The tags of an object that is made: with those of others, if it replaces one that had some.
    fn all_tags(&self) -> Value {
        self.after.get(tags::ALL).or_else(|| self.after.get(tags::OWN)).cloned().unwrap_or_default()
    }

    fn old(&self, name: &str) -> Value {
        self.before.get(name).cloned().unwrap_or_default()
    }

    fn token(&self) -> Value {
        Value::from(identity::client_token(self.lineage, self.address(), self.generation))
    }

    fn read(&self) -> (Call, &'static str) {
        let attributes = if self.after.is_empty() { self.before } else { self.after };
        read(self.kind(), attributes, self.id())
    }

    /// A creating call whose object is found by our tags if its answer is lost.
    fn create_call(
        &self,
        operation: Operation,
        save: Save,
        args: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Step {
        let recover = lookup(self.address(), self.after, self.lineage, self.generation, self.place);
        let tags = [("Tags", self.all_tags())];
        Step::Call { call: Call::new(operation, args.into_iter().chain(tags)), save, recover, way_back: None }
    }

    /// A call whose result is found by its place if it says "already so".
    fn placed_call<const N: usize>(&self, operation: Operation, save: Save, args: [(&'static str, Value); N]) -> Step {
        let (read, path) = self.read();
        let list = path.strip_suffix(".0").unwrap_or(path);
        let recover = Some(Lookup { call: read, list: intern::text(list), tags: ValueMap::new() });
        Step::Call { call: Call::new(operation, args), save, recover, way_back: None }
    }

    fn wait_for(&self, accept: Vec<Accept>, pace: Pace) -> Step {
        let (call, path) = self.read();
        wait(call, accept, Save::Object(intern::text(path)), pace)
    }

    /// Waits until the object has settled. Empty for kinds that are ready at once.
    pub fn settle(&self) -> Vec<Step> {
        let id = || text_list(self.id());
        match self.kind() {
            Kind::Vpc => vec![self.wait_for(vec![equals("Vpcs.0.State", "available", true)], AT_ONCE)],
            Kind::Subnet => vec![self.wait_for(vec![equals("Subnets.0.State", "available", true)], AT_ONCE)],
            Kind::NatGateway => {
                let state = |value, success| equals("NatGateways.0.State", value, success);
                let accept = vec![state("available", true), state("failed", false), state("deleted", false)];
                vec![self.wait_for(accept, NAT_AVAILABLE)]
            }
            Kind::Instance => {
                let state = |value, success| equals("Instances.0.State", value, success);
                let accept = vec![state("running", true), state("terminated", false), state("shutting-down", false)];
                let start = match self.before.get("instance_state").and_then(Value::as_str) {
                    Some("stopped") => vec![call(Operation::Ec2(Ec2::StartInstances), [("InstanceIds", id())])],
                    Some("stopping") => {
                        vec![self.stopped(), call(Operation::Ec2(Ec2::StartInstances), [("InstanceIds", id())])]
                    }
                    Some(_) | None => Vec::new(),
                };
                start.into_iter().chain([self.wait_for(accept, INSTANCE_RUNNING)]).collect()
            }
            Kind::DbInstance => vec![self.db_available()],
            Kind::DbSubnetGroup => {
                vec![self.wait_for(vec![equals("DBSubnetGroups.0.SubnetGroupStatus", "Complete", true)], AT_ONCE)]
            }
            Kind::DefaultSecurityGroup
            | Kind::Eip
            | Kind::InternetGateway
            | Kind::Route
            | Kind::RouteTable
            | Kind::RouteTableAssociation
            | Kind::SecurityGroup => Vec::new(),
        }
    }

    fn stopped(&self) -> Step {
        let state = |value, success| equals("Instances.0.State", value, success);
        self.wait_for(vec![state("stopped", true), state("terminated", false)], INSTANCE_STOPPED)
    }

    /// Waits until no interface that AWS manages is there any more: it may outlive its NAT gateway or database, and
    /// holds its subnet and its security groups. One read if none is there.
    fn interfaces_gone(&self, filter: &str) -> Step {
        let owners = Value::list([NAT_INTERFACE, DATABASE_INTERFACE]);
        let filters = Value::map([(filter, text_list(self.id())), ("description", owners)]);
        let read = Call::new(Ec2::DescribeNetworkInterfaces, [("Filters", filters)]);
        wait(read, vec![absent("NetworkInterfaces.0")], Save::Nothing, INTERFACES_GONE)
    }

    /// Creates the object and waits until it is ready.
    pub fn create(&self) -> Vec<Step> {
        let object = |path: &str| Save::Object(intern::text(path));
        let id_at = |path: &str| Save::Field { path: intern::text(path), attribute: intern::text("id") };
        let mut steps = match self.kind() {
            Kind::Vpc => {
                let args = [("CidrBlock", self.get("cidr_block")), ("InstanceTenancy", self.get("instance_tenancy"))];
                vec![self.create_call(Operation::Ec2(Ec2::CreateVpc), object("Vpc"), args)]
            }
            Kind::Subnet => {
                let args = [
                    ("VpcId", self.get("vpc_id")),
                    ("CidrBlock", self.get("cidr_block")),
                    ("AvailabilityZone", self.get("availability_zone")),
                ];
                vec![self.create_call(Operation::Ec2(Ec2::CreateSubnet), object("Subnet"), args)]
            }
            Kind::InternetGateway => vec![
                self.create_call(Operation::Ec2(Ec2::CreateInternetGateway), object("InternetGateway"), []),
                self.attach_gateway(),
            ],
            Kind::Eip => {
                vec![self.create_call(
                    Operation::Ec2(Ec2::AllocateAddress),
                    object(""),
                    [("Domain", self.get("domain"))],
                )]
            }
            Kind::NatGateway => {
                let args = [
                    ("SubnetId", self.get("subnet_id")),
                    ("AllocationId", self.get("allocation_id")),
                    ("ConnectivityType", self.get("connectivity_type")),
                    ("ClientToken", self.token()),
                ];
                vec![self.create_call(Operation::Ec2(Ec2::CreateNatGateway), object("NatGateway"), args)]
            }
            Kind::RouteTable => {
                let args = [("VpcId", self.get("vpc_id")), ("ClientToken", self.token())];
                vec![self.create_call(Operation::Ec2(Ec2::CreateRouteTable), object("RouteTable"), args)]
            }
            Kind::Route => vec![self.placed_call(Operation::Ec2(Ec2::CreateRoute), Save::Nothing, self.route_args())],
            Kind::RouteTableAssociation => {
                let args = [("RouteTableId", self.get("route_table_id")), ("SubnetId", self.get("subnet_id"))];
                vec![self.placed_call(Operation::Ec2(Ec2::AssociateRouteTable), id_at("AssociationId"), args)]
            }
            Kind::DefaultSecurityGroup => self.empty_default_group(),
            Kind::SecurityGroup => self.create_group(id_at("GroupId")),
            Kind::DbSubnetGroup => {
                let args = [
                    ("DBSubnetGroupName", self.get("name")),
                    ("DBSubnetGroupDescription", self.get("description")),
                    ("SubnetIds", self.get("subnet_ids")),
                ];
                vec![self.create_call(Operation::Rds(Rds::CreateDBSubnetGroup), object("DBSubnetGroup"), args)]
            }
            Kind::DbInstance => vec![self.create_db()],
            Kind::Instance => vec![self.run_instance()],
        };
        steps.extend(self.settle());
        if self.kind() == Kind::Vpc {
            // On by default; hostnames are not (VPC user guide, DNS attributes).
            steps.extend(self.vpc_attribute("enable_dns_hostnames"));
        }
        steps
    }

    fn vpc_attribute(&self, name: &str) -> Option<Step> {
        let argument = match name {
            "enable_dns_hostnames" => "EnableDnsHostnames",
            "enable_dns_support" => "EnableDnsSupport",
            _ => return None,
        };
        Some(call(Operation::Ec2(Ec2::ModifyVpcAttribute), [("VpcId", self.id()), (argument, self.get(name))]))
    }

    fn attach_gateway(&self) -> Step {
        let args = [("InternetGatewayId", self.id()), ("VpcId", self.get("vpc_id"))];
        self.placed_call(Operation::Ec2(Ec2::AttachInternetGateway), Save::Nothing, args)
    }

    fn route_args(&self) -> [(&'static str, Value); 4] {
        [
            ("RouteTableId", self.get("route_table_id")),
            ("DestinationCidrBlock", self.get("destination_cidr_block")),
            ("GatewayId", self.get("gateway_id")),
            ("NatGatewayId", self.get("nat_gateway_id")),
        ]
    }

    /// The group comes with the VPC: find it, tag it, empty it. It is tagged first, so that permissions to change rules
    /// can be limited to what carries our tags.
    fn empty_default_group(&self) -> Vec<Step> {
        let filters = [("group-name", text_list(Value::str("default"))), ("vpc-id", text_list(self.get("vpc_id")))];
        let find = Call::new(Ec2::DescribeSecurityGroups, [("Filters", Value::map(filters))]);
        let found = Accept { expect: Expect::Present { path: intern::text("SecurityGroups.0") }, success: true };
        let permission = |source: &'static str, value: Value| {
            Value::List(vec![Value::map([("IpProtocol", Value::str("-1")), (source, Value::List(vec![value]))])])
        };
        let itself = permission("UserIdGroupPairs", Value::map([("GroupId", self.id())]));
        let anywhere = permission("IpRanges", Value::map([("CidrIp", Value::str(crate::stack::ANYWHERE))]));
        vec![
            wait(find, vec![found], Save::Object(intern::text("SecurityGroups.0")), AT_ONCE),
            call(Operation::Ec2(Ec2::CreateTags), [("Resources", text_list(self.id())), ("Tags", self.all_tags())]),
            call(Operation::Ec2(Ec2::RevokeSecurityGroupIngress), [("GroupId", self.id()), ("IpPermissions", itself)]),
            call(Operation::Ec2(Ec2::RevokeSecurityGroupEgress), [("GroupId", self.id()), ("IpPermissions", anywhere)]),
        ]
    }

    /// A new group has the egress rule the stack wants, `-1` to anywhere, from AWS.
    fn create_group(&self, save: Save) -> Vec<Step> {
        let args =
            [("GroupName", self.get("name")), ("Description", self.get("description")), ("VpcId", self.get("vpc_id"))];
        let mut steps = vec![self.create_call(Operation::Ec2(Ec2::CreateSecurityGroup), save, args)];
        let ingress = rules::explode(&self.get("ingress"), None);
        steps.extend(self.rules(Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress), &ingress));
        steps
    }

    fn rules(&self, operation: Operation, rules: &[rules::Rule]) -> Option<Step> {
        let permissions = || rules::permissions(rules, &self.id());
        (!rules.is_empty()).then(|| call(operation, [("GroupId", self.id()), ("IpPermissions", permissions())]))
    }

    fn run_instance(&self) -> Step {
        let root = self.get("root_block_device");
        let root = |name: &str| root.at("0").map(|root| root.get(name).clone()).unwrap_or_default();
        let device = [
            ("DeviceName", Value::Str(self.root_device_name.clone())),
            ("VolumeSize", root("volume_size")),
            ("VolumeType", root("volume_type")),
            ("Encrypted", root("encrypted")),
            ("DeleteOnTermination", root("delete_on_termination")),
        ];
        let device = Value::common_map(device.into_iter().filter(|(_, value)| !value.is_null()));
        let interface = Value::common_map([
            ("DeviceIndex", Value::from(0)),
            ("SubnetId", self.get("subnet_id")),
            ("Groups", self.get("vpc_security_group_ids")),
            ("AssociatePublicIpAddress", self.get("associate_public_ip_address")),
            ("DeleteOnTermination", true.into()),
        ]);
        let metadata = self.get("metadata_options");
        let metadata = |name: &str| metadata.at("0").map(|options| options.get(name).clone()).unwrap_or_default();
        let metadata = Value::common_map([
            ("HttpEndpoint", metadata("http_endpoint")),
            ("HttpPutResponseHopLimit", metadata("http_put_response_hop_limit")),
            ("HttpTokens", metadata("http_tokens")),
        ]);
        let args = [
            ("ImageId", self.get("ami")),
            ("InstanceType", self.get("instance_type")),
            ("MinCount", 1.into()),
            ("MaxCount", 1.into()),
            ("NetworkInterfaces", Value::List(vec![interface])),
            ("BlockDeviceMappings", Value::List(vec![device])),
            ("MetadataOptions", metadata),
            ("UserData", Value::Str(self.user_data.clone())),
            ("ClientToken", self.token()),
        ];
        self.create_call(Operation::Ec2(Ec2::RunInstances), Save::Object(intern::text("Instances.0")), args)
    }

    /// Changes the attributes that differ, and waits until the object has settled. A server that `stays_stopped` is
    /// neither stopped nor started.
    pub fn update(&self, changes: &[AttributeChange], stays_stopped: bool) -> Vec<Step> {
        let changed = |name: &str| changes.iter().any(|change| &*change.name == name);
        let mut steps = Vec::new();
        // As when it was found: whoever may change only what carries our tags can change its rules then.
        let is_tagged_first = self.kind() == Kind::DefaultSecurityGroup;
        if is_tagged_first && changed("tags") {
            steps.extend(self.change_tags());
        }
        match self.kind() {
            Kind::Vpc => {
                // Hostnames need support.
                for name in ["enable_dns_support", "enable_dns_hostnames"] {
                    steps.extend(changed(name).then(|| self.vpc_attribute(name)).flatten());
                }
            }
            Kind::InternetGateway => {
                if self.before.get("vpc_id").and_then(Value::as_str) == Some("") {
                    steps.push(self.attach_gateway());
                }
            }
            Kind::Route => steps.push(call(Operation::Ec2(Ec2::ReplaceRoute), self.route_args())),
            Kind::RouteTableAssociation => {
                let args = [("AssociationId", self.id()), ("RouteTableId", self.get("route_table_id"))];
                let save = Save::Field { path: intern::text("NewAssociationId"), attribute: intern::text("id") };
                steps.push(self.placed_call(Operation::Ec2(Ec2::ReplaceRouteTableAssociation), save, args));
            }
            Kind::SecurityGroup | Kind::DefaultSecurityGroup => {
                if changed("ingress") {
                    let (authorize, revoke) = (
                        Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress),
                        Operation::Ec2(Ec2::RevokeSecurityGroupIngress),
                    );
                    steps.extend(self.change_rules("ingress", authorize, revoke));
                }
                if changed("egress") {
                    let (authorize, revoke) = (
                        Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress),
                        Operation::Ec2(Ec2::RevokeSecurityGroupEgress),
                    );
                    steps.extend(self.change_rules("egress", authorize, revoke));
                }
            }
            Kind::DbSubnetGroup => {
                if changed("subnet_ids") {
                    let args = [("DBSubnetGroupName", self.get("name")), ("SubnetIds", self.get("subnet_ids"))];
                    steps.push(call(Operation::Rds(Rds::ModifyDBSubnetGroup), args));
                    steps.extend(self.settle());
                }
            }
            Kind::DbInstance => steps.extend(self.modify_db(changes)),
            Kind::Instance => {
                if changed("instance_type") {
                    steps.extend(self.change_type(stays_stopped));
                }
                if changed("vpc_security_group_ids") {
                    let args = [("InstanceId", self.id()), ("Groups", self.get("vpc_security_group_ids"))];
                    steps.push(call(Operation::Ec2(Ec2::ModifyInstanceAttribute), args));
                }
                if changed("root_block_device") {
                    let volume = |map: &ValueMap, path: &str| {
                        map.get("root_block_device").and_then(|list| list.at(path)).cloned().unwrap_or_default()
                    };
                    let (id, size) = (volume(self.before, "0.volume_id"), volume(self.after, "0.volume_size"));
                    let args = [("VolumeId", id.clone()), ("Size", size.clone())];
                    steps.push(call(Operation::Ec2(Ec2::ModifyVolume), args));
                    // Until the volume is resized, reads show the old size.
                    let read = Call::new(Ec2::DescribeVolumes, [("VolumeIds", text_list(id))]);
                    let resized = Expect::Equals { path: intern::text("Volumes.0.Size"), value: size };
                    let accept = vec![Accept { expect: resized, success: true }];
                    steps.push(wait(read, accept, Save::Nothing, VOLUME_RESIZED));
                }
            }
            Kind::Eip | Kind::NatGateway | Kind::RouteTable | Kind::Subnet => {}
        }
        if !is_tagged_first && changed("tags") {
            steps.extend(self.change_tags());
        }
        steps
    }

    /// Stops the server, changes its type and starts it. If AWS refuses the new type, it is started with the old one.
    fn change_type(&self, stays_stopped: bool) -> Vec<Step> {
        let ids = || ("InstanceIds", text_list(self.id()));
        let become_ = |kind: Value| {
            call(Operation::Ec2(Ec2::ModifyInstanceAttribute), [("InstanceId", self.id()), ("InstanceType", kind)])
        };
        let (old, new) = (self.old("instance_type"), self.get("instance_type"));
        if stays_stopped {
            return vec![become_(new)];
        }
        let start = || call(Operation::Ec2(Ec2::StartInstances), [ids()]);
        let running = || {
            let state = |value, success| equals("Instances.0.State", value, success);
            self.wait_for(vec![state("running", true), state("terminated", false)], INSTANCE_RUNNING)
        };
        let name = |kind: &Value| kind.as_str().unwrap_or_default().to_owned();
        let (old_name, new_name) = (name(&old), name(&new));
        let back = |steps| WayBack {
            steps,
            done: intern::text(&format!(
                "instance_type stays {old_name} instead of {new_name}, and the server runs again"
            )),
            left: intern::text(&format!(
                "instance_type was to change from {old_name} to {new_name}, and the server may be stopped now: the next \
                 `aloka apply` starts it"
            )),
        };
        vec![
            call(Operation::Ec2(Ec2::StopInstances), [ids()]),
            self.stopped(),
            with_way_back(become_(new), back(vec![start(), running()])),
            with_way_back(start(), back(vec![become_(old), start(), running()])),
            running(),
        ]
    }

    /// Opens before it closes, so that a path that stays is never cut.
    fn change_rules(&self, name: &str, authorize: Operation, revoke: Operation) -> Vec<Step> {
        let own = self.before.get("id").and_then(Value::as_str);
        let desired = rules::explode(&self.get(name), own);
        let present = rules::explode(&self.old(name), own);
        let (missing, extra) = rules::difference(&desired, &present);
        self.rules(authorize, &missing).into_iter().chain(self.rules(revoke, &extra)).collect()
    }

    fn change_tags(&self) -> Vec<Step> {
        let (Value::Map(desired), present) = (self.get("tags"), self.old("tags")) else { return Vec::new() };
        let empty = ValueMap::new();
        let present = present.as_map().unwrap_or(&empty);
        let set: ValueMap =
            desired.iter().filter(|(k, v)| present.get(*k) != Some(*v)).map(|(k, v)| (k.clone(), v.clone())).collect();
        let ours = |key: &&Arc<str>| !key.starts_with("aws:") && !desired.contains_key(*key);
        let remove: Vec<Value> = present.keys().filter(ours).map(|key| Value::Str(key.clone())).collect();
        let is_rds = matches!(self.kind(), Kind::DbInstance | Kind::DbSubnetGroup);
        let mut steps = Vec::new();
        if !set.is_empty() {
            steps.push(if is_rds {
                call(
                    Operation::Rds(Rds::AddTagsToResource),
                    [("ResourceName", self.old("arn")), ("Tags", Value::Map(set))],
                )
            } else {
                call(Operation::Ec2(Ec2::CreateTags), [("Resources", text_list(self.id())), ("Tags", Value::Map(set))])
            });
        }
        if !remove.is_empty() {
            let keys = ("TagKeys", Value::List(remove));
            steps.push(if is_rds {
                call(Operation::Rds(Rds::RemoveTagsFromResource), [("ResourceName", self.old("arn")), keys])
            } else {
                call(Operation::Ec2(Ec2::DeleteTags), [("Resources", text_list(self.id())), keys])
            });
        }
        steps
    }

    /// Destroys the object, which is in this phase, and waits until it is gone.
    pub fn delete(&self, phase: Option<&Phase>) -> Vec<Step> {
        let id = || self.id();
        // What an earlier run began is only waited for.
        let unless_deleting = |step: Step| (phase != Some(&Phase::Deleting)).then_some(step);
        let by_id = |operation, name| vec![call(operation, [(name, id())])];
        match self.kind() {
            Kind::Vpc => by_id(Operation::Ec2(Ec2::DeleteVpc), "VpcId"),
            Kind::Subnet => {
                let free = std::iter::once(self.interfaces_gone("subnet-id"));
                free.chain(by_id(Operation::Ec2(Ec2::DeleteSubnet), "SubnetId")).collect()
            }
            Kind::InternetGateway => {
                let mut steps = Vec::new();
                if !matches!(self.before.get("vpc_id").and_then(Value::as_str), None | Some("")) {
                    let args = [("InternetGatewayId", id()), ("VpcId", self.old("vpc_id"))];
                    steps.push(call(Operation::Ec2(Ec2::DetachInternetGateway), args));
                }
                steps.push(call(Operation::Ec2(Ec2::DeleteInternetGateway), [("InternetGatewayId", id())]));
                steps
            }
            Kind::Eip => by_id(Operation::Ec2(Ec2::ReleaseAddress), "AllocationId"),
            Kind::NatGateway => {
                let gone = vec![equals("NatGateways.0.State", "deleted", true), absent("NatGateways.0")];
                let delete = unless_deleting(call(Operation::Ec2(Ec2::DeleteNatGateway), [("NatGatewayId", id())]));
                delete.into_iter().chain([wait(self.read().0, gone, Save::Nothing, NAT_DELETED)]).collect()
            }
            Kind::RouteTable => by_id(Operation::Ec2(Ec2::DeleteRouteTable), "RouteTableId"),
            Kind::Route => {
                let args = [
                    ("RouteTableId", self.old("route_table_id")),
                    ("DestinationCidrBlock", self.old("destination_cidr_block")),
                ];
                vec![call(Operation::Ec2(Ec2::DeleteRoute), args)]
            }
            Kind::RouteTableAssociation => by_id(Operation::Ec2(Ec2::DisassociateRouteTable), "AssociationId"),
            Kind::DefaultSecurityGroup => Vec::new(),
            Kind::SecurityGroup => {
                let free = std::iter::once(self.interfaces_gone("group-id"));
                free.chain(by_id(Operation::Ec2(Ec2::DeleteSecurityGroup), "GroupId")).collect()
            }
            Kind::DbSubnetGroup => {
                vec![call(Operation::Rds(Rds::DeleteDBSubnetGroup), [("DBSubnetGroupName", self.old("name"))])]
            }
            Kind::DbInstance => self.delete_db(phase),
            Kind::Instance => {
                let gone = vec![equals("Instances.0.State", "terminated", true), absent("Instances.0")];
                let delete =
                    unless_deleting(call(Operation::Ec2(Ec2::TerminateInstances), [("InstanceIds", text_list(id()))]));
                let gone = wait(self.read().0, gone, Save::Nothing, INSTANCE_TERMINATED);
                delete.into_iter().chain([gone]).collect()
            }
        }
    }
}
