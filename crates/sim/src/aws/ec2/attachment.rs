//! What other people have on a VPC: peering connections, VPN gateways, network ACLs and egress-only internet
//! gateways.
//!
//! No call that is modelled makes, changes or deletes one, so whoever owns the account puts it there. It is listed, and
//! keeps its VPC from being deleted. The network ACL that comes with a VPC is one of them, and goes with the VPC.

use aloka_core::api::{Ec2, Operation, Request};
use aloka_core::time::Instant;
use aloka_core::value::Value;
use serde::{Deserialize, Serialize};

use crate::aws::Account;
use crate::aws::ec2::filter::Filters;
use crate::aws::ec2::vpc::rules as rule;
use crate::aws::error::Answer;
use crate::aws::record::{Meta, Tags, Text, object, tags_value};
use crate::iam::{Ask, Asks};
use crate::rules::Rule;

/// What calls about them need.
pub(crate) const NEEDS: &[Asks] = &[
    (Operation::Ec2(Ec2::DescribeVpcPeeringConnections), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeVpnGateways), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeNetworkAcls), &[Ask::Any]),
    (Operation::Ec2(Ec2::DescribeEgressOnlyInternetGateways), &[Ask::Any]),
];

/// The account at the other end of peering connections.
const PEER_ACCOUNT: &str = "210987654321";

/// What of other people's is on a VPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttachmentKind {
    /// A peering connection that the VPC asked for.
    PeeringConnection,
    /// A peering connection that the VPC was asked for.
    AcceptedPeeringConnection,
    /// A virtual private gateway.
    VpnGateway,
    /// A network ACL beside the one that came with the VPC.
    NetworkAcl,
    /// An egress-only internet gateway, for IPv6.
    EgressOnlyGateway,
}

/// How a kind shows.
struct Shape {
    prefix: &'static str,
    /// Its word in `DescribeTags`.
    resource_type: &'static str,
    /// The list in the reply.
    list: &'static str,
    /// Its filters besides those on tags, and where the reply has what each looks at.
    filters: &'static [(&'static str, &'static str)],
    /// Why its VPC cannot be deleted.
    blocks: &'static Rule,
}

const PEERING: Shape = Shape {
    prefix: "pcx-",
    resource_type: "vpc-peering-connection",
    list: "VpcPeeringConnections",
    filters: &[
        ("vpc-peering-connection-id", "VpcPeeringConnectionId"),
        ("requester-vpc-info.vpc-id", "RequesterVpcInfo.VpcId"),
        ("requester-vpc-info.owner-id", "RequesterVpcInfo.OwnerId"),
        ("accepter-vpc-info.vpc-id", "AccepterVpcInfo.VpcId"),
        ("accepter-vpc-info.owner-id", "AccepterVpcInfo.OwnerId"),
        ("status-code", "Status.Code"),
    ],
    blocks: &rule::HAS_PEERING,
};

impl AttachmentKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::PeeringConnection,
        Self::AcceptedPeeringConnection,
        Self::VpnGateway,
        Self::NetworkAcl,
        Self::EgressOnlyGateway,
    ];

    const fn shape(self) -> Shape {
        match self {
            Self::PeeringConnection | Self::AcceptedPeeringConnection => PEERING,
            Self::VpnGateway => Shape {
                prefix: "vgw-",
                resource_type: "vpn-gateway",
                list: "VpnGateways",
                filters: &[
                    ("vpn-gateway-id", "VpnGatewayId"),
                    ("attachment.vpc-id", "VpcAttachments.0.VpcId"),
                    ("attachment.state", "VpcAttachments.0.State"),
                    ("state", "State"),
                    ("type", "Type"),
                ],
                blocks: &rule::HAS_VPN_GATEWAY,
            },
            Self::NetworkAcl => Shape {
                prefix: "acl-",
                resource_type: "network-acl",
                list: "NetworkAcls",
                filters: &[
                    ("network-acl-id", "NetworkAclId"),
                    ("vpc-id", "VpcId"),
                    ("default", "IsDefault"),
                    ("owner-id", "OwnerId"),
                ],
                blocks: &rule::HAS_ACL,
            },
            Self::EgressOnlyGateway => Shape {
                prefix: "eigw-",
                resource_type: "egress-only-internet-gateway",
                list: "EgressOnlyInternetGateways",
                filters: &[],
                blocks: &rule::HAS_EGRESS_ONLY_GATEWAY,
            },
        }
    }
}

/// One of them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Attachment {
    kind: AttachmentKind,
    pub(crate) meta: Meta,
    vpc: Text,
    /// True for the network ACL that came with the VPC.
    #[serde(default)]
    default: bool,
}

impl Attachment {
    pub(crate) fn resource_type(&self) -> &'static str {
        self.kind.shape().resource_type
    }

    fn describe(&self, account: &Account) -> Value {
        let (id, vpc, owner): (Value, Value, Value) =
            ((&self.meta.id).into(), (&self.vpc).into(), (&account.options.account_id).into());
        let tags = tags_value(&self.meta.tags);
        let peering = |own: &str, other: &str| {
            // The other account's VPC has a name like no other here.
            let far: Value = self.meta.id.replacen("pcx-", "vpc-", 1).into();
            object([
                (other, object([("OwnerId", PEER_ACCOUNT.into()), ("VpcId", far)])),
                (own, object([("OwnerId", owner.clone()), ("VpcId", vpc.clone())])),
                ("Status", object([("Code", "active".into())])),
                ("Tags", tags.clone()),
                ("VpcPeeringConnectionId", id.clone()),
            ])
        };
        let attached = |state: &str| Value::list([object([("VpcId", vpc.clone()), ("State", state.into())])]);
        match self.kind {
            AttachmentKind::PeeringConnection => peering("RequesterVpcInfo", "AccepterVpcInfo"),
            AttachmentKind::AcceptedPeeringConnection => peering("AccepterVpcInfo", "RequesterVpcInfo"),
            AttachmentKind::VpnGateway => object([
                ("State", "available".into()),
                ("Tags", tags),
                ("Type", "ipsec.1".into()),
                ("VpcAttachments", attached("attached")),
                ("VpnGatewayId", id),
            ]),
            AttachmentKind::NetworkAcl => object([
                ("IsDefault", self.default.into()),
                ("NetworkAclId", id),
                ("OwnerId", owner),
                ("Tags", tags),
                ("VpcId", vpc),
            ]),
            AttachmentKind::EgressOnlyGateway => {
                object([("Attachments", attached("attached")), ("EgressOnlyInternetGatewayId", id), ("Tags", tags)])
            }
        }
    }
}

impl Account {
    /// Puts something of other people's on a VPC; answers its identifier. It stays until it is
    /// [removed](Self::remove_foreign).
    pub fn attach(&mut self, now: Instant, kind: AttachmentKind, vpc: &str, tags: Tags) -> String {
        self.new_attachment(now, kind, vpc, tags, false)
    }

    /// The network ACL that comes with a VPC.
    pub(crate) fn new_default_acl(&mut self, now: Instant, vpc: &str) {
        self.new_attachment(now, AttachmentKind::NetworkAcl, vpc, Tags::new(), true);
    }

    fn new_attachment(&mut self, now: Instant, kind: AttachmentKind, vpc: &str, tags: Tags, default: bool) -> String {
        let id = self.new_id(kind.shape().prefix);
        let meta = self.new_meta(now, id.clone(), tags);
        self.attachments.insert(id.clone(), Attachment { kind, meta, vpc: vpc.into(), default });
        id.to_string()
    }

    /// Removes what other people had: something on a VPC, or a network interface. False if there is no such thing.
    pub fn remove_foreign(&mut self, id: &str) -> bool {
        if self.interfaces.get(id).is_some_and(|interface| interface.foreign.is_some()) {
            self.drop_interface(id);
            return true;
        }
        self.remove_foreign_endpoint(id) || self.attachments.remove(id).is_some()
    }

    /// The rule that keeps a VPC because of what other people have on it.
    pub(crate) fn attachment_of(&self, vpc: &str) -> Option<&'static Rule> {
        let blocks = |attachment: &&Attachment| *attachment.vpc == *vpc && !attachment.default;
        Some(self.attachments.values().find(blocks)?.kind.shape().blocks)
    }

    /// Removes the network ACL that came with a VPC.
    pub(crate) fn drop_default_acl(&mut self, vpc: &str) {
        self.attachments.retain(|_, attachment| !(attachment.default && *attachment.vpc == *vpc));
    }

    /// Answers a Describe call for things like `kind`.
    pub(crate) fn describe_attachments(&self, now: Instant, request: &Request, kind: AttachmentKind) -> Answer {
        let Shape { list, filters: known, .. } = kind.shape();
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let filters = Filters::of(request, &names)?;
        let mut found = Vec::new();
        for attachment in self.attachments.values() {
            if attachment.kind.shape().list != list || attachment.meta.visible > now {
                continue;
            }
            let described = attachment.describe(self);
            let value = |filter: &str| {
                let (_, path) = known.iter().find(|(name, _)| *name == filter)?;
                let value = described.at(path)?;
                Some(value.shared_str().unwrap_or_else(|| value.to_string().into()))
            };
            if filters.pass(&attachment.meta.tags, |filter| value(filter).into_iter().collect()) {
                found.push(described);
            }
        }
        Ok(object([(list, Value::List(found))]))
    }
}
