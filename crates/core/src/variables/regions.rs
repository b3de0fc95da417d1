//! AWS regions and their partitions, from AWS's list of regions (General Reference, "AWS Regions").

/// A region and the partition it belongs to, which is the second part of every ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// Name, such as `us-east-1`.
    pub name: &'static str,
    /// `aws`, `aws-us-gov` or `aws-cn`.
    pub partition: &'static str,
}

const fn aws(name: &'static str) -> Region {
    Region { name, partition: "aws" }
}

/// Every known region, by name inside a partition.
pub const REGIONS: &[Region] = &[
    aws("af-south-1"),
    aws("ap-east-1"),
    aws("ap-east-2"),
    aws("ap-northeast-1"),
    aws("ap-northeast-2"),
    aws("ap-northeast-3"),
    aws("ap-south-1"),
    aws("ap-south-2"),
    aws("ap-southeast-1"),
    aws("ap-southeast-2"),
    aws("ap-southeast-3"),
    aws("ap-southeast-4"),
    aws("ap-southeast-5"),
    aws("ap-southeast-6"),
    aws("ap-southeast-7"),
    aws("ca-central-1"),
    aws("ca-west-1"),
    aws("eu-central-1"),
    aws("eu-central-2"),
    aws("eu-north-1"),
    aws("eu-south-1"),
    aws("eu-south-2"),
    aws("eu-west-1"),
    aws("eu-west-2"),
    aws("eu-west-3"),
    aws("il-central-1"),
    aws("me-central-1"),
    aws("me-south-1"),
    aws("mx-central-1"),
    aws("sa-east-1"),
    aws("us-east-1"),
    aws("us-east-2"),
    aws("us-west-1"),
    aws("us-west-2"),
    Region { name: "us-gov-east-1", partition: "aws-us-gov" },
    Region { name: "us-gov-west-1", partition: "aws-us-gov" },
    Region { name: "cn-north-1", partition: "aws-cn" },
    Region { name: "cn-northwest-1", partition: "aws-cn" },
];

/// The region called `name`.
pub fn region(name: &str) -> Option<&'static Region> {
    REGIONS.iter().find(|region| region.name == name)
}
