"""Who agreed to what, kept apart from the bot: what a merge must answer to."""

from __future__ import annotations

from dataclasses import dataclass, replace

WRITERS = ("alice", "carol", "dave", "erin")


@dataclass(frozen=True)
class Word:
    """What somebody said: `yes` to these effects, `no` (a request for changes), or `back` (it is taken back)."""

    who: str
    what: str
    effects: frozenset[str] = frozenset()
    # The comment or review that says so; "" where none does.
    source: str = ""


@dataclass(frozen=True)
class Ledger:
    """How things stand at one moment."""

    words: tuple[Word, ...] = ()
    team: frozenset[str] = frozenset({"erin", "dave"})
    owners: frozenset[str] = frozenset({"carol", "dave"})
    owners_needed: int = 1
    team_needed: int = 1
    held: bool = False
    draft: bool = False

    def said(self, word: Word) -> Ledger:
        return replace(self, words=(*self.words, word))

    def unsaid(self, source: str) -> Ledger:
        return replace(self, words=tuple(w for w in self.words if w.source != source))

    def against(self, effect: str, contributors: frozenset[str]) -> str:
        """Why this effect must not be merged, "" if it may."""
        yes, objecting = set(), set()
        for word in self.words:
            if word.what == "no":
                objecting.add(word.who)
            elif word.source.startswith("review"):
                objecting.discard(word.who)
            yes.discard(word.who)
            if word.what == "yes" and effect in word.effects:
                yes.add(word.who)
        yes -= contributors
        hindrances = {
            "it is on hold": self.held,
            "it is a draft": self.draft,
            "changes are requested": bool((objecting - contributors) & (self.owners | self.team)),
            "nobody knows who wrote some of it": not contributors <= set(WRITERS),
            "owners are missing": len(yes & self.owners) < self.owners_needed,
            "the team is missing": len(yes & self.team) < self.team_needed,
        }
        return ", ".join(why for why, true in hindrances.items() if true)
