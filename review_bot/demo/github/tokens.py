"""Who a request comes from: App JWTs, installation tokens, personal tokens."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from review_bot.demo.github.accounts import Account, Actor, Installation
from review_bot.demo.github.world import World

LONGEST_JWT = timedelta(minutes=10)
TOKEN_LIFE = timedelta(hours=1)
# Clocks differ a little; GitHub forgives some seconds too.
_LEEWAY = 5


class BadCredentials(Exception):
    """The credentials are wrong; the text is GitHub's."""


@dataclass(frozen=True)
class InstallationToken:
    token: str
    installation: Installation
    permissions: Mapping[str, str]
    repositories: frozenset[int]
    selected: bool
    expires_at: datetime


@cache
def new_key() -> tuple[str, str]:
    """A private key and its public half, PEM; made once a process."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


class Tokens:
    def __init__(self, world: World) -> None:
        self._world = world
        self._people: dict[str, Account] = {}
        self._installations: dict[str, InstallationToken] = {}

    def of(self, account: Account) -> str:
        """A personal token; always the same for a person."""
        for token, owner in self._people.items():
            if owner is account:
                return token
        token = f"ghp_{secrets.token_hex(18)}"
        self._people[token] = account
        return token

    def issue(
        self, installation: Installation, permissions: Mapping[str, str], repositories: frozenset[int], selected: bool
    ) -> InstallationToken:
        expires = self._world.now() + TOKEN_LIFE
        made = InstallationToken(
            f"ghs_{secrets.token_hex(18)}", installation, permissions, repositories, selected, expires
        )
        self._installations[made.token] = made
        return made

    def actor(self, authorization: str | None) -> Actor:
        """Who the header names. Raises BadCredentials."""
        if not authorization:
            return Actor()
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic":
            return self.by_token(_password(value))
        if scheme.lower() not in ("bearer", "token"):
            raise BadCredentials("Bad credentials")
        return self._by_jwt(value) if value.count(".") == 2 else self.by_token(value)

    def by_token(self, token: str) -> Actor:
        """The actor of a personal or an installation token. Raises BadCredentials."""
        if token in self._people and not self._people[token].gone:
            return Actor("user", self._people[token])
        found = self._installations.get(token)
        if found is None or found.expires_at <= self._world.now():
            raise BadCredentials("Bad credentials")
        installation = found.installation
        if installation.suspended_at or installation.id not in self._world.installations:
            raise BadCredentials("Bad credentials")
        # What was taken from the installation since is gone from its tokens too.
        granted = {k: v for k, v in found.permissions.items() if k in installation.permissions}
        repositories = found.repositories & installation.repositories if found.selected else installation.repositories
        return Actor("installation", self._world.app.bot, installation, granted, frozenset(repositories))

    def _by_jwt(self, token: str) -> Actor:
        app = self._world.app
        try:
            claims = jwt.decode(
                token,
                app.public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "verify_iss": False, "verify_sub": False},
            )
        except jwt.PyJWTError as error:
            raise BadCredentials("A JSON web token could not be decoded") from error
        self._judge(claims, app.id)
        return Actor("app", app.bot)

    def _judge(self, claims: Mapping[str, object], app_id: int) -> None:
        now = self._world.now().timestamp()
        issued, expires = claims.get("iat"), claims.get("exp")
        if str(claims.get("iss")) not in (str(app_id), f"Iv23{app_id}"):
            raise BadCredentials("Integration not found")
        if not isinstance(expires, int | float):
            raise BadCredentials("Missing 'exp' claim in assertion")
        if not isinstance(issued, int | float):
            raise BadCredentials("Missing 'iat' claim in assertion")
        if issued > now + _LEEWAY:
            raise BadCredentials("'Issued at' claim ('iat') must be an Integer representing a time in the past")
        if expires <= now:
            raise BadCredentials("'Expiration time' claim ('exp') must be a numeric value representing the future time")
        if expires - now > LONGEST_JWT.total_seconds() + _LEEWAY:
            raise BadCredentials("'Expiration time' claim ('exp') is too far in the future")


def _password(value: str) -> str:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise BadCredentials("Bad credentials") from error
    return user if password in ("", "x-oauth-basic") else password
