# In the stack's public subnet, and none of the stack's.
resource "aws_security_group" "bastion" {
  name        = "${var.project_name}-bastion-sg"
  description = "Bastion"
  vpc_id      = module.vpc.vpc_id
  ingress {
    description = "SSH from the office"
    from_port   = 22
    to_port     = 22
    protocol    = "tcp"
    cidr_blocks = ["203.0.113.0/24"]
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
  tags = merge(local.tags, { Name = "${var.project_name}-bastion-sg" })
}

resource "aws_instance" "bastion" {
  ami                    = data.aws_ssm_parameter.al2.insecure_value
  instance_type          = "t3.nano"
  subnet_id              = module.vpc.public_subnets[1]
  vpc_security_group_ids = [aws_security_group.bastion.id]
  source_dest_check      = false
  tags                   = merge(local.tags, { Name = "${var.project_name}-bastion" })
}
output "bastion_private_ip" { value = aws_instance.bastion.private_ip }
