variable "ep" { description = "Endpoint of the emulator" }
variable "aws_region" { default = "us-east-1" }
variable "aws_profile" { default = null }
variable "environment" { default = "dev" }
variable "project_name" { default = "aloka" }
variable "app_instance_type" { default = "t3.small" }
variable "app_ingress" { default = [{ port = 80 }, { port = 443 }] }
variable "db_password" { sensitive = true }
