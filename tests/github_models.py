"""An observer of the stand-in that holds every request, answer and webhook against GitHub's published models.

The models are githubkit's (generated from GitHub's OpenAPI description); which model belongs to which route is read
from githubkit's REST client, whose methods name the route in their docstring and the models in their body.
"""

from __future__ import annotations

import builtins
import re
import typing
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import githubkit_schemas.v2022_11_28 as version
import githubkit_schemas.v2022_11_28.models as models
from pydantic import TypeAdapter, ValidationError

from review_bot.demo.github.server import Exchange
from review_bot.demo.github.webhooks import Delivery

_DOCSTRING = re.compile(r'"""[\w./-]+\n\n        (GET|POST|PATCH|PUT|DELETE) (\S+)\n')
_ANSWER = re.compile(r"response_model=(.+?),?\n(?:            [a-z_]+=|        \))", re.S)
_QUERY = re.compile(r"params = \{(.+?)\n        \}", re.S)
_BODY = re.compile(r"json = type_validate_python\((.+?),\s*json,?\s*\)", re.S)
# Where GitHub answers otherwise than its description says, or describes nothing.
_UNDESCRIBED = {"/repos/{owner}/{repo}/contents"}
# The description demands `contexts` beside `checks`; GitHub itself refuses the two together.
_PROTECTION = "PUT /repos/{owner}/{repo}/branches/{branch}/protection"


@dataclass
class Models:
    """Give it to the stand-in as its observer; `assert_none` at the end of a test."""

    mismatches: list[str] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def exchange(self, exchange: Exchange) -> None:
        route = f"{exchange.method} {exchange.route}"
        self.seen.add(route)
        if exchange.route in _UNDESCRIBED:
            return
        body, answer = _models(exchange.method, exchange.route)
        strange = set(exchange.query) - _query_names(exchange.method, exchange.route)
        if strange:
            self.mismatches.append(f"request {route}: GitHub knows no {', '.join(sorted(strange))}")
        if exchange.status < 400 and body is not None and exchange.request is not None:
            self._check(f"request {route}", body, _described(route, exchange.request))
        if exchange.status in (200, 201, 202) and answer is not None:
            self._check(f"answer {route}", answer, exchange.answer)
        if exchange.status >= 400:
            self._error(route, exchange.answer)

    def deliveries(self, deliveries: Iterable[Delivery]) -> None:
        """Hold webhooks against the models of their event and action."""
        for delivery in deliveries:
            action = f".{delivery.action}" if delivery.action else ""
            try:
                _event(delivery.event, delivery.action).validate_json(delivery.payload)
            except ValidationError as error:
                self.mismatches.append(f"webhook {delivery.event}{action}: {_words(error)}")

    def assert_none(self) -> None:
        assert self.mismatches == [], "\n".join(self.mismatches)

    def _check(self, what: str, model: TypeAdapter[Any], value: object) -> None:
        try:
            model.validate_python(value)
        except ValidationError as error:
            self.mismatches.append(f"{what}: {_words(error)}")

    def _error(self, route: str, answer: Any) -> None:
        if not isinstance(answer, dict) or not {"message", "documentation_url", "status"} <= answer.keys():
            self.mismatches.append(f"error {route}: {answer}")


def _described(route: str, request: Any) -> Any:
    """The request as the description has it, where GitHub itself wants it otherwise."""
    checks = request.get("required_status_checks") if route == _PROTECTION else None
    if not checks or "checks" not in checks:
        return request
    return {**request, "required_status_checks": {"contexts": [], **checks}}


def _words(error: ValidationError) -> str:
    return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:6])


@cache
def _sources() -> dict[tuple[str, str], str]:
    """The code of the client's method for each route."""
    found: dict[tuple[str, str], str] = {}
    for path in sorted((Path(str(version.__file__)).parent / "rest").glob("*.py")):
        parts = _DOCSTRING.split(path.read_text())
        for method, route, code in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            found.setdefault((method, route), code.split("\n    async def ")[0])
    return found


@cache
def _event(event: str, action: str | None) -> TypeAdapter[Any]:
    """The model of one action; building those of all actions of an event would take seconds."""
    name = "Webhook" + "".join(word.title() for word in f"{event}_{action or ''}".split("_"))
    found = [n for n in (name, f"{name}Oneof0", f"{name}Oneof1") if hasattr(models, n)]
    assert found, f"GitHub describes no webhook {event} {action}"
    return TypeAdapter(eval(" | ".join(found), {}, _Names()))


@cache
def _query_names(method: str, route: str) -> set[str]:
    """The names that may stand behind the question mark."""
    found = _QUERY.search(_sources().get((method, route), ""))
    return set(re.findall(r'"(\w+)":', found[1])) if found else set()


@cache
def _models(method: str, route: str) -> tuple[TypeAdapter[Any] | None, TypeAdapter[Any] | None]:
    code = _sources().get((method, route))
    assert code is not None, f"GitHub describes no {method} {route}"
    body, answer = _BODY.search(code), _ANSWER.search(code)
    return _adapter(body), _adapter(answer)


def _adapter(found: re.Match[str] | None) -> TypeAdapter[Any] | None:
    return TypeAdapter(eval(f"({found[1]})", {}, _Names())) if found else None


class _Names(dict[str, Any]):
    """The names that a client's method may use: its models, typing and what is built in."""

    def __missing__(self, name: str) -> Any:
        for place in (models, typing, builtins):
            if hasattr(place, name):
                return getattr(place, name)
        if name == "datetime":
            return datetime
        raise KeyError(name)
