terraform {
  required_version = ">= 1.5"
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 5.0" }
  }
}

provider "aws" {
  region = var.aws_region
  default_tags { tags = merge(local.tags, { "managed-by" = "terraform" }) }
}

module "vpc" {
  source = "terraform-aws-modules/vpc/aws"
}

module "alb" {
  source   = "terraform-aws-modules/alb/aws"
  for_each = toset(["a", "b"])
}

resource "aws_instance" "app" {
  ami                    = data.aws_ami.al2.id
  instance_type          = var.app_instance_type
  vpc_security_group_ids = [aws_security_group.app.id]
  user_data              = <<-EOF
    #!/bin/bash
    echo "resource \"aws_s3_bucket\" \"not\" {}"
    %{for host in var.hosts~}
    echo ${host.name}
    %{endfor~}
  EOF

  dynamic "ebs_block_device" {
    for_each = var.disks
    content {
      device_name = ebs_block_device.value["name"]
      volume_size = try(ebs_block_device.value.size, 20)
    }
  }

  lifecycle {
    ignore_changes = [ami, tags["Name"]]
    precondition {
      condition     = length(regexall("^t[23]\\.", var.app_instance_type)) > 0
      error_message = "Only T2 and T3: ${jsonencode({ got = var.app_instance_type })}."
    }
  }
}

resource "aws_s3_bucket" "logs" {
  bucket = join("-", [
    var.project_name,
    "logs",
  ])
}

resource "aws_iam_role" "app" {
  assume_role_policy = jsonencode({
    Statement = [{ Action = "sts:AssumeRole", Principal = { Service = "ec2.amazonaws.com" } }]
  })
}

data "aws_ami" "al2" {
  owners = ["amazon"]
}

output "ip" { value = one(aws_instance.app[*].public_ip) }
moved {
  from = aws_instance.web
  to   = aws_instance.app
}
