"""What the operator lets the bot fetch from elsewhere (`remotes` in the operator's file)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from review_bot.core.repo_urls import normal


@dataclass(frozen=True)
class RemoteHost:
    """`place` is a host, or a host and the beginning of a path; with `private` it may lie in the operator's network."""

    place: str
    private: bool = False
    username: str = ""
    password: str = ""
    # Without TLS: for mirrors in the operator's own network.
    plain_http: bool = False

    def __repr__(self) -> str:
        return f"RemoteHost({self.place!r})"


@dataclass(frozen=True)
class RemoteHosts:
    """The hosts, the longest places first."""

    hosts: tuple[RemoteHost, ...]

    @staticmethod
    def of(rows: Mapping[str, RemoteHost]) -> RemoteHosts:
        """From the rows of the operator's file."""
        return RemoteHosts(tuple(sorted(rows.values(), key=lambda h: -len(h.place))))

    def find(self, url: str) -> RemoteHost | None:
        """The row that allows an address, None where none does."""
        wanted = f"{normal(url)}/"
        # A path that leads elsewhere once a server has followed it is not below the one that was allowed.
        if "\\" in wanted or not {".", ".."}.isdisjoint(wanted.split("/")):
            return None
        return next((h for h in self.hosts if wanted.startswith(f"{h.place.lower().strip('/')}/")), None)
