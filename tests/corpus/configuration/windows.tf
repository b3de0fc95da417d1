variable "environment" {
  type    = string
  default = "win"
}

variable "tags" {
  type = map(string)
  default = {
    "Owner" = "Zoë"
    Team    : "größe"
  }
}
