//! Which permissions a call needs: action, resource and context of each.
//!
//! From the Service Authorization Reference of EC2, RDS and Systems Manager, and the user guides on tagging at creation
//! and on service-linked roles. What is created is asked for as `type/*`, with the tags of the request; what is there,
//! by its own ARN, with its own tags. Tagging at creation is a permission of its own.

use std::collections::BTreeMap;

use aloka_core::api::{Ec2, Operation, Rds, Request, Ssm, Sts};
use aloka_core::value::Value;

use super::context::Context;

/// The permission to make the role that RDS needs once in every account (RDS user guide, service-linked roles).
pub(super) const CREATE_ROLE: &str = "iam:CreateServiceLinkedRole";

/// One permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// Such as `ec2:CreateVpc`.
    pub action: String,
    /// An ARN; `*` where the action is about none in particular.
    pub resource: String,
    /// What conditions may be held against.
    pub context: Context,
}

/// A type of resource, as ARNs have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceType {
    /// `ec2 … vpc/`
    Vpc,
    /// `ec2 … subnet/`
    Subnet,
    /// `ec2 … internet-gateway/`
    InternetGateway,
    /// `ec2 … elastic-ip/`
    ElasticIp,
    /// `ec2 … natgateway/`
    NatGateway,
    /// `ec2 … route-table/`
    RouteTable,
    /// `ec2 … security-group/`
    SecurityGroup,
    /// `ec2 … network-interface/`
    NetworkInterface,
    /// `ec2 … instance/`
    Instance,
    /// `ec2 … volume/`
    Volume,
    /// `ec2 … image/`, without an account.
    Image,
    /// `rds … db:`
    Db,
    /// `rds … subgrp:`
    DbSubnetGroup,
    /// `rds … pg:`
    DbParameterGroup,
    /// `rds … og:`
    DbOptionGroup,
    /// `rds … snapshot:`
    DbSnapshot,
}

impl ResourceType {
    /// The type of the object of EC2 with this identifier.
    fn of_id(id: &str) -> Option<Self> {
        match id.split_once('-')?.0 {
            "vpc" => Some(Self::Vpc),
            "subnet" => Some(Self::Subnet),
            "igw" => Some(Self::InternetGateway),
            "eipalloc" => Some(Self::ElasticIp),
            "nat" => Some(Self::NatGateway),
            "rtb" => Some(Self::RouteTable),
            "sg" => Some(Self::SecurityGroup),
            "eni" => Some(Self::NetworkInterface),
            "i" => Some(Self::Instance),
            "vol" => Some(Self::Volume),
            "ami" => Some(Self::Image),
            _ => None,
        }
    }

    fn is_rds(self) -> bool {
        self.tag_key() != "ec2:ResourceTag/"
    }

    /// The service's own condition key for the tags of an object, up to the key of the tag.
    fn tag_key(self) -> &'static str {
        match self {
            Self::Vpc
            | Self::Subnet
            | Self::InternetGateway
            | Self::ElasticIp
            | Self::NatGateway
            | Self::RouteTable
            | Self::SecurityGroup
            | Self::NetworkInterface
            | Self::Instance
            | Self::Volume
            | Self::Image => "ec2:ResourceTag/",
            Self::Db => "rds:db-tag/",
            Self::DbSubnetGroup => "rds:subgrp-tag/",
            Self::DbParameterGroup => "rds:pg-tag/",
            Self::DbOptionGroup => "rds:og-tag/",
            Self::DbSnapshot => "rds:snapshot-tag/",
        }
    }

    /// The ARN of what is called `id`, in this Region and account.
    pub fn arn(self, region: &str, account: &str, id: &str) -> String {
        let ec2 = |kind: &str| format!("arn:aws:ec2:{region}:{account}:{kind}/{id}");
        let rds = |kind: &str| format!("arn:aws:rds:{region}:{account}:{kind}:{id}");
        match self {
            Self::Vpc => ec2("vpc"),
            Self::Subnet => ec2("subnet"),
            Self::InternetGateway => ec2("internet-gateway"),
            Self::ElasticIp => ec2("elastic-ip"),
            Self::NatGateway => ec2("natgateway"),
            Self::RouteTable => ec2("route-table"),
            Self::SecurityGroup => ec2("security-group"),
            Self::NetworkInterface => ec2("network-interface"),
            Self::Instance => ec2("instance"),
            Self::Volume => ec2("volume"),
            Self::Image => format!("arn:aws:ec2:{region}::image/{id}"),
            Self::Db => rds("db"),
            Self::DbSubnetGroup => rds("subgrp"),
            Self::DbParameterGroup => rds("pg"),
            Self::DbOptionGroup => rds("og"),
            Self::DbSnapshot => rds("snapshot"),
        }
    }
}

/// What is known of an object that is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// Values of condition keys that describe it, such as `ec2:Vpc`.
    pub keys: Vec<(&'static str, String)>,
}

/// The account that a request is made in.
pub trait Objects {
    /// The Region.
    fn region(&self) -> &str;
    /// The account's number.
    fn account_id(&self) -> &str;
    /// What is known of an object; nothing, if it is not there.
    fn facts(&self, kind: ResourceType, id: &str) -> Facts;
    /// Route table and subnet of an association, if it is there.
    fn association(&self, id: &str) -> Option<(String, String)>;
    /// The default security group of a subnet's VPC, if it is there.
    fn default_group(&self, subnet: &str) -> Option<String>;
    /// The major version that a new database has for which this version is asked.
    fn engine_major(&self, version: Option<&str>) -> String;
    /// True if RDS has the role it makes at its first use in an account.
    fn has_rds_role(&self) -> bool;
}

/// Every permission that the request needs, in the order in which they are looked at. None for `GetCallerIdentity`,
/// which even a denial does not stop.
pub fn needs(request: &Request, objects: &dyn Objects) -> Vec<Need> {
    let mut needs = Needs { request, objects, action: request.operation().to_string(), list: Vec::new() };
    needs.collect();
    needs.list
}

struct Needs<'a> {
    request: &'a Request,
    objects: &'a dyn Objects,
    action: String,
    list: Vec<Need>,
}

impl Needs<'_> {
    fn collect(&mut self) {
        use ResourceType as T;
        match self.request.operation() {
            Operation::Sts(Sts::GetCallerIdentity) => return,
            Operation::Ssm(Ssm::GetParameter) => {
                // Public parameters belong to no account.
                let name = self.request.text("Name").trim_start_matches('/');
                let resource = format!("arn:aws:ssm:{}::parameter/{name}", self.objects.region());
                self.push(resource, self.plain());
            }
            Operation::Ec2(Ec2::DescribeAvailabilityZones)
            | Operation::Ec2(Ec2::DescribeInstanceTypeOfferings)
            | Operation::Ec2(Ec2::DescribeImages)
            | Operation::Ec2(Ec2::DescribeVpcs)
            | Operation::Ec2(Ec2::DescribeSubnets)
            | Operation::Ec2(Ec2::DescribeInternetGateways)
            | Operation::Ec2(Ec2::DescribeAddresses)
            | Operation::Ec2(Ec2::DescribeNatGateways)
            | Operation::Ec2(Ec2::DescribeNetworkInterfaces)
            | Operation::Ec2(Ec2::DescribeRouteTables)
            | Operation::Ec2(Ec2::DescribeVpcEndpoints)
            | Operation::Ec2(Ec2::DescribeVpcPeeringConnections)
            | Operation::Ec2(Ec2::DescribeVpnGateways)
            | Operation::Ec2(Ec2::DescribeNetworkAcls)
            | Operation::Ec2(Ec2::DescribeEgressOnlyInternetGateways)
            | Operation::Ec2(Ec2::DescribeTags)
            | Operation::Ec2(Ec2::DescribeSecurityGroups)
            | Operation::Ec2(Ec2::DescribeInstances)
            | Operation::Ec2(Ec2::DescribeVolumes)
            | Operation::Rds(Rds::DescribeDBEngineVersions) => self.push("*".to_owned(), self.plain()),
            Operation::Ec2(Ec2::DescribeVpcAttribute)
            | Operation::Ec2(Ec2::ModifyVpcAttribute)
            | Operation::Ec2(Ec2::DeleteVpc) => {
                self.named(T::Vpc, "VpcId");
            }
            Operation::Ec2(Ec2::CreateVpc) => self.create(T::Vpc),
            Operation::Ec2(Ec2::CreateSubnet) => {
                self.create(T::Subnet);
                self.named(T::Vpc, "VpcId");
            }
            Operation::Ec2(Ec2::DeleteSubnet) => self.named(T::Subnet, "SubnetId"),
            Operation::Ec2(Ec2::CreateInternetGateway) => self.create(T::InternetGateway),
            Operation::Ec2(Ec2::AttachInternetGateway) | Operation::Ec2(Ec2::DetachInternetGateway) => {
                self.named(T::InternetGateway, "InternetGatewayId");
                self.named(T::Vpc, "VpcId");
            }
            Operation::Ec2(Ec2::DeleteInternetGateway) => self.named(T::InternetGateway, "InternetGatewayId"),
            Operation::Ec2(Ec2::AllocateAddress) => self.create(T::ElasticIp),
            Operation::Ec2(Ec2::ReleaseAddress) => self.named(T::ElasticIp, "AllocationId"),
            Operation::Ec2(Ec2::CreateNatGateway) => {
                self.create(T::NatGateway);
                self.named(T::Subnet, "SubnetId");
                self.named(T::ElasticIp, "AllocationId");
            }
            Operation::Ec2(Ec2::DeleteNatGateway) => self.named(T::NatGateway, "NatGatewayId"),
            Operation::Ec2(Ec2::CreateRouteTable) => {
                self.create(T::RouteTable);
                self.named(T::Vpc, "VpcId");
            }
            Operation::Ec2(Ec2::DeleteRouteTable)
            | Operation::Ec2(Ec2::CreateRoute)
            | Operation::Ec2(Ec2::ReplaceRoute)
            | Operation::Ec2(Ec2::DeleteRoute) => {
                self.named(T::RouteTable, "RouteTableId");
            }
            Operation::Ec2(Ec2::AssociateRouteTable) => {
                self.named(T::RouteTable, "RouteTableId");
                self.named(T::Subnet, "SubnetId");
            }
            Operation::Ec2(Ec2::ReplaceRouteTableAssociation) => {
                self.named(T::RouteTable, "RouteTableId");
                if let Some((_, subnet)) = self.objects.association(self.request.text("AssociationId")) {
                    self.existing(T::Subnet, &subnet);
                }
            }
            Operation::Ec2(Ec2::DisassociateRouteTable) => {
                if let Some((table, subnet)) = self.objects.association(self.request.text("AssociationId")) {
                    self.existing(T::RouteTable, &table);
                    self.existing(T::Subnet, &subnet);
                }
            }
            Operation::Ec2(Ec2::CreateSecurityGroup) => {
                self.create(T::SecurityGroup);
                self.named(T::Vpc, "VpcId");
            }
            // On rules, permissions are needed only to tag them.
            Operation::Ec2(Ec2::DeleteSecurityGroup)
            | Operation::Ec2(Ec2::AuthorizeSecurityGroupIngress)
            | Operation::Ec2(Ec2::AuthorizeSecurityGroupEgress)
            | Operation::Ec2(Ec2::RevokeSecurityGroupIngress)
            | Operation::Ec2(Ec2::RevokeSecurityGroupEgress) => self.named(T::SecurityGroup, "GroupId"),
            Operation::Ec2(Ec2::RunInstances) => self.run_instances(),
            Operation::Ec2(Ec2::ModifyInstanceAttribute) => {
                self.modify_instance();
            }
            Operation::Ec2(Ec2::StopInstances)
            | Operation::Ec2(Ec2::StartInstances)
            | Operation::Ec2(Ec2::TerminateInstances) => {
                self.all(T::Instance, "InstanceIds");
            }
            Operation::Ec2(Ec2::ModifyVolume) => self.named(T::Volume, "VolumeId"),
            Operation::Ec2(Ec2::CreateTags) => self.tag(true),
            Operation::Ec2(Ec2::DeleteTags) => self.tag(false),
            Operation::Rds(Rds::CreateDBSubnetGroup) => {
                let name = self.request.text("DBSubnetGroupName").to_ascii_lowercase();
                self.create_named(T::DbSubnetGroup, &name, Vec::new());
                self.rds_role();
            }
            // Without a name, all are asked for.
            Operation::Rds(Rds::DescribeDBSubnetGroups) => self.rds_read(T::DbSubnetGroup, "DBSubnetGroupName"),
            Operation::Rds(Rds::DescribeDBInstances) => self.rds_read(T::Db, "DBInstanceIdentifier"),
            Operation::Rds(Rds::DescribeDBSnapshots) => self.rds_read(T::DbSnapshot, "DBSnapshotIdentifier"),
            Operation::Rds(Rds::ModifyDBSubnetGroup) | Operation::Rds(Rds::DeleteDBSubnetGroup) => {
                self.named(T::DbSubnetGroup, "DBSubnetGroupName");
            }
            Operation::Rds(Rds::CreateDBInstance) => self.create_db(),
            Operation::Rds(Rds::ModifyDBInstance) => {
                self.named(T::Db, "DBInstanceIdentifier");
                self.managed_password();
            }
            Operation::Rds(Rds::DeleteDBInstance) => {
                self.named(T::Db, "DBInstanceIdentifier");
                if self.request.arg("SkipFinalSnapshot").as_bool() != Some(true) {
                    let (snapshot, db) = ("FinalDBSnapshotIdentifier", "DBInstanceIdentifier");
                    self.action = "rds:CreateDBSnapshot".to_owned();
                    self.named(T::DbSnapshot, snapshot);
                    self.named(T::Db, db);
                }
            }
            Operation::Rds(Rds::AddTagsToResource) => self.rds_tag(true),
            Operation::Rds(Rds::RemoveTagsFromResource) => self.rds_tag(false),
            Operation::Rds(Rds::ListTagsForResource) => {
                let (resource, context) = self.by_arn();
                self.push(resource, context);
            }
        }
        // A call that names nothing that is there still needs its own action.
        if self.list.is_empty() {
            self.push("*".to_owned(), self.plain());
        }
    }

    fn push(&mut self, resource: String, context: Context) {
        self.list.push(Need { action: self.action.clone(), resource, context });
    }

    fn push_action(&mut self, action: &str, resource: String, context: Context) {
        self.list.push(Need { action: action.to_owned(), resource, context });
    }

    /// What every request is made with.
    fn plain(&self) -> Context {
        let region = self.objects.region();
        Context::new().with("aws:RequestedRegion", region).with("ec2:Region", region)
    }

    fn arn(&self, kind: ResourceType, id: &str) -> String {
        kind.arn(self.objects.region(), self.objects.account_id(), id)
    }

    /// The tags that the request gives.
    fn request_tags(&self, mut context: Context) -> Context {
        for (key, value) in self.request.arg("Tags").as_map().into_iter().flatten() {
            context.add(&format!("aws:RequestTag/{key}"), value.as_str().unwrap_or_default());
            context.add("aws:TagKeys", &**key);
        }
        context
    }

    /// What an object that is there is asked about with.
    fn known(&self, kind: ResourceType, id: &str) -> Context {
        let Facts { tags, keys } = self.objects.facts(kind, id);
        let mut context = self.plain();
        for (key, value) in tags {
            context.add(&format!("{}{key}", kind.tag_key()), value.as_str());
            context.add(&format!("aws:ResourceTag/{key}"), value);
        }
        for (key, value) in keys {
            context.add(key, value);
        }
        context
    }

    /// On an object that is there.
    fn existing(&mut self, kind: ResourceType, id: &str) {
        let (resource, context) = (self.arn(kind, id), self.known(kind, id));
        self.push(resource, context);
    }

    /// On the object that an argument names.
    fn named(&mut self, kind: ResourceType, parameter: &str) {
        let id = self.request.text(parameter);
        // RDS knows its names in small letters.
        let id = if kind.is_rds() { id.to_ascii_lowercase() } else { id.to_owned() };
        self.existing(kind, &id);
    }

    /// On every object that an argument lists.
    fn all(&mut self, kind: ResourceType, parameter: &str) {
        for id in self.request.texts(parameter) {
            self.existing(kind, &id);
        }
    }

    /// On a new object whose identifier nobody knows yet.
    fn create(&mut self, kind: ResourceType) {
        self.create_named(kind, "*", Vec::new());
    }

    /// On a new object, and to tag it if the request has tags.
    fn create_named(&mut self, kind: ResourceType, id: &str, keys: Vec<(&'static str, String)>) {
        let resource = self.arn(kind, id);
        let mut context = self.request_tags(self.plain());
        for (key, value) in keys {
            context.add(key, value);
        }
        self.push(resource.clone(), context);
        if self.request.arg("Tags").as_map().is_none_or(|tags| tags.is_empty()) {
            return;
        }
        let context = self.request_tags(self.plain());
        if kind.is_rds() {
            self.push_action("rds:AddTagsToResource", resource, context);
        } else {
            let context = context.with("ec2:CreateAction", self.request.operation().name());
            self.push_action("ec2:CreateTags", resource, context);
        }
    }

    /// The server is asked for with the attribute that changes, as EC2's query parameters call it; the groups it gets are
    /// not (contexts of refused calls that AWS decoded, in public logs).
    fn modify_instance(&mut self) {
        let id = self.request.text("InstanceId");
        let mut context = self.known(ResourceType::Instance, id);
        for (parameter, attribute) in [("InstanceType", "InstanceType"), ("Groups", "GroupId")] {
            if !self.request.arg(parameter).is_null() {
                context.add("ec2:Attribute", attribute);
            }
        }
        let resource = self.arn(ResourceType::Instance, id);
        self.push(resource, context);
        self.all(ResourceType::SecurityGroup, "Groups");
    }

    fn run_instances(&mut self) {
        use ResourceType as T;
        let request = self.request;
        self.named(T::Image, "ImageId");
        let interface = request.arg("NetworkInterfaces").at("0").cloned().unwrap_or_default();
        let subnet = interface.get("SubnetId").as_str().unwrap_or_default();
        let place = self.objects.facts(T::Subnet, subnet).keys;
        let of_subnet = |wanted: &[&'static str]| -> Vec<(&'static str, String)> {
            place.iter().filter(|(key, _)| wanted.contains(key)).cloned().collect()
        };
        let zone = of_subnet(&["ec2:AvailabilityZone"]);

        let metadata = request.arg("MetadataOptions");
        let mut instance = zone.clone();
        instance.push(("ec2:InstanceType", request.text("InstanceType").to_owned()));
        instance.extend(text("ec2:MetadataHttpTokens", metadata.get("HttpTokens")));
        instance.extend(text("ec2:MetadataHttpEndpoint", metadata.get("HttpEndpoint")));
        instance.extend(text("ec2:MetadataHttpPutResponseHopLimit", metadata.get("HttpPutResponseHopLimit")));
        self.create_named(T::Instance, "*", instance);

        // The root volume, if nothing is said of any.
        let mappings = request.arg("BlockDeviceMappings").as_list().unwrap_or_default();
        let unsaid = [Value::Null];
        for mapping in if mappings.is_empty() { unsaid.as_slice() } else { mappings } {
            let mut volume = zone.clone();
            volume.extend(text("ec2:VolumeSize", mapping.get("VolumeSize")));
            volume.extend(text("ec2:VolumeType", mapping.get("VolumeType")));
            volume.extend(text("ec2:Encrypted", mapping.get("Encrypted")));
            self.create_named(T::Volume, "*", volume);
        }

        // Nothing tags the interface.
        let mut context = self.plain();
        for (key, value) in of_subnet(&["ec2:AvailabilityZone", "ec2:Vpc"]) {
            context.add(key, value);
        }
        context.add("ec2:Subnet", self.arn(T::Subnet, subnet));
        if let Some((key, value)) = text("ec2:AssociatePublicIpAddress", interface.get("AssociatePublicIpAddress")) {
            context.add(key, value);
        }
        let resource = self.arn(T::NetworkInterface, "*");
        self.push(resource, context);

        self.existing(T::Subnet, subnet);
        let groups = interface.get("Groups").as_list().unwrap_or_default();
        let mut groups: Vec<String> = groups.iter().filter_map(|group| group.as_str().map(str::to_owned)).collect();
        if groups.is_empty() {
            groups.extend(self.objects.default_group(subnet));
        }
        for group in groups {
            self.existing(T::SecurityGroup, &group);
        }
    }

    /// `CreateTags` and `DeleteTags` of objects that are there.
    fn tag(&mut self, adds: bool) {
        for id in self.request.texts("Resources") {
            // The call itself refuses an identifier of no known kind.
            if let Some(kind) = ResourceType::of_id(&id) {
                let context = self.tagging(self.known(kind, &id), adds);
                let resource = self.arn(kind, &id);
                self.push(resource, context);
            }
        }
    }

    fn tagging(&self, context: Context, adds: bool) -> Context {
        if adds {
            return self.request_tags(context);
        }
        self.request.texts("TagKeys").into_iter().fold(context, |context, key| context.with("aws:TagKeys", &*key))
    }

    /// The object of RDS that is named by ARN.
    fn by_arn(&self) -> (String, Context) {
        let arn = self.request.text("ResourceName").to_owned();
        let mut parts = arn.splitn(7, ':').skip(5);
        let context = match (parts.next(), parts.next()) {
            (Some("db"), Some(name)) => self.known(ResourceType::Db, name),
            (Some("subgrp"), Some(name)) => self.known(ResourceType::DbSubnetGroup, name),
            (Some(_) | None, _) => self.plain(),
        };
        (arn, context)
    }

    fn rds_tag(&mut self, adds: bool) {
        let (resource, context) = self.by_arn();
        let context = self.tagging(context, adds);
        self.push(resource, context);
    }

    fn rds_read(&mut self, kind: ResourceType, parameter: &str) {
        if self.request.text(parameter).is_empty() {
            self.push(self.arn(kind, "*"), self.plain());
        } else {
            self.named(kind, parameter);
        }
    }

    fn create_db(&mut self) {
        use ResourceType as T;
        let request = self.request;
        let mut keys = vec![
            ("rds:DatabaseClass", request.text("DBInstanceClass").to_owned()),
            ("rds:DatabaseEngine", request.text("Engine").to_owned()),
        ];
        keys.extend(text("rds:DatabaseName", request.arg("DBName")));
        for (key, parameter) in [
            ("rds:MultiAz", "MultiAZ"),
            ("rds:StorageEncrypted", "StorageEncrypted"),
            ("rds:PubliclyAccessible", "PubliclyAccessible"),
            ("rds:ManageMasterUserPassword", "ManageMasterUserPassword"),
        ] {
            keys.push((key, request.arg(parameter).as_bool().unwrap_or(false).to_string()));
        }
        let name = request.text("DBInstanceIdentifier").to_ascii_lowercase();
        self.create_named(T::Db, &name, keys);
        self.named(T::DbSubnetGroup, "DBSubnetGroupName");
        // No group is asked for, so the defaults of the version are used.
        let major = self.objects.engine_major(request.arg("EngineVersion").as_str());
        self.existing(T::DbParameterGroup, &format!("default.postgres{major}"));
        self.existing(T::DbOptionGroup, &format!("default:postgres-{major}"));
        self.managed_password();
        self.rds_role();
    }

    /// What RDS does in Secrets Manager in the name of the caller (RDS user guide, "Permissions required for Secrets
    /// Manager integration").
    fn managed_password(&mut self) {
        if self.request.arg("ManageMasterUserPassword").as_bool() != Some(true) {
            return;
        }
        let (region, account) = (self.objects.region().to_owned(), self.objects.account_id().to_owned());
        let secret = format!("arn:aws:secretsmanager:{region}:{account}:secret:rds!db-*");
        self.push_action("kms:DescribeKey", format!("arn:aws:kms:{region}:{account}:key/*"), self.plain());
        for action in ["secretsmanager:CreateSecret", "secretsmanager:TagResource"] {
            self.push_action(action, secret.clone(), self.plain());
        }
    }

    fn rds_role(&mut self) {
        if self.objects.has_rds_role() {
            return;
        }
        let account = self.objects.account_id();
        let role = format!("arn:aws:iam::{account}:role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS");
        let context = self.plain().with("iam:AWSServiceName", "rds.amazonaws.com");
        self.push_action(CREATE_ROLE, role, context);
    }
}

/// The key with this value, if there is one.
fn text(key: &'static str, value: &Value) -> Option<(&'static str, String)> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => None,
        Value::Str(text) => Some((key, text.to_string())),
        Value::Bool(flag) => Some((key, flag.to_string())),
        Value::Number(number) => Some((key, number.to_string())),
    }
}

#[cfg(test)]
mod tests;
