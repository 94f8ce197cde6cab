package lib.kubernetes_test

import rego.v1

import data.lib.kubernetes

test_every_container_of_a_pod_counts if {
	count(kubernetes.all_containers) == 3 with input as {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x:latest"}], "initContainers": [{"name": "b", "image": "x:latest"}], "ephemeralContainers": [{"name": "c", "image": "x:latest"}]}}
	count(kubernetes.containers) == 1 with input as {"kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "a", "image": "x:latest"}], "initContainers": [{"name": "b", "image": "x:latest"}], "ephemeralContainers": [{"name": "c", "image": "x:latest"}]}}
}

test_a_cron_job_keeps_its_pod_deep_inside if {
	count(kubernetes.containers) == 1 with input as {"kind": "CronJob", "metadata": {"name": "p"}, "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"name": "a", "image": "x:latest"}]}}}}}}
}

test_a_port_is_no_tag if {
	kubernetes.tag("registry:5000/web") == ""
	kubernetes.tag("registry:5000/web:1.2@sha256:abc") == "1.2"
	kubernetes.digest("web@sha256:abc") == "sha256:abc"
	kubernetes.digest("web") == ""
}

test_objects_without_a_pod_have_no_containers if {
	count(kubernetes.all_containers) == 0 with input as {"kind": "Service"}
	kubernetes.name == "?" with input as {"kind": "Service"}
}
