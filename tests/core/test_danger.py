"""What can't be undone is told apart from everything else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from review_bot.core.clusters import LiveAction, LiveChange
from review_bot.core.danger import dangers, quantity
from review_bot.core.diff import compare
from review_bot.core.model import Resource, ResourceChange, Source
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse

CLAIM = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: db}
spec:
  accessModes: [ReadWriteOnce]
  resources: {requests: {storage: 20Gi}}
"""
SET = """\
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: db}
spec:
  serviceName: db
  replicas: 3
  selector: {matchLabels: {app: db}}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec:
        resources: {requests: {storage: 1Ti}}
"""
SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
DEFINITION = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.example.com}\n"


SERVED = DEFINITION + "spec: {group: example.com, scope: Namespaced, versions: [%s]}\n"
OLD, NEW = "{name: v1alpha1, served: true}", "{name: v1, served: true, storage: true}"


def changes(before: str, after: str) -> list[ResourceChange]:
    return list(compare("plain:app", resources(before), resources(after)))


def resources(text: str) -> list[Resource]:
    found, _ = from_documents(parse(text.encode(), path="app/all.yaml"), path="app/all.yaml")
    return list(found)


def told(before: str, after: str, **more: Any) -> list[tuple[str, int | None]]:
    return [(d.what, d.line) for d in dangers(changes(before, after), **more)]


@pytest.mark.parametrize(
    ("text", "word"),
    [(CLAIM, "its data"), (SET, "pods stop"), (SPACE, "everything in it"), (DEFINITION, "every object")],
)
def test_a_deletion_that_takes_more_with_it_is_a_danger(text: str, word: str) -> None:
    ((what, line),) = told(text, "")
    assert word in what
    assert line == 1


def test_a_volume_that_shrinks_is_told_with_both_sizes_on_its_line() -> None:
    assert told(CLAIM, CLAIM.replace("20Gi", "20G")) == [
        ("shrinks a volume from 20Gi to 20G, which no storage allows", 6)
    ]
    assert [line for _, line in told(SET, SET.replace("1Ti", "500Gi"))] == [11]
    assert told(CLAIM, CLAIM.replace("20Gi", "30Gi")) == []


def test_a_workload_that_stops_is_a_danger_and_one_that_stays_stopped_is_not() -> None:
    stopped = SET.replace("replicas: 3", "replicas: 0")
    assert told(SET, stopped) == [("stops: its replicas go to 0", 6)]
    assert told(stopped, stopped.replace("name: db,", "name: db, labels: {a: b},")) == []


def test_a_field_that_can_not_change_means_a_new_object() -> None:
    assert told(SET, SET.replace("serviceName: db", "serviceName: other")) == [
        ("can't change its spec.serviceName: it has to be deleted and created anew", 5)
    ]
    assert told(SET, SET.replace("replicas: 3", "replicas: 4")) == []


@pytest.mark.parametrize(
    "annotation",
    [
        "helm.sh/resource-policy: keep",
        "kustomize.toolkit.fluxcd.io/prune: disabled",
        "argocd.argoproj.io/sync-options: 'Validate=false, Prune=false'",
    ],
)
def test_what_stays_although_it_is_no_longer_rendered_is_none(annotation: str) -> None:
    kept = CLAIM.replace("namespace: db", f"namespace: db, annotations: {{{annotation}}}")
    assert told(kept, "") == []
    assert told(CLAIM, "", prune=False) == []


def test_the_cluster_tells_what_goes_with_it_and_what_is_not_there_anyway() -> None:
    (change,) = changes(SPACE, "")
    live = LiveChange(change.target, "prod", LiveAction.DELETE, change.id, goes_with=("Deployment web",))
    assert dangers([change], [live])[0].goes_with == ("Deployment web",)
    gone = LiveChange(change.target, "prod", LiveAction.UNCHANGED, change.id)
    assert dangers([change], [gone]) == []
    (definition,) = changes(DEFINITION, "")
    unused = LiveChange(definition.target, "prod", LiveAction.DELETE, definition.id)
    assert dangers([definition], [unused]) == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1Ki", "1024"),
        ("1.5Gi", "1610612736"),
        ("100m", "0.1"),
        ("2E", "2E18"),
        ("1e3", "1000"),
        (5, "5"),
        ("0.5", "0.5"),
    ],
)
def test_amounts_are_read_as_kubernetes_reads_them(text: Any, number: str) -> None:
    assert quantity(text) == Decimal(number)


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "1ki", None])
def test_what_is_no_amount_is_none(text: Any) -> None:
    assert quantity(text) is None


def test_a_danger_stands_on_a_file_of_the_change() -> None:
    found = dangers(changes(CLAIM, ""))[0]
    assert Source(found.path, found.line) == Source("app/all.yaml", 1)


def test_a_version_that_a_definition_no_longer_serves_is_a_danger() -> None:
    both, one = SERVED % f"{OLD}, {NEW}", SERVED % NEW
    assert told(both, one) == [("no longer serves v1alpha1: whatever is written in it is refused", 4)]
    assert told(both, SERVED % f"{OLD.replace('true', 'false')}, {NEW}") == told(both, one)
    assert told(one, both) == []


def test_the_scope_of_a_definition_can_not_change() -> None:
    ((what, line),) = told(SERVED % NEW, (SERVED % NEW).replace("Namespaced", "Cluster"))
    assert ("deleted and created anew" in what, line) == (True, 4)
