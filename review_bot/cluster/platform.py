"""What a cluster would tell helm of itself: its version, and which APIs it serves."""

from __future__ import annotations

import re

from review_bot.cluster.client import ClusterClient
from review_bot.cluster.kinds import Kinds, discover
from review_bot.core.errors import ClusterError
from review_bot.core.platform import Platform

# What helm reads as a version; providers add to it: v1.33.5-gke.1080000, v1.31.4+k3s1.
_VERSION = re.compile(r"v\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?\Z")


def read(client: ClusterClient) -> Platform:
    """Ask the cluster, in three requests. Raises ClusterError."""
    answer = client.get("/version")
    told = str(answer.body.get("gitVersion"))
    if not answer.fine or not _VERSION.match(told):
        raise ClusterError(
            f"the cluster {client.settings.name} does not tell its version (status {answer.status})",
            help="the bot needs the right to read /version, which every account has by default",
        )
    return Platform(told, apis(discover(client)))


def apis(kinds: Kinds) -> tuple[str, ...]:
    """Groups with version, and each kind below its own, sorted."""
    named = {f"{k.api_version}/{k.kind}" for k in kinds.served}
    return tuple(sorted({k.api_version for k in kinds.served} | named))
