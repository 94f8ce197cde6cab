"""Terraform through `review-bot check`: what is read, and what a real OpenTofu validates and plans."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import repositories

from review_bot.core.tools import tool_path

TOFU = tool_path("tofu")
LIBRARY = Path(__file__).resolve().parents[2] / "policies"
MAIN = """\
variable "size" {
  default = "small"
}

variable "password" {
  default   = "correct horse"
  sensitive = true
}

resource "terraform_data" "web" {
  input            = { size = var.size, admin = var.password }
  triggers_replace = "v1"
}

resource "terraform_data" "old" {
  input = "kept"
}
"""
BASE = {"infra/main.tf": MAIN, "README.md": "hello\n"}


def reviewed(
    root: Path, head: Mapping[str, str | None], *words: str, base: dict[str, str] | None = None, **more: Any
) -> dict[str, Any]:
    _, verdict = repositories.check(repositories.make(root, base or BASE, head), *words, **more)
    return verdict


def changed(verdict: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(c["action"], c["kind"], c["name"]) for c in verdict["changes"]}


def operator(folder: Path, **settings: str) -> dict[str, str]:
    """An operator's file that switches OpenTofu on."""
    file = folder / "operator.json"
    file.write_text(json.dumps({"version": 1, "terraform": {"binary": str(TOFU), **settings}}))
    return {"REVIEW_BOT_CONFIG": str(file)}


def tofu(folder: Path, *words: str) -> str:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("TF_")}
    command = [str(TOFU), f"-chdir={folder}", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout


def applied(folder: Path, text: str = MAIN) -> str:
    """The state after a real apply."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "main.tf").write_text(text)
    tofu(folder, "init", "-input=false")
    tofu(folder, "apply", "-input=false", "-auto-approve")
    return (folder / "terraform.tfstate").read_text()


def plan_of(folder: Path, text: str) -> Path:
    """The JSON of a real plan that changes what `applied` made."""
    (folder / "main.tf").write_text(text)
    tofu(folder, "plan", "-input=false", f"-out={folder}/plan")
    (folder / "plan.json").write_text(tofu(folder, "show", "-json", f"{folder}/plan"))
    return folder / "plan.json"


AFTER = MAIN.replace('"v1"', '"v2"').partition('\nresource "terraform_data" "old"')[0] + (
    '\nresource "terraform_data" "new" {\n  input = terraform_data.web.id\n}\n'
)


def test_a_changed_argument_is_an_update_of_its_resource_by_address(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"infra/main.tf": MAIN.replace('"v1"', '"v2"')})
    assert verdict["conclusion"] == "success"
    assert [(t["id"], t["reason"]) for t in verdict["targets"]] == [("terraform:infra", "infra/main.tf changed")]
    assert changed(verdict) == {("update", "terraform_data", "terraform_data.web")}
    assert verdict["changes"][0]["fields"] == ["spec.triggers_replace"]
    assert verdict["changes"][0]["apiVersion"] == "terraform/v1"


def test_comments_and_spaces_change_nothing(tmp_path: Path) -> None:
    spaced = "# said\n" + MAIN.replace("var.size, admin", "var.size,\n   admin").replace("  input  ", "  input")
    assert reviewed(tmp_path, {"infra/main.tf": spaced})["changes"] == []


def test_kubernetes_schemas_and_clusters_are_not_asked_about_terraform(tmp_path: Path) -> None:
    config = "version: 1\ntargets: {assign: [{match: infra, cluster: prod, environment: production}]}\n"
    verdict = reviewed(tmp_path, {"infra/main.tf": AFTER}, base={**BASE, ".review-bot.yaml": config})
    assert verdict["findings"] == []
    assert verdict["targets"][0]["environment"] == "production"


def test_a_policy_judges_a_resource_on_its_line(tmp_path: Path) -> None:
    group = 'resource "aws_security_group" "ssh" {\n  ingress {\n    from_port = 22\n    to_port = 22\n'
    group += '    cidr_blocks = ["0.0.0.0/0"]\n  }\n}\n'
    verdict = reviewed(tmp_path, {"infra/net.tf": group}, "--policy", str(LIBRARY))
    assert verdict["conclusion"] == "failure"
    found = [(f["rule"], f["path"], f["line"], f["resource"]["name"]) for f in verdict["findings"]]
    assert found == [("terraform-no-open-ingress", "infra/net.tf", 2, "aws_security_group.ssh")]


def test_a_broken_file_names_its_line_its_cause_and_the_next_step(tmp_path: Path) -> None:
    verdict = reviewed(tmp_path, {"infra/more.tf": 'resource "a" "b" {\n  x = 1\n  y = = 2\n}\n'})
    assert verdict["conclusion"] == "failure"
    assert verdict["changes"] == []
    (finding,) = verdict["findings"]
    assert (finding["check"], finding["path"], finding["line"]) == ("render", "infra/more.tf", 3)
    assert "Expected the start of an expression" in finding["message"] and finding["help"]


def test_secrets_are_masked_by_name_and_by_what_calls_them_sensitive(tmp_path: Path) -> None:
    head = MAIN.replace("correct horse", "battery staple") + (
        'resource "aws_db_instance" "d" {\n  password = "hunter2hunter2"\n  url = "x://u:hunter2hunter2@h"\n}\n'
        'output "o" {\n  value = jsonencode({ api_token = "abcdefgh" })\n}\n'
    )
    verdict = reviewed(tmp_path, {"infra/main.tf": head, "infra/x.auto.tfvars": 'password = "tr0ub4dor"\n'})
    text = json.dumps(verdict)
    assert {"Variable", "Values", "Output", "aws_db_instance"} == {c["kind"] for c in verdict["changes"]}
    for secret in ("correct horse", "battery staple", "hunter2", "tr0ub4dor", "abcdefgh"):
        assert secret not in text
    assert "(secret " in text


def test_a_resource_that_goes_is_a_danger_unless_it_moved(tmp_path: Path) -> None:
    without = MAIN.partition('\nresource "terraform_data" "old"')[0]
    verdict = reviewed(tmp_path / "a", {"infra/main.tf": without})
    assert [(d["name"], d["path"], d["line"]) for d in verdict["dangers"]] == [
        ("terraform_data.old", "infra/main.tf", 15)
    ]
    moved = MAIN.replace('"old"', '"fresh"') + "moved {\n  from = terraform_data.old\n  to = terraform_data.fresh\n}\n"
    assert reviewed(tmp_path / "b", {"infra/main.tf": moved})["dangers"] == []


def test_a_change_of_a_local_module_shows_below_the_address_of_its_call(tmp_path: Path) -> None:
    base = {
        "prod/main.tf": 'module "net" {\n  source = "../net"\n}\n',
        "net/main.tf": 'resource "terraform_data" "a" {\n  input = 1\n}\n',
    }
    verdict = reviewed(tmp_path, {"net/main.tf": base["net/main.tf"].replace("1", "2")}, base=base)
    assert [(c["target"], c["namespace"], c["name"]) for c in verdict["changes"]] == [
        ("terraform:prod", "module.net", "module.net.terraform_data.a")
    ]


def test_validate_places_what_opentofu_says(tmp_path: Path) -> None:
    wrong = MAIN + 'resource "terraform_data" "x" {\n  inputt = var.nothing\n}\n'
    env = operator(tmp_path, run="validate")
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": wrong}, env=env)
    assert verdict["conclusion"] == "failure"
    found = {(f["rule"], f["path"], f["line"]) for f in verdict["findings"]}
    assert found == {("terraform-validate", "infra/main.tf", 19)}
    assert any("inputt" in f["message"] for f in verdict["findings"])


def test_a_plan_from_no_state_evaluates_and_compares_both_sides(tmp_path: Path) -> None:
    base = {**BASE, "infra/backend.tf": 'terraform {\n  backend "s3" {\n    bucket = "b"\n  }\n}\n'}
    head = MAIN.replace('"small"', '"large"').replace('"web" {\n', '"web" {\n  count = 2\n')
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": head}, base=base, env=operator(tmp_path, run="plan"))
    assert verdict["findings"] == []
    assert changed(verdict) == {
        ("update", "Variable", "var.size"),
        ("create", "terraform_data", "terraform_data.web[0]"),
        ("create", "terraform_data", "terraform_data.web[1]"),
        ("delete", "terraform_data", "terraform_data.web"),
    }
    assert "size: large" in json.dumps(verdict) and "correct horse" not in json.dumps(verdict)


def test_a_plan_from_the_state_beside_the_module_shows_what_is_replaced(tmp_path: Path) -> None:
    state = applied(tmp_path / "work")
    base = {**BASE, "infra/terraform.tfstate": state}
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": AFTER}, base=base, env=operator(tmp_path, run="plan"))
    assert verdict["targets"][0]["summary"] == {"create": 2, "update": 0, "delete": 2}
    assert {d["name"] for d in verdict["dangers"]} == {"terraform_data.web", "terraform_data.old"}
    assert "correct horse" not in json.dumps(verdict)


def test_a_plan_that_fails_blocks_with_its_place(tmp_path: Path) -> None:
    head = MAIN + 'variable "needed" {}\n'
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": head}, env=operator(tmp_path, run="plan"))
    assert verdict["conclusion"] == "failure"
    (finding,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert (finding["rule"], finding["path"], finding["line"]) == ("terraform-plan", "infra/main.tf", 18)
    assert "needed" in finding["message"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('module "m" {\n  source = "a/b/c"\n}\n', "module registry"),
        ('resource "aws_vpc" "v" {}\n', "hashicorp/aws"),
    ],
)
def test_what_needs_the_network_is_said_with_what_to_do(text: str, said: str, tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    env = operator(tmp_path, run="plan", plugin_dir=str(mirror))
    verdict = reviewed(tmp_path / "repo", {"infra/more.tf": text}, env=env)
    (finding,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert finding["rule"] == "terraform-init" and said in finding["message"]
    assert "plugin_dir" in finding["help"]


def test_what_runs_in_a_plan_has_no_network_and_no_environment(tmp_path: Path) -> None:
    head = 'output "e" {\n  value = fileexists("/etc/passwd") ? "seen" : "hidden"\n}\n'
    env = {**operator(tmp_path, run="plan"), "TF_VAR_size": "from the environment"}
    verdict = reviewed(tmp_path / "repo", {"infra/more.tf": head, "infra/main.tf": MAIN + "# said\n"}, env=env)
    assert "from the environment" not in json.dumps(verdict)
    assert changed(verdict) == {("create", "Output", "output.e")}


def test_a_plan_reads_nothing_outside_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("outside")
    head = f'resource "terraform_data" "x" {{\n  input = file("{tmp_path}/secret.txt")\n}}\n'
    verdict = reviewed(tmp_path / "repo", {"infra/more.tf": head}, env=operator(tmp_path, run="plan"))
    assert verdict["conclusion"] == "failure"
    assert verdict["changes"] == [] and "outside" not in json.dumps(verdict["changes"])
    assert any("no file exists" in f["message"] for f in verdict["findings"])


def test_a_module_behind_a_link_is_read_and_planned(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    root.mkdir()
    (root / "lnk").symlink_to("net")
    base = {
        "prod/main.tf": 'module "net" {\n  source = "../lnk"\n}\n',
        "net/main.tf": 'resource "terraform_data" "a" {\n  input = 1 + 1\n}\n',
    }
    head = {"net/main.tf": base["net/main.tf"].replace("1 + 1", "1 + 2")}
    repositories.make(root, base, head)
    (change,) = repositories.check(root)[1]["changes"]
    assert "${1 + 2}" in change["diff"] and change["target"] == "terraform:prod"
    (change,) = repositories.check(root, env=operator(tmp_path, run="plan"))[1]["changes"]
    assert "+  input: 3" in change["diff"] and change["name"] == "module.net.terraform_data.a"


def test_an_operators_file_that_names_no_program_is_wrong_usage(tmp_path: Path) -> None:
    root = repositories.make(tmp_path / "repo", BASE, {"infra/main.tf": AFTER})
    env = operator(tmp_path, run="plan", binary=str(tmp_path / "none"))
    done = repositories.run("check", str(root), "--base", "main", "--head", "change", env=env)
    assert done.returncode == 2
    assert "terraform.binary" in done.stderr
