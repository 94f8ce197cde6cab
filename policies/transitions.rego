package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Volumes do not shrink
# description: Kubernetes refuses a smaller request, so the rollout would stop.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/storage/persistent-volumes/
# custom:
#   id: no-volume-shrink
#   severity: error
#   remediation: "Keep the size, or move the data to a new claim."
deny_no_volume_shrink contains msg if {
	input.kind == "PersistentVolumeClaim"
	old := units.parse_bytes(data.review_bot.old.spec.resources.requests.storage)
	units.parse_bytes(input.spec.resources.requests.storage) < old
	msg := sprintf("PersistentVolumeClaim %s shrinks", [kubernetes.name])
}

# METADATA
# title: Selectors do not change
# description: The field is immutable, so the object would have to be deleted and made anew.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
# custom:
#   id: selector-immutable
#   severity: error
#   remediation: "Keep the selector, or give the workload a new name."
deny_selector_immutable contains msg if {
	input.kind in {"Deployment", "StatefulSet", "DaemonSet"}
	old := data.review_bot.old.spec.selector
	old != input.spec.selector
	msg := sprintf("%s %s changes its selector", [input.kind, kubernetes.name])
}

# METADATA
# title: Production is not scaled to zero unnoticed
# description: It stops serving, though nothing was deleted.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/workloads/controllers/deployment/
# custom:
#   id: scaled-to-zero
#   severity: warning
#   remediation: "Say in the pull request that this is meant."
warn_scaled_to_zero contains msg if {
	data.review_bot.environment == "production"
	input.spec.replicas == 0
	msg := sprintf("%s %s runs no replica in production", [input.kind, kubernetes.name])
}
