"""AppProjects: what an Application of one may take from where, and deploy to where. Argo CD refuses all else."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from review_bot.core.argocd import patterns, values
from review_bot.core.argocd.application import GROUP, HOME, IN_CLUSTER, Application
from review_bot.core.argocd.clusters import LOCAL
from review_bot.core.argocd.problems import Trouble
from review_bot.core.configuration import ArgoCluster
from review_bot.core.delivery import Surroundings
from review_bot.core.model import FieldPath, Resource

_SCP = re.compile(r"(?P<host>[^/@]+@[^/:]+):(?P<path>.*)\Z")


def known(around: Surroundings) -> Mapping[tuple[str, str], Resource]:
    """The projects among the objects, by namespace and name."""
    told = around.of(GROUP, ["AppProject"])
    return {(t.resource.id.namespace or HOME, t.resource.id.name): t.resource for t in told}


def refusals(
    app: Application, projects: Mapping[tuple[str, str], Resource], clusters: Iterable[ArgoCluster]
) -> list[Trouble]:
    """What the Application's project forbids of it; nothing where that is not known here. Raises Trouble."""
    name = app.project
    project = projects.get((HOME, name)) or projects.get((app.namespace, name))
    if project is None:
        return []
    spec = values.mapping(project.manifest.get("spec"), "spec", ("spec",))
    where = f"{project.source.path}{f':{project.source.line}' if project.source.line else ''}"

    def refused(message: str, at: FieldPath, field: str) -> Trouble:
        help = f"correct it, or add to {field} of AppProject {name} in {where}"
        return Trouble(f"its project {name} {message}", at=at, rule="project-forbids", help=help)

    found = []
    at: FieldPath = ("spec", "destination")
    if not _is_destination(app.destination, values.rows(spec.get("destinations"), "destinations", at), clusters):
        found.append(refused(f"does not let it deploy to {_named(app.destination)}", at, "spec.destinations"))
    repositories = values.texts(spec.get("sourceRepos"), "sourceRepos", at)
    for source in app.sources:
        url = source.text("repoURL")
        if url and not _is_permitted(_url(url), [_url_pattern(r) for r in repositories], patterns.between_slashes):
            found.append(refused(f"does not let it take {url}", (*source.at, "repoURL"), "spec.sourceRepos"))
    home = project.id.namespace or HOME
    if app.namespace != home and not any(
        patterns.of_names(p, app.namespace) for p in values.texts(spec.get("sourceNamespaces"), "sourceNamespaces", at)
    ):
        found.append(refused(f"takes none from the namespace {app.namespace}", (), "spec.sourceNamespaces"))
    return found


def _named(destination: Mapping[str, Any]) -> str:
    cluster = destination.get("name") or destination.get("server")
    return f"the namespace {destination.get('namespace') or '(none)'} of {cluster}"


def _is_destination(
    destination: Mapping[str, Any], rows: Sequence[Mapping[str, Any]], clusters: Iterable[ArgoCluster]
) -> bool:
    """Is the destination among the project's? What is not known of a cluster is taken to fit."""
    name, server = (str(destination.get(key) or "") for key in ("name", "server"))
    for cluster in (*clusters, LOCAL):
        if name == cluster.name or (server and server == cluster.server):
            name, server = name or cluster.name, server or cluster.server
    name = "in-cluster" if server == IN_CLUSTER and not name else name
    namespace, found = str(destination.get("namespace") or ""), False
    for row in rows:
        wanted_name, wanted_server, wanted_namespace = (str(row.get(k) or "") for k in ("name", "server", "namespace"))
        by_name = _fits(wanted_name, name, patterns.crossing) if name else bool(wanted_name)
        by_server = _fits(wanted_server, server, patterns.crossing) if server else bool(wanted_server)
        by_namespace = _fits(wanted_namespace, namespace, patterns.crossing)
        if (by_name or by_server) and by_namespace:
            found = True
        elif by_namespace and any(
            _denies(p) and not fits for p, fits in ((wanted_name, by_name), (wanted_server, by_server))
        ):
            return False
        elif _denies(wanted_namespace) and not by_namespace and by_server:
            return False
    return found


def _is_permitted(value: str, wanted: Sequence[str], match: Callable[[str, str], bool]) -> bool:
    fitting = [(pattern, _fits(pattern, value, match)) for pattern in wanted]
    return any(fits for _, fits in fitting) and all(fits for pattern, fits in fitting if _denies(pattern))


def _fits(pattern: str, value: str, match: Callable[[str, str], bool]) -> bool:
    if _denies(pattern):
        return not match(pattern[1:], value)
    return pattern == "*" or match(pattern, value)


def _denies(pattern: str) -> bool:
    return pattern.startswith("!")


def _url_pattern(pattern: str) -> str:
    return f"!{_url(pattern[1:])}" if _denies(pattern) else _url(pattern)


def _url(url: str) -> str:
    """The address as projects compare it: without regard to case, `.git` and the form of ssh addresses."""
    url = url.strip().lower().removesuffix(".git")
    if "://" not in url and (short := _SCP.match(url)):
        url = f"{short['host']}/{short['path'].lstrip('/')}"
    return url.removeprefix("ssh://")


def forbidden(
    project: Resource, destination: Mapping[str, Any], resource: Resource, clusters: Iterable[ArgoCluster]
) -> str:
    """Why the project lets no Application with this destination deploy the object, "" if it does. Raises Trouble."""
    spec = values.mapping(project.manifest.get("spec"), "spec", ("spec",))
    at: FieldPath = ("spec",)
    scope = "cluster" if resource.id.namespace is None else "namespace"
    allowed, denied = (
        values.rows(spec.get(f"{scope}Resource{which}"), f"{scope}Resource{which}", at)
        for which in ("Whitelist", "Blacklist")
    )
    # Of what belongs to a namespace all is allowed where nothing is said.
    unsaid = scope == "namespace" and spec.get("namespaceResourceWhitelist") is None
    if not (unsaid or any(_is_kind(row, resource) for row in allowed)):
        return f"spec.{scope}ResourceWhitelist does not list {resource.id.kind}"
    if any(_is_kind(row, resource) for row in denied):
        return f"spec.{scope}ResourceBlacklist lists {resource.id.kind}"
    if scope == "cluster" or resource.id.namespace == destination.get("namespace"):
        return ""  # of its own destination the Application itself is told
    own = {**destination, "namespace": resource.id.namespace}
    if not _is_destination(own, values.rows(spec.get("destinations"), "destinations", at), clusters):
        return f"spec.destinations does not list the namespace {resource.id.namespace}"
    return ""


def _is_kind(row: Mapping[str, Any], resource: Resource) -> bool:
    said = ((row.get("kind"), resource.id.kind), (row.get("group"), resource.id.group))
    name = row.get("name")
    return all(patterns.of_directories(str(pattern or ""), value) for pattern, value in said) and (
        not name or resource.id.namespace is not None or patterns.of_directories(str(name), resource.id.name)
    )
