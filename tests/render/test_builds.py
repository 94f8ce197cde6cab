"""Building many kustomizations in one process changes nothing but the time it takes."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from review_bot.core.tools import PINNED, find, tool_path
from review_bot.render.builds import BATCH, DECIDING, Build, Processes, Workers, builder
from review_bot.render.go_modules import modules
from review_bot.render.sandbox import Limits, Outcome, Sandbox

SOURCES = Path(__file__).resolve().parents[2] / "review_bot/render/kustomize_batch"
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {k: v}\n"
NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def built(root: Path, *builds: Build, by: type = Workers, limits: Limits | None = None) -> list[Outcome]:
    async def run() -> list[Outcome]:
        sandbox = Sandbox(limits or Limits())
        alone = Processes(sandbox, find("kustomize"))
        chosen = Workers(sandbox, find(BATCH), alone, (root,), 1) if by is Workers else alone
        try:
            return [await chosen.build(replace(build, checkout=root)) for build in builds]
        finally:
            await chosen.close()

    return asyncio.run(run())


def build(folder: str, content: str | None = None) -> Build:
    return Build(Path(), folder, f"{folder}/kustomization.yaml", content)


def same_both_ways(root: Path, *builds: Build) -> list[Outcome]:
    together, alone = built(root, *builds), built(root, *builds, by=Processes)
    for one, other, wanted in zip(together, alone, builds, strict=True):
        assert (one.status, one.stdout) == (other.status, other.stdout), wanted.folder
        assert one.stderr.strip() == without_advice(other.stderr), wanted.folder
    return together


def without_advice(text: str) -> str:
    """kustomize writes its warnings into the same stream, whether it fails or not."""
    if not text.startswith(("error:", "#", "20")) or "error: " not in text:
        return ""
    return text[text.index("error: ") :].strip()


def folders(root: Path) -> list[str]:
    return sorted({str(p.parent.relative_to(root)) for name in NAMES for p in root.rglob(name)})


def refers_elsewhere(folder: Path) -> bool:
    return any("://" in p.read_text() or "github.com" in p.read_text() for n in NAMES if (p := folder / n).is_file())


def test_the_pinned_kustomize_and_ours_are_made_of_the_same() -> None:
    written = dict(re.findall(r"^\t(\S+) (v\S+)$", (SOURCES / "go.mod").read_text(), re.M))
    ours = modules(tool_path(BATCH))
    assert {n: written[n] for n in DECIDING} == {n: ours[n] for n in DECIDING}
    assert {n: modules(tool_path("kubectl"))[n] for n in DECIDING} == {n: ours[n] for n in DECIDING}
    assert PINNED[BATCH].partition("-")[0] == ours[DECIDING[0]].removeprefix("v")


@pytest.mark.parametrize("name", ["argocd-example-apps", "flux2-kustomize-helm-example", "tekton-plumbing"])
def test_the_samples_build_to_the_same_bytes(name: str, sample_tree: Path) -> None:
    # The bot refuses remote bases before kustomize would try to fetch them.
    chosen = [f for f in folders(sample_tree) if not refers_elsewhere(sample_tree / f)]
    # Every third of many: one process each is what takes the time here.
    same_both_ways(sample_tree, *(build(f) for f in (chosen if len(chosen) < 20 else chosen[::3])))


def test_the_example_builds_to_the_same_bytes() -> None:
    root = SOURCES.parents[2] / "examples/config-repo"
    outcomes = same_both_ways(root, *(build(f) for f in folders(root)))
    assert [o.status for o in outcomes] == [0] * len(outcomes)


def test_failures_read_the_same(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "missing/kustomization.yaml": "resources: [nowhere.yaml]\n",
            "nested/kustomization.yaml": "resources: [../missing]\n",
            "outside/kustomization.yaml": "resources: [../../etc]\n",
            "restricted/kustomization.yaml": "resources: [../cm.yaml]\n",
            "cm.yaml": CONFIG_MAP,
            "broken/kustomization.yaml": "resources: [\n",
            "field/kustomization.yaml": "resourcez: []\n",
            "old/kustomization.yaml": "bases: [../missing]\n",
            "empty/README": "",
            "twice/kustomization.yaml": "resources: [a.yaml, b.yaml]\n",
            "twice/a.yaml": CONFIG_MAP,
            "twice/b.yaml": CONFIG_MAP,
        },
    )
    outcomes = same_both_ways(root, *(build(f.name) for f in sorted(root.iterdir()) if f.is_dir()), build("not-there"))
    assert {o.status for o in outcomes} == {1}


def test_the_entry_is_read_as_it_is_asked_for_and_bases_as_they_are(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [cm.yaml]\nnamePrefix: base-\n",
            "base/cm.yaml": CONFIG_MAP,
            "over/kustomization.yaml": "resources: [../base]\n",
        },
    )
    asked = '{"resources": ["../base"], "buildMetadata": ["originAnnotations", "transformerAnnotations"]}'
    (outcome,) = same_both_ways(root, build("over", asked))
    assert b"config.kubernetes.io/origin" in outcome.stdout and b"name: base-a" in outcome.stdout


def test_a_schema_that_one_overlay_brings_does_not_decide_about_the_next(tmp_path: Path) -> None:
    custom = '{"definitions": {"x": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "apps", "kind": '
    custom += '"Deployment", "version": "v1"}], "properties": {}}}}'
    deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: "
    plain = "resources: [d.yaml]\npatches: [{path: p.yaml}]\n"
    root = write(
        tmp_path,
        {
            **{f"{f}/d.yaml": deployment + "[{name: x, image: i}, {name: y, image: j}]}}}\n" for f in ("a", "b", "c")},
            **{f"{f}/p.yaml": deployment + "[{name: x, image: new}]}}}\n" for f in ("a", "b", "c")},
            "a/kustomization.yaml": plain,
            "b/kustomization.yaml": f"{plain}openapi: {{path: schema.json}}\n",
            "b/schema.json": custom,
            "c/kustomization.yaml": plain,
        },
    )
    before, replaced, after = same_both_ways(root, build("a"), build("b"), build("c"))
    assert before.stdout == after.stdout != replaced.stdout


def test_a_build_that_takes_its_process_down_fails_alone_and_in_its_own_words(tmp_path: Path) -> None:
    root = write(
        tmp_path,
        {
            "bad/kustomization.yaml": "resources: [cm.yaml]\nopenapi: {path: s.json}\npatches: [{path: cm.yaml}]\n",
            "bad/cm.yaml": CONFIG_MAP,
            "bad/s.json": '{"swagger": 7, "definitions": []}',
            "good/kustomization.yaml": "resources: [cm.yaml]\n",
            "good/cm.yaml": CONFIG_MAP,
        },
    )
    first, bad, last = built(root, build("good"), build("bad"), build("good"))
    assert (first.status, last.status, first.stdout) == (0, 0, last.stdout)
    assert bad.status != 0 and "invalid schema file" in bad.stderr


def test_a_build_that_takes_too_long_or_writes_too_much_fails_alone(tmp_path: Path) -> None:
    many = "---\n".join(CONFIG_MAP.replace("name: a", f"name: a{n}") for n in range(8000))
    root = write(
        tmp_path,
        {
            "many/kustomization.yaml": "resources: [cm.yaml]\nnamePrefix: x-\n",
            "many/cm.yaml": many,
            "big/kustomization.yaml": "resources: [cm.yaml]\n",
            "big/cm.yaml": CONFIG_MAP.replace("k: v", f"k: {'v' * 200_000}"),
            "good/kustomization.yaml": "resources: [cm.yaml]\n",
            "good/cm.yaml": CONFIG_MAP,
        },
    )
    slow = built(root, build("good"), build("many"), build("good"), limits=Limits(seconds=1))
    assert [o.trouble for o in slow] == ["", "it took longer than 1 s", ""]
    large = built(root, build("good"), build("big"), build("good"), limits=Limits(output_bytes=1 << 17))
    assert [bool(o.trouble) for o in large] == [False, True, False]


def test_a_worker_that_has_used_up_its_processor_time_is_replaced(tmp_path: Path) -> None:
    patched = "resources: [cm.yaml]\npatches: [{path: cm.yaml}]\n"
    many = "---\n".join(CONFIG_MAP.replace("name: a", f"name: a{n}") for n in range(200))
    root = write(tmp_path, {"a/kustomization.yaml": patched, "a/cm.yaml": many, "a/p.yaml": CONFIG_MAP})
    outcomes = built(root, *[build("a")] * 12, limits=Limits(cpu_seconds=1))
    assert {o.status for o in outcomes} == {0}


def test_a_checkout_does_not_see_another(tmp_path: Path) -> None:
    files = {"a/kustomization.yaml": "resources: []\n"}
    roots = [write(tmp_path / name, files) for name in ("one", "two")]
    write(roots[1], {"b/kustomization.yaml": "resources: [cm.yaml]\n", "b/cm.yaml": CONFIG_MAP})
    references = ["../../1/b", "../../sides/1/b", "../../../../sides/1/b", "../b", "/sides/1/b", "../../repo/b"]

    async def run() -> list[tuple[Outcome, Outcome]]:
        sandbox = Sandbox(Limits())
        alone = Processes(sandbox, find("kustomize"))
        workers = Workers(sandbox, find(BATCH), alone, roots, 1)
        wanted = [replace(build("a", f"resources: ['{r}']\n"), checkout=root) for r in references for root in roots]
        try:
            return [(await workers.build(one), await alone.build(one)) for one in wanted]
        finally:
            await workers.close()

    outcomes = asyncio.run(run())
    assert [o.status for o, _ in outcomes] == [other.status for _, other in outcomes]
    assert [o.stdout for o, _ in outcomes] == [other.stdout for _, other in outcomes]
    # The second checkout has what is referred to, by two of the names; the first has it by none.
    assert [o.status for o, _ in outcomes[::2]] == [1] * len(references)
    assert [o.status for o, _ in outcomes[1::2]] == [1, 1, 1, 0, 1, 0]


def test_a_program_that_does_not_greet_as_expected_is_not_used(tmp_path: Path) -> None:
    write(tmp_path, {"a/kustomization.yaml": "resources: [cm.yaml]\n", "a/cm.yaml": CONFIG_MAP})

    async def run(tool: Path) -> tuple[Outcome, bool]:
        sandbox = Sandbox(Limits())
        workers = Workers(sandbox, tool, Processes(sandbox, find("kustomize")), [tmp_path], 1)
        try:
            outcome = await workers.build(replace(build("a"), checkout=tmp_path))
            return outcome, bool(workers._idle)
        finally:
            await workers.close()

    assert [asyncio.run(run(find(name)))[1] for name in (BATCH, "helm", "opa")] == [True, False, False]
    assert asyncio.run(run(find("helm")))[0] == asyncio.run(run(find(BATCH)))[0]


def test_another_kustomize_on_path_builds_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(builder(Sandbox(Limits()), [tmp_path], 2), Workers)
    shutil.copy(find("helm"), tmp_path / "kustomize")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert isinstance(builder(Sandbox(Limits()), [tmp_path], 2), Processes)


def test_what_is_no_go_program_has_no_modules(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    assert modules(tmp_path / "script") == {} == modules(tmp_path / "nothing") == modules(Path("/bin/sh"))
