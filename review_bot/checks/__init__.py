"""Checks of rendered changes: by schema, policy, cluster and registries. A new one is a module and a line here."""

import contextlib
import subprocess

from review_bot.checks import opa
from review_bot.checks.dry_run import DryRunCheck
from review_bot.checks.images import ImageCheck
from review_bot.checks.policy import PolicyCheck
from review_bot.checks.schema import SchemaCheck
from review_bot.core.errors import ToolError

CHECKS = (SchemaCheck, PolicyCheck, DryRunCheck, ImageCheck)


def prepare() -> None:
    """Make ready what does not depend on what is checked; what is wrong with it the check itself will say."""
    with contextlib.suppress(ToolError, OSError, subprocess.SubprocessError):
        opa.capabilities()
