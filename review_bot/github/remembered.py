"""Answers of GitHub that are asked for again only if they have changed: such a question costs nothing of its limit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from review_bot.github.errors import Unavailable

MOST = 256


@dataclass(frozen=True, slots=True)
class Answer:
    """Headers (lower case) and JSON as GitHub sent them, never changed by whoever reads them."""

    headers: Mapping[str, Any]
    data: Any

    @property
    def tag(self) -> str:
        return str(self.headers.get("etag") or "")


class Remembered:
    """The newest answers to reads under one authentication, those that were not asked for longest forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[str, Answer] = OrderedDict()

    def condition(self, question: str) -> dict[str, str]:
        """The headers to ask with: only if it is not what we have."""
        known = self._known.get(question)
        return {"If-None-Match": known.tag} if known else {}

    def answer(self, question: str, headers: Mapping[str, Any], data: Any) -> Answer:
        """What holds now. Raises Unavailable for an empty answer that does not say it is about what we have."""
        given = Answer(headers, data)
        if data is None:
            known = self._known.pop(question, None)
            if known is None or not given.tag or _bare(given.tag) != _bare(known.tag):
                raise Unavailable(f"GET {question}: GitHub's answer is empty")
            given = known
        if given.tag:
            self._known[question] = given
            self._known.move_to_end(question)
            while len(self._known) > self._most:
                self._known.popitem(last=False)
        return given


def _bare(tag: str) -> str:
    """Proxies on the way may turn a strong tag into a weak one."""
    return tag.removeprefix("W/")
