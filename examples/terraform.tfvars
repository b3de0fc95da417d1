# The variables of the architecture's own example. Every other variable has its default: see `aloka init -example`. The
# password is in no file: export TF_VAR_db_password, or be asked for it.
aws_region   = "us-east-1"
aws_profile  = "default"
environment  = "dev"
project_name = "aloka"
