"""Secrets in Terraform's objects, what a plan does, and what is destroyed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from review_bot.core import secrets
from review_bot.core.danger import dangers
from review_bot.core.diff import compare
from review_bot.core.errors import InputError
from review_bot.core.model import Action, Resource, Source
from review_bot.core.terraform.blocks import manifest_of, resource_id
from review_bot.core.terraform.plans import Plan, changes_of, planned_objects, together


def one(kind: str, address: str, spec: dict[str, Any], type: str = "resource", **more: Any) -> Resource:
    id = resource_id(kind, "", address)
    return Resource(id, {**manifest_of(id, {"type": type, "labels": []}, spec), **more}, Source("main.tf", 7))


def shown(resource: Resource) -> str:
    return json.dumps(secrets.mask(resource.manifest, b"key")["spec"])


@pytest.mark.parametrize(
    "spec",
    [
        {"password": "hunter2"},
        {"master_password": ["hunter2"]},
        {"env": {"DB_PASSWORD": "hunter2"}},
        {"environment": [{"name": "API_TOKEN", "value": "hunter2"}]},
        {"private_key": "hunter2"},
        {"x": '${jsonencode({password = "hunter2"})}'},
        {"x": '${jsonencode({"apiKey": "hunter2"})}'},
        {"password": '${coalesce(var.x, "hunter2")}'},
        {"password": "${var.a}${var.b}hunter2"},
        {"password": "hunter2", "url": "postgres://u:hunter2@host"},
    ],
)
def test_what_is_called_a_secret_is_masked(spec: dict[str, Any]) -> None:
    assert "hunter2" not in shown(one("a", "a.b", spec))


@pytest.mark.parametrize(
    "spec",
    [
        {"password": "${var.password}"},
        {"password": "${random_password.db.result}"},
        {"secret_arn": "arn:aws:x"},
        {"secret_name": "db"},
        {"manage_master_user_password": True},
        {"name": "web"},
    ],
)
def test_what_only_speaks_of_a_secret_is_shown(spec: dict[str, Any]) -> None:
    assert shown(one("a", "a.b", spec)) == json.dumps(spec)


def test_equal_secrets_look_equal_and_others_do_not() -> None:
    a, b, c = (shown(one("a", "a.b", {"password": text})) for text in ("x1", "x1", "x2"))
    assert a == b != c


def test_what_is_declared_sensitive_is_masked_whatever_its_name() -> None:
    variable = one("Variable", "var.x", {"sensitive": True, "default": {"a": "hunter2"}}, "variable")
    assert "hunter2" not in shown(variable)
    assert "hunter2" not in shown(one("Values", "x.tfvars", {"x": {"a": "hunter2"}}, "values", sensitive=["x"]))
    assert "hunter2" not in shown(one("kubernetes_secret_v1", "kubernetes_secret_v1.a", {"data": {"a": "hunter2"}}))


def test_a_policys_message_does_not_tell_a_secret() -> None:
    assert "hunter2" in secrets.values(one("a", "a.b", {"password": "hunter2"}).manifest)


def row(actions: list[str], before: Any, after: Any, address: str = "a.b", **more: Any) -> dict[str, Any]:
    change = {"actions": actions, "before": before, "after": after, **more}
    return {"address": address, "mode": "managed", "type": "a", "name": "b", "change": change}


def plan(*rows: dict[str, Any], **more: Any) -> Plan:
    return Plan.read({"format_version": "1.2", "resource_changes": list(rows), **more})


def test_every_action_of_a_plan_is_a_change_of_its_kind() -> None:
    found = changes_of(
        "t",
        plan(
            row(["create"], None, {"x": 1}, "a.c"),
            row(["update"], {"x": 1}, {"x": 2}, "a.u"),
            row(["delete"], {"x": 1}, None, "a.d"),
            row(["delete", "create"], {"x": 1}, {"x": 2}, "a.r", replace_paths=[["x"]]),
            row(["create", "delete"], {"x": 1}, {"x": 2}, "a.s"),
            row(["no-op"], {"x": 1}, {"x": 1}, "a.n"),
            row(["read"], None, {"x": 1}, "a.q"),
            row(["forget"], {"x": 1}, None, "a.f"),
        ),
        (),
        (),
    )
    assert [(str(c.action), c.id.name) for c in found] == [
        ("create", "a.c"),
        ("delete", "a.d"),
        ("delete", "a.r"),
        ("create", "a.r"),
        ("delete", "a.s"),
        ("create", "a.s"),
        ("update", "a.u"),
    ]
    replaced = next(c for c in found if c.id.name == "a.r")
    assert replaced.fields == ("spec.x",)
    created = next(c for c in found if c.id.name == "a.r" and c.action is Action.CREATE)
    assert "-  x: 1" in created.diff and "+  x: 2" in created.diff


def test_what_is_not_known_yet_says_so_and_what_is_sensitive_is_masked() -> None:
    unknown = {"id": True, "list": [False, True], "deep": {"y": True}}
    after = {"list": ["a", None], "deep": {"x": 1}, "plain": "hunter2", "none": None}
    (change,) = changes_of(
        "t", plan(row(["create"], None, after, after_unknown=unknown, after_sensitive={"plain": True})), (), ()
    )
    assert change.head is not None
    word = "(known after apply)"
    assert change.head.manifest["spec"] == {
        "list": ["a", word],
        "deep": {"x": 1, "y": word},
        "plain": "hunter2",
        "id": word,
    }
    assert "hunter2" not in change.diff and word in change.diff


def test_a_change_is_placed_where_its_block_stands() -> None:
    configured = [one("a", "module.m.a.b", {}), one("Module", "module.far", {"source": "x/y/z"}, "module")]
    found = changes_of(
        "t",
        plan(row(["create"], None, {}, 'module.m["k.[0]"].a.b[0]'), row(["create"], None, {}, "module.far.a.b")),
        (),
        configured,
    )
    assert {c.head.source.path for c in found if c.head} == {"main.tf"}


def test_outputs_change_too() -> None:
    outputs = {"o": {"actions": ["update"], "before": "x", "after": None, "after_unknown": True}}
    (change,) = changes_of("t", plan(output_changes=outputs), (), ())
    assert (change.id.kind, change.id.name, str(change.action)) == ("Output", "output.o", "update")


def test_where_a_plan_speaks_the_files_are_silent_but_for_what_no_plan_shows() -> None:
    before = [
        one("a", "a.b", {"x": 1}),
        one("a", "a.c", {"x": 1}),
        one("a", "a.d", {}),
        one("Local", "local.l", {"value": 1}, "locals"),
    ]
    after = [
        one("a", "a.b", {"x": 2}),
        one("a", "a.c", {"x": "${local.l}"}),
        one("a", "a.d", {"lifecycle": [{"prevent_destroy": True}]}),
        one("Local", "local.l", {"value": 2}, "locals"),
    ]
    planned = changes_of("t", plan(row(["update"], {"x": 1}, {"x": 2}, "a.b[0]")), before, after)
    found = together(compare("t", before, after), planned)
    assert [c.id.name for c in found] == ["local.l", "a.b[0]", "a.d"]


def test_a_plan_from_nothing_gives_the_resources_as_they_are_to_be() -> None:
    configured = [one("a", "a.b", {"x": "${var.x}", "lifecycle": [{"y": 1}]}), one("Local", "local.l", {}, "locals")]
    found = planned_objects(plan(row(["create"], None, {"x": 5}, "a.b[0]")), configured)
    assert {r.id.name for r in found} == {"local.l", "a.b[0]"}
    resource = next(r for r in found if r.id.name == "a.b[0]")
    assert resource.manifest["spec"] == {"x": 5} and resource.manifest["meta"] == {"lifecycle": [{"y": 1}]}


@pytest.mark.parametrize(
    "document", [None, [], {}, {"format_version": "1.0"}, {"format_version": "1.0", "resource_changes": [1]}]
)
def test_what_is_no_plan_is_refused(document: Any) -> None:
    with pytest.raises(InputError):
        Plan.read(document)


def test_a_replacement_is_told_as_one_danger_with_what_forces_it() -> None:
    found = changes_of("t", plan(row(["delete", "create"], {"x": 1}, {"x": 2}, replace_paths=[["x"]])), (), ())
    (danger,) = dangers(found)
    assert danger.what == "is destroyed and created anew, since this can't be changed in place: x"


def test_removing_what_terraform_is_told_to_forget_is_no_danger() -> None:
    gone = [one("a", "a.b", {})]
    kept = one("Removed", "removed.a.b", {"from": "${a.b}", "lifecycle": [{"destroy": False}]}, "removed")
    destroyed = one("Removed", "removed.a.b", {"from": "${a.b}"}, "removed")
    assert dangers(compare("t", gone, [kept])) == []
    assert len(dangers(compare("t", gone, [destroyed]))) == 1


def test_a_manifest_that_only_claims_to_be_terraforms_does_no_harm() -> None:
    odd = Resource(
        resource_id("X", "", "x"), {"apiVersion": "terraform/v1", "kind": "X", "spec": 1, "block": []}, Source("a")
    )
    assert dangers(compare("t", [odd], [])) == []
    assert secrets.mask(odd.manifest, b"k") == odd.manifest


def test_what_a_replacement_left_behind_is_told_apart() -> None:
    rest = {**row(["delete"], {"x": 1}, None), "deposed": "abc123"}
    found = changes_of("t", plan(row(["no-op"], {"x": 2}, {"x": 2}), rest), [one("a", "a.b", {})], ())
    assert [(c.id.name, c.base.source.line if c.base else None) for c in found] == [("a.b (deposed abc123)", 7)]


def test_what_is_in_no_file_is_shown_at_the_entry() -> None:
    (change,) = changes_of("t", plan(row(["create"], None, {}, "module.gone.a.b")), (), (), "main.tf")
    assert change.head is not None and change.head.source == Source("main.tf")


def test_a_module_that_moves_takes_what_it_holds_along() -> None:
    gone = [one("a", "module.old.a.b", {}), one("a", "module.other.a.b", {})]
    moved = one("Moved", "moved.module.old", {"from": "${module.old}", "to": "${module.new}"}, "moved")
    assert [d.id.name for d in dangers(compare("t", gone, [moved]))] == ["module.other.a.b"]
