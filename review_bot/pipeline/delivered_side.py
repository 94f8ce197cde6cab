"""One side of a review while delivery tools read it from the top down: what is told, by whom, and what follows."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from review_bot.core.closure import Files
from review_bot.core.configuration import Config
from review_bot.core.delivery import Before, DeliveryTool, Expansion, Reader, Surroundings, Templating, Told
from review_bot.core.discovery import assigned, excluded
from review_bot.core.elsewhere import Elsewhere
from review_bot.core.graft import Graft
from review_bot.core.model import (
    Delivery,
    FileChange,
    Finding,
    Remote,
    Rendered,
    RendererName,
    Resource,
    ResourceId,
    Severity,
    Target,
    Tree,
    TreeEntry,
)
from review_bot.core.planning import TEXTS, marked_in
from review_bot.pipeline.floating import Floating


@dataclass(frozen=True)
class Reach:
    """How a side gets at what does not lie in its tree: see core.delivery.Surroundings."""

    here: Callable[[str, str], bool]
    tree_of: Callable[[Remote], Tree]
    exact: Callable[[Remote], Remote]
    templating: Templating


@dataclass(eq=False)
class DeliveredSide:
    """`roots` are the targets of the tree itself that lead on, `marked` the files that do.

    `results` holds what was rendered so far, by fingerprint. After `expand`, `targets` are what delivery tools are told
    to deploy, by an id that also names the realm; `placed` how each came to be: one that a tool gives again as the very
    same, since nothing that it reads changed, is the very same here too.
    """

    tree: Tree
    config: Config
    tools: Sequence[DeliveryTool]
    reach: Reach
    roots: Sequence[Target]
    marked: frozenset[str]
    results: Mapping[str, Rendered]
    targets: dict[str, Target] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    wanted: set[str] = field(default_factory=set)
    placed: dict[str, tuple[Target, object, Target]] = field(default_factory=dict)
    other: DeliveredSide | None = None
    changes: Sequence[FileChange] = ()
    readers: Sequence[Reader] = ()
    # The realms of which not all targets can be seen.
    incomplete: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.graft = self.tree if isinstance(self.tree, Graft) else Graft(self.tree)
        # What both sides hold is parsed once.
        self.files: Files = Files(self.graft, self.other.files if self.other is not None else None)
        self.elsewhere = Elsewhere(self.graft, self.files, self.reach.tree_of, self._mark)
        self.floating = Floating(self.reach.exact, self.elsewhere.fetched)
        self._realms = {root.id: root.path for root in self.roots}
        # By identity, since comparing targets compares all that they read; each is kept lest another gets its identity.
        self._prints: dict[int, tuple[Target, str]] = {}
        self._before: dict[str, Target] = {}
        self._reads: tuple[object, frozenset[str]] = (None, frozenset())
        self._other = Before(self.other.graft, changed_places(self.changes)) if self.other is not None else None

    def fingerprint(self, target: Target) -> str:
        """Equal where the same would be rendered."""
        known = self._prints.get(id(target))
        if known is None:
            known = self._prints[id(target)] = (target, fingerprint(target, self.graft.entries()))
        return known[1]

    def did_not_render(self, id: str) -> bool:
        """Is it known that the target with this inner id failed, or that what it holds can't be seen?"""
        target = self._parent(id)
        if target is not None and target.delivery is not None and not target.parts:
            return True
        known = self.results.get(self.fingerprint(target)) if target is not None else None
        return known is not None and known.failed

    def expand(self) -> bool:
        """Ask the tools about all objects that are known by now, from the roots down. False to be asked again."""
        self._prints.clear()
        before = self._standing()
        told = self._told_by_roots()
        seen = set[str]()
        while True:
            # Anew with everything known by now: what is told later may decide about what was told first.
            self._before, self.targets = self.targets, {}
            self.findings, self.failed, self.incomplete = [], set(), set()
            self.floating.forget()
            for reader in self.readers:
                self._take(reader.expand(self._surroundings(".", ())), ".")
            for realm, objects in told.items():
                self._ask(realm, objects)
            further = [t for t in self.leading() if t.id not in seen and self._rendered(t)]
            if not further:
                break
            for target in further:
                seen.add(target.id)
                told[self.realm_of(target)] += [Told(r, target) for r in self._rendered(target)]
        self.findings += self.floating.findings(self.targets.values())
        self._settle_realms()
        return self._standing() == before

    def _ask(self, realm: str, objects: Sequence[Told]) -> None:
        around = self._surroundings(realm, objects)
        for tool in self.tools:
            if any((t.resource.id.group, t.resource.id.kind) in tool.kinds for t in objects):
                self._take(tool.expand(around), realm)
        self.marked |= marked_in(self.graft.generated)

    def _standing(self) -> list[tuple[str, bool]]:
        """Whose objects count, and for which realm."""
        return [(self._realms[root.id], self.covered(root)) for root in self.roots]

    def leading(self) -> list[Target]:
        """The targets whose objects tools must see."""
        return [t for t in self.targets.values() if t.parts and self._leads(t)]

    def covered(self, root: Target) -> bool:
        """Does a delivery tool deploy all that the root's folder holds?"""
        entries, readers = self.graft.entries(), self._readers()
        # What is named and not there nobody reads yet.
        there = [path for path in self._of_the_tree(root.reads) or () if path in entries]
        return bool(there) and root.name is None and all(path in readers for path in there)

    def takes(self, target: Target) -> bool:
        """Does a delivery tool deploy what the target of the tree is made of, seen or not?

        A chart that a release names is none of its own, also where the release can't be rendered.
        """
        named = {t.path for t in self.targets.values() if t.renderer is RendererName.HELM and not t.parts}
        chart = target.renderer is RendererName.HELM and target.name is None
        return self.covered(target) or (chart and target.path in named)

    def realm_of(self, target: Target) -> str:
        """The folder at the top of what the target's cluster gets."""
        return self._realms.get(target.id, target.path)

    def _leads(self, target: Target) -> bool:
        asked = target.id in self.wanted
        return asked or any(p.reads is None or not self.marked.isdisjoint(p.reads) for p in (target, *target.parts))

    def _surroundings(self, realm: str, objects: Sequence[Told]) -> Surroundings:
        return Surroundings(
            graft=self.graft,
            files=self.files,
            config=self.config,
            objects=objects,
            here=self.reach.here,
            fetched=self.floating.fetched,
            complete=lambda folder, charts: self.elsewhere.complete(folder, charts=charts),
            templating=self.reach.templating,
            realm=realm,
            before=self._other,
        )

    def _mark(self, added: Sequence[str]) -> None:
        self.marked |= marked_in(self.graft.read_many([p for p in added if p.endswith(TEXTS)]))

    def _take(self, expansion: Expansion, realm: str) -> None:
        own = {t.id: f"{t.id}@{realm}" for t in expansion.targets}
        for target in expansion.targets:
            key, delivery = own[target.id], target.delivery
            if delivery is None or excluded(target, self.config) or key in self.targets:
                continue
            self._realms[key] = realm
            # A tool may generate objects and expand them at once: then the parent is one of its own targets.
            parent = self._parent(own.get(delivery.parent, delivery.parent))
            inherited = (parent.cluster, parent.environment) if parent is not None else None
            known = self.other.placed.get(key) if self.other is not None else None
            if known is None or known[0] is not target or known[1] != inherited:
                known = (target, inherited, self._placed(target, key, delivery, own, realm, inherited))
            self.placed[key] = known
            self.targets[key] = known[2]
        if expansion.incomplete:
            self.incomplete.add(realm)
        self.wanted |= {own[id] for id in expansion.wanted if id in own}
        for finding in expansion.findings:
            self.findings.append(replace(finding, target=own.get(finding.target or "", finding.target)))
            # Of an error in a target that is told of it is known what it concerns: that, and what would follow from it.
            if finding.severity is Severity.ERROR and finding.target not in own:
                self.failed.add(realm)

    def _placed(
        self,
        target: Target,
        key: str,
        delivery: Delivery,
        own: Mapping[str, str],
        realm: str,
        inherited: tuple[str | None, str | None] | None,
    ) -> Target:
        """The target by its inner id, with what the configuration assigns to it, else with what its parent has."""
        delivery = replace(delivery, parent=own.get(delivery.parent, delivery.parent))
        placed = replace(target, id=key, delivery=delivery, reads=self._of_the_tree(target.reads))
        given = assigned(placed, self.config, delivery.source.path, realm, target.id)
        if given is placed and inherited is not None:
            given = replace(placed, cluster=inherited[0], environment=inherited[1])
        return given

    def _of_the_tree(self, reads: frozenset[str] | None) -> frozenset[str] | None:
        """Without what was made for it: people know their own files."""
        return frozenset(p for p in reads if not self.graft.is_made(p)) if reads is not None else None

    def _parent(self, id: str) -> Target | None:
        return self.targets.get(id) or self._before.get(id) or next((r for r in self.roots if r.id == id), None)

    def _told_by_roots(self) -> dict[str, list[Told]]:
        """What the tree's own targets say, by realm; of one that a tool deploys only the objects that ask for it."""
        told: dict[str, list[Told]] = defaultdict(list)
        for root in self.roots:
            covered = self.covered(root)
            for resource in self._rendered(root):
                if not covered or self._defines_its_own(resource.id, root):
                    told[self.realm_of(root)].append(Told(resource, root))
        return told

    def _rendered(self, target: Target) -> Sequence[Resource]:
        known = self.results.get(self.fingerprint(target))
        return known.resources if known is not None else ()

    def _defines_its_own(self, object_id: ResourceId, root: Target) -> bool:
        """Does the object, which stands in the root, deploy the root itself?"""
        own = (t for t in self.targets.values() if t.delivery and t.delivery.object == object_id)
        reads = self._of_the_tree(root.reads)
        return any(reads and t.reads and reads <= t.reads for t in own)

    def _settle_realms(self) -> None:
        """A root that a tool deploys belongs to the realm of that tool's object, or, deploying itself, is the top."""
        for _ in self.roots:
            for root in self.roots:
                reads = self._of_the_tree(root.reads)
                if reads:
                    deployed = [t for t in self.targets.values() if t.reads and reads <= t.reads]
                    tops = [(t, top) for t in deployed if (top := self._top(t)) is not None]
                    for by, top in sorted(tops, key=lambda pair: pair[1] is root)[:1]:
                        self._realms[root.id] = by.path if top is root else self._realms[top.id]

    def _top(self, target: Target) -> Target | None:
        """The root from which it was told of, over any number of others."""
        seen = set[str]()
        at: Target | None = target
        while at is not None and at.delivery is not None and at.id not in seen:
            seen.add(at.id)
            at = self._parent(at.delivery.parent)
        return at if at is not None and at.delivery is None else None

    def _readers(self) -> frozenset[str]:
        if self._reads[0] is not self.targets:
            reads = frozenset(p for t in self.targets.values() if t.parts for p in t.reads or ())
            self._reads = (self.targets, reads)
        return self._reads[1]


def fingerprint(target: Target, entries: Mapping[str, TreeEntry]) -> str:
    """A digest of all that decides about a target's objects."""
    # Charts are told of their cluster.
    digest = hashlib.sha256(repr(target.cluster).encode())
    for part in target.parts or (target,):
        reads = sorted(part.reads) if part.reads is not None else sorted(entries)
        files = [(p, e.mode, e.blob) for p in reads if (e := entries.get(p)) is not None]
        about = (str(part.renderer), part.path, part.entry, part.helm, part.unrestricted, files)
        digest.update(repr(about).encode(errors="surrogateescape"))
    if target.delivery is not None:
        own = target.delivery
        digest.update(repr((own.tool, own.settings, own.object, target.namespace, len(target.parts))).encode())
    return digest.hexdigest()


def changed_places(changes: Sequence[FileChange]) -> frozenset[str]:
    """The files that changed, and all folders above them."""
    found = {"."} if changes else set[str]()
    for change in changes:
        for path in (change.path, change.previous_path or ""):
            while path and path not in found:
                found.add(path)
                path = path.rpartition("/")[0]
    return frozenset(found)
