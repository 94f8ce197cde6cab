package main_test

import rego.v1

import data.main

test_no_volume_shrink_is_said if {
	count(main.deny_no_volume_shrink) == 1 with input as {"kind": "PersistentVolumeClaim", "metadata": {"name": "p"}, "spec": {"resources": {"requests": {"storage": "5Gi"}}}} with data.review_bot as {"old": {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}}
}

test_no_volume_shrink_is_met if {
	count(main.deny_no_volume_shrink) == 0 with input as {"kind": "PersistentVolumeClaim", "metadata": {"name": "p"}, "spec": {"resources": {"requests": {"storage": "20Gi"}}}} with data.review_bot as {"old": {"spec": {"resources": {"requests": {"storage": "10Gi"}}}}}
}

test_selector_immutable_is_said if {
	count(main.deny_selector_immutable) == 1 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"selector": {"a": "2"}}} with data.review_bot as {"old": {"spec": {"selector": {"a": "1"}}}}
}

test_selector_immutable_is_met if {
	count(main.deny_selector_immutable) == 0 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"selector": {"a": "1"}}} with data.review_bot as {"old": {"spec": {"selector": {"a": "1"}}}}
}

test_scaled_to_zero_is_said if {
	count(main.warn_scaled_to_zero) == 1 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 0}} with data.review_bot as {"environment": "production"}
}

test_scaled_to_zero_is_met if {
	count(main.warn_scaled_to_zero) == 0 with input as {"kind": "Deployment", "metadata": {"name": "d"}, "spec": {"replicas": 1}} with data.review_bot as {"environment": "production"}
}
