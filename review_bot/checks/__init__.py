"""Checks of rendered changes: schema and policy. A new one is a module and a line here."""

from review_bot.checks.policy import PolicyCheck
from review_bot.checks.schema import SchemaCheck

CHECKS = (SchemaCheck, PolicyCheck)
