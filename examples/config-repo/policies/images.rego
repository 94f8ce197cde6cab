package main

import rego.v1

import data.lib.kubernetes

# METADATA
# title: Images do not use the tag latest
# description: What latest means changes without a commit, so a rollback can not bring it back.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: no-latest-tag
#   severity: error
#   remediation: "Name the version that is meant."
deny_no_latest_tag contains msg if {
	some container in kubernetes.all_containers
	kubernetes.tag(container.image) == "latest"
	msg := sprintf("container %s uses the tag latest", [container.name])
}

# METADATA
# title: Images have a tag or a digest
# description: An image without a tag is latest.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: image-tag-required
#   severity: error
#   remediation: "Add the version as a tag."
deny_image_tag_required contains msg if {
	some container in kubernetes.all_containers
	kubernetes.tag(container.image) == ""
	kubernetes.digest(container.image) == ""
	msg := sprintf("container %s names its image without tag or digest", [container.name])
}

# METADATA
# title: Images are pinned by digest
# description: A tag can be moved to another image, a digest can not.
# related_resources:
#   - ref: https://kubernetes.io/docs/concepts/containers/images/
# custom:
#   id: image-digest
#   severity: notice
#   remediation: "Add @sha256:… behind the tag."
warn_image_digest contains msg if {
	some container in kubernetes.all_containers
	kubernetes.digest(container.image) == ""
	msg := sprintf("container %s is not pinned by a digest", [container.name])
}
