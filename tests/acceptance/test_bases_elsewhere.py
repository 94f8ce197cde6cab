"""Bases elsewhere: kustomizations that name folders of other repositories, or single files by their address."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
from elsewhere import Served, operator, place, served
from git_server import Repositories, git_server

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shared, namespace: web}}\ndata: {{version: '{}'}}\n"


def shared(version: int) -> dict[str, str | None]:
    return {
        "app/map.yaml": CONFIG_MAP.format(version),
        "app/kustomization.yaml": "resources: [map.yaml]\nnamePrefix: x-\n",
    }


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "served") as found:
        found.add("shared", ("v1", shared(1)), ("v2", shared(2)))
        yield found


def gitops(root: Path, base: dict[str, str], head: dict[str, str | None]) -> Path:
    made = repositories.make(root / "gitops", base, head)
    repositories.git(made, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    return made


def overlay(*references: str, more: str = "") -> str:
    return "resources:\n" + "".join(f"  - {reference}\n" for reference in references) + more


def refused(verdict: dict[str, Any]) -> dict[str, Any]:
    (finding,) = [f for f in verdict["findings"] if f["rule"] == "remote-base" and f["severity"] == "error"]
    assert verdict["changes"] == []
    return dict(finding)


def test_the_next_tag_of_a_base_elsewhere_shows_what_changes(elsewhere: Repositories, tmp_path: Path) -> None:
    base, head = (overlay(f"{elsewhere.url}/shared//app?ref={v}", more="namePrefix: a-\n") for v in ("v1", "v2"))
    root = gitops(tmp_path, {"web/kustomization.yaml": base}, {"web/kustomization.yaml": head})
    status, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    assert [(c["target"], c["name"], c["fields"]) for c in verdict["changes"]] == [
        ("kustomize:web", "a-x-shared", ["data.version"])
    ]
    assert (status, verdict["findings"]) == (0, [])


def test_what_is_found_in_it_is_shown_where_it_is_named(elsewhere: Repositories, tmp_path: Path) -> None:
    bad = {"app/map.yaml": CONFIG_MAP.format(3).replace("data: {v", "dat: {v")}
    repositories.write(elsewhere.root / "shared", bad)
    repositories.commit(elsewhere.root / "shared", "v3")
    repositories.git(elsewhere.root / "shared", "tag", "v3")
    base, head = (overlay("own.yaml", f"{elsewhere.url}/shared//app?ref={v}") for v in ("v1", "v3"))
    own = {"web/own.yaml": CONFIG_MAP.format(1).replace("shared", "own")}
    root = gitops(tmp_path, {"web/kustomization.yaml": base, **own}, {"web/kustomization.yaml": head})
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    (finding,) = [f for f in verdict["findings"] if f["check"] == "schema"]
    assert (finding["path"], finding["line"]) == ("web/kustomization.yaml", 3)


def test_overlays_reach_it_through_folders_of_their_own(elsewhere: Repositories, tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": overlay(f"{elsewhere.url}/shared//app?ref=v1"),
        "prod/kustomization.yaml": "resources: [../base]\nnameSuffix: -prod\n",
        "part/kustomization.yaml": f"components: ['{elsewhere.url}/shared//part?ref=v4']\nresources: [../base]\n",
    }
    component = "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nnameSuffix: -component\n"
    repositories.write(elsewhere.root / "shared", {"part/kustomization.yaml": component})
    repositories.commit(elsewhere.root / "shared", "v4")
    repositories.git(elsewhere.root / "shared", "tag", "v4")
    head = {"base/kustomization.yaml": overlay(f"{elsewhere.url}/shared//app?ref=v2")}
    root = gitops(tmp_path, files, dict(head))
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    assert [(c["target"], c["name"]) for c in verdict["changes"]] == [
        ("kustomize:part", "x-shared-component"),
        ("kustomize:prod", "x-shared-prod"),
    ]


EMPTY = {"web/kustomization.yaml": "resources: []\n"}


def test_a_base_elsewhere_may_name_another(elsewhere: Repositories, tmp_path: Path) -> None:
    chain = {
        "a/kustomization.yaml": overlay(f"{elsewhere.url}/shared//app?ref=v2", "../b"),
        "b/kustomization.yaml": "resources: [map.yaml]\n",
        "b/map.yaml": CONFIG_MAP.format(7),
    }
    elsewhere.add("chain", ("v1", chain))
    head: dict[str, str | None] = {"web/kustomization.yaml": overlay(f"{elsewhere.url}/chain//a?ref=v1")}
    root = gitops(tmp_path, EMPTY, head)
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    assert [c["name"] for c in verdict["changes"]] == ["shared", "x-shared"]


def test_a_base_elsewhere_reads_nothing_of_who_names_it(elsewhere: Repositories, tmp_path: Path) -> None:
    elsewhere.add("thief", ("v1", {"kustomization.yaml": "resources: [../../../../../secret]\n"}))
    head: dict[str, str | None] = {"web/kustomization.yaml": overlay(f"{elsewhere.url}/thief//?ref=v1")}
    secret = {"secret/kustomization.yaml": "resources: [map.yaml]\n", "secret/map.yaml": CONFIG_MAP.format(1)}
    root = gitops(tmp_path, EMPTY | secret, head)
    finding = refused(repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))[1])
    assert "leads out of its repository" in finding["message"]
    assert finding["path"] == "web/kustomization.yaml"


def test_without_the_operators_word_nobody_is_asked(elsewhere: Repositories, tmp_path: Path) -> None:
    reference = f"{elsewhere.url}/shared//app?ref=v1"
    root = gitops(tmp_path, EMPTY, {"web/kustomization.yaml": overlay(reference)})
    for env, words in (
        (None, "no host is allowed"),
        (operator(tmp_path, "example.com"), "is not a host that the operator"),
    ):
        finding = refused(repositories.check(root, env=env)[1])
        assert words in finding["message"] and reference in finding["message"]
        assert "the operator can" in finding["help"] and "vendor it" in finding["help"]
        assert (finding["path"], finding["line"]) == ("web/kustomization.yaml", 2)
    assert elsewhere.asked == []


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("shared//app", "names no revision"),
        ("shared//app?ref=main", "main is a branch"),
        ("shared//app?ref=v9", "has no commit or tag 'v9'"),
        ("shared//nothing?ref=v1", "there is no kustomization in nothing"),
        ("shared//../app?ref=v1", "names no folder of a repository"),
    ],
)
def test_what_is_not_pinned_or_not_there_is_said(
    elsewhere: Repositories, tmp_path: Path, reference: str, words: str
) -> None:
    head: dict[str, str | None] = {"web/kustomization.yaml": overlay(f"{elsewhere.url}/{reference}")}
    root = gitops(tmp_path, EMPTY, head)
    finding = refused(repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))[1])
    assert words in finding["message"]


def test_a_patch_elsewhere_is_not_fetched(elsewhere: Repositories, tmp_path: Path) -> None:
    head: dict[str, str | None] = {
        "web/kustomization.yaml": f"resources: []\npatches: [{{path: '{elsewhere.url}/v1.0.0/patch.yaml'}}]\n"
    }
    root = gitops(tmp_path, EMPTY, head)
    finding = refused(repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))[1])
    assert "only resources and components are fetched" in finding["message"]
    assert elsewhere.asked == []


@pytest.fixture
def files() -> Iterator[Served]:
    with served() as found:
        for version in (1, 2):
            found[f"/releases/v1.{version}.0/install.yaml"] = CONFIG_MAP.format(version).encode()
        yield found


def test_the_next_version_of_a_single_file_shows_what_changes(files: Served, tmp_path: Path) -> None:
    base, head = (overlay(f"{files.url}/releases/v1.{v}.0/install.yaml", more="nameSuffix: -a\n") for v in (1, 2))
    root = gitops(tmp_path, {"web/kustomization.yaml": base}, {"web/kustomization.yaml": head})
    env = operator(tmp_path, f"{place(files.url)}/releases")
    for _ in range(2):
        status, verdict = repositories.check(root, env=env)
        assert [(c["name"], c["fields"]) for c in verdict["changes"]] == [("shared-a", ["data.version"])]
        assert status == 0
    assert files.paths == ["/releases/v1.1.0/install.yaml", "/releases/v1.2.0/install.yaml"]


def test_a_single_file_without_a_version_is_not_fetched(files: Served, tmp_path: Path) -> None:
    head: dict[str, str | None] = {"web/kustomization.yaml": overlay(f"{files.url}/main/install.yaml")}
    root = gitops(tmp_path, EMPTY, head)
    finding = refused(repositories.check(root, env=operator(tmp_path, place(files.url)))[1])
    assert "holds no version" in finding["message"]
    assert files.asked == []


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: web, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: web}
  source: {repoURL: https://github.com/acme/gitops.git, path: PATH, targetRevision: HEAD, kustomize: {nameSuffix: -v2}}
"""
FLUX = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: web, namespace: flux-system}
spec:
  interval: 1m
  path: ./PATH
  prune: true
  targetNamespace: other
  sourceRef: {kind: GitRepository, name: flux-system}
"""


@pytest.mark.parametrize("folder", ["web", "."])
@pytest.mark.parametrize(("tool", "target"), [(APPLICATION, "argocd:web"), (FLUX, "flux:web")])
def test_delivery_tools_see_it_with_their_own_edits(
    elsewhere: Repositories, tmp_path: Path, tool: str, target: str, folder: str
) -> None:
    entry = "web/kustomization.yaml" if folder == "web" else "kustomization.yaml"
    base, head = (overlay(f"{elsewhere.url}/shared//app?ref={v}") for v in ("v1", "v2"))
    files = {entry: base, "clusters/web.yaml": tool.replace("PATH", folder)}
    root = gitops(tmp_path, files, {entry: head})
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    name, space = ("x-shared-v2", "web") if tool is APPLICATION else ("x-shared", "other")
    assert [(c["target"], c["name"], c["namespace"]) for c in verdict["changes"]] == [(target, name, space)]
    assert [f for f in verdict["findings"] if f["severity"] != "notice"] == []


def test_applications_in_a_base_elsewhere_are_followed(elsewhere: Repositories, tmp_path: Path) -> None:
    application = APPLICATION.replace("PATH", "web").replace(", kustomize: {nameSuffix: -v2}", "")
    for version in ("v1", "v2"):
        name = "web" if version == "v1" else "web-2"
        app = application.replace("name: web,", f"name: {name},")
        files = {"app.yaml": app, "kustomization.yaml": "resources: [app.yaml]\n"}
        if version == "v1":
            elsewhere.add("apps", (version, dict(files)))
        else:
            repositories.write(elsewhere.root / "apps", files)
            repositories.commit(elsewhere.root / "apps", version)
            repositories.git(elsewhere.root / "apps", "tag", version)
    base, head = (overlay(f"{elsewhere.url}/apps//?ref={v}") for v in ("v1", "v2"))
    files = {"top/kustomization.yaml": base, "web/map.yaml": CONFIG_MAP.format(1)}
    root = gitops(tmp_path, files, {"top/kustomization.yaml": head})
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    assert {"argocd:web-2"} <= {t["id"] for t in verdict["targets"]}


def test_a_rendered_target_needs_no_more_than_the_permission(elsewhere: Repositories, tmp_path: Path) -> None:
    files = {"web/kustomization.yaml": overlay(f"{elsewhere.url}/shared//app?ref=v1")}
    root = gitops(tmp_path, files, {})
    done = repositories.run("render", str(root), "kustomize:web", env=operator(tmp_path, place(elsewhere.url)))
    assert (done.returncode, "x-shared" in done.stdout) == (0, True), done.stderr


def test_a_folder_of_this_repository_at_a_tag_needs_no_permission(tmp_path: Path) -> None:
    files = {"base/kustomization.yaml": "resources: [map.yaml]\n", "base/map.yaml": CONFIG_MAP.format(1)}
    root = gitops(tmp_path, {**files, "web/kustomization.yaml": "resources: []\n"}, {})
    repositories.git(root, "tag", "v1")
    reference = "github.com/acme/gitops/base?ref="
    repositories.write(root, {"web/kustomization.yaml": overlay(f"{reference}v1")})
    repositories.commit(root, "next")
    _, verdict = repositories.check(root)
    assert [c["name"] for c in verdict["changes"]] == ["shared"]
    repositories.write(root, {"web/kustomization.yaml": overlay(f"{reference}main")})
    repositories.commit(root, "branch")
    assert "refer to the folder itself" in refused(repositories.check(root)[1])["help"]
