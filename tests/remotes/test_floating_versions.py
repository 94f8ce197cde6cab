"""Ranges of versions: reviewed with what each means today, as helm takes it, and said."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
import repositories
from elsewhere import Served, listening, operator, place, remotes, served

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.core.tools import find
from review_bot.core.version_ranges import chart, highest
from review_bot.render.expander import Expander
from review_bot.render.sandbox import Limits, Sandbox

VERSIONS = ("1.0.0", "1.2.3", "1.2.10", "1.3.0-rc.1", "2.0.0", "2.1.0-beta.2", "0.9.0", "v0.9.1")


@pytest.fixture(scope="module")
def words() -> Iterator[Expander]:
    expander = Expander(Sandbox(Limits()))
    yield expander
    expander.close()


@pytest.fixture
def repository() -> Iterator[Served]:
    with served() as found:
        found.holds_charts(*VERSIONS)
        yield found


def wanted(url: str, version: str) -> Remote:
    return chart(RemoteKind.HELM, url, "web", version)


@pytest.mark.parametrize(
    ("range_", "means"),
    [
        *(("1.2.x", "1.2.10"), ("1.2", "1.2.10"), ("~1.2.0", "1.2.10"), ("^1.0.0", "1.2.10"), ("1", "1.2.10")),
        *((">=1.0 <2", "1.2.10"), (">=1.0.0, <1.2.10", "1.2.3"), ("1.0.0 - 1.2.5", "1.2.3"), ("*", "2.0.0")),
        *(("0.9.x || 1.0.x", "1.0.0"), ("!=2.0.0", "1.2.10"), ("=1.0.0", "1.0.0"), ("<1", "v0.9.1")),
        *((">=1.3.0-0 <2", "1.3.0-rc.1"), (">=2.0.0-0", "2.1.0-beta.2"), (" 1.x ", "1.2.10")),
    ],
)
def test_a_range_means_what_it_means_to_helm(
    repository: Served, tmp_path: Path, words: Expander, range_: str, means: str
) -> None:
    there = remotes(tmp_path, place(repository.url)).versions(wanted(repository.url, range_))
    assert highest(wanted(repository.url, range_), there, words) == means
    env = os.environ | {f"HELM_{kind}_HOME": str(tmp_path / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    helm = [str(find("helm")), "show", "chart", "web", "--repo", repository.url, "--version", range_.strip()]
    shown = subprocess.run(helm, env=env, check=True, capture_output=True, text=True).stdout
    assert f"version: {means}\n" in shown


@pytest.mark.parametrize(
    ("range_", "said"),
    [("", "no certain version"), ("3.x", "fits 3.x"), ("newest", "no version of web, and no range"), ("1.x {{", "no")],
)
def test_what_fits_nothing_and_what_is_no_range_is_said(words: Expander, range_: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        highest(wanted("https://charts.example.com", range_), VERSIONS, words)


def test_what_is_no_version_stands_in_nobodys_way(words: Expander) -> None:
    there = [
        "latest",
        "1.2",
        "01.0.0",
        "1.0.0-01",
        "1.0.0 ",
        "1.0.0\n",
        "{{ fail }}",
        "9" * 300 + ".0.0",
        "1.0.0",
        "1.x",
    ]
    assert highest(wanted("https://charts.example.com", "*"), there, words) == "1.0.0"


@pytest.mark.parametrize(
    ("version", "floats"),
    [
        ("1.2.3", False),
        ("v1.2.3-rc.1+x", False),
        (f"sha256:{'0' * 64}", False),
        ("1.2", True),
        ("", True),
        ("1.x", True),
    ],
)
def test_a_whole_version_floats_not(version: str, floats: bool) -> None:
    assert wanted("https://charts.example.com", version).floating is floats


def test_versions_are_asked_for_once_a_review_and_only_where_it_is_allowed(repository: Served, tmp_path: Path) -> None:
    own = remotes(tmp_path, place(repository.url))
    assert own.versions(wanted(repository.url, "1.x")) == own.versions(wanted(repository.url, "2.x")) == VERSIONS
    assert repository.paths == ["/index.yaml"]
    with pytest.raises(InputError, match="is not a host that the operator allows"):
        remotes(tmp_path, "charts.example.com").versions(wanted(repository.url, "1.x"))
    with pytest.raises(InputError, match="is not one version"):
        own.fetch(wanted(repository.url, "1.x"))


def test_tags_are_read_page_by_page_from_the_same_place(tmp_path: Path) -> None:
    pages = {"n=1000": (["1.0.0", "1.1.0_b"], "n=1000&last=b"), "n=1000&last=b": (["1.2.0"], None)}
    asked: list[str] = []

    class Tags(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            asked.append(path)
            tags, more = pages[query]
            self.send_response(200)
            if more:
                # Elsewhere, as a registry should not have it.
                self.send_header("Link", f'<https://evil.example.com/v2/_catalog?{more}>; rel="next"')
            self.end_headers()
            self.wfile.write(json.dumps({"tags": tags}).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Tags) as url:
        remote = chart(RemoteKind.OCI, f"oci://{place(url)}/charts", "shop", "1.x")
        assert remotes(tmp_path, place(url)).versions(remote) == ("1.0.0", "1.1.0+b", "1.2.0")
    assert asked == ["/v2/charts/shop/tags/list"] * 2


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: web}}
  source: {{repoURL: {url}, chart: web, targetRevision: {version}, helm: {{values: "greeting: {greeting}"}}}}
"""


def application(url: str, version: str, greeting: str = "hi") -> dict[str, str | None]:
    return {"argocd/web.yaml": APPLICATION.format(url=url, version=version, greeting=greeting)}


def reviewed(root: Path, url: str, base: dict[str, str | None], head: dict[str, str | None]) -> dict[str, Any]:
    root.mkdir(parents=True, exist_ok=True)
    made = repositories.make(root / "gitops", {k: v for k, v in base.items() if v}, head)
    return repositories.check(made, env=operator(root, place(url)))[1]


def test_a_change_is_seen_in_the_version_that_its_range_means_today(repository: Served, tmp_path: Path) -> None:
    """A version that comes later is another effect: what was agreed to ends with it."""
    base, head = application(repository.url, "1.2.x"), application(repository.url, "1.2.x", "hello")
    verdicts = [reviewed(tmp_path / "first", repository.url, base, head)]
    repository.holds_charts(*VERSIONS, "1.2.11")
    verdicts.append(reviewed(tmp_path / "later", repository.url, base, head))
    for verdict, version in zip(verdicts, ("1.2.10", "1.2.11"), strict=True):
        (change,) = [c for c in verdict["changes"] if c["kind"] == "ConfigMap"]
        assert (change["fields"], version in change["diff"]) == (["data.greeting"], True)
        (found,) = [f for f in verdict["findings"] if f["rule"] == "floating-version"]
        assert (found["severity"], found["target"]) == ("warning", "argocd:web")
        assert (found["path"], found["line"]) == ("argocd/web.yaml", 7)
        assert found["message"] == f"web is reviewed in the version {version}, which 1.2.x means today"
    assert verdicts[0]["effect_digest"] != verdicts[1]["effect_digest"]


def test_a_version_in_place_of_what_the_range_means_changes_nothing(repository: Served, tmp_path: Path) -> None:
    base, head = application(repository.url, "1.2.x"), application(repository.url, "1.2.10")
    verdict = reviewed(tmp_path, repository.url, base, head)
    assert [c["kind"] for c in verdict["changes"]] == ["Application"]
    assert [f["rule"] for f in verdict["findings"] if f["rule"] == "floating-version"] == []


CHART = """\
apiVersion: v2
name: shop
version: 0.1.0
dependencies: [{{name: web, version: "{version}", repository: {url}}}]
"""


def test_a_dependency_without_a_lock_is_taken_as_helm_takes_it_and_said(repository: Served, tmp_path: Path) -> None:
    app = APPLICATION.replace("chart: web", "path: shop").format(
        url="https://example.com/config.git", version="HEAD", greeting="a"
    )
    base: dict[str, str | None] = {
        "argocd/shop.yaml": app,
        "shop/Chart.yaml": CHART.format(version=">=1.0.0 <2", url=repository.url),
        "shop/values.yaml": "web: {greeting: a}\n",
    }
    verdict = reviewed(tmp_path, repository.url, base, {"shop/values.yaml": "web: {greeting: b}\n"})
    (change,) = [c for c in verdict["changes"] if c["kind"] == "ConfigMap"]
    assert "1.2.10" in change["diff"]
    (found,) = [f for f in verdict["findings"] if f["rule"] == "floating-version"]
    assert (found["target"], found["path"]) == ("argocd:web", "shop/Chart.yaml")
