# Rules as aws_vpc_security_group_*_rule, those of the app group by port; one rule and one route of the owner's own.
# Rules for a group have no description here, as the emulator forgets it.
locals {
  default_tags = {}
  subnet_group = aws_db_subnet_group.main.name
  more_groups  = []
}

module "vpc" {
  source                        = "./modules/vpc"
  name                          = "${var.project_name}-vpc"
  cidr                          = "10.0.0.0/16"
  azs                           = ["us-east-1a", "us-east-1b"]
  public_subnets                = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets               = ["10.0.10.0/24", "10.0.11.0/24"]
  intra_subnets                 = ["10.0.30.0/24"]
  enable_nat_gateway            = true
  single_nat_gateway            = true
  manage_default_security_group = false
  public_subnet_tags            = { "kubernetes.io/role/elb" = 1 }
  private_subnet_tags           = { "kubernetes.io/role/internal-elb" = 1 }
  tags                          = local.tags
}

resource "aws_db_subnet_group" "main" {
  name        = "${var.project_name}-db-subnet-group"
  description = "Managed by aloka"
  subnet_ids  = module.vpc.private_subnets
  tags        = merge(local.tags, { Name = "${var.project_name}-db-subnet-group" })
}

resource "aws_security_group" "app" {
  name        = "${var.project_name}-app-sg"
  description = "Application"
  vpc_id      = module.vpc.vpc_id
  tags        = merge(local.tags, { Name = "${var.project_name}-app-sg" })
}
resource "aws_vpc_security_group_ingress_rule" "app" {
  for_each          = toset([for rule in var.app_ingress : tostring(rule.port)])
  security_group_id = aws_security_group.app.id
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value
  cidr_ipv4         = "0.0.0.0/0"
}
resource "aws_vpc_security_group_ingress_rule" "app_self" {
  security_group_id            = aws_security_group.app.id
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.app.id
}
resource "aws_vpc_security_group_egress_rule" "app" {
  security_group_id = aws_security_group.app.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "db" {
  name        = "${var.project_name}-db-sg"
  description = "Database"
  vpc_id      = module.vpc.vpc_id
  tags        = merge(local.tags, { Name = "${var.project_name}-db-sg" })
}
resource "aws_vpc_security_group_ingress_rule" "db" {
  security_group_id            = aws_security_group.db.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.app.id
}
resource "aws_vpc_security_group_egress_rule" "db" {
  security_group_id = aws_security_group.db.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

# The owner's own: a way from the bastion to the database, and one from the private subnets to another VPC.
resource "aws_vpc_security_group_ingress_rule" "db_from_bastion" {
  security_group_id            = aws_security_group.db.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432
  referenced_security_group_id = aws_security_group.bastion.id
}
resource "aws_route" "reporting" {
  route_table_id            = module.vpc.private_route_table_ids[0]
  destination_cidr_block    = "10.20.0.0/16"
  vpc_peering_connection_id = aws_vpc_peering_connection.reporting.id
}
resource "aws_vpc_peering_connection" "reporting" {
  vpc_id      = module.vpc.vpc_id
  peer_vpc_id = module.other.vpc_id
  auto_accept = true
  tags        = merge(local.tags, { Name = "reporting" })
}
module "other" {
  source = "./modules/other"
  image  = data.aws_ssm_parameter.al2.insecure_value
  tags   = { Team = "reporting" }
}

output "app_public_ip" { value = aws_instance.app.public_ip }
output "app_public_dns" { value = aws_instance.app.public_dns }
