"""Delivery tools: objects among what is rendered that say what else is to be deployed, and what they mean.

A tool reads such objects (an Argo CD Application, a Flux Kustomization) and answers with targets, which are rendered in
turn: so it goes from the top down, as the tools themselves do it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from review_bot.core.closure import Files, folder_of
from review_bot.core.configuration import Config
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.graft import Graft, is_shadowed
from review_bot.core.model import Finding, Remote, Resource, Source, Target, Tree


@dataclass(frozen=True)
class Told:
    """An object among the rendered ones, and the target in whose output it stands."""

    resource: Resource
    target: Target


@dataclass(frozen=True)
class Expansion:
    """What the objects ask for: targets with `delivery` and `parts`, and what is to be said about them.

    `wanted` are ids of targets that deploy objects which others need to know, and so are to be rendered. `incomplete`:
    there may be more targets than can be seen, so one that is missing is not known to have gone.
    """

    targets: tuple[Target, ...] = ()
    findings: tuple[Finding, ...] = ()
    wanted: frozenset[str] = frozenset()
    incomplete: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of jsonnet: a text, or code."""

    name: str
    value: str
    code: bool = False


@dataclass(frozen=True, slots=True)
class Assignment:
    """A value for a path of Helm's values, in the language of `helm --set` (strvals); `literal` takes it verbatim."""

    path: str
    value: str
    literal: bool = False


# What a HelmRelease takes values from.
ValuesSource = Mapping[str, Any] | Assignment


class Templating(Protocol):
    """The small languages of delivery tools, spoken by the libraries that the tools use.

    Each raises InputError with the library's own words, and ToolError where the program is missing.
    """

    def go_templates(
        self,
        template: Any,
        parameters: Sequence[Mapping[str, Any]],
        options: Sequence[str] = (),
        delimiters: tuple[str, str] = ("{{", "}}"),
    ) -> list[Any]:
        """A JSON-like value with Go text/template in its strings and keys, once for each set of parameters."""
        ...

    def substitute(self, values: Sequence[Any], variables: Mapping[str, str]) -> list[Any]:
        """Flux's postBuild substitution (fluxcd/pkg/envsubst) in JSON-like values, each as YAML that is read again."""
        ...

    def compose(self, own: Mapping[str, Any], sources: Sequence[ValuesSource]) -> dict[str, Any]:
        """The values of a HelmRelease as Flux puts them together, `own` being those in the object itself."""
        ...

    def resource_set(self, templates: Sequence[Any], inputs: Sequence[Mapping[str, Any] | None]) -> list[Any]:
        """The documents that a ResourceSet of flux-operator makes of each template (an object, or YAML in a text).

        Each once for each set of inputs, None for one that is not there.
        """
        ...

    def jsonnet(
        self,
        path: str,
        files: Mapping[str, str],
        libraries: Sequence[str] = (),
        external: Sequence[Variable] = (),
        top_level: Sequence[Variable] = (),
    ) -> Any:
        """The value of a jsonnet file, which sees `files` by their paths and nothing else."""
        ...

    def helmfile(
        self, path: str, environment: str, names: Sequence[str], files: Mapping[str, str]
    ) -> Mapping[str, Any]:
        """What a helmfile comes to in an environment (gitops_words/helmfile.go says the form).

        `names` are the paths of all files of the repository, `files` the contents of some: those that are wanted too
        are named in the answer.
        """
        ...


@dataclass(frozen=True)
class Before:
    """The other side of a change, which was expanded before this one; `changed` are files, and the folders above."""

    graft: Graft
    changed: frozenset[str]


@dataclass
class Surroundings:
    """One side of a review while it is expanded: what delivery tools may look at.

    `objects` is everything rendered so far in one `realm` (what one cluster's tools see, named after the folder at its
    top), in every round anew. `here` tells whether an address and a revision ("" for the default) mean this repository
    as it is on this side. `fetched` gives the folder in `graft` under which something from elsewhere can be read; it
    raises InputError with words for the person who reads why not. `complete` leads the kustomization in a folder, and
    all that it reaches, to what lies elsewhere; the flag says whether its charts are inflated.
    """

    graft: Graft
    files: Files
    config: Config
    objects: Sequence[Told]
    here: Callable[[str, str], bool]
    fetched: Callable[[Remote, Source], str]
    complete: Callable[[str, bool], None]
    templating: Templating
    realm: str = "."
    before: Before | None = None

    def own(self, path: str) -> str:
        """The path; one of the bot's own tells realms apart, unless the folder that it lies in does so already."""
        if not path.startswith(".~") or any(path[:n] in self.graft.made for n, c in enumerate(path) if c == "/"):
            return path
        return f".~{self._mark}{path[2:]}"

    def write(self, path: str, data: bytes, source: Source) -> str:
        """Generate a file; gives its path back, as `own` does."""
        path = self.own(path)
        self._write(path, data, source)
        return path

    def adopt(self, path: str) -> None:
        """A file that was generated on the other side, to be the same on this one."""
        assert self.before is not None  # noqa: S101 - only asked where there is another side
        self._write(path, self.before.graft.generated[path], self.before.graft.original(path))

    def _write(self, path: str, data: bytes, source: Source) -> None:
        self.files.closures.pop(folder_of(path), None)
        is_new = path not in self.graft.entries()
        self.graft.write(path, data, source)
        self.files.add([path] if is_new else [])

    def unpacked(self, path: str) -> str:
        """The folder under which what an archive of the tree holds can be read. Raises InputError."""
        to = self.own(f".~archive/{path}")
        if to not in self.graft.made:
            # Most repositories hold none, and what unpacks them takes a while to import.
            from review_bot.core.archives import unpacked, without_top

            files = without_top(unpacked(self.graft.read(path) or b"", path))
            self.files.add(self.graft.mount(FilesTree(path, files), to, Source(path)))
        return to

    def copy(self, paths: Sequence[str], folder: str, to: str) -> None:
        """Files below `folder` once more below `to`, one of the bot's own folders; again and again with no harm."""
        known = frozenset(self.files.below(self.own(to)))
        self.files.add([p for p in self.graft.copy(paths, folder, self.own(to)) if p not in known])

    def shadow(self, folder: str, name: str, lacks: Callable[[str], bool] = lambda _: False) -> str:
        """The folder once more beside itself, to be changed without harm to who else reads it; the copy's path.

        `..` means the same in both, and files that it `lacks` are in the folder alone. Gives the known one if the name
        was shadowed before. Raises InputError.
        """
        name = f"{self._mark}{name}"
        to = f".~{name}" if folder == "." else f"{folder}~{name}"
        if to in self.graft.made:
            return to
        if self.files.is_folder(to) or to in self.graft.entries():
            raise InputError(f"{to} is a name that the bot keeps for itself", path=to, help="rename that folder")
        paths = [p for p in self.files.below(folder) if not is_shadowed(self.graft, p, folder) and not lacks(p)]
        self.files.add(self.graft.copy(paths, folder, to))
        return to

    @property
    def _mark(self) -> str:
        return "" if self.realm == "." else re.sub(r"[^A-Za-z0-9]+", "-", self.realm).strip("-") + "."

    def of(self, group: str, kinds: Iterable[str]) -> list[Told]:
        """The objects of these kinds of an API group."""
        wanted = frozenset(kinds)
        return [t for t in self.objects if t.resource.id.kind in wanted and t.resource.id.group == group]


class Reader(Protocol):
    """A delivery tool that is told by files of the repository, and by no object."""

    name: str

    def leads(self, tree: Tree) -> bool:
        """Has the tree such files?"""
        ...

    def tells(self, target: Target) -> bool:
        """Was the target found by the same files otherwise, so that the tool's own takes its place?"""
        ...

    def expand(self, around: Surroundings) -> Expansion:
        """The targets that the files ask for; `objects` are none."""
        ...


class DeliveryTool(Protocol):
    """One delivery tool. `kinds` are (group, kind) of the objects that it reads; all others tell it nothing."""

    name: str
    kinds: frozenset[tuple[str, str]]

    def expand(self, around: Surroundings) -> Expansion:
        """The targets that the objects ask for. Problems are findings, so that one broken object stops no other."""
        ...
