"""Dependencies that lie elsewhere: what is reviewed is what `helm dependency build` and `helm template` make."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import repositories
import yaml
from elsewhere import TEMPLATE, Served, operator, packed, place, served

from review_bot.core.tools import find

APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  project: default
  destination: {server: https://kubernetes.default.svc, namespace: shop}
  source: {repoURL: https://example.com/config.git, path: shop, targetRevision: HEAD}
"""


def named(chart: str) -> bytes:
    """A template whose object tells which chart it is of."""
    return TEMPLATE.replace("{{ .Release.Name }}", f"{chart}-{{{{ .Chart.Name }}}}").encode()


def chart(name: str, version: str, dependencies: str = "[]", **files: bytes) -> dict[str, bytes]:
    about = f"apiVersion: v2\nname: {name}\nversion: {version}\ndependencies: {dependencies}\n"
    own = {"Chart.yaml": about.encode(), "values.yaml": b"greeting: own\n", "templates/map.yaml": named(name)}
    return own | {key.replace("__", "/"): data for key, data in files.items()}


@pytest.fixture
def repository() -> Iterator[Served]:
    """web in two versions, deep with a chart of its own in it, and thin with one that lies elsewhere."""
    with served() as found:
        deep = chart("deep", "1.0.0", "[{name: inner, version: 0.1.0}]")
        deep |= {f"charts/inner/{name}": data for name, data in chart("inner", "0.1.0").items()}
        thin = chart("thin", "1.0.0", f"[{{name: web, version: 1.0.0, repository: '{found.url}'}}]")
        rows: dict[str, list[dict[str, Any]]] = {}
        for name, version, files in (
            ("web", "1.0.0", chart("web", "1.0.0")),
            ("web", "1.1.0", chart("web", "1.1.0")),
            ("deep", "1.0.0", deep),
            ("thin", "1.0.0", thin),
        ):
            data = packed({f"{name}/{path}": content for path, content in files.items()})
            found[f"/{name}-{version}.tgz"] = data
            row = {"name": name, "version": version, "urls": [f"{name}-{version}.tgz"]}
            rows.setdefault(name, []).append(row | {"digest": hashlib.sha256(data).hexdigest()})
        found["/index.yaml"] = yaml.safe_dump({"apiVersion": "v1", "entries": rows}).encode()
        yield found


def helm(work: Path, *words: str) -> str:
    """What the real helm says, run where the charts lie."""
    env = os.environ | {f"HELM_{kind}_HOME": str(work.parent / kind) for kind in ("CACHE", "CONFIG", "DATA")}
    done = subprocess.run([str(find("helm")), *words], cwd=work, env=env, check=True, capture_output=True, text=True)
    return done.stdout


def objects(text: str) -> dict[str, Any]:
    return {row["metadata"]["name"]: row["data"] for row in yaml.safe_load_all(text) if row}


CASES = {
    "in one version": ("[{name: web, version: 1.0.0, repository: URL}]", ""),
    "by a range": ("[{name: web, version: ^1.0.0, repository: URL}]", "web: {greeting: a}"),
    "by another name": (
        "[{name: web, version: 1.0.x, repository: URL, alias: front}]",
        "front: {greeting: b}\nweb: {greeting: c}",
    ),
    "switched off": ("[{name: web, version: 1.0.0, repository: URL, condition: web.on}]", "web: {on: false}"),
    "by a tag": ("[{name: web, version: 1.0.0, repository: URL, tags: [front]}]", "tags: {front: false}"),
    "twice": (
        "[{name: web, version: 1.0.0, repository: URL, alias: one}, "
        "{name: web, version: 1.1.0, repository: URL, alias: two}]",
        "one: {greeting: d}",
    ),
    "with charts of its own": ("[{name: deep, version: '*', repository: URL}]", "deep: {inner: {greeting: e}}"),
    "whose own lie elsewhere": ("[{name: thin, version: '*', repository: URL}]", "thin: {greeting: f}"),
    "beside one of the repository": (
        "[{name: web, version: 1.1.0, repository: URL}, {name: lib, version: 0.2.0, repository: 'file://../lib'}]",
        "lib: {greeting: g}",
    ),
    "beside a vendored one": (
        "[{name: web, version: 1.1.0, repository: URL}, {name: own, version: 0.3.0}]",
        "own: {greeting: h}",
    ),
    "with values taken over": (
        "[{name: web, version: 1.0.0, repository: URL, import-values: [{child: data, parent: taken}]}]",
        "web: {data: {greeting: i}}",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_an_application_deploys_what_helm_makes_of_its_lock(repository: Served, tmp_path: Path, case: str) -> None:
    dependencies, values = CASES[case]
    shop = chart("shop", "0.1.0", dependencies.replace("URL", f"'{repository.url}'"))
    files = {f"shop/{name}": data.decode() for name, data in shop.items()}
    files["shop/values.yaml"] = f"greeting: own\n{values}\n"
    files |= {f"lib/{name}": data.decode() for name, data in chart("lib", "0.2.0").items()}
    if "own" in dependencies:
        files |= {f"shop/charts/own/{name}": data.decode() for name, data in chart("own", "0.3.0").items()}
    work = tmp_path / "work"
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    helm(work, "dependency", "update", "shop")
    lock = {"shop/Chart.lock": (work / "shop" / "Chart.lock").read_text()}
    for left in (work / "shop" / "charts").glob("*.tgz"):
        left.unlink()
    # As Argo CD does it.
    helm(work, "repo", "add", "elsewhere", repository.url)
    helm(work, "dependency", "build", "shop")
    wanted = objects(helm(work, "template", "shop", "shop", "--namespace", "shop", "--include-crds"))
    root = repositories.make(tmp_path / "r", {**files, **lock, "apps/shop.yaml": APPLICATION}, {})
    done = repositories.run("render", str(root), "argocd:shop", env=operator(tmp_path, place(repository.url)))
    assert done.returncode == 0, done.stderr
    assert objects(done.stdout) == wanted
    assert len(wanted) >= 1
