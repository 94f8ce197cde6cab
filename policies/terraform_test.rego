package main_test

import rego.v1

import data.main

tf(kind, spec) := {
	"apiVersion": "terraform/v1", "kind": kind, "metadata": {"name": sprintf("%s.x", [kind])},
	"block": {"type": "resource", "labels": [kind, "x"]}, "spec": spec,
}

tf_module(spec) := {
	"apiVersion": "terraform/v1", "kind": "Module", "metadata": {"name": "module.x"},
	"block": {"type": "module", "labels": ["x"]}, "spec": spec,
}

closed := {"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true}

test_a_bucket_with_a_public_acl_is_said if {
	count(main.deny_terraform_no_public_bucket) == 1 with input as tf("aws_s3_bucket", {"acl": "public-read"})
}

test_a_bucket_with_a_private_acl_is_met if {
	count(main.deny_terraform_no_public_bucket) == 0 with input as tf("aws_s3_bucket_acl", {"acl": "private"})
}

test_a_public_access_block_with_a_hole_is_said if {
	count(main.deny_terraform_no_public_bucket) == 1 with input as tf("aws_s3_bucket_public_access_block", object.union(closed, {"block_public_acls": false}))
}

test_a_public_access_block_is_met if {
	count(main.deny_terraform_no_public_bucket) == 0 with input as tf("aws_s3_bucket_public_access_block", closed)
}

test_a_bucket_for_all_users_is_said if {
	count(main.deny_terraform_no_public_bucket) == 1 with input as tf("google_storage_bucket_iam_binding", {"members": ["allUsers"]})
	count(main.deny_terraform_no_public_bucket) == 1 with input as tf("google_storage_bucket_iam_member", {"member": "allUsers"})
}

test_a_bucket_for_someone_is_met if {
	count(main.deny_terraform_no_public_bucket) == 0 with input as tf("google_storage_bucket_iam_member", {"member": "user:a@example.com"})
}

test_an_object_of_kubernetes_is_not_meant if {
	count(main.deny_terraform_no_public_bucket) == 0 with input as {"apiVersion": "v1", "kind": "aws_s3_bucket", "metadata": {"name": "x"}, "spec": {"acl": "public-read"}}
}

ssh := {"from_port": 22, "to_port": 22, "cidr_blocks": ["0.0.0.0/0"]}

test_ssh_for_the_world_is_said if {
	count(main.deny_terraform_no_open_ingress) == 1 with input as tf("aws_security_group", {"ingress": [ssh]})
	count(main.deny_terraform_no_open_ingress) == 1 with input as tf("aws_security_group", {"ingress": ssh})
	count(main.deny_terraform_no_open_ingress) == 1 with input as tf("aws_security_group", {"dynamic": [{"ingress": {"for_each": "${var.x}", "content": [ssh]}}]})
	count(main.deny_terraform_no_open_ingress) == 1 with input as tf("aws_security_group_rule", object.union(ssh, {"type": "ingress"}))
	count(main.deny_terraform_no_open_ingress) == 1 with input as tf("aws_vpc_security_group_ingress_rule", {"cidr_ipv6": "::/0", "from_port": 22, "to_port": 22})
}

test_ssh_for_a_network_and_the_web_for_the_world_are_met if {
	count(main.deny_terraform_no_open_ingress) == 0 with input as tf("aws_security_group", {"ingress": [object.union(ssh, {"cidr_blocks": ["10.0.0.0/8"]})]})
	count(main.deny_terraform_no_open_ingress) == 0 with input as tf("aws_security_group", {"ingress": [object.union(ssh, {"from_port": 443, "to_port": 443})]})
	count(main.deny_terraform_no_open_ingress) == 0 with input as tf("aws_security_group_rule", object.union(ssh, {"type": "egress"}))
	count(main.deny_terraform_no_open_ingress) == 0 with input as tf("aws_vpc_security_group_ingress_rule", {"cidr_ipv4": "0.0.0.0/0", "from_port": 80, "to_port": 80})
}

test_a_module_without_a_version_is_said if {
	count(main.deny_terraform_pinned_module) == 1 with input as tf_module({"source": "terraform-aws-modules/eks/aws"})
	count(main.deny_terraform_pinned_module) == 1 with input as tf_module({"source": "app.terraform.io/org/eks/aws"})
	count(main.deny_terraform_pinned_module) == 1 with input as tf_module({"source": "github.com/org/module"})
	count(main.deny_terraform_pinned_module) == 1 with input as tf_module({"source": "git::https://example.com/m.git?ref=main"})
}

test_a_module_with_a_version_is_met if {
	count(main.deny_terraform_pinned_module) == 0 with input as tf_module({"source": "terraform-aws-modules/eks/aws", "version": "20.1.0"})
	count(main.deny_terraform_pinned_module) == 0 with input as tf_module({"source": "github.com/org/module//part?ref=v1.2.3"})
	count(main.deny_terraform_pinned_module) == 0 with input as tf_module({"source": "https://example.com/m.zip?checksum=sha256:abc"})
	count(main.deny_terraform_pinned_module) == 0 with input as tf_module({"source": "../net"})
	count(main.deny_terraform_pinned_module) == 0 with input as tf_module({"source": "./net"})
}
