"""Which addresses may be connected to: of the public internet, and of the operator's network where it says so."""

from __future__ import annotations

import ipaddress
import socket

from review_bot.core.errors import InputError
from review_bot.core.remote_hosts import RemoteHost

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
# Where clouds keep a machine's credentials, whatever the operator's network is like.
_NEVER: tuple[_Network, ...] = tuple(
    ipaddress.ip_network(n) for n in ("169.254.0.0/16", "100.100.100.200/32", "fe80::/10", "fd00:ec2::254/128")
)
_GLOBAL_6 = ipaddress.ip_network("2000::/3")
# Of these some hold an IPv4 address, which may be a private one.
_NOT_GLOBAL_6 = tuple(ipaddress.ip_network(n) for n in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def address_of(name: str, host: RemoteHost) -> str:
    """An address of the name that may be connected to: a public one, unless the operator says otherwise.

    Raises InputError.
    """
    try:
        found = [str(row[4][0]) for row in socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError) as error:
        raise InputError(f"there is no host {name}", help="look at the address") from error
    for address in found:
        if is_public(address) or (host.private and is_usable(address)):
            return address
    raise InputError(
        f"{name} lies in a private network",
        help="the operator can set `private: true` for it in `remotes` (docs/remotes.md)",
    )


def is_public(address: str) -> bool:
    """Is it an address of the public internet, and none that leads to another?"""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        return ip in _GLOBAL_6 and not any(ip in network for network in _NOT_GLOBAL_6)
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and is_usable(address)


def is_usable(address: str) -> bool:
    """May it be connected to within the operator's network? Never what tells a machine its credentials."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    held = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    found = held or ip
    return not (found.is_multicast or found.is_unspecified or any(found in network for network in _NEVER))
