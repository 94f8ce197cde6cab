"""What is made for a review lies apart from what a pull request brings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from review_bot.core.blobs import blob_of
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.graft import Graft
from review_bot.core.model import Source

HERE = Source("apps/web.yaml", 3)
MADE = ".~remote/example.com/v1/0a1b2c3d"


def grafted(*own: str) -> Graft:
    return Graft(FilesTree("own", {path: b"own" for path in ("apps/web.yaml", *own)}))


@pytest.mark.parametrize(
    "own", [f"{MADE}/kustomization.yaml", f"{MADE}/app/deep/x", MADE, ".~remote", ".~remote/example.com"]
)
def test_nothing_of_the_tree_is_taken_for_what_was_made(own: str) -> None:
    for make in (
        lambda graft: graft.mount(FilesTree("other", {"app/map.yaml": b"x"}), MADE, HERE),
        lambda graft: graft.copy(["apps/web.yaml"], "apps", MADE),
    ):
        graft = grafted(own)
        with pytest.raises(InputError, match="a name that the bot keeps for itself"):
            make(graft)
        assert graft.entries().keys() == {"apps/web.yaml", own}
        assert MADE not in graft.made


@given(
    st.lists(st.sampled_from([MADE, f"{MADE}-2", f"{MADE}/x", ".~remote/example.com/v2/y", ".~r", "z"]), unique=True)
)
def test_what_lies_beside_it_does_no_harm(own: list[str]) -> None:
    graft = grafted(*own)
    harmful = [path for path in own if f"{path}/".startswith(f"{MADE}/") or MADE.startswith(f"{path}/")]
    try:
        graft.mount(FilesTree("other", {"map.yaml": b"x"}), MADE, HERE)
    except InputError:
        assert harmful
    else:
        assert not harmful and graft.entries()[f"{MADE}/map.yaml"].blob == blob_of(b"x")


def test_a_folder_that_was_made_may_be_filled_further() -> None:
    graft = grafted()
    graft.copy(["apps/web.yaml"], "apps", ".~flux/a")
    graft.copy(["apps/web.yaml"], "apps", ".~flux/a")
    graft.copy(["apps/web.yaml"], "apps", ".~flux/a/deeper")
    assert {".~flux/a/web.yaml", ".~flux/a/deeper/web.yaml"} < graft.entries().keys()
