"""Where the files of a Flux source lie: this repository, something fetched, or nowhere that the bot can look."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.core import version_ranges
from review_bot.core.closure import join
from review_bot.core.delivery import Surroundings, Told
from review_bot.core.flux import artifacts
from review_bot.core.flux.ignoring import Ignoring, of_source
from review_bot.core.flux.objects import BOOTSTRAP, SOURCE, Broken, Catalogue, NotSeen, held, safe
from review_bot.core.lenient import mapping, rows, text
from review_bot.core.model import Remote, RemoteKind, Source

KINDS = ("GitRepository", "OCIRepository", "Bucket", "ExternalArtifact")
# What help there is where something is not among what is rendered.
COMMIT_IT = "commit it to this repository, in a folder that a Kustomization deploys"


@dataclass(frozen=True)
class Root:
    """The folder of the tree that is a source's root ("." for the repository's), and what is not in it."""

    folder: str
    ignoring: Ignoring


class Sources:
    """The sources of one cluster, each looked up once."""

    def __init__(self, around: Surroundings, catalogue: Catalogue) -> None:
        self._around = around
        self._catalogue = catalogue
        self._known: dict[tuple[str, str, str], Root | NotSeen] = {}
        # The sources that are just being put together.
        self._open: list[Told] = []

    def files(self, reference: Mapping[str, Any], namespace: str, asked_at: Source) -> Root:
        """What a `sourceRef` gives, `namespace` being that of the object it stands in. Raises InputError."""
        kind, name = text(reference.get("kind")), text(reference.get("name"))
        key = (kind, text(reference.get("namespace")) or namespace, name)
        if key not in self._known:
            try:
                self._known[key] = self._files(*key, asked_at)
            except NotSeen as error:
                self._known[key] = error
        found = self._known[key]
        if isinstance(found, NotSeen):
            raise found
        return found

    def told(self, kind: str, namespace: str, name: str) -> Told:
        """The source's object. Raises NotSeen."""
        told = self._catalogue.get(SOURCE, kind, namespace, name)
        if told is None:
            raise NotSeen(f"the {kind} {namespace}/{name} is not in this repository", help=COMMIT_IT)
        return told

    def _files(self, kind: str, namespace: str, name: str, asked_at: Source) -> Root:
        if kind == "ExternalArtifact":
            return self._generated(namespace, name, asked_at)
        if kind not in KINDS or not name:
            raise Broken(
                f"it names no source that Flux knows ({kind or 'no kind'} {name or 'without a name'})",
                help=f"name one of the kinds {', '.join(KINDS)}",
                at=("spec", "sourceRef"),
            )
        if kind not in ("GitRepository", "OCIRepository"):
            raise NotSeen(f"what the {kind} {namespace}/{name} holds is not in git", help="commit what it holds")
        known = self._catalogue.get(SOURCE, kind, namespace, name)
        if known is None and (kind, namespace, name) == ("GitRepository", BOOTSTRAP, BOOTSTRAP):
            # `flux bootstrap` makes it, often without committing it.
            return Root(".", of_source(self._around.files, ".", None))
        told = known or self.told(kind, namespace, name)
        spec = mapping(told.resource.manifest.get("spec"))
        root = self._root(kind, spec, told.resource.source)
        if kind == "GitRepository" and rows(spec.get("include")):
            root = self._with_included(root, told)
        ignore = spec.get("ignore")
        return Root(root, of_source(self._around.files, root, ignore if isinstance(ignore, str) else None))

    def _root(self, kind: str, spec: Mapping[str, Any], at: Source) -> str:
        url, reference = text(spec.get("url")), mapping(spec.get("ref"))
        if kind == "OCIRepository":
            return self._around.fetched(artifact(spec), at)
        revision = git_revision(reference)
        if self._around.here(url, revision):
            return "."
        return self._around.fetched(Remote(RemoteKind.GIT, url, "", revision), at)

    def _with_included(self, root: str, told: Told) -> str:
        """A copy of the source with what it includes of others, each in a folder of its own. Raises Broken."""
        namespace, name = told.resource.id.namespace or "default", told.resource.id.name
        if told in self._open:
            raise Broken(f"the GitRepository {namespace}/{name} includes itself", help="take that out of spec.include")
        to = f".~flux/including/{safe(namespace)}/{safe(name)}"
        paths = [p for p in self._around.files.below(root) if not (root == "." and self._around.graft.is_made(p))]
        self._around.copy(paths, root, to)
        self._open.append(told)
        try:
            for row in rows(mapping(told.resource.manifest.get("spec")).get("include")):
                self._include(row, to, told)
        finally:
            self._open.pop()
        return self._around.own(to)

    def _include(self, row: Mapping[str, Any], to: str, told: Told) -> None:
        files, wanted = self._around.files, text(mapping(row.get("repository")).get("name"))
        reference = {"kind": "GitRepository", "name": wanted}
        included = self.files(reference, told.resource.id.namespace or "default", told.resource.source)
        place = posixpath.normpath(join(included.folder, held(text(row.get("fromPath")))))
        inside = held(text(row.get("toPath")) or wanted)
        target = posixpath.normpath(join(to, inside))
        known = self._around.own(target)
        if files.is_folder(known) or known in files.entries:
            raise Broken(f"{wanted} is included at {inside}, which is there already", help="name another toPath")
        paths = [place] if place in files.entries else [*files.below(place)]
        paths = [p for p in paths if not (included.folder == "." and self._around.graft.is_made(p))]
        if not paths:
            raise Broken(f"there is no {place} to include of {wanted}", help="correct fromPath")
        self._around.copy([p for p in paths if not included.ignoring.leaves_out(p)], place, target)

    def _generated(self, namespace: str, name: str, asked_at: Source) -> Root:
        found = artifacts.generator_of(self._catalogue, namespace, name)
        if found is None:
            raise NotSeen(f"no ArtifactGenerator makes the artifact {namespace}/{name}", help=COMMIT_IT)
        told, artifact = found
        roots = {}
        for row in artifacts.sources_of(told):
            roots[text(row.get("alias"))] = self.files(row, told.resource.id.namespace or "default", asked_at)
        found_in = {alias: (root.folder, root.ignoring.leaves_out) for alias, root in roots.items()}
        copies = artifacts.copies(artifact, found_in, self._around.files)
        folder = artifacts.laid_out(self._around, told, name, copies)
        return Root(folder, Ignoring())


def git_revision(reference: Mapping[str, Any]) -> str:
    """What a GitRepository names, in the order in which source-controller looks. Raises NotSeen for a range."""
    tag, semver = text(reference.get("tag")), text(reference.get("semver"))
    named = text(reference.get("commit")) or text(reference.get("name")) or (f"refs/tags/{tag}" if tag else "")
    if semver and not named:
        raise NotSeen(f"which tag fits {semver!r} is not said in git", help="name a tag or a commit in ref")
    return named or text(reference.get("branch"))


def artifact(spec: Mapping[str, Any]) -> Remote:
    """What an OCIRepository names: a digest goes before a range of versions, and that before a tag. Raises NotSeen."""
    url, reference = text(spec.get("url")), mapping(spec.get("ref"))
    digest, semver = text(reference.get("digest")), text(reference.get("semver"))
    if digest or not semver:
        return Remote(RemoteKind.OCI, url, "", digest or text(reference.get("tag")) or "latest")
    if reference.get("semverFilter"):
        raise NotSeen(f"{url} is deployed in a version that a filter picks", help="name a tag or a digest")
    return version_ranges.chart(RemoteKind.OCI, url, "", semver)
