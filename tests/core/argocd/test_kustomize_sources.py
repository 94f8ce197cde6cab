"""Kustomize sources: the edits that come before the build, as ../shared/SEMANTICS.md states Argo CD's rules."""

from __future__ import annotations

import json
from typing import Any

import pytest
from argo import KUSTOMIZATION, MAP, application, expand, only_part, problems

FILES = {"web/kustomization.yml": KUSTOMIZATION, "web/map.yaml": MAP, "more/kustomization.yaml": "kind: Component\n"}


def edited(options: str, before: str = KUSTOMIZATION) -> dict[str, Any]:
    files = FILES | {"web/kustomization.yml": before}
    side, part = only_part(files, application(f"path: web, kustomize: {{{options}}}"))
    content: dict[str, Any] = json.loads(side.graft.read(part.entry) or b"")
    del content["resources"]
    return content


def test_without_edits_the_folder_itself_is_built() -> None:
    _, part = only_part(FILES, application("path: web, kustomize: {version: v5}"))
    assert (part.path, part.entry) == ("web", "web/kustomization.yml")


def test_edits_are_made_in_a_copy_beside_the_folder_and_both_are_read() -> None:
    side, found = expand(FILES, application("path: web, kustomize: {namePrefix: a-}"))
    target = found.targets[0]
    part = target.parts[0]
    assert (target.path, part.path) == ("web", "web~argocd-web.0")
    assert part.reads == {"web~argocd-web.0/kustomization.yml", "web~argocd-web.0/map.yaml"}
    assert target.reads is not None and {"web/kustomization.yml", "web/map.yaml"} <= target.reads
    assert side.graft.original(part.entry).path == "top/app.yaml"
    assert side.graft.original("web~argocd-web.0/map.yaml").path == "web/map.yaml"


def test_prefix_suffix_and_namespace_replace() -> None:
    before = KUSTOMIZATION + "namePrefix: x-\nnamespace: y\n"
    assert edited("namePrefix: a-, nameSuffix: -b, namespace: c", before) == {
        "namePrefix": "a-",
        "nameSuffix": "-b",
        "namespace": "c",
    }


WHOLE = {"name": "web", "newName": "localhost:5000/web", "newTag": "2", "digest": "sha256:ab"}


@pytest.mark.parametrize(
    ("image", "result"),
    [
        ("web:2", {"name": "web", "newTag": "2"}),
        ("web=example.com:5000/web:2", {"name": "web", "newName": "example.com:5000/web", "newTag": "2"}),
        ("web=other", {"name": "web", "newName": "other"}),
        ("web@sha256:ab", {"name": "web", "digest": "sha256:ab"}),
        ("web=other@sha256:ab", {"name": "web", "newName": "other", "digest": "sha256:ab"}),
        ("web=*:3", {"name": "web", "newName": "kept", "newTag": "3"}),
        ("web=localhost:5000/web:2@sha256:ab", WHOLE),
        ("web:", {"name": "web"}),
        ("web:$ARGOCD_APP_NAME", {"name": "web", "newTag": "web"}),
    ],
)
def test_an_image_replaces_what_is_said_of_it(image: str, result: dict[str, str]) -> None:
    before = KUSTOMIZATION + "images: [{name: zoo, newTag: '1'}, {name: web, newName: kept, newTag: '1'}]\n"
    assert edited(f"images: ['{image}']", before) == {"images": [result, {"name": "zoo", "newTag": "1"}]}


def test_an_image_without_anything_new_is_an_error() -> None:
    assert problems(FILES, application("path: web, kustomize: {images: [web]}")) == [("error", "kustomize-image")]


def test_replicas_labels_and_annotations() -> None:
    before = KUSTOMIZATION + "replicas: [{name: web, count: 1}, {name: a, count: 1}]\ncommonLabels: {a: b}\n"
    assert edited(
        "replicas: [{name: web, count: '3'}], commonLabels: {app: x}, commonAnnotations: {note: $X}", before
    ) == {
        "replicas": [{"name": "a", "count": 1}, {"name": "web", "count": 3}],
        "commonLabels": {"a": "b", "app": "x"},
        "commonAnnotations": {"note": "$X"},
    }
    assert edited("commonAnnotations: {note: $ARGOCD_APP_NAME}, commonAnnotationsEnvsubst: true") == {
        "commonAnnotations": {"note": "web"}
    }


def test_labels_can_leave_selectors_alone() -> None:
    assert edited("commonLabels: {a: b}, labelWithoutSelector: true, labelIncludeTemplates: true") == {
        "labels": [{"pairs": {"a": "b"}, "includeTemplates": True}]
    }


def test_labels_that_leave_selectors_alone_join_those_of_their_form() -> None:
    before = KUSTOMIZATION + "labels: [{pairs: {x: z}, includeSelectors: true}, {pairs: {c: d}}]\n"
    assert edited("commonLabels: {a: b}, labelWithoutSelector: true", before) == {
        "labels": [
            {"pairs": {"x": "z"}, "includeSelectors": True},
            {"pairs": {"c": "d", "a": "b"}, "includeTemplates": False},
        ]
    }
    files = FILES | {"web/kustomization.yml": before}
    again = application("path: web, kustomize: {commonLabels: {c: e}, labelWithoutSelector: true}")
    assert problems(files, again) == [("error", "kustomize-edit")]
    alone = application("path: web, kustomize: {commonLabels: {a: b}, labelIncludeTemplates: true}")
    assert problems(FILES, alone) == [("error", "kustomize-edit")]


def test_of_two_entries_for_one_image_the_first_is_kept() -> None:
    before = KUSTOMIZATION + "images: [{name: a, newTag: '1'}, {name: a, newTag: '2'}]\n"
    assert edited("images: ['b:1']", before)["images"][0] == {"name": "a", "newTag": "1"}


def test_a_count_of_replicas_that_is_no_number_is_an_error() -> None:
    wrong = application("path: web, kustomize: {replicas: [{name: web, count: many}]}")
    assert problems(FILES, wrong) == [("error", "kustomize-edit")]


def test_components_can_be_named_by_a_pattern() -> None:
    assert edited("components: ['../mor*']") == {"components": ["../more"]}
    assert edited("components: ['../none*']") == {"components": ["../none*"]}


def test_a_label_that_is_there_already_needs_force() -> None:
    files = FILES | {"web/kustomization.yml": KUSTOMIZATION + "commonLabels: {a: b}\n"}
    assert problems(files, application("path: web, kustomize: {commonLabels: {a: c}}")) == [("error", "kustomize-edit")]
    forced = "commonLabels: {a: c}, forceCommonLabels: true"
    assert edited(forced, KUSTOMIZATION + "commonLabels: {a: b}\n") == {"commonLabels": {"a": "c"}}


def test_patches_and_components_are_appended() -> None:
    before = KUSTOMIZATION + "patches: [{patch: one}]\ncomponents: [../old]\n"
    content = edited("patches: [{patch: two, target: {kind: ConfigMap}}], components: [../more, ../old]", before)
    assert content == {
        "patches": [{"patch": "one"}, {"patch": "two", "target": {"kind": "ConfigMap"}}],
        "components": ["../old", "../more"],
    }


def test_missing_components_can_be_ignored() -> None:
    content = edited("components: [../more, ../none], ignoreMissingComponents: true")
    assert content == {"components": ["../more"]}


def test_a_folder_with_the_name_of_the_copy_is_an_error() -> None:
    files = FILES | {"web~argocd-web.0/map.yaml": MAP}
    assert problems(files, application("path: web, kustomize: {namePrefix: a-}")) == [("error", "argocd")]
