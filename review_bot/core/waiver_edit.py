"""Write waivers into the text of `.review-bot.yaml` and leave every other character as it is: pure."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import yaml

from review_bot.core.config import parse_config
from review_bot.core.configuration import Waiver
from review_bot.core.errors import UsageError

NEW = "version: 1\n"


class CantEdit(Exception):
    """The file is written in a way that a small edit can't deal with; the text says which."""


def with_waivers(text: str | None, waivers: Sequence[Waiver]) -> str:
    """The file with these waivers at the end of its own. Raises CantEdit, and UsageError where it is broken already.

    The result is read again: it must say what the old one said, and these waivers, and nothing else.
    """
    old = text if text is not None else NEW
    before = parse_config(old.encode())
    new = _edited(old, [_entry(w) for w in waivers])
    try:
        after = parse_config(new.encode())
    except UsageError as error:
        raise CantEdit("the list of waivers is written in an unusual way") from error
    if replace(after, waivers=before.waivers) != before or after.waivers != (*before.waivers, *waivers):
        raise CantEdit("the list of waivers is written in an unusual way")
    return new


def _entry(waiver: Waiver) -> str:
    """One line in flow style, every text quoted so that no YAML reader takes it for something else."""
    match = ", ".join(f"{key}: {_quoted(value)}" for key, value in waiver.match.items())
    parts = [f"rule: {_quoted(waiver.rule)}", *([f"match: {{{match}}}"] if match else [])]
    return f"{{{', '.join([*parts, f'reason: {_quoted(waiver.reason)}', f'until: {waiver.until}'])}}}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _edited(text: str, entries: Sequence[str]) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise CantEdit("it is one mapping in braces")
    node = next((value for key, value in root.value if key.value == "waivers"), None)
    if node is None:
        whole = text if text.endswith(("\n", "\r")) else text + end
        return whole + "waivers:" + end + "".join(f"  - {entry}{end}" for entry in entries)
    if isinstance(node, yaml.SequenceNode) and node.value:
        if node.flow_style:
            at = node.value[-1].end_mark.index
            return text[:at] + "".join(f", {entry}" for entry in entries) + text[at:]
        return _after_block(text, node, entries, end)
    rows = "".join(f"{end}  - {entry}" for entry in entries)
    return text[: node.start_mark.index].rstrip(" ") + rows + text[node.end_mark.index :]


def _after_block(text: str, node: yaml.SequenceNode, entries: Sequence[str], end: str) -> str:
    mark = _last(node).end_mark
    at = mark.index
    if mark.column > 0:
        # To the end of the line: a comment there belongs to what stands before it.
        found = text.find("\n", at)
        at = len(text) if found < 0 else found + 1
    start = text[:at] if text[:at].endswith("\n") else text[:at] + end
    return start + "".join(f"{' ' * node.start_mark.column}- {entry}{end}" for entry in entries) + text[at:]


def _last(node: yaml.Node) -> yaml.Node:
    """The last leaf: the end of a block around it is only where the next thing begins."""
    if isinstance(node, yaml.MappingNode) and node.value and not node.flow_style:
        return _last(node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and node.value and not node.flow_style:
        return _last(node.value[-1])
    return node
