"""The App's own endpoints: installations, tokens, deliveries; and the rate limit."""

from __future__ import annotations

from typing import Any

from review_bot.demo.github import render
from review_bot.demo.github.accounts import Installation
from review_bot.demo.github.api import ApiError, Call, Reply, Routes, not_found
from review_bot.demo.github.webhooks import Delivery

Json = dict[str, Any]
routes = Routes()
_ORDER = ("read", "write", "admin")


@routes.add("GET", "/app", "app")
async def app(call: Call) -> Reply:
    world = call.world
    return Reply(body={**render.app(world, world.app), "installations_count": len(world.installations)})


@routes.add("GET", "/app/installations", "app")
async def installations(call: Call) -> Reply:
    shown, links = call.page(list(call.world.installations.values()))
    return Reply(body=[render.installation(call.world, one) for one in shown], headers=links)


@routes.add("GET", "/app/installations/{installation_id}", "app")
async def installation(call: Call) -> Reply:
    return Reply(body=render.installation(call.world, _installation(call)))


@routes.add("GET", "/repos/{owner}/{repo}/installation", "app")
async def repository_installation(call: Call) -> Reply:
    found = call.world.repository(call.params["owner"], call.params["repo"])
    installed = call.world.installation_of(found) if found else None
    if installed is None:
        raise not_found()
    return Reply(body=render.installation(call.world, installed))


@routes.add("GET", "/orgs/{org}/installation", "app")
async def organisation_installation(call: Call) -> Reply:
    wanted = call.world.account(call.params["org"])
    for one in call.world.installations.values():
        if one.account is wanted:
            return Reply(body=render.installation(call.world, one))
    raise not_found()


def _installation(call: Call) -> Installation:
    found = call.world.installations.get(call.number("installation_id"))
    if found is None:
        raise not_found()
    return found


@routes.add("POST", "/app/installations/{installation_id}/access_tokens", "app")
async def access_token(call: Call) -> Reply:
    """A token for an hour, for all that the installation may or for less of it, never for more."""
    installed = _installation(call)
    if installed.suspended_at:
        raise ApiError(403, "This installation has been suspended")
    repositories, selected = _repositories(call, installed)
    permissions = _permissions(call, installed)
    made = call.hub.tokens.issue(installed, permissions, repositories, selected)
    body: Json = {
        "token": made.token,
        "expires_at": render.time(made.expires_at),
        "permissions": dict(permissions),
        "repository_selection": "selected",
    }
    if selected:
        found = [r for r in call.world.repositories.values() if r.id in repositories]
        body["repositories"] = [render.repository(call.world, r) for r in found]
    return Reply(201, body)


def _repositories(call: Call, installed: Installation) -> tuple[frozenset[int], bool]:
    names, ids = call.items("repositories"), call.items("repository_ids")
    if not names and not ids:
        return frozenset(installed.repositories), False
    here = {r.name.lower(): r.id for r in call.world.repositories.values() if r.id in installed.repositories}
    wanted = {here.get(str(name).lower()) for name in names} | {one if one in here.values() else None for one in ids}
    if None in wanted:
        raise ApiError(
            422,
            "There is at least one repository that does not exist or is not accessible to the parent installation.",
        )
    return frozenset(one for one in wanted if one is not None), True


def _permissions(call: Call, installed: Installation) -> dict[str, str]:
    asked = call.body.get("permissions")
    if not asked:
        return dict(installed.permissions)
    for name, level in asked.items():
        granted = installed.permissions.get(name)
        if granted is None or level not in _ORDER or _ORDER.index(level) > _ORDER.index(granted):
            raise ApiError(422, "The permissions requested are not granted to this installation.")
    return {"metadata": "read", **asked}


@routes.add("GET", "/installation/repositories", "installation")
async def installed_repositories(call: Call) -> Reply:
    found = [r for r in call.world.repositories.values() if r.id in call.actor.repositories]
    shown, links = call.page(sorted(found, key=lambda r: r.id))
    body = {
        "total_count": len(found),
        "repository_selection": "selected",
        "repositories": [render.repository(call.world, r, "read") for r in shown],
    }
    return Reply(body=body, headers=links)


@routes.add("GET", "/app/hook/deliveries", "app")
async def deliveries(call: Call) -> Reply:
    """The newest first, by cursor."""
    sent = [d for d in reversed(call.hub.webhooks.deliveries) if d.status is not None]
    cursor = call.query.get("cursor", "")
    if cursor:
        if not cursor.removeprefix("v1_").isdigit():
            raise ApiError(422, "Invalid cursor")
        sent = [d for d in sent if d.id <= int(cursor.removeprefix("v1_"))]
    size = min(max(int(call.query.get("per_page", "30")), 1), 100)
    headers = {}
    if len(sent) > size:
        address = f"{call.world.api_url}/app/hook/deliveries?per_page={size}&cursor=v1_{sent[size].id}"
        headers["Link"] = f'<{address}>; rel="next"'
    return Reply(body=[_delivery(one) for one in sent[:size]], headers=headers)


@routes.add("GET", "/app/hook/deliveries/{delivery_id}", "app")
async def delivery(call: Call) -> Reply:
    wanted = call.number("delivery_id")
    for one in call.hub.webhooks.deliveries:
        if one.id == wanted:
            request = {"headers": {"X-GitHub-Event": one.event, "X-GitHub-Delivery": one.guid}, "payload": one.json}
            answer = {"headers": {}, "payload": one.answer}
            address = call.hub.webhooks.url or ""
            return Reply(body={**_delivery(one), "url": address, "request": request, "response": answer})
    raise not_found()


@routes.add("POST", "/app/hook/deliveries/{delivery_id}/attempts", "app")
async def attempts(call: Call) -> Reply:
    try:
        call.hub.webhooks.redeliver(call.number("delivery_id"))
    except KeyError as error:
        raise not_found() from error
    return Reply(202, {})


def _delivery(found: Delivery) -> Json:
    return {
        "id": found.id,
        "guid": found.guid,
        "delivered_at": render.time(found.delivered_at),
        "redelivery": found.redelivery,
        "duration": round(found.duration, 3),
        "status": "OK" if found.status and found.status < 400 else f"Invalid HTTP Response: {found.status or 0}",
        "status_code": found.status or 0,
        "event": found.event,
        "action": found.action,
        "installation_id": found.installation_id,
        "repository_id": found.repository_id,
        "throttled_at": None,
    }


@routes.add("GET", "/rate_limit", "signed-in")
async def rate_limit(call: Call) -> Reply:
    core = call.hub.limits.core(call.actor)
    other = {**core, "limit": 30, "remaining": 30, "used": 0}
    return Reply(body={"resources": {"core": core, "search": other, "graphql": {**other, "limit": 5000}}, "rate": core})


@routes.add("POST", "/app-manifests/{code}/conversions", "public")
async def convert_manifest(call: Call) -> Reply:
    """The new App of the manifest flow: here, the App that is there already. A code works once."""
    world = call.world
    if call.params["code"] not in world.manifest_codes:
        raise not_found()
    world.manifest_codes.remove(call.params["code"])
    secret = {"client_secret": "0" * 40, "webhook_secret": world.app.webhook_secret, "pem": world.app.private_key}
    return Reply(201, {**render.app(world, world.app), **secret})


@routes.add("GET", "/meta", "public")
async def meta(call: Call) -> Reply:
    return Reply(body={"verifiable_password_authentication": False, "installed_version": "3.20.0"})
