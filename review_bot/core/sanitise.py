"""Text from a pull request made harmless: for a terminal, for markdown, inside a code block."""

from __future__ import annotations

import re
import unicodedata

# Characters that change how the rest of a line is shown, or that nobody can see.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_NEEDED = frozenset("\\`*_{}[]<>#!|~&$")


def visible(text: str, *, keep: str = "") -> str:
    """Control, bidirectional and invisible characters as `\\u{…}`; those in `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c in keep or unicodedata.category(c) not in _INVISIBLE else f"\\u{{{ord(c):x}}}" for c in text)


def terminal(text: str) -> str:
    """One line for a terminal: nothing in it moves the cursor or changes colours."""
    return visible(text.replace("\r\n", " ").replace("\n", " ").replace("\t", " "))


def markdown(text: str) -> str:
    """One line of markdown that shows the text as it is: no HTML, mentions, links, markers or formatting."""
    shown = visible(" ".join(text.split("\n")))
    escaped = "".join(f"\\{c}" if c in _NEEDED and c not in "<>&" else c for c in shown)
    escaped = escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # GitHub looks for mentions once entities are decoded: only a character in between keeps people from being called.
    return escaped.replace("@", "@&#8203;").replace("://", "&#58;//").replace("www.", "www&#46;")


def code(text: str) -> str:
    """An inline code span that the text can't leave."""
    shown = visible(" ".join(text.split("\n"))).replace("|", "¦") or " "
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def fence(text: str, language: str = "") -> str:
    """A code block that the text can't leave."""
    shown = visible(text, keep="\n\t").rstrip("\n")
    longest = max((len(run) for run in re.findall(r"`+", shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    return f"{ticks}{language}\n{shown}\n{ticks}"
