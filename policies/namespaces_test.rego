package main_test

import rego.v1

import data.main

test_no_default_namespace_is_said if {
	count(main.warn_no_default_namespace) == 1 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "default"}, "spec": {}}
}

test_no_default_namespace_is_met if {
	count(main.warn_no_default_namespace) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}
