"""What a delivery asks for: pure. An event only says where to look again; nothing in it is taken for the truth."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_BYTES = 25 * 1024 * 1024
_BRANCH = "refs/heads/"
# What GitHub begins the branches of a merge queue with.
QUEUE = "gh-readonly-queue/"


class BadDelivery(Exception):
    """The delivery can't be accepted; `status` is the HTTP status to answer with."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to look at again, named by `key`.

    `pull:owner/name#7`, `base:owner/name:main` (all that merge into a branch), `head:owner/name:SHA` (all with a head),
    `checks:owner/name:SHA` (those with a head whose merge waits for others' checks), `group:owner/name:BRANCH` (a merge
    queue's branch), `people` (all that are open, since who may approve has changed) or `sweep` (what was missed in the
    whole installation). `interrupt`: what is under way for it is out of date.
    `fresh`: review anew even if nothing seems to have changed.
    """

    key: str
    installation: int
    interrupt: bool = False
    fresh: bool = False


def pull_key(repository: str, number: int) -> str:
    """The subject that is one pull request."""
    return f"pull:{repository}#{number}"


def group_key(repository: str, branch: str) -> str:
    """The subject that is a merge queue's group, by its branch."""
    return f"group:{repository}:{branch}"


def verify(secret: str, body: bytes, signature: str | None) -> None:
    """Raises BadDelivery unless `X-Hub-Signature-256` is the HMAC of exactly these bytes."""
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    if signature is None or not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
        raise BadDelivery("the signature is missing or does not fit the body: check the webhook secret", 401)


def interpret(event: str, body: bytes, app_slug: str = "") -> tuple[Wish, ...]:
    """The wishes of a delivery whose signature is right, none for what concerns nobody.

    What the bot itself said and did (`app_slug`) starts nothing. Raises BadDelivery.
    """
    payload = _parsed(body)
    handler = _HANDLERS.get(event)
    if handler is None:
        return ()
    sender = payload.get("sender")
    login = sender.get("login") if isinstance(sender, Mapping) else None
    if app_slug and login == f"{app_slug}[bot]":
        return ()
    try:
        return handler(payload)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadDelivery(f"this is no {event} event: {type(error).__name__} {error}", 422) from error


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadDelivery("the body is not JSON: set the webhook's content type to application/json") from error
    if not isinstance(payload, dict):
        raise BadDelivery("the body is not a JSON object")
    return payload


def _installation(payload: Mapping[str, Any]) -> int:
    return int(payload["installation"]["id"])


def _repository(payload: Mapping[str, Any]) -> str:
    name = payload["repository"]["full_name"]
    if not isinstance(name, str) or name.count("/") != 1:
        raise ValueError("repository.full_name")
    return name


def _pull(payload: Mapping[str, Any], number: Any, **flags: bool) -> tuple[Wish, ...]:
    return (Wish(pull_key(_repository(payload), int(number)), _installation(payload), **flags),)


def _pull_request(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    action, changes = payload["action"], payload.get("changes") or {}
    outdated = action in ("synchronize", "closed", "reopened") or "base" in changes
    return _pull(payload, payload["pull_request"]["number"], interrupt=outdated)


def _pull_request_review(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    return _pull(payload, payload["pull_request"]["number"])


def _issue_comment(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    issue = payload["issue"]
    return _pull(payload, issue["number"]) if issue.get("pull_request") else ()


def _push(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    ref = payload["ref"]
    # No pull request merges into a merge queue's branch; groups have an event of their own.
    if not ref.startswith(_BRANCH) or ref.startswith(_BRANCH + QUEUE):
        return ()
    return (Wish(f"base:{_repository(payload)}:{ref.removeprefix(_BRANCH)}", _installation(payload)),)


def _check(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    """Somebody pressed "Re-run", on one run or on all of a commit's; or all that another App checks there is done."""
    subject = payload.get("check_run") or payload["check_suite"]
    where = f"{_repository(payload)}:{subject['head_sha']}"
    if payload["action"] == "completed" and "check_suite" in payload:
        return (Wish(f"checks:{where}", _installation(payload)),)
    if payload["action"] != "rerequested":
        return ()
    return (Wish(f"head:{where}", _installation(payload), fresh=True),)


def _status(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    return (Wish(f"checks:{_repository(payload)}:{payload['sha']}", _installation(payload)),)


def _merge_group(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    """A group that wants checks, or (destroyed) none any more: which it is, its branch tells."""
    ref = payload["merge_group"]["head_ref"]
    if not isinstance(ref, str) or not ref.startswith(_BRANCH + QUEUE):
        raise ValueError("merge_group.head_ref")
    key = group_key(_repository(payload), ref.removeprefix(_BRANCH))
    return (Wish(key, _installation(payload), interrupt=payload["action"] == "destroyed"),)


def _everything(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    if payload.get("action") in ("deleted", "suspend", "removed"):
        return ()
    return (Wish("sweep", _installation(payload)),)


def _people(payload: Mapping[str, Any]) -> tuple[Wish, ...]:
    return (Wish("people", _installation(payload)),)


_HANDLERS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Wish, ...]]] = {
    "pull_request": _pull_request,
    "pull_request_review": _pull_request_review,
    "issue_comment": _issue_comment,
    "push": _push,
    "check_run": _check,
    "check_suite": _check,
    "status": _status,
    "merge_group": _merge_group,
    "installation": _everything,
    "installation_repositories": _everything,
    "team": _people,
    "membership": _people,
    "member": _people,
}
