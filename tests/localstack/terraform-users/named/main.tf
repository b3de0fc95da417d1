# Each rule a resource with a name of its own, in both forms; the module with its defaults; a second database in the stack's
# subnet group.
locals {
  default_tags = { CostCenter = "4711" }
  subnet_group = aws_db_subnet_group.main.name
  more_groups  = []
}

module "vpc" {
  source             = "./modules/vpc"
  name               = "${var.project_name}-vpc"
  cidr               = "10.0.0.0/16"
  azs                = ["us-east-1a", "us-east-1b"]
  public_subnets     = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets    = ["10.0.10.0/24", "10.0.11.0/24"]
  database_subnets   = ["10.0.20.0/24", "10.0.21.0/24"]
  enable_nat_gateway = true
  single_nat_gateway = true
  tags               = local.tags
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
resource "aws_vpc_security_group_ingress_rule" "http" {
  security_group_id = aws_security_group.app.id
  description       = "HTTP"
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 80
  cidr_ipv4         = "0.0.0.0/0"
}
resource "aws_vpc_security_group_ingress_rule" "https" {
  security_group_id = aws_security_group.app.id
  description       = "HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}
resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.app.id
  ip_protocol                  = "-1"
  referenced_security_group_id = aws_security_group.app.id
}
resource "aws_vpc_security_group_egress_rule" "out" {
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
resource "aws_security_group_rule" "postgres" {
  security_group_id        = aws_security_group.db.id
  type                     = "ingress"
  description              = "PostgreSQL"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.app.id
}
resource "aws_security_group_rule" "postgres_out" {
  security_group_id = aws_security_group.db.id
  type              = "egress"
  protocol          = "-1"
  from_port         = 0
  to_port           = 0
  cidr_blocks       = ["0.0.0.0/0"]
}
# The owner's own.
resource "aws_security_group_rule" "postgres_from_bastion" {
  security_group_id        = aws_security_group.db.id
  type                     = "ingress"
  description              = "psql on the bastion"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.bastion.id
}

resource "aws_security_group" "reports" {
  name        = "${var.project_name}-reports-sg"
  description = "Reports"
  vpc_id      = module.vpc.vpc_id
  ingress {
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.app.id]
  }
  tags = local.tags
}
resource "aws_db_instance" "reports" {
  identifier             = "${var.project_name}-reports"
  engine                 = "postgres"
  engine_version         = "15.17"
  instance_class         = "db.t3.micro"
  allocated_storage      = 20
  storage_encrypted      = true
  username               = "postgres"
  password               = "${var.db_password}-reports"
  db_subnet_group_name   = aws_db_subnet_group.main.name
  vpc_security_group_ids = [aws_security_group.reports.id]
  skip_final_snapshot    = true
  tags                   = local.tags
}

output "app_public_ip" { value = aws_instance.app.public_ip }
output "app_public_dns" { value = aws_instance.app.public_dns }
