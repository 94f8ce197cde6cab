"""Checks of rendered changes: schema, policy and the cluster's own answer. A new one is a module and a line here."""

from review_bot.checks.dry_run import DryRunCheck
from review_bot.checks.policy import PolicyCheck
from review_bot.checks.schema import SchemaCheck

CHECKS = (SchemaCheck, PolicyCheck, DryRunCheck)
