package main_test

import rego.v1

import data.main

test_memory_limit_is_said if {
	count(main.deny_memory_limit) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_memory_limit_is_met if {
	count(main.deny_memory_limit) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_memory_request_is_said if {
	count(main.deny_memory_request) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_memory_request_is_met if {
	count(main.deny_memory_request) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_cpu_request_is_said if {
	count(main.warn_cpu_request) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_cpu_request_is_met if {
	count(main.warn_cpu_request) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}
