"""`review-bot doctor --repository`: what a repository's rules lack of what the gate needs, said or (`--fix`) set."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from review_bot.core.errors import ToolError, UsageError
from review_bot.core.protection import App, Need, State, needs, notes
from review_bot.core.sanitise import terminal
from review_bot.github.check_runs import APPROVALS, VERDICT
from review_bot.github.client import AppIdentity, GitHubApp
from review_bot.github.errors import Forbidden, GitHubError, Missing, Refused
from review_bot.github.protection import PROTECTION, Protected, Protections
from review_bot.server.settings import read_app

CHECKS = (VERDICT, APPROVALS)
MARKS = {State.OK: "✓", State.MISSING: "✗", State.UNKNOWN: "?"}
BY_HAND = "an administrator can set it by hand (Settings → Branches)"
PERMIT = f"{BY_HAND}, or give the App the permission administration: write, run this once more, and take it back"
_NAME = re.compile(r"[\w.-]+/[\w.-]+\Z")


@dataclass(frozen=True)
class Found:
    """What was found of a branch; `set`, or why it was `refused` with the next step (`advice`), are about `--fix`.

    `kept` is False where GitHub shows something otherwise than `--fix` set it.
    """

    branch: str
    needs: tuple[Need, ...]
    notes: tuple[str, ...]
    set: bool = False
    kept: bool = True
    refused: str = ""
    advice: str = ""

    @property
    def ok(self) -> bool:
        return self.kept and all(need.state is State.OK for need in self.needs)


def run(args: argparse.Namespace) -> int:
    """0 if nothing gets past the gate on any of the branches, else 1. Raises UsageError and ToolError."""
    if not _NAME.match(args.repository):
        raise UsageError(f"{args.repository!r} is no repository", help="write it as OWNER/NAME")
    settings = read_app(os.environ)
    github = GitHubApp(AppIdentity(settings.app_id, settings.private_key, settings.api_url))
    try:
        app, found = asyncio.run(_look(github, args.repository, args.branch or [], fix=args.fix))
    except GitHubError as error:
        help = "check GITHUB_APP_ID, the private key, GITHUB_API_URL and the network"
        raise ToolError(f"GitHub did not answer: {error}", help=help) from error
    finally:
        github.close()
    if args.output == "json":
        json.dump(_json(args.repository, app, found), sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        for one in found:
            sys.stdout.write("".join(f"{terminal(line)}\n" for line in _lines(args.repository, app, one)))
    return 0 if all(one.ok for one in found) else 1


async def _look(github: GitHubApp, repository: str, branches: list[str], *, fix: bool) -> tuple[App, list[Found]]:
    about = await github.about()
    slug = str(about["slug"])
    try:
        installed = await github.installed_on(repository)
    except Missing as error:
        help = "install it there (the App's settings → Install App), or check the name"
        raise UsageError(f"the App {slug} is not installed on {repository}", help=help) from error
    queues = "merge_queues" in installed["permissions"] and "merge_group" in installed["events"]
    app = App(int(about["id"]), slug, queues)
    protections = Protections(github.installation(int(installed["id"])), repository)
    found = []
    for branch in branches or [await protections.default_branch()]:
        try:
            present = await protections.read(branch)
        except Missing as error:
            raise UsageError(f"{repository} has no branch {branch}", help="check the name") from error
        one = _judged(branch, present, app)
        found.append(await _fixed(protections, one, present, app) if fix and not one.ok else one)
    return app, found


def _judged(branch: str, present: Protected, app: App) -> Found:
    told = list(notes(present.places))
    if present.refused:
        told.insert(0, f"the branch protection could not be read, only rulesets count: {present.refused}")
    if present.unruled:
        told.insert(0, f"rulesets could not be read, only the branch protection counts: {present.unruled}")
    told += [f"ruleset {name}: it holds nobody back" for name in present.idle]
    return Found(branch, needs(present.places, CHECKS, app), tuple(told))


async def _fixed(protections: Protections, found: Found, present: Protected, app: App) -> Found:
    """What the branch looks like once its protection is set; what is there is never written over unread."""
    if present.refused:
        return replace(found, refused="its protection could not be read, and writing over it might weaken it")
    own = [place for place in present.places if place.name == PROTECTION]
    if all(need.state is State.OK for need in needs(own, CHECKS, app)):
        elsewhere = "what is missing lies elsewhere: see above"
        return replace(found, refused="the branch protection has all that it can have", advice=elsewhere)
    try:
        odd = await protections.mend(found.branch, present, CHECKS, app.id)
    except Forbidden as error:
        return replace(found, refused=str(error))
    except (Refused, Missing) as error:
        return replace(found, refused=f"GitHub takes no such protection here: {error}", advice=BY_HAND)
    after = _judged(found.branch, await protections.read(found.branch), app)
    lost = tuple(f"look at {name}: GitHub shows it otherwise than it was set" for name in odd)
    return replace(after, notes=(*lost, *after.notes), set=True, kept=not odd)


def _lines(repository: str, app: App, found: Found) -> list[str]:
    lines = [f"{repository}, branch {found.branch}, for the App {app.name} ({app.id})"]
    for need in found.needs:
        lines.append(f"{MARKS[need.state]} {need.text}")
        if need.state is not State.OK and need.help:
            lines.append(f"    → {need.help}")
    lines += [f"· {note}" for note in found.notes]
    if found.refused:
        lines.append(f"! nothing was set: {found.refused}")
        lines.append(f"    → {found.advice or PERMIT}")
    elif found.set:
        rest = "" if found.ok else "; what is still missing must be done by hand"
        lines.append(f"! the branch protection was set{rest}")
    elif not found.ok:
        lines.append("! set what the branch protection lacks by `--fix`, or by hand (Settings → Branches)")
    return lines


def _json(repository: str, app: App, found: list[Found]) -> Mapping[str, Any]:
    return {
        "repository": repository,
        "app": {"id": app.id, "name": app.name},
        "branches": [
            {
                "branch": one.branch,
                "ok": one.ok,
                "needs": [
                    {"name": need.name, "state": str(need.state), "text": need.text, "help": need.help}
                    for need in one.needs
                ],
                "notes": list(one.notes),
                "set": one.set,
                "refused": one.refused,
            }
            for one in found
        ],
    }
