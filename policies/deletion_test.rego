package deletion_test

import rego.v1

import data.deletion

test_no_persistentvolumeclaim_deletion_is_said if {
	count(deletion.deny_no_persistentvolumeclaim_deletion) == 1 with input as {"kind": "PersistentVolumeClaim", "metadata": {"name": "x"}}
}

test_no_persistentvolumeclaim_deletion_is_met if {
	count(deletion.deny_no_persistentvolumeclaim_deletion) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}

test_no_statefulset_deletion_is_said if {
	count(deletion.deny_no_statefulset_deletion) == 1 with input as {"kind": "StatefulSet", "metadata": {"name": "x"}}
}

test_no_statefulset_deletion_is_met if {
	count(deletion.deny_no_statefulset_deletion) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}

test_no_namespace_deletion_is_said if {
	count(deletion.deny_no_namespace_deletion) == 1 with input as {"kind": "Namespace", "metadata": {"name": "x"}}
}

test_no_namespace_deletion_is_met if {
	count(deletion.deny_no_namespace_deletion) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}

test_no_customresourcedefinition_deletion_is_said if {
	count(deletion.deny_no_customresourcedefinition_deletion) == 1 with input as {"kind": "CustomResourceDefinition", "metadata": {"name": "x"}}
}

test_no_customresourcedefinition_deletion_is_met if {
	count(deletion.deny_no_customresourcedefinition_deletion) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}
