"""Where versions stand in an object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from review_bot.core.errors import YamlError
from review_bot.core.lenient import at, items, mapping, rows, text
from review_bot.core.model import Manifest
from review_bot.core.secrets import is_secret
from review_bot.core.versions import images
from review_bot.core.versions.images import Image
from review_bot.core.versions.references import references
from review_bot.core.yaml_reader import load

# What Flux looks at first when a reference names several.
_REF_ORDER = ("digest", "commit", "name", "semver", "tag", "branch")
# A chart's values as a text are looked into only if they have an ordinary size.
MOST_VALUES = 256 << 10


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
    group, kind = str(manifest.get("apiVersion", "")).rpartition("/")[0], text(manifest.get("kind"))
    found = [*_images(manifest)]
    of_kind = _KINDS.get((group, kind)) or _GROUPS.get(group)
    if of_kind is not None:
        found += of_kind(manifest)
    found += _labels(manifest)
    return {f"{one.kind} {one.key}": one for one in found if one.version}


def _images(value: Any, path: str = "") -> Iterator[Found]:
    for one in references(value, path):
        yield _as_image(one.key, one.image)


def _as_image(key: str, image: Image) -> Found:
    return Found("image", key, image.name, image.version, image)


def _helm_release(manifest: Manifest) -> Iterator[Found]:
    chart = mapping(manifest, "spec", "chart", "spec")
    if name := text(chart.get("chart")):
        yield Found("chart", "spec.chart", name.rstrip("/").rpartition("/")[2], text(chart.get("version")))


def _application(manifest: Manifest) -> Iterator[Found]:
    spec = at(manifest, "spec", "template", "spec") or manifest.get("spec")
    for index, source in enumerate(items(at(spec, "sources")) or [at(spec, "source")]):
        if not isinstance(source, Mapping):
            continue
        where = f"sources[{index}]"
        revision = source.get("targetRevision")
        if revision is not None:
            chart = text(source.get("chart"))
            name = chart or _last(text(source.get("repoURL")))
            yield Found("chart" if chart else "source", where, name, str(revision))
        yield from _helm_values(mapping(source, "helm"), f"{where}.helm")
        for one in items(at(source, "kustomize", "images")):
            # `name=new:tag`, or the image itself.
            old, _, new = text(one).rpartition("=")
            if (image := images.parse(new)) is not None:
                yield _as_image(f"{where}.kustomize.images[{old or image.place}]", image)


def _helm_values(helm: Mapping[str, Any], where: str) -> Iterator[Found]:
    """What stands in values that are written as a text, and in parameters that set an image's tag."""
    values = text(helm.get("values"))
    if values and len(values) <= MOST_VALUES:
        try:
            yield from _images(load(values.encode(errors="replace"), path="values"), f"{where}.values")
        except YamlError:
            pass  # rendering says so
    given = {text(row.get("name")): str(row.get("value") or "") for row in rows(helm, "parameters")}
    for name, tag in given.items():
        above, _, last = name.rpartition(".")
        if last != "tag" or (above.rpartition(".")[2] != "image" and f"{above}.repository" not in given):
            continue
        place = given.get(f"{above}.repository", "")
        image = images.parse(f"{place}:{tag}") if place else None
        shown = above.removesuffix(".image") if above != "image" else "image"
        yield _as_image(f"{where}.{above}", image) if image else Found("image", f"{where}.{above}", shown, tag)


def _source(manifest: Manifest) -> Iterator[Found]:
    ref, url = mapping(manifest, "spec", "ref"), text(at(manifest, "spec", "url"))
    named = _last(url) or text(at(manifest, "metadata", "name"))
    version = next((v for key in _REF_ORDER if (v := text(ref.get(key)))), "")
    tag, digest = text(ref.get("tag")), text(ref.get("digest"))
    artifact = None
    if url.startswith("oci://") and not text(ref.get("semver")):
        bare = url.removeprefix("oci://")
        artifact = images.parse(f"{bare}{f':{tag}' if tag else ''}{f'@{digest}' if digest else ''}")
    if artifact is not None and (tag or digest):
        yield Found("source", "spec.ref", artifact.name, artifact.version, artifact)
    elif version:
        short = version.removeprefix("refs/tags/").removeprefix("refs/heads/")
        yield Found("source", "spec.ref", named, short)
    if manifest.get("kind") == "HelmChart":
        chart = text(at(manifest, "spec", "chart"))
        yield Found("chart", "spec.chart", chart, text(at(manifest, "spec", "version")))


def _definition(manifest: Manifest) -> Iterator[Found]:
    served = [row for row in rows(manifest, "spec", "versions") if row.get("served")]
    written = ", ".join(f"{row.get('name')}{'*' if row.get('storage') else ''}" for row in served)
    yield Found("definition", "spec.versions", text(at(manifest, "metadata", "name")), written)


def _bundles(manifest: Manifest) -> Iterator[Found]:
    """The images that hold Tekton's Tasks and Pipelines, named as a field or to a resolver."""
    yield from _bundles_below(manifest.get("spec"), "")


def _bundles_below(value: Any, path: str) -> Iterator[Found]:
    if isinstance(value, Mapping):
        params = {text(row.get("name")): row.get("value") for row in rows(value, "params")}
        bundle = text(value.get("bundle")) or text(params.get("bundle") if value.get("resolver") == "bundles" else None)
        if bundle and (image := images.parse(bundle)) is not None:
            yield _as_image(f"{path}.bundle", image)
        for key, inner in value.items():
            if key in ("tasks", "finally", "taskRef", "pipelineRef", "pipelineSpec", "resourcetemplates", "spec"):
                yield from _bundles_below(inner, f"{path}.{key}")
    for index, inner in enumerate(items(value)):
        yield from _bundles_below(inner, f"{path}[{text(at(inner, 'name')) or index}]")


def _terraform(manifest: Manifest) -> Iterator[Found]:
    """Modules and providers, in one version or in a range of them."""
    kind, spec = manifest.get("kind"), mapping(manifest, "spec")
    name = text(at(manifest, "metadata", "name"))
    if kind == "Module":
        source = text(spec.get("source"))
        asked = parse_qs(urlsplit(source).query) if "?" in source else {}
        version = text(spec.get("version")) or next(iter(asked.get("ref", [])), "")
        yield Found("module", "spec.source", name.rpartition(".")[2], version)
    elif kind == "LockedProvider":
        yield Found("provider", "spec.version", name.rpartition("/")[2], text(spec.get("version")))
    elif kind == "Terraform":
        yield Found("terraform", "spec.required_version", "terraform", text(spec.get("required_version")))
        for block in rows(spec, "required_providers"):
            for provider, wanted in block.items():
                version = wanted if isinstance(wanted, str) else text(at(wanted, "version"))
                yield Found("provider", f"required_providers.{provider}", provider, version)


def _labels(manifest: Manifest) -> Iterator[Found]:
    labels = mapping(manifest, "metadata", "labels")
    name, _, version = text(labels.get("helm.sh/chart")).rpartition("-")
    if name and version[:1].isdigit():
        yield Found("chart", "label", name, version.replace("_", "+"))
    named = text(labels.get("app.kubernetes.io/name")) or text(at(manifest, "metadata", "name"))
    yield Found("app", "label", named, text(labels.get("app.kubernetes.io/version")))


def _last(url: str) -> str:
    return url.rstrip("/").removesuffix(".git").rpartition("/")[2]


_Reading = Callable[[Manifest], Iterator[Found]]
_KINDS: Mapping[tuple[str, str], _Reading] = {
    ("helm.toolkit.fluxcd.io", "HelmRelease"): _helm_release,
    ("argoproj.io", "Application"): _application,
    ("argoproj.io", "ApplicationSet"): _application,
}
_GROUPS: Mapping[str, _Reading] = {
    "source.toolkit.fluxcd.io": _source,
    "apiextensions.k8s.io": _definition,
    "tekton.dev": _bundles,
    "triggers.tekton.dev": _bundles,
    "terraform": _terraform,
}
