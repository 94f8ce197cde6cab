"""What the operator lets the bot do with Terraform's own program."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Run(StrEnum):
    VALIDATE = "validate"
    PLAN = "plan"


@dataclass(frozen=True)
class TerraformTool:
    """`binary` is OpenTofu's or Terraform's program, None for what is on PATH; `plugin_dir` a mirror of providers."""

    run: Run
    binary: Path | None = None
    plugin_dir: Path | None = None
