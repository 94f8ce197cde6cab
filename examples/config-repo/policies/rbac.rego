package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Nobody is bound to cluster-admin
# description: It may do everything everywhere, reading every Secret included.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: rbac-no-cluster-admin
#   severity: error
#   remediation: "Grant a Role in its namespace instead."
deny_rbac_no_cluster_admin contains msg if {
	input.kind in kubernetes.bindings
	input.roleRef.name == "cluster-admin"
	msg := sprintf("%s %s grants cluster-admin", [input.kind, kubernetes.name])
}

# METADATA
# title: Nothing is granted to everyone
# description: These groups hold people who never logged in, or everybody.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: rbac-no-anonymous
#   severity: error
#   remediation: "Bind the people or service accounts that need it."
deny_rbac_no_anonymous contains msg if {
	input.kind in kubernetes.bindings
	some subject in input.subjects
	subject.name in {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:masters"}
	msg := sprintf("%s %s grants %s to %s", [input.kind, kubernetes.name, input.roleRef.name, subject.name])
}

# METADATA
# title: Roles name what they allow
# description: A wildcard also grants what is added to the cluster later.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: rbac-no-wildcard
#   severity: error
#   remediation: "List the verbs and resources that are needed."
deny_rbac_no_wildcard contains msg if {
	input.kind in kubernetes.roles
	some rule in input.rules
	some field in ["verbs", "resources", "apiGroups"]
	"*" in {value | some value in rule[field]}
	msg := sprintf("%s %s allows all %s", [input.kind, kubernetes.name, field])
}

# METADATA
# title: Roles grant no way to more rights
# description: Whoever may bind, escalate or impersonate has every right there is.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: rbac-no-escalation
#   severity: error
#   remediation: "Leave these verbs to cluster administrators."
deny_rbac_no_escalation contains msg if {
	input.kind in kubernetes.roles
	some rule in input.rules
	some verb in rule.verbs
	verb in {"bind", "escalate", "impersonate"}
	msg := sprintf("%s %s allows %s", [input.kind, kubernetes.name, verb])
}

# METADATA
# title: No role reads the Secrets of all namespaces
# description: One stolen token would read every password of the cluster.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/rbac-good-practices/
# custom:
#   id: rbac-cluster-secrets
#   severity: error
#   remediation: "Use a Role in the namespace, with resourceNames."
deny_rbac_cluster_secrets contains msg if {
	input.kind == "ClusterRole"
	some rule in input.rules
	"secrets" in {resource | some resource in rule.resources}
	not rule.resourceNames
	msg := sprintf("ClusterRole %s reads the Secrets of all namespaces", [kubernetes.name])
}
