# Questions about Tekton's objects that many policies ask.
package lib.tekton

import rego.v1

is_tekton if startswith(input.apiVersion, "tekton.dev/")

# Specs of Tasks, each with its path: that of a Task or run, and those within Pipelines and their runs.
specs contains {"spec": input.spec, "path": "spec"} if {
	is_tekton
	input.kind in {"Task", "ClusterTask"}
}

specs contains {"spec": input.spec.taskSpec, "path": "spec.taskSpec"} if {
	is_tekton
	input.kind == "TaskRun"
}

specs contains {"spec": task.spec.taskSpec, "path": sprintf("%s.taskSpec", [task.path])} if some task in tasks

# Tasks of Pipelines, and of those within a run, each with its path.
tasks contains {"spec": task, "path": sprintf("%s.%s[%d]", [pipeline.path, section, i])} if {
	some pipeline in pipelines
	some section in ["tasks", "finally"]
	some i, task in pipeline.spec[section]
}

pipelines contains {"spec": input.spec, "path": "spec"} if {
	is_tekton
	input.kind == "Pipeline"
}

pipelines contains {"spec": input.spec.pipelineSpec, "path": "spec.pipelineSpec"} if {
	is_tekton
	input.kind == "PipelineRun"
}

# Everything that runs a container, each with its path and a name to speak of.
steps contains {"step": step, "path": sprintf("%s.%s[%d]", [task.path, section, i]), "name": object.get(step, "name", sprintf("%d", [i]))} if {
	some task in specs
	some section in ["steps", "sidecars"]
	some i, step in task.spec[section]
}

steps contains {"step": input.spec, "path": "spec", "name": object.get(input.metadata, "name", "?")} if {
	is_tekton
	input.kind == "StepAction"
}

# An image that is named here, and not by a parameter or by Lighthouse.
names_image(step) if {
	step.image != ""
	not contains(step.image, "$(")
	not startswith(step.image, "uses:")
}

name := object.get(object.get(input, "metadata", {}), "name", "?")
