"""Where Jenkins X keeps what: the sources, and the output that it generates from them."""

from __future__ import annotations

HELMFILE = "helmfile.yaml"
# What helmfile takes by itself, the first that is there.
ROOTS = (HELMFILE, f"{HELMFILE}.gotmpl")
# A folder of helmfiles that helmfile takes where there is none of these; it is not followed.
ROOT_FOLDER = "helmfile.d/"
REQUIREMENTS = "jx-requirements.yml"
OUTPUT = "config-root"
VERSIONS = "versionStream"
LIGHTHOUSE = ".lighthouse"
# What `make regen` reads, as files and as folders.
_SOURCES = frozenset([*ROOTS, REQUIREMENTS, "jx-values.yaml", "jx-global-values.yaml"])
_SOURCE_FOLDERS = ("helmfiles/", f"{VERSIONS}/", ".jx/gitops/", ".jx/secret/")


def is_source(path: str) -> bool:
    """May the file change what config-root/ holds once it is generated again?"""
    return path in _SOURCES or path.startswith(_SOURCE_FOLDERS)


def is_output(path: str) -> bool:
    return path.startswith(f"{OUTPUT}/")


def leads_to_releases(path: str) -> bool:
    """May the file say which releases there are, or in which version?"""
    return path in ROOTS or path.startswith(("helmfiles/", f"{VERSIONS}/charts/"))


def is_trigger(path: str) -> bool:
    """Does Lighthouse read its jobs from this file? It looks into .lighthouse/ and one folder below."""
    return path.startswith(f"{LIGHTHOUSE}/") and path.endswith("/triggers.yaml") and path.count("/") <= 2
