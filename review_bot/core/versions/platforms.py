"""Platforms of images, `os/architecture[/variant]`: which ones a node of a platform runs."""

from __future__ import annotations

import re

MOST = 100
_PLATFORM = re.compile(r"[a-z0-9]{1,32}/[a-z0-9_-]{1,32}(?:/[a-z0-9._-]{1,32})?\Z", re.ASCII)
# Other names of an architecture, and variants that are what is meant without one (as containerd has it).
_NAMES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "i386": "386"}
_ARM = {"armhf": "v7", "armel": "v6", "arm": "v7"}
_PLAIN = {"amd64": "v1", "arm64": "v8"}


def platform(os: str, architecture: str, variant: str = "") -> str:
    """The platform in one spelling, "" for what is none: the words come from whoever built an image."""
    machine = _NAMES.get(architecture.lower(), architecture.lower())
    kind = variant.lower()
    if machine in _ARM:
        machine, kind = "arm", kind or _ARM[machine]
    if kind[:1].isdigit():
        kind = f"v{kind}"
    if kind == _PLAIN.get(machine):
        kind = ""
    written = "/".join(word for word in (os.lower(), machine, kind) if word)
    return written if os and machine and _PLATFORM.match(written) else ""


def parse(text: str) -> str:
    """The platform that an operator names, in the same spelling."""
    return platform(*text.split("/")[:3]) if "/" in text else ""


def runs_on(wanted: str, built: str) -> bool:
    """Does a node of the platform `wanted` run what was built for `built`? Both are in the one spelling.

    An older variant of the same architecture runs on a newer one (arm/v6 on arm/v7). That some nodes also run another
    architecture (386 on amd64) is no reason to call an image built for it.
    """
    os, machine, needs = _parts(built)
    where, node, has = _parts(wanted)
    if (os, machine) != (where, node):
        return False
    older, newer = _number(needs or _PLAIN.get(machine, "")), _number(has or _PLAIN.get(machine, ""))
    return needs == has or not needs or (older is not None and newer is not None and older <= newer)


def _parts(text: str) -> tuple[str, str, str]:
    os, _, rest = text.partition("/")
    machine, _, variant = rest.partition("/")
    return os, machine, variant


def _number(variant: str) -> tuple[int, ...] | None:
    """`v8.2` as (8, 2); None for a variant that has no order."""
    found = re.fullmatch(r"v(\d{1,3})(?:\.(\d{1,3}))?", variant, re.ASCII)
    return tuple(int(n or 0) for n in found.groups()) if found else None
