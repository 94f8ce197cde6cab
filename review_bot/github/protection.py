"""A branch's protection and rulesets, read through an installation, and the protection that has what the gate needs.

Sources: GitHub's REST API (2022-11-28), "Branch protection" and "Rules". Rulesets are only read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from review_bot.core.protection import Rules
from review_bot.github.client import Installation
from review_bot.github.errors import Forbidden, Missing
from review_bot.github.pulls import repo_path
from review_bot.github.queue import groups

PROTECTION = "branch protection"
ANYBODY = -1
# GitHub answers 404 for several reasons; only this one says that there is nothing to lose.
_UNPROTECTED = "Branch not protected"
# Settings that a write must repeat, or GitHub turns them off.
_SWITCHES = (
    "required_linear_history",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
    "allow_fork_syncing",
)
_ROLES = {2: "the role maintain", 4: "the role write", 5: "the role admin"}
_ACTORS = {
    "OrganizationAdmin": "the organisation's owners",
    "EnterpriseOwner": "the enterprise's owners",
    "DeployKey": "deploy keys",
}


@dataclass(frozen=True)
class Protected:
    """What GitHub shows of a branch. `classic` is its branch protection as GitHub wrote it, None where there is none.

    `refused` is why that could not be read, `unruled` why rulesets could not. `idle` names the rulesets for branches
    that hold nobody back.
    """

    classic: Mapping[str, Any] | None
    places: tuple[Rules, ...]
    refused: str = ""
    idle: tuple[str, ...] = field(default=())
    unruled: str = ""


class Protections:
    """The branches of one repository."""

    def __init__(self, api: Installation, repository: str) -> None:
        self._api, self._repository, self._path = api, repository, repo_path(repository)

    async def default_branch(self) -> str:
        """Raises GitHubError."""
        return str((await self._api.get(self._path))["default_branch"])

    async def read(self, branch: str) -> Protected:
        """Raises GitHubError: Missing where there is no such branch."""
        name = quote(branch, safe="")
        await self._api.get(f"{self._path}/branches/{name}")
        (found, refused), (rows, listed, unruled), queued = await asyncio.gather(
            self._classic(name), self._rules(name), groups(self._api, self._repository)
        )
        ids = sorted({int(row["ruleset_id"]) for row in rows})
        rulesets = dict(zip(ids, await asyncio.gather(*(self._ruleset(id) for id in ids)), strict=True))
        places = [ruleset_of([r for r in rows if r["ruleset_id"] == id], ruleset) for id, ruleset in rulesets.items()]
        idle = [
            f"{row['name']} ({row['enforcement']})"
            for row in listed
            if row["enforcement"] != "active" and row.get("target", "branch") == "branch"
        ]
        # Branch protection does not show that it demands a merge queue; what waits in one does.
        queue = any(group.base_ref == branch for group in queued)
        first = [replace(classic_of(found), queue=queue)] if found is not None else []
        return Protected(found, (*first, *places), refused, tuple(idle), unruled)

    async def _classic(self, name: str) -> tuple[Mapping[str, Any] | None, str]:
        try:
            return await self._api.get(f"{self._path}/branches/{name}/protection"), ""
        except Missing as error:
            return None, "" if _UNPROTECTED in str(error) else str(error)
        except Forbidden as error:
            return None, str(error)

    async def _rules(self, name: str) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]], str]:
        """The active rules of a branch and all rulesets; none, and why, where the plan or the server has none."""
        try:
            rows = await self._api.pages(f"{self._path}/rules/branches/{name}")
            return rows, await self._api.pages(f"{self._path}/rulesets"), ""
        except (Missing, Forbidden) as error:
            return [], [], str(error)

    async def _ruleset(self, id: int) -> Mapping[str, Any]:
        """{} where the App may not see it: then it is not known who goes around it."""
        try:
            return dict(await self._api.get(f"{self._path}/rulesets/{id}"))
        except (Missing, Forbidden):
            return {}

    async def mend(self, branch: str, present: Protected, checks: Iterable[str], app_id: int) -> tuple[str, ...]:
        """Set what is missing, keeping all that is there; the settings that GitHub shows otherwise than they were sent.

        Raises GitHubError: Forbidden without the permission administration: write.
        """
        path = f"{self._path}/branches/{quote(branch, safe='')}/protection"
        wanted = tuple(checks)
        body = mended(present.classic, wanted, app_id)
        await self._api.send("PUT", path, body)
        # A rule for a pattern covered the branch before; the new one is its own and begins without this.
        if _on(present.classic or {}, "required_signatures"):
            await self._api.send("POST", f"{path}/required_signatures")
        return otherwise(body, mended(await self._api.get(path), wanted, app_id))


def otherwise(sent: Mapping[str, Any], shown: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of the settings in which two bodies differ, whatever the order of their lists."""
    return tuple(name for name in sent if _sorted(sent[name]) != _sorted(shown.get(name)))


def _sorted(value: Any) -> Any:
    """Without order, and without the list of those who need no pull request: an empty one is not shown."""
    if isinstance(value, Mapping):
        return {k: _sorted(v) for k, v in value.items() if k != "bypass_pull_request_allowances"}
    return sorted(map(str, value)) if isinstance(value, list) else value


def classic_of(row: Mapping[str, Any]) -> Rules:
    """A branch protection as rules."""
    checks = row.get("required_status_checks") or {}
    reviews = row.get("required_pull_request_reviews")
    sources: dict[str, tuple[int | None, ...]] = {}
    for check in _required(row):
        sources[check["context"]] = (*sources.get(check["context"], ()), _source(check.get("app_id")))
    around = [] if _on(row, "enforce_admins") else ["administrators"]
    allowed = (reviews or {}).get("bypass_pull_request_allowances") or {}
    around += [who for kind in ("users", "teams", "apps") for who in _names(allowed, kind)]
    return Rules(
        name=PROTECTION,
        checks=sources,
        bypass=tuple(around),
        no_force_pushes=_off(row, "allow_force_pushes"),
        no_deletion=_off(row, "allow_deletions"),
        reviews=None if reviews is None else int(reviews.get("required_approving_review_count") or 0),
        strict=bool(checks.get("strict")),
        dismisses_stale=bool((reviews or {}).get("dismiss_stale_reviews")),
        last_push=bool((reviews or {}).get("require_last_push_approval")),
    )


def ruleset_of(rows: Sequence[Mapping[str, Any]], ruleset: Mapping[str, Any]) -> Rules:
    """The rules of one ruleset that hold for a branch; `ruleset` is itself, {} where it can't be seen."""
    by_type = {str(row["type"]): row.get("parameters") or {} for row in rows}
    required = by_type.get("required_status_checks", {})
    sources: dict[str, tuple[int | None, ...]] = {}
    for check in required.get("required_status_checks", []):
        sources[check["context"]] = (*sources.get(check["context"], ()), _source(check.get("integration_id")))
    pulls = by_type.get("pull_request")
    bypass = ruleset.get("bypass_actors")
    return Rules(
        name=f"ruleset {ruleset.get('name') or rows[0]['ruleset_id']}",
        checks=sources,
        bypass=None if bypass is None else tuple(_actor(actor) for actor in bypass),
        no_force_pushes="non_fast_forward" in by_type,
        no_deletion="deletion" in by_type,
        reviews=None if pulls is None else int(pulls.get("required_approving_review_count") or 0),
        strict=bool(required.get("strict_required_status_checks_policy")),
        dismisses_stale=bool((pulls or {}).get("dismiss_stale_reviews_on_push")),
        last_push=bool((pulls or {}).get("require_last_push_approval")),
        queue="merge_queue" in by_type,
    )


def mended(row: Mapping[str, Any] | None, checks: Iterable[str], app_id: int) -> dict[str, Any]:
    """The body that sets a branch's protection: all that `row` has, and what the gate needs.

    Nothing is weakened. A check of ours that another App must make stays as it is: somebody meant that. GitHub's
    description demands `contexts` beside `checks`, but GitHub refuses a body with both.
    """
    present = row or {}
    required = present.get("required_status_checks") or {}
    ours = set(checks)
    kept = [
        {"context": check["context"], "app_id": ANYBODY if _source(check.get("app_id")) is None else check["app_id"]}
        for check in _required(present)
        if check["context"] not in ours or _source(check.get("app_id")) not in (None, app_id)
    ]
    taken = {check["context"] for check in kept}
    return {
        "required_status_checks": {
            "strict": bool(required.get("strict")),
            "checks": [*kept, *({"context": name, "app_id": app_id} for name in sorted(ours - taken))],
        },
        "enforce_admins": True,
        "required_pull_request_reviews": _reviews(present.get("required_pull_request_reviews") or {}),
        "restrictions": _people(present["restrictions"]) if present.get("restrictions") else None,
        "allow_force_pushes": False,
        "allow_deletions": False,
        **{name: _on(present, name) for name in _SWITCHES},
    }


def _required(row: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The required checks; servers that know no sources tell `contexts` only."""
    policy = row.get("required_status_checks") or {}
    found = list(policy.get("checks") or [])
    named = {check["context"] for check in found}
    return found + [{"context": c, "app_id": None} for c in policy.get("contexts") or [] if c not in named]


def _reviews(row: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "dismiss_stale_reviews": bool(row.get("dismiss_stale_reviews")),
        "require_code_owner_reviews": bool(row.get("require_code_owner_reviews")),
        "require_last_push_approval": bool(row.get("require_last_push_approval")),
        "required_approving_review_count": int(row.get("required_approving_review_count") or 0),
    }
    if row.get("dismissal_restrictions"):
        told["dismissal_restrictions"] = _people(row["dismissal_restrictions"])
    if row.get("bypass_pull_request_allowances"):
        told["bypass_pull_request_allowances"] = {"users": [], "teams": [], "apps": []}
    return told


def _people(row: Mapping[str, Any]) -> dict[str, list[str]]:
    return {kind: _names(row, kind) for kind in ("users", "teams", "apps")}


def _names(row: Mapping[str, Any], kind: str) -> list[str]:
    return [str(one["login" if kind == "users" else "slug"]) for one in row.get(kind) or []]


def _source(id: int | None) -> int | None:
    return None if id in (None, ANYBODY) else id


def _on(row: Mapping[str, Any], name: str) -> bool:
    return bool((row.get(name) or {}).get("enabled"))


def _off(row: Mapping[str, Any], name: str) -> bool:
    return (row.get(name) or {}).get("enabled") is False


def _actor(row: Mapping[str, Any]) -> str:
    kind, id = str(row["actor_type"]), row.get("actor_id")
    if kind == "RepositoryRole":
        who = _ROLES.get(id or 0, f"the custom role {id}")
    else:
        who = _ACTORS.get(kind, f"{'App' if kind == 'Integration' else kind.lower()} {id}")
    return f"{who} (in pull requests)" if row.get("bypass_mode") == "pull_request" else who
