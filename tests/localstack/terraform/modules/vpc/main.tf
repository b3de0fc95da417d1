# What terraform-aws-modules/vpc/aws 5.21.0 makes for this configuration: the same resources at the same addresses.
variable "name" {}
variable "cidr" {}
variable "azs" {}
variable "public_subnets" {}
variable "private_subnets" {}
variable "enable_nat_gateway" {}
variable "single_nat_gateway" {}
variable "enable_dns_hostnames" {}
variable "tags" {}
variable "manage_default_network_acl" { default = true }
variable "manage_default_route_table" { default = true }

resource "aws_vpc" "this" {
  count                = 1
  cidr_block           = var.cidr
  enable_dns_hostnames = var.enable_dns_hostnames
  enable_dns_support   = true
  tags                 = merge({ Name = var.name }, var.tags)
}

resource "aws_subnet" "public" {
  count             = length(var.public_subnets)
  vpc_id            = aws_vpc.this[0].id
  availability_zone = var.azs[count.index]
  cidr_block        = var.public_subnets[count.index]
  tags              = merge({ Name = "${var.name}-public-${var.azs[count.index]}" }, var.tags)
}

resource "aws_subnet" "private" {
  count             = length(var.private_subnets)
  vpc_id            = aws_vpc.this[0].id
  availability_zone = var.azs[count.index]
  cidr_block        = var.private_subnets[count.index]
  tags              = merge({ Name = "${var.name}-private-${var.azs[count.index]}" }, var.tags)
}

resource "aws_internet_gateway" "this" {
  count  = 1
  vpc_id = aws_vpc.this[0].id
  tags   = merge({ Name = var.name }, var.tags)
}

resource "aws_eip" "nat" {
  count      = var.enable_nat_gateway && var.single_nat_gateway ? 1 : 0
  domain     = "vpc"
  tags       = merge({ Name = "${var.name}-${var.azs[0]}" }, var.tags)
  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  count         = var.enable_nat_gateway && var.single_nat_gateway ? 1 : 0
  allocation_id = aws_eip.nat[0].id
  subnet_id     = aws_subnet.public[0].id
  tags          = merge({ Name = "${var.name}-${var.azs[0]}" }, var.tags)
  depends_on    = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  count  = 1
  vpc_id = aws_vpc.this[0].id
  tags   = merge({ Name = "${var.name}-public" }, var.tags)
}

resource "aws_route_table" "private" {
  count  = 1
  vpc_id = aws_vpc.this[0].id
  tags   = merge({ Name = "${var.name}-private" }, var.tags)
}

resource "aws_route" "public_internet_gateway" {
  count                  = 1
  route_table_id         = aws_route_table.public[0].id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this[0].id
  timeouts { create = "5m" }
}

resource "aws_route" "private_nat_gateway" {
  count                  = 1
  route_table_id         = aws_route_table.private[0].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[0].id
  timeouts { create = "5m" }
}

resource "aws_route_table_association" "public" {
  count          = length(var.public_subnets)
  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public[0].id
}

resource "aws_route_table_association" "private" {
  count          = length(var.private_subnets)
  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private[0].id
}

# The module adopts the three objects that AWS makes with a VPC. aloka empties the security group and leaves the others.
resource "aws_default_security_group" "this" {
  count  = 1
  vpc_id = aws_vpc.this[0].id
  tags   = merge({ Name = "${var.name}-default" }, var.tags)
}

resource "aws_default_network_acl" "this" {
  count                  = var.manage_default_network_acl ? 1 : 0
  default_network_acl_id = aws_vpc.this[0].default_network_acl_id
  subnet_ids             = null
  ingress {
    rule_no    = 100
    action     = "allow"
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
  }
  ingress {
    rule_no         = 101
    action          = "allow"
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
  }
  egress {
    rule_no    = 100
    action     = "allow"
    from_port  = 0
    to_port    = 0
    protocol   = "-1"
    cidr_block = "0.0.0.0/0"
  }
  egress {
    rule_no         = 101
    action          = "allow"
    from_port       = 0
    to_port         = 0
    protocol        = "-1"
    ipv6_cidr_block = "::/0"
  }
  tags = merge({ Name = "${var.name}-default" }, var.tags)
  lifecycle { ignore_changes = [subnet_ids] }
}

resource "aws_default_route_table" "default" {
  count                  = var.manage_default_route_table ? 1 : 0
  default_route_table_id = aws_vpc.this[0].default_route_table_id
  timeouts {
    create = "5m"
    update = "5m"
  }
  tags = merge({ Name = "${var.name}-default" }, var.tags)
}

output "vpc_id" { value = aws_vpc.this[0].id }
output "public_subnets" { value = aws_subnet.public[*].id }
output "private_subnets" { value = aws_subnet.private[*].id }
