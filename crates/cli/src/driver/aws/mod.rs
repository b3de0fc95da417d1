//! The AWS driver: a core [`Request`] becomes one AWS SDK call, its output or error becomes a core [`Reply`].
//!
//! One function per operation, each a translation of names and types. Nothing here decides, waits, retries or
//! remembers: what to send, when, and what an error means for the stack is the engine's business, so that the
//! simulator can test it. The one thing a function adds is to follow the pages of a list to their end.

mod convert;
mod credentials;
mod ec2;
pub(crate) mod error;
pub(crate) mod https;
mod input;
pub(crate) mod profile;
mod rds;
mod reply;
mod settings;
mod ssm;
mod sts;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use aloka_core::api::{Ec2, Operation, Rds, Reply, Request, Ssm, Sts};
use aloka_core::secret::Secrets;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_types::service_config::ServiceConfigKey;

use self::ec2::{attachment, endpoint, gateway, instance, interface, route, security_group, tags, vpc};
use self::input::Input;
use self::profile::ProfileError;

/// A connection that is not up after this long will not come up.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An answer that is not there after this long counts as lost: the engine then finds out what happened.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(30);

/// Which AWS to talk to.
///
/// Endpoints are not settings: `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` (or `endpoint_url` in the shared
/// configuration files) are honoured as every AWS tool does, but for plain HTTP to another machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The Region, such as `us-east-1`.
    pub region: String,
    /// The profile of the shared configuration files whose credentials are used; without it those of the environment, then
    /// those of `AWS_PROFILE`, else `default`.
    pub profile: Option<String>,
}

/// Clients of the services aloka uses. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AwsClient {
    ec2: aws_sdk_ec2::Client,
    rds: aws_sdk_rds::Client,
    ssm: aws_sdk_ssm::Client,
    sts: aws_sdk_sts::Client,
    credentials: Option<SharedCredentialsProvider>,
}

impl AwsClient {
    /// Reads the environment and the shared configuration files. Credentials are looked up when the first request
    /// is sent; until then no connection is made.
    ///
    /// # Errors
    /// A profile that is named does not exist, or the files that are needed cannot be read.
    pub async fn connect(settings: &Settings) -> Result<Self, ProfileError> {
        let config = profile::load(loader(settings), settings.profile.as_deref(), "aws_profile").await?;
        Ok(Self::from_config(&config))
    }

    /// The loader, with the HTTP client of this tool.
    ///
    /// # Errors
    /// The environment names a proxy that cannot be asked.
    pub fn https(loader: ConfigLoader) -> Result<ConfigLoader, ProfileError> {
        Ok(loader.http_client(https::client(None)?))
    }

    /// Clients of this configuration, without retries.
    pub fn from_config(config: &SdkConfig) -> Self {
        // Set on the clients, not on the shared configuration: looking up credentials may retry, as no plan has it.
        let retries = RetryConfig::disabled();
        let ec2 = aws_sdk_ec2::config::Builder::from(config).retry_config(retries.clone()).build();
        let rds = aws_sdk_rds::config::Builder::from(config).retry_config(retries.clone()).build();
        let ssm = aws_sdk_ssm::config::Builder::from(config).retry_config(retries.clone()).build();
        let sts = aws_sdk_sts::config::Builder::from(config).retry_config(retries).build();
        Self {
            ec2: aws_sdk_ec2::Client::from_conf(ec2),
            rds: aws_sdk_rds::Client::from_conf(rds),
            ssm: aws_sdk_ssm::Client::from_conf(ssm),
            sts: aws_sdk_sts::Client::from_conf(sts),
            credentials: config.credentials_provider(),
        }
    }

    /// When the credentials expire that are used now; `None` if they do not, or nobody says.
    pub async fn credentials_expiry(&self) -> Option<SystemTime> {
        self.credentials.as_ref()?.provide_credentials().await.ok()?.expiry()
    }

    /// Sends the request once and translates the answer. A request that lacks an argument, has one the operation
    /// does not know or one of the wrong type is refused with `InvalidParameterValue` before anything is sent.
    /// `secrets` holds what [`aloka_core::value::Value::Secret`] arguments name.
    pub async fn send(&self, request: &Request, secrets: &Secrets) -> Reply {
        let input = Input::of_request(request, secrets)?;
        let reply = self.dispatch(request.operation(), &input).await;
        reply.map_err(|error| input.without_secrets(error))
    }

    fn dispatch<'a>(&'a self, operation: Operation, input: &'a Input<'a>) -> Pending<'a> {
        match operation {
            Operation::Sts(Sts::GetCallerIdentity) => boxed(sts::get_caller_identity, &self.sts, input),
            Operation::Ssm(Ssm::GetParameter) => boxed(ssm::get_parameter, &self.ssm, input),
            Operation::Ec2(operation) => self.send_ec2(operation, input),
            Operation::Rds(operation) => self.send_rds(operation, input),
        }
    }

    fn send_ec2<'a>(&'a self, operation: Ec2, input: &'a Input<'a>) -> Pending<'a> {
        let ec2 = &self.ec2;
        match operation {
            Ec2::DescribeAvailabilityZones => boxed(vpc::describe_availability_zones, ec2, input),
            Ec2::DescribeInstanceTypeOfferings => boxed(instance::describe_instance_type_offerings, ec2, input),
            Ec2::DescribeImages => boxed(instance::describe_images, ec2, input),
            Ec2::CreateVpc => boxed(vpc::create_vpc, ec2, input),
            Ec2::DescribeVpcs => boxed(vpc::describe_vpcs, ec2, input),
            Ec2::DescribeVpcAttribute => boxed(vpc::describe_vpc_attribute, ec2, input),
            Ec2::ModifyVpcAttribute => boxed(vpc::modify_vpc_attribute, ec2, input),
            Ec2::DeleteVpc => boxed(vpc::delete_vpc, ec2, input),
            Ec2::CreateSubnet => boxed(vpc::create_subnet, ec2, input),
            Ec2::DescribeSubnets => boxed(vpc::describe_subnets, ec2, input),
            Ec2::DeleteSubnet => boxed(vpc::delete_subnet, ec2, input),
            Ec2::CreateInternetGateway => boxed(gateway::create_internet_gateway, ec2, input),
            Ec2::DescribeInternetGateways => boxed(gateway::describe_internet_gateways, ec2, input),
            Ec2::AttachInternetGateway => boxed(gateway::attach_internet_gateway, ec2, input),
            Ec2::DetachInternetGateway => boxed(gateway::detach_internet_gateway, ec2, input),
            Ec2::DeleteInternetGateway => boxed(gateway::delete_internet_gateway, ec2, input),
            Ec2::AllocateAddress => boxed(gateway::allocate_address, ec2, input),
            Ec2::DescribeAddresses => boxed(gateway::describe_addresses, ec2, input),
            Ec2::ReleaseAddress => boxed(gateway::release_address, ec2, input),
            Ec2::CreateNatGateway => boxed(gateway::create_nat_gateway, ec2, input),
            Ec2::DescribeNatGateways => boxed(gateway::describe_nat_gateways, ec2, input),
            Ec2::DeleteNatGateway => boxed(gateway::delete_nat_gateway, ec2, input),
            Ec2::CreateRouteTable => boxed(route::create_route_table, ec2, input),
            Ec2::DescribeRouteTables => boxed(route::describe_route_tables, ec2, input),
            Ec2::DeleteRouteTable => boxed(route::delete_route_table, ec2, input),
            Ec2::CreateRoute => boxed(route::create_route, ec2, input),
            Ec2::ReplaceRoute => boxed(route::replace_route, ec2, input),
            Ec2::DeleteRoute => boxed(route::delete_route, ec2, input),
            Ec2::AssociateRouteTable => boxed(route::associate_route_table, ec2, input),
            Ec2::ReplaceRouteTableAssociation => boxed(route::replace_route_table_association, ec2, input),
            Ec2::DisassociateRouteTable => boxed(route::disassociate_route_table, ec2, input),
            Ec2::DescribeNetworkInterfaces => boxed(interface::describe_network_interfaces, ec2, input),
            Ec2::CreateVpcEndpoint => boxed(endpoint::create_vpc_endpoint, ec2, input),
            Ec2::DescribeVpcEndpoints => boxed(endpoint::describe_vpc_endpoints, ec2, input),
            Ec2::ModifyVpcEndpoint => boxed(endpoint::modify_vpc_endpoint, ec2, input),
            Ec2::DeleteVpcEndpoints => boxed(endpoint::delete_vpc_endpoints, ec2, input),
            Ec2::DescribeVpcPeeringConnections => boxed(attachment::describe_vpc_peering_connections, ec2, input),
            Ec2::DescribeVpnGateways => boxed(attachment::describe_vpn_gateways, ec2, input),
            Ec2::DescribeNetworkAcls => boxed(attachment::describe_network_acls, ec2, input),
            Ec2::DescribeEgressOnlyInternetGateways => {
                boxed(attachment::describe_egress_only_internet_gateways, ec2, input)
            }
            Ec2::CreateSecurityGroup => boxed(security_group::create_security_group, ec2, input),
            Ec2::DescribeSecurityGroups => boxed(security_group::describe_security_groups, ec2, input),
            Ec2::DeleteSecurityGroup => boxed(security_group::delete_security_group, ec2, input),
            Ec2::AuthorizeSecurityGroupIngress => boxed(security_group::authorize_ingress, ec2, input),
            Ec2::AuthorizeSecurityGroupEgress => boxed(security_group::authorize_egress, ec2, input),
            Ec2::RevokeSecurityGroupIngress => boxed(security_group::revoke_ingress, ec2, input),
            Ec2::RevokeSecurityGroupEgress => boxed(security_group::revoke_egress, ec2, input),
            Ec2::RunInstances => boxed(instance::run_instances, ec2, input),
            Ec2::DescribeInstances => boxed(instance::describe_instances, ec2, input),
            Ec2::ModifyInstanceAttribute => boxed(instance::modify_instance_attribute, ec2, input),
            Ec2::StopInstances => boxed(instance::stop_instances, ec2, input),
            Ec2::StartInstances => boxed(instance::start_instances, ec2, input),
            Ec2::TerminateInstances => boxed(instance::terminate_instances, ec2, input),
            Ec2::DescribeVolumes => boxed(instance::describe_volumes, ec2, input),
            Ec2::ModifyVolume => boxed(instance::modify_volume, ec2, input),
            Ec2::DescribeTags => boxed(tags::describe_tags, ec2, input),
            Ec2::CreateTags => boxed(tags::create_tags, ec2, input),
            Ec2::DeleteTags => boxed(tags::delete_tags, ec2, input),
        }
    }

    fn send_rds<'a>(&'a self, operation: Rds, input: &'a Input<'a>) -> Pending<'a> {
        let rds = &self.rds;
        match operation {
            Rds::CreateDBSubnetGroup => boxed(rds::create_db_subnet_group, rds, input),
            Rds::DescribeDBSubnetGroups => boxed(rds::describe_db_subnet_groups, rds, input),
            Rds::ModifyDBSubnetGroup => boxed(rds::modify_db_subnet_group, rds, input),
            Rds::DeleteDBSubnetGroup => boxed(rds::delete_db_subnet_group, rds, input),
            Rds::CreateDBInstance => boxed(rds::create_db_instance, rds, input),
            Rds::DescribeDBInstances => boxed(rds::describe_db_instances, rds, input),
            Rds::ModifyDBInstance => boxed(rds::modify_db_instance, rds, input),
            Rds::DeleteDBInstance => boxed(rds::delete_db_instance, rds, input),
            Rds::DescribeDBSnapshots => boxed(rds::describe_db_snapshots, rds, input),
            Rds::DescribeDBEngineVersions => boxed(rds::describe_db_engine_versions, rds, input),
            Rds::AddTagsToResource => boxed(rds::add_tags_to_resource, rds, input),
            Rds::RemoveTagsFromResource => boxed(rds::remove_tags_from_resource, rds, input),
            Rds::ListTagsForResource => boxed(rds::list_tags_for_resource, rds, input),
        }
    }
}

/// A request in flight.
type Pending<'a> = Pin<Box<dyn Future<Output = Reply> + Send + 'a>>;

/// Boxes the operation's future, which is some kilobytes large. Made here and not in the `match`, it has no place in
/// the stack frame of whoever waits for one of them.
fn boxed<'a, C, F: Future<Output = Reply> + Send + 'a>(
    operation: impl FnOnce(&'a C, &'a Input<'a>) -> F,
    client: &'a C,
    input: &'a Input<'a>,
) -> Pending<'a> {
    Box::pin(operation(client, input))
}

fn loader(settings: &Settings) -> ConfigLoader {
    let timeouts =
        TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).operation_attempt_timeout(ATTEMPT_TIMEOUT).build();
    let loader = aws_config::defaults(BehaviorVersion::latest())
        .region(Region::new(settings.region.clone()))
        .timeout_config(timeouts);
    match &settings.profile {
        Some(profile) => loader.profile_name(profile),
        None => loader,
    }
}

/// The endpoint that the environment or the shared configuration files name for a service, such as `S3`.
pub(crate) fn named_endpoint(config: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = config.service_config().zip(key.ok()).and_then(|(files, key)| files.load_config(key));
    own.filter(|url| !url.trim().is_empty()).or_else(|| config.endpoint_url().map(str::to_owned))
}
