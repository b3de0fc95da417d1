//! The architecture as data: variables in, declared resources out. One short function per tier.
//!
//! References between resources are the real dependencies and nothing else: the database never waits for the NAT
//! gateway, the application server waits for its route to the internet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::address::Address;
use crate::boot;
use crate::declarable::ZONES_MAX;
use crate::intern;
use crate::kind::Kind;
use crate::resource::MANAGE_MASTER_USER_PASSWORD;
use crate::rules;
use crate::secret::DB_PASSWORD;
use crate::settings::{SETTINGS, left_to_owner};
use crate::state::Choices;
use crate::value::{Value, ValueMap};
use crate::variables::Variables;

/// Everything, as routes and rules write it.
pub const ANYWHERE: &str = "0.0.0.0/0";
/// The port PostgreSQL listens on.
pub const POSTGRES_PORT: u16 = 5432;

/// One declared resource.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Declared {
    /// Attributes; what is not here is left to AWS.
    pub attributes: ValueMap,
    /// Dependencies that no attribute shows.
    pub depends_on: Vec<Address>,
    /// Attributes that are sent on create only and not forced onto what exists.
    pub create_only: Vec<&'static str>,
}

impl Declared {
    /// Every resource this one needs, each once.
    pub fn dependencies(&self) -> Vec<Address> {
        let mut found: Vec<Address> = self.depends_on.clone();
        for value in self.attributes.values() {
            value.visit_refs(&mut |address, _| found.push(address.clone()));
        }
        found.sort();
        found.dedup();
        found
    }
}

/// The declared stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stack {
    /// Resources by address.
    pub resources: BTreeMap<Address, Declared>,
    /// Keys of the tags that the variables name.
    pub tag_keys: BTreeSet<Arc<str>>,
    /// Outputs by name.
    pub outputs: BTreeMap<String, Value>,
    /// What the application servers run at first boot.
    pub user_data: Arc<str>,
    /// Device name of the application servers' root volume.
    pub root_device_name: Arc<str>,
}

/// How many zones the subnets are spread over.
pub fn zones_needed(variables: &Variables) -> usize {
    if variables.availability_zones.is_empty() {
        variables.public_subnet_cidrs.len().max(variables.private_subnet_cidrs.len()).max(2)
    } else {
        variables.availability_zones.len()
    }
}

/// The address of application server `index` of `count`: without index while there is one.
pub fn app_address(index: u32, count: u32) -> Address {
    if count == 1 { Address::root(Kind::Instance, "app") } else { Address::root_at(Kind::Instance, "app", index) }
}

/// The identifier of the database.
pub fn db_identifier(variables: &Variables) -> String {
    format!("{}-{}-db", variables.project_name, variables.environment)
}

/// The name of the database's subnet group.
pub fn db_subnet_group_name(variables: &Variables) -> String {
    format!("{}-db-subnet-group", variables.project_name)
}

/// The route to everywhere of a route table: the only one that a table may have beside AWS's own.
pub fn default_route(table: &Address) -> Address {
    let name = if &*table.name == "public" { "public_internet_gateway" } else { "private_nat_gateway" };
    Address::vpc(Kind::Route, name, table.index.unwrap_or(0))
}

/// The name of the private route table of a zone, if there are several.
pub fn private_table_name(variables: &Variables, zone: &str) -> String {
    format!("{}-vpc-private-{zone}", variables.project_name)
}

/// The name of security group `aws_security_group.NAME`.
pub fn group_name(variables: &Variables, name: &str) -> String {
    format!("{}-{name}-sg", variables.project_name)
}

/// The name of application server `at`.
pub fn app_name(variables: &Variables, at: u32) -> String {
    let name = format!("{}-app", variables.project_name);
    if variables.app_instance_count > 1 { format!("{name}-{at}") } else { name }
}

/// Which public subnet application server `at` is in.
pub fn app_subnet(variables: &Variables, at: u32) -> u32 {
    at % index(variables.public_subnet_cidrs.len()).max(1)
}

/// The tags of an object called `name`; those that tell its address and generation come on top.
pub fn tags(variables: &Variables, name: &str) -> ValueMap {
    let mut tags: ValueMap = variables.tags.iter().map(|(k, v)| (intern::key(k), Value::from(v))).collect();
    let common = [
        ("Project", variables.project_name.as_str()),
        ("Environment", variables.environment.as_str()),
        ("ManagedBy", "aloka"),
        ("Name", name),
    ];
    for (key, value) in common {
        tags.insert_if_absent(intern::key(key), || Value::str(value));
    }
    tags
}

/// Config addresses of everything a resource needs, directly or not; computed once for each config address. The stack
/// must have no cycles.
#[derive(Clone, Debug, Default)]
pub struct Closures(BTreeMap<Address, Arc<[Arc<str>]>>);

impl Closures {
    /// What the resource at `address` needs, sorted.
    pub fn of(&mut self, stack: &Stack, address: &Address) -> Arc<[Arc<str>]> {
        let config = address.config();
        if let Some(known) = self.0.get(&config) {
            return known.clone();
        }
        let mut all: BTreeSet<Arc<str>> = BTreeSet::new();
        if let Some(declared) = stack.resources.get(address) {
            for dependency in declared.dependencies() {
                all.insert(Arc::from(dependency.config().to_string()));
                all.extend(self.of(stack, &dependency).iter().cloned());
            }
        }
        let all: Arc<[_]> = all.into_iter().collect();
        self.0.insert(config, all.clone());
        all
    }
}

/// The stack these variables declare. `choices` must hold a zone, an image and an engine version.
pub fn stack(variables: &Variables, choices: &Choices, user_data: Option<&str>) -> Stack {
    let mut builder = Builder {
        variables,
        choices,
        vpc_name: format!("{}-vpc", variables.project_name),
        stack: Stack {
            tag_keys: variables.tags.keys().map(|key| intern::text(key)).collect(),
            user_data: user_data.map_or_else(|| Arc::from(boot::script(variables)), Arc::from),
            root_device_name: Arc::from(choices.image.as_ref().map_or("/dev/xvda", |i| i.root_device_name.as_str())),
            ..Stack::default()
        },
    };
    builder.network();
    builder.nat();
    builder.routes();
    builder.security_groups();
    builder.database();
    builder.application(user_data.is_none());
    builder.outputs();
    builder.stack
}

struct Builder<'a> {
    variables: &'a Variables,
    choices: &'a Choices,
    vpc_name: String,
    stack: Stack,
}

/// The VPC.
pub fn vpc() -> Address {
    Address::vpc(Kind::Vpc, "this", 0)
}

/// The security group that comes with the VPC.
pub fn default_group() -> Address {
    Address::vpc(Kind::DefaultSecurityGroup, "this", 0)
}

fn gateway() -> Address {
    Address::vpc(Kind::InternetGateway, "this", 0)
}

fn index(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl Builder<'_> {
    fn declare<const N: usize>(&mut self, address: Address, attributes: [(&str, Value); N]) -> &mut Declared {
        let attributes =
            attributes.into_iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (intern::key(k), v)).collect();
        self.stack.resources.entry(address).or_insert(Declared { attributes, ..Declared::default() })
    }

    fn tags(&self, name: &str) -> Value {
        Value::Map(tags(self.variables, name))
    }

    fn zone(&self, position: usize) -> &str {
        let zones = &self.choices.availability_zones;
        position.checked_rem(zones.len()).and_then(|slot| zones.get(slot)).map_or("", String::as_str)
    }

    fn network(&mut self) {
        let name = self.vpc_name.clone();
        let vpc_id = Value::reference(vpc(), "id");
        let attributes = [
            ("cidr_block", Value::from(self.variables.vpc_cidr.to_string())),
            ("enable_dns_hostnames", true.into()),
            ("enable_dns_support", true.into()),
            ("instance_tenancy", Value::str("default")),
            ("tags", self.tags(&name)),
        ];
        self.declare(vpc(), attributes);
        let attributes = [("vpc_id", vpc_id.clone()), ("tags", self.tags(&name))];
        self.declare(gateway(), attributes);
        // Emptied, so that nothing is reachable through a group nobody chose.
        if self.variables.manage_default_security_group && !self.choices.leave_default_group {
            let attributes = [
                ("vpc_id", vpc_id.clone()),
                ("ingress", Value::EMPTY_LIST),
                ("egress", Value::EMPTY_LIST),
                ("tags", self.tags(&format!("{name}-default"))),
            ];
            self.declare(default_group(), attributes);
        }
        let variables = self.variables;
        for (tier, cidrs) in [("public", &variables.public_subnet_cidrs), ("private", &variables.private_subnet_cidrs)]
        {
            for (position, cidr) in cidrs.iter().enumerate() {
                let zone = self.zone(position).to_owned();
                let attributes = [
                    ("vpc_id", vpc_id.clone()),
                    ("cidr_block", Value::from(cidr.to_string())),
                    ("availability_zone", Value::from(&zone)),
                    ("tags", self.tags(&format!("{name}-{tier}-{zone}"))),
                ];
                let subnet = self.declare(Address::vpc(Kind::Subnet, tier, index(position)), attributes);
                // A subnet that stands may be in another zone than the slot that was chosen for it.
                if variables.availability_zones.is_empty() {
                    subnet.create_only.push("availability_zone");
                }
            }
        }
    }

    /// How many NAT gateways there would be: one, or one per zone.
    fn nat_count(&self) -> usize {
        if self.variables.single_nat_gateway {
            1
        } else {
            let zones = self.choices.availability_zones.len().min(ZONES_MAX as usize);
            zones.min(self.variables.public_subnet_cidrs.len()).max(1)
        }
    }

    fn nat(&mut self) {
        if !self.variables.enable_nat_gateway {
            return;
        }
        for position in 0..self.nat_count() {
            let name = format!("{}-{}", self.vpc_name, self.zone(position));
            let at = index(position);
            let address = Address::vpc(Kind::Eip, "nat", at);
            let attributes = [("domain", Value::str("vpc")), ("tags", self.tags(&name))];
            self.declare(address.clone(), attributes);
            let attributes = [
                ("allocation_id", Value::reference(address, "id")),
                ("connectivity_type", Value::str("public")),
                ("subnet_id", Value::reference(Address::vpc(Kind::Subnet, "public", at), "id")),
                ("tags", self.tags(&name)),
            ];
            // A NAT gateway made before the internet gateway is attached fails.
            self.declare(Address::vpc(Kind::NatGateway, "this", at), attributes).depends_on = vec![gateway()];
        }
    }

    fn routes(&mut self) {
        let name = self.vpc_name.clone();
        let public = Address::vpc(Kind::RouteTable, "public", 0);
        let attributes = [("vpc_id", Value::reference(vpc(), "id")), ("tags", self.tags(&format!("{name}-public")))];
        self.declare(public.clone(), attributes);
        let attributes = [
            ("route_table_id", Value::reference(public.clone(), "id")),
            ("destination_cidr_block", Value::str(ANYWHERE)),
            ("gateway_id", Value::reference(gateway(), "id")),
        ];
        self.declare(default_route(&public), attributes);
        for position in 0..self.variables.public_subnet_cidrs.len() {
            self.associate("public", index(position), public.clone());
        }

        let tables = self.nat_count();
        for position in 0..tables {
            let at = index(position);
            let table = Address::vpc(Kind::RouteTable, "private", at);
            let name = match tables {
                1 => format!("{name}-private"),
                _ => private_table_name(self.variables, self.zone(position)),
            };
            let attributes = [("vpc_id", Value::reference(vpc(), "id")), ("tags", self.tags(&name))];
            self.declare(table.clone(), attributes);
            if self.variables.enable_nat_gateway {
                let route = default_route(&table);
                let attributes = [
                    ("route_table_id", Value::reference(table, "id")),
                    ("destination_cidr_block", Value::str(ANYWHERE)),
                    ("nat_gateway_id", Value::reference(Address::vpc(Kind::NatGateway, "this", at), "id")),
                ];
                self.declare(route, attributes);
            }
        }
        for position in 0..self.variables.private_subnet_cidrs.len() {
            let table = Address::vpc(Kind::RouteTable, "private", index(position % tables));
            self.associate("private", index(position), table);
        }
        if self.variables.enable_s3_endpoint {
            let private = (0..tables).map(|position| Address::vpc(Kind::RouteTable, "private", index(position)));
            self.s3_endpoint(private.chain([public]));
        }
    }

    fn s3_endpoint(&mut self, tables: impl Iterator<Item = Address>) {
        let name = format!("{}-s3", self.vpc_name);
        let attributes = [
            ("route_table_ids", Value::list(tables.map(|table| Value::reference(table, "id")))),
            ("service_name", Value::from(format!("com.amazonaws.{}.s3", self.variables.aws_region))),
            ("vpc_endpoint_type", Value::str("Gateway")),
            ("vpc_id", Value::reference(vpc(), "id")),
            ("tags", self.tags(&name)),
        ];
        self.declare(Address::vpc(Kind::VpcEndpoint, "s3", 0), attributes);
    }

    fn associate(&mut self, tier: &str, at: u32, table: Address) {
        let attributes = [
            ("route_table_id", Value::reference(table, "id")),
            ("subnet_id", Value::reference(Address::vpc(Kind::Subnet, tier, at), "id")),
        ];
        self.declare(Address::vpc(Kind::RouteTableAssociation, tier, at), attributes);
    }

    fn security_groups(&mut self) {
        let everywhere = || Value::List(vec![rules::rule("-1", (0, 0), &[ANYWHERE.to_owned()], "")]);
        let (app, db) = (Address::root(Kind::SecurityGroup, "app"), Address::root(Kind::SecurityGroup, "db"));
        let mut ingress: Vec<Value> = Vec::new();
        for open in &self.variables.app_ingress {
            let cidrs: Vec<String> = open.cidr_blocks.iter().map(ToString::to_string).collect();
            ingress.push(rules::rule(&open.protocol, (open.from_port, open.to_port), &cidrs, &open.description));
        }
        ingress.push(rules::rule_from_itself("self"));
        let postgres = rules::rule_from_group(
            "tcp",
            (POSTGRES_PORT, POSTGRES_PORT),
            Value::reference(app.clone(), "id"),
            "PostgreSQL",
        );
        for (address, description, ingress) in [(app, "Application", ingress), (db, "Database", vec![postgres])] {
            let name = group_name(self.variables, &address.name);
            let attributes = [
                ("name", Value::from(&name)),
                ("description", Value::str(description)),
                ("vpc_id", Value::reference(vpc(), "id")),
                ("ingress", Value::List(ingress)),
                ("egress", everywhere()),
                ("tags", self.tags(&name)),
            ];
            self.declare(address, attributes);
        }
    }

    fn database(&mut self) {
        let variables = self.variables;
        if variables.db_subnet_group_name.is_none() {
            let group_name = db_subnet_group_name(variables);
            let subnets = (0..variables.private_subnet_cidrs.len())
                .map(|position| Value::reference(Address::vpc(Kind::Subnet, "private", index(position)), "id"));
            let attributes = [
                ("name", Value::from(&group_name)),
                ("description", Value::str("Managed by aloka")),
                ("subnet_ids", Value::list(subnets)),
                ("tags", self.tags(&group_name)),
            ];
            self.declare(Address::root(Kind::DbSubnetGroup, "main"), attributes);
        }
        let identifier = db_identifier(variables);
        let version = variables.db_engine_version.clone().or_else(|| self.choices.db_engine_version.clone());
        let managed = variables.db_manage_master_user_password;
        let password = if managed { Value::Null } else { Value::Secret(Arc::from(DB_PASSWORD)) };
        let attributes = [
            ("auto_minor_version_upgrade", true.into()),
            ("db_name", Value::from(&variables.db_name)),
            ("db_subnet_group_name", self.db_subnet_group()),
            ("engine", Value::str("postgres")),
            ("engine_version", version.into()),
            ("identifier", Value::from(&identifier)),
            ("instance_class", Value::from(&variables.db_instance_class)),
            (MANAGE_MASTER_USER_PASSWORD, managed.into()),
            ("password", password),
            ("publicly_accessible", false.into()),
            ("storage_encrypted", variables.db_storage_encrypted.into()),
            ("storage_type", Value::str("gp3")),
            ("tags", self.tags(&identifier)),
            ("username", Value::from(&variables.db_username)),
            (
                "vpc_security_group_ids",
                Value::List(vec![Value::reference(Address::root(Kind::SecurityGroup, "db"), "id")]),
            ),
        ];
        let kept = &self.choices.db_settings;
        let settings = SETTINGS.iter().map(|setting| (intern::key(setting.attribute), setting.wanted(variables, kept)));
        let settings: Vec<_> = settings.filter(|(_, value)| !value.is_null()).collect();
        let declared = self.declare(Address::root(Kind::DbInstance, "postgres"), attributes);
        declared.attributes.extend(settings);
        declared.create_only.extend(left_to_owner(variables).map(|setting| setting.attribute));
    }

    /// The group the database is in: one that is there, or the stack's own.
    fn db_subnet_group(&self) -> Value {
        match &self.variables.db_subnet_group_name {
            Some(name) => Value::from(name),
            None => Value::reference(Address::root(Kind::DbSubnetGroup, "main"), "name"),
        }
    }

    fn application(&mut self, default_user_data: bool) {
        let variables = self.variables;
        let count = variables.app_instance_count;
        let image = self.choices.image.as_ref();
        let size = variables.app_root_volume_gib.or_else(|| image.and_then(|image| image.root_volume_gib));
        let hash = Value::from(boot::user_data_hash(&self.stack.user_data));
        let group = Value::reference(Address::root(Kind::SecurityGroup, "app"), "id");
        for at in 0..count {
            let subnet = app_subnet(variables, at);
            let name = app_name(variables, at);
            let root = [
                ("delete_on_termination", Value::from(true)),
                ("encrypted", true.into()),
                ("volume_size", size.into()),
                ("volume_type", Value::str("gp3")),
            ];
            let root = Value::common_map(root.into_iter().filter(|(_, value)| !value.is_null()));
            let metadata = Value::common_map([
                ("http_endpoint", Value::str("enabled")),
                ("http_put_response_hop_limit", variables.app_metadata_hop_limit.into()),
                ("http_tokens", Value::str("required")),
            ]);
            let attributes = [
                ("ami", image.map(|image| Value::from(&image.id)).unwrap_or_default()),
                ("associate_public_ip_address", true.into()),
                ("instance_type", Value::from(&variables.app_instance_type)),
                ("metadata_options", Value::List(vec![metadata])),
                ("root_block_device", Value::List(vec![root])),
                ("subnet_id", Value::reference(Address::vpc(Kind::Subnet, "public", subnet), "id")),
                ("tags", self.tags(&name)),
                ("user_data", hash.clone()),
                ("vpc_security_group_ids", Value::List(vec![group.clone()])),
            ];
            let mut create_only = Vec::new();
            if default_user_data {
                create_only.push("user_data");
            }
            if variables.app_root_volume_gib.is_none() {
                create_only.push("root_block_device");
            }
            let declared = self.declare(app_address(at, count), attributes);
            // First boot installs packages: the way to the internet must be there.
            declared.depends_on = vec![
                Address::vpc(Kind::Route, "public_internet_gateway", 0),
                Address::vpc(Kind::RouteTableAssociation, "public", subnet),
            ];
            declared.create_only = create_only;
        }
    }

    fn outputs(&mut self) {
        let count = self.variables.app_instance_count;
        let of_apps = |attribute| match count {
            0 => Value::Null,
            1 => Value::reference(app_address(0, 1), attribute),
            _ => Value::list((0..count).map(|at| Value::reference(app_address(at, count), attribute))),
        };
        let group = |name| Value::reference(Address::root(Kind::SecurityGroup, name), "id");
        let outputs = [
            ("app_public_ip", of_apps("public_ip")),
            ("app_public_dns", of_apps("public_dns")),
            ("db_endpoint", Value::reference(Address::root(Kind::DbInstance, "postgres"), "endpoint")),
            ("db_subnet_group_name", self.db_subnet_group()),
            ("app_security_group_id", group("app")),
            ("db_security_group_id", group("db")),
            ("vpc_id", Value::reference(vpc(), "id")),
        ];
        self.stack.outputs = outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    }
}
