"""Branch protection, read and written, and rulesets, read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from review_bot.demo.github import render
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.protection import protection_of
from review_bot.demo.github.state import Protection, Repository, Ruleset

Json = dict[str, Any]
routes = Routes()
_ONE = "/repos/{owner}/{repo}/branches/{branch}/protection"
# What is on or off and does nothing else here.
SWITCHES = (
    "required_linear_history",
    "allow_force_pushes",
    "allow_deletions",
    "block_creations",
    "required_conversation_resolution",
    "lock_branch",
    "allow_fork_syncing",
)
SIGNATURES = "required_signatures"
_NEEDED = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")
_WRITE, _READ = "administration:write", "administration:read"


# What follows a branch's name in a path comes before the branch itself, whose name may hold slashes.
@routes.add("POST", _ONE + "/required_signatures", _WRITE, people="admin")
async def require_signatures(call: Call) -> Reply:
    rule = await _rule(call)
    changed = replace(rule, switches=rule.switches | {SIGNATURES})
    call.repo.protections[call.params["branch"]] = changed
    return Reply(body={"url": f"{call.world.api_url}{call.path}", "enabled": True})


@routes.add("GET", _ONE, _READ, people="admin")
async def branch_protection(call: Call) -> Reply:
    return Reply(body=_shown(call, await _rule(call)))


@routes.add("PUT", _ONE, _WRITE, people="admin")
async def set_branch_protection(call: Call) -> Reply:
    """All of it is set at once: what the body leaves out is off afterwards, but for required signatures."""
    name = call.params["branch"]
    if await call.repo.git.branch(name) is None:
        raise ApiError(404, "Branch not found")
    missing = [key for key in _NEEDED if key not in call.body]
    if missing:
        words = ", ".join(f'"{key}"' for key in missing)
        raise ApiError(422, f"Invalid request.\n\n{words} weren't supplied.")
    before = call.repo.protections.get(name, Protection())
    made = _made(call, before)
    call.repo.protections[name] = made
    return Reply(body=_shown(call, made))


async def _rule(call: Call) -> Protection:
    name = call.params["branch"]
    if await call.repo.git.branch(name) is None:
        raise ApiError(404, "Branch not found")
    rule = protection_of(call.repo, name)
    if rule is None:
        raise ApiError(404, "Branch not protected")
    return rule


def _made(call: Call, before: Protection) -> Protection:
    checks, reviews = call.body["required_status_checks"] or {}, call.body["required_pull_request_reviews"]
    if "contexts" in checks and "checks" in checks:
        raise ApiError(422, 'Invalid request.\n\nMore than one subschema in "oneOf" matched.')
    rows = [*({"context": name} for name in checks.get("contexts", [])), *checks.get("checks", [])]
    told: Mapping[str, Any] = reviews or {}
    kept = before.switches & {SIGNATURES}
    return Protection(
        required_checks=tuple(dict.fromkeys(row["context"] for row in rows)),
        apps={row["context"]: row["app_id"] for row in rows if row.get("app_id", -1) != -1},
        required_approvals=told.get("required_approving_review_count", 1) if reviews is not None else 0,
        dismiss_stale=told.get("dismiss_stale_reviews", False),
        strict=checks.get("strict", False),
        require_pull_request=reviews is not None,
        enforce_admins=bool(call.body["enforce_admins"]),
        merge_queue=before.merge_queue,
        code_owners=told.get("require_code_owner_reviews", False),
        last_push=told.get("require_last_push_approval", False),
        switches=kept | {name for name in SWITCHES if call.body.get(name)},
        bypass=_named(call.repo, told.get("bypass_pull_request_allowances") or {}),
        pushers=_named(call.repo, call.body["restrictions"]) if call.body["restrictions"] is not None else None,
    )


def _named(repository: Repository, row: Mapping[str, Any]) -> tuple[str, ...]:
    return (*row.get("users", ()), *(f"{repository.owner.login}/{slug}" for slug in row.get("teams", ())))


def _shown(call: Call, rule: Protection) -> Json:
    url = f"{call.world.api_url}{call.path}"
    shown: Json = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rule.enforce_admins},
        **{name: {"enabled": name in rule.switches} for name in SWITCHES},
        SIGNATURES: {"url": f"{url}/{SIGNATURES}", "enabled": SIGNATURES in rule.switches},
    }
    if rule.required_checks:
        shown["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": rule.strict,
            "contexts": list(rule.required_checks),
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": name, "app_id": rule.apps.get(name)} for name in rule.required_checks],
        }
    if rule.required_approvals or rule.require_pull_request:
        shown["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rule.dismiss_stale,
            "require_code_owner_reviews": rule.code_owners,
            "require_last_push_approval": rule.last_push,
            "required_approving_review_count": rule.required_approvals,
        }
        if rule.bypass:
            shown["required_pull_request_reviews"]["bypass_pull_request_allowances"] = _people(call, rule.bypass)
    if rule.pushers is not None:
        links = {f"{kind}_url": f"{url}/restrictions/{kind}" for kind in ("users", "teams", "apps")}
        shown["restrictions"] = {"url": f"{url}/restrictions", **links, **_people(call, rule.pushers)}
    return shown


def _people(call: Call, names: Iterable[str]) -> Json:
    world = call.world
    teams = [world.teams[name.lower()] for name in names if "/" in name]
    users = [found for name in names if "/" not in name and (found := world.account(name)) is not None]
    return {
        "users": [render.user(world, user) for user in users],
        "teams": [render.team(world, team) for team in teams],
        "apps": [],
    }


@routes.add("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", "metadata:read")
async def rules(call: Call) -> Reply:
    """The rules of active rulesets; a branch protection is no part of them."""
    ref = f"refs/heads/{call.params['branch']}"
    found = [
        {
            **rule,
            "ruleset_source_type": "Repository",
            "ruleset_source": call.repo.full_name,
            "ruleset_id": ruleset.id,
        }
        for ruleset in call.repo.rulesets.values()
        if ruleset.enforcement == "active" and any(fnmatchcase(ref, pattern) for pattern in ruleset.include)
        for rule in ruleset.rules
    ]
    shown, links = call.page(found)
    return Reply(body=shown, headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/rulesets", "metadata:read")
async def rulesets(call: Call) -> Reply:
    shown, links = call.page([_summary(call, ruleset) for ruleset in call.repo.rulesets.values()])
    return Reply(body=shown, headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", "metadata:read")
async def ruleset(call: Call) -> Reply:
    found = call.repo.rulesets.get(call.number("ruleset_id"))
    if found is None:
        raise not_found()
    shown = _summary(call, found) | {
        "conditions": {"ref_name": {"include": list(found.include), "exclude": []}},
        "rules": list(found.rules),
    }
    # Only who may write a ruleset sees who may go around it.
    if call.actor.permissions.get("administration") == "write" or call.world.allows(
        call.actor.account, call.repo, "admin"
    ):
        shown["bypass_actors"] = list(found.bypass)
    return Reply(body=shown)


def _summary(call: Call, ruleset: Ruleset) -> Json:
    return {
        "id": ruleset.id,
        "name": ruleset.name,
        "target": "branch",
        "source_type": "Repository",
        "source": call.repo.full_name,
        "enforcement": ruleset.enforcement,
        "node_id": render.node("RRS", ruleset.id),
        "created_at": render.time(call.repo.created_at),
        "updated_at": render.time(call.repo.created_at),
    }
