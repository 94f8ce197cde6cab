"""Helm sources: the words that Argo CD gives to `helm template`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from review_bot.core.argocd import patterns, values
from review_bot.core.argocd.application import Application, SourceSpec
from review_bot.core.argocd.place import Place, is_copied, root_of
from review_bot.core.argocd.problems import NotSeen, Trouble
from review_bot.core.charts import in_sync, remote_dependencies, with_dependencies
from review_bot.core.closure import helm_reads, is_below, join
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import InputError
from review_bot.core.model import FieldPath, HelmOptions, RendererName, Target

# Helm's own rule for names of releases.
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\Z")
LONGEST_RELEASE = 53
_COMMA = re.compile(r"(?<!\\),")


def part(source: SourceSpec, app: Application, place: Place, around: Surroundings) -> tuple[Target, frozenset[str]]:
    """The part that renders the chart, and all that decides about it. Raises Trouble."""
    options, at = source.mapping("helm"), (*source.at, "helm")
    names = app.environment(source)
    files, optional = _value_files(source, app, place, around)
    inline = _inline(options, at)
    if inline is not None:
        made = f".~{app.folder}/{source.number}/values.yaml"
        files.append(around.write(made, inline, app.resource.place(at)))
    sets, given = _sets(options, at, names, lambda text, field: _value_file(text, field, source, app, place, around)[1])
    helm = HelmOptions(
        release=_release(options, at, app),
        namespace=values.text(options.get("namespace"), "helm.namespace", (*at, "namespace"))
        or app.target_namespace
        or "default",
        values=tuple(files),
        sets=(*sets, *_capabilities(options, source.spec, at)),
        crds=options.get("skipCrds") is not True,
    )
    folder = _whole_chart(source, app, place, around)
    reads = helm_reads(around.files, folder, (*files, *given))
    entry = join(folder, "Chart.yaml")
    target = Target(f"{app.id}/{source.number}", RendererName.HELM, folder, entry, reads, helm=helm)
    looked_at = reads if folder == place.folder else reads | helm_reads(around.files, place.folder)
    return target, looked_at.union(optional)


def _whole_chart(source: SourceSpec, app: Application, place: Place, around: Surroundings) -> str:
    """The folder of the chart with its dependencies, which Argo CD would get for it. Raises Trouble, NotSeen."""
    if any(remote_dependencies(place.folder, around.files)) and not in_sync(place.folder, around.files):
        lock = join(place.folder, "Chart.lock")
        help = f"run `helm dependency update {place.folder}` and commit {lock}"
        raise Trouble(
            f"{lock} is out of sync with Chart.yaml, so helm builds no dependencies",
            path=lock,
            help=help,
            rule="chart-lock",
        )
    try:
        return with_dependencies(place.folder, around.graft.original(join(place.folder, "Chart.yaml")), around)
    except InputError as error:
        what = f"the chart {place.folder} needs what is not in its charts/: {error.message}"
        raise NotSeen(what, path=join(place.folder, "Chart.yaml"), help=error.help) from error


def _release(options: Mapping[str, Any], at: FieldPath, app: Application) -> str:
    name = values.text(options.get("releaseName"), "helm.releaseName", (*at, "releaseName")) or app.name
    if not _RELEASE.match(name) or len(name) > LONGEST_RELEASE:
        raise Trouble(
            f"{name} is no name that Helm allows for a release",
            at=(*at, "releaseName"),
            rule="release-name",
            help=f"set helm.releaseName: lower case letters, digits and dashes, at most {LONGEST_RELEASE}",
        )
    return name


def _inline(options: Mapping[str, Any], at: FieldPath) -> bytes | None:
    """valuesObject, which replaces values."""
    whole = values.mapping(options.get("valuesObject"), "helm.valuesObject", (*at, "valuesObject"))
    if whole:
        return json.dumps(whole, sort_keys=True).encode()
    text = values.text(options.get("values"), "helm.values", (*at, "values"))
    return text.encode() if text else None


def _sets(
    options: Mapping[str, Any], at: FieldPath, names: Mapping[str, str], found_at: Callable[[str, FieldPath], str]
) -> tuple[list[str], list[str]]:
    """Helm's words for the parameters, and the files that they name, which are `found_at` a place of the tree."""
    words: dict[tuple[str, str], str] = {}
    for number, row in enumerate(values.rows(options.get("parameters"), "helm.parameters", (*at, "parameters"))):
        name = values.text(row.get("name"), "the parameter's name", (*at, "parameters", number, "name"))
        value = values.text(row.get("value"), f"the parameter {name}", (*at, "parameters", number, "value"))
        kind = "--set-string" if row.get("forceString") is True else "--set"
        words[(kind, name)] = f"{name}={escaped(values.expanded(value, names))}"
    files = []
    place_of_files = (*at, "fileParameters")
    for number, row in enumerate(values.rows(options.get("fileParameters"), "helm.fileParameters", place_of_files)):
        field = (*place_of_files, number, "path")
        name, path = (values.text(row.get(key), f"fileParameters.{key}", field) for key in ("name", "path"))
        found = found_at(path, field)
        files.append(found)
        words[("--set-file", name)] = f"{name}={{repo}}/{escaped(found)}"
    order = ("--set", "--set-string", "--set-file")
    ordered = sorted(words.items(), key=lambda item: order.index(item[0][0]))
    return [word for (kind, _), text in ordered for word in (kind, text)], files


def escaped(value: str) -> str:
    """Commas would divide values, unless it is a list."""
    return value if value.startswith("{") and value.endswith("}") else _COMMA.sub(r"\\,", value)


def _capabilities(options: Mapping[str, Any], spec: Mapping[str, Any], at: FieldPath) -> Iterator[str]:
    """The versions that templates ask for; what is said for the chart comes before what is said for the source."""
    if options.get("skipSchemaValidation") is True:
        yield "--skip-schema-validation"
    version = options.get("kubeVersion") or spec.get("kubeVersion")
    if version:
        yield from ("--kube-version", values.text(version, "helm.kubeVersion", (*at, "kubeVersion")))
    served = options.get("apiVersions") or spec.get("apiVersions")
    for api in values.texts(served, "helm.apiVersions", (*at, "apiVersions")):
        yield from ("--api-versions", api)


def _value_files(
    source: SourceSpec, app: Application, place: Place, around: Surroundings
) -> tuple[list[str], list[str]]:
    """The value files in their order, and those that may be added though they are not there."""
    options, at = source.mapping("helm"), (*source.at, "helm", "valueFiles")
    ignored = options.get("ignoreMissingValueFiles") is True
    found: list[str] = []
    optional: list[str] = []
    written = values.texts(options.get("valueFiles"), "helm.valueFiles", at)
    places = [_value_file(text, (*at, number), source, app, place, around) for number, text in enumerate(written)]
    named = {around.files.through_links(path)[0] for _, path in places if not patterns.has_wildcards(path)}
    for root, path in places:
        known = _matching(path, root, around) if patterns.has_wildcards(path) else _there(path, root, around)
        optional += [] if known else [path]
        if patterns.has_wildcards(path) and known:
            # What is named by itself comes where it is named.
            known = [p for p in known if p not in named]
        elif not ignored and not known:
            # Told by the renderer, as everywhere.
            known = [path]
        found += [p for p in known if p not in found]
    return found, optional


def _there(path: str, root: str, around: Surroundings) -> list[str]:
    found = around.files.through_links(path)[0]
    if not is_below(found, root):
        raise Trouble(f"{path} is a link that leaves the repository", path=path, rule="link-leaves")
    return [found] if found in around.files.entries else []


def _matching(pattern: str, root: str, around: Surroundings) -> list[str]:
    if pattern in around.files.entries:
        return [pattern]
    fixed = pattern[: min(pattern.index(c) for c in "*?[{" if c in pattern)].rpartition("/")[0] or "."
    found = [p for p in around.files.below(fixed) if patterns.of_values(pattern, p)]
    return [p for p in found if not is_copied(p, root, around.graft)]


def _value_file(
    written: str, at: FieldPath, source: SourceSpec, app: Application, place: Place, around: Surroundings
) -> tuple[str, str]:
    """The folder at which the file's repository begins, and the path in the tree that its words mean."""
    first, _, rest = written.partition("/")
    if first.startswith("$") and rest:
        other = next((s for s in app.sources if s.spec.get("ref") == first[1:]), None)
        if other is not None:
            if other.text("chart"):
                raise Trouble(f"{first} is a chart; value files come from git repositories", at=at, rule="value-file")
            root = root_of(other, app.resource, around)
            inner = values.expanded(rest, app.environment(source))
            return root, Place(root, root).inside(inner, "the value file", at)
    path = values.expanded(written, app.environment(source))
    if "://" in path:
        raise NotSeen(
            f"the value file {path} lies elsewhere and is not fetched",
            at=at,
            help="commit the file, or take it from a source with a `ref`",
        )
    return place.root, place.inside(path, "the value file", at)
