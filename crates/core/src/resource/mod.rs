//! What each kind of resource is, a file a kind: its attributes, how it is identified, read, found again, made, changed and
//! deleted, what it waits for, and what it means to others.
//!
//! A kind is a [`Definition`], which has no default: a new duty fails to compile in every kind until each has answered it.
//! [`Kind::definition`] is the one place that leads from a kind to its file.

mod attribute;
mod context;
mod db_instance;
mod db_subnet_group;
mod default_security_group;
mod eip;
mod group_rules;
mod instance;
mod internet_gateway;
mod nat_gateway;
mod observed;
mod procedures;
mod recorded;
mod route;
mod route_table;
mod route_table_association;
pub mod schema;
mod security_group;
mod subnet;
mod vpc;
mod vpc_endpoint;

use std::sync::Arc;

use crate::address::Address;
use crate::api::{Call, Operation, Rds};
use crate::identity;
use crate::intern;
use crate::kind::Kind;
use crate::procedure::{Lookup, Step};
use crate::value::{Value, ValueMap};

pub use self::attribute::{Attribute, Compare, OnChange};
pub use self::context::{AttributeChange, Context, Ending};
pub use self::db_instance::{
    BACKUP_RETENTION, DATABASE_INTERFACE, DELETE_AUTOMATED_BACKUPS, DELETION_PROTECTION, FAILED as DB_FAILED,
    FINAL_SNAPSHOT_IDENTIFIER, LOGS_EXPORTS, MANAGE_MASTER_USER_PASSWORD, MAX_ALLOCATED_STORAGE, PASSWORD,
    READY as DB_READY, SKIP_FINAL_SNAPSHOT, STUCK as DB_STUCK, interfaces as database_interfaces,
};
pub use self::db_subnet_group::arn as subnet_group_arn;
pub use self::instance::root_block_device;
pub use self::observed::{Attributes, Phase, Place, attributes, phase, waits_for_its_owner, why};
pub use self::recorded::Recorded;
pub use self::route::route_id;

/// The attribute with all tags of an object.
pub const ALL_TAGS: &str = "tags_all";
/// The attribute with the object's own tags.
pub const OWN_TAGS: &str = "tags";

/// Everything that the rest of the core has to know of one kind.
pub struct Definition {
    /// The schema version that the Terraform AWS provider 5.100 writes for this type (fixtures/terraform-aws).
    pub schema_version: u64,
    /// Settings of the Terraform provider itself, which it records among the attributes and AWS knows nothing of, with their
    /// defaults (provider 5.100): without them Terraform would plan to set them.
    pub provider_settings: &'static [(&'static str, bool)],
    /// The attributes, sorted by name.
    pub attributes: &'static [Attribute],
    /// The types of attributes that Terraform's AWS provider does not declare as strings, up to release 5.100. Old states hold
    /// deprecated and removed attributes, so these are listed too.
    pub types: schema::Types,
    /// Names of attributes that are secrets in the provider's schema: never written, never shown.
    pub secrets: &'static [&'static str],
    /// Attributes of which a change is recorded and nothing else: AWS knows nothing of them.
    pub recorded_only: &'static [&'static str],
    /// The variable that an attribute follows from, if it is one alone.
    pub variables: &'static [Origin],
    /// The attribute by which AWS itself tells objects of this kind apart in an account and Region, if its owner chooses it.
    pub name_attribute: Option<&'static str>,
    /// The attribute that others name it by.
    pub reference: &'static str,
    /// How identifiers of this kind begin, up to the dash; `None` if they tell nothing.
    pub id_prefix: Option<&'static str>,
    /// The identifier of an object to which AWS gives none, made of its attributes.
    pub derived_id: Option<fn(&ValueMap) -> Option<String>>,
    /// How Terraform's import names one.
    pub import: Import,
    /// Where it is listed.
    pub listing: Listing,
    /// The filter by which those of one VPC are listed, if they are looked for there when a stack is adopted.
    pub in_vpc: Option<&'static str>,
    /// What else is read of one that is recorded with these attributes, under this identifier.
    pub also_read: fn(&ValueMap, &str, &Place) -> Vec<Call>,
    /// The calls that make one, each with the field of its reply that identifies it.
    pub made_by: &'static [(Operation, &'static str)],
    /// The attributes by which AWS's object is recognized as the one that is declared, if what they say is enough to tell it
    /// from the others in its VPC.
    pub told_apart_by: Option<&'static [&'static str]>,
    /// How the object of a creation whose answer was lost is found.
    pub found: Found,
    /// Which calls tag it, and where its tags are told.
    pub tagging: Tagging,
    /// How its own objects are looked for when a destroy is over, and which command removes one.
    pub swept: &'static [Swept],
    /// Takes from AWS's description what it says of the attributes; `None` if the object that is meant is not in it.
    pub observe: fn(&mut Attributes<'_>, &ValueMap) -> Option<()>,
    /// The object as AWS would list it, from what is recorded of it, as far as its place and its name tell it; `None` for a part
    /// of another object.
    pub describe: fn(&Recorded<'_>) -> Option<Value>,
    /// Where the object stands in its life.
    pub phase: fn(&Value) -> Phase,
    /// Makes it. What it has to wait for follows: see `settle`.
    pub create: fn(&Context<'_>) -> Vec<Step>,
    /// Waits until it has settled; nothing for what is ready at once.
    pub settle: fn(&Context<'_>) -> Vec<Step>,
    /// What a new object gets once it has settled.
    pub finish: fn(&Context<'_>) -> Vec<Step>,
    /// Changes the attributes that differ, tags aside, and waits for it. What is told as `stays_stopped` is neither stopped
    /// nor started.
    pub update: fn(&Context<'_>, &[AttributeChange], bool) -> Vec<Step>,
    /// Destroys the object, which is in this phase, and waits until it is gone.
    pub delete: fn(&Context<'_>, Option<&Phase>) -> Vec<Step>,
    /// Whether AWS makes it and deletes it with its VPC: it is found and not made, and forgotten and not deleted.
    pub is_aws_own: bool,
    /// Whether a new one can stand beside the old one that it replaces.
    pub stands_beside_its_successor: bool,
    /// The attribute that names the object that this one is a part of: it is whose that is.
    pub part_of: Option<&'static str>,
    /// What holds it although no attribute says so.
    pub ties: &'static [Tie],
    /// What others may lose with it.
    pub used_by_others: Use,
    /// What it means to who can reach what.
    pub network: Network,
}

/// A variable that an attribute follows from.
pub struct Origin {
    /// The name in the configuration of the resources that it is so for; empty for all.
    pub name: &'static str,
    /// The attribute.
    pub attribute: &'static str,
    /// The variable.
    pub variable: &'static str,
}

/// How Terraform's import names an object.
pub enum Import {
    /// By this attribute.
    By(&'static str),
    /// By the names of two attributes, with a separator between their values.
    Pair {
        /// Between the two.
        separator: char,
        /// The attributes.
        names: [&'static str; 2],
        /// An example.
        form: &'static str,
    },
}

/// Where objects of a kind are listed.
#[derive(Clone, Copy)]
pub struct Listing {
    /// The kind whose list it is: another one for what is listed as a part of it, or among its objects.
    pub kind: Kind,
    /// The read.
    pub operation: Operation,
    /// Its argument for identifiers.
    pub argument: &'static str,
    /// Its filter by identifiers; `None` if it takes one name alone, in its argument.
    pub filter: Option<&'static str>,
    /// Another read with a filter by the same identifiers, if it takes two to tell all.
    pub beside: Option<(Operation, &'static str)>,
    /// The list in the reply.
    pub list: &'static str,
    /// The path of the first item.
    pub first: &'static str,
    /// The identifier in an item.
    pub id: &'static str,
    /// The attribute that holds this identifier.
    pub attribute: &'static str,
}

/// How the object of a creation whose answer was lost is found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// By a filter for our tags.
    ByTags,
    /// By its name; its tags tell whose it is.
    ByName,
    /// By its name, of which nothing but its tags are read, to tell whose it is.
    ByTagsOfName,
    /// By its place in another object.
    ByPlace,
}

/// Which calls tag an object, and where its tags are told.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tagging {
    /// It has none.
    None,
    /// EC2's calls; its description has them.
    Ec2,
    /// RDS's calls; its description has them.
    Rds,
    /// RDS's calls; they are read by its ARN.
    RdsApart,
}

/// How objects are looked for when a destroy is over.
pub struct Swept {
    /// The Terraform type.
    pub terraform_type: &'static str,
    /// The read.
    pub operation: Operation,
    /// List in the reply; empty if the reply tells of one object.
    pub list: &'static str,
    /// The identifier in an item.
    pub id: &'static str,
    /// The command of AWS's own tool that removes one; the identifier follows.
    pub remove: &'static str,
}

/// Something that an object needs, and that AWS holds for it, although no attribute names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// The internet gateways.
    InternetGateways,
    /// The routes to an internet gateway.
    PublicRoutes,
    /// The associations of its subnet.
    AssociationsOfItsSubnet,
}

/// What others may lose with an object that goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Nothing: it goes with what it holds.
    Nothing,
    /// The object under its identifier, or its name if it has one. AWS keeps it while somebody uses it.
    Held,
    /// The same, but AWS deletes it all the same.
    CutOff,
    /// All that is in it. AWS keeps it while something is.
    Network,
    /// The way to a destination.
    Way,
    /// The table of a subnet.
    Table,
    /// What its rules let through: it is emptied.
    Rules,
}

/// What an object means to who can reach what (`crate::network`).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing, beyond what others name it for.
    Nothing,
    /// Packets can come to it.
    Host {
        /// The port that it listens on unless it says otherwise; `None` if it may listen on any.
        port: Option<u16>,
    },
    /// Rules that let packets through.
    Group,
    /// Routes in route tables.
    Routes {
        /// The attribute that names the table, or lists the tables.
        tables: &'static str,
        /// The attribute with the addresses of the destination; `None` for services of AWS, whose addresses AWS alone knows,
        /// and from which nothing comes in by such a route.
        destination: Option<&'static str>,
    },
}

/// Where the objects of each kind are listed, those of EC2 first. What is listed in another's place (routes, associations,
/// the default group) is not repeated.
pub fn listings() -> Vec<Listing> {
    let listings = || Kind::ALL.into_iter().map(|kind| (kind, kind.definition().listing));
    let own = || listings().filter(|(kind, listing)| listing.kind == *kind).map(|(_, listing)| listing);
    let has_filter = |listing: &Listing| listing.filter.is_some();
    own().filter(has_filter).chain(own().filter(|listing| !has_filter(listing))).collect()
}

impl Kind {
    /// What this kind is.
    pub const fn definition(self) -> &'static Definition {
        match self {
            Self::DbInstance => &db_instance::DEFINITION,
            Self::DbSubnetGroup => &db_subnet_group::DEFINITION,
            Self::DefaultSecurityGroup => &default_security_group::DEFINITION,
            Self::Eip => &eip::DEFINITION,
            Self::Instance => &instance::DEFINITION,
            Self::InternetGateway => &internet_gateway::DEFINITION,
            Self::NatGateway => &nat_gateway::DEFINITION,
            Self::Route => &route::DEFINITION,
            Self::RouteTable => &route_table::DEFINITION,
            Self::RouteTableAssociation => &route_table_association::DEFINITION,
            Self::SecurityGroup => &security_group::DEFINITION,
            Self::Subnet => &subnet::DEFINITION,
            Self::Vpc => &vpc::DEFINITION,
            Self::VpcEndpoint => &vpc_endpoint::DEFINITION,
        }
    }

    /// The attributes of this kind, sorted by name.
    pub const fn attributes(self) -> &'static [Attribute] {
        self.definition().attributes
    }

    /// The attribute called `name`, if the kind has it.
    pub fn attribute(self, name: &str) -> Option<&'static Attribute> {
        self.attributes().iter().find(|attribute| attribute.name == name)
    }

    /// The attribute by which AWS itself tells objects of this kind apart: its name, or its identifier.
    pub fn key_attribute(self) -> &'static str {
        self.definition().name_attribute.unwrap_or("id")
    }

    /// True if the attribute is a secret, in the provider's schema: never written, never shown.
    pub fn is_secret(self, attribute: &str) -> bool {
        self.definition().secrets.contains(&attribute)
    }

    /// True if a change of the attribute is recorded and nothing else: AWS knows nothing of it.
    pub fn is_recorded_only(self, attribute: &str) -> bool {
        self.definition().recorded_only.contains(&attribute)
    }

    /// True if AWS keeps tags on objects of this kind.
    pub fn is_taggable(self) -> bool {
        self.definition().tagging != Tagging::None
    }
}

/// The kind of an EC2 object, by its identifier. Other services and emulators name the types of tagged resources
/// differently, the prefixes of identifiers are the same everywhere.
pub fn kind_of_id(id: &str) -> Option<Kind> {
    let (prefix, _) = id.split_once('-')?;
    Kind::ALL.into_iter().find(|kind| kind.definition().id_prefix == Some(prefix))
}

/// The identifier of an object to which AWS gives none, made of its attributes; `None` if AWS gives one.
pub fn derived_id(kind: Kind, attributes: &ValueMap) -> Option<String> {
    kind.definition().derived_id.and_then(|of| of(attributes))
}

/// The read that tells everything about one object, and the path of the object in its reply.
pub fn read(kind: Kind, attributes: &ValueMap, id: Value) -> (Call, &'static str) {
    let Listing { operation, argument, filter, first, attribute, .. } = kind.definition().listing;
    let id = if attribute == "id" { id } else { attributes.get(attribute).cloned().unwrap_or_default() };
    let id = if filter.is_some() { Value::List(vec![id]) } else { id };
    (Call::new(operation, [(argument, id)]), first)
}

/// The read that finds the object of a creation whose answer was lost, by our tags.
pub fn lookup(
    address: &Address,
    attributes: &ValueMap,
    lineage: &Arc<str>,
    generation: u32,
    place: &Place,
) -> Option<Lookup> {
    let Definition { listing, found, .. } = address.kind.definition();
    let tags = identity::tags(lineage, address, generation);
    let name = || attributes.get(listing.attribute).cloned().unwrap_or_default();
    let (call, list) = match found {
        Found::ByTags => {
            let filter = |(name, value): (&Arc<str>, &Value)| {
                (intern::key(&format!("tag:{name}")), Value::List(vec![value.clone()]))
            };
            let filters: ValueMap = tags.iter().map(filter).collect();
            (Call::new(listing.operation, [("Filters", Value::Map(filters))]), listing.list)
        }
        Found::ByName => (Call::new(listing.operation, [(listing.argument, name())]), listing.list),
        Found::ByTagsOfName => {
            let arn = db_subnet_group::arn(place, name().as_str().unwrap_or_default());
            (Call::new(Rds::ListTagsForResource, [("ResourceName", arn)]), "")
        }
        Found::ByPlace => return None,
    };
    Some(Lookup { call, list: intern::text(list), tags })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_are_in_themselves_consistent() {
        for kind in Kind::ALL {
            let definition = kind.definition();
            assert!(kind.attributes().is_sorted_by_key(|attribute| attribute.name), "{kind}");
            let named = [definition.name_attribute, definition.part_of, Some(definition.listing.attribute)];
            let named = named.into_iter().flatten().chain(definition.recorded_only.iter().copied());
            let named = named.chain(definition.variables.iter().map(|origin| origin.attribute));
            let named = named.chain(definition.told_apart_by.into_iter().flatten().copied());
            for name in named {
                assert!(kind.attribute(name).is_some(), "{kind} has no attribute {name}");
            }
            assert_eq!(definition.listing.first, format!("{}.0", definition.listing.list), "{kind}");
            let listed_with = definition.listing.kind.definition();
            assert_eq!(listed_with.listing.operation, definition.listing.operation, "{kind}");
            assert_eq!(kind.is_taggable(), kind.attribute(OWN_TAGS).is_some(), "{kind}");
            assert!(definition.made_by.iter().all(|(operation, _)| operation.is_mutating()), "{kind}");
            // What carries tags and is made by us is looked for once a destroy is over.
            assert_eq!(definition.swept.is_empty(), definition.found == Found::ByPlace, "{kind}");
        }
    }

    #[test]
    fn every_creation_makes_one_kind() {
        let makers: Vec<Operation> =
            Kind::ALL.iter().flat_map(|kind| kind.definition().made_by).map(|(operation, _)| *operation).collect();
        for operation in Operation::ALL.iter().filter(|operation| operation.is_creating()) {
            assert_eq!(makers.iter().filter(|other| *other == operation).count(), 1, "{operation}");
        }
    }
}
