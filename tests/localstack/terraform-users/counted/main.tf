# Rules as aws_security_group_rule, those of the app group by count; beside them (office.tf) one rule
# and one route of the owner's own. A third public subnet, which the variables do not declare.
locals {
  default_tags = { CostCenter = "4711" }
  subnet_group = aws_db_subnet_group.main.name
  more_groups  = []
}

module "vpc" {
  source                     = "./modules/vpc"
  name                       = "${var.project_name}-vpc"
  cidr                       = "10.0.0.0/16"
  azs                        = slice(data.aws_availability_zones.available.names, 0, 3)
  public_subnets             = ["10.0.1.0/24", "10.0.2.0/24", "10.0.3.0/24"]
  private_subnets            = ["10.0.10.0/24", "10.0.11.0/24"]
  enable_nat_gateway         = true
  single_nat_gateway         = true
  manage_default_network_acl = false
  manage_default_route_table = false
  tags                       = local.tags
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
resource "aws_security_group_rule" "app_ingress" {
  count             = length(var.app_ingress)
  security_group_id = aws_security_group.app.id
  type              = "ingress"
  protocol          = "tcp"
  from_port         = var.app_ingress[count.index].port
  to_port           = var.app_ingress[count.index].port
  cidr_blocks       = ["0.0.0.0/0"]
}
resource "aws_security_group_rule" "app_self" {
  security_group_id = aws_security_group.app.id
  type              = "ingress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  self              = true
}
resource "aws_security_group_rule" "app_egress" {
  security_group_id = aws_security_group.app.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_security_group" "db" {
  name        = "${var.project_name}-db-sg"
  description = "Database"
  vpc_id      = module.vpc.vpc_id
  tags        = merge(local.tags, { Name = "${var.project_name}-db-sg" })
}
resource "aws_security_group_rule" "db_ingress" {
  security_group_id        = aws_security_group.db.id
  type                     = "ingress"
  description              = "PostgreSQL"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.app.id
}
resource "aws_security_group_rule" "db_egress" {
  security_group_id = aws_security_group.db.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}

resource "aws_eip" "app" {
  domain = "vpc"
  tags   = merge(local.tags, { Name = "${var.project_name}-app" })
}
resource "aws_eip_association" "app" {
  allocation_id = aws_eip.app.allocation_id
  instance_id   = aws_instance.app.id
}
output "app_public_ip" { value = aws_eip.app.public_ip }
output "app_public_dns" { value = aws_eip.app.public_dns }
