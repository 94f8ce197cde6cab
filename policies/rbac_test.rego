package main_test

import rego.v1

import data.main

test_rbac_no_cluster_admin_is_said if {
	count(main.deny_rbac_no_cluster_admin) == 1 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"}, "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "web"}]}
}

test_rbac_no_cluster_admin_is_met if {
	count(main.deny_rbac_no_cluster_admin) == 0 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "web"}]}
}

test_rbac_no_anonymous_is_said if {
	count(main.deny_rbac_no_anonymous) == 1 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "Group", "name": "system:anonymous"}]}
}

test_rbac_no_anonymous_is_met if {
	count(main.deny_rbac_no_anonymous) == 0 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding", "metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "view"}, "subjects": [{"kind": "ServiceAccount", "name": "web", "namespace": "web"}]}
}

test_rbac_no_wildcard_is_said if {
	count(main.deny_rbac_no_wildcard) == 1 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}]}
}

test_rbac_no_wildcard_is_met if {
	count(main.deny_rbac_no_wildcard) == 0 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
}

test_rbac_no_escalation_is_said if {
	count(main.deny_rbac_no_escalation) == 1 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["users"], "verbs": ["impersonate"]}]}
}

test_rbac_no_escalation_is_met if {
	count(main.deny_rbac_no_escalation) == 0 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
}

test_rbac_cluster_secrets_is_said if {
	count(main.deny_rbac_cluster_secrets) == 1 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
}

test_rbac_cluster_secrets_is_met if {
	count(main.deny_rbac_cluster_secrets) == 0 with input as {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}]}
}
