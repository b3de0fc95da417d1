#!/usr/bin/env python3
"""Calls per second of a moto server, for the same kinds of calls as tests/examples/bench.rs sends the simulated account.

    python bench_moto.py [SECONDS]

Needs boto3 and moto's server, pinned by localstack/moto-constraints.txt; `just bench` makes the environment. One client, one connection, one call after the other, as one executor sees it. A life is the stack's calls of an apply and a destroy,
with a Describe call beside each kind, as a refresh would send. A second is one of processor time, as in bench.rs: of
the server alone, and of the server and its client.
"""
import logging
import os
import sys
import time

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


class Client:
    """A client that counts what it sends."""

    def __init__(self, service, url):
        config = Config(retries={"max_attempts": 0}, proxies={})
        self.client = boto3.client(
            service, region_name=REGION, endpoint_url=url, config=config,
            aws_access_key_id="123456789012", aws_secret_access_key="test")
        self.calls = 0

    def __getattr__(self, operation):
        call = getattr(self.client, operation)

        def counted(**arguments):
            self.calls += 1
            return call(**arguments)
        return counted


def life(ec2, rds, number):
    """One stack, made, read and removed."""
    tags = [{"Key": "Name", "Value": f"bench-{number}"}]

    def tagged(kind):
        return [{"ResourceType": kind, "Tags": tags}]

    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tagged("vpc"))["Vpc"]["VpcId"]
    ec2.describe_vpcs(VpcIds=[vpc])
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_internet_gateway(TagSpecifications=tagged("internet-gateway"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    subnets = []
    for block, zone in [("10.0.1.0/24", "a"), ("10.0.2.0/24", "b"), ("10.0.11.0/24", "a"), ("10.0.12.0/24", "b")]:
        made = ec2.create_subnet(VpcId=vpc, CidrBlock=block, AvailabilityZone=REGION + zone, TagSpecifications=tagged("subnet"))
        subnets.append(made["Subnet"]["SubnetId"])
    ec2.describe_subnets(SubnetIds=subnets)
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip"))["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address, TagSpecifications=tagged("natgateway"))
    nat = nat["NatGateway"]["NatGatewayId"]
    ec2.describe_nat_gateways(NatGatewayIds=[nat])
    tables, associations = [], []
    for target, own in [({"GatewayId": gateway}, subnets[:2]), ({"NatGatewayId": nat}, subnets[2:])]:
        table = ec2.create_route_table(VpcId=vpc, TagSpecifications=tagged("route-table"))["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        associations += [ec2.associate_route_table(RouteTableId=table, SubnetId=s)["AssociationId"] for s in own]
        tables.append(table)
    ec2.describe_route_tables(RouteTableIds=tables)
    app = ec2.create_security_group(GroupName="app", Description="app", VpcId=vpc, TagSpecifications=tagged("security-group"))["GroupId"]
    db = ec2.create_security_group(GroupName="db", Description="db", VpcId=vpc, TagSpecifications=tagged("security-group"))["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=app, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
    ec2.authorize_security_group_ingress(GroupId=db, IpPermissions=[
        {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": app}]}])
    ec2.describe_security_groups(GroupIds=[app, db])
    instance = ec2.run_instances(
        ImageId="ami-12c6146b", InstanceType="t3.small", MinCount=1, MaxCount=1, TagSpecifications=tagged("instance"),
        NetworkInterfaces=[{"DeviceIndex": 0, "SubnetId": subnets[0], "Groups": [app], "AssociatePublicIpAddress": True}])
    instance = instance["Instances"][0]["InstanceId"]
    ec2.describe_instances(InstanceIds=[instance])
    group, name = f"group-{number}", f"db-{number}"
    rds.create_db_subnet_group(DBSubnetGroupName=group, DBSubnetGroupDescription="db", SubnetIds=subnets[2:], Tags=tags)
    rds.describe_db_subnet_groups(DBSubnetGroupName=group)
    rds.create_db_instance(
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.micro", Engine="postgres", AllocatedStorage=20, MasterUsername="app",
        MasterUserPassword="correct-horse", DBSubnetGroupName=group, VpcSecurityGroupIds=[db], Tags=tags)
    rds.describe_db_instances(DBInstanceIdentifier=name)

    rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True)
    rds.delete_db_subnet_group(DBSubnetGroupName=group)
    ec2.terminate_instances(InstanceIds=[instance])
    ec2.describe_instances(InstanceIds=[instance])
    for table in tables:
        ec2.delete_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0")
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.describe_nat_gateways(NatGatewayIds=[nat])
    for association in associations:
        ec2.disassociate_route_table(AssociationId=association)
    for table in tables:
        ec2.delete_route_table(RouteTableId=table)
    ec2.release_address(AllocationId=address)
    # moto leaves the interfaces of NAT gateway and instance behind.
    for interface in ec2.client.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkInterfaces"]:
        ec2.client.delete_network_interface(NetworkInterfaceId=interface["NetworkInterfaceId"])
    for security_group in [db, app]:
        ec2.delete_security_group(GroupId=security_group)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_internet_gateway(InternetGatewayId=gateway)
    ec2.delete_vpc(VpcId=vpc)


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 10
    os.environ["NO_PROXY"] = "127.0.0.1"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    ec2, rds = (Client(service, f"http://{host}:{port}") for service in ["ec2", "rds"])
    life(ec2, rds, 0)  # Modules are loaded on the first call.
    ec2.calls = rds.calls = lives = 0
    end = time.monotonic() + seconds
    # The client runs in this thread, the server in others.
    both, client = time.process_time(), time.thread_time()
    while time.monotonic() < end:
        lives += 1
        life(ec2, rds, lives)
    both, client = time.process_time() - both, time.thread_time() - client
    calls = ec2.calls + rds.calls
    for what, spent in [("moto server", both - client), ("moto server and boto3", both)]:
        print(f"{what:<38} {calls / spent:>12,.0f} calls/s   ({lives} lives of {calls // lives} calls)")
    server.stop()


if __name__ == "__main__":
    main()
