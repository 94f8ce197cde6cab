"""A merge on its way into the clusters, as it is kept and as it is told. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from review_bot.cluster.delivery import Delivery, Phase
from review_bot.core.sanitise import code, markdown
from review_bot.github.pulls import PullRequest

MARK = "<!-- review-bot:rollout -->"
MOST_AIMS = 30
MOST_TEXT = 300


@dataclass(frozen=True, slots=True)
class Aim:
    """A folder that must come to a cluster; `where` is how people call that.

    `done`: seconds from the merge until it was healthy, None before. `idle`: the cluster has no delivery tool.
    """

    cluster: str
    where: str
    path: str
    done: float | None = None
    idle: bool = False


@dataclass(frozen=True)
class Rollout:
    """One merged pull request; `merged` in seconds since the epoch, `said` what stands in the comment."""

    repository: str
    number: int
    installation: int
    sha: str
    branch: str
    default: bool
    merged: float
    aims: tuple[Aim, ...]
    said: str = ""

    def dump(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def load(text: str) -> Rollout:
        row = json.loads(text)
        return Rollout(**{**row, "aims": tuple(Aim(**aim) for aim in row["aims"])})

    @property
    def over(self) -> bool:
        """Is there nothing left to wait for?"""
        return all(aim.done is not None or aim.idle for aim in self.aims)


@dataclass(frozen=True)
class Seen:
    """What a look at one aim found: `events` of what failed, `trouble` if the cluster could not be asked."""

    deliveries: tuple[Delivery, ...] = ()
    events: tuple[str, ...] = ()
    trouble: str = ""


def seconds(moment: str) -> float:
    """An ISO 8601 time in seconds since the epoch, 0 if it is none."""
    try:
        return datetime.fromisoformat(moment.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def begun(pull: PullRequest, installation: int, default: bool, aims: Sequence[Aim]) -> Rollout:
    merged = seconds(pull.merged_at)
    base = (pull.repository, pull.number, installation, pull.merge_sha, pull.base_ref, default, merged)
    return Rollout(*base, tuple(aims))


def moved(aim: Aim, seen: Seen, merged: float, now: float) -> Aim:
    """The aim after a look; once healthy it stays done, whatever comes later."""
    if aim.done is not None or not seen.deliveries or any(d.phase is not Phase.HEALTHY for d in seen.deliveries):
        return aim
    told = max(seconds(d.since) for d in seen.deliveries)
    # A tool that had nothing to do was healthy before the merge.
    return replace(aim, done=(told if merged < told <= now else now) - merged)


def text(rollout: Rollout, seen: Mapping[Aim, Seen], limit: float, *, late: bool) -> str:
    """The comment, "" as long as there is nothing to say. `late`: it was followed for `limit` seconds, no longer."""
    rows = [_row(aim, seen.get(aim, Seen()), rollout, limit, late=late) for aim in rollout.aims if not aim.idle]
    told = [row for row in rows if row]
    if not told:
        return ""
    more = [f"- {len(told) - MOST_AIMS} more"] if len(told) > MOST_AIMS else []
    return "\n".join([f"**Rollout of {rollout.sha[:7]}**", "", *told[:MOST_AIMS], *more])


def duration(value: float) -> str:
    """2m14s, 14s, 1h02m."""
    minutes, rest = divmod(round(value), 60)
    if minutes >= 60:
        return f"{minutes // 60}h{minutes % 60:02}m"
    return f"{minutes}m{rest:02}s" if minutes else f"{rest}s"


def _row(aim: Aim, seen: Seen, rollout: Rollout, limit: float, *, late: bool) -> str:
    path, where = code(aim.path), markdown(aim.where)
    if aim.done is not None:
        return f"- ✅ {path} synced and healthy in {where} after {duration(aim.done)}"
    end = f" The bot stops looking after {duration(limit)}." if late else ""
    if seen.trouble:
        return f"- ⚠️ {path} in {where}: {markdown(_short(seen.trouble))}.{end}"
    if not seen.deliveries:
        # An Application may come with the merge itself, so that this is known at the end only.
        nobody = f"no Application, Kustomization or HelmRelease there deploys it from {code(rollout.branch)}."
        return f"- ⚠️ {path} in {where}: {nobody}{end}" if late else ""
    worst = _worst(seen.deliveries)
    failed = worst.phase is Phase.FAILED
    sign = "❌" if failed else "⌛" if late else "⏳"
    name = f"{worst.kind} {code(f'{worst.namespace}/{worst.name}')}"
    lines = [f"- {sign} {path} in {where}: {name} {markdown(_short(worst.says))}.{end}"]
    if failed:
        lines += [f"  - {markdown(_short(cause))}" for cause in worst.causes]
        lines += [f"  - event {markdown(_short(event))}" for event in seen.events]
    return "\n".join(lines)


def _worst(deliveries: Sequence[Delivery]) -> Delivery:
    order = (Phase.FAILED, Phase.WAITING, Phase.ROLLING, Phase.HEALTHY)
    return min(deliveries, key=lambda d: (order.index(d.phase), d.namespace, d.name))


def worst_of(seen: Seen) -> Delivery | None:
    """What failed, if something did: its events are worth asking for."""
    found = _worst(seen.deliveries) if seen.deliveries else None
    return found if found is not None and found.phase is Phase.FAILED else None


def _short(words: str) -> str:
    line = " ".join(words.split()).rstrip(".")
    return line if len(line) <= MOST_TEXT else f"{line[:MOST_TEXT]}…"
