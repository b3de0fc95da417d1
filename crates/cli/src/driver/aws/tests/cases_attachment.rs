//! Calls about what other people have on a VPC.

use aloka_core::api::{Ec2, Operation as O};
use serde_json::json;

use super::cases::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::DescribeVpcPeeringConnections),
            json!({"Filters": {"requester-vpc-info.vpc-id": ["vpc-1"]}}),
            &["Filter.1.Name=requester-vpc-info.vpc-id", "Filter.1.Value.1=vpc-1"],
            "<vpcPeeringConnectionSet><item><vpcPeeringConnectionId>pcx-1</vpcPeeringConnectionId>
                <requesterVpcInfo><ownerId>111122223333</ownerId><vpcId>vpc-1</vpcId><cidrBlock>10.0.0.0/16</cidrBlock>
                <region>us-east-1</region></requesterVpcInfo><accepterVpcInfo><ownerId>444455556666</ownerId>
                <vpcId>vpc-9</vpcId></accepterVpcInfo><status><code>active</code><message>Active</message></status>
                <tagSet/></item><item><vpcPeeringConnectionId>pcx-2</vpcPeeringConnectionId></item>
                </vpcPeeringConnectionSet>",
            json!({"VpcPeeringConnections": [
                {
                    "VpcPeeringConnectionId": "pcx-1", "Tags": {}, "Status": {"Code": "active"},
                    "RequesterVpcInfo": {"VpcId": "vpc-1", "OwnerId": "111122223333"},
                    "AccepterVpcInfo": {"VpcId": "vpc-9", "OwnerId": "444455556666"},
                },
                {"VpcPeeringConnectionId": "pcx-2", "Tags": {}},
            ]}),
        ),
        case(
            O::Ec2(Ec2::DescribeVpnGateways),
            json!({"Filters": {"attachment.vpc-id": ["vpc-1"]}}),
            &["Filter.1.Name=attachment.vpc-id", "Filter.1.Value.1=vpc-1"],
            "<vpnGatewaySet><item><vpnGatewayId>vgw-1</vpnGatewayId><state>available</state><type>ipsec.1</type>
                <amazonSideAsn>64512</amazonSideAsn><attachments><item><vpcId>vpc-1</vpcId><state>attached</state></item>
                </attachments><tagSet><item><key>Name</key><value>office</value></item></tagSet></item></vpnGatewaySet>",
            json!({"VpnGateways": [{
                "VpnGatewayId": "vgw-1", "Type": "ipsec.1", "State": "available",
                "VpcAttachments": [{"VpcId": "vpc-1", "State": "attached"}], "Tags": {"Name": "office"},
            }]}),
        ),
        case(
            O::Ec2(Ec2::DescribeNetworkAcls),
            json!({"Filters": {"vpc-id": ["vpc-1"]}}),
            &["Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-1"],
            "<networkAclSet><item><networkAclId>acl-1</networkAclId><vpcId>vpc-1</vpcId><default>true</default>
                <entrySet><item><ruleNumber>100</ruleNumber><protocol>-1</protocol><ruleAction>allow</ruleAction>
                <egress>true</egress><cidrBlock>0.0.0.0/0</cidrBlock></item></entrySet><associationSet/><tagSet/>
                <ownerId>111122223333</ownerId></item><item><networkAclId>acl-2</networkAclId><vpcId>vpc-1</vpcId>
                <default>false</default></item></networkAclSet>",
            json!({"NetworkAcls": [
                {"NetworkAclId": "acl-1", "VpcId": "vpc-1", "IsDefault": true, "OwnerId": "111122223333", "Tags": {}},
                {"NetworkAclId": "acl-2", "VpcId": "vpc-1", "IsDefault": false, "Tags": {}},
            ]}),
        ),
        case(
            O::Ec2(Ec2::DescribeEgressOnlyInternetGateways),
            json!({"Filters": {"tag:Name": ["v6"]}}),
            &["Filter.1.Name=tag:Name", "Filter.1.Value.1=v6"],
            "<egressOnlyInternetGatewaySet><item><egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId>
                <attachmentSet><item><vpcId>vpc-1</vpcId><state>attached</state></item></attachmentSet>
                <tagSet><item><key>Name</key><value>v6</value></item></tagSet></item></egressOnlyInternetGatewaySet>",
            json!({"EgressOnlyInternetGateways": [{
                "EgressOnlyInternetGatewayId": "eigw-1", "Attachments": [{"VpcId": "vpc-1", "State": "attached"}],
                "Tags": {"Name": "v6"},
            }]}),
        ),
    ]
}
