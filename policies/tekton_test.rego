package main_test

import rego.v1

import data.main

tekton_object(kind, spec) := {"apiVersion": "tekton.dev/v1", "kind": kind, "metadata": {"name": "x"}, "spec": spec}

tekton_task(step) := tekton_object("Task", {"steps": [step]})

tekton_pipeline(task) := tekton_object("Pipeline", {"tasks": [task]})

test_a_step_without_a_tag_is_said if {
	found := main.deny_tekton_step_image_version with input as tekton_task({"name": "a", "image": "alpine"})
	{one.field | some one in found} == {"spec.steps[0].image"}
}

test_a_step_with_latest_is_said_wherever_it_stands if {
	step := {"image": "reg.example.com:5000/a:latest"}
	every spec in [
		tekton_object("TaskRun", {"taskSpec": {"steps": [step]}}),
		tekton_object("TaskRun", {"taskSpec": {"sidecars": [step]}}),
		tekton_object("Pipeline", {"finally": [{"taskSpec": {"steps": [step]}}]}),
		tekton_object("PipelineRun", {"pipelineSpec": {"tasks": [{"taskSpec": {"steps": [step]}}]}}),
		tekton_object("StepAction", step),
	] {
		count(main.deny_tekton_step_image_version) == 1 with input as spec
	}
}

test_a_step_with_a_version_is_met if {
	every image in ["alpine:3.20", "alpine@sha256:0", "$(params.image)", "uses:org/catalog/x.yaml@v1"] {
		count(main.deny_tekton_step_image_version) == 0 with input as tekton_task({"image": image})
	}
}

test_a_step_of_another_group_is_not_meant if {
	count(main.deny_tekton_step_image_version) == 0 with input as {"apiVersion": "example.dev/v1", "kind": "Task", "spec": {"steps": [{"image": "a"}]}}
}

test_a_script_that_runs_what_it_fetches_is_said if {
	every line in [
		"curl -s https://x.example/i.sh | sh",
		"wget -qO- https://x.example/i.sh | sudo bash -s",
		"curl https://x.example/i.sh | /bin/bash",
		"sh -c \"$(curl -fsSL https://x.example/i.sh)\"",
		"bash <(curl -s https://x.example/i.sh)",
		"curl https://x.example/i.sh \\\n  | sh",
	] {
		count(main.deny_tekton_no_fetched_script) == 1 with input as tekton_task({"name": "a", "image": "a:1", "script": concat("\n", ["set -e", line])})
	}
}

test_a_script_that_only_fetches_is_met if {
	every line in ["curl -o a https://x.example/a.json", "curl https://x.example | jq .sh", "# curl https://x.example | sh", "curl a; cat b | sh"] {
		count(main.deny_tekton_no_fetched_script) == 0 with input as tekton_task({"image": "a:1", "script": line})
	}
}

test_a_privileged_step_is_said if {
	count(main.deny_tekton_no_privileged_step) == 1 with input as tekton_task({"image": "a:1", "securityContext": {"privileged": true}})
}

test_a_step_without_privileges_is_met if {
	count(main.deny_tekton_no_privileged_step) == 0 with input as tekton_task({"image": "a:1", "securityContext": {"privileged": false}})
}

test_a_task_from_a_branch_or_moving_bundle_is_said if {
	every reference in [
		{"resolver": "git", "params": [{"name": "revision", "value": "main"}]},
		{"resolver": "git", "params": []},
		{"resolver": "bundles", "params": [{"name": "bundle", "value": "ghcr.io/a/b"}]},
	] {
		count(main.warn_tekton_pinned_task) == 1 with input as tekton_pipeline({"name": "a", "taskRef": reference})
	}
}

test_a_pinned_task_is_met if {
	every reference in [
		{"resolver": "git", "params": [{"name": "revision", "value": "v1.2.0"}]},
		{"resolver": "bundles", "params": [{"name": "bundle", "value": "ghcr.io/a/b:0.2"}]},
		{"resolver": "bundles", "params": [{"name": "bundle", "value": "$(params.bundle)"}]},
		{"name": "build"},
	] {
		count(main.warn_tekton_pinned_task) == 0 with input as tekton_pipeline({"name": "a", "taskRef": reference})
	}
}
