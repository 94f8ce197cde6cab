package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Pods do not use the host's network
# description: Such a pod sees what other pods and the node do.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: no-host-network
#   severity: error
#   remediation: "Remove hostNetwork."
deny_no_host_network contains msg if {
	kubernetes.pod.hostNetwork == true
	msg := sprintf("%s uses the host's network", [kubernetes.name])
}

# METADATA
# title: Pods do not use the host's processes
# description: Such a pod sees what other pods and the node do.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: no-host-pid
#   severity: error
#   remediation: "Remove hostPID."
deny_no_host_pid contains msg if {
	kubernetes.pod.hostPID == true
	msg := sprintf("%s uses the host's processes", [kubernetes.name])
}

# METADATA
# title: Pods do not use the host's shared memory
# description: Such a pod sees what other pods and the node do.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: no-host-ipc
#   severity: error
#   remediation: "Remove hostIPC."
deny_no_host_ipc contains msg if {
	kubernetes.pod.hostIPC == true
	msg := sprintf("%s uses the host's shared memory", [kubernetes.name])
}

# METADATA
# title: Pods mount nothing of the host
# description: The node's files hold the credentials of everything on it.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: no-host-path
#   severity: error
#   remediation: "Use a PersistentVolumeClaim, a ConfigMap or an emptyDir."
deny_no_host_path contains msg if {
	some volume in kubernetes.pod.volumes
	volume.hostPath
	msg := sprintf("%s mounts the host's %s", [kubernetes.name, object.get(volume.hostPath, "path", "?")])
}

# METADATA
# title: Containers take no port of the host
# description: A host port ties the pod to a node and goes around network policies.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/security/pod-security-standards/
# custom:
#   id: no-host-port
#   severity: error
#   remediation: "Use a Service."
deny_no_host_port contains msg if {
	some container in kubernetes.all_containers
	some port in container.ports
	port.hostPort
	msg := sprintf("container %s takes port %v of the host", [container.name, port.hostPort])
}
