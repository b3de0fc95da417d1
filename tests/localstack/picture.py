"""What an account holds, told so that two accounts can be compared: without ids, addresses and times."""
import datetime
import json
import re

from readback import tags

# What differs from run to run and means nothing. The reason of a state tells its time.
VOLATILE = {
    "ClientToken", "DbiResourceId", "LatestRestorableTime", "MacAddress", "StateTransitionReason", "StateReason", "AmiLaunchIndex",
    "KeyFingerprint", "UsageOperationUpdateTime",
}
ID = re.compile(r"\b(?!ami-)[a-z]+(?:-[a-z]+)*-[0-9a-f]{8,17}\b")
ADDRESS = re.compile(r"\b\d+[.-]\d+[.-]\d+[.-]\d+\b(?!/)")
ACCOUNT = re.compile(r"\b\d{12}\b")
# The account's own key for volumes.
KEY = re.compile(r"key/[0-9a-f-]{36}\b")


def everything(aws):
    """Every object of our kinds, as Describe calls tell, as pairs of its kind's id field and itself."""
    ec2, rds = aws.ec2, aws.rds

    def pages(call, key):
        return [item for page in aws.pages(call) for item in page[key]]

    found = {
        "VpcId": pages("describe_vpcs", "Vpcs"),
        "SubnetId": pages("describe_subnets", "Subnets"),
        "InternetGatewayId": pages("describe_internet_gateways", "InternetGateways"),
        "AllocationId": ec2.describe_addresses()["Addresses"],
        "NatGatewayId": [n for n in pages("describe_nat_gateways", "NatGateways") if n["State"] != "deleted"],
        "RouteTableId": pages("describe_route_tables", "RouteTables"),
        "NetworkAclId": pages("describe_network_acls", "NetworkAcls"),
        "GroupId": pages("describe_security_groups", "SecurityGroups"),
        "InstanceId": [i for r in pages("describe_instances", "Reservations") for i in r["Instances"] if i["State"]["Name"] != "terminated"],
        "VolumeId": pages("describe_volumes", "Volumes"),
        "DBInstanceIdentifier": rds.describe_db_instances()["DBInstances"],
        "DBSubnetGroupName": rds.describe_db_subnet_groups()["DBSubnetGroups"],
        # RDS makes its own at its own times.
        "DBSnapshotIdentifier": [s for s in rds.describe_db_snapshots()["DBSnapshots"] if s["SnapshotType"] != "automated"],
    }
    # A terminated instance leaves its network interface in the emulator: only those of the living count.
    living = {nic["NetworkInterfaceId"] for i in found["InstanceId"] for nic in i["NetworkInterfaces"]}
    found["NetworkInterfaceId"] = [n for n in pages("describe_network_interfaces", "NetworkInterfaces") if n["NetworkInterfaceId"] in living]
    for group in found["DBSubnetGroupName"]:
        group["Tags"] = rds.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"]
    for vpc in found["VpcId"]:
        for name in ("enableDnsSupport", "enableDnsHostnames"):
            vpc[name] = ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=name)[name[0].upper() + name[1:]]["Value"]
    for instance in found["InstanceId"]:
        answer = ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")
        instance["UserData"] = answer["UserData"].get("Value")
    return [(key, item) for key, items in found.items() for item in items]


def picture(aws):
    """One line of JSON for each object, sorted: an object that is there twice is there twice."""
    objects = everything(aws)
    names = {item[key]: f"<{tags(item)['aloka-address']}>" for key, item in objects if "aloka-address" in tags(item)}

    def text(value):
        value = ID.sub(lambda match: names.get(match[0], match[0].split("-")[0] + "-*"), KEY.sub("key/*", value))
        return ACCOUNT.sub("<account>", ADDRESS.sub("<ip>", value))

    def plain(value):
        if isinstance(value, dict):
            if value.get("Key") in ("aloka-lineage", "aloka-generation"):
                return {"Key": value["Key"]}
            return {key: plain(item) for key, item in value.items() if key not in VOLATILE}
        if isinstance(value, list):
            return sorted((plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        if isinstance(value, datetime.datetime):
            return "<time>"
        return text(value) if isinstance(value, str) else value

    return sorted(f"{key} {json.dumps(plain(item), sort_keys=True)}" for key, item in objects)
