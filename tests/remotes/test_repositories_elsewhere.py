"""Other git repositories: fetched by tag or commit, once, from where the operator allows it and from nowhere else."""

from __future__ import annotations

import base64
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import repositories
from elsewhere import operator, place, remotes
from git_server import Repositories, git_server

from review_bot.core.closure import Files
from review_bot.core.elsewhere import Elsewhere
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.graft import Graft
from review_bot.core.model import Remote, RemoteKind, Source
from review_bot.core.remote_hosts import RemoteHost, RemoteHosts
from review_bot.github.git_process import Bounds
from review_bot.remotes import clones
from review_bot.remotes.fetching import Remotes
from review_bot.remotes.repositories import https

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: shared, namespace: web}}\ndata: {{version: '{}'}}\n"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Repositories]:
    with git_server(tmp_path / "served") as found:
        found.add("shared", ("v1", {"app/map.yaml": CONFIG_MAP.format(1)}), ("v2", {"app/map.yaml": "two\n"}))
        yield found


def wanted(server: Repositories, revision: str, name: str = "shared") -> Remote:
    return Remote(RemoteKind.GIT, f"{server.url}/{name}", "", revision)


def test_a_clone_is_bounded_in_size(elsewhere: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise = random.Random(1).randbytes(300_000)
    (elsewhere.root / "shared" / "noise").write_bytes(noise)
    repositories.commit(elsewhere.root / "shared", "noise")
    repositories.git(elsewhere.root / "shared", "tag", "v3")
    monkeypatch.setattr(clones, "BOUNDS", Bounds(file_bytes=100_000, memory_bytes=1 << 30))
    with pytest.raises(InputError, match="is larger than"):
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v3"))
    monkeypatch.undo()
    for bound, words in (("MOST_IN_A_FILE", "a file of more than"), ("MOST_IN_ALL", "holds more than")):
        with monkeypatch.context() as patch:
            patch.setattr(clones, bound, 200_000)
            with pytest.raises(InputError, match=words):
                remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v3"))
    assert remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v3")).read("noise") == noise


def test_a_tree_that_holds_itself_many_times_is_not_listed(elsewhere: Repositories, tmp_path: Path) -> None:
    """Ten folders, each of them ten times the one below it: 10^10 files in a pack of some hundred bytes."""
    work = elsewhere.root / "shared"
    row = f"100644 blob {repositories.git(work, 'hash-object', '-w', 'app/map.yaml')}"
    for _ in range(10):
        listing = "".join(f"{row}\tdeeper-{n}\n" for n in range(10))
        tree = subprocess.run(["git", "-C", str(work), "mktree"], input=listing, capture_output=True, text=True)
        row = f"040000 tree {tree.stdout.strip()}"
    repositories.git(work, "tag", "v3", repositories.git(work, "commit-tree", "-m", "bomb", row.split()[2]))
    with pytest.raises(InputError, match="holds too many files"):
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v3"))


def test_no_password_of_the_operators_home_is_sent(
    elsewhere: Repositories, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login bot password hunter2\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    elsewhere.credentials = "Basic x"
    with pytest.raises(InputError, match="can't be fetched"):
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
    assert {said for _, said in elsewhere.asked} == {""}


def test_only_what_the_operator_names_is_asked(elsewhere: Repositories, tmp_path: Path) -> None:
    elsewhere.add("other", ("v1", {"a": "b"}))
    own = remotes(tmp_path, f"{place(elsewhere.url)}/shared")
    assert own.fetch(wanted(elsewhere, "v1")).read("app/map.yaml")
    asked = len(elsewhere.asked)
    for name in ("other", "shared/../other", "shared/%2e%2e/other", "shared-too"):
        with pytest.raises(InputError, match="is not a host that the operator allows"):
            own.fetch(wanted(elsewhere, "v1", name))
    assert len(elsewhere.asked) == asked


def test_a_private_address_wants_the_operators_word(elsewhere: Repositories, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lies in a private network"):
        remotes(tmp_path, place(elsewhere.url), private=False).fetch(wanted(elsewhere, "v1"))
    assert elsewhere.asked == []


def test_redirects_are_not_followed(elsewhere: Repositories, tmp_path: Path) -> None:
    with git_server(tmp_path / "trap") as trap:
        trap.add("shared", ("v1", {"a": "b"}))
        elsewhere.redirects["shared"] = f"{trap.url}/shared"
        with pytest.raises(InputError, match="can't be fetched"):
            remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
        assert trap.asked == []


def test_credentials_are_sent_to_their_own_host_and_kept_nowhere(elsewhere: Repositories, tmp_path: Path) -> None:
    elsewhere.credentials = "Basic " + base64.b64encode(b"bot:hunter2").decode()
    with pytest.raises(InputError, match="can't be fetched") as caught:
        remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
    assert "credentials" in caught.value.help
    with git_server(tmp_path / "other") as other:
        other.add("shared", ("v1", {"a": "b"}))
        hosts = {
            place(elsewhere.url): RemoteHost(place(elsewhere.url), True, "bot", "hunter2", True),
            place(other.url): RemoteHost(place(other.url), True, plain_http=True),
        }
        own = Remotes(RemoteHosts.of(hosts), tmp_path / "cache")
        assert own.fetch(wanted(elsewhere, "v1")).read("app/map.yaml")
        assert own.fetch(wanted(other, "v1")).read("a")
        assert {said for _, said in other.asked} == {""}
    kept = [p.read_bytes() for p in (tmp_path / "cache").rglob("*") if p.is_file()]
    assert not any(b"hunter2" in data or b"Basic " in data for data in kept)


def test_many_may_want_the_same_at_once(elsewhere: Repositories, tmp_path: Path) -> None:
    own = [remotes(tmp_path, place(elsewhere.url)) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        trees = list(pool.map(lambda r, v: r.fetch(wanted(elsewhere, v)), own, ["v1", "v2"] * 3))
    assert len({tree.sha for tree in trees}) == 2
    assert len(list((tmp_path / "cache" / "git").glob("*.git"))) == 1


def test_processes_take_turns_at_one_clone(elsewhere: Repositories, tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from elsewhere import place, remotes
from review_bot.core.model import Remote, RemoteKind
url = {elsewhere.url!r}
tree = remotes(Path({str(tmp_path)!r}), place(url)).fetch(Remote(RemoteKind.GIT, url + "/shared", "", sys.argv[1]))
print(len(tree.entries()), tree.read("app/map.yaml") is not None)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    started = [
        subprocess.Popen([sys.executable, "-c", code, revision], env=env, stdout=subprocess.PIPE, text=True)
        for revision in ("v1", "v2", "v1", "v2")
    ]
    assert [process.communicate()[0] for process in started] == ["1 True\n"] * 4


@pytest.mark.parametrize("lost", ["*.git/objects/*/*", "*.git/HEAD", "*.git/shallow", "*.git/refs", "*.git/config"])
def test_a_clone_that_lost_something_is_made_anew(elsewhere: Repositories, tmp_path: Path, lost: str) -> None:
    own = remotes(tmp_path, place(elsewhere.url))
    repositories.write(elsewhere.root / "shared", {"app/map.yaml": "three\n"})
    repositories.commit(elsewhere.root / "shared", "v3")
    repositories.git(elsewhere.root / "shared", "tag", "v3")
    before = {revision: own.fetch(wanted(elsewhere, revision)).sha for revision in ("v1", "v2")}
    for path in (tmp_path / "cache" / "git").glob(lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    own = remotes(tmp_path, place(elsewhere.url))
    after = {revision: own.fetch(wanted(elsewhere, revision)) for revision in ("v3", "v1", "v2")}
    assert {revision: after[revision].sha for revision in before} == before
    assert after["v1"].read("app/map.yaml") == CONFIG_MAP.format(1).encode()


def test_what_a_git_left_that_was_ended_holds_nobody_up(elsewhere: Repositories, tmp_path: Path) -> None:
    own = remotes(tmp_path, place(elsewhere.url))
    own.fetch(wanted(elsewhere, "v1"))
    (clone,) = (tmp_path / "cache" / "git").glob("*.git")
    (clone / "shallow.lock").touch()
    assert own.fetch(wanted(elsewhere, "v2")).read("app/map.yaml") == b"two\n"


def test_a_server_that_is_down_costs_no_clone(elsewhere: Repositories, tmp_path: Path) -> None:
    own = remotes(tmp_path, place(elsewhere.url))
    own.fetch(wanted(elsewhere, "v1"))
    elsewhere.redirects["shared"] = f"{elsewhere.url}/elsewhere"
    with pytest.raises(InputError, match="can't be fetched"):
        own.fetch(wanted(elsewhere, "v2"))
    commit = repositories.git(elsewhere.root / "shared", "rev-parse", "v1^{commit}")
    elsewhere.redirects.clear()
    assert remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1")).sha == commit


def test_a_cache_that_was_deleted_is_filled_again(elsewhere: Repositories, tmp_path: Path) -> None:
    remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1"))
    shutil.rmtree(tmp_path / "cache")
    assert remotes(tmp_path, place(elsewhere.url)).fetch(wanted(elsewhere, "v1")).entries()


@pytest.mark.parametrize(
    ("written", "fetched"),
    [
        ("git@github.com:acme/shared.git", "https://github.com/acme/shared.git"),
        ("ssh://git@github.com:22/acme/shared", "https://github.com/acme/shared"),
        ("https://user:word@github.com:8443/acme/shared?x#y", "https://github.com:8443/acme/shared"),
    ],
)
def test_an_address_is_fetched_by_https_and_without_what_else_stands_in_it(written: str, fetched: str) -> None:
    assert https(written) == fetched


@pytest.mark.parametrize("url", ["https://[", "https://example.com:port/x", "file:///etc", "ext::sh -c id", "/etc", ""])
def test_what_is_no_address_is_said(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError):
        remotes(tmp_path, "example.com").fetch(Remote(RemoteKind.GIT, url, "", "v1"))


APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: shared, namespace: argocd}}
spec:
  project: default
  destination: {{server: https://kubernetes.default.svc, namespace: web}}
  source: {{repoURL: {url}/shared, path: app, targetRevision: {revision}}}
"""


def test_the_next_tag_of_another_repository_shows_what_it_deploys(elsewhere: Repositories, tmp_path: Path) -> None:
    repositories.write(elsewhere.root / "shared", {"app/map.yaml": CONFIG_MAP.format(3)})
    repositories.commit(elsewhere.root / "shared", "v3")
    repositories.git(elsewhere.root / "shared", "tag", "v3")
    one, three = (APPLICATION.format(url=elsewhere.url, revision=r) for r in ("v1", "v3"))
    root = repositories.make(tmp_path / "gitops", {"argocd/shared.yaml": one}, {"argocd/shared.yaml": three})
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    status, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    (change,) = [c for c in verdict["changes"] if c["kind"] == "ConfigMap"]
    assert (status, change["target"], change["fields"]) == (0, "argocd:shared", ["data.version"])


def test_what_a_pull_request_puts_beside_it_is_no_part_of_another_repository(
    elsewhere: Repositories, tmp_path: Path
) -> None:
    """A kustomization among what was fetched would decide what of it is seen."""
    repositories.write(elsewhere.root / "shared", {"app/map.yaml": CONFIG_MAP.format(3)})
    repositories.commit(elsewhere.root / "shared", "v3")
    repositories.git(elsewhere.root / "shared", "tag", "v3")
    one, three = (APPLICATION.format(url=elsewhere.url, revision=r) for r in ("v1", "v3"))
    graft = Graft(FilesTree("empty", {}))
    trees = Elsewhere(graft, Files(graft), lambda _: FilesTree("x", {}))
    folder = trees.fetched(wanted(elsewhere, "v3"), Source("argocd/shared.yaml"))
    trap = {f"{folder}/app/kustomization.yaml": "resources: []\n"}
    root = repositories.make(tmp_path / "gitops", {"argocd/shared.yaml": one}, {"argocd/shared.yaml": three, **trap})
    repositories.git(root, "remote", "add", "origin", "https://github.com/acme/gitops.git")
    _, verdict = repositories.check(root, env=operator(tmp_path, place(elsewhere.url)))
    (found,) = [f for f in verdict["findings"] if f["rule"] == "not-seen"]
    assert "is a name that the bot keeps for itself" in found["message"]
    assert [c["kind"] for c in verdict["changes"]] == ["Application"]
