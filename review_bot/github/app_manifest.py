"""The App as the bot needs it: what GitHub's manifest flow is asked for, and what it gives back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from review_bot.core.errors import InputError

# What each is for stands in docs/operations.md.
PERMISSIONS: Mapping[str, str] = {
    "metadata": "read",
    "members": "read",
    "administration": "read",
    "merge_queues": "read",
    "contents": "write",
    "checks": "write",
    "pull_requests": "write",
    "issues": "write",
    "statuses": "write",
}
EVENTS = (
    *("pull_request", "pull_request_review", "issue_comment", "push", "check_run", "check_suite", "status"),
    *("merge_group", "membership", "team", "member"),
)


def manifest(name: str, public_url: str, redirect_url: str) -> dict[str, Any]:
    """What GitHub's page for a new App is posted (docs.github.com: registering an App from a manifest)."""
    return {
        "name": name,
        "url": public_url,
        "hook_attributes": {"url": f"{public_url}/webhook", "active": True},
        "redirect_url": redirect_url,
        "public": False,
        "default_permissions": dict(PERMISSIONS),
        "default_events": list(EVENTS),
    }


@dataclass(frozen=True)
class NewApp:
    """The App that GitHub made; `page` is where it is installed."""

    id: int
    slug: str
    page: str
    private_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    @staticmethod
    def of(answer: Mapping[str, Any]) -> NewApp:
        """From GitHub's answer to the code. Raises InputError where something is missing."""
        try:
            secret = str(answer["webhook_secret"] or "")
            found = NewApp(int(answer["id"]), str(answer["slug"]), str(answer["html_url"]), str(answer["pem"]), secret)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"GitHub's answer lacks {error}", help="look at the App's page on GitHub") from error
        if not found.webhook_secret:
            raise InputError("GitHub made no webhook secret", help="set one on the App's page, and in the settings")
        return found

    def settings(self, key_file: str, api_url: str | None, public_url: str) -> str:
        """The service's settings, as an environment file."""
        rows = {
            "GITHUB_APP_ID": str(self.id),
            "GITHUB_PRIVATE_KEY_FILE": key_file,
            "GITHUB_WEBHOOK_SECRET": self.webhook_secret,
            **({"GITHUB_API_URL": api_url} if api_url else {}),
            "REVIEW_BOT_PUBLIC_URL": public_url,
        }
        return "".join(f"{name}={value}\n" for name, value in rows.items())
