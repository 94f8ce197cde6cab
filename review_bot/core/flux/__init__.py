"""Flux: what its Kustomizations, HelmReleases and ResourceSets deploy, as far as that follows from git."""
