//! Rules of security groups, which requests and replies group into permissions.

use super::macros::rules;

rules! {
    MISSING: "permission.missing" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "MissingParameter" => "The request must contain the parameter ipPermissions";
        "a call that adds or removes rules has at least one"; [ErrorCodes, Experience];
    PEER_MISSING: "permission.peer-missing" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "MissingParameter" => "Either cidrIp, cidrIpv6, groupId or prefixListId must be specified";
        "a rule has another end: addresses, a group or a prefix list"; [Experience];
    PROTOCOL_MISSING: "permission.protocol-missing" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "MissingParameter" => "The request must contain the parameter ipProtocol";
        "a rule has a protocol"; [Experience];
    PROTOCOL_KNOWN: "permission.protocol-known" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value '{}' for IP protocol. Unknown protocol.";
        "a protocol is tcp, udp, icmp, icmpv6, -1 for all, or a number from 0 to 255"; [ServiceModel, PublicLogs];
    PROTOCOL_NUMBERS: "permission.protocol-numbers" Default [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress];
        "6, 17, 1 and 58 are stored as tcp, udp, icmp and icmpv6"; [ServiceModel];
    PORTS_MISSING: "permission.ports-missing" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value 'Must specify both from and to ports with TCP/UDP.' for portRange.";
        "a rule of TCP or UDP has a first and a last port"; [ServiceModel, PublicLogs];
    PORT_NUMBER: "permission.port-number" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidPermission.Malformed" => "TCP/UDP port ({}) out of range";
        "a port is from 0 to 65535, and -1 is none"; [ServiceModel, PublicLogs];
    PORT_ORDER: "permission.port-order" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid TCP/UDP port range ({}:{})";
        "the first port is not above the last"; [ServiceModel, PublicLogs];
    ICMP_MISSING: "permission.icmp-missing" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid value 'Must specify both from and to ports with ICMP.' for portRange.";
        "a rule of ICMP has a type and a code, each -1 for all"; [ServiceModel, PublicLogs];
    ICMPV6_ALL: "permission.icmpv6-all" Default [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress];
        "a rule of ICMPv6 without type and code is for all of them"; [ServiceModel];
    ICMP_RANGE: "permission.icmp-range" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "ICMP {} ({}) out of range";
        "types and codes of ICMP are from -1 to 255"; [PublicLogs];
    ICMP_ALL: "permission.icmp-all-codes" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "ICMP code ({}) cannot be specified with all ICMP types";
        "a rule for all types of ICMP is for all codes"; [ServiceModel];
    PORTS_IGNORED: "permission.ports-ignored" Default [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress];
        "ports of other protocols, and of -1, are ignored: all traffic is meant"; [Recorded, ServiceModel];
    CIDR: "permission.cidr-form" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "CIDR block {} is malformed";
        "addresses are an IPv4 or IPv6 range in CIDR notation"; [PublicLogs];
    CIDR_CANONICAL: "permission.cidr-canonical" Default [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress];
        "host bits of a range are dropped"; [ServiceModel];
    PREFIX_LIST: "permission.prefix-list" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidPrefixListID.NotFound" => "The prefix list ID '{}' does not exist";
        "a prefix list that a rule names exists; the simulated account has none, not even AWS's own"; [PublicLogs, ErrorCodes];
    SAME_NETWORK: "permission.same-network" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress] "InvalidGroup.NotFound" => "You have specified two resources that belong to different networks.";
        "a group that a rule names is of the same VPC (peered VPCs are not modelled)"; [PublicLogs];
    DESCRIPTION: "permission.description" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:  a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*";
        "a rule's description has at most 255 characters, those of a group's description"; [ServiceModel, PublicLogs];
    REPEATED: "permission.repeated" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress, RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidParameterValue" => "The same permission must not appear multiple times";
        "a call has no rule twice, in whatever form"; [PublicLogs];
    DUPLICATE: "permission.duplicate" Refusal [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress] "InvalidPermission.Duplicate" => "the specified rule \"peer: {}, {}{}, ALLOW\" already exists";
        "a group has a rule once, whatever its description; of several rules none is added if one is there"; [Recorded, ErrorCodes, PublicLogs];
    NOT_FOUND: "permission.not-found" Refusal [RevokeSecurityGroupIngress, RevokeSecurityGroupEgress] "InvalidPermission.NotFound" => "The specified rule does not exist in this security group.";
        "a rule that is removed is there; of several rules none is removed if one is not (in a default VPC that is no error)"; [ServiceModel, ErrorCodes];
    QUOTA: "permission.quota" Quota [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress] "RulesPerSecurityGroupLimitExceeded" => "The maximum number of rules per security group has been reached.";
        "a group has 60 rules for IPv4 and 60 for IPv6 in each direction; a rule that names a group counts for both"; [UserGuide, ErrorCodes, PublicLogs];
    RULES: "permission.rules" Default [AuthorizeSecurityGroupIngress, AuthorizeSecurityGroupEgress];
        "the rules that a call adds are answered one by one, each with an identifier of its own, and with -1 for ports that it does not have"; [ServiceModel, Experience];
    GROUPED: "permission.grouped" Default [DescribeSecurityGroups];
        "rules with the same protocol and ports are answered as one permission, however they were added"; [Recorded];
}
