package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Services are not opened on every node
# description: A NodePort can be reached from wherever the nodes can be.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   id: no-node-port
#   severity: warning
#   remediation: "Use an Ingress or a Gateway."
warn_no_node_port contains msg if {
	input.kind == "Service"
	input.spec.type == "NodePort"
	msg := sprintf("Service %s opens a port on every node", [kubernetes.name])
}

# METADATA
# title: Services claim no external addresses
# description: Whoever may set externalIPs can take over traffic of others.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/service/
# custom:
#   id: no-external-ips
#   severity: error
#   remediation: "Use a LoadBalancer or an Ingress."
deny_no_external_ips contains msg if {
	input.kind == "Service"
	count(input.spec.externalIPs) > 0
	msg := sprintf("Service %s claims external addresses", [kubernetes.name])
}

# METADATA
# title: Ingresses use TLS
# description: Without it passwords cross the network in clear text.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/
# custom:
#   id: ingress-tls
#   severity: warning
#   remediation: "Add spec.tls with the host."
warn_ingress_tls contains msg if {
	input.kind == "Ingress"
	not input.spec.tls
	msg := sprintf("Ingress %s has no TLS", [kubernetes.name])
}

# METADATA
# title: Ingresses name their host
# description: One without a host takes the traffic of every host.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/services-networking/ingress/
# custom:
#   id: ingress-wildcard-host
#   severity: error
#   remediation: "Set rules[].host."
deny_ingress_wildcard_host contains msg if {
	input.kind == "Ingress"
	some rule in input.spec.rules
	object.get(rule, "host", "") in {"", "*"}
	msg := sprintf("Ingress %s takes every host", [kubernetes.name])
}
