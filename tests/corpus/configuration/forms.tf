# Forms of blocks and values that are met in public configurations.
variable environment { default = "bare" }
variable "app_instance_type" { default = "t3.medium" }
variable "no_default" {}
variable "any_type" { type = any }

variable "app_ingress" {
  description = <<-EOT
    Ports on which the application is reached:
      - port: ${"not"} evaluated here
      variable "environment" { default = "inside a heredoc" }
  EOT
  type = list(object({
    port        = number
    description = optional(string, "none")
    nested      = optional(object({ a = list(map(object({ b = string }))) }))
  }))
  default = [
    { port = 443, description = "HTTPS" },
  ]
}

variable "policy" {
  type    = string
  default = <<JSON
{
  "Version": "2012-10-17",
  "Statement": [{ "Effect": "Allow", "Action": ["s3:*"], "Resource": "*" }]
}
JSON
}

variable "deep" {
  default = {
    a = { b = { c = { d = { e = { f = { g = { h = { i = { j = { k = { l = { m = { n = { o = { p = { q = 1 } } } } } } } } } } } } } } } }
  }
}

variable "db_backup_retention_days" {
  type      = number
  default   = "7" # Terraform converts it
  ephemeral = false
}

variable "db_multi_az" {
  default = true
  type    = bool
}

/* variable "project_name" { default = "commented" } */
# variable "vpc_cidr" { default = "10.99.0.0/16" }
