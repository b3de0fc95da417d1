//! Calls about endpoints of VPCs.

use aloka_core::api::{Ec2, Operation as O};
use serde_json::json;

use super::cases::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::CreateVpcEndpoint),
            json!({
                "VpcId": "vpc-1", "ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway",
                "RouteTableIds": ["rtb-1", "rtb-2"], "ClientToken": "t-1", "Tags": {"Name": "s3"},
            }),
            &[
                "VpcId=vpc-1",
                "ServiceName=com.amazonaws.us-east-1.s3",
                "VpcEndpointType=Gateway",
                "RouteTableId.1=rtb-1",
                "RouteTableId.2=rtb-2",
                "ClientToken=t-1",
                "TagSpecification.1.ResourceType=vpc-endpoint",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=s3",
            ],
            "<vpcEndpoint><vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType><vpcId>vpc-1</vpcId>
                <serviceName>com.amazonaws.us-east-1.s3</serviceName><state>pending</state>
                <routeTableIdSet><item>rtb-1</item><item>rtb-2</item></routeTableIdSet></vpcEndpoint>",
            json!({"VpcEndpoint": {
                "VpcEndpointId": "vpce-1", "VpcEndpointType": "Gateway", "VpcId": "vpc-1",
                "ServiceName": "com.amazonaws.us-east-1.s3", "State": "pending", "RouteTableIds": ["rtb-1", "rtb-2"],
                "Tags": {},
            }}),
        ),
        case(
            O::Ec2(Ec2::DescribeVpcEndpoints),
            json!({"VpcEndpointIds": ["vpce-1"], "Filters": {"vpc-id": ["vpc-1"]}}),
            &["VpcEndpointId.1=vpce-1", "Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-1"],
            "<vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId><vpcEndpointType>Interface</vpcEndpointType>
                <vpcId>vpc-1</vpcId><serviceName>com.amazonaws.us-east-1.ssm</serviceName><state>available</state>
                <policyDocument>{}</policyDocument><privateDnsEnabled>true</privateDnsEnabled>
                <requesterManaged>false</requesterManaged><ownerId>111122223333</ownerId>
                <networkInterfaceIdSet><item>eni-1</item></networkInterfaceIdSet>
                <tagSet><item><key>Name</key><value>ssm</value></item></tagSet></item>
                <item><vpcEndpointId>vpce-2</vpcEndpointId><vpcEndpointType>Gateway</vpcEndpointType>
                <routeTableIdSet><item>rtb-1</item></routeTableIdSet><state>Deleting</state></item></vpcEndpointSet>",
            json!({"VpcEndpoints": [
                {
                    "VpcEndpointId": "vpce-1", "VpcEndpointType": "Interface", "VpcId": "vpc-1",
                    "ServiceName": "com.amazonaws.us-east-1.ssm", "State": "available", "OwnerId": "111122223333",
                    "PrivateDnsEnabled": true, "RequesterManaged": false, "RouteTableIds": [], "Tags": {"Name": "ssm"},
                },
                {
                    "VpcEndpointId": "vpce-2", "VpcEndpointType": "Gateway", "State": "Deleting",
                    "RouteTableIds": ["rtb-1"], "Tags": {},
                },
            ]}),
        ),
        case(
            O::Ec2(Ec2::ModifyVpcEndpoint),
            json!({"VpcEndpointId": "vpce-1", "AddRouteTableIds": ["rtb-1"], "RemoveRouteTableIds": ["rtb-2"]}),
            &["VpcEndpointId=vpce-1", "AddRouteTableId.1=rtb-1", "RemoveRouteTableId.1=rtb-2"],
            "<return>true</return>",
            json!({}),
        ),
        case(
            O::Ec2(Ec2::DeleteVpcEndpoints),
            json!({"VpcEndpointIds": ["vpce-1"]}),
            &["VpcEndpointId.1=vpce-1"],
            "<unsuccessful/>",
            json!({}),
        ),
    ]
}
