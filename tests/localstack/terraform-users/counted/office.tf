# The owner's own: a way from the bastion to the database, and one from the private subnets to the office.
resource "aws_security_group_rule" "db_from_bastion" {
  security_group_id        = aws_security_group.db.id
  type                     = "ingress"
  description              = "psql on the bastion"
  protocol                 = "tcp"
  from_port                = 5432
  to_port                  = 5432
  source_security_group_id = aws_security_group.bastion.id
}
resource "aws_route" "office" {
  route_table_id         = module.vpc.private_route_table_ids[0]
  destination_cidr_block = "192.168.0.0/16"
  network_interface_id   = aws_instance.bastion.primary_network_interface_id
}
