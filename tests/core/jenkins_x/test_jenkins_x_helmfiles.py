"""Helmfiles are read as helmfile reads them, and what needs a template is said and not guessed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from trees import MemoryTree

from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.jenkins_x import releases
from review_bot.core.jenkins_x.helmfile import Helmfiles, Release, read_all
from review_bot.core.jenkins_x.requirements import with_environments
from review_bot.core.model import FileChange
from review_bot.core.planning import discover, plan, reason

ROOT = "helmfiles:\n- path: helmfiles/*/helmfile.yaml\n"
JX = """\
environments:
  default:
    values: [jx-values.yaml]
---
namespace: jx
releases:
- chart: jxgh/lighthouse
  version: 1.33.6
  name: lighthouse
  values: [jx-values.yaml]
- chart: jxgh/nexus
  name: nexus
  condition: nexus.enabled
- chart: ../../charts/web
  name: web
  values: [web.yaml]
"""
FILES = {
    "helmfile.yaml": ROOT,
    "helmfiles/jx/helmfile.yaml": JX,
    "helmfiles/jx/jx-values.yaml": "nexus: {enabled: true}\n",
    "helmfiles/jx/web.yaml": "replicas: 2\n",
    "versionStream/charts/jxgh/nexus/defaults.yaml": "version: 2.0.1\n",
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\n",
    "charts/web/templates/a.yaml": "kind: ConfigMap\n",
}


def read(changed: Mapping[str, str | None] | None = None) -> Helmfiles:
    files: dict[str, Any] = {**FILES, **(changed or {})}
    return read_all(MemoryTree({p: t for p, t in files.items() if t is not None}))


def named(found: Helmfiles, name: str) -> Release:
    return next(r for r in found.releases if r.name == name)


def jx(old: str, new: str) -> dict[str, str | None]:
    assert old in JX
    return {"helmfiles/jx/helmfile.yaml": JX.replace(old, new)}


def test_releases_are_found_with_version_namespace_and_place() -> None:
    found = read()
    assert [(r.name, r.namespace, r.version, r.on) for r in found.releases] == [
        ("lighthouse", "jx", "1.33.6", True),
        ("nexus", "jx", "2.0.1", True),
        ("web", "jx", "", True),
    ]
    assert found.problems == []
    assert (named(found, "nexus").source.path, named(found, "nexus").source.line) == ("helmfiles/jx/helmfile.yaml", 11)


def test_the_namespace_of_the_helmfile_beats_that_of_the_release() -> None:
    found = read(jx("  name: nexus", "  namespace: other\n  name: nexus"))
    assert named(found, "nexus").namespace == "jx"
    assert named(read(jx("namespace: jx\n", "")), "nexus").namespace == "default"


@pytest.mark.parametrize(
    ("values", "on"),
    [("nexus: {enabled: false}", False), ("nexus: {enabled: true}", True), ("other: 1", None), ("{{ x }}: [", None)],
)
def test_a_condition_switches_a_release_by_the_environments_values(values: str, on: bool | None) -> None:
    assert named(read({"helmfiles/jx/jx-values.yaml": values}), "nexus").on is on


# what changes → what is said
MOVES: list[tuple[dict[str, str | None], list[tuple[str, str, int | None]]]] = [
    (
        jx("version: 1.33.6", "version: 1.34.0"),
        [("notice", "release lighthouse in jx: jxgh/lighthouse 1.33.6 → 1.34.0", 7)],
    ),
    (
        {"versionStream/charts/jxgh/nexus/defaults.yaml": "version: 2.1.0\n"},
        [("notice", "release nexus in jx: jxgh/nexus 2.0.1 → 2.1.0", 11)],
    ),
    (
        jx("- chart: jxgh/nexus\n  name: nexus\n  condition: nexus.enabled\n", ""),
        [("warning", "release nexus (jxgh/nexus 2.0.1) in jx is removed, with what it brought to the cluster", None)],
    ),
    (
        jx("- chart: jxgh/nexus\n", "- chart: jxgh/ui\n  version: 1.0.0\n  name: ui\n- chart: jxgh/nexus\n"),
        [("notice", "release ui (jxgh/ui 1.0.0) in jx is added", 11)],
    ),
    (
        {"helmfiles/jx/jx-values.yaml": "nexus: {enabled: false}\n"},
        [
            (
                "notice",
                "release nexus in jx: is switched off, and its condition nexus.enabled switches it off",
                11,
            )
        ],
    ),
    (jx("chart: jxgh/lighthouse", "chart: mine/lighthouse"), [("notice", "chart jxgh/lighthouse", 7)]),
    (jx("values: [web.yaml]", "values: []"), [("notice", "release web in jx: its values are given otherwise", 14)]),
    (jx("  name: nexus", "  name: nexus # said"), []),
]


@pytest.mark.parametrize(("change", "expected"), MOVES)
def test_what_a_change_does_to_releases_is_said(
    change: dict[str, str | None], expected: list[tuple[str, str, int | None]]
) -> None:
    found = list(releases.moves(read(), read(change)))
    assert [(f.severity, f.line) for f in found] == [(severity, line) for severity, _, line in expected]
    assert all(text in f.message for f, (_, text, _) in zip(found, expected, strict=True))


@pytest.mark.parametrize(
    ("change", "severity", "text"),
    [
        ({"helmfile.yaml": "helmfiles:\n- path: helmfiles/no/helmfile.yaml\n"}, "error", "no helmfile helmfiles/no/"),
        ({"helmfile.yaml": "helmfiles:\n- git::https://x/y@helmfile.yaml\n"}, "notice", "lies elsewhere"),
        ({"helmfile.yaml": "releases:\n{{ range .x }}\n- name: {{ . }}\n{{ end }}\n"}, "warning", "needs templating"),
        ({"helmfile.yaml": "releases: [\n"}, "error", "this is not YAML"),
        ({"helmfile.yaml": f"bases: [common.yaml]\n{ROOT}"}, "notice", "the bases of helmfile.yaml"),
        (jx("values: [web.yaml]", "values: [wep.yaml]"), "error", "helmfiles/jx/wep.yaml, which does not exist"),
        (jx("  name: nexus\n", "  name: lighthouse\n"), "error", "is given twice"),
    ],
)
def test_what_helmfile_would_stumble_over_or_cannot_be_seen_is_said(
    change: dict[str, str | None], severity: str, text: str
) -> None:
    (finding,) = releases.problems(read(change))
    assert finding.severity == severity and text in finding.message and finding.help


TEMPLATED: dict[str, str | None] = {
    "helmfiles/jx/helmfile.yaml": "releases:\n{{ range .x }}\n- name: {{ . }}\n{{ end }}\n"
}


def test_releases_that_are_hidden_are_not_called_removed_or_added() -> None:
    assert list(releases.moves(read(), read(TEMPLATED))) == []
    assert list(releases.moves(read(TEMPLATED), read())) == []


def test_a_helmfile_that_hides_a_release_which_was_rendered_before_is_an_error() -> None:
    (finding,) = releases.problems(read(TEMPLATED), read())
    assert finding.severity == "error"
    (finding,) = releases.problems(read(TEMPLATED), read(TEMPLATED))
    assert finding.severity == "warning"


def test_value_files_that_are_written_later_or_may_be_missing_are_no_problem() -> None:
    assert read({"helmfiles/jx/jx-values.yaml": None}).problems == []
    assert (
        read(
            jx("  name: web\n  values: [web.yaml]", "  name: web\n  missingFileHandler: Warn\n  values: [no.yaml]")
        ).problems
        == []
    )


def test_helmfiles_that_name_each_other_end() -> None:
    assert len(read({"helmfiles/jx/helmfile.yaml": f"helmfiles: [../../helmfile.yaml]\n---\n{JX}"}).releases) == 3


def targets(changed: Mapping[str, str | None] | None = None) -> list[Any]:
    tree = MemoryTree({p: t for p, t in {**FILES, **(changed or {})}.items() if t is not None})
    return list(Discovery(Files(tree), Config()).targets())


def test_a_release_of_a_chart_in_the_repository_is_a_target_with_its_values_and_namespace() -> None:
    (target,) = targets()
    assert (target.id, target.namespace) == ("helm:charts/web#jx/web", "jx")
    assert (target.helm.release, target.helm.namespace, target.helm.values) == ("web", "jx", ("helmfiles/jx/web.yaml",))
    assert {"helmfiles/jx/helmfile.yaml", "helmfiles/jx/web.yaml", "charts/web/templates/a.yaml"} <= target.reads


def test_a_release_that_is_not_wholly_seen_leaves_its_chart_a_target_of_its_own_and_says_so() -> None:
    change = jx("values: [web.yaml]", "values: [web.yaml.gotmpl]")
    change["helmfiles/jx/web.yaml.gotmpl"] = "replicas: {{ .Values.replicas | default 2 }}\n"
    (target,) = targets(change)
    assert target.id == "helm:charts/web"
    (finding,) = releases.unseen(read(change), frozenset(["charts/web/values.yaml"]))
    assert "web.yaml.gotmpl ({{ .Values.replicas | default 2 }}), which is not followed" in finding.message
    assert finding.severity == "notice"
    # Where it was rendered before, its absence would look like its end.
    (finding,) = releases.unseen(read(change), frozenset(["helmfiles/jx/helmfile.yaml"]), read())
    assert finding.severity == "error"
    assert list(releases.unseen(read(change), frozenset(["charts/webby/values.yaml"]))) == []


REQUIREMENTS = """\
apiVersion: core.jenkins-x.io/v4beta1
kind: Requirements
spec:
  cluster: {clusterName: blue}
  environments:
  - key: dev
  - key: staging
  - key: production
    namespace: live
  - key: far
    remoteCluster: true
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"


def test_folders_of_config_root_are_environments_of_the_cluster() -> None:
    folders = ("namespaces/jx/a", "namespaces/jx-staging/a", "namespaces/live/a", "namespaces/jx-far/a", "cluster/a")
    tree = MemoryTree({"jx-requirements.yml": REQUIREMENTS, **{f"config-root/{f}/a.yaml": OBJECT for f in folders}})
    found = Discovery(Files(tree), with_environments(Config(), tree)).targets()
    assert {t.path.removeprefix("config-root/"): (t.environment, t.cluster) for t in found} == {
        "namespaces/jx/a": ("dev", "blue"),
        "namespaces/jx-staging/a": ("staging", "blue"),
        "namespaces/live/a": ("production", "blue"),
        "namespaces/jx-far/a": (None, "blue"),
        "cluster/a": (None, "blue"),
    }
    # `kubectl apply` gives no namespace, so none is made up.
    assert {t.namespace for t in found} == {None}


def test_a_release_goes_where_its_namespace_goes() -> None:
    files = {**FILES, "jx-requirements.yml": REQUIREMENTS.replace("namespace: live", "namespace: jx")}
    tree = MemoryTree(files)
    (target,) = Discovery(Files(tree), with_environments(Config(), tree)).targets()
    assert (target.id, target.environment, target.cluster) == ("helm:charts/web#jx/web", "dev", "blue")


CHANGES: list[dict[str, str | None]] = [
    jx("- chart: ../../charts/web\n  name: web\n  values: [web.yaml]\n", ""),
    jx("  name: web\n", "  name: shop\n"),
    jx("namespace: jx\n", "namespace: shop\n"),
    jx("values: [web.yaml]", "values: [web.yaml.gotmpl]"),
    jx("  name: web\n", "  name: web\n  condition: nexus.enabled\n"),
    {"helmfile.yaml": None},
    {"helmfile.yaml": "helmfiles: []\n"},
    {"helmfiles/jx/web.yaml": "replicas: 3\n"},
    {"helmfiles/jx/jx-values.yaml": "nexus: {enabled: false}\n"},
    {"charts/web/templates/b.yaml": "kind: Pod\n"},
    {"versionStream/charts/jxgh/nexus/defaults.yaml": "version: 3.0.0\n"},
    {"charts/web/Chart.yaml": None},
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("forth", [True, False])
def test_planning_finds_what_a_look_at_everything_would_find(change: dict[str, str | None], forth: bool) -> None:
    sides = [FILES, {p: t for p, t in {**FILES, **change}.items() if t is not None}]
    before, after = (MemoryTree(files) for files in (sides if forth else sides[::-1]))
    texts = [{p: tree.read(p) for p in tree.entries()} for tree in (before, after)]
    changes = [
        FileChange(p, "added" if p not in texts[0] else "removed" if p not in texts[1] else "modified")
        for p in sorted(texts[0].keys() | texts[1].keys())
        if texts[0].get(p) != texts[1].get(p)
    ]
    old, new = ({t.id: t for t in discover(tree, Config())} for tree in (before, after))
    wanted = {id for id in old.keys() | new.keys() if reason(old.get(id), new.get(id), changes) is not None}
    assert {p.id for p in plan(before, after, changes, Config())} == wanted
