"""The audit log's records: each holds its predecessor's hash, so that nobody can change, drop or insert one unseen.

A record says who (`actors`), what (`kind`, `state`), about which effect and policies, and holds everything that the
answer followed from (`body`: gate facts and decision).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from review_bot.core.errors import InputError, UsageError

# What stands before the first record.
GENESIS = "sha256:" + "0" * 64
FIELDS = frozenset(
    ["seq", "time", "kind", "repository", "number", "head", "effect", "policies", "actors", "state", "body", "previous"]
)


@dataclass(frozen=True)
class Entry:
    """What is to be recorded. `effect` and `policies` are digests, "" where there are none; `actors` are logins."""

    kind: str
    repository: str
    number: int
    head: str
    state: str
    effect: str = ""
    policies: str = ""
    actors: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def substance(self) -> str:
        """A digest of all but when it was looked at: an equal entry adds nothing to the one before."""
        told = asdict(self)
        facts = told["body"].get("facts")
        if isinstance(facts, dict):
            told["body"] = told["body"] | {"facts": {k: v for k, v in facts.items() if k != "now"}}
        return digest(told)


@dataclass(frozen=True, slots=True)
class Anchor:
    """The end of the log as somebody noted it: the last record's number and hash."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Break:
    """Where the chain does not hold, and what that means."""

    seq: int
    what: str


def canonical(value: Any) -> str:
    """The one way in which a value is written down, to be hashed and to be kept.

    ASCII: paths of git may hold bytes that are no text, which neither UTF-8 nor SQLite takes.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def digest(value: Any) -> str:
    return f"sha256:{hashlib.sha256(canonical(value).encode()).hexdigest()}"


def sealed(entry: Entry, last: Anchor, time: str) -> dict[str, Any]:
    """The record that follows `last`, with its own hash. `time` is ISO 8601."""
    record = {**asdict(entry), "actors": list(entry.actors), "seq": last.seq + 1, "time": time, "previous": last.hash}
    return {**record, "hash": digest(record)}


def entry_of(record: Mapping[str, Any]) -> Entry:
    """What a record was made of. Raises InputError where it is no record."""
    try:
        told = {one.name: record[one.name] for one in fields(Entry)}
        return Entry(**told | {"actors": tuple(told["actors"]), "body": dict(told["body"])})
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"record {record.get('seq')} is none: {error}", help="run `review-bot audit verify`"
        ) from error


def read(line: str, number: int) -> dict[str, Any]:
    """A record from a line of JSON. Raises InputError."""
    try:
        record = json.loads(line)
    except ValueError as error:
        raise InputError(f"line {number} is not JSON: {error}", help="export the log anew") from error
    if not isinstance(record, dict) or not {"seq", "hash", "previous"} <= record.keys():
        raise InputError(f"line {number} is no record of an audit log", help="export the log anew")
    return record


def verify(records: Iterable[Mapping[str, Any]], anchor: Anchor | None = None) -> tuple[Anchor, Break | None]:
    """Where the log ends, and the first place at which the chain is broken.

    With an `anchor`, a log that ends before it, or that holds another record in its place, is broken too.
    """
    last = Anchor(0, GENESIS)
    for record in records:
        seq = record.get("seq")
        if seq != last.seq + 1:
            what = f"after record {last.seq} comes record {seq}: records are missing or in another order"
            return last, Break(last.seq + 1, what)
        if record.get("previous") != last.hash:
            return last, Break(seq, f"record {seq} does not follow record {last.seq}: one of them was replaced")
        own = {key: value for key, value in record.items() if key != "hash"}
        if record.get("hash") != digest(own) or own.keys() != FIELDS:
            return last, Break(seq, f"record {seq} was changed")
        last = Anchor(seq, str(record["hash"]))
        if anchor is not None and anchor.seq == seq and anchor.hash != last.hash:
            return last, Break(seq, f"record {seq} is not the one that was noted: the log was written anew")
    if anchor is not None and anchor.seq > last.seq:
        return last, Break(last.seq + 1, f"the log ends at record {last.seq}, and {anchor.seq} was noted: it was cut")
    return last, None


def anchor_of(text: str) -> Anchor:
    """`SEQ:sha256:…`, as `audit verify` prints it. Raises UsageError."""
    seq, _, hash = text.partition(":")
    if not seq.isdecimal() or not hash.startswith("sha256:") or len(hash) != len(GENESIS):
        raise UsageError(f"{text!r} is no anchor", help="write it as `audit verify` printed it: SEQ:sha256:…")
    return Anchor(int(seq), hash)
