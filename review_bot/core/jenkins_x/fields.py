"""Templates that only name a field: `{{ .Values.image.tag }}`, `{{ .Environment.Name }}`, `{{ .Release.Name }}`.

Go's text/template prints such a field as it is. All else in braces is helmfile's to say, and is not guessed here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_BRACES = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_FIELD = re.compile(r"\{\{\s*\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*\}\}")


# A text grows by what its fields hold; what is larger than this is not followed.
MOST_FILLED = 1 << 20


class Unseen(Exception):
    """The text needs more than fields, or a field that is not known; the message is the part in braces."""


def filled(text: str, fields: Mapping[str, Any]) -> str:
    """The text with its fields. Raises Unseen."""
    if "{{" not in text:
        return text
    if "{{" in _BRACES.sub("", text):
        raise Unseen("{{…")
    parts, start, size = [], 0, 0
    for match in _BRACES.finditer(text):
        parts += [text[start : match.start()], _printed(match[0], fields)]
        start, size = match.end(), size + len(parts[-1])
        if size > MOST_FILLED:
            raise Unseen("more than fits")
    return "".join([*parts, text[start:]])


def _printed(braces: str, fields: Mapping[str, Any]) -> str:
    match = _FIELD.fullmatch(braces)
    value: Any = fields if match else None
    for step in match[1].split(".") if match else ():
        value = value.get(step) if isinstance(value, Mapping) else None
    # What Go prints of lists, mappings, fractions and nothing is no text that anybody means.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int) and "\n" not in str(value):
        return str(value)
    raise Unseen(" ".join(braces.split())[:80])
