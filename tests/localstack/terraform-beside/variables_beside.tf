variable "app_ingress" { default = [{ port = 80 }, { port = 443 }] }
