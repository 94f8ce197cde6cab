"""Which Terraform modules are targets, what they read, and that a change plans exactly those that it concerns."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_planning import LINK, MemoryTree, changes_between, plan_of_everything

from review_bot.core.config import parse_config
from review_bot.core.configuration import Config
from review_bot.core.model import Target
from review_bot.core.planning import discover, plan
from review_bot.core.terraform.scan import FileReference, Scan

CALL = 'module "{name}" {{\n  source = "{source}"\n}}\n'


def call(source: str, name: str = "m") -> str:
    return CALL.format(name=name, source=source)


def found(files: dict[str, str]) -> dict[str, Target]:
    return {t.path: t for t in discover(MemoryTree(files), Config())}


def planned(base: dict[str, str], head: dict[str, str]) -> list[str]:
    changes = changes_between(base, head, False)
    result = plan(MemoryTree(base), MemoryTree(head), changes, Config())
    assert result == plan_of_everything(MemoryTree(base), MemoryTree(head), changes, Config())
    return [p.id for p in result]


def test_a_folder_with_terraform_files_is_a_target_by_its_main_file() -> None:
    target = found({"infra/prod/main.tf": "", "infra/prod/a.tf": "", "infra/prod/README.md": ""})["infra/prod"]
    assert (target.id, str(target.renderer)) == ("terraform:infra/prod", "terraform")
    assert target.entry == "infra/prod/main.tf"


def test_without_a_main_file_the_first_one_is_the_entry() -> None:
    assert found({"a/z.tf.json": "{}", "a/b.tf": ""})["a"].entry == "a/b.tf"


@pytest.mark.parametrize("name", ["main.tofu", "main.tofu.json", "x.tofu"])
def test_opentofus_own_files_make_a_module(name: str) -> None:
    assert found({f"a/{name}": "{}"})["a"].entry == f"a/{name}"


def test_opentofus_file_takes_the_place_of_terraforms_of_the_same_name() -> None:
    files = {"a/main.tf": call("../net"), "a/main.tofu": "", "a/main.tf.json": "{}", "net/x.tf": ""}
    reads = found(files)["a"].reads or frozenset()
    assert {"a/main.tofu", "a/main.tf.json"} <= reads and "a/main.tf" not in reads
    # What only the file that is left out calls is called by nobody.
    assert set(found(files)) == {"a", "net"}
    assert planned(files, {**files, "a/main.tf": ""}) == []
    assert "terraform:a" in planned(files, {p: t for p, t in files.items() if p != "a/main.tofu"})


@pytest.mark.parametrize("name", [".main.tf", "main.tf~", "#main.tf#", "main.tftest.hcl", "main.tofutest.json"])
def test_tests_and_what_editors_leave_behind_are_no_module(name: str) -> None:
    assert found({f"a/{name}": "{}"}) == {}


def test_a_module_that_another_one_calls_is_no_target_of_its_own() -> None:
    files = {"prod/main.tf": call("../net"), "net/main.tf": call("./sub"), "net/sub/x.tf": "", "other/main.tf": ""}
    assert set(found(files)) == {"prod", "other"}
    assert {"prod/main.tf", "net/main.tf", "net/sub/x.tf"} <= (found(files)["prod"].reads or set())


def test_modules_that_call_each_other_in_a_circle_do_not_vanish() -> None:
    assert set(found({"a/main.tf": call("../b"), "b/main.tf": call("../a")})) == {"a"}


@pytest.mark.parametrize(
    "text",
    [
        '# module "m" { source = "./net" }\n',
        '/* module "m" {\n source = "./net"\n} */\n',
        'locals { x = "module \\"m\\" { source = \\"./net\\" }" }\n',
        'locals {\n  x = <<-EOT\n  module "m" {\n    source = "./net"\n  }\n  EOT\n}\n',
        'resource "a" "module" {\n  source = "./net"\n}\n',
        'module "m" {\n  source = "registry/x/y"\n  inner = {\n    source = "./net"\n  }\n}\n',
    ],
)
def test_what_only_looks_like_a_call_calls_nothing(text: str) -> None:
    assert Scan("main.tf", text.encode()).calls == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        'module "m" {\n  source = "./net"\n}\n',
        'module "m" { source = "./net" }',
        'locals { x = "a ${f("}")} {" }\nmodule m {\n  a = { b = [1] }\n  source = "./net" # here\n}\n',
        'locals {\n  x = <<EOT\n{ { "\nEOT\n}\nmodule "m" {\n\tsource\t=\t"./net"\r\n}\n',
    ],
)
def test_a_call_is_found_however_it_is_written(text: str) -> None:
    assert Scan("main.tf", text.encode()).calls == {"./net"}


def test_a_call_in_terraforms_json_is_found() -> None:
    text = b'{"module": [{"m": {"source": "./net"}}, {"n": [{"source": "../x"}]}, {"r": {"source": "a/b/c"}}]}'
    assert Scan("main.tf.json", text).calls == {"./net", "../x"}


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ('file("${path.module}/a.txt")', FileReference("module", "a.txt")),
        ('filebase64( "a.txt" )', FileReference("root", "a.txt")),
        ('templatefile("${path.root}/t/a.tpl", {})', FileReference("root", "t/a.tpl")),
        ('fileset("${path.module}/d", "**")', FileReference("module", "d", all_below=True)),
        ('fileset(path.module, "**")', FileReference("module", ".", all_below=True)),
        ("yamldecode(file(var.x))", FileReference("module", ".", all_below=True)),
        ('file("${path.module}/../d/${var.x}.txt")', FileReference("module", "../d", all_below=True)),
    ],
)
def test_a_file_that_a_function_reads_is_known(text: str, reference: FileReference) -> None:
    assert reference in Scan("main.tf", f"locals {{ x = {text} }}".encode()).files


def test_a_root_module_reads_its_values_and_its_lock_and_a_called_one_does_not() -> None:
    files = {
        "prod/main.tf": call("../net"),
        "prod/prod.tfvars": "a = 1\n",
        "prod/.terraform.lock.hcl": "",
        "prod/.terraform/modules/x/main.tf": "",
        "net/main.tf": "",
        "net/dev.tfvars": "",
    }
    reads = found(files)["prod"].reads or frozenset()
    assert {"prod/prod.tfvars", "prod/.terraform.lock.hcl"} <= reads
    assert not {"net/dev.tfvars", "prod/.terraform/modules/x/main.tf"} & reads
    assert set(found(files)) == {"prod"}


def test_a_change_of_a_module_plans_each_root_that_calls_it_and_no_other() -> None:
    base = {"a/main.tf": call("../net"), "b/main.tf": call("../net"), "c/main.tf": "", "net/main.tf": ""}
    assert planned(base, {**base, "net/main.tf": "locals {}\n"}) == ["terraform:a", "terraform:b"]


def test_names_that_only_begin_alike_do_not_touch_each_other() -> None:
    base = {"apps/foo/main.tf": "", "apps/foobar/main.tf": ""}
    assert planned(base, {**base, "apps/foo/main.tf": "locals {}\n"}) == ["terraform:apps/foo"]


def test_a_call_that_goes_makes_its_module_a_target() -> None:
    base = {"a/main.tf": call("../net"), "net/main.tf": ""}
    assert planned(base, {**base, "a/main.tf": ""}) == ["terraform:a", "terraform:net"]


def test_a_file_that_is_read_through_a_link_is_not_missed() -> None:
    base = {"a/main.tf": call("../lnk"), "lnk": f"{LINK}net", "net/main.tf": 'locals { x = file("data.txt") }\n'}
    head = {**base, "net/main.tf": "locals {}\n"}
    assert planned(base, head) == ["terraform:a"]


def test_a_link_that_leads_to_another_module_is_not_missed() -> None:
    base = {"a/main.tf": call("../lnk"), "lnk": f"{LINK}one", "one/main.tf": "", "two/main.tf": ""}
    assert "terraform:a" in planned(base, {**base, "lnk": f"{LINK}two"})


def test_a_module_named_in_parts_counts_every_file() -> None:
    base = {"a/main.tf": call("./${var.which}"), "a/one/main.tf": "", "README.md": ""}
    assert "terraform:a" in planned(base, {**base, "README.md": "x"})


def test_modules_in_hidden_folders_and_below_the_policies_are_none() -> None:
    assert found({".github/main.tf": "", "policies/data/main.tf": ""}) == {}
    config = parse_config(b"version: 1\ntargets: {exclude: ['examples/**']}\n")
    assert discover(MemoryTree({"examples/a/main.tf": ""}), config) == ()


FOLDERS = (".", "ant", "ant/bee", "bee", "cat/ant")
LEAVES = (
    "main.tf",
    "more.tf",
    "main.tofu",
    "more.tofu",
    "main.tf.json",
    "x.tfvars",
    "data.txt",
    "deep/data.txt",
    "lnk",
)
SOURCES = ("./ant", "../ant", "../bee", "./bee", "../..", "./lnk", "../cat/ant", "a/b/c", "./${var.x}", "../../ant")
READS = (
    *('file("${path.module}/data.txt")', 'file("data.txt")', "file(var.x)", 'fileset("${path.module}/deep", "*")'),
    *('file("${path.module}/../bee/data.txt")', 'file("${path.root}/deep/${var.x}")', 'file("lnk/data.txt")'),
)
CODE = st.one_of(
    st.sampled_from(SOURCES).map(call),
    st.sampled_from(READS).map(lambda r: f"locals {{\n  x = {r}\n}}\n"),
    st.just("locals {}\n"),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, str]:
    folder, leaf = draw(st.sampled_from(FOLDERS)), draw(st.sampled_from(LEAVES))
    if leaf == "lnk":
        text = LINK + draw(st.sampled_from(("bee", "../bee", "data.txt", "main.tf")))
    elif leaf == "main.tf.json":
        text = json.dumps({"module": {"j": {"source": draw(st.sampled_from(SOURCES))}}})
    elif leaf.endswith((".tf", ".tofu")):
        text = draw(CODE)
    else:
        text = draw(st.sampled_from(("a = 1\n", "a = 2\n")))
    return (leaf if folder == "." else f"{folder}/{leaf}"), text


def possible(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    chosen: dict[str, str] = {}
    for path, text in pairs:
        if not any(p.startswith(f"{path}/") or path.startswith(f"{p}/") for p in chosen):
            chosen[path] = text
    return chosen


@settings(max_examples=600, deadline=None)
@given(st.lists(files(), max_size=12).map(possible), st.lists(files(), min_size=1, max_size=3), st.integers(0, 20))
def test_the_plan_is_that_of_a_look_at_everything(
    base: dict[str, str], edits: list[tuple[str, str]], drop: int
) -> None:
    kept = [(p, t) for i, (p, t) in enumerate(sorted(base.items())) if i != drop]
    planned(base, possible([*edits, *kept]))
