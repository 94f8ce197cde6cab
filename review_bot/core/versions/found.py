"""Where versions stand in an object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core.lenient import at
from review_bot.core.model import Manifest
from review_bot.core.secrets import is_secret
from review_bot.core.versions import images
from review_bot.core.versions.images import Image

DEEPEST = 40


@dataclass(frozen=True, slots=True)
class Found:
    """`key` is the same for what stands in the same place before and after; `image` where it is one."""

    kind: str
    key: str
    name: str
    version: str
    image: Image | None = None


def versions_in(manifest: Manifest) -> dict[str, Found]:
    """Every version that the object names, by its key; a Secret's values are nobody's to see."""
    if is_secret(manifest):
        return {}
    group, kind = str(manifest.get("apiVersion", "")).rpartition("/")[0], manifest.get("kind")
    found = [*_images(manifest, "", 0)]
    if group == "helm.toolkit.fluxcd.io" and kind == "HelmRelease":
        found += _helm_release(manifest)
    elif group == "argoproj.io" and kind in ("Application", "ApplicationSet"):
        found += _application(manifest)
    elif group == "source.toolkit.fluxcd.io":
        found += _source(manifest)
    elif group == "apiextensions.k8s.io":
        found += _definition(manifest)
    found += _labels(manifest)
    return {f"{one.kind} {one.key}": one for one in found if one.version}


def _images(value: Any, path: str, depth: int) -> Iterator[Found]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        image = value.get("image")
        parsed = _image(image)
        if parsed is not None:
            yield Found("image", path, parsed.name, parsed.version, parsed)
        for key, inner in value.items():
            if not (key == "image" and parsed is not None):
                yield from _images(inner, f"{path}.{key}", depth + 1)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            # By name where there is one, so that a container that moves in the list is the same one.
            name = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _images(inner, f"{path}[{name if isinstance(name, str) else index}]", depth + 1)


def _image(value: Any) -> Image | None:
    """A reference, or Helm's `{repository, tag}`."""
    if isinstance(value, str):
        return images.parse(value)
    if isinstance(value, Mapping) and isinstance(value.get("repository"), str):
        registry, tag, digest = value.get("registry"), value.get("tag"), value.get("digest")
        text = f"{registry}/{value['repository']}" if isinstance(registry, str) and registry else value["repository"]
        text += f":{tag}" if isinstance(tag, str | int | float) and str(tag) else ""
        return images.parse(text + (f"@{digest}" if isinstance(digest, str) and digest else ""))
    return None


def _helm_release(manifest: Manifest) -> Iterator[Found]:
    chart = at(manifest, "spec", "chart", "spec")
    if isinstance(chart, Mapping) and isinstance(chart.get("chart"), str):
        name = str(chart["chart"]).rstrip("/").rpartition("/")[2]
        yield Found("chart", "spec.chart", name, str(chart.get("version") or ""))


def _application(manifest: Manifest) -> Iterator[Found]:
    spec = at(manifest, "spec", "template", "spec") or manifest.get("spec")
    sources = at(spec, "sources") or [at(spec, "source")]
    for index, source in enumerate(sources if isinstance(sources, list) else []):
        if not isinstance(source, Mapping) or source.get("targetRevision") is None:
            continue
        chart = source.get("chart")
        kind = "chart" if isinstance(chart, str) and chart else "source"
        name = chart if kind == "chart" else str(source.get("repoURL", "")).removesuffix(".git").rpartition("/")[2]
        yield Found(kind, f"sources[{index}]", str(name), str(source["targetRevision"]))


def _source(manifest: Manifest) -> Iterator[Found]:
    ref = at(manifest, "spec", "ref")
    name = str(at(manifest, "spec", "url") or "").removesuffix(".git").rpartition("/")[2]
    name = name or str(at(manifest, "metadata", "name") or "")
    for key in ("tag", "semver", "digest", "commit", "name"):
        value = ref.get(key) if isinstance(ref, Mapping) else None
        if isinstance(value, str):
            yield Found("source", f"spec.ref.{key}", name, value)
    if manifest.get("kind") == "HelmChart":
        chart = str(at(manifest, "spec", "chart") or "")
        yield Found("chart", "spec.chart", chart, str(at(manifest, "spec", "version") or ""))


def _definition(manifest: Manifest) -> Iterator[Found]:
    name = str(at(manifest, "metadata", "name") or "")
    rows = at(manifest, "spec", "versions")
    served = [r for r in rows if isinstance(r, Mapping)] if isinstance(rows, list) else []
    text = ", ".join(f"{r.get('name')}{'*' if r.get('storage') else ''}" for r in served if r.get("served"))
    yield Found("definition", "spec.versions", name, text)


def _labels(manifest: Manifest) -> Iterator[Found]:
    labels = at(manifest, "metadata", "labels")
    if isinstance(labels, Mapping):
        name, _, version = str(labels.get("helm.sh/chart") or "").rpartition("-")
        if name and version[:1].isdigit():
            yield Found("chart", "label", name, version.replace("_", "+"))
