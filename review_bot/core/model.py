"""The words of a review: trees, targets, resources, changes, findings and the verdict.

Everything here is frozen data. Manifests are the only raw mappings that cross a module's border.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

Manifest = Mapping[str, Any]
FieldPath = tuple[str | int, ...]


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class CheckName(StrEnum):
    RENDER = "render"
    SCHEMA = "schema"
    POLICY = "policy"
    DRY_RUN = "dry-run"
    IMAGES = "images"
    CONFIG = "config"


class CheckState(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    NOT_CONFIGURED = "not-configured"


class Conclusion(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    NEUTRAL = "neutral"


class RendererName(StrEnum):
    KUSTOMIZE = "kustomize"
    HELM = "helm"
    PLAIN = "plain"
    TERRAFORM = "terraform"


@dataclass(frozen=True, slots=True)
class TreeEntry:
    """One file of a git tree: `mode` is git's octal text (100644, 100755, 120000 link, 160000 submodule)."""

    path: str
    mode: str
    blob: str


class Tree(Protocol):
    """One side of a review: a read-only git tree (or the work tree), read by path from the repository's root."""

    @property
    def sha(self) -> str:
        """The commit, or `worktree`."""
        ...

    def entries(self) -> Mapping[str, TreeEntry]:
        """Every file by path; listed once and cached, never content."""
        ...

    def read(self, path: str) -> bytes | None:
        """A file's bytes as git stores them, None if there is no such file. Links give their target's text."""
        ...

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Many files in one go; paths that do not exist are left out."""
        ...


@dataclass(frozen=True, slots=True)
class FileChange:
    """A changed file; `status` is added, modified, removed or renamed (then `previous_path` is the old name)."""

    path: str
    status: str
    previous_path: str | None = None


@dataclass(frozen=True, slots=True)
class HelmOptions:
    """How a chart is rendered: `values` are files from the repository's root, later ones win.

    `sets` are helm's own words after them (`--set`, `a=b`, …); `crds` whether those of the chart's crds/ belong to it.
    """

    release: str
    namespace: str = "default"
    values: tuple[str, ...] = ()
    sets: tuple[str, ...] = ()
    crds: bool = True


class RemoteKind(StrEnum):
    GIT = "git"
    HELM = "helm"
    OCI = "oci"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class Remote:
    """Something that lies elsewhere: a git repository, a chart of a Helm repository, an OCI artifact, or one file.

    `url` as it is written; `name` the chart's name for `helm`; `revision` a commit or tag, a chart's version, or a tag
    or digest. A `floating` one is a range of versions, of which the highest is meant.
    """

    kind: RemoteKind
    url: str
    name: str = ""
    revision: str = ""
    floating: bool = False


@dataclass(frozen=True, slots=True)
class ResourceId:
    """A Kubernetes object's identity; `namespace` None where the manifest names none."""

    api_version: str
    kind: str
    namespace: str | None
    name: str

    @property
    def group(self) -> str:
        """The API group, "" for the core group."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""


@dataclass(frozen=True, slots=True)
class Source:
    """A place in the repository: `line` is 1-based, None if only the file is known."""

    path: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """The object that tells a delivery tool (`tool`) to deploy a target; it stands at `source` in `parent`'s output.

    `settings` is what else decides about the output, in the tool's own form and only compared elsewhere. Without
    `prune` what is no longer rendered stays in the cluster; `suspended` means that nothing rolls out.
    """

    tool: str
    object: ResourceId
    parent: str
    source: Source
    destination: str | None = None
    settings: str = ""
    prune: bool = True
    suspended: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Something that a delivery tool would deploy, rendered as one.

    `id` is `<renderer>:<path>` (or `<renderer>:<path>#<name>` for a defined one); `path` a folder from the
    repository's root ("." for the root itself), `entry` the file a problem of the whole target is shown on; `reads`
    every file that rendering reads on this side, None when that could not be found out (then everything counts).
    `unrestricted`: kustomize may read files above the folder.
    One that a delivery tool is told of has a `delivery`, and `parts` whose objects make up its own.
    """

    id: str
    renderer: RendererName
    path: str
    entry: str
    reads: frozenset[str] | None = None
    name: str | None = None
    cluster: str | None = None
    environment: str | None = None
    namespace: str | None = None
    helm: HelmOptions | None = None
    delivery: Delivery | None = None
    parts: tuple[Target, ...] = ()
    unrestricted: bool = False

    @property
    def unseen(self) -> bool:
        """Is it known that something is deployed, but not what? A finding says why."""
        return self.delivery is not None and not self.parts


@dataclass(frozen=True, slots=True)
class PlannedTarget:
    """A target that a change touches: `base` or `head` is None where it does not exist on that side."""

    id: str
    reason: str
    base: Target | None
    head: Target | None

    @property
    def target(self) -> Target:
        """The side to show: head, else base."""
        chosen = self.head or self.base
        assert chosen is not None  # noqa: S101 - the planner never makes an empty one
        return chosen


@dataclass(frozen=True)
class Resource:
    """One rendered object and where it comes from.

    `lines` maps fields to 1-based lines of `source.path`, as far as the renderer lets that be known: () is the
    object's own first line. `patched_by` names files that changed it after it was read.
    """

    id: ResourceId
    manifest: Manifest
    source: Source
    lines: Mapping[FieldPath, int] = field(default_factory=dict)
    patched_by: tuple[str, ...] = ()

    def place(self, path: FieldPath = ()) -> Source:
        """The source of a field: its own line, else that of its nearest known parent."""
        for end in range(len(path), -1, -1):
            line = self.lines.get(path[:end])
            if line is not None:
                return Source(self.source.path, line)
        return self.source


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has to say. `introduced` and `waived` are set when the verdict is formed.

    `link` is an address that a policy of the base names for its rule; nothing of a pull request gets there. `field` is
    where in the resource it is, () for the whole of it: where two checks mean the same, one of them speaks.
    """

    check: CheckName
    rule: str
    severity: Severity
    message: str
    target: str | None = None
    resource: ResourceId | None = None
    path: str | None = None
    line: int | None = None
    introduced: bool = True
    waived: str | None = None
    help: str = ""
    link: str = ""
    field: FieldPath = ()

    @property
    def advice(self) -> str:
        """The next step, and where to read more."""
        return f"{self.help} {self.link}".strip()


@dataclass(frozen=True, slots=True)
class Demand:
    """A policy asks for the word of `count` of these people (logins, `org/team`) on a change; of its owners if none."""

    rule: str
    reason: str
    target: str
    resource: ResourceId
    users: tuple[str, ...] = ()
    teams: tuple[str, ...] = ()
    count: int = 1


@dataclass(frozen=True)
class Rendered:
    """One side of one target: its resources, or the findings (check render) that say why there are none.

    `plan` is what the target's own tool says it would do, where it was asked: the JSON of Terraform's plan.
    """

    target: Target
    resources: tuple[Resource, ...] = ()
    findings: tuple[Finding, ...] = ()
    plan: Manifest | None = None

    @property
    def failed(self) -> bool:
        return any(f.severity is Severity.ERROR for f in self.findings)


@dataclass(frozen=True)
class ResourceChange:
    """What happens to one object: `fields` are dotted paths (list items by index, `spec.containers[0].image`)."""

    target: str
    action: Action
    id: ResourceId
    fields: tuple[str, ...]
    diff: str
    base: Resource | None = None
    head: Resource | None = None
