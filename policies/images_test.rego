package main_test

import rego.v1

import data.main

test_no_latest_tag_is_said if {
	count(main.deny_no_latest_tag) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "reg:5000/web:latest"}]}}}}
}

test_no_latest_tag_is_met if {
	count(main.deny_no_latest_tag) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_image_tag_required_is_said if {
	count(main.deny_image_tag_required) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "reg:5000/web"}]}}}}
}

test_image_tag_required_is_met if {
	count(main.deny_image_tag_required) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}

test_image_digest_is_said if {
	count(main.warn_image_digest) == 1 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0"}]}}}}
}

test_image_digest_is_met if {
	count(main.warn_image_digest) == 0 with input as {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": {"spec": {"containers": [{"name": "web", "image": "example.com/web:1.0.0@sha256:abc", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}}, "readinessProbe": {"httpGet": {}}, "livenessProbe": {"httpGet": {}}, "securityContext": {"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}}}], "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}, "automountServiceAccountToken": false}}}}
}
