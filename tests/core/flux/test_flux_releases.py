"""A HelmRelease deploys here what helm-controller would deploy of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from deployed import CHART, CONFIG_MAP, Deployed, deployed, kustomization, release

from review_bot.core.model import Severity

HERE = "clusters/here/web.yaml"
ID = "helmrelease:apps/web"


def config_map(name: str, values: str, kind: str = "ConfigMap", key: str = "values.yaml") -> str:
    field = "stringData" if kind == "Secret" else "data"
    rows = "".join(f"    {row}\n" for row in values.splitlines())
    return f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: {name}, namespace: apps}}\n{field}:\n  {key}: |-\n{rows}"


def released(root: Path, spec: str = "", name: str = "web", **more: str) -> Deployed:
    others = {f"clusters/here/{file}.yaml": content for file, content in more.items()}
    return deployed(root, {**CHART, HERE: release(spec, name), **others})


def values(found: Deployed) -> Mapping[str, Any]:
    assert found.said() == []
    return dict(json.loads(found.only(ID)["data"]["values"]))


def test_a_chart_in_this_repository_is_rendered_from_it(tmp_path: Path) -> None:
    found = released(tmp_path)
    assert values(found) == {"replicas": 1, "image": {"name": "web", "tag": "1.0"}}
    target = found.targets[ID]
    assert (target.path, target.entry, target.namespace) == ("charts/web", HERE, "apps")
    assert found.rendered[ID].resources[0].source.path == "charts/web/templates/map.yaml"


def test_values_come_in_order_and_inline_ones_last(tmp_path: Path) -> None:
    spec = """\
valuesFrom: [{kind: ConfigMap, name: one}, {kind: ConfigMap, name: two, valuesKey: other}]
values: {c: inline}
"""
    one = config_map("one", "a: one\nb: one\nc: one\nimage: {tag: one}")
    two = config_map("two", "b: two\nc: two", key="other")
    assert values(released(tmp_path, spec, one=one, two=two)) == {
        "a": "one",
        "b": "two",
        "c": "inline",
        "replicas": 1,
        "image": {"name": "web", "tag": "one"},
    }


@pytest.mark.parametrize(
    ("text", "row", "becomes"),
    [
        ("3", "", 3),
        ("'3'", "", "3"),
        ('"3"', "", "3"),
        ("true", "", True),
        ("{a,b}", "", ["a", "b"]),
        ("{a,b}", ", literal: true", "{a,b}"),
        ("a=b\\c", ", literal: true", "a=b\\c"),
    ],
)
def test_a_target_path_beats_inline_values(tmp_path: Path, text: str, row: str, becomes: Any) -> None:
    """In the language of `helm --set`, or verbatim with `literal`."""
    source = f"{{kind: ConfigMap, name: one, valuesKey: k, targetPath: deep.key{row}}}"
    spec = f"values: {{deep: {{key: inline, other: inline}}}}\nvaluesFrom: [{source}]"
    found = values(released(tmp_path, spec, one=config_map("one", text, key="k")))
    assert found["deep"] == {"key": becomes, "other": "inline"}


@pytest.mark.parametrize(
    ("inline", "becomes"),
    [
        # Into a map of the release's own, or where it has nothing.
        ("{image: {tag: own, x: 1}}", {"image": {"tag": "set", "x": 1}}),
        ("{}", {"image": {"tag": "set"}}),
    ],
)
def test_a_target_path_goes_over_the_own_values(tmp_path: Path, inline: str, becomes: Any) -> None:
    spec = f"values: {inline}\nvaluesFrom: [{{kind: ConfigMap, name: one, valuesKey: k, targetPath: image.tag}}]"
    found = values(released(tmp_path, spec, one=config_map("one", "set", key="k")))
    assert found["image"] == {"name": "web", **becomes["image"]}


def test_a_later_source_goes_over_a_target_path(tmp_path: Path) -> None:
    rows = "{kind: ConfigMap, name: one, valuesKey: k, targetPath: image.tag}, {kind: ConfigMap, name: two}"
    found = released(
        tmp_path,
        f"valuesFrom: [{rows}]",
        one=config_map("one", "set", key="k"),
        two=config_map("two", "image: {tag: later}"),
    )
    assert values(found)["image"]["tag"] == "later"


@pytest.mark.parametrize(
    ("inline", "more"),
    [("{replicas: 2}", ""), ("{deep: {replicas: 2}}", "{kind: ConfigMap, name: two}, ")],
)
def test_a_target_path_loses_what_helm_controller_merges_again(tmp_path: Path, inline: str, more: str) -> None:
    """Ran: fluxcd/pkg/chartutil merges the own values once more in the end, over what is not in a map of theirs."""
    path = "deep.replicas" if more else "replicas"
    row = f"{{kind: ConfigMap, name: one, valuesKey: k, targetPath: {path}}}"
    found = released(
        tmp_path,
        f"values: {inline}\nvaluesFrom: [{more}{row}]",
        one=config_map("one", "3", key="k"),
        two=config_map("two", "deep: {other: 1}"),
    )
    shown = values(found)
    assert (shown["deep"] if more else shown)["replicas"] == 2


def test_a_target_path_into_a_list_of_another_source(tmp_path: Path) -> None:
    rows = "{kind: ConfigMap, name: two}, {kind: ConfigMap, name: one, valuesKey: k, targetPath: 'list[1]'}"
    found = released(
        tmp_path,
        f"valuesFrom: [{rows}]",
        one=config_map("one", "set", key="k"),
        two=config_map("two", "list: [a, b, c]"),
    )
    assert values(found)["list"] == ["a", "set", "c"]


def test_values_of_secrets_are_used_and_never_shown(tmp_path: Path) -> None:
    spec = "valuesFrom: [{kind: Secret, name: s}, {kind: Secret, name: s, valuesKey: k, targetPath: token}]"
    secret = config_map("s", "password: hunter2\nport: 5432\nenabled: true", "Secret") + "  k: hunter3\n"
    found = released(tmp_path, spec, s=secret)
    shown = values(found)
    assert shown["password"].startswith("secret-") and shown["token"].startswith("secret-")
    assert shown["port"] != 5432 and shown["enabled"] is True
    assert "hunter" not in repr((found.rendered[ID], found.targets[ID]))


def test_values_of_a_generated_secret_may_be_long(tmp_path: Path) -> None:
    """Kustomize breaks its base64 into lines."""
    rows = "".join(f"number{n}: {n}\n" for n in range(20))
    files = {
        **CHART,
        HERE: release("valuesFrom: [{kind: Secret, name: s}]"),
        "clusters/here/apps.yaml": kustomization("values"),
        "values/kustomization.yaml": (
            "namespace: apps\ngeneratorOptions: {disableNameSuffixHash: true}\n"
            "secretGenerator: [{name: s, files: [values.yaml]}]\n"
        ),
        "values/values.yaml": rows + "plain: true\n",
    }
    found = deployed(tmp_path, files)
    assert values(found)["plain"] is True


def test_values_that_are_missing_are_named_unless_they_are_optional(tmp_path: Path) -> None:
    found = released(tmp_path, "valuesFrom: [{kind: ConfigMap, name: one, optional: true}, {kind: Secret, name: two}]")
    assert [(f.rule, f.severity, f.target) for f in found.findings] == [("not-seen", Severity.WARNING, ID)]
    assert "the Secret apps/two" in found.findings[0].message
    assert found.objects(ID)


def test_a_key_that_is_missing_is_an_error(tmp_path: Path) -> None:
    found = released(tmp_path, "valuesFrom: [{kind: ConfigMap, name: one}]", one=config_map("one", "a: 1", key="other"))
    assert [f.severity for f in found.findings] == [Severity.ERROR]
    assert "the ConfigMap apps/one has no key values.yaml" in found.findings[0].message


LONG = "a-name-that-is-longer-than-what-helm-allows-for-a-release"


@pytest.mark.parametrize(
    ("spec", "name", "called", "namespace"),
    [
        ("", "web", "web", "apps"),
        ("targetNamespace: there", "web", "there-web", "there"),
        ("releaseName: own\ntargetNamespace: there", "web", "own", "there"),
        ("", LONG, f"{LONG[:40]}-{hashlib.sha256(LONG.encode()).hexdigest()[:12]}", "apps"),
        (f"releaseName: {'x' * 53}", "web", "x" * 53, "apps"),
    ],
)
def test_the_name_and_namespace_of_the_release(
    tmp_path: Path, spec: str, name: str, called: str, namespace: str
) -> None:
    metadata = released(tmp_path, spec, name).only(f"helmrelease:apps/{name}")["metadata"]
    assert metadata == {"name": called, "namespace": namespace}


POST = """\
postRenderers:
  - kustomize:
      patches:
        - patch: '[{"op": "add", "path": "/metadata/labels", "value": {"team": "one", "by": "patch"}}]'
          target: {kind: ConfigMap}
  - kustomize:
      patches:
        - patch: '[{"op": "replace", "path": "/metadata/labels/by", "value": "second"}]'
          target: {kind: ConfigMap}
commonMetadata: {labels: {team: common}}
"""


def test_post_renderers_run_in_order_and_common_metadata_after_them(tmp_path: Path) -> None:
    found = released(tmp_path, POST)
    assert found.said() == []
    assert found.only(ID)["metadata"]["labels"] == {"team": "common", "by": "second"}
    resource = found.rendered[ID].resources[0]
    assert resource.source.path == "charts/web/templates/map.yaml"
    assert resource.patched_by == (HERE,)


HOOK = CONFIG_MAP.replace("{name: settings}", '{name: hook, annotations: {"helm.sh/hook": pre-install}}')


@pytest.mark.parametrize(("spec", "labelled"), [("", {"web", "hook"}), ("postRenderStrategy: nohooks\n", {"web"})])
def test_post_renderers_see_all_but_the_definitions_in_crds(tmp_path: Path, spec: str, labelled: set[str]) -> None:
    """And hooks unless the release says so (Helm 4)."""
    chart = {**CHART, "charts/web/crds/thing.yaml": CRD, "charts/web/templates/hook.yaml": HOOK}
    found = deployed(tmp_path, {**chart, HERE: release(f"{spec}commonMetadata: {{labels: {{team: x}}}}")})
    assert {o["metadata"]["name"] for o in found.objects(ID) if o["metadata"].get("labels")} == labelled
    assert "things.example.com" in {o["metadata"]["name"] for o in found.objects(ID)}


def test_a_post_renderer_that_fails_is_an_error_in_kustomizes_words(tmp_path: Path) -> None:
    found = released(
        tmp_path, POST.replace('"replace", "path": "/metadata/labels/by"', '"remove", "path": "/data/none"')
    )
    assert found.rendered[ID].failed
    assert "its post-renderer 2 fails" in found.findings[0].message


def test_images_of_a_post_renderer(tmp_path: Path) -> None:
    pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, image: 'example.com/a:1'}]}\n"
    spec = "postRenderers: [{kustomize: {images: [{name: example.com/a, newTag: '2'}]}}]"
    found = deployed(tmp_path, {**CHART, "charts/web/templates/pod.yaml": pod, HERE: release(spec)})
    assert found.only(ID, "Pod")["spec"]["containers"][0]["image"] == "example.com/a:2"


CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec: {group: example.com}
"""


@pytest.mark.parametrize(
    ("spec", "count"),
    [
        ("", 1),
        ("install: {crds: Skip}", 0),
        ("install: {crds: Skip}\nupgrade: {crds: CreateReplace}", 1),
        ("install: {skipCRDs: true}", 0),
    ],
)
def test_definitions_belong_to_it_unless_neither_install_nor_upgrade_takes_them(
    tmp_path: Path, spec: str, count: int
) -> None:
    found = deployed(tmp_path, {**CHART, "charts/web/crds/thing.yaml": CRD, HERE: release(spec)})
    assert sum(o["kind"] == "CustomResourceDefinition" for o in found.objects(ID)) == count


def test_test_hooks_are_not_deployed(tmp_path: Path) -> None:
    hook = CONFIG_MAP.replace("{name: settings}", '{name: probe, annotations: {"helm.sh/hook": test}}')
    found = deployed(
        tmp_path, {**CHART, "charts/web/templates/probe.yaml": hook, HERE: release("test: {enable: true}")}
    )
    assert found.names(ID) == ["ConfigMap apps/web"]


def test_releases_wait_for_each_other(tmp_path: Path) -> None:
    found = released(tmp_path, "dependsOn: [{name: gone}]\nsuspend: true\nkubeConfig: {secretRef: {name: k}}")
    assert [f.rule for f in found.findings] == ["unknown-dependency"]
    delivery = found.targets[ID].delivery
    assert delivery is not None and delivery.suspended and delivery.prune
    assert delivery.destination == "the cluster of kubeConfig apps/k"
