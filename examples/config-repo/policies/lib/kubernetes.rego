# Questions about Kubernetes objects that many policies ask.
package lib.kubernetes

import rego.v1

# The pod's specification, wherever a workload keeps it.
pod := input.spec if input.kind == "Pod"

pod := input.spec.template.spec if {
	input.kind in {"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job", "ReplicationController"}
}

pod := input.spec.jobTemplate.spec.template.spec if input.kind == "CronJob"

# Containers that run the workload, and those that prepare or inspect it.
containers contains container if some container in pod.containers

all_containers contains container if some container in containers

all_containers contains container if some container in pod.initContainers

all_containers contains container if some container in pod.ephemeralContainers

# A workload that serves until it is stopped.
is_service if input.kind in {"Deployment", "StatefulSet", "DaemonSet"}

name := object.get(object.get(input, "metadata", {}), "name", "?")

# The image's tag and digest; "" where it has none. A colon before a slash is a registry's port.
tag(image) := split(last_part(image), ":")[1] if contains(last_part(image), ":")

tag(image) := "" if not contains(last_part(image), ":")

digest(image) := split(image, "@")[1] if contains(image, "@")

digest(image) := "" if not contains(image, "@")

last_part(image) := part if {
	pieces := split(split(image, "@")[0], "/")
	part := pieces[count(pieces) - 1]
}

roles := {"Role", "ClusterRole"}

bindings := {"RoleBinding", "ClusterRoleBinding"}
