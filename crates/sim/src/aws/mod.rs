//! A simulated AWS account in one Region: what its API answers, to which call, at which time.
//!
//! The account is a pure function of its [`Options`] and the calls it was sent, with their times. There is no event
//! queue: an object knows when it will be ready or gone, and its state is read off the time of the next call. Where
//! AWS may answer in more than one way, this answers in the less convenient one.
//!
//! Facts are from the AWS API references and user guides of EC2, VPC and RDS, error codes and messages from the EC2
//! error code reference and from answers people published; durations from published logs (see [`durations`]).
//! Nothing here knows of plans, addresses or state files.

mod access;
mod account;
mod catalog;
pub mod durations;
mod ec2;
mod error;
mod lookup;
mod needs;
mod quotas;
mod rds;
mod record;
mod replica;
mod table;
mod throttle;

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::api::{Ec2, Operation, Rds, Reply, Request, Ssm, Sts};
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use serde::{Deserialize, Serialize};

pub use self::account::{Object, ObjectKind};
pub use self::durations::Durations;
pub use self::ec2::attachment::AttachmentKind;
pub use self::ec2::instance::Protection;
pub use self::ec2::network_interface::ForeignInterface;
pub use self::ec2::subnet::BlockPublicAccess;
use self::ec2::{
    attachment, eip, instance, internet_gateway, nat_gateway, network_interface, permission, route_table,
    security_group, subnet, volume, vpc, vpc_endpoint,
};
use self::error::Answer;
pub use self::needs::needs;
pub use self::quotas::Quotas;
use self::rds::{db_instance, db_snapshot, db_subnet_group};
use self::record::Text;
pub use self::table::{all_rules, find_rule};
use crate::iam::Policy;
use crate::rules::{Refusal, Rule};

/// What a simulated account is made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// The Region it answers for.
    pub region: String,
    /// The account's number, 12 digits.
    pub account_id: String,
    /// From which identifiers, addresses and drawn durations follow.
    pub seed: u64,
    /// How long things take.
    pub durations: Durations,
    /// For how long a new object may be unknown to calls, and for how long reads may show what was, at most, in
    /// milliseconds; 0 for not at all.
    pub visibility_delay_ms: u64,
    /// For how long a network interface may outlive its instance, NAT gateway or database instance, at most, in
    /// milliseconds; 0 for not at all.
    #[serde(default)]
    pub interface_linger_ms: u64,
    /// True if it has opted in to local and wavelength zones.
    #[serde(default)]
    pub local_zones: bool,
    /// True if it is on AWS's Free plan, which refuses most types of instances.
    #[serde(default)]
    pub free_plan: bool,
    /// True if databases show what RDS does by itself: a backup a day, and maintenance in their windows.
    #[serde(default)]
    pub db_rounds: bool,
    /// True if it has AWS's rate limits.
    #[serde(default)]
    pub throttling: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account_id: "123456789012".to_owned(),
            seed: 0,
            durations: Durations::Median,
            visibility_delay_ms: 0,
            interface_linger_ms: 0,
            local_zones: false,
            free_plan: false,
            db_rounds: false,
            throttling: false,
        }
    }
}

/// A simulated account: options and every object in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Account {
    options: Options,
    quotas: Quotas,
    /// What the caller may do; everything, if there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    policy: Option<Policy>,
    #[serde(default)]
    throttle: throttle::Throttle,
    /// VPC Block Public Access, as somebody has set it.
    #[serde(default, skip_serializing_if = "subnet::BlockPublicAccess::is_off")]
    block: subnet::BlockPublicAccess,
    /// True once RDS was used: it made itself a role then.
    #[serde(default)]
    rds_role: bool,
    /// How many were made of what, by name of sub-stream.
    ordinals: BTreeMap<String, u64>,
    /// What disappears by itself, and when.
    expiring: BTreeSet<(Instant, Text)>,
    /// Creations that are to fail after they were accepted, by operation.
    doomed: BTreeMap<String, Vec<account::Doom>>,
    /// Newest image of each alias, counted from the first.
    image_releases: u64,
    tokens: BTreeMap<Text, record::Token>,
    vpcs: BTreeMap<Text, vpc::Vpc>,
    subnets: BTreeMap<Text, subnet::Subnet>,
    gateways: BTreeMap<Text, internet_gateway::Gateway>,
    addresses: BTreeMap<Text, eip::ElasticIp>,
    nats: BTreeMap<Text, nat_gateway::Nat>,
    route_tables: BTreeMap<Text, route_table::RouteTable>,
    /// Route table by association.
    associations: BTreeMap<Text, Text>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    endpoints: BTreeMap<Text, vpc_endpoint::VpcEndpoint>,
    groups: BTreeMap<Text, security_group::Group>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    attachments: BTreeMap<Text, attachment::Attachment>,
    interfaces: BTreeMap<Text, network_interface::Interface>,
    instances: BTreeMap<Text, instance::Instance>,
    volumes: BTreeMap<Text, volume::Volume>,
    db_subnet_groups: BTreeMap<Text, db_subnet_group::SubnetGroup>,
    db_instances: BTreeMap<Text, db_instance::Db>,
    /// Snapshots of databases, by identifier.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    snapshots: BTreeMap<Text, db_snapshot::Snapshot>,
    /// Automated backups that outlive their database, by its resource identifier.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    backups: BTreeMap<Text, db_snapshot::Backups>,
    /// For stale replicas; a saved account starts without.
    #[serde(skip)]
    past: replica::Past,
    /// Which change the account is at, if its parts know of new objects each in their own time.
    #[serde(skip)]
    asked: Option<u64>,
    #[serde(skip)]
    refused_by: Option<&'static Rule>,
}

impl Account {
    /// An account without objects.
    pub fn new(options: Options) -> Self {
        Self {
            options,
            quotas: Quotas::default(),
            policy: None,
            throttle: throttle::Throttle::default(),
            block: subnet::BlockPublicAccess::default(),
            rds_role: false,
            ordinals: BTreeMap::new(),
            expiring: BTreeSet::new(),
            doomed: BTreeMap::new(),
            image_releases: 0,
            tokens: BTreeMap::new(),
            vpcs: BTreeMap::new(),
            subnets: BTreeMap::new(),
            gateways: BTreeMap::new(),
            addresses: BTreeMap::new(),
            nats: BTreeMap::new(),
            route_tables: BTreeMap::new(),
            associations: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            groups: BTreeMap::new(),
            attachments: BTreeMap::new(),
            interfaces: BTreeMap::new(),
            instances: BTreeMap::new(),
            volumes: BTreeMap::new(),
            db_subnet_groups: BTreeMap::new(),
            db_instances: BTreeMap::new(),
            snapshots: BTreeMap::new(),
            backups: BTreeMap::new(),
            past: replica::Past::new(),
            asked: None,
            refused_by: None,
        }
    }

    /// The options it was made from.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Its quotas.
    pub fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// The same account with these quotas.
    pub fn with_quotas(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// The same account, in which everything from now on follows from another seed.
    #[must_use]
    pub fn reseeded(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// The same account, in which whatever begins from now on takes as long as these say.
    #[must_use]
    pub(crate) fn lasting(mut self, durations: Durations) -> Self {
        self.options.durations = durations;
        self
    }

    /// One API call at virtual time `now`. Secrets are looked up by name only to be validated, never stored.
    ///
    /// # Errors
    /// AWS's refusals, with its error codes. A refused call changes nothing.
    pub fn call(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Reply {
        self.sweep(now);
        let answer = self.admit(now, request).and_then(|()| self.answer(now, request, secrets));
        self.rds_role |= answer.is_ok()
            && matches!(
                request.operation(),
                Operation::Rds(Rds::CreateDBSubnetGroup) | Operation::Rds(Rds::CreateDBInstance)
            );
        self.refused_by = answer.as_ref().err().map(|refusal| refusal.rule);
        Ok(answer?)
    }

    /// What is checked of every call before it is looked at: rate limits, parameters, permissions.
    fn admit(&mut self, now: Instant, request: &Request) -> Result<(), Refusal> {
        if self.options.throttling {
            self.throttle.count(now, request)?;
        }
        error::check_arguments(request)?;
        self.permit(request)
    }

    /// The rule that refused the last call; `None` if it was not refused.
    pub fn refused_by(&self) -> Option<&'static Rule> {
        self.refused_by
    }

    fn dispatch(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        match request.operation() {
            Operation::Sts(Sts::GetCallerIdentity) => self.get_caller_identity(),
            Operation::Ssm(Ssm::GetParameter) => self.get_parameter(request),
            Operation::Ec2(operation) => self.ec2(operation, now, request),
            Operation::Rds(operation) => self.rds(operation, now, request, secrets),
        }
    }

    fn ec2(&mut self, operation: Ec2, now: Instant, request: &Request) -> Answer {
        match operation {
            Ec2::DescribeAvailabilityZones => self.describe_availability_zones(request),
            Ec2::DescribeInstanceTypeOfferings => self.describe_instance_type_offerings(request),
            Ec2::DescribeImages => self.describe_images(request),
            Ec2::CreateVpc => self.create_vpc(now, request),
            Ec2::DescribeVpcs => self.list::<vpc::Vpc>(now, request),
            Ec2::DescribeVpcAttribute => self.describe_vpc_attribute(now, request),
            Ec2::ModifyVpcAttribute => self.modify_vpc_attribute(now, request),
            Ec2::DeleteVpc => self.delete_vpc(now, request),
            Ec2::CreateSubnet => self.create_subnet(now, request),
            Ec2::DescribeSubnets => self.list::<subnet::Subnet>(now, request),
            Ec2::DeleteSubnet => self.delete_subnet(now, request),
            Ec2::CreateInternetGateway => self.create_internet_gateway(now, request),
            Ec2::DescribeInternetGateways => self.list::<internet_gateway::Gateway>(now, request),
            Ec2::AttachInternetGateway => self.attach_internet_gateway(now, request),
            Ec2::DetachInternetGateway => self.detach_internet_gateway(now, request),
            Ec2::DeleteInternetGateway => self.delete_internet_gateway(now, request),
            Ec2::AllocateAddress => self.allocate_address(now, request),
            Ec2::DescribeAddresses => self.list::<eip::ElasticIp>(now, request),
            Ec2::ReleaseAddress => self.release_address(now, request),
            Ec2::CreateNatGateway => self.create_nat_gateway(now, request),
            Ec2::DescribeNatGateways => self.list::<nat_gateway::Nat>(now, request),
            Ec2::DeleteNatGateway => self.delete_nat_gateway(now, request),
            Ec2::CreateRouteTable => self.create_route_table(now, request),
            Ec2::DescribeRouteTables => self.list::<route_table::RouteTable>(now, request),
            Ec2::DeleteRouteTable => self.delete_route_table(now, request),
            Ec2::CreateRoute => self.create_route(now, request),
            Ec2::ReplaceRoute => self.replace_route(now, request),
            Ec2::DeleteRoute => self.delete_route(now, request),
            Ec2::AssociateRouteTable => self.associate_route_table(now, request),
            Ec2::ReplaceRouteTableAssociation => self.replace_route_table_association(now, request),
            Ec2::DisassociateRouteTable => self.disassociate_route_table(now, request),
            Ec2::DescribeNetworkInterfaces => self.describe_network_interfaces(now, request),
            Ec2::CreateVpcEndpoint => self.create_vpc_endpoint(now, request),
            Ec2::DescribeVpcEndpoints => self.list::<vpc_endpoint::VpcEndpoint>(now, request),
            Ec2::ModifyVpcEndpoint => self.modify_vpc_endpoint(now, request),
            Ec2::DeleteVpcEndpoints => self.delete_vpc_endpoints(now, request),
            Ec2::DescribeVpcPeeringConnections => {
                self.describe_attachments(now, request, AttachmentKind::PeeringConnection)
            }
            Ec2::DescribeVpnGateways => self.describe_attachments(now, request, AttachmentKind::VpnGateway),
            Ec2::DescribeNetworkAcls => self.describe_attachments(now, request, AttachmentKind::NetworkAcl),
            Ec2::DescribeEgressOnlyInternetGateways => {
                self.describe_attachments(now, request, AttachmentKind::EgressOnlyGateway)
            }
            Ec2::CreateSecurityGroup => self.create_security_group(now, request),
            Ec2::DescribeSecurityGroups => self.list::<security_group::Group>(now, request),
            Ec2::DeleteSecurityGroup => self.delete_security_group(now, request),
            Ec2::AuthorizeSecurityGroupIngress => self.authorize(now, request, permission::Direction::Ingress),
            Ec2::AuthorizeSecurityGroupEgress => self.authorize(now, request, permission::Direction::Egress),
            Ec2::RevokeSecurityGroupIngress => self.revoke(now, request, permission::Direction::Ingress),
            Ec2::RevokeSecurityGroupEgress => self.revoke(now, request, permission::Direction::Egress),
            Ec2::RunInstances => self.run_instances(now, request),
            Ec2::DescribeInstances => self.list::<instance::Instance>(now, request),
            Ec2::ModifyInstanceAttribute => self.modify_instance_attribute(now, request),
            Ec2::StopInstances => self.stop_instances(now, request),
            Ec2::StartInstances => self.start_instances(now, request),
            Ec2::TerminateInstances => self.terminate_instances(now, request),
            Ec2::DescribeVolumes => self.list::<volume::Volume>(now, request),
            Ec2::ModifyVolume => self.modify_volume(now, request),
            Ec2::DescribeTags => self.describe_tags(now, request),
            Ec2::CreateTags => self.create_tags(now, request),
            Ec2::DeleteTags => self.delete_tags(now, request),
        }
    }

    fn rds(&mut self, operation: Rds, now: Instant, request: &Request, secrets: &Secrets) -> Answer {
        match operation {
            Rds::CreateDBSubnetGroup => self.create_db_subnet_group(now, request),
            Rds::DescribeDBSubnetGroups => self.describe_db_subnet_groups(now, request),
            Rds::ModifyDBSubnetGroup => self.modify_db_subnet_group(now, request),
            Rds::DeleteDBSubnetGroup => self.delete_db_subnet_group(now, request),
            Rds::CreateDBInstance => self.create_db_instance(now, request, secrets),
            Rds::DescribeDBInstances => self.describe_db_instances(now, request),
            Rds::ModifyDBInstance => self.modify_db_instance(now, request, secrets),
            Rds::DeleteDBInstance => self.delete_db_instance(now, request),
            Rds::DescribeDBSnapshots => self.describe_db_snapshots(now, request),
            Rds::DescribeDBEngineVersions => db_instance::checks::describe_engine_versions(request),
            Rds::AddTagsToResource => self.add_tags_to_resource(now, request),
            Rds::RemoveTagsFromResource => self.remove_tags_from_resource(now, request),
            Rds::ListTagsForResource => self.list_tags_for_resource(now, request),
        }
    }
}
