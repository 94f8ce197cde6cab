"""The facts that a decision rests on: read once, checked, and frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from review_bot.core.errors import UsageError


@dataclass(frozen=True, slots=True)
class ChangedFile:
    path: str
    status: str
    previous_path: str | None
    targets: tuple[str, ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """Both names of a rename: each one's owners have a say."""
        return (self.path, self.previous_path) if self.previous_path else (self.path,)


@dataclass(frozen=True, slots=True)
class Commit:
    sha: str
    author: str | None
    committer: str | None
    co_authors: tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class Review:
    user: str
    state: str
    sha: str | None
    effect: str | None
    body: str
    at: datetime
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    user: str
    body: str
    sha: str | None
    effect: str | None
    at: datetime
    edited: bool
    id: int | None = None


@dataclass(frozen=True, slots=True)
class Change:
    target: str
    environment: str | None
    cluster: str | None
    action: str
    api_version: str
    kind: str
    namespace: str | None
    name: str
    fields: tuple[str, ...]
    # What the change is about beyond its fields: version steps, rules of policies with findings on it, and danger.
    steps: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    dangerous: bool = False

    @property
    def group(self) -> str:
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""


@dataclass(frozen=True, slots=True)
class Demand:
    """A policy asks for somebody's word on a change (target, kind, namespace, name); without names, on its owners'."""

    rule: str
    reason: str
    users: tuple[str, ...]
    teams: tuple[str, ...]
    count: int
    change: tuple[str, str, str | None, str]


@dataclass(frozen=True)
class Facts:
    """Everything that the gate knows. Logins are compared without regard to case, kept as they are written."""

    number: int
    author: str
    base_ref: str
    base_sha: str
    head_sha: str
    draft: bool
    fork: bool
    labels: tuple[str, ...]
    files: tuple[ChangedFile, ...]
    commits: tuple[Commit, ...]
    reviews: tuple[Review, ...]
    comments: tuple[Comment, ...]
    tree: Mapping[str, str]
    teams: Mapping[str, frozenset[str]]
    permissions: Mapping[str, str]
    changes: tuple[Change, ...]
    effects: Mapping[str, str]
    checks: Mapping[str, str]
    truncated: Mapping[str, bool]
    now: datetime
    demands: tuple[Demand, ...] = ()


def parse(data: Any) -> Facts:
    """Facts from their JSON. Raises UsageError that names the place and what was expected."""
    root = _Reader(data, "")
    pull = root.at("pull_request")
    return Facts(
        number=pull.integer("number"),
        author=pull.text("author"),
        base_ref=pull.at("base").text("ref"),
        base_sha=pull.at("base").text("sha"),
        head_sha=pull.at("head").text("sha"),
        draft=pull.boolean("draft"),
        fork=pull.boolean("fork"),
        labels=tuple(pull.texts("labels")),
        files=tuple(_file(r) for r in root.rows("files")),
        commits=tuple(_commit(r) for r in root.rows("commits")),
        reviews=tuple(_review(r) for r in root.rows("reviews")),
        comments=tuple(_comment(r) for r in root.rows("comments")),
        tree=root.mapping("tree", str),
        teams={k.lower(): frozenset(str(m).lower() for m in v) for k, v in root.mapping("teams", list).items()},
        permissions={k.lower(): v for k, v in root.mapping("permissions", str).items()},
        changes=tuple(_change(r) for r in root.rows("changes")),
        effects=root.mapping("effects", str),
        checks=root.mapping("checks", str),
        truncated=root.mapping("truncated", bool),
        now=root.time("now"),
        demands=tuple(_demand(r) for r in root.rows("demands")) if "demands" in root.value else (),
    )


def _file(row: _Reader) -> ChangedFile:
    return ChangedFile(row.text("path"), row.text("status"), row.optional("previous_path"), tuple(row.texts("targets")))


def _commit(row: _Reader) -> Commit:
    co_authors = row.value.get("co_authors") or []
    if not isinstance(co_authors, list):
        raise row.wrong("co_authors", "a list")
    named = tuple(c if isinstance(c, str) and c else None for c in co_authors)
    return Commit(row.text("sha"), row.optional("author"), row.optional("committer"), named)


def _review(row: _Reader) -> Review:
    body = row.optional("body") or ""
    return Review(
        user=row.text("user"),
        state=row.text("state"),
        sha=row.optional("sha"),
        effect=row.optional("effect"),
        body=body,
        at=row.time("submitted_at"),
        id=row.identity(),
    )


def _comment(row: _Reader) -> Comment:
    created = row.time("created_at")
    edited = row.value.get("updated_at") is not None and row.time("updated_at") != created
    body = row.optional("body") or ""
    return Comment(row.text("user"), body, row.optional("sha"), row.optional("effect"), created, edited, row.identity())


def _change(row: _Reader) -> Change:
    return Change(
        target=row.text("target"),
        environment=row.optional("environment"),
        cluster=row.optional("cluster"),
        action=row.text("action"),
        api_version=row.text("apiVersion"),
        kind=row.text("kind"),
        namespace=row.optional("namespace"),
        name=row.text("name"),
        fields=tuple(row.texts("fields")),
        steps=tuple(row.texts("steps")),
        policies=tuple(row.texts("policies")),
        dangerous=row.boolean("dangerous"),
    )


def _demand(row: _Reader) -> Demand:
    change = row.text("target"), row.text("kind"), row.optional("namespace"), row.text("name")
    users, teams = (tuple(n.removeprefix("@").lower() for n in row.texts(key)) for key in ("users", "teams"))
    count = row.integer("count") if "count" in row.value else 1
    if count < 1:
        raise row.wrong("count", "1 or more")
    return Demand(row.text("rule"), row.text("reason"), users, teams, count, change)


class _Reader:
    """A mapping with its place, for errors that name it."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"facts{place}: an object is expected", help="see the gate facts in docs/gate.md")
        self.value: Mapping[str, Any] = value
        self._place = place

    def wrong(self, key: str, expected: str) -> UsageError:
        return UsageError(
            f"facts{self._place}.{key}: {expected} is expected", help="see the gate facts in docs/gate.md"
        )

    def at(self, key: str) -> _Reader:
        return _Reader(self.value.get(key), f"{self._place}.{key}")

    def rows(self, key: str) -> list[_Reader]:
        rows = self.value.get(key)
        if not isinstance(rows, list):
            raise self.wrong(key, "a list")
        return [_Reader(row, f"{self._place}.{key}[{index}]") for index, row in enumerate(rows)]

    def text(self, key: str) -> str:
        value = self.value.get(key)
        if not isinstance(value, str) or not value:
            raise self.wrong(key, "a text")
        return value

    def optional(self, key: str) -> str | None:
        value = self.value.get(key)
        if value is not None and not isinstance(value, str):
            raise self.wrong(key, "a text or null")
        return value or None

    def texts(self, key: str) -> Sequence[str]:
        value = self.value.get(key) or []
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            raise self.wrong(key, "a list of texts")
        return value

    def integer(self, key: str) -> int:
        value = self.value.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.wrong(key, "a whole number")
        return value

    def identity(self) -> int | None:
        """GitHub's number of it, where it is given: that is how an answer finds what it answers."""
        return self.integer("id") if self.value.get("id") is not None else None

    def boolean(self, key: str) -> bool:
        value = self.value.get(key, False)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def mapping(self, key: str, kind: type) -> Mapping[str, Any]:
        value = self.value.get(key, {})
        if not isinstance(value, dict) or not all(isinstance(v, kind) for v in value.values()):
            raise self.wrong(key, f"an object of {kind.__name__} values")
        return value

    def time(self, key: str) -> datetime:
        try:
            found = datetime.fromisoformat(self.text(key).replace("Z", "+00:00"))
        except ValueError as error:
            raise self.wrong(key, "an ISO 8601 time") from error
        return found if found.tzinfo else found.replace(tzinfo=UTC)
