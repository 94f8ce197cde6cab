package deletion_test

import rego.v1

import data.deletion

gone(kind) := {
	"apiVersion": "terraform/v1", "kind": kind, "metadata": {"name": sprintf("%s.x", [kind])},
	"block": {"type": "resource", "labels": [kind, "x"]}, "spec": {},
}

test_a_database_that_goes_is_said if {
	count(deletion.deny_terraform_no_data_destroyed) == 1 with input as gone("aws_db_instance")
}

test_a_machine_that_goes_is_met if {
	count(deletion.deny_terraform_no_data_destroyed) == 0 with input as gone("aws_instance")
}
