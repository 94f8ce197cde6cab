package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Services say when they are ready
# description: Without it traffic arrives before the container can answer.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   id: readiness-probe
#   severity: warning
#   remediation: "Add a readinessProbe."
warn_readiness_probe contains msg if {
	kubernetes.is_service
	some container in kubernetes.containers
	not container.readinessProbe
	msg := sprintf("container %s has no readiness probe", [container.name])
}

# METADATA
# title: Services say when they hang
# description: Without it a container that hangs is never restarted.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/configuration/liveness-readiness-startup-probes/
# custom:
#   id: liveness-probe
#   severity: notice
#   remediation: "Add a livenessProbe that does not depend on other services."
warn_liveness_probe contains msg if {
	kubernetes.is_service
	some container in kubernetes.containers
	not container.livenessProbe
	msg := sprintf("container %s has no liveness probe", [container.name])
}
