//! Which permissions a call needs: action, resource and context of each.
//!
//! From the Service Authorization Reference of EC2, RDS and Systems Manager, and the user guides on tagging at creation
//! and on service-linked roles. What is created is asked for as `type/*`, with the tags of the request; what is there,
//! by its own ARN, with its own tags. Tagging at creation is a permission of its own.

use std::collections::BTreeMap;

use aloka_core::api::{Operation, Request};
use aloka_core::value::Value;

use super::context::Context;

/// The permission to make the role that RDS needs once in every account (RDS user guide, service-linked roles).
pub(crate) const CREATE_ROLE: &str = "iam:CreateServiceLinkedRole";

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
    /// `ec2 … vpc-endpoint/`
    VpcEndpoint,
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
    pub(crate) fn of_id(id: &str) -> Option<Self> {
        match id.split_once('-')?.0 {
            "vpc" => Some(Self::Vpc),
            "subnet" => Some(Self::Subnet),
            "igw" => Some(Self::InternetGateway),
            "eipalloc" => Some(Self::ElasticIp),
            "nat" => Some(Self::NatGateway),
            "rtb" => Some(Self::RouteTable),
            "vpce" => Some(Self::VpcEndpoint),
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
            | Self::VpcEndpoint
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
            Self::VpcEndpoint => ec2("vpc-endpoint"),
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

/// What an operation asks for, in the order in which AWS looks at it.
pub(crate) type Asks = (Operation, &'static [Ask]);

/// One thing that an operation asks for.
pub(crate) enum Ask {
    /// Nothing in particular: any resource.
    Any,
    /// To make an object whose identifier nobody knows yet, and to tag it if the request has tags.
    New(ResourceType),
    /// To use the object that this argument names.
    Named(ResourceType, &'static str),
    /// To use each object that this argument lists.
    Each(ResourceType, &'static str),
    /// What follows from the request.
    By(fn(&mut Needs<'_>)),
}

/// The permissions of one request, as they are collected.
pub(crate) struct Needs<'a> {
    pub(crate) request: &'a Request,
    pub(crate) objects: &'a dyn Objects,
    /// The operation's own action.
    action: String,
    list: Vec<Need>,
}

impl<'a> Needs<'a> {
    /// Every permission that the request needs, if its operation asks for this.
    pub(crate) fn of(request: &'a Request, objects: &'a dyn Objects, asks: &[Ask]) -> Vec<Need> {
        let mut needs = Self { request, objects, action: request.operation().to_string(), list: Vec::new() };
        for ask in asks {
            match ask {
                Ask::Any => needs.push("*".to_owned(), needs.plain()),
                Ask::New(kind) => needs.create_named(*kind, "*", Vec::new()),
                Ask::Named(kind, parameter) => needs.named(*kind, parameter),
                Ask::Each(kind, parameter) => needs.all(*kind, parameter),
                Ask::By(collect) => collect(&mut needs),
            }
        }
        // A call that names nothing that is there still needs its own action.
        if needs.list.is_empty() && !asks.is_empty() {
            needs.push("*".to_owned(), needs.plain());
        }
        needs.list
    }

    pub(crate) fn push(&mut self, resource: String, context: Context) {
        self.list.push(Need { action: self.action.clone(), resource, context });
    }

    pub(crate) fn push_action(&mut self, action: &str, resource: String, context: Context) {
        self.list.push(Need { action: action.to_owned(), resource, context });
    }

    /// What every request is made with.
    pub(crate) fn plain(&self) -> Context {
        let region = self.objects.region();
        Context::new().with("aws:RequestedRegion", region).with("ec2:Region", region)
    }

    pub(crate) fn arn(&self, kind: ResourceType, id: &str) -> String {
        kind.arn(self.objects.region(), self.objects.account_id(), id)
    }

    /// The tags that the request gives.
    pub(crate) fn request_tags(&self, mut context: Context) -> Context {
        for (key, value) in self.request.arg("Tags").as_map().into_iter().flatten() {
            context.add(&format!("aws:RequestTag/{key}"), value.as_str().unwrap_or_default());
            context.add("aws:TagKeys", &**key);
        }
        context
    }

    /// What an object that is there is asked about with.
    pub(crate) fn known(&self, kind: ResourceType, id: &str) -> Context {
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
    pub(crate) fn existing(&mut self, kind: ResourceType, id: &str) {
        let (resource, context) = (self.arn(kind, id), self.known(kind, id));
        self.push(resource, context);
    }

    /// On the object that an argument names.
    pub(crate) fn named(&mut self, kind: ResourceType, parameter: &str) {
        let action = self.action.clone();
        self.named_for(&action, kind, parameter);
    }

    /// The same for an action beside the operation's own.
    pub(crate) fn named_for(&mut self, action: &str, kind: ResourceType, parameter: &str) {
        let id = self.request.text(parameter);
        // RDS knows its names in small letters.
        let id = if kind.is_rds() { id.to_ascii_lowercase() } else { id.to_owned() };
        self.push_action(action, self.arn(kind, &id), self.known(kind, &id));
    }

    /// On every object that an argument lists.
    pub(crate) fn all(&mut self, kind: ResourceType, parameter: &str) {
        for id in self.request.texts(parameter) {
            self.existing(kind, &id);
        }
    }

    /// On a new object, and to tag it if the request has tags.
    pub(crate) fn create_named(&mut self, kind: ResourceType, id: &str, keys: Vec<(&'static str, String)>) {
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

    pub(crate) fn tagging(&self, context: Context, adds: bool) -> Context {
        if adds {
            return self.request_tags(context);
        }
        self.request.texts("TagKeys").into_iter().fold(context, |context, key| context.with("aws:TagKeys", &*key))
    }
}

/// The key with this value, if there is one.
pub(crate) fn condition(key: &'static str, value: &Value) -> Option<(&'static str, String)> {
    match value {
        Value::Null | Value::List(_) | Value::Map(_) | Value::Ref(..) | Value::Secret(_) => None,
        Value::Str(text) => Some((key, text.to_string())),
        Value::Bool(flag) => Some((key, flag.to_string())),
        Value::Number(number) => Some((key, number.to_string())),
    }
}
