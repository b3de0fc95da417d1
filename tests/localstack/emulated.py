"""What the emulator does and the simulated AWS does not, as `aloka certify` and `aloka receipts check` tell it.

Each row: a pattern of the operation, one of the difference, and why it is so.
"""
import re

AT_ONCE = "the emulator is done at once and knows no states in between"
NO_FIELD = "the emulator does not have the field"
EARLY = "the emulator shows at once what AWS shows later"

DIFFERENCES = [
    ("ec2:(Allocate|Describe)Address", r"(NetworkBorderGroup|PublicIpv4Pool) is absent", NO_FIELD),
    ("ec2:(Allocate|Describe)Address", r'PublicIp is "127\.', "its public addresses are of the machine's own network, and belong to nobody"),
    ("ec2:(Create|Describe)Vpc", r'DhcpOptionsId is "default"', "an identifier that AWS gives only in a request"),
    ("ec2:Create(Vpc|Subnet|NatGateway)", r'\.State is "available"; the simulator has "pending"', AT_ONCE),
    ("ec2:(Create|Describe)Subnet", r"BlockPublicAccessStates is absent", NO_FIELD),
    ("ec2:DescribeSubnets", r"AvailableIpAddressCount is \d+", "it counts other interfaces than AWS: none of a database"),
    ("ec2:CreateRouteTable", r"Routes\.0\.Origin is absent", NO_FIELD),
    ("ec2:AuthorizeSecurityGroupIngress", r"SecurityGroupRules", "it does not answer rules for a group itself, nor descriptions of rules for groups"),
    ("ec2:DescribeSecurityGroups", r"SecurityGroups", "the default group has no rule at the beginning, and so is taken for another one"),
    ("ec2:(Create|Describe)NatGateway", r"NatGatewayAddresses\.\d\.IsPrimary is absent", NO_FIELD),
    ("ec2:(Create|Describe)NatGateway", r"NatGatewayAddresses\.\d\.(AssociationId|NetworkInterfaceId|PublicIp) is ", EARLY),
    ("ec2:RunInstances", r"BlockDeviceMappings\.0 is|Public(DnsName|IpAddress) is", EARLY),
    ("ec2:(Run|Describe)Instances", r"StateReason\.(Code|Message) is absent", NO_FIELD),
    ("ec2:DescribeVolumes", r"ModificationState is absent", NO_FIELD),
    ("ec2:(CreateNatGateway|DeleteNatGateway|RunInstances|StopInstances|TerminateInstances)", r"^it took longer than 0 s and no longer than \d s", AT_ONCE),
    ("rds:CreateDBInstance", r"^it took longer than 0 s and no longer than \d s", AT_ONCE),
    ("rds:CreateDBInstance", r'DBInstanceStatus is "available"|Endpoint is ', AT_ONCE),
    ("rds:(Create|Modify)DBInstance", r"PendingModifiedValues\.\w+ is absent", AT_ONCE),
    ("rds:ModifyDBInstance", r"\.(DBInstanceClass|AllocatedStorage|BackupRetentionPeriod) is ", AT_ONCE),
    ("rds:ModifyDBInstance", r"EnabledCloudwatchLogsExports is absent", AT_ONCE),
]

# Met or not, as it comes: where a run is killed is a matter of moments, and what it had sent then is guessed from what is seen later.
SOMETIMES = [
    ("ec2:DescribeInstances", r'State is "terminated"', AT_ONCE),
    ("ec2:DescribeInstances", r"Instances\.\d+(\.SecurityGroups\.\d+)? is .*; the simulator has absent", "a server that was terminated keeps its groups, and is taken for another one"),
    ("rds:ListTagsForResource", r"Tags\.\S+ is absent|DBSubnetGroupNotFoundFault", "it answers no tags for a group that is not there"),
    ("rds:DescribeDBInstances", r'DBInstanceStatus is "available"; the simulator has "deleting"', AT_ONCE),
    ("rds:DeleteDBInstance", r"db-instance\.not-deleting", AT_ONCE),
    ("rds:DeleteDBInstance", r"^it took longer than 0 s and no longer than \d+ s", AT_ONCE),
    ("ec2:StartInstances", r"^it took longer than 0 s and no longer than \d+ s", AT_ONCE),
]


def unlisted(differences):
    """Differences, as (operation, text), that no row is about, and rows of DIFFERENCES that none of them is."""
    def fits(row, difference):
        return re.search(row[0], difference[0]) and re.search(row[1], difference[1])
    unknown = [each for each in differences if not any(fits(row, each) for row in DIFFERENCES + SOMETIMES)]
    unseen = [row for row in DIFFERENCES if not any(fits(row, each) for each in differences)]
    return unknown, unseen
