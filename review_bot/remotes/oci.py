"""Artifacts of an OCI registry: Helm charts and what Flux pushes. One layer, by tag or digest."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from review_bot.core.errors import InputError
from review_bot.core.model import Remote
from review_bot.core.versions.images import TAG
from review_bot.remotes.registry import MOST_MANIFEST, Api
from review_bot.remotes.web import MOST_BYTES, Answer, Unreachable, Web

MANIFESTS = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
LAYERS = ("application/vnd.cncf.helm.chart.content.v1.tar+gzip", "application/vnd.cncf.flux.content.v1.tar+gzip")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")
_NAME = re.compile(r"[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*\Z")


def address(remote: Remote) -> str:
    """Where it lies: `https://HOST/NAME`, whichever scheme is spoken in the end."""
    bare = remote.url.removeprefix("oci://").strip("/")
    return f"https://{bare}/{remote.name}" if remote.name else f"https://{bare}"


def pinned(revision: str) -> bool:
    """Does it name one artifact? Helm writes the + of a version as _; `latest` is another one every day."""
    if revision.startswith("sha256:"):
        return DIGEST.match(revision) is not None
    return revision != "latest" and TAG.match(revision.replace("+", "_")) is not None


def api_of(remote: Remote, web: Web) -> Api:
    """The repository of the registry that it names. Raises InputError."""
    host, _, name = address(remote).removeprefix("https://").partition("/")
    if not _NAME.match(name):
        raise InputError(f"{remote.url} names no repository of a registry", help="correct the address")
    return Api(host, name, web.named(address(remote)), web)


def manifest(remote: Remote, api: Api) -> bytes:
    """What its revision, which is pinned, stands for now. Raises InputError."""
    reference = remote.revision.replace("+", "_")
    found = _fine(api.get(f"manifests/{reference}", {"Accept": MANIFESTS}, MOST_MANIFEST), remote).body
    if DIGEST.match(reference):
        _must_be(reference, found, remote)
    return found


def archive(digest: str, remote: Remote, api: Api) -> bytes:
    """A layer, a .tar.gz that is what its digest says. Raises InputError."""
    content = _fine(api.get(f"blobs/{digest}", {}, MOST_BYTES), remote).body
    _must_be(digest, content, remote)
    return content


def layer(manifest: bytes, remote: Remote) -> str:
    """The digest of the one layer that holds files. Raises InputError."""
    try:
        layers: list[dict[str, Any]] = json.loads(manifest)["layers"]
        fitting = [row for row in layers if row["mediaType"] in LAYERS]
        if not fitting and len(layers) == 1 and "tar+gzip" in layers[0]["mediaType"]:
            fitting = layers
        digests = [str(row["digest"]) for row in fitting]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{remote.url} is not an artifact that can be read", help="name a chart or artifact"
        ) from error
    if len(digests) != 1 or not DIGEST.match(digests[0]):
        raise InputError(f"{remote.url} holds no chart and no manifests", help="look at what was pushed there")
    return digests[0]


def _fine(got: Answer, remote: Remote) -> Answer:
    if got.status >= 500:
        raise Unreachable(f"{remote.url} answered {got.status}", help="try again later")
    if got.status != 200:
        raise InputError(
            f"{remote.url} answered {got.status} for {remote.revision}",
            help="look at the name and the version, or give the bot credentials (docs/remotes.md)",
        )
    return got


def _must_be(digest: str, data: bytes, remote: Remote) -> None:
    if digest != f"sha256:{hashlib.sha256(data).hexdigest()}":
        raise InputError(f"what {remote.url} serves is not {digest}", help="the registry's content was changed")
