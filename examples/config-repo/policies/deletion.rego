package deletion

import rego.v1

import data.lib.kubernetes

# METADATA
# title: A PersistentVolumeClaim is not deleted in passing
# description: The data of the volume goes with it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/
# custom:
#   id: no-persistentvolumeclaim-deletion
#   severity: error
#   remediation: "Take a backup, and let the owner of the data agree to a waiver."
deny_no_persistentvolumeclaim_deletion contains msg if {
	input.kind == "PersistentVolumeClaim"
	msg := sprintf("PersistentVolumeClaim %s would be deleted", [kubernetes.name])
}

# METADATA
# title: A StatefulSet is not deleted in passing
# description: Its pods stop, and their volumes lose their owner.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/
# custom:
#   id: no-statefulset-deletion
#   severity: error
#   remediation: "Say what takes its place, and agree on a waiver."
deny_no_statefulset_deletion contains msg if {
	input.kind == "StatefulSet"
	msg := sprintf("StatefulSet %s would be deleted", [kubernetes.name])
}

# METADATA
# title: A Namespace is not deleted in passing
# description: Everything in it goes with it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/
# custom:
#   id: no-namespace-deletion
#   severity: error
#   remediation: "Move what is still needed, and agree on a waiver."
deny_no_namespace_deletion contains msg if {
	input.kind == "Namespace"
	msg := sprintf("Namespace %s would be deleted", [kubernetes.name])
}

# METADATA
# title: A CustomResourceDefinition is not deleted in passing
# description: All objects of its kind go with it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/
# custom:
#   id: no-customresourcedefinition-deletion
#   severity: error
#   remediation: "Delete the objects first, and agree on a waiver."
deny_no_customresourcedefinition_deletion contains msg if {
	input.kind == "CustomResourceDefinition"
	msg := sprintf("CustomResourceDefinition %s would be deleted", [kubernetes.name])
}
