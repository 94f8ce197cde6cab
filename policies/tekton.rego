package main

import rego.v1

import data.lib.kubernetes
import data.lib.tekton

# METADATA
# title: Steps of Tekton name the version of their image
# description: A step without a tag, or with latest, runs another program tomorrow, with the secrets of the pipeline.
# related_resources:
#   - ref: https://tekton.dev/docs/pipelines/tasks/
# custom:
#   id: tekton-step-image-version
#   severity: error
#   remediation: "Name a tag that does not move, or better a digest."
deny_tekton_step_image_version contains {"msg": msg, "field": sprintf("%s.image", [one.path])} if {
	some one in tekton.steps
	tekton.names_image(one.step)
	kubernetes.digest(one.step.image) == ""
	kubernetes.tag(one.step.image) in {"", "latest"}
	msg := sprintf("step %s of %s runs whatever %s is at the time", [one.name, tekton.name, one.step.image])
}

# METADATA
# title: Scripts of Tekton do not run what they just fetched
# description: What curl pipes into a shell is reviewed by nobody, and runs with the secrets of the pipeline.
# related_resources:
#   - ref: https://tekton.dev/docs/pipelines/tasks/
# custom:
#   id: tekton-no-fetched-script
#   severity: error
#   remediation: "Put the program into the step's image, or fetch it, check its digest, and run it then."
deny_tekton_no_fetched_script contains {"msg": msg, "field": sprintf("%s.script", [one.path])} if {
	some one in tekton.steps
	some line in split(replace(object.get(one.step, "script", ""), "\\\n", " "), "\n")
	runs_what_it_fetches(line)
	msg := sprintf("step %s of %s runs what it fetches: %s", [one.name, tekton.name, trim_space(line)])
}

runs_what_it_fetches(line) if {
	not startswith(trim_space(line), "#")
	regex.match(`\b(curl|wget)\b[^|;]*\|\s*(sudo\s+)?([a-z/]*/)?(ba|z|da|k)?sh\b`, line)
}

runs_what_it_fetches(line) if {
	not startswith(trim_space(line), "#")
	regex.match(`\b(ba|z|da|k)?sh\s+(-c\s+"?\$|<)\(\s*(curl|wget)\b`, line)
}

# METADATA
# title: Steps of Tekton are not privileged
# description: A privileged step is root on its node, and with it over everything that runs there.
# related_resources:
#   - ref: https://tekton.dev/docs/pipelines/tasks/
# custom:
#   id: tekton-no-privileged-step
#   severity: error
#   remediation: "Build images with a tool that needs no privileges, such as buildah with user namespaces or kaniko."
deny_tekton_no_privileged_step contains {"msg": msg, "field": sprintf("%s.securityContext.privileged", [one.path])} if {
	some one in tekton.steps
	one.step.securityContext.privileged == true
	msg := sprintf("step %s of %s is privileged", [one.name, tekton.name])
}

# METADATA
# title: Tasks from elsewhere are pinned
# description: A Task that is taken from a branch, or from a bundle without a version, may be another tomorrow.
# related_resources:
#   - ref: https://tekton.dev/docs/pipelines/resolution-getting-started/
# custom:
#   id: tekton-pinned-task
#   severity: warning
#   remediation: "Name a commit or tag (git), or a tag or digest (bundle)."
warn_tekton_pinned_task contains {"msg": msg, "field": sprintf("%s.taskRef", [task.path])} if {
	some task in tekton.tasks
	unpinned(task.spec.taskRef)
	msg := sprintf("task %s of %s takes whatever its %s has at the time", [object.get(task.spec, "name", "?"), tekton.name, task.spec.taskRef.resolver])
}

unpinned(reference) if {
	reference.resolver == "git"
	object.get(given(reference), "revision", "main") in {"main", "master", "HEAD"}
}

unpinned(reference) if {
	reference.resolver == "bundles"
	image := given(reference).bundle
	not contains(image, "$(")
	kubernetes.digest(image) == ""
	kubernetes.tag(image) in {"", "latest"}
}

given(reference) := {param.name: param.value | some param in reference.params}
