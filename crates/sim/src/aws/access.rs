//! Who may do what in the account, and calls that only ask.

use std::sync::Arc;

use aloka_core::api::{ApiError, Ec2, ErrorClass, Operation, Request, Service};
use aloka_core::secret::Secrets;
use aloka_core::time::Instant;
use aloka_core::value::Value;

use crate::aws::record::Tags;
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
    fn facts_of(&self, kind: ResourceType, id: &str) -> Option<Facts> {
        use ResourceType as T;
        let vpc = |vpc: &str| ("ec2:Vpc", T::Vpc.arn(&self.options.region, &self.options.account_id, vpc));
        let own = |key| (key, id.to_owned());
        let facts = |tags: &Tags, keys: Vec<(&'static str, String)>| {
            let text = |(key, value): (&Arc<str>, &Value)| Some((key.to_string(), value.as_str()?.to_owned()));
            Facts { tags: tags.iter().filter_map(text).collect(), keys }
        };
        Some(match kind {
            T::Vpc => facts(&self.vpcs.get(id)?.meta.tags, vec![own("ec2:VpcID")]),
            T::Subnet => {
                let subnet = self.subnets.get(id)?;
                let zone = ("ec2:AvailabilityZone", subnet.zone.to_string());
                facts(&subnet.meta.tags, vec![own("ec2:SubnetID"), zone, vpc(&subnet.vpc)])
            }
            T::InternetGateway => facts(&self.gateways.get(id)?.meta.tags, vec![own("ec2:InternetGatewayID")]),
            T::ElasticIp => {
                let domain = ("ec2:Domain", "vpc".to_owned());
                facts(&self.addresses.get(id)?.meta.tags, vec![own("ec2:AllocationId"), domain])
            }
            T::NatGateway => facts(&self.nats.get(id)?.meta.tags, Vec::new()),
            T::RouteTable => {
                let table = self.route_tables.get(id)?;
                facts(&table.meta.tags, vec![own("ec2:RouteTableID"), vpc(&table.vpc)])
            }
            T::VpcEndpoint => {
                let endpoint = self.endpoints.get(id)?;
                facts(&endpoint.meta.tags, Vec::new())
            }
            T::SecurityGroup => {
                let group = self.groups.get(id)?;
                facts(&group.meta.tags, vec![own("ec2:SecurityGroupID"), vpc(&group.vpc)])
            }
            T::NetworkInterface => {
                let interface = self.interfaces.get(id)?;
                facts(&interface.tags, vec![vpc(&interface.vpc)])
            }
            T::Instance => {
                let instance = self.instances.get(id)?;
                let mut keys = vec![
                    ("ec2:InstanceType", instance.kind.to_string()),
                    ("ec2:AvailabilityZone", instance.zone.to_string()),
                ];
                for (key, option) in [
                    ("ec2:MetadataHttpTokens", "HttpTokens"),
                    ("ec2:MetadataHttpEndpoint", "HttpEndpoint"),
                    ("ec2:MetadataHttpPutResponseHopLimit", "HttpPutResponseHopLimit"),
                ] {
                    let value = instance.metadata.get(option);
                    keys.push((key, value.as_str().map_or_else(|| value.to_string(), str::to_owned)));
                }
                facts(&instance.meta.tags, keys)
            }
            T::Volume => {
                let volume = self.volumes.get(id)?;
                let size = ("ec2:VolumeSize", volume.size.to_string());
                let encrypted = ("ec2:Encrypted", volume.encrypted.to_string());
                facts(
                    &volume.meta.tags,
                    vec![own("ec2:VolumeID"), size, encrypted, ("ec2:VolumeType", volume.kind.to_string())],
                )
            }
            // All images here are Amazon's own.
            T::Image => {
                self.image(id).ok()?;
                facts(&Tags::new(), vec![own("ec2:ImageID"), ("ec2:Owner", "amazon".to_owned())])
            }
            T::Db => {
                let db = self.db_instances.get(id)?;
                let mut keys = vec![
                    ("rds:DatabaseEngine", "postgres".to_owned()),
                    ("rds:DatabaseClass", db.class.to_string()),
                    ("rds:MultiAz", db.multi_az.to_string()),
                    ("rds:StorageEncrypted", db.encrypted.to_string()),
                ];
                keys.extend(db.db_name.as_ref().map(|name| ("rds:DatabaseName", name.to_string())));
                facts(&db.meta.tags, keys)
            }
            T::DbSubnetGroup => facts(&self.db_subnet_groups.get(id)?.meta.tags, Vec::new()),
            T::DbParameterGroup | T::DbOptionGroup | T::DbSnapshot => return None,
        })
    }
}
