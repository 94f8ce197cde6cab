"""Planning is exact both ways: random edits of real repositories touch the targets whose output differs.

What differs is found the long way: everything is rendered on both sides. Every target that differs must be planned;
those that are planned though nothing differs (a comment changed, a value that no template uses) are counted.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest
import repositories

from review_bot.core.configuration import Config
from review_bot.core.diff import compare
from review_bot.core.model import Rendered, Tree
from review_bot.github.workspace import Repository
from review_bot.pipeline.delivering import Delivering
from review_bot.pipeline.rendering import render_trees
from review_bot.pipeline.review import Reviewer

pytestmark = pytest.mark.skipif(not repositories.SAMPLES.is_dir(), reason="the samples lie beside the checkout")

ORIGINS = {
    "argocd-example-apps": "https://github.com/argoproj/argocd-example-apps",
    "flux2-kustomize-helm-example": "https://github.com/fluxcd/flux2-kustomize-helm-example",
    "kubestack-custom-environment": "https://github.com/kubestack/custom-environment",
}
EDITS = 12
TEXTS = (".yaml", ".yml", ".json", ".tpl", ".tf", ".tfvars", ".jsonnet", ".libsonnet")


def edited(root: Path, luck: random.Random) -> str:
    """Change one file in some way; says how."""
    files = sorted(p for p in root.rglob("*") if p.is_file() and ".git" not in p.parts and p.suffix in TEXTS)
    path = luck.choice(files)
    text, name = path.read_text(errors="surrogateescape"), path.relative_to(root)
    how = luck.choice(["digit", "word", "remove", "comment", "move"])
    digits = [i for i, c in enumerate(text) if c.isdigit()]
    rows = text.splitlines(keepends=True)
    if how == "digit" and digits:
        at = luck.choice(digits)
        text = text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :]
    elif how == "word" and rows:
        at = luck.randrange(len(rows))
        rows[at] = rows[at].rstrip("\n") + "x\n"
        text = "".join(rows)
    elif how == "comment":
        text += "\n# a remark\n"
    elif how == "move":
        path.rename(path.with_name(f"moved-{path.name}"))
        return f"{name} moved"
    else:
        path.unlink()
        return f"{name} removed"
    path.write_text(text, errors="surrogateescape")
    return f"{name}: {how}"


async def everything(delivering: Delivering, repository: Repository, tree: Tree) -> dict[str, Rendered]:
    survey = await delivering.survey(tree)
    rendered, _ = await render_trees(delivering.renderer, repository, [(survey.tree, survey.targets)])
    return {one.target.id: one for one in rendered}


def differ(old: Rendered | None, new: Rendered | None) -> bool:
    """Is anything another, an object or why there is none?"""
    if old is None or new is None:
        return True
    if old.failed or new.failed:
        return old.failed != new.failed or [f.message for f in old.findings] != [f.message for f in new.findings]
    return bool(compare("t", old.resources, new.resources))


@pytest.mark.parametrize("name", sorted(ORIGINS))
def test_random_edits_touch_what_differs(name: str, tmp_path: Path) -> None:
    root = shutil.copytree(repositories.unpacked(name, tmp_path), tmp_path / "repository", symlinks=True)
    repositories.git(root, "init", "-q", "-b", "main")
    repositories.git(root, "remote", "add", "origin", ORIGINS[name])
    repositories.commit(root, "base")
    missed, loose, planned = asyncio.run(tried(root, tmp_path / "cache", random.Random(name)))
    assert missed == []
    # A file that is read may change without changing what comes out, and then its targets are looked at in vain.
    assert loose <= planned * 4 // 5


async def tried(root: Path, cache: Path, luck: random.Random) -> tuple[list[tuple[str, str]], int, int]:
    """What planning missed after which edit; how many targets it took in vain, and how many in all."""
    repository, reviewer = Repository(root), Reviewer(cache=cache)
    delivering = reviewer.delivering(repository, Config(), "main")
    base = repository.resolve("main")
    before = await everything(delivering, repository, repository.tree(base))
    missed, loose, taken = [], 0, 0
    for number in range(EDITS):
        repositories.git(root, "checkout", "-q", "-B", f"edit-{number}", "main")
        how = edited(root, luck)
        repositories.commit(root, how)
        head = repository.resolve(f"edit-{number}")
        planned = {_name(p.id) for p in await reviewer.touched(repository, base, head, branch="main")}
        after = await everything(delivering, repository, repository.tree(head))
        different = {
            _name(id)
            for id in before.keys() | after.keys()
            if differ(before.get(id), after.get(id)) and not _hidden(id, before, after)
        }
        missed += [(how, id) for id in sorted(different - planned)]
        loose += len(planned - different)
        taken += len(planned)
    return missed, loose, taken


def _name(id: str) -> str:
    """The id without its realm, which it has only where two of one side would share it."""
    return id.partition("@")[0]


def _hidden(id: str, before: dict[str, Rendered], after: dict[str, Rendered]) -> bool:
    """Is it seen on one side only because of something else?

    Something does not render on the other and may have told of it (a review blocks then, and says so); it has another
    id there; or it is a folder that a tool deploys on the other: what the tool deploys differs, and that is planned.
    """
    if id in before and id in after:
        return False
    one, other = (before, after) if id in before else (after, before)
    if any(_name(known) == _name(id) and not differ(one[id], r) for known, r in other.items()):
        return True
    deployed = {path for r in other.values() if r.target.delivery for path in r.target.reads or ()}
    folder = one[id].target
    alone = folder.delivery is None and bool(deployed.intersection(folder.reads or ()))
    return alone or any(r.failed for r in other.values())
