package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Containers limit their memory
# description: Without a limit one container can starve the whole node.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: memory-limit
#   severity: error
#   remediation: "Set resources.limits.memory."
deny_memory_limit contains msg if {
	some container in kubernetes.containers
	not container.resources.limits.memory
	msg := sprintf("container %s has no memory limit", [container.name])
}

# METADATA
# title: Containers request memory
# description: The scheduler places pods by what they request.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: memory-request
#   severity: error
#   remediation: "Set resources.requests.memory."
deny_memory_request contains msg if {
	some container in kubernetes.containers
	not container.resources.requests.memory
	msg := sprintf("container %s requests no memory", [container.name])
}

# METADATA
# title: Containers request CPU
# description: Without a request a container is the first to be throttled.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/
# custom:
#   id: cpu-request
#   severity: warning
#   remediation: "Set resources.requests.cpu."
warn_cpu_request contains msg if {
	some container in kubernetes.containers
	not container.resources.requests.cpu
	msg := sprintf("container %s requests no CPU", [container.name])
}
