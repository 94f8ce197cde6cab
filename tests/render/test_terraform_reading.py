"""Terraform's files become objects: every block, with its address, its values and its lines."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import repositories

from review_bot.core.config import Config
from review_bot.core.model import Rendered, Resource
from review_bot.core.planning import discover
from review_bot.github.workspace import Repository
from review_bot.render.expander import Expander
from review_bot.render.hcl import Parser, Read
from review_bot.render.renderer import Renderer
from review_bot.render.sandbox import Limits, Sandbox

TWICE = (
    'main.tf: Attribute redefined: The argument "x" was already set at main.tf:2,3-4. '
    "Each argument may be set only once."
)
UNCLOSED = (
    "main.tf: Unclosed configuration block: There is no closing brace for this block before the end of the file. "
    "This may be caused by incorrect brace nesting elsewhere in this file."
)


def rendered(files: Mapping[str, str], root: Path, path: str = ".") -> Rendered:
    repository = Repository(repositories.make(root, files, {}))
    tree = repository.tree(repository.resolve("main"))
    target = next(t for t in discover(tree, Config()) if t.path == path)
    renderer = Renderer(cache_dir=root / ".cache", limits=Limits(), kubernetes="1.35")
    return asyncio.run(renderer.render_all([(target, tree, root)]))[0]


def by_name(result: Rendered) -> dict[str, Resource]:
    assert [f.message for f in result.findings] == []
    return {f"{r.id.kind} {r.id.name}": r for r in result.resources}


def spec(result: Rendered, name: str) -> Any:
    return by_name(result)[name].manifest["spec"]


def messages(result: Rendered) -> list[tuple[str, str | None, int | None]]:
    return [(f.message.partition("render: ")[2], f.path, f.line) for f in result.findings]


def test_each_block_is_named_by_its_address(tmp_path: Path) -> None:
    text = """
resource "aws_instance" "web" {}
data "aws_ami" "base" {}
module "net" {
  source = "./net"
}
variable "x" {}
output "y" { value = 1 }
provider "aws" {}
provider "aws" { alias = "west" }
locals {
  a = 1
  b = 2
}
terraform { required_version = ">= 1" }
moved {
  from = aws_instance.a
  to   = aws_instance.web
}
check "health" {}
"""
    found = by_name(rendered({"main.tf": text, "net/main.tf": 'resource "aws_vpc" "v" {}\n'}, tmp_path))
    assert set(found) == {
        *("aws_instance aws_instance.web", "Data data.aws_ami.base", "Module module.net", "Variable var.x"),
        *("Output output.y", "Provider provider.aws", "Provider provider.aws.west", "Local local.a", "Local local.b"),
        *("Terraform terraform", "Moved moved.aws_instance.a", "Check check.health", "aws_vpc module.net.aws_vpc.v"),
    }
    inner = found["aws_vpc module.net.aws_vpc.v"]
    assert (inner.id.api_version, inner.id.namespace, inner.source.path) == (
        "terraform/v1",
        "module.net",
        "net/main.tf",
    )
    assert inner.manifest["block"] == {"type": "resource", "labels": ["aws_vpc", "v"]}


def test_values_are_what_they_mean_and_expressions_are_marked(tmp_path: Path) -> None:
    text = r"""
resource "a" "b" {
  text   = "say \"hi\" é"
  number = 1.5
  big    = 12345678901234567890
  yes    = true
  none   = null
  list   = [1, "two", var.x]
  object = { one = 1, "k.b" = { deep = "x" } }
  ref    = var.x # said
  mixed  = "a-${var.x}"
  cond   = var.x ? 1 : 2
  dollar = "$${not}"
  doc    = <<-EOT
    first
      second
  EOT
  inner {
    x = 1
  }
  inner {
    x = 2
  }
  labelled "l" {
    y = 3
  }
}
"""
    assert spec(rendered({"main.tf": text}, tmp_path), "a a.b") == {
        "text": 'say "hi" é',
        "number": 1.5,
        "big": 12345678901234567890,
        "yes": True,
        "none": None,
        "list": [1, "two", "${var.x}"],
        "object": {"one": 1, "k.b": {"deep": "x"}},
        "ref": "${var.x}",
        "mixed": "a-${var.x}",
        "cond": "${var.x ? 1 : 2}",
        "dollar": "$${not}",
        "doc": "first\n  second\n",
        "inner": [{"x": 1}, {"x": 2}],
        "labelled": [{"l": {"y": 3}}],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('a = "true"', "true"),
        ("a = true", True),
        ("a = null", None),
        ("a = 1e5", 100000),
        ("a = -1.5e-3", -0.0015),
        ("a = 12345678901234567890123", 12345678901234567890123),
        # No reader of JSON would get this number.
        ("a = 0.12345678901234567890", "${0.1234567890123456789}"),
        ("a = [for i, x in var.l : upper(x) if i > 0]", "${[for i, x in var.l : upper(x) if i > 0]}"),
        ("a = {for x in var.l : x.k => x...}", "${{for x in var.l : x.k => x...}}"),
        ("a = f(/* said */ var.x, # too\n  local.l...)", "${f(var.x, local.l...)}"),
        ("a = provider::ns::alias::fn(1)", "${provider::ns::alias::fn(1)}"),
        ("a = !!var.x && - var.n < 3", "${!!var.x && -var.n < 3}"),
        ("a = var.l[*].id", "${var.l[*].id}"),
        ("a = var.l.*.id", "${var.l.*.id}"),
        ("a = var.l.0[ each.key ]", "${var.l[0][each.key]}"),
        ("a = (var.x\n  ? 1 : 2)", "${var.x ? 1 : 2}"),
        ('a = "${\n  var.x\n}"', "${var.x}"),
        ('a = "x ${~ var.x ~} y"', "x${var.x}y"),
        ('a = "%{ if var.x == "a" }${1}%{ else }no%{ endif }"', '%{ if var.x == "a" }${1}%{ else }no%{ endif }'),
        ('a = "%{for k, v in var.m}${k}%{endfor}"', "%{ for k, v in var.m }${k}%{ endfor }"),
        ('a = "$${not} %%{not} $ {} \\u00e9"', "$${not} %%{not} $ {} é"),
        ('a = f("a\\n\\"b\\" ${var.x}")', '${f("a\\n\\"b\\" ${var.x}")}'),
        ("a = <<-E\n    one\n      ${var.x}\n    E", "one\n  ${var.x}\n"),
        ("a = {\n  (var.k) = 1, 2 = 3\n  k : 4\n}", {"${var.k}": 1, "2": 3, "k": 4}),
        ("naïve = 1\na = local.naïve", "${local.naïve}"),
        ("\ufeffa = 1\r\n", 1),
    ],
)
def test_an_expression_is_read_as_terraform_reads_it_and_written_in_one_way(text: str, value: object) -> None:
    assert value_of(f"{text}\n") == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = 1 +\n2", "Invalid expression"),
        ("b { c = 1 }\na = 1 b = 2", "Missing newline after argument"),
        ("b\n{}\na = 1", "Argument or block definition required"),
        ('a = "line\nbreak"', "Invalid multi-line string"),
        ('a = "\\x"', "Invalid escape sequence"),
        ("a = { x = 1 y = 2 }", "Missing attribute separator"),
    ],
)
def test_what_terraform_refuses_is_refused_in_its_words(text: str, said: str) -> None:
    assert said in value_of(f"{text}\n")


def test_fields_know_their_lines(tmp_path: Path) -> None:
    text = 'resource "a" "b" {\n  x = 1\n  y = {\n    z = [\n      2,\n    ]\n  }\n  n {\n    m = 1\n  }\n}\n'
    one = by_name(rendered({"main.tf": text}, tmp_path))["a a.b"]
    places = {(): 1, ("spec", "x"): 2, ("spec", "y", "z", 0): 5, ("spec", "n", 0): 8, ("spec", "n", 0, "m"): 9}
    assert {path: one.place(path).line for path in places} == places


def test_terraforms_json_says_the_same(tmp_path: Path) -> None:
    resource = '"resource": {\n    "a": {"b": {\n      "x": "${var.y}"\n    }}\n  }'
    text = "{\n  " + resource + ',\n  "variable": [{"y": {"default": 1}}]\n}\n'
    found = by_name(rendered({"main.tf.json": text}, tmp_path))
    assert found["a a.b"].manifest["spec"] == {"x": "${var.y}"}
    assert found["a a.b"].place(("spec", "x")).line == 4
    assert found["Variable var.y"].manifest["spec"] == {"default": 1}


def test_blocks_that_json_names_twice_are_all_there(tmp_path: Path) -> None:
    text = '{"resource": {"a": {"b": {"n": {"x": 1}, "n": {"x": 2}}}}, "resource": {"a": {"c": {}}, "a": {"d": {}}}}'
    found = by_name(rendered({"main.tf.json": text}, tmp_path))
    assert set(found) == {"a a.b", "a a.c", "a a.d"}
    assert found["a a.b"].manifest["spec"] == {"n": [{"x": 1}, {"x": 2}]}


def test_values_and_locked_providers_are_objects(tmp_path: Path) -> None:
    lock = 'provider "registry.opentofu.org/hashicorp/aws" {\n  version = "5.1.0"\n  hashes = ["h1:x"]\n}\n'
    files = {"main.tf": "", "a.auto.tfvars": "x = 1\n", "b.tfvars.json": '{"y": 2}', ".terraform.lock.hcl": lock}
    result = rendered(files, tmp_path)
    assert spec(result, "Values a.auto.tfvars") == {"x": 1}
    assert spec(result, "Values b.tfvars.json") == {"y": 2}
    assert spec(result, "LockedProvider registry.opentofu.org/hashicorp/aws")["version"] == "5.1.0"


def test_override_files_have_the_last_word(tmp_path: Path) -> None:
    files = {
        "main.tf": 'resource "a" "b" {\n  x = 1\n  y = 1\n}\n',
        "b_override.tf": 'resource "a" "b" {\n  y = 2\n}\n',
    }
    result = rendered(files, tmp_path)
    assert spec(result, "a a.b") == {"x": 1, "y": 2}
    assert by_name(result)["a a.b"].patched_by == ("b_override.tf",)


def test_an_override_of_the_lifecycle_leaves_what_it_does_not_name(tmp_path: Path) -> None:
    files = {
        "main.tf": 'resource "a" "b" {\n  lifecycle {\n    prevent_destroy = true\n    ignore_changes = all\n  }\n}\n'
        'terraform {\n  required_providers {\n    x = "1"\n    y = "1"\n  }\n}\n',
        "override.tf": 'resource "a" "b" {\n  lifecycle {\n    ignore_changes = []\n  }\n}\n'
        'terraform {\n  required_providers {\n    y = "2"\n  }\n}\n',
    }
    result = rendered(files, tmp_path)
    assert spec(result, "a a.b") == {"lifecycle": [{"prevent_destroy": True, "ignore_changes": []}]}
    assert spec(result, "Terraform terraform") == {"required_providers": [{"x": "1", "y": "2"}]}


def test_import_blocks_of_the_same_address_are_told_apart(tmp_path: Path) -> None:
    block = "import {\n  for_each = local.NAME\n  to = a.b[each.key]\n  id = each.value\n}\n"
    result = rendered({"main.tf": block.replace("NAME", "x") + block.replace("NAME", "y")}, tmp_path)
    assert set(by_name(result)) == {"Import import.a.b[each.key]", "Import import.a.b[each.key] (2)"}


def test_opentofus_files_are_read_and_override_as_terraforms_do(tmp_path: Path) -> None:
    files = {
        "main.tf": 'resource "a" "terraform" {}\n',
        "main.tofu": 'resource "a" "b" {\n  x = 1\n}\n',
        "more_override.tofu": 'resource "a" "b" {\n  x = 2\n}\n',
        "j.tofu.json": '{"variable": {"v": {}}}\n',
    }
    result = rendered(files, tmp_path)
    assert set(by_name(result)) == {"a a.b", "Variable var.v"}
    assert spec(result, "a a.b") == {"x": 2}


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"main.tf": 'a "b" {\n  x = 1\n  x = 2\n}\n'}, (TWICE, "main.tf", 3)),
        ({"main.tf": 'variable "x" {\n'}, (UNCLOSED, "main.tf", 1)),
        ({"main.tf": 'a "b" {\n  x = 1\n  x {}\n}\n'}, ("main.tf: x is an argument and a block", "main.tf", 3)),
        ({"main.tf": "x = 1\n"}, ("x stands outside of every block", "main.tf", 1)),
        ({"main.tf": 'resource "a" {}\n'}, ("a block resource has 2 labels, this one 1", "main.tf", 1)),
        (
            {"a.tf": 'variable "x" {}\n', "b.tf": '\nvariable "x" {}\n'},
            ("var.x is already defined in a.tf:1", "b.tf", 2),
        ),
        (
            {"main.tf": '\nmodule "m" {\n  source = "./no"\n}\n'},
            ("module.m: there is no *.tf or *.tofu file in no", "main.tf", 3),
        ),
        ({"main.tf": 'module "m" {}\n'}, ("module.m names no source", "main.tf", 1)),
        (
            {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": 'module "m" {\n  source = "../m"\n}\n'},
            ("module.m calls a module that it is a part of", "m/main.tf", 2),
        ),
        ({"main.tf.json": '{"a": {"x": 1, "x": 2}}'}, ("main.tf.json: x is set twice", "main.tf.json", 1)),
        ({"main.tf.json": '{"a": {"x": NaN}}'}, ("main.tf.json: NaN is no JSON", "main.tf.json", 1)),
        (
            {"main.tf.json": '{\n "resource": }\n'},
            ("main.tf.json: Expecting value: line 2 column 14 (char 15)", "main.tf.json", 2),
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(
    files: dict[str, str], said: tuple[str, str, int], tmp_path: Path
) -> None:
    result = rendered(files, tmp_path)
    assert messages(result) == [said]
    assert result.failed and all(f.help for f in result.findings)


def test_modules_that_multiply_are_not_followed_for_ever(tmp_path: Path) -> None:
    calls = "".join(f'module "m{n}" {{\n  source = "../l{{next}}"\n}}\n' for n in range(10))
    files = {f"l{level}/main.tf": calls.replace("{next}", str(level + 1)) for level in range(8)}
    result = rendered({**files, "l8/main.tf": ""}, tmp_path, "l0")
    assert any("more than 1000 times" in f.message for f in result.findings)


def test_what_lies_elsewhere_is_said_not_to_be_seen(tmp_path: Path) -> None:
    result = rendered({"main.tf": 'module "eks" {\n  source = "terraform-aws-modules/eks/aws"\n}\n'}, tmp_path)
    (finding,) = result.findings
    assert (finding.rule, str(finding.severity)) == ("terraform-module-elsewhere", "notice")
    assert not result.failed and [r.id.name for r in result.resources] == ["module.eks"]


def read(texts: Mapping[str, bytes], limits: Limits) -> dict[str, Read]:
    expander = Expander(Sandbox(limits))
    try:
        return asyncio.run(Parser(expander).read(texts))
    finally:
        expander.close()


def value_of(text: str) -> Any:
    """What `a` is in a text, or why it can't be read."""
    found = read({"x.tf": text.encode()}, Limits())["x.tf"]
    return found.error or found.blocks[0].body["a"]


def test_a_file_made_to_take_for_ever_is_given_up_and_the_next_one_is_read() -> None:
    trap = b"a = " + b"-" * 1_000_000 + b"1\n"
    found = read({"trap.tf": trap, "good.tf": b"locals {\n  x = 1\n}\n"}, Limits(seconds=3))
    assert "too long" in found["trap.tf"].error
    assert [b.type for b in found["good.tf"].blocks] == ["", "locals"]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"x = " + b"[" * 5000 + b"]" * 5000, "nested too deeply"),
        (b'x = "\xff"\n', "not UTF-8"),
        (b"#" * (1 << 20) + b"#", "larger than 1 MiB"),
        (b"a {\n  b" + b' "l"' * 6000 + b" {}\n}\n", "more than 5 labels"),
    ],
)
def test_hostile_files_are_refused_in_words(data: bytes, said: str) -> None:
    assert said in read({"a.tf": data}, Limits())["a.tf"].error
