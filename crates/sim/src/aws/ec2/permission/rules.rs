//! Rules of security groups, which requests and replies group into permissions.

use crate::rules::macros::rules;

rules! {
    MISSING: "permission.missing" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "MissingParameter" => "The request must contain the parameter ipPermissions";
        "a call that adds or removes rules has at least one"; [ErrorCodes, Experience];
    PEER_MISSING: "permission.peer-missing" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "MissingParameter" => "Either cidrIp, cidrIpv6, groupId or prefixListId must be specified";
        "a rule has another end: addresses, a group or a prefix list"; [Experience];
    PROTOCOL_MISSING: "permission.protocol-missing" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "MissingParameter" => "The request must contain the parameter ipProtocol";
        "a rule has a protocol"; [Experience];
    PROTOCOL_KNOWN: "permission.protocol-known" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value '{}' for IP protocol. Unknown protocol.";
        "a protocol is tcp, udp, icmp, icmpv6, -1 for all, or a number from 0 to 255"; [ServiceModel, PublicLogs];
    PROTOCOL_NUMBERS: "permission.protocol-numbers" Default [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress];
        "6, 17, 1 and 58 are stored as tcp, udp, icmp and icmpv6"; [ServiceModel];
    PORTS_MISSING: "permission.ports-missing" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
        "a rule of TCP or UDP has a first and a last port"; [ServiceModel, PublicLogs];
    PORT_NUMBER: "permission.port-number" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidPermission.Malformed" => "TCP/UDP port ({}) out of range";
        "a port is from 0 to 65535, and -1 is none"; [ServiceModel, PublicLogs];
    PORT_ORDER: "permission.port-order" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid TCP/UDP port range ({}:{})";
        "the first port is not above the last"; [ServiceModel, PublicLogs];
    ICMP_MISSING: "permission.icmp-missing" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value 'Must specify both from and to ports with ICMP.' for portRange.";
        "a rule of ICMP has a type and a code, each -1 for all"; [ServiceModel, PublicLogs];
    ICMPV6_ALL: "permission.icmpv6-all" Default [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress];
        "a rule of ICMPv6 without type and code is for all of them"; [ServiceModel];
    ICMP_RANGE: "permission.icmp-range" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "ICMP {} ({}) out of range";
        "types and codes of ICMP are from -1 to 255"; [PublicLogs];
    ICMP_ALL: "permission.icmp-all-codes" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "ICMP code ({}) cannot be specified with all ICMP types";
        "a rule for all types of ICMP is for all codes"; [ServiceModel];
    PORTS_IGNORED: "permission.ports-ignored" Default [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress];
        "ports of other protocols, and of -1, are ignored: all traffic is meant"; [Recorded, ServiceModel];
    CIDR: "permission.cidr-form" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "CIDR block {} is malformed";
        "addresses are an IPv4 or IPv6 range in CIDR notation"; [PublicLogs];
    CIDR_CANONICAL: "permission.cidr-canonical" Default [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress];
        "host bits of a range are dropped"; [ServiceModel];
    PREFIX_LIST: "permission.prefix-list" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidPrefixListID.NotFound" => "The prefix list ID '{}' does not exist";
        "a prefix list that a rule names exists; the simulated account has none, not even AWS's own"; [PublicLogs, ErrorCodes];
    SAME_NETWORK: "permission.same-network" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress] "InvalidGroup.NotFound" => "You have specified two resources that belong to different networks.";
        "a group that a rule names is of the same VPC (peered VPCs are not modelled)"; [PublicLogs];
    DESCRIPTION: "permission.description" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        "a rule's description has at most 255 characters, those of a group's description"; [ServiceModel, PublicLogs];
    REPEATED: "permission.repeated" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress, Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidParameterValue" => "The same permission must not appear multiple times";
        "a call has no rule twice, in whatever form"; [PublicLogs];
    DUPLICATE: "permission.duplicate" Refusal [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress] "InvalidPermission.Duplicate" => "the specified rule \"peer: {}, {}{}, ALLOW\" already exists";
        "a group has a rule once, whatever its description; of several rules none is added if one is there"; [Recorded, ErrorCodes, PublicLogs];
    NOT_FOUND: "permission.not-found" Refusal [Ec2::RevokeSecurityGroupIngress, Ec2::RevokeSecurityGroupEgress] "InvalidPermission.NotFound" => "The specified rule does not exist in this security group.";
        "a rule that is removed is there; of several rules none is removed if one is not (in a default VPC that is no error)"; [ServiceModel, ErrorCodes];
    QUOTA: "permission.quota" Quota [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress] "RulesPerSecurityGroupLimitExceeded" => "The maximum number of rules per security group has been reached.";
        "a group has 60 rules for IPv4 and 60 for IPv6 in each direction; a rule that names a group counts for both"; [UserGuide, ErrorCodes, PublicLogs];
    RULES: "permission.rules" Default [Ec2::AuthorizeSecurityGroupIngress, Ec2::AuthorizeSecurityGroupEgress];
        "the rules that a call adds are answered one by one, each with an identifier of its own, and with -1 for ports that it does not have"; [ServiceModel, Experience];
    GROUPED: "permission.grouped" Default [Ec2::DescribeSecurityGroups];
        "rules with the same protocol and ports are answered as one permission, however they were added"; [Recorded];
}
