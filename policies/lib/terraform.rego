# Questions about Terraform's objects that several policies ask.
package lib.terraform

import rego.v1

# The object's address, such as module.net.aws_subnet.a.
address := input.metadata.name

is_resource if {
	input.apiVersion == "terraform/v1"
	input.block.type == "resource"
}

is_module if {
	input.apiVersion == "terraform/v1"
	input.kind == "Module"
}

# Addresses that mean everyone.
world := {"0.0.0.0/0", "::/0"}

# Nested blocks are lists, also where there is one; an attribute may hold the same.
listed(value) := value if is_array(value)

listed(value) := [value] if is_object(value)

# Sources of modules that lie beside the caller change with it.
is_local(source) if startswith(source, "./")

is_local(source) if startswith(source, "../")

# A registry's address has three or four parts, and no scheme, query or host of a git server before them.
from_registry(source) if {
	regex.match(`^([a-z0-9.-]+\.[a-z]+(:[0-9]+)?/)?[A-Za-z0-9_-]+/[A-Za-z0-9_-]+/[a-z0-9]+(//[^?]*)?$`, source)
	not startswith(source, "github.com/")
	not startswith(source, "bitbucket.org/")
}

# A tag, a commit or a digest in the address; a branch moves.
revision(source) := regex.find_all_string_submatch_n(`[?&]ref=([^&]+)`, source, 1)[0][1]

is_branch(name) if name in {"main", "master", "develop", "trunk", "HEAD"}
