"""Waivers written into `.review-bot.yaml`: they are added, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.core.config import parse_config
from review_bot.core.configuration import Waiver
from review_bot.core.errors import UsageError
from review_bot.core.waiver_edit import CantEdit, with_waivers

ONE = Waiver("no-latest-tag", {"kind": "Deployment", "name": "web"}, 'until it\'s "built" # soon', "2027-01-31")
TWO = Waiver("no-root", {"name": "yes"}, "legacy: true", "2027-02-01")
FLOW = "{rule: a, reason: b, until: 2027-01-01}"

FILES = {
    "none": "# ours\nversion: 1\nmerge: {method: rebase}   # as ever\n",
    "no end of line": "version: 1",
    "empty list": "version: 1\nwaivers: []  # none yet\nmerge: {auto: true}\n",
    "one line each": f"waivers:\n  - {FLOW}  # why\n  # more to come\n\nversion: 1\n",
    "not indented": f"version: 1\nwaivers:\n- {FLOW}\nmerge: {{auto: true}}\n",
    "blocks": "version: 1\nwaivers:\n    - rule: a\n      until: 2027-01-01\n      reason: b # c\n\nmerge: {}\n",
    "a long text": "version: 1\nwaivers:\n  - rule: a\n    until: 2027-01-01\n    reason: |\n      b\nmerge: {}\n",
    "folded at the end": "version: 1\nwaivers:\n  - rule: a\n    until: 2027-01-01\n    reason: >-\n      b\n      c",
    "in brackets": f"version: 1\nwaivers: [{FLOW}, # one\n  {FLOW}\n]\nmerge: {{}}\n",
    "of Windows": f"version: 1\r\nwaivers:\r\n  - {FLOW}\r\nmerge: {{auto: true}}\r\n",
    "last": f"version: 1\nwaivers:\n  - {FLOW}",
}


@pytest.mark.parametrize("name", FILES)
def test_every_line_that_was_there_stays(name: str) -> None:
    old = FILES[name]
    new = with_waivers(old, [ONE, TWO])
    before, after = parse_config(old.encode()), parse_config(new.encode())
    assert after == replace(before, waivers=(*before.waivers, ONE, TWO))
    rest = iter(new)
    if name != "empty list":  # the brackets of the empty list go
        assert all(character in rest for character in old)
    assert new.count("#") == old.count("#") + 1
    assert ("\r\n" in new) == ("\r\n" in old) and "\n" not in new.replace("\r\n", "") * ("\r\n" in old)


def test_a_file_that_is_not_there_yet_is_made() -> None:
    assert parse_config(with_waivers(None, [ONE]).encode()).waivers == (ONE,)


@pytest.mark.parametrize(
    "text",
    [
        "{version: 1, waivers: []}",
        "version: 1\nwaivers:\nmerge: {auto: true}\n",
        f"version: 1\nmerge: {{}}\nwaivers: &w [{FLOW}]\n...\n# the end\nfreezes: []\n",
        f"version: 1\nwaivers: ? [{FLOW}]\n",
    ],
)
def test_what_is_written_too_unusually_is_left_to_people(text: str) -> None:
    with pytest.raises((CantEdit, UsageError)):
        with_waivers(text, [ONE])


texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Co", "Cn")), min_size=1, max_size=30)


@settings(deadline=None)
@given(st.sampled_from(sorted(FILES)), texts, texts, texts)
def test_no_text_of_a_user_is_taken_for_anything_else(name: str, rule: str, reason: str, target: str) -> None:
    waiver = Waiver(rule, {"target": target}, reason, "2027-01-31")
    try:
        new = with_waivers(FILES[name], [waiver])
    except CantEdit:
        assert not (rule + reason + target).isascii()
        return
    assert parse_config(new.encode()).waivers[-1] == waiver
