provider "registry.opentofu.org/hashicorp/null" {
  version = "3.2.1"
}
