"""The service's sweep for drift: one issue for a target, as long as what runs differs from the default branch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from kube import Kube, settings
from test_refusals import CONFIG, DEPLOYMENT
from town import BOT, FILES, REPOSITORY, Town, played, town, until

from review_bot.core.clusters import Clusters, Pace
from review_bot.demo.github.faults import Fault
from review_bot.server import drift_issue

ASSIGN = "version: 1\ntargets: {assign: [{match: app, cluster: prod, environment: production}]}\n"
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: keys, namespace: NS}\nstringData: {password: hunter22}\n"
SWEEP_SECONDS = 1.0


def clusters(kube: Kube, context: str = "admin") -> Clusters:
    return Clusters({"prod": replace(settings(kube.cluster, context), name="prod")}, pace=Pace(drift=SWEEP_SECONDS))


def applied(kube: Kube, namespace: str) -> Mapping[str, str]:
    """A repository whose objects run just so."""
    files = {
        "app/deploy.yaml": DEPLOYMENT.replace("NS", namespace),
        "app/settings.yaml": CONFIG.replace("NAME", "settings").replace("NS", namespace),
        "app/secret.yaml": SECRET.replace("NS", namespace),
    }
    for text in files.values():
        kube.apply(text, manager="argocd-controller")
    return {**FILES, **files, ".review-bot.yaml": ASSIGN}


def scale(kube: Kube, namespace: str, replicas: int) -> None:
    kube.update(f"/apis/apps/v1/namespaces/{namespace}/deployments/web", {"spec": {"replicas": replicas}}, "a-hand")


async def issues(here: Town, state: str = "open") -> list[dict[str, Any]]:
    rows = await here.alice.ask("GET", f"/repos/{REPOSITORY}/issues?state={state}")
    return [r for r in rows if r["user"]["login"] == BOT and "pull_request" not in r]


async def issue(here: Town, text: str) -> dict[str, Any]:
    """Wait for one open issue that says this."""

    async def found() -> dict[str, Any] | None:
        own = await issues(here)
        return own[0] if len(own) == 1 and text in own[0]["body"] else None

    return await until(found, f"an issue that says {text!r}")


async def sweeps(port: int, end: str) -> float:
    """How many sweeps of a repository ended so."""
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
        rows = [r for r in (await answer.text()).splitlines() if f'sweeps_total{{end="{end}"}}' in r]
    return float(rows[0].split()[1]) if rows else 0.0


async def swept(port: int, end: str, times: int = 2) -> None:
    """Wait until so many more sweeps have ended so: the first may have been under way."""
    before = await sweeps(port, end)

    async def more() -> bool | None:
        return await sweeps(port, end) >= before + times or None

    await until(more, f"sweeps that end {end}")


def test_an_issue_is_opened_kept_up_to_date_and_closed_when_the_drift_is_gone(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    async def story(here: Town) -> None:
        told = await issue(here, "### `Deployment web`")
        assert told["title"] == "Drift: plain:app differs in prod"
        assert "`spec.replicas`: set by `a-hand` since 20" in told["body"]
        assert "-  replicas: 7\n+  replicas: 2" in told["body"]
        assert "ConfigMap" not in told["body"]
        kube.send("DELETE", f"/api/v1/namespaces/{namespace}/configmaps/settings")
        more = await issue(here, "### `ConfigMap settings`")
        assert "is missing in the cluster" in more["body"]
        assert more["number"] == told["number"]
        for text in (files["app/deploy.yaml"], files["app/settings.yaml"]):
            kube.apply(text, manager="argocd-controller")

        async def closed() -> bool | None:
            return not await issues(here) or None

        await until(closed, "the issue to be closed")
        (said,) = await here.alice.comments(REPOSITORY, told["number"])
        assert "The drift is gone" in said["body"]
        (one,) = await issues(here, "all")
        assert one["number"] == told["number"]

    files = applied(kube, namespace)
    scale(kube, namespace, 7)
    played(tmp_path, story, files, clusters=clusters(kube))


def test_a_drift_that_stays_costs_no_write_and_a_lost_answer_leaves_one_issue(
    kube: Kube, namespace: str, tmp_path: Path
) -> None:
    async def story() -> None:
        async with town(tmp_path, files) as here:
            here.github.fault(Fault(method="POST", path=r".*/issues", after=True))
            async with here.bot(clusters=clusters(kube)) as port:
                told = await issue(here, "### `Deployment web`")
                await swept(port, "complete", 3)
                assert (await issue(here, "### `Deployment web`")) == told
            # Another process knows nothing of what this one did.
            async with here.bot(clusters=clusters(kube)) as port:
                await swept(port, "complete", 2)
                assert (await issue(here, "### `Deployment web`")) == told

    files = applied(kube, namespace)
    scale(kube, namespace, 7)
    asyncio.run(story())


def test_values_of_secrets_are_in_no_issue(kube: Kube, namespace: str, tmp_path: Path) -> None:
    async def story(here: Town) -> None:
        told = await issue(here, "### `Secret keys`")
        assert "`data.password`: set by `a-hand`" in told["body"]
        for value in ("hunter22", "b3RoZXI=", "other", "(secret"):
            assert value not in told["body"]

    files = applied(kube, namespace)
    kube.update(f"/api/v1/namespaces/{namespace}/secrets/keys", {"data": {"password": "b3RoZXI="}}, "a-hand")
    played(tmp_path, story, files, clusters=clusters(kube))


def test_a_cluster_that_can_not_be_asked_closes_nothing(kube: Kube, namespace: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path, files) as here:
            async with here.bot(clusters=clusters(kube)) as port:
                told = await issue(here, "### `Deployment web`")
                await swept(port, "complete")
                async with ClientSession() as session, session.get(f"http://127.0.0.1:{port}/metrics") as answer:
                    assert 'review_bot_drifted_objects{cluster="prod"} 1.0' in await answer.text()
            async with here.bot(clusters=clusters(kube, "expired")) as port:
                await swept(port, "incomplete")
                assert await issues(here) == [told]

    files = applied(kube, namespace)
    scale(kube, namespace, 7)
    asyncio.run(story())


def test_an_issue_that_others_wrote_with_the_marker_is_left_alone(kube: Kube, namespace: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with town(tmp_path, files) as here:
            forged = {"title": "Drift", "body": drift_issue.marker("plain:app")}
            theirs = await here.mallory.ask("POST", f"/repos/{REPOSITORY}/issues", forged)
            async with here.bot(clusters=clusters(kube)) as port:
                await swept(port, "complete")
            assert await here.alice.ask("GET", f"/repos/{REPOSITORY}/issues/{theirs['number']}") == theirs

    files = applied(kube, namespace)
    asyncio.run(story())
