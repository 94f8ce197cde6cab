"""Rules of approval by the addresses of Terraform's resources."""

from __future__ import annotations

from typing import Any

import pytest
from test_decision import configured

RULES = """\
    - name: network
      when: {resources: [{groups: [terraform], names: ["module.net.*"]}]}
      require: {users: [carol], count: 1}
    - name: databases
      when: {resources: [{kinds: ["aws_db_*", "aws_rds_*"]}], actions: [delete]}
      require: {users: [carol], count: 1}
"""


def change(kind: str, name: str, action: str = "update") -> dict[str, Any]:
    return {
        "target": "terraform:infra",
        "environment": None,
        "action": action,
        "apiVersion": "terraform/v1",
        "kind": kind,
        "namespace": None,
        "name": name,
        "fields": ["spec.x"],
    }


@pytest.mark.parametrize(
    ("changed", "applying"),
    [
        (change("aws_subnet", "module.net.aws_subnet.a[0]"), {"network"}),
        (change("aws_subnet", 'module.net.module.inner["x"].aws_subnet.a'), {"network"}),
        (change("aws_subnet", 'module.net["eu"].aws_subnet.a'), {"network"}),
        (change("aws_subnet", 'module.net.aws_subnet.a["10.0.0.0/24"]'), {"network"}),
        (change("aws_subnet", "module.net.aws_subnet.a (deposed 00000000)", "delete"), {"network"}),
        (change("aws_subnet", "module.network.aws_subnet.a"), set()),
        (change("aws_db_instance", "aws_db_instance.main", "delete"), {"databases"}),
        (change("aws_db_instance", "aws_db_instance.main"), set()),
    ],
)
def test_a_rule_applies_by_address_and_kind(changed: dict[str, Any], applying: set[str]) -> None:
    decision = configured(RULES, changes=[changed])
    assert {rule.name for rule in decision.rules if str(rule.state) == "pending"} & {"network", "databases"} == applying
