"""One repository of an OCI registry, with the token that it asks for (the distribution API)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode

from review_bot.core.errors import InputError
from review_bot.core.remote_hosts import RemoteHost
from review_bot.remotes.web import MOST_BYTES, Answer, Web, basic, same_origin

MOST_MANIFEST = 4 << 20
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')


class Api:
    """Asks `host` for what `name` holds, as `row` allows. Raises InputError where it can't be asked."""

    def __init__(self, host: str, name: str, row: RemoteHost, web: Web) -> None:
        self._url = f"{'http' if row.plain_http else 'https'}://{host}/v2/{name}"
        self._place, self._name, self._row, self._web = f"{host}/{name}", name, row, web
        self._token = ""

    def get(self, path: str, headers: Mapping[str, str], most: int = MOST_BYTES, *, head: bool = False) -> Answer:
        """The answer, whatever its status, after a token was fetched where one is wanted; by HEAD one without body."""
        got = self._once(path, headers, most, head)
        if got.status == 401 and not self._token:
            self._token = self._fetched_token(got)
            got = self._once(path, headers, most, head)
        return got

    def _once(self, path: str, headers: Mapping[str, str], most: int, head: bool) -> Answer:
        own = {"Authorization": f"Bearer {self._token}"} if self._token else basic(self._row)
        return self._web.get(f"{self._url}/{path}", {**headers, **own}, most=most, row=self._row, head=head)

    def _is_the_token_host(self, realm: str) -> bool:
        scheme = self._url.partition(":")[0]
        return bool(self._row.token_host) and same_origin(realm, f"{scheme}://{self._row.token_host}")

    def _fetched_token(self, refused: Answer) -> str:
        """A token, as the registry's challenge says: from an allowed host only.

        The credentials stay with the registry and the host that the operator names for it. Those of any other host
        would give this registry a token for what lies there.
        """
        challenge = refused.headers.get("www-authenticate", "")
        words = dict(_CHALLENGE.findall(challenge))
        realm = words.get("realm", "")
        if not challenge.lower().startswith("bearer ") or not realm:
            raise InputError(f"{self._place} wants credentials", help="docs/remotes.md says how to give them")
        own = same_origin(realm, self._url) or self._is_the_token_host(realm)
        row = self._row if own else replace(self._web.allowed(realm), username="", password="")
        asked = urlencode({"service": words.get("service", ""), "scope": f"repository:{self._name}:pull"})
        url = f"{realm}{'&' if '?' in realm else '?'}{asked}"
        got = self._web.get(url, basic(row), most=MOST_MANIFEST, row=row)
        try:
            answer = json.loads(got.body)
            return str(answer.get("token") or answer["access_token"])
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"{self._place} gives no token ({got.status})", help="docs/remotes.md says how to give credentials"
            ) from error
