//! Who may do what in the account, and calls that only ask.

use std::sync::Arc;

use aloka_core::api::{ApiError, Ec2, ErrorClass, Operation, Request, Service};
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use crate::aws::ec2::eip::ElasticIp;
use crate::aws::ec2::instance::Instance;
use crate::aws::ec2::internet_gateway::Gateway;
use crate::aws::ec2::nat_gateway::Nat;
use crate::aws::ec2::route_table::RouteTable;
use crate::aws::ec2::security_group::Group;
use crate::aws::ec2::subnet::Subnet;
use crate::aws::ec2::volume::Volume;
use crate::aws::ec2::vpc::Vpc;
use crate::aws::ec2::vpc_endpoint::VpcEndpoint;
use crate::aws::record::{Record, Tags};
use crate::aws::{Account, Quotas, catalog};
use crate::iam::{Decision, Facts, Objects, Policy, ResourceType, refusal};
use crate::rules::{Refusal, access as rule};

impl Account {
    /// The same account, whose caller may do what `policy` allows; everything, if there is none.
    pub fn with_policy(self, policy: Option<Policy>) -> Self {
        Self { policy, ..self }
    }

    /// Who calls.
    pub(crate) fn principal(&self) -> String {
        format!("arn:aws:iam::{}:user/aloka", self.options.account_id)
    }

    /// Refuses a call that the policy does not allow.
    pub(crate) fn permit(&self, request: &Request) -> Result<(), Refusal> {
        let Some(policy) = &self.policy else { return Ok(()) };
        for need in super::needs(request, self) {
            let decision = policy.decide(&need.action, &need.resource, &need.context);
            if decision != Decision::Allowed {
                return Err(refusal(request.operation(), &self.principal(), &need, decision));
            }
        }
        Ok(())
    }

    /// What AWS answers to the call with `DryRun`: always an error. `DryRunOperation` means that it would have been
    /// carried out. Nothing changes, but the call counts against the rate limits.
    ///
    /// Permissions and parameters are checked, and that what they name is there; not whether quota, capacity and the
    /// state of things would let the call succeed. EC2 alone has such calls, and not for `ModifyVpcAttribute`; what
    /// the others say of the parameter is not documented.
    pub fn dry_run(&mut self, now: Instant, request: &Request, secrets: &Secrets) -> ApiError {
        let operation = request.operation();
        if operation.service() != Service::Ec2 || operation == Operation::Ec2(Ec2::ModifyVpcAttribute) {
            return self.refused(rule::NO_DRY_RUN.refuse([]));
        }
        self.sweep(now);
        if let Err(refusal) = self.admit(now, request) {
            return self.refused(refusal);
        }
        let mut copy = self.clone().with_quotas(Quotas::unlimited());
        // A log of a run: asked, AWS said yes, and refused the launch.
        copy.options.free_plan = false;
        match copy.dispatch(now, request, secrets) {
            Err(refusal) if is_about_parameters(ApiError::from(refusal.clone()).class) => self.refused(refusal),
            Ok(_) | Err(_) => self.refused(rule::DRY_RUN.refuse([])),
        }
    }

    fn refused(&mut self, refusal: Refusal) -> ApiError {
        self.refused_by = Some(refusal.rule);
        refusal.into()
    }
}

/// True for refusals that a call with `DryRun` meets too.
fn is_about_parameters(class: ErrorClass) -> bool {
    match class {
        ErrorClass::NotFound | ErrorClass::Refused | ErrorClass::Unauthorized | ErrorClass::Credentials => true,
        ErrorClass::Throttled
        | ErrorClass::Unknown
        | ErrorClass::AlreadyExists
        | ErrorClass::Conflict
        | ErrorClass::Capacity
        | ErrorClass::Quota
        | ErrorClass::NotImplemented => false,
    }
}

impl Objects for Account {
    fn region(&self) -> &str {
        &self.options.region
    }

    fn account_id(&self) -> &str {
        &self.options.account_id
    }

    /// An object that is not there, or not any more, has no tags and no properties: whoever may only touch what is
    /// tagged is not told whether it is there. AWS does not document this; it may answer `NotFound` instead.
    fn facts(&self, kind: ResourceType, id: &str) -> Facts {
        self.facts_of(kind, id).unwrap_or_default()
    }

    fn association(&self, id: &str) -> Option<(String, String)> {
        let table = self.associations.get(id)?;
        let (subnet, _) = self.subnets.iter().find(|(_, subnet)| subnet.association.as_deref() == Some(id))?;
        Some((table.to_string(), subnet.to_string()))
    }

    fn default_group(&self, subnet: &str) -> Option<String> {
        Some(self.vpcs.get(&self.subnets.get(subnet)?.vpc)?.default_group.to_string())
    }

    fn engine_major(&self, version: Option<&str>) -> String {
        let resolved = catalog::resolve_postgres(version);
        let version = resolved.as_deref().or(version).unwrap_or_default();
        catalog::major(version).to_owned()
    }

    fn has_rds_role(&self) -> bool {
        // Accounts saved before the role was kept track of have it if they used RDS.
        self.rds_role || !self.db_subnet_groups.is_empty() || !self.db_instances.is_empty()
    }
}

impl Account {
    /// The condition key with the VPC that an object is in.
    pub(crate) fn vpc_key(&self, vpc: &str) -> (&'static str, String) {
        ("ec2:Vpc", ResourceType::Vpc.arn(&self.options.region, &self.options.account_id, vpc))
    }

    fn facts_of(&self, kind: ResourceType, id: &str) -> Option<Facts> {
        use ResourceType as T;
        fn of<R: Record>(account: &Account, id: &str) -> Option<Facts> {
            let record = account.held::<R>(id)?;
            Some(facts(&record.meta().tags, record.iam_keys(account)))
        }
        match kind {
            T::Vpc => of::<Vpc>(self, id),
            T::Subnet => of::<Subnet>(self, id),
            T::InternetGateway => of::<Gateway>(self, id),
            T::ElasticIp => of::<ElasticIp>(self, id),
            T::NatGateway => of::<Nat>(self, id),
            T::RouteTable => of::<RouteTable>(self, id),
            T::VpcEndpoint => of::<VpcEndpoint>(self, id),
            T::SecurityGroup => of::<Group>(self, id),
            T::Instance => of::<Instance>(self, id),
            T::Volume => of::<Volume>(self, id),
            T::NetworkInterface => {
                let interface = self.interfaces.get(id)?;
                Some(facts(&interface.tags, vec![self.vpc_key(&interface.vpc)]))
            }
            // All images here are Amazon's own.
            T::Image => {
                self.image(id).ok()?;
                let keys = vec![("ec2:ImageID", id.to_owned()), ("ec2:Owner", "amazon".to_owned())];
                Some(facts(&Tags::new(), keys))
            }
            T::Db => {
                let db = self.db_instances.get(id)?;
                Some(facts(&db.meta.tags, db.iam_keys()))
            }
            T::DbSubnetGroup => Some(facts(&self.db_subnet_groups.get(id)?.meta.tags, Vec::new())),
            T::DbParameterGroup | T::DbOptionGroup | T::DbSnapshot => None,
        }
    }
}

fn facts(tags: &Tags, keys: Vec<(&'static str, String)>) -> Facts {
    let text = |(key, value): (&Arc<str>, &Value)| Some((key.to_string(), value.as_str()?.to_owned()));
    Facts { tags: tags.iter().filter_map(text).collect(), keys }
}
