"""The scene of the stand-in's tests: one organisation, its people, a repository and the App on it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from callers import Caller, Clone
from github_models import Models

from review_bot.demo.github.server import StandIn
from review_bot.demo.github.state import Protection

REPO = "/repos/org/config"


@dataclass
class Scene:
    github: StandIn
    models: Models
    folder: Path
    installation: int

    def caller(self, token: str | None) -> Caller:
        return Caller(self.github.api_url, token)

    def person(self, login: str) -> Caller:
        return self.caller(self.github.token_of(login))

    def as_app(self) -> Caller:
        return self.caller(app_jwt(self.github))

    @asynccontextmanager
    async def bot(self, **wanted: Any) -> AsyncIterator[Caller]:
        """The App as an installation."""
        async with self.as_app() as app:
            made = await app.post(f"/app/installations/{self.installation}/access_tokens", wanted or None)
        async with self.caller(made["token"]) as caller:
            yield caller

    async def clone(self, login: str, name: str = "org/config") -> Clone:
        folder = self.folder / "clones" / login / name.replace("/", "-")
        return await Clone.make(f"{self.github.url}/{name}.git", folder, login, self.github.token_of(login))

    async def pull(self, files: dict[str, str | None], *, branch: str = "topic", by: str = "alice") -> dict[str, Any]:
        """A pull request by someone who pushes a branch."""
        clone = await self.clone(by)
        await clone.commit(files, f"Change {branch}", branch=branch)
        await clone.push(branch)
        async with self.person(by) as caller:
            asked = {"title": f"Change {branch}", "head": branch, "base": "main", "body": "Please look."}
            return dict(await caller.post(f"{REPO}/pulls", asked))


def app_jwt(github: StandIn, **claims: Any) -> str:
    now = int(time.time())
    whole = {"iat": now - 30, "exp": now + 540, "iss": str(github.app.id), **claims}
    payload = json.dumps({k: v for k, v in whole.items() if v is not None}).encode()
    # PyJWT's own encode insists on strings where GitHub takes numbers too.
    return jwt.PyJWS().encode(payload, github.app.private_key, algorithm="RS256")


def play(tmp_path: Path, act: Callable[[Scene], Awaitable[None]], protection: Protection | None = None) -> None:
    """Run a test in a fresh scene, and hold everything that was said against GitHub's models."""

    async def run() -> None:
        source = tmp_path / "source"
        (source / "apps/web").mkdir(parents=True)
        (source / "apps/web/deployment.yaml").write_text("".join(f"line {n}\n" for n in range(1, 41)))
        (source / "README.md").write_text("config\n")
        models = Models()
        async with StandIn(tmp_path / "hub", models) as github:
            for login in ("alice", "carol", "dave", "erin", "mallory"):
                github.add_user(login)
            github.add_organisation("org", owners=["olivia"])
            github.add_team("org/security", ["erin"])
            people = {"alice": "write", "carol": "admin", "dave": "write", "mallory": "read", "org/security": "write"}
            github.add_repository("org/config", source, collaborators=people, protection=protection, author="carol")
            installation = github.install(["org/config"])
            await act(Scene(github, models, tmp_path, installation))
            await github.deliver_all()
            models.deliveries(github.deliveries)
            assert github.errors == []
        models.assert_none()

    asyncio.run(run())
