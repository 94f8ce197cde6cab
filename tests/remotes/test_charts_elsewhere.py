"""Charts of a Helm repository that the operator allows: fetched once, by pinned version, and from nowhere else."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest
import repositories
from elsewhere import Served, chart, operator, packed, place, remotes, served

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.remotes.fetching import Remotes


@pytest.fixture
def repository() -> Iterator[Served]:
    """A Helm repository with two versions of one chart."""
    with served() as found:
        found.holds_charts("1.0.0", "1.1.0")
        yield found


def wanted(url: str, version: str = "1.0.0", name: str = "web") -> Remote:
    return Remote(RemoteKind.HELM, url, name, version)


def test_a_chart_is_fetched_once_and_holds_no_links(repository: Served, tmp_path: Path) -> None:
    for _ in range(2):
        tree = remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url))
        assert sorted(tree.entries()) == ["Chart.yaml", "templates/map.yaml", "values.yaml"]
    assert repository.paths == ["/index.yaml", "/web-1.0.0.tgz"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": "9.9.9"}, "has no web 9.9.9"),
        ({"name": "other"}, "has no chart other"),
        ({"version": "^1.0.0"}, "is not one version"),
        ({"version": ""}, "no version is not one version"),
    ],
)
def test_what_can_not_be_had_is_said(repository: Served, tmp_path: Path, change: dict[str, str], words: str) -> None:
    with pytest.raises(InputError, match=words.replace("^", r"\^")):
        remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url, **change))


def test_only_hosts_that_the_operator_names_are_asked(repository: Served, tmp_path: Path) -> None:
    for own in (remotes(tmp_path, "charts.example.com"), remotes(tmp_path, f"{place(repository.url)}/elsewhere")):
        with pytest.raises(InputError, match="is not a host that the operator allows") as caught:
            own.fetch(wanted(repository.url))
        assert f"can add {place(repository.url)} to `remotes` (docs/remotes.md)" in caught.value.help
    assert repository.asked == []


def test_a_private_address_wants_the_operators_word(repository: Served, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies in a private network"):
        remotes(tmp_path, place(repository.url), private=False).fetch(wanted(repository.url))
    assert repository.asked == []


def test_a_redirect_to_another_host_is_not_followed(repository: Served, tmp_path: Path) -> None:
    with served() as other:
        other["/web-1.0.0.tgz"] = chart("1.0.0")
        repository.redirects["/web-1.0.0.tgz"] = f"{other.url}/web-1.0.0.tgz"
        with pytest.raises(InputError, match="is not a host that the operator allows"):
            remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url))
        assert other.asked == []


def test_credentials_stay_with_their_host(repository: Served, tmp_path: Path) -> None:
    with served() as other:
        other["/web-1.0.0.tgz"] = chart("1.0.0")
        repository.redirects["/web-1.0.0.tgz"] = f"{other.url}/web-1.0.0.tgz"
        hosts = {
            place(repository.url): RemoteHost(place(repository.url), True, "bot", "hunter2", True),
            place(other.url): RemoteHost(place(other.url), True, plain_http=True),
        }
        Remotes(RemoteHosts.of(hosts), tmp_path / "cache").fetch(wanted(repository.url))
        assert all("Authorization" in headers for _, headers in repository.asked)
        assert not any("Authorization" in headers for _, headers in other.asked)
    assert "hunter2" not in repr(hosts)


def test_an_archive_that_is_not_what_the_index_says_is_refused(repository: Served, tmp_path: Path) -> None:
    repository["/web-1.0.0.tgz"] = chart("1.1.0")
    with pytest.raises(InputError, match="is not what the repository's index says"):
        remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url))


@pytest.mark.parametrize("data", [b"", b"not an archive", gzip.compress(b"neither", mtime=0)])
def test_what_is_no_archive_is_said(repository: Served, tmp_path: Path, data: bytes) -> None:
    repository["/web-1.0.0.tgz"] = data
    repository["/index.yaml"] = b"entries: {web: [{version: 1.0.0, urls: [web-1.0.0.tgz]}]}\n"
    with pytest.raises(InputError, match=r"is no \.tar\.gz"):
        remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url))


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: web}}
  sources:
    - {{repoURL: {url}, chart: web, targetRevision: {version}, helm: {{valueFiles: [$values/values/web.yaml]}}}}
    - {{repoURL: https://github.com/acme/gitops.git, targetRevision: HEAD, ref: values}}
"""


def test_the_next_version_of_a_chart_shows_what_it_renders(repository: Served, tmp_path: Path) -> None:
    base = {
        "argocd/web.yaml": APPLICATION.format(url=repository.url, version="1.0.0"),
        "values/web.yaml": "greeting: hello\n",
    }
    head = {"argocd/web.yaml": APPLICATION.format(url=repository.url, version="1.1.0")}
    root = repositories.make(tmp_path / "gitops", base, head)
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    env = operator(tmp_path, place(repository.url))
    status, verdict = repositories.check(root, env=env)
    (change,) = [c for c in verdict["changes"] if c["kind"] == "ConfigMap"]
    assert (status, change["target"], change["fields"]) == (0, "argocd:web", ["data.version"])
    assert "greeting: hello" in change["diff"] or "+  version: 1.1.0" in change["diff"].replace('"', "")
    moved = [(v["kind"], v["old"], v["new"], v["step"]) for v in verdict["versions"]]
    assert ("chart", "1.0.0", "1.1.0", "minor") in moved


def test_without_the_operators_word_it_is_said_and_not_fetched(repository: Served, tmp_path: Path) -> None:
    base = {"argocd/web.yaml": APPLICATION.format(url=repository.url, version="1.0.0"), "values/web.yaml": "a: b\n"}
    head = {"argocd/web.yaml": APPLICATION.format(url=repository.url, version="1.1.0")}
    root = repositories.make(tmp_path / "gitops", base, head)
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    status, verdict = repositories.check(root)
    assert status == 0
    (finding,) = [f for f in verdict["findings"] if f["rule"] == "not-seen"]
    assert "no host is allowed" in finding["message"]
    assert repository.asked == []


def test_two_addresses_that_look_alike_are_two_places(repository: Served, tmp_path: Path) -> None:
    """`a/b` and `a-b` have one name where signs are left out: what one holds is not shown for the other."""
    head: dict[str, str | None] = {}
    for name, path in (("one", "/a/b"), ("two", "/a-b")):
        text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: m}}\ndata: {{from: {name}}}\n"
        about = b"apiVersion: v2\nname: web\nversion: 1.0.0\n"
        repository[f"{path}/web.tgz"] = packed({"web/Chart.yaml": about, "web/templates/t.yaml": text.encode()})
        repository[f"{path}/index.yaml"] = b"entries: {web: [{version: 1.0.0, urls: [web.tgz]}]}"
        application = APPLICATION.format(url=f"{repository.url}{path}", version="1.0.0")
        head[f"argocd/{name}.yaml"] = application.replace("name: web", f"name: {name}")
    root = repositories.make(tmp_path / "gitops", {"values/web.yaml": "a: b\n"}, head)
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    _, verdict = repositories.check(root, env=operator(tmp_path, place(repository.url)))
    maps = {c["target"]: c["diff"] for c in verdict["changes"] if c["kind"] == "ConfigMap"}
    assert {t: w for t, diff in maps.items() for w in ("one", "two") if f"from: {w}" in diff} == {
        "argocd:one": "one",
        "argocd:two": "two",
    }


HELMFILE = """\
repositories:
- name: acme
  url: {url}
environments:
  dev:
    values: [{{greeting: hello, version: 1.0.0}}]
  prod:
    values: [{{greeting: welcome, version: {version}}}]
---
releases:
- name: web
  namespace: shop
  chart: acme/web
  version: "{{{{ .Values.version }}}}"
  values: [{{greeting: "{{{{ .Values.greeting }}}}"}}]
"""


def test_a_chart_of_a_helmfile_s_repository_is_rendered_in_the_environment_that_moves(
    repository: Served, tmp_path: Path
) -> None:
    base, head = ({"helmfile.yaml.gotmpl": HELMFILE.format(url=repository.url, version=v)} for v in ("1.0.0", "1.1.0"))
    root = repositories.make(tmp_path / "gitops", base, head)
    status, verdict = repositories.check(root, env=operator(tmp_path, place(repository.url)))
    (change,) = [c for c in verdict["changes"] if c["kind"] == "ConfigMap"]
    assert (status, verdict["findings"]) == (0, [])
    assert (change["target"], change["fields"]) == ("helm:acme/web#prod/shop/web", ["data.version"])
    assert "welcome" in change["diff"]
    assert [(v["kind"], v["old"], v["new"]) for v in verdict["versions"]] == [("chart", "1.0.0", "1.1.0")]
