"""People: users, teams, members, collaborators."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import render
from review_bot.demo.github.accounts import Account, Team
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.state import Repository

Json = dict[str, Any]
routes = Routes()
# What the old field `permission` says of each role.
_OLD = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read", "none": "none"}


@routes.add("GET", "/user", "signed-in")
async def me(call: Call) -> Reply:
    if call.actor.kind == "installation":
        raise ApiError(403, "Resource not accessible by integration")
    shown = render.full_user(call.world, call.who)
    names = ("private_gists", "total_private_repos", "owned_private_repos", "disk_usage", "collaborators")
    return Reply(body={**shown, **dict.fromkeys(names, 0), "two_factor_authentication": True})


@routes.add("GET", "/users/{username}", "public")
async def user(call: Call) -> Reply:
    return Reply(body=render.full_user(call.world, _account(call, "username")))


@routes.add("GET", "/search/users", "signed-in")
async def search_users(call: Call) -> Reply:
    """Users by login, name or (`in:email`) public e-mail address."""
    words = [w for w in call.query.get("q", "").split() if w]
    if not words:
        raise ApiError(422, "Validation Failed", errors=[{"resource": "Search", "field": "q", "code": "missing"}])
    by_email = "in:email" in words
    wanted = " ".join(w for w in words if ":" not in w).strip('"').lower()
    found = [
        account
        for account in call.world.accounts.values()
        if wanted and wanted in ((account.email or "") if by_email else f"{account.login} {account.name or ''}").lower()
    ]
    shown, links = call.page(found)
    items = [{**render.user(call.world, account), "score": 1.0} for account in shown]
    return Reply(body={"total_count": len(found), "incomplete_results": False, "items": items}, headers=links)


def _account(call: Call, name: str) -> Account:
    found = call.world.account(call.params[name])
    if found is None:
        raise not_found()
    return found


def _team(call: Call) -> Team:
    found = call.world.teams.get(f"{call.params['org']}/{call.params['team_slug']}".lower())
    if found is None:
        raise not_found()
    return found


@routes.add("GET", "/orgs/{org}/teams", "members:read")
async def teams(call: Call) -> Reply:
    owner = _account(call, "org")
    shown, links = call.page([t for t in call.world.teams.values() if t.organisation is owner])
    return Reply(body=[render.team(call.world, t) for t in shown], headers=links)


@routes.add("GET", "/orgs/{org}/teams/{team_slug}", "members:read")
async def team(call: Call) -> Reply:
    return Reply(body=render.full_team(call.world, _team(call)))


@routes.add("GET", "/orgs/{org}/teams/{team_slug}/members", "members:read")
async def team_members(call: Call) -> Reply:
    accounts = [call.world.account(login) for login in _team(call).members]
    shown, links = call.page([a for a in accounts if a])
    return Reply(body=[render.user(call.world, a) for a in shown], headers=links)


@routes.add("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}", "members:read")
async def team_membership(call: Call) -> Reply:
    found = _team(call)
    account = _account(call, "username")
    if account.login not in found.members:
        raise not_found()
    address = f"{call.world.api_url}{call.path}"
    return Reply(body={"url": address, "role": found.members[account.login], "state": "active"})


@routes.add("GET", "/orgs/{org}/members", "members:read")
async def members(call: Call) -> Reply:
    accounts = [call.world.account(login) for login in _account(call, "org").members]
    shown, links = call.page([a for a in accounts if a])
    return Reply(body=[render.user(call.world, a) for a in shown], headers=links)


@routes.add("GET", "/orgs/{org}/members/{username}", "members:read")
async def member(call: Call) -> Reply:
    if _account(call, "username").login not in _account(call, "org").members:
        raise not_found()
    return Reply(204)


@routes.add("GET", "/orgs/{org}/memberships/{username}", "members:read")
async def membership(call: Call) -> Reply:
    owner, account = _account(call, "org"), _account(call, "username")
    if account.login not in owner.members:
        raise not_found()
    api = f"{call.world.api_url}/orgs/{owner.login}"
    return Reply(
        body={
            "url": f"{api}/memberships/{account.login}",
            "state": "active",
            "role": owner.members[account.login],
            "organization_url": api,
            "organization": render.organisation(call.world, owner),
            "user": render.user(call.world, account),
        }
    )


def _collaborators(call: Call, repository: Repository) -> list[Account]:
    people = [a for a in call.world.accounts.values() if a.kind == "User"]
    return [a for a in people if call.world.role(a, repository) != "none" and _belongs(call, a, repository)]


def _belongs(call: Call, account: Account, repository: Repository) -> bool:
    """Whether someone is a collaborator and not only a reader of a public repository."""
    if repository.private or call.world.allows(account, repository, "triage"):
        return True
    return account.login.lower() in {name.lower() for name in repository.collaborators}


def _collaborator(call: Call, account: Account, repository: Repository) -> Json:
    role = call.world.role(account, repository)
    return {**render.user(call.world, account), "permissions": render.permissions(role), "role_name": role}


@routes.add("GET", "/repos/{owner}/{repo}/collaborators", "metadata:read", people="write")
async def collaborators(call: Call) -> Reply:
    shown, links = call.page(_collaborators(call, call.repo))
    return Reply(body=[_collaborator(call, a, call.repo) for a in shown], headers=links)


@routes.add("GET", "/repos/{owner}/{repo}/collaborators/{username}", "metadata:read")
async def is_collaborator(call: Call) -> Reply:
    if _account(call, "username") not in _collaborators(call, call.repo):
        raise not_found()
    return Reply(204)


@routes.add("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read")
async def permission(call: Call) -> Reply:
    repository, account = call.repo, _account(call, "username")
    if account.kind != "User":
        raise ApiError(404, f"{account.login} is not a user")
    role = call.world.role(account, repository)
    body = {"permission": _OLD[role], "role_name": role, "user": _collaborator(call, account, repository)}
    return Reply(body=body)
