//! Calls about instances, volumes and images.

use aloka_core::api::{Ec2, Operation as O};
use serde_json::{Value, json};

use super::cases::{Case, case};

const INSTANCE: &str = "
    <instanceId>i-1</instanceId><imageId>ami-1</imageId><instanceState><code>16</code><name>running</name></instanceState>
    <privateDnsName>ip-10-0-1-5.ec2.internal</privateDnsName><dnsName>ec2-198-51-100-9.compute-1.amazonaws.com</dnsName>
    <reason/><stateReason/><instanceType>t3.micro</instanceType><placement><availabilityZone>us-east-1a</availabilityZone></placement>
    <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId><privateIpAddress>10.0.1.5</privateIpAddress>
    <ipAddress>198.51.100.9</ipAddress>
    <groupSet><item><groupId>sg-1</groupId><groupName>app</groupName></item></groupSet>
    <rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs>
    <volumeId>vol-1</volumeId><status>attached</status><deleteOnTermination>true</deleteOnTermination></ebs></item>
    </blockDeviceMapping><clientToken>t-1</clientToken>
    <networkInterfaceSet><item><networkInterfaceId>eni-1</networkInterfaceId><attachment><deviceIndex>0</deviceIndex>
    <status>attached</status></attachment></item></networkInterfaceSet>
    <metadataOptions><state>applied</state><httpTokens>required</httpTokens>
    <httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint></metadataOptions>
    <tagSet><item><key>Name</key><value>app</value></item></tagSet>";

fn instance() -> Value {
    json!({
        "InstanceId": "i-1", "ImageId": "ami-1", "InstanceType": "t3.micro", "State": "running", "SubnetId": "subnet-1",
        "VpcId": "vpc-1", "PrivateIpAddress": "10.0.1.5", "PrivateDnsName": "ip-10-0-1-5.ec2.internal",
        "PublicIpAddress": "198.51.100.9", "PublicDnsName": "ec2-198-51-100-9.compute-1.amazonaws.com",
        "AvailabilityZone": "us-east-1a", "SecurityGroups": [{"GroupId": "sg-1", "GroupName": "app"}],
        "NetworkInterfaces": [{"NetworkInterfaceId": "eni-1", "DeviceIndex": 0}], "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "VolumeId": "vol-1", "DeleteOnTermination": true}],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
        "ClientToken": "t-1", "Tags": {"Name": "app"},
    })
}

pub(super) fn cases() -> Vec<Case> {
    let run = format!("<reservationId>r-1</reservationId><instancesSet><item>{INSTANCE}</item></instancesSet>");
    // The second is what is left of an instance after its end.
    let list = format!(
        "<reservationSet><item><reservationId>r-1</reservationId><instancesSet><item>{INSTANCE}</item></instancesSet></item>
            <item><reservationId>r-2</reservationId><instancesSet><item><instanceId>i-2</instanceId><instanceState>
            <code>48</code><name>terminated</name></instanceState><privateDnsName/><dnsName/><stateReason>
            <code>Client.UserInitiatedShutdown</code><message>as asked</message></stateReason></item></instancesSet></item>
            </reservationSet>"
    );
    vec![
        case(
            O::Ec2(Ec2::DescribeInstanceTypeOfferings),
            json!({"LocationType": "availability-zone", "Filters": {"instance-type": ["t3.micro"]}}),
            &["LocationType=availability-zone", "Filter.1.Name=instance-type", "Filter.1.Value.1=t3.micro"],
            "<instanceTypeOfferingSet><item><instanceType>t3.micro</instanceType><locationType>availability-zone</locationType>
                <location>us-east-1a</location></item></instanceTypeOfferingSet>",
            json!({"InstanceTypeOfferings": [{"InstanceType": "t3.micro", "Location": "us-east-1a"}]}),
        ),
        case(
            O::Ec2(Ec2::DescribeImages),
            json!({"ImageIds": ["ami-1", "ami-2"]}),
            &["ImageId.1=ami-1", "ImageId.2=ami-2"],
            "<imagesSet><item><imageId>ami-1</imageId><imageState>available</imageState><architecture>x86_64</architecture>
                <name>al2023</name><rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping>
                <item><deviceName>/dev/sdb</deviceName><ebs><volumeSize>99</volumeSize></ebs></item>
                <item><deviceName>/dev/xvda</deviceName><ebs><volumeSize>8</volumeSize></ebs></item>
                </blockDeviceMapping></item><item><imageId>ami-2</imageId><blockDeviceMapping>
                <item><virtualName>ephemeral0</virtualName></item></blockDeviceMapping></item></imagesSet>",
            json!({"Images": [
                {
                    "ImageId": "ami-1", "State": "available", "Architecture": "x86_64", "Name": "al2023",
                    "RootDeviceName": "/dev/xvda", "RootVolumeSize": 8,
                },
                {"ImageId": "ami-2"},
            ]}),
        ),
        case(
            O::Ec2(Ec2::RunInstances),
            json!({
                "ImageId": "ami-1", "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1,
                "NetworkInterfaces": [{
                    "DeviceIndex": 0, "SubnetId": "subnet-1", "Groups": ["sg-1", "sg-2"],
                    "AssociatePublicIpAddress": true, "DeleteOnTermination": true,
                }],
                "BlockDeviceMappings": [
                    {
                        "DeviceName": "/dev/xvda", "VolumeSize": 20, "VolumeType": "gp3", "Encrypted": true,
                        "DeleteOnTermination": true,
                    },
                    {"DeviceName": "/dev/sdb", "VolumeType": "gp3", "Encrypted": false, "DeleteOnTermination": false},
                ],
                "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2, "HttpEndpoint": "enabled"},
                "UserData": "#!/bin/sh\necho \u{fc}\n", "ClientToken": "t-1", "Tags": {"Name": "app"},
            }),
            &[
                "ImageId=ami-1",
                "InstanceType=t3.micro",
                "MinCount=1",
                "MaxCount=1",
                "NetworkInterface.1.DeviceIndex=0",
                "NetworkInterface.1.SubnetId=subnet-1",
                "NetworkInterface.1.SecurityGroupId.1=sg-1",
                "NetworkInterface.1.SecurityGroupId.2=sg-2",
                "NetworkInterface.1.AssociatePublicIpAddress=true",
                "NetworkInterface.1.DeleteOnTermination=true",
                "BlockDeviceMapping.1.DeviceName=/dev/xvda",
                "BlockDeviceMapping.1.Ebs.VolumeSize=20",
                "BlockDeviceMapping.1.Ebs.VolumeType=gp3",
                "BlockDeviceMapping.1.Ebs.Encrypted=true",
                "BlockDeviceMapping.1.Ebs.DeleteOnTermination=true",
                "BlockDeviceMapping.2.DeviceName=/dev/sdb",
                "BlockDeviceMapping.2.Ebs.VolumeType=gp3",
                "BlockDeviceMapping.2.Ebs.Encrypted=false",
                "BlockDeviceMapping.2.Ebs.DeleteOnTermination=false",
                "MetadataOptions.HttpTokens=required",
                "MetadataOptions.HttpPutResponseHopLimit=2",
                "MetadataOptions.HttpEndpoint=enabled",
                "UserData=IyEvYmluL3NoCmVjaG8gw7wK",
                "ClientToken=t-1",
                "TagSpecification.1.ResourceType=instance",
                "TagSpecification.1.Tag.1.Key=Name",
                "TagSpecification.1.Tag.1.Value=app",
                "TagSpecification.2.ResourceType=volume",
                "TagSpecification.2.Tag.1.Key=Name",
                "TagSpecification.2.Tag.1.Value=app",
            ],
            run,
            json!({"Instances": [instance()]}),
        ),
        case(
            O::Ec2(Ec2::DescribeInstances),
            json!({"InstanceIds": ["i-1", "i-2"], "Filters": {"instance-state-name": ["running", "terminated"]}}),
            &[
                "InstanceId.1=i-1",
                "InstanceId.2=i-2",
                "Filter.1.Name=instance-state-name",
                "Filter.1.Value.1=running",
                "Filter.1.Value.2=terminated",
            ],
            list,
            json!({"Instances": [instance(), {
                "InstanceId": "i-2", "State": "terminated",
                "StateReason": {"Code": "Client.UserInitiatedShutdown", "Message": "as asked"},
                "SecurityGroups": [], "NetworkInterfaces": [], "BlockDeviceMappings": [], "Tags": {},
            }]}),
        ),
        case(
            O::Ec2(Ec2::ModifyInstanceAttribute),
            json!({"InstanceId": "i-1", "InstanceType": "t3.small"}),
            &["InstanceId=i-1", "InstanceType.Value=t3.small"],
            "<return>true</return>",
            json!({}),
        ),
        case(
            O::Ec2(Ec2::ModifyInstanceAttribute),
            json!({"InstanceId": "i-1", "Groups": ["sg-1", "sg-2"]}),
            &["InstanceId=i-1", "GroupId.1=sg-1", "GroupId.2=sg-2"],
            "<return>true</return>",
            json!({}),
        ),
        case(O::Ec2(Ec2::StopInstances), json!({"InstanceIds": ["i-1"]}), &["InstanceId.1=i-1"], "<instancesSet/>", json!({})),
        case(O::Ec2(Ec2::StartInstances), json!({"InstanceIds": ["i-1"]}), &["InstanceId.1=i-1"], "<instancesSet/>", json!({})),
        case(
            O::Ec2(Ec2::TerminateInstances),
            json!({"InstanceIds": ["i-1", "i-2"]}),
            &["InstanceId.1=i-1", "InstanceId.2=i-2"],
            "<instancesSet><item><instanceId>i-1</instanceId></item></instancesSet>",
            json!({}),
        ),
        case(
            O::Ec2(Ec2::DescribeVolumes),
            json!({"VolumeIds": ["vol-1"], "Filters": {"status": ["in-use"]}}),
            &["VolumeId.1=vol-1", "Filter.1.Name=status", "Filter.1.Value.1=in-use"],
            "<volumeSet><item><volumeId>vol-1</volumeId><size>20</size><status>in-use</status><volumeType>gp3</volumeType>
                <encrypted>true</encrypted><attachmentSet><item><instanceId>i-1</instanceId><device>/dev/xvda</device>
                <status>attached</status></item></attachmentSet>
                <tagSet><item><key>Name</key><value>app</value></item></tagSet></item>
                <item><volumeId>vol-2</volumeId><size>8</size><status>available</status><attachmentSet/></item></volumeSet>",
            json!({"Volumes": [
                {
                    "VolumeId": "vol-1", "Size": 20, "State": "in-use", "VolumeType": "gp3", "Encrypted": true,
                    "InstanceId": "i-1", "Device": "/dev/xvda", "Tags": {"Name": "app"},
                },
                {"VolumeId": "vol-2", "Size": 8, "State": "available", "Tags": {}},
            ]}),
        ),
        case(
            O::Ec2(Ec2::ModifyVolume),
            json!({"VolumeId": "vol-1", "Size": 30}),
            &["VolumeId=vol-1", "Size=30"],
            "<volumeModification><volumeId>vol-1</volumeId></volumeModification>",
            json!({}),
        ),
    ]
}
