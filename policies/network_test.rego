package main_test

import rego.v1

import data.main

test_no_node_port_is_said if {
	count(main.warn_no_node_port) == 1 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"type": "NodePort"}}
}

test_no_node_port_is_met if {
	count(main.warn_no_node_port) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}

test_no_external_ips_is_said if {
	count(main.deny_no_external_ips) == 1 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {"externalIPs": ["1.2.3.4"]}}
}

test_no_external_ips_is_met if {
	count(main.deny_no_external_ips) == 0 with input as {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}, "spec": {}}
}

test_ingress_tls_is_said if {
	count(main.warn_ingress_tls) == 1 with input as {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {"rules": []}}
}

test_ingress_tls_is_met if {
	count(main.warn_ingress_tls) == 0 with input as {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {"tls": [{}], "rules": [{"host": "a.example.com"}]}}
}

test_ingress_wildcard_host_is_said if {
	count(main.deny_ingress_wildcard_host) == 1 with input as {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {"rules": [{"http": {}}]}}
}

test_ingress_wildcard_host_is_met if {
	count(main.deny_ingress_wildcard_host) == 0 with input as {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "i"}, "spec": {"tls": [{}], "rules": [{"host": "a.example.com"}]}}
}
