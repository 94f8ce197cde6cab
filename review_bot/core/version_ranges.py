"""Ranges of versions, as helm, Flux and Argo CD read them: by the library that all three use (Masterminds/semver)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from review_bot.core.delivery import Templating
from review_bot.core.errors import InputError
from review_bot.core.model import Remote, RemoteKind

_EXACT = re.compile(r"v?\d+\.\d+\.\d+(?:[-+][0-9A-Za-z.+-]+)?\Z", re.ASCII)
# A version as Flux takes it for one; what else has been pushed stands beside them.
_NUMBER, _WORDS = r"(?:0|[1-9]\d{0,17})", r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(rf"v?{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_WORDS})?(?:\+{_WORDS})?\Z", re.ASCII)
_LEADING_ZERO = re.compile(r"[-.]0\d+(?=[.+]|\Z)")
# sprig's functions are that library's: a prerelease fits only if the range names one.
_HIGHEST = """\
{{- $found := "" -}}
{{- range .versions -}}
{{- if semverCompare $.range . -}}
{{- if or (not $found) (gt ((semver .).Compare (semver $found)) 0) }}{{ $found = . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- $found -}}
"""


def is_exact(version: str) -> bool:
    """Is it one version, or a digest?"""
    return _EXACT.match(version) is not None or version.startswith("sha256:")


def chart(kind: RemoteKind, url: str, name: str, version: str) -> Remote:
    """A chart in a version, or in the highest one of a range."""
    return Remote(kind, url, name, version, floating=not is_exact(version))


def highest(remote: Remote, versions: Iterable[str], templating: Templating) -> str:
    """The version that its range means where these are there. Raises InputError where none does, or it is no range."""
    what, wanted = f"{remote.name or remote.url}", remote.revision.strip()
    if not wanted:
        raise InputError(f"{what} is deployed in no certain version", help="name one")
    known = [v for v in dict.fromkeys(versions) if _is_version(v)]
    try:
        (found,) = templating.go_templates(_HIGHEST, [{"range": wanted, "versions": known}])
    except InputError as error:
        raise InputError(f"{wanted!r} is no version of {what}, and no range of them", help="name one") from error
    if not found:
        raise InputError(f"no version of {what} fits {wanted}", help="name one that is there")
    return str(found)


def _is_version(text: str) -> bool:
    return len(text) <= 256 and _VERSION.match(text) is not None and not _LEADING_ZERO.search(text.partition("+")[0])
