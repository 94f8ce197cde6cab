"""What the base's `.review-bot.yaml` asks of the gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
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


def read(tree: Mapping[str, str]) -> Settings:
    """The settings; defaults where the base has no configuration. Raises InputError with path and line."""
    text = tree.get(CONFIG_PATH)
    if text is None:
        return Settings()
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
    )


def _freeze(row: Mapping[str, Any]) -> Freeze:
    try:
        zone = ZoneInfo(row["timezone"]) if "timezone" in row else UTC
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise InputError(
            f"freeze {row['name']}: there is no time zone {row['timezone']!r}", path=CONFIG_PATH
        ) from error
    start, end = (_moment(row[key], zone, last=key == "until") for key in ("from", "until"))
    if end <= start:
        raise InputError(f"freeze {row['name']}: it ends before it begins", path=CONFIG_PATH)
    return Freeze(row["name"], start, end, tuple(row.get("environments", ())), str(row["until"]))


def _moment(text: str, zone: Any, *, last: bool) -> datetime:
    """A date is a whole day: the last one of a freeze still belongs to it."""
    if len(text) == 10:
        day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
        return datetime.combine(day, time(), zone)
    moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)
