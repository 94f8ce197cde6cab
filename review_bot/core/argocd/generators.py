"""The generators of ApplicationSets: from what is written to sets of parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.argocd import clusters, combining, git_generator, selectors, values
from review_bot.core.argocd.application import IN_CLUSTER, SourceSpec
from review_bot.core.argocd.interpolation import COMBINING, interpolated
from review_bot.core.argocd.place import root_of
from review_bot.core.argocd.problems import NotSeen, Trouble
from review_bot.core.argocd.templates import Parameters, Words, has_tags
from review_bot.core.closure import join
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Surroundings
from review_bot.core.errors import YamlError
from review_bot.core.model import FieldPath, Resource
from review_bot.core.yaml_reader import load_first

# What these generate is decided by a forge, a service or a cluster.
OF_THE_WORLD = {
    "scmProvider": "the repositories of an organisation",
    "pullRequest": "open pull requests",
    "plugin": "a plugin's service",
    "clusterDecisionResource": "an object in the cluster",
}
# Two short lists make a long one.
MOST_SETS = 20_000
# How deep a matrix or merge may stand: in spec.generators, and in one that stands there.
DEEPEST = 2
KINDS = ("list", "git", "clusters", "matrix", "merge", *OF_THE_WORLD)


@dataclass
class Generators:
    """Those of one ApplicationSet. `reads` grows by the files that give parameters, `remarks` by what is to be said."""

    resource: Resource
    words: Words
    around: Surroundings
    known: Sequence[ArgoCluster]
    reads: set[str] = field(default_factory=set)
    remarks: list[Trouble] = field(default_factory=list)

    def parameters(self, spec: Mapping[str, Any], kind: str, at: FieldPath) -> list[Parameters]:
        """What the generator of that kind gives. Raises Trouble."""
        return self._selected(spec, kind, at, spec[kind])

    def _nested(self, spec: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        return self.parameters(spec, only_kind_of(spec, at), at)

    def _selected(self, spec: Mapping[str, Any], kind: str, at: FieldPath, given: Any) -> list[Parameters]:
        """What its options, in which tags are replaced by now, give; and of that what its selector chooses."""
        place = (*at, kind)
        options = values.mapping(given, kind, place)
        if kind in OF_THE_WORLD:
            raise NotSeen(
                f"which Applications there are is decided by {OF_THE_WORLD[kind]}, which the bot does not ask",
                at=place,
                help="what it generates is not reviewed",
            )
        if kind in COMBINING and at.count("generators") > DEEPEST:
            raise Trouble(
                f"a {kind} can't stand in one that stands in another",
                at=place,
                rule="generator",
                help="Argo CD lets matrix and merge be nested once",
            )
        makers = {"list": self._list, "clusters": self._clusters, "git": self._git, "matrix": self._matrix}
        selector = values.mapping(spec.get("selector"), "selector", (*at, "selector"))
        selectors.check(selector, (*at, "selector"))
        found = makers.get(kind, self._merge)(options, place)
        _refuse_too_many(len(found), at)
        return [p for p in found if selectors.matches(selector, _labels(p))] if selector else found

    def _list(self, options: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        elements = [dict(e) for e in values.rows(options.get("elements"), "elements", (*at, "elements"))]
        text = values.text(options.get("elementsYaml"), "elementsYaml", (*at, "elementsYaml"))
        try:
            more = values.rows(load_first(text.encode(), path="elementsYaml") if text else None, "elementsYaml", at)
        except YamlError as error:
            raise Trouble(f"elementsYaml: {error.message}", at=(*at, "elementsYaml"), rule="generator") from error
        if not self.words.go:
            elements = [_texts_only(e, (*at, "elements", number)) for number, e in enumerate(elements)]
        return [*elements, *more]

    def _clusters(self, options: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        selector = values.mapping(options.get("selector"), "selector", (*at, "selector"))
        selectors.check(selector, (*at, "selector"), of_objects=True)
        if selectors.is_empty(selector):
            chosen = list(self.known)
            if not any(c.server == IN_CLUSTER for c in chosen):
                chosen.append(clusters.LOCAL)
        else:
            chosen = [c for c in self.known if selectors.matches(selector, c.labels)]
        if not self.known:
            unknown = NotSeen(
                "which clusters Argo CD knows is not said in this repository",
                at=at,
                help="list them in .review-bot.yaml, under argocd.clusters",
            )
            if not chosen:
                raise unknown
            self.remarks.append(unknown)
        found = self._with_values(options, [_of_cluster(c, self.words.go) for c in chosen], at)
        return [{"clusters": found}] if options.get("flatList") is True else found

    def _git(self, options: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        spec = {"repoURL": options.get("repoURL"), "targetRevision": options.get("revision")}
        root = root_of(SourceSpec(0, spec, at), self.resource, self.around)
        prefix = values.text(options.get("pathParamPrefix"), "pathParamPrefix", (*at, "pathParamPrefix"))
        folders, files = (values.rows(options.get(k), k, (*at, k)) for k in ("directories", "files"))
        go, found = self.words.go, list[Parameters]()
        if folders:
            paths = git_generator.directories(root, folders, self.around, (*at, "directories"))
            found = [git_generator.path_of_directory(path, go, prefix) for path in paths]
        elif files:
            paths = git_generator.files(root, files, self.around, (*at, "files"))
            self.reads.update(join(root, path) for path in paths)
            for path, row in git_generator.contents(root, paths, self.around):
                own = dict(row) if go else dict(values.flattened(row))
                found.append(own | git_generator.path_of_file(path, go, prefix))
        else:
            raise Trouble("it names neither directories nor files", at=at, rule="generator")
        return self._with_values(options, found, at)

    def _matrix(self, options: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        """All pairs; in the second generator the first's parameters may stand."""
        inner, place = values.rows(options.get("generators"), "generators", (*at, "generators")), (*at, "generators")
        if len(inner) != 2:
            raise Trouble(f"a matrix takes two generators, not {len(inner)}", at=place, rule="generator")
        outers, second, at_second = self._nested(inner[0], (*place, 0)), inner[1], (*place, 1)
        kind = only_kind_of(second, at_second)
        options = values.without_nulls(second[kind])
        if not has_tags(options):
            same = self._selected(second, kind, at_second, options) if outers else []
            _refuse_too_many(len(outers) * len(same), place)
            return [combining.multiplied(o, own, self.words.go, place) for o in outers for own in same]
        given = interpolated(self.words, kind, options, outers, (*at_second, kind))
        found: list[Parameters] = []
        for outer, one in zip(outers, given, strict=True):
            inner_sets = self._selected(second, kind, at_second, one)
            found += [combining.multiplied(outer, own, self.words.go, place) for own in inner_sets]
            _refuse_too_many(len(found), place)
        return found

    def _merge(self, options: Mapping[str, Any], at: FieldPath) -> list[Parameters]:
        inner, place = values.rows(options.get("generators"), "generators", (*at, "generators")), (*at, "generators")
        if len(inner) < 2:
            raise Trouble("a merge takes two generators or more", at=place, rule="generator")
        keys = values.texts(options.get("mergeKeys"), "mergeKeys", (*at, "mergeKeys"))
        sets = [self._nested(spec, (*place, number)) for number, spec in enumerate(inner)]
        return combining.merged(keys, sets, self.words.go, at)

    def _with_values(self, options: Mapping[str, Any], found: Sequence[Parameters], at: FieldPath) -> list[Parameters]:
        """The generator's own `values`, in which its parameters may stand."""
        own = values.mapping(options.get("values"), "values", (*at, "values"))
        if not own:
            return list(found)
        rendered = self.words.render(dict(own), found, (*at, "values"))
        if self.words.go:
            return [{**p, "values": values.Texts(v)} for p, v in zip(found, rendered, strict=True)]
        return [p | {f"values.{k}": v for k, v in r.items()} for p, r in zip(map(dict, found), rendered, strict=True)]


def kinds_of(spec: Mapping[str, Any], at: FieldPath) -> list[str]:
    """Which generators it holds: one, or at the top any number. Raises Trouble where it holds none, or an unknown."""
    kinds = [key for key in spec if key != "selector" and spec[key] is not None]
    if not kinds or not set(kinds) <= set(KINDS):
        raise Trouble(
            f"a generator is expected here, found is {', '.join(kinds) or 'none'}",
            at=at,
            rule="generator",
            help=f"known are {', '.join(KINDS)}",
        )
    return kinds


def only_kind_of(spec: Mapping[str, Any], at: FieldPath) -> str:
    """Which generator it is. Raises Trouble unless it is one."""
    kinds = kinds_of(spec, at)
    if len(kinds) > 1:
        raise Trouble(
            f"one generator is expected here, found are {', '.join(kinds)}",
            at=at,
            rule="generator",
            help="make an entry of each",
        )
    return kinds[0]


def _refuse_too_many(count: int, at: FieldPath) -> None:
    if count > MOST_SETS:
        raise Trouble(f"it generates more than {MOST_SETS} sets of parameters", at=at, rule="generator")


def _labels(parameters: Parameters) -> dict[str, str]:
    return dict(values.flattened(dict(parameters)))


def _texts_only(element: Mapping[str, Any], at: FieldPath) -> dict[str, Any]:
    """Without goTemplate an element holds texts, and a mapping of texts under `values`."""
    found: dict[str, Any] = {}
    for key, value in element.items():
        if key == "values":
            inner = values.mapping(value, "values", (*at, key))
            found |= {f"values.{k}": values.text(v, f"values.{k}", (*at, key, k)) for k, v in inner.items()}
        elif isinstance(value, str):
            found[key] = value
        else:
            raise Trouble(
                f"{key} is no text, which it must be without goTemplate",
                at=(*at, key),
                rule="generator",
                help="put it in quotes, or set goTemplate: true",
            )
    return found


def _of_cluster(cluster: ArgoCluster, go: bool) -> Parameters:
    about: dict[str, Any] = {
        "name": cluster.name,
        "nameNormalized": values.normalized(cluster.name),
        "server": cluster.server,
        "project": cluster.project,
    }
    if cluster is clusters.LOCAL:
        return about
    written = {"labels": cluster.labels, "annotations": cluster.annotations}
    metadata = {
        kind: values.Texts({k: v for k, v in pairs.items() if k not in clusters.NO_PARAMETERS})
        for kind, pairs in written.items()
        if pairs
    }
    if go:
        return about | {"metadata": metadata}
    flat = {f"metadata.{kind}.{key}": value for kind, pairs in metadata.items() for key, value in pairs.items()}
    return about | flat
