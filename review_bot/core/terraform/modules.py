"""Terraform's modules of one tree: which of them are deployed by themselves, and what each of those reads."""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from review_bot.core.closure import Files, folder_of, join, normal, outside
from review_bot.core.configuration import Config
from review_bot.core.globs import matches
from review_bot.core.model import RendererName, Target
from review_bot.core.terraform.files import CODE, LOCK, STATE, VALUES, is_code, loaded
from review_bot.core.terraform.scan import MODULE, Scan

MAIN = tuple(f"main{ending}" for ending in CODE)
# What `init` puts beside a module: copies of modules that lie elsewhere.
INSTALLED = ".terraform"


class Modules:
    """The folders with *.tf or *.tofu files. Files are scanned once for both sides of a change."""

    def __init__(self, files: Files) -> None:
        self._files = files

    @cached_property
    def folders(self) -> Mapping[str, tuple[str, ...]]:
        """The files of each module, in order, by its folder."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in self._files.entries:
            if is_code(path) and INSTALLED not in path.split("/"):
                found[folder_of(path)].append(path)
        return {folder: loaded(paths) for folder, paths in found.items()}

    @cached_property
    def roots(self) -> tuple[str, ...]:
        """Those that no other module calls, and one of each circle that nobody calls from outside."""
        called = {other for folder in self.folders for other in self._calls(folder) if other != folder}
        roots = [folder for folder in sorted(self.folders) if folder not in called]
        seen = {one for root in roots for one in self.closure(root)}
        for folder in sorted(self.folders):
            if folder not in seen:
                roots.append(folder)
                seen |= self.closure(folder)
        return tuple(sorted(roots))

    def closure(self, root: str) -> set[str]:
        """The folders of the module and of every local one that it calls, by however many steps."""
        seen: set[str] = set()
        pending = [root]
        while pending:
            folder = pending.pop()
            if folder not in seen:
                seen.add(folder)
                pending += self._calls(folder)
        return seen

    def reads(self, root: str) -> frozenset[str] | None:
        """Every file that decides about the module, None if it names its modules in no way that can be followed."""
        closure = self.closure(root)
        if any(self._scan(path).unclear for folder in closure for path in self.folders.get(folder, ())):
            return None
        reads: set[str] = set(values_of(self._files, root)) | {join(root, LOCK), join(root, STATE)}
        for folder in closure:
            # A link on the way to a module decides too which one it is.
            reads.update(link for path in self._called_paths(folder) for link in self._files.through_links(path)[1])
            for path in self.folders.get(folder, ()):
                reads.add(path)
                reads.update(self._referred(root, folder, self._scan(path)))
        for path in list(reads) if self._files.links else ():
            resolved, links = self._files.through_links(path)
            if links and not outside(resolved):
                reads |= {resolved, *links, *self._files.below(resolved)}
        return frozenset(path for path in reads if not outside(path))

    def mentions(self, changed: set[str]) -> bool:
        """May any module read one of the paths, whoever calls it? Says yes too often rather than too rarely."""
        beside = {folder_of(p) for p in changed if p.endswith((*VALUES, LOCK, STATE))}
        if beside & self.folders.keys():
            return True
        names = {p.rpartition("/")[2] for p in changed}
        for paths in self.folders.values():
            for path in paths:
                found = self._scan(path)
                if any(f.all_below or f.path.rpartition("/")[2] in names for f in found.files):
                    return True
                if found.may_be_unclear and found.unclear:
                    return True
        return False

    def _referred(self, root: str, folder: str, found: Scan) -> Iterator[str]:
        for reference in found.files:
            path = normal(join(folder if reference.start == MODULE else root, reference.path))
            if outside(path):
                continue
            yield path
            if reference.all_below:
                yield from (p for p in self._files.below(path) if INSTALLED not in p.split("/"))

    def _calls(self, folder: str) -> set[str]:
        return {self._files.through_links(path)[0] for path in self._called_paths(folder)}

    def _called_paths(self, folder: str) -> set[str]:
        paths = {normal(join(folder, c)) for path in self.folders.get(folder, ()) for c in self._scan(path).calls}
        return {path for path in paths if not outside(path)}

    def _scan(self, path: str) -> Scan:
        return self._scans.get(path) or Scan(path, b"")

    @cached_property
    def _scans(self) -> Mapping[str, Scan]:
        """Every file's scan; what is not known from the other side is read in one go."""
        paths = [p for paths in self.folders.values() for p in paths]
        entries, known = self._files.entries, self._files.scans
        inner = {p: self._files.through_links(p)[0] if entries[p].mode == "120000" else p for p in paths}
        keys = {p: (entries[inner[p]].blob, p.endswith(".json")) for p in paths if inner[p] in entries}
        missing = {p: inner[p] for p, key in keys.items() if key not in known}
        contents = self._files.tree.read_many([*dict.fromkeys(missing.values())])
        for path, real in missing.items():
            known[keys[path]] = Scan(path, contents.get(real, b""))
        return {path: known[key] for path, key in keys.items()}


def values_of(files: Files, folder: str) -> list[str]:
    """The files with values of a root module's variables."""
    return [p for p in files.below(folder) if folder_of(p) == folder and p.endswith(VALUES)]


def targets(files: Files, config: Config, only: Iterable[str] | None = None) -> list[Target]:
    """The root modules as targets, `only` those in these folders if given."""
    modules = Modules(files)
    wanted = None if only is None else frozenset(only)
    found = []
    for folder in modules.roots if wanted is None or wanted else ():
        if (wanted is None or folder in wanted) and not _aside(folder, config):
            own = modules.folders[folder]
            id = f"{RendererName.TERRAFORM}:{folder}"
            entry = next((path for path in own if path.rpartition("/")[2] in MAIN), own[0])
            found.append(Target(id, RendererName.TERRAFORM, folder, entry, modules.reads(folder)))
    return found


def concerned(sides: tuple[Files, Files], changed: set[str]) -> frozenset[str]:
    """The root modules that the changed paths touch on either side, or that are one on one side only."""
    modules = [Modules(side) for side in sides]
    if not any(one.folders for one in modules) or not _may_concern(sides, modules, changed):
        return frozenset()
    found: set[str] = set()
    for one in modules:
        for folder in one.roots:
            reads = one.reads(folder)
            if reads is None or reads & changed:
                found.add(folder)
    return frozenset(found | (set(modules[0].roots) ^ set(modules[1].roots)))


def _may_concern(sides: tuple[Files, Files], modules: Sequence[Modules], changed: set[str]) -> bool:
    """Can the change be one of Terraform's? Who calls whom need not be known where nothing is read that changed."""
    if any(side.links for side in sides) or any(path.endswith(CODE) for path in changed):
        return True
    return any(one.mentions(changed) for one in modules)


def _aside(folder: str, config: Config) -> bool:
    """Folders of tools, and of the policies' own test data."""
    places = (*config.policy.paths, *config.policy.data)
    hidden = folder != "." and posixpath.normpath(folder).startswith(".")
    return hidden or any(folder == p or matches(f"{p}/**", folder) for p in places)
