"""The frame of the REST API: calls, replies, errors, routes, who may call what, pages of lists."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlencode

from review_bot.demo.github.accounts import Account, Actor
from review_bot.demo.github.state import Issue, Pull, Repository
from review_bot.demo.github.world import World

if TYPE_CHECKING:
    from review_bot.demo.github.hub import Hub

Json = dict[str, Any]
DOCS = "https://docs.github.com/rest"
NOT_BY_APPS = "Resource not accessible by integration"
# Names in templates whose value may hold slashes.
_GREEDY = {"path", "ref", "branch", "basehead"}


class ApiError(Exception):
    """An answer that is not a success, in GitHub's shape."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: Sequence[Json | str] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: Json = {"message": message, "documentation_url": DOCS, "status": str(status)}
        if errors:
            self.body["errors"] = list(errors)


def not_found() -> ApiError:
    return ApiError(404, "Not Found")


def invalid(message: str, resource: str = "", field_name: str = "", code: str = "custom") -> ApiError:
    """422 with one error in GitHub's shape."""
    error: Json = {"resource": resource, "code": code, "field": field_name, "message": message}
    return ApiError(422, "Validation Failed", errors=[error])


def unprocessable(message: str) -> ApiError:
    """422 of the kind that GitHub words as a list of sentences."""
    return ApiError(422, "Unprocessable Entity", errors=[message])


@dataclass
class Reply:
    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request, read and with its path's names filled in."""

    hub: Hub
    method: str
    path: str
    query: Mapping[str, str]
    body: Json
    actor: Actor
    params: Mapping[str, str] = field(default_factory=dict)
    raw_body: Any = None

    @property
    def world(self) -> World:
        return self.hub.world

    @property
    def repo(self) -> Repository:
        found = self.world.repository(self.params["owner"], self.params["repo"])
        if found is None or not self.world.sees(self.actor, found):
            raise not_found()
        return found

    @property
    def who(self) -> Account:
        if self.actor.account is None:
            raise ApiError(401, "Requires authentication")
        return self.actor.account

    @property
    def by_app(self) -> int | None:
        return self.world.app.id if self.actor.kind == "installation" else None

    def pull(self) -> Pull:
        found = self.repo.issues.get(self.number("pull_number"))
        if not isinstance(found, Pull):
            raise not_found()
        return found

    def issue(self) -> Issue:
        found = self.repo.issues.get(self.number("issue_number"))
        if found is None:
            raise not_found()
        return found

    def number(self, name: str) -> int:
        value = self.params[name]
        if not value.isdigit():
            raise not_found()
        return int(value)

    def text(self, name: str, *, required: bool = False, resource: str = "", default: str = "") -> str:
        value = self.body.get(name)
        if value is None:
            if required:
                raise ApiError(
                    422, "Validation Failed", errors=[{"resource": resource, "code": "missing_field", "field": name}]
                )
            return default
        if not isinstance(value, str):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a string.")
        return value

    def optional(self, name: str) -> str | None:
        return self.text(name) if self.body.get(name) is not None else None

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.body.get(name, default)
        if not isinstance(value, bool):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not a boolean.")
        return value

    def whole(self, name: str) -> int | None:
        value = self.body.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not an integer.")
        return value

    def items(self, name: str) -> list[Any]:
        value = self.body.get(name) or []
        if not isinstance(value, list):
            raise ApiError(422, f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not an array.")
        return value

    def page(self, items: Sequence[Any], *, cap: int | None = None) -> tuple[list[Any], dict[str, str]]:
        """One page of a list and the Link header that leads to the others."""
        size = min(max(_int(self.query.get("per_page"), 30), 1), 100)
        number = max(_int(self.query.get("page"), 1), 1)
        shown = items if cap is None else items[:cap]
        last = max(1, -(-len(shown) // size))
        links = []
        if number < last:
            links += [self._link(number + 1, "next"), self._link(last, "last")]
        if number > 1:
            links = [self._link(number - 1, "prev"), *links, self._link(1, "first")]
        return list(shown[(number - 1) * size : number * size]), {"Link": ", ".join(links)} if links else {}

    def _link(self, number: int, relation: str) -> str:
        query = urlencode({**self.query, "page": str(number)})
        return f'<{self.world.api_url}{self.path}?{query}>; rel="{relation}"'


def _int(text: str | None, default: int) -> int:
    return int(text) if text and text.isdigit() else default


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True)
class Route:
    """An endpoint: what an App needs (`contents:write`; alternatives by |) and which role a person needs."""

    method: str
    template: str
    handler: Handler
    needs: str
    people: str
    pattern: re.Pattern[str]
    content: bool


class Routes:
    """The endpoints of one area."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def add(
        self, method: str, template: str, needs: str, people: str = "read", content: bool = False
    ) -> Callable[[Handler], Handler]:
        """Register a handler. `needs` is "public", "signed-in", "app" (its JWT), "installation" or a permission."""

        def register(handler: Handler) -> Handler:
            self.all.append(Route(method, template, handler, needs, people, _pattern(template), content))
            return handler

        return register


def _pattern(template: str) -> re.Pattern[str]:
    def group(found: re.Match[str]) -> str:
        name = found[1]
        value = ".+" if name in _GREEDY else "[0-9]+" if name.endswith(("_id", "_number")) else "[^/]+"
        return f"(?P<{name}>{value})"

    return re.compile("^" + re.sub(r"\{(\w+)\}", group, re.sub(r"([.+])", r"\\\1", template)) + "$")


def find(routes: Sequence[Route], method: str, raw_path: str) -> tuple[Route, dict[str, str]] | None:
    for route in routes:
        found = route.pattern.match(raw_path) if route.method == method else None
        if found:
            return route, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def authorise(route: Route, call: Call) -> None:
    """Raises ApiError where the caller may not do this."""
    actor = call.actor
    if route.needs == "public":
        return
    if route.needs == "app":
        if actor.kind != "app":
            raise ApiError(401, "A JSON web token could not be decoded")
        return
    if actor.kind == "app":
        raise ApiError(403, NOT_BY_APPS)
    if route.needs == "installation":
        if actor.kind != "installation":
            raise ApiError(403, "You must authenticate with an installation access token")
        return
    if actor.kind == "anonymous":
        raise ApiError(401, "Requires authentication")
    if route.needs == "signed-in":
        return
    _permitted(route, call)


def _permitted(route: Route, call: Call) -> None:
    repository = call.repo if "owner" in call.params else None
    if call.actor.kind == "installation":
        if repository and repository.id not in call.actor.repositories and route.method != "GET":
            raise ApiError(403, NOT_BY_APPS)
        if not any(_grants(call.actor.permissions, need) for need in route.needs.split("|")):
            # Alternatives are parted by a semicolon.
            accepted = "; ".join(need.replace(":", "=") for need in route.needs.split("|"))
            raise ApiError(403, NOT_BY_APPS, headers={"X-Accepted-GitHub-Permissions": accepted})
    elif route.people == "nobody":
        raise ApiError(403, "You must authenticate via a GitHub App.")
    elif repository and not call.world.allows(call.actor.account, repository, route.people):
        admin = route.people == "admin"
        raise ApiError(403, "Must have admin rights to Repository." if admin else "Must have write access.")


def _grants(permissions: Mapping[str, str], need: str) -> bool:
    name, _, level = need.partition(":")
    order = ("none", "read", "write", "admin")
    if name == "metadata":
        return True
    return order.index(permissions.get(name, "none")) >= order.index(level)
