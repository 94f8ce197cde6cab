"""git over HTTP: `git http-backend` behind GitHub's authentication, with what follows from a push."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiohttp import web

from review_bot.core.tools import find
from review_bot.demo.github import pulls
from review_bot.demo.github.accounts import Actor
from review_bot.demo.github.git import environment
from review_bot.demo.github.hub import Hub
from review_bot.demo.github.protection import protection_of
from review_bot.demo.github.state import Repository
from review_bot.demo.github.tokens import BadCredentials

_CHUNK = 64 * 1024
# What git shows to someone whose push to a protected branch is refused.
UPDATE_HOOK = """\
#!/bin/sh
if printf '%s\\n' "$STANDIN_PROTECTED" | grep -Fxq "$1"; then
  echo "error: GH006: Protected branch update failed for $1." >&2
  echo "error: Changes must be made through a pull request." >&2
  exit 1
fi
"""


class Refused(Exception):
    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class GitHttp:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def serve(self, request: web.Request) -> tuple[web.StreamResponse, Actor]:
        """Answer one request of git's; also who asked."""
        actor = Actor()
        try:
            actor = self._hub.tokens.actor(request.headers.get("Authorization"))
            repository, writes = self._judge(request, actor)
        except BadCredentials:
            return _challenge("Invalid username or token."), actor
        except Refused as refusal:
            if refusal.status == 401:
                return _challenge(str(refusal)), actor
            return web.Response(status=refusal.status, text=str(refusal)), actor
        return await self._run(request, repository, actor, writes), actor

    def _judge(self, request: web.Request, actor: Actor) -> tuple[Repository, bool]:
        world = self._hub.world
        repository = world.repository(request.match_info["owner"], request.match_info["repo"])
        writes = "git-receive-pack" in (request.query.get("service"), request.match_info["tail"])
        if actor.kind == "anonymous" and (writes or repository is None or repository.private):
            raise Refused(401, "Authentication required")
        if actor.kind == "app":
            raise Refused(403, "A JSON web token does not open repositories.")
        if repository is None or not world.sees(actor, repository):
            raise Refused(404, "Repository not found.")
        who = actor.account.login if actor.account else ""
        denied = Refused(403, f"Permission to {repository.full_name}.git denied to {who}.")
        if actor.kind == "installation":
            level = actor.permissions.get("contents", "none")
            inside = repository.id in actor.repositories
            if (writes and (level != "write" or not inside)) or (level == "none" and repository.private):
                raise denied
        elif writes and not world.allows(actor.account, repository, "write"):
            raise denied
        return repository, writes

    async def _run(
        self, request: web.Request, repository: Repository, actor: Actor, writes: bool
    ) -> web.StreamResponse:
        pushes = writes and request.method == "POST"
        if not writes and request.method == "GET":
            for pull in repository.pulls.values():
                if pull.state == "open":
                    await self._hub.settle(repository, pull)
        if not pushes:
            return await self._backend(request, repository, actor, {})
        async with repository.lock:
            return await self._backend(request, repository, actor, await repository.git.refs())

    async def _backend(
        self, request: web.Request, repository: Repository, actor: Actor, before: dict[str, str]
    ) -> web.StreamResponse:
        pushes = request.method == "POST" and request.match_info["tail"] == "git-receive-pack"
        child = await asyncio.create_subprocess_exec(
            str(find("git")),
            "http-backend",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment(self._cgi(request, repository, actor, before)),
        )
        feeder = asyncio.create_task(_feed(request, child))
        try:
            response = await _answer(request, child)
            if pushes and actor.account:
                after = await repository.git.refs()
                await pulls.refs_moved(self._hub, repository, before, after, actor.account)
            await response.write_eof()
            await child.wait()
            return response
        finally:
            feeder.cancel()
            await asyncio.gather(feeder, return_exceptions=True)
            if child.returncode is None:
                child.kill()
            await child.wait()

    def _cgi(
        self, request: web.Request, repository: Repository, actor: Actor, refs: Mapping[str, str]
    ) -> dict[str, str]:
        admin = actor.kind == "user" and self._hub.world.allows(actor.account, repository, "admin")
        rules = {ref: protection_of(repository, ref.removeprefix("refs/heads/")) for ref in refs}
        guarded = [ref for ref, rule in rules.items() if rule and (rule.enforce_admins or not admin)]
        variables = {
            "GIT_PROJECT_ROOT": str(repository.git.path),
            "GIT_HTTP_EXPORT_ALL": "1",
            "PATH_INFO": f"/{request.match_info['tail']}",
            "QUERY_STRING": request.query_string,
            "REQUEST_METHOD": request.method,
            "REMOTE_USER": actor.account.login if actor.account else "",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "STANDIN_PROTECTED": "\n".join(guarded),
        }
        protocol = request.headers.get("Git-Protocol")
        return {**variables, "GIT_PROTOCOL": protocol} if protocol else variables


async def _feed(request: web.Request, child: asyncio.subprocess.Process) -> None:
    """The request's body, as it comes; aiohttp has unpacked gzip already."""
    if child.stdin is None:
        return
    try:
        async for chunk in request.content.iter_chunked(_CHUNK):
            child.stdin.write(chunk)
            await child.stdin.drain()
    except (ConnectionError, BrokenPipeError):
        return
    finally:
        child.stdin.close()


async def _answer(request: web.Request, child: asyncio.subprocess.Process) -> web.StreamResponse:
    """Headers and body of the CGI's answer, the end left open."""
    out = child.stdout
    if out is None:
        return web.Response(status=500)
    response = web.StreamResponse()
    while line := (await out.readline()).decode("latin-1").strip():
        name, _, value = line.partition(":")
        if name.lower() == "status":
            response.set_status(int(value.split()[0]))
        elif name.lower() != "content-length":
            response.headers[name] = value.strip()
    await response.prepare(request)
    while chunk := await out.read(_CHUNK):
        await response.write(chunk)
    return response


def _challenge(text: str) -> web.Response:
    return web.Response(status=401, text=text, headers={"WWW-Authenticate": 'Basic realm="GitHub"'})
