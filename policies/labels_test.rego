package main_test

import rego.v1

import data.main

test_label_name_is_said if {
	count(main.warn_label_name) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_label_name_is_met if {
	count(main.warn_label_name) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web"}}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}
