"""A token service of a registry, as Docker Hub and GitLab have one: it knows who may see what, and signs that."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from elsewhere import listening

ISSUER, SERVICE = "tests", "registry"


@dataclass
class TokenService:
    """Gives everyone the right to pull from `public/…`, and who knows `password` from everywhere."""

    user: str
    password: str
    url: str = ""
    # The scopes that were asked for, with the name that was shown ("" for nobody's).
    asked: list[tuple[str, str]] = field(default_factory=list)

    @cached_property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.generate_private_key(ec.SECP256R1())

    def token(self, name: str, *actions: str) -> str:
        """A token that lets its bearer do this in one repository."""
        now = int(time.time())
        claims = {"iss": ISSUER, "sub": "", "aud": SERVICE, "iat": now, "nbf": now - 60, "exp": now + 300, "jti": "1"}
        access = [{"type": "repository", "name": name, "actions": list(actions)}]
        return jwt.encode(claims | {"access": access}, self._key, algorithm="ES256", headers={"kid": "one"})

    def settings(self, folder: Path) -> dict[str, Any]:
        """How a registry is told of it."""
        key = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self._key.public_key()))
        keys = folder / "keys.json"
        keys.write_text(json.dumps({"keys": [key | {"kid": "one", "use": "sig", "alg": "ES256"}]}))
        return {"token": {"realm": f"{self.url}/token", "service": SERVICE, "issuer": ISSUER, "jwks": str(keys)}}

    def answer(self, query: str, authorization: str) -> bytes | None:
        """A token for the scope that is asked for, None for wrong credentials."""
        (scope,) = parse_qs(query)["scope"]
        shown = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        self.asked.append((scope, shown.partition(":")[0]))
        name = scope.split(":")[1]
        if shown and shown != f"{self.user}:{self.password}":
            return None
        may = name.startswith("public/") or bool(shown)
        return json.dumps({"token": self.token(name, *(["pull"] if may else []))}).encode()


@contextmanager
def token_service(user: str, password: str) -> Iterator[TokenService]:
    service = TokenService(user, password)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = service.answer(urlsplit(self.path).query, self.headers.get("Authorization", ""))
            self.send_response(401 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"{}")

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    with listening(Handler) as service.url:
        yield service
