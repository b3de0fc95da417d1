"""What AWS must hold after an apply, read with boto3 and so without a line of aloka's own code."""
import base64

from harness import DATABASE

TYPES = {
    "vpc": "module.vpc.aws_vpc.this/0",
    "igw": "module.vpc.aws_internet_gateway.this/0",
    "eip": "module.vpc.aws_eip.nat/0",
    "nat": "module.vpc.aws_nat_gateway.this/0",
    "default_sg": "module.vpc.aws_default_security_group.this/0",
    "app_sg": "aws_security_group.app",
    "db_sg": "aws_security_group.db",
    "subnet_group": "aws_db_subnet_group.main",
    "db": "aws_db_instance.postgres",
}
# CIDR -> (zone, Name tag, address tag, is it public)
SUBNETS = {
    "10.0.1.0/24": ("us-east-1a", "aloka-vpc-public-us-east-1a", "module.vpc.aws_subnet.public/0", True),
    "10.0.2.0/24": ("us-east-1b", "aloka-vpc-public-us-east-1b", "module.vpc.aws_subnet.public/1", True),
    "10.0.10.0/24": ("us-east-1a", "aloka-vpc-private-us-east-1a", "module.vpc.aws_subnet.private/0", False),
    "10.0.11.0/24": ("us-east-1b", "aloka-vpc-private-us-east-1b", "module.vpc.aws_subnet.private/1", False),
}
ANYWHERE = ("-1", None, None, "0.0.0.0/0")


def tags(of):
    return {tag["Key"]: tag["Value"] for tag in of.get("Tags") or of.get("TagList") or []}


def rules(permissions):
    """Permissions as a set of (protocol, from, to, source): one entry a rule, however they are grouped."""
    return {
        (p["IpProtocol"], None if p["IpProtocol"] == "-1" else p.get("FromPort"), None if p["IpProtocol"] == "-1" else p.get("ToPort"), source)
        for p in permissions
        for source in [r["CidrIp"] for r in p.get("IpRanges", [])] + [r["CidrIpv6"] for r in p.get("Ipv6Ranges", [])]
        + [r["GroupId"] for r in p.get("UserIdGroupPairs", [])] + [r["PrefixListId"] for r in p.get("PrefixListIds", [])]
    }


class World:
    """Every object of our kinds in the account but those AWS makes by itself, as one reading."""

    def __init__(self, aws):
        ec2, rds = aws.ec2, aws.rds
        self.aws = aws
        self.vpcs = [v for v in ec2.describe_vpcs()["Vpcs"] if not v["IsDefault"]]
        ours = [{"Name": "vpc-id", "Values": [v["VpcId"] for v in self.vpcs] or ["vpc-none"]}]
        self.subnets = {s["CidrBlock"]: s for s in ec2.describe_subnets(Filters=ours)["Subnets"]}
        self.igws = ec2.describe_internet_gateways()["InternetGateways"]
        self.eips = ec2.describe_addresses()["Addresses"]
        self.nats = [n for n in ec2.describe_nat_gateways()["NatGateways"] if n["State"] != "deleted"]
        self.route_tables = ec2.describe_route_tables(Filters=ours)["RouteTables"]
        self.groups = {g["GroupName"]: g for g in ec2.describe_security_groups(Filters=ours)["SecurityGroups"]}
        self.all_groups = ec2.describe_security_groups()["SecurityGroups"]
        found = [i for r in ec2.describe_instances()["Reservations"] for i in r["Instances"]]
        self.instances = [i for i in found if i["State"]["Name"] != "terminated"]
        self.volumes = ec2.describe_volumes()["Volumes"]
        self.dbs = rds.describe_db_instances()["DBInstances"]
        for database in self.dbs:
            database.pop("LatestRestorableTime", None)  # moves on by itself
        self.subnet_groups = rds.describe_db_subnet_groups()["DBSubnetGroups"]
        for group in self.subnet_groups:
            group["Tags"] = rds.list_tags_for_resource(ResourceName=group["DBSubnetGroupArn"])["TagList"]

    def snapshot(self):
        """All of it as a map from id to description, to compare two readings."""
        lists = {
            "VpcId": self.vpcs, "SubnetId": self.subnets.values(), "InternetGatewayId": self.igws, "AllocationId": self.eips,
            "NatGatewayId": self.nats, "RouteTableId": self.route_tables, "GroupId": self.all_groups, "InstanceId": self.instances,
            "VolumeId": self.volumes, "DBInstanceIdentifier": self.dbs, "DBSubnetGroupName": self.subnet_groups,
        }
        return {item[key]: item for key, items in lists.items() for item in items}

    def instance(self):
        (instance,) = self.instances
        return instance


def differing(before, after):
    """Paths whose values differ between two snapshots, such as `i-123.InstanceType`."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {f"{key}.{path}".rstrip(".") for key in before.keys() | after.keys()
                for path in differing(before.get(key), after.get(key))}
    return set() if before == after else {""}


def check(test, world, lineage, ports=(80, 443), instances=("aws_instance.app",), extra=None, kind="t3.small"):
    """Compares the whole world with the seed's document. `extra` holds tags beyond the usual ones."""
    same = test.assertEqual
    common = {"Project": "aloka", "Environment": "dev", "ManagedBy": "aloka", "aloka-lineage": lineage} | (extra or {})

    def tagged(what, found, address, name):
        found = dict(found)
        test.assertRegex(found.pop("aloka-generation", ""), r"^\d+$", f"{what}: tag aloka-generation")
        same(found, common | {"Name": name, "aloka-address": address}, f"{what}: tags")

    same(len(world.vpcs), 1, "number of VPCs that are not the account's default")
    vpc = world.vpcs[0]
    same(vpc["CidrBlock"], "10.0.0.0/16", "address range of the VPC")
    tagged("vpc", tags(vpc), TYPES["vpc"], "aloka-vpc")
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = world.aws.ec2.describe_vpc_attribute(VpcId=vpc["VpcId"], Attribute=attribute)
        same(answer[attribute[0].upper() + attribute[1:]]["Value"], True, f"vpc attribute {attribute}")

    same(set(world.subnets), set(SUBNETS), "address ranges of the subnets")
    for cidr, (zone, name, address, _) in SUBNETS.items():
        same(world.subnets[cidr]["AvailabilityZone"], zone, f"zone of subnet {cidr}")
        same(world.subnets[cidr]["MapPublicIpOnLaunch"], False, f"subnet {cidr} gives out public addresses by itself")
        tagged(f"subnet {cidr}", tags(world.subnets[cidr]), address, name)
    ids = {cidr: subnet["SubnetId"] for cidr, subnet in world.subnets.items()}
    private = {ids[cidr] for cidr, subnet in SUBNETS.items() if not subnet[3]}

    igws = [g for g in world.igws if any(a["VpcId"] == vpc["VpcId"] for a in g["Attachments"])]
    same(len(igws), 1, "number of internet gateways attached to the VPC")
    tagged("internet gateway", tags(igws[0]), TYPES["igw"], "aloka-vpc")
    same(len(world.eips), 1, "number of elastic addresses")
    tagged("elastic address", tags(world.eips[0]), TYPES["eip"], "aloka-vpc-us-east-1a")
    same(len(world.nats), 1, "number of NAT gateways")
    nat = world.nats[0]
    same((nat["State"], nat["SubnetId"]), ("available", ids["10.0.1.0/24"]), "state and subnet of the NAT gateway")
    same([a["AllocationId"] for a in nat["NatGatewayAddresses"]], [world.eips[0]["AllocationId"]], "address of the NAT gateway")
    tagged("nat gateway", tags(nat), TYPES["nat"], "aloka-vpc-us-east-1a")

    for kind_of, gateway_key, gateway in (("public", "GatewayId", igws[0]["InternetGatewayId"]), ("private", "NatGatewayId", nat["NatGatewayId"])):
        tables = [t for t in world.route_tables if tags(t).get("Name") == f"aloka-vpc-{kind_of}"]
        same(len(tables), 1, f"number of {kind_of} route tables")
        table = tables[0]
        tagged(f"{kind_of} route table", tags(table), f"module.vpc.aws_route_table.{kind_of}/0", f"aloka-vpc-{kind_of}")
        routes = {r["DestinationCidrBlock"]: r for r in table["Routes"]}
        same(set(routes), {"10.0.0.0/16", "0.0.0.0/0"}, f"destinations of the {kind_of} route table")
        same(routes["0.0.0.0/0"].get(gateway_key), gateway, f"default route of the {kind_of} route table")
        expected = {ids[cidr] for cidr, subnet in SUBNETS.items() if subnet[3] == (kind_of == "public")}
        same({a["SubnetId"] for a in table["Associations"] if not a["Main"]}, expected, f"subnets of the {kind_of} route table")

    same(set(world.groups), {"default", "aloka-app-sg", "aloka-db-sg"}, "security groups of the VPC")
    app, db = world.groups["aloka-app-sg"], world.groups["aloka-db-sg"]
    default = world.groups["default"]
    same((rules(default["IpPermissions"]), rules(default["IpPermissionsEgress"])), (set(), set()), "the VPC's default security group still has rules")
    tagged("default security group", tags(default), TYPES["default_sg"], "aloka-vpc-default")
    app_rules = {("tcp", port, port, "0.0.0.0/0") for port in ports} | {("-1", None, None, app["GroupId"])}
    same(rules(app["IpPermissions"]), app_rules, "ingress of aloka-app-sg")
    same(rules(db["IpPermissions"]), {("tcp", 5432, 5432, app["GroupId"])}, "ingress of aloka-db-sg")
    for group, address in ((app, TYPES["app_sg"]), (db, TYPES["db_sg"])):
        same(rules(group["IpPermissionsEgress"]), {ANYWHERE}, f"egress of {group['GroupName']}")
        tagged(group["GroupName"], tags(group), address, group["GroupName"])

    same([g["DBSubnetGroupName"] for g in world.subnet_groups], ["aloka-db-subnet-group"], "DB subnet groups")
    same({s["SubnetIdentifier"] for s in world.subnet_groups[0]["Subnets"]}, private, "subnets of the DB subnet group")
    tagged("db subnet group", tags(world.subnet_groups[0]), TYPES["subnet_group"], "aloka-db-subnet-group")
    same([d["DBInstanceIdentifier"] for d in world.dbs], [DATABASE], "databases")
    postgres = world.dbs[0]
    expected = {
        "Engine": "postgres", "DBInstanceClass": "db.t3.micro", "AllocatedStorage": 20, "DBName": "alokadb", "MasterUsername": "postgres",
        "PubliclyAccessible": False, "BackupRetentionPeriod": 0, "DBInstanceStatus": "available", "StorageEncrypted": True,
    }
    same({key: postgres.get(key) for key in expected}, expected, "attributes of the database")
    test.assertRegex(postgres["EngineVersion"], r"^15\.", "engine version of the database")
    same([g["VpcSecurityGroupId"] for g in postgres["VpcSecurityGroups"]], [db["GroupId"]], "security groups of the database")
    same(postgres["DBSubnetGroup"]["DBSubnetGroupName"], "aloka-db-subnet-group", "subnet group of the database")
    tagged("database", tags(postgres), TYPES["db"], DATABASE)

    by_address = {tags(i).get("aloka-address"): i for i in world.instances}
    same(set(by_address), {address.replace("[", "/").rstrip("]") for address in instances}, "addresses of the running instances")
    same(len(world.instances), len(instances), "number of running instances")
    for address, instance in by_address.items():
        same((instance["State"]["Name"], instance["InstanceType"]), ("running", kind), f"{address}: state and type")
        test.assertIn(instance["SubnetId"], set(ids.values()) - private, f"{address}: not in a public subnet")
        same([g["GroupId"] for g in instance["SecurityGroups"]], [app["GroupId"]], f"{address}: security groups")
        test.assertTrue(instance.get("PublicIpAddress"), f"{address}: no public address")
        data = world.aws.ec2.describe_instance_attribute(InstanceId=instance["InstanceId"], Attribute="userData")["UserData"]
        test.assertIn("docker", base64.b64decode(data.get("Value", "")).decode(), f"{address}: user data does not install docker")
        image = world.aws.ec2.describe_images(ImageIds=[instance["ImageId"]])["Images"][0]
        test.assertRegex(image["Name"], "^amzn2-ami-hvm", f"{address}: not Amazon Linux 2")
        same(instance.get("MetadataOptions", {}).get("HttpTokens"), "required", f"{address}: IMDSv2 is not required")
        tagged(address, tags(instance), address, address.replace("aws_instance.", "aloka-").replace("/", "-"))
        volumes = [v for v in world.volumes if any(a["InstanceId"] == instance["InstanceId"] for a in v["Attachments"])]
        same([tags(v).get("aloka-lineage") for v in volumes], [lineage], f"{address}: lineage tag of its one volume")


def check_gone(test, world):
    """Nothing of the stack is left, and nothing that costs money."""
    for what, left in (
        ("VPCs", world.vpcs), ("elastic addresses", world.eips), ("NAT gateways", world.nats), ("instances", world.instances),
        ("volumes", world.volumes), ("databases", world.dbs), ("DB subnet groups", world.subnet_groups),
        ("internet gateways of ours", [g for g in world.igws if "aloka-lineage" in tags(g)]),
        ("security groups of ours", [g for g in world.all_groups if "aloka-lineage" in tags(g)]),
    ):
        test.assertEqual(left, [], f"{what} left after destroy")
