"""AppProjects that stand in the repository: what Argo CD would refuse, by its own globs and denials."""

from __future__ import annotations

import pytest
from argo import HERE, MAP, application, expand, problems

FILES = {"apps/web/map.yaml": MAP}
APP = application("path: apps/web", spec="  project: shop\n")
FORBIDDEN = [("error", "project-forbids")]


def project(spec: str, name: str = "shop") -> str:
    return (
        f"---\napiVersion: argoproj.io/v1alpha1\nkind: AppProject\n"
        f"metadata: {{name: {name}, namespace: argocd}}\nspec: {{{spec}}}\n"
    )


ANY = "sourceRepos: ['*'], destinations: [{server: '*', namespace: '*'}]"


@pytest.mark.parametrize(
    ("repositories", "allowed"),
    [
        ("['*']", True),
        ("[https://github.com/acme/gitops.git]", True),
        ("['https://github.com/acme/*']", True),
        ("['https://github.com/*']", False),
        ("['https://github.com/**']", True),
        ("['HTTPS://github.com/Acme/GitOps']", True),
        ("['git@github.com:acme/gitops']", False),
        ("['*', '!https://github.com/acme/*']", False),
        ("['*', '!https://github.com/other/*']", True),
        ("[]", False),
    ],
)
def test_a_source_is_one_of_the_projects(repositories: str, allowed: bool) -> None:
    rules = f"sourceRepos: {repositories}, destinations: [{{server: '*', namespace: '*'}}]"
    assert problems(FILES, APP + project(rules)) == ([] if allowed else FORBIDDEN)


@pytest.mark.parametrize(
    ("destinations", "allowed"),
    [
        ("[{server: https://kubernetes.default.svc, namespace: web}]", True),
        ("[{name: in-cluster, namespace: 'w*'}]", True),
        ("[{name: other, namespace: web}]", False),
        ("[{server: '*', namespace: shop}]", False),
        ("[{server: '*', namespace: '*'}, {server: '*', namespace: '!web'}]", False),
        ("[{server: '*', namespace: '*'}, {server: '!https://kubernetes.default.svc', namespace: '*'}]", False),
        ("[]", False),
    ],
)
def test_a_destination_is_one_of_the_projects(destinations: str, allowed: bool) -> None:
    assert problems(FILES, APP + project(f"sourceRepos: ['*'], destinations: {destinations}")) == (
        [] if allowed else FORBIDDEN
    )


def test_what_is_not_known_of_a_cluster_is_taken_to_fit() -> None:
    elsewhere = APP.replace("server: https://kubernetes.default.svc", "name: prod")
    by_address = "sourceRepos: ['*'], destinations: [{server: https://prod.example.com, namespace: web}]"
    assert problems(FILES, elsewhere + project(by_address)) == []
    known = "argocd: {clusters: [{name: prod, server: https://other.example.com}]}\n"
    assert problems(FILES, elsewhere + project(by_address), config=known) == FORBIDDEN


def test_applications_of_other_namespaces_need_the_projects_leave() -> None:
    away = APP.replace("namespace: argocd", "namespace: team-a")
    assert problems(FILES, away + project(ANY)) == FORBIDDEN
    assert problems(FILES, away + project(ANY + ", sourceNamespaces: ['team-*']")) == []
    assert problems(FILES, away + project(ANY + ", sourceNamespaces: ['/(a+)+$/']")) == []


def test_a_project_that_is_not_here_forbids_nothing_and_default_is_one_like_others() -> None:
    assert problems(FILES, APP) == []
    assert problems(FILES, APP + project("destinations: []", name="other")) == []
    assert problems(FILES, application("path: apps/web") + project("sourceRepos: []", name="default")) == [
        *FORBIDDEN,
        *FORBIDDEN,
    ]


def test_it_is_said_at_the_field_and_where_the_project_stands() -> None:
    _, found = expand(FILES, APP + project("sourceRepos: [], destinations: [{server: '*', namespace: '*'}]"))
    (finding,) = found.findings
    assert finding.message == f"Application web: its project shop does not let it take {HERE}"
    assert finding.help == "correct it, or add to spec.sourceRepos of AppProject shop in top/app.yaml:9"
    assert (finding.path, finding.line, finding.target) == ("top/app.yaml", 5, "argocd:web")
    assert found.targets[0].parts != ()
