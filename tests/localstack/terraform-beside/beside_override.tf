# What the seed's configuration has to say in addition for Terraform and aloka to agree on every attribute. Without it
# they still agree on what exists, with one exception that costs data: storage_encrypted.
provider "aws" {
  # How aloka finds its objects again.
  ignore_tags { key_prefixes = ["aloka-", "aloka:"] }
}
module "vpc" {
  # aloka leaves these two as AWS makes them.
  manage_default_network_acl = false
  manage_default_route_table = false
}
resource "aws_security_group" "app" {
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
}
resource "aws_db_subnet_group" "main" {
  description = "Managed by aloka"
  tags        = merge(local.tags, { Name = "${var.project_name}-db-subnet-group" })
}
resource "aws_db_instance" "postgres" {
  # aloka encrypts unless db_storage_encrypted = false. Unsaid, it is false for Terraform, which would replace the database.
  storage_encrypted = true
  # aloka turns both on when it makes a database, and leaves them as they are afterwards.
  copy_tags_to_snapshot           = true
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]
  tags              = merge(local.tags, { Name = "${var.project_name}-${var.environment}-db" })
  # aloka never writes the password down, so that Terraform would send it again.
  lifecycle { ignore_changes = [password] }
}
resource "aws_instance" "app" {
  # The same image, not marked as sensitive.
  ami       = data.aws_ssm_parameter.al2.insecure_value
  user_data = file("user_data.sh")
}
