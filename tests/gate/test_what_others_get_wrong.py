"""Every mistake that other gates were seen to make, by name: it fails here, and what would have been right passes.

Those that need GitHub itself have their tests beside the service: merge groups that always pass (`test_merge_queue`),
a merge that names no head (`test_merging`), rules from the pull request's own branch (`test_pull_requests`), and what
outlives a retargeting or somebody's membership (`test_turning_back`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from test_decision import BASE, comment, judged, review

from review_bot.gate import codeowners, owners
from review_bot.gate.judging import State

COMMIT = BASE["commits"][0]
FILE = BASE["files"][0]
CAROL = {"reviews": [review("carol")]}
SECURITY = (
    "version: 1\napprovals:\n  override: {users: [dave]}\n  rules:\n    - {name: s, require: {teams: [org/security]}}\n"
)


@dataclass(frozen=True)
class Mistake:
    """Facts under which another tool lets it through, what the gate says of them, and facts that are fine."""

    facts: dict[str, Any]
    state: State
    right: dict[str, Any]


DB = {"OWNERS": "approvers: [carol]\n", "db/OWNERS": "approvers: [erin]\noptions: {no_parent_owners: true}\n"}
RENAMED = [{**FILE, "path": "apps/a.yaml", "status": "renamed", "previous_path": "db/a.yaml"}]
BROKEN = {"OWNERS": "approvers: [carol]\n", "apps/OWNERS": "approvers: carol, dave\n"}
RULES = {"tree": {**BASE["tree"], ".review-bot.yaml": SECURITY}}
LABELLED = {**BASE["pull_request"], "labels": ["approved", "lgtm", "skip-review"]}
STAGES = {"effects": {"h1": "sha256:one", "h2": "sha256:one"}}

MISTAKES = {
    "policy-bot: a contributor reached only through a merge's second parent approves": Mistake(
        {
            **CAROL,
            "commits": [
                {**COMMIT, "sha": "m1", "parents": ["h1", "side"]},
                {**COMMIT, "sha": "side", "parents": ["b0"], "author": "carol"},
            ],
        },
        State.PENDING,
        {**CAROL, "commits": [{**COMMIT, "sha": "m1", "parents": ["h1", "side"]}, {**COMMIT, "sha": "side"}]},
    ),
    "policy-bot: a commit with an unknown e-mail is ignored, so that its author approves": Mistake(
        {**CAROL, "commits": [COMMIT, {**COMMIT, "sha": "u1", "author": None}]}, State.BLOCKED, CAROL
    ),
    "the same with a committer whom GitHub does not know": Mistake(
        {**CAROL, "commits": [COMMIT, {**COMMIT, "sha": "u1", "committer": None}]}, State.BLOCKED, CAROL
    ),
    "the same with a co-author whom GitHub does not know": Mistake(
        {**CAROL, "commits": [COMMIT, {**COMMIT, "sha": "u1", "co_authors": [None]}]}, State.BLOCKED, CAROL
    ),
    "policy-bot: an approval outlives the same person's request for changes": Mistake(
        {"reviews": [review("carol"), review("carol", "CHANGES_REQUESTED")]},
        State.BLOCKED,
        {"reviews": [review("carol", "CHANGES_REQUESTED"), review("carol")]},
    ),
    "policy-bot: a thumb within a quote approves": Mistake(
        {"comments": [comment("carol", "> :+1:\n> /approve\n\nwhy did you write that?")]},
        State.PENDING,
        {"comments": [comment("carol", "> can I merge?\n\n/approve")]},
    ),
    "policy-bot: a thumb within code approves": Mistake(
        {"comments": [comment("carol", "```\n:+1:\n/approve\n```\nis what you would write")]},
        State.PENDING,
        {"comments": [comment("carol", "```\nlooks right\n```\n/approve")]},
    ),
    "policy-bot: a count that is left out is none": Mistake(
        RULES, State.PENDING, {**RULES, "reviews": [review("erin")]}
    ),
    "policy-bot: a check that turns red later leaves the gate green": Mistake(
        {**CAROL, "checks": {"render": "success", "policy": "failure"}}, State.BLOCKED, CAROL
    ),
    "Prow: a rename needs the owner of the new path alone": Mistake(
        {**CAROL, "tree": DB, "files": RENAMED},
        State.PENDING,
        {"reviews": [review("carol"), review("erin")], "tree": DB, "files": RENAMED},
    ),
    "Prow: a malformed OWNERS is ignored, so that the parent owns the folder": Mistake(
        {**CAROL, "tree": BROKEN}, State.ERROR, {**CAROL, "tree": {**BROKEN, "apps/OWNERS": "approvers: [carol]\n"}}
    ),
    "Prow: a label that was put on by hand passes": Mistake(
        {"pull_request": LABELLED}, State.PENDING, {**CAROL, "pull_request": LABELLED}
    ),
    "Prow: the author's own /approve counts": Mistake(
        {"comments": [comment("alice", "/approve")]}, State.PENDING, {"comments": [comment("carol", "/approve")]}
    ),
    "codeowners-plus: asking not to use the bypass is the bypass": Mistake(
        {**RULES, "comments": [comment("dave", "please do not use the codeowners bypass, nor /override it")]},
        State.PENDING,
        {**RULES, "comments": [comment("dave", "/override the shop is down")]},
    ),
    "codeowners-plus: an approved line that is copied to another file is not stale": Mistake(
        {"reviews": [review("carol", sha="h1")], "files": [FILE, {**FILE, "path": "apps/b.yaml", "status": "added"}]},
        State.PENDING,
        {**STAGES, "reviews": [review("carol", sha="h1")]},
    ),
    "Atlantis: the approval of anyone who may read counts": Mistake(
        {"tree": {}, "reviews": [review("bob")]}, State.PENDING, {"tree": {}, "reviews": [review("dave")]}
    ),
    "Atlantis: an old approval counts": Mistake({"reviews": [review("carol", sha="h1")]}, State.PENDING, CAROL),
    "GitHub: an invalid line of CODEOWNERS is skipped, so that an earlier one applies": Mistake(
        {**CAROL, "tree": {"CODEOWNERS": "* @carol\napps/[ab].yaml @erin\n"}},
        State.ERROR,
        {"reviews": [review("erin")], "tree": {"CODEOWNERS": "* @carol\n/apps/a.yaml @Erin\n"}},
    ),
    "GitHub: a CODEOWNERS beyond 3 MB is ignored": Mistake(
        {"reviews": [review("dave")], "tree": {"CODEOWNERS": "* @carol\n" + "# much\n" * 500_000}},
        State.ERROR,
        {**CAROL, "tree": {"CODEOWNERS": "* @carol\n# little\n"}},
    ),
    "a list of files that GitHub cut passes": Mistake(
        {**CAROL, "truncated": {"files": True, "commits": False}}, State.ERROR, CAROL
    ),
    "a team that is not there is nobody, and nobody is enough": Mistake(
        {**RULES, "teams": {}, "reviews": [review("erin")]}, State.ERROR, {**RULES, "reviews": [review("erin")]}
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_it_is_not_made_here(mistake: Mistake) -> None:
    assert judged(**mistake.facts).state is mistake.state
    assert judged(**mistake.right).state is State.APPROVED


def test_a_file_that_cuts_off_its_parents_must_name_somebody() -> None:
    tree = {"OWNERS": "approvers: [root]\n", "a/OWNERS": "options: {no_parent_owners: true}\nreviewers: [erin]\n"}
    assert owners.read(tree).approvers_of("a/x.yaml")[0] == ("root",)


def test_aliases_know_no_case_and_are_not_followed_twice() -> None:
    aliases = "aliases:\n  Web: [carol, ops]\n  ops: [erin]\n"
    found = owners.read({"OWNERS": "approvers: [WEB]\n", "OWNERS_ALIASES": aliases}).approvers_of("x.yaml")[0]
    assert found == ("carol", "ops")


def test_paths_know_case_and_logins_do_not() -> None:
    assert judged(reviews=[review("Carol")], tree={"CODEOWNERS": "/apps/ @CAROL\n"}).state is State.APPROVED
    file = codeowners.parse("* @carol\n/Apps/ @erin\n", "CODEOWNERS")
    assert file.owners_of("apps/a.yaml") == file.owners_of("x")
