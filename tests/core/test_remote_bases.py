"""References to elsewhere mean what they mean to kustomize, and a single file's address tells its version."""

from __future__ import annotations

import pytest

from review_bot.core.errors import InputError
from review_bot.core.remote_bases import base_of

SHA = "5c3b1d2f9a8e7d6c5b4a39281706f5e4d3c2b1a0"


# What kustomize's NewRepoSpecFromURL answers (host, repository, folder, revision), run at v0.20.1.
@pytest.mark.parametrize(
    ("reference", "url", "folder", "revision"),
    [
        ("https://github.com/acme/base//app?ref=v1", "https://github.com/acme/base", "app", "v1"),
        ("https://github.com/acme/base/app/x?ref=v1", "https://github.com/acme/base", "app/x", "v1"),
        ("github.com/acme/base?ref=v1", "https://github.com/acme/base", ".", "v1"),
        ("GitHub.com/acme/base/app?version=v1", "https://github.com/acme/base", "app", "v1"),
        ("github.com:acme/base//app?ref=v1", "https://github.com/acme/base", "app", "v1"),
        ("git@github.com:acme/base.git/app?ref=v1", "git@github.com:acme/base.git", "app", "v1"),
        ("git@github.com/acme/base//app?ref=v1&timeout=9", "git@github.com:acme/base", "app", "v1"),
        ("ssh://git@github.com/acme/base//app?ref=v1", "git@github.com:acme/base", "app", "v1"),
        ("https://gitlab.com/a/b/c.git//app?ref=v1", "https://gitlab.com/a/b/c.git", "app", "v1"),
        ("https://git.example.com/a/b/c.git/app?ref=v1", "https://git.example.com/a/b/c.git", "app", "v1"),
        ("https://dev.azure.com/o/p/_git/r/app/x?ref=v1", "https://dev.azure.com/o/p/_git/r", "app/x", "v1"),
        ("git@gitlab.com:a/b.git//app?ref=v1", "git@gitlab.com:a/b.git", "app", "v1"),
        ("ssh://git@gitlab.com:22/a/b.git//app?ref=v1", "ssh://git@gitlab.com:22/a/b.git", "app", "v1"),
        ("git::https://gitlab.com/a/b//app?ref=v1", "https://gitlab.com/a/b", "app", "v1"),
        ("https://gitlab.com/a/b//app?version=v1&ref=v2", "https://gitlab.com/a/b", "app", "v2"),
        (
            "https://gitlab.com/a/b//app/kustomization.yaml?ref=v2",
            "https://gitlab.com/a/b",
            "app/kustomization.yaml",
            "v2",
        ),
    ],
)
def test_repository_folder_and_revision_are_what_kustomize_takes_them_for(
    reference: str, url: str, folder: str, revision: str
) -> None:
    base = base_of(reference)
    assert (base.remote.url, base.folder, base.remote.revision) == (url, folder, revision)


@pytest.mark.parametrize(
    "reference",
    [
        "https://github.com/acme/base//app",
        "https://github.com/acme/base//../x?ref=v1",
        "https://github.com/acme?ref=v1",
        "https://?ref=v1",
        "file:///etc?ref=v1",
        "www.github.com/acme/base?ref=v1",
        "ext::sh -c id?ref=v1",
        "-u?ref=v1",
        "git@?ref=v1",
    ],
)
def test_what_is_not_pinned_or_no_repository_is_refused(reference: str) -> None:
    with pytest.raises(InputError):
        base_of(reference)


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/argoproj/argo-cd/releases/download/v2.9.3/install.yaml",
        "https://github.com/acme/x/releases/download/odd-tag/install.yaml",
        "https://raw.githubusercontent.com/o/r/v1/x.yaml",
        "https://raw.githubusercontent.com/o/r/v1.2.3/deploy/x.yaml",
        "https://raw.githubusercontent.com/o/r/controller-v1.2.3/x.yaml",
        f"https://raw.githubusercontent.com/o/r/{SHA}/x.yaml",
        "https://raw.githubusercontent.com/o/r/refs/tags/any/x.yaml",
        "https://github.com/o/r/raw/v1.2.3/x.yaml",
        "https://gitlab.com/g/p/-/raw/v1.2.3/deploy/x.yaml",
        f"https://git.example.com/o/r/raw/commit/{SHA}/x.yaml",
        "https://downloads.example.com/operator/1.13.0/crds.yaml",
    ],
)
def test_an_address_that_names_a_version_is_pinned(url: str) -> None:
    base = base_of(url)
    assert (base.remote.url, base.folder, base.remote.revision) == (url, ".", "")


@pytest.mark.parametrize(
    "url",
    [
        "https://raw.githubusercontent.com/o/r/main/deploy/v1.2.3/x.yaml",
        "https://raw.githubusercontent.com/o/r/release-1.2/x.yaml",
        "https://raw.githubusercontent.com/o/r/refs/heads/v1.2.3/x.yaml",
        "https://raw.githubusercontent.com/o/v1.2.3/x.yaml",
        "https://github.com/o/r/releases/latest/download/install.yaml",
        "https://github.com/o/r/raw/main/v1.2.3/x.yaml",
        "https://gitlab.com/g/p/-/raw/master/1.2.3/x.yaml",
        "https://git.example.com/o/r/raw/branch/v1.2.3/x.yaml",
        "https://downloads.example.com/operator/latest/1.13.0/crds.yaml",
        "https://downloads.example.com/operator/v1/crds.yaml",
        "https://downloads.example.com/crds-1.13.0.yaml",
        "https://downloads.example.com/crds.yaml?v=1.13.0",
        "https://downloads.example.com/crds.yaml#/1.13.0/",
    ],
)
def test_an_address_of_a_branch_is_not(url: str) -> None:
    with pytest.raises(InputError, match="holds no version"):
        base_of(url)
