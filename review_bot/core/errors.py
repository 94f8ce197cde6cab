"""The error tree. Every error names the place, the cause and the next step.

ReviewBotError
├── UsageError        wrong arguments, configuration or environment (exit 2)
├── InputError        something in the repository can't be read (becomes a finding)
│   ├── YamlError
│   └── RenderError
├── ClusterError      a cluster can't be asked (becomes a finding)
└── ToolError         a tool that the bot needs is missing or broken (exit 3)
"""

from __future__ import annotations


class ReviewBotError(Exception):
    """An error with words for the person who reads it.

    `message` states the cause, `help` the next step; `path` and `line` (1-based) the place, if known.
    """

    def __init__(self, message: str, *, path: str | None = None, line: int | None = None, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.help = help

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}: " if self.path and self.line else f"{self.path}: " if self.path else ""
        return f"{place}{self.message}" + (f" ({self.help})" if self.help else "")


class UsageError(ReviewBotError):
    """The command, the configuration or the environment is wrong."""


class InputError(ReviewBotError):
    """Something in the repository under review can't be read."""


class YamlError(InputError):
    """A file is not YAML that Kubernetes would accept."""


class RenderError(InputError):
    """A target does not render."""


class ClusterError(ReviewBotError):
    """A cluster can't be reached, or its answer can't be used."""


class ToolError(ReviewBotError):
    """A tool that the bot needs is missing or failed by itself."""
