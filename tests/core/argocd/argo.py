"""A repository in memory, and what Argo CD makes of its Applications and ApplicationSets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.argocd import ArgoCD
from review_bot.core.closure import Files
from review_bot.core.config import parse_config
from review_bot.core.delivery import Expansion, Surroundings, Templating, Told
from review_bot.core.errors import InputError
from review_bot.core.graft import Graft
from review_bot.core.model import Remote, RendererName, Source, Target, TreeEntry
from review_bot.core.resources import from_documents
from review_bot.core.yaml_reader import parse

HERE = "https://github.com/acme/gitops"
MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
KUSTOMIZATION = "resources: [map.yaml]\n"
CHART = "apiVersion: v2\nname: web\nversion: 1.0.0\n"
TOP = Target("plain:top", RendererName.PLAIN, "top", "top/app.yaml")


class Memory:
    """A tree that is a mapping; links are texts after `link:`."""

    sha = "memory"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def entries(self) -> Mapping[str, TreeEntry]:
        return {
            p: TreeEntry(p, "120000" if t.startswith("link:") else "100644", hashlib.sha1(t.encode()).hexdigest())
            for p, t in self._files.items()
        }

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        return {p: self._files[p].removeprefix("link:").encode() for p in paths if p in self._files}


@dataclass
class Remotes:
    """What lies elsewhere and may be fetched, by address; what was asked for is kept."""

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    asked: list[Remote] = field(default_factory=list)


def around(
    files: Mapping[str, str],
    objects: str = "",
    *,
    config: str = "",
    remotes: Remotes | None = None,
    templating: Templating | None = None,
) -> Surroundings:
    """One side of a review of the repository `HERE`, in which these objects are known."""
    graft = Graft(Memory(files))
    there = remotes or Remotes()
    side = Surroundings(
        graft=graft,
        files=Files(graft),
        config=parse_config(f"version: 1\n{config}".encode()),
        objects=told(objects),
        here=lambda url, revision: url.removesuffix(".git") == HERE and revision in ("", "HEAD", "main"),
        fetched=lambda _remote, _source: "",
        complete=lambda _folder, _charts: None,
        templating=templating,  # type: ignore[arg-type]
    )
    side.fetched = _fetching(side, there)
    return side


def told(objects: str, target: Target = TOP) -> list[Told]:
    resources, findings = from_documents(parse(objects.encode(), path="top/app.yaml"), path="top/app.yaml")
    assert not findings
    return [Told(r, target) for r in resources]


def _fetching(side: Surroundings, remotes: Remotes) -> Callable[[Remote, Source], str]:
    def fetched(remote: Remote, source: Source) -> str:
        remotes.asked.append(remote)
        if remote.url not in remotes.files:
            raise InputError(f"{remote.url} is not allowed", help="ask the operator")
        to = f".~remote/{remote.url.rpartition('/')[2]}"
        if to not in side.graft.made:
            side.files.add(side.graft.mount(Memory(remotes.files[remote.url]), to, source))
        return to

    return fetched


def application(source: str, *, name: str = "web", spec: str = "", metadata: str = "") -> str:
    """An Application with one source, whose repoURL is this repository."""
    return (
        "apiVersion: argoproj.io/v1alpha1\n"
        "kind: Application\n"
        f"metadata: {{name: {name}, namespace: argocd{metadata}}}\n"
        "spec:\n"
        f"  source: {{repoURL: {HERE}, {source}}}\n"
        "  destination: {server: https://kubernetes.default.svc, namespace: web}\n"
        f"{spec}"
    )


def expand(files: Mapping[str, str], objects: str, **more: Any) -> tuple[Surroundings, Expansion]:
    side = around(files, objects, **more)
    return side, ArgoCD().expand(side)


def only_part(files: Mapping[str, str], objects: str, **more: Any) -> tuple[Surroundings, Target]:
    """The one part of the one Application, in which nothing is wrong."""
    side, found = expand(files, objects, **more)
    assert [f.message for f in found.findings] == []
    assert len(found.targets) == 1 and len(found.targets[0].parts) == 1
    return side, found.targets[0].parts[0]


def problems(files: Mapping[str, str], objects: str, **more: Any) -> list[tuple[str, str]]:
    """Severity and rule of all findings; the target of each is still told of, without parts."""
    _, found = expand(files, objects, **more)
    return [(str(f.severity), f.rule) for f in found.findings]
