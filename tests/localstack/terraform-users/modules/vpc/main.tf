# The part of terraform-aws-modules/vpc/aws 5.21 that people call with the arguments below: its addresses and names of
# objects, in words of our own. What a configuration leaves out has the module's default.
variable "name" {}
variable "cidr" {}
variable "azs" {}
variable "public_subnets" {}
variable "private_subnets" {}
variable "database_subnets" { default = [] }
variable "intra_subnets" { default = [] }
variable "create_database_subnet_route_table" { default = false }
variable "create_multiple_public_route_tables" { default = false }
variable "enable_nat_gateway" { default = false }
variable "single_nat_gateway" { default = false }
variable "enable_dns_hostnames" { default = true }
variable "manage_default_security_group" { default = true }
variable "manage_default_network_acl" { default = true }
variable "manage_default_route_table" { default = true }
variable "public_subnet_tags" { default = {} }
variable "private_subnet_tags" { default = {} }
variable "vpc_tags" { default = {} }
variable "tags" { default = {} }

locals {
  public_tables = var.create_multiple_public_route_tables ? length(var.public_subnets) : 1
  # The only form of NAT that aloka builds.
  gateways        = var.enable_nat_gateway && var.single_nat_gateway ? 1 : 0
  database_tables = var.create_database_subnet_route_table && length(var.database_subnets) > 0 ? 1 : 0
  vpc             = aws_vpc.this[0].id
}

resource "aws_vpc" "this" {
  count                = 1
  cidr_block           = var.cidr
  enable_dns_hostnames = var.enable_dns_hostnames
  tags                 = merge({ Name = var.name }, var.tags, var.vpc_tags)
}

resource "aws_internet_gateway" "this" {
  count  = 1
  vpc_id = local.vpc
  tags   = merge({ Name = var.name }, var.tags)
}

# Public.
resource "aws_subnet" "public" {
  count             = length(var.public_subnets)
  vpc_id            = local.vpc
  cidr_block        = var.public_subnets[count.index]
  availability_zone = var.azs[count.index]
  tags              = merge({ Name = "${var.name}-public-${var.azs[count.index]}" }, var.tags, var.public_subnet_tags)
}

resource "aws_route_table" "public" {
  count  = local.public_tables
  vpc_id = local.vpc
  tags = merge(
    { Name = var.create_multiple_public_route_tables ? "${var.name}-public-${var.azs[count.index]}" : "${var.name}-public" },
    var.tags,
  )
}

resource "aws_route_table_association" "public" {
  count          = length(var.public_subnets)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[count.index % local.public_tables].id
}

resource "aws_route" "public_internet_gateway" {
  count                  = local.public_tables
  route_table_id         = aws_route_table.public[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
  timeouts { create = "5m" }
}

# Private.
resource "aws_subnet" "private" {
  count             = length(var.private_subnets)
  vpc_id            = local.vpc
  cidr_block        = var.private_subnets[count.index]
  availability_zone = var.azs[count.index]
  tags              = merge({ Name = "${var.name}-private-${var.azs[count.index]}" }, var.tags, var.private_subnet_tags)
}

resource "aws_route_table" "private" {
  count  = 1
  vpc_id = local.vpc
  tags   = merge({ Name = "${var.name}-private" }, var.tags)
}

resource "aws_route_table_association" "private" {
  count          = length(var.private_subnets)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[0].id
}

resource "aws_eip" "nat" {
  count      = local.gateways
  domain     = "vpc"
  tags       = merge({ Name = "${var.name}-${var.azs[count.index]}" }, var.tags)
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count         = local.gateways
  allocation_id = aws_eip.nat[count.index].id
  subnet_id     = aws_subnet.public[count.index].id
  tags          = merge({ Name = "${var.name}-${var.azs[count.index]}" }, var.tags)
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route" "private_nat_gateway" {
  count                  = local.gateways
  route_table_id         = aws_route_table.private[count.index].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[count.index].id
  timeouts { create = "5m" }
}

# For databases: subnets and a subnet group of their own, behind the private table unless they get one.
resource "aws_subnet" "database" {
  count             = length(var.database_subnets)
  vpc_id            = local.vpc
  cidr_block        = var.database_subnets[count.index]
  availability_zone = var.azs[count.index]
  tags              = merge({ Name = "${var.name}-db-${var.azs[count.index]}" }, var.tags)
}

resource "aws_db_subnet_group" "database" {
  count       = length(var.database_subnets) > 0 ? 1 : 0
  name        = lower(var.name)
  description = "Database subnet group for ${var.name}"
  subnet_ids  = aws_subnet.database[*].id
  tags        = merge({ Name = lower(var.name) }, var.tags)
}

resource "aws_route_table" "database" {
  count  = local.database_tables
  vpc_id = local.vpc
  tags   = merge({ Name = "${var.name}-db" }, var.tags)
}

resource "aws_route_table_association" "database" {
  count          = length(var.database_subnets)
  subnet_id      = aws_subnet.database[count.index].id
  route_table_id = concat(aws_route_table.database, aws_route_table.private)[0].id
}

# Without a way out.
resource "aws_subnet" "intra" {
  count             = length(var.intra_subnets)
  vpc_id            = local.vpc
  cidr_block        = var.intra_subnets[count.index]
  availability_zone = var.azs[count.index]
  tags              = merge({ Name = "${var.name}-intra-${var.azs[count.index]}" }, var.tags)
}

resource "aws_route_table" "intra" {
  count  = length(var.intra_subnets) > 0 ? 1 : 0
  vpc_id = local.vpc
  tags   = merge({ Name = "${var.name}-intra" }, var.tags)
}

resource "aws_route_table_association" "intra" {
  count          = length(var.intra_subnets)
  subnet_id      = aws_subnet.intra[count.index].id
  route_table_id = aws_route_table.intra[0].id
}

# What AWS makes with a VPC.
resource "aws_default_security_group" "this" {
  count  = var.manage_default_security_group ? 1 : 0
  vpc_id = local.vpc
  tags   = merge({ Name = "${var.name}-default" }, var.tags)
}

resource "aws_default_network_acl" "this" {
  count                  = var.manage_default_network_acl ? 1 : 0
  default_network_acl_id = aws_vpc.this[0].default_network_acl_id
  dynamic "ingress" {
    for_each = { 100 = { v4 = "0.0.0.0/0", v6 = null }, 101 = { v4 = null, v6 = "::/0" } }
    content {
      rule_no         = ingress.key
      action          = "allow"
      protocol        = "-1"
      from_port       = 0
      to_port         = 0
      cidr_block      = ingress.value.v4
      ipv6_cidr_block = ingress.value.v6
    }
  }
  dynamic "egress" {
    for_each = { 100 = { v4 = "0.0.0.0/0", v6 = null }, 101 = { v4 = null, v6 = "::/0" } }
    content {
      rule_no         = egress.key
      action          = "allow"
      protocol        = "-1"
      from_port       = 0
      to_port         = 0
      cidr_block      = egress.value.v4
      ipv6_cidr_block = egress.value.v6
    }
  }
  tags = merge({ Name = "${var.name}-default" }, var.tags)
  lifecycle { ignore_changes = [subnet_ids] }
}

resource "aws_default_route_table" "default" {
  count                  = var.manage_default_route_table ? 1 : 0
  default_route_table_id = aws_vpc.this[0].default_route_table_id
  tags                   = merge({ Name = "${var.name}-default" }, var.tags)
  timeouts {
    create = "5m"
    update = "5m"
  }
}

output "vpc_id" { value = local.vpc }
output "public_subnets" { value = aws_subnet.public[*].id }
output "private_subnets" { value = aws_subnet.private[*].id }
output "private_route_table_ids" { value = aws_route_table.private[*].id }
output "default_security_group_id" { value = aws_vpc.this[0].default_security_group_id }
output "database_subnet_group_name" { value = try(aws_db_subnet_group.database[0].name, null) }
