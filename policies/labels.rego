package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Workloads carry the recommended labels
# description: People and tools find an application by them.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
# custom:
#   id: label-name
#   severity: notice
#   remediation: "Add app.kubernetes.io/name to metadata.labels."
warn_label_name contains msg if {
	kubernetes.is_service
	not input.metadata.labels["app.kubernetes.io/name"]
	msg := sprintf("%s %s has no label app.kubernetes.io/name", [input.kind, kubernetes.name])
}
