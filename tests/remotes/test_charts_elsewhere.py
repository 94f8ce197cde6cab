"""Charts of a Helm repository that the operator allows: fetched once, by pinned version, and from nowhere else."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import repositories

from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.remotes.fetching import Remotes

TEMPLATE = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {version: "{{ .Chart.Version }}", greeting: "{{ .Values.greeting }}"}
"""


def packed(files: Mapping[str, bytes], *, link: str = "") -> bytes:
    """A .tgz as `helm package` makes it."""
    stream = io.BytesIO()
    with gzip.GzipFile(fileobj=stream, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as archive:
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            archive.addfile(about, io.BytesIO(data))
        if link:
            about = tarfile.TarInfo("web/link")
            about.type, about.linkname = tarfile.SYMTYPE, link
            archive.addfile(about)
    return stream.getvalue()


def chart(version: str) -> bytes:
    about = f"apiVersion: v2\nname: web\nversion: {version}\n".encode()
    files = {"web/Chart.yaml": about, "web/values.yaml": b"greeting: hi\n", "web/templates/map.yaml": TEMPLATE.encode()}
    return packed(files, link="/etc/passwd")


class Served(dict[str, bytes]):
    """What is served, by path; `asked` are the requests with their headers."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.url = ""
        self.redirects: dict[str, str] = {}


@contextmanager
def served() -> Iterator[Served]:
    found = Served()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append((self.path, dict(self.headers)))
            if self.path in found.redirects:
                self.send_response(302)
                self.send_header("Location", found.redirects[self.path])
                self.end_headers()
                return
            body = found.get(self.path)
            self.send_response(200 if body is not None else 404)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield found
        finally:
            server.shutdown()


@pytest.fixture
def repository() -> Iterator[Served]:
    """A Helm repository with two versions of one chart."""
    with served() as found:
        rows = ""
        for version in ("1.0.0", "1.1.0"):
            data = chart(version)
            found[f"/web-{version}.tgz"] = data
            digest = hashlib.sha256(data).hexdigest()
            rows += f"    - {{name: web, version: {version}, urls: [web-{version}.tgz], digest: {digest}}}\n"
        found["/index.yaml"] = f"apiVersion: v1\nentries:\n  web:\n{rows}".encode()
        yield found


def remotes(root: Path, *places: str, private: bool = True, **more: Any) -> Remotes:
    hosts = {p: RemoteHost(p, private=private, plain_http=True, **more) for p in places}
    return Remotes(RemoteHosts.of(hosts), root / "cache")


def wanted(url: str, version: str = "1.0.0", name: str = "web") -> Remote:
    return Remote(RemoteKind.HELM, url, name, version)


def place(url: str) -> str:
    return url.removeprefix("http://")


def test_a_chart_is_fetched_once_and_holds_no_links(repository: Served, tmp_path: Path) -> None:
    for _ in range(2):
        tree = remotes(tmp_path, place(repository.url)).fetch(wanted(repository.url))
        assert sorted(tree.entries()) == ["Chart.yaml", "templates/map.yaml", "values.yaml"]
    assert [path for path, _ in repository.asked] == ["/index.yaml", "/web-1.0.0.tgz"]


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
        assert "docs/remotes.md" in caught.value.help
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


@pytest.mark.parametrize("data", [b"", b"not an archive", gzip.compress(b"neither")])
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
    operator = tmp_path / "operator.yaml"
    operator.write_text(f"version: 1\nremotes:\n  {place(repository.url)}: {{private: true, plain_http: true}}\n")
    env = {"REVIEW_BOT_CONFIG": str(operator), "XDG_CACHE_HOME": str(_cache(tmp_path))}
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


def _cache(root: Path) -> Path:
    """A cache of its own, with the tools of the user's."""
    from review_bot.core.tools import cache_dir

    (root / "xdg" / "review-bot").mkdir(parents=True)
    (root / "xdg" / "review-bot" / "tools").symlink_to(cache_dir() / "tools")
    return root / "xdg"
