package main_test

import rego.v1

import data.main

test_readiness_probe_is_said if {
	count(main.warn_readiness_probe) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_readiness_probe_is_met if {
	count(main.warn_readiness_probe) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_liveness_probe_is_said if {
	count(main.warn_liveness_probe) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_liveness_probe_is_met if {
	count(main.warn_liveness_probe) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}
