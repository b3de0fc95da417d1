//! Calls about networks.

use aloka_core::api::{Ec2, Operation as O};
use serde_json::{Value, json};

use super::cases::{Case, case};

/// Permissions with every kind of peer, as arguments and as replies have them.
pub(super) fn permissions() -> Value {
    json!([
        {
            "IpProtocol": "tcp", "FromPort": 80, "ToPort": 8080,
            "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "all of it"}, {"CidrIp": "10.0.0.0/8"}],
            "Ipv6Ranges": [{"CidrIpv6": "::/0", "Description": "all of it, too"}],
            "UserIdGroupPairs": [{"GroupId": "sg-2", "Description": "the app"}],
            "PrefixListIds": [{"PrefixListId": "pl-1", "Description": "S3"}],
        },
        {"IpProtocol": "-1", "IpRanges": [], "Ipv6Ranges": [], "UserIdGroupPairs": [], "PrefixListIds": []},
    ])
}

const PERMISSIONS_SENT: &[&str] = &[
    "GroupId=sg-1",
    "IpPermissions.1.IpProtocol=tcp",
    "IpPermissions.1.FromPort=80",
    "IpPermissions.1.ToPort=8080",
    "IpPermissions.1.IpRanges.1.CidrIp=0.0.0.0/0",
    "IpPermissions.1.IpRanges.1.Description=all of it",
    "IpPermissions.1.IpRanges.2.CidrIp=10.0.0.0/8",
    "IpPermissions.1.Ipv6Ranges.1.CidrIpv6=::/0",
    "IpPermissions.1.Ipv6Ranges.1.Description=all of it, too",
    "IpPermissions.1.Groups.1.GroupId=sg-2",
    "IpPermissions.1.Groups.1.Description=the app",
    "IpPermissions.1.PrefixListIds.1.PrefixListId=pl-1",
    "IpPermissions.1.PrefixListIds.1.Description=S3",
    "IpPermissions.2.IpProtocol=-1",
];

const RETURN: &str = "<return>true</return>";

fn done(operation: O, args: Value, sent: &'static [&'static str]) -> Case {
    case(operation, args, sent, RETURN, json!({}))
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = vpcs();
    cases.extend(subnets());
    cases.extend(gateways());
    cases.extend(nat_gateways());
    cases.extend(routes());
    cases.push(network_interfaces());
    cases.extend(super::cases_attachment::cases());
    cases.extend(super::cases_endpoint::cases());
    cases.extend(security_groups());
    cases.push(case(
        O::Ec2(Ec2::DescribeTags),
        json!({"Filters": {"resource-type": ["natgateway", "elastic-ip"], "value": ["web"]}}),
        &[
            "Filter.1.Name=resource-type",
            "Filter.1.Value.1=natgateway",
            "Filter.1.Value.2=elastic-ip",
            "Filter.2.Name=value",
            "Filter.2.Value.1=web",
        ],
        "<tagSet><item><resourceId>nat-1</resourceId><resourceType>natgateway</resourceType><key>stack</key>
            <value>web</value></item><item><resourceId>x-1</resourceId><resourceType>a-new-type</resourceType>
            <key>empty</key><value/></item></tagSet>",
        json!({"Tags": [
            {"ResourceId": "nat-1", "ResourceType": "natgateway", "Key": "stack", "Value": "web"},
            {"ResourceId": "x-1", "ResourceType": "a-new-type", "Key": "empty", "Value": ""},
        ]}),
    ));
    cases.push(done(
        O::Ec2(Ec2::CreateTags),
        json!({"Resources": ["vpc-1", "subnet-1"], "Tags": {"Name": "a b", "aloka:x": ""}}),
        &[
            "ResourceId.1=vpc-1",
            "ResourceId.2=subnet-1",
            "Tag.1.Key=Name",
            "Tag.1.Value=a b",
            "Tag.2.Key=aloka:x",
            "Tag.2.Value=",
        ],
    ));
    cases.push(done(
        O::Ec2(Ec2::DeleteTags),
        json!({"Resources": ["vpc-1"], "TagKeys": ["Name", "Old"]}),
        &["ResourceId.1=vpc-1", "Tag.1.Key=Name", "Tag.2.Key=Old"],
    ));
    cases
}

fn vpcs() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::DescribeAvailabilityZones),
            json!({"Filters": {"state": ["available"], "zone-type": ["availability-zone", "local-zone"]}}),
            &[
                "Filter.1.Name=state",
                "Filter.1.Value.1=available",
                "Filter.2.Name=zone-type",
                "Filter.2.Value.1=availability-zone",
                "Filter.2.Value.2=local-zone",
            ],
            "<availabilityZoneInfo><item><zoneName>us-east-1a</zoneName><zoneState>available</zoneState>
                <regionName>us-east-1</regionName><zoneId>use1-az1</zoneId><optInStatus>opt-in-not-required</optInStatus>
                <zoneType>availability-zone</zoneType><groupName>us-east-1-zg-1</groupName></item></availabilityZoneInfo>",
            json!({"AvailabilityZones": [{
                "ZoneName": "us-east-1a", "ZoneId": "use1-az1", "State": "available", "ZoneType": "availability-zone",
                "OptInStatus": "opt-in-not-required",
            }]}),
        ),
        case(
            O::Ec2(Ec2::CreateVpc),
            json!({"CidrBlock": "10.0.0.0/16", "InstanceTenancy": "default", "Tags": {"Name": "web & more", "é": "ü"}}),
            &[
                "CidrBlock=10.0.0.0/16",
                "InstanceTenancy=default",
                "TagSpecification.1.ResourceType=vpc",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=web & more",
                "TagSpecification.1.Tag.2.Key=é",
                "TagSpecification.1.Tag.2.Value=ü",
            ],
            "<vpc><vpcId>vpc-1</vpcId><state>pending</state><cidrBlock>10.0.0.0/16</cidrBlock>
                <dhcpOptionsId>dopt-1</dhcpOptionsId><instanceTenancy>default</instanceTenancy>
                <isDefault>false</isDefault><ownerId>111122223333</ownerId>
                <tagSet><item><key>Name</key><value>web &amp; more</value></item></tagSet></vpc>",
            json!({"Vpc": {
                "VpcId": "vpc-1", "State": "pending", "CidrBlock": "10.0.0.0/16", "DhcpOptionsId": "dopt-1",
                "InstanceTenancy": "default", "IsDefault": false, "OwnerId": "111122223333",
                "Tags": {"Name": "web & more"},
            }}),
        ),
        // EC2 refuses a tag specification without tags.
        case(
            O::Ec2(Ec2::CreateVpc),
            json!({"CidrBlock": "10.0.0.0/16", "Tags": {}}),
            &["CidrBlock=10.0.0.0/16"],
            "<vpc><vpcId>vpc-1</vpcId></vpc>",
            json!({"Vpc": {"VpcId": "vpc-1", "Tags": {}}}),
        ),
        case(
            O::Ec2(Ec2::DescribeVpcs),
            json!({"VpcIds": ["vpc-1", "vpc-2"], "Filters": {"tag:aloka-stack": ["a", "b"]}}),
            &[
                "VpcId.1=vpc-1",
                "VpcId.2=vpc-2",
                "Filter.1.Name=tag:aloka-stack",
                "Filter.1.Value.1=a",
                "Filter.1.Value.2=b",
            ],
            "<vpcSet><item><vpcId>vpc-1</vpcId><state>available</state></item>
                <item><vpcId>vpc-2</vpcId><state>a-new-state</state><isDefault>true</isDefault></item></vpcSet>",
            json!({"Vpcs": [
                {"VpcId": "vpc-1", "State": "available", "Tags": {}},
                {"VpcId": "vpc-2", "State": "a-new-state", "IsDefault": true, "Tags": {}},
            ]}),
        ),
        case(
            O::Ec2(Ec2::DescribeVpcAttribute),
            json!({"VpcId": "vpc-1", "Attribute": "enableDnsSupport"}),
            &["VpcId=vpc-1", "Attribute=enableDnsSupport"],
            "<vpcId>vpc-1</vpcId><enableDnsSupport><value>true</value></enableDnsSupport>",
            json!({"VpcId": "vpc-1", "EnableDnsSupport": true}),
        ),
        case(
            O::Ec2(Ec2::DescribeVpcAttribute),
            json!({"VpcId": "vpc-1", "Attribute": "enableDnsHostnames"}),
            &["VpcId=vpc-1", "Attribute=enableDnsHostnames"],
            "<vpcId>vpc-1</vpcId><enableDnsHostnames><value>false</value></enableDnsHostnames>",
            json!({"VpcId": "vpc-1", "EnableDnsHostnames": false}),
        ),
        done(
            O::Ec2(Ec2::ModifyVpcAttribute),
            json!({"VpcId": "vpc-1", "EnableDnsSupport": true}),
            &["VpcId=vpc-1", "EnableDnsSupport.Value=true"],
        ),
        done(
            O::Ec2(Ec2::ModifyVpcAttribute),
            json!({"VpcId": "vpc-1", "EnableDnsHostnames": false}),
            &["VpcId=vpc-1", "EnableDnsHostnames.Value=false"],
        ),
        done(O::Ec2(Ec2::DeleteVpc), json!({"VpcId": "vpc-1"}), &["VpcId=vpc-1"]),
    ]
}

fn subnets() -> Vec<Case> {
    let subnet = json!({
        "SubnetId": "subnet-1", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a",
        "AvailabilityZoneId": "use1-az1", "State": "available", "MapPublicIpOnLaunch": false,
        "AvailableIpAddressCount": 251, "SubnetArn": "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1",
        "OwnerId": "111122223333", "Tags": {"Name": "public"},
    });
    vec![
        case(
            O::Ec2(Ec2::CreateSubnet),
            json!({"VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24", "AvailabilityZone": "us-east-1a", "Tags": {"Name": "public"}}),
            &[
                "VpcId=vpc-1",
                "CidrBlock=10.0.1.0/24",
                "AvailabilityZone=us-east-1a",
                "TagSpecification.1.ResourceType=subnet",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=public",
            ],
            "<subnet><subnetId>subnet-1</subnetId><subnetArn>arn:aws:ec2:us-east-1:111122223333:subnet/subnet-1</subnetArn>
                <state>available</state><ownerId>111122223333</ownerId><vpcId>vpc-1</vpcId><cidrBlock>10.0.1.0/24</cidrBlock>
                <availableIpAddressCount>251</availableIpAddressCount><availabilityZone>us-east-1a</availabilityZone>
                <availabilityZoneId>use1-az1</availabilityZoneId><defaultForAz>false</defaultForAz>
                <mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>
                <tagSet><item><key>Name</key><value>public</value></item></tagSet></subnet>",
            json!({"Subnet": subnet}),
        ),
        case(
            O::Ec2(Ec2::DescribeSubnets),
            json!({"SubnetIds": ["subnet-1"], "Filters": {"vpc-id": ["vpc-1"]}}),
            &["SubnetId.1=subnet-1", "Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-1"],
            "<subnetSet><item><subnetId>subnet-1</subnetId><mapPublicIpOnLaunch>true</mapPublicIpOnLaunch><blockPublicAccessStates>
                <internetGatewayBlockMode>block-bidirectional</internetGatewayBlockMode></blockPublicAccessStates></item></subnetSet>",
            json!({"Subnets": [{
                "SubnetId": "subnet-1", "MapPublicIpOnLaunch": true, "Tags": {},
                "BlockPublicAccessStates": {"InternetGatewayBlockMode": "block-bidirectional"},
            }]}),
        ),
        done(O::Ec2(Ec2::DeleteSubnet), json!({"SubnetId": "subnet-1"}), &["SubnetId=subnet-1"]),
    ]
}

fn gateways() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::CreateInternetGateway),
            json!({"Tags": {"Name": "web"}}),
            &[
                "TagSpecification.1.ResourceType=internet-gateway",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=web",
            ],
            "<internetGateway><internetGatewayId>igw-1</internetGatewayId><ownerId>111122223333</ownerId><attachmentSet/>
                <tagSet><item><key>Name</key><value>web</value></item></tagSet></internetGateway>",
            json!({"InternetGateway": {
                "InternetGatewayId": "igw-1", "OwnerId": "111122223333", "Attachments": [], "Tags": {"Name": "web"},
            }}),
        ),
        case(
            O::Ec2(Ec2::DescribeInternetGateways),
            json!({"InternetGatewayIds": ["igw-1"], "Filters": {"attachment.vpc-id": ["vpc-1"]}}),
            &["InternetGatewayId.1=igw-1", "Filter.1.Name=attachment.vpc-id", "Filter.1.Value.1=vpc-1"],
            "<internetGatewaySet><item><internetGatewayId>igw-1</internetGatewayId><attachmentSet><item>
                <vpcId>vpc-1</vpcId><state>available</state></item></attachmentSet></item></internetGatewaySet>",
            json!({"InternetGateways": [{
                "InternetGatewayId": "igw-1", "Attachments": [{"VpcId": "vpc-1", "State": "available"}], "Tags": {},
            }]}),
        ),
        done(
            O::Ec2(Ec2::AttachInternetGateway),
            json!({"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}),
            &["InternetGatewayId=igw-1", "VpcId=vpc-1"],
        ),
        done(
            O::Ec2(Ec2::DetachInternetGateway),
            json!({"InternetGatewayId": "igw-1", "VpcId": "vpc-1"}),
            &["InternetGatewayId=igw-1", "VpcId=vpc-1"],
        ),
        done(O::Ec2(Ec2::DeleteInternetGateway), json!({"InternetGatewayId": "igw-1"}), &["InternetGatewayId=igw-1"]),
        case(
            O::Ec2(Ec2::AllocateAddress),
            json!({"Domain": "vpc", "Tags": {"Name": "nat"}}),
            &[
                "Domain=vpc",
                "TagSpecification.1.ResourceType=elastic-ip",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=nat",
            ],
            "<publicIp>198.51.100.7</publicIp><allocationId>eipalloc-1</allocationId><publicIpv4Pool>amazon</publicIpv4Pool>
                <networkBorderGroup>us-east-1</networkBorderGroup><domain>vpc</domain>",
            json!({
                "AllocationId": "eipalloc-1", "PublicIp": "198.51.100.7", "Domain": "vpc", "PublicIpv4Pool": "amazon",
                "NetworkBorderGroup": "us-east-1",
            }),
        ),
        case(
            O::Ec2(Ec2::DescribeAddresses),
            json!({"AllocationIds": ["eipalloc-1", "eipalloc-2"], "Filters": {"domain": ["vpc"]}}),
            &[
                "AllocationId.1=eipalloc-1",
                "AllocationId.2=eipalloc-2",
                "Filter.1.Name=domain",
                "Filter.1.Value.1=vpc",
            ],
            "<addressesSet><item><publicIp>198.51.100.7</publicIp><allocationId>eipalloc-1</allocationId><domain>vpc</domain>
                <associationId>eipassoc-1</associationId><networkInterfaceId>eni-1</networkInterfaceId>
                <privateIpAddress>10.0.1.9</privateIpAddress><publicIpv4Pool>amazon</publicIpv4Pool>
                <networkBorderGroup>us-east-1</networkBorderGroup>
                <tagSet><item><key>Name</key><value>nat</value></item></tagSet></item>
                <item><publicIp>198.51.100.8</publicIp><allocationId>eipalloc-2</allocationId><domain>vpc</domain>
                <networkInterfaceId/></item></addressesSet>",
            json!({"Addresses": [
                {
                    "AllocationId": "eipalloc-1", "PublicIp": "198.51.100.7", "Domain": "vpc",
                    "AssociationId": "eipassoc-1", "NetworkInterfaceId": "eni-1", "PrivateIpAddress": "10.0.1.9",
                    "PublicIpv4Pool": "amazon", "NetworkBorderGroup": "us-east-1", "Tags": {"Name": "nat"},
                },
                {"AllocationId": "eipalloc-2", "PublicIp": "198.51.100.8", "Domain": "vpc", "Tags": {}},
            ]}),
        ),
        done(O::Ec2(Ec2::ReleaseAddress), json!({"AllocationId": "eipalloc-1"}), &["AllocationId=eipalloc-1"]),
    ]
}

fn nat_gateways() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::CreateNatGateway),
            json!({
                "SubnetId": "subnet-1", "AllocationId": "eipalloc-1", "ConnectivityType": "public", "ClientToken": "t-1",
                "Tags": {"Name": "web"},
            }),
            &[
                "SubnetId=subnet-1",
                "AllocationId=eipalloc-1",
                "ConnectivityType=public",
                "ClientToken=t-1",
                "TagSpecification.1.ResourceType=natgateway",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=web",
            ],
            "<natGateway><natGatewayId>nat-1</natGatewayId><subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
                <state>pending</state><connectivityType>public</connectivityType><natGatewayAddressSet><item>
                <allocationId>eipalloc-1</allocationId></item></natGatewayAddressSet></natGateway>",
            json!({"NatGateway": {
                "NatGatewayId": "nat-1", "SubnetId": "subnet-1", "VpcId": "vpc-1", "State": "pending",
                "ConnectivityType": "public", "NatGatewayAddresses": [{"AllocationId": "eipalloc-1"}], "Tags": {},
            }}),
        ),
        case(
            O::Ec2(Ec2::DescribeNatGateways),
            json!({"NatGatewayIds": ["nat-1"], "Filters": {"state": ["failed", "available"]}}),
            &["NatGatewayId.1=nat-1", "Filter.1.Name=state", "Filter.1.Value.1=failed", "Filter.1.Value.2=available"],
            "<natGatewaySet><item><natGatewayId>nat-1</natGatewayId><state>available</state><natGatewayAddressSet><item>
                <allocationId>eipalloc-1</allocationId><associationId>eipassoc-1</associationId>
                <networkInterfaceId>eni-1</networkInterfaceId><privateIp>10.0.1.9</privateIp>
                <publicIp>198.51.100.7</publicIp><isPrimary>true</isPrimary></item></natGatewayAddressSet>
                <tagSet><item><key>Name</key><value>web</value></item></tagSet></item>
                <item><natGatewayId>nat-2</natGatewayId><state>failed</state><failureCode>Gateway.NotAttached</failureCode>
                <failureMessage>no gateway</failureMessage></item></natGatewaySet>",
            json!({"NatGateways": [
                {
                    "NatGatewayId": "nat-1", "State": "available",
                    "NatGatewayAddresses": [{
                        "AllocationId": "eipalloc-1", "AssociationId": "eipassoc-1", "NetworkInterfaceId": "eni-1",
                        "PrivateIp": "10.0.1.9", "PublicIp": "198.51.100.7", "IsPrimary": true,
                    }],
                    "Tags": {"Name": "web"},
                },
                {
                    "NatGatewayId": "nat-2", "State": "failed", "FailureCode": "Gateway.NotAttached",
                    "FailureMessage": "no gateway", "NatGatewayAddresses": [], "Tags": {},
                },
            ]}),
        ),
        case(
            O::Ec2(Ec2::DeleteNatGateway),
            json!({"NatGatewayId": "nat-1"}),
            &["NatGatewayId=nat-1"],
            "<natGatewayId>nat-1</natGatewayId>",
            json!({"NatGatewayId": "nat-1"}),
        ),
    ]
}

fn network_interfaces() -> Case {
    // That of a NAT gateway, that of an instance, and one that nobody uses.
    case(
        O::Ec2(Ec2::DescribeNetworkInterfaces),
        json!({"NetworkInterfaceIds": ["eni-1", "eni-2"], "Filters": {"subnet-id": ["subnet-1"]}}),
        &[
            "NetworkInterfaceId.1=eni-1",
            "NetworkInterfaceId.2=eni-2",
            "Filter.1.Name=subnet-id",
            "Filter.1.Value.1=subnet-1",
        ],
        "<networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><subnetId>subnet-1</subnetId>
            <vpcId>vpc-1</vpcId><availabilityZone>us-east-1a</availabilityZone>
            <description>Interface for NAT Gateway nat-1</description><ownerId>111122223333</ownerId>
            <requesterId>444455556666</requesterId><requesterManaged>true</requesterManaged><status>in-use</status>
            <privateIpAddress>10.0.1.9</privateIpAddress><sourceDestCheck>false</sourceDestCheck><groupSet/>
            <attachment><attachmentId>ela-attach-1</attachmentId><instanceOwnerId>amazon-aws</instanceOwnerId>
            <deviceIndex>1</deviceIndex><status>attached</status><deleteOnTermination>false</deleteOnTermination>
            </attachment><association><publicIp>198.51.100.7</publicIp><ipOwnerId>111122223333</ipOwnerId>
            <allocationId>eipalloc-1</allocationId><associationId>eipassoc-1</associationId></association><tagSet/>
            <interfaceType>nat_gateway</interfaceType></item>
            <item><networkInterfaceId>eni-2</networkInterfaceId><subnetId>subnet-1</subnetId><description/>
            <requesterManaged>false</requesterManaged><status>in-use</status>
            <groupSet><item><groupId>sg-1</groupId><groupName>app</groupName></item></groupSet>
            <attachment><attachmentId>eni-attach-1</attachmentId><instanceId>i-1</instanceId>
            <instanceOwnerId>111122223333</instanceOwnerId><deviceIndex>0</deviceIndex><status>attaching</status>
            <deleteOnTermination>true</deleteOnTermination></attachment>
            <association><publicIp>198.51.100.9</publicIp><ipOwnerId>amazon</ipOwnerId></association>
            <tagSet><item><key>Name</key><value>app</value></item></tagSet><interfaceType>interface</interfaceType></item>
            <item><networkInterfaceId>eni-3</networkInterfaceId><status>available</status></item></networkInterfaceSet>",
        json!({"NetworkInterfaces": [
            {
                "NetworkInterfaceId": "eni-1", "SubnetId": "subnet-1", "VpcId": "vpc-1",
                "AvailabilityZone": "us-east-1a", "Status": "in-use",
                "Description": "Interface for NAT Gateway nat-1", "InterfaceType": "nat_gateway",
                "RequesterManaged": true, "OwnerId": "111122223333", "PrivateIpAddress": "10.0.1.9", "Groups": [],
                "Attachment": {
                    "AttachmentId": "ela-attach-1", "InstanceOwnerId": "amazon-aws", "DeleteOnTermination": false,
                    "Status": "attached",
                },
                "Association": {"PublicIp": "198.51.100.7", "AllocationId": "eipalloc-1"}, "Tags": {},
            },
            {
                "NetworkInterfaceId": "eni-2", "SubnetId": "subnet-1", "Status": "in-use",
                "InterfaceType": "interface", "RequesterManaged": false,
                "Groups": [{"GroupId": "sg-1", "GroupName": "app"}],
                "Attachment": {
                    "AttachmentId": "eni-attach-1", "InstanceId": "i-1", "InstanceOwnerId": "111122223333",
                    "DeleteOnTermination": true, "Status": "attaching",
                },
                "Association": {"PublicIp": "198.51.100.9"}, "Tags": {"Name": "app"},
            },
            {"NetworkInterfaceId": "eni-3", "Status": "available", "Groups": [], "Tags": {}},
        ]}),
    )
}

fn routes() -> Vec<Case> {
    vec![
        case(
            O::Ec2(Ec2::CreateRouteTable),
            json!({"VpcId": "vpc-1", "ClientToken": "t-1", "Tags": {"Name": "public"}}),
            &[
                "VpcId=vpc-1",
                "ClientToken=t-1",
                "TagSpecification.1.ResourceType=route-table",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=public",
            ],
            "<routeTable><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><ownerId>111122223333</ownerId><routeSet><item>
                <destinationCidrBlock>10.0.0.0/16</destinationCidrBlock><gatewayId>local</gatewayId><state>active</state>
                <origin>CreateRouteTable</origin></item></routeSet><associationSet/></routeTable>",
            json!({"RouteTable": {
                "RouteTableId": "rtb-1", "VpcId": "vpc-1", "OwnerId": "111122223333",
                "Routes": [{
                    "DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local", "State": "active",
                    "Origin": "CreateRouteTable",
                }],
                "Associations": [], "Tags": {},
            }}),
        ),
        case(
            O::Ec2(Ec2::DescribeRouteTables),
            json!({"RouteTableIds": ["rtb-1"], "Filters": {"association.main": ["true"]}}),
            &["RouteTableId.1=rtb-1", "Filter.1.Name=association.main", "Filter.1.Value.1=true"],
            "<routeTableSet><item><routeTableId>rtb-1</routeTableId><vpcId>vpc-1</vpcId><routeSet><item>
                <destinationPrefixListId>pl-1</destinationPrefixListId><gatewayId>vpce-1</gatewayId>
                <state>active</state><origin>CreateRoute</origin></item><item>
                <destinationCidrBlock>0.0.0.0/0</destinationCidrBlock><natGatewayId>nat-1</natGatewayId>
                <state>blackhole</state><origin>CreateRoute</origin></item></routeSet><associationSet>
                <item><routeTableAssociationId>rtbassoc-1</routeTableAssociationId><routeTableId>rtb-1</routeTableId>
                <main>true</main><associationState><state>associated</state></associationState></item>
                <item><routeTableAssociationId>rtbassoc-2</routeTableAssociationId><routeTableId>rtb-1</routeTableId>
                <subnetId>subnet-1</subnetId><main>false</main></item>
                </associationSet><tagSet><item><key>Name</key><value>x</value></item></tagSet></item></routeTableSet>",
            json!({"RouteTables": [{
                "RouteTableId": "rtb-1", "VpcId": "vpc-1",
                "Routes": [
                    {
                        "DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active",
                        "Origin": "CreateRoute",
                    },
                    {
                        "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "blackhole",
                        "Origin": "CreateRoute",
                    },
                ],
                "Associations": [
                    {"RouteTableAssociationId": "rtbassoc-1", "RouteTableId": "rtb-1", "Main": true, "State": "associated"},
                    {
                        "RouteTableAssociationId": "rtbassoc-2", "RouteTableId": "rtb-1", "SubnetId": "subnet-1",
                        "Main": false,
                    },
                ],
                "Tags": {"Name": "x"},
            }]}),
        ),
        done(O::Ec2(Ec2::DeleteRouteTable), json!({"RouteTableId": "rtb-1"}), &["RouteTableId=rtb-1"]),
        done(
            O::Ec2(Ec2::CreateRoute),
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}),
            &["RouteTableId=rtb-1", "DestinationCidrBlock=0.0.0.0/0", "GatewayId=igw-1"],
        ),
        done(
            O::Ec2(Ec2::CreateRoute),
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}),
            &["RouteTableId=rtb-1", "DestinationCidrBlock=0.0.0.0/0", "NatGatewayId=nat-1"],
        ),
        done(
            O::Ec2(Ec2::ReplaceRoute),
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}),
            &["RouteTableId=rtb-1", "DestinationCidrBlock=0.0.0.0/0", "GatewayId=igw-1"],
        ),
        done(
            O::Ec2(Ec2::ReplaceRoute),
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}),
            &["RouteTableId=rtb-1", "DestinationCidrBlock=0.0.0.0/0", "NatGatewayId=nat-1"],
        ),
        done(
            O::Ec2(Ec2::DeleteRoute),
            json!({"RouteTableId": "rtb-1", "DestinationCidrBlock": "0.0.0.0/0"}),
            &["RouteTableId=rtb-1", "DestinationCidrBlock=0.0.0.0/0"],
        ),
        case(
            O::Ec2(Ec2::AssociateRouteTable),
            json!({"RouteTableId": "rtb-1", "SubnetId": "subnet-1"}),
            &["RouteTableId=rtb-1", "SubnetId=subnet-1"],
            "<associationId>rtbassoc-1</associationId><associationState><state>associated</state></associationState>",
            json!({"AssociationId": "rtbassoc-1"}),
        ),
        case(
            O::Ec2(Ec2::ReplaceRouteTableAssociation),
            json!({"AssociationId": "rtbassoc-1", "RouteTableId": "rtb-2"}),
            &["AssociationId=rtbassoc-1", "RouteTableId=rtb-2"],
            "<newAssociationId>rtbassoc-2</newAssociationId>",
            json!({"NewAssociationId": "rtbassoc-2"}),
        ),
        done(O::Ec2(Ec2::DisassociateRouteTable), json!({"AssociationId": "rtbassoc-1"}), &["AssociationId=rtbassoc-1"]),
    ]
}

fn security_groups() -> Vec<Case> {
    let args = || json!({"GroupId": "sg-1", "IpPermissions": permissions()});
    vec![
        case(
            O::Ec2(Ec2::CreateSecurityGroup),
            json!({"GroupName": "app", "Description": "the app", "VpcId": "vpc-1", "Tags": {"Name": "app"}}),
            &[
                "GroupName=app",
                "GroupDescription=the app",
                "VpcId=vpc-1",
                "TagSpecification.1.ResourceType=security-group",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=app",
            ],
            "<return>true</return><groupId>sg-1</groupId>",
            json!({"GroupId": "sg-1"}),
        ),
        case(
            O::Ec2(Ec2::DescribeSecurityGroups),
            json!({"GroupIds": ["sg-1"], "Filters": {"group-name": ["app"]}}),
            &["GroupId.1=sg-1", "Filter.1.Name=group-name", "Filter.1.Value.1=app"],
            "<securityGroupInfo><item><ownerId>111122223333</ownerId><groupId>sg-1</groupId><groupName>app</groupName>
                <groupDescription>the app</groupDescription><vpcId>vpc-1</vpcId>
                <securityGroupArn>arn:aws:ec2:us-east-1:111122223333:security-group/sg-1</securityGroupArn>
                <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>8080</toPort>
                <groups><item><userId>111122223333</userId><groupId>sg-2</groupId><description>the app</description></item></groups>
                <ipRanges><item><cidrIp>0.0.0.0/0</cidrIp><description>all of it</description></item>
                <item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges>
                <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6><description>all of it, too</description></item></ipv6Ranges>
                <prefixListIds><item><prefixListId>pl-1</prefixListId><description>S3</description></item></prefixListIds></item>
                <item><ipProtocol>-1</ipProtocol><groups/><ipRanges/><ipv6Ranges/><prefixListIds/></item></ipPermissions>
                <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item>
                </ipRanges></item></ipPermissionsEgress>
                <tagSet><item><key>Name</key><value>app</value></item></tagSet></item></securityGroupInfo>",
            json!({"SecurityGroups": [{
                "GroupId": "sg-1", "GroupName": "app", "Description": "the app", "VpcId": "vpc-1",
                "OwnerId": "111122223333",
                "SecurityGroupArn": "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1",
                "IpPermissions": permissions(),
                "IpPermissionsEgress": [{
                    "IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], "Ipv6Ranges": [], "UserIdGroupPairs": [],
                    "PrefixListIds": [],
                }],
                "Tags": {"Name": "app"},
            }]}),
        ),
        done(O::Ec2(Ec2::DeleteSecurityGroup), json!({"GroupId": "sg-1"}), &["GroupId=sg-1"]),
        case(
            O::Ec2(Ec2::AuthorizeSecurityGroupIngress),
            args(),
            PERMISSIONS_SENT,
            "<return>true</return><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId>
                <groupId>sg-1</groupId><groupOwnerId>111122223333</groupOwnerId><isEgress>false</isEgress>
                <ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>8080</toPort><cidrIpv4>0.0.0.0/0</cidrIpv4>
                <description>all of it</description></item>
                <item><securityGroupRuleId>sgr-2</securityGroupRuleId><isEgress>false</isEgress>
                <ipProtocol>tcp</ipProtocol><fromPort>80</fromPort><toPort>8080</toPort><cidrIpv6>::/0</cidrIpv6></item>
                <item><securityGroupRuleId>sgr-3</securityGroupRuleId><isEgress>false</isEgress>
                <ipProtocol>-1</ipProtocol><fromPort>-1</fromPort><toPort>-1</toPort><referencedGroupInfo>
                <groupId>sg-2</groupId><userId>111122223333</userId></referencedGroupInfo></item></securityGroupRuleSet>",
            json!({"SecurityGroupRules": [
                {
                    "SecurityGroupRuleId": "sgr-1", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 80,
                    "ToPort": 8080, "CidrIpv4": "0.0.0.0/0", "Description": "all of it",
                },
                {
                    "SecurityGroupRuleId": "sgr-2", "IsEgress": false, "IpProtocol": "tcp", "FromPort": 80,
                    "ToPort": 8080, "CidrIpv6": "::/0",
                },
                {
                    "SecurityGroupRuleId": "sgr-3", "IsEgress": false, "IpProtocol": "-1", "FromPort": -1, "ToPort": -1,
                    "ReferencedGroupInfo": "sg-2",
                },
            ]}),
        ),
        case(
            O::Ec2(Ec2::AuthorizeSecurityGroupEgress),
            args(),
            PERMISSIONS_SENT,
            "<return>true</return><securityGroupRuleSet><item><securityGroupRuleId>sgr-1</securityGroupRuleId>
                <isEgress>true</isEgress><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>
                <prefixListId>pl-1</prefixListId></item></securityGroupRuleSet>",
            json!({"SecurityGroupRules": [{
                "SecurityGroupRuleId": "sgr-1", "IsEgress": true, "IpProtocol": "tcp", "FromPort": 443, "ToPort": 443,
                "PrefixListId": "pl-1",
            }]}),
        ),
        // As before 2021, and as some emulators answer.
        case(O::Ec2(Ec2::AuthorizeSecurityGroupEgress), args(), PERMISSIONS_SENT, RETURN, json!({"SecurityGroupRules": []})),
        done(O::Ec2(Ec2::RevokeSecurityGroupIngress), args(), PERMISSIONS_SENT),
        done(O::Ec2(Ec2::RevokeSecurityGroupEgress), args(), PERMISSIONS_SENT),
    ]
}
