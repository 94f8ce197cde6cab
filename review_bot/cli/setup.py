"""`review-bot setup`: make the GitHub App, by GitHub's manifest flow: one click in a browser, and nothing is typed off.

A page on this machine hands GitHub the manifest; GitHub comes back to it with a code, which is worth the App's id, its
private key and webhook secret once. They go to two files that only their owner can read, and nowhere else.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import json
import os
import re
import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from aiohttp import web

from review_bot.core.errors import InputError, ToolError, UsageError
from review_bot.core.sanitise import terminal
from review_bot.github.app_manifest import NewApp, manifest
from review_bot.server.settings import PUBLIC_API, api_and_web

KEY, ENVIRONMENT = "review-bot.private-key.pem", "review-bot.env"
TIMEOUT = aiohttp.ClientTimeout(total=30)
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Review Bot: set-up</title><style>
body{{font:16px/1.5 system-ui,sans-serif;max-width:38rem;margin:4rem auto;padding:0 1rem}}
button{{font:inherit;padding:.5rem 1rem}}code{{background:#eee;padding:0 .2rem}}
</style></head><body>{body}</body></html>"""


def add_parser(subparsers: Any) -> None:
    parser = subparsers.add_parser("setup", help="make the GitHub App for the bot", description=__doc__)
    parser.add_argument("--url", required=True, metavar="URL", help="where GitHub and people will reach the bot")
    parser.add_argument("--org", metavar="NAME", help="the organisation that owns the App (default: you)")
    parser.add_argument("--name", default="review-bot", help="the App's name, unique on GitHub (review-bot)")
    parser.add_argument("--out", default=".", metavar="DIR", help=f"where {KEY} and {ENVIRONMENT} go (here)")
    parser.add_argument("--port", type=int, default=0, help="of the page on this machine (any free one)")
    parser.add_argument("--manifest", action="store_true", help="print the manifest and end")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Raises UsageError, ToolError, InputError."""
    public_url = _checked(args.url)
    if args.org and not re.fullmatch(r"[A-Za-z0-9-]+", args.org):
        raise UsageError(f"--org: {args.org!r} is no organisation's name", help="write it as in its address on GitHub")
    if args.manifest:
        json.dump(manifest(args.name, public_url, f"http://127.0.0.1:{args.port}/created"), sys.stdout, indent=2)
        sys.stdout.write("\n")
        return 0
    files = Files(Path(args.out))
    files.must_be_free()
    api_url, github_url = api_and_web(os.environ)
    flow = Flow(args.name, public_url, args.org, api_url, github_url)
    app = asyncio.run(flow.app(args.port))
    files.write(app, None if api_url == PUBLIC_API else api_url, public_url)
    print(f"The App {terminal(app.slug)} is there. {files.key} and {files.environment} hold what `serve` needs.")
    print(f"Next: install it on your repositories ({terminal(app.page)}/installations/new), start the bot with these")
    print("settings at the address that you gave, and run `review-bot doctor --repository OWNER/NAME`.")
    return 0


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
        raise UsageError(f"--url: {url!r} is no address", help="write it as https://HOST, without user or query")
    return url.rstrip("/")


@dataclass(frozen=True)
class Files:
    """The two files that setup makes; neither is ever overwritten."""

    folder: Path

    @property
    def key(self) -> Path:
        return self.folder / KEY

    @property
    def environment(self) -> Path:
        return self.folder / ENVIRONMENT

    def must_be_free(self) -> None:
        """Before GitHub makes an App whose key could then not be kept. Raises UsageError."""
        there = [str(path) for path in (self.key, self.environment) if path.exists()]
        if there:
            raise UsageError(f"{' and '.join(there)} exist already", help="move them away, or name another --out")
        if not self.folder.is_dir() or not os.access(self.folder, os.W_OK):
            raise UsageError(f"--out: {self.folder} is no folder that can be written to", help="make it first")

    def write(self, app: NewApp, api_url: str | None, public_url: str) -> None:
        for path, text in (
            (self.key, app.private_key),
            (self.environment, app.settings(str(self.key.resolve()), api_url, public_url)),
        ):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text)


@dataclass
class Flow:
    """The page on this machine, from which the browser goes to GitHub and to which it comes back."""

    name: str
    public_url: str
    org: str | None
    api_url: str
    github_url: str
    # Whoever comes back without it was not sent by this page.
    state: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    async def app(self, port: int) -> NewApp:
        """Serve until GitHub has made the App. Raises ToolError, InputError."""
        made: asyncio.Future[NewApp] = asyncio.get_running_loop().create_future()
        application = web.Application()
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)

        async def begin(request: web.Request) -> web.Response:
            return _page(self._begin(f"http://127.0.0.1:{request.url.port}/created"))

        async def created(request: web.Request) -> web.Response:
            return await self._created(request.query, made)

        application.add_routes([web.get("/", begin), web.get("/created", created)])
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", port)
            await site.start()
            address = f"http://127.0.0.1:{runner.addresses[0][1]}/"
            print(f"review-bot setup: open {address} in a browser on this machine", file=sys.stderr, flush=True)
            return await made
        except OSError as error:
            raise ToolError(f"port {port}: {error.strerror}", help="name another --port, or none") from error
        finally:
            await runner.cleanup()

    def _begin(self, back: str) -> str:
        owner = f"/organizations/{quote(self.org)}" if self.org else ""
        action = html.escape(f"{self.github_url}{owner}/settings/apps/new?state={self.state}")
        asked = html.escape(json.dumps(manifest(self.name, self.public_url, back)))
        return (
            f"<h1>Make the App</h1><p>GitHub will show the App <code>{html.escape(self.name)}</code> with the "
            f"permissions that the bot needs, for {html.escape(self.org or 'your own account')}. Its webhook goes to "
            f"<code>{html.escape(self.public_url)}/webhook</code>.</p><form method='post' action='{action}'>"
            f"<input type='hidden' name='manifest' value='{asked}'><button>Go on to GitHub</button></form>"
        )

    async def _created(self, query: Mapping[str, str], made: asyncio.Future[NewApp]) -> web.Response:
        if not secrets.compare_digest(query.get("state", "").encode(), self.state.encode()):
            return _page("<h1>Not from here</h1><p>Begin again at the <a href='/'>first page</a>.</p>", 400)
        try:
            app = await self._converted(query.get("code", ""))
        except InputError as error:
            text = f"{html.escape(error.message)}. {html.escape(error.help)}"
            return _page(f"<h1>That did not work</h1><p>{text}</p><p><a href='/'>Once more</a></p>", 502)
        if not made.done():
            made.set_result(app)
        link = html.escape(f"{app.page}/installations/new")
        return _page(f"<h1>Done</h1><p>Now <a href='{link}'>install it</a>. You can close this page.</p>")

    async def _converted(self, code: str) -> NewApp:
        """What the code is worth, once. Raises InputError."""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", code):
            raise InputError("GitHub sent no code", help="begin again")
        url = f"{self.api_url}/app-manifests/{code}/conversions"
        try:
            async with aiohttp.ClientSession(timeout=TIMEOUT) as session, session.post(url) as answer:
                if answer.status != 201:
                    raise InputError(f"GitHub answered {answer.status}", help="a code works once and for an hour")
                return NewApp.of(await answer.json())
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise InputError(f"GitHub did not answer ({type(error).__name__})", help="try again later") from error


def _page(body: str, status: int = 200) -> web.Response:
    headers = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(text=PAGE.format(body=body), status=status, content_type="text/html", headers=headers)
