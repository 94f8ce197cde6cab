"""Merged is not yet done: the bot follows Argo CD's and Flux's objects in a real API server, and tells it once."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kube import Kube, settings
from test_bad_days import serve
from test_refusals import CONFIG
from town import FILES, REPOSITORY, Town, played, town, until

from review_bot.core.clusters import Clusters, Pace
from review_bot.core.model import Severity
from review_bot.demo.github.faults import Fault

# The tools' own definitions are long and change; of their objects only these names matter here.
KINDS = {
    "Application": ("argoproj.io", "v1alpha1", "applications"),
    "Kustomization": ("kustomize.toolkit.fluxcd.io", "v1", "kustomizations"),
    "HelmRelease": ("helm.toolkit.fluxcd.io", "v2", "helmreleases"),
    "GitRepository": ("source.toolkit.fluxcd.io", "v1", "gitrepositories"),
    "HelmChart": ("source.toolkit.fluxcd.io", "v1", "helmcharts"),
    "OCIRepository": ("source.toolkit.fluxcd.io", "v1", "ocirepositories"),
}
DEFINITION = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: PLURAL.GROUP}
spec:
  group: GROUP
  names: {kind: KIND, plural: PLURAL}
  scope: Namespaced
  versions:
    - name: VERSION
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
RBAC = Path(__file__).resolve().parents[2] / "deploy" / "rbac-rollouts.yaml"


@pytest.fixture(scope="module")
def tools(kube: Kube) -> Iterator[Kube]:
    """The cluster with the kinds of both tools, and the bot's right to read them."""
    for kind, (group, version, plural) in KINDS.items():
        words = {"KIND": kind, "GROUP": group, "VERSION": version, "PLURAL": plural}
        text = DEFINITION
        for word, value in words.items():
            text = text.replace(word, value)
        kube.apply(text)
    kube.apply(RBAC.read_text())
    yield kube


class Place:
    """A namespace, and the folder of the repository that is deployed to it."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.kube, self.namespace, self.folder = kube, namespace, f"apps/{namespace}"
        self.text = CONFIG.replace("NAME", "settings").replace("NS", namespace)

    def files(self) -> Mapping[str, str]:
        assign = f"{{match: {self.folder}, cluster: prod, environment: production}}"
        config = f"version: 1\ntargets: {{assign: [{assign}]}}\n"
        return {**FILES, f"{self.folder}/settings.yaml": self.text, ".review-bot.yaml": config}

    def clusters(self, context: str = "admin", rollout: float = 600.0) -> Clusters:
        one = replace(settings(self.kube.cluster, context), name="prod", unreachable=Severity.WARNING)
        return Clusters({"prod": one}, pace=Pace(rollout_look=0.2, rollout=rollout))

    def put(self, kind: str, name: str, **parts: Any) -> None:
        """Bring an object to be just so."""
        group, version, _ = KINDS[kind]
        metadata = {"namespace": self.namespace, "name": name}
        manifest = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": metadata, **parts}
        path = self.kube.path(manifest) + "?fieldManager=tool&force=true"
        status, answer = self.kube.send("PATCH", path, manifest, "application/apply-patch+yaml")
        assert status in (200, 201), answer

    def application(
        self, here: Town, revision: str, health: str = "Healthy", to: Any = None, name: str = "web", **status: Any
    ) -> None:
        source = {"repoURL": f"{here.github.url}/{REPOSITORY}.git", "path": self.folder, "targetRevision": "main"}
        told = {"sync": {"status": "Synced", "revision": revision}, "health": {"status": health}, **status}
        spec = {"source": source, "syncPolicy": {"automated": {}}, "destination": to or {"name": "in-cluster"}}
        self.put("Application", name, spec=spec, status=told)

    def kustomization(self) -> dict[str, Any]:
        """As far as is needed to find it."""
        group, version, _ = KINDS["Kustomization"]
        metadata = {"namespace": self.namespace, "name": "web"}
        return {"apiVersion": f"{group}/{version}", "kind": "Kustomization", "metadata": metadata}

    def event(self, message: str) -> None:
        about = {"kind": "Application", "namespace": self.namespace, "name": "web"}
        body = {
            "metadata": {"generateName": "web-", "namespace": self.namespace},
            "involvedObject": about,
            "reason": "OperationCompleted",
            "message": message,
            "type": "Warning",
            "lastTimestamp": "2026-11-20T10:00:00Z",
        }
        status, answer = self.kube.send("POST", f"/api/v1/namespaces/{self.namespace}/events", body)
        assert status == 201, answer

    async def merged(self, here: Town, value: str = "other") -> tuple[int, str]:
        """A pull request that changes the folder, merged: number and merge commit."""
        files = {f"{self.folder}/settings.yaml": self.text.replace("key: value", f"key: {value}")}
        await here.alice.fetch(here.work)
        number, sha = await here.open(value, files)
        await here.completed(sha)
        await here.carol.review(REPOSITORY, number)
        await here.completed(sha, conclusion="success")
        assert await here.alice.merge(REPOSITORY, number) == ""
        return number, str((await here.alice.pull(REPOSITORY, number))["merge_commit_sha"])


@pytest.fixture
def place(tools: Kube, namespace: str) -> Place:
    return Place(tools, namespace)


async def told(here: Town, number: int, text: str) -> str:
    """Wait for the one comment on the rollout to say this."""

    async def found() -> str | None:
        own = [c for c in await here.sticky(number) if "review-bot:rollout" in c]
        return own[0] if len(own) == 1 and text in own[0] else None

    return await until(found, f"a comment on the rollout that says {text!r}")


def test_it_is_followed_until_it_is_synced_and_healthy(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        place.application(here, "0" * 40)
        number, merge = await place.merged(here)
        waiting = await told(here, number, f"Application `{place.namespace}/web` has not seen this merge yet")
        assert f"Rollout of {merge[:7]}" in waiting
        place.application(here, merge, "Progressing")
        await told(here, number, "is synced, its health is progressing")
        place.application(here, merge)
        done = await told(here, number, f"✅ `{place.folder}` synced and healthy in production after ")
        assert done.rstrip().endswith("s")
        # What happens later is not this merge's.
        place.application(here, merge, "Degraded")
        await asyncio.sleep(1.0)
        assert await told(here, number, "✅") == done

    played(tmp_path, story, place.files(), clusters=place.clusters())


def test_what_failed_is_told_with_its_newest_events_and_may_still_mend(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        place.event("Sync failed: @org/all the webhook said no")
        number, merge = await place.merged(here)
        sync = {"status": "OutOfSync", "revision": merge}
        operation = {"phase": "Failed", "message": "one object failed", "syncResult": {"revision": merge}}
        place.application(here, merge, sync=sync, operationState=operation)
        said = await told(here, number, "❌")
        assert "failed to sync: one object failed" in said
        assert "event OperationCompleted: Sync failed: @&#8203;org/all the webhook said no" in said
        place.application(here, merge, operationState={**operation, "phase": "Succeeded"})
        await told(here, number, "synced and healthy in production")

    played(tmp_path, story, place.files(), clusters=place.clusters())


def test_flux_at_a_later_commit_counts_and_a_lost_answer_leaves_one_comment(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        url = here.github.url.replace("http://", "ssh://git@") + f"/{REPOSITORY}"
        place.put("GitRepository", "config", spec={"url": url, "ref": {"branch": "main"}})
        reference = {"kind": "GitRepository", "name": "config"}
        spec = {"path": f"./{place.folder}", "sourceRef": reference}
        place.put("Kustomization", "web", spec=spec)
        first, _ = await place.merged(here)
        await told(here, first, f"Kustomization `{place.namespace}/web` has not seen this merge yet")
        here.github.fault(Fault(method="PATCH", path=r".*/issues/comments/.*", after=True))
        second, merge = await place.merged(here, "third")
        ready = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "applied"}
        revision = f"main@sha1:{merge}"
        status = {"observedGeneration": 2, "conditions": [ready], "lastAppliedRevision": revision}
        _, now = place.kube.send("GET", place.kube.path(place.kustomization()))
        status["observedGeneration"] = now["metadata"]["generation"] + 1
        place.put("Kustomization", "web", spec=spec, status=status)
        for number in (first, second):
            await told(here, number, "synced and healthy in production after")

    played(tmp_path, story, place.files(), clusters=place.clusters())


def test_after_a_while_it_says_where_it_stands_and_stops(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, merge = await place.merged(here)
        said = await told(here, number, "The bot stops looking after 4s.")
        assert "no Application, Kustomization or HelmRelease there deploys it from `main`" in said
        place.application(here, merge)
        await asyncio.sleep(1.0)
        assert await told(here, number, "stops") == said

    played(tmp_path, story, place.files(), clusters=place.clusters(rollout=4.0))


def test_a_cluster_that_can_not_be_asked_is_said(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, _ = await place.merged(here)
        await told(here, number, "does not accept the bot's credentials")

    played(tmp_path, story, place.files(), clusters=place.clusters("expired"))


def test_a_restart_goes_on_where_it_was(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path, place.files()) as here:
            async with here.bot(clusters=place.clusters()):
                place.application(here, "0" * 40)
                number, merge = await place.merged(here)
                await told(here, number, "has not seen this merge yet")
            place.application(here, merge)
            async with here.bot(clusters=place.clusters()):
                await told(here, number, "synced and healthy in production after")

    asyncio.run(story())


def test_a_kill_in_the_middle_is_made_good_after_the_restart_and_told_once(place: Place, tmp_path: Path) -> None:
    operator = tmp_path / "operator.yaml"
    pace = {"rollout_look": 1, "rollout": 600, "drift": 86400}
    prod = {"kubeconfig": str(place.kube.cluster.kubeconfig), "context": "admin", "unreachable": "warn"}
    operator.write_text(json.dumps({"version": 1, "clusters": {"prod": prod}, "pace_seconds": pace}))

    async def story() -> None:
        async with town(tmp_path, place.files()) as here:
            place.application(here, "0" * 40)
            first = await serve(here, REVIEW_BOT_CONFIG=str(operator))
            number, merge = await place.merged(here)
            await told(here, number, "has not seen this merge yet")
            first.send_signal(signal.SIGKILL)
            await first.wait()
            place.application(here, merge)
            second = await serve(here, REVIEW_BOT_CONFIG=str(operator))
            try:
                done = await told(here, number, "synced and healthy in production after")
                # Nothing more is said, neither by an edit nor in another comment.
                place.application(here, merge, "Degraded")
                await asyncio.sleep(2.5)
                assert await told(here, number, "✅") == done
            finally:
                second.send_signal(signal.SIGTERM)
                assert await second.wait() == 0

    asyncio.run(story())


def test_what_a_hub_deploys_to_another_cluster_is_read_in_the_hub(place: Place, tmp_path: Path) -> None:
    known = place.clusters()
    # Where it is deployed to there may be nothing to read at all.
    prod = replace(known.by_name["prod"], context="expired", hub="management")
    management = replace(known.by_name["prod"], name="management")

    async def story(here: Town) -> None:
        number, merge = await place.merged(here)
        place.application(here, "0" * 40)
        place.application(here, "0" * 40, to={"name": "prod"}, name="web-in-prod")
        await told(here, number, f"Application `{place.namespace}/web-in-prod` has not seen this merge yet")
        place.application(here, merge, to={"name": "prod"}, name="web-in-prod")
        # The other one has the same folder and is for the hub itself.
        await told(here, number, "synced and healthy in production after")

    clusters = replace(known, by_name={"prod": prod, "management": management})
    played(tmp_path, story, place.files(), clusters=clusters)


def test_an_artifact_that_was_pushed_from_the_merge_is_followed(place: Place, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        number, merge = await place.merged(here)
        told_of_it = {
            "org.opencontainers.image.source": f"{here.github.url}/{REPOSITORY}.git",
            "org.opencontainers.image.revision": f"main@sha1:{merge}",
        }
        digest = f"latest@sha256:{'d' * 64}"
        status: dict[str, Any] = {"artifact": {"revision": digest, "metadata": told_of_it}}
        place.put("OCIRepository", "config", spec={"url": "oci://ghcr.io/org/config"}, status=status)
        spec = {"path": place.folder, "sourceRef": {"kind": "OCIRepository", "name": "config"}}
        ready = {"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded", "message": "applied"}
        applied = {"observedGeneration": 1, "conditions": [ready], "lastAppliedRevision": digest}
        place.put("Kustomization", "web", spec=spec, status=applied)
        _, now = place.kube.send("GET", place.kube.path(place.kustomization()))
        applied["observedGeneration"] = now["metadata"]["generation"] + 1
        place.put("Kustomization", "web", spec=spec, status=applied)
        await told(here, number, "synced and healthy in production after")

    played(tmp_path, story, place.files(), clusters=place.clusters())


def test_a_merge_that_was_missed_is_followed_after_the_start(place: Place, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path, place.files()) as here:
            async with here.bot(clusters=place.clusters()):
                files = {f"{place.folder}/settings.yaml": place.text.replace("key: value", "key: other")}
                number, sha = await here.open("change", files)
                await here.completed(sha)
                await here.carol.review(REPOSITORY, number)
                await here.completed(sha, conclusion="success")
            assert await here.alice.merge(REPOSITORY, number) == ""
            place.application(here, str((await here.alice.pull(REPOSITORY, number))["merge_commit_sha"]))
            async with here.bot(clusters=place.clusters()):
                await told(here, number, "synced and healthy in production after")

    asyncio.run(story())


def test_the_bot_s_role_reads_what_is_needed_and_no_more(place: Place) -> None:
    place.kube.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x, namespace: " + place.namespace + "}\n")
    for group, version, plural in KINDS.values():
        path = f"/apis/{group}/{version}/{plural}"
        assert place.kube.send("GET", path, context="bot")[0] == 200
        assert place.kube.send("DELETE", f"{path.replace(plural, '')}namespaces/x/{plural}/x", context="bot")[0] == 403
    assert place.kube.send("GET", f"/api/v1/namespaces/{place.namespace}/events", context="bot")[0] == 200
