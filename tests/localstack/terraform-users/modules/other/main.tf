# A VPC of somebody else in the same state, with types and names that the stack has too, and with keys where it has numbers.
variable "image" {}
variable "tags" { default = {} }

resource "aws_vpc" "this" {
  cidr_block = "10.20.0.0/16"
  tags       = merge(var.tags, { Name = "reporting" })
}

resource "aws_subnet" "public" {
  for_each          = { us-east-1a = "10.20.1.0/24", us-east-1b = "10.20.2.0/24" }
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value
  tags              = merge(var.tags, { Name = "reporting-${each.key}" })
}

resource "aws_security_group" "app" {
  name        = "reporting-app"
  description = "Reporting"
  vpc_id      = aws_vpc.this.id
  ingress {
    from_port   = 8443
    to_port     = 8443
    protocol    = "tcp"
    cidr_blocks = ["10.0.0.0/8"]
  }
  tags = var.tags
}

resource "aws_instance" "app" {
  ami                    = var.image
  instance_type          = "t3.micro"
  subnet_id              = aws_subnet.public["us-east-1a"].id
  vpc_security_group_ids = [aws_security_group.app.id]
  tags                   = merge(var.tags, { Name = "reporting" })
}

output "vpc_id" { value = aws_vpc.this.id }
