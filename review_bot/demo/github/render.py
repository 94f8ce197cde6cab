"""Accounts, repositories, teams and Apps as GitHub's JSON."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from review_bot.demo.github.accounts import Account, App, Installation, Team
from review_bot.demo.github.state import Repository
from review_bot.demo.github.world import World

Json = dict[str, Any]
_REPOSITORY_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}


def time(moment: datetime | None) -> str | None:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def node(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def user_or_null(world: World, account: Account) -> Json | None:
    """The user; null where the account is gone, as reviews and comments have it."""
    return None if account.gone else user(world, account)


def user(world: World, account: Account) -> Json:
    api = f"{world.api_url}/users/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node("User", account.id),
        "avatar_url": f"{world.url}/avatars/{account.id}",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{world.url}/{account.login}",
        "followers_url": f"{api}/followers",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "subscriptions_url": f"{api}/subscriptions",
        "organizations_url": f"{api}/orgs",
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events{{/privacy}}",
        "received_events_url": f"{api}/received_events",
        "type": account.kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def full_user(world: World, account: Account, *, email: bool = True) -> Json:
    """A user with the fields of their page. GitHub shows the e-mail only where the user made it public."""
    made = time(account.created_at)
    return {
        **user(world, account),
        "name": account.name,
        "company": None,
        "blog": "",
        "location": None,
        "email": account.email if email else None,
        "hireable": None,
        "bio": None,
        "twitter_username": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": made,
        "updated_at": made,
    }


def organisation(world: World, account: Account) -> Json:
    api = f"{world.api_url}/orgs/{account.login}"
    return {
        "login": account.login,
        "id": account.id,
        "node_id": node("Organization", account.id),
        "url": api,
        "repos_url": f"{api}/repos",
        "events_url": f"{api}/events",
        "hooks_url": f"{api}/hooks",
        "issues_url": f"{api}/issues",
        "members_url": f"{api}/members{{/member}}",
        "public_members_url": f"{api}/public_members{{/member}}",
        "avatar_url": f"{world.url}/avatars/{account.id}",
        "description": "",
    }


def _named(world: World, repository: Repository) -> Json:
    api = f"{world.api_url}/repos/{repository.full_name}"
    return {
        "id": repository.id,
        "node_id": node("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
        "owner": user(world, repository.owner),
        "html_url": f"{world.url}/{repository.full_name}",
        "description": None,
        "fork": repository.parent is not None,
        "url": api,
        **{f"{name}_url": api + rest for name, rest in _REPOSITORY_LINKS.items()},
    }


def repository(world: World, repository: Repository, viewer_role: str | None = None) -> Json:
    open_issues = sum(1 for issue in repository.issues.values() if issue.state == "open")
    forks = sum(1 for other in world.repositories.values() if other.parent is repository)
    shown = {
        **_named(world, repository),
        **_clone_addresses(world, repository),
        **{name: time(repository.pushed_at) for name in ("pushed_at", "updated_at")},
        "created_at": time(repository.created_at),
        **dict.fromkeys(("mirror_url", "homepage", "language", "license"), None),
        **dict.fromkeys(("size", "stargazers_count", "watchers_count", "watchers", "stargazers"), 0),
        **dict.fromkeys(("forks_count", "forks"), forks),
        **dict.fromkeys(("open_issues_count", "open_issues"), open_issues),
        **dict.fromkeys(("has_issues", "has_projects", "has_wiki", "has_downloads", "allow_forking"), True),
        **dict.fromkeys(("has_pages", "has_discussions", "archived", "disabled", "is_template"), False),
        "topics": [],
        "visibility": "private" if repository.private else "public",
        "default_branch": repository.default_branch,
        "web_commit_signoff_required": False,
    }
    if viewer_role is not None:
        shown["permissions"] = permissions(viewer_role)
    return shown


def full_repository(world: World, found: Repository, viewer_role: str) -> Json:
    shown = repository(world, found, viewer_role)
    shown |= dict.fromkeys(("allow_squash_merge", "allow_merge_commit", "allow_rebase_merge"), True)
    shown |= {"subscribers_count": 0, "network_count": 0, "allow_auto_merge": True, "delete_branch_on_merge": False}
    if found.owner.kind == "Organization":
        shown["organization"] = user(world, found.owner)
    if found.parent:
        shown |= dict.fromkeys(("parent", "source"), repository(world, found.parent))
    return shown


def _clone_addresses(world: World, repository: Repository) -> Json:
    return {
        "git_url": f"git://{world.url.split('//')[-1]}/{repository.full_name}.git",
        "ssh_url": f"git@127.0.0.1:{repository.full_name}.git",
        "clone_url": f"{world.url}/{repository.full_name}.git",
        "svn_url": f"{world.url}/{repository.full_name}",
    }


def permissions(role: str) -> Json:
    order = ("none", "read", "triage", "write", "maintain", "admin")
    rank = order.index(role)
    names = {"admin": 5, "maintain": 4, "push": 3, "triage": 2, "pull": 1}
    return {name: rank >= least for name, least in names.items()}


def team(world: World, team: Team) -> Json:
    api = f"{world.api_url}/organizations/{team.organisation.id}/team/{team.id}"
    return {
        "id": team.id,
        "node_id": node("Team", team.id),
        "name": team.name,
        "slug": team.slug,
        "description": "",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": api,
        "html_url": f"{world.url}/orgs/{team.organisation.login}/teams/{team.slug}",
        "members_url": f"{api}/members{{/member}}",
        "repositories_url": f"{api}/repos",
        "type": "organization",
        "organization_id": team.organisation.id,
        "parent": None,
    }


def full_team(world: World, found: Team) -> Json:
    made = time(found.created_at)
    owner = found.organisation
    return {
        **team(world, found),
        "members_count": len(found.members),
        "repos_count": sum(1 for r in world.repositories.values() if r.owner is owner),
        "created_at": made,
        "updated_at": made,
        "organization": {
            **organisation(world, owner),
            "name": owner.name,
            "html_url": f"{world.url}/{owner.login}",
            **dict.fromkeys(("has_organization_projects", "has_repository_projects"), True),
            **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
            "created_at": time(owner.created_at),
            "updated_at": time(owner.created_at),
            "archived_at": None,
            "type": "Organization",
            "company": None,
            "blog": None,
            "location": None,
            "email": None,
        },
    }


def app(world: World, app: App) -> Json:
    return {
        "id": app.id,
        "client_id": f"Iv23{app.id}",
        "slug": app.slug,
        "node_id": node("Integration", app.id),
        "owner": user(world, app.owner),
        "name": app.name,
        "description": "",
        "external_url": "https://example.com",
        "html_url": f"{world.url}/apps/{app.slug}",
        "created_at": time(app.created_at),
        "updated_at": time(app.created_at),
        "permissions": dict(app.permissions),
        "events": list(app.events),
    }


def installation(world: World, found: Installation) -> Json:
    api = f"{world.api_url}/app/installations/{found.id}"
    return {
        "id": found.id,
        "client_id": f"Iv23{world.app.id}",
        "account": user(world, found.account),
        "repository_selection": "selected",
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.url}/settings/installations/{found.id}",
        "app_id": world.app.id,
        "app_slug": world.app.slug,
        "target_id": found.account.id,
        "target_type": found.account.kind,
        "permissions": dict(found.permissions),
        "events": list(world.app.events),
        "created_at": time(found.created_at),
        "updated_at": time(found.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": time(found.suspended_at),
    }
