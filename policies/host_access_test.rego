package main_test

import rego.v1

import data.main

test_no_host_network_is_said if {
	count(main.deny_no_host_network) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}], "hostNetwork": true}}}}
}

test_no_host_network_is_met if {
	count(main.deny_no_host_network) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_no_host_pid_is_said if {
	count(main.deny_no_host_pid) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}], "hostPID": true}}}}
}

test_no_host_pid_is_met if {
	count(main.deny_no_host_pid) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_no_host_ipc_is_said if {
	count(main.deny_no_host_ipc) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}], "hostIPC": true}}}}
}

test_no_host_ipc_is_met if {
	count(main.deny_no_host_ipc) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_no_host_path_is_said if {
	count(main.deny_no_host_path) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}], "volumes": [{"name": "x", "hostPath": {"path": "/var/run/docker.sock"}}]}}}}
}

test_no_host_path_is_met if {
	count(main.deny_no_host_path) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_no_host_port_is_said if {
	count(main.deny_no_host_port) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0", "ports": [{"hostPort": 80}]}]}}}}
}

test_no_host_port_is_met if {
	count(main.deny_no_host_port) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}
