"""What the base's `.review-bot.yaml` asks of the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from review_bot.core.config import parse_config
from review_bot.core.configuration import CONFIG_PATH
from review_bot.core.errors import InputError, UsageError
from review_bot.core.yaml_reader import parse
from review_bot.gate.rules import Rule, parse_rules


@dataclass(frozen=True)
class Freeze:
    name: str
    start: datetime
    end: datetime
    environments: tuple[str, ...]
    until: str


@dataclass(frozen=True)
class Settings:
    rules: tuple[Rule, ...] = ()
    formats: tuple[str, ...] = ("OWNERS", "CODEOWNERS")
    override_users: tuple[str, ...] = ()
    override_teams: tuple[str, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    request_reviewers: bool = True
    merge_method: str = "squash"
    merge_auto: bool = False
    # The first moments at which a waiver holds no more.
    waivers_end: tuple[datetime, ...] = ()

    def next_freeze(self, now: datetime) -> datetime | None:
        """When the next freeze begins or ends."""
        return min((m for f in self.freezes for m in (f.start, f.end) if m > now), default=None)

    def next_waiver_end(self, now: datetime) -> datetime | None:
        return min((m for m in self.waivers_end if m > now), default=None)


def read(tree: Mapping[str, str]) -> Settings:
    """The settings; defaults where the base has no configuration. Raises InputError with path and line."""
    text = tree.get(CONFIG_PATH)
    return Settings() if text is None else _read(text)


# The base changes seldom, and every look at its pull requests asks.
@lru_cache(maxsize=64)
def _read(text: str) -> Settings:
    try:
        config = parse_config(text.encode())
    except UsageError as error:
        raise InputError(error.message, path=error.path, line=error.line, help=error.help) from error
    approvals = config.approvals
    override = approvals.get("override", {})
    return Settings(
        rules=parse_rules(approvals.get("rules", []), parse(text.encode(), path=CONFIG_PATH)[0]),
        formats=tuple(approvals.get("owners", ("OWNERS", "CODEOWNERS"))),
        override_users=tuple(u.removeprefix("@").lower() for u in override.get("users", ())),
        override_teams=tuple(t.removeprefix("@").lower() for t in override.get("teams", ())),
        freezes=tuple(_freeze(row) for row in config.freezes),
        request_reviewers=approvals.get("request_reviewers", True),
        merge_method=config.merge.get("method", "squash"),
        merge_auto=config.merge.get("auto", False),
        waivers_end=tuple(_moment(w.until, UTC, last=True) for w in config.waivers),
    )


def _freeze(row: Mapping[str, Any]) -> Freeze:
    try:
        zone = ZoneInfo(row["timezone"]) if "timezone" in row else UTC
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"freeze {row['name']}: there is no time zone {row['timezone']!r}", path=CONFIG_PATH
        ) from error
    try:
        start, end = (_moment(row[key], zone, last=key == "until") for key in ("from", "until"))
    except ValueError as error:
        expected = "2026-12-20, 2026-12-20T18:00 or 2026-12-20T18:00+01:00"
        raise InputError(f"freeze {row['name']}: {error}; expected is {expected}", path=CONFIG_PATH) from error
    if end <= start:
        raise InputError(f"freeze {row['name']}: it ends before it begins", path=CONFIG_PATH)
    until = f"{row['until']} {row['timezone']}" if "timezone" in row else str(row["until"])
    return Freeze(row["name"], start, end, tuple(row.get("environments", ())), until)


def _moment(text: str, zone: Any, *, last: bool) -> datetime:
    """A date is a whole day: the last one of a freeze still belongs to it."""
    if len(text) == 10:
        day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
        return datetime.combine(day, time(), zone)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
