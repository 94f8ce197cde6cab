"""What can go wrong between the bot and GitHub, told apart by what the caller can do about it.

GitHubError
├── RateLimited     wait until a moment; concerns the whole installation
├── Unavailable     GitHub or the network failed; try again later
├── Missing         404: it is gone, or the App can't see it
├── Forbidden       403: a permission of the App is missing
└── Refused         any other 4xx: the request itself was wrong for GitHub's present state
"""

from __future__ import annotations


class GitHubError(Exception):
    """GitHub did not do what was asked; the text says what was asked and what GitHub said."""


class RateLimited(GitHubError):
    """GitHub asked to wait; `until` is in seconds since the epoch."""

    def __init__(self, message: str, until: float) -> None:
        super().__init__(message)
        self.until = until


class Unavailable(GitHubError):
    """GitHub or the way to it failed. Whether a write was done is not known."""


class Missing(GitHubError):
    """It does not exist, or the App may not see it."""


class Forbidden(GitHubError):
    """The App lacks a permission."""


class Refused(GitHubError):
    """GitHub would not do this; `status` is the HTTP status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
