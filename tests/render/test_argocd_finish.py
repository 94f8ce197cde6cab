"""What Argo CD does to rendered objects, as ../shared/SEMANTICS.md states its rules."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from review_bot.core.blobs import blob_of
from review_bot.core.model import Delivery, RendererName, Resource, ResourceId, Source, Target, TreeEntry
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse
from review_bot.render.argocd import finish
from review_bot.render.finishing import Finishing
from review_bot.render.side import Side

APPLICATION = ResourceId("argoproj.io/v1alpha1", "Application", "argocd", "web")


class Memory:
    """A tree that is a mapping."""

    sha = "memory"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def entries(self) -> Mapping[str, TreeEntry]:
        return {p: TreeEntry(p, "100644", blob_of(text.encode())) for p, text in self._files.items()}

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {path: self._files[path].encode() for path in paths if path in self._files}


def finished(
    text: str, *, sources: int = 1, kind: str = "Application", files: Mapping[str, str] | None = None
) -> tuple[list[Resource], list[str]]:
    id = ResourceId("argoproj.io/v1alpha1", kind, "argocd", "web")
    delivery = Delivery("argocd", id, "", Source("app.yaml"), settings='{"namespace": "web"}')
    part = Target("argocd:web/0", RendererName.PLAIN, "web", "web/a.yaml")
    target = Target("argocd:web", RendererName.PLAIN, "web", "app.yaml", name="web", delivery=delivery)
    resources, _ = from_documents(parse(text.encode(), path="web/a.yaml"), path="web/a.yaml")
    target = Target(
        target.id, target.renderer, "web", "app.yaml", None, "web", delivery=delivery, parts=(part,) * sources
    )
    at_hand = Finishing(Side(Memory(files or {}), Path()), None, None)  # type: ignore[arg-type]
    found, findings = asyncio.run(finish(target, resources, at_hand))
    return list(found), [f.rule for f in findings]


def of(api: str, kind: str, metadata: str, more: str = "") -> str:
    return f"apiVersion: {api}\nkind: {kind}\nmetadata: {{{metadata}}}\n{more}---\n"


CRD = of(
    "apiextensions.k8s.io/v1",
    "CustomResourceDefinition",
    "name: x",
    "spec: {group: example.com, scope: Cluster, names: {kind: Zone}}\n",
)


@pytest.mark.parametrize(
    ("text", "namespace"),
    [
        (of("v1", "ConfigMap", "name: a"), "web"),
        (of("v1", "ConfigMap", "name: a, namespace: ''"), "web"),
        (of("v1", "ConfigMap", "name: a, namespace: other"), "other"),
        (of("example.com/v1", "Unknown", "name: a"), "web"),
        (of("v1", "Namespace", "name: a, namespace: web"), None),
        (of("rbac.authorization.k8s.io/v1", "ClusterRole", "name: a"), None),
        (of("example.com/v1", "Zone", "name: a, namespace: web") + CRD, None),
        (of("example.com/v1", "Zone", "name: a") + CRD.replace("Cluster,", "Namespaced,"), "web"),
    ],
)
def test_the_namespace_is_cleared_on_cluster_scoped_kinds_set_where_there_is_none_and_never_rewritten(
    text: str, namespace: str | None
) -> None:
    resource = finished(text)[0][0]
    assert resource.id.namespace == namespace
    assert resource.manifest["metadata"].get("namespace") == namespace


def test_tracking_labels_are_never_added() -> None:
    resource = finished(of("v1", "ConfigMap", "name: a, namespace: b"))[0][0]
    assert resource.manifest == {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "b"}}


def test_of_an_object_that_several_sources_give_the_last_wins_with_a_warning() -> None:
    first = of("v1", "ConfigMap", "name: a", "data: {x: first}\n")
    second = of("v1", "ConfigMap", "name: a, namespace: web", "data: {x: second}\n")
    found, rules = finished(first + second, sources=2)
    assert [r.manifest["data"] for r in found] == [{"x": "second"}]
    assert rules == ["defined-twice"]


def test_objects_whose_names_are_generated_are_no_doubles() -> None:
    job = of("batch/v1", "Job", "generateName: a-")
    found, rules = finished(job + job, sources=2)
    assert (len(found), rules) == (2, [])


def test_generated_applications_stay_where_their_set_put_them() -> None:
    found, _ = finished(of("argoproj.io/v1alpha1", "Application", "name: a, namespace: team"), kind="ApplicationSet")
    assert found[0].id.namespace == "team"


def test_lists_are_taken_apart() -> None:
    text = "apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}\n"
    assert [(r.id.kind, r.id.namespace) for r in finished(text)[0]] == [("ConfigMap", "web")]


@pytest.mark.parametrize(
    ("files", "namespace"),
    [
        ({"crds/zone.yaml": CRD}, None),
        ({"crds/zone.yaml": CRD.replace("Cluster", "Namespaced")}, "web"),
        ({"charts/a/templates/zone.yaml": CRD + "# {{ templates are not read }}"}, "web"),
        ({"crds/broken.yaml": CRD + "a: ["}, "web"),
        ({}, "web"),
    ],
)
def test_the_scope_of_a_kind_comes_from_a_definition_anywhere_in_the_repository(
    files: dict[str, str], namespace: str | None
) -> None:
    (zone,), _ = finished(of("example.com/v1", "Zone", "name: a"), files=files)
    assert zone.id.namespace == namespace
