package main

import rego.v1

import data.lib.terraform

# METADATA
# title: Buckets are not open to everyone
# description: What lies in a public bucket can be read by whoever finds its name.
# related_resources:
#   - ref: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
# custom:
#   id: terraform-no-public-bucket
#   severity: error
#   remediation: "Take the public ACL or member away, and let a CDN or signed addresses give access."
deny_terraform_no_public_bucket contains {"msg": msg, "field": "spec.acl"} if {
	terraform.is_resource
	input.kind in {"aws_s3_bucket", "aws_s3_bucket_acl"}
	input.spec.acl in {"public-read", "public-read-write", "website"}
	msg := sprintf("%s is open to everyone by its ACL %s", [terraform.address, input.spec.acl])
}

deny_terraform_no_public_bucket contains {"msg": msg, "field": sprintf("spec.%s", [name])} if {
	terraform.is_resource
	input.kind == "aws_s3_bucket_public_access_block"
	some name in ["block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"]
	object.get(input.spec, name, false) == false
	msg := sprintf("%s lets buckets be public: %s is not true", [terraform.address, name])
}

deny_terraform_no_public_bucket contains {"msg": msg, "field": "spec"} if {
	terraform.is_resource
	input.kind in {"google_storage_bucket_iam_member", "google_storage_bucket_iam_binding"}
	members := array.concat([object.get(input.spec, "member", "")], object.get(input.spec, "members", []))
	some member in members
	member in {"allUsers", "allAuthenticatedUsers"}
	msg := sprintf("%s gives the bucket to %s", [terraform.address, member])
}

# METADATA
# title: Only web ports are open to the world
# description: Everything else that the whole Internet can reach is tried by the whole Internet.
# related_resources:
#   - ref: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
# custom:
#   id: terraform-no-open-ingress
#   severity: error
#   remediation: "Name the networks that need it, or go through a bastion or VPN."
deny_terraform_no_open_ingress contains {"msg": msg, "field": sprintf("spec.ingress[%d]", [i])} if {
	terraform.is_resource
	input.kind == "aws_security_group"
	some i, rule in terraform.listed(input.spec.ingress)
	open_to_the_world(rule)
	msg := sprintf("%s opens ports %s to the world", [terraform.address, ports(rule)])
}

deny_terraform_no_open_ingress contains {"msg": msg, "field": sprintf("spec.dynamic[%d].ingress", [i])} if {
	terraform.is_resource
	input.kind == "aws_security_group"
	some i, made in input.spec.dynamic
	some rule in made.ingress.content
	open_to_the_world(rule)
	msg := sprintf("%s opens ports %s to the world", [terraform.address, ports(rule)])
}

deny_terraform_no_open_ingress contains {"msg": msg, "field": "spec"} if {
	terraform.is_resource
	input.kind == "aws_security_group_rule"
	input.spec.type == "ingress"
	open_to_the_world(input.spec)
	msg := sprintf("%s opens ports %s to the world", [terraform.address, ports(input.spec)])
}

deny_terraform_no_open_ingress contains {"msg": msg, "field": "spec"} if {
	terraform.is_resource
	input.kind == "aws_vpc_security_group_ingress_rule"
	some name in ["cidr_ipv4", "cidr_ipv6"]
	input.spec[name] in terraform.world
	not for_the_web(input.spec)
	msg := sprintf("%s opens ports %s to the world", [terraform.address, ports(input.spec)])
}

open_to_the_world(rule) if {
	some name in ["cidr_blocks", "ipv6_cidr_blocks"]
	some network in rule[name]
	network in terraform.world
	not for_the_web(rule)
}

for_the_web(rule) if {
	rule.from_port == rule.to_port
	rule.from_port in {80, 443}
}

ports(rule) := sprintf("%v–%v", [object.get(rule, "from_port", "?"), object.get(rule, "to_port", "?")])

# METADATA
# title: Modules from elsewhere are pinned
# description: A source without a version, or with a branch, may be another tomorrow, and nobody will have reviewed it.
# related_resources:
#   - ref: https://developer.hashicorp.com/terraform/language/modules/sources
# custom:
#   id: terraform-pinned-module
#   severity: error
#   remediation: "Name a version (registry) or ?ref= with a tag or commit (git)."
deny_terraform_pinned_module contains {"msg": msg, "field": "spec.source"} if {
	terraform.is_module
	terraform.from_registry(input.spec.source)
	not input.spec.version
	msg := sprintf("%s takes whatever version %s has", [terraform.address, input.spec.source])
}

deny_terraform_pinned_module contains {"msg": msg, "field": "spec.source"} if {
	terraform.is_module
	not terraform.is_local(input.spec.source)
	not terraform.from_registry(input.spec.source)
	not pinned(input.spec.source)
	msg := sprintf("%s takes whatever %s is at the time", [terraform.address, input.spec.source])
}

pinned(source) if contains(source, "checksum=")

pinned(source) if {
	revision := terraform.revision(source)
	not terraform.is_branch(revision)
}
