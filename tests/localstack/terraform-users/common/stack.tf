# What every variant has: the database and the server at the seed's addresses. Beside it stands what only the variant has:
# its call of the module, the groups with their rules, and the objects of others.
locals {
  tags = { Project = var.project_name, Environment = var.environment, ManagedBy = "terraform" }
}
data "aws_availability_zones" "available" { state = "available" }
data "aws_caller_identity" "current" {}
data "aws_ssm_parameter" "al2" { name = "/aws/service/ami-amazon-linux-latest/amzn2-ami-hvm-x86_64-gp2" }

resource "aws_db_instance" "postgres" {
  identifier              = "${var.project_name}-${var.environment}-db"
  engine                  = "postgres"
  engine_version          = "15.17"
  instance_class          = "db.t3.micro"
  allocated_storage       = 20
  storage_encrypted       = true
  db_name                 = "alokadb"
  username                = "postgres"
  password                = var.db_password
  db_subnet_group_name    = local.subnet_group
  vpc_security_group_ids  = [aws_security_group.db.id]
  publicly_accessible     = false
  skip_final_snapshot     = true
  backup_retention_period = 0
  tags                    = merge(local.tags, { Name = "${var.project_name}-${var.environment}-db" })
  # aloka never writes the password down, so that Terraform would send it again.
  lifecycle { ignore_changes = [password] }
}

resource "aws_instance" "app" {
  ami                         = data.aws_ssm_parameter.al2.insecure_value
  instance_type               = var.app_instance_type
  subnet_id                   = module.vpc.public_subnets[0]
  vpc_security_group_ids      = concat([aws_security_group.app.id], local.more_groups)
  associate_public_ip_address = true
  user_data                   = file("user_data.sh")
  tags                        = merge(local.tags, { Name = "${var.project_name}-app" })
}

output "db_endpoint" { value = aws_db_instance.postgres.endpoint }
output "db_subnet_group_name" { value = aws_db_instance.postgres.db_subnet_group_name }
output "app_security_group_id" { value = aws_security_group.app.id }
output "db_security_group_id" { value = aws_security_group.db.id }
output "vpc_id" { value = module.vpc.vpc_id }
# Outputs that aloka does not declare.
output "account" { value = data.aws_caller_identity.current.account_id }
output "zones" { value = { for zone in slice(data.aws_availability_zones.available.names, 0, 2) : zone => 1.50 } }
output "join_token" {
  value     = sha256(aws_instance.app.id)
  sensitive = true
}
