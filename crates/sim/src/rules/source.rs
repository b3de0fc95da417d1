//! Where rules are known from.

/// A source of facts about AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// Answers of real accounts that public projects recorded.
    Recorded,
    /// The service models that AWS publishes with its SDKs.
    ServiceModel,
    /// The list of EC2's error codes.
    ErrorCodes,
    /// EC2's page on request throttling.
    Throttling,
    /// The user guides of EC2, VPC and RDS.
    UserGuide,
    /// Other pages of AWS's documentation.
    Documentation,
    /// The service authorisation reference: actions, resources and conditions of IAM.
    Authorization,
    /// CloudFormation's resource schemas and cfn-lint's data made from them.
    Schemas,
    /// What Terraform's AWS provider does about it.
    TerraformProvider,
    /// Data that moto took from a real account.
    Moto,
    /// Logs, issues and answers that people published.
    PublicLogs,
    /// Experience; not looked up.
    Experience,
    /// The simulated account itself.
    Simulator,
}

/// How far a fact can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// From memory, or of the simulator's own making.
    Unverified,
    /// Seen by others in answers of AWS.
    Observed,
    /// AWS says so.
    Documented,
    /// A real account answered so, and the answer was kept: where AWS's pages say otherwise, the answer counts.
    Recorded,
}

impl Confidence {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unverified => "unverified",
            Self::Observed => "observed",
            Self::Documented => "documented",
            Self::Recorded => "recorded",
        }
    }
}

impl Source {
    /// Every source.
    pub const ALL: [Self; 13] = [
        Self::Recorded,
        Self::ServiceModel,
        Self::ErrorCodes,
        Self::Throttling,
        Self::UserGuide,
        Self::Documentation,
        Self::Authorization,
        Self::Schemas,
        Self::TerraformProvider,
        Self::Moto,
        Self::PublicLogs,
        Self::Experience,
        Self::Simulator,
    ];

    /// Its short name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::ServiceModel => "service model",
            Self::ErrorCodes => "error codes",
            Self::Throttling => "throttling",
            Self::UserGuide => "user guide",
            Self::Documentation => "documentation",
            Self::Authorization => "authorization",
            Self::Schemas => "schemas",
            Self::TerraformProvider => "terraform provider",
            Self::Moto => "moto data",
            Self::PublicLogs => "public logs",
            Self::Experience => "experience",
            Self::Simulator => "simulator",
        }
    }

    /// What it is, and where it is found.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Recorded => {
                "answers of real accounts, kept by cloud-custodian (tests/data/placebo), LocalStack (snapshots of tests/aws) \
                 and moto (tests marked aws_verified), and logs of real runs with request identifiers (2015 to 2026)"
            }
            Self::ServiceModel => "service models of EC2 2016-11-15, RDS 2014-10-31, SSM, STS (botocore 1.44.5)",
            Self::ErrorCodes => "https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html (2026)",
            Self::Throttling => "https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html",
            Self::UserGuide => "user guides of EC2, VPC and RDS (github.com/awsdocs, 2023)",
            Self::Documentation => "https://docs.aws.amazon.com (2026)",
            Self::Authorization => "https://docs.aws.amazon.com/service-authorization/latest/reference/ (2026)",
            Self::Schemas => "CloudFormation resource schemas, cfn-lint 1.58.0 (2026-10-20)",
            Self::TerraformProvider => "github.com/hashicorp/terraform-provider-aws, internal/service",
            Self::Moto => "moto 5.2.5, resources taken from a real account (2026-10)",
            Self::PublicLogs => "logs, issues and answers published on GitHub: codes sure, wording indicative",
            Self::Experience => "experience of the authors; to be verified",
            Self::Simulator => "none: a limit of the simulator",
        }
    }

    /// How far it can be trusted.
    pub const fn confidence(self) -> Confidence {
        match self {
            Self::Recorded => Confidence::Recorded,
            Self::ServiceModel
            | Self::ErrorCodes
            | Self::Throttling
            | Self::UserGuide
            | Self::Documentation
            | Self::Authorization
            | Self::Schemas => Confidence::Documented,
            Self::TerraformProvider | Self::Moto | Self::PublicLogs => Confidence::Observed,
            Self::Experience | Self::Simulator => Confidence::Unverified,
        }
    }
}
