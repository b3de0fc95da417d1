# The variables of a configuration like the one that aloka replaces.

variable "aws_region" {
  description = "AWS region"
  type        = string
  default     = "eu-central-1"
}

variable "environment" {
  description = "Environment (dev, staging, prod)"
  type        = string
  default     = "staging"

  validation {
    condition     = contains(["dev", "staging", "prod"], var.environment)
    error_message = "Environment must be dev, staging or prod."
  }
}

variable "vpc_cidr" {
  type    = string
  default = "10.20.0.0/16"

  validation {
    condition     = can(cidrhost(var.vpc_cidr, 0)) && tonumber(split("/", var.vpc_cidr)[1]) <= 28
    error_message = "It must be a valid CIDR block; got \"${var.vpc_cidr}\"."
  }
}

variable "public_subnet_cidrs" {
  type    = list(string)
  default = ["10.20.1.0/24", "10.20.2.0/24", ] # a comma too many is fine
}

variable "private_subnet_cidrs" {
  type = list(string)
  default = [
    "10.20.10.0/24", // one
    "10.20.11.0/24", /* two */
  ]
}

variable "app_instance_count" {
  type     = number
  default  = 2
  nullable = false
}

variable "db_password" {
  description = "Master password"
  type        = string
  sensitive   = true
}

locals {
  name_prefix = "${var.project_name}-${var.environment}"
  cidrs       = { for i, c in var.public_subnet_cidrs : "public-${i}" => c if c != "" }
  sizes       = var.environment == "prod" ? ["t3.large", "t3.xlarge"] : ["t3.small"]
}
