"""Plans of a real OpenTofu, and rows that other programs write, through `check` and `gate simulate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import repositories
from test_terraform_reviews import AFTER, BASE, MAIN, applied, changed, operator, plan_of, reviewed

RULES = """\
version: 1
approvals:
  rules:
    - name: network
      when: {resources: [{groups: [terraform], names: ["module.net.*"]}]}
      require: {users: [carol], count: 1}
    - name: destroyed
      when: {resources: [{groups: [terraform]}], actions: [delete]}
      require: {users: [dave], count: 1}
"""


def given(root: Path, document: dict[str, Any], text: str = AFTER, base: str = MAIN) -> dict[str, Any]:
    """The verdict with a plan that someone uploads."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "plan.json").write_text(json.dumps(document))
    words = ("--terraform-plan", f"infra={root / 'plan.json'}")
    return reviewed(root / "repo", {"infra/main.tf": text}, *words, base={**BASE, "infra/main.tf": base})


def row(actions: list[str], before: Any, after: Any, **change: Any) -> dict[str, Any]:
    address = {"address": "terraform_data.web", "mode": "managed", "type": "terraform_data", "name": "web"}
    return {**address, "change": {"actions": actions, "before": before, "after": after, **change}}


def plan(*rows: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(rows), **more}


def test_a_given_plan_shows_what_is_created_replaced_and_destroyed(tmp_path: Path) -> None:
    applied(tmp_path / "work")
    plan = plan_of(tmp_path / "work", AFTER)
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": AFTER}, "--terraform-plan", f"infra={plan}")
    assert changed(verdict) == {
        ("create", "terraform_data", "terraform_data.new"),
        ("create", "terraform_data", "terraform_data.web"),
        ("delete", "terraform_data", "terraform_data.web"),
        ("delete", "terraform_data", "terraform_data.old"),
    }
    assert verdict["targets"][0]["summary"] == {"create": 2, "update": 0, "delete": 2}
    dangers = {d["name"]: d["what"] for d in verdict["dangers"]}
    assert "created anew" in dangers["terraform_data.web"] and "triggers_replace" in dangers["terraform_data.web"]
    assert "destroyed" in dangers["terraform_data.old"]
    new = next(c for c in verdict["changes"] if c["name"] == "terraform_data.new")
    assert "(known after apply)" in new["diff"]
    assert "correct horse" not in json.dumps(verdict)


def test_a_given_plan_is_shown_even_where_no_file_of_the_module_changed(tmp_path: Path) -> None:
    applied(tmp_path / "work")
    plan = plan_of(tmp_path / "work", AFTER)
    base = {**BASE, "infra/main.tf": AFTER}
    verdict = reviewed(tmp_path / "repo", {"README.md": "bye\n"}, "--terraform-plan", f"infra={plan}", base=base)
    assert verdict["targets"][0]["reason"] == "a plan is given for it"
    assert len(verdict["changes"]) == 4


def test_deletion_policies_judge_what_a_plan_replaces(tmp_path: Path) -> None:
    applied(tmp_path / "work")
    plan = plan_of(tmp_path / "work", AFTER)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "d.rego").write_text(
        'package deletion\n\ndeny_gone contains msg if {\n\tmsg := sprintf("%s goes", [input.metadata.name])\n}\n'
    )
    (rules / "m.rego").write_text('package main\n\ndeny_never contains "x" if input.kind == "never"\n')
    words = ("--terraform-plan", f"infra={plan}", "--policy", str(rules))
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": AFTER}, *words)
    assert {f["message"] for f in verdict["findings"] if f["check"] == "policy"} == {
        "terraform_data.web goes",
        "terraform_data.old goes",
    }


def test_the_digest_of_a_plan_follows_its_effect(tmp_path: Path) -> None:
    applied(tmp_path / "work")
    root = repositories.make(tmp_path / "repo", BASE, {"infra/main.tf": AFTER})
    digests = []
    for text in (AFTER, AFTER, AFTER.replace("v2", "v3")):
        plan = plan_of(tmp_path / "work", text)
        digests.append(repositories.check(root, "--terraform-plan", f"infra={plan}")[1]["effect_digest"])
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("{}", "infra", "it is no plan"),
        ("nonsense", "infra", "is not JSON"),
        ('{"format_version": "1.2", "resource_changes": [], "errored": true}', "infra", "ended with errors"),
        ('{"format_version": "9.0", "resource_changes": []}', "infra", "9.0 is not known"),
        ('{"format_version": "1.2", "resource_changes": []}', "elsewhere", "no root module"),
    ],
)
def test_a_plan_that_can_not_be_used_is_wrong_usage(text: str, path: str, said: str, tmp_path: Path) -> None:
    root = repositories.make(tmp_path / "repo", BASE, {"infra/main.tf": AFTER})
    plan = tmp_path / "plan.json"
    plan.write_text(text)
    words = ("--base", "main", "--head", "change", "--terraform-plan", f"{path}={plan}")
    done = repositories.run("check", str(root), *words)
    assert done.returncode == 2
    assert said in done.stderr


def test_each_instance_that_a_plan_changes_is_asked_of_the_rule_for_its_module(tmp_path: Path) -> None:
    call = 'module "net" {\n  source = "./net"\n  for_each = toset(["eu/west", "us"])\n}\n'
    net = 'resource "terraform_data" "a" {\n  for_each = toset(["10.0.0.0/24"])\n  triggers_replace = "1"\n}\n'
    work, infra = tmp_path / "work", {"infra/main.tf": call, "infra/net/main.tf": net}
    (work / "net").mkdir(parents=True)
    (work / "net/main.tf").write_text(net)
    state = applied(work, call)
    base = {**infra, "infra/terraform.tfstate": state, ".review-bot.yaml": RULES}
    head = {"infra/net/main.tf": net.replace('"1"', '"2"')}
    verdict = reviewed(tmp_path / "repo", head, base=base, env=operator(tmp_path, run="plan"))
    name = 'module.net["eu/west"].terraform_data.a["10.0.0.0/24"]'
    assert {("delete", "terraform_data", name), ("create", "terraform_data", name)} <= changed(verdict)
    asked = {rule["name"]: rule["state"] for rule in simulated(tmp_path, verdict)["rules"]}
    assert (asked["network"], asked["destroyed"]) == ("pending", "pending")


def simulated(root: Path, verdict: dict[str, Any]) -> dict[str, Any]:
    """What the gate decides on a verdict that nobody has approved."""
    keys = ("target", "environment", "cluster", "action", "apiVersion", "kind", "namespace", "name", "fields")
    people = {"carol": "write", "dave": "write"}
    facts = {
        "pull_request": {
            **{"number": 1, "author": "alice", "draft": False, "fork": False, "labels": []},
            **{"base": {"ref": "main", "sha": "b"}, "head": {"ref": "x", "sha": "h"}},
        },
        "files": [{"path": "infra/net/main.tf", "status": "modified", "targets": ["terraform:infra"]}],
        "commits": [{"sha": "h", "parents": ["b"], "author": "alice", "committer": "alice", "co_authors": []}],
        **{"reviews": [], "comments": [], "teams": {}, "permissions": people, "tree": {".review-bot.yaml": RULES}},
        "changes": [{key: change.get(key) for key in keys} for change in verdict["changes"]],
        **{"effects": {"h": verdict["effect_digest"]}, "checks": verdict["checks"]},
        **{"truncated": {"files": False, "commits": False}, "now": "2026-11-20T12:00:00Z"},
    }
    file = root / "facts.json"
    file.write_text(json.dumps(facts))
    done = repositories.run("gate", "simulate", str(file), "-o", "json")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_what_is_sensitive_on_either_side_is_told_nowhere(tmp_path: Path) -> None:
    before = {"input": {"a": ["hunter2hunter2"], "b.c": "swordfish1"}, "flag": True, "plain": "${tr0ub4dor}"}
    after = {"input": {"a": ["hunter3hunter3"], "b.c": "swordfish2"}, "flag": False, "plain": "${tr0ub4dor2}"}
    marks = {"input": {"a": [True], "b.c": True}, "flag": True, "plain": True}
    one = row(["update"], before, after, before_sensitive=False, after_sensitive=marks)
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "r.rego").write_text(
        'package main\n\ndeny_all contains msg if {\n\tmsg := sprintf("%v", [input.spec.input.a[0]])\n}\n'
    )
    (tmp_path / "plan.json").write_text(json.dumps(plan(one)))
    root = repositories.make(tmp_path / "repo", BASE, {"infra/main.tf": AFTER})
    words = ("--base", "main", "--head", "change", "--terraform-plan", f"infra={tmp_path / 'plan.json'}")
    for form in ("json", "markdown", "text", "sarif", "junit"):
        done = repositories.run("check", str(root), *words, "--policy", str(rules), "-o", form)
        said = done.stdout + done.stderr
        assert said
        for secret in ("hunter2", "hunter3", "swordfish", "tr0ub4dor", "flag: true", "flag: false"):
            assert secret not in said, (form, secret)


def test_a_whole_value_that_is_sensitive_is_masked_whatever_it_holds(tmp_path: Path) -> None:
    outputs = {"o": {"actions": ["create"], "before": None, "after": {"k": [1, "hunter2"]}, "after_sensitive": True}}
    one = row(["create"], None, {"input": "hunter2", "n": 4711}, after_sensitive=True)
    said = json.dumps(given(tmp_path, plan(one, output_changes=outputs)))
    assert "hunter2" not in said and "4711" not in said and "output.o" in said


def test_what_is_known_after_apply_says_so_at_any_depth(tmp_path: Path) -> None:
    unknown = {"id": True, "input": {"list": [False, {"x": True}], "deep": [[True]]}}
    after = {"input": {"list": ["a", {}], "deep": [[None]]}}
    verdict = given(tmp_path, plan(row(["create"], None, after, after_unknown=unknown)))
    (made,) = [c for c in verdict["changes"] if c["kind"] == "terraform_data"]
    assert made["diff"].count("(known after apply)") == 3
    whole = given(tmp_path / "b", plan(row(["update"], {"input": 1}, None, after_unknown=True)))
    (made,) = [c for c in whole["changes"] if c["kind"] == "terraform_data"]
    assert made["action"] == "update" and "(known after apply)" in made["diff"]


def test_what_is_left_over_of_a_replacement_and_what_is_forgotten_are_told_apart(tmp_path: Path) -> None:
    left = {**row(["delete"], {"input": 1}, None), "deposed": "4f5e"}
    forgotten = {**row(["forget"], {"input": 1}, None), "address": "terraform_data.gone"}
    moved = {**row(["no-op"], {"input": 1}, {"input": 1}), "previous_address": "terraform_data.before"}
    verdict = given(tmp_path, plan(left, forgotten, moved))
    assert changed(verdict) >= {("delete", "terraform_data", "terraform_data.web (deposed 4f5e)")}
    assert not {"terraform_data.gone", "terraform_data.web"} & {c["name"] for c in verdict["changes"]}


def test_a_plan_that_is_not_whole_blocks_and_shows_what_it_has(tmp_path: Path) -> None:
    deferred = [{"reason": "instance_count_unknown", "resource_change": {"address": "terraform_data.later"}}]
    verdict = given(tmp_path, plan(row(["create"], None, {"input": 1}), deferred_changes=deferred, complete=False))
    assert verdict["conclusion"] == "failure"
    (finding,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert finding["rule"] == "terraform-plan-not-whole" and "terraform_data.later" in finding["message"]
    assert ("create", "terraform_data", "terraform_data.web") in changed(verdict)


def test_checks_that_fail_and_what_drifted_are_said(tmp_path: Path) -> None:
    checks = [{"address": {"to_display": "check.health"}, "status": "fail"}, {"address": {}, "status": "pass"}]
    drift = [row(["update"], {"input": 1}, {"input": 2}), {**row(["no-op"], 1, 1), "address": "terraform_data.moved"}]
    verdict = given(tmp_path, plan(checks=checks, resource_drift=drift))
    said = {f["rule"]: f["message"] for f in verdict["findings"]}
    assert "check.health" in said["terraform-check-failed"]
    assert said["terraform-drift"].endswith(": terraform_data.web")
    assert verdict["conclusion"] == "success"


def test_a_plan_that_was_made_of_other_files_blocks(tmp_path: Path) -> None:
    applied(tmp_path / "work")
    made = plan_of(tmp_path / "work", AFTER)
    words = ("--terraform-plan", f"infra={made}")
    more = AFTER + 'resource "terraform_data" "late" {}\n'
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": more}, *words)
    (finding,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert finding["rule"] == "terraform-plan-of-other-files"
    assert "only the files have terraform_data.late" in finding["message"]
    same = reviewed(tmp_path / "same", {"infra/main.tf": AFTER}, *words)
    assert same["conclusion"] == "success"


@pytest.mark.parametrize(("name", "text"), [("deep", "[" * 100_000), ("twice", "{}")])
def test_a_plan_that_is_made_to_harm_is_wrong_usage(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(text)
    root = repositories.make(tmp_path / "repo", BASE, {"infra/main.tf": AFTER})
    words = ["--terraform-plan", f"infra={tmp_path / 'plan.json'}"] * (2 if name == "twice" else 1)
    done = repositories.run("check", str(root), "--base", "main", "--head", "change", *words)
    assert done.returncode == 2 and "--terraform-plan" in done.stderr


def test_a_conditions_own_message_does_not_tell_a_secret(tmp_path: Path) -> None:
    wrong = MAIN.replace("  sensitive = true", "").replace("correct horse", "battery staple") + (
        'output "o" {\n  value = 1\n  precondition {\n    condition = var.password == "x"\n'
        '    error_message = "${var.password} is wrong"\n  }\n}\n'
    )
    verdict = reviewed(tmp_path / "repo", {"infra/main.tf": wrong}, env=operator(tmp_path, run="plan"))
    (finding,) = [f for f in verdict["findings"] if f["severity"] == "error"]
    assert "is wrong" in finding["message"] and "battery staple" not in json.dumps(verdict)


def test_what_is_given_to_a_sensitive_variable_of_a_module_is_masked(tmp_path: Path) -> None:
    call = 'module "db" {\n  source = "./db"\n  dsn = "hunter2hunter2"\n  size = 1\n}\n'
    files = {"infra/main.tf": call, "infra/db/main.tf": 'variable "dsn" {\n  ephemeral = true\n}\nvariable "size" {}\n'}
    verdict = reviewed(tmp_path, files)
    assert "hunter2" not in json.dumps(verdict) and "size: 1" in json.dumps(verdict)


def test_a_password_within_an_address_is_masked(tmp_path: Path) -> None:
    text = MAIN + 'output "o" {\n  value = "postgres://app:hunter2@db:5432/app and http://${var.size}:x@h"\n}\n'
    said = json.dumps(reviewed(tmp_path, {"infra/main.tf": text}))
    assert "hunter2" not in said and "postgres://app:" in said


def test_opentofus_own_files_are_planned_as_opentofu_reads_them(tmp_path: Path) -> None:
    base = {"infra/main.tf": 'resource "terraform_data" "a" {\n  input = "terraform"\n}\n', "README.md": "x"}
    own = base["infra/main.tf"].replace('"terraform"', 'upper("tofu")')
    head = {"infra/main.tofu": own, "infra/more.tofu": 'resource "terraform_data" "b" {}\n'}
    assert changed(reviewed(tmp_path / "read", head, base=base)) == {
        ("update", "terraform_data", "terraform_data.a"),
        ("create", "terraform_data", "terraform_data.b"),
    }
    verdict = reviewed(tmp_path / "planned", head, base=base, env=operator(tmp_path, run="plan"))
    assert verdict["conclusion"] == "success" and "+  input: TOFU" in json.dumps(verdict["changes"])
