# The variables of the stack, as Terraform reads them too. Every other variable has its default: see `aloka init -example`.
aws_region   = "us-east-1"
aws_profile  = "default"
environment  = "dev"
project_name = "aloka"

app_instance_type = "t3.small"

# The database password does not belong in a file. Set it for the commands that need it:
#   export TF_VAR_db_password='…'
# `aloka simulate` makes one up.
