"""What lies elsewhere becomes part of the tree, and only the references that lead there change."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from review_bot.core import elsewhere
from review_bot.core.closure import Files, kustomize_reads
from review_bot.core.elsewhere import Elsewhere
from review_bot.core.errors import InputError
from review_bot.core.files_tree import FilesTree
from review_bot.core.graft import Graft
from review_bot.core.model import Remote, RemoteKind, Source, Tree

SHARED = {"app/kustomization.yaml": "resources: [map.yaml]\n", "app/map.yaml": "kind: ConfigMap\n"}
TEXT = """\
# Shared by all.
resources:
  - own.yaml
  - "https://example.com/acme/shared//app?ref=v1" # the first
  - https://example.com/acme/shared//app?ref=v1.1
namePrefix: a-
"""


def memory(files: Mapping[str, str]) -> Tree:
    return FilesTree("memory", {path: text.encode() for path, text in files.items()})


def side(files: Mapping[str, str], asked: list[Remote]) -> tuple[Graft, Files, Elsewhere]:
    graft = Graft(memory(files))
    known = Files(graft)

    def tree_of(remote: Remote) -> Tree:
        asked.append(remote)
        if remote.revision == "v9":
            raise InputError("there is no v9", help="name another")
        return memory(SHARED)

    return graft, known, Elsewhere(graft, known, tree_of)


def test_a_kustomization_stays_line_by_line_what_it_was() -> None:
    asked: list[Remote] = []
    graft, files, there = side({"web/kustomization.yaml": TEXT, "web/own.yaml": ""}, asked)
    there.complete("web", charts=False)
    led = (graft.read("web/kustomization.yaml") or b"").decode().splitlines()
    same = [n for n, (old, new) in enumerate(zip(TEXT.splitlines(), led, strict=True)) if old == new]
    assert same == [0, 1, 2, 5]
    assert led[3].endswith(" # the first") and "https" not in "".join(led)
    reads = kustomize_reads(files, "web")
    assert sum(path.endswith("app/map.yaml") for path in reads) == 2
    assert not graft.is_made("web/kustomization.yaml")
    there.complete("web", charts=False)
    assert [remote.revision for remote in asked] == ["v1", "v1.1"]


def test_a_copy_at_another_depth_is_led_its_own_way() -> None:
    asked: list[Remote] = []
    graft, files, there = side({"kustomization.yaml": TEXT, "own.yaml": ""}, asked)
    there.complete(".", charts=False)
    # As a tool that edits it writes it: from the text with the references led.
    graft.write(".~copy/kustomization.yaml", graft.read("kustomization.yaml") or b"", Source("kustomization.yaml"))
    files.add([".~copy/kustomization.yaml"])
    there.complete(".~copy", charts=False)
    assert sum(path.endswith("app/map.yaml") for path in kustomize_reads(files, ".~copy")) == 2
    assert len(asked) == 2


def test_what_can_not_be_had_is_asked_for_once_and_stays() -> None:
    asked: list[Remote] = []
    text = "resources: [https://example.com/acme/shared//app?ref=v9]\n"
    graft, _, there = side({"a/kustomization.yaml": text, "b/kustomization.yaml": text}, asked)
    for folder in ("a", "b"):
        there.complete(folder, charts=False)
        assert graft.read(f"{folder}/kustomization.yaml") == text.encode()
    assert [error.message for error in graft.refused.values()] == ["there is no v9"] * 2
    assert len(asked) == 1


def test_only_so_many_places_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elsewhere, "MOST_PLACES", 2)
    asked: list[Remote] = []
    _, _, there = side({}, asked)
    for number in range(4):
        remote = Remote(RemoteKind.GIT, "https://example.com/x", "", f"v{number}")
        if number < 2:
            assert there.fetched(remote, Source("a"))
        else:
            with pytest.raises(InputError, match="more than 2 places"):
                there.fetched(remote, Source("a"))
    assert len(asked) == 2


def test_the_name_of_a_chart_leads_into_no_other_folder() -> None:
    asked: list[Remote] = []
    row = "{name: ../../../other/templates/x, version: 1.0.0, %s: https://example.com/charts}"
    files = {
        "web/kustomization.yaml": f"helmCharts: [{row % 'repo'}]\n",
        "shop/Chart.yaml": f"name: shop\nversion: 1.0.0\ndependencies: [{row % 'repository'}]\n",
        "other/Chart.yaml": "name: other\n",
    }
    graft, _, there = side(files, asked)
    there.complete("web", charts=True)
    there.complete_chart("shop")
    assert set(graft.entries()) == set(files)
    assert [place for place, _ in graft.refused] == ["web/kustomization.yaml", "shop/Chart.yaml"]
    assert all("is not below" in error.message for error in graft.refused.values())
    assert asked == []
