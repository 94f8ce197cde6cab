"""A repository has one name, however its address is spelled."""

from __future__ import annotations

import pytest

from review_bot.core.repo_urls import normal, same


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/gitops",
        "https://github.com/acme/gitops.git",
        "https://GitHub.com/Acme/GitOps/",
        "https://alice:token@github.com/acme/gitops.git",
        "https://github.com:443/acme/gitops",
        "ssh://git@github.com/acme/gitops.git",
        "ssh://git@github.com:22/acme/gitops",
        "git@github.com:acme/gitops.git",
        "github.com:acme/gitops",
        "git://github.com/acme/gitops",
    ],
)
def test_every_spelling_is_the_same_repository(url: str) -> None:
    assert normal(url) == "github.com/acme/gitops"


@pytest.mark.parametrize(
    "other",
    [
        "https://github.com/acme/gitops-apps",
        "https://gitlab.com/acme/gitops",
        "https://github.com:8443/acme/gitops",
        "https://github.com/gitops",
        "/srv/git/acme/gitops.git",
        "https://github.com/acme/gitops/tree/main",
        "https://github.com:port/other/gitops",
    ],
)
def test_other_repositories_are_not(other: str) -> None:
    assert not same("https://github.com/acme/gitops", other)


def test_a_local_path_is_itself() -> None:
    assert same("/srv/git/gitops.git", "/srv/git/gitops/")
