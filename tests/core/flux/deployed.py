"""What Flux would deploy from a repository: found by the real pipeline, rendered by the real tools."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import repositories

from review_bot.core.configuration import Config
from review_bot.core.flux.tool import Flux
from review_bot.core.model import Finding, Rendered, Target
from review_bot.github.workspace import Repository
from review_bot.pipeline.delivering import Delivering
from review_bot.pipeline.rendering import render_trees
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits

URL = "https://github.com/acme/fleet"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {key: value}\n"
CHART = {
    "charts/web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.2.3\n",
    "charts/web/values.yaml": "replicas: 1\nimage: {name: web, tag: '1.0'}\n",
    "charts/web/templates/map.yaml": """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
data:
  values: {{ .Values | toJson | quote }}
""",
}


@dataclass(frozen=True)
class Deployed:
    """By target id: the target and what it renders to. `findings` are of finding targets and of rendering them."""

    targets: Mapping[str, Target]
    rendered: Mapping[str, Rendered]
    findings: tuple[Finding, ...]

    def objects(self, id: str) -> list[Mapping[str, Any]]:
        return [r.manifest for r in self.rendered[id].resources]

    def names(self, id: str) -> list[str]:
        return sorted(f"{r.id.kind} {r.id.namespace or '-'}/{r.id.name}" for r in self.rendered[id].resources)

    def only(self, id: str, kind: str = "ConfigMap") -> Mapping[str, Any]:
        found = [r.manifest for r in self.rendered[id].resources if r.id.kind == kind]
        assert len(found) == 1, (found, self.findings)
        return found[0]

    def said(self) -> list[str]:
        return [f"{f.rule}: {f.message}" for f in self.findings]


def deployed(root: Path, files: Mapping[str, str], origin: str = URL) -> Deployed:
    """A repository whose flux-system GitRepository is this repository."""
    path = repositories.make(root / "repository", {"clusters/here/source.yaml": git_repository(), **files}, {})
    repositories.git(path, "remote", "add", "origin", origin)
    repository = Repository(path)
    return asyncio.run(_deployed(root, repository))


async def _deployed(root: Path, repository: Repository) -> Deployed:
    renderer = Renderer(root / "cache", Limits(), "1.35")
    delivering = Delivering(renderer, repository, Config(), tools=(Flux(),))
    survey = await delivering.survey(repository.tree(repository.resolve("change")))
    told = [t for t in survey.targets if t.delivery is not None]
    rendered, _ = await render_trees(renderer, repository, [(survey.tree, told)])
    findings = (*survey.findings, *(f for one in rendered for f in one.findings))
    return Deployed({t.id: t for t in told}, {r.target.id: r for r in rendered}, findings)


def git_repository(url: str = URL, name: str = "flux-system", ref: str = "branch: main", more: str = "") -> str:
    return f"""\
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {{name: {name}, namespace: flux-system}}
spec:
  url: {url}
  ref: {{{ref}}}
{more}"""


def kustomization(path: str, spec: str = "", name: str = "apps", source: str = "flux-system") -> str:
    """A Kustomization of this path; `spec` are further rows of its spec, not indented."""
    rows = "".join(f"  {row}\n" for row in spec.strip("\n").splitlines())
    return f"""\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {{name: {name}, namespace: flux-system}}
spec:
  path: {path}
  sourceRef: {{kind: GitRepository, name: {source}}}
{rows if "prune:" in rows else rows + "  prune: true" + chr(10)}"""


def release(spec: str = "", name: str = "web", chart: str = "./charts/web") -> str:
    """A HelmRelease of a chart in this repository, in the namespace apps."""
    rows = "".join(f"  {row}\n" for row in spec.strip("\n").splitlines())
    chart_rows = f"""\
  chart:
    spec:
      chart: {chart}
      sourceRef: {{kind: GitRepository, name: flux-system, namespace: flux-system}}
"""
    return f"""\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {{name: {name}, namespace: apps}}
spec:
{"" if "chart:" in rows or "chartRef:" in rows else chart_rows}{rows}"""
