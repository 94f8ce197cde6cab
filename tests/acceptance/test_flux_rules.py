"""The rules that Flux follows, each by its words, on a git repository and through `review-bot render` and `check`.

tests/core/flux has the finer points of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import repositories
from deployed import CHART, CONFIG_MAP, git_repository, kustomization, release

from review_bot.core.yaml_reader import parse

AT = "clusters/here/apps.yaml"
SOURCE = {"clusters/here/source.yaml": git_repository()}
APPS, WEB = "flux:apps", "helmrelease:apps/web"


def rendered(root: Path, files: Mapping[str, str], target: str) -> list[dict[str, Any]]:
    """What `review-bot render` writes of a repository whose only commit these files are."""
    path = root / "repository"
    repositories.write(path, {**SOURCE, **files})
    repositories.git(path, "init", "-q", "-b", "main")
    repositories.commit(path, "base")
    done = repositories.run("render", str(path), target)
    assert done.returncode == 0, done.stderr + done.stdout
    return [d.value for d in parse(done.stdout.encode(), path="output") if d.value is not None]


def only(root: Path, files: Mapping[str, str], target: str = APPS, kind: str = "ConfigMap") -> dict[str, Any]:
    found = [o for o in rendered(root, files, target) if o["kind"] == kind]
    assert len(found) == 1
    return found[0]


def data(**values: str) -> str:
    rows = "".join(f"  {key}: {value}\n" for key, value in values.items())
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings, namespace: apps}}\ndata:\n{rows}"


def post_build(spec: str, name: str = "apps", path: str = "apps") -> str:
    return kustomization(path, "postBuild:\n" + "".join(f"  {row}\n" for row in spec.splitlines()), name)


def test_decrypted_then_built_then_substituted_then_common_metadata_overwrites(tmp_path: Path) -> None:
    """Labels of its own that Flux adds are not shown."""
    spec = """\
decryption: {provider: sops}
namePrefix: built-
postBuild: {substitute: {one: "1", built: "2"}}
commonMetadata: {labels: {team: "${one}"}, annotations: {by: flux}}
"""
    secret = """\
apiVersion: v1
kind: Secret
metadata: {name: a, labels: {team: own, number: "n${one}"}}
stringData: {plain: "${one}", hidden: "ENC[AES256_GCM,data:x,iv:a=,tag:b=,type:str]"}
sops: {mac: "ENC[AES256_GCM,data:m,iv:a=,tag:b=,type:str]"}
"""
    found = only(tmp_path, {AT: kustomization("apps", spec), "apps/a.yaml": secret}, kind="Secret")
    assert found["metadata"] == {
        "name": "built-a",
        "labels": {"team": "${one}", "number": "n1"},
        "annotations": {"by": "flux"},
    }
    assert "sops" not in found


def test_a_parent_patches_and_substitutes_its_children_and_what_is_on_disk_does_not_count(tmp_path: Path) -> None:
    """A variable of the child's own is escaped for its parent."""
    child = post_build("substitute: {tier: '${tier}', own: '$${tier}-x'}", "child", "apps/${tier}")
    parent = """\
patches: [{patch: "- {op: add, path: /spec/targetNamespace, value: patched}", target: {kind: Kustomization}}]
postBuild: {substitute: {tier: gold}}
"""
    files = {
        AT: kustomization("tenants", parent, "tenants"),
        "tenants/child.yaml": child,
        "apps/gold/a.yaml": CONFIG_MAP.replace("value", "'${tier} ${own}'"),
    }
    found = only(tmp_path, files, "flux:child")
    assert found["metadata"]["namespace"] == "patched"
    assert found["data"] == {"key": "gold ${tier}-x"}


def test_inline_variables_beat_sources_and_later_sources_win_and_newlines_are_stripped(tmp_path: Path) -> None:
    spec = """\
substitute: {one: "in\\nline"}
substituteFrom:
  - {kind: ConfigMap, name: first}
  - {kind: ConfigMap, name: second}
  - {kind: Secret, name: gone, optional: true}
"""
    first = data(one="a", two="a", three="a").replace("settings, namespace: apps", "first, namespace: flux-system")
    second = data(one="b", two="b").replace("settings, namespace: apps", "second, namespace: flux-system")
    files = {AT: post_build(spec), "clusters/here/vars.yaml": f"{first}---\n{second}"}
    found = only(tmp_path, {**files, "apps/a.yaml": data(all='"${one} ${two} ${three}"')})
    assert found["data"] == {"all": "inline b a"}


def test_variables_that_another_kustomization_renders_are_found(tmp_path: Path) -> None:
    """One that this depends on, with variables of its own."""
    variables = data(region="'${zone}-1'").replace("settings, namespace: apps", "facts, namespace: flux-system")
    files = {
        AT: post_build("substituteFrom: [{kind: ConfigMap, name: facts}]") + "  dependsOn: [{name: facts}]\n",
        "clusters/here/facts.yaml": post_build("substitute: {zone: eu}", "facts", "facts"),
        "facts/facts.yaml": variables,
        "apps/a.yaml": data(key="'${region}'"),
    }
    assert only(tmp_path, files)["data"] == {"key": "eu-1"}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("${v:-d} ${none:-d}", "web d"),
        ("${none:=d}", "d"),
        ("${none=d}", "d"),
        ("[${none}]", "[]"),
        ("$v", "$v"),
        ("$${v}", "${v}"),
        ("${v^^} ${v^} ${#v}", "WEB Web 3"),
        ("${v:0:2} ${v:1}", "we eb"),
        ("${v/w/x} ${v//b/y}", "xeb wey"),
        ("${v#w} ${v%b}", "eb we"),
    ],
)
def test_the_forms_of_variables_that_work(tmp_path: Path, written: str, becomes: str) -> None:
    """Ran: fluxcd/pkg/kustomize with envsubst 1.8, on these and some seventy more."""
    files = {AT: post_build("substitute: {v: web}"), "apps/a.yaml": data(key=f"'{written}'")}
    assert only(tmp_path, files)["data"] == {"key": becomes}


@pytest.mark.parametrize(
    ("written", "becomes"),
    [
        ("${size}", 3),
        ("${b}", True),
        ("'\"${size}\"'", '"3"'),
        ("x${size}", "x3"),
        ("'3'", "3"),
        ("${date}", "2024-01-01"),
    ],
)
def test_the_result_is_parsed_again_and_types_may_change(tmp_path: Path, written: str, becomes: Any) -> None:
    thing = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec:\n  is: {written}\n"
    files = {AT: post_build("substitute: {size: '3', b: 'true', date: '2024-01-01'}"), "apps/a.yaml": thing}
    assert only(tmp_path, files, kind="Thing")["spec"] == {"is": becomes}


@pytest.mark.parametrize("place", ["labels", "annotations"])
def test_an_object_opts_out_of_substitution_by_a_label_or_an_annotation(tmp_path: Path, place: str) -> None:
    mark = f"name: settings, {place}: {{kustomize.toolkit.fluxcd.io/substitute: disabled}},"
    text = data(key="'${v}'").replace("name: settings,", mark)
    assert only(tmp_path, {AT: post_build("substitute: {v: x}"), "apps/a.yaml": text})["data"] == {"key": "${v}"}


@pytest.mark.parametrize(
    ("kustomization_version", "release_version", "source_version"),
    [("v1beta1", "v2beta1", "v1beta1"), ("v1beta2", "v2beta2", "v1beta2"), ("v1", "v2", "v1")],
)
def test_older_versions_of_the_objects_mean_the_same(
    tmp_path: Path, kustomization_version: str, release_version: str, source_version: str
) -> None:
    files = {
        "clusters/here/source.yaml": git_repository().replace(".io/v1", f".io/{source_version}"),
        AT: kustomization("apps", "namePrefix: x-").replace(".io/v1", f".io/{kustomization_version}"),
        "apps/a.yaml": release(chart="charts/web").replace(".io/v2", f".io/{release_version}"),
        **CHART,
    }
    assert only(tmp_path, files, "helmrelease:apps/x-web")["metadata"]["name"] == "x-web"


def test_markers_of_image_automation_are_words_like_others(tmp_path: Path) -> None:
    marked = 'values: {replicas: 2} # {"$imagepolicy": "flux-system:web:tag"}'
    policy = "apiVersion: image.toolkit.fluxcd.io/v1beta2\nkind: ImagePolicy\nmetadata: {name: web, namespace: apps}\n"
    files = {**CHART, "clusters/here/web.yaml": release(marked), "clusters/here/policy.yaml": policy}
    assert '"replicas":2' in only(tmp_path, files, WEB)["data"]["values"]


def test_values_come_from_sources_in_order_then_inline_and_a_target_path_beats_inline(tmp_path: Path) -> None:
    spec = """\
values: {image: {name: inline, tag: inline}, c: inline}
valuesFrom:
  - {kind: ConfigMap, name: one}
  - {kind: ConfigMap, name: two, valuesKey: more.yaml}
  - {kind: ConfigMap, name: two, valuesKey: tag, targetPath: image.tag}
"""
    one = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one, namespace: apps}\ndata: {values.yaml: 'a: 1, b: 1'}\n"
    two = one.replace("name: one", "name: two").replace(
        "{values.yaml: 'a: 1, b: 1'}", '{more.yaml: "{b: 2, c: 2}", tag: "5"}'
    )
    one = one.replace("'a: 1, b: 1'", '"{a: 1, b: 1, c: 1}"')
    files = {**CHART, "clusters/here/web.yaml": release(spec), "clusters/here/maps.yaml": f"{one}---\n{two}"}
    shown = only(tmp_path, files, WEB)["data"]["values"]
    assert shown == '{"a":1,"b":2,"c":"inline","image":{"name":"inline","tag":5},"replicas":1}'


SECRET = """\
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: flux-system}
stringData: {word: hunter2}
"""


def test_the_value_of_a_secret_is_used_and_shown_nowhere(tmp_path: Path) -> None:
    base = {
        **SOURCE,
        AT: post_build("substituteFrom: [{kind: Secret, name: s}]"),
        "clusters/here/s.yaml": SECRET,
        "apps/a.yaml": data(key="'<${word}>'"),
    }
    root = repositories.make(
        tmp_path / "repository", base, {"clusters/here/s.yaml": SECRET.replace("hunter2", "hunter3")}
    )
    _, verdict = repositories.check(root)
    assert {c["kind"]: c["fields"] for c in verdict["changes"]}["ConfigMap"] == ["data.key"]
    for words in (
        ("check", str(root), "--base", "main", "--head", "change", "-o", "markdown"),
        ("render", str(root), APPS),
    ):
        done = repositories.run(*words)
        assert done.stdout and "hunter" not in done.stdout + done.stderr


def test_a_change_of_one_cluster_is_none_of_another(tmp_path: Path) -> None:
    base = {}
    for cluster in ("one", "two"):
        base[f"clusters/{cluster}/apps.yaml"] = post_build(f"substitute: {{cluster: {cluster}}}")
        base[f"clusters/{cluster}/source.yaml"] = git_repository()
    base["apps/a.yaml"] = data(key="'${cluster}'")
    head = {"clusters/two/apps.yaml": post_build("substitute: {cluster: other}")}
    _, verdict = repositories.check(repositories.make(tmp_path / "repository", base, head))
    changed = {(c["target"], c["kind"]) for c in verdict["changes"]}
    assert changed == {("flux:apps@clusters/two", "ConfigMap"), ("plain:clusters/two", "Kustomization")}


def test_random_output_of_a_chart_is_the_same_on_both_sides(tmp_path: Path) -> None:
    template = data(random="'{{ randAlphaNum 9 }}'", count="'{{ .Values.replicas }}'").replace("settings", "r")
    base = {**SOURCE, **CHART, "charts/web/templates/r.yaml": template, "clusters/here/web.yaml": release()}
    head = {"clusters/here/web.yaml": release("values: {replicas: 2}")}
    _, verdict = repositories.check(repositories.make(tmp_path / "repository", base, head))
    assert {c["name"]: c["fields"] for c in verdict["changes"] if c["target"] == WEB} == {
        "r": ["data.count"],
        "web": ["data.values"],
    }
