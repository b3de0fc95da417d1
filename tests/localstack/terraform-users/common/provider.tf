terraform {
  required_providers { aws = { source = "hashicorp/aws", version = "5.100.0" } }
}
provider "aws" {
  region                      = var.aws_region
  profile                     = var.aws_profile
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  default_tags { tags = local.default_tags }
  # How aloka finds its objects again, and what controllers write on subnets.
  ignore_tags { key_prefixes = ["aloka-", "aloka:", "kubernetes.io/cluster/"] }
  endpoints {
    ec2 = var.ep
    iam = var.ep
    rds = var.ep
    sts = var.ep
    ssm = var.ep
  }
}
