package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Objects do not live in the namespace default
# description: Quotas, network policies and rights are given by namespace.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/
# custom:
#   id: no-default-namespace
#   severity: warning
#   remediation: "Set metadata.namespace."
warn_no_default_namespace contains msg if {
	input.metadata.namespace == "default"
	msg := sprintf("%s %s is put into the namespace default", [input.kind, kubernetes.name])
}
