"""What of a source gets to Flux, and where the bot looks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
from deployed import CHART, CONFIG_MAP, deployed, git_repository, kustomization, release

from review_bot.core.flux.objects import NotSeen
from review_bot.core.flux.sources import git_revision
from review_bot.core.model import Severity

HERE = "clusters/here/apps.yaml"


def named(name: str) -> str:
    return CONFIG_MAP.replace("settings", name)


def test_what_source_controller_ignores_is_not_in_the_folder(tmp_path: Path) -> None:
    found = deployed(
        tmp_path,
        {
            HERE: kustomization("./apps"),
            "apps/.sourceignore": "*.tmp.yaml\n/skipped/\n!kept.tmp.yaml\n",
            "apps/a.tmp.yaml": "a: 1\n",
            "apps/kept.tmp.yaml": named("kept"),
            "apps/skipped/b.yaml": "b: 1\n",
            "apps/deep/skipped/c.yaml": named("c"),
        },
    )
    assert found.said() == []
    assert found.names("flux:apps") == ["ConfigMap -/c", "ConfigMap -/kept"]


DEFAULTS = {HERE: kustomization("apps"), "apps/a.yaml": named("a"), "apps/.sops.yaml": "creation_rules: []\n"}
OTHER = {"clusters/here/other.yaml": git_repository(name="other", more="  ignore: |\n    !/apps/b.yaml\n")}


def test_without_patterns_the_defaults_of_source_controller_hold(tmp_path: Path) -> None:
    assert deployed(tmp_path, DEFAULTS).names("flux:apps") == ["ConfigMap -/a"]


@pytest.mark.parametrize(
    "more", [{"ci/.sourceignore": "*.md\n"}, {**OTHER, HERE: kustomization("apps", source="other")}]
)
def test_any_pattern_of_the_source_takes_the_place_of_the_defaults(tmp_path: Path, more: dict[str, str]) -> None:
    found = deployed(tmp_path, {**DEFAULTS, **more})
    assert ".sops.yaml" in found.said()[0]


def test_ignore_of_the_source_counts_after_its_files(tmp_path: Path) -> None:
    files = {
        **OTHER,
        HERE: kustomization("apps", source="other"),
        "apps/.sourceignore": "*.yaml\n",
        "apps/a.yaml": named("a"),
        "apps/b.yaml": named("b"),
    }
    assert deployed(tmp_path, files).names("flux:apps") == ["ConfigMap -/b"]


@pytest.mark.parametrize(
    ("left_out", "pattern", "why"),
    [
        ("apps/a.yaml", "/apps/a.yaml\n", "it needs apps/a.yaml, and `/apps/a.yaml` keeps it out of what Flux fetches"),
        ("apps", "apps/\n", "nothing of the folder apps gets to Flux: `apps/` keeps it out of what Flux fetches"),
        ("charts/web/Chart.yaml", "Chart.yaml\n", "it needs charts/web/Chart.yaml, and `Chart.yaml` keeps it out"),
    ],
)
def test_what_is_left_out_and_needed_is_an_error(tmp_path: Path, left_out: str, pattern: str, why: str) -> None:
    files = {
        ".sourceignore": pattern,
        HERE: release() if "Chart" in left_out else kustomization("apps"),
        **(CHART if "Chart" in left_out else {}),
        "apps/kustomization.yaml": "resources: [a.yaml]\n",
        "apps/a.yaml": named("a"),
    }
    found = deployed(tmp_path, files)
    assert [(f.rule, f.severity) for f in found.findings] == [("render-failed", Severity.ERROR)]
    assert why in found.findings[0].message


def test_a_chart_has_no_files_that_are_left_out(tmp_path: Path) -> None:
    files = {**CHART, HERE: release(), "charts/web/templates/more.yaml": named("more"), ".sourceignore": "more.yaml\n"}
    assert deployed(tmp_path, files).names("helmrelease:apps/web") == ["ConfigMap apps/web"]


@pytest.mark.parametrize(
    ("more", "said", "names"),
    [
        ({}, "", ["ConfigMap -/a"]),
        ({"apps/kustomization.yaml": "resources: [a.yaml, b.yaml]\n"}, "it is a symbolic link", []),
    ],
)
def test_symbolic_links_are_not_in_what_flux_fetches(
    tmp_path: Path, more: dict[str, str], said: str, names: list[str]
) -> None:
    (tmp_path / "repository/apps").mkdir(parents=True)
    (tmp_path / "repository/apps/b.yaml").symlink_to("../b.yaml")
    found = deployed(tmp_path, {HERE: kustomization("apps"), "apps/a.yaml": named("a"), "b.yaml": named("b"), **more})
    assert said in " ".join(found.said()) and bool(said) == bool(found.said())
    assert (found.names("flux:apps") if found.targets["flux:apps"].parts else []) == names


def test_the_bootstrap_source_is_this_repository_though_it_is_not_committed(tmp_path: Path) -> None:
    files = {"clusters/here/source.yaml": named("no-source"), HERE: kustomization("apps"), "apps/a.yaml": named("a")}
    found = deployed(tmp_path, files)
    assert found.said() == []
    assert found.names("flux:apps") == ["ConfigMap -/a"]


@pytest.mark.parametrize(
    ("source", "what"),
    [
        ("", "the GitRepository flux-system/other is not in this repository"),
        (git_repository("https://example.com/other.git", "other"), "https://example.com/other.git lies outside"),
    ],
)
def test_a_source_that_lies_elsewhere_is_not_seen(tmp_path: Path, source: str, what: str) -> None:
    files = {HERE: kustomization("apps", source="other"), "apps/a.yaml": named("a")}
    found = deployed(tmp_path, files | ({"clusters/here/other.yaml": source} if source else {}))
    assert found.targets["flux:apps"].parts == ()
    assert [(f.rule, f.severity, f.path, f.line) for f in found.findings] == [("not-seen", Severity.WARNING, HERE, 6)]
    assert what in found.findings[0].message
    assert found.findings[0].help


def test_another_revision_of_this_repository_is_read_there(tmp_path: Path) -> None:
    files = {
        "clusters/here/other.yaml": git_repository(name="other", ref="tag: v1"),
        HERE: kustomization("apps", source="other"),
    }
    assert "the revision refs/tags/v1 of this repository is not there" in deployed(tmp_path, files).said()[0]


@pytest.mark.parametrize(
    ("reference", "revision"),
    [
        ({"commit": "c", "name": "n", "tag": "t", "semver": "1.0.0", "branch": "b"}, "c"),
        ({"name": "refs/heads/n", "tag": "t", "semver": "1.0.0"}, "refs/heads/n"),
        # As source-controller does it; its documents have it the other way round.
        ({"tag": "main", "semver": "1.0.0", "branch": "b"}, "refs/tags/main"),
        ({"branch": "b"}, "b"),
        ({}, ""),
    ],
)
def test_a_reference_is_read_in_source_controllers_own_order(reference: dict[str, str], revision: str) -> None:
    assert git_revision(reference) == revision


@pytest.mark.parametrize("semver", ["1.x", "1.0.0"])
def test_a_range_of_tags_is_not_seen(semver: str) -> None:
    """One version may stand for two tags, 1.0.0 and v1.0.0."""
    with pytest.raises(NotSeen, match="which tag fits"):
        git_revision({"semver": semver, "branch": "main"})


@pytest.mark.parametrize("path", ["./apps", "apps/", "/apps", "../../apps", "x/../../apps"])
def test_a_path_is_held_within_the_source(tmp_path: Path, path: str) -> None:
    files = {HERE: kustomization(path), "apps/a.yaml": named("a")}
    assert deployed(tmp_path, files).names("flux:apps") == ["ConfigMap -/a"]


@pytest.mark.parametrize("path", ["./", '""', "null", "/"])
def test_an_empty_path_is_the_whole_source(tmp_path: Path, path: str) -> None:
    files = {HERE: kustomization(path, source="other"), "clusters/here/other.yaml": OTHER["clusters/here/other.yaml"]}
    files["clusters/here/other.yaml"] = git_repository(name="other", more="  ignore: |\n    /clusters\n")
    assert deployed(tmp_path, {**files, "top.yaml": named("top")}).names("flux:apps") == ["ConfigMap -/top"]


def test_an_artifact_is_generated_of_the_repository(tmp_path: Path) -> None:
    generator = """\
apiVersion: source.extensions.fluxcd.io/v1beta1
kind: ArtifactGenerator
metadata: {name: parts, namespace: flux-system}
spec:
  sources: [{alias: all, kind: GitRepository, name: flux-system}]
  artifacts:
    - name: apps
      copy:
        - {from: "@all/apps/base/**", to: "@artifact/base/", exclude: ["apps/base/*.md"]}
        - {from: "@all/apps/staging/**", to: "@artifact/top/"}
        - {from: "@all/extra.yaml", to: "@artifact/top/renamed.yaml"}
"""
    found = deployed(
        tmp_path,
        {
            "clusters/here/parts.yaml": generator,
            HERE: kustomization("top").replace(
                "kind: GitRepository, name: flux-system", "kind: ExternalArtifact, name: apps"
            ),
            "apps/base/kustomization.yaml": "resources: [a.yaml]\n",
            "apps/base/a.yaml": named("a"),
            "apps/staging/kustomization.yaml": "namePrefix: staging-\nresources: [../base, renamed.yaml]\n",
            "extra.yaml": named("extra"),
        },
    )
    assert found.said() == []
    assert found.names("flux:apps") == ["ConfigMap -/staging-a", "ConfigMap -/staging-extra"]
    target = found.targets["flux:apps"]
    assert target.path == "apps/staging"
    assert (target.reads or frozenset()) >= {"apps/base/a.yaml", "apps/staging/kustomization.yaml", "extra.yaml"}


OWN = ["apps~clusters-here.flux-system.apps", ".~clusters-here.flux/artifact/flux-system/apps"]


@pytest.mark.parametrize("folder", OWN)
def test_a_folder_that_stands_where_the_bot_keeps_its_own_is_an_error(tmp_path: Path, folder: str) -> None:
    generator = (
        "apiVersion: source.extensions.fluxcd.io/v1beta1\nkind: ArtifactGenerator\n"
        "metadata: {name: parts, namespace: flux-system}\n"
        "spec:\n  sources: [{alias: all, kind: GitRepository, name: flux-system}]\n"
        '  artifacts: [{name: apps, copy: [{from: "@all/apps/**", to: "@artifact/"}]}]\n'
    )
    other = kustomization(".", name="other")
    from_artifact = other.replace("GitRepository, name: flux-system", "ExternalArtifact, name: apps")
    files = {HERE: kustomization("apps"), "clusters/here/b.yaml": from_artifact, "clusters/here/parts.yaml": generator}
    found = deployed(tmp_path, {**files, "apps/a.yaml": named("a"), f"{folder}/b.yaml": named("b")})
    kept = [f for f in found.findings if "a name that the bot keeps for itself" in f.message]
    assert [f.severity for f in kept] == [Severity.ERROR], found.said()


LIBRARY = """\
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: library, namespace: flux-system}
spec: {url: https://github.com/acme/fleet, ref: {branch: main}}
"""


def including(*rows: str) -> str:
    lines = "".join(f"    - {row}\n" for row in rows)
    return git_repository(name="other", more=f"  ignore: |\n    /clusters\n  include:\n{lines}") + LIBRARY


def test_a_source_includes_folders_of_others_of_this_repository(tmp_path: Path) -> None:
    files = {
        "clusters/here/other.yaml": including(
            "{repository: {name: library}, fromPath: parts/web, toPath: apps/web}",
            "{repository: {name: library}, fromPath: extra.yaml, toPath: apps/extra.yaml}",
        ),
        HERE: kustomization("apps", source="other"),
        "apps/kustomization.yaml": "resources: [web, extra.yaml]\n",
        "parts/web/kustomization.yaml": "resources: [a.yaml]\n",
        "parts/web/a.yaml": named("a"),
        "extra.yaml": named("extra"),
    }
    found = deployed(tmp_path, files)
    assert found.said() == []
    assert found.names("flux:apps") == ["ConfigMap -/a", "ConfigMap -/extra"]
    target = found.targets["flux:apps"]
    assert target.path == "apps"
    assert (target.reads or frozenset()) >= {"parts/web/a.yaml", "extra.yaml", "apps/kustomization.yaml"}
    assert {r.source.path for r in found.rendered["flux:apps"].resources} == {"parts/web/a.yaml", "extra.yaml"}


def test_without_paths_all_of_it_is_included_below_its_name(tmp_path: Path) -> None:
    files = {
        "clusters/here/other.yaml": including("{repository: {name: library}}"),
        HERE: kustomization("library/apps", source="other"),
        "apps/a.yaml": named("a"),
    }
    assert deployed(tmp_path, files).names("flux:apps") == ["ConfigMap -/a"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("{repository: {name: library}, toPath: apps}", "library is included at apps, which is there already"),
        ("{repository: {name: library}, fromPath: gone}", "there is no gone to include of library"),
        ("{repository: {name: other}}", "the GitRepository flux-system/other includes itself"),
        ("{repository: {name: none}}", "the GitRepository flux-system/none is not in this repository"),
    ],
)
def test_what_can_not_be_included_is_told(tmp_path: Path, row: str, said: str) -> None:
    files = {
        "clusters/here/other.yaml": including(row),
        HERE: kustomization("apps", source="other"),
        "apps/a.yaml": named("a"),
    }
    assert said in deployed(tmp_path, files).said()[0]
