"""With a cluster at hand the danger is told with what would go."""

from __future__ import annotations

from pathlib import Path

from kube import Kube, review, settings

from review_bot.core import report_markdown, report_text
from review_bot.core.verdict import to_json

SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: NS}\n"
OBJECTS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: NS}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: NS}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


def test_the_deletion_of_a_namespace_lists_the_live_objects_in_it(kube: Kube, namespace: str, tmp_path: Path) -> None:
    kube.apply(OBJECTS.replace("NS", namespace))
    base = {"app/namespace.yaml": SPACE.replace("NS", namespace), "app/other.yaml": SPACE.replace("NS", "default")}
    verdict = review(tmp_path, settings(kube.cluster), base, {"app/namespace.yaml": None})
    assert [d.goes_with for d in verdict.dangers] == [("ConfigMap settings", "PersistentVolumeClaim data")]
    assert [(d["name"], d["path"]) for d in to_json(verdict)["dangers"]] == [(namespace, "app/namespace.yaml")]
    shown = report_markdown.render(verdict)
    assert "**Danger: this can't be undone**" in shown
    for report in (shown, report_text.render(verdict)):
        assert "now there: ConfigMap settings, PersistentVolumeClaim data" in report


def test_the_deletion_of_a_claim_that_is_not_there_is_no_danger(kube: Kube, namespace: str, tmp_path: Path) -> None:
    claim = OBJECTS.replace("NS", namespace).split("---\n")[1]
    verdict = review(tmp_path, settings(kube.cluster), {"app/claim.yaml": claim}, {"app/claim.yaml": None})
    assert verdict.dangers == ()
    assert [c.action for c in verdict.live] == ["unchanged"]
