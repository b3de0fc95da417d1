# The module with most of what it offers, rules inside their groups, and neighbours of every kind.
locals {
  default_tags = { CostCenter = "4711", Owner = "platform" }
  subnet_group = module.vpc.database_subnet_group_name
  more_groups  = [aws_security_group.monitoring.id]
}

module "vpc" {
  source                              = "./modules/vpc"
  name                                = "${var.project_name}-vpc"
  cidr                                = "10.0.0.0/16"
  azs                                 = slice(data.aws_availability_zones.available.names, 0, 2)
  public_subnets                      = ["10.0.1.0/24", "10.0.2.0/24"]
  private_subnets                     = ["10.0.10.0/24", "10.0.11.0/24"]
  database_subnets                    = ["10.0.20.0/24", "10.0.21.0/24"]
  intra_subnets                       = ["10.0.30.0/24", "10.0.31.0/24"]
  create_database_subnet_route_table  = true
  create_multiple_public_route_tables = true
  enable_nat_gateway                  = true
  single_nat_gateway                  = true
  manage_default_security_group       = false
  manage_default_network_acl          = false
  manage_default_route_table          = false
  public_subnet_tags                  = { "kubernetes.io/role/elb" = 1 }
  private_subnet_tags                 = { "kubernetes.io/role/internal-elb" = 1, "karpenter.sh/discovery" = "prod" }
  tags                                = local.tags
}

resource "aws_security_group" "app" {
  name        = "${var.project_name}-app-sg"
  description = "Application"
  vpc_id      = module.vpc.vpc_id
  dynamic "ingress" {
    for_each = var.app_ingress
    content {
      from_port   = ingress.value.port
      to_port     = ingress.value.port
      protocol    = "tcp"
      cidr_blocks = ["0.0.0.0/0"]
    }
  }
  ingress {
    description = "self"
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    self        = true
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = merge(local.tags, { Name = "${var.project_name}-app-sg" })
}

resource "aws_security_group" "db" {
  name        = "${var.project_name}-db-sg"
  description = "Database"
  vpc_id      = module.vpc.vpc_id
  ingress {
    description     = "PostgreSQL"
    from_port       = 5432
    to_port         = 5432
    protocol        = "tcp"
    security_groups = [aws_security_group.app.id]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = merge(local.tags, { Name = "${var.project_name}-db-sg" })
}

# On the server: a second group and an address that stays.
resource "aws_security_group" "monitoring" {
  name        = "${var.project_name}-monitoring-sg"
  description = "Node exporter"
  vpc_id      = module.vpc.vpc_id
  ingress {
    description     = "From the bastion"
    from_port       = 9100
    to_port         = 9100
    protocol        = "tcp"
    security_groups = [aws_security_group.bastion.id]
  }
  tags = merge(local.tags, { Name = "${var.project_name}-monitoring-sg" })
}
resource "aws_eip" "app" {
  domain   = "vpc"
  instance = aws_instance.app.id
  tags     = merge(local.tags, { Name = "${var.project_name}-app" })
}
output "app_public_ip" { value = aws_eip.app.public_ip }
output "app_public_dns" { value = aws_eip.app.public_dns }

# In the private subnets: servers that say no group and so wear the VPC's default one.
resource "aws_instance" "worker" {
  for_each      = { blue = 0, green = 1 }
  ami           = data.aws_ssm_parameter.al2.insecure_value
  instance_type = "t3.nano"
  subnet_id     = module.vpc.private_subnets[each.value]
  tags          = merge(local.tags, { Name = "worker-${each.key}" })
}

module "other" {
  source = "./modules/other"
  image  = data.aws_ssm_parameter.al2.insecure_value
  tags   = { Team = "reporting" }
}
output "reporting_vpc" { value = module.other.vpc_id }
