"""What a delivery asks for, and which are turned away."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.github.webhook import BadDelivery, Wish, interpret, verify

SECRET = "s3cret"
COMMON: dict[str, Any] = {
    "installation": {"id": 5},
    "repository": {"full_name": "org/config"},
    "sender": {"login": "alice"},
}


def wishes(event: str, **payload: Any) -> tuple[Wish, ...]:
    return interpret(event, json.dumps({**COMMON, **payload}).encode(), "review-bot")


@given(st.binary(max_size=200))
def test_only_the_hmac_of_exactly_these_bytes_is_accepted(body: bytes) -> None:
    good = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    verify(SECRET, body, good)
    for bad in (None, "", good[:-1], good.upper(), good.replace("sha256", "sha1"), "sha256=é"):
        with pytest.raises(BadDelivery) as refused:
            verify(SECRET, body, bad)
        assert refused.value.status == 401
    with pytest.raises(BadDelivery):
        verify(SECRET, body + b" ", good)


def test_checks_of_others_are_looked_at_only_where_a_merge_may_wait_for_them() -> None:
    suite = wishes("check_suite", action="completed", check_suite={"head_sha": "abc"})
    status = wishes("status", sha="abc", state="success")
    assert suite == status == (Wish("checks:org/config:abc", 5),)


def test_a_merge_group_is_known_by_its_branch_and_stopped_when_it_is_gone() -> None:
    branch = "gh-readonly-queue/main/pr-7-abc"
    group = {"head_ref": f"refs/heads/{branch}", "head_sha": "abc"}
    (asked,) = wishes("merge_group", action="checks_requested", merge_group=group)
    (gone,) = wishes("merge_group", action="destroyed", merge_group=group)
    assert asked == Wish(f"group:org/config:{branch}", 5)
    assert gone == Wish(f"group:org/config:{branch}", 5, interrupt=True)
    assert wishes("push", ref=f"refs/heads/{branch}") == ()
    with pytest.raises(BadDelivery):
        wishes("merge_group", action="checks_requested", merge_group={"head_ref": "refs/heads/main"})


@pytest.mark.parametrize("action", ["synchronize", "closed", "reopened"])
def test_a_changed_head_stops_the_review_under_way(action: str) -> None:
    pull = {"number": 7}
    assert wishes("pull_request", action=action, pull_request=pull) == (Wish("pull:org/config#7", 5, interrupt=True),)


def test_a_new_base_stops_the_review_and_a_new_title_does_not() -> None:
    retargeted = wishes("pull_request", action="edited", pull_request={"number": 7}, changes={"base": {}})
    retitled = wishes("pull_request", action="edited", pull_request={"number": 7}, changes={"title": {}})
    assert [w.interrupt for w in (*retargeted, *retitled)] == [True, False]


@pytest.mark.parametrize(
    ("event", "payload", "key"),
    [
        ("pull_request_review", {"action": "submitted", "pull_request": {"number": 7}}, "pull:org/config#7"),
        (
            "issue_comment",
            {"action": "created", "issue": {"number": 7, "pull_request": {"url": "x"}}},
            "pull:org/config#7",
        ),
        ("issue_comment", {"action": "created", "issue": {"number": 7}}, None),
        ("push", {"ref": "refs/heads/release/1.0"}, "base:org/config:release/1.0"),
        ("push", {"ref": "refs/tags/v1"}, None),
        ("check_run", {"action": "rerequested", "check_run": {"head_sha": "abc"}}, "head:org/config:abc"),
        ("check_suite", {"action": "rerequested", "check_suite": {"head_sha": "abc"}}, "head:org/config:abc"),
        ("check_run", {"action": "completed", "check_run": {"head_sha": "abc"}}, None),
        ("installation", {"action": "created"}, "sweep"),
        ("installation", {"action": "deleted"}, None),
        ("ping", {"zen": "x"}, None),
        ("star", {"action": "created"}, None),
    ],
)
def test_each_event_says_where_to_look(event: str, payload: dict[str, Any], key: str | None) -> None:
    assert [w.key for w in wishes(event, **payload)] == ([key] if key else [])


def test_what_the_bot_did_itself_starts_nothing() -> None:
    own = {"login": "review-bot[bot]", "type": "Bot"}
    assert (
        wishes("issue_comment", sender=own, action="created", issue={"number": 1, "pull_request": {"url": "x"}}) == ()
    )


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("pull_request", b""),
        ("pull_request", b"[]"),
        ("pull_request", b"{"),
        ("pull_request", b"[" * 100_000),
        ("pull_request", b"\xff\xfe"),
        ("pull_request", b"{}"),
        ("pull_request", b'{"action": "opened", "pull_request": {"number": "seven"}, "installation": {"id": 1}}'),
        ("pull_request", b'{"action": "opened", "pull_request": [], "installation": null, "repository": 3}'),
        ("push", b'{"ref": 7, "installation": {"id": 1}, "repository": {"full_name": "a/b"}}'),
        ("push", b'{"ref": "refs/heads/x", "installation": {"id": 1}, "repository": {"full_name": "../etc/passwd"}}'),
    ],
)
def test_a_malformed_body_is_refused_with_a_4xx_and_never_raises_anything_else(event: str, body: bytes) -> None:
    with pytest.raises(BadDelivery) as refused:
        interpret(event, body, "review-bot")
    assert 400 <= refused.value.status < 500


@given(
    st.sampled_from(["pull_request", "issue_comment", "push", "check_run", "installation", "team"]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["action", "pull_request", "number", "installation", "id", "repository", "full_name", "ref"]
                ),
                inner,
                max_size=5,
            )
        ),
        max_leaves=20,
    ),
)
def test_no_signed_json_can_make_it_fail_otherwise(event: str, payload: Any) -> None:
    try:
        interpret(event, json.dumps(payload).encode())
    except BadDelivery as refused:
        assert 400 <= refused.status < 500
