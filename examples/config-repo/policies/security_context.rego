package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Containers are not privileged
# description: A privileged container owns its node.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: no-privileged
#   severity: error
#   remediation: "Remove securityContext.privileged, and add the single capability that is needed."
deny_no_privileged contains msg if {
	some container in kubernetes.all_containers
	container.securityContext.privileged == true
	msg := sprintf("container %s is privileged", [container.name])
}

# METADATA
# title: Containers can not gain privileges
# description: A program with the set-uid bit would raise its rights.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: no-privilege-escalation
#   severity: error
#   remediation: "Set securityContext.allowPrivilegeEscalation to false."
deny_no_privilege_escalation contains msg if {
	some container in kubernetes.all_containers
	object.get(object.get(container, "securityContext", {}), "allowPrivilegeEscalation", true) != false
	msg := sprintf("container %s may escalate its privileges", [container.name])
}

# METADATA
# title: Pods do not run as root
# description: Root in a container is one mistake away from root on the node.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: run-as-non-root
#   severity: error
#   remediation: "Set securityContext.runAsNonRoot to true for the pod."
deny_run_as_non_root contains msg if {
	some container in kubernetes.all_containers
	not kubernetes.pod.securityContext.runAsNonRoot
	not container.securityContext.runAsNonRoot
	msg := sprintf("container %s may run as root", [container.name])
}

# METADATA
# title: Containers drop all capabilities
# description: What a container does not need an attacker can not use.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: drop-capabilities
#   severity: warning
#   remediation: "Set securityContext.capabilities.drop to [ALL]."
warn_drop_capabilities contains msg if {
	some container in kubernetes.all_containers
	not "ALL" in {capability | some capability in container.securityContext.capabilities.drop}
	msg := sprintf("container %s does not drop all capabilities", [container.name])
}

# METADATA
# title: Containers add no dangerous capabilities
# description: These capabilities amount to control over the node.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: dangerous-capabilities
#   severity: error
#   remediation: "Remove it from securityContext.capabilities.add."
deny_dangerous_capabilities contains msg if {
	some container in kubernetes.all_containers
	some capability in container.securityContext.capabilities.add
	capability in {"ALL", "SYS_ADMIN", "NET_ADMIN", "SYS_PTRACE", "SYS_MODULE", "BPF"}
	msg := sprintf("container %s adds the capability %s", [container.name, capability])
}

# METADATA
# title: Containers do not write to their image
# description: A read-only root file system leaves an attacker no place to stay.
# related_resources:
#   - ref: https://kubernetes.io/docs/tasks/configure-pod-container/security-context/
# custom:
#   id: read-only-root
#   severity: notice
#   remediation: "Set securityContext.readOnlyRootFilesystem to true, and mount a volume where it writes."
warn_read_only_root contains msg if {
	some container in kubernetes.containers
	not container.securityContext.readOnlyRootFilesystem
	msg := sprintf("container %s can write to its root file system", [container.name])
}

# METADATA
# title: Pods use a seccomp profile
# description: It forbids the system calls that hardly any program needs.
# related_resources:
#   - ref: https://kubernetes.io/docs/tutorials/security/seccomp/
# custom:
#   id: seccomp
#   severity: notice
#   remediation: "Set securityContext.seccompProfile.type to RuntimeDefault for the pod."
warn_seccomp contains msg if {
	kubernetes.pod
	not kubernetes.pod.securityContext.seccompProfile.type
	msg := sprintf("%s uses no seccomp profile", [kubernetes.name])
}
