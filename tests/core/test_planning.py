"""Planning looks at what a change can concern, and finds what a look at everything would find."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.core.closure import Files
from review_bot.core.config import parse_config
from review_bot.core.configuration import Config
from review_bot.core.discovery import Discovery
from review_bot.core.model import FileChange, PlannedTarget, TreeEntry
from review_bot.core.planning import discover, plan, reason
from review_bot.core.scope import scope_of

MANIFEST = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
LINK = "link:"
FOLDERS = (
    *(".", "ant", "ant/bee", "ant/base", "bee", "bee/ant", "bee/over", "cat", "cat/ant"),
    *("charts/x", "charts/x/templates", "charts/x/charts/z"),
)
LEAVES = ("ant.yaml", "bee.yaml", "kustomization.yaml", "kustomization.yml", "Chart.yaml", "values.yaml", "lnk", "base")
REFERENCES = (
    *"ant.yaml bee.yaml values.yaml ant bee base ./ant ../ant ../bee ../base ../../ant ../../bee/over".split(),
    *".. . ../.. ../ ../ant/bee/.. lnk ../lnk lnk/ant ../lnk/bee.yaml ../../cat/ant ../cat ../charts/x".split(),
    *"../../charts/x https://x/y kustomization.yml ../ant/base ../../ant/base ant//bee ../bee/./ant".split(),
    *("x y", "/ant", "../../../../ant", "/", ""),
)


class MemoryTree:
    """A tree that is a mapping; links are texts after `link:`."""

    sha = "memory"

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files
        self.was_read: set[str] = set()

    def entries(self) -> Mapping[str, TreeEntry]:
        return {
            p: TreeEntry(p, "120000" if t.startswith(LINK) else "100644", hashlib.sha1(t.encode()).hexdigest())
            for p, t in self._files.items()
        }

    def read(self, path: str) -> bytes | None:
        return self.read_many([path]).get(path)

    def read_many(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        self.was_read.update(paths)
        return {p: self._files[p].removeprefix(LINK).encode() for p in paths if p in self._files}


def path_of(folder: str, leaf: str) -> str:
    return leaf if folder == "." else f"{folder}/{leaf}"


def kustomization(references: list[str], field: str, form: int) -> str:
    kind = "kind: Component\n" if form == 0 else ""
    if form == 1:
        # The same names, spelled with escapes.
        quoted = ", ".join('"' + "".join(f"\\x{ord(c):02x}" for c in r) + '"' for r in references)
    elif form == 2:
        quoted = ", ".join(f"'{r}'" for r in references)
    else:
        quoted = ", ".join(f"{{path: '{r}'}}" if field == "patches" else f"'{r}'" for r in references)
    if form == 3 and references:
        return f"{field}: &x [{quoted}]\ncomponents: *x\n"
    if form == 4:
        return f"helmGlobals: {{chartHome: ../charts}}\nhelmCharts: [{{name: x, valuesFile: {references[0]!r}}}]\n"
    return f"{kind}{field}: [{quoted}]\n" if form != 5 else f"{field}: [\n"


KUSTOMIZATIONS = st.builds(
    kustomization,
    st.lists(st.sampled_from(REFERENCES), min_size=1, max_size=3),
    st.sampled_from(("resources", "resources", "components", "patches", "configurations")),
    st.integers(0, 12),
)
CHARTS = st.sampled_from(
    (
        "name: x\n",
        "name: x\ntype: library\n",
        "name: x\ndependencies: [{name: z, repository: 'file://../../ant'}]\n",
        "name: x\ndependencies: [{name: z, repository: 'file://../x'}]\n",
    )
)
LINKS = ("ant", "../ant", "bee/ant.yaml", "../bee", "base", "../../bee", "lnk", "ant.yaml")
TARGETS = st.sampled_from(LINKS).map(lambda t: LINK + t)
MANIFESTS = st.sampled_from((MANIFEST, MANIFEST.replace("name: a", "name: b"), "replicas: 1\n", "{{ x }}\n"))


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    folder, leaf = draw(st.sampled_from(FOLDERS)), draw(st.sampled_from(LEAVES))
    if leaf.startswith("kustomization"):
        text = draw(KUSTOMIZATIONS)
    elif leaf == "Chart.yaml":
        text = draw(CHARTS)
    elif leaf in ("lnk", "base"):
        text = draw(TARGETS)
    else:
        text = draw(st.one_of(MANIFESTS, MANIFESTS, MANIFESTS, TARGETS))
    return path_of(folder, leaf), text


def possible(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """A tree in which no file has files below it."""
    chosen: dict[str, str] = {}
    for path, text in pairs:
        if not any(p.startswith(f"{path}/") or path.startswith(f"{p}/") for p in chosen):
            chosen[path] = text
    return chosen


TREES = st.lists(files(), max_size=16).map(possible)
EDITS = st.lists(files(), min_size=1, max_size=3)
CONFIGS = st.sampled_from(
    (
        b"version: 1\n",
        b"version: 1\ntargets:\n  exclude: ['bee/**']\n  define:\n"
        b"    - {name: own, helm: {chart: charts/x, values: [ant/bee.yaml]}}\n",
        b"version: 1\ntargets: {define: [{name: own, kustomize: {path: ant}}]}\nchecks: {policy: {paths: [cat]}}\n",
    )
)


def edited(base: dict[str, str], edits: Sequence[tuple[str, str]], drops: Sequence[int]) -> dict[str, str]:
    names = sorted(base)
    kept = {p: t for i, p in enumerate(names) if i not in {d % len(names) for d in drops} for t in [base[p]]}
    return possible([*edits, *kept.items()])


def changes_between(base: Mapping[str, str], head: Mapping[str, str], renames: bool) -> tuple[FileChange, ...]:
    removed = [p for p in sorted(base) if p not in head]
    changes = [FileChange(p, "modified") for p in sorted(head) if p in base and head[p] != base[p]]
    for path in sorted(set(head) - set(base)):
        same = next((p for p in removed if base[p] == head[path]), None) if renames else None
        if same is not None:
            removed.remove(same)
        changes.append(FileChange(path, "renamed", same) if same else FileChange(path, "added"))
    return (*changes, *(FileChange(p, "removed") for p in removed))


def plan_of_everything(
    base: MemoryTree, head: MemoryTree, changes: Sequence[FileChange], config: Config
) -> tuple[PlannedTarget, ...]:
    before = {t.id: t for t in discover(base, config)}
    after = {t.id: t for t in discover(head, config)}
    sides = [(id, before.get(id), after.get(id)) for id in sorted(before.keys() | after.keys())]
    return tuple(PlannedTarget(id, why, b, h) for id, b, h in sides if (why := reason(b, h, changes)) is not None)


@settings(max_examples=1200, deadline=None)
@given(TREES, EDITS, st.lists(st.integers(0, 30), max_size=2), st.booleans(), CONFIGS)
def test_the_plan_is_that_of_a_look_at_everything(
    base: dict[str, str], edits: list[tuple[str, str]], drops: list[int], renames: bool, text: bytes
) -> None:
    head = edited(base, edits, drops) if base else possible(edits)
    changes = changes_between(base, head, renames)
    config = parse_config(text)
    expected = plan_of_everything(MemoryTree(base), MemoryTree(head), changes, config) if changes else ()
    assert plan(MemoryTree(base), MemoryTree(head), changes, config) == expected


def overlays(count: int) -> dict[str, str]:
    found = {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": MANIFEST}
    for n in range(count):
        found[f"over/t{n % 3}/a{n:03}/kustomization.yaml"] = f"resources: [../../../base]\nnamePrefix: a{n:03}-\n"
        found[f"over/t{n % 3}/a{n:03}/a.yaml"] = MANIFEST
    return found


def test_one_overlay_of_many_is_the_only_one_that_is_looked_into() -> None:
    base = overlays(60)
    path = "over/t1/a001/kustomization.yaml"
    head = {**base, path: base[path] + "patches: [{path: a.yaml}]\n"}
    first = Files(MemoryTree(base))
    sides = first, Files(MemoryTree(head), first)
    scope = scope_of(*sides, changes_between(base, head, False), Config())
    assert scope.kustomizations == {"over/t1/a001"}
    assert [t.path for t in Discovery(sides[1], Config(), scope).targets()] == ["over/t1/a001"]


def test_a_base_concerns_all_of_its_overlays() -> None:
    base = overlays(60)
    head = {**base, "base/a.yaml": MANIFEST + "data: {x: y}\n"}
    planned = plan(MemoryTree(base), MemoryTree(head), changes_between(base, head, False), Config())
    assert len(planned) == 60


@pytest.mark.parametrize(
    ("reference", "more"),
    [
        ("../../base/one.yaml", {}),
        ("../../base", {}),
        ("../../../apps/base", {}),
        ("../../../apps", {}),
        ("../..", {}),
        ("../../", {}),
        ('"../../\\x62ase"', {}),
        ("../../base/../base/./one.yaml", {}),
        ("../../../other/lnk/one.yaml", {"other/lnk": f"{LINK}../apps/base"}),
        ("../../../other/lnk", {"other/lnk": f"{LINK}../apps/base"}),
        ("../../../other/lnk", {"other/lnk": f"{LINK}two", "other/two": f"{LINK}../apps/base/one.yaml"}),
        ("../../../other/file", {"other/file": f"{LINK}../apps/base/one.yaml"}),
    ],
)
def test_however_a_file_is_reached_its_change_is_seen(reference: str, more: dict[str, str]) -> None:
    base = {"apps/base/one.yaml": MANIFEST, "apps/over/prod/kustomization.yaml": f"resources: [{reference}]\n", **more}
    head = {**base, "apps/base/one.yaml": MANIFEST + "data: {x: y}\n"}
    changes = changes_between(base, head, False)
    planned = plan(MemoryTree(base), MemoryTree(head), changes, Config())
    assert [p.id for p in planned] == ["kustomize:apps/over/prod"]
    assert planned == plan_of_everything(MemoryTree(base), MemoryTree(head), changes, Config())


def test_a_file_that_another_target_takes_through_a_link_leaves_its_folder() -> None:
    manifest = "apiVersion: v1\nkind: ConfigMap\n"
    base = {
        "plain/a.yaml": manifest,
        "plain/b.yaml": manifest,
        "app/kustomization.yaml": "resources: [c.yaml]\n",
        "app/c.yaml": manifest,
    }
    head = {**base, "app/c.yaml": f"{LINK}../plain/b.yaml"}
    found = plan(MemoryTree(base), MemoryTree(head), changes_between(base, head, False), Config())
    assert {p.id: p.reason for p in found} == {
        "kustomize:app": "app/c.yaml changed",
        "plain:plain": "plain/b.yaml belongs to another target now",
    }
