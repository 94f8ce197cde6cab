"""What tests and the demo do that has no REST endpoint on GitHub, or is done by clicking there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence

from review_bot.demo.github import merge_queue, pulls, render
from review_bot.demo.github.accounts import Account, Installation
from review_bot.demo.github.setup import Setup
from review_bot.demo.github.state import Pull, Repository
from review_bot.demo.github.webhooks import Delivery


class Acts(Setup):
    """Installing the App, deliveries, drafts, the merge queue."""

    def install(self, repositories: Sequence[str], permissions: Mapping[str, str] | None = None) -> int:
        """Install the App on repositories of one account; its id."""
        found = [self.repository(name) for name in repositories]
        granted = dict(permissions if permissions is not None else self.app.permissions)
        made = Installation(self.world.next_id(), found[0].owner, {r.id for r in found}, granted, self.world.now())
        self.world.installations[made.id] = made
        self._installation_event(made, "created")
        return made.id

    def change_installation(self, installation_id: int, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Give an installation repositories, or take them away."""
        found = self.world.installations[installation_id]
        for action, names in (("added", add), ("removed", remove)):
            chosen = [self.repository(name) for name in names]
            ids = {r.id for r in chosen}
            found.repositories = found.repositories | ids if action == "added" else found.repositories - ids
            if chosen:
                payload = {
                    "installation": render.installation(self.world, found),
                    "repository_selection": "selected",
                    "repositories_added": [_brief(r) for r in chosen] if action == "added" else [],
                    "repositories_removed": [_brief(r) for r in chosen] if action == "removed" else [],
                    "requester": None,
                }
                self.hub.webhooks.emit(
                    "installation_repositories",
                    action,
                    payload,
                    installation=found,
                    repository=None,
                    sender=found.account,
                )

    def suspend(self, installation_id: int, suspended: bool = True) -> None:
        """Suspend an installation, or end that; its tokens and events stop meanwhile."""
        found = self.world.installations[installation_id]
        found.suspended_at = None
        if not suspended:
            self._installation_event(found, "unsuspend")
            return
        self._installation_event(found, "suspend")
        found.suspended_at = self.world.now()

    def uninstall(self, installation_id: int) -> None:
        found = self.world.installations[installation_id]
        self._installation_event(found, "deleted")
        del self.world.installations[installation_id]
        found.repositories = set()

    def _installation_event(self, found: Installation, action: str) -> None:
        chosen = [r for r in self.world.repositories.values() if r.id in found.repositories]
        payload = {
            "installation": render.installation(self.world, found),
            "repositories": [_brief(r) for r in chosen],
            "requester": None,
        }
        self.hub.webhooks.emit(
            "installation", action, payload, installation=found, repository=None, sender=found.account
        )

    def change_team(self, name: str, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> None:
        """Someone joins a team or leaves it."""
        team = self.world.teams[name.lower()]
        for action, logins in (("added", add), ("removed", remove)):
            for login in logins:
                account = self.world.accounts[self._login(login).lower()]
                if action == "added":
                    team.members[account.login] = "member"
                    team.organisation.members.setdefault(account.login, "member")
                else:
                    team.members.pop(account.login, None)
                member = {"member": render.user(self.world, account), "team": render.team(self.world, team)}
                for found in self.world.installations.values():
                    if found.account is team.organisation:
                        self.hub.webhooks.emit(
                            "membership",
                            action,
                            {"scope": "team", **member},
                            installation=found,
                            repository=None,
                            sender=account,
                        )

    def new_manifest_code(self) -> str:
        """The code with which GitHub comes back from its page for a new App (the manifest flow)."""
        code = secrets.token_hex(20)
        self.world.manifest_codes.add(code)
        return code

    def redeliver(self, delivery_id: int) -> Delivery:
        return self.hub.webhooks.redeliver(delivery_id)

    async def deliver_all(self) -> None:
        """Wait until every delivery so far was sent."""
        await self.hub.webhooks.drain()

    async def ready(self, full_name: str, number: int, by: str | None = None) -> None:
        """Mark a draft as ready for review (GraphQL on GitHub)."""
        await self._set_draft(full_name, number, False, by)

    async def draft(self, full_name: str, number: int, by: str | None = None) -> None:
        """Convert to a draft (GraphQL on GitHub)."""
        await self._set_draft(full_name, number, True, by)

    async def _set_draft(self, full_name: str, number: int, draft: bool, by: str | None) -> None:
        repository, pull, actor = self._of(full_name, number, by)
        async with repository.lock:
            await pulls.set_draft(self.hub, repository, pull, draft, actor)

    async def enqueue(self, full_name: str, number: int, by: str | None = None) -> str:
        """Put a pull request into the merge queue; the group's head. Raises PullError."""
        repository, pull, actor = self._of(full_name, number, by)
        async with repository.lock:
            return await merge_queue.enqueue(self.hub, repository, pull, actor)

    async def finish_queue(self, full_name: str, number: int, by: str | None = None) -> bool:
        """Merge what is in the queue if its required checks pass, else drop it. Raises PullError."""
        repository, pull, actor = self._of(full_name, number, by)
        async with repository.lock:
            return await merge_queue.finish(self.hub, repository, pull, actor)

    def _of(self, full_name: str, number: int, by: str | None) -> tuple[Repository, Pull, Account]:
        pull = self.pull(full_name, number)
        return self.repository(full_name), pull, self.world.accounts[by.lower()] if by else pull.user


def _brief(repository: Repository) -> dict[str, object]:
    return {
        "id": repository.id,
        "node_id": render.node("Repository", repository.id),
        "name": repository.name,
        "full_name": repository.full_name,
        "private": repository.private,
    }
