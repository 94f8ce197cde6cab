"""Artifacts of an OCI registry: Helm charts and what Flux pushes. One layer, by tag or digest."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from review_bot.core.errors import InputError
from review_bot.core.model import Remote
from review_bot.core.remote_hosts import RemoteHost
from review_bot.remotes.web import Answer, Web, basic

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
LAYERS = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/vnd.cncf.flux.content.v1.tar+gzip")
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_MOST_MANIFEST = 4 << 20


def archive(remote: Remote, web: Web) -> bytes:
    """The artifact's content, a .tar.gz that is what its digest says. Raises InputError."""
    return Registry(remote, web).archive()


class Registry:
    """One artifact's registry, and the token that it gave."""

    def __init__(self, remote: Remote, web: Web) -> None:
        bare = remote.url.removeprefix("oci://").strip("/")
        name = f"{bare}/{remote.name}" if remote.name and not bare.endswith(f"/{remote.name}") else bare
        host, _, self._name = name.partition("/")
        self._row = web.hosts.find(f"https://{name}")
        scheme = "http" if self._row is not None and self._row.plain_http else "https"
        self._api = f"{scheme}://{host}/v2/{self._name}"
        self._remote, self._web = remote, web
        self._token = ""

    def archive(self) -> bytes:
        """See the module's own."""
        if self._row is None:
            self._web.allowed(f"https://{self._remote.url.removeprefix('oci://')}")
        reference = self._remote.revision
        got = self._get(f"manifests/{reference}", {"Accept": MANIFESTS}, _MOST_MANIFEST)
        if reference.startswith("sha256:"):
            _must_be(reference, got.body, self._remote)
        layer = self._layer(got.body)
        digest = str(layer.get("digest"))
        content = self._get(f"blobs/{digest}", {}, None).body
        _must_be(digest, content, self._remote)
        return content

    def _layer(self, manifest: bytes) -> Mapping[str, Any]:
        try:
            layers = json.loads(manifest)["layers"]
            fitting = [row for row in layers if row["mediaType"] in LAYERS]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{self._remote.url} is not an artifact that can be read") from error
        if len(fitting) == 1:
            return dict(fitting[0])
        if len(layers) == 1 and "tar+gzip" in str(layers[0]["mediaType"]):
            return dict(layers[0])
        raise InputError(f"{self._remote.url} holds no chart and no manifests", help="look at what was pushed there")

    def _get(self, path: str, headers: Mapping[str, str], most: int | None) -> Answer:
        url = f"{self._api}/{path}"
        bounded = {"most": most} if most else {}
        got = self._web.get(url, {**headers, **self._credentials()}, **bounded)
        if got.status == 401 and not self._token:
            self._token = self._fetched_token(got)
            got = self._web.get(url, {**headers, **self._credentials()}, **bounded)
        if got.status != 200:
            raise InputError(
                f"{self._remote.url} answered {got.status} for {self._remote.revision}",
                help="look at the name and the version, or give the bot credentials (docs/remotes.md)",
            )
        return got

    def _credentials(self) -> Mapping[str, str]:
        if self._token:
            return {"Authorization": f"Bearer {self._token}"}
        return basic(self._row) if self._row else {}

    def _fetched_token(self, refused: Answer) -> str:
        """A token as the registry's challenge says how to get one; only from an allowed host."""
        challenge = next((v for k, v in refused.headers.items() if k.lower() == "www-authenticate"), "")
        words = dict(_CHALLENGE.findall(challenge))
        if not challenge.lower().startswith("bearer ") or "realm" not in words:
            raise InputError(f"{self._remote.url} wants credentials", help="docs/remotes.md says how to give them")
        asked = {"service": words.get("service", ""), "scope": f"repository:{self._name}:pull"}
        own: RemoteHost | None = self._row
        got = self._web.get(f"{words['realm']}?{urlencode(asked)}", basic(own) if own else {}, most=_MOST_MANIFEST)
        try:
            answer = json.loads(got.body)
            return str(answer.get("token") or answer["access_token"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self._remote.url} gives no token ({got.status})") from error


def _must_be(digest: str, data: bytes, remote: Remote) -> None:
    if digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise InputError(f"what {remote.url} serves is not {digest}", help="the registry's content was changed")
