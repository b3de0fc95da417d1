# Nothing here is a plain value, and Terraform refuses most of it as a default.
variable "environment" {
  default = terraform.workspace
}
variable "project_name" {
  default = "${lower("Shop")}-x"
}
variable "app_instance_count" {
  default = 1 + 1
}
variable "tags" {
  default = merge({ a = "b" }, { c = timestamp() })
}
variable "own" {
  default = [for s in split(",", "a,b") : upper(s)]
}
