"""How far one version is from another: semantic versions, and what tags look like in practice."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import total_ordering


class Step(StrEnum):
    SAME = "same"
    DIGEST_ONLY = "digest-only"
    PATCH = "patch"
    MINOR = "minor"
    MAJOR = "major"
    PRE_RELEASE = "pre-release"
    DOWNGRADE = "downgrade"
    UNKNOWN = "unknown"
    NEW = "new"


# From what needs least attention to what needs most.
WEIGHT = (
    Step.SAME,
    Step.NEW,
    Step.DIGEST_ONLY,
    Step.PATCH,
    Step.MINOR,
    Step.PRE_RELEASE,
    Step.UNKNOWN,
    Step.MAJOR,
    Step.DOWNGRADE,
)
_VERSION = re.compile(
    r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?\Z", re.ASCII
)
# Other words behind the dash name what is built: alpine, management, debian-12.
_PRE = re.compile(
    r"(?:\d|(?:alpha|beta|rc|cr|m|pre|preview|dev|snapshot|nightly|canary|next|milestone)(?=[.\-\d]|\Z))", re.I
)
_DATE = re.compile(r"(?:19|20)\d{2}[-.]?\d{2}[-.]?\d{2}(?:[-.T]?\d+)*\Z", re.ASCII)
_RANGE = re.compile(r"(~>|>=|[~^>=]|)\s*(v?\d+(?:\.\d+)*(?:-[0-9A-Za-z.-]+)?)((?:\.[xX*])*)\Z", re.ASCII)
# A year in the first place makes steps of a calendar and not of what breaks.
_FIRST_YEAR = 1900


@total_ordering
@dataclass(frozen=True, slots=True)
class Version:
    """`core` is major, minor and patch, `pre` the pre-release's identifiers, `variant` what is built (`alpine3.19`)."""

    core: tuple[int, int, int]
    pre: tuple[str, ...] = ()
    variant: str = ""

    def __lt__(self, other: Version) -> bool:
        return self._key() < other._key()

    def _key(self) -> tuple[object, ...]:
        # A pre-release comes before its release; numbers before words (semver.org, 11).
        pre = tuple((0, int(p), "") if p.isdigit() else (1, 0, p) for p in self.pre)
        return (self.core, not self.pre, pre, tuple(_parts(self.variant)))

    @property
    def family(self) -> str:
        """The variant without its own numbers."""
        return re.sub(r"\d+(?:\.\d+)*", "", self.variant)


def read(text: str) -> Version | None:
    """A version, None for what is none (a commit, a word, a date)."""
    match = _VERSION.match(text)
    if match is None or _DATE.match(text):
        return None
    major, minor, patch, rest = match.groups()
    # A lone number is a version only with a dot or a v: else it counts builds.
    if minor is None and not text.startswith("v"):
        return None
    core = int(major), int(minor or 0), int(patch or 0)
    if rest is None:
        return Version(core)
    if _PRE.match(rest):
        return Version(core, tuple(rest.split(".")))
    return Version(core, variant=rest)


def step(old: str, new: str) -> Step:
    """What lies between two versions or tags, or between two ranges of the same form (`~> 5.1`, `6.x`)."""
    if old == new:
        return Step.SAME
    (form, old), (form_after, new) = _bare(old), _bare(new)
    before, after = (read(old), read(new)) if form == form_after else (None, None)
    if before is None or after is None:
        dates = _DATE.match(old) and _DATE.match(new) and len(old) == len(new)
        return Step.DOWNGRADE if dates and new < old else Step.UNKNOWN
    if before.family != after.family:
        return Step.UNKNOWN
    if after < before:
        return Step.DOWNGRADE
    if after.pre:
        return Step.PRE_RELEASE
    if after.core[0] >= _FIRST_YEAR:
        return Step.UNKNOWN
    for index, name in enumerate((Step.MAJOR, Step.MINOR)):
        if after.core[index] != before.core[index]:
            return name
    return Step.PATCH


def _bare(text: str) -> tuple[str, str]:
    """How a range is written, and the version in it; "" and the text itself for what is none."""
    match = _RANGE.match(text)
    if match is None or not (match[1] or match[3]):
        return "", text
    return f"{match[1]}…{match[3].lower()}", match[2] if "." in match[2] else f"{match[2]}.0"


def worst(steps: list[Step]) -> Step | None:
    """That which needs most attention, None where nothing moves."""
    return max(steps, key=WEIGHT.index, default=None)


def _parts(text: str) -> list[tuple[int, int, str]]:
    return [(0, int(p), "") if p.isdigit() else (1, 0, p) for p in re.findall(r"\d+|\D+", text)]
