//! Gateway endpoints: route tables lead to a service of AWS by one.

pub(crate) mod need;
pub(crate) mod rules;

use std::collections::{BTreeMap, BTreeSet};

use aloka_core::api::Request;
use aloka_core::kind::Kind;
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use self::rules as rule;
use crate::aws::durations::Transition;
use crate::aws::ec2::route_table::RouteTable;
use crate::aws::ec2::vpc::Vpc;
use crate::aws::error::{Answer, IdFormat};
use crate::aws::record::{Meta, Record, Tags, Text, object, tags_value};
use crate::aws::{Account, ObjectKind, quotas};
use crate::rng::fnv128;
use crate::rules::Refusal;

/// The services that have gateway endpoints (VPC user guide).
const SERVICES: [&str; 2] = ["dynamodb", "s3"];

/// A gateway endpoint.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct VpcEndpoint {
    pub(crate) meta: Meta,
    pub(crate) vpc: Text,
    service: Text,
    tables: BTreeSet<Text>,
    /// When it is `available`.
    ready: Instant,
    /// When its deletion is done.
    gone: Option<Instant>,
    /// True for one of somebody else.
    #[serde(default)]
    foreign: bool,
}

impl Record for VpcEndpoint {
    const FORMAT: IdFormat = IdFormat::ENDPOINT;
    const LIST: (&'static str, &'static str) = ("VpcEndpointIds", "VpcEndpoints");
    const FILTERS: &'static [&'static str] =
        &["vpc-endpoint-id", "vpc-id", "vpc-endpoint-state", "vpc-endpoint-type", "service-name"];
    const KIND: ObjectKind = ObjectKind::Resource(Kind::VpcEndpoint);

    fn table(account: &Account) -> &BTreeMap<Text, Self> {
        &account.endpoints
    }

    fn table_mut(account: &mut Account) -> &mut BTreeMap<Text, Self> {
        &mut account.endpoints
    }

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn counts(&self, _now: Instant) -> bool {
        !self.foreign
    }

    fn filtered(&self, _account: &Account, now: Instant, filter: &str) -> Vec<Text> {
        vec![match filter {
            "vpc-endpoint-id" => self.meta.id.clone(),
            "vpc-id" => self.vpc.clone(),
            "vpc-endpoint-state" => self.state(now).into(),
            "vpc-endpoint-type" => "Gateway".into(),
            "service-name" => self.service.clone(),
            _ => return Vec::new(),
        }]
    }

    fn describe(&self, account: &Account, now: Instant) -> Value {
        object([
            ("OwnerId", (&account.options.account_id).into()),
            ("PrivateDnsEnabled", false.into()),
            ("RequesterManaged", false.into()),
            ("RouteTableIds", Value::list(self.tables.iter())),
            ("ServiceName", (&self.service).into()),
            ("State", self.state(now).into()),
            ("Tags", tags_value(&self.meta.tags)),
            ("VpcEndpointId", (&self.meta.id).into()),
            ("VpcEndpointType", "Gateway".into()),
            ("VpcId", (&self.vpc).into()),
        ])
    }
}

impl VpcEndpoint {
    fn state(&self, now: Instant) -> &'static str {
        match self.gone {
            Some(_) => "deleting",
            None if now < self.ready => "pending",
            None => "available",
        }
    }

    /// The list of the service's addresses, which AWS keeps: one in each Region. That of S3 in us-east-1 is the real one.
    fn prefix_list(&self) -> String {
        match &*self.service {
            "com.amazonaws.us-east-1.s3" => "pl-63a5400a".to_owned(),
            other => format!("pl-{:08x}", fnv128(other.as_bytes()) & 0xffff_ffff),
        }
    }

    /// Its route in a table; none in one that it does not have, or once it is being deleted.
    pub(crate) fn route(&self, table: &str) -> Option<Value> {
        let has = self.gone.is_none() && self.tables.contains(table);
        has.then(|| {
            object([
                ("DestinationPrefixListId", self.prefix_list().into()),
                ("GatewayId", (&self.meta.id).into()),
                ("Origin", "CreateRoute".into()),
                ("State", "active".into()),
            ])
        })
    }
}

impl Account {
    /// The tables that an argument lists, if an endpoint for this service in this VPC can have them.
    fn free_tables(
        &self,
        now: Instant,
        request: &Request,
        parameter: &str,
        vpc: &str,
        service: &str,
    ) -> Result<BTreeSet<Text>, Refusal> {
        let mut tables = BTreeSet::new();
        for id in request.texts(parameter) {
            let table = self.get::<RouteTable>(now, &id)?;
            if *table.vpc != *vpc {
                return Err(rule::TABLE_NETWORK.refuse([&id, &vpc]));
            }
            let other = self.endpoints.values().find(|other| *other.service == *service && other.route(&id).is_some());
            if let Some(other) = other {
                return Err(rule::TABLE_TAKEN.refuse([&id, &other.prefix_list()]));
            }
            tables.insert(id);
        }
        Ok(tables)
    }

    pub(crate) fn create_vpc_endpoint(&mut self, now: Instant, request: &Request) -> Answer {
        if let Some(id) = self.made_by_token(request)?.and_then(|ids| ids.into_iter().next())
            && self.endpoints.contains_key(&id)
        {
            return Ok(object([("VpcEndpoint", self.described::<VpcEndpoint>(now, &id))]));
        }
        let (vpc, service) = (request.text("VpcId"), request.text("ServiceName"));
        if let Some(other) = request.arg("VpcEndpointType").as_str().filter(|kind| *kind != "Gateway") {
            return Err(rule::INTERFACE.refuse([&other]));
        }
        let known = SERVICES.iter().any(|name| service == format!("com.amazonaws.{}.{name}", self.options.region));
        if !known {
            return Err(rule::SERVICE.refuse([&service]));
        }
        let vpc = self.get::<Vpc>(now, vpc)?.meta.id.clone();
        let tables = self.free_tables(now, request, "RouteTableIds", &vpc, service)?;
        let tags = self.new_tags(request)?;
        quotas::room(self.endpoints.len(), self.quotas.gateway_endpoints, &rule::QUOTA)?;
        let ready = now + self.duration(Transition::EndpointCreate);
        let id = self.new_id("vpce-");
        let meta = self.new_meta(now, id.clone(), tags);
        let service = service.into();
        self.endpoints
            .insert(id.clone(), VpcEndpoint { meta, vpc, service, tables, ready, gone: None, foreign: false });
        self.remember_token(request, vec![id.clone()]);
        Ok(object([("VpcEndpoint", self.described::<VpcEndpoint>(now, &id))]))
    }

    /// Puts an endpoint for S3 of other people's on a VPC, which no route table has; answers its identifier. It stays until it
    /// is [removed](Self::remove_foreign).
    pub fn attach_endpoint(&mut self, now: Instant, vpc: &str, tags: Tags) -> String {
        let id = self.new_id("vpce-");
        let meta = self.new_meta(now, id.clone(), tags);
        let service = format!("com.amazonaws.{}.s3", self.options.region).into();
        let (vpc, tables) = (vpc.into(), BTreeSet::new());
        self.endpoints
            .insert(id.clone(), VpcEndpoint { meta, vpc, service, tables, ready: now, gone: None, foreign: true });
        id.to_string()
    }

    /// False if it is not there, or not of other people.
    pub(crate) fn remove_foreign_endpoint(&mut self, id: &str) -> bool {
        self.endpoints.get(id).is_some_and(|endpoint| endpoint.foreign) && self.endpoints.remove(id).is_some()
    }

    pub(crate) fn modify_vpc_endpoint(&mut self, now: Instant, request: &Request) -> Answer {
        let id = request.text("VpcEndpointId");
        let VpcEndpoint { vpc, service, tables, .. } = self.get::<VpcEndpoint>(now, id)?.clone();
        let added = self.free_tables(now, request, "AddRouteTableIds", &vpc, &service)?;
        let removed = request.texts("RemoveRouteTableIds");
        for table in &removed {
            self.get::<RouteTable>(now, table)?;
            if !tables.contains(table) {
                return Err(rule::TABLE_NOT_ITS.refuse([table, &id]));
            }
        }
        let endpoint = self.get_mut::<VpcEndpoint>(now, id)?;
        endpoint.tables.extend(added);
        endpoint.tables.retain(|table| !removed.contains(table));
        Ok(object([]))
    }

    /// Each is looked at by itself; the first that is refused is the answer, as the driver has it.
    pub(crate) fn delete_vpc_endpoints(&mut self, now: Instant, request: &Request) -> Answer {
        let mut refused = None;
        for id in request.texts("VpcEndpointIds") {
            match self.get::<VpcEndpoint>(now, &id) {
                Err(refusal) => refused = refused.or(Some(refusal)),
                Ok(endpoint) if endpoint.gone.is_some() => {}
                Ok(_) => {
                    let gone = now + self.duration(Transition::EndpointDelete);
                    self.get_mut::<VpcEndpoint>(now, &id)?.gone = Some(gone);
                    self.expire(gone, id);
                }
            }
        }
        match refused {
            Some(refusal) => Err(refusal),
            None => Ok(object([])),
        }
    }

    /// Endpoints have a route table no more that is deleted.
    pub(crate) fn forget_table(&mut self, table: &str) {
        for endpoint in self.endpoints.values_mut() {
            endpoint.tables.remove(table);
        }
    }
}
