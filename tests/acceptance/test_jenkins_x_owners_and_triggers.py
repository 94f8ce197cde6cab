"""Owners of a Jenkins X repository, its generated output and Lighthouse's triggers, through the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories

HELMFILE = """\
releases:
- {name: cache, namespace: shop, chart: stable/redis, version: 1.0.0, values: [values/cache.yaml]}
- {name: mail, namespace: post, chart: stable/mail, version: 1.0.0}
"""
OBJECT = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: shop}\ndata: {x: 'y'}\n"
TASK = "apiVersion: tekton.dev/v1\nkind: Task\nmetadata: {name: a}\nspec: {steps: [{image: x}]}\n"
TRIGGERS = "spec:\n  presubmits:\n  - name: verify\n    source: pr.yaml\n"
BASE = {
    "jx-requirements.yml": "spec: {cluster: {clusterName: blue}}\n",
    "helmfile.yaml": HELMFILE,
    "values/cache.yaml": "size: 1\n",
    "config-root/namespaces/shop/cache/a.yaml": OBJECT,
    "config-root/namespaces/post/mail/a.yaml": OBJECT.replace("shop", "post"),
    ".lighthouse/jx/triggers.yaml": TRIGGERS,
    ".lighthouse/jx/pr.yaml": TASK,
    "OWNERS": "approvers: [Platform, dora]\nreviewers: [erin]\n",
    "OWNERS_ALIASES": "aliases:\n  platform: [alice, bob]\n  mailers: [carol]\n",
    "config-root/namespaces/post/OWNERS": "options: {no_parent_owners: true}\napprovers: [mailers]\n",
}
MOVED = HELMFILE.replace("stable/redis, version: 1.0.0", "stable/redis, version: 1.1.0")
SHOP, POST = (f"config-root/namespaces/{n}/a.yaml" for n in ("shop/cache", "post/mail"))


def rules(verdict: dict[str, Any], *named: str) -> list[tuple[str, str, str]]:
    return [(f["severity"], f["rule"], f["path"]) for f in verdict["findings"] if f["rule"] in named]


NOT_REGENERATED = ("warning", "jenkins-x-not-regenerated")


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({"helmfile.yaml": MOVED}, [(*NOT_REGENERATED, "helmfile.yaml")]),
        ({"values/cache.yaml": "size: 2\n"}, [(*NOT_REGENERATED, "values/cache.yaml")]),
        # What was generated is not what moved.
        ({"helmfile.yaml": MOVED, POST: OBJECT.replace("'y'", "'z'")}, [(*NOT_REGENERATED, "helmfile.yaml")]),
        ({"helmfile.yaml": MOVED, SHOP: OBJECT.replace("'y'", "'z'")}, []),
        ({SHOP: OBJECT.replace("'y'", "'z'")}, [("notice", "jenkins-x-edited-output", SHOP)]),
        ({"README.md": "x\n"}, []),
    ],
)
def test_config_root_follows_its_source(
    head: dict[str, str | None], said: list[tuple[str, str, str]], tmp_path: Path
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, BASE, head))
    found = rules(verdict, "jenkins-x-not-regenerated", "jenkins-x-edited-output", "jenkins-x-no-output")
    assert (status, found) == (0, said)


def test_owners_are_told_with_their_aliases_and_where_they_are_cut_off(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, BASE, {})
    done = repositories.run("owners", str(root), "helmfile.yaml", SHOP, POST, "-o", "json")
    assert done.returncode == 0
    assert {row["path"]: sorted(row["owners"]) for row in json.loads(done.stdout)} == {
        "helmfile.yaml": ["@alice", "@bob", "@dora"],
        SHOP: ["@alice", "@bob", "@dora"],
        POST: ["@carol"],
    }


def test_owners_of_an_alias_that_cannot_be_read_are_an_error(tmp_path: Path) -> None:
    root = repositories.make(tmp_path, {**BASE, "OWNERS_ALIASES": "aliases: [alice]\n"}, {})
    done = repositories.run("owners", str(root), SHOP)
    assert done.returncode == 1 and "OWNERS_ALIASES" in done.stderr


JOB, TWO = ".lighthouse/jx/triggers.yaml", ".lighthouse/two/triggers.yaml"


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ({JOB: TRIGGERS.replace("pr.yaml", "none.yaml")}, ("error", JOB)),
        ({JOB: "spec: [\n"}, ("error", JOB)),
        ({".lighthouse/two/triggers.yaml": TRIGGERS, ".lighthouse/two/pr.yaml": TASK}, ("error", TWO)),
        ({".lighthouse/jx/pr.yaml": "a: 1\n"}, ("error", ".lighthouse/jx/pr.yaml")),
        ({".lighthouse/jx/more/triggers.yaml": TRIGGERS}, ("warning", ".lighthouse/jx/more/triggers.yaml")),
    ],
)
def test_triggers_that_would_run_nothing_are_told(
    head: dict[str, str | None], said: tuple[str, str], tmp_path: Path
) -> None:
    status, verdict = repositories.check(repositories.make(tmp_path, BASE, head))
    severity, path = said
    assert status == (severity == "error")
    assert (severity, "lighthouse-trigger", path) in rules(verdict, "lighthouse-trigger")
