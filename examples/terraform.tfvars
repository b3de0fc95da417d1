# The variables of the architecture's own example. Every other variable has its default: see `aloka init -example`.
aws_region   = "us-east-1"
aws_profile  = "default"
environment  = "dev"
project_name = "aloka"

# CHANGE THIS! Better still: delete the line and export TF_VAR_db_password.
db_password = "ChangeMe123!Secure"
